//! Who has arrived where: on one coordinator, or replicated.

use crate::consensus::{Request, StateMachine};
use simulation::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// Arrivals by round.
#[derive(Clone, Debug)]
pub struct Gate {
    parties: usize,
    /// Arrivals are counted, whoever they are of: a bug.
    counting: bool,
    arrived: BTreeMap<u32, BTreeSet<NodeId>>,
    count: BTreeMap<u32, usize>,
}

impl Gate {
    /// Nobody has arrived.
    pub fn new(parties: usize, counting: bool) -> Gate {
        Gate { parties, counting, arrived: BTreeMap::new(), count: BTreeMap::new() }
    }

    /// Somebody says that it has arrived; true if the round is open now.
    pub fn arrives(&mut self, round: u32, who: NodeId) -> bool {
        let arrived = self.arrived.entry(round).or_default();
        arrived.insert(who);
        let count = self.count.entry(round).or_insert(0);
        *count += 1;
        let parties = if self.counting { *count } else { arrived.len() };
        parties >= self.parties
    }

    /// Who has arrived in this round.
    pub fn waiting(&self, round: u32) -> impl Iterator<Item = NodeId> + '_ {
        self.arrived.get(&round).into_iter().flatten().copied()
    }
}

impl StateMachine for Gate {
    /// The round that the asker has arrived at.
    type Command = u32;
    /// True if it is open.
    type Answer = bool;

    fn apply(&mut self, _: i64, request: &Request<u32>, _: &mut Vec<(&'static str, i64)>) -> bool {
        self.arrives(request.command, request.client)
    }

    fn words(command: &u32) -> String {
        format!("arrived at {command}")
    }

    fn answer_words(answer: &bool) -> String {
        if *answer { "pass" } else { "wait" }.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_when_all_are_there_unless_it_only_counts() {
        let mut gate = Gate::new(2, false);
        assert!(!gate.arrives(1, 7) && !gate.arrives(1, 7) && gate.arrives(1, 8) && !gate.arrives(2, 8));
        assert_eq!(gate.waiting(1).collect::<Vec<_>>(), [7, 8]);
        let mut counting = Gate::new(2, true);
        assert!(!counting.arrives(1, 7) && counting.arrives(1, 7));
    }
}
