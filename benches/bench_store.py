"""mod-store, mod-report and mod-prune on MariaDB beside what the server and its own client take for the same rows."""
import datetime

from database import MariaDb, day_before, samples
from measure import Failed, in_turn, run, several

COLUMNS = "timestamp, cmts, upstream, modulation"
NEXT_DAY = datetime.timedelta(days=1)
DAYS = 8


def window(day, days=1, carry=True):
    """The rows that a report of days reads: theirs, and those that may be carried into the first."""
    begin = day - NEXT_DAY * (days if carry else days - 1)
    return f"timestamp >= '{begin} 00:00:00' AND timestamp < '{day + NEXT_DAY} 00:00:00'"


def transfer(db, day, days=1):
    """The rows of days as they come out of the server, written nowhere, and the signal-to-noise ratios of the last one:
    a report needs them of days that may still have their detail. A join would take the server three times as long."""
    order = "ORDER BY timestamp, cmts, upstream"
    rows = f"SELECT {COLUMNS} FROM modulation_new WHERE {window(day, days, carry=False)} {order}"
    ratios = f"SELECT timestamp, cmts, upstream, snr_db FROM modulation_detail WHERE {window(day, carry=False)} {order}"
    return db.client(f"{rows}; {ratios}")


def report(bench, db, day, *flags):
    """A report of one day."""
    flags = ["-q", "--date", day, "--tz", "UTC", *flags]
    return run([bench.tool("mod-report"), *flags], env=db.env(), codes=(0, 3))


def prune(bench, db, *flags):
    return run([bench.tool("mod-prune"), "-q", "--tz", "UTC", *flags], env=db.env(), codes=(0, 3))


def seconds(figures):
    return f"{figures.wall:.1f} s, {figures.memory()}"


class Store:
    """A day of samples in one database, and then eight of them."""

    def __init__(self, bench):
        self.bench = bench
        self.day = day_before(2)
        self.file = samples(bench, self.day)
        self.db, self.peer = MariaDb("ours"), MariaDb("peer")
        self.rows = 0

    def store(self):
        self.db.fresh(self.bench)
        return run([self.bench.tool("mod-store"), "-q"], stdin=self.file, env=self.db.env(), codes=(0, 3))

    def load(self, tables):
        self.peer.fresh(self.bench)
        loads = (
            f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {table} ({columns})" for table, (path, columns) in tables.items()
        )
        return self.peer.client("SET autocommit = 0; " + "; ".join(loads) + "; COMMIT")

    def against_load_data(self):
        self.store()
        detail = "timestamp, cmts, upstream, profile, source, snr_db"
        out = "timestamp, cmts, upstream, IFNULL(profile, '\\\\N'), source, IFNULL(snr_db, '\\\\N')"
        tables = {}
        for table, columns, shown in (("modulation_new", COLUMNS, COLUMNS), ("modulation_detail", detail, out)):
            path = self.bench.work / f"{table}.tsv"
            self.db.client(f"SELECT {shown} FROM {table}", stdout=path)
            tables[table] = (path, columns)
        self.rows = int(self.db.value(self.bench, "SELECT COUNT(*) FROM modulation_new"))
        times = 1 if self.bench.scale > 0.2 else self.bench.times
        ours, peer, ratio = in_turn(times, self.store, lambda: self.load(tables))
        what = f"store {self.rows:,} samples; `LOAD DATA` into the same two tables"
        rate = lambda figures: f"{self.rows / figures.wall:,.0f} a second"
        self.bench.row(what, f"{rate(ours)}, {ours.memory()}", rate(peer), ratio, "1.11")
        for path, _ in tables.values():
            path.unlink()

    def reports(self):
        """Of the only day that there is, raw, finished, and with its page."""
        bench, db, times = self.bench, self.db, self.bench.times
        bare = lambda: transfer(db, self.day)
        # The day is kept for another interval: with this one the report is reckoned from samples each time.
        report(bench, db, self.day)
        raw, peer, ratio = in_turn(times, lambda: report(bench, db, self.day, "--interval", "11m"), bare)
        bench.row(f"report of {self.rows:,} samples with their ratios; the bare transfer", seconds(raw), seconds(peer), ratio, "1.00")
        kept = several(times, lambda: report(bench, db, self.day))
        bench.row("report of a finished day", seconds(kept), "", None, "0.8 s")
        page = several(times, lambda: report(bench, db, self.day, "--web", bench.work / "web", "-o", "/dev/null"))
        bench.row("the same with its page", seconds(page), "", None, "2 s")
        # Five past eleven in the evening of that day, and ten minutes later.
        late = lambda minute: run(
            ["faketime", "-f", f"@{self.day} 23:{minute}:00", bench.tool("mod-report"), "-q", "--date", "today", "--tz", "UTC"]
            + ["--web", bench.work / "web-today", "-o", "/dev/null"],
            env={**db.env(), "TZ": "UTC"},
            codes=(0, 3),
        )
        late("05")
        again = several(times, lambda: late("15"))
        bench.row("the page of today at 23:15, ten minutes after the last", seconds(again), "", None, "2 s")

    def prune_one(self):
        bench, db = self.bench, self.db

        def anew():
            db.client("DELETE FROM modulation_day")
            return prune(bench, db)

        new, raw, ratio = in_turn(bench.times, anew, lambda: report(bench, db, self.day, "--interval", "11m"))
        bench.row("prune, a day not kept yet; its report from samples", seconds(new), seconds(raw), ratio, "1.20")
        kept = several(bench.times, lambda: prune(bench, db))
        bench.row("prune, the day kept and true", seconds(kept), "", None, "1 s")

    def more_days(self):
        """The same day again for the seven days before it, as mod-store would have left them."""
        shift = (
            "INSERT INTO {table} SELECT {time} - INTERVAL {n} DAY, {rest} FROM {table} "
            "WHERE {time} >= '{day} 00:00:00' AND {time} < '{next} 00:00:00'"
        )
        rest = "cmts, upstream, modulation"
        scans = "cmts, platform, status, error, attempts, elapsed_ms, samples, unparsed, built_in"
        for n in range(1, DAYS):
            at = {"n": n, "day": self.day, "next": self.day + NEXT_DAY}
            self.db.client(
                shift.format(table="modulation_new", time="timestamp", rest=rest, **at)
                + "; "
                + shift.format(table="modulation_scan", time="ts", rest=scans, **at)
            )

    def eight_days(self):
        bench, db = self.bench, self.db
        self.more_days()

        def first():
            db.client("DELETE FROM modulation_day")
            return report(bench, db, self.day)

        bare = lambda: transfer(db, self.day, DAYS)
        ours, peer, ratio = in_turn(1 if bench.scale > 0.2 else bench.times, first, bare)
        what = f"first report when {DAYS} days were never reckoned, {DAYS * self.rows:,} samples; the bare transfer"
        bench.row(what, seconds(ours), seconds(peer), ratio, "1.20")
        prune(bench, db, "--keep-days", "12")
        kept = several(bench.times, lambda: prune(bench, db, "--keep-days", "12"))
        bench.row(f"prune, {DAYS} days kept and true, nothing old", seconds(kept), "", None, "1 s")
        dropped = prune(bench, db, "--keep-days", "6")
        bench.row(f"prune, the same, and partitions dropped", seconds(dropped), "", None, "1 s")


def run_all(bench):
    try:
        store = Store(bench)
    except Failed as error:
        bench.failed = True
        return bench.row("store", f"not measured: {error}")
    bench.attempt("store", store.against_load_data)
    bench.attempt("report", store.reports)
    bench.attempt("prune", store.prune_one)
    bench.attempt("eight days", store.eight_days)
