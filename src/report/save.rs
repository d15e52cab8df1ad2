//! `--save`: the two files of the program that this one replaces, under the names that its readers know.

use std::{fs, io, path::Path};

use super::{findings::Findings, request::Request, seed};
use crate::{
    error::{Error, Result},
    output,
};

/// Writes `modulation_report_DATE.csv` and `modulation_report_DATE_web.json`, all upstreams in each.
///
/// # Errors
/// [`Error::Write`].
pub fn write(directory: &Path, request: &Request, findings: &Findings) -> Result<()> {
    fs::create_dir_all(directory).map_err(Error::write(directory))?;
    let date = request.file_date(findings.frame.window);
    let path = directory.join(format!("modulation_report_{date}.csv"));
    file(&path, |output| seed::csv(None, findings, output))?;
    let path = directory.join(format!("modulation_report_{date}_web.json"));
    file(&path, |output| seed::json(request, None, findings, output))
}

fn file(path: &Path, fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<()> {
    output::write_file(path, 0o644, |output| fill(output).map_err(Error::write(path)))?;
    log::info!("saved {}", path.display());
    Ok(())
}
