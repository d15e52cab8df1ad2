//! `--forget GLOB`: devices that are gone leave modulation_device and modulation_channel. One that was tried within the
//! last day is not gone: it would come back with its next scan.

use std::io::Write;

use super::{request::Request, write};
use crate::{
    cli,
    database::{self, Access},
    error::Result,
    exit::Exit,
    glob::glob,
    record::{Pruned, Stopped, Way},
    stage::Context,
};

/// Nobody has tried the device for so long, s.
const GONE_S: i64 = 86_400;

/// Forgets the devices whose names match, or shows them.
///
/// # Errors
/// A pattern that is wrong, and the faults of the database and of the output.
pub fn run(
    request: &Request,
    pattern: &str,
    dry_run: bool,
    context: &Context,
    args: &cli::Prune,
    output: &mut dyn Write,
) -> Result<Exit> {
    let pattern = glob("--forget", pattern)?;
    let access = if dry_run { Access::Read } else { Access::Keep };
    let mut database = database::open(&args.database, context, access)?;
    let devices = database.devices()?;
    let named = devices.into_iter().filter(|device| pattern.is_match(&device.cmts));
    let (gone, tried): (Vec<_>, Vec<_>) =
        named.partition(|device| request.now.since(device.last_try) > GONE_S);
    for device in &tried {
        log::warn!("{}: tried at {}, so it is not gone; it stays", device.cmts, device.last_try);
    }
    let names: Vec<String> = gone.into_iter().map(|device| device.cmts).collect();
    if !dry_run && !names.is_empty() {
        database.lock()?;
        database.forget(&names)?;
    }
    names.iter().for_each(|name| log::info!("{name}: forgotten"));
    let quoted: Vec<_> = names.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    let statement = format!("DELETE FROM modulation_device WHERE cmts IN ({})", quoted.join(", "));
    write(
        output,
        &Pruned {
            ts: request.now,
            table: "modulation_device",
            before: request.now + -GONE_S,
            by: Way::Forget,
            rows: names.len() as u64,
            estimated: false,
            partitions: Vec::new(),
            chunks: None,
            elapsed_ms: 0,
            stopped: if dry_run { Stopped::DryRun } else { Stopped::Done },
            dry_run,
            statement: (dry_run && !names.is_empty()).then_some(statement),
        },
    )?;
    Ok(if tried.is_empty() { Exit::Done } else { Exit::Partial })
}
