//! One attempt at one device by SNMP: resolve, get a first answer, walk the columns. The capture is that of a session,
//! with walks for commands.

use std::time::Instant;

use super::{Running, ms};
use crate::{
    cli::Via,
    fetch::{
        options::walked,
        script::{Kept, Script},
        transcript::{Transcript, Way},
    },
    platform::{Platform, snmp::columns::MOST_ROWS},
    record::{CommandOutput, Status, Timestamp},
    snmp::{Access, End, Limits, Oid, Passed, Session, Value, Walked},
    ssh::{self, Failure},
};

/// sysUpTime.0 and ifTableLastChange.0.
const CHANGES: [&str; 2] = ["1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.31.1.5.0"];
/// Whole seconds are compared, of two clocks.
const MARGIN_S: i64 = 2;

/// When a device last started or renumbered its interfaces, as it says itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LastChange {
    /// sysUpTime, hundredths of a second.
    up: Option<u32>,
    /// ifTableLastChange, by the same clock.
    changed: Option<u32>,
}

impl LastChange {
    fn of(values: &[Option<Value>]) -> Self {
        let ticks = |at: usize| match values.get(at)? {
            Some(Value::Timeticks(ticks)) => Some(*ticks),
            _ => None,
        };
        LastChange { up: ticks(0), changed: ticks(1) }
    }

    /// Seconds since; 0 when the device does not say.
    fn age_s(self) -> i64 {
        let up = self.up.unwrap_or(0);
        let since = up - self.changed.filter(|&changed| changed <= up).unwrap_or(0);
        i64::from(since / 100)
    }

    /// Whether what was read before and after it belongs together.
    fn is_same(self, later: LastChange) -> bool {
        later.up >= self.up && later.changed == self.changed
    }

    /// Interface indexes in answers from before mean nothing any more.
    fn still_true(self, kept: &[Kept], now: Timestamp) -> Vec<Kept> {
        let fresh = |kept: &&Kept| now.since(kept.ts) + MARGIN_S <= self.age_s();
        kept.iter().filter(fresh).cloned().collect()
    }
}

impl Running<'_> {
    pub(super) fn make_by_snmp(&mut self) -> Result<(Status, Option<String>), Failure> {
        let options = self.options;
        let access = options.snmp.as_ref().ok_or_else(no_access)?;
        let (directory, cmts) = (options.transcript.as_deref(), &self.job.device.cmts);
        let mut transcript = Transcript::open(directory, cmts, self.attempt.capture.ts, access.secrets());
        let verdict = self.ask_by_snmp(access, &mut transcript);
        if let Err(failure) = &verdict {
            transcript.note(&failure.to_string());
        }
        verdict
    }

    fn ask_by_snmp(
        &mut self,
        access: &Access,
        transcript: &mut Transcript,
    ) -> Result<(Status, Option<String>), Failure> {
        let began = Instant::now();
        let (options, now) = (self.options, self.clock.now());
        let (host, port) = (&self.attempt.capture.host, self.attempt.capture.port);
        self.budget.phase(options.budgets.connect, Failure::new(Status::ResolveFailed, ""));
        let addresses = ssh::resolve(host, port, &self.budget)?;
        self.attempt.capture.phases.connect_ms = Some(ms(began.elapsed()));

        let began = Instant::now();
        let over = Failure::new(Status::ReadTimeout, "");
        self.budget.phase(options.budgets.device, over);
        let objects = CHANGES.map(oid);
        let objects: Vec<&Oid> = objects.iter().collect();
        let permit = options.gate.pass(access.account(), &self.budget)?;
        let mut listener = |passed, words: &str| match passed {
            Passed::Sent => transcript.write(Way::Out, words.as_bytes()),
            Passed::Received => transcript.write(Way::In, words.as_bytes()),
            Passed::Note => transcript.note(words),
        };
        let mut opened = Err(Failure::new(Status::ResolveFailed, format!("{host} has no address")));
        for address in addresses {
            let budget = &self.budget;
            opened = Session::open(access, address, self.limits(), budget, Some(&mut listener), &objects);
            let final_word = [Status::Cancelled, Status::AuthFailed];
            if opened.as_ref().err().is_none_or(|failure| final_word.contains(&failure.status)) {
                break;
            }
        }
        match opened.as_ref().map_err(|failure| failure.status) {
            Ok(_) => permit.decided(true),
            Err(Status::AuthFailed) => permit.decided(false),
            Err(_) => {}
        }
        let (mut session, values) = opened.map_err(|failure| self.beside_a_jump(failure))?;
        self.attempt.capture.phases.auth_ms = Some(ms(began.elapsed()));
        self.walk_all(&mut session, LastChange::of(&values), &objects, now)
    }

    fn limits(&self) -> Limits {
        let (budgets, retries) = (&self.options.budgets, self.options.retries);
        Limits { answer: budgets.request, retries, output: budgets.output, rows: MOST_ROWS }
    }

    /// Silence of a device that is reached through a jump host over SSH has one cause more.
    fn beside_a_jump(&self, failure: Failure) -> Failure {
        let jump = self.job.device.jump.as_ref().or(self.options.jump.as_ref());
        match jump.filter(|_| failure.status == Status::ConnectTimeout) {
            Some(jump) => {
                let error = format!("{}; SNMP does not go through jump host {jump}", failure.error);
                Failure { error, ..failure }
            }
            None => failure,
        }
    }

    /// Everything behind the first answer.
    fn walk_all(
        &mut self,
        session: &mut Session<'_>,
        before: LastChange,
        objects: &[&Oid],
        now: Timestamp,
    ) -> Result<(Status, Option<String>), Failure> {
        let began = Instant::now();
        let commands = self.options.commands(Via::Snmp);
        let kept = before.still_true(&self.job.kept, now);
        let mut script = self.script(Platform::Snmp, &commands, &kept, now);
        let mut broken = Vec::new();
        let result = self.walk_each(session, &mut script, &mut broken, now);
        let result = result.and_then(|()| {
            let after = LastChange::of(&session.get(objects)?);
            let error = "the device started again or renumbered its interfaces during the walks";
            if before.is_same(after) { Ok(()) } else { Err(Failure::transient(Status::Disconnected, error)) }
        });
        self.attempt.capture.phases.commands_ms = Some(ms(began.elapsed()));
        let verdict = match result {
            Ok(()) => {
                let (status, reason) = script.verdict();
                Ok((status, reason.map(|reason| explained(reason, &broken))))
            }
            Err(failure) if is_about_one_walk(&failure) && script.has_all_it_needs() => {
                let last = script.answers.last().map_or("", |answer| &answer.command);
                Ok((Status::Partial, Some(format!("{last}: {}", failure.error))))
            }
            Err(failure) => Err(failure),
        };
        // What was read around a change of the indexes must not be kept.
        if verdict.is_ok() {
            self.attempt.kept = script.to_keep(now);
        }
        self.attempt.capture.commands = script.answers;
        verdict
    }

    fn walk_each(
        &self,
        session: &mut Session<'_>,
        script: &mut Script<'_>,
        broken: &mut Vec<(String, String)>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        while let Some(command) = script.next(now) {
            let began = Instant::now();
            let root = walked(&command).ok_or_else(|| {
                Failure::new(Status::Internal, format!("{command:?} is not a walk; please report it"))
            })?;
            let Walked { output, end } = session.walk(&root);
            let (bytes, took, cmts) = (output.len(), ms(began.elapsed()), &self.job.device.cmts);
            log::debug!(target: Platform::Snmp.log_target(), "{cmts}: {command}: {bytes} bytes in {took} ms");
            let complete = matches!(end, End::Whole);
            let answer = CommandOutput {
                command: command.clone(),
                output,
                elapsed_ms: took,
                complete,
                ..CommandOutput::default()
            };
            script.add(answer, Some(String::new()));
            match end {
                End::Whole => {}
                End::Broken(error) => broken.push((command, error)),
                End::Failed(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}

fn oid(text: &str) -> Oid {
    text.parse().expect("invariant: an object identifier")
}

fn no_access() -> Failure {
    Failure::new(Status::AuthFailed, "neither SNMP_COMMUNITY nor SNMP_USER was set when the run began")
}

/// Silence or an answer without end in the last walk; what is about the whole device spoils the rest too.
fn is_about_one_walk(failure: &Failure) -> bool {
    matches!(failure.status, Status::ReadTimeout | Status::OutputTooLarge)
}

/// A verdict knows that an answer is not complete; here stands why.
fn explained(reason: String, broken: &[(String, String)]) -> String {
    let about = broken.iter().find(|(command, _)| reason.starts_with(&format!("{command}: ")));
    about.map_or(reason.clone(), |(command, error)| format!("{command}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_777_636_800);

    fn kept(age: i64) -> Vec<Kept> {
        vec![Kept { command: "walk 1.3.6.1.2.1.2.2.1.2".into(), output: String::new(), ts: NOW + -age }]
    }

    #[test]
    fn names_are_kept_as_long_as_the_device_says_that_nothing_was_renumbered() {
        let hour = 360_000;
        for (up, changed, age, still) in [
            (Some(hour), Some(0), 600, true),
            (Some(hour), Some(hour - 30_000), 600, false),
            (Some(hour), Some(hour - 70_000), 600, true),
            (Some(hour), None, 600, true),
            (Some(30_000), None, 600, false),
            (Some(30_000), Some(hour), 200, true),
            (None, None, 0, false),
            // At the very moment of the change.
            (Some(60_000), Some(0), 600, false),
        ] {
            let change = LastChange { up, changed };
            assert_eq!(change.still_true(&kept(age), NOW) == kept(age), still, "{change:?} {age}");
        }
    }

    #[test]
    fn a_device_that_starts_again_in_the_middle_is_not_believed() {
        let change = |up, changed| LastChange { up: Some(up), changed: Some(changed) };
        assert!(change(500, 100).is_same(change(700, 100)));
        assert!(!change(500, 100).is_same(change(20, 0)));
        assert!(!change(500, 100).is_same(change(700, 650)));
        assert!(LastChange::default().is_same(LastChange::default()));
    }
}
