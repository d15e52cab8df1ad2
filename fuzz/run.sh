#!/usr/bin/env bash
# Fuzzes targets, all of them unless some are named, each for a while; needs a nightly compiler and cargo-fuzz.
#   fuzz/run.sh [SECONDS [TARGET…]]
# What is found stays in fuzz/artifacts/TARGET; new inputs go to fuzz/found/TARGET, the committed corpus stays small.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}; shift || true
[ $# -gt 0 ] || { set -- corpus/*; set -- "${@##*/}"; }
cargo +nightly fuzz build --fuzz-dir . any
failed=0
for target; do
    mkdir -p "found/$target" "artifacts/$target"
    echo "== $target"
    # As much memory as a tool may need for a megabyte of input.
    FUZZ_TARGET=$target cargo +nightly fuzz run --fuzz-dir . any "found/$target" "corpus/$target" -- \
        -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" 2>&1 | tail -n "${TAIL:-12}" || failed=1
done
exit $failed
