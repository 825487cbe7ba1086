//! Plans of the roll-out: requests that come to all shards in turn. There are no faults: what goes wrong is the new version.

use super::RolloutConfig;
use crate::trial::{Operation, TrialPlan};
use history::{MILLI, Nanos};
use simulation::hash_draw;

/// When the roll-out begins. Part of the system and not of the plan, so that cutting a plan down does not move it.
pub fn begins(seed: u64) -> Nanos {
    (250 + hash_draw(seed, &[1]) % 100) * MILLI
}

/// The plan of a seed.
pub fn plan(config: &RolloutConfig, seed: u64) -> TrialPlan {
    let count = u64::from(config.operations);
    let pace = config.span_ms * MILLI / count.max(1);
    let shards = u64::from(config.workers / config.replicas);
    let operation = |at: u64| Operation {
        id: 0,
        at: at * pace + hash_draw(seed, &[2, at]) % pace.max(1),
        client: (hash_draw(seed, &[3, at]) % u64::from(config.clients)) as u32,
        act: "ask".to_owned(),
        key: (at % shards) as u32,
        // Which worker of the shard is asked first.
        value: (at / shards % u64::from(config.replicas)) as i64,
    };
    let mut plan = TrialPlan { seed, operations: (0..count).map(operation).collect(), faults: Vec::new() };
    plan.number();
    plan
}
