//! The report as a page for people: a static site with a file per date (`--web DIR`), or one file that opens
//! from a disk (`--html FILE`). Hand-written markup, style and script: they load nothing from elsewhere.

mod brand;
mod columns;
mod day;
mod html;
mod past;
mod site;
mod words;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

pub use brand::{Brand, Choice};
pub use day::{Day, Head, Stopped};
pub use past::Past;
pub use site::{Dated, ENOUGH, Site, begins_as_ours, date_of};

use super::{
    findings::Findings,
    request::{Question, View},
};
use crate::{
    cli,
    database::{Database, finished::Calendar},
    error::{Error, Result},
    measure::{arithmetic::modulations, natural, stretches::step_s, window::local},
    record::{Row, Timestamp},
    relay,
};

/// `--brand none`: that of every page, and no longer that of the page before.
const NO_BRAND: &str = "none";

/// The pages that were asked for.
#[derive(Debug)]
pub struct Pages {
    site: Option<Site>,
    file: Option<PathBuf>,
    brand: Choice,
    step_s: u64,
}

impl Pages {
    /// How long the steps are that a page draws the day in, s; none when no page is asked for.
    #[must_use]
    pub fn asked_step_s(args: &cli::Report) -> Option<u64> {
        let is_asked = args.web.is_some() || args.html.is_some();
        is_asked.then(|| step_s(args.interval.as_secs()))
    }

    /// Understands the flags; none when no page is asked for.
    ///
    /// # Errors
    /// [`Error::Usage`] and [`Error::Read`], naming the flag or the file.
    pub fn new(args: &cli::Report, keep_days: u32, day: Option<NaiveDate>) -> Result<Option<Self>> {
        let Some(step_s) = Pages::asked_step_s(args) else {
            return match args.brand {
                Some(_) => Err(Error::usage("--brand: it needs --web DIR or --html FILE")),
                None => Ok(None),
            };
        };
        let site = match &args.web {
            Some(directory) => {
                check_site(args, day)?;
                Some(Site::new(directory, keep_days))
            }
            None => None,
        };
        let brand = match args.brand.as_deref() {
            None => Choice::Before,
            Some(none) if none == Path::new(NO_BRAND) => Choice::This(Box::default()),
            Some(path) => Choice::This(Box::new(Brand::read(path)?)),
        };
        Ok(Some(Pages { site, file: args.html.clone(), brand, step_s }))
    }

    /// The site that was asked for.
    #[must_use]
    pub fn site(&self) -> Option<&Site> {
        self.site.as_ref()
    }

    /// Whether the site has the page of this very report: made of samples, it shows more than its rows do.
    #[must_use]
    pub fn has(&self, date: NaiveDate, made: Timestamp) -> bool {
        self.file.is_none() && self.site.as_ref().is_some_and(|site| site.has(date, made))
    }

    /// Writes what was asked for, with all upstreams in it.
    pub fn write(&self, view: &View, findings: &Findings<'_>) -> Result<()> {
        let mut day = Day::new(self.step_s);
        // Of a single file's upstreams only those that are worth a strip of days.
        let mut worth = HashSet::new();
        let rows = findings.all_rows(view).map(|(row, numbers)| {
            if self.file.is_some() && (row.degraded_s > 0 || row.chronic_days > 0) {
                worth.insert((row.cmts.clone(), row.upstream.clone()));
            }
            (row, numbers.steps.clone())
        });
        let push = |rows: Vec<(Row, Box<[u8]>)>| {
            rows.iter().for_each(|(row, steps)| day.push(row, modulations(steps)));
        };
        relay::of_items(rows, push, |()| Ok::<_, Error>(()))?;
        let (report, stopped) = (findings.report(), stopped(findings));
        let page_url = view.page_url.as_deref();
        let data = day.finish(Head { report: &report, step_s: self.step_s, page_url, stopped: &stopped });
        let history = |wanted: &dyn Fn(&str, &str) -> bool| {
            findings.past.as_ref().map(|past: &Past| past.to_json(wanted))
        };
        let mut brand = match &self.brand {
            Choice::This(brand) => Brand::clone(brand),
            Choice::Before => Brand::default(),
        };
        if let Some(site) = &self.site {
            let history = history(&|_, _| true);
            let dated = Dated {
                date: findings.file_date(),
                today: local(findings.question.tz, findings.question.now).date(),
                made: findings.question.now,
                data: &data,
                is_empty: day.is_empty(),
                history: history.as_deref(),
                language: view.language,
            };
            brand = site.write(dated, &self.brand)?;
        }
        if let Some(path) = &self.file {
            let history = history(&|cmts, upstream| worth.contains(&(cmts.to_owned(), upstream.to_owned())));
            let page = html::single(&brand, view.language, &data, history.as_deref());
            site::whole(path, page.as_bytes())?;
            log::info!("wrote {}", path.display());
        }
        Ok(())
    }
}

/// The last days of every upstream, for a page that is asked for.
pub fn past(args: &cli::Report, question: &Question, database: &mut dyn Database) -> Result<Option<Past>> {
    if Pages::asked_step_s(args).is_none() {
        return Ok(None);
    }
    let before = args.web.as_deref().and_then(|directory| Site::new(directory, 0).history());
    let calendar = Calendar { tz: question.tz, interval_s: question.interval_s, now: question.now };
    Past::read(database, calendar, before.as_deref()).map(Some)
}

/// The CMTSs of an unfinished window that answered in it, and have not for longer than a sample holds.
fn stopped(findings: &Findings<'_>) -> Vec<Stopped> {
    let frame = &findings.frame;
    if frame.end >= frame.window.to {
        return Vec::new();
    }
    let mut last: HashMap<u32, i64> = HashMap::new();
    for (number, numbers) in &findings.lines {
        let cmts = findings.roster.cmts_of(*number);
        let ts = numbers.day.last.map_or(0, |(ts, _)| ts);
        last.entry(cmts).and_modify(|known| *known = ts.max(*known)).or_insert(ts);
    }
    let is_stopped = |&(_, ts): &(u32, i64)| ts + frame.hold < frame.end.0;
    let stopped =
        |(cmts, ts)| Stopped { cmts: findings.roster.cmts_name(cmts).to_owned(), since: Timestamp(ts) };
    let mut stopped: Vec<_> = last.into_iter().filter(is_stopped).map(stopped).collect();
    stopped.sort_by(|a, b| natural::compare(&a.cmts, &b.cmts));
    stopped
}

/// A site is of whole days and of all upstreams: its readers cannot see what was left out.
fn check_site(args: &cli::Report, day: Option<NaiveDate>) -> Result<()> {
    if day.is_none() {
        return Err(Error::usage("--web: its pages are of one local day each; say which with --date"));
    }
    let partial = [
        ("--cmts", args.cmts.is_some()),
        ("--upstream", args.upstream.is_some()),
        ("--node", args.node.is_some()),
    ];
    match partial.into_iter().find(|&(_, given)| given) {
        Some((flag, _)) => Err(Error::usage(format!(
            "--web: its pages are of all upstreams; leave out {flag}, or use --html"
        ))),
        None => Ok(()),
    }
}
