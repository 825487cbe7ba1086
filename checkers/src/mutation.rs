//! Spoils a recorded history a little, to see whether the checkers notice. Determined by the history and a number.

use history::{Event, Nanos, Push, Snapshot, SnapshotId};
use std::collections::BTreeMap;

/// What was done to a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mutation {
    /// A push does not happen.
    DropPush,
    /// A push comes later.
    DelayPush,
    /// Two pushes of one subscription change places.
    SwapPushes,
    /// An element is missing from a push.
    DropElement,
    /// An element that was never published is in a push.
    AddUnknown,
    /// An element that was published at some time is in a push.
    AddKnown,
    /// An element is twice in a push.
    DuplicateElement,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Mutation; 7] = [
        Mutation::DropPush,
        Mutation::DelayPush,
        Mutation::SwapPushes,
        Mutation::DropElement,
        Mutation::AddUnknown,
        Mutation::AddKnown,
        Mutation::DuplicateElement,
    ];
}

/// A small generator of numbers (splitmix64), so that a number alone determines what is done.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Applies one mutation, drawn by `seed`; the events stay in order of time. Answers the new history and a description; the
/// history is unchanged if nothing in it can be mutated.
pub fn mutate(events: &[Event], seed: u64) -> (Vec<Event>, String) {
    let mut numbers = Numbers(seed);
    let mutation = Mutation::ALL[numbers.below(Mutation::ALL.len())];
    apply(events, mutation, numbers.next())
}

/// Applies this mutation at a place drawn by `seed`.
pub fn apply(events: &[Event], mutation: Mutation, seed: u64) -> (Vec<Event>, String) {
    let mut numbers = Numbers(seed);
    let pushes: Vec<usize> = (0..events.len()).filter(|at| matches!(events[*at], Event::Push(_))).collect();
    let mut out = events.to_vec();
    if pushes.is_empty() {
        return (out, "nothing to mutate".to_owned());
    }
    let at = pushes[numbers.below(pushes.len())];
    let Event::Push(push) = events[at].clone() else { return (out, "nothing to mutate".to_owned()) };
    let place = format!("push at {} ns to client {} subscription {}", push.time, push.client, push.subscription);
    match mutation {
        Mutation::DropPush => {
            out.remove(at);
            (out, format!("dropped the {place}"))
        }
        Mutation::DelayPush => {
            let end = events.iter().filter_map(Event::time).max().unwrap_or(push.time);
            let by = 1 + numbers.next() % (end - push.time + 1);
            delay(&mut out, at, push, by);
            (out, format!("delayed the {place} by {by} ns"))
        }
        Mutation::SwapPushes => match other(events, &pushes, at, &mut numbers) {
            None => (out, "nothing to swap".to_owned()),
            Some(second) => {
                swap(&mut out, at, second);
                (out, format!("swapped the {place} with that of event {second}"))
            }
        },
        _ => {
            let whole = content(events, push.snapshot);
            let Some((add, remove)) = element(events, mutation, &whole, &mut numbers) else {
                return (out, "nothing to change".to_owned());
            };
            let description = format!("{mutation:?} ({}{}) in the {place}", add.join(""), remove.join(""));
            replace(&mut out, at, &push, add, remove);
            (out, description)
        }
    }
}

fn delay(out: &mut Vec<Event>, at: usize, push: Push, by: Nanos) {
    let time = push.time + by;
    out.remove(at);
    let place = (at..out.len()).find(|i| out[*i].time().is_some_and(|t| t > time)).unwrap_or(out.len());
    out.insert(place, Event::Push(Push { time, ..push }));
}

/// Another push of the same subscription with another content.
fn other(events: &[Event], pushes: &[usize], at: usize, numbers: &mut Numbers) -> Option<usize> {
    let Event::Push(first) = &events[at] else { return None };
    let like = |i: &usize| match &events[*i] {
        Event::Push(p) => {
            (p.client, p.subscription, p.data) == (first.client, first.subscription, first.data)
                && p.snapshot != first.snapshot
        }
        _ => false,
    };
    let others: Vec<usize> = pushes.iter().copied().filter(like).collect();
    (!others.is_empty()).then(|| others[numbers.below(others.len())])
}

/// Exchanges what two pushes show. Contents may then be used before the line that defines them, so all move to the front.
fn swap(out: &mut [Event], a: usize, b: usize) {
    let (Event::Push(first), Event::Push(second)) = (out[a].clone(), out[b].clone()) else { return };
    out[a] = Event::Push(Push { snapshot: second.snapshot, version: second.version, ..first.clone() });
    out[b] = Event::Push(Push { snapshot: first.snapshot, version: first.version, ..second });
    out.sort_by_key(|e| !matches!(e, Event::Snapshot(_)));
}

fn content(events: &[Event], id: SnapshotId) -> Vec<String> {
    let mut by_id: BTreeMap<SnapshotId, &Snapshot> = BTreeMap::new();
    for event in events {
        if let Event::Snapshot(snapshot) = event {
            by_id.insert(snapshot.id, snapshot);
        }
    }
    let mut net: BTreeMap<&str, i64> = BTreeMap::new();
    let mut next = by_id.get(&id);
    while let Some(snapshot) = next {
        snapshot.add.iter().for_each(|v| *net.entry(v).or_default() += 1);
        snapshot.remove.iter().for_each(|v| *net.entry(v).or_default() -= 1);
        next = snapshot.base.and_then(|b| by_id.get(&b));
    }
    net.into_iter().filter(|n| n.1 > 0).map(|n| n.0.to_owned()).collect()
}

/// What to add and what to remove.
fn element(
    events: &[Event],
    mutation: Mutation,
    whole: &[String],
    numbers: &mut Numbers,
) -> Option<(Vec<String>, Vec<String>)> {
    let mut draw = |from: &[String]| (!from.is_empty()).then(|| from[numbers.below(from.len())].clone());
    match mutation {
        Mutation::DropElement => Some((Vec::new(), vec![draw(whole)?])),
        Mutation::DuplicateElement => Some((vec![draw(whole)?], Vec::new())),
        Mutation::AddUnknown => Some((vec!["0.0.0.0:0#never".to_owned()], Vec::new())),
        _ => {
            let published = |e: &Event| match e {
                Event::Op(op) if op.f == history::Function::Publish => op.value.clone(),
                _ => None,
            };
            let mut known: Vec<String> = events.iter().filter_map(published).collect();
            known.sort();
            known.dedup();
            known.retain(|v| whole.binary_search(v).is_err());
            Some((vec![draw(&known)?], Vec::new()))
        }
    }
}

/// Gives a push a content of its own.
fn replace(out: &mut Vec<Event>, at: usize, push: &Push, add: Vec<String>, remove: Vec<String>) {
    let used = out.iter().filter_map(|e| if let Event::Snapshot(s) = e { Some(s.id) } else { None });
    let id = used.max().map_or(0, |id| id + 1);
    out[at] = Event::Push(Push { snapshot: id, ..push.clone() });
    out.insert(at, Event::Snapshot(Box::new(Snapshot { id, data: push.data, base: Some(push.snapshot), add, remove })));
}
