//! `--by`: sums over the upstreams of a CMTS or of a description, in place of the rows.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    io::{self, Write},
};

use super::table::{self, Fill};
use crate::{
    cli::report::{By, Format, Sort},
    measure::{arithmetic::Numbers, natural},
    record::{self, Group, Row, Timestamp},
    report::{
        findings::{Findings, rounded},
        request::Request,
    },
    text,
};

/// The sums before they are rounded.
#[derive(Default)]
struct Sum {
    upstreams: u64,
    degraded: u64,
    hops: u64,
    degraded_s: u64,
    coverage_pct: f64,
    /// Sum and how many.
    lost_pct: (f64, u64),
    lost_mbps: Option<f64>,
    lost_gb: Option<f64>,
    why: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, row: &Row, numbers: &Numbers, width_hz: Option<u64>) {
        self.upstreams += 1;
        self.degraded += u64::from(numbers.degraded_s > 0);
        self.hops += u64::from(numbers.hops);
        self.degraded_s += numbers.degraded_s;
        self.coverage_pct += numbers.coverage_pct();
        if let Some(lost) = numbers.lost_pct() {
            self.lost_pct = (self.lost_pct.0 + lost, self.lost_pct.1 + 1);
        }
        let sum = |sum: Option<f64>, more: Option<f64>| more.map(|more| sum.unwrap_or(0.0) + more).or(sum);
        self.lost_mbps = sum(self.lost_mbps, width_hz.and_then(|width| numbers.lost_mbps(width)));
        self.lost_gb = sum(self.lost_gb, width_hz.and_then(|width| numbers.lost_gb(width)));
        for why in &row.why {
            *self.why.entry(why.word()).or_default() += 1;
        }
    }

    fn group(self, ts: Timestamp, by: By, name: Option<String>) -> Group {
        let (cmts, description) = match by {
            By::Cmts => (name, None),
            By::Description => (None, name),
        };
        let (lost, with_lost) = self.lost_pct;
        Group {
            ts,
            cmts,
            description,
            upstreams: self.upstreams,
            degraded: self.degraded,
            hops: self.hops,
            degraded_s: self.degraded_s,
            coverage_pct: rounded(self.coverage_pct / self.upstreams.max(1) as f64),
            lost_pct: (with_lost > 0).then(|| rounded(lost / with_lost as f64)),
            lost_mbps: self.lost_mbps.map(rounded),
            lost_gb: self.lost_gb.map(rounded),
            why: self.why.into_iter().map(|(word, count)| (word.to_owned(), count)).collect(),
        }
    }
}

/// The groups in the order asked for. Upstreams without a description are a group of their own.
fn groups(request: &Request, by: By, findings: &Findings) -> Vec<Group> {
    let mut sums: BTreeMap<Option<String>, Sum> = BTreeMap::new();
    for (&(number, _), (row, numbers)) in findings.lines.iter().zip(findings.all_rows()) {
        let name = match by {
            By::Cmts => Some(row.cmts.clone()),
            By::Description => row.description.clone(),
        };
        sums.entry(name).or_default().add(&row, numbers, findings.roster.about(number).width_hz);
    }
    let ts = findings.frame.window.from;
    let mut groups: Vec<_> = sums.into_iter().map(|(name, sum)| sum.group(ts, by, name)).collect();
    groups.sort_by(|a, b| {
        let first = match request.sort {
            Sort::Hops => b.hops.cmp(&a.hops),
            Sort::Lost => {
                (b.lost_mbps, b.lost_pct).partial_cmp(&(a.lost_mbps, a.lost_pct)).unwrap_or(Ordering::Equal)
            }
            Sort::Degraded => (b.degraded_s, b.degraded).cmp(&(a.degraded_s, a.degraded)),
            Sort::Cmts => Ordering::Equal,
        };
        first.then_with(|| natural::compare(name(a), name(b)))
    });
    groups
}

fn name(group: &Group) -> &str {
    group.cmts.as_deref().or(group.description.as_deref()).unwrap_or_default()
}

/// Writes them after the header, or as CSV without one.
///
/// # Errors
/// Those of the writer.
pub fn write(request: &Request, by: By, findings: &Findings, output: &mut dyn Write) -> io::Result<()> {
    let groups = groups(request, by, findings);
    let shown = &groups[..groups.len().min(request.top.unwrap_or(usize::MAX))];
    match request.format {
        Format::Table => in_words(request, by, findings, shown, groups.len(), output),
        Format::Csv | Format::CsvExcel => csv(shown, output),
        Format::Json => {
            let mut report = serde_json::to_value(findings.report(request))?;
            report["groups"] = serde_json::to_value(shown)?;
            serde_json::to_writer_pretty(&mut *output, &report)?;
            output.write_all(b"\n")
        }
        Format::Ndjson | Format::Samples | Format::Changes | Format::Days => {
            record::write(output, &findings.report(request))?;
            shown.iter().try_for_each(|group| record::write(output, group))
        }
    }
}

fn whys(group: &Group) -> String {
    group.why.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
}

fn in_words(
    request: &Request,
    by: By,
    findings: &Findings,
    shown: &[Group],
    all: usize,
    output: &mut dyn Write,
) -> io::Result<()> {
    table::head(request, findings, output)?;
    let what = match by {
        By::Cmts => "CMTS",
        By::Description => "DESCRIPTION",
    };
    let columns: [(&str, bool, Fill<Group>); 9] = [
        (what, false, |group| match name(group) {
            "" => "(none)".to_owned(),
            name => text::terminal(name).into_owned(),
        }),
        ("UPSTREAMS", true, |group| group.upstreams.to_string()),
        ("DEGRADED", true, |group| group.degraded.to_string()),
        ("HOPS", true, |group| group.hops.to_string()),
        ("LOST%", true, |group| table::decimal(group.lost_pct)),
        ("MBIT/S", true, |group| table::decimal(group.lost_mbps)),
        ("GB", true, |group| table::decimal(group.lost_gb)),
        ("COVER%", true, |group| table::decimal(Some(group.coverage_pct))),
        ("WHY", false, whys),
    ];
    table::plain(request, &columns, shown, output)?;
    match all - shown.len() {
        0 => Ok(()),
        more => writeln!(output, "\n{more} more are not shown (--top)"),
    }
}

/// A column of the CSV: its name and what it takes from a group.
type Column = (&'static str, fn(&Group) -> String);

const COLUMNS: [Column; 11] = [
    ("cmts", |group| safe(group.cmts.as_deref())),
    ("description", |group| safe(group.description.as_deref())),
    ("upstreams", |group| group.upstreams.to_string()),
    ("degraded", |group| group.degraded.to_string()),
    ("hops", |group| group.hops.to_string()),
    ("degraded_s", |group| group.degraded_s.to_string()),
    ("coverage_pct", |group| group.coverage_pct.to_string()),
    ("lost_pct", |group| shown(group.lost_pct)),
    ("lost_mbps", |group| shown(group.lost_mbps)),
    ("lost_gb", |group| shown(group.lost_gb)),
    ("why", whys),
];

fn safe(text: Option<&str>) -> String {
    text::csv_cell(text.unwrap_or_default()).into_owned()
}

fn shown(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn csv(groups: &[Group], output: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(output);
    writer.write_record(COLUMNS.map(|(name, _)| name))?;
    for group in groups {
        writer.write_record(COLUMNS.map(|(_, cell)| cell(group)))?;
    }
    writer.flush()
}
