//! What a mechanism promises to those who call: that they are served, that they hear soon, that what was decided is decided; and
//! that an original that is back serves again.

use super::Finding;
use history::calls::{Calls, Ended, render};
use history::{Fact, Nanos};
use std::collections::BTreeMap;

/// Every call ends well, and within so long.
pub fn served(calls: &Calls, within: Nanos) -> Vec<Finding> {
    ends(calls, within, |ended| ended == Ended::Ok, "not served")
}

/// Every call ends within so long, well or not.
pub fn prompt(calls: &Calls, within: Nanos) -> Vec<Finding> {
    ends(calls, within, |_| true, "late")
}

fn ends(calls: &Calls, within: Nanos, right: impl Fn(Ended) -> bool, kind: &str) -> Vec<Finding> {
    let within = i64::try_from(within).unwrap_or(i64::MAX);
    let wrong =
        |call: &&history::calls::Call| call.end_ns < 0 || call.end_ns - call.start_ns > within || !right(call.ended);
    let Some(call) = calls.calls.iter().find(wrong) else { return Vec::new() };
    let took = (call.end_ns - call.start_ns) / 1_000_000;
    let how = match call.ended {
        _ if call.end_ns < 0 => "never ends".to_owned(),
        Ended::Ok => format!("takes {took} ms"),
        Ended::Fail => format!("fails after {took} ms"),
        Ended::Info => format!("is given up after {took} ms"),
    };
    let input = render(&call.input, &calls.symbols);
    vec![Finding {
        kind: kind.to_owned(),
        at: u64::try_from(call.end_ns).ok(),
        node: u32::try_from(call.process % 1_000).ok(),
        sentence: format!("{} {input} {how}; promised are {} ms", calls.f(call), within / 1_000_000),
    }]
}

/// Whoever hears what was decided on a key hears the same, and something that was proposed for it.
pub fn agreement(calls: &Calls) -> Vec<Finding> {
    let mut decided: BTreeMap<String, (String, i64)> = BTreeMap::new();
    for call in calls.calls.iter().filter(|call| call.ended == Ended::Ok && call.end_ns >= 0) {
        let words = |value| render(value, &calls.symbols);
        let key = call.key.as_ref().map_or(String::new(), words);
        let output = words(&call.output);
        let proposed = calls.calls.iter().any(|other| other.key == call.key && words(&other.input) == output);
        let known = decided.entry(key.clone()).or_insert((output.clone(), call.end_ns));
        if known.0 != output || !proposed {
            let sentence = format!("{output} is decided on {key}, and {} is too", known.0);
            let at = u64::try_from(call.end_ns.max(known.1)).ok();
            return vec![Finding { kind: "disagreement".to_owned(), at, node: None, sentence }];
        }
    }
    Vec::new()
}

/// Once the original has been back for `grace`, nobody else serves. Nodes say `up` when they start and `serves` when they do.
pub fn returned(facts: &[Fact], original: u32, grace: Nanos, names: &[String]) -> Vec<Finding> {
    let up = |fact: &&Fact| fact.what == "up" && fact.node == original;
    // The first time is not a return.
    let Some(back) = facts.iter().filter(up).nth(1) else { return Vec::new() };
    let since = back.at.saturating_add(grace);
    let other = |fact: &&Fact| fact.what == "serves" && fact.node != original && fact.at > since;
    let Some(fact) = facts.iter().find(other) else { return Vec::new() };
    let name = |node: u32| names.get(node as usize).cloned().unwrap_or_else(|| format!("node {node}"));
    vec![Finding {
        kind: "not returned".to_owned(),
        at: Some(fact.at),
        node: Some(fact.node),
        sentence: format!(
            "{} still serves {} ms after {} is back",
            name(fact.node),
            (fact.at - back.at) / 1_000_000,
            name(original)
        ),
    }]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use history::calls::{Builder, Value};

    /// Calls: start, end, how, input, output; all on one key.
    fn calls(list: &[(i64, i64, Ended, i64, i64)]) -> Calls {
        let mut builder = Builder::default();
        let mut steps: Vec<(i64, usize, bool)> = Vec::new();
        for (at, (start, end, ..)) in list.iter().enumerate() {
            steps.extend([(*start, at, true), (*end, at, false)]);
        }
        steps.sort_by_key(|(time, _, begins)| (*time, *begins));
        for (time, at, begins) in steps {
            let (_, _, ended, input, output) = list[at];
            if begins {
                builder.invoke_on(at as i64, "propose", Some(Value::Int(3)), Value::Int(input), time).unwrap();
            } else {
                builder.complete(at as i64, ended, Value::Int(output), time).unwrap();
            }
        }
        builder.finish()
    }

    #[test]
    fn served_and_prompt_differ_in_what_an_error_is() {
        let good = calls(&[(0, 10, Ended::Ok, 1, 1), (5, 25, Ended::Ok, 1, 1)]);
        assert_eq!((served(&good, 20).len(), prompt(&good, 20).len()), (0, 0));
        assert_eq!((served(&good, 19).len(), prompt(&good, 19).len()), (1, 1));
        let error = calls(&[(0, 10, Ended::Fail, 1, 1)]);
        assert_eq!((served(&error, 20)[0].kind.as_str(), prompt(&error, 20).len()), ("not served", 0));
        assert_eq!(prompt(&error, 9)[0].kind, "late");
    }

    #[test]
    fn one_value_is_decided_and_it_was_proposed() {
        assert_eq!(agreement(&calls(&[(0, 9, Ended::Ok, 1, 2), (1, 8, Ended::Ok, 2, 2)])), []);
        assert_eq!(agreement(&calls(&[(0, 9, Ended::Ok, 1, 1), (1, 8, Ended::Ok, 2, 2)])).len(), 1);
        assert_eq!(agreement(&calls(&[(0, 9, Ended::Ok, 1, 7)])).len(), 1);
    }

    #[test]
    fn an_original_that_is_back_serves() {
        let facts = |list: &[(Nanos, u32, &'static str)]| -> Vec<Fact> {
            list.iter().map(|(at, node, what)| Fact { at: *at, node: *node, what, value: 0 }).collect()
        };
        let found = |list: &[(Nanos, u32, &'static str)]| returned(&facts(list), 1, 10, &[]).len();
        assert_eq!(found(&[(0, 1, "up"), (5, 2, "serves"), (50, 2, "serves")]), 0, "it never came back");
        assert_eq!(found(&[(0, 1, "up"), (20, 1, "up"), (30, 2, "serves"), (31, 1, "serves")]), 0);
        assert_eq!(found(&[(0, 1, "up"), (20, 1, "up"), (31, 2, "serves")]), 1);
    }
}
