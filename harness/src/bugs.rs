//! Planted bugs and the scenarios that look for them.

use crate::error::Error;
use systems::registry::Bug;

/// The built-in scenario in which a bug shows within a few seeds.
pub fn scenario(bug: Bug) -> &'static str {
    match bug {
        Bug::ServeMigrating | Bug::GhostFastDisconnect => "registry-failover",
        Bug::VersionBeforePush => "registry-lost-pushes",
        Bug::EmptyFirstFetch => "registry-sparse",
        _ => "registry-churn",
    }
}

/// A planted bug by its name.
pub fn find(name: &str) -> Result<Bug, Error> {
    Bug::ALL.iter().copied().find(|bug| bug.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        Error::usage(format!("--bug {name}: no such bug (known: {})", known.join(", ")))
    })
}
