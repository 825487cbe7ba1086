//! Whether this host can run an ensemble.

use super::ZooKeeperConfig;
use super::ensemble::{class_path, find_java};

/// Why an ensemble with default settings cannot be started here, and what to install or allow.
pub fn doctor() -> Result<(), String> {
    let config = ZooKeeperConfig::default();
    find_java(&config.java).map_err(|error| error.to_string())?;
    class_path(&config.jars).map_err(|error| error.to_string())?;
    match nemesis::linux::doctor().into_iter().find(|capability| capability.fault.is_none() && !capability.available) {
        Some(hosts) => Err(hosts.note),
        None => Ok(()),
    }
}
