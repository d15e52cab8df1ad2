//! mod-report: what the samples of a window say of each upstream. The numbers are defined in
//! [`measure`](crate::measure); samples come from a database or a record stream (`source`). A report goes out in
//! a [`mod@format`]; what is not a report of sums is an [`answer`].

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
