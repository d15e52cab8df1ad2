//! Which certificates count where a tool speaks TLS itself: what the public roots or a file vouch for, with or without
//! the name of the host, or any at all.

use std::{path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::error::{Error, Result};

/// What a server's certificate must prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// That an authority knows it, and that it belongs to this host.
    Host,
    /// That an authority knows it.
    Authority,
    /// Nothing; TLS then keeps out only those who listen.
    Nothing,
}

/// A configuration for clients. The authorities are those of `ca` (PEM), else those that Mozilla trusts; `flag` names
/// the setting that gave the file.
///
/// # Errors
/// [`Error::Read`], and [`Error::Usage`] for a file without certificates.
pub fn client(proof: Proof, ca: Option<&Path>, flag: &str) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::usage(format!("TLS: {e}")))?;
    if proof == Proof::Host {
        return Ok(Arc::new(builder.with_root_certificates(roots(ca, flag)?).with_no_client_auth()));
    }
    let asks = proof == Proof::Authority;
    let roots = Arc::new(roots(ca.filter(|_| asks), flag)?);
    let authority = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    let authority = authority.map_err(|e| Error::usage(format!("{flag}: {e}")))?;
    let verifier = Arc::new(Lenient { authority, asks });
    Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

fn roots(ca: Option<&Path>, flag: &str) -> Result<RootCertStore> {
    let Some(path) = ca else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let pem = std::fs::read(path).map_err(Error::read(path))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(std::result::Result::ok));
    if roots.is_empty() {
        return Err(Error::usage(format!("{flag}: {} holds no certificate", path.display())));
    }
    Ok(roots)
}

/// Asks for no name, and for an authority only where it `asks`. The handshake itself must still be signed by the
/// certificate's key.
#[derive(Debug)]
struct Lenient {
    authority: Arc<WebPkiServerVerifier>,
    asks: bool,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        use rustls::Error::InvalidCertificate;
        if !self.asks {
            return Ok(ServerCertVerified::assertion());
        }
        match self.authority.verify_server_cert(certificate, between, name, ocsp, now) {
            // The name is looked at last.
            Err(InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.authority.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.authority.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authority.supported_verify_schemes()
    }
}
