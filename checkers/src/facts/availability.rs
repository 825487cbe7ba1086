//! Availability as clients see it: one who gave up says `gave up`, with how many milliseconds it had waited.

use super::Finding;
use history::Fact;

/// Did any client give up?
pub fn availability(facts: &[Fact]) -> Vec<Finding> {
    let given_up: Vec<&Fact> = facts.iter().filter(|fact| fact.what == "gave up").collect();
    let Some(first) = given_up.first() else { return Vec::new() };
    let sentence = format!("no service: a client gave up after {} ms ({} did so in all)", first.value, given_up.len());
    vec![Finding { kind: "unavailable".to_owned(), at: Some(first.at), node: Some(first.node), sentence }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_who_gave_up_is_named_and_all_are_counted() {
        let fact = |at, node, what| Fact { at, node, what, value: 900 };
        assert!(availability(&[fact(1, 1, "leads")]).is_empty());
        let found = availability(&[fact(1, 1, "leads"), fact(5, 3, "gave up"), fact(9, 2, "gave up")]);
        assert_eq!((found.len(), found[0].at, found[0].node), (1, Some(5), Some(3)));
        assert_eq!(found[0].sentence, "no service: a client gave up after 900 ms (2 did so in all)");
    }
}
