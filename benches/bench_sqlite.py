"""mod-store and mod-report on SQLite beside the shell of sqlite3."""
import os

from database import day_before, samples
from measure import in_turn, run


class Sqlite:
    """A day of samples in a file, ours and the shell's."""

    def __init__(self, bench):
        self.bench, self.day = bench, day_before(2)
        # A tenth of the fleet: SQLite is for the smaller ones.
        self.file = samples(bench, self.day, bench.scaled(6000, 360))
        self.ours, self.peer = bench.work / "ours.db", bench.work / "peer.db"
        self.env = {"MODTOOLS_DB": f"sqlite:{self.ours}"}

    def remove(self, path):
        for tail in ("", "-wal", "-shm"):
            if os.path.exists(f"{path}{tail}"):
                os.remove(f"{path}{tail}")

    def store(self):
        self.remove(self.ours)
        return run([self.bench.tool("mod-store"), "-q", "--init"], stdin=self.file, env=self.env, codes=(0, 3))

    def shell(self, database, *commands):
        return run(["sqlite3", "-batch", database, *commands])

    def imported(self, tables):
        self.remove(self.peer)
        schema = self.bench.work / "schema.sql"
        run(["sqlite3", self.ours, ".schema --nosys"], stdout=schema)
        self.shell(self.peer, f".read {schema}")
        imports = [f".import {path} {table}" for table, path in tables.items()]
        return self.shell(self.peer, "PRAGMA journal_mode = WAL", ".mode csv", "BEGIN", *imports, "COMMIT")

    def against_import(self):
        self.store()
        tables = {}
        for table in ("modulation_new", "modulation_detail"):
            tables[table] = self.bench.work / f"{table}.csv"
            run(["sqlite3", "-csv", self.ours, f"SELECT * FROM {table}"], stdout=tables[table])
        rows = sum(1 for _ in open(tables["modulation_new"], "rb"))
        ours, peer, ratio = in_turn(self.bench.times, self.store, lambda: self.imported(tables))
        rate = lambda figures: f"{rows / figures.wall:,.0f} a second"
        self.bench.row(f"SQLite: store {rows:,} samples; `.import`", rate(ours), rate(peer), ratio, "2.00")

    def against_select(self):
        flags = ["-q", "--date", self.day, "--tz", "UTC", "--interval", "11m"]
        report = lambda: run([self.bench.tool("mod-report"), *flags], env=self.env, codes=(0, 3))
        sql = "SELECT timestamp, cmts, upstream, modulation FROM modulation_new ORDER BY timestamp, cmts, upstream"
        ours, peer, ratio = in_turn(self.bench.times, report, lambda: self.shell(self.ours, sql))
        self.bench.row("SQLite: report from samples; `SELECT`", f"{ours.wall:.2f} s", f"{peer.wall:.2f} s", ratio, "1.50")


def run_all(bench):
    sqlite = Sqlite(bench)
    bench.attempt("SQLite, store", sqlite.against_import)
    bench.attempt("SQLite, report", sqlite.against_select)
