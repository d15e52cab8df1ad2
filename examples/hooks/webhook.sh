#!/bin/sh
# Events to a chat, one message for a run: webhook.sh slack|mattermost|teams
#   WEBHOOK_URL_FILE   a file with the address, which is a secret; or WEBHOOK_URL
set -eu
umask 077
kind=${1:-slack}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lines='[inputs | select(.type == "event") | "\(.what | ascii_upcase): \(.says // .cmts)"
    + (if .more then " (and \(.more) more)" else "" end) | gsub("[[:cntrl:]]"; " ")]'
case $kind in
    slack | mattermost)
        message="$lines | select(. != [])
            | {text: (map(gsub(\"&\"; \"&amp;\") | gsub(\"<\"; \"&lt;\") | gsub(\">\"; \"&gt;\")) | join(\"\\n\"))}" ;;
    teams)
        message="$lines | select(. != []) | {type: \"message\", attachments: [{
            contentType: \"application/vnd.microsoft.card.adaptive\",
            content: {type: \"AdaptiveCard\", version: \"1.4\", body: map({type: \"TextBlock\", wrap: true, text: .})}}]}" ;;
    *)
        echo "webhook: $kind: unknown; expected one of slack, mattermost, teams" >&2
        exit 2 ;;
esac
jq -n "$message" >"$dir/message"
[ -s "$dir/message" ] || exit 0
url=${WEBHOOK_URL:-$(cat "${WEBHOOK_URL_FILE:?set WEBHOOK_URL_FILE}")}
# An address on the command line would be seen by everybody.
printf 'url = "%s"\n' "$url" >"$dir/curl"
curl --fail --silent --show-error --max-time 20 --output /dev/null --config "$dir/curl" \
    --header 'Content-Type: application/json' --data-binary "@$dir/message"
