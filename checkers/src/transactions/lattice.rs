//! Consistency models and what rules them out: which model implies which, which anomaly is a special case of which, and what
//! each model forbids. After Adya ("Weak consistency", 1999), Cerone, Bernardi and Gotsman ("A framework for transactional
//! consistency models with atomic visibility", 2015), Bailis et al. ("Highly available transactions", 2013), and Kingsbury and
//! Alvaro ("Elle", 2020), whose names are used here.
//!
//! Two entries go beyond Elle's: parallel snapshot isolation and prefix consistency are ruled out by the cycles that Cerone and
//! Gotsman ("Analysing snapshot isolation", 2018) prove they forbid, and monotonic view, read-atomic and causal have anomalies of
//! their own.

use std::collections::BTreeSet;

/// A model and the weaker ones that it implies directly.
const MODELS: [(&str, &[&str]); 34] = [
    (
        "strict-serializable",
        &["serializable", "linearizable", "strong-snapshot-isolation", "strong-session-serializable"],
    ),
    ("strong-session-serializable", &["serializable", "strong-session-snapshot-isolation"]),
    ("strong-snapshot-isolation", &["strong-session-snapshot-isolation", "strong-read-committed"]),
    ("strong-session-snapshot-isolation", &["snapshot-isolation", "strong-session-read-committed", "causal"]),
    ("serializable", &["repeatable-read", "snapshot-isolation", "view-serializable", "update-serializable"]),
    ("strong-read-committed", &["strong-session-read-committed", "strong-read-uncommitted"]),
    ("strong-session-read-committed", &["read-committed", "strong-session-read-uncommitted"]),
    ("strong-read-uncommitted", &["strong-session-read-uncommitted"]),
    ("strong-session-read-uncommitted", &["read-uncommitted"]),
    ("view-serializable", &[]),
    ("update-serializable", &["forward-consistent-view"]),
    ("repeatable-read", &["cursor-stability", "monotonic-atomic-view"]),
    (
        "snapshot-isolation",
        &[
            "forward-consistent-view",
            "monotonic-atomic-view",
            "monotonic-snapshot-read",
            "parallel-snapshot-isolation",
            "prefix",
        ],
    ),
    ("forward-consistent-view", &["consistent-view"]),
    ("consistent-view", &["cursor-stability", "monotonic-view"]),
    ("parallel-snapshot-isolation", &["causal-cerone", "update-atomic"]),
    ("prefix", &["causal-cerone"]),
    ("causal-cerone", &["read-atomic"]),
    ("update-atomic", &["read-atomic"]),
    ("read-atomic", &["monotonic-atomic-view"]),
    ("monotonic-atomic-view", &["read-committed"]),
    ("monotonic-snapshot-read", &["read-committed"]),
    ("monotonic-view", &["read-committed"]),
    ("cursor-stability", &["read-committed"]),
    ("read-committed", &["read-uncommitted"]),
    ("read-uncommitted", &[]),
    ("linearizable", &["sequential"]),
    ("sequential", &["causal"]),
    ("causal", &["writes-follow-reads", "PRAM"]),
    ("PRAM", &["monotonic-reads", "monotonic-writes", "read-your-writes"]),
    ("writes-follow-reads", &[]),
    ("monotonic-reads", &[]),
    ("monotonic-writes", &[]),
    ("read-your-writes", &[]),
];

/// Other names of the same.
const ALIASES: [(&str, &str); 17] = [
    ("PL-1", "read-uncommitted"),
    ("PL-2", "read-committed"),
    ("PL-2L", "monotonic-view"),
    ("PL-2+", "consistent-view"),
    ("PL-CS", "cursor-stability"),
    ("PL-MSR", "monotonic-snapshot-read"),
    ("PL-FCV", "forward-consistent-view"),
    ("PL-2.99", "repeatable-read"),
    ("PL-3U", "update-serializable"),
    ("PL-SI", "snapshot-isolation"),
    ("PL-3", "serializable"),
    ("PL-SS", "strict-serializable"),
    ("1SR", "serializable"),
    ("pram", "PRAM"),
    ("conflict-serializable", "serializable"),
    ("strong-serializable", "strict-serializable"),
    ("session-serializable", "strong-session-serializable"),
];

/// An anomaly and what it is a special case of.
const IMPLIES: [(&str, &[&str]); 32] = [
    ("G0", &["G1c", "G0-process"]),
    ("G0-process", &["G1c-process", "G0-realtime"]),
    ("G0-realtime", &["G1c-realtime"]),
    ("G1a", &["G1"]),
    ("G1b", &["G1"]),
    ("G1c", &["G1", "G1c-process"]),
    ("G1c-process", &["G1-process", "G1c-realtime"]),
    ("G1c-realtime", &["G1-realtime"]),
    ("G1", &["G1-process"]),
    ("G1-process", &["G1-realtime"]),
    ("G-single-item", &["G-single", "G-single-item-process", "G-nonadjacent-item"]),
    ("G-single-item-process", &["G-single-process", "G-single-item-realtime", "G-nonadjacent-item-process"]),
    ("G-single-item-realtime", &["G-single-realtime", "G-nonadjacent-item-realtime"]),
    ("G-single", &["G-nonadjacent", "G-single-process"]),
    ("G-single-process", &["G-nonadjacent-process", "G-single-realtime"]),
    ("G-single-realtime", &["G-nonadjacent-realtime"]),
    ("G-nonadjacent-item", &["G-nonadjacent", "G2-item", "G-nonadjacent-item-process"]),
    ("G-nonadjacent-item-process", &["G-nonadjacent-process", "G2-item-process", "G-nonadjacent-item-realtime"]),
    ("G-nonadjacent-item-realtime", &["G-nonadjacent-realtime", "G2-item-realtime"]),
    ("G-nonadjacent", &["G2", "G-nonadjacent-process"]),
    ("G-nonadjacent-process", &["G2-process", "G-nonadjacent-realtime"]),
    ("G-nonadjacent-realtime", &["G2-realtime"]),
    ("G2-item", &["G2", "G2-item-process"]),
    ("G2-item-process", &["G2-process", "G2-item-realtime"]),
    ("G2-item-realtime", &["G2-realtime"]),
    ("G2", &["G2-process"]),
    ("G2-process", &["G2-realtime"]),
    ("incompatible-order", &["G1a"]),
    ("dirty-update", &["G1a"]),
    ("unwritten-element", &["G1a"]),
    ("future-read", &["G1c"]),
    ("lost-update", &["G2-item"]),
];

/// A model and what it forbids beyond what weaker ones do.
const FORBIDS: [(&str, &[&str]); 22] = [
    ("read-uncommitted", &["G0", "duplicate-elements", "cyclic-versions"]),
    ("read-committed", &["G1"]),
    ("cursor-stability", &["lost-update"]),
    ("monotonic-view", &["monotonic-view-cycle"]),
    ("consistent-view", &["G-single"]),
    ("read-atomic", &["internal", "G1a", "future-read", "read-atomic-cycle"]),
    ("causal-cerone", &["internal", "G1a"]),
    ("update-atomic", &["lost-update"]),
    ("parallel-snapshot-isolation", &["internal", "G1", "G-single"]),
    ("prefix", &["internal", "G1", "prefix-cycle"]),
    ("snapshot-isolation", &["internal", "G1", "G-nonadjacent", "lost-update"]),
    ("repeatable-read", &["G1", "G2-item", "lost-update"]),
    ("serializable", &["internal", "G1", "G2"]),
    ("strong-session-read-uncommitted", &["G0-process"]),
    ("strong-session-read-committed", &["G1-process"]),
    ("strong-read-uncommitted", &["G0-realtime"]),
    ("strong-read-committed", &["G1-realtime"]),
    ("strong-session-snapshot-isolation", &["internal", "G1-process", "G-nonadjacent-process"]),
    ("strong-snapshot-isolation", &["internal", "G1-realtime", "G-nonadjacent-realtime"]),
    ("strong-session-serializable", &["G1-process", "G2-process"]),
    ("strict-serializable", &["G1-realtime", "G2-realtime"]),
    ("causal", &["internal", "G1-process", "causal-cycle"]),
];

/// Models whose whole set of forbidden anomalies this checker sees, if every version order is known: what is not ruled out, holds.
const DECIDED: [&str; 16] = [
    "read-uncommitted",
    "read-committed",
    "consistent-view",
    "parallel-snapshot-isolation",
    "prefix",
    "snapshot-isolation",
    "repeatable-read",
    "serializable",
    "strong-session-read-uncommitted",
    "strong-session-read-committed",
    "strong-read-uncommitted",
    "strong-read-committed",
    "strong-session-snapshot-isolation",
    "strong-snapshot-isolation",
    "strong-session-serializable",
    "strict-serializable",
];

/// Those of them that can hold with one order of the versions and not with another, although both respect all that is known.
const ORDERED: [&str; 6] = [
    "consistent-view",
    "parallel-snapshot-isolation",
    "prefix",
    "snapshot-isolation",
    "strong-session-snapshot-isolation",
    "strong-snapshot-isolation",
];

/// A consistency model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsistencyModel(&'static str);

impl ConsistencyModel {
    /// What is meant where nobody says anything else.
    pub const STRICT_SERIALIZABLE: ConsistencyModel = ConsistencyModel("strict-serializable");

    /// All, the strongest first.
    pub fn all() -> impl Iterator<Item = ConsistencyModel> {
        MODELS.iter().map(|(name, _)| ConsistencyModel(name))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl std::str::FromStr for ConsistencyModel {
    type Err = crate::CheckersError;

    fn from_str(name: &str) -> Result<ConsistencyModel, crate::CheckersError> {
        let name = canonical(name);
        let found = ConsistencyModel::all().find(|model| model.0 == name);
        found.ok_or_else(|| crate::CheckersError::UnknownConsistencyModel { name: name.to_owned() })
    }
}

impl std::fmt::Display for ConsistencyModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name)
}

/// Everything that can be reached.
fn closure(from: impl IntoIterator<Item = &'static str>, table: &[(&'static str, &[&'static str])]) -> Names {
    let mut found: Names = BTreeSet::new();
    let mut open: Vec<&'static str> = from.into_iter().collect();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            let row = table.iter().find(|(from, _)| *from == name);
            open.extend(row.map_or(&[] as &[&str], |(_, to)| to));
        }
    }
    found
}

/// A set of names of models or anomalies.
pub(super) type Names = BTreeSet<&'static str>;

/// The anomalies themselves and everything that they are special cases of.
pub(super) fn implied(anomalies: impl IntoIterator<Item = &'static str>) -> Names {
    closure(anomalies, &IMPLIES)
}

/// A model and all weaker ones.
pub(super) fn weaker(model: &'static str) -> Names {
    closure([model], &MODELS)
}

/// A model and all stronger ones.
pub(super) fn stronger(model: &str) -> Names {
    ConsistencyModel::all().map(ConsistencyModel::name).filter(|other| weaker(other).contains(model)).collect()
}

/// The models that cannot hold where these anomalies are.
pub(super) fn ruled_out(anomalies: impl IntoIterator<Item = &'static str>) -> Names {
    let implied = implied(anomalies);
    let direct = |model: &&'static str| {
        FORBIDS.iter().any(|(name, forbidden)| name == model && forbidden.iter().any(|one| implied.contains(one)))
    };
    let all = || ConsistencyModel::all().map(ConsistencyModel::name);
    let direct: Names = all().filter(direct).collect();
    all().filter(|model| !weaker(model).is_disjoint(&direct)).collect()
}

/// Those of a set that imply no other of it.
pub(super) fn weakest(models: &Names) -> Names {
    let no_other = |model: &&'static str| weaker(model).iter().all(|other| other == model || !models.contains(other));
    models.iter().copied().filter(no_other).collect()
}

/// The models that hold, if all versions are known and nothing but these was found.
pub(super) fn established(not: &Names) -> Names {
    let held = DECIDED.into_iter().filter(|model| !not.contains(model));
    held.flat_map(weaker).collect()
}

/// The models that hold whatever the order of what was never read.
pub(super) fn established_in_any_order(not: &Names) -> Names {
    let held = DECIDED.into_iter().filter(|model| !not.contains(model) && !ORDERED.contains(model));
    held.flat_map(weaker).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_and_nothing_is_its_own_cause() {
        let names: Names = MODELS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), MODELS.len());
        for (model, weaker_ones) in MODELS {
            assert!(weaker_ones.iter().all(|weaker| names.contains(weaker)), "{model}");
            assert!(weaker_ones.iter().all(|one| !weaker(one).contains(model)), "{model} implies itself");
        }
        for (_, name) in ALIASES {
            assert!(name.parse::<ConsistencyModel>().is_ok(), "{name}");
        }
        for (anomaly, more) in IMPLIES {
            assert!(more.iter().all(|one| !implied([*one]).contains(anomaly)), "{anomaly} implies itself");
        }
        assert!(
            FORBIDS.iter().all(|(name, _)| names.contains(name)) && DECIDED.iter().all(|name| names.contains(name))
        );
    }

    #[test]
    fn anomalies_rule_out_what_they_should() {
        let weakest_of = |anomaly| -> Vec<&str> { weakest(&ruled_out([anomaly])).into_iter().collect() };
        assert_eq!(weakest_of("G0"), ["causal", "read-uncommitted"]);
        assert_eq!(weakest_of("G1a"), ["causal", "read-committed"]);
        assert_eq!(weakest_of("G-single-item"), ["consistent-view", "parallel-snapshot-isolation", "repeatable-read"]);
        assert_eq!(weakest_of("G-nonadjacent-item"), ["repeatable-read", "snapshot-isolation"]);
        assert_eq!(weakest_of("G2-item"), ["repeatable-read"]);
        assert_eq!(weakest_of("G2-item-process"), ["strong-session-serializable"]);
        assert_eq!(weakest_of("G-single-item-realtime"), ["strong-snapshot-isolation"]);
        assert_eq!(weakest_of("G2-item-realtime"), ["strict-serializable"]);
        let not = ruled_out(["G2-item"]);
        assert!(not.contains("strict-serializable") && !not.contains("snapshot-isolation"));
        assert!(established(&not).contains("causal-cerone") && !established(&not).contains("serializable"));
    }
}
