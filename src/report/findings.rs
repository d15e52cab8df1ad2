//! What a window came to, before it is written in any format: the numbers of every upstream in the order
//! asked for, and the header over them. Rounding happens here, at the way out.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{
    history::Read,
    request::{Question, View},
    saved::Saved,
    web::Past,
};
use crate::{
    cli::report::Sort,
    measure::devices::Devices,
    measure::{
        Window,
        arithmetic::{Frame, Numbers, percent},
        natural,
        plan::{Plan, date_of},
        roster::{About, Roster},
        says::says,
        tally::Tally,
        why::{Circumstances, Yardstick, why, yardsticks},
        window::local,
    },
    modulation::Modulation,
    record::{Delta, Gone, Incident, PerModulation, Report, Row, Silent, Timestamp, columns::rounded},
};

/// The result of a window.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Findings<'a> {
    pub question: &'a Question,
    pub frame: Frame,
    /// Days that are over of which nothing is left.
    pub missing: Vec<NaiveDate>,
    pub roster: Roster,
    /// Each upstream that has a sample in the window, by its number in the roster.
    pub lines: Vec<(u32, Numbers)>,
    pub incidents: Vec<Incident>,
    /// The numbers of the upstreams that are in one outside maintenance.
    pub in_incident: HashSet<u32>,
    pub silent: Vec<Silent>,
    pub gone: Vec<Gone>,
    /// The last days of every upstream, where a page is asked for.
    pub past: Option<Past>,
    /// The zone of its days and hours.
    pub tz: Tz,
    /// A report that was made before, in place of `lines`.
    saved: Option<Saved>,
    none: Numbers,
    /// When the last good scan of each device began that is not gone.
    pub last_good: BTreeMap<String, Timestamp>,
}

/// Whether an upstream's last sample is below what is expected.
#[must_use]
pub fn is_below(row: &Row) -> bool {
    let expected = row.expected.and_then(Modulation::bits);
    row.last.bits().zip(expected).is_some_and(|(last, expected)| last < expected)
}

impl<'a> Findings<'a> {
    /// What was tallied, with names.
    #[must_use]
    pub fn new(question: &'a Question, read: Read, roster: Roster, devices: Devices) -> Self {
        let Read { tallied, plan, missing } = read;
        let Plan { frame, days, .. } = plan;
        let last_good = devices.last_good(question.now);
        let (silent, gone) = devices.without_good_scan(frame.window, frame.end, &tallied.heard(&roster));
        let (incidents, in_incident) = tallied.incidents(&roster);
        let numbers = |(number, course)| {
            let about = roster.about(number);
            let told = question.expected.of(about.cmts, about.upstream);
            (number, Numbers::new(course, &frame, days, told))
        };
        let lines = tallied.lines.into_iter().map(numbers).collect();
        let (tz, saved, none) = (question.tz, None, Numbers::default());
        let past = None;
        Findings {
            question,
            frame,
            missing,
            roster,
            lines,
            incidents,
            in_incident,
            silent,
            gone,
            last_good,
            past,
            tz,
            saved,
            none,
        }
    }

    /// A report that was made before.
    #[must_use]
    pub fn of_saved(question: &'a Question, saved: Saved) -> Self {
        let window = Window { from: saved.report.from, to: saved.report.to };
        let frame = Frame { end: window.to.min(saved.report.generated_at), ..question.frame(window) };
        let read = Read {
            tallied: Tally::new(Plan::new(frame.clone(), question.tz, window.from), &question.maintained)
                .finish(&Roster::default()),
            plan: Plan::new(frame, question.tz, window.from),
            missing: Vec::new(),
        };
        let tz = saved.tz().unwrap_or(question.tz);
        let empty = Self::new(question, read, Roster::default(), Devices::default());
        Findings { tz, saved: Some(saved), ..empty }
    }

    /// The rows of a report that was made before.
    #[must_use]
    pub fn saved_rows(&self) -> Option<&[Row]> {
        self.saved.as_ref().map(|saved| &saved.rows[..])
    }

    /// Whether it is a report of which only some rows were written.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.saved.as_ref().is_some_and(Saved::is_cut)
    }

    /// How many upstreams have a row.
    #[must_use]
    pub fn len(&self) -> usize {
        self.saved_rows().map_or(self.lines.len(), <[Row]>::len)
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The local date that files of this window are named after.
    #[must_use]
    pub fn file_date(&self) -> NaiveDate {
        local(self.tz, self.frame.window.from).date()
    }

    /// Puts the upstreams in order. `lost` is by Mbit/s where widths are known, else by percent, then by the time
    /// below what is expected, then by hops; all end with CMTS and upstream in natural order.
    pub fn sort(&mut self, by: Sort) {
        if let Some(saved) = &mut self.saved {
            saved.rows.sort_by(|a, b| Rank::of_row(by, a).cmp(&Rank::of_row(by, b)));
            return;
        }
        let roster = &self.roster;
        self.lines
            .sort_by_cached_key(|(number, numbers)| Rank::of_numbers(by, roster.about(*number), numbers));
    }

    /// The header over all upstreams.
    #[must_use]
    pub fn report(&self) -> Report {
        if let Some(saved) = &self.saved {
            return saved.report.clone();
        }
        let question = self.question;
        let numbers = || self.lines.iter().map(|(_, numbers)| numbers);
        let measurements = numbers().map(|numbers| numbers.measurements()).sum();
        let cmts: BTreeSet<_> = self.lines.iter().map(|&(number, _)| self.roster.cmts_of(number)).collect();
        // An empty sum of floats is -0.0.
        let coverage = numbers().map(Numbers::coverage_pct).fold(0.0, |sum, pct| sum + pct);
        let lost = |of: fn(&Numbers, u64) -> Option<f64>| {
            self.lines
                .iter()
                .filter_map(|&(number, ref numbers)| of(numbers, self.roster.about(number).width_hz?))
                .reduce(|sum, lost| sum + lost)
                .map(rounded)
        };
        let count = |m: Modulation| numbers().map(|numbers| u64::from(numbers.counts[m.index()])).sum();
        Report {
            ts: question.now,
            from: self.frame.window.from,
            to: self.frame.window.to,
            date: question.date(self.frame.window).map(|date| date.to_string()),
            tz: question.tz.name().to_owned(),
            interval_s: question.interval_s,
            generated_at: question.now,
            upstreams: self.lines.len() as u64,
            built_in: self.lines.iter().filter(|&&(number, _)| self.roster.is_unconfirmed(number)).count()
                as u64,
            cmts: cmts.len() as u64,
            hops: numbers().map(|numbers| u64::from(numbers.hops)).sum(),
            measurements,
            coverage_pct: rounded(coverage / (self.lines.len().max(1)) as f64),
            share_pct: rounded_shares(shares(count, measurements)),
            lost_mbps: lost(Numbers::lost_mbps),
            lost_gb: lost(Numbers::lost_gb),
            incidents: self.incidents.clone(),
            maintenance: question.maintained.within(self.frame.window).collect(),
            missing_days: self.missing.iter().map(ToString::to_string).collect(),
            silent: self.silent.clone(),
            gone: self.gone.clone(),
        }
    }

    /// The rows in their order, at most `top`.
    pub fn rows<'f>(&'f self, view: &'f View) -> impl Iterator<Item = Row> + 'f {
        self.all_rows(view).map(|(row, _)| row).take(view.top.unwrap_or(usize::MAX))
    }

    /// All rows in their order, and the numbers that they came of.
    pub fn all_rows<'f>(&'f self, view: &'f View) -> impl Iterator<Item = (Row, &'f Numbers)> {
        self.exact_rows(view).map(|(row, numbers)| (row.rounded(), numbers))
    }

    /// As [`Findings::all_rows`], not rounded: sums are made of these.
    pub fn exact_rows<'f>(&'f self, view: &'f View) -> Box<dyn Iterator<Item = (Row, &'f Numbers)> + 'f> {
        let Some(saved) = self.saved_rows() else { return Box::new(self.reckoned_rows(view)) };
        Box::new(saved.iter().map(|row| {
            let url = view.page_url.as_deref().map(|page| self.url(page, &row.cmts, &row.upstream));
            (Row { url: url.or_else(|| row.url.clone()), ..row.clone() }, &self.none)
        }))
    }

    fn reckoned_rows<'f>(&'f self, view: &'f View) -> impl Iterator<Item = (Row, &'f Numbers)> {
        let cmts_of = |number: u32| self.roster.cmts_of(number);
        let usual = yardsticks(self.lines.iter().map(|&(number, ref numbers)| (cmts_of(number), numbers)));
        self.lines.iter().map(move |&(number, ref numbers)| {
            let about = self.roster.about(number);
            let told = self.question.expected.of(about.cmts, about.upstream).map(Yardstick::Told);
            let usual = || usual.get(&self.roster.cmts_of(number)).copied().map(Yardstick::Neighbours);
            let about_it = Circumstances {
                is_in_incident: self.in_incident.contains(&number),
                is_unconfirmed: self.roster.is_unconfirmed(number),
                yardstick: told.or_else(usual),
            };
            let why = why(numbers, about_it);
            let says = says(numbers, self.question.tz, view.language);
            let url = view.page_url.as_deref().map(|page| self.url(page, about.cmts, about.upstream));
            (Row { why, says, url, ..row(self.frame.window.from, about, numbers) }, numbers)
        })
    }

    /// The address of a row on the page of its day.
    fn url(&self, page: &str, cmts: &str, upstream: &str) -> String {
        let (date, row) = (self.file_date(), percent_encoded(&format!("{cmts} {upstream}")));
        format!("{}#date={date}&open={row}", page.trim_end_matches('#'))
    }

    /// How many rows `top` leaves out.
    #[must_use]
    pub fn left_out(&self, view: &View) -> usize {
        self.len().saturating_sub(view.top.unwrap_or(usize::MAX))
    }
}

/// What an order goes by.
struct Rank<'a> {
    by: Sort,
    /// Mbit/s where the width is known, and percent.
    lost: (Option<f64>, Option<f64>),
    degraded_s: u64,
    longest_degraded_s: u64,
    hops: u64,
    /// Customer seconds.
    customers: Option<u64>,
    cmts: &'a str,
    upstream: &'a str,
}

impl<'a> Rank<'a> {
    fn of_numbers(by: Sort, about: About<'a>, numbers: &Numbers) -> Self {
        let mbps = about.width_hz.and_then(|width| numbers.lost_mbps(width));
        Rank {
            by,
            lost: (mbps, numbers.lost_pct()),
            degraded_s: numbers.degraded_s,
            longest_degraded_s: numbers.longest_degraded_s,
            hops: numbers.hops.into(),
            customers: about.modems.map(|modems| modems.saturating_mul(numbers.degraded_s)),
            cmts: about.cmts,
            upstream: about.upstream,
        }
    }

    fn of_row(by: Sort, row: &'a Row) -> Self {
        Rank {
            by,
            lost: (row.lost_mbps, row.lost_pct),
            degraded_s: row.degraded_s,
            longest_degraded_s: row.longest_degraded_s,
            hops: row.hops,
            customers: row.modems.map(|modems| modems.saturating_mul(row.degraded_s)),
            cmts: &row.cmts,
            upstream: &row.upstream,
        }
    }
}

impl Ord for Rank<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self, other);
        let first = match a.by {
            Sort::Hops => b.hops.cmp(&a.hops),
            Sort::Lost => {
                let lost = b.lost.partial_cmp(&a.lost).unwrap_or(Ordering::Equal);
                lost.then_with(|| (b.degraded_s, b.hops).cmp(&(a.degraded_s, a.hops)))
            }
            Sort::Degraded => (b.degraded_s, b.longest_degraded_s).cmp(&(a.degraded_s, a.longest_degraded_s)),
            Sort::Customers => b.customers.cmp(&a.customers),
            Sort::Cmts => Ordering::Equal,
        };
        let names =
            || natural::compare(a.cmts, b.cmts).then_with(|| natural::compare(a.upstream, b.upstream));
        first.then_with(names)
    }
}

impl PartialOrd for Rank<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rank<'_> {}

fn row(ts: Timestamp, about: About<'_>, numbers: &Numbers) -> Row {
    let lost = |of: fn(&Numbers, u64) -> Option<f64>| of(numbers, about.width_hz?);
    let count = |m: Modulation| u64::from(numbers.counts[m.index()]);
    let time = |m: Modulation| u64::from(numbers.time[m.index()]);
    Row {
        ts,
        cmts: about.cmts.to_owned(),
        upstream: about.upstream.to_owned(),
        platform: about.platform.map(str::to_owned),
        description: about.description.map(str::to_owned),
        center_hz: about.center_hz,
        width_hz: about.width_hz,
        modems: about.modems,
        node: about.node.map(|node| node.node.clone()),
        hub: about.node.and_then(|node| node.hub.clone()),
        area: about.node.and_then(|node| node.area.clone()),
        homes: about.node.and_then(|node| node.homes),
        snr_db: numbers.snr_db(),
        url: None,
        last: numbers.last(),
        measurements: numbers.measurements(),
        counts: Modulation::ALL.into_iter().map(|m| (m, count(m))).filter(|&(_, n)| n > 0).collect(),
        hops: u64::from(numbers.hops),
        hops_down: u64::from(numbers.hops_down),
        hops_up: u64::from(numbers.hops_up),
        hops_seed: u64::from(numbers.hops_seed),
        observed_s: numbers.observed_s(),
        coverage_pct: numbers.coverage_pct(),
        share_pct: shares(count, numbers.measurements()),
        time_pct: shares(time, numbers.observed_s()),
        expected: numbers.expected,
        best_seen: numbers.best_seen.and_then(date_of),
        since: numbers.since,
        chronic_days: numbers.chronic_days,
        degraded_s: numbers.degraded_s,
        customer_hours: about.modems.map(|modems| numbers.degraded_s as f64 * modems as f64 / 3600.0),
        longest_degraded_s: numbers.longest_degraded_s,
        worst: numbers.worst(),
        lost_pct: numbers.lost_pct(),
        lost_mbps: lost(Numbers::lost_mbps),
        lost_gb: lost(Numbers::lost_gb),
        flapping: numbers.flapping,
        hours: numbers.hours(),
        maintenance_s: numbers.maintenance_s(),
        why: Vec::new(),
        says: String::new(),
        delta: numbers.delta().map(|(hops, lost)| Delta { hops, lost_pct: lost }),
    }
}

/// The modulations that were seen, in percent of a whole.
fn shares(of: impl Fn(Modulation) -> u64, whole: u64) -> PerModulation<f64> {
    Modulation::ALL
        .into_iter()
        .map(|m| (m, of(m)))
        .filter(|&(_, part)| part > 0)
        .map(|(m, part)| (m, percent(part, whole)))
        .collect()
}

fn rounded_shares(mut shares: PerModulation<f64>) -> PerModulation<f64> {
    shares.values_mut().for_each(|pct| *pct = rounded(*pct));
    shares
}

/// For an address (RFC 3986): all but unreserved characters by their bytes.
fn percent_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
