//! `--format changes`: the life of each upstream in a window, one line per change and per gap: records in a pipe,
//! words on a terminal. A gap is told when it ends, those that do not end at the end.

use std::{
    io::{BufRead, Write},
    time::Duration,
};

use super::stream::{self, Point, Troubles};
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    measure::{Window, arithmetic::CARRY_S, roster::Roster, window::local},
    modulation::Modulation,
    record::{self, Change, Gap, Timestamp},
    report::request::Request,
    stage::Context,
    text, units,
};

/// Where an upstream is.
#[derive(Clone, Copy)]
struct Held {
    modulation: Modulation,
    since: Timestamp,
    last: Timestamp,
}

/// Writes them, in the order of time.
pub fn write(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let span = request.question.window.map(|window| Window { from: window.from + -CARRY_S, to: window.to });
    let mut upstreams: Vec<Option<Held>> = Vec::new();
    let mut lines = Lines { request, output };
    let mut last_of_all = None;
    let (roster, troubles, exit) =
        stream::read(request, args, context, stdin, span, &mut |roster, troubles, point| {
            let at = point.upstream as usize;
            if upstreams.len() <= at {
                upstreams.resize(at + 1, None);
            }
            last_of_all = Some(point.ts);
            step(&mut upstreams[at], roster, troubles, point, &mut lines)
        })?;
    let Some(last) = last_of_all else {
        log::warn!("no sample in the window; another --date, --from or --cmts may have some");
        return Ok(exit.merge(Exit::Partial));
    };
    let end = request.question.window.map_or(last, |window| window.to.min(request.question.now));
    for (number, held) in (0..).zip(upstreams) {
        if let Some(held) = held {
            lines.gap(&roster, &troubles, number, held.last, None, end)?;
        }
    }
    Ok(exit)
}

/// Takes a sample after those before it. A second one of the same moment is not used.
fn step(
    held: &mut Option<Held>,
    roster: &Roster,
    troubles: &Troubles,
    point: Point,
    lines: &mut Lines<'_>,
) -> Result<()> {
    let Point { ts, modulation, .. } = point;
    let Some(before) = *held else {
        *held = Some(Held { modulation, since: ts, last: ts });
        return Ok(());
    };
    if ts <= before.last {
        return Ok(());
    }
    let is_change = modulation != before.modulation;
    let since = if is_change { ts } else { before.since };
    *held = Some(Held { modulation, since, last: ts });
    if lines.request.question.window.is_some_and(|window| ts < window.from) {
        return Ok(());
    }
    lines.gap(roster, troubles, point.upstream, before.last, Some(ts), ts)?;
    if is_change { lines.change(roster, point, before) } else { Ok(()) }
}

struct Lines<'a> {
    request: &'a Request,
    output: &'a mut dyn Write,
}

impl Lines<'_> {
    fn change(&mut self, roster: &Roster, point: Point, before: Held) -> Result<()> {
        let about = roster.about(point.upstream);
        let change = Change {
            ts: point.ts,
            cmts: about.cmts.to_owned(),
            upstream: about.upstream.to_owned(),
            from: before.modulation,
            to: point.modulation,
            held_s: u64::try_from(point.ts.since(before.since)).unwrap_or(0),
            profile: point.profile,
            snr_db: point.snr_db,
        };
        if !self.request.view.text {
            return record::write(self.output, &change).map_err(Error::output);
        }
        let Change { from, to, held_s, .. } = change;
        let held = units::human(Duration::from_secs(held_s));
        let profile = change.profile.map(|profile| format!(", profile {profile}")).unwrap_or_default();
        let snr = change.snr_db.map(|snr| format!(", {snr:.1} dB")).unwrap_or_default();
        let line = format!("{from} → {to} after {held}{profile}{snr}");
        self.line(point.ts, about.cmts, about.upstream, &line)
    }

    /// A gap, if it is one: longer than a sample holds.
    fn gap(
        &mut self,
        roster: &Roster,
        troubles: &Troubles,
        upstream: u32,
        from: Timestamp,
        until: Option<Timestamp>,
        end: Timestamp,
    ) -> Result<()> {
        let length = end.since(from);
        if length <= self.request.question.hold() {
            return Ok(());
        }
        let about = roster.about(upstream);
        let trouble = troubles.between(about.cmts, from, end);
        let gap = Gap {
            ts: from,
            cmts: about.cmts.to_owned(),
            upstream: about.upstream.to_owned(),
            until,
            gap_s: u64::try_from(length).unwrap_or(0),
            status: trouble.map(|trouble| trouble.status),
            error: trouble.and_then(|trouble| trouble.error.clone()),
        };
        if !self.request.view.text {
            return record::write(self.output, &gap).map_err(Error::output);
        }
        let length = units::human(Duration::from_secs(gap.gap_s));
        let status = gap.status.map_or_else(|| "no scan explains it".to_owned(), |status| status.to_string());
        let error =
            gap.error.as_deref().map(|error| format!(": {}", text::terminal(error))).unwrap_or_default();
        let line = format!("no sample for {length}: {status}{error}");
        self.line(from, about.cmts, about.upstream, &line)
    }

    fn line(&mut self, ts: Timestamp, cmts: &str, upstream: &str, what: &str) -> Result<()> {
        let time = local(self.request.question.tz, ts).format("%Y-%m-%d %H:%M:%S");
        let (cmts, upstream) = (text::terminal(cmts), text::terminal(upstream));
        writeln!(self.output, "{time}  {cmts} {upstream}  {what}").map_err(Error::output)
    }
}
