complete -c ccap-fetch -s i -l inventory -d 'Read the inventory from FILE; - is standard input, which is also read when nothing else is given' -r -F
complete -c ccap-fetch -l map -d 'Other names of the fields in the inventory, also nested: cmts=name,host=primary_ip.address' -r
complete -c ccap-fetch -s j -l jobs -d 'Fetch this many devices at the same time' -r
complete -c ccap-fetch -l every -d 'Keep running: fetch each device once per INTERVAL' -r
complete -c ccap-fetch -l tick -d 'With --every, look this often for devices that are due, and write a heartbeat' -r
complete -c ccap-fetch -l refresh -d 'Ask for profiles and configuration again after this long; until then the last answer is used' -r
complete -c ccap-fetch -l cache -d 'Keep answers about profiles and configuration in DIR, for the next run' -r -F
complete -c ccap-fetch -l platform -d 'Platform of devices for which the inventory names none, whatever their names suggest' -r
complete -c ccap-fetch -l via -d 'How to ask devices for which the inventory does not say it: by command line or by MIBs' -r
complete -c ccap-fetch -l only -d 'Fetch only devices whose names match GLOB' -r
complete -c ccap-fetch -l command -d 'Send this instead of the platform\'s commands; may be repeated; for SNMP write "walk OID"' -r
complete -c ccap-fetch -l shard -d 'Fetch only part I of N of the inventory, for N collectors' -r
complete -c ccap-fetch -l transcript -d 'Write everything that passes to and from each device into DIR, secrets left out' -r -F
complete -c ccap-fetch -l user -d 'Account on the devices [default: CCAP_USER]' -r
complete -c ccap-fetch -l identity -d 'Private key file [default: CCAP_IDENTITY]' -r -F
complete -c ccap-fetch -l local-user -d 'Account to try once where the first one is rejected; its password is CCAP_LOCAL_PASSWORD' -r
complete -c ccap-fetch -l jump -d 'Connect through HOST by `ssh -W`, as your OpenSSH configuration says [default: CCAP_JUMP]' -r
complete -c ccap-fetch -l login-rate -d 'Begin at most this many logins' -r
complete -c ccap-fetch -l max-logins -d 'Have at most this many logins under way' -r
complete -c ccap-fetch -l auth-breaker -d 'Stop using an account after N devices in a row rejected it; 0: never' -r
complete -c ccap-fetch -l host-keys -d 'Unknown host keys: refuse them, learn them, or check nothing' -r -f -a "strict\t'Refuse it'
accept-new\t'Learn the first key of a host that has none, and refuse a changed one'
off\t'Do not check host keys (a laboratory)'"
complete -c ccap-fetch -l known-hosts -d 'File of known host keys [default: CCAP_KNOWN_HOSTS, else ~/.ssh/known_hosts]' -r -F
complete -c ccap-fetch -l algorithms -d 'SSH algorithms to offer' -r -f -a "auto\t'Modern first; when the key exchange finds nothing in common, once more with the legacy ones'
modern\t'Only modern ones'
legacy\t'Modern ones, and behind them SHA-1, CBC and 3DES for old devices'"
complete -c ccap-fetch -l connect-timeout -d 'Name resolution and TCP connection' -r
complete -c ccap-fetch -l auth-timeout -d 'Banner and key exchange; and again authentication up to the first prompt' -r
complete -c ccap-fetch -l idle-timeout -d 'Silence in the middle of an answer' -r
complete -c ccap-fetch -l request-timeout -d 'The answer to one SNMP request' -r
complete -c ccap-fetch -l device-timeout -d 'All attempts together' -r
complete -c ccap-fetch -l max-output -d 'All answers together' -r
complete -c ccap-fetch -l retries -d 'More attempts after a failure that may be temporary; by SNMP, for each request' -r
complete -c ccap-fetch -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c ccap-fetch -l detect -d 'Log in to devices of unknown platform, and find it out'
complete -c ccap-fetch -l upper -d 'Write device names in upper case'
complete -c ccap-fetch -l check -d 'Log in to each device, ask who it is, and say so in a line; store nothing'
complete -c ccap-fetch -l dry-run -d 'Show the devices and every command that can be sent to them, and connect to nothing'
complete -c ccap-fetch -l enable -d 'Leave user mode by `enable`; its password is CCAP_ENABLE_PASSWORD, else the account\'s'
complete -c ccap-fetch -l list-algorithms -d 'List the algorithms of this build, of SSH and of SNMP v3'
complete -c ccap-fetch -s q -l quiet -d 'Say only what ends the run'
complete -c ccap-fetch -s v -l verbose -d 'Say more; twice: everything'
complete -c ccap-fetch -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ccap-fetch -s V -l version -d 'Print version'
