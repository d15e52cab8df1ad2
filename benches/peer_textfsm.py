"""Reads the upstream table of an E6000 with TextFSM: usage peer_textfsm.py FILE."""
import io, sys

import textfsm

TEMPLATE = r"""Value UPSTREAM (\d+/\S+)
Value STATE (\S+)
Value TYPE (\S+)
Value RANGE (\S+)
Value PROFILE (\d+)

Start
  ^${UPSTREAM}\s+\S+\s+\S+\s+${STATE}\s+${TYPE}\s+${RANGE}\s+\S+\s+\S+\s+\S+\s+${PROFILE}\s+ -> Record
"""
table = textfsm.TextFSM(io.StringIO(TEMPLATE))
rows = table.ParseText(open(sys.argv[1]).read())
if not rows:
    sys.exit("peer_textfsm.py: no row matched")
