//! The report as a page for people: a static site with a file per date (`--web DIR`), or one file that opens
//! from a disk (`--html FILE`). Hand-written markup, style and script: they load nothing from elsewhere.

mod brand;
mod columns;
mod day;
mod html;
mod site;

use std::path::PathBuf;

use chrono::NaiveDate;

pub use brand::Brand;
pub use day::Day;
pub use site::{Dated, ENOUGH, Site, begins_as_ours, date_of};

use super::{findings::Findings, request::View};
use crate::{
    cli,
    error::{Error, Result},
    measure::window::local,
};

/// A day's page has no finer steps than these, s: with them it stays small.
const FINEST_STEP_S: u64 = 300;

/// The pages that were asked for.
#[derive(Debug)]
pub struct Pages {
    site: Option<Site>,
    file: Option<PathBuf>,
    brand: Brand,
    step_s: u64,
}

impl Pages {
    /// How long the steps are that a page draws the day in, s; none when no page is asked for.
    #[must_use]
    pub fn asked_step_s(args: &cli::Report) -> Option<u64> {
        let is_asked = args.web.is_some() || args.html.is_some();
        is_asked.then(|| args.interval.as_secs().max(FINEST_STEP_S))
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
        let brand = args.brand.as_deref().map_or_else(|| Ok(Brand::default()), Brand::read)?;
        Ok(Some(Pages { site, file: args.html.clone(), brand, step_s }))
    }

    /// The site that was asked for.
    #[must_use]
    pub fn site(&self) -> Option<&Site> {
        self.site.as_ref()
    }

    /// Writes what was asked for, with all upstreams in it.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, view: &View, findings: &Findings<'_>) -> Result<()> {
        let mut day = Day::default();
        for (row, numbers) in findings.all_rows(view) {
            day.push(&row, numbers.steps());
        }
        let data = day.finish(&findings.report(), self.step_s);
        if let Some(site) = &self.site {
            let dated = Dated {
                date: findings.question.file_date(findings.frame.window),
                today: local(findings.question.tz, findings.question.now).date(),
                made: findings.question.now,
                data: &data,
                is_empty: day.is_empty(),
            };
            site.write(dated, &self.brand)?;
        }
        if let Some(path) = &self.file {
            site::whole(path, html::single(&self.brand, &data).as_bytes())?;
            log::info!("wrote {}", path.display());
        }
        Ok(())
    }
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
