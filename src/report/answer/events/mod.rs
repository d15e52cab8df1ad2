//! `--events`: what opened, grew or closed since the last run. From a database, as a run after each scan; from an
//! input, as a filter that tells at every heartbeat. The state is written after the output, so that a run that is
//! killed between the two tells its events again: twice is better than not at all, and the ids are the same.

mod source;
mod state;

use std::{
    io::{BufRead, Write},
    path::Path,
};

use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    measure::{
        arithmetic::mbps_of,
        events::{Happening, Memory, Scan, says},
        window::local,
    },
    record::{self, Event, Timestamp, columns::rounded},
    report::request::Request,
    stage::Context,
    text,
};
use state::State;

/// Writes the events of a run, or of each heartbeat of an input.
///
/// # Errors
/// [`Error::Read`] for a state that cannot be used, [`Error::Locked`] while another run has it; the database's, the
/// input's and the output's.
pub fn write(
    request: &Request,
    state: &Path,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<(Exit, Left)> {
    let state = State::open(state)?;
    let memory = state.read()?;
    // A file appears at the very end: until then nothing in it has been told.
    let is_told_at_once = request.outputs.file.is_none();
    let (happened, exit) = (Vec::new(), Exit::Done);
    let mut watch = Watch { request, state, memory, happened, output, is_told_at_once, exit };
    let exit = match args.input.as_deref() {
        Some(path) => source::from_input(&mut watch, path, context, stdin)?,
        None => source::from_database(&mut watch, args, context)?,
    };
    let Watch { state, memory, .. } = watch;
    Ok((exit.merge(watch.exit), Left { state, memory: Some(memory).filter(|_| !is_told_at_once) }))
}

/// The state of a run whose output goes to a file: it is written once the file is in its place.
#[must_use]
#[derive(Debug)]
pub struct Left {
    state: State,
    memory: Option<Memory>,
}

impl Left {
    /// Writes it, if that is not done yet.
    pub fn write(self) -> Result<()> {
        self.memory.map_or(Ok(()), |memory| self.state.write(&memory))
    }
}

/// What is known of an upstream besides its modulation.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    width_hz: Option<u64>,
    modems: Option<u64>,
}

/// A run under way.
struct Watch<'a> {
    request: &'a Request,
    state: State,
    memory: Memory,
    /// What is not told yet.
    happened: Vec<Happening>,
    output: &'a mut dyn Write,
    is_told_at_once: bool,
    exit: Exit,
}

impl Watch<'_> {
    /// Takes a scan, unless its time is still to come; false: it is not newer than the last one of its device.
    fn feed(&mut self, scan: &Scan<'_>, now: Timestamp) -> bool {
        let hold = self.request.question.hold();
        if scan.ts.since(now) > hold {
            let cmts = text::terminal(scan.cmts);
            log::warn!("{cmts}: a scan of {} is left out: that is still to come; check the clocks", scan.ts);
            return true;
        }
        if let Some(device) = self.memory.devices.get_mut(scan.cmts)
            && device.ts.is_some_and(|ts| ts.since(now) > hold)
        {
            // Our own clock went back: else nothing would be newer for as long as that.
            log::warn!("{}: its last scan is still to come; check the clocks", text::terminal(scan.cmts));
            device.ts = None;
        }
        let happened = self.memory.feed(scan, &source::Known(&self.request.question), hold);
        let is_newer = happened.is_some();
        self.happened.extend(happened.unwrap_or_default());
        is_newer
    }

    /// Tells what happened, then writes the state.
    fn tell(&mut self, facts: &dyn Fn(&str, &str) -> Facts) -> Result<()> {
        let mut happened = std::mem::take(&mut self.happened);
        happened.extend(self.memory.forget());
        happened.iter_mut().for_each(|happening| self.complete(happening, facts));
        if happened.iter().any(|happening| happening.event.what == record::What::Opened) {
            self.exit = Exit::Partial;
        }
        let run = self.memory.tell(happened);
        for event in &run.told {
            self.line(event)?;
        }
        if run.more > 0 {
            log::warn!("{} more events opened that are not told one by one", run.more);
        }
        self.output.flush().map_err(Error::output)?;
        if self.is_told_at_once { self.state.write(&self.memory) } else { Ok(()) }
    }

    /// Adds what is lost and who suffers, as far as that is known, and the sentence.
    fn complete(&self, happening: &mut Happening, facts: &dyn Fn(&str, &str) -> Facts) {
        let Happening { event, down, .. } = happening;
        if event.what != record::What::Closed {
            let known: Vec<_> =
                down.iter().map(|(name, bits)| (facts(&event.cmts, name), f64::from(*bits))).collect();
            let lost = known.iter().filter_map(|(facts, bits)| Some(mbps_of(facts.width_hz?, *bits)));
            event.lost_mbps = lost.reduce(|sum, lost| sum + lost).map(rounded);
            event.modems = known.iter().filter_map(|(facts, _)| facts.modems).reduce(|sum, n| sum + n);
        }
        event.says = Some(says(event, self.request.question.tz, self.request.view.language));
    }

    fn line(&mut self, event: &Event) -> Result<()> {
        if !self.request.view.text {
            return record::write(self.output, event).map_err(Error::output);
        }
        let time = local(self.request.question.tz, event.ts).format("%Y-%m-%d %H:%M");
        let says = text::terminal(event.says.as_deref().unwrap_or_default());
        writeln!(self.output, "{time}  {:6}  {says}", event.what).map_err(Error::output)
    }
}
