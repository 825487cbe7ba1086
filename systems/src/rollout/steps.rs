//! The upgrade plan: its steps, in order.

use super::config::{RolloutConfig, Sdk, Target};
use simulation::NodeId;

/// A step of the upgrade plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These get the new version.
    Install(Vec<NodeId>),
    /// The second of these leads instead of the first, and speaks the new form to so many workers.
    Lead(NodeId, NodeId, u32),
    /// The leader speaks the new form to so many workers.
    Reach(NodeId, u32),
}

/// Who is there.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// Masters, one list for each group.
    pub masters: Vec<Vec<NodeId>>,
    /// Workers.
    pub workers: Vec<NodeId>,
    /// Agents, in the order of their workers; none without.
    pub agents: Vec<NodeId>,
}

/// The whole plan.
pub fn plan(config: &RolloutConfig, cast: &Cast) -> Vec<Step> {
    let mut steps = Vec::new();
    if config.target != Target::Masters {
        batches(config, cast, &mut steps);
    }
    if config.target != Target::Workers {
        for group in &cast.masters {
            masters(config, group, &mut steps);
        }
    }
    steps
}

/// One worker of each shard before the second of any, as any operator would.
fn batches(config: &RolloutConfig, cast: &Cast, steps: &mut Vec<Step>) {
    let thin = config.sdk == Sdk::Thin;
    let nodes = if thin && config.target == Target::Sdk { &cast.agents } else { &cast.workers };
    let mut order: Vec<(u32, NodeId)> =
        nodes.iter().enumerate().map(|(at, node)| (at as u32 % config.replicas, *node)).collect();
    order.sort_unstable();
    let order: Vec<NodeId> = order.into_iter().map(|(_, node)| node).collect();
    let canary = if config.canary > 0 { config.canary } else { config.batch };
    let (first, rest) = order.split_at(order.len().min(canary as usize));
    steps.push(Step::Install(first.to_vec()));
    steps.extend(rest.chunks(config.batch as usize).map(|batch| Step::Install(batch.to_vec())));
}

/// Followers first, then another one leads.
fn masters(config: &RolloutConfig, group: &[NodeId], steps: &mut Vec<Step>) {
    steps.extend(group.iter().skip(1).map(|master| Step::Install(vec![*master])));
    let size = config.workers / config.shards;
    let reach = if config.gradual > 0 { config.gradual } else { size };
    let (old, new) = (group[0], group[1]);
    steps.push(Step::Lead(old, new, reach));
    let mut reached = reach;
    while reached < size {
        reached += reach;
        steps.push(Step::Reach(new, reached));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast() -> Cast {
        Cast { masters: vec![vec![1, 2, 3], vec![4, 5, 6]], workers: (10..18).collect(), agents: Vec::new() }
    }

    #[test]
    fn one_worker_of_each_shard_comes_first_and_the_canary_before_all() {
        let config = RolloutConfig { replicas: 2, batch: 3, canary: 1, ..RolloutConfig::default() };
        let install = |nodes: &[NodeId]| Step::Install(nodes.to_vec());
        let expected = [install(&[10]), install(&[12, 14, 16]), install(&[11, 13, 15]), install(&[17])];
        assert_eq!(plan(&config, &cast()), expected);
    }

    #[test]
    fn followers_come_before_the_switch_and_new_requests_reach_workers_little_by_little() {
        let config = RolloutConfig { target: Target::Masters, shards: 2, gradual: 3, ..RolloutConfig::default() };
        let group = |old: NodeId| {
            let (new, last) = (old + 1, old + 2);
            let installs = [Step::Install(vec![new]), Step::Install(vec![last])];
            installs.into_iter().chain([Step::Lead(old, new, 3), Step::Reach(new, 6)])
        };
        assert_eq!(plan(&config, &cast()), group(1).chain(group(4)).collect::<Vec<_>>());
    }
}
