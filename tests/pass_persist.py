"""Serves a table of lines OID, tab, type, tab, value to the pass_persist of net-snmp's snmpd, in the order of a walk:
of the file that is named, what is below the object that is named."""

import bisect
import sys

def numbers(oid):
    return tuple(int(number) for number in oid.strip().strip(".").split("."))


rows = {}
below = numbers(sys.argv[2])
with open(sys.argv[1], encoding="utf-8") as table:
    for line in table:
        oid, kind, value = line.rstrip("\n").split("\t")
        if numbers(oid)[: len(below)] == below:
            rows[numbers(oid)] = (kind, value)
order = sorted(rows)

while word := sys.stdin.readline().strip():
    if word == "PING":
        print("PONG", flush=True)
        continue
    asked = numbers(sys.stdin.readline())
    found = asked if asked in rows else None
    if word == "getnext":
        at = bisect.bisect_right(order, asked)
        found = order[at] if at < len(order) else None
    if found is None:
        print("NONE", flush=True)
    else:
        kind, value = rows[found]
        print("." + ".".join(map(str, found)), kind, value, sep="\n", flush=True)
