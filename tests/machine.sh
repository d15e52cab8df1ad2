#!/usr/bin/env bash
# Runs a script on a machine of its own: its own PID, mount, IPC, UTS and cgroup namespaces, over a copy of this
# machine's files that is thrown away.
#   tests/machine.sh boot SCRIPT [ARG…]     under systemd as PID 1; the network is this machine's
#   tests/machine.sh run SCRIPT [ARG…]      alone, with a network of its own, which is loopback
# The script is root there; its output and its exit code are those of this one.
#   MODTOOLS_MACHINE_SHARE=DIR              stands there as /mnt, writable
# Needs root, unshare, overlayfs, and systemd to boot it.
set -euo pipefail
case ${1:-} in boot | run) ;; *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
[ $# -ge 2 ] || { echo "$0: $1 what?" >&2; exit 2; }
how=$1
shift
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
[ "$how" = run ] || [ -x /lib/systemd/systemd ] || { echo "$0: systemd is missing; run tests/setup.sh systemd" >&2; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/modtools-machine.XXXXXX")
trap 'rm -rf "$dir"' EXIT
share=${MODTOOLS_MACHINE_SHARE:-$dir/share}
mkdir -p "$dir/over" "$share"
printf '#!/bin/bash\nexport PATH=%q HOME=/root\ncd /mnt\n' "$PATH" >"$dir/job"
printf '%q ' "$@" >>"$dir/job"
echo >>"$dir/job"
: >"$dir/output"

cat >"$dir/boot" <<'BOOT'
set -euo pipefail
dir=$1 share=$2 how=$3
mount -t tmpfs -o mode=755 tmpfs "$dir/over"
mkdir "$dir/over"/{upper,work,root}
root=$dir/over/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/over/upper,workdir=$dir/over/work" "$root"
mkdir -p "$root"/{mnt,opt/job,oldroot}
for place in run tmp var/tmp opt/job; do mount -t tmpfs -o mode=1777 tmpfs "$root/$place"; done
chmod 755 "$root/run"
mount --bind "$share" "$root/mnt"
cp "$dir/job" "$root/opt/job/job"
chmod +x "$root/opt/job/job"
touch "$root/opt/job/output"
mount --bind "$dir/output" "$root/opt/job/output"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
# Devices of its own, and nothing that would set the kernel or that this machine starts by itself.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev"/{pts,shm}
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "$root/dev/${number#*:}"; done
for unit in systemd-sysctl systemd-modules-load systemd-binfmt systemd-tmpfiles-setup-dev systemd-udevd; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
done
rm -f "$root"/etc/systemd/system/*.wants/* "$root/etc/machine-id"
: >"$root/etc/machine-id"
cat >"$root/etc/systemd/system/job.service" <<'UNIT'
[Unit]
Wants=systemd-journald.service
After=systemd-journald.service
[Service]
Type=oneshot
ExecStart=/opt/job/job
StandardOutput=append:/opt/job/output
StandardError=append:/opt/job/output
ExecStopPost=/bin/sh -c 'echo "exit $EXIT_STATUS" >>/opt/job/output; systemctl --no-block exit'
UNIT
cat >"$root/etc/systemd/system/job.target" <<'UNIT'
[Unit]
Requires=job.service
UNIT
cd "$root"
pivot_root . oldroot
umount -l /oldroot
# As systemd has it outside of containers: credentials are mounted by a child and must be seen by all.
mount --make-rshared /
if [ "$how" = run ]; then
    ip link set lo up
    code=0
    /opt/job/job >>/opt/job/output 2>&1 </dev/null || code=$?
    echo "exit $code" >>/opt/job/output
    exit 0
fi
export container=modtools
exec /lib/systemd/systemd --unit=job.target --log-target=journal --show-status=false
BOOT

[ "$how" = boot ] || network=--net
unshare --mount --pid --fork --kill-child --ipc --uts --cgroup ${network:-} --propagation private \
    bash "$dir/boot" "$dir" "$share" "$how" >"$dir/console" 2>&1 </dev/null || true
code=$(sed -n '$s/^exit //p' "$dir/output")
sed '$d' "$dir/output"
[ -n "$code" ] || { echo "$0: the machine ended before the script did" >&2; tail -n 20 "$dir/console" "$dir/output" >&2; exit 1; }
exit "$code"
