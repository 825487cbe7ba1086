//! Three real ZooKeeper nodes in network namespaces of their own, around a namespace that this test's thread lives in: everything
//! that is started from it (probe, Prometheus) is in there, too, and nothing outside is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Why the test cannot run here, if it cannot.
fn lacking() -> Option<&'static str> {
    let there = |program: &str| {
        std::env::var("PATH").unwrap_or_default().split(':').any(|folder| Path::new(folder).join(program).exists())
    };
    match () {
        () if !nix::unistd::geteuid().is_root() => Some("it needs root"),
        () if !there("java") => Some("java is not installed"),
        () if !Path::new("/usr/share/java/zookeeper.jar").exists() => Some("zookeeper is not installed"),
        () if !there("ip") || !there("nft") => Some("iproute2 or nftables is not installed"),
        () if !there("prometheus") => Some("prometheus is not installed"),
        () => None,
    }
}

pub fn sh(command: &str) {
    let output = Command::new("sh").args(["-ec", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Removes the namespaces, with the nodes in them, and the folders of such tests that were killed.
fn sweep() {
    let gone = |text: &str| text.parse::<u32>().is_ok_and(|id| !Path::new(&format!("/proc/{id}")).exists());
    let listed = Command::new("ip").args(["netns", "list"]).output().unwrap().stdout;
    for name in String::from_utf8_lossy(&listed).lines().filter_map(|line| line.split(' ').next()) {
        let owner = name.strip_prefix("upprobe").and_then(|rest| rest.split_once('-'));
        if owner.is_some_and(|(id, _)| gone(id)) {
            sh(&format!("ip netns pids {name} | xargs -r kill -9; ip netns del {name}"));
        }
    }
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix("upheaval-probe-").and_then(|rest| rest.rsplit_once('-')).is_some_and(|(_, id)| gone(id)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

pub struct Ensemble {
    pub folder: PathBuf,
    nodes: Vec<Option<Child>>,
    names: Vec<String>,
    _guard: MutexGuard<'static, ()>,
}

impl Ensemble {
    /// None, with a line that says why, where something is missing.
    pub fn start(test: &str) -> Option<Ensemble> {
        if let Some(why) = lacking() {
            assert!(std::env::var_os("UPHEAVAL_REQUIRE_ALL").is_none(), "{test}: {why}");
            println!("skipped: {test}: {why}");
            return None;
        }
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        sweep();
        let folder = std::env::temp_dir().join(format!("upheaval-probe-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // This thread only; what it starts inherits it.
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        sh("ip link set lo up; ip link add br0 type bridge; ip addr add 10.99.0.254/24 dev br0; ip link set br0 up");
        sh("echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || true");
        sh("nft 'add table bridge cut; add chain bridge cut frames { type filter hook forward priority 0; }; \
            add set bridge cut links { type ipv4_addr . ipv4_addr; }; \
            add rule bridge cut frames ip saddr . ip daddr @links drop'");
        let names: Vec<String> = (1..=3).map(|id| format!("upprobe{}-{id}", std::process::id())).collect();
        let mut ensemble = Ensemble { folder, nodes: Vec::new(), names, _guard: guard };
        for id in 1..=3 {
            let name = &ensemble.names[id - 1];
            sh(&format!(
                "ip netns add {name}; ip link add p{id} type veth peer name e0 netns {name}; ip link set p{id} master br0 up; \
                 ip -n {name} link set lo up; ip -n {name} addr add 10.99.0.{id}/24 dev e0; ip -n {name} link set e0 up"
            ));
            ensemble.nodes.push(None);
            ensemble.configure(id);
        }
        (1..=3).for_each(|id| ensemble.launch(id));
        let patience = Instant::now();
        while !(1..=3).all(|id| ensemble.says(id, "Mode:")) {
            assert!(patience.elapsed().as_secs() < 60, "the ensemble does not serve");
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(ensemble)
    }

    fn place(&self, id: usize) -> PathBuf {
        self.folder.join(format!("n{id}"))
    }

    fn configure(&self, id: usize) {
        let place = self.place(id);
        fs::create_dir_all(place.join("data")).unwrap();
        fs::write(place.join("data/myid"), id.to_string()).unwrap();
        let servers: String = (1..=3).map(|id| format!("server.{id}=10.99.0.{id}:2888:3888\n")).collect();
        let text = format!(
            "tickTime=500\ninitLimit=10\nsyncLimit=8\ndataDir={}\nclientPort=2181\nforceSync=no\n4lw.commands.whitelist=*\n\
             admin.enableServer=false\nmaxClientCnxns=0\nextendedTypesEnabled=true\n{servers}",
            place.join("data").display()
        );
        fs::write(place.join("zoo.cfg"), text).unwrap();
        fs::write(place.join("simplelogger.properties"), "org.slf4j.simpleLogger.defaultLogLevel=warn\n").unwrap();
    }

    fn launch(&mut self, id: usize) {
        let place = self.place(id);
        let log = fs::File::create(place.join("log")).unwrap();
        let classes = format!("{}:/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar", place.display());
        let child = Command::new("ip")
            .args(["netns", "exec", &self.names[id - 1], "java", "-Xmx96m", "-XX:+UseSerialGC"])
            .arg("-Dznode.container.checkIntervalMs=2000")
            .args(["-cp", &classes, "org.apache.zookeeper.server.quorum.QuorumPeerMain"])
            .arg(place.join("zoo.cfg"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.nodes[id - 1] = Some(child);
    }

    fn says(&self, id: usize, word: &str) -> bool {
        super::talk(&format!("10.99.0.{id}:2181"), "srvr").is_ok_and(|text| text.contains(word))
    }

    /// A node that follows.
    pub fn follower(&self) -> usize {
        (1..=3).find(|id| self.says(*id, "Mode: follower")).unwrap()
    }

    /// Cuts a node off from the others; clients still reach it.
    pub fn cut(&self, id: usize) {
        let others: Vec<usize> = (1..=3).filter(|other| *other != id).collect();
        for other in others {
            sh(&format!(
                "nft 'add element bridge cut links {{ 10.99.0.{id} . 10.99.0.{other}, 10.99.0.{other} . 10.99.0.{id} }}'"
            ));
        }
    }

    pub fn heal(&self) {
        sh("nft flush set bridge cut links");
    }

    pub fn kill(&mut self, id: usize) {
        if let Some(mut child) = self.nodes[id - 1].take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn restart(&mut self, id: usize) {
        self.launch(id);
    }
}

impl Drop for Ensemble {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
