"""Measures whole processes: time, processor time and peak memory as the kernel accounts for them.

Two commands that are compared run in turn, A B A B …, so that a machine that gets slower does so for both. What is
quoted is the median of each, and the median of the ratios pair by pair.
"""
import functools, os, statistics, subprocess, sys, time
from dataclasses import dataclass


@dataclass
class Run:
    """What one run took."""

    wall: float  # s
    cpu: float  # s, user and system, children that were waited for included
    peak: float  # MiB of the largest process, or of ours before it became that one

    def memory(self):
        """The peak in words."""
        least = least_peak()
        return f"{self.peak:.0f} MiB" if self.peak > least + 1 else f"at most {least:.0f} MiB"


class Failed(Exception):
    """A command that has to succeed did not, or is not there."""


def run(command, stdin=None, stdout=None, codes=(0,), env=None):
    """Runs a command, a list or a line for the shell, once. Raises Failed when it exits otherwise than by `codes`."""
    argv = ["/bin/sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    sink = open(stdout, "wb") if stdout else subprocess.DEVNULL
    begun = time.monotonic()
    try:
        child = subprocess.Popen(argv, stdin=source, stdout=sink, env={**os.environ, **(env or {})})
    except OSError as error:
        raise Failed(f"{argv[0]}: {error.strerror}") from error
    _, status, used = os.wait4(child.pid, 0)
    wall = time.monotonic() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    for file in (source, sink):
        if file is not subprocess.DEVNULL:
            file.close()
    if child.returncode not in codes:
        raise Failed(f"{' '.join(argv)[:200]}: exit {child.returncode}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@functools.cache
def least_peak():
    """What is counted for the smallest program: below it the kernel counts this very script."""
    return several(3, lambda: run(["true"])).peak


def median(runs):
    """The median of each figure."""
    return Run(*(statistics.median(getattr(r, name) for r in runs) for name in ("wall", "cpu", "peak")))


def least(times, work):
    """The shortest wall time of several runs, s: how cost grows, without what else the machine did."""
    return min(work().wall for _ in range(times))


def several(times, work):
    """The median of several runs of `work`, a function that gives a Run."""
    return median([work() for _ in range(times)])


def in_turn(times, ours, peer):
    """Two functions that give a Run, in turn. Returns both medians, and the median of ours by the peer's wall time."""
    pairs = [(ours(), peer()) for _ in range(times)]
    ratio = statistics.median(a.wall / b.wall for a, b in pairs)
    return median([a for a, _ in pairs]), median([b for _, b in pairs]), ratio


def say(text):
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)
