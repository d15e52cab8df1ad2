#!/usr/bin/env bash
# Runs a command with a MariaDB server of its own: in a temporary directory, on a free port of
# loopback, gone afterwards whatever happens.
#   tests/mariadb.sh run COMMAND...
# The command sees MODTOOLS_TEST_MYSQL=HOST:PORT, MODTOOLS_TEST_MYSQL_USER and
# MODTOOLS_TEST_MYSQL_PASSWORD (an account that may do everything), and
# MODTOOLS_TEST_MYSQL_CA (the authority of the server's certificate). MODTOOLS_TEST_MYSQL_KEEPER is
# this script's process: SIGUSR1 stops the server, SIGUSR2 starts it again.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

[ "${1:-}" = run ] && [ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
shift
for program in mariadbd mariadb-install-db mariadb openssl; do
    command -v "$program" >/dev/null || { echo "$0: $program is missing; run tests/setup.sh test" >&2; exit 1; }
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/modtools-mariadb.XXXXXX")
server='' child=''
cleanup() {
    trap - EXIT INT TERM HUP
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# mariadbd refuses to be root unless it is told so by name.
user=$(id -un)
password=$(openssl rand -hex 16)

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=modtools-test-ca \
    -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n' >"$dir/server.ext"
openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
    -extfile "$dir/server.ext" -out "$dir/server.pem" 2>/dev/null

mariadb-install-db --no-defaults --user="$user" --datadir="$dir/data" --auth-root-authentication-method=normal \
    --skip-test-db >"$dir/install.log" 2>&1 || { cat "$dir/install.log" >&2; exit 1; }

start() {
    mariadbd --no-defaults --user="$user" --datadir="$dir/data" --socket="$dir/socket" --pid-file="$dir/pid" \
        --bind-address=127.0.0.1 --port="$1" --skip-name-resolve --max-connections=200 \
        --innodb-buffer-pool-size=256M --innodb-log-file-size=128M --performance-schema=OFF \
        --ssl-ca="$dir/ca.pem" --ssl-cert="$dir/server.pem" --ssl-key="$dir/server.key" >"$dir/log" 2>&1 &
    server=$!
}

# A port is free only until somebody else takes it: try another one when the server cannot have it.
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    start "$port"
    for _ in $(seq 600); do
        kill -0 "$server" 2>/dev/null || break
        mariadb --no-defaults --socket="$dir/socket" -uroot -e 'SELECT 1' >/dev/null 2>&1 && break 2
        sleep 0.1
    done
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
done
[ -n "$server" ] || { tail -n 20 "$dir/log" >&2; exit 1; }

mariadb --no-defaults --socket="$dir/socket" -uroot <<SQL
CREATE USER 'modtools_test'@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON *.* TO 'modtools_test'@'%' WITH GRANT OPTION;
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$password';
SQL

export MODTOOLS_TEST_MYSQL="127.0.0.1:$port" MODTOOLS_TEST_MYSQL_USER=modtools_test
export MODTOOLS_TEST_MYSQL_PASSWORD="$password" MODTOOLS_TEST_MYSQL_CA="$dir/ca.pem"
export MODTOOLS_TEST_MYSQL_KEEPER=$$
trap 'told=1; kill "$server"; wait "$server" || true' USR1
trap 'told=1; start "$port"' USR2
# In the background, so that a signal is acted on at once; it keeps our standard input.
"$@" <&0 &
child=$!
code=0
told=1
while [ -n "$told" ]; do
    told=
    code=0
    wait "$child" || code=$?
done
child=
exit "$code"
