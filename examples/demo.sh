#!/bin/sh
# shellcheck disable=SC2086  # the flags of cargo and of the fleet are split at their blanks
# The whole pipeline on a simulated fleet: real SSH on loopback, SQLite, a report. Leaves nothing behind
# but the page of the report, whose address it says at the end.
# The same four programs, with your own inventory and without the simulator, are the real thing.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# On a terminal cargo shows how far it is; elsewhere its list of crates would bury what follows.
quiet=--quiet
[ ! -t 2 ] || quiet=
say "Building the seven tools and the simulator (the first time minutes, then a moment)"
cargo build $quiet --bins --example ccap-sim
target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
bin=$target/debug
PATH=$bin:$PATH
fleet="--devices e6000=4,casa=4,cbr8=4 --upstreams 48 --seed 7"

dir=$(mktemp -d)
sim=
clean_up() {
    [ -z "$sim" ] || kill "$sim" 2>/dev/null || true
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

export MODTOOLS_DB="sqlite:$dir/modulation.db" CCAP_USER=operator CCAP_PASSWORD=simulated

say "A fleet of 12 simulated CCAPs (ccap-sim)"
"$bin/examples/ccap-sim" --dir "$dir" $fleet --latency 20ms >"$dir/ready" &
sim=$!
until grep -q ready "$dir/ready"; do
    kill -0 "$sim" || exit 1
    sleep 0.1
done
cat "$dir/ready"

say "Two days of its past into the database (mod-store --init)"
# 3: one of the devices was not reached for a while, and mod-store says so.
"$bin/examples/ccap-sim" --history 2d $fleet | mod-store --init || [ $? = 3 ]

say "One scan, for real: ccap-fetch | mod-parse | mod-store"
ccap-fetch -i "$dir/inventory.ndjson" --known-hosts "$dir/known_hosts" -j 12 | mod-parse | mod-store
mod-store --check

say "Yesterday's report (mod-report)"
page=$target/demo-report.html
mod-report --format table --top 15 --html "$page"

say "One of the records that pass between the tools: mod-report --format samples | head -1"
mod-report --date today --format samples | head -1

say "The same report as a page, for a browser: file://$page"

say "Go on with your own devices: their names or addresses in a file, one a line, and then"
printf '  %s\n' \
    "export PATH=\"$bin:\$PATH\"      # or: make build && sudo make install" \
    "ccap-fetch -i devices.txt --user NAME --host-keys accept-new --check" \
    "ccap-fetch -i devices.txt --user NAME | mod-parse | mod-store --init" \
    "mod-report --date today"
