"""A simulated fleet for a while: `with Fleet(bench, …) as fleet: fleet.fetch(…)`."""
import os, subprocess

from measure import Failed, run

LOGIN = {"CCAP_USER": "operator", "CCAP_PASSWORD": "simulated"}


class Fleet:
    """Devices of three families, as many of each, that answer until the end of the `with`."""

    def __init__(self, bench, devices, upstreams, login="0s", latency="0s"):
        self.bench, self.dir = bench, bench.work / f"fleet-{devices}-{upstreams}-{login}"
        each = [devices // 3 + (n < devices % 3) for n in range(3)]
        self.flags = ["--devices", ",".join(f"{f}={n}" for f, n in zip(("e6000", "casa", "cbr8"), each))]
        self.flags += ["--upstreams", str(upstreams)]
        self.more = ["--login-latency", login, "--latency", latency, "--until-eof", "--dir", str(self.dir)]

    def __enter__(self):
        sim = self.bench.tool("examples/ccap-sim")
        self.sim = subprocess.Popen([sim, *self.flags, *self.more], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if not self.sim.stdout.readline().startswith(b"ready"):
            raise Failed("ccap-sim does not start")
        return self

    def __exit__(self, *_):
        self.sim.stdin.close()
        self.sim.wait()

    def fetch(self, *flags, stdout=None):
        """One scan of all devices."""
        tool, known = self.bench.tool("ccap-fetch"), self.dir / "known_hosts"
        command = [tool, "-i", self.dir / "inventory.ndjson", "--known-hosts", known, "--login-rate", "1000/s", *flags]
        return run(command, stdout=stdout, env=LOGIN)

    def cpu(self):
        """Processor time that the devices have used, s."""
        fields = open(f"/proc/{self.sim.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
