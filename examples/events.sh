#!/usr/bin/env bash
# Tells what fell, grew or is back since the last run, after each scan from cron or a timer.
#   events.sh HOOK...   hooks of hooks/, or commands of your own with their arguments in quotes; each gets `event`
#                       records on its standard input, and has passed them on when it ends with 0
#   MODTOOLS_HOME       works here; default /var/lib/modtools
# What a hook could not pass on waits in events/ and is tried again in the next run, in order; after a day it is dropped
# with a word. Flags for mod-report, such as --maintenance or --nodes, come from MODTOOLS_EVENTS. Silent when all is
# well. Exit status: 0 well · 1 something failed · 2 wrong usage · 4 another one is at work
set -euo pipefail

[ $# -gt 0 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p;}' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=examples/settings.sh
. "$here/settings.sh"
cd "${MODTOOLS_HOME:-/var/lib/modtools}"
mkdir -p events
exec 9>events/lock
flock -n 9 || { echo "events: another one is at work" >&2; exit 4; }

# distribute: gives each hook a copy of events/new; the name says when, so that they stay in order.
distribute() {
    local hook queue
    [ -s events/new ] || return 0
    for hook in "${hooks[@]}"; do
        queue=events/$(name_of "$hook")
        mkdir -p "$queue"
        cp events/new "$queue/.new"
        mv "$queue/.new" "$queue/$(date -u +%Y%m%dT%H%M%S.%N).ndjson"
    done
    rm events/new
}
name_of() { printf '%s' "$1" | tr -c 'A-Za-z0-9.\n' '_'; }

hooks=("$@")
failed=
# A run that was killed after its output left it here: its state is written, nobody else would tell it.
distribute
flags=()
read -r -a flags <<<"$(setting MODTOOLS_EVENTS)"
code=0
mod-report --events --state events/state -o events/new ${flags[@]+"${flags[@]}"} || code=$?
case $code in
    0 | 3) distribute ;;
    *) failed=1 ;;
esac
for hook in "${hooks[@]}"; do
    queue=events/$(name_of "$hook")
    read -r -a command <<<"$hook"
    [ -x "$here/${command[0]}" ] && command[0]=$here/${command[0]}
    for file in "$queue"/*.ndjson; do
        [ -e "$file" ] || continue
        if "${command[@]}" <"$file"; then
            rm "$file"
        elif [ -n "$(find "$file" -mmin +1440)" ]; then
            failed=1
            echo "events: $hook: it failed for a day; dropped: $(jq -r '.id' "$file" | tr '\n' ' ')" >&2
            rm "$file"
        else
            failed=1
            echo "events: $hook: it failed; tried again in the next run" >&2
            break
        fi
    done
done
[ -z "$failed" ]
