//! Where the scans come from.

use std::{
    collections::HashMap,
    io::{self, BufRead},
    path::Path,
};

use super::{Facts, Watch};
use crate::{
    cli,
    database::{self, Access, Database, Detail},
    error::Result,
    exit::Exit,
    measure::{
        Window,
        arithmetic::CARRY_S,
        events::{Knows, Scan},
        plan::number_of,
        rollup::{Line, rules},
        roster::Roster,
    },
    modulation::Modulation,
    record::{Record, Timestamp},
    report::{
        request::Question,
        source::{each_record, with_input},
    },
    stage::Context,
};

/// A first run looks back so many intervals: an upstream that fell in them is news.
const FIRST: i64 = 12;
/// Scans that come so much later than newer ones of other devices are still taken, s.
const LATE_S: i64 = 4 * 3600;

/// What a question says of upstreams.
pub struct Known<'a>(pub &'a Question);

impl Knows for Known<'_> {
    fn expected(&self, cmts: &str, upstream: &str) -> Option<Modulation> {
        self.0.expected.of(cmts, upstream)
    }

    fn node(&self, cmts: &str, upstream: &str) -> Option<String> {
        self.0.nodes.of(cmts, upstream).map(|place| place.node.clone())
    }

    fn is_maintained(&self, cmts: &str, upstream: &str, ts: Timestamp) -> bool {
        self.0.maintained.is_at(cmts, upstream, ts)
    }
}

/// Takes what a database has that is newer than the state.
pub fn from_database(watch: &mut Watch<'_>, args: &cli::Report, context: &Context) -> Result<Exit> {
    let mut database = database::open(&args.database, context, Access::Read)?;
    let database = database.as_mut();
    learn(watch, database)?;
    if let Some(window) = unread(watch, database)? {
        read(watch, database, window)?;
    }
    let channels = if watch.happened.is_empty() { HashMap::new() } else { facts(database)? };
    watch.tell(&|cmts, upstream| {
        channels.get(cmts).and_then(|of| of.get(upstream)).copied().unwrap_or_default()
    })?;
    Ok(Exit::Done)
}

/// Takes what the newest finished day says that upstreams can do, unless that is known already.
fn learn(watch: &mut Watch<'_>, database: &mut dyn Database) -> Result<()> {
    let days = watch.request.question.expected_days;
    let heads = database.day_heads()?;
    let Some(day) = heads.iter().rev().find(|head| head.made.rules == rules()).map(|head| head.day) else {
        return Ok(());
    };
    let known = format!("{day} {days}");
    if watch.memory.expected_of.as_ref() == Some(&known) {
        return Ok(());
    }
    let next = number_of(day) + 1;
    let devices = &mut watch.memory.devices;
    let only = &watch.request.question.only;
    database.day_rows(day, true, &mut |row| {
        // A row that cannot be read is the report's to name.
        let Ok(line) = Line::of_columns(row.time_s, row.finished) else { return Ok(()) };
        if only.upstream(row.cmts, row.upstream) {
            let device = devices.entry(row.cmts.to_owned()).or_default();
            device.upstream(row.upstream).of_day = line.memory.best_held(next, days);
        }
        Ok(())
    })?;
    watch.memory.expected_of = Some(known);
    Ok(())
}

/// The time in which there are scans that no run has taken; none when there are none.
fn unread(watch: &Watch<'_>, database: &mut dyn Database) -> Result<Option<Window>> {
    let question = &watch.request.question;
    let end = question.now + question.hold() + 1;
    let first = question.now + -FIRST * i64::try_from(question.interval_s).unwrap_or(0);
    let newest = watch.memory.devices.values().filter_map(|device| device.ts).max();
    let oldest = question.now + -CARRY_S;
    if newest.is_some_and(|newest| newest < oldest) {
        log::warn!("the state is older than a day: what happened before {oldest} is not told");
    }
    let from = newest.map_or(first, |newest| (newest + -LATE_S).max(oldest));
    let (mut any, mut begin) = (false, None::<Timestamp>);
    database.scans(Window { from, to: end }, &mut |scan| {
        any = true;
        let taken = watch.memory.devices.get(&scan.cmts).and_then(|device| device.ts);
        let is_new = taken.map_or(scan.ts >= first, |taken| scan.ts > taken);
        if is_new && scan.status.is_good() && question.only.cmts(&scan.cmts) {
            begin = Some(begin.map_or(scan.ts, |begin| begin.min(scan.ts)));
        }
        Ok(())
    })?;
    // A table without scans, of an older version: the samples themselves say it.
    let from = if any { begin } else { Some(from) };
    Ok(from.map(|from| Window { from, to: end }))
}

fn read(watch: &mut Watch<'_>, database: &mut dyn Database, window: Window) -> Result<()> {
    let now = watch.request.question.now;
    let mut group = Group::default();
    database.samples(window, Detail::Without, &mut |stored| {
        if !watch.request.question.only.upstream(stored.cmts, stored.upstream) {
            return Ok(());
        }
        if !group.is_of(stored.cmts, stored.ts) {
            group.feed(watch, now);
            group.begin(stored.cmts, stored.ts);
        }
        group.upstreams.push((stored.upstream.to_owned(), stored.modulation));
        Ok(())
    })?;
    group.feed(watch, now);
    Ok(())
}

/// What is known of all upstreams, by device and name.
fn facts(database: &mut dyn Database) -> Result<HashMap<String, HashMap<String, Facts>>> {
    let mut known: HashMap<String, HashMap<String, Facts>> = HashMap::new();
    database.channels(&mut |channel| {
        let facts = Facts { width_hz: channel.width_hz, modems: channel.modems };
        known.entry(channel.cmts).or_default().insert(channel.upstream, facts);
    })?;
    Ok(known)
}

/// The samples of one device and scan, as they come.
#[derive(Default)]
struct Group {
    cmts: String,
    ts: Timestamp,
    upstreams: Vec<(String, Modulation)>,
}

impl Group {
    fn is_of(&self, cmts: &str, ts: Timestamp) -> bool {
        !self.upstreams.is_empty() && self.cmts == cmts && self.ts == ts
    }

    fn begin(&mut self, cmts: &str, ts: Timestamp) {
        cmts.clone_into(&mut self.cmts);
        self.ts = ts;
    }

    /// Hands it on and empties it; false: it came too late.
    fn feed(&mut self, watch: &mut Watch<'_>, now: Timestamp) -> bool {
        if self.upstreams.is_empty() {
            return true;
        }
        let upstreams =
            self.upstreams.iter().map(|(name, modulation)| (name.as_str(), *modulation)).collect();
        let is_newer = watch.feed(&Scan { cmts: &self.cmts, ts: self.ts, upstreams }, now);
        self.upstreams.clear();
        is_newer
    }
}

/// Takes a record stream, and tells at each heartbeat and at its end.
pub fn from_input(
    watch: &mut Watch<'_>,
    path: &Path,
    context: &Context,
    stdin: &mut dyn BufRead,
) -> Result<Exit> {
    let (mut group, mut roster, mut late) = (Group::default(), Roster::default(), 0_u64);
    let exit = with_input(path, stdin, |input| {
        each_record(context, input, &mut io::sink(), |record, _| {
            let mut end = |group: &mut Group, watch: &mut Watch<'_>| {
                late += u64::from(!group.feed(watch, context.clock.now()));
            };
            match record {
                Record::Sample(sample)
                    if watch.request.question.only.upstream(&sample.cmts, &sample.upstream) =>
                {
                    if !group.is_of(&sample.cmts, sample.ts) {
                        end(&mut group, watch);
                        group.begin(&sample.cmts, sample.ts);
                    }
                    group.upstreams.push((sample.upstream.clone(), sample.modulation));
                    roster.sample(sample);
                }
                Record::Scan(_) => end(&mut group, watch),
                Record::Heartbeat(_) => {
                    end(&mut group, watch);
                    tell(watch, &roster)?;
                }
                _ => {}
            }
            Ok(())
        })
    })?;
    late += u64::from(!group.feed(watch, context.clock.now()));
    tell(watch, &roster)?;
    if late > 0 {
        log::info!("{late} scans were not newer than the last one of their device, and are left out");
    }
    Ok(exit)
}

fn tell(watch: &mut Watch<'_>, roster: &Roster) -> Result<()> {
    watch.tell(&|cmts, upstream| {
        let about = roster.find(cmts, upstream).map(|number| roster.about(number));
        about.map_or_else(Facts::default, |about| Facts { width_hz: about.width_hz, modems: about.modems })
    })
}
