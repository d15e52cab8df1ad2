#!/usr/bin/env bash
# docs/migrating.md, walked as the operator of the old system walks it, and then the shipped cron table under Debian's
# cron: tests/machine.sh run tests/mariadb.sh run tests/guide.sh PACKAGE BUILT. The commands are read out of
# the guide. Around them: the old .env, table, crontab and web directory, an inventory behind HTTPS with a
# certificate that signed itself, a mail server, a web server with sshd and sudo, and PHP that reads the JSON as the old
# page does.
set -euo pipefail
package=$1 built=$2
export LANG=C.UTF-8 TZ=UTC
umask 022
yesterday=$(date -d yesterday +%F)

step() { printf '== %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*"
    ps axfo pid,user,args || true
    tail -n 15 /var/lib/modtools/run/*.log /var/log/modtools/* /srv/cron.mail /srv/*.log 2>/dev/null || true
    exit 1
}
within() { # within SECONDS COMMAND...: whether it succeeds in that time
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}
until_true() { # until_true WHAT COMMAND...: within a minute
    local what=$1
    shift
    within 60 "$@" || fail "$what"
}
same() { [ "$2" = "$3" ] || fail "$1: expected: $3; found: $2"; }
page() { "$package/tests/page.sh" "$package/docs/$1" "$2"; } # page NAME WHERE: its commands there
walk() { # walk STEP: does them, silently where the guide says nothing else
    step "the guide, step $1"
    page migrating.md "$1" >/srv/step
    trap 'fail "step '"$1"'"' ERR
    # shellcheck source=/dev/null
    . /srv/step
    trap - ERR
}
sql() { mariadb --no-defaults --skip-ssl -h 127.0.0.1 -P "${MODTOOLS_TEST_MYSQL##*:}" -u modtools_test \
    -p"$MODTOOLS_TEST_MYSQL_PASSWORD" -N -B access -e "$1"; }
as_modtools() { sudo -u modtools env -C /var/lib/modtools "$@"; }
stop_cron() { # stop_cron PID, and what it forked
    kill "$1" 2>/dev/null || true
    pkill -x cron || true
    wait "$1" 2>/dev/null || true
}
no_job() { ! pgrep -f "[d]aily-report.sh|[m]aintenance.sh" >/dev/null; }
# cron at a time of day, for as long as it takes until a condition holds; its jobs live in our time.
cron_at() { # cron_at TIME WHAT COMMAND...
    local at=$1 what=$2 pid
    shift 2
    # A cron whose clock is not the machine's may hang as it forks: then another one begins at the same time.
    for _ in 1 2 3; do
        faketime -f "@$(date +%F) $at" cron -f & pid=$!
        ! within 40 "$@" || break
        stop_cron "$pid"
    done
    until_true "$what, by cron at $at" "$@"
    stop_cron "$pid"
    # What was begun with it is finished before the next one.
    until_true "the end of the jobs of $at" no_job
}

step "the old world"
mkdir -p /srv/old /srv/fleet /srv/mail /srv/web
useradd --system --create-home scanner && useradd --create-home --shell /bin/bash --password '*' deploy
sudoers=/etc/sudoers.d/deploy
mkdir -p /etc/sudoers.d && echo 'deploy ALL=(ALL) NOPASSWD: ALL' >"$sudoers" && chmod 440 "$sudoers"
mariadb --no-defaults --skip-ssl -h 127.0.0.1 -P "${MODTOOLS_TEST_MYSQL##*:}" -u modtools_test -p"$MODTOOLS_TEST_MYSQL_PASSWORD" <<SQL
CREATE DATABASE access;
CREATE USER access@'%' IDENTIFIED BY 'geheim # 1';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX ON access.* TO access@'%';
USE access;
CREATE TABLE modulation_new (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, cmts VARCHAR(50), upstream VARCHAR(50),
    modulation VARCHAR(20), timestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (timestamp));
CREATE TABLE lastupdatemodulation (stamp BIGINT NOT NULL PRIMARY KEY);
INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) VALUES
    ('CCAP101', '1/1.0/0', 'QAM64', '$yesterday 10:00:00'), ('CCAP101', '1/1.0/0', 'QAM64', '$yesterday 10:10:00'),
    ('CCAP101', '1/1.0/0', 'QPSK', '$yesterday 10:20:00'), ('CCAP101', '1/1.0/0', 'QAM64', '$yesterday 10:30:00'),
    ('CCAP201', 'Cable1/0/0-upstream1', 'QAM16', '$yesterday 10:00:00'),
    ('CCAP201', 'Cable1/0/0-upstream1', 'QAM16', '$yesterday 10:10:00');
SQL
old_csv="CMTS;upstream;hops;%QAM64;%QAM16;%QPSK;Metingen
CCAP101;1/1.0/0;3;75;0;25;4
CCAP201;Cable1/0/0-upstream1;1;0;100;0;2"
/usr/bin/python3 "$package/tests/smtp.py" /srv/mail '{}' >/srv/smtp.port &
until_true "a mail server" test -s /srv/smtp.port
cat >/srv/old/.env <<ENV
# database
ACCESS_HOST = "127.0.0.1"
ACCESS_PORT=${MODTOOLS_TEST_MYSQL##*:}
ACCESS_DATABASE='access'
ACCESS_USER=access
ACCESS_PASSWORD="geheim # 1"   # not to be told
ACCESS_POOL_SIZE=10
REPORTING_HOST=
ENABLE_REPORT_CACHE=true
DATA_RETENTION_DAYS=8
ENABLE_ID_RESET=true
ID_RESET_THRESHOLD=80
CLEANUP_SCHEDULE_HOUR=2
SMTP_HOST=127.0.0.1
SMTP_PORT=$(cat /srv/smtp.port)
FROM_EMAIL=noc@example.net
TO_EMAILS="ops@example.net, cable@example.net"
WEB_SERVER=deploy@web1
WEB_PATH=/var/www/modulation/reports
DEBUG_CCAP0=true
ENV
sed -i 's/$/\r/' /srv/old/.env
# The web server, as the old system left it: its directory is www-data's.
install -d -o www-data -g www-data -m 755 /var/www/modulation/reports
echo '{"generated_at": "2020-01-02T06:00:00.000001", "report_date": "2020-01-01"}' \
    >/var/www/modulation/reports/modulation_report_2020-01-01_web.json
echo '127.0.0.3 web1' >>/etc/hosts
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f /srv/web/host
printf '%s\n' 'ListenAddress 127.0.0.3:22' 'HostKey /srv/web/host' 'UsePAM no' 'PasswordAuthentication no' \
    'Subsystem sftp internal-sftp' 'StrictModes no' >/srv/web/config
/usr/sbin/sshd -f /srv/web/config -E /srv/sshd.log
# Who ran the old system has a key for it.
sudo -u scanner mkdir -m 700 ~scanner/.ssh
sudo -u scanner ssh-keygen -q -t ed25519 -N '' -f ~scanner/.ssh/id_ed25519
echo "web1 $(cut -d' ' -f1,2 /srv/web/host.pub)" | sudo -u scanner tee ~scanner/.ssh/known_hosts >/dev/null
install -d -o deploy -m 700 /home/deploy/.ssh
install -o deploy -m 600 ~scanner/.ssh/id_ed25519.pub /home/deploy/.ssh/authorized_keys
"$built/examples/ccap-sim" --dir /srv/fleet --devices e6000=1,casa=1,cbr8=1 --upstreams 4 --port 22 >/srv/fleet/ready &
until_true "the devices" grep -q ready /srv/fleet/ready
jq -r '"\(.host) \(.cmts)"' /srv/fleet/inventory.ndjson >>/etc/hosts
# The interface with the list of devices, and a certificate of its own.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=inventory.example.net -keyout /srv/web/key.pem \
    -addext subjectAltName=DNS:inventory.example.net -out /srv/web/cert.pem 2>/dev/null
echo '127.0.0.4 inventory.example.net' >>/etc/hosts
jq -s '{data: [(.[] | {HostName: (.cmts | ascii_downcase)}), {HostName: "rt-core-1"}]}' /srv/fleet/inventory.ndjson \
    >/srv/web/ccaps
(cd /srv/web && exec /usr/bin/python3 - <<'PY'
import base64, http.server, ssl
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"reader:list").decode():
            self.send_error(401)
        else:
            super().do_GET()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.4", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PY
) &
until_true "the interface" sh -c 'curl -sk https://inventory.example.net/ -o /dev/null'
# Whatever cron has to say comes here.
printf '#!/bin/sh\ncat >>/srv/cron.mail\n' >/usr/sbin/sendmail
chmod 755 /usr/sbin/sendmail
touch /srv/cron.mail /srv/watched && chmod 666 /srv/cron.mail /srv/watched
rm -f /etc/cron.d/* && sed -i 's/^\(session.*pam_loginuid\)/#\1/' /etc/pam.d/cron
printf '%s\n' '*/5 * * * * echo watched >>/srv/watched' '0 6 * * * echo mailed >>/srv/watched' | crontab -u scanner -

step "install.md, from the source, with what is built already"
echo 'Defaults env_keep += "BUILT"' >/etc/sudoers.d/built && chmod 440 /etc/sudoers.d/built
from_source=$(page install.md "From source")
(cd "$package" && export CARGO=true BUILT="$built" && eval "$(grep -v uninstall <<<"$from_source")") >/srv/install.log 2>&1 || fail "install.md: $(tail /srv/install.log)"
cd /srv/old
walk 1
walk 2
walk 3 <<<simulated
printf '%s\n' INVENTORY_CACERT=/etc/modtools/inventory.pem MODTOOLS_LANG=nl >>/etc/modtools/env
same "the env file" "$(stat -c '%U %a' /etc/modtools/env)" "modtools 600"
install -m 644 /srv/web/cert.pem /etc/modtools/inventory.pem
install -o modtools -m 600 /dev/stdin /var/lib/modtools/.netrc <<<'machine inventory.example.net login reader password list'
walk 4
same "the inventory" "$(jq -r .cmts /var/lib/modtools/inventory.ndjson | sort | paste -sd ' ')" \
    "$(jq -r .cmts /srv/fleet/inventory.ndjson | sort | paste -sd ' ')"
walk 5
before=$(sql 'SELECT COUNT(*) FROM modulation_new')
walk 6 >/srv/trial.csv
[ "$(wc -l </srv/trial.csv)" -gt 5 ] || fail "the trial has no rows: $(cat /srv/trial.csv)"
same "the old table after the trial" "$(sql 'SELECT COUNT(*) FROM modulation_new')" "$before"

step "the guide, step 7"
page migrating.md 7 >/srv/step
code=0; eval "$(sed -n 1p /srv/step)" >/srv/check || code=$?
same "--check before --init" "$code" 3
grep -q 'older: a surrogate id' /srv/check || fail "--check: $(cat /srv/check)"
same "--init, and the old report" "$(eval "$(sed 1d /srv/step)")" "$old_csv"
as_modtools mod-store --check >/srv/check || fail "--check after --init: $(cat /srv/check)"

step "the guide, step 8: the old crontab runs until it is taken out"
cron_at 05:59:57 "the old lines" grep -q mailed /srv/watched
crontab -u scanner -r
: >/srv/watched

walk 9
step "the guide, step 10: the shipped cron table"
page migrating.md 10 >/srv/step
eval "$(sed -n 1p /srv/step)"
(cd "$package" && eval "$(page automation.md "With cron")") || fail "automation.md, with cron"
cmp /etc/cron.d/modtools "/usr/local/share/doc/modtools/examples/cron.d/modtools"
mails() { [ "$(grep -ls '"noc@example.net"' /srv/mail/* | wc -l)" -ge "$1" ]; }
page_of() { test -s "/var/lib/modtools/web/data/$1.json"; }
samples_came() { [ "$(sql "SELECT COUNT(*) FROM modulation_new WHERE timestamp > '$yesterday 23:59:59'")" -gt 0 ]; }
cron_at 05:49:57 "samples from a scanner that cron started" samples_came
eval "$(sed 1d /srv/step)" || fail "the scanner is not well"
# At six, the daily report and the page of today begin at once.
cron_at 05:59:57 "both mails of the day" mails 2
cron_at 04:19:57 "maintenance" grep -q 'files: exit 0' /var/log/modtools/maintenance.log
cron_at 00:09:57 "the page of yesterday" page_of "$yesterday"
cron_at 11:14:57 "the page of today" page_of "$(date +%F)"
same "lines of the old crontab that still ran" "$(cat /srv/watched)" ""
same "what cron had to mail" "$(cat /srv/cron.mail)" ""
web=/var/www/modulation/reports
same "the JSON on the web server" "$(stat -c '%U:%G %a' "$web/modulation_report_${yesterday}_web.json")" "www-data:www-data 644"
same "its latest" "$(readlink "$web/modulation_report_latest_web.json")" "modulation_report_${yesterday}_web.json"
[ ! -e "$web/modulation_report_2020-01-01_web.json" ] || fail "files of 2020 are kept"
same "the CSV in the mail" "$(jq -r '.parts[] | select(.filename // "" | endswith(".csv")) | .base64' "$(grep -ls noc@ /srv/mail/* | head -n 1)" | base64 -d)" "$old_csv"
php "$package/tests/old_page.php" "$web" >/srv/page || fail "the old page: $(cat /srv/page)"
same "the old page" "$(cat /srv/page)" "$yesterday: 2 upstreams, 4 hops
CCAP101 1/1.0/0 3 75 0 25 4 CCAP1
CCAP201 Cable1/0/0-upstream1 1 0 100 0 2 CCAP2
CCAP1 1 3 75
CCAP2 1 1 0
50 33.3 16.7 6"

step "the old schedule, with the same flags"
cat >/etc/cron.d/modtools <<'CRON'
SHELL=/bin/bash
PATH=/usr/local/bin:/usr/bin:/bin
0 */4 * * * modtools /usr/local/lib/modtools/maintenance.sh
*/5 * * * * modtools /usr/local/lib/modtools/maintenance.sh --watchdog-only
CRON
runs() { grep -c 'prune: exit 0' /var/log/modtools/maintenance.log || true; }
ran=$(runs)
more_runs() { [ "$(runs)" -gt "$ran" ]; }
cron_at 03:59:57 "a full run beside the watchdog" more_runs
same "what cron had to mail" "$(cat /srv/cron.mail)" ""
rm /etc/cron.d/modtools

step "going back"
as_modtools mod-watch stop --dir run
as_modtools mod-store --init --migrate </dev/null
same "the old report from the new table" "$(as_modtools mod-report --layout seed --format csv --date "$yesterday")" "$old_csv"
page migrating.md "Going back" >/srv/back.sql
sql "INSERT INTO modulation_new VALUES (NOW() + INTERVAL 10 MINUTE, 'CCAP101', '1/1.0/0', 'OFDMA'),
    (NOW() + INTERVAL 10 MINUTE, 'CCAP101', '1/1.1/0', 'QAM16')"
sql "$(cat /srv/back.sql)"
same "words that the old programs do not know" "$(sql "SELECT COUNT(*) FROM modulation_new WHERE modulation NOT IN ('QPSK','QAM16','QAM64')")" 0
same "what came meanwhile" "$(sql "SELECT COUNT(*) FROM modulation_new WHERE upstream = '1/1.1/0' AND modulation = 'QAM16' AND timestamp > NOW()")" 1
sql "INSERT INTO modulation_new (cmts, upstream, modulation) VALUES ('CCAP101', '1/1.0/0', 'QPSK')"

step "install.md: uninstall"
(cd "$package" && eval "$(grep uninstall <<<"$from_source")") >/srv/install.log 2>&1 || fail "install.md: $(tail /srv/install.log)"
[ ! -e /usr/local/bin/mod-report ] && [ ! -e /usr/local/lib/modtools ] || fail "uninstall left something"
[ -e /etc/modtools/env ] && [ -e /var/lib/modtools/inventory.ndjson ] || fail "uninstall took what is the operator's"
echo "all of it holds"
