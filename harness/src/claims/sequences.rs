//! Every sequence of calls of a client, in odd orders and all: not drawn but counted off, some for each seed.

use crate::plan::Plan;
use history::{ClientId, DataIx, MILLI, Nanos};
use serde::Deserialize;
use simulation::Stream;
use workloads::{ClientPlan, PlannedCall, PlannedOperation, Reaction};

/// Which sequences, and how many of them in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequences {
    /// The longest has so many calls.
    pub calls_max: u32,
    /// So many sequences in one run, each by a client of its own on a dataId of its own.
    pub each_run: u32,
}

/// What a client can call: what was published already is republished, what is subscribed is subscribed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Publish,
    Unpublish,
    Subscribe,
    Unsubscribe,
    /// Leaves cleanly and comes back with nothing.
    Close,
    /// Goes away without a word and comes back with everything.
    Vanish,
}

const CALLS: [Call; 6] =
    [Call::Publish, Call::Unpublish, Call::Subscribe, Call::Unsubscribe, Call::Close, Call::Vanish];

/// A client that vanished comes back after this long.
const BACK: Reaction = Reaction { reconnect_ns: 20 * MILLI, reregister_ns: 0 };

impl Sequences {
    /// How many there are.
    pub fn total(&self) -> u64 {
        (1..=self.calls_max).map(|length| (CALLS.len() as u64).pow(length)).sum()
    }

    /// The calls of one of them: the shortest come first.
    fn calls(&self, number: u64) -> Vec<Call> {
        let base = CALLS.len() as u64;
        let (mut rest, mut length) = (number % self.total(), 1);
        while rest >= base.pow(length) {
            rest -= base.pow(length);
            length += 1;
        }
        (0..length).map(|place| CALLS[(rest / base.pow(place) % base) as usize]).collect()
    }

    /// Replaces the plan's clients: one for each sequence that is this seed's turn, and one that watches all of them. The
    /// seed also draws how fast each client calls: at once after the answer, or slowly.
    pub fn fill(&self, plan: &mut Plan) {
        plan.data_ids = (0..self.each_run).map(|ix| format!("d{ix}")).collect();
        plan.clients = (0..=self.each_run)
            .map(|id| {
                let node = Stream::new(plan.seed, "sequence node", u64::from(id)).below(1 << 10) as u32;
                ClientPlan { id, pinned: false, node, reactions: vec![BACK] }
            })
            .collect();
        plan.operations.clear();
        let watcher = self.each_run;
        push(plan, 0, watcher, PlannedCall::Connect);
        for data in 0..self.each_run {
            push(plan, 0, watcher, PlannedCall::Subscribe { data, subscription: data });
            let number = plan.seed.wrapping_mul(u64::from(self.each_run)).wrapping_add(u64::from(data));
            client(plan, data, &self.calls(number));
        }
        plan.operations.sort_by_key(|operation| operation.at);
    }
}

fn push(plan: &mut Plan, at: Nanos, client: ClientId, call: PlannedCall) {
    plan.operations.push(PlannedOperation { at, client, call });
}

/// One client's sequence on the dataId of the same number.
fn client(plan: &mut Plan, data: DataIx, calls: &[Call]) {
    let client = data;
    let mut stream = Stream::new(plan.seed, "sequence", u64::from(data));
    let step = if stream.chance(500) { MILLI } else { plan.time.chaos_ns / (calls.len() as u64 + 1) };
    push(plan, 0, client, PlannedCall::Connect);
    let mut at = plan.time.warmup_ns;
    for call in calls {
        at += stream.between(1, step);
        let (registration, subscription) = (0, 0);
        match call {
            Call::Publish => push(plan, at, client, PlannedCall::Publish { data, registration }),
            Call::Unpublish => push(plan, at, client, PlannedCall::Unpublish { data, registration }),
            Call::Subscribe => push(plan, at, client, PlannedCall::Subscribe { data, subscription }),
            Call::Unsubscribe => push(plan, at, client, PlannedCall::Unsubscribe { data, subscription }),
            Call::Vanish => push(plan, at, client, PlannedCall::Vanish),
            Call::Close => {
                push(plan, at, client, PlannedCall::Close);
                push(plan, at, client, PlannedCall::Connect);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_has_its_turn_once() {
        let sequences = Sequences { calls_max: 3, each_run: 10 };
        assert_eq!(sequences.total(), 6 + 36 + 216);
        let mut all: Vec<String> = (0..sequences.total()).map(|n| format!("{:?}", sequences.calls(n))).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len() as u64, sequences.total());
        assert_eq!(sequences.calls(0), [Call::Publish]);
        assert_eq!(sequences.calls(sequences.total() - 1), [Call::Vanish; 3]);
        assert_eq!(sequences.calls(sequences.total()), sequences.calls(0));
    }

    #[test]
    fn five_calls_are_covered_by_the_seeds_that_a_claim_runs() {
        let sequences = Sequences { calls_max: 5, each_run: 20 };
        assert!(sequences.total() <= crate::claims::Effort::default().hold_seeds * u64::from(sequences.each_run));
    }
}
