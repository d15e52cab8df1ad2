# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mod_watch_global_optspecs
    string join \n name= dir= max-heartbeat-age= max-restart-attempts= restart-delay= stop-timeout= interval= on-failure= max-log= env-file= q/quiet v/verbose h/help V/version
end

function __fish_mod_watch_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mod_watch_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mod_watch_using_subcommand
    set -l cmd (__fish_mod_watch_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mod-watch -n "__fish_mod_watch_needs_command" -l name -d 'Name of what is supervised, and of its files' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l dir -d 'Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else ~/.local/state/modtools/run]' -r -F
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l max-heartbeat-age -d 'Restart the command when no heartbeat came for this long' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l max-restart-attempts -d 'Restarts in a row before it counts as failed; healthy running resets the count' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l restart-delay -d 'Pause before a restart; doubled, with some jitter, for each further one in a row' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l stop-timeout -d 'Time between TERM and KILL when the command has to end' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l interval -d 'Interval of the scans: when nothing was stored for two of them, the status is degraded' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l on-failure -d 'When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l max-log -d 'Rotate NAME.log at this size; three old ones are kept' -r
complete -c mod-watch -n "__fish_mod_watch_needs_command" -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-watch -n "__fish_mod_watch_needs_command" -s q -l quiet -d 'Say only what ends the run'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -s V -l version -d 'Print version'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -f -a "run" -d 'Supervise COMMAND in the foreground, until SIGTERM, SIGINT or `stop`'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -f -a "start" -d 'Supervise COMMAND in the background; ends once it is up, or says why not'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -f -a "check" -d 'For cron: silent when healthy; starts it again when it is not running, unless `stop` was given'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -f -a "status" -d 'Print the state on one line'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -f -a "stop" -d 'Stop the command; `check` does not start it again until `start` does'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -f -a "reset" -d 'Forget that it failed, so that `check` starts it again'
complete -c mod-watch -n "__fish_mod_watch_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l name -d 'Name of what is supervised, and of its files' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l dir -d 'Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else ~/.local/state/modtools/run]' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l max-heartbeat-age -d 'Restart the command when no heartbeat came for this long' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l max-restart-attempts -d 'Restarts in a row before it counts as failed; healthy running resets the count' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l restart-delay -d 'Pause before a restart; doubled, with some jitter, for each further one in a row' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l stop-timeout -d 'Time between TERM and KILL when the command has to end' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l interval -d 'Interval of the scans: when nothing was stored for two of them, the status is degraded' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l on-failure -d 'When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l max-log -d 'Rotate NAME.log at this size; three old ones are kept' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -l detached -d 'Started by `start` or `check`, which hand down the lock on standard input'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -s q -l quiet -d 'Say only what ends the run'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand run" -s h -l help -d 'Print help'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l name -d 'Name of what is supervised, and of its files' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l dir -d 'Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else ~/.local/state/modtools/run]' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l max-heartbeat-age -d 'Restart the command when no heartbeat came for this long' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l max-restart-attempts -d 'Restarts in a row before it counts as failed; healthy running resets the count' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l restart-delay -d 'Pause before a restart; doubled, with some jitter, for each further one in a row' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l stop-timeout -d 'Time between TERM and KILL when the command has to end' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l interval -d 'Interval of the scans: when nothing was stored for two of them, the status is degraded' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l on-failure -d 'When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l max-log -d 'Rotate NAME.log at this size; three old ones are kept' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -s q -l quiet -d 'Say only what ends the run'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand start" -s h -l help -d 'Print help'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l name -d 'Name of what is supervised, and of its files' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l dir -d 'Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else ~/.local/state/modtools/run]' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l max-heartbeat-age -d 'Restart the command when no heartbeat came for this long' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l max-restart-attempts -d 'Restarts in a row before it counts as failed; healthy running resets the count' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l restart-delay -d 'Pause before a restart; doubled, with some jitter, for each further one in a row' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l stop-timeout -d 'Time between TERM and KILL when the command has to end' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l interval -d 'Interval of the scans: when nothing was stored for two of them, the status is degraded' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l on-failure -d 'When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l max-log -d 'Rotate NAME.log at this size; three old ones are kept' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -l nagios -d 'Print the line of `status --nagios` afterwards, and exit with its code'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -s q -l quiet -d 'Say only what ends the run'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand check" -s h -l help -d 'Print help'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l name -d 'Name of what is supervised, and of its files' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l dir -d 'Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else ~/.local/state/modtools/run]' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l max-heartbeat-age -d 'Restart the command when no heartbeat came for this long' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l max-restart-attempts -d 'Restarts in a row before it counts as failed; healthy running resets the count' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l restart-delay -d 'Pause before a restart; doubled, with some jitter, for each further one in a row' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l stop-timeout -d 'Time between TERM and KILL when the command has to end' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l interval -d 'Interval of the scans: when nothing was stored for two of them, the status is degraded' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l on-failure -d 'When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l max-log -d 'Rotate NAME.log at this size; three old ones are kept' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l json -d 'Print the whole status as JSON'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l nagios -d 'Print one line with performance data and exit as monitoring plugins do: 0, 1, 2 or 3'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -l prom -d 'Print gauges for Prometheus, as node_exporter\'s textfile collector reads them'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -s q -l quiet -d 'Say only what ends the run'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand status" -s h -l help -d 'Print help'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l name -d 'Name of what is supervised, and of its files' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l dir -d 'Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else ~/.local/state/modtools/run]' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l max-heartbeat-age -d 'Restart the command when no heartbeat came for this long' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l max-restart-attempts -d 'Restarts in a row before it counts as failed; healthy running resets the count' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l restart-delay -d 'Pause before a restart; doubled, with some jitter, for each further one in a row' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l stop-timeout -d 'Time between TERM and KILL when the command has to end' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l interval -d 'Interval of the scans: when nothing was stored for two of them, the status is degraded' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l on-failure -d 'When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l max-log -d 'Rotate NAME.log at this size; three old ones are kept' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -s q -l quiet -d 'Say only what ends the run'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand stop" -s h -l help -d 'Print help'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l name -d 'Name of what is supervised, and of its files' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l dir -d 'Directory of its files [default: MODTOOLS_RUN_DIR, else /run/modtools as root, else ~/.local/state/modtools/run]' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l max-heartbeat-age -d 'Restart the command when no heartbeat came for this long' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l max-restart-attempts -d 'Restarts in a row before it counts as failed; healthy running resets the count' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l restart-delay -d 'Pause before a restart; doubled, with some jitter, for each further one in a row' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l stop-timeout -d 'Time between TERM and KILL when the command has to end' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l interval -d 'Interval of the scans: when nothing was stored for two of them, the status is degraded' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l on-failure -d 'When it has failed, run CMD with sh, with the reason and the last lines of stderr on standard input' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l max-log -d 'Rotate NAME.log at this size; three old ones are kept' -r
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -l env-file -d 'Read settings from FILE instead of ./.env or /etc/modtools/env' -r -F
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -s q -l quiet -d 'Say only what ends the run'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -s v -l verbose -d 'Say more; twice: everything'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand reset" -s h -l help -d 'Print help'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand help; and not __fish_seen_subcommand_from run start check status stop reset help" -f -a "run" -d 'Supervise COMMAND in the foreground, until SIGTERM, SIGINT or `stop`'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand help; and not __fish_seen_subcommand_from run start check status stop reset help" -f -a "start" -d 'Supervise COMMAND in the background; ends once it is up, or says why not'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand help; and not __fish_seen_subcommand_from run start check status stop reset help" -f -a "check" -d 'For cron: silent when healthy; starts it again when it is not running, unless `stop` was given'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand help; and not __fish_seen_subcommand_from run start check status stop reset help" -f -a "status" -d 'Print the state on one line'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand help; and not __fish_seen_subcommand_from run start check status stop reset help" -f -a "stop" -d 'Stop the command; `check` does not start it again until `start` does'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand help; and not __fish_seen_subcommand_from run start check status stop reset help" -f -a "reset" -d 'Forget that it failed, so that `check` starts it again'
complete -c mod-watch -n "__fish_mod_watch_using_subcommand help; and not __fish_seen_subcommand_from run start check status stop reset help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
