complete -c mod-prune -l keep-days -d 'Days that samples and scans are kept [default: DATA_RETENTION_DAYS, else 8]' -r
complete -c mod-prune -l detail-hours -d 'Hours that profile, source and SNR of each sample are kept' -r
complete -c mod-prune -l rollup-days -d 'Days that modulation_day is kept' -r
complete -c mod-prune -l batch -d 'Rows per transaction where there are no partitions [default: CLEANUP_BATCH_SIZE, else 10000]' -r
complete -c mod-prune -l deadline -d 'Stop after this long, such as 30m; the next run goes on' -r
complete -c mod-prune -l tz -d 'Time zone of the days in modulation_day, as mod-report has it [default: MODTOOLS_TZ, else the system\'s]' -r
complete -c mod-prune -l interval -d 'Interval between scans, as mod-report has it' -r
complete -c mod-prune -l forget -d 'Remove the devices whose names match GLOB and that nobody has tried for a day from modulation_device and modulation_channel; do nothing else. With --dry-run: show them' -r
complete -c mod-prune -l db -d 'sqlite:PATH or mysql://USER@HOST[,HOST2][:PORT]/DB[?ssl=required|verify-ca&ca=FILE] [default: MODTOOLS_DB, else ACCESS_*, else sqlite:modulation.db]' -r
complete -c mod-prune -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-prune -l force -d 'Prune even when every sample would go, which otherwise means that the clock is wrong'
complete -c mod-prune -l reset-id -d 'Make the id of an older modulation_new count on after the highest that is there, if that gains 1 %'
complete -c mod-prune -l status -d 'Show rows, size, age and health of each table; change nothing'
complete -c mod-prune -l nagios -d 'With --status: one line with perfdata and the exit codes of a monitoring plugin'
complete -c mod-prune -l prom -d 'With --status: gauges for Prometheus, as node_exporter\'s textfile collector reads them'
complete -c mod-prune -l dry-run -d 'Show the statements and how many rows would go; change nothing'
complete -c mod-prune -s q -l quiet -d 'Say only what ends the run'
complete -c mod-prune -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-prune -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-prune -s V -l version -d 'Print version'
