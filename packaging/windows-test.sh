#!/usr/bin/env bash
# mod-parse and mod-report built for Windows, run by wine: captures are parsed, and a report and a page are made, as here.
#   packaging/windows-test.sh EXE_DIR BUILT    the directories of the .exe files and of the programs of this machine
set -euo pipefail
exe=$(realpath "$1") built=$(realpath "$2") source=$(realpath "$(dirname "$0")/..")
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; wineserver -k 2>/dev/null || true; rm -rf "$dir"' EXIT
export WINEPREFIX=$dir/wine WINEDEBUG=-all MODTOOLS_TZ=Europe/Amsterdam
cd "$dir"
mkdir exe
cp "$exe"/*.exe exe/
exe=$dir/exe
# Windows has this library since version 8; wine only since version 9.
cat >prng.c <<'C'
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }
C
x86_64-w64-mingw32-gcc -shared -O1 -o exe/bcryptprimitives.dll prng.c -ladvapi32
wine wineboot --init >/dev/null 2>&1 || true

"$built/examples/ccap-sim" --dir fleet --devices e6000=1,casa=1,cbr8=1 --upstreams 8 >ready &
pid=$!
until grep -q ready ready; do kill -0 "$pid"; sleep 0.1; done
CCAP_USER=operator CCAP_PASSWORD=simulated "$built/ccap-fetch" -i fleet/inventory.ndjson --known-hosts known_hosts \
    --host-keys accept-new >captures.ndjson
"$built/mod-parse" <captures.ndjson >samples.ndjson
wine "$exe/mod-parse.exe" <captures.ndjson >samples-windows.ndjson
cmp samples.ndjson samples-windows.ndjson

"$built/examples/ccap-sim" --history 1d --devices e6000=1,casa=1,cbr8=1 --upstreams 8 | tee past.ndjson |
    "$built/mod-store" --db sqlite:modulation.db --init || [ $? = 3 ]
"$built/mod-store" --db sqlite:modulation.db <samples.ndjson
for format in csv ndjson; do
    "$built/mod-report" --db sqlite:modulation.db --format $format -o here.$format || [ $? = 3 ]
    wine "$exe/mod-report.exe" --db sqlite:modulation.db --format $format -o windows.$format || [ $? = 3 ]
    # When a report was made stands in it.
    sed -i -E 's/"(ts|generated_at)":"[^"]*"//g' here.$format windows.$format
    cmp here.$format windows.$format
done
mod-report.exe() { wine "$exe/mod-report.exe" "$@"; }
eval "$("$source/tests/page.sh" "$source/docs/windows.md" Windows | sed -n "s/2026-11-23/$(date -d yesterday +%F)/; /^mod-report/p")" >/dev/null || [ $? = 3 ]
grep -q '<html' report.html
mod-report.exe --db sqlite:modulation.db --format table --web site >/dev/null || [ $? = 3 ]
test -s site/index.html
wine "$exe/mod-report.exe" --input past.ndjson --format table --top 3 || [ $? = 3 ]
for tool in ccap-fetch mod-store mod-mail mod-prune mod-watch; do
    code=0
    wine "$exe/$tool.exe" --help 2>"$tool.said" || code=$?
    [ "$code" = 2 ] && grep -q 'needs Linux' "$tool.said" || { echo "$tool.exe: exit $code" >&2; cat "$tool.said" >&2; exit 1; }
done
echo "mod-parse.exe and mod-report.exe say the same as their originals"
