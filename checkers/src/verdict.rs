//! What a check says, and the evidence it gives.

use crate::suspect::Suspect;
use history::{ClientId, DataIx, Nanos, NodeIx, SnapshotId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer. Order of severity for merging: violation > error > inconclusive > pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything that was judged holds, and enough was judged.
    Pass,
    /// Something did not hold; the evidence shows it.
    Violation,
    /// Too little was seen, or a checker gave up: never a pass.
    Inconclusive,
    /// The harness failed.
    Error,
}

impl Verdict {
    /// Exit code of the program: 0 pass, 1 violation, 3 inconclusive, 4 error.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Violation => 1,
            Verdict::Inconclusive => 3,
            Verdict::Error => 4,
        }
    }

    /// The more severe of two.
    pub fn merge(self, other: Verdict) -> Verdict {
        let rank = |v: Verdict| match v {
            Verdict::Violation => 3,
            Verdict::Error => 2,
            Verdict::Inconclusive => 1,
            Verdict::Pass => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// What kind of wrong. The words are those of truth.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An element that nobody ever published, or of another dataId.
    Phantom,
    /// One publisher twice.
    Duplicate,
    /// An element that was gone for longer than the bound.
    Ghost,
    /// A publisher that was there all along is missing.
    Incomplete,
    /// A view that has not followed in time.
    Stale,
    /// Each element is explained by some instant, but no instant explains all.
    Torn,
    /// A view that goes back to an earlier state.
    Backwards,
    /// A version that falls.
    VersionFell,
    /// A change that took longer than the bound to be seen.
    Late,
    /// Not the right content after everything settled.
    WrongAtEnd,
}

/// The result of a whole check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// All checks merged.
    pub verdict: Verdict,
    /// One for each checker that was asked for.
    pub checks: Vec<CheckResult>,
    /// Why it is inconclusive or an error, in sentences.
    pub reasons: Vec<String>,
    /// The distribution of convergence times, and samples for plots.
    pub convergence: Option<Convergence>,
    /// The node that explains best what clients saw, where there is something to explain. Filled in by whoever asks
    /// [`crate::suspect::locate`]; no verdict rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<Suspect>,
}

/// The result of one checker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckResult {
    /// `convergence`, `completeness`, `ghosts`, `order`.
    pub checker: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// How many things it judged.
    pub checked: u64,
    /// What these things are: `changes`, `pushes`, ...
    pub unit: String,
    /// How many violations it found, all of them counted.
    pub violations: u64,
    /// The first few, with evidence; the earliest first.
    pub examples: Vec<Violation>,
    /// Figures by name, for people and machines: `judged_permille`, `p99_ms` ...
    pub figures: BTreeMap<String, Figure>,
    /// Why it is inconclusive.
    pub reason: Option<String>,
}

/// A figure: whole numbers where they are whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// A count or a time in the unit that the name ends with.
    Whole(i64),
    /// Anything else.
    Real(f64),
}

/// One violation with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// What kind.
    pub kind: Kind,
    /// When.
    pub time: Nanos,
    /// Whose view; none for a fresh read.
    pub client: Option<ClientId>,
    /// Which of its subscriptions.
    pub subscription: Option<u32>,
    /// Through which node.
    pub node: Option<NodeIx>,
    /// Of which dataId.
    pub data: DataIx,
    /// The content shown, if there was one.
    pub snapshot: Option<SnapshotId>,
    /// Its version.
    pub version: Option<u64>,
    /// What had to be there (publishers that were `must` all along, by value), sorted. Bounded: at most 200.
    pub expected: Vec<String>,
    /// What was shown, sorted. Bounded: at most 200.
    pub shown: Vec<String>,
    /// Of `expected`, not shown (or, where an old value was shown, the one that should have been). At most 200.
    pub missing: Vec<String>,
    /// Shown, but not allowed. At most 200.
    pub extra: Vec<String>,
    /// One sentence for people: what is wrong with it.
    pub sentence: String,
    /// What explains it, or that nothing does: `by no instant in the last 500 ms`.
    pub explained: String,
    /// Every operation of every publisher concerned, every loss of its session, in order of time. Bounded.
    pub trail: Vec<TrailEntry>,
    /// Faults active then or within the bound before (ids).
    pub faults: Vec<u32>,
    /// Role of the publisher concerned: `pinned`, `churning`, `vanished`; for fingerprints.
    pub role: String,
}

/// One step in the life of a publisher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrailEntry {
    /// When it began.
    pub time: Nanos,
    /// When it ended, for operations.
    pub end: Option<Nanos>,
    /// Which client.
    pub client: ClientId,
    /// Which registration, where it is about one.
    pub registration: Option<u32>,
    /// `publish`, `unpublish`, `lost`, `connected`, `close` ...
    pub what: String,
    /// The value, for publish.
    pub value: Option<String>,
    /// `ok`, `fail`, `info`, for operations.
    pub outcome: Option<String>,
    /// Through which node.
    pub node: Option<NodeIx>,
}

/// How long is "eventually".
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Convergence {
    /// Changes times subscribers that reached the view.
    pub samples: u64,
    /// Overtaken by a later change of the same publisher before they were seen.
    pub coalesced: u64,
    /// Never seen before the subscription or the run ended.
    pub unfinished: u64,
    /// All, in nanoseconds.
    pub all: Distribution,
    /// Those that neither began under a fault nor within recovery.
    pub calm: Distribution,
    /// By fault id: those whose change or convergence fell into the fault.
    pub under_fault: BTreeMap<u32, Distribution>,
    /// A thinned series for plots, at most some thousand, in order of time.
    pub series: Vec<Sample>,
}

/// Quantiles in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many.
    pub count: u64,
    /// Median.
    pub p50: Nanos,
    /// 90 %.
    pub p90: Nanos,
    /// 99 %.
    pub p99: Nanos,
    /// 99.9 %.
    pub p999: Nanos,
    /// The largest, exactly.
    pub max: Nanos,
    /// When the largest ended.
    pub max_at: Nanos,
}

/// One convergence time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When the change was acknowledged.
    pub at: Nanos,
    /// How long until the view showed it.
    pub took: Nanos,
}
