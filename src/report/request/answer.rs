//! Which answer is wanted, and in which form it goes out; flags that mean nothing for it are refused.

use std::path::PathBuf;

use chrono_tz::Tz;

use crate::{
    cli::{
        self,
        report::{Format, Layout},
    },
    error::{Error, Result},
    moment,
    record::Timestamp,
    report::format::Shape,
};

/// What answers the question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// How each upstream did.
    Report(Shape),
    /// `--format samples`.
    Samples,
    /// `--format changes`.
    Changes,
    /// `--format days`.
    Days,
    At(Timestamp),
    Fresh,
    /// `--format check`.
    Check,
    Works,
    /// `--events`, with the file of its state.
    Events(PathBuf),
}

impl Answer {
    /// Understands the flags; gives also whether the answer is for people, not as records. `terminal` is whether
    /// it goes to one.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the flag.
    pub fn of(args: &cli::Report, terminal: bool, tz: Tz, now: Timestamp) -> Result<(Self, bool)> {
        check_former_names(args)?;
        if args.format != Some(Format::Check) {
            let limits = [("--warning", args.warning.is_some()), ("--critical", args.critical.is_some())];
            if let Some((flag, _)) = limits.into_iter().find(|&(_, given)| given) {
                return Err(Error::usage(format!("{flag}: it needs --format check")));
            }
        }
        let default = match args.layout {
            Some(Layout::Seed) => Format::Csv,
            // Two moments are compared with diff: a table also where the output is not a terminal.
            _ if terminal || args.at.is_some() => Format::Table,
            _ => Format::Ndjson,
        };
        let format = args.format.unwrap_or(default);
        let text = format == Format::Table || (format == Format::Changes && terminal);
        if let Some(state) = &args.state {
            check_events(format, args)?;
            return Ok((Answer::Events(state.clone()), text));
        }
        if args.works.is_some() {
            check_works(format, args)?;
            return Ok((Answer::Works, text));
        }
        let answer = match (&args.at, format) {
            (Some(at), _) => {
                check_short("--at", format, args)?;
                Answer::At(moment::moment("--at", at, tz, now)?)
            }
            _ if args.fresh => {
                check_short("--fresh", format, args)?;
                Answer::Fresh
            }
            (_, Format::Samples) => {
                refuse("--format samples", &[("--top", args.top.is_some())], args)?;
                Answer::Samples
            }
            (_, Format::Changes) => {
                refuse("--format changes", &[("--top", args.top.is_some())], args)?;
                Answer::Changes
            }
            (_, Format::Check) => {
                check_line(args)?;
                Answer::Check
            }
            (_, Format::Days) => {
                check_days(args)?;
                Answer::Days
            }
            (_, format) => {
                let layout = args.layout.unwrap_or(Layout::Full);
                check_layout(args, format, layout)?;
                Answer::Report(Shape::new(format, layout, args.by)?)
            }
        };
        Ok((answer, text))
    }
}

/// Flags of the program that this one replaces name what takes their place.
fn check_former_names(args: &cli::Report) -> Result<()> {
    let former = [
        (args.json_only, "--json-only", "--layout seed --format json -o FILE, or --save"),
        (args.csv_only, "--csv-only", "--layout seed -o FILE, or --save"),
        (args.web_only, "--web-only", "--save --save-copy for the JSON, --web DIR or --deploy for a page"),
    ];
    match former.into_iter().find(|&(given, ..)| given) {
        Some((_, flag, now)) => Err(Error::usage(format!("{flag}: unknown flag; use {now}"))),
        None => Ok(()),
    }
}

/// The days of a window are told as reports tell them.
fn check_days(args: &cli::Report) -> Result<()> {
    let whole = [
        ("--by", args.by.is_some()),
        ("--save", args.save),
        ("--web", args.web.is_some()),
        ("--html", args.html.is_some()),
        ("--deploy", args.deploy.deploy.is_some()),
        ("--layout", args.layout.is_some()),
    ];
    meaningless("--format days", whole.into_iter())
}

/// The seed layout is a CSV or JSON file; the full one is what every format has by itself.
fn check_layout(args: &cli::Report, format: Format, layout: Layout) -> Result<()> {
    if layout == Layout::Full {
        return Ok(());
    }
    if !matches!(format, Format::Csv | Format::Json) {
        return Err(Error::usage("--layout seed: it is there as --format csv and --format json only"));
    }
    let senseless = [
        ("--sort", args.sort.is_some()),
        ("--expected", args.expected.is_some()),
        ("--by", args.by.is_some()),
    ];
    meaningless("--layout seed", senseless.into_iter())
}

fn check_short(question: &str, format: Format, args: &cli::Report) -> Result<()> {
    if !matches!(format, Format::Table | Format::Ndjson) {
        return Err(Error::usage(format!(
            "{question}: it is there as --format table and --format ndjson only"
        )));
    }
    refuse(question, &[], args)
}

/// One line has no rows; works and what is expected matter for it.
fn check_line(args: &cli::Report) -> Result<()> {
    let of_rows =
        of_report(args).into_iter().filter(|(flag, _)| !["--maintenance", "--expected"].contains(flag));
    meaningless("--format check", of_rows.chain([("--top", args.top.is_some())]))
}

/// Works and what is expected matter for events, the rest of a report does not.
fn check_events(format: Format, args: &cli::Report) -> Result<()> {
    if !matches!(format, Format::Table | Format::Ndjson) {
        return Err(Error::usage("--events: only --format table and --format ndjson have it"));
    }
    let of_report =
        of_report(args).into_iter().filter(|(flag, _)| !["--maintenance", "--expected"].contains(flag));
    meaningless("--events", of_report.chain([("--top", args.top.is_some())]))
}

/// What is expected matters for works, the rest of a report does not.
fn check_works(format: Format, args: &cli::Report) -> Result<()> {
    if !matches!(format, Format::Table | Format::Ndjson | Format::Csv) {
        return Err(Error::usage("--works: it is there as --format table, ndjson and csv only"));
    }
    let of_report = of_report(args).into_iter().filter(|&(flag, _)| flag != "--expected");
    meaningless("--works", of_report.chain([("--top", args.top.is_some())]))
}

fn refuse(question: &str, more: &[(&'static str, bool)], args: &cli::Report) -> Result<()> {
    meaningless(question, more.iter().copied().chain(of_report(args)))
}

fn of_report(args: &cli::Report) -> [(&'static str, bool); 9] {
    [
        ("--sort", args.sort.is_some()),
        ("--by", args.by.is_some()),
        ("--save", args.save),
        ("--web", args.web.is_some()),
        ("--html", args.html.is_some()),
        ("--deploy", args.deploy.deploy.is_some()),
        ("--maintenance", args.maintenance.is_some()),
        ("--expected", args.expected.is_some()),
        ("--layout", args.layout.is_some()),
    ]
}

fn meaningless(question: &str, mut flags: impl Iterator<Item = (&'static str, bool)>) -> Result<()> {
    match flags.find(|&(_, given)| given) {
        Some((flag, _)) => {
            Err(Error::usage(format!("{flag}: it has no meaning for {question}; leave it out")))
        }
        None => Ok(()),
    }
}
