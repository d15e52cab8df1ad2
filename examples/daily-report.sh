#!/usr/bin/env bash
# shellcheck disable=SC2317  # the parts are called by their names
# The report of a day, in four parts, each of which is told when it fails, and ends it:
#   report   modulation_report_DATE.csv and _web.json into REPORT_OUTPUT_DIR
#   page     the day's page into web/
#   deploy   the page onto WEB_SERVER            (ENABLE_WEB_DEPLOYMENT=false: left out)
#   mail     the report to TO_EMAILS, once only  (ENABLE_EMAIL_REPORTS=false: left out)
# usage: daily-report.sh [--date YYYY-MM-DD|today|yesterday] [PART…]     default: yesterday, all parts
#   MODTOOLS_HOME   works here, where web/ and mail/ come to stand; default /var/lib/modtools
#   MODTOOLS_WEB    the page's directory; default web
#   MODTOOLS_DEPLOY more flags of the deployment, such as "--layout seed" for a page that reads the JSON of old
# Exit status: 0 done · 1 a part failed · 2 wrong usage · 3 done, but the day has no sample, or a recipient has not
# got it yet · 4 another one is at work
set -euo pipefail

usage() { sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//p;}' "$0"; }
date=yesterday
parts=()
while [ $# -gt 0 ]; do
    case $1 in
        --date) date=${2:?--date wants a day}; shift ;;
        --date=*) date=${1#*=} ;;
        -h | --help) usage; exit 0 ;;
        report | page | deploy | mail) parts+=("$1") ;;
        *) echo "daily-report: $1 is no part" >&2; usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=(report page deploy mail)

cd "${MODTOOLS_HOME:-/var/lib/modtools}"
web=${MODTOOLS_WEB:-web}
exec 9>daily-report.lock
flock -n 9 || { echo "daily-report: another one is at work" >&2; exit 4; }
# One report for all parts: the mail says what the files say.
report=$(mktemp)
trap 'rm -f "$report"' EXIT

report() { mod-report --date "$date" --format ndjson --save -o "$report"; }
page() { mod-report --date "$date" --format ndjson --top 0 --web "$web" >/dev/null; }
# shellcheck disable=SC2086  # flags are split at their blanks
deploy() { mod-report --date "$date" --web "$web" --deploy ${MODTOOLS_DEPLOY:-} >/dev/null; }
mail() {
    local code=0
    [ -s "$report" ] || mod-report --date "$date" --format ndjson -o "$report" || code=$?
    [ "$code" = 0 ] || [ "$code" = 3 ] || return "$code"
    mod-mail --spool mail <"$report" || return $?
    return "$code"
}

fail() {
    echo "daily-report: $1 failed (exit $2); what comes after it was not done" >&2
    exit 1
}

worst=0
for part in "${parts[@]}"; do
    code=0
    "$part" || code=$?
    case $code in
        0) ;;
        # An empty day, or a recipient that waits. Where the day is whole, the web server has not got it.
        3) [ "$part" != deploy ] || [ "$worst" = 3 ] || fail "$part" 3
           worst=3 ;;
        *) fail "$part" "$code" ;;
    esac
done
exit "$worst"
