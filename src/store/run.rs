//! The stage itself: one thread reads lines into records, the other makes groups of them and keeps
//! those, so that reading goes on while the database works.

use std::{
    io::{BufRead, Write},
    panic,
    sync::mpsc,
    thread,
};

use super::{
    check,
    intake::{self, QUEUE},
    keeper::Keeper,
    notify::Notify,
    session::Session,
    spool::Spool,
};
use crate::{
    cli,
    database::{Access, Migration, Options, open},
    error::{Error, Result},
    exit::Exit,
    interrupt::Interrupt,
    stage::{self, Context},
};

/// Runs mod-store.
///
/// # Errors
/// [`Error::Usage`] for settings, [`Error::Database`], [`Error::Away`] without a spool, and those of
/// the streams.
pub fn run(
    args: &cli::Store,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut (dyn Write + Send),
) -> Result<Exit> {
    let options = Options {
        init: args.init,
        history_index: args.history_index,
        batch: usize::from(args.batch),
        store_all: args.store_all,
    };
    let access = if args.check || args.dry_run { Access::Look(options) } else { Access::Write(options) };
    let spool = match &args.spool {
        Some(dir) if !args.dry_run => Some(Spool::open(dir, args.spool_size, args.spool_age)?),
        _ => None,
    };
    if args.nagios {
        return check::nagios(
            open(&args.database, context, access),
            spool.as_ref(),
            context.clock.now(),
            output,
        );
    }
    if args.prom {
        let database = open(&args.database, context, access);
        return check::prom(database, spool.as_ref(), context.clock.now(), output);
    }
    if args.check {
        let mut database = open(&args.database, context, access)?;
        return check::run(&mut *database, spool.as_ref(), output);
    }
    let moved = if args.migrate {
        let mut database = open(&args.database, context, access)?;
        let migration = database.migrate(args.dry_run)?;
        if args.dry_run {
            return show_plan(&migration, output);
        }
        tell(&migration)
    } else {
        Exit::Done
    };
    let opener = {
        let (flags, context) = (args.database.clone(), context.clone());
        Box::new(move || open(&flags, &context, access))
    };
    let keeper = Keeper::open(opener, spool, context.clock)?;
    let moved =
        if args.init && !args.dry_run && keeper.lacks_tables() { moved.merge(Exit::Partial) } else { moved };
    if args.init && stage::input_is_terminal() {
        return Ok(moved);
    }
    let notify = if args.notify { Notify::of_settings(&context.settings)? } else { Notify::nobody() };
    let session = Session::new(args, context, keeper, notify, output);
    in_two_threads(session, args.tee, &context.interrupt, input).map(|exit| exit.merge(moved))
}

fn show_plan(migration: &Migration, output: &mut dyn Write) -> Result<Exit> {
    if migration.plan.is_empty() {
        writeln!(output, "-- nothing to migrate: the table of samples has the present shape")
            .map_err(Error::output)?;
    }
    for line in &migration.plan {
        let end = if line.starts_with("--") { "" } else { ";" };
        writeln!(output, "{line}{end}").map_err(Error::output)?;
    }
    Ok(Exit::Done)
}

fn tell(migration: &Migration) -> Exit {
    let Migration { done, moved, doubled, unfit, .. } = migration;
    if *done {
        log::info!("migrated: {moved} rows moved, {doubled} were there twice, {unfit} do not fit");
    }
    if *unfit > 0 {
        log::warn!("migration: {unfit} rows do not fit and stay in modulation_old alone");
        return Exit::Partial;
    }
    Exit::Done
}

fn in_two_threads(
    mut session: Session<'_>,
    keep_lines: bool,
    interrupt: &Interrupt,
    input: &mut dyn BufRead,
) -> Result<Exit> {
    let (to, queue) = mpsc::sync_channel(QUEUE);
    thread::scope(|scope| {
        let storing = thread::Builder::new()
            .name("store".into())
            .spawn_scoped(scope, move || {
                let outcome = session.serve(&queue);
                if outcome.is_err() {
                    // Whoever waits for the next line would not hear of it until then.
                    interrupt.set();
                }
                outcome
            })
            .map_err(Error::system("storing thread"))?;
        let read = intake::read(input, keep_lines, &to);
        drop(to);
        let stored = storing.join().unwrap_or_else(|fault| panic::resume_unwind(fault));
        stored.and_then(|exit| read.map(|()| exit))
    })
}
