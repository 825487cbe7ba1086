//! Makes and wires the namespaces of a lab: one a host, one for the bridge between them.
//!
//! Pairs of virtual cables are made inside the bridge's namespace with their other end already in the host's, so the
//! root namespace never sees an interface. Neighbour entries are permanent: a cut then stops exactly the traffic that
//! it names, in the direction that it names, and not the address resolution of the other direction too.

use super::address::{PREFIX_LENGTH, address, hardware_address};
use super::command::{BRIDGE, IP, NFT};
use super::{LabError, Namespace, cut};
use std::fmt::Write;
use std::path::Path;

/// Makes named namespaces.
pub(crate) fn make_namespaces(names: &[&str]) -> Result<(), LabError> {
    let lines: String = names.iter().map(|name| format!("netns add {name}\n")).collect();
    IP.run(None, &["-batch", "-"], &lines).map(drop)
}

/// Connects the hosts to the bridge and gives them their addresses.
pub(crate) fn wire(bridge: &Namespace, hosts: &[&Namespace]) -> Result<(), LabError> {
    bridge.run(|| quiet(&["net/ipv6/conf/all/disable_ipv6"], "1"))??;
    // Bridged frames must not wander through the IP tables of the namespace: only our own table decides.
    let filters = ["iptables", "ip6tables", "arptables"].map(|name| format!("net/bridge/bridge-nf-call-{name}"));
    bridge.run(|| quiet(&filters, "0"))??;
    IP.run(Some(bridge), &["-batch", "-"], &bridge_lines(hosts))?;
    // A bridge that has yet to learn where a host is sends to all, and a dropped frame would count several times.
    let known = |index| format!("fdb replace {} dev port{index} master static\n", hardware_address(index));
    BRIDGE.run(Some(bridge), &["-batch", "-"], &(0..hosts.len()).map(known).collect::<String>())?;
    NFT.run(Some(bridge), &["-f", "-"], cut::RULES)?;
    for (index, host) in hosts.iter().enumerate() {
        host.run(|| quiet(&["net/ipv6/conf/all/disable_ipv6", "net/ipv6/conf/default/disable_ipv6"], "1"))??;
        IP.run(Some(host), &["-batch", "-"], &host_lines(index, hosts.len()))?;
    }
    Ok(())
}

fn bridge_lines(hosts: &[&Namespace]) -> String {
    let mut lines = String::from("link add br0 type bridge stp_state 0 mcast_snooping 0\nlink set br0 up\n");
    for (index, host) in hosts.iter().enumerate() {
        let (port, hardware, name) = (format!("port{index}"), hardware_address(index), host.name());
        let _ = writeln!(lines, "link add {port} type veth peer name eth0 address {hardware} netns {name}");
        let _ = writeln!(lines, "link set {port} master br0 up");
    }
    lines
}

fn host_lines(index: usize, hosts: usize) -> String {
    let mut lines = String::from("link set lo up\nlink set eth0 up\n");
    let _ = writeln!(lines, "addr add {}/{PREFIX_LENGTH} dev eth0", address(index));
    for other in (0..hosts).filter(|other| *other != index) {
        let (ip, hardware) = (address(other), hardware_address(other));
        let _ = writeln!(lines, "neigh add {ip} lladdr {hardware} dev eth0 nud permanent");
    }
    lines
}

/// Writes kernel settings of the calling thread's namespace. Those that this kernel does not have need no setting.
fn quiet(settings: &[impl AsRef<Path>], value: &str) -> Result<(), LabError> {
    for setting in settings {
        let path = Path::new("/proc/sys").join(setting);
        if path.exists() {
            std::fs::write(&path, value).map_err(LabError::io(format!("writing {}", path.display())))?;
        }
    }
    Ok(())
}
