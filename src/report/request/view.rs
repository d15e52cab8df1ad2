//! How an answer looks.

use super::Answer;
use crate::{
    cli::{self, report::Sort},
    error::{Error, Result},
    language::Language,
    stage::Context,
};

/// Rows that a terminal shows without `--top`.
const SHOWN: usize = 40;

/// How an answer looks.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct View {
    /// For people, not as records.
    pub text: bool,
    pub sort: Sort,
    pub top: Option<usize>,
    pub language: Language,
    /// The address of the page that rows link to.
    pub page_url: Option<String>,
    /// The sentence of each row in the table.
    pub says: bool,
    /// Whether a terminal is written to that shows colours, and may.
    pub color: bool,
    /// Width of the terminal that is written to.
    pub columns: Option<usize>,
}

impl View {
    /// Understands the flags; `text` is whether the answer is for people, `terminal` whether it goes to one.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the flag or setting and the remedy.
    pub fn new(
        args: &cli::Report,
        context: &Context,
        answer: &Answer,
        text: bool,
        terminal: bool,
    ) -> Result<Self> {
        let is_long_table = terminal && text && matches!(answer, Answer::Report(_));
        Ok(View {
            text,
            sort: args.sort.unwrap_or(Sort::Lost),
            top: args.top.or(is_long_table.then_some(SHOWN)),
            language: language(args, context)?,
            page_url: page_url(args, context)?,
            says: args.common.verbose > 0,
            color: terminal && may_color(context)?,
            columns: context.terminals.columns.filter(|_| terminal).map(usize::from),
        })
    }
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

/// <https://no-color.org>: any value says no.
fn may_color(context: &Context) -> Result<bool> {
    let term = context.settings.get("TERM")?;
    Ok(context.settings.get("NO_COLOR")?.is_none() && term.is_none_or(|term| term != "dumb"))
}
