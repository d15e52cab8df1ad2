//! All upstreams of a window together: each with its course through the days, and what happened to several at
//! once. A window is put together from finished days and from samples, in the order of time.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use super::{
    Window,
    arithmetic::{Before, CARRY_S, Course, Day, PerIndex, Sampled, Span, Upstream, add, indexes},
    maintenance::Maintained,
    memory::Memory,
    natural,
    plan::{Part, Plan},
    rollup::Line,
    roster::Roster,
    stretches::of_text,
};
use crate::{
    modulation::Modulation,
    record::{Incident, Timestamp},
};

/// `incidents`: at least so many upstreams of one node or CMTS step down in the same scan,
const INCIDENT_UPSTREAMS: u64 = 5;
/// and at least one in so many of those in service.
const INCIDENT_SHARE: u64 = 10;

/// Whether so many upstreams that step down together are more than single falls.
#[must_use]
pub fn is_incident(upstreams: u64, in_service: impl FnOnce() -> u64) -> bool {
    upstreams >= INCIDENT_UPSTREAMS && upstreams * INCIDENT_SHARE >= in_service()
}

/// The steps down of one moment, by CMTS.
#[derive(Debug, Default)]
struct Steps {
    at: Timestamp,
    down: HashMap<u32, Vec<u32>>,
}

/// An upstream on its way through the parts of a plan.
#[derive(Debug)]
struct Progress {
    /// Which part it is in.
    at: usize,
    /// The last sample before it.
    held: Option<(Timestamp, Modulation)>,
    /// Its samples, once there is one: finished days need no room for any.
    now: Option<Box<Upstream>>,
    maintenance: Rc<[Window]>,
    course: Course,
    /// Time by modulation of the local day so far.
    today: PerIndex,
    /// The last sample before the window.
    carried: Option<Sampled>,
    in_window: bool,
}

impl Progress {
    fn new(maintenance: Rc<[Window]>) -> Self {
        Progress {
            at: 0,
            held: None,
            now: None,
            maintenance,
            course: Course::default(),
            today: Default::default(),
            carried: None,
            in_window: false,
        }
    }

    /// Takes the next sample, of the part that it is in; whether it is a step down.
    fn feed(&mut self, span: &Span, ts: Timestamp, modulation: Modulation, snr: Option<i16>) -> bool {
        let begin = || Box::new(Upstream::begin(span, self.held, Rc::clone(&self.maintenance)));
        self.now.get_or_insert_with(begin).feed_with(span, ts, modulation, snr)
    }

    /// Ends the parts before `at`.
    fn advance(&mut self, plan: &Plan, at: usize) {
        while self.at < at {
            let part = &plan.parts[self.at];
            self.at += 1;
            let begin = || Upstream::begin(&part.span, self.held, Rc::clone(&self.maintenance));
            let now = self.now.take().map_or_else(begin, |now| *now);
            self.held = now.held();
            let (day, steps) = now.finish(&part.span);
            self.end(plan, part, day, steps);
        }
    }

    fn end(&mut self, plan: &Plan, part: &Part, day: Day, steps: Box<[u8]>) {
        let span = &part.span;
        let length = span.window.to.since(span.window.from);
        self.enter(plan, part, &day);
        self.course.memory.follow(&day, span.hold);
        add(&mut self.today, &day.time);
        if let Some(closed) = part.closes {
            self.course.memory.close(closed, &self.today);
            self.today = Default::default();
        }
        if part.is_window {
            match plan.windows {
                1 => self.course.day = day,
                _ => self.append(plan, day, span.window.from, length),
            }
            self.course.steps = steps;
        }
    }

    /// What of the past is needed, when the window begins: its parts follow those before it. The day before the window
    /// is one part.
    fn enter(&mut self, plan: &Plan, part: &Part, day: &Day) {
        if part.is_before {
            self.course.before = Before::of(day);
        }
        if part.is_window && !self.in_window {
            self.in_window = true;
            self.carried = self.course.memory.last;
            self.course.held_before = self.course.memory.best_held(plan.days.first, plan.frame.expected_days);
        }
    }

    /// Adds a part to the window. What was carried into the window is compared with its first sample, though that may
    /// lie in a part that is too far behind it.
    fn append(&mut self, plan: &Plan, mut day: Day, from: Timestamp, length: i64) {
        let carried = self.carried.filter(|_| self.course.day.first.is_none());
        if let Some((ts, before)) = carried
            && (plan.frame.window.from.0 - CARRY_S..from.0 - CARRY_S).contains(&ts)
        {
            day.compare_first(before);
        }
        self.course.day.append(day, from.0, length);
    }

    /// Takes a finished day as it was kept, after all that was before it.
    fn keep(&mut self, plan: &Plan, at: usize, line: Line) {
        self.advance(plan, at);
        let part = &plan.parts[at];
        let from = part.span.window.from;
        let length = part.span.window.to.since(from);
        self.at = at + 1;
        self.now = None;
        self.today = Default::default();
        self.enter(plan, part, &line.day);
        if part.is_window {
            match plan.windows {
                1 => self.course.day = line.day,
                _ => self.append(plan, line.day, from, length),
            }
        }
        if part.is_window && part.span.step_s.is_some() {
            self.course.steps = indexes(of_text(&line.steps));
        }
        self.remember(line.memory);
    }

    /// Takes the past.
    fn remember(&mut self, memory: Memory) {
        self.held = memory.last.map(|(ts, modulation)| (Timestamp(ts), modulation));
        self.course.memory = memory;
    }

    fn finish(mut self, plan: &Plan) -> Option<Course> {
        self.advance(plan, plan.parts.len());
        if self.course.day.measurements() == 0 {
            return None;
        }
        self.course.memory.note(plan.last_day, &self.today);
        if !plan.frame.hourly {
            self.course.day.hours = Box::default();
        }
        Some(self.course)
    }
}

/// All upstreams on their way through a plan.
#[derive(Debug)]
pub struct Tally {
    plan: Plan,
    maintained: Rc<Maintained>,
    upstreams: Vec<Progress>,
    at: usize,
    steps: Steps,
    incidents: Incidents,
}

impl Tally {
    /// Begins with no upstream.
    #[must_use]
    pub fn new(plan: Plan, maintained: &Rc<Maintained>) -> Self {
        let maintained = Rc::clone(maintained);
        let (steps, incidents) = (Steps::default(), Incidents::default());
        Tally { plan, maintained, upstreams: Vec::new(), at: 0, steps, incidents }
    }

    fn progress(&mut self, roster: &Roster, upstream: u32) -> &mut Progress {
        let at = upstream as usize;
        while self.upstreams.len() <= at {
            let number = u32::try_from(self.upstreams.len()).unwrap_or(u32::MAX);
            let about = roster.about(number);
            let windows = self.maintained.of(about.cmts, about.upstream);
            self.upstreams.push(Progress::new(windows));
        }
        &mut self.upstreams[at]
    }

    /// Takes the next sample in the order of time, with its signal-to-noise ratio, tenths of a dB.
    pub fn feed(
        &mut self,
        roster: &Roster,
        upstream: u32,
        ts: Timestamp,
        modulation: Modulation,
        snr: Option<i16>,
    ) {
        while self.plan.parts.get(self.at).is_some_and(|part| ts >= part.span.window.to) {
            self.at += 1;
        }
        let Some(is_window) = self.plan.parts.get(self.at).map(|part| part.is_window) else { return };
        let at = self.at;
        self.progress(roster, upstream);
        let progress = &mut self.upstreams[upstream as usize];
        progress.advance(&self.plan, at);
        if progress.at > at {
            return;
        }
        let is_down = progress.feed(&self.plan.parts[at].span, ts, modulation, snr);
        if is_down && is_window {
            self.step_down(roster, upstream, ts);
        }
    }

    fn step_down(&mut self, roster: &Roster, upstream: u32, ts: Timestamp) {
        if ts != self.steps.at {
            self.close_scan(roster);
            self.steps.at = ts;
        }
        self.steps.down.entry(roster.cmts_of(upstream)).or_default().push(upstream);
    }

    /// Takes the past of an upstream, before anything else of it.
    pub fn remember(&mut self, roster: &Roster, upstream: u32, memory: Memory) {
        self.progress(roster, upstream).remember(memory);
    }

    /// Takes a finished day of an upstream; `at` is the number of its part.
    pub fn keep(&mut self, roster: &Roster, at: usize, upstream: u32, line: Line) {
        self.progress(roster, upstream);
        self.upstreams[upstream as usize].keep(&self.plan, at, line);
    }

    /// Takes when upstreams stepped down in a finished day.
    pub fn step_downs(&mut self, roster: &Roster, mut steps: Vec<(Timestamp, u32)>) {
        steps.sort_unstable();
        for (ts, upstream) in steps {
            self.step_down(roster, upstream, ts);
        }
    }

    /// The plan that it follows.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Scans share their time when they began together: what stepped down in each is known once time goes on.
    fn close_scan(&mut self, roster: &Roster) {
        for (cmts, upstreams) in self.steps.down.drain() {
            let name = roster.cmts_name(cmts);
            let is_maintained =
                |&at: &u32| self.maintained.is_at(name, roster.about(at).upstream, self.steps.at);
            let (maintained, others) = upstreams.into_iter().partition(is_maintained);
            self.incidents.note(self.steps.at, cmts, maintained, true);
            self.incidents.note(self.steps.at, cmts, others, false);
        }
    }

    /// Ends the window.
    #[must_use]
    pub fn finish(mut self, roster: &Roster) -> Tallied {
        self.close_scan(roster);
        let plan = &self.plan;
        // In the place of the upstreams themselves, which `zip` could not do.
        let lines = self
            .upstreams
            .into_iter()
            .enumerate()
            .filter_map(|(number, progress)| Some((u32::try_from(number).ok()?, progress.finish(plan)?)))
            .collect();
        Tallied { lines, incidents: self.incidents }
    }
}

/// What the samples of a window came to.
#[derive(Debug)]
pub struct Tallied {
    /// Each upstream that has a sample in the window, by its number in the roster.
    pub lines: Vec<(u32, Course)>,
    /// What may have happened to several at once.
    pub incidents: Incidents,
}

/// The scans of a window in which several upstreams of one CMTS stepped down.
#[derive(Debug, Default)]
pub struct Incidents(Vec<Candidate>);

#[derive(Debug)]
struct Candidate {
    ts: Timestamp,
    cmts: u32,
    upstreams: Vec<u32>,
    maintenance: bool,
}

impl Incidents {
    /// Takes what stepped down in one scan of a CMTS, what was worked on then apart from the rest.
    pub fn note(&mut self, ts: Timestamp, cmts: u32, upstreams: Vec<u32>, maintenance: bool) {
        if upstreams.len() as u64 >= INCIDENT_UPSTREAMS {
            self.0.push(Candidate { ts, cmts, upstreams, maintenance });
        }
    }
}

impl Tallied {
    /// The names of the CMTSs that have samples.
    #[must_use]
    pub fn heard<'a>(&self, roster: &'a Roster) -> BTreeSet<&'a str> {
        self.lines.iter().map(|&(number, _)| roster.about(number).cmts).collect()
    }

    /// The incidents, largest first, and the upstreams that were in one outside maintenance. An incident is a
    /// scan in which enough of the upstreams in service of one node stepped down; what fell beside these is
    /// counted for the CMTS. In service are those with a sample in the window.
    #[must_use]
    pub fn incidents(&self, roster: &Roster) -> (Vec<Incident>, HashSet<u32>) {
        let mut in_service: HashMap<Group, u64> = HashMap::new();
        for &(number, _) in &self.lines {
            let cmts = roster.cmts_of(number);
            *in_service.entry((cmts, None)).or_default() += 1;
            if let Some(node) = roster.node_of(number) {
                *in_service.entry((cmts, Some(node))).or_default() += 1;
            }
        }
        let is_incident = |group: Group, down: &[u32]| {
            let (down, all) = (down.len() as u64, in_service.get(&group).copied().unwrap_or(0));
            down >= INCIDENT_UPSTREAMS && down * INCIDENT_SHARE >= all
        };
        let (mut incidents, mut concerned) = (Vec::new(), HashSet::new());
        for found in &self.incidents.0 {
            for (node, upstreams) in by_node(found, roster, is_incident) {
                incidents.push(Incident {
                    cmts: roster.cmts_name(found.cmts).to_owned(),
                    ts: found.ts,
                    upstreams: upstreams.len() as u64,
                    platform: roster.platform(found.cmts).map(str::to_owned),
                    node: node.and_then(|node| roster.node_name(node)).map(str::to_owned),
                    maintenance: found.maintenance,
                });
                if !found.maintenance {
                    concerned.extend(upstreams);
                }
            }
        }
        incidents.sort_by(|a, b| {
            let order = (b.upstreams, a.ts).cmp(&(a.upstreams, b.ts));
            order.then_with(|| natural::compare(&a.cmts, &b.cmts)).then_with(|| a.node.cmp(&b.node))
        });
        (incidents, concerned)
    }
}

/// A CMTS and one of its nodes, or all of it.
type Group = (u32, Option<usize>);

/// What stepped down in a scan of a CMTS: node by node, and what is left of it for the CMTS as a whole.
fn by_node(
    found: &Candidate,
    roster: &Roster,
    is_incident: impl Fn(Group, &[u32]) -> bool,
) -> Vec<(Option<usize>, Vec<u32>)> {
    let mut nodes: BTreeMap<Option<usize>, Vec<u32>> = BTreeMap::new();
    for &upstream in &found.upstreams {
        nodes.entry(roster.node_of(upstream)).or_default().push(upstream);
    }
    let mut rest = nodes.remove(&None).unwrap_or_default();
    let mut groups = Vec::new();
    for (node, upstreams) in nodes {
        match is_incident((found.cmts, node), &upstreams) {
            true => groups.push((node, upstreams)),
            false => rest.extend(upstreams),
        }
    }
    if is_incident((found.cmts, None), &rest) {
        groups.push((None, rest));
    }
    groups
}

/// The numbers of one upstream by its samples alone, in UTC.
#[cfg(test)]
pub(super) fn numbers_of(
    frame: &super::arithmetic::Frame,
    told: Option<Modulation>,
    maintenance: &[Window],
    samples: impl IntoIterator<Item = (Timestamp, Modulation)>,
) -> super::arithmetic::Numbers {
    let samples: Vec<_> = samples.into_iter().collect();
    let from = samples.first().map_or(frame.window.from, |&(ts, _)| ts);
    let plan = Plan::new(frame.clone(), chrono_tz::Tz::UTC, from);
    let mut progress = Progress::new(maintenance.into());
    for (ts, modulation) in samples {
        let at = plan.parts.iter().position(|part| ts < part.span.window.to).unwrap_or(plan.parts.len());
        progress.advance(&plan, at);
        if let Some(part) = plan.parts.get(at) {
            progress.feed(&part.span, ts, modulation, None);
        }
    }
    progress.advance(&plan, plan.parts.len());
    super::arithmetic::Numbers::new(progress.course, &plan.frame, plan.days, told)
}
