#!/usr/bin/env bash
# Installs, runs, upgrades and removes the Debian package on a real systemd: tests/machine.sh boot packaging/deb-test.sh PACKAGE SIM,
# with the package's file and the simulator's. The commands of docs/install.md and docs/windows.md are read out of them.
set -euo pipefail
package=$1 sim=$2
source=$(realpath "$(dirname "$0")/..")
page() { "$source/tests/page.sh" "$source/docs/$1" "$2"; } # page NAME WHERE: its commands there
step() { printf '== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}
until_true() { # until_true WHAT COMMAND...: within a minute
    local what=$1 end=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { journalctl --no-pager -n 40; cat /tmp/*.log; fail "$what"; }
        sleep 0.2
    done
}
there() { for file; do [ -e "$file" ] || fail "$file is missing"; done; }
gone() { for file; do [ ! -e "$file" ] || fail "$file is still there"; done; }
export DEBIAN_FRONTEND=noninteractive
programs="ccap-fetch mod-parse mod-store mod-report mod-mail mod-prune mod-watch"
mkdir -p /tmp/empty /tmp/build/target/debian && cd /tmp/empty
ln -s "$package" /tmp/build/target/debian/

step "install.md: install"
(cd /tmp/build && eval "$(page install.md "The Debian package" | grep apt-get)") >/tmp/install.log 2>&1 </dev/null || { cat /tmp/install.log; fail "install.md"; }
for program in $programs; do
    [ "$(command -v "$program")" = "/usr/bin/$program" ] || fail "$program is not in the PATH"
    "$program" --version >/dev/null
    there "/usr/share/man/man1/$program.1.gz" "/usr/share/bash-completion/completions/$program"
done
id modtools >/dev/null
[ "$(stat -c '%U %a' /etc/modtools/env)" = "modtools 600" ] || fail "owner and mode of the settings"
[ "$(stat -c '%U %a' /var/lib/modtools)" = "modtools 755" ] || fail "owner and mode of the data"
there /usr/lib/modtools/daily-report.sh /usr/lib/modtools/brands/vodafoneziggo.json /usr/share/man/man5/modtools.5.gz
dpkg-query --showformat '${Conffiles}' --show modtools | grep -q /etc/modtools/env || fail "the settings are not a conffile"
systemd-analyze verify /lib/systemd/system/modtools*.service /lib/systemd/system/modtools*.timer /lib/systemd/system/mod-watch@.service
[ "$(systemctl is-enabled modtools.service || true)" = disabled ] || fail "installing enabled the service"

step "a first report"
mkdir /tmp/fleet
"$sim" --dir /tmp/fleet --devices e6000=1,casa=1,cbr8=1 --upstreams 4 >/tmp/fleet/ready &
until_true "the simulated fleet" grep -q ready /tmp/fleet/ready
cat >>/etc/modtools/env <<'ENV'
CCAP_PASSWORD_FILE=
CCAP_PASSWORD=simulated
MODTOOLS_DB=sqlite:/var/lib/modtools/modulation.db
ENV
install -o modtools -m 644 /tmp/fleet/inventory.ndjson /var/lib/modtools/
as_modtools() { (cd /var/lib/modtools && setpriv --reuid modtools --regid modtools --clear-groups env HOME=/var/lib/modtools "$@"); }
as_modtools mod-store --init </dev/null
as_modtools ccap-fetch -i inventory.ndjson --known-hosts known_hosts --host-keys accept-new --check
systemctl start modtools.service
first_report() { [ "$(as_modtools mod-report --date today --format ndjson 2>/tmp/report.log | wc -l)" -ge 4 ]; }   # devices are spread over the interval
until_true "the service stores samples" first_report
as_modtools mod-report --date today --format table --top 3
systemctl start modtools-page.service

step "windows.md: inside WSL"
printf '%s\n' ENABLE_EMAIL_REPORTS=false ENABLE_WEB_DEPLOYMENT=false CCAP_KNOWN_HOSTS=/var/lib/modtools/known_hosts >>/etc/modtools/env
wsl() { # wsl -d NAME -u USER [--cd DIRECTORY] -- COMMAND, as Windows starts it
    local as=root in=/
    while [ "$1" != -- ]; do
        case $1 in -u) as=$2 ;; --cd) in=$2 ;; esac
        shift 2
    done
    shift
    (cd "$in" && setpriv --reuid "$as" --regid "$as" --init-groups env HOME="$(getent passwd "$as" | cut -d: -f6)" "$@")
}
install -d -m 777 /mnt/z
eval "$(page windows.md "WSL 2 with systemd" | grep '^wsl -d Debian -u')"
[ "$(cat /etc/wsl.conf)" = "[boot]
systemd=true" ] || fail "wsl.conf: $(cat /etc/wsl.conf)"
as_operator=$(page windows.md "What replaces what")
ran=0
in_wsl() { # in_wsl COMMAND, as the page says to give it
    local code=0
    case $1 in
    systemctl* | journalctl*) set -- "$(sed 's/-u modtools --cd [^ ]*/-u root/; s/ COMMAND//' <<<"$as_operator") $1" ;;
    *) set -- "$(sed 's/ COMMAND//' <<<"$as_operator") $1" ;;
    esac
    printf '%s\n' "$1"
    eval "$1" >/tmp/wsl.log 2>&1 </dev/null || code=$?
    # 3: a day without samples, a scanner that has stored nothing yet.
    case $code in 0 | 3) ran=$((ran + 1)) ;; *) cat /tmp/wsl.log; fail "$1: exit $code" ;; esac
}
systemctl stop modtools.service
# The task of the scheduler, and then what its user types, in the order of the table.
eval "wsl $(sed -n 's|.*<Arguments>\(.*\)</Arguments>.*|\1|p' "$source/examples/windows/modtools-check.xml")" || [ $? = 3 ] || fail "the task modtools-check"
in_wsl "mod-watch stop --dir run"
while read -r command; do in_wsl "$command"; done < <(awk -F'|' '/^## /{on=/What replaces what/}
    on && /^\| /{n=split($3,part,"`"); for(i=2;i<=n;i+=2) if(part[i] ~ /^[^-]/) print part[i]}' "$source/docs/windows.md")
[ "$ran" -ge 12 ] || fail "only $ran commands of windows.md were found"
[ -s /mnt/z/report.csv ] || fail "no report on the share"
systemctl start modtools.service

step "an upgrade keeps the settings"
cp /etc/modtools/env /tmp/env.before
dpkg -i "$package" >/tmp/upgrade.log 2>&1 || { cat /tmp/upgrade.log; fail "the upgrade"; }
cmp /etc/modtools/env /tmp/env.before
systemctl is-active --quiet modtools.service || fail "the upgrade stopped the service"

step "remove"
dpkg -r modtools >/tmp/remove.log 2>&1 || { cat /tmp/remove.log; fail "dpkg -r"; }
[ "$(systemctl is-active modtools.service || true)" != active ] || fail "the service runs on"
for program in $programs; do gone "/usr/bin/$program"; done
gone /usr/lib/modtools /lib/systemd/system/modtools.service
there /etc/modtools/env /var/lib/modtools/modulation.db

step "purge"
dpkg -P modtools
gone /etc/modtools/env
there /var/lib/modtools/modulation.db
step "all of it holds"
