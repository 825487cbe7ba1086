//! Ways to make a plan simpler. Each is data, and applying it is a pure function of plan and edit.

use crate::plan::{Plan, SystemPlan};
use history::{ClientId, DataIx, FaultKind, MILLI, Nanos};
use nemesis::{Pick, Shape};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use systems::registry::RegistryConfig;
use workloads::{PlannedCall, Reaction};

/// A client that comes back without haste or delay.
const PLAIN: Reaction = Reaction { reconnect_ns: 100 * MILLI, reregister_ns: 0 };

/// One step towards a simpler plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Nothing is planned after this instant, and chaos ends there.
    EndAt(Nanos),
    /// Chaos ends at this instant; what is planned stays.
    Length(Nanos),
    /// Only these clients act.
    KeepClients(BTreeSet<ClientId>),
    /// Only operations on this dataId, and those on none.
    KeepData(DataIx),
    /// These operations are left out, by their place in the plan.
    DropOperations(Range<usize>),
    /// Only these operations are left, by their place in the plan.
    KeepOperations(BTreeSet<usize>),
    /// These faults are left out, by their place in the plan.
    DropFaults(Range<usize>),
    /// One client does what two did; the other's connects are left out.
    Merge {
        /// Who acts no more.
        from: ClientId,
        /// Who acts in its place.
        into: ClientId,
    },
    /// What happened on one dataId happens on another.
    MergeData {
        /// Which is used no more.
        from: DataIx,
        /// Which is used in its place.
        into: DataIx,
    },
    /// Clients that do nothing and dataIds that nobody uses are gone, the others are numbered anew.
    Compact,
    /// The cluster has the delays that it has where nothing else is said.
    PlainDelays,
    /// The cluster has another shape.
    Cluster(Part, u32),
    /// A client connects to this node first.
    Home(ClientId, u32),
    /// A client comes back after plain 100 ms, whenever it lost its connection.
    PlainReactions(ClientId),
    /// From the moment before to the moment of this number and all after it: so long. Moments are all operations and
    /// beginnings of faults in order of time.
    Gap(usize, Nanos),
    /// The moment of this number and all after it: so much later.
    Later(usize, Nanos),
    /// An operation is due at this instant.
    MoveOperation(usize, Nanos),
    /// A fault begins at this instant.
    MoveFault(usize, Nanos),
    /// A fault is held for so long.
    Duration(usize, Nanos),
    /// A fault is so strong.
    Amount(usize, i64),
    /// A fault is of this kind, this strong, and isolates where it lies on links.
    Kind(usize, FaultKind, i64),
    /// A fault has this node for its target, not a selector.
    Target(usize, String),
    /// What a fault of its kind does not use is plain, and it is numbered by its place.
    PlainFault(usize),
    /// Operations of one moment in plain order: clients by number, each connecting first.
    PlainOrder,
    /// Idle clients ping so often.
    Pings(Nanos),
    /// There is no warm-up: everything happens in chaos.
    NoWarmUp,
    /// Other draws inside the simulation.
    KernelSeed(u64),
    /// Several at once.
    All(Vec<Edit>),
}

/// A part of the embedded registry whose number can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Session nodes.
    Sessions,
    /// Data nodes.
    Data,
    /// Meta nodes.
    Metas,
    /// Slots.
    Slots,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 4] = [Part::Sessions, Part::Data, Part::Metas, Part::Slots];

    /// How many a registry has.
    pub fn count(self, config: &RegistryConfig) -> u32 {
        match self {
            Part::Sessions => config.sessions,
            Part::Data => config.data,
            Part::Metas => config.metas,
            Part::Slots => config.slots,
        }
    }

    fn set(self, config: &mut RegistryConfig, count: u32) {
        match self {
            Part::Sessions => config.sessions = count,
            Part::Data => config.data = count,
            Part::Metas => config.metas = count,
            Part::Slots => config.slots = count,
        }
    }
}

impl Edit {
    /// The plan after this edit.
    pub fn apply(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        self.change(&mut plan);
        plan
    }

    fn change(&self, plan: &mut Plan) {
        match self {
            Edit::EndAt(end) => {
                plan.operations.retain(|operation| operation.at <= *end);
                plan.faults.retain(|fault| fault.at <= *end);
                length(plan, *end);
            }
            Edit::Length(end) => length(plan, *end),
            Edit::KeepClients(kept) => plan.operations.retain(|operation| kept.contains(&operation.client)),
            Edit::KeepData(data) => {
                plan.operations.retain(|operation| operation.call.data().is_none_or(|of| of == *data));
            }
            Edit::DropOperations(range) => {
                plan.operations.drain(clamped(range, plan.operations.len()));
            }
            Edit::KeepOperations(kept) => {
                let mut at = 0..;
                plan.operations.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
            }
            Edit::DropFaults(range) => {
                plan.faults.drain(clamped(range, plan.faults.len()));
            }
            Edit::Merge { from, into } => merge(plan, *from, *into),
            Edit::MergeData { from, into } => rename(plan, &|data| if data == *from { *into } else { data }),
            Edit::Compact => compact(plan),
            Edit::PlainDelays => {
                if let SystemPlan::Registry(config) = &mut plan.system {
                    *config = plain_delays(config);
                }
            }
            Edit::Cluster(part, count) => {
                if let SystemPlan::Registry(config) = &mut plan.system {
                    part.set(config, *count);
                }
            }
            Edit::Home(client, node) => plan.clients[*client as usize].node = *node,
            Edit::PlainReactions(client) => plan.clients[*client as usize].reactions = vec![PLAIN],
            Edit::Gap(at, ns) => gap(plan, *at, *ns),
            Edit::Later(at, ns) => later(plan, *at, *ns),
            Edit::MoveOperation(at, time) => {
                plan.operations[*at].at = *time;
                in_order(plan);
            }
            Edit::MoveFault(at, time) => {
                plan.faults[*at].at = *time;
                in_order(plan);
            }
            Edit::Duration(at, ns) => plan.faults[*at].duration = *ns,
            Edit::Amount(at, amount) => plan.faults[*at].amount = *amount,
            Edit::Kind(at, kind, amount) => {
                let fault = &mut plan.faults[*at];
                (fault.kind, fault.amount, fault.shape) = (*kind, *amount, Shape::default());
            }
            Edit::Target(at, name) => {
                plan.faults[*at].target.pick = Pick::Named(name.clone());
                plan.faults[*at].target.role = None;
            }
            Edit::PlainFault(at) => plain_fault(plan, *at),
            Edit::PlainOrder => {
                plan.operations.sort_by_key(|o| (o.at, o.client, o.call != PlannedCall::Connect));
            }
            Edit::Pings(ns) => plan.time.ping_ns = *ns,
            Edit::NoWarmUp => {
                plan.time.chaos_ns += plan.time.warmup_ns;
                plan.time.warmup_ns = 0;
            }
            Edit::KernelSeed(seed) => plan.kernel_seed = *seed,
            Edit::All(edits) => edits.iter().for_each(|edit| edit.change(plan)),
        }
    }
}

fn clamped(range: &Range<usize>, len: usize) -> Range<usize> {
    range.start.min(len)..range.end.min(len)
}

fn length(plan: &mut Plan, end: Nanos) {
    plan.time.warmup_ns = plan.time.warmup_ns.min(end);
    plan.time.chaos_ns = end - plan.time.warmup_ns;
}

fn plain_delays(config: &RegistryConfig) -> RegistryConfig {
    let RegistryConfig { sessions, data, metas, slots, replicas, ack, generation, .. } = *config;
    RegistryConfig { sessions, data, metas, slots, replicas, ack, generation, ..RegistryConfig::default() }
}

fn plain_fault(plan: &mut Plan, at: usize) {
    let fault = &mut plan.faults[at];
    fault.id = at as u32;
    let drawn = matches!(fault.shape, Shape::Minority | Shape::Halves | Shape::Ring | Shape::Bridge);
    if matches!(fault.target.pick, Pick::Named(_)) && !drawn {
        fault.target.draw = 0;
    }
    if !fault.kind.is_on_links() {
        fault.shape = Shape::default();
    }
    if matches!(fault.kind, FaultKind::Kill | FaultKind::Pause | FaultKind::Partition) {
        fault.amount = 0;
    }
}

/// Numbers of registrations and subscriptions of the other client stay apart.
fn merge(plan: &mut Plan, from: ClientId, into: ClientId) {
    const APART: u32 = 1_000;
    plan.operations.retain(|operation| operation.client != from || operation.call != PlannedCall::Connect);
    for operation in plan.operations.iter_mut().filter(|operation| operation.client == from) {
        operation.client = into;
        match &mut operation.call {
            PlannedCall::Publish { registration, .. } | PlannedCall::Unpublish { registration, .. } => {
                *registration = registration.wrapping_add(APART);
            }
            PlannedCall::Subscribe { subscription, .. } | PlannedCall::Unsubscribe { subscription, .. } => {
                *subscription = subscription.wrapping_add(APART);
            }
            _ => {}
        }
    }
}

fn rename(plan: &mut Plan, name: &dyn Fn(DataIx) -> DataIx) {
    for operation in &mut plan.operations {
        match &mut operation.call {
            PlannedCall::Publish { data, .. }
            | PlannedCall::Unpublish { data, .. }
            | PlannedCall::Subscribe { data, .. }
            | PlannedCall::Unsubscribe { data, .. }
            | PlannedCall::Read { data } => *data = name(*data),
            PlannedCall::Connect | PlannedCall::Ping | PlannedCall::Close | PlannedCall::Vanish => {}
        }
    }
}

fn compact(plan: &mut Plan) {
    let acting: BTreeSet<ClientId> = plan.operations.iter().map(|operation| operation.client).collect();
    let numbers: BTreeMap<ClientId, ClientId> = acting.iter().copied().zip(0..).collect();
    plan.clients.retain(|client| acting.contains(&client.id));
    for client in &mut plan.clients {
        client.id = numbers[&client.id];
    }
    for operation in &mut plan.operations {
        operation.client = numbers[&operation.client];
    }
    for fault in &mut plan.faults {
        if let Pick::OfClient(client) = &mut fault.target.pick {
            *client = numbers.get(client).copied().unwrap_or(0);
        }
    }
    let used: BTreeSet<DataIx> = plan.operations.iter().filter_map(|operation| operation.call.data()).collect();
    let places: BTreeMap<DataIx, DataIx> = used.iter().copied().zip(0..).collect();
    rename(plan, &|data| places[&data]);
    plan.data_ids.truncate(used.len().max(1));
    registrations_from_zero(plan);
}

/// Numbers of registrations and subscriptions of each client, in the order of their first use.
fn registrations_from_zero(plan: &mut Plan) {
    let mut numbers: BTreeMap<(ClientId, bool, u32), u32> = BTreeMap::new();
    let mut counts: BTreeMap<(ClientId, bool), u32> = BTreeMap::new();
    for operation in &mut plan.operations {
        let client = operation.client;
        let (publishes, number) = match &mut operation.call {
            PlannedCall::Publish { registration, .. } | PlannedCall::Unpublish { registration, .. } => {
                (true, registration)
            }
            PlannedCall::Subscribe { subscription, .. } | PlannedCall::Unsubscribe { subscription, .. } => {
                (false, subscription)
            }
            _ => continue,
        };
        *number = *numbers.entry((client, publishes, *number)).or_insert_with(|| {
            let count = counts.entry((client, publishes)).or_insert(0);
            *count += 1;
            *count - 1
        });
    }
}

/// Times of all operations and beginnings of faults, in order.
pub fn moments(plan: &Plan) -> Vec<Nanos> {
    let operations = plan.operations.iter().map(|operation| operation.at);
    let mut all: Vec<Nanos> = operations.chain(plan.faults.iter().map(|fault| fault.at)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Where chaos ends.
pub fn end(plan: &Plan) -> Nanos {
    plan.time.warmup_ns + plan.time.chaos_ns
}

fn gap(plan: &mut Plan, at: usize, ns: Nanos) {
    let all = moments(plan);
    let Some(from) = all.get(at).copied() else { return };
    let before = at.checked_sub(1).map_or(0, |before| all[before]);
    let sooner = (from - before).saturating_sub(ns);
    let moved = |time: Nanos| if time >= from { time - sooner } else { time };
    plan.operations.iter_mut().for_each(|operation| operation.at = moved(operation.at));
    plan.faults.iter_mut().for_each(|fault| fault.at = moved(fault.at));
    length(plan, end(plan).saturating_sub(sooner).max(moved(all[all.len() - 1])));
}

fn later(plan: &mut Plan, at: usize, ns: Nanos) {
    let Some(from) = moments(plan).get(at).copied() else { return };
    let moved = |time: Nanos| if time >= from { time + ns } else { time };
    plan.operations.iter_mut().for_each(|operation| operation.at = moved(operation.at));
    plan.faults.iter_mut().for_each(|fault| fault.at = moved(fault.at));
    length(plan, end(plan) + ns);
}

/// Operations and faults in order of time, and chaos as long as they need.
fn in_order(plan: &mut Plan) {
    plan.operations.sort_by_key(|operation| operation.at);
    plan.faults.sort_by_key(|fault| fault.at);
    let last = moments(plan).last().copied().unwrap_or(0);
    length(plan, end(plan).max(last));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scenario::Scenario;

    fn plan() -> Plan {
        let (scenario, _) = Scenario::load("registry-churn", &[]).unwrap();
        Plan::draw(&scenario, 7, None)
    }

    #[test]
    fn edits_keep_plans_in_order_and_whole() {
        let plan = plan();
        let kept: BTreeSet<ClientId> = [3, 17].into();
        let small = Edit::All(vec![Edit::KeepClients(kept), Edit::KeepData(0), Edit::Compact]).apply(&plan);
        assert_eq!(small.clients.len(), 2);
        assert!(small.clients.iter().enumerate().all(|(at, client)| client.id as usize == at));
        assert!(small.operations.iter().all(|operation| operation.client < 2));
        assert_eq!(small.data_ids.len(), 1);
        let moved = Edit::Gap(5, 0).apply(&small);
        assert!(moved.operations.windows(2).all(|pair| pair[0].at <= pair[1].at));
        assert!(end(&moved) < end(&small));
        assert_eq!(moments(&moved).len(), moments(&small).len() - 1);
    }

    #[test]
    fn a_client_takes_over_what_another_did() {
        let plan = plan();
        let count = |plan: &Plan, client| plan.operations.iter().filter(|o| o.client == client).count();
        let connects = |o: &&workloads::PlannedOperation| o.client == 9 && o.call == PlannedCall::Connect;
        let given = count(&plan, 9) - plan.operations.iter().filter(connects).count();
        let merged = Edit::Merge { from: 9, into: 8 }.apply(&plan);
        assert_eq!((count(&merged, 9), count(&merged, 8)), (0, count(&plan, 8) + given));
    }

    #[test]
    fn nothing_is_left_after_the_end() {
        let cut = Edit::EndAt(5_000 * MILLI).apply(&plan());
        assert_eq!(end(&cut), 5_000 * MILLI);
        assert!(moments(&cut).iter().all(|time| *time <= 5_000 * MILLI));
        let all_in_chaos = Edit::NoWarmUp.apply(&cut);
        assert_eq!((all_in_chaos.time.warmup_ns, end(&all_in_chaos)), (0, 5_000 * MILLI));
    }
}
