//! What is asked: the window, the upstreams, and what their numbers are compared with.

use std::{num::NonZeroU32, path::Path, rc::Rc};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use globset::GlobMatcher;

use crate::{
    cli,
    error::{Error, Result},
    glob::glob,
    measure::{
        Window,
        arithmetic::Frame,
        expected::Expected,
        maintenance::Maintained,
        nodes::Nodes,
        window::{self, local},
    },
    moment,
    record::{Row, Timestamp},
    report::web::Pages,
    stage::Context,
};

/// The finished days before the window that tell what to expect.
const EXPECTED_DAYS: u32 = 90;
/// Finished days are not kept for longer.
const EXPECTED_DAYS_MOST: u32 = 400;

/// What is asked, whatever the answer looks like and wherever it goes.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Question {
    pub now: Timestamp,
    /// Microseconds beyond it.
    pub now_us: u32,
    pub tz: Tz,
    /// None: the whole input.
    pub window: Option<Window>,
    pub interval_s: u64,
    pub expected: Rc<Expected>,
    /// The nodes of upstreams.
    pub nodes: Rc<Nodes>,
    /// The finished days before the window that tell what to expect.
    pub expected_days: u32,
    pub only: Only,
    /// When what is worked on: `--maintenance`, or the works that are asked for.
    pub maintained: Rc<Maintained>,
    /// How long the steps are that a day is also wanted in, s.
    pub step_s: Option<u64>,
}

/// Which upstreams are looked at.
#[derive(Debug, Default)]
pub struct Only {
    cmts: Option<GlobMatcher>,
    upstream: Option<GlobMatcher>,
    node: Option<(GlobMatcher, Rc<Nodes>)>,
}

impl Only {
    /// Whether a CMTS is asked for.
    #[must_use]
    pub fn cmts(&self, name: &str) -> bool {
        self.cmts.as_ref().is_none_or(|glob| glob.is_match(name))
    }

    /// Whether an upstream is asked for.
    #[must_use]
    pub fn upstream(&self, cmts: &str, name: &str) -> bool {
        self.cmts(cmts)
            && self.upstream.as_ref().is_none_or(|glob| glob.is_match(name))
            && self.node.as_ref().is_none_or(|(glob, nodes)| {
                nodes.of(cmts, name).is_some_and(|node| glob.is_match(&node.node))
            })
    }

    #[must_use]
    pub fn is_some(&self) -> bool {
        self.cmts.is_some() || self.upstream.is_some() || self.node.is_some()
    }

    /// Whether a row is asked for, by the node that it says.
    #[must_use]
    pub fn row(&self, row: &Row) -> bool {
        let is_match = |glob: &GlobMatcher| row.node.as_ref().is_some_and(|node| glob.is_match(node));
        self.cmts(&row.cmts)
            && self.upstream.as_ref().is_none_or(|glob| glob.is_match(&row.upstream))
            && self.node.as_ref().is_none_or(|(glob, _)| is_match(glob))
    }

    /// Samples do not say which node they are of.
    ///
    /// # Errors
    /// [`Error::Usage`] for `--node` without a table.
    pub fn check_of_samples(&self) -> Result<()> {
        match &self.node {
            Some((_, nodes)) if nodes.is_empty() => Err(no_nodes()),
            _ => Ok(()),
        }
    }

    fn new(args: &cli::Report, nodes: &Rc<Nodes>) -> Result<Self> {
        let pattern = |flag, text: &Option<String>| text.as_deref().map(|text| glob(flag, text)).transpose();
        let node = pattern("--node", &args.node)?;
        if node.is_some() && nodes.is_empty() && args.input.is_none() {
            return Err(no_nodes());
        }
        Ok(Only {
            cmts: pattern("--cmts", &args.cmts)?,
            upstream: pattern("--upstream", &args.upstream)?,
            node: node.map(|glob| (glob, Rc::clone(nodes))),
        })
    }
}

fn no_nodes() -> Error {
    Error::usage("--node: it needs --nodes FILE or MODTOOLS_NODES")
}

impl Question {
    /// Understands the flags.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the flag or setting and the remedy.
    pub fn new(
        args: &cli::Report,
        context: &Context,
        (now, now_us): (Timestamp, u32),
        tz: Tz,
    ) -> Result<Self> {
        let nodes = Rc::new(nodes(args, context)?);
        Ok(Question {
            now,
            now_us,
            tz,
            window: asked_window(args, tz, now)?,
            interval_s: args.interval.as_secs(),
            expected: Rc::new(expected(args, context)?),
            expected_days: expected_days(args, context)?,
            only: Only::new(args, &nodes)?,
            maintained: maintained(args, tz, now, &nodes)?,
            nodes,
            step_s: Pages::asked_step_s(args),
        })
    }

    /// How long a sample holds, s.
    #[must_use]
    pub fn hold(&self) -> i64 {
        i64::try_from(self.interval_s * 5 / 2).unwrap_or(i64::MAX)
    }

    /// The frame of a window. A window that the input itself spans ends when the input does, even if that is
    /// later than what our clock says.
    #[must_use]
    pub fn frame(&self, window: Window) -> Frame {
        let end = if self.window.is_some() { window.to.min(self.now) } else { window.to };
        let date = self.date(window);
        let before = date.and_then(|date| date.pred_opt()).map(|date| window::of_day(self.tz, date));
        // Of an unfinished day, as much of the day before.
        let before = before.map(|before| match end < window.to {
            true => Window { to: before.to.min(before.from + end.since(window.from).max(0)), ..before },
            false => before,
        });
        let hourly = date.is_some();
        Frame {
            window,
            end,
            hold: self.hold(),
            expected_days: self.expected_days,
            hourly,
            before,
            step_s: self.step_s.filter(|_| hourly),
        }
    }

    /// The local day that a window is, when it is exactly one.
    #[must_use]
    pub fn date(&self, window: Window) -> Option<NaiveDate> {
        window::single_day(self.tz, window)
    }

    /// The window of a whole input: from its first sample to one interval after its last, not beyond now
    /// unless the samples are.
    #[must_use]
    pub fn whole(&self, first: Timestamp, last: Timestamp) -> Window {
        let interval = i64::try_from(self.interval_s).unwrap_or(i64::MAX);
        let end = last + interval;
        let to = if last < self.now { end.min(self.now) } else { end };
        Window { from: first, to }
    }

    /// The local date that files of this window are named after.
    #[must_use]
    pub fn file_date(&self, window: Window) -> NaiveDate {
        local(self.tz, window.from).date()
    }
}

fn asked_window(args: &cli::Report, tz: Tz, now: Timestamp) -> Result<Option<Window>> {
    if let Some(text) = &args.from {
        let from = moment::moment("--from", text, tz, now)?;
        let to = args.to.as_deref().map_or(Ok(now), |text| moment::moment("--to", text, tz, now))?;
        if from >= to {
            return Err(Error::usage(format!("--from {text}: the window must begin before it ends ({to})")));
        }
        return Ok(Some(Window { from, to }));
    }
    if let Some(days) = args.days {
        let today = local(tz, now).date();
        let first = today.checked_sub_days(Days::new(days.into())).unwrap_or(today);
        return Ok(Some(Window { from: window::midnight(tz, first), to: window::midnight(tz, today) }));
    }
    let date = match args.date.as_ref().or(args.day.as_ref()) {
        Some(text) => text,
        None if args.input.is_some() => return Ok(None),
        None => "yesterday",
    };
    let (first, next) = moment::days("--date", date, tz, now)?;
    Ok(Some(Window { from: window::midnight(tz, first), to: window::midnight(tz, next) }))
}

fn expected(args: &cli::Report, context: &Context) -> Result<Expected> {
    let setting = context.settings.get("MODTOOLS_EXPECTED")?;
    match (&args.expected, &setting) {
        (Some(text), _) => Expected::parse("--expected", text),
        (None, Some(text)) => Expected::parse("MODTOOLS_EXPECTED", text),
        (None, None) => Ok(Expected::default()),
    }
}

fn nodes(args: &cli::Report, context: &Context) -> Result<Nodes> {
    let setting = context.settings.get("MODTOOLS_NODES")?;
    match (&args.nodes, &setting) {
        (Some(path), _) => Nodes::read("--nodes", path),
        (None, Some(path)) => Nodes::read("MODTOOLS_NODES", Path::new(path)),
        (None, None) => Ok(Nodes::default()),
    }
}

fn expected_days(args: &cli::Report, context: &Context) -> Result<u32> {
    if let Some(days) = args.expected_days {
        return Ok(days);
    }
    let days: Option<NonZeroU32> =
        context.settings.parse("MODTOOLS_EXPECTED_DAYS", "a number of days such as 90")?;
    Ok(days.map_or(EXPECTED_DAYS, |days| days.get().min(EXPECTED_DAYS_MOST)))
}

fn maintained(args: &cli::Report, tz: Tz, now: Timestamp, nodes: &Rc<Nodes>) -> Result<Rc<Maintained>> {
    let (flag, path) = match (&args.maintenance, &args.works) {
        (Some(path), _) => ("--maintenance", path),
        (None, Some(path)) => ("--works", path),
        (None, None) => return Ok(Rc::default()),
    };
    Maintained::read(flag, path, tz, now, nodes).map(Rc::new)
}
