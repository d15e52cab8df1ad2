//! mod-report: what the samples of a window say about each upstream.
//!
//! A request is read from the flags: a *question* (which window, which upstreams), a *view* (order, groups, how many)
//! and *outputs* (files, the page, a web server). The *source* gives the samples of a database or of a record stream to
//! [`measure`](crate::measure), which defines every number; `findings` are the numbers of all upstreams. A report is
//! written in a [`mod@format`]. A question whose answer is not a report (`--at`, `--fresh`, `--events`, single changes
//! or samples) has a file in [`answer`].
//!
//! # How faults are handled
//!
//! - A flag or a file cannot be used: exit 2 before anything is read.
//! - The database or an output fails: exit 1. Every file is written whole or not at all.
//! - A line of a stream is bad, a window or one of its days has no sample, a deployment fails: the report is written all
//!   the same, one line on stderr says so, and the exit code is 3.
//! - A finished day in the database is out of date: it is computed anew from its samples; where these are gone, the day
//!   is listed as missing.
//!
//! # On disk
//!
//! | option | files |
//! |---|---|
//! | `--save` | `modulation_report_DATE.csv` and `modulation_report_DATE_web.json` |
//! | `--web` | `index.html`, its script and style, `data/DATE.json`, and what points to the newest day ([`web`]) |
//! | `--events --state` | what was open after the last run |

pub mod answer;
mod color;
#[cfg_attr(windows, path = "../windows/deploy.rs")]
mod deploy;
mod findings;
pub mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod groups;
mod history;
mod reorder;
mod request;
mod save;
mod saved;
mod source;
pub mod web;

use std::io::{BufRead, Write};

use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    stage::Context,
};
use findings::Findings;
use format::Shape;
use request::{Answer, Request};
use web::Pages;

/// Runs mod-report.
///
/// # Errors
/// [`Error::Usage`] and [`Error::Read`] for flags that cannot be used; errors of the database and the streams.
pub fn run(
    args: &cli::Report,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let request = Request::new(args, context)?;
    let outputs = &request.outputs;
    match &request.answer {
        Answer::Report(shape) => report(&request, *shape, args, context, input, output),
        Answer::At(at) => {
            outputs.write(output, |output| answer::at::write(&request, *at, args, context, input, output))
        }
        Answer::Changes => {
            outputs.write(output, |output| answer::changes::write(&request, args, context, input, output))
        }
        Answer::Check => {
            outputs.write(output, |output| answer::check::write(&request, args, context, input, output))
        }
        Answer::Days => outputs.write(output, |output| answer::days::write(&request, args, context, output)),
        Answer::Fresh => {
            outputs.write(output, |output| answer::fresh::write(&request, args, context, input, output))
        }
        Answer::Events(state) => {
            let (exit, left) = outputs.write(output, |output| {
                answer::events::write(&request, state, args, context, input, output)
            })?;
            left.write().map(|()| exit)
        }
        Answer::Works => {
            outputs.write(output, |output| answer::works::write(&request, args, context, input, output))
        }
        Answer::Samples => {
            outputs.write(output, |output| answer::samples::write(&request, args, context, input, output))
        }
    }
}

/// The report of a window.
fn report(
    request: &Request,
    shape: Shape,
    args: &cli::Report,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let Request { question, view, outputs, .. } = request;
    let (mut findings, mut exit) = source::read(question, args, context, input)?;
    if findings.is_empty() {
        log::warn!("{}", no_sample(&findings));
        exit = exit.merge(Exit::Partial);
    } else if let Some(directory) = &outputs.save {
        // An empty day never takes the place of a file that was saved while its samples were still there.
        save::write(directory, outputs, &findings)?;
    }
    findings.sort(view.sort);
    if let Some(pages) = &outputs.pages {
        let has_it = || pages.has(findings.file_date(), findings.report().generated_at);
        if findings.saved_rows().is_none() || !has_it() {
            if findings.is_cut() {
                log::warn!("input: it holds only some rows of its report; the page is of these");
                exit = exit.merge(Exit::Partial);
            }
            pages.write(view, &findings)?;
        }
    }
    outputs.write(output, |output| shape.write(view, &findings, output).map_err(Error::output))?;
    if let Some(deployment) = &outputs.deployment {
        // A server takes its time: what is already known need not wait for it.
        output.flush().map_err(Error::output)?;
        let site = outputs.pages.as_ref().and_then(Pages::site);
        exit = exit.merge(deployment.make(outputs.keep_days, &findings, site)?);
    }
    Ok(exit)
}

fn no_sample(findings: &Findings<'_>) -> String {
    let window = findings.frame.window;
    if window.from > findings.question.now {
        return format!("no data yet: the window begins at {}, which is in the future", window.from);
    }
    format!("no sample from {} to {}; another --date, --from or --cmts may have some", window.from, window.to)
}
