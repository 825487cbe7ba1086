//! A barrier: nobody passes before all have arrived; and when all have arrived, all pass, for which the run leaves ample time.

use super::Finding;
use history::{Fact, Nanos};
use std::collections::{BTreeMap, BTreeSet};

/// Clients say `arrives` and `passes` with the number of the round; so many are needed.
pub fn barrier(facts: &[Fact], parties: usize) -> Vec<Finding> {
    let mut arrived: BTreeMap<i64, BTreeSet<u32>> = BTreeMap::new();
    let mut passed: BTreeMap<i64, BTreeSet<u32>> = BTreeMap::new();
    // When the last one arrived.
    let mut complete: BTreeMap<i64, Nanos> = BTreeMap::new();
    for fact in facts {
        let there = arrived.entry(fact.value).or_default();
        match fact.what {
            "arrives" => {
                there.insert(fact.node);
                if there.len() == parties {
                    complete.entry(fact.value).or_insert(fact.at);
                }
            }
            "passes" if there.len() < parties => {
                let sentence = format!("passes barrier {} when {} of {parties} have arrived", fact.value, there.len());
                return vec![finding("passes early", Some(fact.at), Some(fact.node), sentence)];
            }
            "passes" => _ = passed.entry(fact.value).or_default().insert(fact.node),
            _ => {}
        }
    }
    for round in complete.keys() {
        let through = passed.get(round).map_or(0, BTreeSet::len);
        if through < parties {
            let sentence = format!("all {parties} have arrived at barrier {round}, and {through} ever pass");
            return vec![finding("never opens", None, None, sentence)];
        }
    }
    Vec::new()
}

fn finding(kind: &str, at: Option<Nanos>, node: Option<u32>, sentence: String) -> Finding {
    Finding { kind: kind.to_owned(), at, node, sentence }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(list: &[(u32, &'static str)]) -> Vec<Fact> {
        (1..).zip(list).map(|(at, (node, what))| Fact { at, node: *node, what, value: 4 }).collect()
    }

    #[test]
    fn early_and_never_are_told_apart() {
        let all = [(0, "arrives"), (1, "arrives"), (1, "passes"), (0, "passes")];
        assert_eq!(barrier(&facts(&all), 2), []);
        assert_eq!(barrier(&facts(&all[..1]), 2), [], "not all have come");
        let early = barrier(&facts(&[(0, "arrives"), (0, "passes"), (1, "arrives"), (1, "passes")]), 2);
        assert_eq!((early[0].kind.as_str(), early[0].at, early[0].node), ("passes early", Some(2), Some(0)));
        let never = barrier(&facts(&all[..3]), 2);
        assert_eq!((never[0].kind.as_str(), never[0].at), ("never opens", None));
    }
}
