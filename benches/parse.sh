#!/bin/bash
# How fast mod-parse is beside `jq -c .type` and `wc -l`, over the same captures of a simulated fleet of three
# platforms: best of three runs each, one run after the other.
#
#   usage: parse.sh [BINDIR [MEGABYTES]]      (target/release, 300; needs jq; examples/ccap-sim stands in BINDIR)
set -euo pipefail
bin=$(realpath "${1:-target/release}")
megabytes=${2:-300}
work=$(mktemp -d)
mkfifo "$work/hold"
# The fleet ends with its input, and its input with this script.
"$bin/examples/ccap-sim" --dir "$work/fleet" --devices e6000=4 --devices casa=4 --devices cbr8=4 \
  --upstreams 500 --until-eof <"$work/hold" >"$work/ready" &
sim=$!
exec 3>"$work/hold"
trap 'exec 3>&-; wait "$sim" || true; rm -rf "$work"' EXIT
until grep -q ^ready "$work/ready"; do
  kill -0 "$sim"
  sleep 0.1
done
CCAP_USER=operator CCAP_PASSWORD=simulated "$bin/ccap-fetch" -i "$work/fleet/inventory.ndjson" \
  --known-hosts "$work/fleet/known_hosts" --login-rate 100/s >"$work/scan"
grep '"type":"capture"' "$work/scan" >"$work/captures"
size=$(stat -c %s "$work/captures")
for _ in $(seq $((megabytes * 1000000 / size + 1))); do cat "$work/captures"; done >"$work/all"
grep '"type":"end"' "$work/scan" >>"$work/all"
size=$(stat -c %s "$work/all")

# The best of three, in ms.
best() {
  local least=
  for _ in 1 2 3; do
    local began ms
    began=$(date +%s%N)
    "$@" <"$work/all" >"$work/out"
    ms=$((($(date +%s%N) - began) / 1000000))
    [ -n "$least" ] && [ "$least" -le "$ms" ] || least=$ms
  done
  echo "$least"
}
row() { printf '%-18s %7d ms %6d MB/s\n' "$1" "$2" $((size / 1000 / $2)); }

cat "$work/all" >"$work/out" # everything into the page cache
lines=$(best wc -l)
jq=$(best jq -c .type)
one=$(best "$bin/mod-parse" -q -j 1)
two=$(best "$bin/mod-parse" -q -j 2)
row 'wc -l' $((lines > 0 ? lines : 1))
row 'jq -c .type' "$jq"
row 'mod-parse -j 1' "$one"
row 'mod-parse -j 2' "$two"
"$bin/mod-parse" -q <"$work/all" >"$work/samples"
size=$(stat -c %s "$work/samples")
mv "$work/samples" "$work/all"
row 'samples -j 1' "$(best "$bin/mod-parse" -q -j 1)"
row 'samples -j 2' "$(best "$bin/mod-parse" -q -j 2)"
awk -v jq="$jq" -v one="$one" -v two="$two" \
  'BEGIN { printf "against jq %.1f, two threads against one %.2f\n", jq / one, one / two }'
