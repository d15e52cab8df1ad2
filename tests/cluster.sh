#!/usr/bin/env bash
# Runs a command with a Galera cluster of its own: three MariaDB nodes on loopback, in a temporary
# directory, gone afterwards whatever happens.
#   tests/cluster.sh run COMMAND...
# The command sees MODTOOLS_TEST_CLUSTER=HOST:PORT,HOST:PORT,HOST:PORT, MODTOOLS_TEST_CLUSTER_USER and
# MODTOOLS_TEST_CLUSTER_PASSWORD, and MODTOOLS_TEST_CLUSTER_DIR, in which `N.pid` is the process of
# node N (1 to 3) and `start N` starts it again.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

[ "${1:-}" = run ] && [ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
shift
provider=
for place in /usr/lib/galera/libgalera_smm.so /usr/lib64/galera-4/libgalera_smm.so; do
    [ ! -e "$place" ] || provider=$place
done
for program in mariadbd mariadb-install-db mariadb rsync setpriv openssl; do
    command -v "$program" >/dev/null || { echo "$0: $program is missing; run tests/setup.sh cluster" >&2; exit 1; }
done
[ -n "$provider" ] || { echo "$0: galera-4 is missing; run tests/setup.sh cluster" >&2; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/modtools-cluster.XXXXXX")
child=
cleanup() {
    trap - EXIT INT TERM HUP
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    for node in 1 2 3; do
        pid=$(cat "$dir/$node.pid" 2>/dev/null) || continue
        kill -CONT "$pid" 2>/dev/null || true
        kill -KILL "$pid" 2>/dev/null || true
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# The state transfer by rsync refuses to run as root: then it is the mysql user's cluster.
user=$(id -un)
as=()
if [ "$user" = root ]; then
    user=mysql
    as=(setpriv --reuid=mysql --regid=mysql --init-groups --)
    chown mysql: "$dir"
fi
password=$(openssl rand -hex 16)

# Four ports a node, all of them next to each other.
base=$((21000 + RANDOM % 1000 * 12))
sql() { echo $((base + $1 * 4)); }
group() { echo $((base + $1 * 4 + 1)); }
cat >"$dir/init.sql" <<SQL
CREATE USER IF NOT EXISTS 'modtools_test'@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON *.* TO 'modtools_test'@'%';
SQL
chmod 0644 "$dir/init.sql"

for node in 1 2 3; do
    "${as[@]}" mariadb-install-db --no-defaults --user="$user" --datadir="$dir/$node" \
        --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1 \
        || { cat "$dir/install.log" >&2; exit 1; }
    cat >"$dir/$node.cnf" <<CNF
[mariadbd]
user=$user
datadir=$dir/$node
socket=$dir/$node.socket
pid-file=$dir/$node.mariadbd
log-error=$dir/$node.log
bind-address=127.0.0.1
port=$(sql $node)
skip-name-resolve
performance-schema=OFF
innodb-buffer-pool-size=64M
innodb-log-file-size=16M
innodb-autoinc-lock-mode=2
binlog-format=ROW
wsrep-on=ON
wsrep-provider=$provider
wsrep-cluster-name=modtools
wsrep-cluster-address=gcomm://127.0.0.1:$(group 1),127.0.0.1:$(group 2),127.0.0.1:$(group 3)
wsrep-node-name=node$node
wsrep-node-address=127.0.0.1:$(group $node)
wsrep-sst-method=rsync
wsrep-sst-receive-address=127.0.0.1:$((base + node * 4 + 3))
wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.1:$(group $node); ist.recv_addr=127.0.0.1:$((base + node * 4 + 2)); gcache.size=32M"
CNF
done

{
    echo '#!/bin/sh'
    echo "# start N [FLAG...]: starts node N"
    echo 'node=$1; shift'
    echo "${as[*]} mariadbd --defaults-file=$dir/\$node.cnf \"\$@\" </dev/null >/dev/null 2>&1 &"
    echo "echo \$! >$dir/\$node.pid"
} >"$dir/start"
chmod 0755 "$dir/start"

await() { # await NODE: until it is a synchronised member
    for _ in $(seq 600); do
        state=$(mariadb --no-defaults -h127.0.0.1 -P"$(sql "$1")" -umodtools_test -p"$password" -Ne \
            "SHOW STATUS LIKE 'wsrep_local_state_comment'" 2>/dev/null) || true
        case $state in *Synced*) return ;; esac
        kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 30 "$dir/$1.log" >&2
    exit 1
}
"$dir/start" 1 --wsrep-new-cluster --init-file="$dir/init.sql"
await 1
for node in 2 3; do
    "$dir/start" "$node"
    await "$node"
done

MODTOOLS_TEST_CLUSTER="127.0.0.1:$(sql 1),127.0.0.1:$(sql 2),127.0.0.1:$(sql 3)"
export MODTOOLS_TEST_CLUSTER MODTOOLS_TEST_CLUSTER_USER=modtools_test MODTOOLS_TEST_CLUSTER_PASSWORD="$password"
export MODTOOLS_TEST_CLUSTER_DIR="$dir"
# In the background, so that a signal is acted on at once; it keeps our standard input.
"$@" <&0 &
child=$!
code=0
wait "$child" || code=$?
child=
if [ "$code" != 0 ]; then
    for node in 1 2 3; do echo "--- node $node"; tail -n 15 "$dir/$node.log"; done >&2
fi
exit "$code"
