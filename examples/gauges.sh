#!/usr/bin/env bash
# Writes gauges for node_exporter's textfile collector: of the upstreams, the scanner, the database and the tables, a
# file each, every five minutes from cron or a timer.
#   gauges.sh [DIR]   default /var/lib/prometheus/node-exporter, which this account must be allowed to write into
#   MODTOOLS_HOME     works here; default /var/lib/modtools
#   MODTOOLS_RUN      the --dir of mod-watch; default run, in MODTOOLS_HOME
# A file is replaced as a whole, and removed when its tool cannot be asked: old figures would pass for those of now.
# Flags for mod-report, such as --nodes or --top, come from MODTOOLS_GAUGES. Silent when all is well, which is not to say
# that the figures are. Exit status: 0 well · 1 a tool could not be asked, or a file not be written · 2 wrong usage
set -euo pipefail

case ${1-} in -*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p;}' "$0" >&2; exit 2 ;; esac
# shellcheck source=examples/settings.sh
. "$(cd "$(dirname "$0")" && pwd)/settings.sh"
directory=$(realpath -e -- "${1:-/var/lib/prometheus/node-exporter}") || exit 1
cd "${MODTOOLS_HOME:-/var/lib/modtools}"
run=${MODTOOLS_RUN:-run}
# node_exporter is another account.
umask 022
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

failed=
# gauges FILE COMMAND...: the figures show what is not well; a file that has its end is whole.
gauges() {
    local file=$directory/$1.prom
    shift
    "$@" >"$file.new" 2>"$errors" || true
    if [ "$(tail -n 1 "$file.new")" = "# EOF" ]; then
        mv "$file.new" "$file"
    else
        failed=1
        rm -f "$file" "$file.new"
        echo "gauges: $*: $(tail -n 1 "$errors")" >&2
    fi
}

flags=() spool=()
read -r -a flags <<<"$(setting MODTOOLS_GAUGES)"
[ ! -d spool ] || spool=(--spool spool)
gauges modtools mod-report --from -1h --format prom ${flags[@]+"${flags[@]}"}
gauges modtools-database mod-store --check --prom ${spool[@]+"${spool[@]}"}
gauges modtools-tables mod-prune --status --prom
# Where systemd keeps the scanner, mod-watch knows nothing of it.
[ ! -e "$run/modulation_scanner.cmd" ] || gauges modtools-scanner mod-watch status --dir "$run" --prom
[ -z "$failed" ]
