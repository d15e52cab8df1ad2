//! Which certificates count: those of the roots that Mozilla trusts or of SMTP_CA_FILE, or any at all where
//! TLS is only there so that nobody listens by the way.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::Server;
use crate::error::{Error, Result};

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
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Usage`] for a file that holds no certificates.
    pub fn new(server: &Server) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let builder = || {
            let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
            builder.with_safe_default_protocol_versions().map_err(|e| Error::usage(format!("TLS: {e}")))
        };
        let any = AnyCertificate(Arc::clone(&provider));
        Ok(Trust {
            verified: Arc::new(builder()?.with_root_certificates(roots(server)?).with_no_client_auth()),
            any: Arc::new(
                builder()?.dangerous().with_custom_certificate_verifier(Arc::new(any)).with_no_client_auth(),
            ),
        })
    }
}

fn roots(server: &Server) -> Result<RootCertStore> {
    let Some(path) = &server.ca_file else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let pem = std::fs::read(path).map_err(Error::read(path))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(std::result::Result::ok));
    if roots.is_empty() {
        return Err(Error::usage(format!("SMTP_CA_FILE: {} holds no certificate", path.display())));
    }
    Ok(roots)
}

/// Accepts every certificate; the handshake itself must still be signed by its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
