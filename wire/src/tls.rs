//! What a client needs for TLS: whom it trusts, who it is, and by which name the server is known.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is wrong with the files of a TLS configuration; says which file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of the kind that is looked for.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// The certificate and the key do not belong together, or are of a kind that is not known.
    #[error("{path}: {source}")]
    Identity {
        /// The certificate.
        path: String,
        /// Why.
        source: rustls::Error,
    },
    /// No server can have this name.
    #[error("{0:?} is neither a host's name nor an address")]
    Name(String),
    /// The protocol's own words.
    #[error("{0}")]
    Protocol(#[from] rustls::Error),
}

/// A certificate with its chain, and its key: PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, then those that signed it.
    pub certificate: PathBuf,
    /// The private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// What a client brings to every connection.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

impl Tls {
    /// Trusts the certificates of this PEM file, and shows this identity where a server asks for one. Servers are known by the
    /// host's name of their address, or all by `name`.
    pub fn new(ca: &Path, identity: Option<&Identity>, name: Option<&str>) -> Result<Tls, TlsError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(ca)? {
            roots.add(root).map_err(|error| file_error(ca, &error))?;
        }
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = identity.read()?;
                let wrong = |source| TlsError::Identity { path: identity.certificate.display().to_string(), source };
                builder.with_client_auth_cert(chain, key).map_err(wrong)?
            }
        };
        Ok(Tls { config: Arc::new(config), name: name.map(server_name).transpose()? })
    }

    /// The configuration, for whoever speaks TLS in another way than [`crate::stream::Stream`].
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }

    /// The name by which the server behind `host:port` is known.
    pub fn name_of(&self, address: &str) -> Result<ServerName<'static>, TlsError> {
        let host = address.rsplit_once(':').map_or(address, |(host, _port)| host);
        self.name.clone().map_or_else(|| server_name(host.trim_matches(['[', ']'])), Ok)
    }
}

impl Identity {
    /// Reads both files.
    pub fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| file_error(&self.key, &error))?;
        Ok((certificates(&self.certificate)?, key))
    }
}

/// The cryptography that is used everywhere.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| file_error(path, &error))?;
    if found.is_empty() { Err(file_error(path, &"there is no certificate in it")) } else { Ok(found) }
}

fn file_error(path: &Path, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::File { path: path.display().to_string(), why: why.to_string() }
}
