complete -c mod-parse -l profiles -d 'Believe FILE about profile numbers before any device: lines of platform or device,number,modulation' -r -F
complete -c mod-parse -s j -l jobs -d 'Parse N captures at a time; the order of the output stays that of the input [default: one per core, at most 4]' -r
complete -c mod-parse -l keep -d 'Save captures that were not ok, or not fully understood, in DIR: the newest 200, 256 MiB at most' -r -F
complete -c mod-parse -l platform -d 'Platform of the pasted text: e6000, casa, cbr8, snmp [default: by the device\'s name]' -r
complete -c mod-parse -l cmts -d 'Name of the device of the pasted text' -r
complete -c mod-parse -l command -d 'Command that the pasted text answers, if the text does not show it' -r
complete -c mod-parse -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-parse -l explain -d 'Say on stderr what each line of output was taken for'
complete -c mod-parse -l strict -d 'Stop with exit code 1 at the first line or capture that cannot be used'
complete -c mod-parse -l raw -d 'Read pasted terminal text instead of records: one device\'s output, or a whole session with its prompts'
complete -c mod-parse -l schema -d 'Print the JSON schema (draft 2020-12) of every record that the tools write; read nothing'
complete -c mod-parse -s q -l quiet -d 'Say only what ends the run'
complete -c mod-parse -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-parse -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-parse -s V -l version -d 'Print version'
