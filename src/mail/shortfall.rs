//! What a report lacks. The subject and the top of the mail say it, because a report that looks whole and is
//! not misleads more than a missing one.

use std::collections::BTreeMap;

use super::{
    input::Reading,
    page::safe,
    period::Period,
    words::{Language, Words, fill},
};

/// A coverage below this is named, %.
pub const THIN_PCT: f64 = 90.0;

/// Something that a report lacks.
#[derive(Clone, Debug, PartialEq)]
pub enum Shortfall {
    /// Not one upstream was measured.
    Empty,
    /// Fewer rows came than the header has upstreams: cut short on the way, or on purpose by `--top`.
    Rows {
        /// Rows that came.
        came: usize,
        /// Upstreams of the header.
        of: u64,
    },
    /// The window was not over when the report was made; local time.
    Until(String),
    /// Devices without a good scan.
    Silent(usize),
    /// The upstreams were observed for only so much of the time, %.
    Coverage(f64),
    /// Days of the window that no data is left of.
    MissingDays(Vec<String>),
    /// Lines of the report that could not be read.
    BadLines(u64),
}

/// So many missing days are named; the rest is a number.
const NAMED_DAYS: usize = 3;

/// What a report lacks, gravest first.
#[must_use]
pub fn of(reading: &Reading) -> Vec<Shortfall> {
    let report = &reading.report;
    let mut found = Vec::new();
    if report.upstreams == 0 && reading.rows.is_empty() {
        found.push(Shortfall::Empty);
    } else {
        let came = reading.rows.len();
        if (came as u64) < report.upstreams {
            found.push(Shortfall::Rows { came, of: report.upstreams });
        }
        if report.coverage_pct < THIN_PCT {
            found.push(Shortfall::Coverage(report.coverage_pct));
        }
    }
    if !reading.report.missing_days.is_empty() {
        found.push(Shortfall::MissingDays(reading.report.missing_days.clone()));
    }
    if !report.silent.is_empty() {
        found.push(Shortfall::Silent(report.silent.len()));
    }
    if report.generated_at < report.to {
        found.push(Shortfall::Until(Period::of(report).local(report.generated_at)));
    }
    if reading.bad_lines > 0 {
        found.push(Shortfall::BadLines(reading.bad_lines));
    }
    found
}

/// CMTSs below [`THIN_PCT`]: their upstreams and the mean of their coverage, lowest first.
#[must_use]
pub fn thin_cmts(reading: &Reading) -> Vec<(&str, usize, f64)> {
    let mut by_cmts: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for row in &reading.rows {
        let (upstreams, sum) = by_cmts.entry(&row.cmts).or_default();
        *upstreams += 1;
        *sum += row.coverage_pct;
    }
    let mean = by_cmts.into_iter().map(|(cmts, (upstreams, sum))| (cmts, upstreams, sum / upstreams as f64));
    let mut thin: Vec<_> = mean.filter(|&(_, _, coverage)| coverage < THIN_PCT).collect();
    thin.sort_by(|a, b| a.2.total_cmp(&b.2));
    thin
}

/// Each shortfall in words, apart from [`Shortfall::Empty`].
fn details(shortfalls: &[Shortfall], words: &Words) -> Vec<String> {
    let of_one = |shortfall: &Shortfall| match shortfall {
        Shortfall::Empty => None,
        Shortfall::Rows { came, of } => Some(fill(words.only_rows, &[&came.to_string(), &of.to_string()])),
        Shortfall::Until(time) => Some(fill(words.only_until, &[time])),
        Shortfall::Silent(count) => Some(fill(words.cmts_silent, &[&count.to_string()])),
        Shortfall::Coverage(pct) => Some(fill(words.coverage_of, &[&words.number(*pct, 1)])),
        Shortfall::MissingDays(days) => {
            let named = days.iter().take(NAMED_DAYS).map(|day| safe(day)).collect::<Vec<_>>().join(" ");
            let more = days.len().saturating_sub(NAMED_DAYS);
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            Some(fill(words.missing_days, &[&format!("{named}{more}")]))
        }
        Shortfall::BadLines(count) => Some(fill(words.bad_lines, &[&count.to_string()])),
    };
    shortfalls.iter().filter_map(of_one).collect()
}

/// The sentences for the top of the mail; none when nothing is lacking.
#[must_use]
pub fn sentence(shortfalls: &[Shortfall], words: &Words) -> Option<String> {
    let details = details(shortfalls, words).join(", ");
    let partial = (!details.is_empty()).then(|| fill(words.partial, &[&details]));
    let empty = shortfalls.contains(&Shortfall::Empty).then(|| words.empty.to_owned());
    let sentences: Vec<_> = empty.into_iter().chain(partial).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// What is appended to the subject: ` (partial: silent CMTSs: 2)`. English in every language, like the
/// subject that it is appended to, so that the rules of a mailbox need only know one.
#[must_use]
pub fn in_subject(shortfalls: &[Shortfall]) -> String {
    let words = Language::En.words();
    let details = details(shortfalls, words).join(", ");
    match (shortfalls.contains(&Shortfall::Empty), details.as_str()) {
        (false, "") => String::new(),
        (true, "") => " (empty: no samples)".to_owned(),
        (true, details) => format!(" (empty: no samples; {details})"),
        (false, details) => format!(" (partial: {details})"),
    }
}
