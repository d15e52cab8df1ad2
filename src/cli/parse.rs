//! The flags of mod-parse.

use std::path::PathBuf;

use clap::Parser;

use super::{Common, Tool};
use crate::platform::Platform;

/// Extract the modulation of every upstream from what the devices said
///
/// Reads records on stdin. Each capture becomes a sample per upstream and one scan; every other record
/// passes through whole. It looks at nothing but its input: the same captures give the same samples.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "mod-parse", version, after_help = AFTER_HELP)]
pub struct Parse {
    /// Believe FILE about profile numbers before any device: lines of platform or device,number,modulation
    #[arg(long, value_name = "FILE")]
    pub profiles: Option<PathBuf>,
    /// Say on stderr what each line of output was taken for
    #[arg(long, conflicts_with = "quiet")]
    pub explain: bool,
    /// Stop with exit code 1 at the first line or capture that cannot be used
    #[arg(long)]
    pub strict: bool,
    /// Parse N captures at a time; the order of the output stays that of the input [default: one per core, at most 4]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Save captures that were not ok, or not fully understood, in DIR: the newest 200, 256 MiB at most
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Read pasted terminal text instead of records: one device's output, or a whole session with its prompts
    #[arg(long, requires = "cmts")]
    pub raw: bool,
    /// Platform of the pasted text.
    #[arg(long, value_name = "P", requires = "raw", help = platform_help())]
    pub platform: Option<Platform>,
    /// Name of the device of the pasted text
    #[arg(long, value_name = "NAME", requires = "raw")]
    pub cmts: Option<String>,
    /// Command that the pasted text answers, if the text does not show it
    #[arg(long, value_name = "CMD", requires = "raw")]
    pub command: Option<String>,
    /// Print the JSON schema (draft 2020-12) of every record that the tools write; read nothing
    #[arg(long, conflicts_with_all = ["raw", "profiles", "explain", "strict", "jobs", "keep"])]
    pub schema: bool,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub common: Common,
}

const AFTER_HELP: &str = "\
EXAMPLES:
  ccap-fetch -i inventory.csv | mod-parse | mod-store
  mod-parse --profiles ours.csv < captures.ndjson | jq -c 'select(.type == \"sample\")'
  mod-parse --raw --platform casa --cmts CCAP101 --explain < pasted.txt
  mod-parse --schema > records.schema.json

EXIT STATUS:
  0  everything was parsed; unparsed lines are counted in the scan and change nothing
  1  failed, or --strict met something that cannot be used
  2  wrong usage
  3  a line or a capture could not be used, or the input broke off before its end record";

fn platform_help() -> String {
    format!("Platform of the pasted text: {} [default: by the device's name]", Platform::words())
}

impl Tool for Parse {
    const NAME: &'static str = "mod-parse";
    const HINT: &'static str =
        "To read text that was pasted from a terminal: --raw --cmts NAME [--platform P].";

    fn input(&self) -> Option<&'static str> {
        (!self.raw && !self.schema)
            .then_some("the captures of ccap-fetch, or read pasted text with --raw --cmts NAME")
    }

    fn common(&self) -> &Common {
        &self.common
    }
}
