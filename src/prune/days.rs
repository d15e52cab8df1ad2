//! Before samples go, what their days came to is kept: what is missing in `modulation_day` is reckoned
//! first, and where that fails the samples stay.

use super::{request::Request, until::Until};
use crate::{
    database::{
        Database,
        finished::{Care, Keeper},
    },
    error::Result,
    measure::window::{self, local},
    record::{Stopped, Timestamp},
};

/// How far samples may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub before: Timestamp,
    /// Why that is not as far as was asked.
    pub stopped: Option<Stopped>,
    /// Whether every finished day is kept.
    pub whole: bool,
}

/// Keeps every finished day that has samples.
///
/// # Errors
/// A fault of the database, other than for a day that cannot be kept.
pub fn keep(request: &Request, database: &mut dyn Database, until: &Until) -> Result<Kept> {
    let all = Kept { before: request.samples_before, stopped: None, whole: true };
    if !database.keeps_days() {
        log::info!("there is no table modulation_day (mod-store --init makes it): days are not kept");
        return Ok(all);
    }
    let Some(oldest) = database.oldest()? else { return Ok(all) };
    let tz = request.calendar.tz;
    let (first, last) = (local(tz, oldest).date().max(request.first_day()), request.last_day());
    let days: Vec<_> = first.iter_days().take_while(|&day| day <= last).collect();
    let until_day = |day| request.samples_before.min(window::of_day(tz, day).from);
    // A day that goes on cannot be kept yet.
    let mut kept = Kept { before: last.succ_opt().map_or(all.before, until_day), ..all };
    let mut keeper = Keeper::new(database, request.calendar, Care::Prune, days.iter().copied())?;
    for day in days {
        if let Some(stopped) = until.stop() {
            kept = Kept { before: until_day(day), stopped: Some(stopped), whole: false };
            break;
        }
        if let Err(error) = keeper.ensure(day) {
            log::warn!(
                "modulation_day: WARNING: {day} cannot be kept, its samples and later ones stay: {error}"
            );
            kept = Kept { before: until_day(day), stopped: Some(Stopped::HeldBack), whole: false };
            break;
        }
    }
    Keeper::seal(database, request.calendar, kept.before)?;
    Ok(kept)
}
