#!/usr/bin/env bash
# shellcheck disable=SC2317  # the parts are called by their names
# The report of a day, in four parts. Each is done whatever became of the others, and named when it fails:
#   report   modulation_report_DATE.csv and _web.json into REPORT_OUTPUT_DIR
#   page     the day's page into web/
#   deploy   the page onto WEB_SERVER            (ENABLE_WEB_DEPLOYMENT=false: left out)
#   mail     the report to TO_EMAILS, once only  (ENABLE_EMAIL_REPORTS=false: left out)
# usage: daily-report.sh [--date YYYY-MM-DD|today|yesterday] [PART…]     default: yesterday, all parts
# Settings, from the environment or the env file:
#   MODTOOLS_HOME   works here, where web/ and mail/ come to stand; default /var/lib/modtools (environment only)
#   MODTOOLS_WEB    the page's directory; default web
#   MODTOOLS_BRAND  the brand of the page, as --brand takes it
#   MODTOOLS_REPORT, MODTOOLS_DEPLOY, MODTOOLS_MAIL
#                   more flags of mod-report, of its deployment and of mod-mail, such as
#                   MODTOOLS_DEPLOY="--layout seed --deploy-sudo" and MODTOOLS_MAIL="--layout seed --lang nl"
#   MODTOOLS_LOCK_WAIT  seconds that a run waits for another one, as at 06:00 for the page of today; default 600
# Exit status: 0 done · 1 a part failed · 2 wrong usage · 3 done, but the day has no sample, or a recipient has not
# got it yet · 4 another one is at work
set -euo pipefail

usage() { sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//p;}' "$0"; }
# shellcheck source=examples/settings.sh
. "$(dirname "$0")/settings.sh"
date=yesterday
parts=()
while [ $# -gt 0 ]; do
    case $1 in
        --date) date=${2:?--date needs a day}; shift ;;
        --date=*) date=${1#*=} ;;
        -h | --help) usage; exit 0 ;;
        report | page | deploy | mail) parts+=("$1") ;;
        *) echo "daily-report: unknown part $1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=(report page deploy mail)

cd "${MODTOOLS_HOME:-/var/lib/modtools}"
web=$(setting MODTOOLS_WEB web)
brand=$(setting MODTOOLS_BRAND)
# Flags are split at their blanks.
read -ra report_flags <<<"$(setting MODTOOLS_REPORT)"
read -ra deploy_flags <<<"$(setting MODTOOLS_DEPLOY)"
read -ra mail_flags <<<"$(setting MODTOOLS_MAIL)"
exec 9>daily-report.lock
flock -w "${MODTOOLS_LOCK_WAIT:-600}" 9 || { echo "daily-report: another one is at work" >&2; exit 4; }
# One report for files, page and mail, so that the database is asked once and all of them say the same.
report=$(mktemp)
trap 'rm -f "$report"' EXIT

report_of() { mod-report --date "$date" "${report_flags[@]}" "$@"; }
page_flags=(--web "$web" ${brand:+--brand "$brand"})
# No format: another layout has other ones, and what would go to standard output is of no interest.
# What a part needs of the report that is there already, and else of the database.
page_of() { if [ -s "$report" ]; then mod-report --input "$report" --date "$date" "$@"; else report_of "$@"; fi; }
report() {
    local code=0 page=()
    [[ " ${parts[*]} " != *" page "* && " ${parts[*]} " != *" deploy "* ]] || page=("${page_flags[@]}")
    report_of --format ndjson --save -o "$report" "${page[@]}" || code=$?
    # A page that cannot be written costs the page, which then says why.
    if [ "$code" = 1 ] && [ ${#page[@]} -gt 0 ]; then
        code=0
        report_of --format ndjson --save -o "$report" || code=$?
    fi
    return "$code"
}
page() { page_of "${page_flags[@]}" >/dev/null; }
deploy() { page_of "${page_flags[@]}" --deploy "${deploy_flags[@]}" >/dev/null; }
mail() {
    local code=0
    [ -s "$report" ] || report_of --format ndjson -o "$report" || code=$?
    [ "$code" = 0 ] || [ "$code" = 3 ] || return "$code"
    mod-mail --spool mail "${mail_flags[@]}" <"$report" || return $?
    return "$code"
}

worst=0 empty=
for part in "${parts[@]}"; do
    code=0
    "$part" || code=$?
    # 3 is an empty day or a recipient that waits. When the files are whole, it is a server that has not got the page.
    if [ "$code" = 3 ] && { [ "$part" != deploy ] || [ -n "$empty" ]; }; then
        [ "$part" = mail ] || empty=1
        [ "$worst" = 1 ] || worst=3
    elif [ "$code" != 0 ]; then
        echo "daily-report: $part failed (exit $code)" >&2
        worst=1
    fi
done
exit "$worst"
