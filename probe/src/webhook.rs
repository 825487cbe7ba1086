//! Notifications of incidents in the format of Alertmanager's webhooks.

use crate::config::{Config, WebhookSecrets};
use crate::incident::Incident;
use crate::tls::Stream;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A receiver has this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// So often it is tried.
const TRIES: u32 = 3;

/// Where to send: host and port to connect to, the path.
pub fn target(url: &str) -> Option<(String, String)> {
    let (rest, port) = match url.strip_prefix("https://") {
        Some(rest) => (rest, "443"),
        None => (url.strip_prefix("http://")?, "80"),
    };
    let (host, path) = rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, path.to_owned()));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let (name, port) = host.rsplit_once(':').unwrap_or((host, port));
    let sound = !name.is_empty() && !host.contains('@') && port.parse::<u16>().is_ok() && plain(host) && plain(&path);
    sound.then(|| (format!("{name}:{port}"), format!("/{path}")))
}

/// Instants as Alertmanager writes them.
pub fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

/// The body for one incident.
pub fn body(incident: &Incident, config: &Config) -> Value {
    let status = if incident.is_open() { "firing" } else { "resolved" };
    let external = config.http.external_url.clone().unwrap_or_else(|| {
        let scheme = if config.http.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", config.http.listen)
    });
    let external = external.trim_end_matches('/');
    let page = format!("{external}/incidents/{}", incident.id);
    let servers: Vec<&str> = incident.servers.iter().map(String::as_str).collect();
    let labels = json!({
        "alertname": format!("UpheavalProbe{}", incident.kind.title().replace(' ', "")),
        "kind": incident.kind.name(),
        "server": servers.join(","),
        "data_id": incident.data.clone().unwrap_or_default(),
        "suspect": incident.suspect.clone().unwrap_or_default(),
        "severity": if incident.kind.is_content() || incident.kind == crate::finding::Kind::Down { "page" } else { "ticket" },
    });
    let annotations = json!({
        "summary": incident.headline(),
        "description": incident.details.first().cloned().unwrap_or_default(),
        "suspect": incident.why,
        "page": page,
    });
    let ends = incident.closed_ms.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), rfc3339);
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{incident=\"{}\"}}", incident.id),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "upheaval-probe",
        "groupLabels": { "alertname": labels["alertname"] },
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": external,
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": rfc3339(incident.opened_ms),
            "endsAt": ends,
            "generatorURL": page,
            "fingerprint": fingerprint(&incident.id),
        }],
    })
}

/// FNV-1a, as a name of 16 digits.
fn fingerprint(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

/// Delivers, with a few attempts; the error names neither token nor body.
pub async fn deliver(url: &str, secrets: &WebhookSecrets, body: &Value) -> Result<(), String> {
    let mut why = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
        }
        match tokio::time::timeout(PATIENCE, post(url, secrets, body)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => why = error,
            Err(_) => why = format!("no answer within {} s", PATIENCE.as_secs()),
        }
    }
    Err(why)
}

async fn post(url: &str, secrets: &WebhookSecrets, body: &Value) -> Result<(), String> {
    let (host, path) = target(url).ok_or("bad address")?;
    let text = body.to_string();
    let authorization =
        secrets.token.as_ref().map(|token| format!("Authorization: Bearer {}\r\n", token.reveal())).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{authorization}Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    let tcp = TcpStream::connect(&host).await.map_err(|error| error.to_string())?;
    let mut stream: Box<dyn Stream> = match &secrets.tls {
        None => Box::new(tcp),
        Some(tls) => {
            let name = tls.name_of(&host).map_err(|error| error.to_string())?;
            Box::new(TlsConnector::from(tls.config()).connect(name, tcp).await.map_err(|error| error.to_string())?)
        }
    };
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 1_024];
    // The first line is all that matters.
    while !answer.contains(&b'\n') && answer.len() < 4_096 {
        match stream.read(&mut chunk).await.map_err(|error| error.to_string())? {
            0 => break,
            n => answer.extend_from_slice(&chunk[..n]),
        }
    }
    let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    let good = line.split(' ').nth(1).is_some_and(|code| code.starts_with('2'));
    if good { Ok(()) } else { Err(format!("it answered {}", reports::names::clean(&line))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_taken() {
        assert_eq!(target("http://a:9093/x"), Some(("a:9093".into(), "/x".into())));
        assert_eq!(target("http://a"), Some(("a:80".into(), "/".into())));
        assert_eq!(target("https://a/x"), Some(("a:443".into(), "/x".into())));
        for bad in ["ftp://a/", "http://", "http://a:x/", "http://u:p@a/", "http://a/\r\nX: y", "a:1"] {
            assert_eq!(target(bad), None, "{bad}");
        }
    }
}
