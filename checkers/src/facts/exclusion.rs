//! Mutual exclusion over true time: a leadership (or the holding of a lock) spans from the first thing that its holder does
//! under it to the last one; those of different holders must not overlap. What a holder believes while it does nothing harms
//! nobody. And fencing: what a resource applies must not come from an earlier leadership than what it has applied already.

use super::Finding;
use history::{Fact, Nanos};
use std::collections::BTreeMap;

/// A leadership: who, and the number that tells it from others of the same.
type Tenure = (u32, i64);

/// At most one acts at a time. Acts are the facts that are called `acts`, with the number of the leadership.
pub fn exclusion(facts: &[Fact], acts: &str, names: &[String]) -> Vec<Finding> {
    let mut spans: BTreeMap<Tenure, (Nanos, Nanos)> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.what == acts) {
        spans.entry((fact.node, fact.value)).or_insert((fact.at, fact.at)).1 = fact.at;
    }
    let mut order: Vec<(Tenure, (Nanos, Nanos))> = spans.into_iter().collect();
    order.sort_by_key(|(_, span)| *span);
    // The one that lasts longest so far.
    let mut longest: Option<(Tenure, Nanos)> = None;
    for ((who, number), (from, until)) in order {
        if let Some(((other, _), end)) = longest
            && other != who
            && from < end
        {
            return vec![Finding {
                kind: "two at once".to_owned(),
                at: Some(end.min(until).max(from)),
                node: Some(who),
                sentence: format!(
                    "{} acts while {} still does: they overlap by {} ms",
                    name(names, who),
                    name(names, other),
                    (end.min(until) - from).div_ceil(1_000_000)
                ),
            }];
        }
        if longest.is_none_or(|(_, end)| until > end) {
            longest = Some(((who, number), until));
        }
    }
    Vec::new()
}

/// Nothing is applied that was done under an earlier leadership than something that was applied before. Leaderships begin with
/// the fact `takes` of the holder, with their number; the resource says `applied` with the holder's node in the upper half of
/// the value and that number in the lower.
pub fn fencing(facts: &[Fact], names: &[String]) -> Vec<Finding> {
    let mut began: BTreeMap<Tenure, Nanos> = BTreeMap::new();
    let mut latest: Option<(Nanos, u32)> = None;
    for fact in facts {
        match fact.what {
            "takes" => _ = began.entry((fact.node, fact.value)).or_insert(fact.at),
            "applied" => {
                let who = (fact.value >> 32) as u32;
                let Some(begin) = began.get(&(who, fact.value & 0xffff_ffff)) else { continue };
                if let Some((later, other)) = latest
                    && *begin < later
                    && other != who
                {
                    let (who_is, other) = (name(names, who), name(names, other));
                    return vec![Finding {
                        kind: "stale write".to_owned(),
                        at: Some(fact.at),
                        node: Some(fact.node),
                        sentence: format!("a write of {who_is} is applied after one of {other}, who led later"),
                    }];
                }
                latest = latest.max(Some((*begin, who)));
            }
            _ => {}
        }
    }
    Vec::new()
}

/// Nothing goes wrong in these runs: whoever takes over from another does so without need.
pub fn steadiness(facts: &[Fact], names: &[String]) -> Vec<Finding> {
    let mut last: Option<u32> = None;
    for fact in facts.iter().filter(|fact| fact.what == "takes") {
        if let Some(other) = last.filter(|other| *other != fact.node) {
            return vec![Finding {
                kind: "needless change".to_owned(),
                at: Some(fact.at),
                node: Some(fact.node),
                sentence: format!(
                    "{} takes over from {}, with which nothing was wrong",
                    name(names, fact.node),
                    name(names, other)
                ),
            }];
        }
        last = Some(fact.node);
    }
    Vec::new()
}

fn name(names: &[String], node: u32) -> String {
    names.get(node as usize).cloned().unwrap_or_else(|| format!("node {node}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(list: &[(Nanos, u32, &'static str, i64)]) -> Vec<Fact> {
        list.iter().map(|(at, node, what, value)| Fact { at: *at, node: *node, what, value: *value }).collect()
    }

    #[test]
    fn leaderships_may_follow_each_other_but_not_overlap() {
        let clean =
            facts(&[(1, 0, "acts", 1), (5, 0, "acts", 1), (6, 1, "acts", 2), (7, 1, "acts", 2), (9, 0, "acts", 3)]);
        assert_eq!(exclusion(&clean, "acts", &[]), []);
        let same = facts(&[(1, 0, "acts", 1), (3, 0, "acts", 2), (5, 0, "acts", 1)]);
        assert_eq!(exclusion(&same, "acts", &[]), [], "one with itself");
        let two = facts(&[(1, 0, "acts", 1), (4, 1, "acts", 2), (6, 0, "acts", 1)]);
        let found = exclusion(&two, "acts", &["a".to_owned(), "b".to_owned()]);
        assert_eq!((found[0].kind.as_str(), found[0].at, found[0].node), ("two at once", Some(4), Some(1)));
        assert!(found[0].sentence.starts_with("b acts while a still does"));
        // Believing is not acting.
        let asleep = facts(&[(1, 0, "acts", 1), (4, 1, "acts", 2), (6, 0, "believes", 1)]);
        assert_eq!(exclusion(&asleep, "acts", &[]), []);
    }

    #[test]
    fn a_late_write_is_stale_only_after_one_of_a_later_leader() {
        let applied = |who: i64, number: i64| who << 32 | number;
        let takes = [(1, 0, "takes", 1), (5, 1, "takes", 2)];
        let late = [(6, 9, "applied", applied(0, 1)), (7, 9, "applied", applied(1, 2))];
        assert_eq!(fencing(&facts(&[takes, late].concat()), &[]), [], "nobody was overtaken");
        let stale = [(6, 9, "applied", applied(1, 2)), (7, 9, "applied", applied(0, 1))];
        let found = fencing(&facts(&[takes, stale].concat()), &[]);
        assert_eq!((found[0].kind.as_str(), found[0].at), ("stale write", Some(7)));
        let again = [(6, 9, "applied", applied(1, 2)), (7, 0, "takes", 3), (8, 9, "applied", applied(0, 3))];
        assert_eq!(fencing(&facts(&[&takes[..], &again[..]].concat()), &[]), [], "it leads anew");
    }

    #[test]
    fn a_leader_with_which_nothing_is_wrong_stays() {
        assert_eq!(steadiness(&facts(&[(1, 0, "takes", 1), (2, 0, "takes", 2)]), &[]), []);
        let found = steadiness(&facts(&[(1, 0, "takes", 1), (2, 1, "takes", 2)]), &[]);
        assert_eq!((found[0].kind.as_str(), found[0].node), ("needless change", Some(1)));
    }
}
