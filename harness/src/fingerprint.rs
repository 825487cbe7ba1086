//! What kind of failure a run shows: coarse, so that the runs of one bug share one or two fingerprints, and so that a
//! failure keeps its fingerprint while its plan shrinks.
//!
//! It is taken from the earliest violation and has two parts: `ghost/calm`.
//! - **symptom**: what is wrong with what was shown. Not the kind of violation itself: whether something that should be gone
//!   is noticed as a ghost, a torn push or a stale view is a matter of which push came next, and changes from seed to seed
//!   (one planted bug shows up to five kinds first). That it is *there although it should be gone* does not change.
//! - **condition**: whether a fault bore on it. Not which: what happened to be broken at the time says little, and several
//!   kinds of fault open the way to the same bug. Shrinking finds out which of them matters.
//!
//! Neither dataId, client, node nor time is part of it, and never the name of a planted bug.

use checkers::{Kind, Report, Violation};
pub use reports::story::earliest as first;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is wrong with what was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Symptom {
    /// Something that nobody ever published there.
    Phantom,
    /// One publisher twice.
    Duplicate,
    /// An earlier state again, or a lower version.
    Backwards,
    /// Something that should be gone.
    Ghost,
    /// Something is missing.
    Missing,
    /// Both: an old content instead of the new one.
    Stale,
    /// Nothing at all was shown.
    Silent,
    /// The right thing, too late.
    Late,
}

/// Whether a fault bore on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// No fault was active, nor within the bound before.
    Calm,
    /// One was.
    Fault,
}

/// What kind of failure a run shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    /// What is wrong with what was shown.
    pub symptom: Symptom,
    /// Whether a fault bore on it.
    pub condition: Condition,
}

impl Fingerprint {
    /// Of the earliest violation; none where there is none.
    pub fn of(report: &Report) -> Option<Fingerprint> {
        first(report).map(Fingerprint::of_violation)
    }

    /// Of this violation.
    pub fn of_violation(violation: &Violation) -> Fingerprint {
        let condition = if violation.faults.is_empty() { Condition::Calm } else { Condition::Fault };
        Fingerprint { symptom: symptom(violation), condition }
    }

    /// True if a smaller run with this fingerprint is the same failure as a run with the other one. In calm is less than
    /// under a fault: a fault that a failure does not need may go, but none may come.
    pub fn reduces(self, origin: Fingerprint) -> bool {
        self.symptom == origin.symptom && self.condition <= origin.condition
    }
}

fn symptom(violation: &Violation) -> Symptom {
    match violation.kind {
        Kind::Phantom => return Symptom::Phantom,
        Kind::Duplicate => return Symptom::Duplicate,
        Kind::Backwards | Kind::VersionFell => return Symptom::Backwards,
        Kind::Late => return Symptom::Late,
        Kind::Ghost | Kind::Incomplete | Kind::Torn | Kind::Stale | Kind::WrongAtEnd => {}
    }
    match (violation.missing.is_empty(), violation.extra.is_empty()) {
        (true, false) => Symptom::Ghost,
        (false, true) => Symptom::Missing,
        (false, false) => Symptom::Stale,
        (true, true) => Symptom::Silent,
    }
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Symptom::Phantom => "phantom",
            Symptom::Duplicate => "duplicate",
            Symptom::Backwards => "backwards",
            Symptom::Ghost => "ghost",
            Symptom::Missing => "missing",
            Symptom::Stale => "stale",
            Symptom::Silent => "silent",
            Symptom::Late => "late",
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Condition::Calm => "calm",
            Condition::Fault => "fault",
        })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.symptom, self.condition)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(kind: Kind, missing: &[&str], extra: &[&str], faults: &[u32]) -> Violation {
        let owned = |list: &[&str]| list.iter().map(|value| (*value).to_owned()).collect();
        Violation {
            kind,
            time: 0,
            client: None,
            subscription: None,
            node: None,
            data: 0,
            snapshot: None,
            version: None,
            expected: vec![],
            shown: vec![],
            missing: owned(missing),
            extra: owned(extra),
            sentence: String::new(),
            explained: String::new(),
            trail: vec![],
            faults: faults.to_vec(),
            role: "churning".to_owned(),
        }
    }

    #[test]
    fn what_is_wrong_counts_and_not_how_it_was_noticed() {
        let shown = |kind, missing: &[&str], extra: &[&str], faults: &[u32]| {
            Fingerprint::of_violation(&violation(kind, missing, extra, faults)).to_string()
        };
        assert_eq!(shown(Kind::Ghost, &[], &["a"], &[]), "ghost/calm");
        assert_eq!(shown(Kind::Stale, &[], &["a"], &[]), "ghost/calm");
        assert_eq!(shown(Kind::Torn, &[], &["a"], &[3, 4]), "ghost/fault");
        assert_eq!(shown(Kind::Incomplete, &["a"], &[], &[]), "missing/calm");
        assert_eq!(shown(Kind::WrongAtEnd, &["a"], &["b"], &[]), "stale/calm");
        assert_eq!(shown(Kind::Stale, &[], &[], &[]), "silent/calm");
        assert_eq!(shown(Kind::Phantom, &[], &["a"], &[1]), "phantom/fault");
    }

    #[test]
    fn a_failure_may_lose_its_fault_but_not_find_one() {
        let of = |kind, faults: &[u32]| Fingerprint::of_violation(&violation(kind, &[], &["a"], faults));
        assert!(of(Kind::Ghost, &[]).reduces(of(Kind::Ghost, &[1])));
        assert!(of(Kind::Ghost, &[1]).reduces(of(Kind::Stale, &[1])));
        assert!(!of(Kind::Ghost, &[1]).reduces(of(Kind::Ghost, &[])));
        assert!(!of(Kind::Phantom, &[]).reduces(of(Kind::Ghost, &[])));
    }
}
