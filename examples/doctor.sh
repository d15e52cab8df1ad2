#!/usr/bin/env bash
# What is installed, what is set, and what each program says of its own health, on one page to paste into a question.
# Secrets are left out; names of devices and hosts are in it: change what may not leave your house.
#   doctor.sh [DIRECTORY]   the directory that the scanner works in; default MODTOOLS_HOME, else /var/lib/modtools, else here
# Changes nothing, sends no mail, and logs in to one device at most. Exit status: 0 all checks passed · 3 some did not
set -uo pipefail

case ${1-} in
-h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
-*) echo "doctor: $1 is not an option" >&2; exit 2 ;;
esac
lib=$(cd "$(dirname "$0")" && pwd)
home=${1:-${MODTOOLS_HOME:-/var/lib/modtools}}
[ -d "$home" ] || home=.
cd "$home" || exit 3
# shellcheck source=examples/settings.sh
. "$lib/settings.sh"
failed=()

# The values of secrets, wherever they are set, and passwords in addresses.
secrets=$(for name in CCAP_PASSWORD CCAP_PASSPHRASE CCAP_ENABLE_PASSWORD CCAP_LOCAL_PASSWORD ACCESS_PASSWORD SMTP_PASSWORD \
    SNMP_COMMUNITY SNMP_AUTH_PASSWORD SNMP_PRIV_PASSWORD FERNET_KEY; do
    setting "$name"
    file=$(setting "${name}_FILE")
    [ -z "$file" ] || [ ! -r "$file" ] || head -n 1 "$file"
done)
leave_out() {
    SECRETS=$secrets awk 'BEGIN { n = split(ENVIRON["SECRETS"], secret, "\n") }
        { for (i = 1; i <= n; i++) while (secret[i] != "" && (at = index($0, secret[i])))
              $0 = substr($0, 1, at - 1) "[secret]" substr($0, at + length(secret[i])); print }'
}
title() { printf '\n## %s\n' "$*"; }
check() { # check WHAT COMMAND...: its output, at most 40 lines, and its exit code
    local what=$1 code
    shift
    title "$what"
    printf '$ %s\n' "$*"
    timeout 60 "$@" </dev/null 2>&1 | head -n 40
    code=${PIPESTATUS[0]}
    printf 'exit %s\n' "$code"
    [ "$code" = 0 ] || failed+=("$what ($code)")
}

page() {
    printf '# modtools, %s\n' "$(date -u +%FT%TZ)"
    title programs
    for tool in ccap-fetch mod-parse mod-store mod-report mod-mail mod-prune mod-watch; do
        if command -v "$tool" >/dev/null; then
            printf '%s  %s\n' "$("$tool" --version)" "$(command -v "$tool")"
        else
            printf '%s is not in the PATH\n' "$tool"
            failed+=("$tool")
        fi
    done
    title host
    uname -srm
    sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null
    printf 'user %s, umask %s, directory %s\n' "$(id -un)" "$(umask)" "$PWD"
    df -h . | tail -n 1
    timedatectl show -p NTPSynchronized -p Timezone 2>/dev/null
    title settings
    for file in .env ${CREDENTIALS_DIRECTORY:+"$CREDENTIALS_DIRECTORY/env"} /etc/modtools/env; do
        [ -e "$file" ] || continue
        stat -c '%n %U %a' "$file"
        # The first one counts. A value whose name may be that of a secret is never shown.
        sed -n -E 's/^[[:space:]]*(export[[:space:]]+)?([A-Z][A-Z0-9_]*(PASSWORD|PASSPHRASE|KEY|COMMUNITY|TOKEN|SECRET))[[:space:]]*=.*/\2=[secret]/p; t
            /^[[:space:]]*(export[[:space:]]+)?[A-Z][A-Z0-9_]*[[:space:]]*=/p' "$file"
        break
    done
    inventory=$(setting MODTOOLS_INVENTORY inventory.ndjson)
    check inventory ccap-fetch -i "$inventory" --dry-run
    check "a device" sh -c "ccap-fetch -i \"\$1\" --check \"\$(ccap-fetch -i \"\$1\" --dry-run | sed -n '1s/[[:space:]].*//p')\"" - "$inventory"
    check database mod-store --check
    check retention mod-prune --status
    check freshness mod-report --fresh
    check scanner mod-watch status --dir "$(setting MODTOOLS_RUN run)"
    [ -z "$(setting TO_EMAILS)" ] || check mail mod-mail --check
    title result
    if [ ${#failed[@]} = 0 ]; then echo "all checks passed"; else printf 'failed: %s\n' "${failed[@]}"; fi
    [ ${#failed[@]} = 0 ]
}
page | leave_out
[ "${PIPESTATUS[0]}" = 0 ] || exit 3
