//! One attempt at one device: connect, check, log in, ask, log out, each within its budget. Whatever
//! happens, a capture comes of it. Here over SSH; `by_snmp` walks instead.

mod by_snmp;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    inventory::Device,
    options::Options,
    script::{Kept, Script},
    terminal::{Asked, Terminal},
    transcript::Transcript,
};
use crate::{
    cli::Via,
    clock::Clock,
    platform::{self, Platform},
    record::{Capture, Phases, Status, Timestamp},
    snmp::{self, Access},
    ssh::{self, Algorithms, Alias, Budget, Credentials, Failure, Session},
};

/// A device on its way to its capture.
#[derive(Clone, Debug)]
pub struct Job {
    pub device: Arc<Device>,
    /// Complete answers of earlier sessions.
    pub kept: Vec<Kept>,
    /// When the first attempt began.
    pub began: Option<(Timestamp, Instant)>,
    /// Attempts so far.
    pub attempts: u32,
    /// Of them, those that were repeated because a failure may pass.
    pub retries: u32,
    /// Time of the attempts so far.
    pub spent: Duration,
    /// Legacy algorithms are offered too.
    pub legacy: bool,
    /// The second account is used.
    pub local: bool,
}

impl Job {
    /// A job that was not begun.
    #[must_use]
    pub fn new(device: Arc<Device>, kept: Vec<Kept>, algorithms: Algorithms) -> Self {
        let legacy = device.algorithms.unwrap_or(algorithms) == Algorithms::Legacy;
        Job {
            device,
            kept,
            began: None,
            attempts: 0,
            retries: 0,
            spent: Duration::ZERO,
            legacy,
            local: false,
        }
    }

    /// The account that the next attempt uses; empty: OpenSSH's configuration says.
    #[must_use]
    pub fn user<'a>(&'a self, options: &'a Options) -> &'a str {
        if self.device.via == Via::Snmp {
            return options.snmp.as_ref().map_or("", Access::account);
        }
        let local = options.local.as_ref().filter(|_| self.local).map(|(user, _)| user.as_str());
        local.or(self.device.user.as_deref()).or(options.user.as_deref()).unwrap_or_default()
    }

    /// The capture of a device of which nothing was asked (yet).
    #[must_use]
    pub fn capture(&self, status: Status, error: Option<String>, now: Timestamp) -> Capture {
        let device = &self.device;
        Capture {
            ts: self.began.map_or(now, |(ts, _)| ts),
            cmts: device.cmts.clone(),
            platform: match (device.via, device.platform) {
                (Via::Snmp, _) => Platform::Snmp.word(),
                (Via::Ssh, Some(platform)) => platform.word(),
                (Via::Ssh, None) => "unknown",
            }
            .to_owned(),
            family: device
                .platform
                .filter(|_| device.via == Via::Snmp)
                .map(|family| family.word().to_owned()),
            host: device.host.clone(),
            port: device.port.unwrap_or(match device.via {
                Via::Ssh => 22,
                Via::Snmp => snmp::PORT,
            }),
            status,
            error,
            attempts: self.attempts,
            elapsed_ms: self.began.map_or(0, |(_, began)| ms(began.elapsed())),
            phases: Phases::default(),
            algorithms: None,
            host_key_sha256: None,
            commands: Vec::new(),
        }
    }
}

/// What one attempt came to.
#[derive(Debug)]
pub struct Attempt {
    /// What is written if this attempt is the last.
    pub capture: Capture,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Answers for the next session.
    pub kept: Vec<Kept>,
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Makes one attempt.
pub fn attempt(job: &mut Job, options: &Options, clock: Clock) -> Attempt {
    let began = Instant::now();
    job.began.get_or_insert((clock.now(), began));
    job.attempts += 1;
    let capture = job.capture(Status::Internal, None, clock.now());
    let left = options.budgets.device.saturating_sub(job.spent);
    let mut running = Running {
        job,
        options,
        clock,
        budget: Budget::new(&options.signals, left, options.budgets.device),
        attempt: Attempt { capture, failure: None, kept: Vec::new() },
    };
    let result = match running.job.device.via {
        Via::Ssh => running.make(),
        Via::Snmp => running.make_by_snmp(),
    };
    let mut done = running.attempt;
    job.spent += began.elapsed();
    let (status, error) = match result {
        Ok(verdict) => verdict,
        Err(failure) => {
            let verdict = (failure.status, Some(failure.error.clone()));
            done.failure = Some(failure);
            verdict
        }
    };
    done.capture.status = status;
    done.capture.error = error;
    done.capture.elapsed_ms = job.began.map_or(0, |(_, began)| ms(began.elapsed()));
    done
}

/// The state of an attempt that is being made.
struct Running<'a> {
    job: &'a Job,
    options: &'a Options,
    clock: Clock,
    budget: Budget,
    attempt: Attempt,
}

impl<'a> Running<'a> {
    fn make(&mut self) -> Result<(Status, Option<String>), Failure> {
        let began = Instant::now();
        let alias = self.alias();
        let credentials = self.credentials(&alias);
        let session = self.connect(&alias)?;
        self.attempt.capture.phases.connect_ms = Some(ms(began.elapsed()));
        let began = Instant::now();
        let budgets = &self.options.budgets;
        self.log_in(&session, &credentials)?;
        let secrets = [&credentials.password, &credentials.passphrase].into_iter().flatten();
        let secrets = secrets.chain(self.options.enable.iter().flatten()).cloned().collect();
        let (directory, cmts) = (self.options.transcript.as_deref(), &self.job.device.cmts);
        let mut transcript = Transcript::open(directory, cmts, self.attempt.capture.ts, secrets);
        let mut budget = self.budget.clone();
        let shell = session.shell(&budget)?;
        let terminal = Terminal::login(shell, &mut budget, &mut transcript, budgets.idle, budgets.output)?;
        self.attempt.capture.phases.auth_ms = Some(ms(began.elapsed()));
        let verdict = self.ask_all(terminal);
        session.disconnect();
        if let Err(failure) = &verdict {
            transcript.note(&failure.to_string());
        }
        verdict
    }

    /// What OpenSSH's configuration says of the host, where the user has one.
    fn alias(&self) -> Alias {
        if self.options.openssh { ssh::alias(&self.job.device.host) } else { Alias::default() }
    }

    fn credentials(&self, alias: &Alias) -> Credentials {
        let (options, given) = (self.options, self.job.user(self.options));
        let user = if given.is_empty() { alias.user.clone().unwrap_or_default() } else { given.to_owned() };
        if let Some((_, password)) = options.local.as_ref().filter(|_| self.job.local) {
            return Credentials { user, password: Some(password.clone()), ..Credentials::default() };
        }
        Credentials {
            user,
            password: options.password.clone(),
            identity: options.identity.clone().or_else(|| alias.identity.clone()),
            passphrase: options.passphrase.clone(),
            agent: options.agent,
        }
    }

    /// Connection, key exchange, host key.
    fn connect(&mut self, alias: &Alias) -> Result<Session, Failure> {
        let (device, budgets) = (&self.job.device, &self.options.budgets);
        let host = alias.host.as_deref().unwrap_or(&device.host);
        let port = device.port.or(alias.port).unwrap_or(22);
        let jump = device.jump.as_deref().or(self.options.jump.as_deref());
        self.attempt.capture.host = host.to_owned();
        self.attempt.capture.port = port;
        let over = format!("no connection within {} s (--connect-timeout)", budgets.connect.as_secs_f64());
        self.budget.phase(budgets.connect, Failure::transient(Status::ConnectTimeout, over));
        let stream = ssh::dial(host, port, jump, &self.budget)?;
        let over = format!("no key exchange within {} s (--auth-timeout)", budgets.auth.as_secs_f64());
        self.budget.phase(budgets.auth, Failure::new(Status::KexFailed, over));
        let known = self.options.checking.key_types(host, port);
        let session = Session::handshake(stream, &known, self.job.legacy, &self.budget)
            .map_err(|failure| self.explained(failure, host, port, jump))?;
        self.attempt.capture.algorithms = Some(session.algorithms());
        self.attempt.capture.host_key_sha256 = session.host_key_sha256();
        session.check_host_key(&self.options.checking, host, port)?;
        Ok(session)
    }

    /// A key exchange that failed, with the reason that libssh2 does not give. Not where legacy algorithms
    /// are tried next anyway.
    fn explained(&self, failure: Failure, host: &str, port: u16, jump: Option<&str>) -> Failure {
        let broke = matches!(failure.status, Status::KexFailed | Status::Disconnected);
        let in_time = self.budget.wait().is_ok();
        if !broke || !in_time || (failure.no_common_algorithm && self.falls_back()) {
            return failure;
        }
        let mut budget = self.budget.clone();
        budget.phase(Duration::from_secs(5), Failure::new(Status::KexFailed, ""));
        ssh::explain_key_exchange(host, port, jump, self.job.legacy, &budget).unwrap_or(failure)
    }

    fn falls_back(&self) -> bool {
        let algorithms = self.job.device.algorithms.unwrap_or(self.options.algorithms);
        algorithms == Algorithms::Auto && !self.job.legacy
    }

    /// Authentication, when the account's turn comes. Waiting for it costs nothing but total time.
    fn log_in(&mut self, session: &Session, credentials: &Credentials) -> Result<(), Failure> {
        let auth = self.options.budgets.auth;
        let over = format!("the login took more than {} s (--auth-timeout)", auth.as_secs_f64());
        self.budget
            .phase(self.options.budgets.device, Failure::new(Status::LoginTimeout, "no turn to log in"));
        let permit = self.options.gate.pass(&credentials.user, &self.budget)?;
        self.budget.phase(auth, Failure::new(Status::LoginTimeout, over));
        match session.authenticate(credentials, &self.budget) {
            Ok(_) => permit.decided(true),
            Err(failure) if failure.status == Status::AuthFailed => {
                permit.decided(false);
                return Err(failure);
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Everything between the first prompt and the logout.
    fn ask_all(&mut self, mut terminal: Terminal<'_>) -> Result<(Status, Option<String>), Failure> {
        let (began, now) = (Instant::now(), self.clock.now());
        let platform = match self.prepare(&mut terminal) {
            Ok(platform) => platform,
            Err(failure) => {
                let platform = self.attempt.capture.platform.parse().ok();
                leave(terminal, platform, Some(&failure));
                return Err(failure);
            }
        };
        let commands = self.options.commands(Via::Ssh);
        let mut script = self.script(platform, &commands, &self.job.kept, now);
        let result = self.converse(&mut terminal, platform, &mut script, now);
        self.attempt.capture.phases.commands_ms = Some(ms(began.elapsed()));
        let late = leave(terminal, Some(platform), result.as_ref().err());
        let verdict = match result.and_then(|()| end(&mut script, late, now)) {
            Ok(()) => Ok(script.verdict()),
            Err(failure) if failure.status != Status::Cancelled && script.has_all_it_needs() => {
                let last = script.answers.last().map_or("", |answer| &answer.command);
                Ok((Status::Partial, Some(format!("{last}: {}", failure.error))))
            }
            Err(failure) => Err(failure),
        };
        self.attempt.kept = script.to_keep(now);
        self.attempt.capture.commands = script.answers;
        verdict
    }

    /// Leaves user mode, finds out the platform, switches off paging.
    fn prepare(&mut self, terminal: &mut Terminal<'_>) -> Result<Platform, Failure> {
        if let Some(password) = &self.options.enable {
            terminal.enable(password.as_ref())?;
        }
        let platform = match self.job.device.platform {
            Some(platform) => platform,
            None => terminal.detect()?,
        };
        self.attempt.capture.platform = platform.word().to_owned();
        if let Some(dialogue) = platform::family(platform).dialogue() {
            terminal.set_up(dialogue)?;
        }
        Ok(platform)
    }

    fn script<'s>(
        &self,
        platform: Platform,
        commands: &'s [String],
        kept: &[Kept],
        now: Timestamp,
    ) -> Script<'s>
    where
        'a: 's,
    {
        Script::new(&self.job.device.cmts, platform, commands, kept, now, self.options.refresh)
    }

    fn converse(
        &self,
        terminal: &mut Terminal<'_>,
        platform: Platform,
        script: &mut Script<'_>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        while let Some(command) = script.next(now) {
            let Asked { output, late, result } = terminal.ask(&command);
            let (bytes, took, cmts) = (output.output.len(), output.elapsed_ms, &self.job.device.cmts);
            log::debug!(target: platform.log_target(), "{cmts}: {command}: {bytes} bytes in {took} ms");
            script.add(output, late);
            result?;
        }
        Ok(())
    }
}

/// Logs out, unless the device has closed the session itself.
fn leave(terminal: Terminal<'_>, platform: Option<Platform>, failure: Option<&Failure>) -> Option<String> {
    let dialogue = platform.and_then(|platform| platform::family(platform).dialogue());
    let logout = dialogue.map_or("exit", |dialogue| dialogue.logout);
    match failure {
        Some(failure) if failure.status == Status::Disconnected => Some(String::new()),
        _ => terminal.leave(logout, failure.is_some()),
    }
}

/// Takes what came after the last answer. An answer that turns out longer may lead to more commands, and then the
/// session ended too early.
fn end(script: &mut Script<'_>, late: Option<String>, now: Timestamp) -> Result<(), Failure> {
    script.append(late);
    let early = script.next(now).is_some() || script.answers.iter().any(|answer| !answer.complete);
    let error = "output came after the prompt, so the answers are not known to be whole";
    if early { Err(Failure::transient(Status::ReadTimeout, error)) } else { Ok(()) }
}
