//! Reliable broadcast among nodes of which some lie: honest ones say so (`honest`) at first, and what they deliver (`delivers`:
//! a thousand times the number of the broadcast, plus the value).

use super::Finding;
use history::Fact;
use std::collections::{BTreeMap, BTreeSet};

/// Do honest nodes deliver the same, and all of them or none?
pub fn reliable_broadcast(facts: &[Fact]) -> Vec<Finding> {
    let honest: BTreeSet<u32> = facts.iter().filter(|fact| fact.what == "honest").map(|fact| fact.node).collect();
    // What each broadcast came to: value of the first delivery, who delivered, when last.
    let mut broadcasts: BTreeMap<i64, (i64, BTreeSet<u32>, u64)> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.what == "delivers") {
        let (number, value) = (fact.value / 1_000, fact.value % 1_000);
        let (first, by, last) = broadcasts.entry(number).or_insert((value, BTreeSet::new(), 0));
        if *first != value {
            let sentence = format!("of broadcast {number} this node delivers {value}, and another one {first}");
            return vec![Finding { kind: "divided".to_owned(), at: Some(fact.at), node: Some(fact.node), sentence }];
        }
        if !by.insert(fact.node) {
            let sentence = format!("broadcast {number} is delivered twice");
            return vec![Finding { kind: "duplicated".to_owned(), at: Some(fact.at), node: Some(fact.node), sentence }];
        }
        *last = fact.at;
    }
    let missing = broadcasts.iter().find_map(|(number, (_, by, last))| {
        honest.iter().find(|node| !by.contains(node)).map(|node| (*number, *node, *last))
    });
    missing.map_or(Vec::new(), |(number, node, last)| {
        let sentence = format!("broadcast {number} is delivered by others and never by this node");
        vec![Finding { kind: "not by all".to_owned(), at: Some(last), node: Some(node), sentence }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(delivered: &[(u32, i64)]) -> Vec<String> {
        let mut facts: Vec<Fact> = (1..4).map(|node| Fact { at: 0, node, what: "honest", value: 0 }).collect();
        facts.extend((1..).zip(delivered).map(|(at, (node, value))| Fact {
            at,
            node: *node,
            what: "delivers",
            value: *value,
        }));
        reliable_broadcast(&facts).into_iter().map(|finding| finding.kind).collect()
    }

    #[test]
    fn all_or_none_and_the_same() {
        assert!(kinds(&[]).is_empty());
        assert!(kinds(&[(1, 7_001), (2, 7_001), (3, 7_001), (3, 8_002), (1, 8_002), (2, 8_002)]).is_empty());
        assert_eq!(kinds(&[(1, 7_001), (2, 7_002)]), ["divided"]);
        assert_eq!(kinds(&[(1, 7_001), (1, 7_001)]), ["duplicated"]);
        assert_eq!(kinds(&[(1, 7_001), (3, 7_001)]), ["not by all"]);
    }
}
