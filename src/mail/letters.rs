//! From the input to the letters that are mailed: the page, its subject, and the rows as a file that a mail
//! server takes.

use std::io::{BufRead, Write};

use chrono_tz::Tz;
use flate2::{Compression, write::GzEncoder};

use super::{
    event, html,
    input::{self, Reading},
    message::{self, Attachment, Letter},
    options::{self, MailOptions},
    page::{self, safe},
    period::Period,
    shortfall, text,
    words::{Words, fill},
};
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    layout,
    record::Event,
    stage::Context,
};

/// Rows of more bytes than this are compressed.
const COMPRESSED_ABOVE: usize = 1 << 20;
/// Less lost capacity than this is not worth a word in a subject, Mbit/s.
const WORTH_NAMING_MBPS: f64 = 0.5;

/// What the input comes to.
pub struct Letters {
    /// One for each report, or one for all events.
    pub all: Vec<Letter>,
    /// Partial when lines could not be read.
    pub exit: Exit,
}

/// Reads the input and makes its letters.
pub fn compose(
    args: &cli::Mail,
    context: &Context,
    options: &MailOptions,
    input: &mut dyn BufRead,
) -> Result<Letters> {
    let words = options::language(args, &context.settings)?.words();
    let mut read = input::read(context, input)?;
    let mut all = Vec::new();
    if args.events {
        let tz = context.settings.parse("MODTOOLS_TZ", "a time zone such as Europe/Amsterdam")?;
        if !read.events.is_empty() {
            all.push(of_events(args, context, options, &mut read.events, tz.unwrap_or(Tz::UTC), words));
        }
    } else {
        for reading in &read.reports {
            all.push(of_report(args, context, options, reading, words)?);
        }
    }
    let exit = if read.bad_lines == 0 { Exit::Done } else { Exit::Partial };
    Ok(Letters { all, exit })
}

fn of_report(
    args: &cli::Mail,
    context: &Context,
    options: &MailOptions,
    reading: &Reading,
    words: &'static Words,
) -> Result<Letter> {
    let letter = |page: &page::Page, rows: Option<Attachment>| Letter {
        from: options.from.clone(),
        subject: subject(args, reading),
        text: text::render(page),
        html: html::render(page),
        attachments: rows.into_iter().chain(options.attachments.iter().cloned()).collect(),
        date: context.clock.now(),
        identity: message::identity(reading, args.subject.as_deref()),
        short: None,
    };
    let (name, file) = rows(args, reading)?;
    let size = message::encoded_size(file.len());
    let mib = |bytes: u64| words.number(bytes as f64 / f64::from(1 << 20), 1);
    let too_big = fill(words.not_attached, &[&mib(size), &mib(args.max_size)]);
    let short = letter(&page::compose(reading, words, too_big), None);
    if size > args.max_size {
        return Ok(short);
    }
    let page = page::compose(reading, words, fill(words.attached, &[&name]));
    let whole = letter(&page, Some(Attachment::new(&name, file)));
    let for_small_server = fill(words.too_big_for_server, &[&mib(size)]);
    let short = letter(&page::compose(reading, words, for_small_server), None);
    Ok(Letter { short: Some(Box::new(short)), ..whole })
}

fn of_events(
    args: &cli::Mail,
    context: &Context,
    options: &MailOptions,
    events: &mut [Event],
    tz: Tz,
    words: &'static Words,
) -> Letter {
    event::largest_first(events);
    let page = event::compose(events, tz, context.clock.now(), words);
    Letter {
        from: options.from.clone(),
        subject: args.subject.clone().unwrap_or_else(|| event::subject(events)),
        text: text::render(&page),
        html: html::render(&page),
        attachments: options.attachments.clone(),
        date: context.clock.now(),
        identity: message::identity_of_events(events),
        short: None,
    }
}

fn subject(args: &cli::Mail, reading: &Reading) -> String {
    let default = || {
        let label = Period::of(&reading.report).label("to");
        let headline = headline(reading).map(|headline| format!(": {headline}")).unwrap_or_default();
        format!("Modulation report {label}{headline}")
    };
    args.subject.clone().unwrap_or_else(default) + &shortfall::in_subject(&shortfall::of(reading))
}

/// What matters most: how many upstreams are below expectation, what that costs, and the largest incident.
/// English in every language, so that the rules of a mailbox keep working. A number that the rows at hand do
/// not give is left out.
fn headline(reading: &Reading) -> Option<String> {
    let report = &reading.report;
    let is_whole = reading.rows.len() as u64 >= report.upstreams;
    let below = reading.rows.iter().filter(|row| row.degraded_s > 0).count();
    let below = (is_whole && below > 0).then(|| format!("{below} below expectation"));
    let lost =
        report.lost_mbps.filter(|&lost| lost >= WORTH_NAMING_MBPS).map(|lost| format!("{lost:.0} Mbit/s"));
    let first = match (below, lost) {
        (Some(below), Some(lost)) => Some(format!("{below}, {lost}")),
        (Some(below), None) => Some(below),
        (None, Some(lost)) => Some(format!("{lost} below expectation")),
        (None, None) => None,
    };
    let incidents = report.incidents.iter().filter(|incident| !incident.maintenance);
    let largest = incidents.reduce(|a, b| if b.upstreams > a.upstreams { b } else { a }).map(|incident| {
        let time = Period::of(report).brief(incident.ts);
        format!("{}: {} at {time}", safe(&incident.cmts), incident.upstreams)
    });
    let parts: Vec<_> = first.into_iter().chain(largest).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The rows as mod-report writes them, and the name of the file; compressed when there are many.
fn rows(args: &cli::Mail, reading: &Reading) -> Result<(String, Vec<u8>)> {
    let name = format!("modulation_report_{}.csv", Period::of(&reading.report).file_label());
    let mut csv = Vec::new();
    layout::write_csv(args.layout, &reading.rows, &mut csv).map_err(Error::output)?;
    if csv.len() <= COMPRESSED_ABOVE {
        return Ok((name, csv));
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder.write_all(&csv).and_then(|()| encoder.finish()).map_err(Error::output)?;
    Ok((format!("{name}.gz"), compressed))
}
