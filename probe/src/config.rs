//! The configuration of a probe: one TOML file. Unknown keys are errors, caps have ceilings that no file can lift.

use crate::secret::{Secret, SecretSource};
use crate::tls::{ClientTls, ServerTls};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio_rustls::rustls::ServerConfig;
use wire::tls::Tls;

/// More servers than this are not watched by one probe.
pub const ADDRESSES_MAX: usize = 64;
/// More dataIds than this are not watched by one probe.
pub const DATA_IDS_MAX: usize = 64;
/// No configuration allows more operations a second.
pub const OPERATIONS_PER_S_CEILING: u32 = 500;
/// No configuration allows larger values.
pub const PAYLOAD_BYTES_CEILING: usize = 1_024;

/// What is wrong with a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has an unknown key or a value of the wrong type; the message names line and column.
    #[error("{path}: {message}")]
    Parse {
        /// Which.
        path: String,
        /// Where and what.
        message: String,
    },
    /// A value makes no sense.
    #[error("{path}: {key}: {why}")]
    Value {
        /// Which file.
        path: String,
        /// Which key.
        key: &'static str,
        /// Why not.
        why: String,
    },
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is watched.
    pub registry: RegistryConfig,
    /// Who watches.
    #[serde(default)]
    pub canaries: CanaryConfig,
    /// What is promised.
    #[serde(default)]
    pub objectives: Objectives,
    /// What the probe may do to the registry at most.
    #[serde(default)]
    pub caps: Caps,
    /// What is kept of violations.
    #[serde(default)]
    pub evidence: EvidenceConfig,
    /// Where metrics and incidents are served.
    #[serde(default)]
    pub http: HttpConfig,
    /// Who is told of incidents.
    #[serde(default)]
    pub webhooks: Vec<WebhookConfig>,
}

/// The registry.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Which kind it is.
    pub kind: Kind,
    /// Every server, as clients reach it: `host:port`.
    pub addresses: Vec<String>,
    /// The node under which everything of this probe lives, and which nobody else uses: `/upheaval-probe`.
    pub namespace: String,
    /// Session timeout to ask for.
    #[serde(default = "session_timeout_ms")]
    pub session_timeout_ms: u64,
    /// A registration outlives its session's last heartbeat by at most this; none: three session timeouts.
    pub lease_ms_max: Option<u64>,
    /// How the probe says who it is.
    pub auth: Option<AuthConfig>,
    /// Connections are under TLS; none: they are not.
    pub tls: Option<ClientTls>,
}

/// Kinds of registries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// ZooKeeper, 3.5 or later.
    Zookeeper,
}

/// The system's own authentication.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// `digest`, or another scheme that takes a password.
    pub scheme: String,
    /// Where `user:password` is found: `{ file = "..." }` or `{ env = "..." }`.
    pub credentials: SecretSource,
}

/// Publishers and subscribers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CanaryConfig {
    /// Names of the dataIds that canaries use, below the namespace.
    pub data_ids: Vec<String>,
    /// On each server one publisher changes its value this often.
    pub change_ms: u64,
    /// Every so many changes it takes its registration back, and registers again with the next.
    pub unpublish_every: u32,
    /// On each server one publisher and subscriber leaves and comes back this often; 0: never.
    pub reconnect_s: u64,
    /// A session proves itself alive this often.
    pub ping_ms: u64,
    /// Values are filled up to this length.
    pub payload_bytes: usize,
}

/// What is promised. Beyond it there is an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objectives {
    /// An acknowledged change is in every subscriber's view after this long.
    pub converge_ms: u64,
    /// 99 of 100 pushes come within this, over five minutes.
    pub push_p99_ms: u64,
    /// A server answers within this.
    pub answer_ms: u64,
}

/// Caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// Operations a second, all canaries together; what is due beyond it waits.
    pub operations_per_s: u32,
    /// Attempts to connect a second, all canaries together.
    pub connects_per_s: u32,
    /// A canary that cannot connect waits up to this long for its next attempt.
    pub backoff_ms_max: u64,
    /// A message of the registry that is larger is taken for garbage.
    pub push_bytes: usize,
}

/// The flight recorder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceConfig {
    /// Where it is kept; none: nothing is saved, incidents live in memory only.
    pub folder: Option<PathBuf>,
    /// So much of the past is saved with an incident.
    pub minutes: u64,
    /// The past in memory takes no more than this.
    pub memory_bytes: usize,
    /// The folder takes no more than this; the oldest incidents go first.
    pub disk_bytes: u64,
    /// So much of what follows is saved too.
    pub after_s: u64,
}

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Who asks has to know this (Bearer, or the password of Basic); required where it is not loopback.
    pub token: Option<SecretSource>,
    /// It answers under TLS; none: it does not.
    pub tls: Option<ServerTls>,
    /// How others reach it, for links in webhooks.
    pub external_url: Option<String>,
}

/// A receiver of notifications in Alertmanager's webhook format.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// `http://host:port/path` or `https://host:port/path`.
    pub url: String,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<SecretSource>,
    /// Whom to trust and who the probe is, with `https`.
    #[serde(default)]
    pub tls: Option<ClientTls>,
}

fn session_timeout_ms() -> u64 {
    6_000
}

impl Default for CanaryConfig {
    fn default() -> Self {
        CanaryConfig {
            data_ids: vec!["canary-0".into(), "canary-1".into()],
            change_ms: 1_000,
            unpublish_every: 10,
            reconnect_s: 60,
            ping_ms: 1_000,
            payload_bytes: 48,
        }
    }
}

impl Default for Objectives {
    fn default() -> Self {
        Objectives { converge_ms: 1_000, push_p99_ms: 500, answer_ms: 1_500 }
    }
}

impl Default for Caps {
    fn default() -> Self {
        Caps { operations_per_s: 50, connects_per_s: 10, backoff_ms_max: 5_000, push_bytes: 1 << 20 }
    }
}

impl Default for EvidenceConfig {
    fn default() -> Self {
        EvidenceConfig { folder: None, minutes: 3, memory_bytes: 16 << 20, disk_bytes: 256 << 20, after_s: 5 }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig { listen: SocketAddr::from(([127, 0, 0, 1], 9464)), token: None, tls: None, external_url: None }
    }
}

/// Secrets and certificates that a configuration names, read.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Of the registry.
    pub credentials: Option<Secret>,
    /// Towards the registry.
    pub registry_tls: Option<Tls>,
    /// Of the HTTP server.
    pub token: Option<Secret>,
    /// What the HTTP server shows.
    pub http_tls: Option<Arc<ServerConfig>>,
    /// Of the webhooks, in their order.
    pub webhooks: Vec<WebhookSecrets>,
}

/// What a notification needs to be delivered.
#[derive(Clone, Debug, Default)]
pub struct WebhookSecrets {
    /// What the receiver has to see.
    pub token: Option<Secret>,
    /// With `https`.
    pub tls: Option<Tls>,
}

impl Config {
    /// Reads and checks a file, and the secrets that it names.
    pub fn load(path: &Path) -> Result<(Config, Secrets), ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: name.clone(), source })?;
        let config = Config::parse(&name, &text)?;
        let secrets = config.secrets(&name)?;
        Ok((config, secrets))
    }

    /// Parses and checks a text; `name` stands for the file in messages.
    pub fn parse(name: &str, text: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| {
            // The line itself is not shown: it may hold a secret that somebody put in the wrong place.
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            ConfigError::Parse { path: name.to_owned(), message: format!("line {line}: {}", error.message()) }
        })?;
        match config.fault() {
            None => Ok(config),
            Some((key, why)) => Err(ConfigError::Value { path: name.to_owned(), key, why }),
        }
    }

    fn secrets(&self, name: &str) -> Result<Secrets, ConfigError> {
        let failed = |key| move |why| ConfigError::Value { path: name.to_owned(), key, why };
        let read = |source: &Option<SecretSource>| source.as_ref().map(SecretSource::read).transpose();
        let credentials = self.registry.auth.as_ref().map(|auth| auth.credentials.read()).transpose();
        let registry_tls = self.registry.tls.as_ref().map(ClientTls::read).transpose();
        let http_tls = self.http.tls.as_ref().map(ServerTls::read).transpose();
        let webhook = |webhook: &WebhookConfig| {
            let token = read(&webhook.token).map_err(failed("webhooks.token"))?;
            let secure = webhook.url.starts_with("https://");
            let tls = secure.then(|| webhook.tls.clone().unwrap_or_default().read()).transpose();
            Ok(WebhookSecrets { token, tls: tls.map_err(failed("webhooks.tls"))? })
        };
        Ok(Secrets {
            credentials: credentials.map_err(failed("registry.auth.credentials"))?,
            registry_tls: registry_tls.map_err(failed("registry.tls"))?,
            token: read(&self.http.token).map_err(failed("http.token"))?,
            http_tls: http_tls.map_err(failed("http.tls"))?,
            webhooks: self.webhooks.iter().map(webhook).collect::<Result<_, _>>()?,
        })
    }

    /// See [`RegistryConfig::lease_ms_max`].
    pub fn lease_ms_max(&self) -> u64 {
        self.registry.lease_ms_max.unwrap_or(self.registry.session_timeout_ms * 3)
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        self.registry.fault().or_else(|| self.canaries.fault()).or_else(|| self.numbers()).or_else(|| self.outside())
    }

    fn numbers(&self) -> Option<(&'static str, String)> {
        let bounds = [
            ("objectives.converge_ms", self.objectives.converge_ms, 10, 600_000),
            ("objectives.push_p99_ms", self.objectives.push_p99_ms, 1, 600_000),
            ("objectives.answer_ms", self.objectives.answer_ms, 10, 600_000),
            ("caps.operations_per_s", u64::from(self.caps.operations_per_s), 1, u64::from(OPERATIONS_PER_S_CEILING)),
            ("caps.connects_per_s", u64::from(self.caps.connects_per_s), 1, 100),
            ("caps.backoff_ms_max", self.caps.backoff_ms_max, 100, 600_000),
            ("caps.push_bytes", self.caps.push_bytes as u64, 4_096, 16 << 20),
            ("evidence.minutes", self.evidence.minutes, 1, 60),
            ("evidence.memory_bytes", self.evidence.memory_bytes as u64, 1 << 20, 128 << 20),
            ("evidence.disk_bytes", self.evidence.disk_bytes, 1 << 20, 1 << 40),
            ("evidence.after_s", self.evidence.after_s, 0, 60),
            ("registry.session_timeout_ms", self.registry.session_timeout_ms, 500, 600_000),
            ("registry.lease_ms_max", self.lease_ms_max(), self.registry.session_timeout_ms, 6_000_000),
            ("canaries.change_ms", self.canaries.change_ms, 50, 3_600_000),
            ("canaries.ping_ms", self.canaries.ping_ms, 100, self.registry.session_timeout_ms / 2),
            ("canaries.unpublish_every", u64::from(self.canaries.unpublish_every), 2, 1_000_000),
            ("canaries.reconnect_s", self.canaries.reconnect_s, 0, 1_000_000),
        ];
        let wrong = bounds.into_iter().find(|(_, value, min, max)| value < min || value > max);
        if let Some((key, value, min, max)) = wrong {
            return Some((key, format!("{value} is not between {min} and {max}")));
        }
        let wanted = self.registry.addresses.len() as u64
            * (1_000 / self.canaries.change_ms.max(1) + 4_000 / self.canaries.ping_ms);
        let cap = u64::from(self.caps.operations_per_s);
        (wanted > cap).then(|| {
            let why = format!(
                "{cap} are too few: the canaries want about {wanted} (change_ms and ping_ms, on every address)"
            );
            ("caps.operations_per_s", why)
        })
    }

    fn outside(&self) -> Option<(&'static str, String)> {
        if !self.http.listen.ip().is_loopback() && self.http.token.is_none() {
            let why = format!("{} is not loopback: http.token is required", self.http.listen);
            return Some(("http.listen", why));
        }
        let url = self.webhooks.iter().find(|webhook| crate::webhook::target(&webhook.url).is_none());
        url.map(|webhook| {
            ("webhooks.url", format!("{:?} is not of the form http://host:port/path (or https://)", webhook.url))
        })
    }
}

impl RegistryConfig {
    fn fault(&self) -> Option<(&'static str, String)> {
        if self.addresses.is_empty() || self.addresses.len() > ADDRESSES_MAX {
            return Some(("registry.addresses", format!("1 to {ADDRESSES_MAX} of them, not {}", self.addresses.len())));
        }
        for (at, address) in self.addresses.iter().enumerate() {
            let port =
                address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
            if !matches!(port, Some(Ok(1..))) {
                return Some(("registry.addresses", format!("{address:?} is not of the form host:port")));
            }
            if self.addresses[..at].contains(address) {
                return Some(("registry.addresses", format!("{address:?} is there twice")));
            }
        }
        namespace_fault(&self.namespace).map(|why| ("registry.namespace", format!("{:?} {why}", self.namespace)))
    }
}

fn namespace_fault(namespace: &str) -> Option<&'static str> {
    let segments: Vec<&str> = namespace.split('/').skip(1).collect();
    let plain = |segment: &str| {
        !segment.is_empty()
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !segment.starts_with('.')
    };
    if !namespace.starts_with('/') || namespace.len() > 200 || !segments.iter().all(|segment| plain(segment)) {
        return Some("is not a path of letters, digits, '-', '_' and '.', such as /upheaval-probe");
    }
    (segments.first() == Some(&"zookeeper")).then_some("belongs to ZooKeeper itself")
}

impl CanaryConfig {
    fn fault(&self) -> Option<(&'static str, String)> {
        let key = "canaries.data_ids";
        if self.data_ids.is_empty() || self.data_ids.len() > DATA_IDS_MAX {
            return Some((key, format!("1 to {DATA_IDS_MAX} of them, not {}", self.data_ids.len())));
        }
        for (at, name) in self.data_ids.iter().enumerate() {
            if name.is_empty() || name.len() > 200 {
                return Some((key, format!("{name:?}: a name has 1 to 200 bytes")));
            }
            if self.data_ids[..at].contains(name) {
                return Some((key, format!("{name:?} is there twice")));
            }
        }
        (self.payload_bytes > PAYLOAD_BYTES_CEILING)
            .then(|| ("canaries.payload_bytes", format!("{} is above {PAYLOAD_BYTES_CEILING}", self.payload_bytes)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LEAST: &str =
        "[registry]\nkind = \"zookeeper\"\naddresses = [\"127.0.0.1:2181\"]\nnamespace = \"/upheaval-probe\"\n";

    fn refused(more: &str) -> String {
        Config::parse("probe.toml", &format!("{LEAST}{more}")).unwrap_err().to_string()
    }

    #[test]
    fn the_least_is_enough() {
        let config = Config::parse("probe.toml", LEAST).unwrap();
        assert!(config.http.listen.ip().is_loopback());
        assert_eq!(config.lease_ms_max(), 18_000);
    }

    #[test]
    fn mistakes_name_their_place() {
        let unknown = refused("[canaries]\nchange = 5\n");
        assert!(unknown.contains("line 6") && unknown.contains("change"), "{unknown}");
        for (more, part) in [
            ("[http]\nlisten = \"0.0.0.0:9464\"\n", "http.token is required"),
            ("[objectives]\nconverge_ms = 0\n", "objectives.converge_ms"),
            ("[caps]\noperations_per_s = 5000\n", "not between 1 and 500"),
            ("[caps]\noperations_per_s = 2\n", "too few"),
            ("[canaries]\ndata_ids = [\"a\", \"a\"]\n", "twice"),
            ("[[webhooks]]\nurl = \"ftp://x/\"\n", "http://host:port/path"),
            ("[registry.tls]\ncertificates = \"a\"\n", "certificates"),
            ("[http]\ntoken = \"hunter2\"\n", "only its place"),
            ("[http]\ntoken = { text = \"hunter2\" }\n", "only its place"),
        ] {
            let message = refused(more);
            assert!(message.contains(part) && !message.contains("hunter2"), "{more}: {message}");
        }
    }

    /// Ten thousand damaged files: refused or taken, never a panic.
    #[test]
    fn damaged_files_are_refused_at_worst() {
        let whole = format!(
            "{LEAST}[canaries]\ndata_ids = [\"a\"]\n[http]\ntoken = {{ env = \"X\" }}\n[[webhooks]]\nurl = \"http://a:1/\"\n"
        );
        let mut state = 11u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let (mut taken, rounds) = (0, 10_000);
        for _round in 0..rounds {
            let mut bytes = whole.clone().into_bytes();
            for _change in 0..1 + draw(3) {
                let at = draw(bytes.len());
                match draw(3) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes[at] = b" \"=[]{}.:/-0aZ\n\xff"[draw(16)],
                    _ => bytes.truncate(at.max(8)),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            taken += usize::from(Config::parse("damaged", &text).is_ok());
        }
        assert!(taken > 0 && taken < rounds, "{taken} of {rounds} taken");
    }

    #[test]
    fn a_namespace_of_its_own_is_required() {
        for namespace in ["", "/", "probe", "/a//b", "/a/../b", "/zookeeper", "/zookeeper/quota", "/a b"] {
            let text = LEAST.replace("/upheaval-probe", namespace);
            let message = Config::parse("probe.toml", &text).unwrap_err().to_string();
            assert!(message.contains("registry.namespace"), "{namespace:?}: {message}");
        }
        let without: String =
            LEAST.lines().filter(|line| !line.starts_with("namespace")).map(|l| format!("{l}\n")).collect();
        assert!(Config::parse("probe.toml", &without).unwrap_err().to_string().contains("namespace"));
    }
}
