//! `--fresh`: for each CMTS when it was last read well, and how it stands. A monitor needs only the exit code.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    path::Path,
    time::Duration,
};

use crate::{
    cli,
    database::{self, Access, Detail},
    error::{Error, Result},
    exit::Exit,
    measure::{Window, arithmetic::CARRY_S, devices::is_gone, natural},
    record::{self, Fresh, Record, Status, Timestamp},
    report::{
        request::Request,
        source::{each_record, with_input},
    },
    stage::Context,
    text, units,
};

/// What is known of a device.
#[derive(Default)]
struct Seen {
    last_good: Option<Timestamp>,
    last: Option<(Timestamp, Status)>,
}

type Devices = BTreeMap<String, Seen>;

impl Seen {
    fn scan(&mut self, ts: Timestamp, status: Status) {
        if status.is_good() {
            self.last_good = self.last_good.max(Some(ts));
        }
        if self.last.is_none_or(|(last, _)| last <= ts) {
            self.last = Some((ts, status));
        }
    }
}

/// Writes one line per CMTS, the oldest first.
pub fn write(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let (devices, mut exit) = match args.input.as_deref() {
        Some(path) => of_input(request, context, path, stdin)?,
        None => (of_database(request, args, context)?, Exit::Done),
    };
    let known = devices.len();
    let is_here =
        |seen: &Seen| seen.last.is_none_or(|(last_try, _)| !is_gone(last_try, request.question.now));
    let here = devices.into_iter().filter(|(_, seen)| is_here(seen));
    let mut all: Vec<_> = here.map(|(cmts, seen)| fresh(request, cmts, &seen)).collect();
    match known {
        0 => log::warn!("no scan is known; another --db or --cmts may have some"),
        gone if all.is_empty() => log::warn!("nobody has tried any of {gone} CMTSs for a day"),
        _ => {}
    }
    if all.iter().any(|fresh| !fresh.fresh) || all.is_empty() {
        exit = exit.merge(Exit::Partial);
    }
    all.sort_by(|a, b| a.last_good.cmp(&b.last_good).then_with(|| natural::compare(&a.cmts, &b.cmts)));
    let all = &all[..all.len().min(request.view.top.unwrap_or(usize::MAX))];
    if request.view.text {
        table(all, output)
    } else {
        all.iter().try_for_each(|f| record::write(output, f))
    }
    .map_err(Error::output)?;
    Ok(exit)
}

fn fresh(request: &Request, cmts: String, seen: &Seen) -> Fresh {
    let hold = request.question.hold();
    // What is ahead of time tells of a clock that was wrong, and not of the device.
    let age = seen.last_good.map(|ts| request.question.now.since(ts)).filter(|age| -age <= hold);
    let age = age.map(|age| age.max(0));
    Fresh {
        ts: request.question.now,
        cmts,
        fresh: age.is_some_and(|age| age <= hold),
        age_s: age.map(i64::unsigned_abs),
        last_good: seen.last_good,
        status: seen.last.map(|(_, status)| status),
    }
}

/// Devices that have samples but no scan, in an older database, are known by their samples of a day.
fn of_database(request: &Request, args: &cli::Report, context: &Context) -> Result<Devices> {
    let mut database = database::open(&args.database, context, Access::Read)?;
    let mut devices = Devices::new();
    for device in database.devices()?.into_iter().filter(|device| request.question.only.cmts(&device.cmts)) {
        let last = Some((device.last_try, device.last_status));
        devices.insert(device.cmts, Seen { last_good: device.last_good, last });
    }
    if devices.is_empty() {
        let span = Window { from: request.question.now + -CARRY_S, to: request.question.now + 1 };
        database.samples(span, Detail::Without, &mut |stored| {
            if request.question.only.cmts(stored.cmts) {
                let seen = match devices.get_mut(stored.cmts) {
                    Some(seen) => seen,
                    None => devices.entry(stored.cmts.to_owned()).or_default(),
                };
                seen.last_good = seen.last_good.max(Some(stored.ts));
            }
            Ok(())
        })?;
    }
    Ok(devices)
}

fn of_input(
    request: &Request,
    context: &Context,
    path: &Path,
    stdin: &mut dyn BufRead,
) -> Result<(Devices, Exit)> {
    let mut devices = Devices::new();
    let exit = with_input(path, stdin, |input| {
        each_record(context, input, &mut io::sink(), |record, _| {
            match record {
                Record::Scan(scan) if request.question.only.cmts(&scan.cmts) => {
                    devices.entry(scan.cmts).or_default().scan(scan.ts, scan.status);
                }
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok((devices, exit))
}

fn table(all: &[Fresh], output: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = all.iter().map(|fresh| text::terminal(&fresh.cmts)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
    writeln!(output, "{:width$}  {:>12}  STATUS", "CMTS", "LAST GOOD")?;
    for (fresh, name) in all.iter().zip(names) {
        let age = fresh.age_s.map_or_else(|| "never".to_owned(), |s| units::human(Duration::from_secs(s)));
        let status = fresh.status.map(|status| status.to_string()).unwrap_or_default();
        let stale = if fresh.fresh { "" } else { " (stale)" };
        writeln!(output, "{name:width$}  {age:>12}  {status}{stale}")?;
    }
    Ok(())
}
