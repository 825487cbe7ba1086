//! Plans of the roll-out: requests that come to all shards in turn. There are no faults: what goes wrong is the new version.

use super::RolloutConfig;
use crate::trial::{Draws, TrialPlan};
use history::{MILLI, Nanos};

/// When the roll-out begins. Part of the system and not of the plan, so that cutting a plan down does not move it.
pub fn begins(seed: u64) -> Nanos {
    (250 + Draws(seed).below(&[1], 100)) * MILLI
}

/// The plan of a seed.
pub fn plan(config: &RolloutConfig, seed: u64) -> TrialPlan {
    let count = u64::from(config.operations);
    let pace = config.span_ms * MILLI / count.max(1);
    let shards = u64::from(config.workers / config.replicas);
    let draws = Draws(seed);
    let mut plan = TrialPlan { seed, ..TrialPlan::default() };
    for at in 0..count {
        let client = draws.below(&[3, at], u64::from(config.clients));
        // Which worker of the shard is asked first.
        let first = at / shards % u64::from(config.replicas);
        plan.ask(at * pace + draws.below(&[2, at], pace), client, "ask", at % shards, first as i64);
    }
    plan.number();
    plan
}
