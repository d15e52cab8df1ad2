//! Finished days: a local day is reckoned once, when half an hour has passed since its end, and kept in
//! `modulation_day`. It is reckoned anew when the rows that it was made of are not the same any more, so
//! that what it says is always what its samples say. Each day carries the past of its upstreams forward from the
//! day before; when that one changes, the days after it are brought up to date without their samples.

mod decode;
mod proof;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;

pub use decode::Decode;

use super::{Database, DayHead, DayRow, Detail, Gauge, Made, unconfirmed::unconfirmed};
use crate::{
    error::{Error, Result},
    measure::{
        Window,
        arithmetic::{CARRY_S, Span, Upstream, modulations},
        memory::Memory,
        plan::number_of,
        rollup::{Line, rules},
        roster::Roster,
        snr,
        stretches::{step_s, text_of},
        window::{self, local},
    },
    modulation::Modulation,
    record::Timestamp,
};

/// A day is finished so long after its end, s: until then its last samples may be on their way.
const SETTLE_S: i64 = 1800;
/// Detail is kept for so long after a sample, s, unless somebody keeps it for longer: then it is not looked at.
const DETAIL_S: i64 = 2 * 86_400;

/// What a report takes along with the samples of a window: they may still have their detail.
#[must_use]
pub fn detail_of(window: Window, now: Timestamp) -> Detail {
    if window.to + DETAIL_S > now { Detail::Snr } else { Detail::Without }
}

/// Whose days, and what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Calendar {
    pub tz: Tz,
    pub interval_s: u64,
    pub now: Timestamp,
}

impl Calendar {
    /// Whether a day can be kept.
    #[must_use]
    pub fn is_finished(&self, day: NaiveDate) -> bool {
        window::of_day(self.tz, day).to + SETTLE_S <= self.now
    }

    /// Whether a kept day is one of these.
    #[must_use]
    pub fn is_of(&self, head: &DayHead) -> bool {
        let same = || head.tz.parse().is_ok_and(|tz| window::is_same_zone(self.tz, tz));
        head.interval_s == self.interval_s && (head.tz == self.tz.name() || same())
    }

    /// How long a sample holds, s.
    #[must_use]
    pub fn hold(&self) -> i64 {
        i64::try_from(self.interval_s * 5 / 2).unwrap_or(i64::MAX)
    }

    fn span(&self, day: NaiveDate) -> Span {
        let window = window::of_day(self.tz, day);
        Span {
            window,
            end: window.to,
            hold: self.hold(),
            carry: CARRY_S,
            hourly: true,
            step_s: Some(step_s(self.interval_s)),
        }
    }

    /// The days that end before `until` and have samples, at most `back` of them before it.
    pub fn days_of_samples(
        &self,
        database: &mut dyn Database,
        until: NaiveDate,
        back: u32,
    ) -> Result<Vec<NaiveDate>> {
        let Some(oldest) = database.oldest()? else { return Ok(Vec::new()) };
        let back = until.checked_sub_days(chrono::Days::new(back.into())).unwrap_or(until);
        let first = local(self.tz, oldest).date().max(back);
        let is_wanted = |day: &NaiveDate| *day <= until && self.is_finished(*day);
        Ok(first.iter_days().take_while(is_wanted).collect())
    }
}

/// For whom days are looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// A report: what is not there is reckoned, and kept where that is allowed.
    Report,
    /// mod-prune: everything is counted, and a day that cannot be kept is a fault.
    Prune,
}

/// What there is of a day.
#[derive(Clone, Debug)]
enum State {
    /// It is kept, and true.
    Kept,
    /// It has to be reckoned, and kept with this, if at all.
    Wanted(Option<Made>),
}

/// The day whose samples were read last.
struct Reckoned {
    /// Its own time, and from when on samples were read.
    window: Window,
    from: Timestamp,
    /// Rows in it, in the time before it that may be carried in, and in the last of its time that the next day may
    /// carry in.
    samples: u64,
    carried: u64,
    tail: u64,
}

/// The lines of a day, by upstream; its samples, and those before it that may be carried in.
type Counted = (Vec<(u32, Line)>, u64, u64);

/// Takes the lines of a day: its device, its upstream, and what is kept of it.
pub type EachLine<'a> = &'a mut dyn FnMut(NaiveDate, &str, &str, Line) -> Result<()>;

/// The days of a database, looked after.
pub struct Keeper<'a> {
    database: &'a mut dyn Database,
    calendar: Calendar,
    care: Care,
    heads: BTreeMap<NaiveDate, DayHead>,
    /// The oldest sample.
    oldest: Option<Timestamp>,
    states: BTreeMap<NaiveDate, State>,
    roster: Roster,
    /// The last sample of each upstream at the end of the day that was reckoned last.
    last: Vec<Option<(Timestamp, Modulation)>>,
    reckoned: Option<Reckoned>,
    /// Rows that were counted, by window.
    counts: BTreeMap<(Timestamp, Timestamp), u64>,
    /// Scans that were counted, by window, and what they say of their samples.
    scans: BTreeMap<(Timestamp, Timestamp), [u64; 2]>,
    /// The server's own tally, read once.
    gauge: Option<Option<Gauge>>,
    /// The past of each upstream at the end of `remembered`.
    memories: Vec<Option<Memory>>,
    remembered: Option<NaiveDate>,
    /// The day that was seen to last, and what its memories come to.
    chain: Option<(NaiveDate, u64)>,
}

impl<'a> Keeper<'a> {
    /// Looks at what there is of some days. They are all looked at before the first is reckoned: what
    /// comes late meanwhile changes what was seen, and so the day is looked at more closely the next time.
    pub fn new(
        database: &'a mut dyn Database,
        calendar: Calendar,
        care: Care,
        days: impl IntoIterator<Item = NaiveDate>,
    ) -> Result<Self> {
        if care == Care::Report {
            database.hurry();
        }
        let heads = if database.keeps_days() { database.day_heads()? } else { Vec::new() };
        let oldest = database.oldest()?;
        let mut keeper = Keeper {
            oldest,
            database,
            calendar,
            care,
            heads: heads.into_iter().map(|head| (head.day, head)).collect(),
            states: BTreeMap::new(),
            roster: Roster::default(),
            last: Vec::new(),
            reckoned: None,
            counts: BTreeMap::new(),
            scans: BTreeMap::new(),
            gauge: None,
            memories: Vec::new(),
            remembered: None,
            chain: None,
        };
        for day in days {
            let state = keeper.look(day)?;
            keeper.states.insert(day, state);
        }
        // A day without samples cannot be looked at any more: it stands as it is.
        let calendar = keeper.calendar;
        let stand = keeper.heads.values().filter(|head| calendar.is_of(head)).map(|head| head.day);
        for day in stand.collect::<Vec<_>>() {
            keeper.states.entry(day).or_insert(State::Kept);
        }
        Ok(keeper)
    }

    /// Goes through all days up to `until` that are kept or were given, sees to it that they are true, and hands out
    /// the lines of those that are `wanted`, day by day, as far as they are decoded.
    pub fn run(
        &mut self,
        until: NaiveDate,
        wanted: &BTreeMap<NaiveDate, Decode>,
        each: EachLine<'_>,
    ) -> Result<()> {
        let days: Vec<_> = self.states.range(..=until).map(|(&day, _)| day).collect();
        for day in days {
            if self.chain.is_some_and(|(done, _)| day <= done) {
                continue;
            }
            match (self.bring_up_to_date(day)?, wanted.get(&day)) {
                (Some(lines), Some(_)) => {
                    for (number, line) in lines {
                        let about = self.roster.about(number);
                        each(day, about.cmts, about.upstream, line)?;
                    }
                }
                (None, Some(&decode)) => self.read(day, decode, each)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a day is kept or was given.
    #[must_use]
    pub fn has(&self, day: NaiveDate) -> bool {
        self.states.contains_key(&day)
    }

    /// The last day before `day` that is kept or was given.
    #[must_use]
    pub fn before(&self, day: NaiveDate) -> Option<NaiveDate> {
        self.states.range(..day).next_back().map(|(&before, _)| before)
    }

    fn read(&mut self, day: NaiveDate, decode: Decode, each: EachLine<'_>) -> Result<()> {
        let place = self.database.place().to_owned();
        decode::lines(
            decode,
            |row| self.database.day_rows(day, true, row),
            |cmts, upstream, line| {
                let line = line.map_err(|error| broken(&place, day, [cmts, upstream], &error))?;
                each(day, cmts, upstream, line)
            },
        )
    }

    /// Makes sure that a day is kept, and those before it.
    pub fn ensure(&mut self, day: NaiveDate) -> Result<()> {
        self.run(day, &BTreeMap::new(), &mut |_, _, _, _| Ok(()))
    }

    /// Sees to it that a day is true, its past included, when those before it are; none: it was and is kept.
    fn bring_up_to_date(&mut self, day: NaiveDate) -> Result<Option<Vec<(u32, Line)>>> {
        let after = self.chain.map_or(0, |(_, memory)| memory);
        let (lines, keep) = match self.states.get(&day).cloned() {
            None => return Ok(None),
            Some(State::Kept) => {
                let Some(head) = self.heads.get(&day).cloned() else { return Ok(None) };
                // The first one stands, though those before it have been pruned.
                let follows = self.chain.is_none_or(|(_, memory)| head.made.after == memory);
                if follows && head.made.rules == rules() {
                    self.chain = Some((day, head.made.memory));
                    return Ok(None);
                }
                let mut lines = Vec::new();
                let mut roster = std::mem::take(&mut self.roster);
                let read = self.read(day, Line::of_columns, &mut |_, cmts, upstream, line| {
                    lines.push((roster.upstream(cmts, upstream), line));
                    Ok(())
                });
                self.roster = roster;
                read?;
                (lines, Some((head.samples, head.made)))
            }
            Some(State::Wanted(made)) => {
                let (lines, samples, carried) = self.reckon(day)?;
                (lines, made.map(|made| (samples, Made { carried, ..made })))
            }
        };
        self.load_memories()?;
        let lines = self.remember(day, lines);
        if lines.is_empty() {
            // There is nothing to keep, and nothing changed.
            return Ok(Some(lines));
        }
        let columns: Vec<_> = lines.iter().map(|(_, line)| line.to_columns()).collect();
        let memory = self.sum(&lines);
        if let Some((samples, made)) = keep {
            let Calendar { tz, interval_s, .. } = self.calendar;
            let made = Made { after, memory, rules: rules(), ..made };
            let head = DayHead { day, tz: tz.name().to_owned(), interval_s, samples, made };
            match self.keep(&head, &lines, &columns) {
                Err(error) if self.care == Care::Report => {
                    log::info!("{day} is not kept: {error}");
                    self.keep_no_more();
                }
                kept => kept?,
            }
        }
        self.chain = Some((day, memory));
        Ok(Some(lines))
    }

    /// The past of each upstream at the end of the day that was seen to last.
    fn load_memories(&mut self) -> Result<()> {
        let Some((day, _)) = self.chain.filter(|&(day, _)| self.remembered != Some(day)) else {
            return Ok(());
        };
        let mut memories: Vec<Option<Memory>> = Vec::new();
        let mut roster = std::mem::take(&mut self.roster);
        let read = self.read(day, Line::carried, &mut |_, cmts, upstream, line| {
            set(&mut memories, roster.upstream(cmts, upstream), line.memory);
            Ok(())
        });
        self.roster = roster;
        read?;
        (self.memories, self.remembered) = (memories, Some(day));
        Ok(())
    }

    /// Gives each line its past, and each upstream with a past its line.
    fn remember(&mut self, day: NaiveDate, mut lines: Vec<(u32, Line)>) -> Vec<(u32, Line)> {
        let (number_of_day, hold) = (number_of(day), self.calendar.hold());
        let mut before = std::mem::take(&mut self.memories);
        let mut pasts = Vec::new();
        lines.retain(|(_, line)| !line.day.is_empty() || line.samples() > 0);
        let seen: BTreeSet<u32> = lines.iter().map(|&(number, _)| number).collect();
        for (number, past) in (0..).zip(&before) {
            if !seen.contains(&number) && past.as_ref().is_some_and(|past| past.is_alive(number_of_day)) {
                lines.push((number, Line::default()));
            }
        }
        for (number, line) in &mut lines {
            let past = before.get_mut(*number as usize).and_then(Option::take);
            let mut memory = past.unwrap_or_default();
            memory.follow(&line.day, hold);
            memory.close(number_of_day, &line.day.time);
            line.memory = memory.clone();
            set(&mut pasts, *number, memory);
        }
        (self.memories, self.remembered) = (pasts, Some(day));
        lines
    }

    /// A sum over the pasts of a day, whatever the order of its lines: the day after is made of these.
    fn sum(&self, lines: &[(u32, Line)]) -> u64 {
        let of_line = |&(number, ref line): &(u32, Line)| {
            let about = self.roster.about(number);
            let memory = serde_json::to_string(&line.memory).unwrap_or_default();
            fnv([about.cmts, about.upstream, &memory])
        };
        lines.iter().map(of_line).fold(1, u64::wrapping_add)
    }

    /// What is refused once is refused again.
    fn keep_no_more(&mut self) {
        for state in self.states.values_mut() {
            if let State::Wanted(made) = state {
                *made = None;
            }
        }
    }

    /// Reads the samples of a day, and counts them and those before it that may be carried in. Right after the day
    /// before, it knows already what is carried in.
    fn reckon(&mut self, day: NaiveDate) -> Result<Counted> {
        let span = self.calendar.span(day);
        let before = self.reckoned.take().filter(|before| before.window.to == span.window.from);
        let carry = span.window.from + -CARRY_S;
        let (from, known) = match &before {
            // A day of 23 hours that followed another was not read from where this one may carry in.
            Some(before) if carry < before.from => {
                let earlier = self.count(Window { from: carry, to: before.from })?;
                (span.window.from, before.tail + earlier)
            }
            Some(before) => (span.window.from, before.tail),
            None => {
                self.last.clear();
                (carry, 0)
            }
        };
        let mut rows = Reckoned { window: span.window, from, samples: 0, carried: known, tail: 0 };
        let tail = span.window.to + -CARRY_S;
        let begin = |held| (Upstream::begin(&span, held, std::rc::Rc::default()), Vec::new());
        let mut states: Vec<(Upstream, Vec<u32>)> = self.last.iter().map(|&held| begin(held)).collect();
        let roster = &mut self.roster;
        let window = Window { from, to: span.window.to };
        let detail = detail_of(window, self.calendar.now);
        self.database.samples(window, detail, &mut |stored| {
            rows.carried += u64::from(stored.ts < span.window.from);
            rows.samples += u64::from(stored.ts >= span.window.from);
            rows.tail += u64::from(stored.ts >= tail);
            let number = roster.upstream(stored.cmts, stored.upstream) as usize;
            while states.len() <= number {
                states.push(begin(None));
            }
            let (upstream, steps) = &mut states[number];
            let snr = stored.snr_db.and_then(snr::tenths);
            if upstream.feed_with(&span, stored.ts, stored.modulation, snr) {
                steps.push(u32::try_from(stored.ts.since(span.window.from)).unwrap_or_default());
            }
            Ok(())
        })?;
        let built_in = unconfirmed(self.database, span.window.to, span.hold, roster)?;
        self.last = states.iter().map(|(upstream, _)| upstream.held()).collect();
        let (samples, carried) = (rows.samples, rows.carried);
        self.reckoned = Some(rows);
        let line = |(number, (upstream, steps_down_s)): (u32, (Upstream, Vec<u32>))| {
            let (day, steps) = upstream.finish(&span);
            let steps = if day.is_empty() { String::new() } else { text_of(modulations(&steps)) };
            let built_in = built_in.contains(&number);
            (number, Line { day, memory: Memory::default(), steps_down_s, steps, built_in })
        };
        Ok(((0..).zip(states).map(line).collect(), samples, carried))
    }

    /// The server's own tally of the table, if it has one that can be relied on.
    fn gauge(&mut self) -> Result<Option<&Gauge>> {
        if self.gauge.is_none() {
            self.gauge = Some(self.database.gauge()?);
        }
        Ok(self.gauge.as_ref().and_then(Option::as_ref))
    }

    fn keep(&mut self, head: &DayHead, lines: &[(u32, Line)], columns: &[(String, String)]) -> Result<()> {
        let mut rows: Vec<DayRow<'_>> = lines
            .iter()
            .zip(columns)
            .map(|((number, line), (time_s, finished))| {
                let about = self.roster.about(*number);
                let (cmts, upstream) = (about.cmts, about.upstream);
                DayRow { cmts, upstream, samples: line.samples(), time_s, finished }
            })
            .collect();
        // In the order of the key, so that its pages are written once.
        rows.sort_by_key(|row| (row.cmts, row.upstream));
        self.database.write_day(head, &rows)
    }

    /// Seals every kept day that is made of samples from before a moment: they are about to go.
    pub fn seal(database: &mut dyn Database, calendar: Calendar, before: Timestamp) -> Result<()> {
        if !database.keeps_days() {
            return Ok(());
        }
        for head in database.day_heads()? {
            let tz = head.tz.parse().unwrap_or(calendar.tz);
            let made_from = window::of_day(tz, head.day).from + -CARRY_S;
            if made_from < before && !head.made.sealed {
                database.write_head(&DayHead { made: Made { sealed: true, ..head.made }, ..head })?;
            }
        }
        Ok(())
    }
}

fn broken(place: &str, day: NaiveDate, [cmts, upstream]: [&str; 2], error: &serde_json::Error) -> Error {
    Error::Database {
        place: place.to_owned(),
        reason: format!(
            "modulation_day of {day}, {cmts} {upstream}, cannot be read ({error}); DELETE FROM modulation_day WHERE \
             day = '{day}' has it made anew"
        ),
    }
}

fn set(memories: &mut Vec<Option<Memory>>, number: u32, memory: Memory) {
    let at = number as usize;
    if memories.len() <= at {
        memories.resize_with(at + 1, || None);
    }
    memories[at] = Some(memory);
}

/// FNV-1a: what is kept in a database must not depend on how a library hashes.
fn fnv(texts: [&str; 3]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
