//! What was asked for: the flags and settings, understood before anything is opened.

use std::{num::NonZeroU32, path::PathBuf, rc::Rc};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use globset::GlobMatcher;

use super::{
    deploy::Deployment,
    question::{Form, Question},
    web::Pages,
};
use crate::{
    cli::{
        self,
        report::{By, Format, Layout, Sort},
    },
    error::{Error, Result},
    glob::glob,
    language::Language,
    measure::{
        Window,
        arithmetic::Frame,
        expected::Expected,
        maintenance::Maintained,
        window::{self, local},
    },
    moment,
    record::Timestamp,
    stage::Context,
};

/// The finished days before the window that tell what to expect.
const EXPECTED_DAYS: u32 = 90;
/// Rows that a terminal shows without `--top`.
const SHOWN: usize = 40;
/// Finished days are not kept for longer.
const EXPECTED_DAYS_MOST: u32 = 400;
/// The days for which dated files stay.
const KEEP_DAYS: u32 = 30;

/// A report that can be made.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Request {
    pub now: Timestamp,
    pub tz: Tz,
    /// None: the whole input.
    pub window: Option<Window>,
    pub interval_s: u64,
    pub expected: Rc<Expected>,
    /// The finished days before the window that tell what to expect.
    pub expected_days: u32,
    pub language: Language,
    /// The address of the page that rows link to.
    pub page_url: Option<String>,
    /// The sentence of each row in the table.
    pub says: bool,
    pub question: Question,
    pub format: Format,
    pub layout: Layout,
    /// For people, not as records.
    pub text: bool,
    /// Sums of upstreams instead of each.
    pub by: Option<By>,
    pub sort: Sort,
    pub top: Option<usize>,
    pub only: Only,
    /// When CMTSs are worked on.
    pub maintained: Rc<Maintained>,
    /// For how many days the files that we write by date stay.
    pub keep_days: u32,
    /// Where the two files of `--save` go.
    pub save: Option<PathBuf>,
    /// The pages of `--web` and `--html`.
    pub pages: Option<Pages>,
    /// Where they are brought.
    pub deployment: Option<Deployment>,
    /// Whether a terminal is written to that shows colours, and may.
    pub color: bool,
    /// Width of the terminal that is written to.
    pub columns: Option<usize>,
}

/// Which upstreams are looked at.
#[derive(Debug, Default)]
pub struct Only {
    cmts: Option<GlobMatcher>,
    upstream: Option<GlobMatcher>,
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
        self.cmts(cmts) && self.upstream.as_ref().is_none_or(|glob| glob.is_match(name))
    }
}

impl Request {
    /// Understands the flags.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the flag or setting and the remedy.
    pub fn new(args: &cli::Report, context: &Context) -> Result<Self> {
        let now = context.clock.now();
        let tz = moment::zone(args.tz.as_deref(), &context.settings)?;
        let on_terminal = args.output.is_none() && context.terminals.stdout;
        let (question, Form { format, layout, text }) = Question::of(args, on_terminal, tz, now)?;
        let window = asked_window(args, tz, now)?;
        let day = window.and_then(|window| window::single_day(tz, window));
        let keep_days = keep_days(args, context)?;
        Ok(Request {
            now,
            tz,
            window,
            interval_s: args.interval.as_secs(),
            expected: Rc::new(expected(args, context)?),
            expected_days: expected_days(args, context)?,
            language: language(args, context)?,
            page_url: page_url(args, context)?,
            says: args.common.verbose > 0,
            question,
            format,
            layout,
            text,
            by: args.by,
            sort: args.sort.unwrap_or(Sort::Lost),
            top:
                args.top
                    .or((on_terminal && format == Format::Table && question == Question::Report)
                        .then_some(SHOWN)),
            only: Only {
                cmts: args.cmts.as_deref().map(|text| glob("--cmts", text)).transpose()?,
                upstream: args.upstream.as_deref().map(|text| glob("--upstream", text)).transpose()?,
            },
            maintained: maintained(args, tz, now)?,
            save: args.save.then(|| save_directory(context)).transpose()?,
            keep_days,
            pages: Pages::new(args, keep_days, day)?,
            deployment: Deployment::new(args, context, day)?,
            color: on_terminal && may_color(context)?,
            columns: context.terminals.columns.filter(|_| on_terminal).map(usize::from),
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
            step_s: self.pages.as_ref().map(Pages::step_s).filter(|_| hourly),
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

fn expected_days(args: &cli::Report, context: &Context) -> Result<u32> {
    if let Some(days) = args.expected_days {
        return Ok(days);
    }
    let days: Option<NonZeroU32> =
        context.settings.parse("MODTOOLS_EXPECTED_DAYS", "a number of days such as 90")?;
    Ok(days.map_or(EXPECTED_DAYS, |days| days.get().min(EXPECTED_DAYS_MOST)))
}

fn language(args: &cli::Report, context: &Context) -> Result<Language> {
    match (args.lang, context.settings.get("MODTOOLS_LANG")?) {
        (Some(language), _) => Ok(language),
        (None, Some(text)) => text.parse().map_err(|()| {
            Error::usage(format!("MODTOOLS_LANG: unknown language {text:?}; expected en or nl"))
        }),
        (None, None) => Ok(Language::default()),
    }
}

fn page_url(args: &cli::Report, context: &Context) -> Result<Option<String>> {
    let setting = context.settings.get("MODTOOLS_PAGE_URL")?;
    let (place, url) = match (&args.page_url, setting) {
        (Some(url), _) => ("--page-url", Some(url.clone())),
        (None, url) => ("MODTOOLS_PAGE_URL", url),
    };
    match url {
        Some(url) if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) => {
            Err(Error::usage(format!("{place}: invalid address {url:?}; example: https://web1/modulation/")))
        }
        url => Ok(url),
    }
}

fn maintained(args: &cli::Report, tz: Tz, now: Timestamp) -> Result<Rc<Maintained>> {
    let read = |path: &PathBuf| Maintained::read(path, tz, now);
    Ok(Rc::new(args.maintenance.as_ref().map_or_else(|| Ok(Maintained::default()), read)?))
}

/// Dated files need `--save`, a page or a deployment.
fn keep_days(args: &cli::Report, context: &Context) -> Result<u32> {
    if let Some(days) = args.keep_files {
        let dated = args.save || args.web.is_some() || args.deploy.deploy.is_some();
        return match dated {
            true => Ok(days),
            false => Err(Error::usage("--keep-files: it needs --web DIR, --deploy or --save")),
        };
    }
    let days: Option<NonZeroU32> =
        context.settings.parse("HOUSEKEEPING_DAYS", "a number of days such as 30")?;
    Ok(days.map_or(KEEP_DAYS, NonZeroU32::get))
}

/// <https://no-color.org>: any value says no.
fn may_color(context: &Context) -> Result<bool> {
    let term = context.settings.get("TERM")?;
    Ok(context.settings.get("NO_COLOR")?.is_none() && term.is_none_or(|term| term != "dumb"))
}

fn save_directory(context: &Context) -> Result<PathBuf> {
    Ok(context.settings.get("REPORT_OUTPUT_DIR")?.map_or_else(|| PathBuf::from("reports"), PathBuf::from))
}
