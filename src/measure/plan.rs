//! How a window is gone through: local days and parts of days in the order of time, each known by its samples or
//! by the finished day that was kept of it.

use std::collections::BTreeSet;

use chrono::{Datelike as _, Days as Later, NaiveDate};
use chrono_tz::Tz;

use super::{
    Window,
    arithmetic::{CARRY_S, Days, Frame, Span},
    memory::DayNumber,
    window::{local, midnight, of_day},
};
use crate::record::Timestamp;

/// A stretch of time within one local day.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What samples are accumulated over.
    pub span: Span,
    /// Its local day.
    pub date: NaiveDate,
    /// It belongs to the window.
    pub is_window: bool,
    /// It belongs to the day that `delta` is against.
    pub is_before: bool,
    /// The day that is over with it.
    pub closes: Option<DayNumber>,
}

/// The parts of a window and of what is before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The window.
    pub frame: Frame,
    /// In the order of time, without gaps; never none.
    pub parts: Vec<Part>,
    /// How many of them belong to the window.
    pub windows: usize,
    /// The days that the window lies in.
    pub days: Days,
    /// The last local day of the window.
    pub last_day: DayNumber,
}

/// A day's number.
#[must_use]
pub fn number_of(date: NaiveDate) -> DayNumber {
    date.num_days_from_ce() - UNIX_EPOCH
}

/// The day of a number.
#[must_use]
pub fn date_of(number: DayNumber) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(number.checked_add(UNIX_EPOCH)?)
}

/// 1970-01-01 as a day of the common era.
const UNIX_EPOCH: i32 = 719_163;

impl Plan {
    /// Goes through everything from a moment on.
    #[must_use]
    pub fn new(frame: Frame, tz: Tz, from: Timestamp) -> Self {
        let window = frame.window;
        let from = from.min(window.from).min(frame.before.map_or(from, |before| before.from));
        let mut bounds = BTreeSet::from([from, window.from, window.to]);
        bounds.extend(frame.before.iter().flat_map(|before| [before.from, before.to]));
        let mut day = local(tz, from).date();
        while let Some(next) = day.checked_add_days(Later::new(1))
            && midnight(tz, next) < window.to
        {
            bounds.insert(midnight(tz, next));
            day = next;
        }
        let bounds: Vec<_> = bounds.into_iter().collect();
        let spans = bounds.windows(2).map(|pair| Window { from: pair[0], to: pair[1] });
        let mut parts: Vec<Part> = spans.map(|span| part(&frame, tz, span)).collect();
        if parts.is_empty() {
            parts.push(part(&frame, tz, window));
        }
        let first = local(tz, window.from).date();
        let last = local(tz, window.to + -1).date();
        let over = if of_day(tz, last).to <= frame.end { number_of(last) } else { number_of(last) - 1 };
        Plan {
            windows: parts.iter().filter(|part| part.is_window).count(),
            days: Days { first: number_of(first), last_over: over },
            last_day: number_of(last),
            parts,
            frame,
        }
    }

    /// The number of the part that a whole day is.
    #[must_use]
    pub fn part_of(&self, date: NaiveDate, tz: Tz) -> Option<usize> {
        let day = of_day(tz, date);
        self.parts.iter().position(|part| part.date == date && part.span.window == day)
    }
}

fn part(frame: &Frame, tz: Tz, span: Window) -> Part {
    let date = local(tz, span.from).date();
    let day = of_day(tz, date);
    let within = |window: Window| window.from <= span.from && span.to <= window.to && span.from < span.to;
    let is_window = within(frame.window);
    let is_before = frame.before.is_some_and(within);
    let carry = if is_before && !is_window { frame.carry_before() } else { CARRY_S };
    Part {
        span: Span {
            window: span,
            end: span.to.min(frame.end.max(span.from)),
            hold: frame.hold,
            carry,
            hourly: frame.hourly && is_window,
            step_s: frame.step_s.filter(|_| is_window),
        },
        date,
        is_window,
        is_before,
        closes: (span.to == day.to && day.to <= frame.end).then(|| number_of(date)),
    }
}
