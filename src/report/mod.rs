//! mod-report: what the samples of a window say of each upstream. The numbers are defined in
//! [`measure`](crate::measure); samples come from a database or a record stream (`source`). A report goes out in
//! a [`mod@format`]; what is not a report of sums is an [`answer`].

pub mod answer;
mod color;
mod deploy;
mod findings;
pub mod format;
mod history;
mod question;
mod reorder;
mod request;
mod save;
mod source;
pub mod web;

use std::{
    io::{BufRead, Write},
    path::Path,
};

use crate::{
    cli::{
        self,
        report::{Format, Layout},
    },
    error::{Error, Result},
    exit::Exit,
    layout::{excel, full},
    output,
    stage::Context,
};
use findings::Findings;
use format::{groups, json, ndjson, seed, table};
use question::Question;
use request::Request;
use web::Pages;

/// Runs mod-report.
///
/// # Errors
/// [`Error::Usage`] and [`Error::Read`] for flags that cannot be used; those of the database and the streams.
pub fn run(
    args: &cli::Report,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let request = Request::new(args, context)?;
    if request.question == Question::Report {
        return report(&request, args, context, input, output);
    }
    let mut exit = Exit::Done;
    to_output(args, output, |output| {
        exit = match request.question {
            Question::At(at) => answer::at::write(&request, at, args, context, input, output),
            Question::Changes => answer::changes::write(&request, args, context, input, output),
            Question::Days => answer::days::write(&request, args, context, output),
            Question::Fresh => answer::fresh::write(&request, args, context, input, output),
            Question::Report | Question::Samples => {
                answer::samples::write(&request, args, context, input, output)
            }
        }?;
        Ok(())
    })?;
    Ok(exit)
}

/// The report of a window.
fn report(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let (mut findings, mut exit) = source::read(request, args, context, input)?;
    if findings.lines.is_empty() {
        log::warn!("{}", no_sample(&findings));
        exit = exit.merge(Exit::Partial);
    } else if let Some(directory) = &request.save {
        // An empty day never takes the place of a file that was saved while its samples were still there.
        save::write(directory, request, &findings)?;
    }
    findings.sort(request.sort);
    if let Some(pages) = &request.pages {
        pages.write(request, &findings)?;
    }
    to_output(args, output, |output| render(request, &findings, output))?;
    if let Some(deployment) = &request.deployment {
        // A server takes its time: what is already known need not wait for it.
        output.flush().map_err(Error::output)?;
        let site = request.pages.as_ref().and_then(Pages::site);
        exit = exit.merge(deployment.make(request, &findings, site)?);
    }
    Ok(exit)
}

fn no_sample(findings: &Findings) -> String {
    let window = findings.frame.window;
    if window.from > findings.now {
        return format!("no data yet: the window begins at {}, which is in the future", window.from);
    }
    format!("no sample from {} to {}; another --date, --from or --cmts may have some", window.from, window.to)
}

/// To `-o FILE`, whole or not at all, else to standard output.
fn to_output(
    args: &cli::Report,
    output: &mut dyn Write,
    fill: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    match args.output.as_deref().filter(|&path| path != Path::new("-")) {
        Some(path) => output::write_file(path, 0o644, |file| {
            // Below a renderer nobody knows that this is a file.
            fill(file).map_err(|error| match error {
                Error::Output(source) => Error::write(path)(source),
                other => other,
            })
        }),
        None => fill(output),
    }
}

fn render(request: &Request, findings: &Findings, output: &mut dyn Write) -> Result<()> {
    if let Some(by) = request.by {
        return groups::write(request, by, findings, output).map_err(Error::output);
    }
    match (request.format, request.layout) {
        (Format::Csv, Layout::Seed) => seed::csv(request.top, findings, output),
        (Format::Json, Layout::Seed) => seed::json(request, request.top, findings, output),
        (Format::Csv, Layout::Full) => full::write(findings.rows(request), output),
        (Format::Json, Layout::Full) => json::write(request, findings, output),
        (Format::CsvExcel, _) => excel::write(findings.rows(request), request.language, output),
        (Format::Ndjson | Format::Samples | Format::Changes | Format::Days, _) => {
            ndjson::write(request, findings, output)
        }
        (Format::Table, _) => table::write(request, findings, output),
    }
    .map_err(Error::output)
}
