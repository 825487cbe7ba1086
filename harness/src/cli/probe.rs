//! `upheaval probe CONFIG.toml`: hands over to the probe, a crate that knows nothing of faults.

use super::{ProbeArgs, print};
use crate::error::Error;

/// Watches until it is told to stop, or for the time given.
pub fn probe(arguments: &ProbeArgs) -> Result<u8, Error> {
    let failed = |error: probe::ProbeError| match error.exit_code() {
        2 => Error::usage(error.to_string()),
        _ => Error::harness(error.to_string()),
    };
    if arguments.check {
        probe::config::Config::load(&arguments.config).map_err(|error| failed(error.into()))?;
        print(&format!("{}: sound", arguments.config.display()))?;
        return Ok(0);
    }
    probe::run(&arguments.config, arguments.duration).map_err(failed)
}
