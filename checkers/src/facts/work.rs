//! Units of work and launches: what was accepted (`accepted`) and done (`worked`), what was `due` and `launched`. The value is the
//! number of the unit.

use super::Finding;
use history::Fact;
use std::collections::BTreeMap;

/// Was anything accepted and never done?
pub fn forgotten(facts: &[Fact]) -> Vec<Finding> {
    missing(facts, ("accepted", "worked"), "forgotten", |unit| format!("unit {unit} was accepted and is never done"))
}

/// Was anything due and never launched?
pub fn skipped(facts: &[Fact]) -> Vec<Finding> {
    missing(facts, ("due", "launched"), "skipped", |job| format!("job {job} was due and is never launched"))
}

/// Was anything launched more than once?
pub fn doubled(facts: &[Fact]) -> Vec<Finding> {
    let mut times: BTreeMap<i64, u32> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.what == "launched") {
        let count = times.entry(fact.value).or_insert(0);
        *count += 1;
        if *count > 1 {
            let sentence = format!("job {} is launched a second time", fact.value);
            return vec![Finding { kind: "doubled".to_owned(), at: Some(fact.at), node: Some(fact.node), sentence }];
        }
    }
    Vec::new()
}

fn missing(facts: &[Fact], (first, then): (&str, &str), kind: &str, says: impl Fn(i64) -> String) -> Vec<Finding> {
    let has = |value: i64| facts.iter().any(|fact| fact.what == then && fact.value == value);
    let lost = facts.iter().find(|fact| fact.what == first && !has(fact.value));
    let finding = |fact: &Fact| Finding {
        kind: kind.to_owned(),
        // It shows at the end only.
        at: None,
        node: Some(fact.node),
        sentence: says(fact.value),
    };
    lost.map(finding).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(all: &[(&'static str, i64)]) -> Vec<Fact> {
        (1..).zip(all).map(|(at, (what, value))| Fact { at, node: 4, what, value: *value }).collect()
    }

    fn kinds(found: &[Finding]) -> Vec<&str> {
        found.iter().map(|finding| finding.kind.as_str()).collect()
    }

    #[test]
    fn what_is_accepted_has_to_be_done_twice_or_once_and_in_any_order() {
        assert!(
            forgotten(&facts(&[("accepted", 1), ("worked", 2), ("worked", 1), ("worked", 1), ("accepted", 2)]))
                .is_empty()
        );
        let found = forgotten(&facts(&[("accepted", 1), ("accepted", 7), ("worked", 1)]));
        assert_eq!(kinds(&found), ["forgotten"]);
        assert_eq!(found[0].sentence, "unit 7 was accepted and is never done");
    }

    #[test]
    fn launches_are_skipped_or_doubled() {
        let clean = facts(&[("due", 1), ("launched", 1), ("due", 2), ("launched", 2)]);
        assert!(skipped(&clean).is_empty() && doubled(&clean).is_empty());
        let wrong = facts(&[("due", 1), ("due", 2), ("launched", 2), ("launched", 2)]);
        assert_eq!(kinds(&skipped(&wrong)), ["skipped"]);
        assert_eq!((kinds(&doubled(&wrong)), doubled(&wrong)[0].at), (vec!["doubled"], Some(4)));
    }
}
