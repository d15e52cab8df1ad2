//! mod-mail: sends a report, or what has just happened, to each recipient exactly once.
//!
//! ```text
//! input ─▶ letters: page, shortfall, event ─▶ text, html ─▶ message ─▶ delivery ─▶ smtp
//! report, row, event     words, period                                  spool
//! ```
//!
//! Start reading with `page`, `shortfall` and `message`: they are pure. `smtp` is the only part that talks to
//! anybody, and `spool` the only one that writes files.

mod address;
mod delivery;
mod event;
mod html;
mod input;
mod letters;
mod message;
mod options;
mod page;
mod period;
mod shortfall;
mod smtp;
mod spool;
mod text;
mod words;

#[cfg(any(test, fuzzing))]
pub use smtp::fuzz;
use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
};

use self::{
    address::Mailbox,
    delivery::{Counts, Delivery},
    letters::Letters,
    message::Letter,
    options::MailOptions,
    smtp::Server,
    spool::Spool,
};
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    record::Timestamp,
    stage::Context,
};

/// Runs mod-mail.
///
/// # Errors
/// [`Error::Usage`] and [`Error::Read`] before anything is sent; [`Error::Input`], also for an input without
/// a report; [`Error::Write`] and [`Error::Output`].
pub fn run(
    args: &cli::Mail,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let server = options::server(args, &context.settings)?;
    if args.check {
        let agreed = delivery::check(&server)?;
        return writeln!(output, "{agreed}").map_err(Error::output).map(|()| Exit::Done);
    }
    if !args.dry_run && !context.settings.switch("ENABLE_EMAIL_REPORTS", true)? {
        log::info!("nothing is mailed: ENABLE_EMAIL_REPORTS is false");
        return drain(context, input);
    }
    if args.flush {
        return deliver(args, context, &server, &[], None);
    }
    let options = MailOptions::new(args, &context.settings)?;
    let letters = letters::compose(args, context, &options, input)?;
    if args.dry_run {
        print(&letters.all, &options.to, context.clock.now(), output)?;
        return no_report_is_a_fault(args, &letters).map(|()| letters.exit);
    }
    let exit = deliver(args, context, &server, &letters.all, Some(&options))?;
    no_report_is_a_fault(args, &letters).map(|()| exit.merge(letters.exit))
}

/// Writes one mail as it is, several as an mbox, which mail programs open.
fn print(letters: &[Letter], to: &[Mailbox], now: Timestamp, output: &mut dyn Write) -> Result<()> {
    let is_mbox = letters.len() * to.len() > 1;
    for (letter, to) in letters.iter().flat_map(|letter| to.iter().map(move |to| (letter, to))) {
        let mail = letter.to(to)?;
        let written = if is_mbox {
            output.write_all(&message::mbox_entry(&letter.from.email, now, &mail))
        } else {
            output.write_all(&mail)
        };
        written.map_err(Error::output)?;
    }
    Ok(())
}

/// The stage before us must not fail because nobody reads it.
fn drain(context: &Context, input: &mut dyn BufRead) -> Result<Exit> {
    if !context.terminals.stdin {
        io::copy(input, &mut io::sink()).map_err(Error::Input)?;
    }
    Ok(Exit::Done)
}

/// No mail is made up for a report that did not come: a mail that is missing means that something is broken.
fn no_report_is_a_fault(args: &cli::Mail, letters: &Letters) -> Result<()> {
    if letters.all.is_empty() && !args.events {
        let reason = "there is no report record in it, nothing was mailed; does mod-report fail?";
        return Err(Error::Input(io::Error::other(reason)));
    }
    Ok(())
}

fn deliver(
    args: &cli::Mail,
    context: &Context,
    server: &Server,
    letters: &[Letter],
    options: Option<&MailOptions>,
) -> Result<Exit> {
    let spool = open_spool(args, context)?;
    let mut delivery = Delivery::new(server, spool, args.spool.is_some(), context.clock.now())?;
    delivery.retry()?;
    let recipients = options.map_or(&[][..], |options| &options.to);
    for letter in letters {
        for to in recipients {
            delivery.deliver(letter, to, args.again)?;
        }
    }
    delivery.close();
    let unusable = options.map_or(&[][..], |options| &options.unusable);
    for (text, reason) in unusable {
        log::warn!("{text}: {reason}");
    }
    let counts = delivery.counts;
    Ok(Counts { failed: counts.failed + unusable.len(), ..counts }.exit())
}

/// `--spool`, or the directory of the notes alone.
fn open_spool(args: &cli::Mail, context: &Context) -> Result<Option<Spool>> {
    if let Some(directory) = &args.spool {
        return Spool::open(directory).map(Some);
    }
    let Some(directory): Option<PathBuf> = Spool::default_directory(&context.settings)? else {
        log::info!("no --spool, and no home: what is mailed is not noted, and would be again");
        return Ok(None);
    };
    match Spool::open(&directory) {
        Ok(spool) => Ok(Some(spool)),
        Err(error @ Error::Locked { .. }) => Err(error),
        Err(error) => {
            log::warn!("{error}; without a note of it the next run mails again: give --spool");
            Ok(None)
        }
    }
}
