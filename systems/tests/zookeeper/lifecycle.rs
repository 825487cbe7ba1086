//! Starting and stopping: clear errors, and nothing left.

use super::bench::{Bench, alone, quick, run_id, skip};
use history::FaultKind;
use nemesis::{Pick, Shape};
use std::path::PathBuf;
use systems::zookeeper::{ZooKeeperConfig, ZooKeeperWorld};
use systems::{World, WorldError};
use workloads::ClientBehaviour;

const TENTH: std::time::Duration = std::time::Duration::from_millis(100);

/// Command lines of ZooKeeper nodes, by whether this process started them.
fn nodes(own: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap_or_default();
        if line.contains("QuorumPeerMain") && (parent.trim() == std::process::id().to_string()) == own {
            lines.push(line);
        }
    }
    lines
}

/// Network namespaces, nodes and temporary folders of this process's runs. Other runs on this machine are told by
/// their nodes, whose command lines name the same key.
fn traces() -> Vec<String> {
    let others = nodes(false);
    let mut traces = nodes(true);
    for folder in ["/run/netns", "/tmp"] {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let mut parts = name.split('-');
            let (Some("uph" | "upheaval"), Some(key)) = (parts.next(), parts.next()) else { continue };
            if !others.iter().any(|line| line.contains(key)) {
                traces.push(entry.path().to_string_lossy().into_owned());
            }
        }
    }
    traces
}

/// That nothing is left beyond what was there. Another run may be in the middle of starting or ending: a second look.
fn assert_clean(before: &[String]) {
    let new = || traces().into_iter().filter(|trace| !before.contains(trace)).collect::<Vec<_>>();
    assert_eq!(nodes(true), Vec::<String>::new());
    let left = (0..100).map(|_| new()).find(|left| {
        left.is_empty() || {
            std::thread::sleep(TENTH);
            false
        }
    });
    assert_eq!(left, Some(Vec::new()), "{:?}", new());
}

fn start(config: ZooKeeperConfig, test: &str) -> Result<ZooKeeperWorld, WorldError> {
    ZooKeeperWorld::start(config, &run_id(test), None, 4, 2, ClientBehaviour::default())
}

#[test]
fn nothing_is_left_after_shutdown_not_even_in_the_middle_of_faults() {
    if skip("nothing_is_left_after_shutdown_not_even_in_the_middle_of_faults") {
        return;
    }
    let _alone = alone();
    let before = traces();
    let mut bench = Bench::start("traces", ClientBehaviour::default());
    bench.connect(0, 0);
    assert_eq!(nodes(true).len(), 3);
    assert!(traces().len() > before.len() + 3, "an ensemble leaves traces while it runs");
    bench.fault(1, FaultKind::Pause, Pick::Leader, Shape::default(), 0);
    bench.fault(2, FaultKind::Kill, Pick::Follower, Shape::default(), 0);
    bench.fault(3, FaultKind::Partition, Pick::Any, Shape::Isolate, 0);
    bench.world.shutdown();
    assert_clean(&before);
    let mut late = Vec::new();
    let until = bench.world.now();
    // After the end nothing is observed any more, and nothing panics.
    bench.world.end_fault(1);
    let _nobody = bench.world.wait(until, &mut late);
}

#[test]
fn missing_java_and_missing_jars_are_named() {
    let config = ZooKeeperConfig { java: PathBuf::from("java-of-nowhere"), ..quick() };
    let error = start(config, "java").unwrap_err();
    assert!(matches!(error, WorldError::Missing { .. }));
    assert!(error.to_string().contains("default-jre-headless"), "{error}");
    if skip("missing_java_and_missing_jars_are_named (jars)") {
        return;
    }
    let error = start(ZooKeeperConfig { jars: PathBuf::from("/nowhere"), ..quick() }, "jars").unwrap_err();
    assert!(matches!(error, WorldError::Missing { .. }));
    assert!(error.to_string().contains("libzookeeper-java"), "{error}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let error = start(ZooKeeperConfig { session_timeout_ms: 10, ..quick() }, "settings").unwrap_err();
    assert!(error.to_string().contains("session_timeout_ms"), "{error}");
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_left() {
    if skip("a_port_in_use_is_named_and_nothing_is_left") {
        return;
    }
    let _alone = alone();
    let before = traces();
    // The nodes' own port for elections: whoever comes second finds it in use.
    let error = start(ZooKeeperConfig { client_port: 3888, start_timeout_ms: 15_000, ..quick() }, "port").unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    assert_clean(&before);
}

#[test]
fn an_ensemble_that_does_not_come_up_ends_with_its_log() {
    if skip("an_ensemble_that_does_not_come_up_ends_with_its_log") {
        return;
    }
    let _alone = alone();
    let before = traces();
    let error = start(ZooKeeperConfig { start_timeout_ms: 200, ..quick() }, "late").unwrap_err();
    assert!(error.to_string().contains("does not serve after 200 ms"), "{error}");
    assert_clean(&before);
}

/// A server of nobody's run, on loopback.
struct Standalone {
    child: std::process::Child,
    folder: PathBuf,
    address: std::net::SocketAddr,
}

impl Standalone {
    fn start() -> Standalone {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let folder = std::env::temp_dir().join(run_id("standalone"));
        std::fs::create_dir_all(&folder).unwrap();
        let jars = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut java = std::process::Command::new("java");
        java.args(["-Xmx64m", "-Dzookeeper.admin.enableServer=false", "-cp", jars]);
        java.args(["org.apache.zookeeper.server.ZooKeeperServerMain", &address.port().to_string()]);
        let child = java.arg(&folder).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Standalone { child, folder, address }
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_running_ensemble_is_used_without_faults_and_left_clean() {
    if skip("a_running_ensemble_is_used_without_faults_and_left_clean") {
        return;
    }
    let _alone = alone();
    let server = Standalone::start();
    let config = ZooKeeperConfig { addresses: vec![server.address], session_timeout_ms: 8000, ..quick() };
    let run = run_id("running");
    let start = || ZooKeeperWorld::start(config.clone(), &run, None, 4, 2, ClientBehaviour::default());
    let world = (0..100).find_map(|_| start().inspect_err(|_| std::thread::sleep(TENTH)).ok()).unwrap();
    let mut bench = Bench::on(world);
    bench.connect(0, 0);
    bench.publish(0, 1, "v#1");
    assert_eq!(bench.read(0, 1), ["v#1"]);
    bench.connect(1, 0);
    bench.publish(1, 1, "vanished#1");
    bench.submit(1, systems::Request::Vanish);
    let fault = bench.fault(1, FaultKind::Kill, Pick::Any, Shape::default(), 0);
    assert_eq!(fault.stage, history::FaultStage::Missed);
    let taken = start().unwrap_err();
    assert!(taken.to_string().contains("is there already"), "{taken}");
    bench.world.shutdown();
    // A run of the same name finds nothing in its way: everything was removed.
    let mut again = start().unwrap();
    again.shutdown();
}

#[test]
fn a_running_ensemble_that_does_not_answer_is_named() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = start(ZooKeeperConfig { addresses: vec![address], ..quick() }, "nobody").unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
