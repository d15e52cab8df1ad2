//! The connection to a web server: host, port and account by flag or OpenSSH configuration, key exchange, host
//! key, login.

use std::time::Duration;

use super::Deployment;
use crate::{
    record::Status,
    ssh::{self, Algorithms, Alias, Budget, Credentials, Failure, Session},
};

const CONNECT: Duration = Duration::from_secs(10);
const LOGIN: Duration = Duration::from_secs(30);

/// Connects and logs in; with legacy algorithms when nothing else is in common.
pub fn connect(deployment: &Deployment, budget: &mut Budget) -> Result<Session, Failure> {
    let target = &deployment.target;
    let alias = ssh::alias(&target.host);
    let host = alias.host.as_deref().unwrap_or(&target.host);
    let port = deployment.port.or(alias.port).unwrap_or(22);
    let legacy_first = deployment.algorithms == Algorithms::Legacy;
    let session = match exchange_keys(deployment, host, port, legacy_first, budget) {
        Err(failure) if failure.no_common_algorithm && deployment.algorithms == Algorithms::Auto => {
            exchange_keys(deployment, host, port, true, budget)
        }
        result => result,
    }?;
    session.check_host_key(&deployment.checking, host, port)?;
    let credentials = credentials(deployment, alias)?;
    let over = format!("the login took more than {} s", LOGIN.as_secs_f64());
    budget.phase(LOGIN, Failure::new(Status::LoginTimeout, over));
    session.authenticate(&credentials, budget)?;
    Ok(session)
}

fn exchange_keys(
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
        Failure::new(Status::AuthFailed, "no account is known: write USER@HOST:DIR".to_owned())
    })?;
    Ok(Credentials {
        user,
        password: None,
        identity: deployment.identity.clone().or(alias.identity),
        passphrase: deployment.passphrase.clone(),
        agent: deployment.agent,
    })
}
