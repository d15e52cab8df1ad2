# shellcheck shell=bash
# For the scripts beside this file: settings from where the programs take them, the environment before ./.env before
# the env file of systemd's credentials before /etc/modtools/env. Sourced, not run.

# setting NAME [DEFAULT]: prints the value of NAME. It must stand in one line; ${…} in it is not expanded.
setting() {
    local file value=${!1-}
    if [ -z "$value" ]; then
        for file in .env ${CREDENTIALS_DIRECTORY:+"$CREDENTIALS_DIRECTORY/env"} /etc/modtools/env; do
            [ -s "$file" ] || continue
            # `t begin` forgets that these two replaced something, or `t found` would take any line of a CRLF file.
            # As python-dotenv reads it: `export`, blanks around =, quotes, a comment behind a blank; the last one counts.
            value=$(sed -n -E -e '1s/^\xEF\xBB\xBF//' -e 's/\r$//' -e 't begin' -e ': begin' \
                -e "s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//" -e t\ found -e d -e ': found' \
                -e "s/^'([^']*)'.*/\1/" -e t\ print -e 's/^"([^"]*)".*/\1/' -e t\ print \
                -e 's/[[:space:]]+#.*//' -e 's/[[:space:]]+$//' -e ': print' -e p "$file" | tail -n 1)
            break
        done
    fi
    printf '%s\n' "${value:-${2-}}"
}
