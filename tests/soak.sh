#!/usr/bin/env bash
# The soak: ccap-sim, then ccap-fetch --every 20s | mod-parse | mod-store under mod-watch for SOAK_SECONDS (600),
# with an outage of devices and one of the database in it. It must end healthy, never restarted, every sample that was
# parsed must be in the database, no process may have grown, and nothing may be left of what was temporary. Run by
# `make soak`, under tests/mariadb.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SOAK_SECONDS:-600}
built=$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd)
PATH=$built:$built/examples:$PATH

dir=$(mktemp -d)
sims=()
cleanup() {
    trap - EXIT INT TERM
    mod-watch stop --dir "$dir/run" >/dev/null 2>&1 || true
    for sim in "${sims[@]}"; do kill "$sim" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
fail() {
    echo "soak: $*" >&2
    tail -n 20 "$dir"/run/*.log >&2 || true
    exit 1
}
say() { printf '%5ds  %s\n' "$SECONDS" "$*"; }
at() { # at PERCENT: waits for that part of the soak
    local left=$((seconds * $1 / 100 - SECONDS))
    [ "$left" -le 0 ] || sleep "$left"
}

# figures: each tool that runs here, its resident memory in KiB and its descriptors
figures() {
    local process tool
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/cwd")" = "$dir" ] && read -r tool <"$process/comm" || continue
        case $tool in
        ccap-fetch | mod-*)
            echo "$tool $(awk '$1 == "VmRSS:" { print $2 }' "$process/status") $(find "$process/fd" -mindepth 1 | wc -l)"
            ;;
        esac
    done 2>/dev/null | sort
}

# simulate NAME PORT FLAGS...: a fleet in $dir/NAME; its process in $sim
simulate() {
    local name=$1 port=$2
    shift 2
    ccap-sim --dir "$dir/$name" --port "$port" --live --upstreams 48 "$@" >"$dir/$name.ready" &
    sim=$!
    sims+=("$sim")
    until grep -qs ready "$dir/$name.ready"; do kill -0 "$sim" || fail "ccap-sim does not start"; sleep 0.1; done
}

IFS=: read -r host port <<<"$MODTOOLS_TEST_MYSQL"
sql() {
    MYSQL_PWD=$MODTOOLS_TEST_MYSQL_PASSWORD mariadb --no-defaults -N -h "$host" -P "$port" \
        -u "$MODTOOLS_TEST_MYSQL_USER" "$@"
}
database=soak_$$
sql -e "CREATE DATABASE $database"

simulate steady 0 --devices e6000=2,casa=2
simulate flaky 0 --devices cbr8=2
flaky=$sim
flaky_port=$(jq -rs '.[0].port' "$dir/flaky/inventory.ndjson")
cat "$dir"/{steady,flaky}/inventory.ndjson >"$dir/inventory.ndjson"
cat "$dir"/{steady,flaky}/known_hosts >"$dir/known_hosts"
(umask 077 && cat >"$dir/.env") <<SETTINGS
MODTOOLS_DB=mysql://$MODTOOLS_TEST_MYSQL_USER@$MODTOOLS_TEST_MYSQL/$database
ACCESS_PASSWORD=$MODTOOLS_TEST_MYSQL_PASSWORD
CCAP_USER=operator
CCAP_PASSWORD=simulated
SETTINGS
cat >"$dir/pipeline.sh" <<'PIPELINE'
# What is parsed is kept aside, also while the pipe is ended by a signal.
ccap-fetch -i inventory.ndjson --known-hosts known_hosts --cache cache --every 20s --tick 5s |
    mod-parse | (trap '' TERM; exec tee -a parsed.ndjson) | mod-store --notify --spool spool
PIPELINE
cd "$dir"
mkdir cache spool
mod-store --init </dev/null

SECONDS=0
mod-watch start --dir run --interval 20s --max-heartbeat-age 60s -- sh pipeline.sh
at 15
figures >before
say "$(tr '\n' ' ' <before)(KiB, descriptors)"
at 20
say "two devices go away"
kill "$flaky"
wait "$flaky" || true
at 30
say "and come back"
simulate flaky "$flaky_port" --devices cbr8=2
at 50
say "the database goes away: $(mod-watch status --dir run || true)"
kill -USR1 "$MODTOOLS_TEST_MYSQL_KEEPER"
at 60
say "and comes back: $(mod-watch status --dir run || true)"
kill -USR2 "$MODTOOLS_TEST_MYSQL_KEEPER"
at 100
say "$(mod-watch status --dir run || true)"
mod-watch status --json --dir run >status.json || fail "it is not healthy: $(cat status.json)"
figures >after
say "$(tr '\n' ' ' <after)(KiB, descriptors)"
mod-watch stop --dir run

[ "$(wc -l <after)" = 4 ] || fail "not all tools ran at the end: $(cat after)"
grown=$(join before after | awk '$4 > 1.25 * $2 + 8192 || $5 > $3 + 4')
[ -z "$grown" ] || fail "memory or descriptors have grown: $grown"
[ -z "$(figures)" ] || fail "processes are left: $(figures)"
left=$(find . -name '.tmp*' -o -name '.unfinished-*' -o -type s)
[ -z "$left" ] || fail "files are left: $left"
restarts=$(grep -ci 'restart' run/watchdog.log || true)
[ "$restarts" = 0 ] || fail "it was restarted"
[ -z "$(find spool -type f -size +0)" ] || fail "the spool is not empty: $(ls -l spool)"
parsed=$(jq -r 'select(.type == "sample") | [.ts, .cmts, .upstream] | @tsv' parsed.ndjson | sort -u | wc -l)
stored=$(sql -e "SELECT COUNT(*) FROM $database.modulation_new")
sql -e "SELECT status, COUNT(*), SUM(samples) FROM $database.modulation_scan GROUP BY status" |
    while read -r status scans samples; do say "$scans scans $status, $samples samples"; done
[ "$(sql -e "SELECT COUNT(*) FROM $database.modulation_scan WHERE status = 'refused'")" -gt 0 ] || fail "no device was away"
[ "$parsed" != 0 ] || fail "nothing was parsed"
[ "$parsed" = "$stored" ] || fail "$parsed samples were parsed, $stored are stored"
say "healthy at the end, never restarted; all $stored samples are stored"
sql -e "DROP DATABASE $database"
