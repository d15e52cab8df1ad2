//! `--at`: every upstream's state at a moment, in an order that does not change, so that two moments can be
//! compared by diff: no time stands in the lines of the table.

use std::io::{self, BufRead, Write};

use super::stream::{self, Point};
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    measure::{Window, arithmetic::CARRY_S, natural, roster::Roster},
    record::{self, State, Timestamp},
    report::request::Request,
    stage::Context,
    text,
};

/// Writes the last sample of each upstream in the 24 hours up to the moment.
pub fn write(
    request: &Request,
    at: Timestamp,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let span = Window { from: at + -CARRY_S, to: at + 1 };
    let mut last: Vec<Option<Point>> = Vec::new();
    let (roster, _, exit) = stream::read(request, args, context, stdin, Some(span), &mut |_, _, point| {
        let number = point.upstream as usize;
        if last.len() <= number {
            last.resize(number + 1, None);
        }
        last[number] = Some(point);
        Ok(())
    })?;
    let mut states: Vec<_> =
        last.into_iter().flatten().map(|point| state(request, at, &roster, point)).collect();
    if states.is_empty() {
        log::warn!("no sample in the 24 hours before {at}; another --at or --cmts may have some");
        return Ok(exit.merge(Exit::Partial));
    }
    states.sort_by(|a, b| a.cmts.cmp(&b.cmts).then_with(|| natural::compare(&a.upstream, &b.upstream)));
    states.iter().take(request.view.top.unwrap_or(usize::MAX)).try_for_each(|state| {
        if request.view.text { line(state, output) } else { record::write(output, state) }
            .map_err(Error::output)
    })?;
    Ok(exit)
}

fn state(request: &Request, at: Timestamp, roster: &Roster, point: Point) -> State {
    let about = roster.about(point.upstream);
    State {
        ts: at,
        cmts: about.cmts.to_owned(),
        upstream: about.upstream.to_owned(),
        modulation: point.modulation,
        since: point.ts,
        holds: at.since(point.ts) <= request.question.hold(),
    }
}

/// Tabs: the width of one name changes no other line. A `?` is behind a state that is too old to be sure of.
fn line(state: &State, output: &mut dyn Write) -> io::Result<()> {
    let (cmts, upstream) = (text::terminal(&state.cmts), text::terminal(&state.upstream));
    let mark = if state.holds { "" } else { "\t?" };
    writeln!(output, "{cmts}\t{upstream}\t{}{mark}", state.modulation)
}
