//! The probe as a program where nothing is well: no registry, one that talks garbage, a full disk, signals, hostile requests and names.
//! No crash, no leak, no secret shown; and it says what it cannot know.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod support;

use history::SECOND;
use probe::config::{Config, Secrets};
use probe::http::{App, Board, router};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Bench, CONFIG};

const SCRIPT: &str = "<script>alert(1)</script>";

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("upheaval-hostile-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Started {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on.
fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn written(scratch: &Scratch, registry: SocketAddr, http: &str, more: &str) -> PathBuf {
    let path = scratch.0.join("probe.toml");
    let text = format!(
        "[registry]\nkind = \"zookeeper\"\naddresses = [\"{registry}\"]\nnamespace = \"/upheaval-probe\"\n\
         session_timeout_ms = 1500\n[canaries]\nping_ms = 500\n[caps]\npush_bytes = 65536\n\
         [http]\nlisten = \"127.0.0.1:0\"\n{http}\n{more}"
    );
    fs::write(&path, text).unwrap();
    path
}

fn start(scratch: &Scratch, mut command: Command, config: &PathBuf) -> Started {
    let log = scratch.0.join("log");
    let child = command.arg(config).stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    let mut started = Started { child, address: nowhere(), log };
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(&started.log).unwrap();
        if let Some(rest) = text.split("http://").nth(1)
            && let Some((address, _)) = rest.split_once('/')
        {
            started.address = address.parse().unwrap();
            return started;
        }
        assert!(began.elapsed().as_secs() < 30, "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_upheaval-probe"))
}

fn ask(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

impl Started {
    fn get(&self, path: &str) -> String {
        ask(self.address, path, "")
    }

    fn within(&self, what: &str, seconds: u64, test: impl Fn(&Started) -> bool) {
        let began = Instant::now();
        while !test(self) {
            let log = fs::read_to_string(&self.log).unwrap();
            assert!(began.elapsed().as_secs() < seconds, "{what}\n{}\n{log}", self.get("/metrics"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn has(&self, line: &str) -> bool {
        self.get("/metrics").lines().any(|found| found == line)
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
    }

    fn resident(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
    }
}

const DOWN_OPEN: &str = "upheaval_probe_incidents_open{kind=\"down\"} 1";

#[test]
fn without_a_registry_it_says_what_it_cannot_know_and_a_restart_counts_nothing_twice() {
    let scratch = Scratch::new("down");
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!(
        "[evidence]\nfolder = \"{}\"\nafter_s = 0\n[[webhooks]]\nurl = \"http://{}/hook\"\n",
        scratch.0.join("evidence").display(),
        hook.local_addr().unwrap()
    );
    let config = written(&scratch, nowhere(), "", &more);
    let probe = start(&scratch, program(), &config);
    assert!(probe.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(probe.get("/readyz").starts_with("HTTP/1.1 503"));
    probe.within("down", 20, |probe| probe.has(DOWN_OPEN));
    assert!(probe.has("upheaval_probe_incidents_total{kind=\"down\"} 1"));
    assert!(probe.has("upheaval_probe_completeness_ratio NaN"), "unknown is not wrong");
    assert!(probe.has("upheaval_probe_judged_ratio 0.0"), "{}", probe.get("/metrics"));
    let page = probe.get("/");
    assert!(page.contains("Registry unavailable") && page.contains("is unknown"), "{page}");
    // The webhook has Alertmanager's form.
    let (mut stream, _) = hook.accept().unwrap();
    let mut text = vec![0; 64 << 10];
    let n = stream.read(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text[..n]).into_owned();
    let body: serde_json::Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!((&body["version"], &body["status"]), (&"4".into(), &"firing".into()), "{body}");
    assert!(body["alerts"][0]["startsAt"].as_str().unwrap().ends_with('Z'), "{body}");
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    probe.within("the evidence is saved", 20, |probe| probe.get("/").contains("/incidents/"));
    // One look at a server that is not there, and at one that is not ours to look at.
    let target = fs::read_to_string(&config)
        .unwrap()
        .split("addresses = [\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert!(probe.get(&format!("/probe?target={target}")).contains("probe_success 0"));
    assert!(probe.get("/probe?target=169.254.169.254:80").starts_with("HTTP/1.1 400"));
    probe.signal("-KILL");
    drop(probe);
    let probe = start(&scratch, program(), &config);
    std::thread::sleep(Duration::from_secs(10));
    assert!(probe.has(DOWN_OPEN));
    assert!(probe.has("upheaval_probe_incidents_total{kind=\"down\"} 0"), "the same incident goes on");
    // A configuration that is wrong changes nothing; one that is right does.
    fs::write(scratch.0.join("probe.toml"), "nonsense").unwrap();
    probe.signal("-HUP");
    probe.within("refused", 5, |probe| probe.has("upheaval_probe_config_reload_ok 0"));
    written(&scratch, target.parse().unwrap(), "", &more);
    probe.signal("-HUP");
    probe.within("taken", 5, |probe| probe.has("upheaval_probe_config_reload_ok 1"));
    probe.signal("-TERM");
    let mut probe = probe;
    assert_eq!(probe.child.wait().unwrap().code(), Some(0));
}

#[test]
fn garbage_and_silence_are_survived_in_little_memory() {
    for (name, answer) in [("noise", 0), ("huge", 1), ("silent", 2), ("drip", 3)] {
        let scratch = Scratch::new(name);
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = written(&scratch, server.local_addr().unwrap(), "", "");
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let Ok(mut stream) = stream else { return };
                std::thread::spawn(move || {
                    let noise: Vec<u8> = (0..1u32 << 16).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
                    match answer {
                        0 => drop(stream.write_all(&noise)),
                        // A length just below the cap, and then for ever nothing but zeros.
                        1 => {
                            let _ = stream.write_all(&65_000u32.to_be_bytes());
                            while stream.write_all(&[0; 1 << 16]).is_ok() {}
                        }
                        2 => std::thread::sleep(Duration::from_secs(60)),
                        _ => {
                            for byte in noise {
                                let _ = stream.write_all(&[byte]);
                                std::thread::sleep(Duration::from_millis(200));
                            }
                        }
                    }
                });
            }
        });
        let mut probe = start(&scratch, program(), &config);
        probe.within(name, 25, |probe| probe.has(DOWN_OPEN));
        assert!(probe.resident() < 64 << 20, "{name}: {} bytes", probe.resident());
        probe.signal("-TERM");
        assert_eq!(probe.child.wait().unwrap().code(), Some(0), "{name}: {}", fs::read_to_string(&probe.log).unwrap());
    }
}

#[test]
fn a_full_disk_stops_nothing() {
    let test = "a_full_disk_stops_nothing";
    if !nix::unistd::geteuid().is_root() {
        assert!(std::env::var_os("UPHEAVAL_REQUIRE_ALL").is_none(), "{test}: it needs root");
        return println!("skipped: {test}: it needs root");
    }
    let scratch = Scratch::new("full");
    let folder = scratch.0.join("evidence");
    fs::create_dir_all(&folder).unwrap();
    let more = format!("[evidence]\nfolder = \"{}\"\nafter_s = 0\n", folder.display());
    let config = written(&scratch, nowhere(), "", &more);
    // A file system of 16 KiB, in a mount namespace of its own.
    let mut small = Command::new("unshare");
    let line = format!("mount -t tmpfs -o size=16k none {} && exec \"$@\"", folder.display());
    small.args(["-m", "sh", "-c", &line, "sh", env!("CARGO_BIN_EXE_upheaval-probe")]);
    let mut probe = start(&scratch, small, &config);
    probe.within("it is counted", 30, |probe| !probe.has("upheaval_probe_evidence_errors_total 0"));
    probe.within("it is said", 5, |probe| probe.get("/").contains("Evidence cannot be saved"));
    probe.within("it goes on", 15, |probe| probe.has(DOWN_OPEN));
    assert!(probe.get("/healthz").starts_with("HTTP/1.1 200"));
    probe.signal("-TERM");
    assert_eq!(probe.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_token_is_asked_for_and_never_shown() {
    let scratch = Scratch::new("token");
    let (token, credentials) = ("tok-3f9ad2", "user:pa55-7c1e");
    fs::write(scratch.0.join("token"), format!("{token}\n")).unwrap();
    let http = format!("token = {{ file = \"{}\" }}", scratch.0.join("token").display());
    let config = written(
        &scratch,
        nowhere(),
        &http,
        "[registry.auth]\nscheme = \"digest\"\ncredentials = { env = \"PROBE_TEST_SECRET\" }\n",
    );
    let mut command = program();
    command.env("PROBE_TEST_SECRET", credentials).env("UPHEAVAL_LOG", "trace");
    let probe = start(&scratch, command, &config);
    std::thread::sleep(Duration::from_secs(9));
    for path in ["/", "/metrics", "/readyz", "/probe", "/incidents/x"] {
        for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Bearer \r\n"] {
            assert!(ask(probe.address, path, headers).starts_with("HTTP/1.1 401"), "{path} {headers}");
        }
    }
    let known = format!("Authorization: Bearer {token}\r\n");
    let index = ask(probe.address, "/", &known);
    assert!(index.starts_with("HTTP/1.1 200") && index.contains("Registry unavailable"), "{index}");
    let all = [index, ask(probe.address, "/metrics", &known), fs::read_to_string(&probe.log).unwrap()].concat();
    for secret in [token, credentials, "pa55-7c1e"] {
        assert!(!all.contains(secret), "{secret} is shown");
    }
}

#[test]
fn names_and_values_become_no_tags_and_requests_leave_no_folder() {
    let text = format!("{CONFIG}[evidence]\nfolder = \"/nonexistent\"\n")
        .replace("[canaries]\n", &format!("[canaries]\ndata_ids = [\"{SCRIPT}\", \"../../etc\"]\n"));
    let mut bench = Bench::new(&text);
    bench.run(60 * SECOND);
    bench.registry.extra.push((0, format!("\"'>{SCRIPT}\u{202e}\u{1b}[2J")));
    bench.registry.touch();
    bench.run(63 * SECOND);
    let incident = bench.engine.book().all().next().unwrap().clone();
    let names = probe::engine::NameTable(bench.engine.config());
    let story = probe::story::tell(&incident, &names, bench.engine.flight().records());
    assert!(!story.is_empty());
    let config = Config::parse("test", &text).unwrap();
    let app = Arc::new(App::new(bench.engine.figures.clone(), config, Secrets::default()));
    app.show(Board {
        status: bench.engine.status(),
        incidents: vec![incident.clone()],
        stories: [(incident.id.clone(), story.clone())].into(),
        now_ms: 0,
        troubles: vec![SCRIPT.to_owned()],
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let address = runtime.block_on(async {
        let gate = probe::http::Gate::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let address = gate.address();
        tokio::spawn(async move { axum::serve(gate, router(app)).await });
        address
    });
    let page = format!("/incidents/{}", incident.id);
    for path in ["/", page.as_str(), "/metrics"] {
        let text = ask(address, path, "");
        assert!(text.starts_with("HTTP/1.1 200"), "{path}: {text}");
        assert!(path == "/metrics" || text.contains("&lt;script&gt;"), "{path} does not show it at all\n{text}");
        assert!(!text.contains("<script") && !text.contains(['\u{202e}', '\u{1b}']), "{path}: {text}");
        assert!(text.contains("content-security-policy: default-src 'none'"), "{path}: {text}");
    }
    let body = probe::webhook::body(&incident, bench.engine.config()).to_string();
    assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
    for path in [
        "/incidents/..%2f..%2fetc%2fpasswd",
        "/incidents/../../etc/passwd",
        "/incidents/%2e%2e",
        &format!("{page}/..%2f..%2f..%2fetc%2fpasswd"),
        &format!("{page}/%2e%2e%2fincidents.json"),
        &format!("{page}/lock"),
        &format!("{page}/report.html%00"),
        "/incidents//etc/passwd",
        "/%ff%fe",
    ] {
        let text = ask(address, path, "");
        let code = text.split(' ').nth(1).unwrap_or_default();
        assert!(code == "404" || code == "400", "{path}: {text}");
    }
    // Noise instead of requests, and requests that never end.
    let mut held = Vec::new();
    for round in 0..300u32 {
        let mut stream = TcpStream::connect(address).unwrap();
        let noise: Vec<u8> =
            (0..200 + round).map(|n| (n.wrapping_mul(2_654_435_761).wrapping_add(round * 97) >> 21) as u8).collect();
        let _ = stream.write_all(if round % 3 == 0 { b"GET / HTTP/1.1\r\nX: " } else { b"" });
        let _ = stream.write_all(&noise);
        held.push(stream);
    }
    for path in ["/probe?target=%3Cscript%3E", "/probe?module=<script>&target=n1:2181", "/?x=<script>"] {
        assert!(!ask(address, path, "").contains("<script"), "{path}");
    }
}

#[test]
fn a_clock_that_jumps_changes_nothing_but_what_is_shown() {
    let mut bench = Bench::new(CONFIG);
    bench.run(60 * SECOND);
    for wall_ms in [-1, 0, i64::MAX / 4, i64::MIN / 4, 1_760_000_000_000] {
        let now = bench.registry.now;
        for call in bench.engine.act(now, wall_ms) {
            bench.registry.ask(call);
        }
        bench.run(now + SECOND);
    }
    assert_eq!(bench.incidents(), [""; 0]);
    bench.registry.delete_behind_its_back(5);
    let now = bench.registry.now;
    bench.run(now + SECOND);
    assert!(!bench.incidents().is_empty());
    for wall_ms in [i64::MAX, i64::MIN, 0] {
        assert!(!probe::webhook::rfc3339(wall_ms).is_empty());
    }
}

#[test]
fn mistakes_are_exit_code_2_and_the_host_is_4() {
    let scratch = Scratch::new("exit");
    let run = |config: &PathBuf| {
        let output = program().arg(config).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&scratch.0.join("missing.toml"));
    assert!(code == Some(2) && said.contains("missing.toml"), "{said}");
    let config = written(&scratch, nowhere(), "colour = 1", "");
    let (code, said) = run(&config);
    assert!(code == Some(2) && said.contains("line 12") && said.contains("colour"), "{said}");
    let used = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = written(&scratch, nowhere(), "", "");
    let text = fs::read_to_string(&config).unwrap().replace("127.0.0.1:0", &used.local_addr().unwrap().to_string());
    fs::write(&config, text).unwrap();
    let (code, said) = run(&config);
    assert!(code == Some(4) && said.contains("http.listen"), "{said}");
}
