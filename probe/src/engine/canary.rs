//! One canary: what it holds, what it wants to do next, and how it comes back after it lost its connection.

use crate::ask::Ask;
use history::{ClientId, DataIx, Function, MILLI, Nanos, NodeIx, OpId, SECOND, SessionId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A canary that left on purpose comes back after this.
const AWAY: Nanos = SECOND;
/// The first wait after a failed attempt to connect.
const BACKOFF_FIRST: Nanos = 250 * MILLI;

/// What a canary is for. Each server has one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Subscribes to everything and stays.
    Watcher,
    /// Registers once on every dataId and stays: its address must never be missing.
    Pinned,
    /// Changes its value all the time, dataId by dataId.
    Changer,
    /// Registers, subscribes, leaves, comes back.
    Rover,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Watcher, Role::Pinned, Role::Changer, Role::Rover];

    /// In names of canaries.
    pub fn name(self) -> &'static str {
        match self {
            Role::Watcher => "watcher",
            Role::Pinned => "pinned",
            Role::Changer => "changer",
            Role::Rover => "rover",
        }
    }

    fn publishes(self) -> bool {
        self != Role::Watcher
    }

    /// True for those that subscribe.
    pub fn subscribes(self) -> bool {
        matches!(self, Role::Watcher | Role::Rover)
    }
}

/// How often canaries do what.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// See [`crate::config::CanaryConfig`].
    pub change: Nanos,
    /// See there.
    pub unpublish_every: u32,
    /// See there; 0: never.
    pub reconnect: Nanos,
    /// See there.
    pub ping: Nanos,
    /// The longest wait before an attempt to connect.
    pub backoff_max: Nanos,
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// None.
    Away,
    /// There is one.
    Up,
}

/// An operation under way.
#[derive(Clone, Debug)]
pub struct Open {
    /// Its number.
    pub op: OpId,
    /// What it is.
    pub f: Function,
    /// On which dataId.
    pub data: Option<DataIx>,
    /// With which value.
    pub value: Option<Arc<str>>,
    /// When it began.
    pub since: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Todo {
    Publish(DataIx),
    Unpublish(DataIx),
    Subscribe(DataIx),
    Close,
}

/// What a canary does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// Which function.
    pub f: Function,
    /// On which dataId.
    pub data: Option<DataIx>,
    /// In its own number of operations, for publish and unpublish.
    pub number: u64,
}

/// The state of one canary.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Its number.
    pub id: ClientId,
    /// Its server, for ever.
    pub node: NodeIx,
    /// What it is for.
    pub role: Role,
    /// Its connection.
    pub link: Link,
    /// Its session, in the history's numbering.
    pub session: Option<SessionId>,
    /// What it does at the moment.
    pub open: Option<Open>,
    /// Its process number: another one after each unknown outcome.
    pub process: u32,
    /// Since when it has no connection although it should have one.
    pub cut_since: Option<Nanos>,
    /// Why its connection is over, in the system's words.
    pub cut_why: String,
    /// True once it is to leave for good.
    pub leaving: bool,
    resumable: bool,
    todo: VecDeque<Todo>,
    may_connect: Nanos,
    failures: u32,
    next_change: Nanos,
    next_leave: Nanos,
    next_ping: Nanos,
    changes: u32,
    number: u64,
    data_ids: u32,
    /// What it has registered, as far as it knows; false: taken back.
    holds: BTreeMap<DataIx, bool>,
}

impl Canary {
    /// A canary that starts at about `now`; all of them are spread over their intervals.
    pub fn new(id: ClientId, node: NodeIx, role: Role, data_ids: u32, habits: &Habits, now: Nanos, of: u64) -> Canary {
        let spread = |interval: Nanos| now + interval + interval * u64::from(id) / of.max(1);
        Canary {
            id,
            node,
            role,
            link: Link::Away,
            session: None,
            open: None,
            process: id,
            cut_since: Some(now),
            cut_why: "not connected yet".to_owned(),
            leaving: false,
            resumable: false,
            todo: VecDeque::new(),
            may_connect: now + u64::from(id) * 20 * MILLI,
            failures: 0,
            next_change: spread(habits.change),
            next_leave: spread(habits.reconnect),
            next_ping: spread(habits.ping),
            changes: 0,
            number: 0,
            data_ids,
            holds: BTreeMap::new(),
        }
    }

    /// What it wants to do now, if anything; it is not done yet. None while something is under way.
    pub fn wants(&mut self, now: Nanos, habits: &Habits) -> Option<Next> {
        if self.open.is_some() {
            return None;
        }
        if self.link == Link::Away {
            let connects = !self.leaving && now >= self.may_connect;
            return connects.then_some(Next { f: Function::Connect, data: None, number: 0 });
        }
        if self.leaving {
            return Some(Next { f: Function::Close, data: None, number: 0 });
        }
        if self.todo.is_empty() {
            self.plan(now, habits);
        }
        let next = |f, data, number| Some(Next { f, data, number });
        match self.todo.front() {
            Some(Todo::Publish(data)) => next(Function::Publish, Some(*data), self.number + 1),
            Some(Todo::Unpublish(data)) => next(Function::Unpublish, Some(*data), self.number + 1),
            Some(Todo::Subscribe(data)) => next(Function::Subscribe, Some(*data), 0),
            Some(Todo::Close) => next(Function::Close, None, 0),
            None if now >= self.next_ping => next(Function::Ping, None, 0),
            None => None,
        }
    }

    fn plan(&mut self, now: Nanos, habits: &Habits) {
        if self.role == Role::Changer && now >= self.next_change {
            // What was missed while it could not act is not made up for.
            self.next_change = (self.next_change + habits.change).max(now + habits.change / 2);
            let data = self.changes % self.data_ids;
            self.changes += 1;
            let withdraw = self.changes.is_multiple_of(habits.unpublish_every) && self.holds.get(&data) == Some(&true);
            self.todo.push_back(if withdraw { Todo::Unpublish(data) } else { Todo::Publish(data) });
        }
        if self.role == Role::Rover && habits.reconnect > 0 && now >= self.next_leave {
            self.next_leave = now + habits.reconnect;
            self.todo.push_back(Todo::Close);
        }
    }

    /// When it may want something next, if nothing happens meanwhile.
    pub fn due(&self, habits: &Habits) -> Nanos {
        match (&self.open, self.link) {
            (Some(_), _) => Nanos::MAX,
            (None, Link::Away) if self.leaving => Nanos::MAX,
            (None, Link::Away) => self.may_connect,
            (None, Link::Up) if !self.todo.is_empty() || self.leaving => 0,
            (None, Link::Up) => {
                let change = if self.role == Role::Changer { self.next_change } else { Nanos::MAX };
                let leave = if self.role == Role::Rover && habits.reconnect > 0 { self.next_leave } else { Nanos::MAX };
                self.next_ping.min(change).min(leave)
            }
        }
    }

    /// It does what it wanted.
    pub fn begin(&mut self, now: Nanos, op: OpId, next: &Next, value: Option<Arc<str>>, habits: &Habits) -> Ask {
        self.next_ping = now + habits.ping;
        self.open = Some(Open { op, f: next.f, data: next.data, value: value.clone(), since: now });
        let data = next.data.unwrap_or_default();
        if next.number > 0 {
            self.number = next.number;
        }
        if next.f != Function::Connect && next.f != Function::Ping {
            self.todo.pop_front();
        }
        match next.f {
            Function::Connect => Ask::Connect { node: self.node, resume: self.resumable },
            Function::Publish => Ask::Publish { data, value: value.unwrap_or_else(|| Arc::from("")) },
            Function::Unpublish => Ask::Unpublish { data },
            Function::Subscribe => Ask::Subscribe { data },
            Function::Close => Ask::Close,
            _ => Ask::Ping,
        }
    }

    /// What it did ended well.
    pub fn succeeded(&mut self, now: Nanos, open: &Open, habits: &Habits) {
        match (open.f, open.data) {
            (Function::Publish, Some(data)) => drop(self.holds.insert(data, true)),
            (Function::Unpublish, Some(data)) => drop(self.holds.insert(data, false)),
            (Function::Close, _) => {
                (self.resumable, self.cut_since) = (false, None);
                self.may_connect = now + AWAY.min(habits.reconnect.max(MILLI));
            }
            _ => {}
        }
    }

    /// What it did was refused, or nobody knows: it is done again.
    pub fn failed(&mut self, now: Nanos, open: &Open, habits: &Habits) {
        match (open.f, open.data) {
            (Function::Connect, _) => {
                let wait = (BACKOFF_FIRST << self.failures.min(10)).min(habits.backoff_max);
                // Not all at once: each has its own moment within the last third.
                let jitter = wait / 3 * u64::from((self.id * 7 + self.failures * 3) % 16) / 16;
                self.failures = self.failures.saturating_add(1);
                self.may_connect = now + wait - jitter;
            }
            // In the next connection it looks for itself what became of it.
            (Function::Publish | Function::Unpublish, Some(data)) => self.todo.push_back(Todo::Publish(data)),
            (Function::Subscribe, Some(data)) => self.todo.push_back(Todo::Subscribe(data)),
            _ => {}
        }
    }

    /// It has a connection, with a new session or the one of before.
    pub fn connected(&mut self, resumed: bool) {
        (self.link, self.cut_since, self.failures, self.resumable) = (Link::Up, None, 0, true);
        let undone: Vec<DataIx> =
            self.todo.iter().filter_map(|todo| if let Todo::Publish(d) = todo { Some(*d) } else { None }).collect();
        self.todo.clear();
        if self.role.subscribes() {
            self.todo.extend((0..self.data_ids).map(Todo::Subscribe));
        }
        if !resumed && self.role.publishes() {
            self.holds.clear();
            self.todo.extend((0..self.data_ids).map(Todo::Publish));
        } else {
            self.todo.extend(undone.into_iter().map(Todo::Publish));
        }
    }

    /// Its connection is over; `expired` where the session is, too.
    pub fn cut(&mut self, now: Nanos, expired: bool, planned: bool, why: &str) {
        self.link = Link::Away;
        if expired {
            self.resumable = false;
        }
        if !planned {
            self.cut_since.get_or_insert(now);
            why.clone_into(&mut self.cut_why);
            self.may_connect = self.may_connect.max(now + BACKOFF_FIRST);
        }
    }
}
