//! TLS in the configuration: whom the probe trusts, who it is, and what it shows to those who ask it.

use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::ServerConfig;
use wire::tls::{Identity, Tls, TlsError, provider};

/// What bytes go through, plain or under TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Towards a server: the registry, or a receiver of notifications.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientTls {
    /// A PEM file with the certificates that are trusted; those of the system if not given.
    pub ca: PathBuf,
    /// A PEM file with the certificate that is shown where a server asks for one.
    pub certificate: Option<PathBuf>,
    /// Its key, a PEM file.
    pub key: Option<PathBuf>,
    /// All servers are known by this name; each by the host in its address if not given.
    pub server_name: Option<String>,
}

impl Default for ClientTls {
    fn default() -> Self {
        // Where Debian, Alpine and those that come from them keep it.
        ClientTls {
            ca: PathBuf::from("/etc/ssl/certs/ca-certificates.crt"),
            certificate: None,
            key: None,
            server_name: None,
        }
    }
}

impl ClientTls {
    /// Reads the files.
    pub fn read(&self) -> Result<Tls, String> {
        let identity = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some(Identity { certificate: certificate.clone(), key: key.clone() }),
            (None, None) => None,
            _ => return Err("certificate and key belong together: one of them is missing".to_owned()),
        };
        Tls::new(&self.ca, identity.as_ref(), self.server_name.as_deref()).map_err(|error| error.to_string())
    }
}

/// Towards those who ask the probe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// A PEM file: the certificate, then those that signed it.
    pub certificate: PathBuf,
    /// Its key, a PEM file.
    pub key: PathBuf,
}

impl ServerTls {
    /// Reads the files.
    pub fn read(&self) -> Result<Arc<ServerConfig>, String> {
        let identity = Identity { certificate: self.certificate.clone(), key: self.key.clone() };
        let (chain, key) = identity.read().map_err(|error| error.to_string())?;
        let wrong = |source| TlsError::Identity { path: self.certificate.display().to_string(), source }.to_string();
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = builder.map_err(wrong)?.with_no_client_auth().with_single_cert(chain, key).map_err(wrong)?;
        Ok(Arc::new(config))
    }
}
