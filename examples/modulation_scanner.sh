#!/usr/bin/env bash
# The scanner: every device once per interval, until it is stopped. mod-watch or systemd keeps it alive:
#   mod-watch start -- /usr/local/lib/modtools/modulation_scanner.sh
# or, from cron and in one, `mod-watch check -- …` (cron.d/modtools). It works in the current directory, where
# spool/ and cache/ come to stand, and where ./.env is read if there is one.
# Settings, from the environment or the env file:
#   MODTOOLS_INVENTORY   default inventory.ndjson in MODTOOLS_HOME (/var/lib/modtools); read again when it changes
#   MODTOOLS_EVERY       default 10m
#   MODTOOLS_FETCH       more flags of ccap-fetch, such as "-j 40 --host-keys accept-new"
set -eu
# shellcheck source=examples/settings.sh
. "$(dirname "$0")/settings.sh"
inventory=$(setting MODTOOLS_INVENTORY "${MODTOOLS_HOME:-/var/lib/modtools}/inventory.ndjson")
every=$(setting MODTOOLS_EVERY 10m)
flags=$(setting MODTOOLS_FETCH)
mkdir -p spool cache
# The flags are split at blanks on purpose.
# shellcheck disable=SC2086
ccap-fetch -i "$inventory" --every "$every" --cache cache $flags | mod-parse | mod-store --notify --spool spool
