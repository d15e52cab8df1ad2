//! The harness around every tool: arguments, settings, logging, signals, standard streams, exit code.
//! Only this file exits, prints errors, or touches the process's own stdin, stdout and stderr.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard},
};

use clap::error::ErrorKind;

use crate::{
    cli::Tool,
    clock::Clock,
    contain,
    error::{Error, Result},
    exit::Exit,
    help,
    interrupt::Interrupt,
    platform::Platform,
    process,
    settings::Settings,
    signals::{Role, Signals},
    sync::unpoisoned,
    text,
};

/// Which standard streams are terminals: a person is there.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Terminals {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Width of the terminal on stdout.
    pub columns: Option<u16>,
}

/// What every stage is given besides its arguments and its streams.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Name of the program.
    pub tool: &'static str,
    /// Environment and env file.
    pub settings: Settings,
    /// Whether we were told to stop.
    pub signals: Signals,
    /// Ends the input for a stage that has failed while it waits for more.
    pub interrupt: Interrupt,
    /// What time it is.
    pub clock: Clock,
    /// Where a person may be.
    pub terminals: Terminals,
}

/// Runs a stage as a process: `fn main() -> ExitCode { stage::main(fetch::run) }`.
pub fn main<A: Tool>(
    run: impl FnOnce(&A, &Context, &mut dyn BufRead, &mut dyn Write) -> Result<Exit>,
) -> ExitCode {
    main_with_threads(|arguments: &A, context, input, output| run(arguments, context, input, output))
}

/// As [`main`], for a stage that writes from a thread of its own.
pub fn main_with_threads<A: Tool>(
    run: impl FnOnce(&A, &Context, &mut dyn BufRead, &mut (dyn Write + Send)) -> Result<Exit>,
) -> ExitCode {
    process::reset_inherited();
    let arguments = match parse::<A>() {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(usage::<A>(&error).code()),
    };
    let exit = match prepare(&arguments) {
        Ok(context) => {
            let exit = outcome(catch_unwind(AssertUnwindSafe(|| with_streams(&arguments, &context, run))));
            if arguments.role() == Role::Source {
                context.signals.die_if_stopped();
            }
            exit
        }
        Err(error) => outcome(Ok(Err(error))),
    };
    ExitCode::from(exit.code())
}

/// What a program that is not built for Windows says there.
#[cfg(windows)]
pub fn needs_linux(tool: &str) -> ExitCode {
    eprintln!("{tool}: needs Linux; on Windows it runs in WSL 2, see docs/windows.md");
    ExitCode::from(Exit::Usage.code())
}

fn parse<A: Tool>() -> Result<A, clap::Error> {
    let mut command = help::command::<A>();
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    A::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Whether standard input is a person who has nothing to say, rather than a pipe or a file.
#[must_use]
pub fn input_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Help and version are data on stdout; everything else that clap says is a usage error.
fn usage<A: Tool>(error: &clap::Error) -> Exit {
    let shown = error.print().and_then(|()| io::stdout().flush());
    if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Exit::Usage;
    }
    start_logging(A::NAME, None, &[]);
    outcome(Ok(shown.map(|()| Exit::Done).map_err(Error::output)))
}

fn prepare<A: Tool>(arguments: &A) -> Result<Context> {
    let common = arguments.common();
    start_logging(A::NAME, common.level(), &[]);
    let settings = Settings::load(common.env_file.as_deref())?;
    let mut debug = Vec::new();
    for platform in Platform::ALL {
        if settings.switch(platform.debug_setting(), false)? {
            debug.push(platform.log_target());
        }
    }
    LOGGER.replace(A::NAME, common.level(), &debug);
    let signals = Signals::install(arguments.role())?;
    let terminals = Terminals {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
        columns: process::terminal_columns(),
    };
    if let Some(what) = arguments.input().filter(|_| terminals.stdin) {
        return Err(Error::usage(format!("standard input is a terminal; pipe into it {what}")));
    }
    let interrupt = Interrupt::new()?;
    Ok(Context { tool: A::NAME, settings, signals, interrupt, clock: Clock::System, terminals })
}

fn outcome(result: std::thread::Result<Result<Exit>>) -> Exit {
    match result {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            if !matches!(error, Error::ReaderGone) {
                log::error!("{error}");
            }
            error.exit()
        }
        // The panic hook has said what and where.
        Err(_) => Exit::Failed,
    }
}

fn with_streams<A: Tool>(
    arguments: &A,
    context: &Context,
    run: impl FnOnce(&A, &Context, &mut dyn BufRead, &mut (dyn Write + Send)) -> Result<Exit>,
) -> Result<Exit> {
    let mut output = SharedOutput::new(process::stdout().map_err(Error::system("standard streams"))?);
    let stdin = process::stdin().map_err(Error::system("standard streams"))?;
    let first = FlushFirst { input: stdin, output: output.clone(), interrupt: context.interrupt.clone() };
    let mut input = BufReader::with_capacity(1 << 16, first);
    let result = run(arguments, context, &mut input, &mut output);
    // What was written before a fault is still true: it goes out, and the first fault is the one that counts.
    let flushed = output.flush().map_err(Error::output);
    result.and_then(|exit| flushed.map(|()| exit))
}

/// Standard output, buffered, shared between the stage and its input.
#[derive(Clone)]
struct SharedOutput(Arc<Mutex<BufWriter<File>>>);

impl SharedOutput {
    fn new(file: File) -> Self {
        SharedOutput(Arc::new(Mutex::new(BufWriter::with_capacity(1 << 16, file))))
    }

    fn lock(&self) -> MutexGuard<'_, BufWriter<File>> {
        unpoisoned(self.0.lock())
    }
}

impl Write for SharedOutput {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.lock().write(buf)
    }

    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        self.lock().write_all(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

/// Standard input that flushes the output before it may wait for more: when the input buffer runs
/// dry, everything that came of it is already on its way, so `tail -f | mod-parse` needs no flag.
struct FlushFirst {
    input: File,
    output: SharedOutput,
    interrupt: Interrupt,
}

impl Read for FlushFirst {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // A fault of the output is met again, and reported, at the stage's next write or last flush.
        let _ = self.output.flush();
        if self.interrupt.wait(&self.input)? { self.input.read(buf) } else { Ok(0) }
    }
}

/// One logger for the process: it starts before the settings are read, and follows them afterwards.
struct Logger(Mutex<Option<env_logger::Logger>>);

static LOGGER: Logger = Logger(Mutex::new(None));

impl Logger {
    fn replace(&self, tool: &'static str, level: Option<log::LevelFilter>, debug: &[&str]) {
        let mut builder = env_logger::Builder::new();
        match (level, std::env::var("RUST_LOG")) {
            (Some(level), _) => builder.filter_module("modtools", level),
            (None, Ok(filter)) if !filter.is_empty() => builder.parse_filters(&filter),
            (None, _) => builder.filter_level(log::LevelFilter::Warn),
        };
        for target in debug {
            builder.filter_module(target, log::LevelFilter::Debug);
        }
        builder.format(move |out, record| {
            let message = record.args().to_string();
            let message = text::terminal(&message);
            match record.level() {
                log::Level::Error | log::Level::Warn => writeln!(out, "{tool}: {message}"),
                level => writeln!(out, "{tool}: {}: {message}", level.as_str().to_ascii_lowercase()),
            }
        });
        let logger = builder.build();
        log::set_max_level(logger.filter());
        *unpoisoned(self.0.lock()) = Some(logger);
    }
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        unpoisoned(self.0.lock()).as_ref().is_some_and(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &log::Record<'_>) {
        if let Some(logger) = unpoisoned(self.0.lock()).as_ref() {
            logger.log(record);
        }
    }

    fn flush(&self) {}
}

fn start_logging(tool: &'static str, level: Option<log::LevelFilter>, debug: &[&str]) {
    LOGGER.replace(tool, level, debug);
    // A second start in one process (tests) keeps the first logger.
    let _ = log::set_logger(&LOGGER);
    std::panic::set_hook(Box::new(|panic| match contain::is_contained(panic.location()) {
        true => log::debug!("a client library gave up: {panic}"),
        false => log::error!("internal fault, please report it: {panic}"),
    }));
}
