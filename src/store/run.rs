//! The stage itself: one thread reads lines into records, the other makes groups of them and keeps
//! those, so that reading goes on while the database works.

use std::{
    io::{BufRead, Write},
    panic,
    sync::mpsc,
    thread,
};

use super::{
    Access, Options, check,
    intake::{self, QUEUE},
    keeper::Keeper,
    notify::Notify,
    open,
    session::Session,
    spool::Spool,
};
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
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
    if args.check {
        let mut database = open(&args.database, context, access)?;
        return check::run(&mut *database, spool.as_ref(), output);
    }
    let opener = {
        let (flags, context) = (args.database.clone(), context.clone());
        Box::new(move || open(&flags, &context, access))
    };
    let keeper = Keeper::open(opener, spool, context.clock)?;
    if args.init && stage::input_is_terminal() {
        return Ok(Exit::Done);
    }
    let notify = if args.notify { Notify::of_settings(&context.settings)? } else { Notify::nobody() };
    let session = Session::new(args, context, keeper, notify, output);
    in_two_threads(session, args.tee, input)
}

fn in_two_threads(mut session: Session<'_>, keep_lines: bool, input: &mut dyn BufRead) -> Result<Exit> {
    let (to, queue) = mpsc::sync_channel(QUEUE);
    thread::scope(|scope| {
        let storing = thread::Builder::new()
            .name("store".into())
            .spawn_scoped(scope, move || session.serve(&queue))
            .map_err(Error::system("storing thread"))?;
        let read = intake::read(input, keep_lines, &to);
        drop(to);
        let stored = storing.join().unwrap_or_else(|fault| panic::resume_unwind(fault));
        stored.and_then(|exit| read.map(|()| exit))
    })
}
