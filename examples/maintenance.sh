#!/usr/bin/env bash
# Maintains the database and the scanner, every four hours from cron. Each part is done whatever became of the
# others: status (of tables and scanner), prune, check (database, scanner, age of the data), report (today's files).
#   --check-only      status and check: nothing is changed or started
#   --reports-only    report
#   --watchdog-only   mod-watch check, which starts the scanner again when it should run and does not
#   --force           prune also where ENABLE_AUTO_CLEANUP is false
#   --dry-run         say what would be done
#   MODTOOLS_HOME   works here; default /var/lib/modtools
#   MODTOOLS_RUN    the --dir of mod-watch; default run, in MODTOOLS_HOME
#   MODTOOLS_LOCK_WAIT  seconds that a run waits for another one; default 60; --watchdog-only needs no lock
#   MODTOOLS_LOG    where maintenance.log is written, a new one each day, kept 30 days; default /var/log/modtools
# Silent when all is well. Exit status: 0 well · 1 a part failed · 2 wrong usage · 3 something is to be looked at ·
# 4 another one is at work
set -euo pipefail

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p;}' "$0"; }
parts=(status prune check report)
dry_run=
check_only=
while [ $# -gt 0 ]; do
    case $1 in
        --check-only) parts=(status check); check_only=1 ;;
        --reports-only) parts=(report) ;;
        --watchdog-only) parts=(watchdog) ;;
        --force) export ENABLE_AUTO_CLEANUP=true ;;
        --dry-run) dry_run=1 ;;
        -h | --help) usage; exit 0 ;;
        *) echo "maintenance: $1 is not an option" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

cd "${MODTOOLS_HOME:-/var/lib/modtools}"
run=${MODTOOLS_RUN:-run}
logs=${MODTOOLS_LOG:-/var/log/modtools}
mkdir -p "$logs"
log=$logs/maintenance.log
# The watchdog needs no lock of ours: mod-watch has its own. The others wait a little for each other.
if [ "${parts[*]}" != watchdog ]; then
    exec 9>maintenance.lock
    flock -w "${MODTOOLS_LOCK_WAIT:-60}" 9 || { echo "maintenance: another one is at work" >&2; exit 4; }
fi

rotate() {
    local first day
    if [ -s "$log" ]; then
        IFS= read -r first <"$log"
        day=${first%% *}
        [ "$day" = "$(date +%F)" ] || mv -f "$log" "$log.$day"
    fi
    find "$logs" -maxdepth 1 -type f -name 'maintenance.log.*' -mtime +30 -delete
}
stamped() {
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        printf '%(%F %T)T %s\n' -1 "$line"
    done >>"$log"
}

# What a step runs.
command_of() {
    case $1 in
        tables) command=(mod-prune --status) ;;
        scanner) command=(mod-watch status --dir "$run") ;;
        prune) command=(mod-prune ${dry_run:+--dry-run}) ;;
        database) command=(mod-store --check) ;;
        watchdog) command=(mod-watch check --dir "$run") ;;
        fresh) command=(mod-report --fresh) ;;
        # The files are what counts; of the report itself its header goes into the log.
        files) command=(mod-report --date today --format ndjson --top 0 --save) ;;
    esac
}

steps=()
plan() {
    # Where systemd keeps the scanner, mod-watch knows nothing of it.
    local watched=
    [ ! -e "$run/modulation_scanner.cmd" ] || watched=1
    case $1 in
        status) steps+=(tables ${watched:+scanner}) ;;
        check) steps+=(database fresh) ;;
        prune) steps+=(prune) ;;
        report) steps+=(files) ;;
        watchdog) steps+=(watchdog) ;;
    esac
    [ "$1" != check ] || [ -n "$check_only" ] || steps+=(${watched:+watchdog})
}

# Why a step did not go well: its last error; of --fresh, which says it on standard output, the devices that are stale.
reason() { # reason NAME OUTPUT ERRORS
    local stale
    stale=$([ "$1" != fresh ] || sed -n -E 's/.*"cmts":"([^"]*)".*"fresh":false.*/\1/p' "$2" | paste -sd ' ')
    if [ -s "$3" ]; then tail -n 1 "$3"; elif [ -n "$stale" ]; then echo "not read lately: $stale"; else tail -n 1 "$2"; fi
}

# Runs a step with what it prints in the log; why it did not go well on stderr, too.
worst=0
step() {
    local code=0 output errors command
    command_of "$1"
    output=$(mktemp) errors=$(mktemp)
    echo "$1: ${command[*]}" | stamped
    # Nothing that is started here may keep our lock.
    "${command[@]}" >"$output" 2>"$errors" 9>&- || code=$?
    cat "$output" "$errors" | stamped
    echo "$1: exit $code" | stamped
    if [ "$code" != 0 ]; then
        echo "maintenance: $1: exit $code: $(reason "$1" "$output" "$errors")" >&2
        if [ "$code" != 3 ]; then worst=1; elif [ "$worst" = 0 ]; then worst=3; fi
    fi
    rm -f "$output" "$errors"
}

for part in "${parts[@]}"; do plan "$part"; done
if [ -n "$dry_run" ]; then
    for name in "${steps[@]}"; do
        command_of "$name"
        echo "$name: ${command[*]}"
        [ "$name" != prune ] || "${command[@]}"
    done
    exit 0
fi
rotate
for name in "${steps[@]}"; do step "$name"; done
exit "$worst"
