//! `--format days`: one record per upstream and local day that is over, as the report of that day has it.

use std::io::Write;

use crate::{
    cli,
    database::{self, Access},
    error::{Error, Result},
    exit::Exit,
    measure::window::{local, of_day},
    record::{self, DayRow},
    report::{request::Request, source},
    stage::Context,
};

/// Writes them, in the order of time.
///
/// # Errors
/// Errors of the database and the output; [`Error::Usage`] with an input.
pub fn write(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    output: &mut dyn Write,
) -> Result<Exit> {
    let Some(window) = request.question.window.filter(|_| args.input.is_none()) else {
        return Err(Error::usage("--format days: it reads finished days; leave out --input"));
    };
    let mut database = database::open(&args.database, context, Access::Keep)?;
    let (mut exit, mut written) = (Exit::Done, 0_u64);
    let first = local(request.question.tz, window.from).date();
    for date in first.iter_days() {
        let day = of_day(request.question.tz, date);
        if day.to > window.to.min(request.question.now) {
            break;
        }
        if day.from < window.from {
            continue;
        }
        let (mut findings, of_day) = source::from_database(&request.question, database.as_mut(), day)?;
        exit = exit.merge(of_day);
        findings.sort(request.view.sort);
        for row in findings.rows(&request.view) {
            written += 1;
            record::write(output, &DayRow::new(date.to_string(), row)).map_err(Error::output)?;
        }
    }
    if written == 0 {
        log::warn!("no sample on a day of the window that is over; another --date or --cmts may have some");
        return Ok(exit.merge(Exit::Partial));
    }
    Ok(exit)
}
