//! `--save`: the files of the program that this one replaces, under the names that its readers know, and their end
//! after a while.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use chrono::{Days, NaiveDate};

use super::{findings::Findings, format::seed, request::Outputs};
use crate::{
    error::{Error, Result},
    files, layout,
    measure::window::local,
    output,
};

const PREFIX: &str = "modulation_report_";
const WEB: &str = "_web.json";
/// In so much of a file it can be seen whether it is ours.
const ENOUGH: u64 = 256;

/// Writes `modulation_report_DATE.csv` and `modulation_report_DATE_web.json`, when asked also as
/// `modulation_report_DATE.json`, all upstreams in each, and removes those of dates that are past keeping.
pub fn write(directory: &Path, outputs: &Outputs, findings: &Findings<'_>) -> Result<()> {
    files::create_public_dir(directory).map_err(Error::write(directory))?;
    let question = findings.question;
    let date = findings.file_date();
    let path = directory.join(format!("{PREFIX}{date}.csv"));
    file(&path, |output| seed::csv(None, findings, output))?;
    let copy = outputs.save_copy.then(|| copy_name(date));
    for name in [Some(web_name(&date.to_string())), copy].into_iter().flatten() {
        file(&directory.join(name), |output| seed::json(None, findings, output))?;
    }
    let today = local(question.tz, question.now).date();
    match today.checked_sub_days(Days::new(outputs.keep_days.into())) {
        Some(oldest) => remove_old(directory, oldest, date),
        None => Ok(()),
    }
}

fn file(path: &Path, fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<()> {
    output::write_file(path, 0o644, |output| fill(output).map_err(Error::write(path)))?;
    log::info!("saved {}", path.display());
    Ok(())
}

/// `modulation_report_DATE_web.json`, or with `latest` the name by which its readers find the newest.
#[must_use]
pub fn web_name(date: &str) -> String {
    format!("{PREFIX}{date}{WEB}")
}

/// The date in `modulation_report_DATE_web.json`, exactly so.
#[must_use]
pub fn date_of_web(name: &str) -> Option<NaiveDate> {
    exact_date(name.strip_prefix(PREFIX)?.strip_suffix(WEB)?)
}

/// `modulation_report_DATE.json`: the same document under the name that some readers of the program before us ask for.
#[must_use]
pub fn copy_name(date: NaiveDate) -> String {
    format!("{PREFIX}{date}.json")
}

/// The date in `modulation_report_DATE.json`, exactly so.
#[must_use]
pub fn date_of_copy(name: &str) -> Option<NaiveDate> {
    exact_date(name.strip_prefix(PREFIX)?.strip_suffix(".json")?)
}

fn exact_date(text: &str) -> Option<NaiveDate> {
    let date = text.parse::<NaiveDate>().ok()?;
    (date.to_string() == text).then_some(date)
}

/// Whether a file that has this date in its name begins as our files do, or as the old program's do.
#[must_use]
pub fn begins_as_ours(date: NaiveDate, begin: &[u8]) -> bool {
    if begin.starts_with(layout::seed::HEADER.as_bytes()) {
        return true;
    }
    let begin: String = String::from_utf8_lossy(begin).split_whitespace().collect();
    let date = format!("\"report_date\":\"{date}\"");
    begin.starts_with("{\"generated_at\":") && begin.contains(&date)
}

fn remove_old(directory: &Path, oldest: NaiveDate, written: NaiveDate) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(Error::write(directory))? {
        let path = entry.map_err(Error::write(directory))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let of_csv = || exact_date(name.strip_prefix(PREFIX)?.strip_suffix(".csv")?);
        let Some(date) = date_of_web(name).or_else(|| date_of_copy(name)).or_else(of_csv) else { continue };
        let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
        if date < oldest && date != written && is_file && is_ours(&path, date).unwrap_or(false) {
            fs::remove_file(&path).map_err(Error::write(&path))?;
            log::info!("removed {}", path.display());
        }
    }
    Ok(())
}

fn is_ours(path: &Path, date: NaiveDate) -> io::Result<bool> {
    let mut begin = Vec::new();
    File::open(path)?.take(ENOUGH).read_to_end(&mut begin)?;
    Ok(begins_as_ours(date, &begin))
}
