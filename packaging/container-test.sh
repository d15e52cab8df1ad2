#!/usr/bin/env bash
# Builds the image of Containerfile from dist/ and runs a first report and the supervisor in it:
#   packaging/container-test.sh SIM    as root, with buildah, and debootstrap where the base image cannot be pulled
set -euo pipefail
sim=$1
cd "$(dirname "$0")/.."
ls dist/modtools-*/bin/mod-report >/dev/null || { echo "dist/ is missing: run make dist" >&2; exit 1; }
dir=$(mktemp -d)
pid=
container=
export STORAGE_DRIVER=vfs
buildah=(buildah --root "$dir/storage" --runroot "$dir/run")
clean_up() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    [ -z "$container" ] || "${buildah[@]}" rm "$container" >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap clean_up EXIT
base=$(sed -n 's/^FROM //p' Containerfile)

if ! timeout 120 "${buildah[@]}" pull -q "$base" 2>"$dir/pull.log"; then
    echo "container-test: $base cannot be pulled; a Debian of debootstrap stands in for it"
    debootstrap --variant=minbase bookworm "$dir/debian" >"$dir/debootstrap.log" 2>&1 || { tail "$dir/debootstrap.log" >&2; exit 1; }
    # What this machine's apt uses to reach its packages, the image's does too.
    cp -r /etc/apt/apt.conf.d/. "$dir/debian/etc/apt/apt.conf.d/"
    cp /etc/apt/sources.list "$dir/debian/etc/apt/" 2>/dev/null || true
    cp -r /etc/apt/sources.list.d/. "$dir/debian/etc/apt/sources.list.d/" 2>/dev/null || true
    cp -r /etc/ssl/certs /usr/share/ca-certificates "$dir/debian/tmp/" 2>/dev/null || true
    made=$("${buildah[@]}" from scratch)
    "${buildah[@]}" add -q "$made" "$dir/debian" / >/dev/null
    "${buildah[@]}" commit -q "$made" "$base" >/dev/null
    "${buildah[@]}" rm "$made" >/dev/null
    rm -rf "$dir/debian"
fi
"${buildah[@]}" build -q --pull-never --isolation chroot --network host -t modtools -f Containerfile . >/dev/null
container=$("${buildah[@]}" from modtools)
[ "$("${buildah[@]}" inspect --format '{{.OCIv1.Config.User}}' "$container")" = modtools ] || { echo "the image runs as root" >&2; exit 1; }
run() { "${buildah[@]}" run --isolation chroot --network host -v "$dir/fleet:/fleet:ro" -e CCAP_USER=operator -e CCAP_PASSWORD=simulated \
    -e MODTOOLS_DB=sqlite:modulation.db "$container" -- "$@"; }

"$sim" --dir "$dir/fleet" --devices e6000=1,casa=1,cbr8=1 --upstreams 4 >"$dir/ready" &
pid=$!
until grep -q ready "$dir/ready"; do kill -0 "$pid"; sleep 0.1; done
chmod -R a+rX "$dir" "$dir/fleet"
run sh -c 'id -un && mod-store --init </dev/null && ccap-fetch -i /fleet/inventory.ndjson --known-hosts known_hosts \
    --host-keys accept-new | mod-parse | mod-store && mod-report --date today --format table --top 3'
run sh -c 'mod-watch start -q --dir run -- sh -c "ccap-fetch -i /fleet/inventory.ndjson --known-hosts known_hosts --every 10m |
    mod-parse | mod-store --notify --spool spool" && mod-watch status --dir run && mod-watch stop --dir run'
echo "the image works"
