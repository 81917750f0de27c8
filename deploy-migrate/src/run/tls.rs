//! How a connection is encrypted: the modes of `libpq`, on rustls.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::database::{DatabaseError, causes};

/// Whether and how a connection is encrypted.
#[derive(Clone)]
pub(super) enum Tls {
    /// `disable`.
    Off,
    /// `prefer`: encrypted if the server can, its certificate not looked at.
    Preferred(MakeRustlsConnect),
    /// `require`, `verify-ca` and `verify-full`.
    Required(MakeRustlsConnect),
}

impl Tls {
    /// As `libpq` has it: `prefer` if nothing is said, and no look at the certificate below `verify-ca`. A name that is not the
    /// certificate's is refused by `verify-ca` too.
    pub(super) fn of(mode: Option<String>, roots: Option<String>) -> Result<Self, DatabaseError> {
        let mode = mode.unwrap_or_else(|| "prefer".to_owned());
        let wrong = |why: String| DatabaseError::Certificates { mode: mode.clone(), why };
        let connect = |config| MakeRustlsConnect::new(config);
        Ok(match mode.as_str() {
            "disable" => Self::Off,
            "allow" | "prefer" => Self::Preferred(connect(unverified().map_err(wrong)?)),
            "require" => Self::Required(connect(unverified().map_err(wrong)?)),
            "verify-ca" | "verify-full" => {
                Self::Required(connect(verified(roots.as_deref().map(Path::new)).map_err(wrong)?))
            }
            other => {
                return Err(DatabaseError::Url(format!(
                    "sslmode={other} is none of disable, prefer, require, verify-ca, verify-full"
                )));
            }
        })
    }

    pub(super) const fn mode(&self) -> SslMode {
        match self {
            Self::Off => SslMode::Disable,
            Self::Preferred(_) => SslMode::Prefer,
            Self::Required(_) => SslMode::Require,
        }
    }
}

fn unverified() -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth())
}

/// By the certificates of a file, or of the machine.
fn verified(file: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            let named =
                |error: rustls::pki_types::pem::Error| format!("{}: {}", file.display(), causes(&error));
            for certificate in CertificateDer::pem_file_iter(file).map_err(named)? {
                roots
                    .add(certificate.map_err(named)?)
                    .map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err("there are none: name a file of them with sslrootcert=FILE".to_owned());
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|config| config.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| error.to_string())
}

/// `require` of `libpq`: nobody can listen, but who answers is not asked.
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
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
