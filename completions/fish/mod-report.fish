complete -c mod-report -l date -d 'The local day, week or month: YYYY-MM-DD, today, yesterday, 2026-W47, 2026-11 (default: yesterday; with --input: all of it)' -r
complete -c mod-report -l days -d 'The last N local days that are over' -r
complete -c mod-report -l from -d 'Begin of the window: RFC 3339, local "YYYY-MM-DD HH:MM", HH:MM of today, -7d or -1h' -r
complete -c mod-report -l to -d 'End of the window (default: now)' -r
complete -c mod-report -l at -d 'Every upstream\'s state at a moment, in an order that diff can compare' -r
complete -c mod-report -l warning -d 'With --format check: WARNING when this many upstreams are below expectation, such as 20 or 2.5%' -r
complete -c mod-report -l critical -d 'With --format check: CRITICAL when this many are' -r
complete -c mod-report -l state -d 'With --events: the file that carries what the next run has to know' -r -F
complete -c mod-report -l input -d 'Read records from FILE instead of the database; - is standard input: samples and scans, or a report that was written as ndjson, which can be shown in any other form' -r -F
complete -c mod-report -l tz -d 'Time zone of days and hours (default: MODTOOLS_TZ, else the system\'s)' -r
complete -c mod-report -l interval -d 'Interval between scans: a sample holds for at most 2.5 of them' -r
complete -c mod-report -l format -d 'Form of the output (default: table on a terminal, else ndjson)' -r -f -a "table\t'For people: a header and one line per upstream, as wide as the terminal'
ndjson\t'A report record, then a row record per upstream'
json\t'One object, its rows in it'
csv\t'One line per upstream'
csv-excel\t'As csv, for a spreadsheet: semicolons, the decimal sign of --lang, names that look like dates kept as text'
days\t'One record per upstream and day of the window that is over'
samples\t'The samples of the window as records'
changes\t'One line per change of an upstream and per gap'
prom\t'Gauges for Prometheus (node_exporter\'s textfile collector), per CMTS and node; upstreams only with --top'
check\t'One line for a monitoring plugin, with performance data: exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN'"
complete -c mod-report -l layout -d 'Columns of csv and json (default: full)' -r -f -a "full\t'Everything that a row record has'
seed\t'What the replaced program printed, for whoever reads its files'"
complete -c mod-report -l sort -d 'What comes first (default: lost)' -r -f -a "hops\t'Most hops'
lost\t'Most capacity lost'
degraded\t'Longest below what is expected'
customers\t'Most customer hours below what is expected'
cmts\t'By name'"
complete -c mod-report -l top -d 'Show only the first N upstreams; the totals still count all (default: all; 40 in a table on a terminal)' -r
complete -c mod-report -l by -d 'Sum up: one line for each CMTS, node or frequency, and one for the upstreams without' -r -f -a "cmts\t'The CMTS'
platform\t'The family of the device'
node\t'The node (--nodes)'
hub\t'The hub of the node'
area\t'The area of the node'
description\t'The description, such as a node\'s name'
frequency\t'The centre frequency'"
complete -c mod-report -l cmts -d 'Look only at the CMTSs that match, such as CCAP0*' -r
complete -c mod-report -l upstream -d 'Look only at the upstreams that match, such as 1/*' -r
complete -c mod-report -l nodes -d 'Which node each upstream serves, CSV lines cmts,upstream,node, if known also hub,area,homes, such as "CCAP001,1/scq/*,HRN12,Hoorn"; the first that matches counts [default: MODTOOLS_NODES]' -r -F
complete -c mod-report -l node -d 'Look only at the upstreams of the nodes that match, such as HRN*; needs --nodes' -r
complete -c mod-report -l expected -d 'What upstreams should run at: QAM64 for all, or a CSV file cmts,upstream,modulation (default: MODTOOLS_EXPECTED, else the best that each held for 1 % of the window or 10 % of a day before it)' -r
complete -c mod-report -l expected-days -d 'How many finished days before the window show what to expect [default: MODTOOLS_EXPECTED_DAYS, else 90]' -r
complete -c mod-report -l lang -d 'Language of the page and of each row\'s sentence [default: MODTOOLS_LANG, else en]' -r -f -a "en\t'English'
nl\t'Dutch'"
complete -c mod-report -l page-url -d 'Address of the page, for the links of rows [default: MODTOOLS_PAGE_URL]' -r
complete -c mod-report -l maintenance -d 'When CMTSs are worked on, CSV lines cmts,from,to, optionally upstream,node,ticket, such as "CCAP0*,2026-05-01 02:00,2026-05-01 04:00": shown apart, and not counted as lost' -r -F
complete -c mod-report -l works -d 'What works did, for each line of a file like that of --maintenance: loss, hops and time below expectation in the same hours of the seven days before and the seven days after, and better, same, worse or too early' -r -F
complete -c mod-report -s o -l output -d 'Write to FILE, whole or not at all, instead of standard output' -r -F
complete -c mod-report -l web -d 'Write also the day\'s page, with all upstreams, into a web server\'s DIR: index.html, its script and style, and data/DATE.json' -r -F
complete -c mod-report -l html -d 'Write also the same page as one FILE that opens from a disk, for mail and tickets' -r -F
complete -c mod-report -l brand -d 'Name, logo and colours of the page, as in examples/brands; they stay for later runs; none: the usual look again' -r -F
complete -c mod-report -l keep-files -d 'Remove dated files of --web, --save and --deploy whose day is longer ago than this [default: HOUSEKEEPING_DAYS, else 30]' -r
complete -c mod-report -l deploy -d 'Upload the page of --web, and with --layout seed the day\'s modulation_report_DATE_web.json and modulation_report_DATE.json, to DIR on a web server [default without a value: WEB_SERVER:WEB_PATH]' -r
complete -c mod-report -l deploy-port -d 'Port of its SSH server [default: what your OpenSSH configuration says, else 22]' -r
complete -c mod-report -l deploy-owner -d 'Give the files there this owner, such as www-data:www-data' -r
complete -c mod-report -l deploy-timeout -d 'Time limit for the whole deployment' -r
complete -c mod-report -l identity -d 'Private key file [default: CCAP_IDENTITY, else what your OpenSSH configuration says]' -r -F
complete -c mod-report -l known-hosts -d 'File of known host keys [default: CCAP_KNOWN_HOSTS, else ~/.ssh/known_hosts]' -r -F
complete -c mod-report -l host-keys -d 'An unknown host key: refuse it, learn it, or check nothing' -r -f -a "strict\t'Refuse it'
accept-new\t'Learn the first key of a host that has none, and refuse a changed one'
off\t'Do not check host keys (a laboratory)'"
complete -c mod-report -l algorithms -d 'SSH algorithms to offer' -r -f -a "auto\t'Modern first; when the key exchange finds nothing in common, once more with the legacy ones'
modern\t'Only modern ones'
legacy\t'Modern ones, and behind them SHA-1, CBC and 3DES for old devices'"
complete -c mod-report -l db -d 'sqlite:PATH or mysql://USER@HOST[,HOST2][:PORT]/DB[?ssl=required|verify-ca&ca=FILE] [default: MODTOOLS_DB, else ACCESS_*, else sqlite:modulation.db]' -r
complete -c mod-report -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-report -l fresh -d 'The age and status of each CMTS\'s last good scan; exit 3 when one is older than 2.5 intervals'
complete -c mod-report -l events -d 'What opened, grew or closed since the last run, each once: run it after each scan, or behind mod-store --tee with --input -; exit 3 when something opened'
complete -c mod-report -l save -d 'Write also modulation_report_DATE.csv and modulation_report_DATE_web.json (seed layout, all upstreams) into REPORT_OUTPUT_DIR (default: reports)'
complete -c mod-report -l save-copy -d 'With --save: also modulation_report_DATE.json, the same as modulation_report_DATE_web.json under another name'
complete -c mod-report -l json-only -d 'As it was called once: --save or --layout seed --format json'
complete -c mod-report -l csv-only -d 'As it was called once: --save or --layout seed'
complete -c mod-report -l web-only -d 'As it was called once: --save --save-copy, or --web or --deploy'
complete -c mod-report -l deploy-sudo -d 'Upload into a directory of the login\'s own, and let `sudo -n` there make directories, move, link, own and remove'
complete -c mod-report -s q -l quiet -d 'Say only what ends the run'
complete -c mod-report -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-report -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-report -s V -l version -d 'Print version'
