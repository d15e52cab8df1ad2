//! The samples of a span one by one in the order of time, wherever they come from, for answers that do
//! not add them up; with the scans that failed meanwhile.

use std::{
    collections::HashMap,
    io::{self, BufRead},
    path::Path,
};

use crate::{
    cli,
    database::{self, Access, Detail},
    error::Result,
    exit::Exit,
    measure::{Window, roster::Roster, snr},
    modulation::Modulation,
    record::{Record, Scan, Status, Timestamp},
    report::{
        reorder::{Compact, Reorder},
        request::Request,
        source::{each_record, with_input},
    },
    stage::Context,
};

/// A sample whose upstream is a number of the roster.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Point {
    pub ts: Timestamp,
    pub upstream: u32,
    pub modulation: Modulation,
    /// Kept for 48 hours, and not taken from an `--input`.
    pub profile: Option<u32>,
    pub snr_db: Option<f64>,
}

/// The scans that were not good, by CMTS, in the order of time.
#[derive(Debug, Default)]
pub struct Troubles(HashMap<String, Vec<Trouble>>);

/// A scan that was not good.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Trouble {
    pub ts: Timestamp,
    pub status: Status,
    pub error: Option<String>,
}

impl Troubles {
    fn note(&mut self, scan: Scan) {
        if !scan.status.is_good() {
            let Scan { ts, status, error, .. } = scan;
            self.0.entry(scan.cmts).or_default().push(Trouble { ts, status, error });
        }
    }

    fn sort(&mut self) {
        self.0.values_mut().for_each(|troubles| troubles.sort_by_key(|trouble| trouble.ts));
    }

    /// The first one of a CMTS after one moment and before another.
    #[must_use]
    pub fn between(&self, cmts: &str, after: Timestamp, before: Timestamp) -> Option<&Trouble> {
        let troubles = self.0.get(cmts)?;
        let first = troubles.partition_point(|trouble| trouble.ts <= after);
        troubles.get(first).filter(|trouble| trouble.ts < before)
    }
}

/// What is told of each sample.
pub type Each<'a> = &'a mut dyn FnMut(&Roster, &Troubles, Point) -> Result<()>;

/// Hands out the samples of a span; none: all that the input has. Gives back their names.
pub fn read(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
    span: Option<Window>,
    each: Each<'_>,
) -> Result<(Roster, Troubles, Exit)> {
    match (&args.input, span) {
        (None, Some(span)) => from_database(request, args, context, span, each),
        (input, _) => {
            let path = input.as_deref().unwrap_or(Path::new("-"));
            with_input(path, stdin, |input| from_input(request, context, input, span, each))
        }
    }
}

fn from_database(
    request: &Request,
    args: &cli::Report,
    context: &Context,
    span: Window,
    each: Each<'_>,
) -> Result<(Roster, Troubles, Exit)> {
    let mut database = database::open(&args.database, context, Access::Read)?;
    let (mut roster, mut troubles) = (Roster::default(), Troubles::default());
    database.scans(span, &mut |scan| {
        troubles.note(scan);
        Ok(())
    })?;
    troubles.sort();
    database.samples(span, Detail::Whole, &mut |stored| {
        if !request.question.only.upstream(stored.cmts, stored.upstream) {
            return Ok(());
        }
        let upstream = roster.upstream(stored.cmts, stored.upstream);
        let (ts, modulation) = (stored.ts, stored.modulation);
        let point = Point { ts, upstream, modulation, profile: stored.profile, snr_db: stored.snr_db };
        each(&roster, &troubles, point)
    })?;
    Ok((roster, troubles, Exit::Done))
}

fn from_input(
    request: &Request,
    context: &Context,
    input: &mut dyn BufRead,
    span: Option<Window>,
    each: Each<'_>,
) -> Result<(Roster, Troubles, Exit)> {
    let (mut roster, mut troubles) = (Roster::default(), Troubles::default());
    let mut reorder = Reorder::default();
    let is_asked = |ts: Timestamp| span.is_none_or(|span| span.from <= ts && ts < span.to);
    let exit = each_record(context, input, &mut io::sink(), |record, _| match record {
        Record::Sample(sample)
            if is_asked(sample.ts) && request.question.only.upstream(&sample.cmts, &sample.upstream) =>
        {
            let (ts, modulation) = (sample.ts, sample.modulation);
            let snr = sample.snr_db.and_then(snr::tenths);
            reorder.push(Compact { ts, upstream: roster.sample(sample), modulation, snr })
        }
        Record::Scan(scan) => {
            troubles.note(scan);
            Ok(())
        }
        _ => Ok(()),
    })?;
    troubles.sort();
    reorder.drain(|Compact { ts, upstream, modulation, snr }| {
        let snr_db = snr.map(|tenths| f64::from(tenths) / 10.0);
        each(&roster, &troubles, Point { ts, upstream, modulation, profile: None, snr_db })
    })?;
    Ok((roster, troubles, exit))
}
