//! One visit to a web server: connect, look, upload, change, leave. The page that is there stays whole until
//! everything is uploaded, and every file of it is then replaced by a rename.

use std::{fs, time::Duration};

use super::{
    Deployment,
    payload::{self, Piece, What},
    plan::{Manner, Plan, There},
};
use crate::{
    record::Status,
    report::web,
    ssh::{self, Algorithms, Alias, Budget, Credentials, Failure, Kind, Session, Sftp},
};

const CONNECT: Duration = Duration::from_secs(10);
const LOGIN: Duration = Duration::from_secs(30);
/// How long the server may say nothing in between.
const SILENCE: Duration = Duration::from_secs(60);
/// What is left for tidying up after a fault.
const TIDY: Duration = Duration::from_secs(10);

/// Brings the pieces there.
///
/// # Errors
/// What ended it; nothing then is half there but temporary files.
pub fn bring(deployment: &Deployment, pieces: &[Piece], manner: &Manner) -> Result<usize, Failure> {
    let total = deployment.timeout;
    let over = format!("it took more than {} s (--deploy-timeout)", total.as_secs_f64());
    let mut budget = Budget::new(&deployment.signals, total, total).in_words(over);
    let session = connect(deployment, &mut budget)?;
    let mut visit =
        Visit { deployment, sftp: session.sftp(SILENCE, &mut budget)?, session: &session, budget };
    let brought = visit.bring(pieces, manner);
    drop(visit);
    session.disconnect();
    brought
}

/// Connection, key exchange, host key, login; legacy algorithms when nothing else is in common.
fn connect(deployment: &Deployment, budget: &mut Budget) -> Result<Session, Failure> {
    let target = &deployment.target;
    let alias = ssh::alias(&target.host);
    let host = alias.host.as_deref().unwrap_or(&target.host);
    let port = deployment.port.or(alias.port).unwrap_or(22);
    let legacy_first = deployment.algorithms == Algorithms::Legacy;
    let session = match greet(deployment, host, port, legacy_first, budget) {
        Err(failure) if failure.no_common_algorithm && deployment.algorithms == Algorithms::Auto => {
            greet(deployment, host, port, true, budget)
        }
        greeted => greeted,
    }?;
    session.check_host_key(&deployment.checking, host, port)?;
    let credentials = credentials(deployment, alias)?;
    let over = format!("the login took more than {} s", LOGIN.as_secs_f64());
    budget.phase(LOGIN, Failure::new(Status::LoginTimeout, over));
    session.authenticate(&credentials, budget)?;
    Ok(session)
}

fn greet(
    deployment: &Deployment,
    host: &str,
    port: u16,
    legacy: bool,
    budget: &mut Budget,
) -> Result<Session, Failure> {
    let over = format!("no connection within {} s", CONNECT.as_secs_f64());
    budget.phase(CONNECT, Failure::transient(Status::ConnectTimeout, over));
    let stream = ssh::dial(host, port, None, budget)?;
    let over = format!("no key exchange within {} s", LOGIN.as_secs_f64());
    budget.phase(LOGIN, Failure::new(Status::KexFailed, over));
    Session::handshake(stream, &deployment.checking.key_types(host, port), legacy, budget)
}

fn credentials(deployment: &Deployment, alias: Alias) -> Result<Credentials, Failure> {
    let user = deployment.target.user.clone().or(alias.user);
    let user = user.ok_or_else(|| {
        Failure::new(Status::AuthFailed, "nothing tells the account: write USER@HOST:DIR".to_owned())
    })?;
    Ok(Credentials {
        user,
        password: None,
        identity: deployment.identity.clone().or(alias.identity),
        passphrase: deployment.passphrase.clone(),
        agent: deployment.agent,
    })
}

/// A visit after its login.
struct Visit<'a> {
    deployment: &'a Deployment,
    session: &'a Session,
    sftp: Sftp<'a>,
    budget: Budget,
}

impl Visit<'_> {
    fn bring(&mut self, pieces: &[Piece], manner: &Manner) -> Result<usize, Failure> {
        let there = self.look(pieces)?;
        let plan = Plan::new(pieces, &there, manner);
        for path in &plan.foreign {
            let path = self.path(path);
            log::warn!("{}: {path} is no link of ours, and stays as it is", self.deployment.target);
        }
        let old = self.ours(&plan.old)?;
        let done = self.upload(&plan).and_then(|()| self.change(&plan.commands(manner, &old)));
        if let Err(failure) = done {
            self.tidy(&plan);
            return Err(failure);
        }
        for path in old {
            log::info!("{}: removed {path}", self.deployment.target);
        }
        Ok(plan.uploads.len())
    }

    fn path(&self, within: &str) -> String {
        self.deployment.target.path(within)
    }

    /// What there is in the directories that the pieces come to; they are made where they are missing.
    fn look(&mut self, pieces: &[Piece]) -> Result<There, Failure> {
        let mut there = There::default();
        self.look_into("", &mut there)?;
        if pieces.iter().any(|piece| piece.path.starts_with("data/")) {
            self.look_into("data", &mut there)?;
        }
        let links = pieces.iter().filter(|piece| matches!(piece.what, What::Link { .. }));
        for path in links.map(|piece| &piece.path) {
            if there.entries.get(path).is_some_and(|entry| entry.kind == Kind::Link) {
                let to = self.sftp.read_link(&self.path(path), &mut self.budget)?;
                there.links.insert(path.clone(), to);
            }
        }
        Ok(there)
    }

    fn look_into(&mut self, directory: &str, there: &mut There) -> Result<(), Failure> {
        let path = self.path(directory);
        match self.sftp.stat(&path, &mut self.budget)? {
            Some(Kind::Directory) => {}
            Some(_) => {
                return Err(Failure::new(Status::CommandFailed, format!("{path} is no directory")));
            }
            None => self.sftp.make_directory(&path, 0o755, &mut self.budget)?,
        }
        for entry in self.sftp.list(&path, &mut self.budget)? {
            let name =
                if directory.is_empty() { entry.name.clone() } else { format!("{directory}/{}", entry.name) };
            there.entries.insert(name, entry);
        }
        Ok(())
    }

    /// Those of the old files that begin as ours do.
    fn ours(&mut self, old: &[String]) -> Result<Vec<String>, Failure> {
        let mut ours = Vec::new();
        for path in old {
            let begin = self.sftp.begin_of(&self.path(path), web::ENOUGH, &mut self.budget);
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

    fn upload(&mut self, plan: &Plan<'_>) -> Result<(), Failure> {
        for (temporary, piece) in &plan.uploads {
            let path = self.path(temporary);
            let (read, modified);
            let bytes = match &piece.what {
                What::Bytes(bytes) => {
                    modified = None;
                    bytes
                }
                What::File { from, modified: time, .. } => {
                    modified = Some(*time);
                    read = fs::read(from).map_err(|e| {
                        Failure::new(Status::Internal, format!("cannot read {}: {e}", from.display()))
                    })?;
                    &read
                }
                What::Link { .. } => continue,
            };
            self.sftp.create(&path, bytes, modified, &mut self.budget)?;
            log::debug!("{}: {} bytes for {}", self.deployment.target, bytes.len(), piece.path);
        }
        Ok(())
    }

    fn change(&mut self, commands: &[String]) -> Result<(), Failure> {
        for command in commands {
            let answer = self.session.run(command, SILENCE, &mut self.budget)?;
            if answer.status != 0 {
                let said = answer.text.lines().map(str::trim).rfind(|line| !line.is_empty());
                let said = said.unwrap_or("it said nothing");
                let error = format!("the command there ended with exit status {}: {said}", answer.status);
                return Err(Failure::new(Status::CommandFailed, error));
            }
        }
        Ok(())
    }

    /// Removes what was uploaded and did not come to its place, as far as the connection still goes.
    fn tidy(&mut self, plan: &Plan<'_>) {
        self.budget.phase(TIDY, Failure::new(Status::ReadTimeout, String::new()));
        for (temporary, _) in &plan.uploads {
            if self.sftp.remove(&self.path(temporary), &mut self.budget).is_err() {
                return;
            }
        }
    }
}
