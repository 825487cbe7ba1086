//! The probe as a program against a real ZooKeeper ensemble, with a real Prometheus that has the shipped rules. Needs root, Java,
//! ZooKeeper, nftables, iproute2 and Prometheus; skipped by name where one of them is missing (an error with
//! `UPHEAVAL_REQUIRE_ALL`). `UPHEAVAL_CALM_S` is how long it stays calm first: 20 s if not given.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod ensemble;
mod outage;

use ensemble::Ensemble;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wire::zookeeper::protocol::{Code, Message, Step, children_names, children_reply};

const HTTP: &str = "127.0.0.1:9464";

/// Sends a line, reads until the end.
fn talk(address: &str, text: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(text.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn get(address: &str, path: &str) -> String {
    talk(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).unwrap_or_default()
}

struct Probe(Child);

impl Probe {
    fn start(folder: &Path, more: &str) -> Probe {
        let config = folder.join("probe.toml");
        let evidence = folder.join("evidence");
        let text = format!(
            "[registry]\nkind = \"zookeeper\"\naddresses = [\"10.99.0.1:2181\", \"10.99.0.2:2181\", \"10.99.0.3:2181\"]\n\
             namespace = \"/upheaval-probe\"\nsession_timeout_ms = 4000\n[canaries]\nchange_ms = 500\nreconnect_s = 5\n\
             [objectives]\nconverge_ms = 1500\npush_p99_ms = 1500\n[evidence]\nfolder = \"{}\"\nafter_s = 2\n{more}",
            evidence.display()
        );
        fs::write(&config, text).unwrap();
        let log = fs::File::create(folder.join("probe.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_upheaval-probe")).arg(&config).stderr(log).spawn().unwrap();
        let probe = Probe(child);
        within("the probe is ready", 30, || get(HTTP, "/readyz").starts_with("HTTP/1.1 200"));
        probe
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap();
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn within(what: &str, seconds: u64, mut test: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !test() {
        assert!(began.elapsed().as_secs() < seconds, "not within {seconds} s: {what}\n{}", get(HTTP, "/metrics"));
        std::thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

/// The value of a series.
fn metric(series: &str) -> f64 {
    let text = get(HTTP, "/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

fn opened(kind: &str) -> f64 {
    metric(&format!("upheaval_probe_incidents_total{{kind=\"{kind}\"}}"))
}

/// What the checkers said of everything that was saved, and where.
fn verdicts(folder: &Path) -> Vec<(String, Value)> {
    let places = fs::read_dir(folder.join("evidence")).unwrap().map(|entry| entry.unwrap().path().join("verdict.json"));
    let read =
        |place: PathBuf| Some((place.display().to_string(), serde_json::from_slice(&fs::read(&place).ok()?).unwrap()));
    places.filter_map(read).collect()
}

/// The newest incident's page.
fn page(kind: &str) -> String {
    let index = get(HTTP, "/");
    let link =
        index.split("href=\"").find(|part| part.starts_with("/incidents/") && part.contains(kind)).unwrap_or_default();
    get(HTTP, link.split('"').next().unwrap())
}

fn firing(alert: &str) -> bool {
    let text = get("127.0.0.1:9099", "/api/v1/alerts");
    let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
    // The answer may come in chunks; the object is what matters.
    let Some((from, to)) = body.find('{').zip(body.rfind('}')) else { return false };
    let Ok(value) = serde_json::from_str::<Value>(&body[from..=to]) else { return false };
    let alerts = value["data"]["alerts"].as_array().cloned().unwrap_or_default();
    alerts.iter().any(|one| one["labels"]["alertname"] == alert && one["state"] == "firing")
}

fn prometheus(folder: &Path) -> Probe {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/probe/rules.yml").canonicalize().unwrap();
    let text = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [\"{}\"]\n\
         scrape_configs:\n- job_name: upheaval-probe\n  static_configs: [{{ targets: [\"{HTTP}\"] }}]\n",
        rules.display()
    );
    fs::write(folder.join("prometheus.yml"), text).unwrap();
    let log = fs::File::create(folder.join("prometheus.log")).unwrap();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
        .arg("--web.listen-address=127.0.0.1:9099")
        .stderr(log)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let prometheus = Probe(child);
    within("Prometheus serves", 30, || get("127.0.0.1:9099", "/-/ready").starts_with("HTTP/1.1 200"));
    prometheus
}

/// Another client, by the wire protocol: ZooKeeper's own shell takes seconds to start.
async fn other(address: &str) -> Option<wire::zookeeper::connection::Connection> {
    use wire::zookeeper::connection::{Connection, Timing};
    let s = Duration::from_secs;
    let timing =
        Timing { session: s(4), heartbeat: s(1), read: s(3), connect: s(3), request: s(3), frame_bytes_max: 1 << 20 };
    let opened = Connection::open(address.parse().unwrap(), None, timing, Default::default(), 0, None).await;
    opened.ok().map(|(connection, _)| connection)
}

fn blocking<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn children(connection: &mut wire::zookeeper::connection::Connection, path: &str) -> Vec<String> {
    let frame = connection.call(&Message::Children { path: path.to_owned(), watch: false }).await.unwrap();
    let mut names = children_names(children_reply(frame.body()).unwrap().0).unwrap();
    names.sort();
    names
}

/// Where the probe's first dataId is.
async fn first_data_id(connection: &mut wire::zookeeper::connection::Connection) -> String {
    let mut path = "/upheaval-probe".to_owned();
    for _level in 0..2 {
        path = format!("{path}/{}", children(connection, &path).await[0]);
    }
    path
}

/// Deletes the value of the second canary of the first server, its pinned one.
fn delete_pinned(address: &str) -> String {
    blocking(async {
        let mut connection = other(address).await.unwrap();
        let path = first_data_id(&mut connection).await;
        let names = children(&mut connection, &path).await;
        let name = names.into_iter().find(|name| name.contains(".c1#")).unwrap();
        connection.call(&Message::Delete(format!("{path}/{name}"))).await.unwrap();
        connection.call(&Message::Close).await.unwrap();
        name
    })
}

/// Whether there is anything of the probe's.
fn left() -> usize {
    blocking(async {
        let Some(mut connection) = other("10.99.0.1:2181").await else { return 1 };
        let frame = connection.call(&Message::Exists("/upheaval-probe".to_owned())).await.unwrap();
        connection.call(&Message::Close).await.unwrap();
        usize::from(frame.head.code != Code::NO_NODE)
    })
}

#[test]
fn faults_of_a_real_ensemble_are_noticed_told_and_alerted() {
    let Some(mut ensemble) = Ensemble::start("faults") else { return };
    let folder = ensemble.folder.clone();
    let mut probe = Probe::start(&folder, "");
    let _prometheus = prometheus(&folder);
    let calm = std::env::var("UPHEAVAL_CALM_S").ok().and_then(|s| s.parse().ok()).unwrap_or(20);
    std::thread::sleep(Duration::from_secs(calm));
    let incidents = get(HTTP, "/metrics")
        .lines()
        .filter(|line| line.starts_with("upheaval_probe_incidents_total") && !line.ends_with(" 0"))
        .count();
    assert_eq!(incidents, 0, "a false alarm in {calm} s\n{}", get(HTTP, "/"));
    assert_eq!(metric("upheaval_probe_completeness_ratio"), 1.0);
    println!("calm for {calm} s, no incident; {} MiB", metric("upheaval_probe_resident_memory_bytes") / 1048576.0);

    // A publisher's node is deleted behind its back by another client.
    let value = delete_pinned("10.99.0.1:2181");
    let took = within("incomplete", 5, || opened("incomplete") > 0.0);
    println!("deleted: noticed in {took:?}");
    assert!(metric("upheaval_probe_missing_addresses") > 0.0);
    let took = within("the alert", 30, || firing("UpheavalProbeIncomplete"));
    println!("deleted: alert in Prometheus after {took:?}");
    within("the page tells what and why", 5, || {
        page("incomplete").contains(&value) && page("incomplete").contains("no server")
    });
    within("the story is saved", 60, || page("incomplete").contains("report.html"));
    let judged = verdicts(&folder);
    assert!(judged.iter().any(|(_, verdict)| verdict["verdict"] == "violation"), "{judged:?}");

    // One follower is cut off from the others.
    let follower = ensemble.follower();
    let name = format!("10.99.0.{follower}:2181");
    ensemble.cut(follower);
    let took = within("the cut", 5, || opened("late") + opened("silence") + opened("lost-connection") > 0.0);
    println!("cut off: noticed in {took:?}");
    let suspect = format!("upheaval_probe_suspect{{server=\"{name}\"}}");
    within("the suspect of the cut", 10, || metric(&suspect) == 1.0);
    within("a page tells of the cut", 5, || {
        ["late", "silence", "lost-connection"].iter().any(|kind| page(kind).contains(&name))
    });
    within("the alert of the cut", 30, || firing("UpheavalProbeServerUnreachable") || firing("UpheavalProbeLate"));
    ensemble.heal();
    within("it is well again", 60, || {
        metric("upheaval_probe_incidents_open{kind=\"lost-connection\"}") == 0.0 && metric(&suspect) == 0.0
    });
    std::thread::sleep(Duration::from_secs(8));

    // One is killed.
    let follower = ensemble.follower();
    let name = format!("10.99.0.{follower}:2181");
    let before = opened("lost-connection");
    ensemble.kill(follower);
    let took = within("the kill", 5, || opened("lost-connection") > before);
    println!("killed: noticed in {took:?}");
    within("the suspect of the kill", 10, || metric(&format!("upheaval_probe_suspect{{server=\"{name}\"}}")) == 1.0);
    within("the page tells where", 5, || page("lost-connection").contains(&name));
    within("the alert of the kill", 30, || firing("UpheavalProbeServerUnreachable"));
    ensemble.restart(follower);
    within("it is back", 60, || metric("upheaval_probe_incidents_open{kind=\"lost-connection\"}") == 0.0);

    // It gives everything back at its end.
    probe.signal("-TERM");
    assert_eq!(probe.0.wait().unwrap().code(), Some(0), "{}", fs::read_to_string(folder.join("probe.log")).unwrap());
    within("nothing is left", 20, || left() == 0);
}

#[test]
fn pauses_foreign_values_and_kill_9() {
    let Some(ensemble) = Ensemble::start("kill") else { return };
    let folder = ensemble.folder.clone();
    let probe = Probe::start(&folder, "");
    std::thread::sleep(Duration::from_secs(6));
    // The probe itself stands still: nobody's fault.
    probe.signal("-STOP");
    std::thread::sleep(Duration::from_millis(2_500));
    probe.signal("-CONT");
    std::thread::sleep(Duration::from_secs(6));
    assert!(metric("upheaval_probe_lag_total") >= 1.0);
    let told = |line: &&str| line.starts_with("upheaval_probe_incidents_total") && !line.ends_with(" 0");
    assert_eq!(get(HTTP, "/metrics").lines().filter(told).collect::<Vec<_>>(), [""; 0]);
    // Another client writes something hostile into a dataId.
    let hostile = "<script>alert(1)</script>".replace('/', "%2f");
    blocking(async {
        let mut connection = other("10.99.0.2:2181").await.unwrap();
        let path = first_data_id(&mut connection).await;
        let step = Step::Create { path: format!("{path}/{hostile}"), data: Vec::new(), ephemeral: true };
        connection.call(&Message::Multi(vec![step])).await.unwrap();
        within("the foreign value", 5, || opened("wrong-content") > 0.0);
        connection.call(&Message::Close).await.unwrap();
    });
    within("the page tells it", 5, || page("wrong-content").contains("&lt;script&gt;"));
    assert!(!page("wrong-content").contains("<script"));
    // kill -9: values go with their sessions, what is empty goes by itself.
    assert_eq!(left(), 1);
    probe.signal("-KILL");
    drop(probe);
    let took = within("nothing is left", 60, || left() == 0);
    println!("after kill -9 nothing was left after {took:?}");
    // A namespace that is somebody else's is refused.
    blocking(async {
        let mut connection = other("10.99.0.1:2181").await.unwrap();
        let create = |path: &str| Step::Create { path: path.to_owned(), data: Vec::new(), ephemeral: false };
        let steps = vec![create("/upheaval-probe"), create("/upheaval-probe/orders")];
        connection.call(&Message::Multi(steps)).await.unwrap();
        connection.call(&Message::Close).await.unwrap();
    });
    let refused = Command::new(env!("CARGO_BIN_EXE_upheaval-probe")).arg(folder.join("probe.toml")).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("orders"), "{said}");
    drop(ensemble);
}
