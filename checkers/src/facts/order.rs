//! The order of messages: the same for all members (atomic broadcast), or that in which they were sent (a conversation).

use super::Finding;
use history::{Fact, Nanos};
use std::collections::BTreeMap;

/// Every one of `members` delivers the same messages in the same order, each once. Members say `delivers` with the message.
pub fn total_order(facts: &[Fact], members: &[u32], names: &[String]) -> Vec<Finding> {
    let mut delivered: BTreeMap<u32, Vec<(i64, Nanos)>> = members.iter().map(|member| (*member, Vec::new())).collect();
    for fact in facts.iter().filter(|fact| fact.what == "delivers") {
        let Some(list) = delivered.get_mut(&fact.node) else { continue };
        if list.iter().any(|(value, _)| *value == fact.value) {
            let sentence = format!("{} delivers message {} twice", name(names, fact.node), fact.value);
            return vec![finding("twice", Some(fact.at), Some(fact.node), sentence)];
        }
        list.push((fact.value, fact.at));
    }
    let Some((first, reference)) = delivered.iter().next() else { return Vec::new() };
    let mut missing = Vec::new();
    for (other, list) in delivered.iter().skip(1) {
        let (one, two) = (name(names, *first), name(names, *other));
        // Two messages that both have, the other way round.
        let place = |value: i64| list.iter().position(|(known, _)| *known == value);
        let shared: Vec<(i64, usize)> =
            reference.iter().filter_map(|(value, _)| place(*value).map(|at| (*value, at))).collect();
        if let Some(pair) = shared.windows(2).find(|pair| pair[0].1 > pair[1].1) {
            let (a, b) = (pair[0].0, pair[1].0);
            let sentence = format!("{one} delivers {a} before {b}, {two} delivers {b} before {a}");
            return vec![finding("different order", Some(list[pair[0].1].1), Some(*other), sentence)];
        }
        let lacks = |value: &&(i64, Nanos)| place(value.0).is_none();
        if let Some((value, _)) = reference.iter().find(lacks) {
            missing.push(finding("missing", None, Some(*other), format!("{two} never delivers {value}, {one} does")));
        }
        if let Some((value, _)) = list.iter().find(|(value, _)| !reference.iter().any(|(known, _)| known == value)) {
            missing.push(finding("missing", None, Some(*first), format!("{one} never delivers {value}, {two} does")));
        }
    }
    missing.truncate(1);
    missing
}

/// What a sender says arrives in the order in which it was said. The receiver says `hears`, with the sender in the upper half of
/// the value and the place in the conversation in the lower.
pub fn in_order(facts: &[Fact]) -> Vec<Finding> {
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.what == "hears") {
        let (sender, place) = (fact.value >> 32, fact.value & 0xffff_ffff);
        let before = last.entry(sender).or_insert(0);
        if place < *before {
            let sentence = format!("message {place} of a conversation arrives after message {before}");
            return vec![finding("reordered", Some(fact.at), Some(fact.node), sentence)];
        }
        *before = place;
    }
    Vec::new()
}

fn finding(kind: &str, at: Option<Nanos>, node: Option<u32>, sentence: String) -> Finding {
    Finding { kind: kind.to_owned(), at, node, sentence }
}

fn name(names: &[String], node: u32) -> String {
    names.get(node as usize).cloned().unwrap_or_else(|| format!("node {node}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(what: &'static str, list: &[(u32, i64)]) -> Vec<Fact> {
        (1..).zip(list).map(|(at, (node, value))| Fact { at, node: *node, what, value: *value }).collect()
    }

    fn kinds(list: &[(u32, i64)]) -> Vec<(String, Option<Nanos>)> {
        total_order(&facts("delivers", list), &[0, 1, 2], &[]).into_iter().map(|f| (f.kind, f.at)).collect()
    }

    #[test]
    fn all_deliver_the_same_in_the_same_order() {
        assert_eq!(kinds(&[(0, 5), (1, 5), (1, 6), (2, 5), (0, 6), (2, 6)]), []);
        assert_eq!(kinds(&[(0, 5), (1, 6), (1, 5), (2, 5), (0, 6), (2, 6)]), [("different order".to_owned(), Some(3))]);
        assert_eq!(kinds(&[(0, 5), (1, 5), (0, 6), (2, 5), (1, 6)]), [("missing".to_owned(), None)]);
        assert_eq!(kinds(&[(1, 5)]), [("missing".to_owned(), None)], "the first lacks it");
        assert_eq!(kinds(&[(0, 5), (0, 5)]), [("twice".to_owned(), Some(2))]);
    }

    #[test]
    fn a_conversation_arrives_in_order() {
        let said = |list: &[(i64, i64)]| {
            let list: Vec<(u32, i64)> = list.iter().map(|(sender, place)| (0, sender << 32 | place)).collect();
            in_order(&facts("hears", &list)).len()
        };
        assert_eq!(
            said(&[(7, 1), (8, 1), (8, 2), (7, 2), (7, 4)]),
            0,
            "others do not matter, and gaps are no disorder"
        );
        assert_eq!(said(&[(7, 2), (8, 1), (7, 1)]), 1);
    }
}
