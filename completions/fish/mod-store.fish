complete -c mod-store -l spool -d 'Keep what the database cannot take now in files of DIR, and store it when the database is back' -r -F
complete -c mod-store -l spool-size -d 'End with a failure rather than let the spool grow beyond this' -r
complete -c mod-store -l spool-age -d 'Drop, with a warning, what has waited in the spool for longer than this' -r
complete -c mod-store -l batch -d 'Rows per statement on MySQL and MariaDB, at most 10000' -r
complete -c mod-store -l db -d 'sqlite:PATH or mysql://USER@HOST[,HOST2][:PORT]/DB[?ssl=required|verify-ca&ca=FILE] [default: MODTOOLS_DB, else ACCESS_*, else sqlite:modulation.db]' -r
complete -c mod-store -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-store -l init -d 'Make missing tables, and on MySQL the partitions of the days to keep'
complete -c mod-store -l migrate -d 'With --init: move an older modulation_new into the present shape, while it stays readable. It can be broken off and taken up again; the old table stays as modulation_old. With --dry-run: say how'
complete -c mod-store -l history-index -d 'With --init: also an index for the history of one upstream'
complete -c mod-store -l check -d 'Show server, tables, columns, rights and samples, and what is missing; write nothing'
complete -c mod-store -l nagios -d 'With --check: one line with perfdata and the exit codes of a monitoring plugin'
complete -c mod-store -l prom -d 'With --check: gauges for Prometheus, as node_exporter\'s textfile collector reads them'
complete -c mod-store -l tee -d 'Pass every line on to standard output once it is committed or spooled, with a `stored` record per group'
complete -c mod-store -l notify -d 'Prove progress to mod-watch or systemd on the socket that NOTIFY_SOCKET names'
complete -c mod-store -l store-all -d 'Store every modulation in an older modulation_new; without it only QPSK, QAM16 and QAM64 go there, because the other programs that read it know no others'
complete -c mod-store -l dry-run -d 'Read and judge everything, connect, but write nothing to the database'
complete -c mod-store -s q -l quiet -d 'Say only what ends the run'
complete -c mod-store -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-store -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-store -s V -l version -d 'Print version'
