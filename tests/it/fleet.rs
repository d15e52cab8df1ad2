//! A made-up day of a made-up fleet, of any size, the same each time: what the page's tests look at.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, NaiveDate, Utc};
use modtools::{
    language::Language,
    modulation::Modulation,
    record::{Delta, Incident, PerModulation, Report, Row, Silent, Snr, Status, Timestamp, Why},
    report::web::{Brand, Choice, Dated, Day, Head, Site},
};
use serde_json::json;

const STEPS: usize = 144;
const STEP_S: u64 = 600;
const TOWNS: [&str; 6] = ["Amsterdam", "Utrecht", "Groningen", "Maastricht", "Eindhoven", "Zürich"];

pub struct Fleet {
    pub report: Report,
    pub rows: Vec<Row>,
    steps: Vec<Vec<Option<Modulation>>>,
    date: NaiveDate,
    /// The file of the last days.
    pub history: Option<String>,
    pub language: Language,
}

/// A local day of so many upstreams, 48 on each CMTS, made at `made` (UTC).
pub fn fleet(upstreams: usize, date: &str, made: &str) -> Fleet {
    let mut random = fastrand::Rng::with_seed(7);
    let date: NaiveDate = date.parse().unwrap();
    let made: Timestamp = made.parse().unwrap();
    let (mut rows, mut steps) = (Vec::new(), Vec::new());
    for number in 0..upstreams {
        let course = course(&mut random);
        rows.push(row(&mut random, number, made, &course));
        steps.push(course);
    }
    let report = report(&rows, date, made);
    let history = Some(history(&rows, date));
    Fleet { report, rows, steps, date, history, language: Language::En }
}

impl Fleet {
    /// The data file.
    pub fn data(&self) -> String {
        let mut day = Day::new(STEP_S);
        for (row, steps) in self.rows.iter().zip(&self.steps) {
            day.push(row, steps.iter().copied());
        }
        day.finish(Head { report: &self.report, step_s: STEP_S, page_url: None, stopped: &[] })
    }

    /// Leaves out what is later than a moment, as a page of today does.
    pub fn cut(&mut self, now: &str) {
        let now: Timestamp = now.parse().unwrap();
        let steps = (now.since(self.report.from) / STEP_S as i64) as usize;
        self.steps.iter_mut().for_each(|held| held.truncate(steps));
        for row in &mut self.rows {
            row.hours.as_mut().unwrap().truncate(steps.div_ceil(6));
        }
        self.report.generated_at = now;
    }

    /// Writes it into a site.
    pub fn write(&self, directory: &Path) {
        let data = self.data();
        let today = DateTime::<Utc>::from_timestamp(self.report.generated_at.0, 0).unwrap().date_naive();
        let (made, is_empty) = (self.report.generated_at, self.rows.is_empty());
        let history = self.history.as_deref();
        let (date, language) = (self.date, self.language);
        let dated = Dated { date, today, made, data: &data, is_empty, history, language };
        Site::new(directory, 30).write(dated, &Choice::This(Box::<Brand>::default())).unwrap();
    }
}

/// What an upstream held in the middle of each step: most are well, some suffer in one of four ways.
fn course(random: &mut fastrand::Rng) -> Vec<Option<Modulation>> {
    let kind = random.u32(0..100);
    let from = random.usize(0..STEPS);
    let to = from + random.usize(1..60);
    let low = random.choice([Modulation::Qpsk, Modulation::Qam16, Modulation::Qam32]).unwrap();
    let mut of = |step: usize| match kind {
        0..2 => Some(low),
        2..10 if (from..to).contains(&step) => Some(low),
        10..14 if random.bool() => Some(low),
        14..17 if (from..to).contains(&step) => None,
        17..21 => Some(Modulation::Ofdma),
        21..35 if random.u32(0..60) == 0 => Some(Modulation::Qam16),
        _ => Some(Modulation::Qam64),
    };
    (0..STEPS).map(&mut of).collect()
}

fn row(random: &mut fastrand::Rng, number: usize, ts: Timestamp, course: &[Option<Modulation>]) -> Row {
    let (cmts, upstream) = (number / 48, number % 48);
    let family = cmts % 3;
    let held: Vec<_> = course.iter().flatten().copied().collect();
    let expected = if held.contains(&Modulation::Ofdma) { None } else { Some(Modulation::Qam64) };
    let is_low = |m: &Modulation| expected.is_some() && *m < Modulation::Qam64;
    let measurements = held.len() as u64;
    let of = |m: Modulation| held.iter().filter(|&&seen| seen == m).count() as u64;
    let seen = Modulation::ALL.into_iter().filter(|&m| of(m) > 0);
    let counts: PerModulation<u64> = seen.clone().map(|m| (m, of(m))).collect();
    let share: PerModulation<f64> = seen.map(|m| (m, 100.0 * of(m) as f64 / measurements as f64)).collect();
    let (down, up) = held.windows(2).fold((0, 0), |(down, up), pair| {
        (down + u64::from(pair[1] < pair[0]), up + u64::from(pair[1] > pair[0]))
    });
    let low = held.iter().filter(|m| is_low(m)).count() as u64;
    let lost_bits: u64 = held.iter().filter_map(|m| m.bits()).map(|bits| u64::from(6 - bits)).sum();
    let mean = lost_bits as f64 / measurements as f64;
    let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
    let width_hz = (family != 1).then_some(6.4e6);
    let town = *random.choice(&TOWNS).unwrap();
    let is_stuck = low == measurements && low > 0;
    let chronic_days = if is_stuck { 9 + number as u32 % 6 } else { 0 };
    let longest = course.split(|m| !m.as_ref().is_some_and(is_low)).map(<[_]>::len).max().unwrap_or(0);
    Row {
        ts,
        cmts: format!("CCAP{family}{:02}", cmts / 3),
        upstream: match family {
            0 => format!("{}/scq/{}", 1 + upstream / 24, upstream % 24),
            1 => format!("{}/{}.{}/0", 1 + upstream / 16, upstream % 16 / 4, upstream % 4),
            _ => format!("{}/0/{}/{}", 1 + upstream / 16, upstream % 16 / 4, upstream % 4),
        },
        platform: Some(["e6000", "casa", "cbr8"][family].to_owned()),
        description: Some(format!(
            "{town} node {}{}",
            random.u32(100..10_000),
            random.alphabetic().to_ascii_uppercase()
        )),
        last: held.last().copied().unwrap_or(Modulation::Unknown),
        measurements,
        counts,
        hops: down + up,
        hops_down: down,
        hops_up: up,
        hops_seed: down + up + 1,
        observed_s: measurements * STEP_S,
        coverage_pct: rounded(100.0 * measurements as f64 / STEPS as f64),
        time_pct: share.clone(),
        share_pct: share,
        expected,
        degraded_s: low * STEP_S,
        longest_degraded_s: longest as u64 * STEP_S,
        best_seen: is_stuck.then(|| NaiveDate::from_ymd_opt(2026, 4, 20).unwrap()),
        since: held.last().is_some_and(is_low).then(|| ts + -(STEP_S as i64) * (1 + number as i64 % 900)),
        chronic_days,
        center_hz: Some(16_400_000 + (number % 6) as u64 * 6_400_000),
        width_hz: width_hz.map(|width| width as u64),
        modems: Some(40 + number as u64 % 90),
        // The third family has no nodes: what has none is a group of its own.
        node: (family < 2).then(|| format!("{}{:03}", &folded(town)[..3], number / 12 % 400)),
        hub: (family < 2).then(|| format!("{town} hub {}", number % 2 + 1)),
        area: None,
        homes: None,
        snr_db: (family != 1).then_some(Snr { median: 33.2, min: 24.1, degraded: None, otherwise: None }),
        customer_hours: Some(rounded((low * STEP_S) as f64 / 3600.0 * (40 + number % 90) as f64)),
        url: None,
        says: match low {
            0 => "Never below QAM64 while observed; observed for 100 % of the time.".to_owned(),
            low => {
                format!("Below QAM64 for {}m in upstream {number}; observed for 100 % of the time.", low * 10)
            }
        },
        worst: held.iter().copied().filter(|m| m.bits().is_some()).min(),
        lost_pct: expected.map(|_| rounded(100.0 * mean / 6.0)),
        lost_mbps: expected.and(width_hz).map(|width| rounded(width / 1.25e6 * mean)),
        lost_gb: expected
            .and(width_hz)
            .map(|width| rounded(width / 1.25e6 * mean * measurements as f64 * 0.075)),
        flapping: down + up >= 12,
        hours: Some(course.chunks(6).map(hour).collect()),
        maintenance_s: 0,
        why: why(down + up, low, measurements, held.last().is_some_and(is_low), chronic_days),
        delta: (family == 0).then(|| Delta { hops: random.i64(-5..6), lost_pct: Some(rounded(mean - 0.5)) }),
    }
}

fn hour(steps: &[Option<Modulation>]) -> char {
    match steps.iter().flatten().min() {
        None => '-',
        Some(Modulation::Ofdma) => 'O',
        Some(lowest) => lowest.bits().map_or('?', |bits| char::from(b'0' + bits)),
    }
}

fn why(hops: u64, low: u64, measurements: u64, is_low: bool, chronic_days: u32) -> Vec<Why> {
    let is_stuck = low == measurements;
    [
        (Why::Chronic, chronic_days >= 7),
        (Why::StuckLow, is_stuck),
        (Why::Flapping, hops >= 12),
        (Why::SteppedDown, is_low && !is_stuck && hops < 12),
        (Why::Gap, measurements < 130),
    ]
    .into_iter()
    .filter_map(|(why, applies)| applies.then_some(why))
    .collect()
}

fn report(rows: &[Row], date: NaiveDate, made: Timestamp) -> Report {
    let from = Timestamp(date.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp());
    let sum = |of: fn(&Row) -> u64| rows.iter().map(of).sum::<u64>();
    let measurements = sum(|row| row.measurements);
    let count = |m| rows.iter().filter_map(|row| row.counts.get(&m)).sum::<u64>();
    let cmts: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.cmts).collect();
    let incident = |cmts: &str, at: i64| Incident {
        cmts: cmts.to_owned(),
        ts: from + at,
        upstreams: 24,
        platform: None,
        node: None,
        maintenance: false,
    };
    Report {
        ts: made,
        from,
        to: from + 86_400,
        date: Some(date.to_string()),
        tz: "UTC".to_owned(),
        interval_s: STEP_S,
        maintenance: Vec::new(),
        generated_at: made,
        upstreams: rows.len() as u64,
        built_in: 0,
        cmts: cmts.len() as u64,
        hops: sum(|row| row.hops),
        measurements,
        coverage_pct: rows.iter().map(|row| row.coverage_pct).sum::<f64>() / rows.len().max(1) as f64,
        share_pct: Modulation::ALL
            .into_iter()
            .filter(|&m| count(m) > 0)
            .map(|m| (m, 100.0 * count(m) as f64 / measurements as f64))
            .collect(),
        lost_mbps: rows.iter().filter_map(|row| row.lost_mbps).reduce(|a, b| a + b),
        lost_gb: rows.iter().filter_map(|row| row.lost_gb).reduce(|a, b| a + b),
        incidents: vec![
            incident("CCAP000", 15_000),
            incident("CCAP100", 15_600),
            incident("CCAP200", 60_000),
        ],
        missing_days: Vec::new(),
        gone: Vec::new(),
        silent: vec![Silent {
            cmts: "CCAP099".to_owned(),
            since: Some(from + -7200),
            status: Status::AuthFailed,
        }],
    }
}

fn folded(town: &str) -> String {
    town.replace('ü', "u").to_uppercase()
}

/// Sixty days of history: chronic ones were well until so many days ago, the others always.
fn history(rows: &[Row], date: NaiveDate) -> String {
    let days: Vec<_> = (0..60)
        .map(|back| json!({"date": (date - chrono::Days::new(59 - back)).to_string(), "made": format!("{back}.1")}))
        .collect();
    let mut by_cmts: BTreeMap<&str, (Vec<&str>, Vec<String>)> = BTreeMap::new();
    for row in rows {
        let (upstreams, strips) = by_cmts.entry(&row.cmts).or_default();
        upstreams.push(&row.upstream);
        strips.push(match row.chronic_days {
            0 => "e60".to_owned(),
            // Nothing is known of the first days.
            days => format!("-35e{}c{}", 25 - days, days),
        });
    }
    let rows: Vec<_> =
        by_cmts.into_iter().map(|(cmts, (names, strips))| json!([cmts, names, strips])).collect();
    json!({"v": 1, "kind": "modtools-history", "tz": "UTC", "interval_s": 600, "days": days, "rows": rows})
        .to_string()
}
