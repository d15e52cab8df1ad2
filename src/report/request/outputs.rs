//! Where an answer goes: the files that are written besides standard output, and a web server.

use std::{
    io::Write,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

use crate::{
    cli,
    error::{Error, Result},
    output,
    report::{deploy::Deployment, web::Pages},
    stage::Context,
};

/// The days for which dated files stay.
const KEEP_DAYS: u32 = 30;

/// Where an answer goes.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Outputs {
    /// In place of standard output.
    pub file: Option<PathBuf>,
    /// For how many days the files that we write by date stay.
    pub keep_days: u32,
    /// Where the files of `--save` go.
    pub save: Option<PathBuf>,
    /// With another one: the JSON under its other name.
    pub save_copy: bool,
    /// The pages of `--web` and `--html`.
    pub pages: Option<Pages>,
    /// Where they are brought.
    pub deployment: Option<Deployment>,
}

impl Outputs {
    /// Understands the flags; `day` is the local day that is asked for, when it is exactly one.
    ///
    /// # Errors
    /// [`Error::Usage`] and [`Error::Read`], naming the flag, the setting or the file.
    pub fn new(args: &cli::Report, context: &Context, day: Option<NaiveDate>) -> Result<Self> {
        let keep_days = keep_days(args, context)?;
        Ok(Outputs {
            file: args.output.clone().filter(|path| path != Path::new("-")),
            keep_days,
            save: args.save.then(|| save_directory(context)).transpose()?,
            save_copy: args.save_copy,
            pages: Pages::new(args, keep_days, day)?,
            deployment: Deployment::new(args, context, day)?,
        })
    }

    /// Writes to `-o FILE`, whole or not at all, else to standard output.
    ///
    /// # Errors
    /// [`Error::Write`] naming the file, [`Error::Output`], and those of `fill`.
    pub fn write<T>(
        &self,
        output: &mut dyn Write,
        fill: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        match &self.file {
            Some(path) => output::write_file(path, 0o644, |file| {
                // Below a renderer nobody knows that this is a file.
                fill(file).map_err(|error| match error {
                    Error::Output(source) => Error::write(path)(source),
                    other => other,
                })
            }),
            None => fill(output),
        }
    }
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

fn save_directory(context: &Context) -> Result<PathBuf> {
    Ok(context.settings.get("REPORT_OUTPUT_DIR")?.map_or_else(|| PathBuf::from("reports"), PathBuf::from))
}
