"""How cost grows, one SVG each: fetch against devices, parse against bytes, report against samples and upstreams, and a
report of many days against days."""
import datetime

import bench_parse, bench_store
from database import MariaDb, day_before, samples
from fleet import Fleet
from measure import least, run

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 340, 64, 48, 40, 24
COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44"]


def ticks(top):
    """Round numbers from zero to just above `top`, and how far they are apart."""
    step = 10 ** len(str(int(max(top, 1)))) / 100 if top >= 1 else 0.01
    for factor in (1, 2, 5, 10, 20, 50, 100, 200):
        if top / (step * factor) <= 6:
            step *= factor
            break
    return [n * step for n in range(int(top / step) + 2)]


def number(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def svg(title, across, up, lines):
    """Lines of points in one plot; `lines` maps a name to its (x, y)."""
    xs, ys = (ticks(max(p[i] for points in lines.values() for p in points)) for i in (0, 1))
    x = lambda value: LEFT + (WIDTH - LEFT - RIGHT) * value / xs[-1]
    y = lambda value: HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / ys[-1]
    text = lambda at, down, anchor, said, more="": f'<text x="{at:.1f}" y="{down:.1f}" text-anchor="{anchor}" {more}>{said}</text>'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(LEFT, 22, "start", title, 'font-size="14" font-weight="bold"'),
    ]
    for tick in ys:
        out.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(text(LEFT - 6, y(tick) + 4, "end", number(tick)))
    out += [text(x(tick), HEIGHT - BOTTOM + 18, "middle", number(tick)) for tick in xs]
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "middle", across))
    out.append(text(16, (TOP + HEIGHT - BOTTOM) / 2, "middle", up, f'transform="rotate(-90 16 {(TOP + HEIGHT - BOTTOM) / 2:.1f})"'))
    for (name, points), colour in zip(lines.items(), COLOURS):
        path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in points)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in points]
        if len(lines) > 1:
            at = TOP + 8 + 18 * list(lines).index(name)
            out.append(f'<path d="M{LEFT + 10} {at}h22" stroke="{colour}" stroke-width="2"/>')
            out.append(text(LEFT + 38, at + 4, "start", name))
    return "\n".join([*out, "</svg>"]) + "\n"


def save(bench, name, *plot):
    bench.plots_dir.mkdir(exist_ok=True)
    (bench.plots_dir / f"performance-{name}.svg").write_text(svg(*plot))
    bench.row(f"plot performance-{name}.svg", "written")


def fetch(bench):
    points = []
    for devices in sorted({min(n, bench.scaled(5 * n, 3)) for n in (30, 60, 125, 250, 500)}):
        with Fleet(bench, devices, 120) as fleet:
            points.append((devices, least(bench.times, lambda: fleet.fetch("-j", 64))))
    save(bench, "fetch", "ccap-fetch -j 64: time of a scan, devices of 120 upstreams", "devices", "seconds", {"": points})


def parse(bench):
    lines = {"mod-parse -j 1": [], "mod-parse -j 2": [], "jq -c .type": []}
    for megabytes in sorted({bench.scaled(n, 4) for n in (125, 250, 500, 750, 1000)}):
        path = bench_parse.captures(bench, megabytes)
        size = path.stat().st_size / 1e6
        for jobs in (1, 2):
            took = least(bench.times, lambda: bench_parse.run_parse(bench, path, jobs))
            lines[f"mod-parse -j {jobs}"].append((size, took))
        lines["jq -c .type"].append((size, least(bench.times, lambda: run(["jq", "-c", ".type"], stdin=path))))
    save(bench, "parse", "mod-parse: time against size of the captures", "MB", "seconds", lines)


def report(bench):
    """From samples, each size in a database of its own."""
    db, day = MariaDb("plot"), day_before(2)
    raw = {"mod-report": [], "bare transfer": []}
    for upstreams in sorted({bench.scaled(n, 360) for n in (7500, 15000, 30000, 45000, 60000)}):
        db.fresh(bench)
        path = samples(bench, day, upstreams)
        run([bench.tool("mod-store"), "-q"], stdin=path, env=db.env(), codes=(0, 3))
        path.unlink()
        # The day is kept for another interval, so that the report with this one is from samples.
        bench_store.report(bench, db, day)
        rows = int(db.value(bench, "SELECT COUNT(*) FROM modulation_new"))
        took = least(bench.times, lambda: bench_store.report(bench, db, day, "--interval", "11m"))
        raw["mod-report"].append((rows, took))
        raw["bare transfer"].append((rows, least(bench.times, lambda: bench_store.transfer(db, day))))
    title = "mod-report of one day from samples, MariaDB"
    save(bench, "report", title, "samples", "seconds", raw)
    return db, day


def days(bench):
    """Finished days put together."""
    db, day = MariaDb("days"), day_before(2)
    db.fresh(bench)
    path = samples(bench, day, bench.scaled(6000, 360))
    run([bench.tool("mod-store"), "-q"], stdin=path, env=db.env(), codes=(0, 3))
    bench_store.report(bench, db, day)
    for n in range(1, 64):
        columns = "cmts, upstream, tz, interval_s, samples, time_s, finished"
        db.client(f"INSERT INTO modulation_day SELECT day - INTERVAL {n} DAY, {columns} FROM modulation_day WHERE day = '{day}'")
    points = []
    for n in (1, 8, 16, 32, 48, 64):
        flags = ["-q", "--from", str(day - datetime.timedelta(days=n - 1)), "--to", str(day + datetime.timedelta(days=1)), "--tz", "UTC"]
        took = least(bench.times, lambda: run([bench.tool("mod-report"), *flags], env=db.env(), codes=(0, 3)))
        points.append((n, took))
    save(bench, "days", f"mod-report of finished days, {bench.scaled(6000, 360)} upstreams", "days", "seconds", {"": points})


def run_all(bench):
    for name, work in (("fetch", fetch), ("parse", parse), ("report", report), ("days", days)):
        bench.attempt(f"plot: {name}", lambda: work(bench))
