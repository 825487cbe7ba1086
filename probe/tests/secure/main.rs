//! The probe as a program where everything is locked: TLS towards a real ZooKeeper that asks for certificates, digest
//! authentication, TLS and a token on its own pages, notifications over https; and too many connections.
//!
//! The registry here is one ZooKeeper server on loopback; that needs Java, ZooKeeper and netty, and is skipped by name where one of
//! them is missing (an error with `UPHEAVAL_REQUIRE_ALL`). Everything else needs nothing.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "../../../wire/tests/support/authority.rs"]
mod authority;
mod server;

use authority::Authority;
use server::Server;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wire::tls::Tls;
use wire::zookeeper::connection::{Connection, Refused, Timing};
use wire::zookeeper::protocol::{Code, Message};

const CREDENTIALS: &str = "watcher:hunter2-of-the-registry";
const TOKEN: &str = "hunter2-of-the-pages";

fn blocking<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(90), work).await.expect("it stands still") })
}

struct Probe {
    child: Child,
    address: SocketAddr,
    log: std::path::PathBuf,
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Probe {
    /// Starts it and waits until it serves its pages.
    fn start(authority: &Authority, text: &str) -> Probe {
        let (config, log) = (authority.folder.join("probe.toml"), authority.folder.join("probe.log"));
        fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_upheaval-probe"));
        command.arg(&config).stderr(fs::File::create(&log).unwrap());
        let child = command.spawn().unwrap();
        let mut probe = Probe { child, address: SocketAddr::from(([127, 0, 0, 1], 1)), log };
        let began = Instant::now();
        loop {
            let text = probe.log();
            if let Some((address, _)) =
                text.split("serves ").nth(1).and_then(|rest| rest.split_once("://")?.1.split_once('/'))
            {
                probe.address = address.parse().unwrap();
                return probe;
            }
            assert!(probe.child.try_wait().unwrap().is_none() && began.elapsed().as_secs() < 30, "{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Asks it to end.
    fn end(&mut self) -> Option<i32> {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

/// Asks for a page over TLS.
async fn get(address: SocketAddr, tls: &Tls, path: &str, headers: &str) -> io::Result<String> {
    let tcp = TcpStream::connect(address).await?;
    let mut stream = TlsConnector::from(tls.config()).connect(tls.name_of("localhost:1").unwrap(), tcp).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn locked(authority: &Authority, registry: &str, more: &str) -> String {
    let (own, client) = (authority.sign("localhost"), authority.sign("probe.test"));
    let file = |name: &str, text: &str| {
        let path = authority.folder.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (credentials, token) = (file("credentials", CREDENTIALS), file("token", TOKEN));
    format!(
        "[registry]\nkind = \"zookeeper\"\naddresses = [\"{registry}\"]\nnamespace = \"/upheaval-probe\"\nsession_timeout_ms = 4000\n\
         auth = {{ scheme = \"digest\", credentials = {{ file = \"{credentials}\" }} }}\n\
         [registry.tls]\nca = \"{ca}\"\ncertificate = \"{}\"\nkey = \"{}\"\n\
         [canaries]\nchange_ms = 300\nreconnect_s = 2\n[objectives]\nconverge_ms = 3000\npush_p99_ms = 3000\nanswer_ms = 4000\n\
         [http]\nlisten = \"127.0.0.1:0\"\ntoken = {{ file = \"{token}\" }}\n\
         [http.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n{more}",
        client.certificate.display(),
        client.key.display(),
        own.certificate.display(),
        own.key.display(),
        ca = authority.ca().display(),
    )
}

/// Looks at a node as somebody who did not authenticate.
async fn stranger(registry: &str, tls: &Tls, path: &str) -> Code {
    let second = Duration::from_secs(4);
    let timing = Timing {
        session: second,
        heartbeat: second,
        read: second,
        connect: second,
        request: second,
        frame_bytes_max: 1 << 20,
    };
    let secure = Some((tls, tls.name_of(registry).unwrap()));
    let address = tokio::net::lookup_host(registry).await.unwrap().next().unwrap();
    let (mut connection, _) = Connection::open(address, secure, timing, Default::default(), 0, None).await.unwrap();
    let message = Message::Children { path: path.to_owned(), watch: false };
    let code = connection.call(&message).await.unwrap().head.code;
    let plain = Connection::open(address, None, timing, Default::default(), 0, None).await;
    assert!(matches!(plain, Err(Refused::Unknown(_))), "a plain connection is refused");
    code
}

#[test]
fn everything_is_locked_and_works() {
    let authority = Authority::new("locked");
    let Some(server) = Server::start("everything_is_locked_and_works", &authority) else { return };
    let identity = authority.sign("somebody.test");
    let tls = Tls::new(&authority.ca(), Some(&identity), None).unwrap();
    let mut probe = Probe::start(&authority, &locked(&authority, &server.address(), ""));
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let pages = blocking(async {
        let ready = async {
            while !get(probe.address, &tls, "/readyz", &bearer).await.unwrap().starts_with("HTTP/1.1 200") {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ready).await.unwrap_or_else(|_| panic!("{}", probe.log()));
        let code = stranger(&server.address(), &tls, "/upheaval-probe").await;
        assert_eq!(code, Code::NO_AUTH, "who did not authenticate sees the probe's data");
        let anybody = get(probe.address, &tls, "/metrics", "").await.unwrap();
        assert!(anybody.starts_with("HTTP/1.1 401"), "{anybody}");
        // Some changes, and a rover that left and came back.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut pages = String::new();
        for path in ["/", "/metrics"] {
            pages += &get(probe.address, &tls, path, &bearer).await.unwrap();
        }
        pages
    });
    assert_eq!(probe.end(), Some(0), "{}", probe.log());
    let incidents = pages.lines().filter(|line| line.starts_with("upheaval_probe_incidents_total"));
    assert_eq!(incidents.filter(|line| !line.ends_with(" 0")).count(), 0, "{pages}");
    assert!(pages.contains("upheaval_probe_completeness_ratio 1.0"), "{pages}");
    for secret in ["hunter2", "PRIVATE KEY"] {
        assert!(!pages.contains(secret) && !probe.log().contains(secret), "{secret} is shown");
    }
}

#[test]
fn a_registry_that_is_not_trusted_is_not_used() {
    let (authority, other) = (Authority::new("trusted"), Authority::new("untrusted"));
    let Some(server) = Server::start("a_registry_that_is_not_trusted_is_not_used", &authority) else { return };
    let text = locked(&authority, &server.address(), "");
    let text =
        text.replace(&format!("ca = \"{}\"", authority.ca().display()), &format!("ca = \"{}\"", other.ca().display()));
    let probe = Probe::start(&authority, &text);
    let tls = Tls::new(&authority.ca(), None, None).unwrap();
    blocking(async {
        let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
        // By then everything has been tried more than once; the metric of what went wrong says so.
        let metrics = async {
            loop {
                let metrics = get(probe.address, &tls, "/metrics", &bearer).await.unwrap();
                if metrics.lines().any(|line| line.contains("kind=\"down\"") && !line.ends_with(" 0")) {
                    return metrics;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let metrics = tokio::time::timeout(Duration::from_secs(15), metrics).await;
        let metrics = metrics.unwrap_or_else(|_| panic!("{}", probe.log()));
        assert!(metrics.contains("upheaval_probe_completeness_ratio NaN"), "what is not seen is not judged: {metrics}");
        let ready = get(probe.address, &tls, "/readyz", &bearer).await.unwrap();
        assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    });
}

/// Takes one notification, as a receiver with this certificate.
async fn receive(listener: &TcpListener, authority: &Authority) -> io::Result<String> {
    let identity = authority.sign("127.0.0.1");
    let config = probe::tls::ServerTls { certificate: identity.certificate, key: identity.key };
    let (tcp, _) = listener.accept().await?;
    let mut stream = TlsAcceptor::from(config.read().unwrap()).accept(tcp).await?;
    let mut text = vec![0; 4_096];
    let bytes = stream.read(&mut text).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await?;
    stream.shutdown().await?;
    Ok(String::from_utf8_lossy(&text[..bytes]).into_owned())
}

#[test]
fn notifications_go_over_https_to_whom_is_trusted() {
    let (authority, other) = (Authority::new("hook"), Authority::new("foreign-hook"));
    blocking(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/hook", listener.local_addr().unwrap());
        let secrets = |authority: &Authority| probe::config::WebhookSecrets {
            token: Some(probe::secret::Secret::new(TOKEN)),
            tls: Some(Tls::new(&authority.ca(), None, None).unwrap()),
        };
        let body = serde_json::json!({ "status": "firing" });
        let (trusted, wrong) = (secrets(&authority), secrets(&other));
        let (sent, got) = tokio::join!(probe::webhook::deliver(&url, &trusted, &body), receive(&listener, &authority));
        sent.unwrap();
        let got = got.unwrap();
        assert!(got.starts_with("POST /hook") && got.contains("firing") && got.contains(TOKEN), "{got}");
        let tries = async {
            for _try in 0..3 {
                assert!(receive(&listener, &authority).await.is_err(), "the token went to a stranger");
            }
        };
        let (sent, ()) = tokio::join!(probe::webhook::deliver(&url, &wrong, &body), tries);
        assert!(sent.unwrap_err().contains("certificate"));
    });
}

/// Whether an answer comes soon.
async fn answers(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.contains("ok")
    };
    tokio::time::timeout(Duration::from_secs(1), ask).await.unwrap_or(false)
}

#[test]
fn connections_are_counted() {
    let authority = Authority::new("counted");
    let text = "[registry]\nkind = \"zookeeper\"\naddresses = [\"127.0.0.1:1\"]\nnamespace = \"/upheaval-probe\"\n[http]\nlisten = \"127.0.0.1:0\"\n";
    let probe = Probe::start(&authority, text);
    blocking(async {
        assert!(answers(probe.address).await);
        let mut silent = Vec::new();
        for _ in 0..probe::http::CONNECTIONS_MAX {
            silent.push(TcpStream::connect(probe.address).await.unwrap());
        }
        assert!(!answers(probe.address).await, "one more than there are places");
        silent.truncate(probe::http::CONNECTIONS_MAX - 8);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(answers(probe.address).await, "places that are given back are given out again");
        let began = Instant::now();
        let mut rest = Vec::new();
        let _closed = silent[0].read_to_end(&mut rest).await;
        assert!(rest.is_empty() && began.elapsed() < Duration::from_secs(45), "who is silent is sent away");
    });
}
