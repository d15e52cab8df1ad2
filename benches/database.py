"""Databases on the server that tests/mariadb.sh starts, and the client that people would use instead of us."""
import datetime, os

from measure import Failed, run


class MariaDb:
    """One database; `fresh` drops what there was of it."""

    def __init__(self, name):
        if "MODTOOLS_TEST_MYSQL" not in os.environ:
            raise Failed("there is no server: run it under tests/mariadb.sh")
        self.name = f"bench_{name}"
        self.host, self.port = os.environ["MODTOOLS_TEST_MYSQL"].rsplit(":", 1)
        self.user = os.environ["MODTOOLS_TEST_MYSQL_USER"]
        self.password = os.environ["MODTOOLS_TEST_MYSQL_PASSWORD"]

    def env(self):
        """What our tools find it by."""
        url = f"mysql://{self.user}@{self.host}:{self.port}/{self.name}"
        return {"MODTOOLS_DB": url, "ACCESS_PASSWORD": self.password}

    def client(self, sql, stdout=None, database=None):
        """Runs statements with the `mariadb` client, as quickly as it can; rows go to `stdout` as TSV."""
        command = ["mariadb", "--no-defaults", "--local-infile=1", "--quick", "--batch", "--raw", "--skip-column-names"]
        command += [f"--host={self.host}", f"--port={self.port}", f"--user={self.user}", "--skip-ssl"]
        command += [self.name if database is None else database, "-e", f"SET time_zone = '+00:00'; {sql}"]
        return run(command, stdout=stdout, env={"MYSQL_PWD": self.password})

    def value(self, bench, sql):
        """The first cell of an answer."""
        self.client(sql, stdout=bench.work / "value")
        return (bench.work / "value").read_text().split("\t")[0].strip()

    def fresh(self, bench):
        """An empty database with our tables."""
        self.client(f"DROP DATABASE IF EXISTS {self.name}; CREATE DATABASE {self.name}", database="")
        run([bench.tool("mod-store"), "-q", "--init"], env=self.env())


def day_before(days):
    """The UTC day so many days ago."""
    return datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=days)


def samples(bench, day, upstreams=None, hours=24):
    """A file with the samples and scans of a fleet, up to the end of a UTC day: 144 a day of each upstream."""
    devices = bench.scaled(500, 6) if upstreams is None else max(3, upstreams // 120)
    path = bench.work / f"samples-{day}-{devices}-{hours}"
    if not path.exists():
        each = [devices // 3 + (n < devices % 3) for n in range(3)]
        flags = ["--devices", ",".join(f"{f}={n}" for f, n in zip(("e6000", "casa", "cbr8"), each)), "--upstreams", "120"]
        end = f"{day + datetime.timedelta(days=1)}T00:00:00Z"
        run([bench.tool("examples/ccap-sim"), *flags, "--time", end, "--history", f"{hours}h"], stdout=path)
    return path
