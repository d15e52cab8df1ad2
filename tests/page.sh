#!/bin/sh
# Prints the commands of a page, for the tests that run them: what stands indented under a heading or in a numbered step,
# without its comments. Fails when nothing does.
#   tests/page.sh PAGE HEADING|STEP
set -eu
awk -v where="$2" 'BEGIN { indented = where ~ /^[0-9]+$/ ? "       " : "    " }
    /^#+ / { now = $0; sub(/^#+ /, "", now) }
    /^[0-9]+\. / { now = $1 + 0 }
    now == where && index($0, indented) == 1 { $0 = substr($0, length(indented) + 1); sub(/  +# .*/, ""); print; some = 1 }
    END { if (!some) { print FILENAME ": no command under " where > "/dev/stderr"; exit 1 } }' "$1"
