//! The laboratory of one run: its hosts, the network between them, and the promise that all of it goes away again.

use super::address::{HOSTS_MAX, address};
use super::command::{IP, NFT};
use super::cut::Switch;
use super::launcher::Launcher;
use super::state::{NAMESPACE_PREFIX, Owned, State};
use super::supervisor::Supervisor;
use super::{Cut, LabError, Namespace, Process, ProcessSpec, cleanup, topology};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

/// Name of the host from which all clients connect; every lab has it.
pub const CLIENTS: &str = "clients";

const HOST_LENGTH_MAX: usize = 32;

#[derive(Debug)]
struct Host {
    address: Ipv4Addr,
    namespace: Namespace,
}

/// Hosts, each in a network namespace of its own, with a network between them that can be cut. Removed by
/// [`Lab::remove`] or when dropped, by the supervisor if this process dies, by [`super::sweep`] if both die.
#[derive(Debug)]
pub struct Lab {
    run: String,
    parts: Parts,
    /// None once it is torn down.
    owner: Option<Owner>,
}

/// What a lab is made of.
#[derive(Debug)]
struct Parts {
    key: String,
    hosts: BTreeMap<String, Host>,
    switch: Arc<Switch>,
    launcher: Launcher,
}

/// Who sees to it that everything goes away.
#[derive(Debug)]
struct Owner {
    state: State,
    supervisor: Option<Supervisor>,
}

impl Owner {
    fn tear_down(self) -> Result<(), LabError> {
        let outcome = cleanup::clean(self.state.folder());
        // The lock must be free before the supervisor looks whether anything is left for it.
        drop(self.state);
        if let Some(supervisor) = self.supervisor {
            supervisor.dismiss();
        }
        outcome
    }
}

impl Lab {
    /// Makes a lab with these hosts, plus one named [`CLIENTS`]. The run's name must be unique among live runs of this
    /// machine; what a dead run of the same name left is removed first.
    pub fn create(run: &str, hosts: &[&str]) -> Result<Lab, LabError> {
        if !nix::unistd::geteuid().is_root() {
            return Err(LabError::NotRoot);
        }
        IP.find()?;
        NFT.find()?;
        check_hosts(hosts)?;
        let state = State::create(run, cleanup::clean)?;
        let mut supervisor = None;
        let made = Supervisor::start(state.folder()).and_then(|started| {
            supervisor = started;
            Lab::build(hosts, &state)
        });
        match made {
            Ok(parts) => Ok(Lab { run: run.to_owned(), parts, owner: Some(Owner { state, supervisor }) }),
            Err(error) => {
                if let Err(left) = (Owner { state, supervisor }).tear_down() {
                    tracing::warn!(%left, "what was made before the failure could not all be removed");
                }
                Err(error)
            }
        }
    }

    fn build(hosts: &[&str], state: &State) -> Result<Parts, LabError> {
        let key = key(state);
        let names: Vec<&str> = hosts.iter().copied().chain([CLIENTS]).collect();
        let (bridge, namespaces) = make(state, &key, &names)?;
        let host = |(index, (name, namespace)): (usize, (&str, Namespace))| {
            (name.to_owned(), Host { address: address(index), namespace })
        };
        let hosts = names.into_iter().zip(namespaces).enumerate().map(host).collect();
        Ok(Parts { key, hosts, switch: Switch::new(bridge), launcher: Launcher::start()? })
    }

    /// Name of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Whether a supervisor waits to clean up if this process dies. It does if the program called
    /// [`super::supervisor::main`] first thing; programs that cannot (the harness of `cargo test`) go without, and rely
    /// on PDEATHSIG and the next sweep.
    pub fn is_supervised(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.supervisor.is_some())
    }

    /// Names of the hosts, with [`CLIENTS`].
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.parts.hosts.keys().map(String::as_str)
    }

    /// Address of a host, reachable from the other hosts only.
    pub fn address(&self, host: &str) -> Result<Ipv4Addr, LabError> {
        self.host(host).map(|host| host.address)
    }

    /// Namespace of a host, for threads that are to work there.
    pub fn namespace(&self, host: &str) -> Result<Namespace, LabError> {
        self.host(host).map(|host| host.namespace.clone())
    }

    /// Moves the calling thread to a host: its sockets belong there from now on.
    pub fn enter(&self, host: &str) -> Result<(), LabError> {
        self.host(host)?.namespace.enter()
    }

    /// Starts a process on a host. It dies with this process, whatever thread called.
    pub fn spawn(&self, host: &str, spec: &ProcessSpec) -> Result<Process, LabError> {
        let command = spec.command(&self.host(host)?.namespace)?;
        let what = || format!("starting {} on {host}", spec.program.display());
        let child = self.parts.launcher.spawn(command).map_err(LabError::io(what()))?;
        let process = Process::new(host, child);
        self.own(&Owned::Process { pid: process.pid(), start: process.start_ticks() })?;
        Ok(process)
    }

    /// Makes a folder for temporary files, readable by us alone, that is removed with the lab.
    pub fn temporary_folder(&self, name: &str) -> Result<PathBuf, LabError> {
        check_host(name, "temporary folder")?;
        let path = cleanup::temporary_folder(&self.parts.key, name);
        self.own(&Owned::Directory(path.clone()))?;
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(LabError::io(format!("making {}", path.display())))?;
        Ok(path)
    }

    /// Cuts directed links, (from, to) by name of host. Cuts may overlap. Links of a host to itself are not allowed.
    pub fn cut(&self, links: &[(&str, &str)]) -> Result<Cut, LabError> {
        let mut named = Vec::new();
        for (from, to) in links {
            if from == to {
                return Err(LabError::Name { what: "link", name: (*from).to_owned(), why: "both ends are the same" });
            }
            named.push(((*from).to_owned(), (*to).to_owned(), (self.address(from)?, self.address(to)?)));
        }
        named.sort();
        named.dedup();
        self.parts.switch.cut(named)
    }

    /// Lifts all cuts at once. They still answer what they dropped.
    pub fn heal_all(&self) -> Result<(), LabError> {
        self.parts.switch.heal_all()
    }

    /// Removes everything: processes, namespaces, temporary folders, the supervisor. What cannot be removed now is named
    /// in the error and tried again by the supervisor and by the next sweep.
    pub fn remove(mut self) -> Result<(), LabError> {
        self.owner.take().map_or(Ok(()), Owner::tear_down)
    }

    fn own(&self, thing: &Owned) -> Result<(), LabError> {
        self.owner.as_ref().map_or(Ok(()), |owner| owner.state.own(thing))
    }

    fn host(&self, name: &str) -> Result<&Host, LabError> {
        self.parts.hosts.get(name).ok_or_else(|| LabError::NoSuchHost {
            host: name.to_owned(),
            known: self.hosts().collect::<Vec<_>>().join(", "),
        })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.owner.take().map(Owner::tear_down) {
            tracing::warn!(%error, run = self.run, "not everything of the run is gone");
        }
    }
}

/// Makes and wires the namespaces; each is written down before it exists.
fn make(state: &State, key: &str, hosts: &[&str]) -> Result<(Namespace, Vec<Namespace>), LabError> {
    let name = |host: &str| format!("{NAMESPACE_PREFIX}{key}-{host}");
    let names: Vec<String> = [BRIDGE].iter().chain(hosts).map(|host| name(host)).collect();
    for name in &names {
        if super::namespace::path_of(name).exists() {
            let (what, name) = ("namespace", name.clone());
            return Err(LabError::Name { what, name, why: "there is one already that this run did not make" });
        }
    }
    names.iter().try_for_each(|name| state.own(&Owned::Namespace(name.clone())))?;
    topology::make_namespaces(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut made = names.iter().map(|name| Namespace::open(name)).collect::<Result<Vec<_>, _>>()?;
    let bridge = made.remove(0);
    topology::wire(&bridge, &made.iter().collect::<Vec<_>>())?;
    Ok((bridge, made))
}

/// Name of the namespace that holds the bridge; no host can have it.
const BRIDGE: &str = "bridge";

/// Twelve digits that no other live run has: they come from the state folder, which is locked, and this process.
fn key(state: &State) -> String {
    let own = std::process::id() as i32;
    let start = super::proc::stat(own).map_or(0, |stat| stat.start);
    let text = format!("{} {own} {start}", state.folder().display());
    // FNV-1a, folded to 48 bits.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    format!("{:012x}", (hash ^ (hash >> 48)) & 0xffff_ffff_ffff)
}

fn check_hosts(hosts: &[&str]) -> Result<(), LabError> {
    let reject = |name: &str, why| Err(LabError::Name { what: "host", name: name.to_owned(), why });
    if hosts.len() + 1 > HOSTS_MAX {
        return reject(hosts[HOSTS_MAX - 1], "a lab has room for 249 hosts");
    }
    for (index, host) in hosts.iter().enumerate() {
        check_host(host, "host")?;
        match *host {
            CLIENTS => return reject(host, "every lab has it already"),
            BRIDGE => return reject(host, "it is the name of the network between the hosts"),
            _ if hosts[..index].contains(host) => return reject(host, "it is given twice"),
            _ => {}
        }
    }
    Ok(())
}

fn check_host(name: &str, what: &'static str) -> Result<(), LabError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let why = match name {
        "" => "it is empty",
        _ if name.len() > HOST_LENGTH_MAX => "it is longer than 32 characters",
        _ if !name.chars().all(plain) => "only letters, digits and `-` are allowed",
        _ => return Ok(()),
    };
    Err(LabError::Name { what, name: name.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_checked() {
        for bad in [vec![""], vec!["a b"], vec!["../x"], vec!["clients"], vec!["bridge"], vec!["n1", "n1"]] {
            assert!(matches!(check_hosts(&bad), Err(LabError::Name { .. })), "{bad:?}");
        }
        assert!(check_hosts(&["n1", "n2", "meta-1"]).is_ok());
        assert!(check_hosts(&[]).is_ok());
        assert!(check_hosts(&vec!["n"; HOSTS_MAX]).is_err());
    }
}
