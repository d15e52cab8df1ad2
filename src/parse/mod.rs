//! mod-parse: captures become samples and scans. Pure between its streams: each line is parsed by
//! itself, on as many threads as wished, and written in the order of the input.

mod capture;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod keep;
mod raw;
mod sink;
mod stream;

use std::io::{BufRead, Write};

use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    ndjson::Lines,
    platform::{Names, ProfileBook},
    record,
    stage::Context,
};
use keep::Keep;
use sink::Sink;

/// What a capture is parsed with.
struct Method {
    book: ProfileBook,
    explain: bool,
}

/// Runs mod-parse.
///
/// # Errors
/// [`crate::error::Error::Usage`] and [`crate::error::Error::Read`] for flags that cannot be used; errors of the streams.
pub fn run(
    args: &cli::Parse,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut (dyn Write + Send),
) -> Result<Exit> {
    if args.schema {
        return writeln!(output, "{:#}", record::schema()).map(|()| Exit::Done).map_err(Error::output);
    }
    let book = args.profiles.as_deref().map(ProfileBook::read).transpose()?.unwrap_or_default();
    let method = Method { book, explain: args.explain };
    let keep = args.keep.as_deref().map(Keep::open).transpose()?;
    let sink = Sink::new(context, args.strict, keep);
    if args.raw {
        let (platform, capture) =
            raw::read(args, &Names::of_settings(&context.settings)?, context.clock.now(), input)?;
        return sink.raw(platform, capture, &method, output);
    }
    let lines = Lines::new(input);
    match jobs(args) {
        1 => stream::one_by_one(lines, &method, sink, output),
        jobs => stream::in_parallel(jobs, lines, &method, sink, output),
    }
}

/// How many captures at a time. More than four do not help: one thread reads and one writes.
fn jobs(args: &cli::Parse) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
    // The first fault ends a strict run at once, not when the next line wakes the reader.
    if args.strict { 1 } else { args.jobs.map_or_else(cores, usize::from) }
}
