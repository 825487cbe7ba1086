//! Three ZooKeeper nodes, each on a host of its own in a lab of network namespaces.

use super::ZooKeeperConfig;
use super::four_letter::{Mode, status};
use crate::world::WorldError;
use nemesis::linux::{Lab, LabError, Process, ProcessSpec};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Names of the nodes, and of their hosts.
pub const NODES: [&str; 3] = ["n1", "n2", "n3"];

const PEER_PORT: u16 = 2888;
const ELECTION_PORT: u16 = 3888;
const POLL: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_millis(1000);
const TAIL_LINES: usize = 12;

/// One node: how it is started, and its process.
#[derive(Debug)]
pub struct Server {
    /// Its name, and its host's.
    pub name: &'static str,
    /// Where clients connect.
    pub address: SocketAddr,
    /// What it wrote.
    pub log: PathBuf,
    spec: ProcessSpec,
    process: Mutex<Option<Process>>,
}

impl Server {
    /// Its process; none if it could not be started.
    pub fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines that it wrote, without those about our own questions.
    pub fn tail(&self) -> String {
        let log = self.written();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains(" command from /")).collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

/// The nodes and their lab.
#[derive(Debug)]
pub struct Ensemble {
    /// The hosts.
    pub lab: Lab,
    /// The nodes.
    pub servers: Vec<Server>,
}

impl Ensemble {
    /// Makes the lab and starts the nodes; they do not serve yet. What they write is kept in `logs`, where that is given.
    pub fn start(config: &ZooKeeperConfig, run_id: &str, logs: Option<&Path>) -> Result<Arc<Ensemble>, WorldError> {
        let java = find_java(&config.java)?;
        let class_path = class_path(&config.jars)?;
        let lab = Lab::create(run_id, &NODES).map_err(missing_or_start)?;
        let addresses = NODES.map(|name| lab.address(name).map(|ip| SocketAddr::new(ip.into(), config.client_port)));
        let mut servers = Vec::new();
        for (index, (name, address)) in NODES.into_iter().zip(addresses).enumerate() {
            let folder = lab.temporary_folder(name).map_err(missing_or_start)?;
            let log = log_file(name, &folder, logs).map_err(start_error)?;
            write_settings(config, &lab, index, &folder).map_err(start_error)?;
            let spec = start_line(config, &java, &class_path, &folder, &log);
            let address = address.map_err(missing_or_start)?;
            servers.push(Server { name, address, log, spec, process: Mutex::new(None) });
        }
        let ensemble = Ensemble { lab, servers };
        for server in &ensemble.servers {
            ensemble.launch(server).map_err(missing_or_start)?;
        }
        Ok(Arc::new(ensemble))
    }

    /// Starts the process of a node (again).
    pub fn launch(&self, server: &Server) -> Result<(), LabError> {
        let process = self.lab.spawn(server.name, &server.spec)?;
        *server.process() = Some(process);
        Ok(())
    }

    /// Waits until every node leads or follows; the version that they tell.
    pub async fn serves(&self, patience: Duration) -> Result<String, WorldError> {
        let polls = patience.as_millis() / POLL.as_millis();
        let mut version = None;
        let mut waits_for = 0;
        for _poll in 0..polls {
            while let Some(server) = self.servers.get(waits_for) {
                if let Some(ended) = self.ended(server) {
                    return Err(start_error(ended));
                }
                match status(server.address, PATIENCE).await {
                    Ok(status) if status.mode != Mode::NotServing => version = version.or(status.version),
                    _ => break,
                }
                waits_for += 1;
            }
            if waits_for == self.servers.len() {
                return Ok(version.unwrap_or_else(|| "unknown".to_owned()));
            }
            tokio::time::sleep(POLL).await;
        }
        let late = &self.servers[waits_for];
        let (name, tail) = (late.name, late.tail());
        Err(start_error(format!(
            "{name} does not serve after {} ms; the end of its log:\n{tail}",
            patience.as_millis()
        )))
    }

    /// Why a node's process is gone, if it ended by itself.
    pub fn ended(&self, server: &Server) -> Option<String> {
        let mut process = server.process();
        let status = process.as_mut()?.try_wait().ok()??;
        let (name, tail) = (server.name, server.tail());
        // Java says which kind of address was taken, not which port.
        let bind = server.written().contains("BindException");
        let port = if bind { " because a port that it needs is in use (client_port, 2888 or 3888)" } else { "" };
        Some(format!("{name} ended by itself ({status}){port}; the end of its log:\n{tail}"))
    }
}

/// The program, by path or in PATH.
/// The Java program.
pub fn find_java(java: &Path) -> Result<PathBuf, WorldError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = if java.components().count() > 1 {
        Some(java.to_path_buf()).filter(|file| file.is_file())
    } else {
        std::env::split_paths(&path).map(|folder| folder.join(java)).find(|file| file.is_file())
    };
    found.ok_or_else(|| WorldError::Missing {
        what: format!(
            "Java (`{}`) is not installed: install the package `default-jre-headless` (Debian's name), or set `java`",
            java.display()
        ),
    })
}

/// The jars that a node needs, as a class path.
pub fn class_path(jars: &Path) -> Result<String, WorldError> {
    let mut path = String::new();
    for (jar, package) in [("zookeeper.jar", "libzookeeper-java"), ("slf4j-simple.jar", "libslf4j-java")] {
        let file = jars.join(jar);
        if !file.is_file() {
            let file = file.display();
            let what = format!("{file} is missing: install the package `{package}` (Debian's name), or set `jars`");
            return Err(WorldError::Missing { what });
        }
        path.push(':');
        path.push_str(&file.to_string_lossy());
    }
    Ok(path)
}

/// Beside the run, where it outlives the node's own folder: it is evidence.
fn log_file(name: &str, folder: &Path, logs: Option<&Path>) -> Result<PathBuf, String> {
    let Some(logs) = logs else { return Ok(folder.join("log")) };
    let made = fs::create_dir_all(logs).and_then(|()| fs::canonicalize(logs));
    made.map(|logs| logs.join(format!("{name}.log"))).map_err(|error| format!("{}: {error}", logs.display()))
}

fn write_settings(config: &ZooKeeperConfig, lab: &Lab, index: usize, folder: &Path) -> Result<(), String> {
    let data = folder.join("data");
    let mut text = format!(
        "tickTime={}\ninitLimit={}\nsyncLimit={}\ndataDir={}\nclientPort={}\nmaxClientCnxns=0\n\
         minSessionTimeout={}\nmaxSessionTimeout={}\n4lw.commands.whitelist=*\nadmin.enableServer=false\n",
        config.tick_ms,
        2 * config.sync_limit,
        config.sync_limit,
        data.display(),
        config.client_port,
        config.session_timeout_ms,
        config.session_timeout_ms,
    );
    for (number, name) in NODES.iter().enumerate() {
        let ip = lab.address(name).map_err(|error| error.to_string())?;
        text.push_str(&format!("server.{}={ip}:{PEER_PORT}:{ELECTION_PORT}\n", number + 1));
    }
    let write = || {
        fs::create_dir_all(&data)?;
        fs::write(data.join("myid"), format!("{}\n", index + 1))?;
        fs::write(folder.join("zoo.cfg"), text)
    };
    write().map_err(|error| format!("writing settings to {}: {error}", folder.display()))
}

/// Debian's jar brings no logger, so one is added; its lines start with the node's own wall clock, which is how the
/// effect of a skewed clock is measured.
fn start_line(config: &ZooKeeperConfig, java: &Path, jars: &str, folder: &Path, log: &Path) -> ProcessSpec {
    ProcessSpec::new(java)
        .arg(format!("-Xmx{}m", config.heap_mib))
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.forceSync=no", "-Duser.timezone=UTC"])
        .arg("-Dorg.slf4j.simpleLogger.showDateTime=true")
        .arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS")
        .arg("-cp")
        .arg(format!("{}{jars}", folder.display()))
        .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
        .arg(folder.join("zoo.cfg"))
        .cwd(folder)
        .output(log)
}

/// A start that failed.
pub fn start_error(why: impl ToString) -> WorldError {
    WorldError::Start { system: "zookeeper".to_owned(), why: why.to_string() }
}

fn missing_or_start(error: LabError) -> WorldError {
    match error {
        LabError::NotRoot | LabError::MissingTool { .. } => WorldError::Missing { what: error.to_string() },
        other => start_error(other),
    }
}
