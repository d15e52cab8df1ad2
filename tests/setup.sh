#!/bin/sh
# Sees to what the build and the tests need from the system: installs it where it may (Debian, and
# root or sudo without a password), names it where it may not.
#   tests/setup.sh build    a C compiler and OpenSSL's headers: enough for `make demo`
#   tests/setup.sh test     and the real servers that the tests talk to
#   tests/setup.sh cluster  and what makes a cluster of them
#   tests/setup.sh systemd  and a systemd
#   tests/setup.sh guide    and what the old system stood on: cron, PHP
#   tests/setup.sh deb | dist | windows | container   what those packages need
set -eu

missing=
need() { # need PACKAGE TEST...: PACKAGE is missing unless TEST succeeds
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
# Debian's package serves Debian's own python3, which need not be the first in PATH.
aiosmtpd_there() { /usr/bin/python3 -c 'import aiosmtpd' || python3 -c 'import aiosmtpd'; }
jsonschema_there() { /usr/bin/python3 -c 'import jsonschema' || python3 -c 'import jsonschema'; }
asyncssh_there() { /usr/bin/python3 -c 'import asyncssh' || python3 -c 'import asyncssh'; }
command_there() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1"; }

need gcc command_there cc
need libc6-dev test -e /usr/include/stdlib.h
need make command_there make
need pkg-config command_there pkg-config
if command_there pkg-config >/dev/null; then
    need libssl-dev pkg-config --exists openssl
else
    missing="$missing libssl-dev"
fi
case ${1:-test} in
deb) need dpkg-dev command_there dpkg-shlibdeps ;;
dist)
    need musl-tools command_there musl-gcc
    need binutils command_there readelf
    # The build of OpenSSL asks for modules that perl-base lacks.
    need perl perl -MFindBin -MIPC::Cmd -MFile::Compare -e 1
    ;;
windows)
    need gcc-mingw-w64-x86-64 command_there x86_64-w64-mingw32-gcc
    need wine command_there wine
    need wine64 test -x /usr/lib/wine/wine64
    ;;
container)
    need buildah command_there buildah
    need uidmap command_there newuidmap
    need mmdebstrap command_there mmdebstrap
    need python3-venv python3 -c 'import venv, ensurepip'
    ;;
build) ;;
*)
    need mariadb-server command_there mariadbd
    need mariadb-client command_there mariadb
    need openssh-server command_there sshd
    need openssh-client command_there ssh
    need strace command_there strace
    need faketime command_there faketime
    need openssl command_there openssl
    need python3 command_there python3
    need python3-venv python3 -c 'import venv, ensurepip'
    need python3-aiosmtpd aiosmtpd_there
    need python3-asyncssh asyncssh_there
    need python3-jsonschema jsonschema_there
    need sudo command_there sudo
    need procps command_there ps
    need mandoc command_there mandoc
    need curl command_there curl
    need jq command_there jq
    need util-linux command_there flock
    need chromium command_there chromium
    need chromium-driver command_there chromedriver
    need snmp command_there snmpbulkwalk
    need snmpd command_there snmpd
    need snmptrapd command_there snmptrapd
    need libxml2-utils command_there xmllint
    need shellcheck command_there shellcheck
    ;;
esac
if [ "${1:-test}" = bench ]; then
    need sqlite3 command_there sqlite3
fi
if [ "${1:-test}" = systemd ]; then
    need systemd test -x /lib/systemd/systemd
fi
if [ "${1:-test}" = guide ]; then
    need cron command_there cron
    need php-cli command_there php
    need iproute2 command_there ip
fi
if [ "${1:-test}" = cluster ]; then
    need galera-4 test -e /usr/lib/galera/libgalera_smm.so -o -e /usr/lib64/galera-4/libgalera_smm.so
    need rsync command_there rsync
    need lsof command_there lsof
    need util-linux command_there setpriv
fi
[ -z "$missing" ] && exit 0

install="apt-get install -y --no-install-recommends$missing"
if ! command_there apt-get >/dev/null; then
    echo "please install what Debian calls:$missing" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    echo "please run, as root: $install" >&2
    exit 1
fi
echo "installing:$missing"
# A lock of another apt is waited for; a stale list of packages is renewed. On a terminal apt shows how far it is,
# elsewhere what it says is only of interest when it fails.
export DEBIAN_FRONTEND=noninteractive
apt() {
    $sudo apt-get -o DPkg::Lock::Timeout=300 update && $sudo apt-get -o DPkg::Lock::Timeout=300 ${install#apt-get}
}
if [ -t 1 ]; then
    apt
    exit
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! apt >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
