//! Which edits are worth trying, and in which order: from those that take most away to those that only make what is left
//! plainer. Every edit that is offered here makes the plan simpler, and with luck fewer operations or faults are left: the
//! passes come to an end.

use super::edit::{Edit, Part, end, moments};
use super::luck;
use super::search::Search;
use super::size::Size;
use crate::plan::{Plan, SystemPlan};
use history::{ClientId, DataIx, MILLI, Nanos, SECOND};
use nemesis::Pick;
use std::collections::BTreeSet;
use std::ops::Range;

/// Plain lengths of time.
pub const PLAIN_NS: [Nanos; 14] = [
    0,
    MILLI,
    2 * MILLI,
    5 * MILLI,
    10 * MILLI,
    20 * MILLI,
    50 * MILLI,
    100 * MILLI,
    200 * MILLI,
    500 * MILLI,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
];
/// Plans of so many operations are small enough to try all that.
pub const SMALL: usize = 24;
/// So many parts of a plan are tried one by one as long as there are larger ones that can go.
const PARTS: usize = 16;
/// Plans that are tried with luck on the way down, about.
const LUCK: u64 = 5_000;
/// Other ways down that are tried where much is left.
const AGAIN: usize = 2;

/// Everything; where much is left, once more with other draws: which way down is taken is a matter of luck.
pub fn all(search: &mut Search<'_>) {
    cut(search);
    focus(search);
    let begin = (search.plan.clone(), search.failure.clone());
    reduce(search);
    for _ in 0..AGAIN {
        let size = Size::of(&search.plan);
        if search.out_of_time || !size.is_much() {
            return;
        }
        let found = std::mem::replace(&mut search.plan, begin.0.clone());
        let failure = std::mem::replace(&mut search.failure, begin.1.clone());
        reduce(search);
        if Size::of(&search.plan).worth() >= size.worth() {
            (search.plan, search.failure) = (found, failure);
        }
    }
}

/// Until nothing more can be taken away or time is out.
fn reduce(search: &mut Search<'_>) {
    let (mut parts, mut luck_left) = (PARTS, LUCK);
    while !search.out_of_time {
        let before = search.plan.clone();
        while luck::thinner(search) {
            cut(search);
        }
        take_away(search, parts);
        search.first(&[Edit::Compact]);
        setting(search);
        if search.plan != before {
            continue;
        }
        if parts < search.plan.operations.len() {
            parts *= PARTS;
            continue;
        }
        let tried = search.attempts;
        if luck_left > 0 && luck::more(search) {
            luck_left = luck_left.saturating_sub(search.attempts - tried);
            continue;
        }
        luck_left = luck_left.saturating_sub(search.attempts - tried);
        plain(search);
        if search.plan == before {
            return;
        }
    }
}

/// What comes after the violation does not matter to it.
fn cut(search: &mut Search<'_>) {
    let (at, end) = (search.failure.violation.time, end(&search.plan));
    let later = [0, 100 * MILLI, 500 * MILLI, SECOND, 2 * SECOND, 5 * SECOND].map(|more| at + more);
    let edits: Vec<Edit> = later.into_iter().filter(|cut| *cut < end).map(Edit::EndAt).collect();
    search.first(&edits);
}

/// In one go to those whom the evidence names: who saw it, whose registrations are concerned, which dataId.
fn focus(search: &mut Search<'_>) {
    let violation = &search.failure.violation;
    let wrong = |value: &Option<String>| {
        value.as_ref().is_some_and(|value| violation.missing.contains(value) || violation.extra.contains(value))
    };
    let observer: Vec<ClientId> = violation.client.into_iter().collect();
    let with = |clients: &mut dyn Iterator<Item = ClientId>| -> BTreeSet<ClientId> {
        observer.iter().copied().chain(clients).collect()
    };
    let concerned = with(&mut violation.trail.iter().filter(|step| wrong(&step.value)).map(|step| step.client));
    let in_trail = with(&mut violation.trail.iter().map(|step| step.client));
    let data = Edit::KeepData(violation.data);
    let no_faults = Edit::DropFaults(0..usize::MAX);
    let edits = [
        Edit::All(vec![Edit::KeepClients(concerned.clone()), data.clone(), no_faults]),
        Edit::All(vec![Edit::KeepClients(concerned.clone()), data.clone()]),
        Edit::All(vec![Edit::KeepClients(in_trail), data.clone()]),
        data,
        Edit::KeepClients(concerned),
    ];
    search.first(&edits);
}

/// Faults, clients and operations, by halves, quarters and so on down to single ones.
fn take_away(search: &mut Search<'_>, parts: usize) {
    sweep(search, parts, |plan| plan.faults.len(), &|_, range| Edit::DropFaults(range));
    sweep(search, parts, |plan| acting(plan).len(), &|plan, range| {
        let kept = acting(plan).into_iter().enumerate().filter(|(at, _)| !range.contains(at));
        Edit::KeepClients(kept.map(|(_, client)| client).collect())
    });
    sweep(search, parts, |plan| plan.operations.len(), &|_, range| Edit::DropOperations(range));
    merge(search);
}

/// Delta debugging: tries to leave out each chunk, then chunks of half the length. Later chunks first: what came last
/// before the violation is needed most often, but what was added last is also what nothing else depends on.
/// No further than to so many chunks: while a plan is large each try is slow, and other passes make it smaller sooner.
fn sweep(search: &mut Search<'_>, parts: usize, count: fn(&Plan) -> usize, edit: &dyn Fn(&Plan, Range<usize>) -> Edit) {
    let mut chunk = count(&search.plan);
    while chunk > 0 && count(&search.plan) <= chunk * parts && !search.out_of_time {
        let mut skip = 0;
        loop {
            let all = count(&search.plan);
            let chunks: Vec<Range<usize>> =
                (0..all.div_ceil(chunk)).rev().map(|at| at * chunk..((at + 1) * chunk).min(all)).collect();
            let edits: Vec<Edit> = chunks.into_iter().skip(skip).map(|range| edit(&search.plan, range)).collect();
            // Chunks behind the one that went were tried before it went; the next fixed point tries them again.
            match search.first(&edits) {
                Some(at) => skip += at,
                None => break,
            }
        }
        chunk /= 2;
    }
}

/// Clients that act, in order.
pub fn acting(plan: &Plan) -> Vec<ClientId> {
    let all: BTreeSet<ClientId> = plan.operations.iter().map(|operation| operation.client).collect();
    all.into_iter().collect()
}

/// DataIds that are used, in order.
fn used(plan: &Plan) -> Vec<DataIx> {
    let all: BTreeSet<DataIx> = plan.operations.iter().filter_map(|operation| operation.call.data()).collect();
    all.into_iter().collect()
}

/// Two clients, or two dataIds, become one.
fn merge(search: &mut Search<'_>) {
    if search.plan.operations.len() > SMALL {
        return;
    }
    loop {
        let mut edits = Vec::new();
        let clients = acting(&search.plan);
        for (at, into) in clients.iter().enumerate() {
            edits.extend(clients[at + 1..].iter().map(|from| Edit::Merge { from: *from, into: *into }));
        }
        let data_ids = used(&search.plan);
        for (at, into) in data_ids.iter().enumerate() {
            edits.extend(data_ids[at + 1..].iter().map(|from| Edit::MergeData { from: *from, into: *into }));
        }
        if search.first(&edits).is_none() {
            return;
        }
    }
}

/// A smaller cluster with nothing special about it.
fn setting(search: &mut Search<'_>) {
    cluster(search);
    search.first(&[Edit::PlainDelays]);
    search.first(&[Edit::NoWarmUp]);
    pings(search);
}

/// What is left becomes plainer: named targets, round times.
fn plain(search: &mut Search<'_>) {
    if search.plan.operations.len() > 8 * SMALL {
        return;
    }
    for client in 0..search.plan.clients.len() as u32 {
        let sessions = sessions(&search.plan);
        let home = search.plan.clients[client as usize].node;
        // The same node by its plain number, at least.
        let homes: Vec<Edit> = (0..sessions).filter(|node| *node < home).map(|node| Edit::Home(client, node)).collect();
        search.first(&homes);
        search.first(&[Edit::PlainReactions(client)]);
    }
    faults(search);
    times(search);
    search.first(&[Edit::PlainOrder]);
}

/// Not at all is plainest, then rarely.
fn pings(search: &mut Search<'_>) {
    let now = search.plan.time.ping_ns;
    let rarer = [0, 60 * SECOND, 10 * SECOND, 5 * SECOND].into_iter().take_while(|ns| *ns != now && now != 0);
    let edits: Vec<Edit> = rarer.map(Edit::Pings).collect();
    search.first(&edits);
}

/// Fewer nodes and slots.
fn cluster(search: &mut Search<'_>) {
    for part in Part::ALL {
        let SystemPlan::Registry(config) = &search.plan.system else { return };
        let now = part.count(config);
        let fewer = [1, 2, 3, 4, 8, 16, 32, 64].into_iter().filter(|count| *count < now);
        let edits: Vec<Edit> = fewer.map(|count| Edit::Cluster(part, count)).collect();
        search.first(&edits);
    }
}

fn sessions(plan: &Plan) -> u32 {
    match &plan.system {
        SystemPlan::Registry(config) => config.sessions.max(1),
        SystemPlan::Zookeeper(_) => 1,
    }
}

/// Faults aim at the node that they hit, and last no longer than needed.
fn faults(search: &mut Search<'_>) {
    for at in 0..search.plan.faults.len() {
        let fault = &search.plan.faults[at];
        if !matches!(fault.target.pick, Pick::Named(_))
            && let Some(name) = search.failure.targets.get(&fault.id)
        {
            search.first(&[Edit::Target(at, name.clone())]);
        }
        let lengths = shorter(search.plan.faults[at].duration);
        let edits: Vec<Edit> = lengths.into_iter().map(|ns| Edit::Duration(at, ns)).collect();
        search.first(&edits);
        search.first(&[Edit::PlainFault(at)]);
    }
}

/// Gaps between moments, and the end of chaos.
fn times(search: &mut Search<'_>) {
    let mut at = 0;
    while at < moments(&search.plan).len() && !search.out_of_time {
        let all = moments(&search.plan);
        let gap = all[at] - at.checked_sub(1).map_or(0, |before| all[before]);
        let edits: Vec<Edit> = shorter(gap).into_iter().map(|ns| Edit::Gap(at, ns)).collect();
        let mut moved = search.first(&edits);
        if moved.is_none() && !PLAIN_NS.contains(&gap) {
            moved = search.first(&luck::each(search, &edits));
        }
        // A gap of nothing makes two moments one.
        let joined = moments(&search.plan).len() < all.len();
        if moved.is_none() || !joined {
            at += 1;
        }
    }
    let last = moments(&search.plan).last().copied().unwrap_or(0);
    let now = end(&search.plan) - last;
    let edits: Vec<Edit> = shorter(now).into_iter().map(|rest| Edit::Length(last + rest)).collect();
    search.first(&edits);
}

/// Plain lengths below this one, then this one with fewer and fewer digits cut off.
fn shorter(now: Nanos) -> Vec<Nanos> {
    let plain = PLAIN_NS.into_iter().filter(|ns| *ns < now);
    let cut = [SECOND, 100 * MILLI, 10 * MILLI, MILLI].into_iter().map(|unit| now / unit * unit);
    let mut all: Vec<Nanos> = plain.chain(cut.filter(|ns| *ns < now && *ns > 0)).collect();
    all.dedup();
    all
}
