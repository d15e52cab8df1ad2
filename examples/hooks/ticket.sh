#!/bin/sh
# Events as one mail for a run, to a ticket system: ticket.sh ADDRESS. Server and sender are settings of mod-mail.
set -eu
exec mod-mail --events --to "${1:?ticket.sh ADDRESS}"
