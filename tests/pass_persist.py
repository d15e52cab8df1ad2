"""Serves a table of lines OID, tab, type, tab, value to the pass_persist of net-snmp's snmpd, in the order of a walk."""

import bisect
import sys

rows = {}
with open(sys.argv[1], encoding="utf-8") as table:
    for line in table:
        oid, kind, value = line.rstrip("\n").split("\t")
        rows[tuple(int(number) for number in oid.strip(".").split("."))] = (kind, value)
order = sorted(rows)

while word := sys.stdin.readline().strip():
    if word == "PING":
        print("PONG", flush=True)
        continue
    asked = tuple(int(number) for number in sys.stdin.readline().strip().strip(".").split("."))
    found = asked if asked in rows else None
    if word == "getnext":
        at = bisect.bisect_right(order, asked)
        found = order[at] if at < len(order) else None
    if found is None:
        print("NONE", flush=True)
    else:
        kind, value = rows[found]
        print("." + ".".join(map(str, found)), kind, value, sep="\n", flush=True)
