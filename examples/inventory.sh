#!/usr/bin/env bash
# Fetches the inventory as JSON and makes it NDJSON for ccap-fetch. The old one stays when the new one is
# broken, empty, or much smaller: an interface that has a bad day must not end the collection.
# usage: inventory.sh [--force] [--cacert FILE] URL [FILE]
#   FILE               default MODTOOLS_INVENTORY, else inventory.ndjson in MODTOOLS_HOME (/var/lib/modtools)
#   --force            take a much smaller one all the same
#   --cacert FILE      the certificate of an interface that signed its own, as PEM; or INVENTORY_CACERT
#   INVENTORY_JQ       how jq makes devices of it: one object each, with cmts and maybe host, port, platform,
#                      user, jump, algorithms, description (default: the array, or what is in .results). Of names
#                      in .data[].HostName:  .data[] | select(.HostName | test("CCAP[012][0-9]{2}"; "i"))
#                                            | {cmts: (.HostName | ascii_upcase)}
#   INVENTORY_MIN_PCT  of the old number of devices that the new one must have (80)
# The password is in ~/.netrc (mode 600), which curl reads: machine HOST login USER password SECRET
# Exit status: 0 written or unchanged · 1 the old one stays · 2 wrong usage
set -euo pipefail

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p;}' "$0"; }
fail() { echo "inventory: $*" >&2; exit 1; }
# shellcheck source=examples/settings.sh
. "$(dirname "$0")/settings.sh"
force=
cacert=$(setting INVENTORY_CACERT)
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --force) force=1 ;;
        --cacert) cacert=${2:?--cacert needs a file}; shift ;;
        *) break ;;
    esac
    shift
done
[ $# = 1 ] || [ $# = 2 ] || { usage >&2; exit 2; }
url=$1
file=${2:-$(setting MODTOOLS_INVENTORY "${MODTOOLS_HOME:-/var/lib/modtools}/inventory.ndjson")}
filter=$(setting INVENTORY_JQ 'if type == "array" then .[] else .results[] end')

new=$(mktemp "$(dirname "$file")/.inventory.XXXXXX")
trap 'rm -f "$new"' EXIT
curl ${cacert:+--cacert "$cacert"} --netrc --fail --silent --show-error --location --max-time 120 --retry 2 "$url" |
    jq -c "($filter) | select((.cmts // \"\") != \"\")" >"$new" ||
    fail "$url: not fetched, or not as expected; the old inventory stays"

count=$(wc -l <"$new")
[ "$count" -gt 0 ] || fail "$url: the list is empty; the old inventory stays"
# ccap-fetch has the last word on what a device is.
ccap-fetch -i "$new" --dry-run >/dev/null || [ $? = 3 ] || fail "$url: no inventory; the old one stays"
if [ -s "$file" ] && [ -z "$force" ]; then
    old=$(wc -l <"$file")
    least=$((old * ${INVENTORY_MIN_PCT:-80} / 100))
    [ "$count" -ge "$least" ] ||
        fail "$url: only $count devices after $old; the old inventory stays (--force takes the new one)"
fi
chmod 644 "$new"
cmp -s "$new" "$file" || mv -f "$new" "$file"
