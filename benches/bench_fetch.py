"""ccap-fetch beside what its own commands must take at least, and beside netmiko."""
import json, math, os, pathlib, time

from fleet import LOGIN, Fleet
from measure import in_turn, run, several

HERE = pathlib.Path(__file__).parent
LOGIN_S, COMMAND_S = 0.3, 0.2


def commands_of(path):
    """How many commands each device was sent; setting up the terminal is not among them."""
    captures = [json.loads(line) for line in open(path)]
    return [len(capture["commands"]) for capture in captures if capture["type"] == "capture"]


def netmiko(bench, fleet, jobs):
    python = bench.venv("netmiko")
    return run([python, HERE / "peer_netmiko.py", fleet.dir / "inventory.ndjson", jobs], env=LOGIN)


def with_latency(bench):
    devices, jobs = min(60, bench.scaled(300, 12)), 10
    with Fleet(bench, devices, 48, f"{LOGIN_S}s", f"{COMMAND_S}s") as fleet:
        out = bench.work / "fetched"
        ours = several(bench.times, lambda: fleet.fetch("-j", jobs, stdout=out))
        counts = commands_of(out)
        journal = [json.loads(line) for line in open(fleet.dir / "logins.ndjson")]
        sent = sum(event.get("event") == "command" or "command" in event for event in journal) / bench.times
        ideal = math.ceil(len(counts) / jobs) * (LOGIN_S + sent / len(counts) * COMMAND_S)
        what = f"fetch {devices} devices, login {LOGIN_S} s, command {COMMAND_S} s, `-j {jobs}`"
        bench.row(f"{what}; ideal of its {sent:.0f} commands", f"{ours.wall:.2f} s", f"{ideal:.2f} s", ours.wall / ideal, "1.15")
        bench.attempt(f"{what}; netmiko", lambda: against_netmiko(bench, fleet, what, jobs))


def against_netmiko(bench, fleet, what, jobs):
    ours, peer, ratio = in_turn(1, lambda: fleet.fetch("-j", jobs), lambda: netmiko(bench, fleet, jobs))
    bench.row(f"{what}; netmiko, {jobs} threads", f"{ours.wall:.2f} s", f"{peer.wall:.2f} s", ratio, "0.50")


def without_latency(bench):
    devices, jobs = min(500, bench.scaled(2500, 20)), 64
    with Fleet(bench, devices, 120) as fleet:
        before, begun = fleet.cpu(), time.monotonic()
        ours = several(bench.times, lambda: fleet.fetch("-j", jobs))
        wall, theirs = (time.monotonic() - begun) / bench.times, (fleet.cpu() - before) / bench.times
        cores = os.cpu_count()
        what = f"fetch {devices} devices of 120 upstreams, no latency, `-j {jobs}`"
        bound = (ours.cpu + theirs) / cores
        bench.row(
            f"{what}; processor time of it and of the simulator by the number of cores",
            f"{wall:.2f} s, {ours.cpu:.2f} s of processor, {ours.memory()}",
            f"{bound:.2f} s",
            wall / bound,
            "40 MiB",
        )
        bench.attempt(f"{what}; netmiko", lambda: against_netmiko(bench, fleet, what, jobs))


def run_all(bench):
    bench.attempt("fetch with latency", lambda: with_latency(bench))
    bench.attempt("fetch without latency", lambda: without_latency(bench))
