//! Peak load: how much happens within a short window, against what is allowed (`load allowed`, said at first).

use super::Finding;
use history::{Fact, Nanos};
use std::collections::VecDeque;

/// Does this happen more often within any such window, nanoseconds, than is allowed?
pub fn peak_load(facts: &[Fact], what: &str, window: Nanos) -> Vec<Finding> {
    let Some(allowed) = facts.iter().find(|fact| fact.what == "load allowed").map(|fact| fact.value) else {
        let sentence = "nothing says how much load is allowed".to_owned();
        return vec![Finding { kind: Finding::UNDECIDED.to_owned(), at: None, node: None, sentence }];
    };
    let mut recent: VecDeque<Nanos> = VecDeque::new();
    for fact in facts.iter().filter(|fact| fact.what == what) {
        while recent.front().is_some_and(|first| fact.at - first >= window) {
            recent.pop_front();
        }
        recent.push_back(fact.at);
        if recent.len() as i64 > allowed {
            let (count, ms) = (recent.len(), window / history::MILLI);
            let sentence = format!("{count} requests within {ms} ms, where {allowed} are allowed: a herd");
            return vec![Finding { kind: "herd".to_owned(), at: Some(fact.at), node: Some(fact.node), sentence }];
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::MILLI;

    fn facts(times_ms: &[u64]) -> Vec<Fact> {
        let mut facts = vec![Fact { at: 0, node: 0, what: "load allowed", value: 2 }];
        facts.extend(times_ms.iter().map(|at| Fact { at: at * MILLI, node: 1, what: "sends", value: 0 }));
        facts
    }

    #[test]
    fn a_window_may_lie_anywhere() {
        assert!(peak_load(&facts(&[1, 4, 6, 9, 11]), "sends", 5 * MILLI).is_empty());
        let found = peak_load(&facts(&[1, 4, 6, 8, 20]), "sends", 5 * MILLI);
        assert_eq!((found.len(), found[0].at), (1, Some(8 * MILLI)));
        assert_eq!(found[0].sentence, "3 requests within 5 ms, where 2 are allowed: a herd");
    }

    #[test]
    fn other_facts_do_not_count_and_without_a_bound_nothing_can_be_said() {
        assert!(peak_load(&facts(&[1, 1, 1]), "launched", 5 * MILLI).is_empty());
        assert!(peak_load(&[], "sends", MILLI)[0].is_undecided());
    }
}
