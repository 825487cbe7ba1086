//! From a history to observations. Looks at what clients did and saw, and at the public routing table; never at faults.

use super::observation::{Observation, Observations, Way};
use history::{
    ClientId, Connection, ConnectionState, Contents, DataIx, Event, Function, Header, MILLI, Nanos, NodeIx, OpId,
    Operation, Outcome, Push, Routes,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// No more subscriptions of one dataId on one node are followed: more tell nothing new, and a hot dataId has thousands.
const FOLLOWED_MAX: usize = 8;

/// Where a dataId is kept: its slot, and who answers for it.
type Kept = (Option<u32>, Option<NodeIx>);
/// A client's subscription.
type Key = (ClientId, u32);

/// An operation that was not answered yet.
struct Open {
    at: Nanos,
    f: Function,
    node: Option<NodeIx>,
    /// By the table when it was invoked.
    kept: Kept,
}

/// A subscription that is followed.
struct Followed {
    data: DataIx,
    node: Option<NodeIx>,
    /// Since when it waits for its first push, and for whom; none once that came.
    first: Option<(Nanos, Kept)>,
    due: Vec<Due>,
}

/// A change that a subscription has not shown yet.
struct Due {
    publisher: (ClientId, u32),
    value: String,
    at: Nanos,
    kept: Kept,
}

struct Extractor {
    out: Vec<Observation>,
    /// What waited for longer than this and then became moot counts as not shown.
    overdue: Nanos,
    slots: Vec<u32>,
    leaders: Vec<Option<NodeIx>>,
    open: FxHashMap<OpId, Open>,
    followed: BTreeMap<Key, Followed>,
    by_data: BTreeMap<DataIx, Vec<Key>>,
    /// DataIds that a client has published on.
    published: BTreeMap<ClientId, Vec<DataIx>>,
    contents: Contents,
}

/// Everything in this history that clients could see by themselves.
pub fn observe(header: &Header, events: &[Event]) -> Observations {
    let mut extractor = Extractor {
        out: Vec::new(),
        overdue: header.contract.visible_ms_max * MILLI,
        slots: Vec::new(),
        leaders: Vec::new(),
        open: FxHashMap::default(),
        followed: BTreeMap::new(),
        by_data: BTreeMap::new(),
        published: BTreeMap::new(),
        contents: Contents::new(),
    };
    for event in events {
        match event {
            Event::Op(op) if op.outcome == Outcome::Invoke => extractor.invoked(op),
            Event::Op(op) => extractor.completed(op),
            Event::Push(push) => extractor.pushed(push),
            // A damaged content shows nothing; the checkers say so.
            Event::Snapshot(snapshot) => drop(extractor.contents.add(snapshot)),
            Event::Connection(connection) => extractor.connection(connection),
            Event::Routes(routes) => extractor.routes(routes),
            Event::Dropped(_) | Event::Fault(_) | Event::Phase(_) => {}
        }
    }
    Observations { nodes: header.nodes.clone(), all: extractor.out }
}

impl Extractor {
    fn routes(&mut self, routes: &Routes) {
        if !routes.slots.is_empty() {
            self.slots.clone_from(&routes.slots);
        }
        self.leaders.clone_from(&routes.leaders);
    }

    fn kept(&self, data: DataIx) -> Kept {
        let slot = self.slots.get(data as usize).copied();
        (slot, slot.and_then(|slot| self.leaders.get(slot as usize).copied().flatten()))
    }

    fn see(&mut self, way: Way, at: Nanos, took: Nanos, answered: bool, session: Option<NodeIx>, (slot, data): Kept) {
        self.out.push(Observation { at, took, answered, way, session, slot, data });
    }

    fn invoked(&mut self, op: &Operation) {
        let kept = op.data.map_or((None, None), |data| self.kept(data));
        self.open.insert(op.op, Open { at: op.time, f: op.f, node: op.node, kept });
        match (op.f, op.data, op.registration) {
            (Function::Publish | Function::Unpublish, Some(data), Some(registration)) => {
                self.moot(data, op.time, |due| due.publisher == (op.client, registration));
                let known = self.published.entry(op.client).or_default();
                if !known.contains(&data) {
                    known.push(data);
                }
            }
            (Function::Subscribe | Function::Unsubscribe, ..) => {
                if let Some(subscription) = op.subscription {
                    self.unfollow((op.client, subscription), op.time);
                }
            }
            (Function::Close | Function::Vanish, ..) => self.gone(op.client, op.time),
            _ => {}
        }
    }

    fn completed(&mut self, op: &Operation) {
        let Some(open) = self.open.remove(&op.op) else { return };
        let way = match open.f {
            Function::Connect | Function::Ping | Function::Subscribe | Function::Unsubscribe => Way::Answer,
            Function::Publish | Function::Unpublish => Way::Write,
            Function::Read => Way::Read,
            // How long a clean end takes depends on how much was held, and nobody answers a vanished client.
            Function::Close | Function::Vanish => return,
        };
        // A refusal answers nothing, but most are the client's own: it was not connected.
        if op.outcome == Outcome::Fail && open.f != Function::Connect {
            return;
        }
        let answered = op.outcome == Outcome::Ok;
        let kept = if way == Way::Answer { (None, None) } else { open.kept };
        self.see(way, open.at, op.time.saturating_sub(open.at), answered, open.node, kept);
        match (open.f, op.data) {
            (Function::Subscribe, Some(data)) if answered => self.follow(op, data, open.node),
            (Function::Publish, Some(data)) if answered => self.changed(op, data),
            _ => {}
        }
    }

    fn follow(&mut self, op: &Operation, data: DataIx, node: Option<NodeIx>) {
        let Some(subscription) = op.subscription else { return };
        let (key, kept) = ((op.client, subscription), self.kept(data));
        let others = self.by_data.entry(data).or_default();
        let there = others.iter().filter(|key| self.followed.get(key).is_some_and(|other| other.node == node));
        if there.count() < FOLLOWED_MAX {
            others.push(key);
            self.followed.insert(key, Followed { data, node, first: Some((op.time, kept)), due: Vec::new() });
        }
    }

    fn changed(&mut self, op: &Operation, data: DataIx) {
        let (Some(value), Some(registration)) = (&op.value, op.registration) else { return };
        let kept = self.kept(data);
        for key in self.by_data.get(&data).into_iter().flatten() {
            let Some(followed) = self.followed.get_mut(key).filter(|followed| followed.first.is_none()) else {
                continue;
            };
            let publisher = (op.client, registration);
            followed.due.push(Due { publisher, value: value.clone(), at: op.time, kept });
        }
    }

    fn pushed(&mut self, push: &Push) {
        let Some(followed) = self.followed.get_mut(&(push.client, push.subscription)) else { return };
        let (session, first, due) = (followed.node, followed.first.take(), std::mem::take(&mut followed.due));
        if let Some((since, kept)) = first {
            self.see(Way::FirstPush, since, push.time.saturating_sub(since), true, session, kept);
        }
        let content = if due.is_empty() { None } else { self.contents.resolve(push.snapshot).ok() };
        let shows = |due: &Due| {
            content.as_ref().is_some_and(|all| all.binary_search_by(|value| (**value).cmp(due.value.as_str())).is_ok())
        };
        let (shown, due): (Vec<Due>, Vec<Due>) = due.into_iter().partition(shows);
        if let Some(followed) = self.followed.get_mut(&(push.client, push.subscription)) {
            followed.due = due;
        }
        for due in shown {
            self.see(Way::Push, due.at, push.time.saturating_sub(due.at), true, session, due.kept);
        }
    }

    fn connection(&mut self, connection: &Connection) {
        if connection.state != ConnectionState::Resumed {
            self.gone(connection.client, connection.time);
        }
    }

    /// What this client published may be taken back now, and what it was subscribed to is over.
    fn gone(&mut self, client: ClientId, now: Nanos) {
        for data in self.published.remove(&client).unwrap_or_default() {
            self.moot(data, now, |due| due.publisher.0 == client);
        }
        let mine: Vec<Key> = self.followed.range((client, 0)..=(client, u32::MAX)).map(|(key, _)| *key).collect();
        for key in mine {
            self.unfollow(key, now);
        }
    }

    fn unfollow(&mut self, key: Key, now: Nanos) {
        let Some(followed) = self.followed.remove(&key) else { return };
        if let Some(others) = self.by_data.get_mut(&followed.data) {
            others.retain(|other| *other != key);
        }
        let session = followed.node;
        if let Some((since, kept)) = followed.first {
            self.missed(Way::FirstPush, since, now, session, kept);
        }
        for due in followed.due {
            self.missed(Way::Push, due.at, now, session, due.kept);
        }
    }

    /// These changes of this dataId need not be shown any more.
    fn moot(&mut self, data: DataIx, now: Nanos, which: impl Fn(&Due) -> bool) {
        for key in self.by_data.get(&data).cloned().unwrap_or_default() {
            let Some(followed) = self.followed.get_mut(&key) else { continue };
            let all = std::mem::take(&mut followed.due);
            let (moot, due): (Vec<Due>, Vec<Due>) = all.into_iter().partition(&which);
            followed.due = due;
            let session = followed.node;
            for due in moot {
                self.missed(Way::Push, due.at, now, session, due.kept);
            }
        }
    }

    /// Nothing came. What did not wait for long says nothing.
    fn missed(&mut self, way: Way, at: Nanos, now: Nanos, session: Option<NodeIx>, kept: Kept) {
        let took = now.saturating_sub(at);
        if took > self.overdue {
            self.see(way, at, took, false, session, kept);
        }
    }
}
