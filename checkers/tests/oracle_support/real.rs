//! A recorded history on the oracle's grid, and what the oracle needs of it.
//!
//! The oracle knows one registration on a dataId and one subscription of each client. So every registration, and every
//! subscription, is told as that of a client of its own with the sessions of the real one.

use super::tale::{Conn, Fault, Op, Push, Tale};
use super::truth::{Who, truth};
use history::{Event, FaultStage, Function, Header, MILLI, Nanos, Operation, Outcome, PhaseName, SnapshotId};
use std::collections::{BTreeMap, BTreeSet};

fn set_time(event: &mut Event, to: Nanos) {
    match event {
        Event::Op(e) => e.time = to,
        Event::Dropped(e) => e.time = to,
        Event::Push(e) => e.time = to,
        Event::Snapshot(_) => {}
        Event::Connection(e) => e.time = to,
        Event::Fault(e) => e.time = to,
        Event::Phase(e) => e.time = to,
        Event::Routes(e) => e.time = to,
    }
}

/// Whole milliseconds, rounded down where that is free; events keep their order and no two have the same time.
pub fn on_grid(events: &[Event]) -> Vec<Event> {
    let mut free = 1;
    let mut out = events.to_vec();
    for event in &mut out {
        if let Some(time) = event.time() {
            let at = free.max(time / MILLI);
            set_time(event, at * MILLI);
            free = at + 1;
        }
    }
    out
}

/// Moves pushes that left the grid, or that came to the time of another event, to the next free millisecond before the end.
pub fn back_on_grid(mut events: Vec<Event>) -> Vec<Event> {
    let mut used: BTreeMap<Nanos, u32> = BTreeMap::new();
    for event in &events {
        *used.entry(event.time().unwrap_or(0)).or_default() += 1;
    }
    let end = events.iter().rev().find(|e| matches!(e, Event::Phase(_))).and_then(Event::time).unwrap();
    for event in &mut events {
        let Event::Push(push) = event else { continue };
        let time = push.time;
        if time.is_multiple_of(MILLI) && used[&time] == 1 {
            continue;
        }
        let first = time.div_ceil(MILLI);
        let later = (first..end / MILLI).map(|t| t * MILLI).find(|t| !used.contains_key(t));
        let to = later.or_else(|| (0..first).rev().map(|t| t * MILLI).find(|t| *t < end && !used.contains_key(t)));
        let to = to.unwrap();
        *used.get_mut(&time).unwrap() -= 1;
        used.insert(to, 1);
        set_time(event, to);
    }
    // Contents first, as a moved push may now come before the line that defines its content.
    events.sort_by_key(|e| e.time().unwrap_or(0));
    events
}

fn contents(events: &[Event]) -> BTreeMap<SnapshotId, Vec<String>> {
    let by_id: BTreeMap<SnapshotId, &history::Snapshot> =
        events.iter().filter_map(|e| if let Event::Snapshot(s) = e { Some((s.id, &**s)) } else { None }).collect();
    let mut out = BTreeMap::new();
    for (&id, &snapshot) in &by_id {
        let mut chain = vec![snapshot];
        while let Some(base) = chain.last().unwrap().base {
            chain.push(by_id[&base]);
        }
        let mut whole: Vec<String> = Vec::new();
        for part in chain.into_iter().rev() {
            for value in &part.remove {
                whole.remove(whole.iter().position(|v| v == value).unwrap());
            }
            whole.extend(part.add.iter().cloned());
        }
        whole.sort();
        out.insert(id, whole);
    }
    out
}

/// A history taken apart.
pub struct Parts {
    header: Header,
    /// With what a publish or a subscription is about.
    ops: Vec<(Operation, Op)>,
    conns: Vec<Conn>,
    faults: Vec<Fault>,
    last: Option<u64>,
    end: u64,
}

fn ops(events: &[Event], contents: &BTreeMap<SnapshotId, Vec<String>>) -> Vec<(Operation, Op)> {
    let lines = || events.iter().filter_map(|e| if let Event::Op(op) = e { Some(&**op) } else { None });
    let mut out: BTreeMap<u32, (Operation, Op)> = BTreeMap::new();
    for line in lines() {
        let at = line.time / MILLI;
        if line.outcome == Outcome::Invoke {
            let op = Op {
                t: at,
                client: line.client,
                session: line.session.unwrap_or(u32::MAX),
                f: line.f,
                data: line.data.unwrap_or(0),
                value: line.value.clone().unwrap_or_default(),
                end: None,
                shown: Vec::new(),
            };
            out.insert(line.op, (line.clone(), op));
        } else {
            let op = &mut out.get_mut(&line.op).unwrap().1;
            op.end = Some((line.outcome, at));
            op.shown = line.snapshot.map(|id| contents[&id].clone()).unwrap_or_default();
        }
    }
    out.into_values().collect()
}

/// Faults by what they touch; the oracle calls the node with the index 1 `n1`.
fn faults(header: &Header, events: &[Event]) -> Vec<Fault> {
    let name = |n: &String| header.nodes.iter().position(|x| x.name == *n).map_or(n.clone(), |at| format!("n{at}"));
    let lines = || events.iter().filter_map(|e| if let Event::Fault(f) = e { Some(f) } else { None });
    let missed: BTreeSet<u32> = lines().filter(|f| f.stage == FaultStage::Missed).map(|f| f.id).collect();
    let mut out = Vec::new();
    for fault in lines().filter(|f| f.stage == FaultStage::Start && !missed.contains(&f.id)) {
        let until = lines().find(|f| f.id == fault.id && f.stage == FaultStage::Serving).map(|f| f.time / MILLI);
        let mut targets: BTreeSet<String> = fault.nodes.iter().map(name).collect();
        targets.extend(fault.links.iter().map(|(a, b)| format!("{}-{}", name(a), name(b))));
        targets.extend(fault.clients.iter().map(|c| format!("c{c}")));
        out.extend(targets.into_iter().map(|target| Fault { t: fault.time / MILLI, kind: fault.kind, target, until }));
    }
    out
}

impl Parts {
    pub fn new(header: &Header, events: &[Event]) -> Parts {
        let phase = |name| {
            let mut found = events.iter().filter_map(|e| if let Event::Phase(p) = e { Some(p) } else { None });
            found.find(|p| p.name == name).map(|p| p.time / MILLI)
        };
        let mut conns = Vec::new();
        for event in events {
            let Event::Connection(c) = event else { continue };
            let node = c.node.unwrap_or(u32::MAX);
            conns.push(Conn { t: c.time / MILLI, client: c.client, session: c.session, node, state: c.state });
        }
        Parts {
            header: header.clone(),
            ops: ops(events, &contents(events)),
            conns,
            faults: faults(header, events),
            last: phase(PhaseName::Final),
            end: phase(PhaseName::End).unwrap(),
        }
    }

    fn tale(&self) -> Tale {
        let contract = self.header.contract.clone();
        let (faults, last, end) = (self.faults.clone(), self.last, self.end);
        Tale { contract, ops: Vec::new(), conns: Vec::new(), pushes: Vec::new(), faults, last, end }
    }

    /// What may be true of every registration; it does not depend on pushes.
    pub fn truth(&self) -> Vec<Who> {
        let publishes = self.ops.iter().filter(|o| o.1.f == Function::Publish);
        let registrations: BTreeSet<(u32, u32, Option<u32>)> =
            publishes.map(|(line, op)| (op.data, op.client, line.registration)).collect();
        let mut out = Vec::new();
        for (data, client, registration) in registrations {
            let mut tale = self.tale();
            tale.conns = self.conns.iter().filter(|c| c.client == client).cloned().collect();
            for (line, op) in self.ops.iter().filter(|o| o.1.client == client) {
                let mine = op.data == data && line.registration == registration;
                let keeps = mine || !matches!(op.f, Function::Publish | Function::Unpublish);
                let f = if keeps { op.f } else { Function::Ping };
                tale.ops.push(Op { f, ..op.clone() });
            }
            out.extend(truth(&tale));
        }
        out
    }

    /// The subscriptions with the pushes of these events, which may be a mutation of the history, and the reads.
    pub fn views(&self, events: &[Event]) -> Tale {
        let contents = contents(events);
        let mut tale = self.tale();
        let asks = |o: &&(Operation, Op)| matches!(o.1.f, Function::Subscribe | Function::Unsubscribe);
        let subscriptions: BTreeSet<(u32, Option<u32>)> =
            self.ops.iter().filter(asks).map(|(line, op)| (op.client, line.subscription)).collect();
        tale.ops.extend(self.ops.iter().filter(|o| o.1.f == Function::Read).map(|o| Op { client: 0, ..o.1.clone() }));
        for (at, (client, subscription)) in subscriptions.into_iter().enumerate() {
            let at = at as u32;
            let conns = self.conns.iter().filter(|c| c.client == client);
            tale.conns.extend(conns.map(|c| Conn { client: at, ..c.clone() }));
            for (line, op) in self.ops.iter().filter(|o| o.1.client == client) {
                let mine = match op.f {
                    Function::Subscribe | Function::Unsubscribe => line.subscription == subscription,
                    Function::Vanish | Function::Close => true,
                    _ => false,
                };
                tale.ops.extend(mine.then(|| Op { client: at, ..op.clone() }));
            }
            for event in events {
                let Event::Push(p) = event else { continue };
                if (p.client, Some(p.subscription)) == (client, subscription) {
                    let (t, shown) = (p.time / MILLI, contents[&p.snapshot].clone());
                    tale.pushes.push(Push {
                        t,
                        client: at,
                        data: p.data,
                        shown,
                        version: p.version,
                        session: Some(p.session),
                    });
                }
            }
        }
        tale
    }
}
