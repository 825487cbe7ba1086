//! Which faults this host can inject, found out by trying each mechanism where it can do no harm: in namespaces without
//! a name, which vanish with the thread that made them, and on a process of our own that sleeps.

use super::command::{BRIDGE, IP, NFT, TC, Tool};
use super::{ClockSkew, LabError, Namespace, cut};
use history::FaultKind;
use nix::sched::{CloneFlags, unshare};
use serde::Serialize;
use std::process::{Command, Stdio};
use std::time::Duration;

const PROBE_POLLS_MAX: u32 = 2000;
const PROBE_POLL: Duration = Duration::from_millis(1);

/// What this host can do about one fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// The fault; none: something that all faults on real processes need.
    pub fault: Option<FaultKind>,
    /// For people: `hosts`, `partition`, `clock step` ...
    pub name: &'static str,
    /// How it is done.
    pub mechanism: &'static str,
    /// Whether it can be done here, now.
    pub available: bool,
    /// If not: why, and what to install or to allow. If so: what is worth knowing; may be empty.
    pub note: String,
}

/// Tries what this host can do. Takes a few hundredths of a second and leaves nothing behind.
pub fn doctor() -> Vec<Capability> {
    let root = if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(LabError::NotRoot.to_string()) };
    let network = root.and_then(|()| probe_network());
    let (hosts, partition, netem) = match network {
        Ok(found) => (found.hosts, found.partition, found.netem),
        Err(why) => (Err(why.clone()), Err(why.clone()), Err(why)),
    };
    let clock = hosts.clone().and_then(|()| probe_clock());
    let signals = hosts.clone();
    let slow = Err(match netem {
        Ok(()) => "this kernel has netem, but this version does not drive it yet".to_owned(),
        Err(why) => format!("{why}; and this version would not drive it yet"),
    });
    let drift = Err("this version shifts clocks of real processes, but cannot make them drift".to_owned());
    let vdso = "private vDSO rewritten through /proc/PID/mem";
    vec![
        capability(None, "hosts", "network namespaces, veth, a bridge and its filter (ip, nft)", hosts),
        capability(Some(FaultKind::Kill), "kill", "SIGKILL", signals.clone()),
        capability(Some(FaultKind::Pause), "pause", "SIGSTOP, SIGCONT", signals),
        capability(Some(FaultKind::Partition), "partition", "nft set in the bridge's namespace", partition),
        capability(Some(FaultKind::Delay), "delay", "netem (tc)", slow.clone()),
        capability(Some(FaultKind::Loss), "loss", "netem (tc)", slow),
        capability(Some(FaultKind::ClockStep), "clock step", vdso, clock),
        capability(Some(FaultKind::ClockDrift), "clock drift", "none", drift),
    ]
    .into_iter()
    .chain(SIMULATED_ONLY.map(|(kind, name)| capability(Some(kind), name, "none", Err(NOT_DRIVEN.to_owned()))))
    .collect()
}

/// Kinds that only simulations have.
const SIMULATED_ONLY: [(FaultKind, &str); 7] = [
    (FaultKind::Slow, "slow"),
    (FaultKind::HalfDead, "half-dead"),
    (FaultKind::Duplicate, "duplicate"),
    (FaultKind::Reorder, "reorder"),
    (FaultKind::Throttle, "throttle"),
    (FaultKind::StaleTable, "stale table"),
    (FaultKind::Rebalance, "rebalance"),
];
const NOT_DRIVEN: &str = "this version does this to simulated nodes only";

/// Why this host cannot inject a kind of fault; none if it can.
pub fn why_not(kind: FaultKind) -> Option<String> {
    match doctor().into_iter().find(|capability| capability.fault == Some(kind)) {
        Some(capability) if capability.available => None,
        Some(capability) => Some(capability.note),
        None => Some("it is found by the master, never injected".to_owned()),
    }
}

fn capability(
    fault: Option<FaultKind>,
    name: &'static str,
    mechanism: &'static str,
    outcome: Result<(), String>,
) -> Capability {
    let available = outcome.is_ok();
    Capability { fault, name, mechanism, available, note: outcome.err().unwrap_or_default() }
}

/// What the network of this host can do.
struct Network {
    hosts: Result<(), String>,
    partition: Result<(), String>,
    netem: Result<(), String>,
}

/// Tries it on a thread with a network namespace of its own: the last one out takes all of it along.
fn probe_network() -> Result<Network, String> {
    let probe = || {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|error| {
            format!("network namespaces cannot be made ({error}): the kernel lacks CONFIG_NET_NS, or this container forbids it (allow CAP_SYS_ADMIN)")
        })?;
        let here = Namespace::current().map_err(|error| error.to_string())?;
        let wires = probe_hosts(&here);
        let partition = wires.clone().and_then(|()| probe_partition(&here));
        // A lab always has its table of cuts, so that without it there are no hosts either.
        let hosts = wires.and(partition.clone());
        let netem = probe_netem(&here);
        Ok(Network { hosts, partition, netem })
    };
    std::thread::scope(|scope| scope.spawn(probe).join()).unwrap_or_else(|_| Err("the probe failed".to_owned()))
}

fn probe_hosts(here: &Namespace) -> Result<(), String> {
    let says = |error: LabError| error.to_string();
    IP.find().map_err(says)?;
    BRIDGE.find().map_err(says)?;
    if let Err(error) = IP.run(Some(here), &["link", "add", "probe0", "type", "bridge"], "") {
        return Err(format!("no bridge (kernel: CONFIG_BRIDGE, `modprobe bridge`): {error}"));
    }
    let cable = ["link", "add", "probe1", "type", "veth", "peer", "name", "probe2"];
    match IP.run(Some(here), &cable, "") {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("no veth (kernel: CONFIG_VETH, `modprobe veth`): {error}")),
    }
}

fn probe_partition(here: &Namespace) -> Result<(), String> {
    NFT.find().map_err(|error| error.to_string())?;
    let line = "add element bridge upheaval cuts { 10.86.0.1 . 10.86.0.2 }\n";
    match NFT.run(Some(here), &["-f", "-"], &format!("{}{line}", cut::RULES)) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(format!("nft cannot filter bridges (kernel: CONFIG_NF_TABLES_BRIDGE, 5.7 or later): {error}"))
        }
    }
}

fn probe_netem(here: &Namespace) -> Result<(), String> {
    let says = |error: LabError| match error {
        LabError::Command { stderr, .. } => {
            format!("the kernel lacks netem (CONFIG_NET_SCH_NETEM, `modprobe sch_netem`): {stderr}")
        }
        other => other.to_string(),
    };
    let run = |tool: &Tool, args: &[&str]| tool.run(Some(here), args, "").map(drop).map_err(says);
    run(&TC, &["qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"])
}

/// Tries it on a process of our own.
fn probe_clock() -> Result<(), String> {
    let mut command = Command::new("sleep");
    command.arg("60").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("cannot start `sleep` to try it on: {error}"))?;
    // It has its vDSO when it sleeps; right after the start it may still be a copy of this program.
    let sleeps = |pid| super::proc::stat(pid).is_some_and(|stat| stat.state == 'S');
    for _ in 0..PROBE_POLLS_MAX {
        if sleeps(child.id() as i32) {
            break;
        }
        std::thread::sleep(PROBE_POLL);
    }
    let outcome = ClockSkew::apply(child.id() as i32, 1000).and_then(|mut skew| skew.restore());
    let _ = child.kill();
    let _ = child.wait();
    outcome.map_err(|error| error.to_string())
}
