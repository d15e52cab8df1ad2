//! ccap-fetch: from an inventory to one `capture` record per device and scan, whatever happened.
//!
//! ```text
//! inventory ─▶ coordinator ─▶ collect (connect, check, log in, ask, log out) ─▶ capture
//!               logins          ssh ── terminal ── exchange (prompts, pagers, echoes); snmp (walks)
//!               schedule        script (what to ask; what was kept)
//! ```
//!
//! Pure and worth reading first: `exchange`, `logins`, `schedule`, `script`.

mod cache;
mod check;
mod collect;
mod coordinator;
mod exchange;
mod failure_log;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod inventory;
mod logins;
mod options;
mod plan;
mod progress;
mod schedule;
mod script;
mod terminal;
mod transcript;
mod written;

use std::{
    collections::HashMap,
    io::{BufRead, Write},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use rustix::process::{Resource, getrlimit, setrlimit};

use self::{
    coordinator::Coordinator,
    inventory::{Device, Inventory, Reading, Skipped},
    options::{Options, Place},
    schedule::Schedule,
    written::At,
};
use crate::{
    cli::{self, Via},
    error::{Error, Result},
    exit::Exit,
    record::{End, Fault, Heartbeat},
    snmp, ssh,
    stage::Context,
};

/// Runs ccap-fetch.
///
/// # Errors
/// [`Error::Usage`] and [`Error::Read`] before the first connection; the errors of the output.
pub fn run(
    args: &cli::Fetch,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    if args.list_algorithms {
        return list_algorithms(output);
    }
    let reading = options::reading(args, &context.settings)?;
    let place = Place::of(args, context, input)?;
    let inventory = place.inventory(&reading, &args.devices)?;
    let skipped = inventory.skipped.len() as u64;
    log_skipped(&inventory, &place);
    if !args.check {
        write_skipped(&inventory, context, output)?;
    }
    refuse_nothing(args, &inventory)?;
    if args.dry_run {
        plan::write(args, context, &inventory, output)?;
        return Ok(if skipped == 0 { Exit::Done } else { Exit::Partial });
    }
    let options = Options::new(args, context, &inventory)?;
    refuse_no_user(&options, &inventory)?;
    raise_file_limit();
    let mut coordinator = Coordinator::new(args, context, options, output)?;
    match args.every {
        None => once(&mut coordinator, inventory)?,
        Some(every) => {
            Continuous::new(args, every, reading, place).run(&mut coordinator, context, inventory)?
        }
    }
    let (ok, failed) = (coordinator.ok, coordinator.failed + skipped);
    if args.check {
        return Ok(if failed == 0 { Exit::Done } else { Exit::Partial });
    }
    coordinator.write(&End { ts: context.clock.now(), stage: context.tool.to_owned(), ok, failed })?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Partial })
}

fn once(coordinator: &mut Coordinator<'_>, inventory: Inventory) -> Result<()> {
    for device in inventory.devices {
        coordinator.add(Arc::new(device));
    }
    while !coordinator.is_idle() {
        coordinator.turn(None)?;
    }
    Ok(())
}

/// `--every`: ticks, heartbeats, and an inventory that may change.
struct Continuous<'a> {
    args: &'a cli::Fetch,
    reading: Reading,
    place: Place,
    seen: Option<(SystemTime, u64)>,
    schedule: Schedule,
    devices: HashMap<String, Arc<Device>>,
}

impl<'a> Continuous<'a> {
    fn new(args: &'a cli::Fetch, every: Duration, reading: Reading, place: Place) -> Self {
        let seen = stamp(&place);
        Continuous { args, reading, place, seen, schedule: Schedule::new(every), devices: HashMap::new() }
    }

    fn run(
        mut self,
        coordinator: &mut Coordinator<'_>,
        context: &Context,
        inventory: Inventory,
    ) -> Result<()> {
        self.set(inventory);
        let mut next_tick = Instant::now();
        while !(context.signals.stopping() && coordinator.is_idle()) {
            let now = Instant::now();
            if !context.signals.stopping() {
                let reload = context.signals.take_reload();
                if reload || now >= next_tick {
                    self.read_again(reload);
                }
                if now >= next_tick {
                    next_tick = now + self.args.tick;
                    self.tick(coordinator, context, now)?;
                }
            }
            for done in coordinator.turn(Some(next_tick))? {
                self.schedule.done(&done.cmts, done.took);
            }
        }
        Ok(())
    }

    fn tick(&mut self, coordinator: &mut Coordinator<'_>, context: &Context, now: Instant) -> Result<()> {
        let tick = self.schedule.tick(now);
        for cmts in &tick.skipped {
            log::warn!("{cmts}: still running from its last turn; this one is left out");
        }
        for cmts in &tick.due {
            if let Some(device) = self.devices.get(cmts) {
                coordinator.add(Arc::clone(device));
            }
        }
        let ts = context.clock.now();
        let next_due = self.schedule.next_due().map(|at| {
            let wait = at.saturating_duration_since(now).as_secs();
            ts + i64::try_from(wait).unwrap_or(i64::MAX)
        });
        coordinator.write(&Heartbeat {
            ts,
            devices: self.devices.len() as u64,
            due: (tick.due.len() + tick.skipped.len()) as u64,
            running: coordinator.running() as u64,
            next_due,
        })
    }

    fn set(&mut self, inventory: Inventory) {
        let names: Vec<String> = inventory.devices.iter().map(|device| device.cmts.clone()).collect();
        self.schedule.set(names.iter().map(String::as_str), Instant::now());
        self.devices = inventory.devices.into_iter().map(|d| (d.cmts.clone(), Arc::new(d))).collect();
    }

    /// The inventory when it has changed, or on SIGHUP; one that cannot be used leaves the old one.
    fn read_again(&mut self, told: bool) {
        let stamp = stamp(&self.place);
        if !told && stamp == self.seen {
            return;
        }
        self.seen = stamp;
        let inventory = match self.place.inventory(&self.reading, &self.args.devices) {
            Ok(inventory) => inventory,
            Err(e) => return log::warn!("the inventory as it was is kept: {e}"),
        };
        if inventory.devices.is_empty() {
            return log::warn!("the inventory as it was is kept: the new one has no device");
        }
        log_skipped(&inventory, &self.place);
        log::info!("the inventory was read again: {} devices", inventory.devices.len());
        self.set(inventory);
    }
}

fn stamp(place: &Place) -> Option<(SystemTime, u64)> {
    let Place::File(path) = place else { return None };
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn log_skipped(inventory: &Inventory, place: &Place) {
    let name = place.name();
    for Skipped { at, cmts, reason } in &inventory.skipped {
        let at = match at {
            At::Arguments => String::new(),
            At::Line(line) => format!("{name} line {line}: "),
            At::Item(item) => format!("{name} item {item}: "),
        };
        let cmts = cmts.as_ref().map_or(String::new(), |cmts| format!("{cmts}: "));
        log::warn!("{at}{cmts}{reason}");
    }
}

/// Entries of the inventory that give no device, as `error` records.
fn write_skipped(inventory: &Inventory, context: &Context, output: &mut dyn Write) -> Result<()> {
    for skipped in &inventory.skipped {
        let name = skipped.cmts.as_ref().map_or(String::new(), |cmts| format!("{cmts}: "));
        let fault = Fault {
            ts: context.clock.now(),
            stage: context.tool.to_owned(),
            line: if let At::Line(line) = skipped.at { Some(line) } else { None },
            message: format!("{name}{}", skipped.reason),
        };
        crate::record::write(output, &fault).map_err(Error::output)?;
    }
    Ok(())
}

/// An inventory without a device is a mistake, except where another collector has them all.
fn refuse_nothing(args: &cli::Fetch, inventory: &Inventory) -> Result<()> {
    if !inventory.devices.is_empty() {
        return Ok(());
    }
    match (inventory.listed, &args.only, args.shard) {
        (0, ..) if inventory.skipped.is_empty() => {
            Err(Error::usage("the inventory is empty: give -i FILE, names, or lines on standard input"))
        }
        (1.., Some(only), _) if inventory.skipped.is_empty() => {
            Err(Error::usage(format!("--only {only} matches no device of the inventory")))
        }
        (1.., _, Some(_)) if inventory.skipped.is_empty() => Ok(()),
        _ => Err(Error::usage("the inventory holds no device that can be fetched")),
    }
}

fn refuse_no_user(options: &Options, inventory: &Inventory) -> Result<()> {
    let lacks = |device: &&Device| device.via == Via::Ssh && device.user.is_none();
    if options.user.is_some() || options.openssh {
        return Ok(());
    }
    match inventory.devices.iter().find(lacks) {
        Some(device) => Err(Error::usage(format!(
            "no user for {}: give --user, or set CCAP_USER in the environment or in ./.env",
            device.cmts
        ))),
        None => Ok(()),
    }
}

/// Hundreds of sessions need more descriptors than the usual soft limit.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
    if let Err(e) = raised {
        log::debug!("the limit of open files stays at {:?}: {e}", limit.current);
    }
}

fn list_algorithms(output: &mut dyn Write) -> Result<Exit> {
    let classes = ssh::supported().map_err(|e| Error::usage(format!("libssh2: {}", e.message())))?;
    for class in classes {
        for (set, names) in [("modern", class.modern), ("legacy", class.legacy)] {
            writeln!(output, "{:<13} {set}  {}", class.name, names.join(" ")).map_err(Error::output)?;
        }
    }
    let auth = snmp::AuthProtocol::ALL.map(snmp::AuthProtocol::word);
    let privacy = snmp::PrivProtocol::ALL.map(snmp::PrivProtocol::word);
    for (name, words) in [("SNMP_AUTH", auth.join(" ")), ("SNMP_PRIV", privacy.join(" "))] {
        writeln!(output, "{name:<13} {words}").map_err(Error::output)?;
    }
    Ok(Exit::Done)
}
