//! A directory that a web server serves: the page, and under `data/` a file per date. Every file appears
//! whole or not at all; runs that meet take turns; nothing is removed but old files of our own.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use chrono::{Days, NaiveDate};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::json;

use super::{
    brand::{Brand, Choice},
    day, html,
};
use crate::{
    error::{Error, Result},
    files,
    language::Language,
    lock, output,
    record::Timestamp,
};

/// How long a run waits for another that is writing the page.
const LOCK_WAIT: Duration = Duration::from_secs(60);
const LATEST: &str = "latest.json";
/// Whose page it is, for runs that do not say.
const BRAND: &str = "brand.json";
const DATA: &str = ".json";
const PACKED: &str = ".json.gz";
/// The page, its markup last: it names the other two.
const PAGE: [&str; 3] = ["style.css", "app.js", "index.html"];
/// A higher level takes several times as long and saves a few percent.
const PACKING: u32 = 6;
/// The last days of every upstream.
const HISTORY: &str = "history";
const GZIP: &[u8] = b"\x1f\x8b";
/// In so much of a file, packed or not, it can be seen whether it is ours.
pub const ENOUGH: usize = 1024;

/// Where a page goes, and how long the pages before it stay.
#[derive(Clone, Debug)]
pub struct Site {
    directory: PathBuf,
    keep_days: u32,
}

/// The data of one date, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Dated<'a> {
    /// The local day.
    pub date: NaiveDate,
    /// The local day of now.
    pub today: NaiveDate,
    /// When the data was made.
    pub made: Timestamp,
    /// The data file, whole.
    pub data: &'a str,
    /// Whether it has no row.
    pub is_empty: bool,
    /// The last days of the upstreams, if they are known: the file, whole.
    pub history: Option<&'a str>,
    /// The language of the page.
    pub language: Language,
}

impl Site {
    /// A site in this directory; it need not exist yet.
    #[must_use]
    pub fn new(directory: &Path, keep_days: u32) -> Self {
        Site { directory: directory.to_owned(), keep_days }
    }

    fn data(&self, name: &str) -> PathBuf {
        self.directory.join("data").join(name)
    }

    /// Writes a date, the list of dates and the page itself, and returns its brand. A date without rows takes no place of one that has
    /// some: its samples have been removed since.
    ///
    /// # Errors
    /// [`Error::Write`]; what was written until then is whole, and the page still opens.
    pub fn write(&self, dated: Dated<'_>, brand: &Choice) -> Result<Brand> {
        let data = self.data("");
        files::create_public_dir(&data).map_err(Error::write(&data))?;
        let locked = files::open_directory(&data).map_err(Error::write(&data))?;
        lock::exclusive(&locked, &data, LOCK_WAIT, "another mod-report")?;
        for directory in [&self.directory, &data] {
            output::remove_left_over(directory)?;
        }
        let name = format!("{}{DATA}", dated.date);
        if dated.is_empty && self.data(&name).exists() {
            return self.brand(brand);
        }
        thread::scope(|scope| {
            let history = dated.history.map(|history| scope.spawn(|| self.write_both(HISTORY, history)));
            self.write_both(&dated.date.to_string(), dated.data)?;
            history.map_or(Ok(()), |writing| writing.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
        for extension in [DATA, PACKED] {
            self.link(dated.date, extension)?;
        }
        self.remove_old(dated)?;
        self.write_index(dated.made)?;
        let brand = self.brand(brand)?;
        self.write_page(&brand, dated.language)?;
        Ok(brand)
    }

    /// Writes a data file, and packed beside it.
    fn write_both(&self, name: &str, data: &str) -> Result<()> {
        whole(&self.data(&format!("{name}{DATA}")), data.as_bytes())?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::new(PACKING));
        let packed = packed.write_all(data.as_bytes()).and_then(|()| packed.finish());
        let path = self.data(&format!("{name}{PACKED}"));
        whole(&path, &packed.map_err(Error::write(&path))?)
    }

    /// The history that stands there, if there is one.
    #[must_use]
    pub fn history(&self) -> Option<String> {
        fs::read_to_string(self.data(&format!("{HISTORY}{DATA}"))).ok()
    }

    /// The brand that was chosen, kept for the next run, or that of the run before.
    fn brand(&self, choice: &Choice) -> Result<Brand> {
        let path = self.data(BRAND);
        match choice {
            Choice::This(brand) => {
                let kept = brand.to_kept();
                if !fs::read(&path).is_ok_and(|before| before == kept.as_bytes()) {
                    whole(&path, kept.as_bytes())?;
                }
                Ok(Brand::clone(brand))
            }
            Choice::Before => {
                let Ok(kept) = fs::read_to_string(&path) else { return Ok(Brand::default()) };
                Ok(Brand::of_kept(&kept).unwrap_or_else(|what| {
                    log::warn!("{}: the brand is not used: {what}; name one with --brand", path.display());
                    Brand::default()
                }))
            }
        }
    }

    /// Whether the file of a date is of the report that was made at this moment.
    #[must_use]
    pub fn has(&self, date: NaiveDate, made: Timestamp) -> bool {
        let mut head = Vec::new();
        let file = File::open(self.data(&format!("{date}{DATA}")));
        // The header of the report comes first.
        let read = file.and_then(|file| file.take(4096).read_to_end(&mut head));
        read.is_ok() && String::from_utf8_lossy(&head).contains(&format!("\"generated_at\":\"{made}\""))
    }

    /// Points `latest` to a date, unless it points to a later one that is still there.
    fn link(&self, date: NaiveDate, extension: &str) -> Result<()> {
        let link = self.data(&format!("{}{extension}", LATEST.trim_end_matches(DATA)));
        if link.symlink_metadata().is_ok_and(|found| !files::is_symlink(&found)) {
            log::warn!("{}: not a link of ours; it stays as it is", link.display());
            return Ok(());
        }
        let before = fs::read_link(&link).ok().filter(|_| link.exists());
        let before = before.as_deref().and_then(Path::to_str).and_then(date_of);
        if before.is_some_and(|before| before > date) {
            return Ok(());
        }
        // A link is made under a name of its own and renamed: there is no moment without one.
        let place = tempfile::Builder::new().prefix(".latest").tempdir_in(self.data(""));
        let place = place.map_err(Error::write(&link))?;
        let made = place.path().join(LATEST);
        files::symlink(&self.data(""), &format!("{date}{extension}"), &made).map_err(Error::write(&link))?;
        fs::rename(&made, &link).map_err(Error::write(&link))
    }

    /// The files under `data/` that are ours, with their dates.
    fn ours(&self) -> Result<Vec<(NaiveDate, PathBuf)>> {
        let data = self.data("");
        let mut ours = Vec::new();
        for entry in fs::read_dir(&data).map_err(Error::write(&data))? {
            let path = entry.map_err(Error::write(&data))?.path();
            let date = path.file_name().and_then(|name| name.to_str()).and_then(date_of);
            if let Some(date) = date
                && path.symlink_metadata().is_ok_and(|found| found.is_file())
                && is_ours(&path).unwrap_or(false)
            {
                ours.push((date, path));
            }
        }
        ours.sort();
        Ok(ours)
    }

    /// The files and links of the site, within it, in the order in which a copy must change: what a page reads
    /// before the page.
    pub fn parts(&self) -> Result<Vec<String>> {
        let dated = self.ours()?.into_iter().filter_map(|(_, path)| {
            let name = path.file_name()?.to_str()?;
            Some(format!("data/{name}"))
        });
        let others = [
            "data/history.json",
            "data/history.json.gz",
            "data/latest.json",
            "data/latest.json.gz",
            "data/index.json",
        ];
        let others = others.into_iter().chain(PAGE).map(str::to_owned);
        Ok(dated.chain(others).filter(|name| self.directory.join(name).symlink_metadata().is_ok()).collect())
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Removes our own files of dates that are past keeping; the one just written stays.
    fn remove_old(&self, dated: Dated<'_>) -> Result<()> {
        let Some(oldest) = dated.today.checked_sub_days(Days::new(self.keep_days.into())) else {
            return Ok(());
        };
        for (_, path) in self.ours()?.into_iter().filter(|&(date, _)| date < oldest && date != dated.date) {
            fs::remove_file(&path).map_err(Error::write(&path))?;
            log::info!("removed {}", path.display());
        }
        Ok(())
    }

    fn write_index(&self, made: Timestamp) -> Result<()> {
        let mut dates: Vec<_> = self.ours()?.into_iter().map(|(date, _)| date.to_string()).collect();
        dates.dedup();
        let history = self.data(&format!("{HISTORY}{DATA}")).exists();
        let index = json!({"v": 1, "kind": "modtools-index", "generated_at": made, "dates": dates, "history": history});
        whole(&self.data("index.json"), format!("{index}\n").as_bytes())
    }

    fn write_page(&self, brand: &Brand, language: Language) -> Result<()> {
        let (style, script) = (html::style(brand), html::script());
        let index = html::index(brand, language, &style, &script);
        for (name, text) in PAGE.into_iter().zip([style, script, index]) {
            let path = self.directory.join(name);
            // A file that stays as it is keeps its time, and browsers keep their copies.
            if fs::read(&path).is_ok_and(|before| before == text.as_bytes()) {
                continue;
            }
            whole(&path, text.as_bytes())?;
        }
        log::info!("wrote {}", self.directory.join("index.html").display());
        Ok(())
    }
}

/// Writes a file that everybody may read.
pub fn whole(path: &Path, bytes: &[u8]) -> Result<()> {
    output::write_file(path, 0o644, |file| file.write_all(bytes).map_err(Error::write(path)))
}

/// The date in `2026-05-01.json` or `2026-05-01.json.gz`, exactly so.
#[must_use]
pub fn date_of(name: &str) -> Option<NaiveDate> {
    let date = name.strip_suffix(PACKED).or_else(|| name.strip_suffix(DATA))?;
    let parsed = date.parse::<NaiveDate>().ok()?;
    (parsed.to_string() == date).then_some(parsed)
}

/// Whether a file begins as ours do, packed or not.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    File::open(path)?.take(ENOUGH as u64).read_to_end(&mut begin)?;
    Ok(begins_as_ours(&begin))
}

/// Whether the begin of a file of ours could be this, packed or not.
#[must_use]
pub fn begins_as_ours(bytes: &[u8]) -> bool {
    let mut begin = [0; day::SIGNATURES[0].len()];
    let packed = bytes.starts_with(GZIP);
    let read =
        if packed { GzDecoder::new(bytes).read_exact(&mut begin) } else { (&*bytes).read_exact(&mut begin) };
    read.is_ok() && day::SIGNATURES.iter().any(|signature| begin == signature.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_have_a_date() {
        let date = NaiveDate::from_ymd_opt(2026, 5, 1);
        assert_eq!(date_of("2026-05-01.json"), date);
        assert_eq!(date_of("2026-05-01.json.gz"), date);
        for name in
            ["2026-5-1.json", "+2026-05-01.json", "2026-05-01.json.bak", "2026-05-01", "latest.json", ".json"]
        {
            assert_eq!(date_of(name), None, "{name}");
        }
    }
}
