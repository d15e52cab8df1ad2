"""mod-parse beside `jq -c .type`, which reads the same bytes and understands nothing of them, `wc -l`, and TextFSM."""
import json, pathlib

from fleet import Fleet
from measure import in_turn, run, several

HERE = pathlib.Path(__file__).parent


def captures(bench, megabytes, name="captures"):
    """A file of about so many megabytes of captures, as many devices of each of three platforms."""
    scan, path = bench.work / "scan", bench.work / name
    if not scan.exists():
        with Fleet(bench, 12, 500) as fleet:
            fleet.fetch(stdout=scan)
    lines = scan.read_bytes().splitlines(keepends=True)
    whole = b"".join(line for line in lines if b'"type":"capture"' in line)
    with open(path, "wb") as file:
        for _ in range(max(1, round(megabytes * 1e6 / len(whole)))):
            file.write(whole)
        file.write(next(line for line in lines if b'"type":"end"' in line))
    return path


def run_parse(bench, path, jobs):
    return run([bench.tool("mod-parse"), "-q", "-j", jobs], stdin=path)


def rate(path, figures):
    return f"{path.stat().st_size / 1e6 / figures.wall:.0f} MB/s"


def run_group(bench):
    path = captures(bench, bench.scaled(1000, 10))
    size = f"{path.stat().st_size / 1e6:.0f} MB of captures"
    one = lambda: run_parse(bench, path, 1)
    two = lambda: run_parse(bench, path, 2)
    ours, peer, ratio = in_turn(bench.times, one, lambda: run(["jq", "-c", ".type"], stdin=path))
    bench.row(f"parse {size}, `-j 1`; `jq -c .type`", rate(path, ours), rate(path, peer), ratio, "300 MB/s, 0.50")
    cpu = f"{path.stat().st_size / 1e6 / ours.cpu:.0f} MB per second of processor, {ours.memory()}"
    bench.row("the same, of processor time", cpu, "", None, "300 MB")
    ours, peer, ratio = in_turn(bench.times, two, one)
    bench.row("the same, `-j 2`; `-j 1`", rate(path, ours), rate(path, peer), ratio, "0.56")
    wc = several(bench.times, lambda: run(["wc", "-l"], stdin=path))
    bench.row("the same; `wc -l`", rate(path, ours), rate(path, wc), ours.wall / wc.wall)


def textfsm(bench):
    """TextFSM reads the table of one platform, and nothing else of a capture."""
    python = bench.venv("textfsm")
    path = captures(bench, bench.scaled(1000, 10) / 100, "few")
    one, table = bench.work / "e6000", bench.work / "table"
    kept = [line for line in open(path) if '"platform":"e6000"' in line]
    one.write_text("".join(kept))
    command = "show interface cable-upstream"
    answers = [c["output"] for line in kept for c in json.loads(line)["commands"] if c["command"] == command]
    table.write_text("".join(answers))
    ours = lambda: run([bench.tool("mod-parse"), "-q", "-j", 1], stdin=one, codes=(0, 3))
    peer = lambda: run([python, HERE / "peer_textfsm.py", table])
    ours, peer, _ = in_turn(bench.times, ours, peer)
    bench.row(
        "parse captures of one platform; TextFSM over its table alone",
        rate(one, ours),
        rate(table, peer),
        (ours.wall / one.stat().st_size) / (peer.wall / table.stat().st_size),
    )


def run_all(bench):
    bench.attempt("parse", lambda: run_group(bench))
    bench.attempt("parse; TextFSM", lambda: textfsm(bench))
