#!/bin/sh
# The scanner: every device once per interval, for ever. mod-watch keeps it alive:
#   mod-watch start -- /usr/local/lib/modtools/modulation_scanner.sh
# or, from cron and in one, `mod-watch check -- …` (cron.d/modtools). It works in the current directory, where
# spool/ and cache/ come to stand, and where ./.env is read if there is one.
#   MODTOOLS_INVENTORY   default /etc/modtools/inventory.ndjson; read anew when it changes
#   MODTOOLS_EVERY       default 10m
#   MODTOOLS_FETCH       more flags of ccap-fetch, such as "-j 40 --host-keys accept-new"
set -eu
inventory=${MODTOOLS_INVENTORY:-/etc/modtools/inventory.ndjson}
every=${MODTOOLS_EVERY:-10m}
mkdir -p spool cache
# The flags are split at blanks on purpose.
# shellcheck disable=SC2086
ccap-fetch -i "$inventory" --every "$every" --cache cache ${MODTOOLS_FETCH:-} | mod-parse | mod-store --notify --spool spool
