#!/usr/bin/env bash
# Installs, runs, upgrades and removes the Debian package on a real systemd: tests/machine.sh boot packaging/deb-test.sh PACKAGE SIM,
# with the package's file and the simulator's.
set -euo pipefail
package=$1 sim=$2
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
mkdir -p /tmp/empty && cd /tmp/empty

step "install"
dpkg -i "$package" >/tmp/install.log 2>&1 || { cat /tmp/install.log; fail "dpkg -i"; }
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
