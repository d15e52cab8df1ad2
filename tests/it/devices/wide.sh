#!/bin/sh
# Plays a device whose table is the same eight bytes a million times: the cursor far to the right, one letter,
# a line end. The forced command of a real sshd.
prompt='LAB-CCAP001(cer)#'
stty -echo -onlcr
printf '%s' "$prompt"
while IFS= read -r line; do
    printf '%s\r\n' "$line"
    case "$line" in
    show*) printf '\033[999Cx\n%.0s' $(seq 1000) >/tmp/wide.$$
        for _ in $(seq 390); do cat /tmp/wide.$$; done
        rm -f /tmp/wide.$$ ;;
    exit) exit 0 ;;
    esac
    printf '%s' "$prompt"
done
