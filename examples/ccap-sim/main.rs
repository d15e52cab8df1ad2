//! A simulated fleet of CCAPs over real SSH and SNMP, for the demonstration and for tests. It shares no knowledge
//! of the devices' output with the library: whoever parses it right has understood two authors.
//!
//! Start reading at [`fleet`] (who there is), [`state`] (what they are at), [`personality`] (what they
//! print), [`shell`] (how it gets to the client) and [`fault`] (what may be wrong).

mod agent;
mod args;
mod casa;
mod cbr8;
mod chance;
mod door;
mod e6000;
mod fault;
mod files;
mod fleet;
mod keys;
mod mib;
mod personality;
mod printer;
mod profiles;
mod records;
mod server;
mod session_log;
mod shell;
mod state;
mod time;
mod wire;

use std::{
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use modtools::error::{Error, Result};
use russh::keys::PublicKey;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use args::Args;
use fleet::Device;
use server::Site;
use session_log::SessionLog;
use time::Clock;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit().code();
            if code != 0 {
                let _ = writeln!(io::stderr(), "ccap-sim: {error}");
            }
            ExitCode::from(code)
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if args.list_faults {
        return list_faults().map_err(Error::output);
    }
    let fleet = fleet::build(&args.plan())?;
    let now = args.time.unwrap_or_else(|| modtools::clock::Clock::System.now());
    if let Some(length) = args.history {
        let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let slots = records::past(now, length.as_secs());
        return records::write_history(&mut output, &fleet, slots)
            .and_then(|()| output.flush())
            .map_err(Error::output);
    }
    let clock = match (args.time, args.live) {
        (Some(time), _) => Clock::Frozen(time),
        (None, true) => Clock::Live,
        (None, false) => Clock::Held(time::slot_of(now)),
    };
    serve(args, fleet, clock)
}

fn list_faults() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for (name, _, status, what) in fault::KINDS {
        writeln!(output, "{name:<18} {status:<17} {what}")?;
    }
    writeln!(output, "\nBy SNMP                v2c               v3")?;
    for (name, _, v2c, v3, what) in fault::SNMP_KINDS {
        writeln!(output, "{name:<18} {v2c:<17} {v3:<17} {what}")?;
    }
    output.flush()
}

fn serve(args: &Args, fleet: Vec<Device>, clock: Clock) -> Result<()> {
    raise_open_files();
    let none = PathBuf::new();
    let dir = args.dir.as_ref().unwrap_or(&none);
    std::fs::create_dir_all(dir).map_err(Error::write(dir))?;
    let site = Arc::new(Site {
        clock,
        login_latency: args.login_latency.unwrap_or(args.latency),
        latency: args.latency,
        user: args.user.clone(),
        password: args.password(),
        key: args.authorized_key.as_deref().map(public_key).transpose()?,
        session_log: SessionLog::create(&dir.join("logins.ndjson"))?,
    });
    let mut doors = door::open(&fleet, args.port)?;
    let (port, count) = (doors.port, fleet.len());
    files::write_all(dir, &fleet, port, clock.moment().slot)?;

    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(Error::system("starting threads"))?;
    let served = runtime.block_on(async {
        server::start(&site, fleet, &mut doors)?;
        let mut output = io::stdout();
        writeln!(output, "ready: {count} devices on port {port}, {}", dir.display())
            .and_then(|()| output.flush())
            .map_err(Error::output)?;
        told_to_stop(args.until_eof).await
    });
    runtime.shutdown_background();
    served
}

fn public_key(path: &Path) -> Result<PublicKey> {
    PublicKey::read_openssh_file(path)
        .map_err(|e| Error::usage(format!("--authorized-key {}: {e}", path.display())))
}

/// Hundreds of listeners and sessions need more descriptors than the usual soft limit.
fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it is not allowed, the limit that there is may do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

async fn told_to_stop(until_eof: bool) -> Result<()> {
    let handler = |kind| signal(kind).map_err(Error::system("signal handlers"));
    let (mut term, mut int) = (handler(SignalKind::terminate())?, handler(SignalKind::interrupt())?);
    let (eof, ended) = oneshot::channel();
    if until_eof {
        // A thread of its own: tokio's would keep the runtime waiting for a terminal.
        std::thread::spawn(move || {
            let mut rest = [0; 512];
            while io::stdin().read(&mut rest).is_ok_and(|n| n > 0) {}
            let _ = eof.send(());
        });
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {}, _ = ended => {} }
    } else {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    }
    Ok(())
}
