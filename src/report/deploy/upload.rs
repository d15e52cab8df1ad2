//! One deployment, step by step: connect, find out what the account may do, see what is there, upload, put in place.
//! The page that is there stays whole until everything is uploaded, and every file of it is then replaced by a rename.

use std::{fs, time::Duration};

use super::{
    Deployment,
    payload::{self, Content, Item},
    plan::{Method, Plan, Present, name_of},
    server,
};
use crate::{
    record::Status,
    report::web,
    ssh::{self, Answer, Budget, Failure, Kind, Session, Sftp},
};

/// How long the server may send nothing in between.
const SILENCE: Duration = Duration::from_secs(60);
/// What is left for cleaning up after a fault.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// Why a deployment failed.
#[derive(Debug)]
pub struct Broken {
    /// What ended it.
    pub failure: Failure,
    /// Whether files may have taken their places by then.
    pub replaced: bool,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Broken { failure, replaced: false }
    }
}

/// Uploads the items and puts them in place; how many files were new.
///
/// # Errors
/// What ended it; every file there is whole all the same.
pub fn upload(deployment: &Deployment, items: &[Item], method: &Method) -> Result<usize, Broken> {
    let total = deployment.timeout;
    let over = format!("it took more than {} s (--deploy-timeout)", total.as_secs_f64());
    let mut budget = Budget::new(&deployment.signals, total, total).with_message(over);
    let session = server::connect(deployment, &mut budget)?;
    let renames = find_out(&session, method, &mut budget)?;
    let sftp = session.sftp(SILENCE, &mut budget)?;
    let attempt = Attempt { deployment, method, renames, sftp, session: &session, budget, staging: None };
    let result = attempt.make(items);
    session.disconnect();
    result
}

/// Whether the SFTP server must do the renames, because the account may run no command.
fn find_out(session: &Session, method: &Method, budget: &mut Budget) -> Result<bool, Failure> {
    let refusal = match session.run(&method.command("true"), SILENCE, budget) {
        Ok(answer) => finished(method, &answer).err(),
        Err(failure) if failure.status == Status::CommandFailed => Some(failure.error),
        Err(failure) => return Err(failure),
    };
    let renamer = session.renamer(SILENCE, budget)?;
    let can_replace = renamer.can_replace();
    renamer.close(budget)?;
    let Some(refusal) = refusal else { return Ok(false) };
    log::debug!("no command runs there: {refusal}");
    let lacking = match () {
        () if method.sudo => "--deploy-sudo needs one",
        () if method.owner.is_some() => "--deploy-owner needs one",
        () if !can_replace => "its SFTP server has no posix-rename@openssh.com",
        () => return Ok(true),
    };
    Err(Failure::new(
        Status::CommandFailed,
        format!("the account runs no command there, and {lacking} ({refusal})"),
    ))
}

/// Whether a command came to its end, by exit status, signal and last word; what it printed before that.
fn finished<'a>(method: &Method, answer: &'a Answer) -> Result<Vec<&'a str>, String> {
    let mut lines: Vec<&str> = answer.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let has_last_word = lines.pop_if(|line| *line == method.last_word()).is_some();
    let last = lines.last().map_or("it printed nothing", |line| ssh::shortened(line));
    match (&answer.signal, answer.status) {
        (Some(signal), _) => Err(format!("a command there was ended by signal {signal}: {last}")),
        (None, 0) if has_last_word => Ok(lines),
        (None, 0) => Err(format!("a command there broke off without a word about its end: {last}")),
        (None, status) => Err(format!("a command there ended with exit status {status}: {last}")),
    }
}

/// A deployment after its login.
struct Attempt<'a> {
    deployment: &'a Deployment,
    method: &'a Method,
    renames: bool,
    session: &'a Session,
    sftp: Sftp<'a>,
    budget: Budget,
    /// A directory of the login's own that the uploads go into, when others own that of the page.
    staging: Option<String>,
}

impl Attempt<'_> {
    fn make(mut self, items: &[Item]) -> Result<usize, Broken> {
        let present = self.present(items)?;
        let plan = Plan::new(items, &present, self.method);
        for path in &plan.foreign {
            let path = self.method.path(path);
            log::warn!("{}: {path} is not a link of ours, and stays as it is", self.deployment.target);
        }
        let old = self.ours(&plan.old)?;
        let mut result = self.send(&plan).map_err(Broken::from);
        if result.is_ok() {
            result = match self.renames {
                true => self.rename(&plan, &old),
                false => self.run_all(&plan, &old),
            };
        }
        self.clean_up(&plan, result.is_err());
        result?;
        for path in plan.left_over.iter().chain(&old) {
            log::info!("{}: removed {path}", self.deployment.target);
        }
        Ok(plan.uploads.len())
    }

    fn run(&mut self, command: &str) -> Result<Vec<String>, Failure> {
        self.run_within(command, SILENCE)
    }

    fn run_within(&mut self, command: &str, silence: Duration) -> Result<Vec<String>, Failure> {
        let answer = self.session.run(command, silence, &mut self.budget)?;
        finished(self.method, &answer)
            .map(|lines| lines.into_iter().map(str::to_owned).collect())
            .map_err(|error| Failure::new(Status::CommandFailed, error))
    }

    /// What there is in the directories that the items come to; they are made where they are missing.
    fn present(&mut self, items: &[Item]) -> Result<Present, Failure> {
        let has_data = items.iter().any(|item| item.path.starts_with("data/"));
        let directories = if has_data { &["", "data"][..] } else { &[""] };
        let mut present = Present::default();
        if self.method.sudo {
            self.run(&self.method.make_directories(directories))?;
        }
        for directory in directories {
            self.list(directory, &mut present)?;
        }
        let links = items.iter().filter(|item| matches!(item.content, Content::Link { .. }));
        for path in links.map(|item| &item.path) {
            if present.entries.get(path).is_some_and(|entry| entry.kind == Kind::Link) {
                let to = self.sftp.read_link(&self.method.path(path), &mut self.budget)?;
                present.links.insert(path.clone(), to);
            }
        }
        Ok(present)
    }

    fn list(&mut self, directory: &str, present: &mut Present) -> Result<(), Failure> {
        let path = self.method.path(directory);
        match self.sftp.stat(&path, &mut self.budget)? {
            Some(Kind::Directory) => {}
            Some(_) => {
                return Err(Failure::new(Status::CommandFailed, format!("{path} is not a directory")));
            }
            None => self.sftp.make_directory(&path, 0o755, &mut self.budget)?,
        }
        for entry in self.sftp.list(&path, &mut self.budget)? {
            let name =
                if directory.is_empty() { entry.name.clone() } else { format!("{directory}/{}", entry.name) };
            present.entries.insert(name, entry);
        }
        Ok(())
    }

    /// The old files that begin as ours do.
    fn ours(&mut self, old: &[String]) -> Result<Vec<String>, Failure> {
        let mut ours = Vec::new();
        for path in old {
            let begin = self.sftp.begin_of(&self.method.path(path), web::ENOUGH, &mut self.budget);
            match begin {
                Ok(begin) if payload::is_ours(path, &begin) => ours.push(path.clone()),
                Ok(_) => {}
                // One that we may not read is not ours.
                Err(failure) if failure.status == Status::CommandFailed => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(ours)
    }

    fn send(&mut self, plan: &Plan<'_>) -> Result<(), Failure> {
        if self.method.sudo && !plan.uploads.is_empty() {
            let lines = self.run(&self.method.make_staging())?;
            let made = lines.into_iter().rfind(|line| line.starts_with('/'));
            let none = || Failure::new(Status::CommandFailed, "mktemp there printed no path");
            self.staging = Some(made.ok_or_else(none)?);
        }
        for (temporary, item) in &plan.uploads {
            let path = match &self.staging {
                Some(staging) => format!("{staging}/{}", name_of(temporary)),
                None => self.method.path(temporary),
            };
            let (read, modified);
            let bytes = match &item.content {
                Content::Bytes(bytes) => {
                    modified = None;
                    bytes
                }
                Content::File { from, modified: time, .. } => {
                    modified = Some(*time);
                    read = fs::read(from).map_err(|e| {
                        Failure::new(Status::Internal, format!("cannot read {}: {e}", from.display()))
                    })?;
                    &read
                }
                Content::Link { .. } => continue,
            };
            self.sftp.create(&path, bytes, modified, &mut self.budget)?;
            log::debug!("{}: {} bytes for {}", self.deployment.target, bytes.len(), item.path);
        }
        Ok(())
    }

    /// Puts everything in its place by commands.
    fn run_all(&mut self, plan: &Plan<'_>, old: &[String]) -> Result<(), Broken> {
        let commands = plan.commands(self.method, self.staging.as_deref(), old);
        for command in &commands.prepare {
            self.run(command)?;
        }
        for command in &commands.place {
            // A command that broke off may have done a part of its steps.
            self.run(command).map_err(|failure| Broken { failure, replaced: true })?;
        }
        Ok(())
    }

    /// The same by the SFTP server alone.
    fn rename(&mut self, plan: &Plan<'_>, old: &[String]) -> Result<(), Broken> {
        for step in &plan.moves {
            if let Some(to) = &step.link_to {
                self.sftp.link(&self.method.path(&step.temporary), to, &mut self.budget)?;
            }
        }
        let mut renamer = self.session.renamer(SILENCE, &mut self.budget)?;
        let mut replaced = false;
        for step in &plan.moves {
            let (from, to) = (self.method.path(&step.temporary), self.method.path(&step.path));
            renamer.replace(&from, &to, &mut self.budget).map_err(|failure| Broken { failure, replaced })?;
            replaced = true;
        }
        for path in plan.left_over.iter().chain(old) {
            let removed = self.sftp.remove(&self.method.path(path), &mut self.budget);
            removed.map_err(|failure| Broken { failure, replaced })?;
        }
        renamer.close(&mut self.budget).map_err(|failure| Broken { failure, replaced })
    }

    /// Removes the staging directory and, after a fault, what did not come to its place, as far as the connection
    /// still works. What stays is removed by a later run.
    fn clean_up(&mut self, plan: &Plan<'_>, failed: bool) {
        self.budget.phase(CLEAN_UP, Failure::new(Status::ReadTimeout, String::new()));
        if let Some(staging) = self.staging.take() {
            let names = plan.uploads.iter().map(|(temporary, _)| name_of(temporary));
            let paths: Vec<String> = names.map(|name| format!("{staging}/{name}")).collect();
            // Empty unless something failed.
            if failed && paths.iter().any(|path| self.sftp.remove(path, &mut self.budget).is_err()) {
                return;
            }
            if self.sftp.remove_directory(&staging, &mut self.budget).is_err() {
                return;
            }
        }
        if !failed {
            return;
        }
        if self.method.sudo {
            for command in plan.clean_up(self.method) {
                if self.run_within(&command, CLEAN_UP).is_err() {
                    return;
                }
            }
        } else {
            for step in &plan.moves {
                if self.sftp.remove(&self.method.path(&step.temporary), &mut self.budget).is_err() {
                    return;
                }
            }
        }
    }
}
