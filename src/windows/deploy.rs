//! `--deploy`, which this build cannot do.

use chrono::NaiveDate;

use super::{findings::Findings, web::Site};
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    stage::Context,
};

/// A deployment: there is none.
#[derive(Debug)]
pub enum Deployment {}

impl Deployment {
    /// None when nothing is to be deployed.
    ///
    /// # Errors
    /// [`Error::Usage`] when something is.
    pub fn new(args: &cli::Report, _context: &Context, _day: Option<NaiveDate>) -> Result<Option<Self>> {
        match args.deploy.deploy {
            None => Ok(None),
            Some(_) => Err(Error::usage("--deploy needs Linux; copy the directory of --web to the server")),
        }
    }

    /// Cannot be called.
    pub fn make(&self, _keep_days: u32, _findings: &Findings<'_>, _site: Option<&Site>) -> Result<Exit> {
        match *self {}
    }
}
