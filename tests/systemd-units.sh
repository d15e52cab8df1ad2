#!/usr/bin/env bash
# The units of examples/systemd as a host would have them, on a real systemd: tests/machine.sh boot tests/systemd-units.sh
# PACKAGE BUILT. First with one env file of mode 0600 that holds the passwords, as the Python system had it; then with
# the shipped env file and a file for each secret.
set -euo pipefail
package=$1 built=$2
export SYSTEMD_PAGER='' SYSTEMD_COLORS=0

step() { printf '== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*"
    journalctl --no-pager -n 40 || true
    exit 1
}
until_true() { # until_true WHAT COMMAND...: within a minute
    local what=$1 end=$((SECONDS + 60))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "$what"
        sleep 0.2
    done
}
as_modtools() { setpriv --reuid modtools --regid modtools --clear-groups env HOME=/var/lib/modtools "$@"; }
samples() { # how many samples the database has
    cd /var/lib/modtools && as_modtools mod-report --env-file /tmp/env --from 2020-01-01 --format samples 2>/dev/null | wc -l
}
more_samples_than() { [ "$(samples)" -gt "$1" ]; }
active() { [ "$(systemctl is-active "$1")" = active ]; }

step "install"
make -s -C "$package" install BUILT="$built" PREFIX=/usr/local
cp -r "$package"/examples/systemd/. /etc/systemd/system/
install -D -m 644 "$package/examples/sysusers.d/modtools.conf" /etc/sysusers.d/modtools.conf
systemd-sysusers
systemctl daemon-reload
systemd-analyze verify /etc/systemd/system/mod*.service /etc/systemd/system/mod*.timer
install -d -o modtools -g modtools /var/lib/modtools
mkdir -p /etc/modtools /tmp/fleet

step "a fleet"
"$built/examples/ccap-sim" --dir /tmp/fleet --devices e6000=1,casa=1,cbr8=1 --upstreams 4 >/tmp/fleet/ready &
until_true "the simulated fleet" grep -q ready /tmp/fleet/ready
install -o modtools -m 644 /tmp/fleet/inventory.ndjson /var/lib/modtools/

step "an env file that holds the passwords, mode 0600, of root"
cat >/etc/modtools/env <<'ENV'
CCAP_USER=operator
CCAP_PASSWORD=simulated
MODTOOLS_DB=sqlite:/var/lib/modtools/modulation.db
MODTOOLS_TZ=UTC
ENABLE_EMAIL_REPORTS=false
ENABLE_WEB_DEPLOYMENT=false
ENV
chmod 600 /etc/modtools/env
install -o modtools -m 600 /etc/modtools/env /tmp/env
(cd /var/lib/modtools && as_modtools mod-store --env-file /tmp/env --init </dev/null)
(cd /var/lib/modtools && as_modtools ccap-fetch --env-file /tmp/env -i inventory.ndjson --known-hosts known_hosts \
    --host-keys accept-new >/dev/null)
# The interval is ten minutes; the watchdog is impatient here.
mkdir -p /etc/systemd/system/modtools.service.d
printf '[Service]\nWatchdogSec=15s\nRestartSec=1s\n' >/etc/systemd/system/modtools.service.d/test.conf
systemctl daemon-reload
systemctl start modtools || fail "modtools.service does not start"
until_true "samples from modtools.service" more_samples_than 0
active modtools || fail "modtools.service is not active"

step "a stage that hangs is noticed"
pkill -STOP -x mod-parse
until_true "a restart by the watchdog" sh -c '[ "$(systemctl show -p NRestarts --value modtools)" -ge 1 ]'
until_true "the pipeline after it" active modtools

step "page, maintenance and report"
mkdir -p /var/lib/prometheus/node-exporter
chown modtools /var/lib/prometheus/node-exporter
for job in page maintenance report events gauges; do
    systemctl start "modtools-$job.service" || fail "modtools-$job.service"
    [ "$(systemctl show -p Result --value "modtools-$job.service")" = success ] || fail "modtools-$job.service"
done
grep -q '^modtools_database_up 1' /var/lib/prometheus/node-exporter/modtools-database.prom || fail "there are no gauges"
[ -s /var/lib/modtools/web/index.html ] || fail "there is no page"
[ -s /var/log/modtools/maintenance.log ] || fail "maintenance left no log"
# Cron jobs of the same account work in the same place.
as_modtools env MODTOOLS_HOME=/var/lib/modtools PATH="/usr/local/lib/modtools:$PATH" bash -c \
    'cd /var/lib/modtools && mod-report --env-file /tmp/env --date today >/dev/null' || fail "a cron job beside the units"

step "timers outlive a reboot"
systemctl enable --now modtools-report.timer modtools-page.timer modtools-maintenance.timer modtools-events.timer \
    modtools-gauges.timer 2>/dev/null
for timer in report page maintenance events gauges; do
    [ -L "/etc/systemd/system/timers.target.wants/modtools-$timer.timer" ] || fail "modtools-$timer.timer is not enabled"
    [ -n "$(systemctl show -p NextElapseUSecRealtime --value "modtools-$timer.timer")" ] || fail "$timer has no next time"
done
systemctl stop modtools

step "mod-watch under systemd keeps its log"
systemctl start mod-watch@modulation_scanner || fail "mod-watch@modulation_scanner"
until_true "its status" mod-watch status --dir /run/modtools
until_true "its log" test -s /run/modtools/watchdog.log
systemctl restart mod-watch@modulation_scanner
until_true "the log after a restart" sh -c '[ "$(grep -c . /run/modtools/watchdog.log)" -ge 2 ]'
systemctl stop mod-watch@modulation_scanner

step "the shipped env file, and a file for each secret"
sed -e 's|^ACCESS_.*||' -e 's|^#MODTOOLS_DB=.*|MODTOOLS_DB=sqlite:/var/lib/modtools/modulation.db|' \
    "$package/examples/modtools.env" >/etc/modtools/env
chmod 644 /etc/modtools/env
install -d -m 700 /etc/modtools/secrets
printf 'simulated\n' >/etc/modtools/secrets/ccap_password
chmod 600 /etc/modtools/secrets/ccap_password
before=$(samples)
systemctl start modtools || fail "modtools.service with the shipped env file"
until_true "samples with the shipped env file" more_samples_than "$before"
systemctl stop modtools
[ -z "$(journalctl -u modtools -p err -o cat --no-pager | grep -v Watchdog | grep -v 'watchdog' || true)" ] ||
    fail "errors in the journal: $(journalctl -u modtools -p err -o cat --no-pager | tail -n 3)"
echo "all of it holds"
