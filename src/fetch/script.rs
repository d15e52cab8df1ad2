//! What is asked of a device in one session: the platform's commands or the user's, without those whose
//! answer was kept, until an unexplained profile number tells that a kept answer is out of date.

use std::{collections::HashMap, time::Duration};

use crate::{
    platform::{self, Answer, Need, Platform, Verdict},
    record::{CommandOutput, ExplainedBy, Status, Timestamp},
};

/// A complete answer of an earlier session.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// What was typed.
    pub command: String,
    /// The answer.
    pub output: String,
    /// When it was asked.
    pub ts: Timestamp,
}

/// The commands of one session and their answers so far.
#[derive(Debug)]
pub struct Script<'a> {
    cmts: &'a str,
    platform: Platform,
    commands: &'a [String],
    kept: HashMap<String, Kept>,
    last_asked: Option<String>,
    /// In the order in which they were asked or taken from what was kept.
    pub answers: Vec<CommandOutput>,
}

impl<'a> Script<'a> {
    /// A script of `commands`, or of the platform's own when there are none. Kept answers that are older
    /// than `refresh` are asked for again.
    #[must_use]
    pub fn new(
        cmts: &'a str,
        platform: Platform,
        commands: &'a [String],
        kept: &[Kept],
        now: Timestamp,
        refresh: Duration,
    ) -> Self {
        let oldest = now + -refresh.as_secs().try_into().unwrap_or(i64::MAX);
        let fresh = kept.iter().filter(|kept| kept.ts > oldest && kept.ts <= now);
        let kept = fresh.map(|kept| (kept.command.clone(), kept.clone())).collect();
        Script { cmts, platform, commands, kept, last_asked: None, answers: Vec::new() }
    }

    /// The next command to type, or none when all is asked.
    pub fn next(&mut self, now: Timestamp) -> Option<String> {
        if !self.commands.is_empty() {
            return self.commands.get(self.answers.len()).cloned();
        }
        loop {
            let Some(step) = platform::family(self.platform).plan(&self.as_answers()).into_iter().next()
            else {
                return self.out_of_date();
            };
            // A refusal of what nothing depends on is kept as well.
            match self.kept.get(&step.command).filter(|_| step.slow_changing || step.need == Need::Extra) {
                Some(kept) => self.answers.push(CommandOutput {
                    command: step.command,
                    output: kept.output.clone(),
                    elapsed_ms: 0,
                    complete: true,
                    echo: None,
                    age_s: Some(now.since(kept.ts).max(0).unsigned_abs()),
                }),
                None => return Some(step.command),
            }
        }
    }

    /// Adds an answer, and the `late` end of the one before it.
    pub fn add(&mut self, output: CommandOutput, late: Option<String>) {
        self.append(late);
        self.last_asked = Some(output.command.clone());
        self.answers.push(output);
    }

    /// Adds the `late` end of the answer to the command that was asked last; none: its end is not known.
    pub fn append(&mut self, late: Option<String>) {
        match (self.asked_last(), late) {
            (Some(answer), Some(late)) => answer.output.push_str(&late),
            (Some(answer), None) => answer.complete = false,
            (None, _) => {}
        }
    }

    fn asked_last(&mut self) -> Option<&mut CommandOutput> {
        let command = self.last_asked.as_ref()?;
        self.answers.iter_mut().rev().find(|answer| answer.command == *command && answer.age_s.is_none())
    }

    /// A kept answer that has to be asked for again, because a profile number stands there that nothing
    /// explains; each once.
    fn out_of_date(&mut self) -> Option<String> {
        let is_kept =
            |answer: &CommandOutput| answer.age_s.is_some() && platform::error_text(&answer.output).is_none();
        let at = self.answers.iter().position(is_kept)?;
        let unexplained = {
            let book = platform::ProfileBook::default();
            let mut reading = platform::Reading { cmts: self.cmts, book: &book, explain: None };
            let parsed = platform::family(self.platform).parse(&self.as_answers(), &mut reading);
            let doubtful = |by: Option<ExplainedBy>| by.is_none_or(|by| by == ExplainedBy::BuiltIn);
            parsed.upstreams.iter().any(|upstream| doubtful(upstream.explained_by))
        };
        if !unexplained {
            return None;
        }
        let command = self.answers.remove(at).command;
        self.kept.remove(&command);
        Some(command)
    }

    fn as_answers(&self) -> Vec<Answer<'_>> {
        self.answers
            .iter()
            .map(|a| Answer { command: &a.command, output: &a.output, complete: a.complete })
            .collect()
    }

    /// How a session that came to its end in order went.
    #[must_use]
    pub fn verdict(&self) -> (Status, Option<String>) {
        match platform::judge(self.platform, &self.as_answers()) {
            Verdict::Ok => (Status::Ok, None),
            Verdict::Partial(reason) => (Status::Partial, Some(reason)),
            Verdict::CommandFailed(reason) => (Status::CommandFailed, Some(reason)),
        }
    }

    /// Whether everything that the platform cannot do without was answered, so that what failed is optional.
    #[must_use]
    pub fn has_all_it_needs(&self) -> bool {
        let answers = self.as_answers();
        let needed =
            platform::family(self.platform).plan(&answers).into_iter().any(|s| s.need == Need::Needed);
        self.commands.is_empty()
            && !needed
            && !matches!(platform::judge(self.platform, &answers), Verdict::CommandFailed(_))
    }

    /// The complete answers that are worth keeping for the next session.
    #[must_use]
    pub fn to_keep(&self, now: Timestamp) -> Vec<Kept> {
        if !self.commands.is_empty() {
            return Vec::new();
        }
        let answers = self.as_answers();
        let script = platform::family(self.platform).script(&answers).into_iter();
        script
            .filter_map(|step| {
                let is_worth = |answer: &Answer<'_>| match answer.is_good() {
                    true => step.slow_changing,
                    false => step.need == Need::Extra && answer.complete,
                };
                let at = answers.iter().position(|a| a.command == step.command && is_worth(a))?;
                if self.answers[at].age_s.is_none() && !answers[at].is_good() {
                    log::info!(
                        "{}: {} is refused; it is asked again at the next refresh",
                        self.cmts,
                        step.command
                    );
                }
                match self.answers[at].age_s {
                    Some(_) => self.kept.get(&step.command).cloned(),
                    None => {
                        Some(Kept { command: step.command, output: self.answers[at].output.clone(), ts: now })
                    }
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_777_636_800);
    const HOUR: Duration = Duration::from_secs(3600);

    fn answer(script: &mut Script<'_>, command: &str, output: &str) {
        let (command, output) = (command.to_owned(), output.to_owned());
        script.answers.push(CommandOutput { command, output, complete: true, ..CommandOutput::default() });
    }

    fn answer_extras(script: &mut Script<'_>) {
        for extra in ["show running-config verbose | include description", "show cable modem summary mac"] {
            answer(script, extra, "");
        }
    }

    #[test]
    fn a_refused_extra_is_asked_once_per_refresh_and_an_answered_one_each_time() {
        let modems = "show cable modem summary mac";
        let next = |kept: &[Kept], refused: bool| {
            let mut script = Script::new("CCAP001", Platform::E6000, &[], kept, NOW, HOUR);
            let mut asked = Vec::new();
            while let Some(command) = script.next(NOW) {
                let output = if command == modems && refused { "Error: not allowed" } else { "" };
                answer(&mut script, &command, output);
                asked.push(command);
            }
            (asked.contains(&modems.to_owned()), script.to_keep(NOW), script.verdict().0)
        };
        let (asked, kept, status) = next(&[], true);
        assert_eq!((asked, status), (true, Status::Ok));
        let (asked, again, status) = next(&kept, true);
        assert_eq!((asked, status), (false, Status::Ok));
        assert!(again.iter().any(|kept| kept.command == modems));
        let old: Vec<_> = kept.into_iter().map(|kept| Kept { ts: NOW + -7200, ..kept }).collect();
        assert!(next(&old, true).0);
        let (_, kept, _) = next(&[], false);
        assert!(next(&kept, false).0, "how many there are now");
    }

    #[test]
    fn kept_answers_go_along_with_their_age_until_they_are_too_old() {
        let kept = |age: i64| Kept {
            command: "show running-config verbose | include modulation-profile".into(),
            output: "configure cable modulation-profile 64 iuc 10 mod qam64\n".into(),
            ts: NOW + -age,
        };
        let mut script = Script::new("CCAP001", Platform::E6000, &[], &[kept(60)], NOW, HOUR);
        assert_eq!(script.next(NOW).as_deref(), Some("show interface cable-upstream"));
        answer(&mut script, "show interface cable-upstream", "");
        answer_extras(&mut script);
        assert_eq!(script.next(NOW), None);
        assert_eq!(script.answers.iter().find_map(|answer| answer.age_s), Some(60));
        assert_eq!(script.to_keep(NOW)[0], kept(60));
        let mut script = Script::new("CCAP001", Platform::E6000, &[], &[kept(3600)], NOW, HOUR);
        answer(&mut script, "show interface cable-upstream", "");
        assert!(script.next(NOW).is_some_and(|command| command.contains("modulation-profile")));
    }

    #[test]
    fn an_unexplained_profile_number_has_the_profiles_asked_for_again() {
        let kept = Kept {
            command: "show running-config verbose | include modulation-profile".into(),
            output: "configure cable modulation-profile 64 iuc 10 mod qam64\n".into(),
            ts: NOW + -60,
        };
        let table = |profile| {
            format!(
                "US          Cable     Oper  Chan   Freq Low-High   Center  Channel   Mini Mod  Pwr(dBmV/  LBal\n\
                 S/CG/CH     Mac  Conn State Type    (MHz.KHz)      Freq(MHz) Width   Slot Prof  1.6 MHz)  Group\n\
                 2/scq/0     127     -    IS atdma  55.600-62.000    58.800   6.400     2  {profile}    -6.0     1\n"
            )
        };
        for (profile, again) in [(64, false), (65, true)] {
            let mut script =
                Script::new("CCAP001", Platform::E6000, &[], std::slice::from_ref(&kept), NOW, HOUR);
            answer(&mut script, "show interface cable-upstream", &table(profile));
            answer_extras(&mut script);
            let next = script.next(NOW);
            assert_eq!(next.is_some(), again, "{profile}");
            if let Some(command) = next {
                answer(&mut script, &command, "configure cable modulation-profile 65 iuc 10 mod qam16\n");
                assert_eq!(script.next(NOW), None, "asked for once");
                assert_eq!(script.to_keep(NOW)[0].ts, NOW);
            }
        }
    }

    #[test]
    fn the_users_commands_replace_the_script() {
        let own = ["show clock".to_owned(), "show clock".to_owned()];
        let mut script = Script::new("CCAP001", Platform::E6000, &own, &[], NOW, HOUR);
        for _ in 0..2 {
            let command = script.next(NOW).expect("one more");
            answer(&mut script, &command, "12:00\n");
        }
        assert_eq!((script.next(NOW), script.verdict().0), (None, Status::Ok));
    }
}
