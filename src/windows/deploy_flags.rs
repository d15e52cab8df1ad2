//! The flag by which mod-report uploads what it wrote, which this build refuses: it has no SSH.

use clap::Args;

/// The target.
#[derive(Args, Clone, Debug)]
pub struct Deploy {
    /// Needs Linux
    #[arg(long, value_name = "[USER@]HOST:DIR", hide = true)]
    pub deploy: Option<Option<String>>,
}
