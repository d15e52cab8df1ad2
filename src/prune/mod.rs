//! mod-prune: what is old goes, by partition or by chunk; what each finished day came to is kept before
//! its samples go. It can stop after any step, and the next run goes on from there.

mod days;
mod forget;
mod gauges;
mod id;
mod nagios;
mod request;
mod status;
mod table;
mod until;

use std::io::{BufRead, Write};

use crate::{
    cli,
    database::{self, Access, Aged, Database},
    error::{Error, Result},
    exit::Exit,
    record::{self, Pruned, Stopped, Timestamp},
    stage::Context,
};
use request::Request;
use until::Until;

/// Samples later than this are from the future, s: a clock may be ahead of ours by as much.
const AHEAD_S: i64 = 86_400;

/// Runs mod-prune.
///
/// # Errors
/// [`Error::Usage`] for flags and settings; [`Error::Locked`]; a fault of the database or of the output.
pub fn run(
    args: &cli::Prune,
    context: &Context,
    _input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let request = Request::new(args, context)?;
    if let Some(pattern) = &args.forget {
        return forget::run(&request, pattern, args.dry_run, context, args, output);
    }
    if args.status && args.nagios {
        return nagios::run(&request, context, &args.database, output);
    }
    if args.status || args.dry_run {
        let mut database = database::open(&args.database, context, Access::Read)?;
        return if args.status {
            status::run(&request, context, &mut *database, output)
        } else {
            dry_run(&request.judged_by(newest(&mut *database)?)?, context, &mut *database, output)
        };
    }
    if request.cleanup_off {
        log::info!("ENABLE_AUTO_CLEANUP is off: nothing was done");
        return Ok(Exit::Done);
    }
    let mut database = database::open(&args.database, context, Access::Keep)?;
    database.lock()?;
    let request = request.judged_by(newest(&mut *database)?)?;
    let until = Until::new(args.deadline, context.signals.clone());
    prune(&request, &mut *database, &until, output)
}

/// When the last sample came, or a device was tried last without one. Where nothing of ours tells, as in a table that
/// another program fills, the server's clock does.
fn newest(database: &mut dyn Database) -> Result<Option<Timestamp>> {
    let tried = match database.devices()?.into_iter().map(|device| device.last_try).max() {
        None => database.server_time()?,
        tried => tried,
    };
    Ok(database.newest()?.max(tried))
}

fn prune(
    request: &Request,
    database: &mut dyn Database,
    until: &Until,
    output: &mut dyn Write,
) -> Result<Exit> {
    let kept = days::keep(request, database, until)?;
    let mut exit = if kept.whole { Exit::Done } else { Exit::Partial };
    for (aged, before) in [
        (Aged::Samples, kept.before),
        (Aged::Scans, kept.before),
        (Aged::Detail, request.detail_before),
        (Aged::Days, request.days_before),
    ] {
        let Some(mut pruned) = table::prune(request, database, aged, before, until)? else { continue };
        if let (Some(held), Aged::Samples | Aged::Scans, Stopped::Done) = (kept.stopped, aged, pruned.stopped)
        {
            pruned.stopped = held;
        }
        if pruned.stopped != Stopped::Done {
            exit = exit.merge(Exit::Partial);
        }
        write(output, &pruned)?;
    }
    let bytes = database.give_back()?;
    if bytes > 0 {
        log::info!("{bytes} bytes were given back to the file system");
    }
    if !id::reset(request, database)? {
        exit = exit.merge(Exit::Partial);
    }
    if let Err(error) = database.note_prune(request.now) {
        log::info!("--status will not know of this run: {error}");
    }
    let future = database.samples_after(request.now + AHEAD_S)?;
    if future > 0 {
        let table = database.sample_table().name();
        log::warn!("{table}: {future} rows are dated more than a day ahead; they are kept until then");
        exit = exit.merge(Exit::Partial);
    }
    Ok(exit)
}

fn dry_run(
    request: &Request,
    context: &Context,
    database: &mut dyn Database,
    output: &mut dyn Write,
) -> Result<Exit> {
    let mut shown = Vec::new();
    for (aged, before) in [
        (Aged::Samples, request.samples_before),
        (Aged::Scans, request.samples_before),
        (Aged::Detail, request.detail_before),
        (Aged::Days, request.days_before),
    ] {
        shown.extend(table::show(request, database, aged, before)?);
    }
    shown.extend(id::show(request, database)?);
    for pruned in shown {
        if context.terminals.stdout {
            let nothing = format!("-- {}: no partition is old", pruned.table);
            let about = if pruned.estimated { "about " } else { "" };
            let statement = pruned.statement.unwrap_or(nothing);
            writeln!(output, "{statement};  -- {about}{} rows", pruned.rows).map_err(Error::output)?;
        } else {
            write(output, &pruned)?;
        }
    }
    Ok(Exit::Done)
}

fn write(output: &mut dyn Write, pruned: &Pruned) -> Result<()> {
    record::write(output, pruned).map_err(Error::output)
}
