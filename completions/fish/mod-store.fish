complete -c mod-store -l batch -d 'Rows per statement on MySQL and MariaDB, at most 10000' -r
complete -c mod-store -l db -d 'sqlite:PATH or mysql://USER@HOST[,HOST2][:PORT]/DB[?ssl=required&ca=FILE] [default: MODTOOLS_DB, else ACCESS_*, else sqlite:modulation.db]' -r
complete -c mod-store -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-store -l init -d 'Make the tables that are missing, and on MySQL the partitions of the days to keep'
complete -c mod-store -l history-index -d 'With --init: also an index for the history of one upstream'
complete -c mod-store -l check -d 'Say what server, tables, columns, rights and samples there are, and what is missing; write nothing'
complete -c mod-store -l tee -d 'Pass every line on to standard output once it is committed, with a `stored` record per group'
complete -c mod-store -l store-all -d 'Store OFDMA and UNKNOWN also in an older modulation_new, whose other readers may not know them'
complete -c mod-store -l dry-run -d 'Read and judge everything, connect, but write nothing to the database'
complete -c mod-store -s q -l quiet -d 'Say only what ends the run'
complete -c mod-store -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-store -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-store -s V -l version -d 'Print version'
