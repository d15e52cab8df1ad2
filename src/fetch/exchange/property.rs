//! The promise of the exchange, held by devices made up at random: whatever packets, pauses of up to three seconds,
//! log messages, redrawn and surplus prompts there are, an answer is right or it is not given, nothing is typed
//! without limit, and without such disturbances every answer is given. `MODTOOLS_CASES` sets the number of cases.

use std::{collections::VecDeque, time::Duration};

use proptest::prelude::*;

use super::{Exchange, Step, line::squeezed, ms};
use crate::text::clean;

/// The first two are typed at once, to set up the terminal; these and the last are not judged.
const COMMANDS: [&str; 6] =
    ["terminal length 0", "terminal width 0", "show interface", "show profile | i x", "show summary", "exit"];
const JUDGED: std::ops::Range<usize> = 2..5;
/// What the user allows as silence in an answer.
const ALLOWED: Duration = Duration::from_secs(60);

const LOG: &str = "nov 28 09:00:02: %link: interface changed";

/// When a device reads and echoes what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    /// A character is echoed when the command before it has ended.
    WhenIdle,
    /// A character is echoed at once, even in the middle of an answer.
    AtOnce,
    /// Nothing is echoed; `true`: except the line's end.
    Never(bool),
}

/// How a device disturbs its own session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// Log messages, without a new prompt.
    Logs,
    /// Log messages with a new prompt, and prompts for no reason.
    Prompts,
}

#[derive(Clone, Debug)]
struct Plan {
    echo: Echo,
    trouble: Trouble,
    prompt: &'static str,
    rows: Vec<u8>,
    /// Every choice of the device, used round and round.
    choices: Vec<u16>,
}

/// What was on the wire for one command.
#[derive(Clone, Debug, Default)]
struct Sent {
    /// From the echo to the prompt.
    answer: Vec<u8>,
    /// From the prompt to the next echo.
    behind: Vec<u8>,
}

struct Device<'a> {
    plan: &'a Plan,
    used: usize,
    /// When it will have worked off what was typed.
    free: Duration,
    wire: VecDeque<(Duration, Vec<u8>)>,
    line: Vec<u8>,
    asked: usize,
    sent: Vec<Sent>,
    behind: bool,
    closed: bool,
    typed: usize,
}

impl<'a> Device<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut device = Device {
            plan,
            used: 0,
            free: Duration::ZERO,
            wire: VecDeque::new(),
            line: Vec::new(),
            asked: 0,
            sent: vec![Sent::default()],
            behind: false,
            closed: false,
            typed: 0,
        };
        device.print(b"\r\n### for staff > only #\r\nwelcome\r\n");
        device.print(plan.prompt.as_bytes());
        device.behind = true;
        device
    }

    fn choice(&mut self, of: u16) -> u16 {
        self.used += 1;
        self.plan.choices[self.used % self.plan.choices.len()].wrapping_add(self.used as u16 / 7) % of
    }

    fn pause(&mut self) -> Duration {
        match self.choice(6) {
            0 => ms(u64::from(self.choice(3000))),
            1 => ms(u64::from(self.choice(200))),
            _ => Duration::ZERO,
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        let sent = self.sent.last_mut().expect("one is always there");
        if self.behind { &mut sent.behind } else { &mut sent.answer }.extend_from_slice(bytes);
        self.transmit(bytes);
    }

    fn transmit(&mut self, bytes: &[u8]) {
        let pause = self.pause();
        self.free += pause;
        self.wire.push_back((self.free, bytes.to_vec()));
    }

    /// Sends text in packets, with troubles between them.
    fn print(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let length = usize::from(self.choice(40)) + 1;
            let (packet, rest) = text.split_at(length.min(text.len()));
            self.send(packet);
            text = rest;
            self.disturb();
        }
    }

    /// Sends the echo of a command in packets; what comes behind its last character is the answer.
    fn echo(&mut self, line: &[u8]) {
        let cut = usize::from(self.choice(line.len() as u16)) + 1;
        let (first, rest) = line.split_at(cut);
        self.transmit(first);
        if !rest.is_empty() {
            self.disturb();
            self.transmit(rest);
        }
        self.begin_answer();
        self.disturb();
    }

    fn begin_answer(&mut self) {
        self.asked += 1;
        self.sent.push(Sent::default());
        self.behind = false;
    }

    fn disturb(&mut self) {
        if self.plan.trouble == Trouble::None || self.choice(9) != 0 {
            return;
        }
        let prompt = self.plan.prompt;
        match (self.plan.trouble, self.choice(4)) {
            (Trouble::Logs, _) | (_, 0) => self.send(format!("\r\n{LOG}\r\n").as_bytes()),
            (_, 1) => self.send(prompt.as_bytes()),
            (_, 2) => self.send(format!("\r\n{prompt}").as_bytes()),
            _ => self.send(format!("\r\n{LOG}\r\n{prompt}").as_bytes()),
        }
    }

    fn typed(&mut self, now: Duration, keys: &[u8]) {
        self.typed += keys.len();
        self.line.extend_from_slice(keys);
        if self.plan.echo == Echo::AtOnce {
            let echo: Vec<u8> = String::from_utf8_lossy(keys).replace('\n', "\r\n").into_bytes();
            let at = self.wire.iter().position(|(at, _)| *at > now).unwrap_or(self.wire.len());
            self.wire.insert(at, (now, echo));
        }
        while let Some(end) = self.line.iter().position(|key| *key == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            let line = String::from_utf8(line).expect("ASCII is typed");
            self.free = self.free.max(now);
            self.work_off(line.trim_end());
        }
    }

    fn work_off(&mut self, line: &str) {
        if self.closed {
            return;
        }
        if !line.is_empty() && self.plan.echo != Echo::WhenIdle {
            self.begin_answer();
        }
        self.disturb();
        match self.plan.echo {
            Echo::WhenIdle if line.is_empty() => self.send(b"\r\n"),
            Echo::WhenIdle => self.echo(line.as_bytes()),
            Echo::Never(true) => self.send(b"\r\n"),
            Echo::AtOnce | Echo::Never(false) => {}
        }
        if !line.is_empty() {
            self.closed = line == "exit";
            if self.plan.echo == Echo::WhenIdle {
                self.send(b"\r\n");
            }
            if self.closed {
                return;
            }
            let name = line.replace(' ', "-");
            for row in 0..self.plan.rows[self.asked % self.plan.rows.len()] {
                self.print(format!("{}/{row} {name} IS {}\r\n", self.asked, row * 7).as_bytes());
            }
        }
        self.print(self.plan.prompt.as_bytes());
        self.behind = true;
    }
}

/// What came of a command: `None` when it was not answered.
type Answer = Option<String>;

/// A session as the terminal carries it out, in simulated time.
fn session(plan: &Plan) -> (Vec<Answer>, Vec<Sent>, usize) {
    let mut device = Device::new(plan);
    let (mut now, mut heard) = (Duration::ZERO, Duration::ZERO);
    let mut exchange = Exchange::login(ALLOWED);
    let mut answers: Vec<Answer> = Vec::new();
    if carry_out(&mut exchange, &mut device, &mut now, &mut heard) {
        let [ahead, rest @ ..] = COMMANDS;
        answers.push(None);
        for command in rest {
            exchange = if answers.len() == 1 {
                device.typed(now, format!("{ahead}\n{command}\n").as_bytes());
                exchange.pair(ahead, command)
            } else {
                device.typed(now, format!("{command}\n").as_bytes());
                exchange.command(command)
            };
            heard = now;
            let done = carry_out(&mut exchange, &mut device, &mut now, &mut heard);
            match (answers.last_mut(), exchange.late()) {
                (Some(Some(before)), Some(late)) => before.push_str(&late),
                (Some(before), None) => *before = None,
                _ => {}
            }
            answers.push(done.then(|| exchange.answer()));
            if !done {
                break;
            }
        }
    }
    answers.resize(COMMANDS.len(), None);
    (answers, device.sent[1..].to_vec(), device.typed)
}

fn carry_out(
    exchange: &mut Exchange,
    device: &mut Device<'_>,
    now: &mut Duration,
    heard: &mut Duration,
) -> bool {
    let mut alive = *now;
    loop {
        match exchange.step(*now - *heard) {
            Step::Done => return true,
            Step::Stuck(_) => return false,
            Step::Type(keys) => {
                device.typed(*now, keys);
                *heard = *now;
            }
            Step::Wait(patience) => match device.wire.front() {
                Some((at, _)) if *at <= *now + patience => {
                    let (at, bytes) = device.wire.pop_front().expect("looked at");
                    *now = at.max(*now);
                    exchange.received(&bytes, *now - *heard);
                    (*heard, alive) = (*now, *now);
                }
                None if device.closed => return false,
                _ if *now - alive > ALLOWED => return false,
                _ => *now += patience.max(ms(1)),
            },
        }
    }
}

/// What is compared: no blanks, and none of the characters that only prompts hold. Log messages belong to the answer
/// before or after them where an echo shows no difference.
fn essence(text: &str, plan: &Plan) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !plan.prompt.contains(*c)).collect();
    if plan.echo == Echo::WhenIdle { text } else { text.replace(&squeezed(LOG), "") }
}

fn check(plan: &Plan) -> Result<usize, TestCaseError> {
    let (answers, sent, typed) = session(plan);
    let commands: usize = COMMANDS.iter().map(|command| command.len() + 1).sum();
    prop_assert!(typed <= commands + 64, "{} bytes were typed", typed);
    let mut given = 0;
    for at in JUDGED {
        let command = COMMANDS[at];
        let Some(answer) = &answers[at] else { continue };
        given += 1;
        let essence = |text: &str| essence(text, plan);
        let (answer, sent) = (essence(answer), sent.get(at).cloned().unwrap_or_default());
        let must = essence(&clean(&sent.answer));
        let most = essence(&clean(&[sent.answer, sent.behind].concat()));
        prop_assert!(
            answer.starts_with(&must) && most.starts_with(&answer),
            "{}:\n  {:?} was taken for\n  {:?} and at most\n  {:?}",
            command,
            answer,
            must,
            most
        );
    }
    if plan.trouble == Trouble::None {
        prop_assert_eq!(given, JUDGED.len(), "an undisturbed device was not understood");
    }
    Ok(given)
}

fn plans() -> impl Strategy<Value = Plan> {
    let echo = prop_oneof![
        4 => Just(Echo::WhenIdle),
        2 => Just(Echo::AtOnce),
        1 => any::<bool>().prop_map(Echo::Never)
    ];
    let trouble =
        prop_oneof![Just(Trouble::None), Just(Trouble::Logs), Just(Trouble::Prompts), Just(Trouble::Prompts)];
    let prompt = prop::sample::select(vec!["CMTQ#", "Q#-CMT>", "QA CMT*# ", "Q(MT_C)#"]);
    let rows = prop::collection::vec(0_u8..6, 5);
    let choices = prop::collection::vec(any::<u16>(), 1..60);
    (echo, trouble, prompt, rows, choices).prop_map(|(echo, trouble, prompt, rows, choices)| Plan {
        echo,
        trouble,
        prompt,
        rows,
        choices,
    })
}

fn cases() -> u32 {
    std::env::var("MODTOOLS_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_right_or_not_given(plan in plans()) {
        check(&plan)?;
    }
}

#[test]
fn most_disturbed_sessions_are_understood_all_the_same() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};

    let mut runner = TestRunner::deterministic();
    let (mut sessions, mut given) = (0, 0);
    for _ in 0..500 {
        let plan = plans().new_tree(&mut runner).unwrap().current();
        if plan.trouble != Trouble::None {
            sessions += 1;
            given += check(&plan).unwrap();
        }
    }
    let all = sessions * JUDGED.len();
    assert!(given * 2 > all, "{given} of {all} answers were given");
}
