//! Sight: whoever needs others that are there all the time sees all of them at every moment, once it has begun to see them.

use super::Finding;
use history::Fact;
use std::collections::{BTreeMap, BTreeSet};

/// Somebody sees too little: `needs` names those that a node has to see, `knows` and `loses` tell what it sees.
pub fn sight(facts: &[Fact]) -> Vec<Finding> {
    let mut needs: BTreeMap<u32, BTreeSet<i64>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.what == "needs") {
        needs.entry(fact.node).or_default().insert(fact.value);
    }
    let mut seen: BTreeMap<u32, BTreeSet<i64>> = BTreeMap::new();
    let mut found = Vec::new();
    for fact in facts {
        let (node, other) = (fact.node, fact.value);
        match fact.what {
            "knows" => _ = seen.entry(node).or_default().insert(other),
            "loses" if needs.get(&node).is_some_and(|needs| needs.contains(&other)) => {
                let sentence = format!("client-{other} is there all the time and is not seen any more");
                found.push(Finding { kind: "too little".to_owned(), at: Some(fact.at), node: Some(node), sentence });
            }
            _ => {}
        }
    }
    for (node, needs) in needs {
        let never = |other: &&i64| !seen.get(&node).is_some_and(|seen| seen.contains(other));
        if let Some(other) = needs.iter().find(never) {
            let sentence = format!("client-{other} is there all the time and is never seen");
            found.push(Finding { kind: "too little".to_owned(), at: None, node: Some(node), sentence });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(at: u64, node: u32, what: &'static str, value: i64) -> Fact {
        Fact { at, node, what, value }
    }

    #[test]
    fn who_sees_all_at_every_moment_sees_enough() {
        let mut facts = vec![fact(0, 7, "needs", 1), fact(0, 7, "needs", 2), fact(3, 7, "knows", 1)];
        assert_eq!(sight(&facts)[0].sentence, "client-2 is there all the time and is never seen");
        facts.push(fact(4, 7, "knows", 2));
        assert!(sight(&facts).is_empty());
        // Others than those that it needs may come and go.
        facts.extend([fact(5, 7, "knows", 3), fact(6, 7, "loses", 3)]);
        assert!(sight(&facts).is_empty());
    }

    #[test]
    fn one_moment_without_somebody_is_too_little() {
        let facts = [
            fact(0, 7, "needs", 1),
            fact(1, 7, "knows", 1),
            fact(5, 7, "loses", 1),
            fact(6, 7, "knows", 1),
            fact(9, 8, "loses", 1),
        ];
        let found = sight(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].at, found[0].node), (Some(5), Some(7)));
    }
}
