#!/bin/sh
# Events as SNMP notifications, confirmed by the receiver (informs): snmptrap.sh HOST[:PORT]
#   SNMP_COMMUNITY_FILE   a file with the community; or SNMP_COMMUNITY; else public
#   TRAP_OID              what the notifications are; below it .1 id .2 what .3 cmts .4 node .5 upstream
#                         .6 upstreams .7 sentence
set -eu
umask 077
host=${1:?snmptrap.sh HOST}
# netSnmpPlaypen, for private use; put the number of your own enterprise here.
oid=${TRAP_OID:-1.3.6.1.4.1.8072.9999.9999}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
community=${SNMP_COMMUNITY:-public}
[ -z "${SNMP_COMMUNITY_FILE:-}" ] || community=$(cat "$SNMP_COMMUNITY_FILE")
# A community on the command line would be seen by everybody.
mkdir "$dir/cert_indexes"
printf 'defVersion 2c\ndefCommunity %s\n' "$community" >"$dir/snmp.conf"
export SNMPCONFPATH="$dir" SNMP_PERSISTENT_DIR="$dir" MIBS=
jq -c 'select(.type == "event")' >"$dir/events"
field() { printf '%s\n' "$event" | jq -r "$1 // \"\" | tostring | gsub(\"[[:cntrl:]]\"; \" \")"; }
while read -r event; do
    snmptrap -Ci -r 2 -t 2 "$host" '' "$oid.0.1" \
        "$oid.1" s "$(field .id)" "$oid.2" s "$(field .what)" "$oid.3" s "$(field .cmts)" \
        "$oid.4" s "$(field .node)" "$oid.5" s "$(field .upstream)" "$oid.6" u "$(field .upstreams)" \
        "$oid.7" s "$(field .says)" </dev/null >/dev/null
done <"$dir/events"
