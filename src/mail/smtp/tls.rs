//! Which certificates count: what the public roots or SMTP_CA_FILE vouch for, or any at all where TLS only keeps
//! out whoever listens.

use std::sync::Arc;

use rustls::ClientConfig;

use super::Server;
use crate::{
    error::Result,
    tls::{self, Proof},
};

/// What a session may begin TLS with.
#[derive(Clone)]
pub struct Trust {
    /// The certificate must hold.
    pub(super) verified: Arc<ClientConfig>,
    /// Any certificate will do.
    pub(super) any: Arc<ClientConfig>,
}

impl Trust {
    /// Reads SMTP_CA_FILE if it is set.
    pub fn new(server: &Server) -> Result<Self> {
        let ca = server.ca_file.as_deref();
        Ok(Trust {
            verified: tls::client(Proof::Host, ca, "SMTP_CA_FILE")?,
            any: tls::client(Proof::Nothing, None, "SMTP_CA_FILE")?,
        })
    }
}
