//! Units of work that are each to be committed exactly once. A server that commits says, at one instant and in this order,
//! `committed` (the unit), `by attempt`, `in output`, `by configuration` (a hundred times the one that was used, plus the one that
//! holds), and `by server` (a hundred times the one that handed the unit out, plus the one that commits it). The store says
//! `output` whenever one is written: a million times the name, plus the attempt.

use super::Finding;
use history::Fact;
use std::collections::BTreeMap;

/// A commit as it is being told.
#[derive(Clone, Copy, Debug, Default)]
struct Commit {
    unit: i64,
    attempt: i64,
}

/// Was every accepted unit committed once, by the configuration that holds and the server that handed it out, and does its output
/// stand?
pub fn committed_once(facts: &[Fact]) -> Vec<Finding> {
    let mut found = Vec::new();
    // The commit of each unit, by unit, and of each output, by name.
    let mut units: BTreeMap<i64, i64> = BTreeMap::new();
    let mut outputs: BTreeMap<i64, Commit> = BTreeMap::new();
    let mut commit = Commit::default();
    for fact in facts {
        let mut finding = |kind: &str, sentence: String| {
            let (kind, at, node) = (kind.to_owned(), Some(fact.at), Some(fact.node));
            found.push(Finding { kind, at, node, sentence });
        };
        let (first, second) = (fact.value / 100, fact.value % 100);
        let unit = commit.unit;
        match fact.what {
            "committed" => {
                commit = Commit { unit: fact.value, attempt: 0 };
                let times = units.entry(fact.value).or_insert(0);
                *times += 1;
                if *times > 1 {
                    finding("committed twice", format!("unit {} is committed a second time", fact.value));
                }
            }
            "by attempt" => commit.attempt = fact.value,
            "in output" => _ = outputs.insert(fact.value, commit),
            "by configuration" if first != second => finding(
                "stale configuration",
                format!("unit {unit} was done by configuration {first}, and is committed under {second}"),
            ),
            "by server" if first != second => finding(
                "wrong server",
                format!("server {second} commits as its unit {unit} what server {first} had handed out"),
            ),
            "output" => {
                let (name, attempt) = (fact.value / 1_000_000, fact.value % 1_000_000);
                if let Some(commit) = outputs.get(&name)
                    && commit.attempt != attempt
                {
                    let unit = commit.unit;
                    finding("overwritten output", format!("the output of unit {unit} is overwritten after its commit"));
                }
            }
            _ => {}
        }
    }
    let missing = facts.iter().find(|fact| fact.what == "accepted" && !units.contains_key(&fact.value));
    found.extend(missing.map(|fact| Finding {
        kind: "never committed".to_owned(),
        at: None,
        node: Some(fact.node),
        sentence: format!("unit {} was accepted and is never committed", fact.value),
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(all: &[(&'static str, i64)]) -> Vec<String> {
        let facts: Vec<Fact> =
            (1..).zip(all).map(|(at, (what, value))| Fact { at, node: 2, what, value: *value }).collect();
        committed_once(&facts).into_iter().map(|finding| finding.kind).collect()
    }

    const CLEAN: [(&str, i64); 7] = [
        ("accepted", 7),
        ("output", 31_000_031),
        ("committed", 7),
        ("by attempt", 31),
        ("in output", 31),
        ("by configuration", 101),
        ("by server", 0),
    ];

    #[test]
    fn one_commit_is_as_it_should_be_and_an_orphan_may_write_elsewhere() {
        assert!(kinds(&CLEAN).is_empty());
        assert!(kinds(&[&CLEAN[..], &[("output", 32_000_032)]].concat()).is_empty());
    }

    #[test]
    fn each_way_to_fail_has_its_kind() {
        let then = |more: &[(&'static str, i64)]| kinds(&[&CLEAN[..], more].concat());
        assert_eq!(then(&[("accepted", 8)]), ["never committed"]);
        assert_eq!(then(&[("committed", 7)]), ["committed twice"]);
        assert_eq!(then(&[("output", 31_000_032)]), ["overwritten output"]);
        assert_eq!(then(&[("committed", 8), ("by configuration", 102)]), ["stale configuration"]);
        assert_eq!(then(&[("committed", 8), ("by server", 1)]), ["wrong server"]);
    }
}
