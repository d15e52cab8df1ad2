#!/usr/bin/env python3
"""Measures the tools beside what people would use instead, on the same data and in one run, and prints a table:
ours, the peer, ours by the peer, and the bar that we set ourselves. `make bench` runs it.

    bench.py [GROUP]... [--plots DIR]     groups: parse fetch store sqlite builds plots (all but the last two unless some are named)

MODTOOLS_BENCH_SCALE=1 is what docs/performance.md quotes: a gigabyte of captures, 500 devices, 60,000 upstreams, eight
days, forty minutes and 20 GB of disk. 0.02 takes a minute. TMPDIR says where the data goes, CARGO_TARGET_DIR where the
tools are. Peers that are not installed are named and left out. Exit 1 when a command failed.
"""
import argparse, os, pathlib, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import bench_builds, bench_fetch, bench_parse, bench_sqlite, bench_store, plots
from measure import Failed, say

GROUPS = {
    "parse": bench_parse.run_all,
    "fetch": bench_fetch.run_all,
    "store": bench_store.run_all,
    "sqlite": bench_sqlite.run_all,
    "builds": bench_builds.run_all,
    "plots": plots.run_all,
}


class Bench:
    """Where things are, how large they are to be, and the rows of the table."""

    def __init__(self, work, plots_dir):
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
        self.bin = (target / "release").resolve()
        self.work = pathlib.Path(work)
        self.plots_dir = plots_dir
        self.scale = float(os.environ.get("MODTOOLS_BENCH_SCALE", "1"))
        self.times = 3
        self.failed = False
        self.venv_dir = (target / "bench-venv").resolve()

    def tool(self, name):
        """The path of a tool of ours."""
        path = self.bin / name
        if not path.exists():
            raise Failed(f"{path} is missing: run make bench")
        return path

    def scaled(self, number, least=1):
        """A size at the present scale."""
        return max(least, round(number * self.scale))

    def venv(self, *packages):
        """A Python with packages of PyPI, for the peers that are written in it. Raises Failed without a network."""
        python = self.venv_dir / "bin/python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", self.venv_dir], check=True)
        wanted = subprocess.run([python, "-m", "pip", "install", "-q", *packages], capture_output=True, text=True)
        if wanted.returncode:
            raise Failed(f"pip install {' '.join(packages)}: {wanted.stderr.strip().splitlines()[-1][:120]}")
        return python

    def row(self, what, ours, peer="", ratio=None, bar=""):
        """One row of the table; it is printed at once."""
        print(f"| {what} | {ours} | {peer} | {'' if ratio is None else f'{ratio:.2f}'} | {bar} |", flush=True)

    def attempt(self, what, work):
        """Rows that cannot be measured are named, and the others go on."""
        say(f"{what} …")
        try:
            work()
        except Failed as error:
            self.failed = True
            self.row(what, f"not measured: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--plots", default="docs", metavar="DIR")
    args = parser.parse_args()
    unknown = set(args.groups) - set(GROUPS)
    if unknown:
        parser.error(f"unknown group {sorted(unknown)[0]}; expected one of {', '.join(GROUPS)}")
    with tempfile.TemporaryDirectory(prefix="modtools-bench.") as work:
        bench = Bench(work, pathlib.Path(args.plots).resolve())
        print(f"scale {bench.scale:g}, {os.cpu_count()} cores\n\n| what | ours | peer | ours by the peer | bar |\n|---|---|---|---|---|")
        for name in args.groups or [name for name in GROUPS if name not in ("builds", "plots")]:
            GROUPS[name](bench)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
