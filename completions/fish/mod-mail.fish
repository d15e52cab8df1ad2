complete -c mod-mail -l to -d 'Mail to these addresses, separated by commas; may be repeated [default: TO_EMAILS]' -r
complete -c mod-mail -l from -d 'The sender [default: FROM_EMAIL]' -r
complete -c mod-mail -l subject -d 'The subject; what the report lacks is appended to it [default: Modulation report DATE]' -r
complete -c mod-mail -l lang -d 'Language of the mail [default: MODTOOLS_LANG, else en]' -r -f -a "en\t'English'
nl\t'Dutch'"
complete -c mod-mail -l layout -d 'Columns of the attached CSV: all, or those of the program that this one replaces' -r -f -a "full\t'Everything that a row record has'
seed\t'What the program printed that this replaces, for those who read its files'"
complete -c mod-mail -l attach -d 'Attach FILE too; may be repeated' -r -F
complete -c mod-mail -l spool -d 'Keep what was not taken for now in DIR, and try it again in the next run that names DIR' -r -F
complete -c mod-mail -l timeout -d 'Wait at most this long for a connection or an answer, and ten times as long for the last one' -r
complete -c mod-mail -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-mail -l dry-run -d 'Write the mails to standard output, and send nothing'
complete -c mod-mail -l check -d 'Connect, begin TLS, log in, and leave; no report is read'
complete -c mod-mail -l debug -d 'Show what is said to the server and what it answers, secrets masked'
complete -c mod-mail -l flush -d 'Read no report; only try what waits in the spool'
complete -c mod-mail -l again -d 'Mail what has been mailed before'
complete -c mod-mail -s q -l quiet -d 'Say only what ends the run'
complete -c mod-mail -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-mail -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-mail -s V -l version -d 'Print version'
