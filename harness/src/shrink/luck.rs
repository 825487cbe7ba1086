//! Edits that need luck: what else a plan holds decides about the instant of every message, so that a smaller one often
//! fails only with other draws inside the simulation, or with its faults a little earlier, longer or elsewhere. Such edits
//! are drawn from a stream of the plan's own seed: the same plan is always offered the same.

use super::edit::{Edit, end, moments};
use super::passes::{PLAIN_NS, SMALL, acting};
use super::search::Search;
use crate::plan::Plan;
use history::{DataIx, FaultKind, MILLI, Nanos, SECOND};
use simulation::Stream;
use std::collections::BTreeSet;

/// Draws inside the simulation that are tried where leaving something out needs a little luck.
const KERNEL_SEEDS: u64 = 6;
/// Plans of fewer operations than this are as good as it gets.
const FEW: usize = 7;
/// Thinner plans of one size that are drawn before it is given up.
const THINNER: usize = 32;
/// Shaken plans that are drawn before it is given up.
const SHAKEN: usize = 800;
/// Steps that are taken among plans of one size.
const STEPS: usize = 40;
/// Changes of which one step is made.
const TWEAKS: usize = 24;
/// By so much moments are moved.
const SHIFTS_NS: [Nanos; 9] =
    [MILLI, 5 * MILLI, 20 * MILLI, 50 * MILLI, 100 * MILLI, 200 * MILLI, 500 * MILLI, SECOND, 2 * SECOND];
/// Kinds that need no more than a target, a time and a length; with how strong they are.
const PLAIN_KINDS: [(FaultKind, i64); 5] = [
    (FaultKind::Rebalance, 1),
    (FaultKind::Kill, 0),
    (FaultKind::Pause, 0),
    (FaultKind::Partition, 0),
    (FaultKind::StaleTable, 0),
];

/// Each edit together with other draws inside the simulation, while the plan is small enough to try all that.
pub fn each(search: &Search<'_>, edits: &[Edit]) -> Vec<Edit> {
    if search.plan.operations.len() > SMALL {
        return Vec::new();
    }
    let with =
        |edit: &Edit| (1..=KERNEL_SEEDS).map(|seed| Edit::All(vec![edit.clone(), Edit::KernelSeed(seed)])).collect();
    edits.iter().flat_map(|edit| -> Vec<Edit> { with(edit) }).collect()
}

/// With other draws inside the simulation, or shaken, something more may go.
pub fn more(search: &mut Search<'_>) -> bool {
    let mut drops: Vec<Edit> = (0..search.plan.faults.len()).map(|at| Edit::DropFaults(at..at + 1)).collect();
    let clients = acting(&search.plan);
    for (at, into) in clients.iter().enumerate() {
        drops.extend(clients[at + 1..].iter().map(|from| Edit::Merge { from: *from, into: *into }));
    }
    drops.extend((0..search.plan.operations.len()).rev().map(|at| Edit::DropOperations(at..at + 1)));
    let edits = each(search, &drops);
    search.first(&edits).is_some() || pairs(search) || shaken(search) || wander(search)
}

/// Two operations that only together can go: one that undoes the other, or a client's connect and what it does then.
fn pairs(search: &mut Search<'_>) -> bool {
    let count = search.plan.operations.len();
    // Of few operations none is worth so many tries.
    if !(FEW..=SMALL).contains(&count) {
        return false;
    }
    let drop = |at: usize| Edit::DropOperations(at..at + 1);
    let pairs = (0..count).rev().flat_map(|later| (0..later).rev().map(move |sooner| (later, sooner)));
    let edits: Vec<Edit> = pairs.map(|(later, sooner)| Edit::All(vec![drop(later), drop(sooner)])).collect();
    let with_luck = each(search, &edits);
    search.first(&edits).or_else(|| search.first(&with_luck)).is_some()
}

/// A large plan may fail by chance in many ways: some part of it fails as well, with other draws. Small parts first: they
/// are tried soonest.
pub fn thinner(search: &mut Search<'_>) -> bool {
    let count = search.plan.operations.len();
    if count <= SMALL {
        return false;
    }
    let clients = acting(&search.plan).len();
    let mut stream = search.stream("thinner");
    let mut edits = Vec::new();
    for kept in [2, 3, 5, 8, clients / 3, clients / 2, clients - clients / 4] {
        let thinner =
            (0..THINNER).map(|_| thin(&search.plan, kept.min(clients), search.failure.violation.data, &mut stream));
        edits.extend(thinner.filter(|edit| edit.apply(&search.plan).operations.len() < count));
    }
    search.first(&edits).is_some()
}

/// Some clients, drawn; perhaps on one dataId only, perhaps not all that they do, perhaps with few of the faults.
fn thin(plan: &Plan, kept: usize, data: DataIx, stream: &mut Stream) -> Edit {
    let mut clients = acting(plan);
    stream.shuffle(&mut clients);
    clients.truncate(kept);
    let mut edits = vec![Edit::KeepClients(clients.into_iter().collect())];
    if stream.chance(500) {
        edits.push(Edit::KeepData(data));
    }
    if stream.chance(300) {
        let left = Edit::All(edits.clone()).apply(plan).operations.len();
        edits.push(Edit::KeepOperations((0..left).filter(|_| stream.chance(700)).collect()));
    }
    if stream.chance(500) {
        let mut left = plan.faults.len();
        while left > 0 && stream.chance(800) {
            let at = stream.below(left as u64) as usize;
            edits.push(Edit::DropFaults(at..at + 1));
            left -= 1;
        }
    }
    if stream.chance(300) {
        edits.extend(tweak(&Edit::All(edits.clone()).apply(plan), stream));
    }
    edits.push(Edit::KernelSeed(stream.between(1, 999)));
    Edit::All(edits)
}

/// Something goes, and what is left is moved, lengthened or made another kind of fault to make up for it.
fn shaken(search: &mut Search<'_>) -> bool {
    if good(&search.plan) {
        return false;
    }
    let mut stream = search.stream("shaken");
    let edits: Vec<Edit> = (0..SHAKEN).map(|_| shake(&search.plan, &mut stream)).collect();
    search.first(&edits).is_some()
}

/// True if less could hardly fail.
fn good(plan: &Plan) -> bool {
    plan.faults.len() <= 1 && plan.operations.len() < FEW
}

fn shake(plan: &Plan, stream: &mut Stream) -> Edit {
    let (operations, faults) = (plan.operations.len() as u64, plan.faults.len() as u64);
    let mut edits = Vec::new();
    let mut left = faults;
    // Fewer faults are worth more than fewer operations.
    if faults > 0 && (faults > 1 || operations < FEW as u64) && stream.chance(600) {
        for _ in 0..=stream.below(faults.div_ceil(2)) {
            let at = stream.below(left) as usize;
            edits.push(Edit::DropFaults(at..at + 1));
            left -= 1;
        }
    } else {
        let mut kept: BTreeSet<usize> = (0..operations as usize).collect();
        for _ in 0..=stream.below(operations.div_ceil(4).max(2)) {
            kept.remove(&(stream.below(operations) as usize));
        }
        edits.push(Edit::KeepOperations(kept));
    }
    let small = Edit::All(edits.clone()).apply(plan);
    for _ in 0..=stream.below(4) {
        edits.extend(tweak(&small, stream));
    }
    if stream.chance(500) {
        edits.push(Edit::KernelSeed(stream.between(1, 999)));
    }
    Edit::All(edits)
}

/// Wanders among plans of the same size that fail, until from one of them something can be taken away.
fn wander(search: &mut Search<'_>) -> bool {
    if good(&search.plan) {
        return false;
    }
    let home = (search.plan.clone(), search.failure.clone());
    let mut stream = search.stream("wander");
    for _ in 0..STEPS {
        let drawn = |stream: &mut Stream, plan: &Plan| {
            let tweaks = (0..=stream.below(2)).filter_map(|_| tweak(plan, stream)).collect();
            Edit::All(tweaks)
        };
        let edits: Vec<Edit> = (0..TWEAKS).map(|_| drawn(&mut stream, &search.plan)).collect();
        if search.first(&edits).is_none() {
            break;
        }
        let mut drops: Vec<Edit> = (0..search.plan.faults.len()).map(|at| Edit::DropFaults(at..at + 1)).collect();
        drops.extend((0..search.plan.operations.len()).rev().map(|at| Edit::DropOperations(at..at + 1)));
        let seed = stream.between(1, 999);
        drops.extend(drops.clone().into_iter().map(|drop| Edit::All(vec![drop, Edit::KernelSeed(seed)])));
        if search.first(&drops).is_some() {
            return true;
        }
    }
    (search.plan, search.failure) = home;
    false
}

/// One change of what is left; it makes nothing simpler by itself.
fn tweak(plan: &Plan, stream: &mut Stream) -> Option<Edit> {
    let pick = |stream: &mut Stream, count: usize| stream.below(count as u64) as usize;
    let shifted = |stream: &mut Stream, time: Nanos| {
        let by = SHIFTS_NS[pick(stream, SHIFTS_NS.len())];
        if stream.chance(500) { time + by } else { time.saturating_sub(by) }
    };
    if plan.faults.is_empty() || stream.chance(300) {
        if plan.operations.is_empty() {
            return None;
        }
        if stream.chance(500) {
            let at = pick(stream, plan.operations.len());
            return Some(Edit::MoveOperation(at, shifted(stream, plan.operations[at].at)));
        }
        let at = pick(stream, moments(plan).len());
        return Some(Edit::Later(at, SHIFTS_NS[pick(stream, SHIFTS_NS.len())]));
    }
    let at = pick(stream, plan.faults.len());
    let fault = &plan.faults[at];
    Some(match stream.below(8) {
        0 | 1 => Edit::MoveFault(at, shifted(stream, fault.at)),
        2..=4 => {
            let ns = PLAIN_NS[pick(stream, PLAIN_NS.len())];
            // What begins near the end of chaos needs more of it to last longer.
            Edit::All(vec![Edit::Duration(at, ns), Edit::Length(end(plan).max(fault.at + ns))])
        }
        5 => Edit::Amount(at, fault.amount * [1, 2, 5][pick(stream, 3)] / [1, 2][pick(stream, 2)]),
        6 => {
            let nodes = plan.system.nodes();
            let name = nodes[pick(stream, nodes.len())].clone();
            Edit::Target(at, name)
        }
        _ => {
            let (kind, amount) = PLAIN_KINDS[pick(stream, PLAIN_KINDS.len())];
            Edit::Kind(at, kind, amount)
        }
    })
}
