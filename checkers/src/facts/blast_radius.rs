//! The blast radius of a roll-out: how many workers were hurt against what the plan allowed. A worker is hurt when it fails a
//! request: it says `hurt`, with the number of its cluster; what is `allowed` the plan said at first.

use super::Finding;
use history::Fact;
use std::collections::BTreeSet;

/// Were more workers hurt than the plan allowed?
pub fn blast_radius(facts: &[Fact]) -> Vec<Finding> {
    let Some(allowed) = facts.iter().find(|fact| fact.what == "allowed").map(|fact| fact.value) else {
        let sentence = "nothing says how many workers may be hurt".to_owned();
        return vec![Finding { kind: Finding::UNDECIDED.to_owned(), at: None, node: None, sentence }];
    };
    beyond(facts, allowed, |fact| i64::from(fact.node), "blast radius", "worker")
}

/// Was more than one cluster hurt?
pub fn one_cluster(facts: &[Fact]) -> Vec<Finding> {
    beyond(facts, 1, |fact| fact.value, "beyond one cluster", "cluster")
}

fn beyond(facts: &[Fact], allowed: i64, unit: impl Fn(&Fact) -> i64, kind: &str, name: &str) -> Vec<Finding> {
    let mut hurt = BTreeSet::new();
    for fact in facts.iter().filter(|fact| fact.what == "hurt") {
        hurt.insert(unit(fact));
        if hurt.len() as i64 > allowed {
            let count = hurt.len();
            let sentence = format!("this is {name} number {count} to fail requests, and the plan allowed {allowed}");
            return vec![Finding { kind: kind.to_owned(), at: Some(fact.at), node: Some(fact.node), sentence }];
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(allowed: i64, hurt: &[(u32, i64)]) -> Vec<Fact> {
        let mut facts = vec![Fact { at: 0, node: 0, what: "allowed", value: allowed }];
        facts.extend((1..).zip(hurt).map(|(at, (node, value))| Fact { at, node: *node, what: "hurt", value: *value }));
        facts
    }

    #[test]
    fn the_same_worker_counts_once() {
        assert!(blast_radius(&facts(2, &[(7, 0), (8, 0), (7, 0)])).is_empty());
        let found = blast_radius(&facts(2, &[(7, 0), (8, 0), (7, 0), (9, 0), (10, 0)]));
        assert_eq!((found.len(), found[0].at, found[0].node), (1, Some(4), Some(9)));
        assert_eq!(found[0].sentence, "this is worker number 3 to fail requests, and the plan allowed 2");
        assert_eq!(blast_radius(&facts(0, &[(7, 0)])).len(), 1);
    }

    #[test]
    fn without_a_plan_nothing_can_be_said() {
        assert!(blast_radius(&[])[0].is_undecided());
    }

    #[test]
    fn clusters_are_counted_apart() {
        assert!(one_cluster(&facts(0, &[(7, 3), (8, 3), (9, 3)])).is_empty());
        let found = one_cluster(&facts(9, &[(7, 3), (8, 3), (9, 0)]));
        assert_eq!((found[0].kind.as_str(), found[0].at), ("beyond one cluster", Some(3)));
    }
}
