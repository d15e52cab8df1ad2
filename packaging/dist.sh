#!/bin/sh
# The seven programs as static binaries in one archive: dist/modtools-VERSION-ARCHITECTURE.tar.gz. Against musl where the
# toolchain has its target, else against glibc's static libraries; the archive's README says which.
#   packaging/dist.sh [PROFILE]    release (default) or dev
set -eu
cd "$(dirname "$0")/.."
profile=${1:-release}
folder=$profile
[ "$profile" != dev ] || folder=debug
architecture=$(uname -m)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
target=$architecture-unknown-linux-musl
if [ -d "$(rustc --print target-libdir --target "$target")" ] && command -v musl-gcc >/dev/null; then
    library=musl
    export "CC_$(echo "$target" | tr - _)=musl-gcc"
else
    library="glibc, statically"
    target=$architecture-unknown-linux-gnu
    export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
fi
echo "dist: linking against $library ($target)"
# OpenSSL is under libssh2 and is built along, since no system has a static one for musl.
cargo build --profile "$profile" --bins --target "$target" --features static
built=${CARGO_TARGET_DIR:-target}/$target/$folder
name=modtools-$version-$architecture
rm -rf "dist/$name"
mkdir -p "dist/$name/bin"
for tool in src/bin/*.rs; do
    install -s "$built/$(basename "$tool" .rs)" "dist/$name/bin/"
done
cp -r man completions examples docs README.md CHANGELOG.md LICENSE "dist/$name/"
rm -rf "dist/$name/examples/ccap-sim"
printf 'Linked statically against %s.\n' "$library" >"dist/$name/STATIC"
tar -C dist -czf "dist/$name.tar.gz" "$name"
ls -l "dist/$name.tar.gz"
