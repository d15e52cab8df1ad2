#!/bin/sh
# Events to Alertmanager: an alert from its opening to its end. alertmanager.sh http://HOST:9093
#   ALERTMANAGER_TOKEN_FILE   a file with a bearer token, where it asks for one
set -eu
umask 077
url=${1:?alertmanager.sh URL}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Alertmanager ends an alert that nobody repeats: an open one is given a month.
jq -n '[inputs | select(.type == "event") | {
    labels: ({alertname: "ModulationEvent", event: .id, cmts} + if .node then {node} else {} end
        + if .upstream then {upstream} else {} end),
    annotations: {summary: (.says // .cmts), upstreams: (.upstreams | tostring)},
    startsAt: (.since // .ts),
    endsAt: (if .what == "closed" then .ts else (.ts | fromdate + 30 * 86400 | todate) end)
}] | select(. != [])' >"$dir/alerts"
[ -s "$dir/alerts" ] || exit 0
: >"$dir/curl"
if [ -n "${ALERTMANAGER_TOKEN_FILE:-}" ]; then
    printf 'header = "Authorization: Bearer %s"\n' "$(cat "$ALERTMANAGER_TOKEN_FILE")" >"$dir/curl"
fi
curl --fail --silent --show-error --max-time 20 --output /dev/null --config "$dir/curl" \
    --header 'Content-Type: application/json' --data-binary "@$dir/alerts" "$url/api/v2/alerts"
