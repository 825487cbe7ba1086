//! Addresses of the hosts of a lab. They exist only inside its namespaces, so that labs side by side may share them.

use std::net::Ipv4Addr;

/// How many hosts (with `clients`) fit.
pub(crate) const HOSTS_MAX: usize = 250;
/// Length of the network's prefix.
pub(crate) const PREFIX_LENGTH: u8 = 24;

/// Address of the host with this index.
pub(crate) fn address(index: usize) -> Ipv4Addr {
    assert!(index < HOSTS_MAX, "host {index} is beyond the network");
    Ipv4Addr::new(10, 86, 0, index as u8 + 1)
}

/// Hardware address of the host with this index: locally administered, the same in every run.
pub(crate) fn hardware_address(index: usize) -> String {
    assert!(index < HOSTS_MAX, "host {index} is beyond the network");
    format!("02:75:70:00:00:{:02x}", index + 1)
}
