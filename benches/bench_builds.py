"""How long it is from a fresh clone to the tools and to the first report, all crates compiled anew."""
import pathlib, shutil

from measure import run

ROOT = pathlib.Path(__file__).parent.parent


def cold(bench, target, bar):
    directory = bench.work / "cold"
    try:
        took = run(["make", "-C", ROOT, target], env={"CARGO_TARGET_DIR": str(directory)})
        bench.row(f"`make {target}`, nothing compiled before", f"{took.wall:.0f} s, {took.cpu:.0f} s of processor", bar=bar)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run_all(bench):
    for target, bar in (("demo", "240 s"), ("build", "300 s")):
        bench.attempt(f"make {target}", lambda: cold(bench, target, bar))
