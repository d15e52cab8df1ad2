#!/usr/bin/env bash
# A first report by the static binaries in a root directory that holds them and nothing else: no shell, no C library.
#   packaging/dist-test.sh ARCHIVE SIM    as root: the archive of packaging/dist.sh, and the simulator to fetch from
set -euo pipefail
archive=$1 sim=$2
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
root=$dir/root
mkdir -p "$root/work" "$root/tmp" "$root/dev"
tar -C "$dir" -xzf "$archive"
cp "$dir"/modtools-*/bin/* "$root/"
mknod -m 666 "$root/dev/null" c 1 3
for program in "$root"/ccap-fetch "$root"/mod-*; do
    ! readelf -l "$program" | grep -q INTERP || { echo "$program is not static" >&2; exit 1; }
done
in_root() { chroot "$root" /"$1" "${@:2}"; }
export MODTOOLS_DB=sqlite:/work/modulation.db CCAP_USER=operator CCAP_PASSWORD=simulated MODTOOLS_TZ=Europe/Amsterdam HOME=/work

"$sim" --dir "$dir/fleet" --devices e6000=1,casa=1,cbr8=1 --upstreams 4 >"$dir/ready" &
pid=$!
until grep -q ready "$dir/ready"; do kill -0 "$pid"; sleep 0.1; done
cp "$dir/fleet/inventory.ndjson" "$root/work/"
in_root mod-store --init </dev/null
in_root ccap-fetch -i /work/inventory.ndjson --known-hosts /work/known_hosts --host-keys accept-new |
    in_root mod-parse | in_root mod-store
in_root mod-report --date today --format table --top 3
[ "$(in_root mod-report --date today --format ndjson | grep -c '"type":"row"')" -ge 12 ]
in_root mod-report --date today --format ndjson | in_root mod-mail --to a@example.net --from b@example.net --dry-run | grep -q '^Subject:'
in_root mod-prune --dry-run >/dev/null
for tool in mod-watch mod-mail; do in_root "$tool" --version; done
echo "the static binaries work without a C library"
