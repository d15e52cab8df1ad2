//! Whole lives of a supervised command, event by event, on a clock that the test moves.

use std::time::{Duration, Instant};

use super::{Action, Cause, Ended, Event, Machine, Phase, Policy, Verdict};

const KILL: Action = Action::Kill { again: false };
const CRASH: Event = Event::Ended(Ended::Exit(7));

/// A machine and its clock.
struct Life {
    machine: Machine,
    now: Instant,
    first: Action,
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn life(leftovers: bool) -> Life {
    let policy = Policy {
        max_heartbeat_age: s(300),
        max_restart_attempts: 3,
        restart_delay: s(30),
        stop_timeout: s(20),
    };
    let now = Instant::now();
    let (machine, first) = Machine::begin(policy, leftovers, now, fastrand::Rng::with_seed(1));
    Life { machine, now, first }
}

fn up() -> Life {
    let mut life = life(false);
    assert_eq!(life.first, Action::Start);
    assert_eq!(life.on(Event::Started), None);
    life
}

impl Life {
    fn on(&mut self, event: Event) -> Option<Action> {
        self.machine.on(event, self.now)
    }

    /// Time passes and nothing else happens.
    fn after(&mut self, seconds: u64) -> Option<Action> {
        self.now += s(seconds);
        self.on(Event::Tick)
    }

    /// The command ends and leaves nothing behind.
    fn crash(&mut self) -> Option<Action> {
        assert_eq!(self.on(CRASH), Some(Action::Terminate));
        self.on(Event::Gone)
    }

    fn start_after_pause(&mut self, seconds: u64) {
        assert_eq!(self.after(seconds), Some(Action::Start));
        assert_eq!(self.on(Event::Started), None);
    }
}

#[test]
fn it_is_starting_until_it_shows_progress() {
    let mut life = up();
    assert_eq!(life.machine.phase(), Phase::Starting);
    assert_eq!(life.after(299), None);
    assert_eq!(life.on(Event::Beat), None);
    assert_eq!(life.machine.phase(), Phase::Running);
}

#[test]
fn a_command_that_beats_is_left_alone_for_ever() {
    let mut life = up();
    for _ in 0..10_000 {
        assert_eq!(life.after(300), None);
        assert_eq!(life.on(Event::Beat), None);
    }
}

#[test]
fn one_that_hangs_gets_term_then_kill_and_is_restarted_when_all_of_it_is_gone() {
    let mut life = up();
    life.on(Event::Beat);
    assert_eq!(life.after(300), None);
    assert_eq!(life.after(1), Some(Action::Terminate));
    assert_eq!(life.machine.phase(), Phase::Ending(Cause::NoBeat(s(301))));
    // The shell is not the group.
    assert_eq!(life.on(Event::Ended(Ended::Signal(15))), None);
    assert_eq!(life.after(19), None);
    assert_eq!(life.after(1), Some(KILL));
    let again = Some(Action::Kill { again: true });
    assert_eq!(life.after(3600), again, "nothing is started beside what still runs");
    assert_eq!(life.on(Event::Tick), None);
    let Some(Action::Pause { cause, attempt: 1, .. }) = life.on(Event::Gone) else { unreachable!("a pause") };
    assert_eq!(cause, Cause::NoBeat(s(301)));
}

#[test]
fn one_that_never_beats_hangs_as_well() {
    let mut life = up();
    assert_eq!(life.after(301), Some(Action::Terminate));
}

#[test]
fn pauses_double_with_some_jitter_and_then_it_has_failed() {
    let mut life = up();
    for (attempt, least) in [(1, 30), (2, 60), (3, 120)] {
        let Some(Action::Pause { attempt: number, delay, .. }) = life.crash() else {
            unreachable!("a pause before restart {attempt}")
        };
        assert_eq!(number, attempt);
        assert!(delay >= s(least) && delay <= s(least).mul_f64(1.2), "{delay:?}");
        assert_eq!(life.after(least - 1), None);
        life.start_after_pause(least);
    }
    let failed = Verdict::Failed(Cause::Ended(Ended::Exit(7)));
    assert_eq!(life.crash(), Some(Action::Finish(failed.clone())));
    assert_eq!(life.machine.phase(), Phase::Over(failed));
    assert_eq!(life.after(1_000_000), None, "said once, and never tried again");
}

#[test]
fn healthy_running_earns_all_attempts_back_but_a_lucky_beat_does_not() {
    let mut life = up();
    for _ in 0..2 {
        life.crash();
        life.start_after_pause(200);
        life.on(Event::Beat);
    }
    life.now += s(299);
    life.on(Event::Beat);
    assert!(matches!(life.crash(), Some(Action::Pause { attempt: 3, .. })));
    life.start_after_pause(200);
    life.now += s(300);
    life.on(Event::Beat);
    assert!(matches!(life.crash(), Some(Action::Pause { attempt: 1, .. })));
}

#[test]
fn a_command_that_cannot_be_started_uses_up_its_attempts_too() {
    let mut life = life(false);
    for attempt in 1..=3 {
        let action = life.on(Event::NotStarted("no such file".into()));
        assert!(matches!(action, Some(Action::Pause { attempt: a, .. }) if a == attempt), "{action:?}");
        assert_eq!(life.after(3600), Some(Action::Start));
    }
    let action = life.on(Event::NotStarted("no such file".into()));
    assert!(matches!(action, Some(Action::Finish(Verdict::Failed(Cause::NotStarted(_))))));
}

#[test]
fn a_stop_waits_for_the_group_at_most_the_time_out() {
    let mut life = up();
    life.on(Event::Beat);
    assert_eq!(life.on(Event::Stop), Some(Action::Terminate));
    assert_eq!(life.machine.phase(), Phase::Stopping);
    assert_eq!(life.on(Event::Stop), None, "TERM once only: a second one would cut the stages short");
    assert_eq!(life.after(20), Some(KILL));
    assert_eq!(life.on(Event::Gone), Some(Action::Finish(Verdict::Stopped)));
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut life = up();
    life.on(Event::Stop);
    assert_eq!(life.on(Event::StopNow), Some(KILL));
    assert_eq!(life.on(Event::StopNow), None);
    assert_eq!(life.on(Event::Gone), Some(Action::Finish(Verdict::Stopped)));
}

#[test]
fn a_stop_beats_a_restart_that_is_under_way() {
    let mut ending = up();
    assert_eq!(ending.on(CRASH), Some(Action::Terminate));
    assert_eq!(ending.on(Event::Stop), None);
    assert_eq!(ending.on(Event::Gone), Some(Action::Finish(Verdict::Stopped)));

    let mut pausing = up();
    pausing.crash();
    assert!(matches!(pausing.machine.phase(), Phase::Pausing(_)));
    assert_eq!(pausing.on(Event::Stop), Some(Action::Finish(Verdict::Stopped)));
}

#[test]
fn what_a_dead_supervisor_left_behind_is_ended_before_anything_starts() {
    let mut life = life(true);
    assert_eq!(life.first, Action::Terminate);
    assert_eq!(life.machine.phase(), Phase::Clearing);
    assert_eq!(life.after(20), Some(KILL));
    assert_eq!(life.on(Event::Gone), Some(Action::Start));
    assert_eq!(life.on(Event::Started), None);
    assert_eq!(life.machine.phase(), Phase::Starting);
}

#[test]
fn stray_events_change_nothing() {
    let mut life = up();
    assert_eq!(life.on(Event::Gone), None);
    assert_eq!(life.on(Event::Started), None);
    life.crash();
    for stray in [Event::Beat, Event::Gone, CRASH] {
        assert_eq!(life.on(stray), None);
    }
    assert!(matches!(life.machine.phase(), Phase::Pausing(_)));
}

#[test]
fn causes_read_as_sentences() {
    assert_eq!(Ended::Signal(9).to_string(), "signal 9 (SIGKILL)");
    assert_eq!(Cause::Ended(Ended::Exit(7)).to_string(), "the command ended by itself with exit code 7");
    assert_eq!(Cause::NoBeat(s(301)).to_string(), "the command hangs: no heartbeat for 301 s");
}
