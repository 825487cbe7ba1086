//! Planted bugs, the scenarios that look for them, and how long that takes.

use crate::error::Error;
use systems::registry::Bug;

/// The built-in scenario in which a bug shows, and the median number of seeds until it does.
pub struct Hunt {
    /// Name of the scenario.
    pub scenario: &'static str,
    /// Median, over disjoint ranges of seeds, of the seeds that were run until the bug was found by its kind, the last
    /// one included: `UPHEAVAL_RANGES=20 cargo test --release -p upheaval --test hunts -- --nocapture`.
    pub seeds_median: u64,
}

/// Where to look for a bug.
pub fn hunt(bug: Bug) -> Hunt {
    let (scenario, seeds_median) = match bug {
        Bug::GhostFastDisconnect => ("registry-failover", 1),
        Bug::GhostIndexOverwritten => ("registry-churn", 1),
        Bug::LateCleanUp => ("registry-churn", 1),
        Bug::VersionBeforePush => ("registry-lost-pushes", 2),
        Bug::EmptyFirstFetch => ("registry-sparse", 1),
        Bug::AnyReplica => ("registry-churn", 1),
        Bug::VersionReset => ("registry-churn", 2),
        Bug::AnswersInOrder => ("registry-churn", 1),
        Bug::RepublishAppends => ("registry-churn", 1),
        Bug::TornContent => ("registry-churn", 1),
        Bug::SyncOnlyAdds => ("registry-churn", 9),
        Bug::ServeMigrating => ("registry-failover", 1),
        Bug::LeaseNotRenewed => ("registry-churn", 1),
        Bug::SnapshotsOverwrite => ("registry-churn", 1),
        Bug::VersionBySessionClock => ("registry-churn", 10),
        Bug::RequestedVersionRecorded => ("registry-lost-answers", 2),
        Bug::ClientOffNotReady => ("registry-moves", 1),
        Bug::TableComparedWithItself => ("registry-session-loss", 2),
        Bug::UnpublishAbsentRaises => ("registry-failover", 1),
        Bug::WriteBurnsOut => ("registry-reads", 13),
        Bug::TombstoneCompactedEarly => ("registry-churn", 1),
        Bug::AckBeforeWrite => ("registry-reads", 1),
        Bug::PromotedWithoutSync => ("registry-moves", 1),
        Bug::EpochNotCompared => ("registry-moves", 6),
        Bug::AnswerWithoutId => ("registry-reads", 2),
        Bug::LostUnpublish => ("registry-reads", 2),
        Bug::LeaseWithoutClock => ("r7-v6", 1),
        Bug::TwoMetaLeaders => ("registry-split", 1),
        Bug::NoRelease => ("registry-moves", 6),
        Bug::UnsubscribeTakesAll => ("registry-churn", 1),
        Bug::ScanIgnored => ("registry-lost-answers", 1),
        Bug::DigestCountsOnly => ("registry-moves", 12),
        Bug::BatchCutShort => ("registry-churn", 1),
        Bug::LostWakeUp => ("registry-churn", 1),
        Bug::ArrivalOrder => ("registry-churn", 1),
    };
    Hunt { scenario, seeds_median }
}

/// A planted bug by its name.
pub fn find(name: &str) -> Result<Bug, Error> {
    Bug::ALL.iter().copied().find(|bug| bug.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        Error::usage(format!("--bug {name}: no such bug (known: {})", known.join(", ")))
    })
}
