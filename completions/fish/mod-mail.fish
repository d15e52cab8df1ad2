complete -c mod-mail -l to -d 'Mail to these addresses, separated by commas; may be repeated [default: TO_EMAILS]' -r
complete -c mod-mail -l from -d 'Sender [default: FROM_EMAIL]' -r
complete -c mod-mail -l subject -d 'Subject; what the report lacks is appended [default: Modulation report DATE]' -r
complete -c mod-mail -l lang -d 'Language of the mail [default: MODTOOLS_LANG, else en]' -r -f -a "en\t'English'
nl\t'Dutch'"
complete -c mod-mail -l layout -d 'Columns of the attached CSV: all, or as the program that this one replaces has them' -r -f -a "full\t'Everything that a row record has'
seed\t'What the replaced program printed, for whoever reads its files'"
complete -c mod-mail -l max-size -d 'Leave the attached rows out when they are larger than this in the mail; above 1 MiB they are compressed' -r
complete -c mod-mail -l attach -d 'Attach FILE too; may be repeated' -r -F
complete -c mod-mail -l spool -d 'Spool mails that were not taken in DIR, and retry them in each run that names DIR' -r -F
complete -c mod-mail -l timeout -d 'Time limit for a connection and each answer; ten times as long for the last one' -r
complete -c mod-mail -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-mail -l events -d 'Mail the `event` records on standard input instead of a report: one short mail, none without events'
complete -c mod-mail -l dry-run -d 'Write the mails to standard output instead of sending them: one as it is, several as an mbox'
complete -c mod-mail -l check -d 'Connect, begin TLS, log in, and leave; reads no report'
complete -c mod-mail -l debug -d 'Show the dialogue with the server, secrets masked'
complete -c mod-mail -l flush -d 'Only retry what waits in the spool; reads no report'
complete -c mod-mail -l again -d 'Resend what has been sent before'
complete -c mod-mail -s q -l quiet -d 'Say only what ends the run'
complete -c mod-mail -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-mail -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-mail -s V -l version -d 'Print version'
