//! The probe without its surroundings: canaries, monitor, incidents and flight recorder, driven by a clock and by what was seen.
//!
//! Sans-IO: whoever owns it tells it the time and hands over sightings; it says what to ask the registry for. The same code
//! runs against a real registry and through months of virtual time in tests.

mod budget;
mod canary;
mod records;
mod servers;
mod status;

pub use canary::{Habits, Role};
pub use status::{NameTable, ServerStatus, Status};

use crate::ask::{Call, Response, Seen, Sighting};
use crate::config::Config;
use crate::figures::Figures;
use crate::flight::{Flight, Record};
use crate::incident::{Book, Incident, Names, News};
use crate::monitor::{Bounds, Counts, Monitor};
use crate::sliding::Sliding;
use crate::suspect::{Opinion, suspect};
use crate::value;
use budget::Budget;
use canary::{Canary, Link, Next, Open};
use history::{ClientId, ConnectionState, Fault, Function, MILLI, Nanos, NodeIx, OpId, Outcome, SECOND, SessionId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often everything is judged.
pub const TICK: Nanos = 250 * MILLI;
/// Over which time push delays are compared with the objective.
const P99_WINDOW: Nanos = 300 * SECOND;

/// A probe.
pub struct Engine {
    /// The metrics.
    pub figures: Arc<Figures>,
    config: Config,
    instance: String,
    habits: Habits,
    canaries: Vec<Canary>,
    monitor: Monitor,
    flight: Flight,
    book: Book,
    operations_left: Budget,
    connects_left: Budget,
    calls: BTreeMap<OpId, ClientId>,
    next_op: OpId,
    next_session: SessionId,
    next_process: u32,
    next_tick: Nanos,
    ticked: Nanos,
    first: usize,
    /// When a cap last kept somebody from what was due.
    held_up: Option<Nanos>,
    delays: Sliding,
    started: Nanos,
    succeeded: Option<Nanos>,
    wall_ms: i64,
    counts: Counts,
    opinion: Opinion,
    stopping: bool,
    news: Vec<News>,
    /// How many faults were noted.
    faults: u32,
    /// Nobody is connected, since then.
    out: Option<Box<Fault>>,
}

fn bounds(config: &Config) -> Bounds {
    Bounds {
        converge: config.objectives.converge_ms * MILLI,
        lease_min: config.registry.session_timeout_ms * MILLI / 2,
        lease_max: config.lease_ms_max() * MILLI,
    }
}

fn habits(config: &Config) -> Habits {
    Habits {
        change: config.canaries.change_ms * MILLI,
        unpublish_every: config.canaries.unpublish_every,
        reconnect: config.canaries.reconnect_s * SECOND,
        ping: config.canaries.ping_ms * MILLI,
        backoff_max: config.caps.backoff_ms_max * MILLI,
    }
}

fn flight_bounds(config: &Config) -> (Nanos, usize) {
    (config.evidence.minutes * 60 * SECOND, config.evidence.memory_bytes)
}

impl Engine {
    /// A probe that starts now. `instance` is a name of its own, in letters and digits; `earlier` is what a probe before it
    /// left of its incidents.
    pub fn new(config: Config, instance: &str, now: Nanos, earlier: Vec<Incident>) -> Engine {
        let habits = habits(&config);
        let (servers, data_ids) = (config.registry.addresses.len() as u32, config.canaries.data_ids.len() as u32);
        let all = u64::from(servers) * Role::ALL.len() as u64;
        let plan = (0..servers).flat_map(|node| Role::ALL.map(|role| (node, role)));
        let canaries: Vec<Canary> = (0..)
            .zip(plan)
            .map(|(id, (node, role))| Canary::new(id, node, role, data_ids, &habits, now, all))
            .collect();
        let nodes: Vec<NodeIx> = canaries.iter().map(|canary| canary.node).collect();
        let (window, bytes) = flight_bounds(&config);
        Engine {
            figures: Arc::new(Figures::new(&config.registry.addresses)),
            habits,
            monitor: Monitor::new(bounds(&config), instance, &nodes, data_ids as usize),
            flight: Flight::new(window, bytes),
            book: Book::carried_over(earlier),
            operations_left: Budget::new(config.caps.operations_per_s, now),
            connects_left: Budget::new(config.caps.connects_per_s, now),
            calls: BTreeMap::new(),
            next_op: 0,
            next_session: 0,
            next_process: canaries.len() as u32,
            next_tick: now + TICK,
            ticked: now,
            first: 0,
            held_up: None,
            delays: Sliding::new(P99_WINDOW),
            started: now,
            succeeded: None,
            wall_ms: 0,
            counts: Counts::default(),
            opinion: Opinion::default(),
            stopping: false,
            news: Vec::new(),
            faults: 0,
            out: None,
            instance: instance.to_owned(),
            canaries,
            config,
        }
    }

    /// Takes another configuration, as far as that is possible while it runs; the window, the canaries and all counts stay.
    /// What cannot change without a restart is named and left as it was.
    pub fn reload(&mut self, now: Nanos, mut new: Config) -> Vec<&'static str> {
        let mut kept = Vec::new();
        if new.registry != self.config.registry {
            kept.push("registry");
            new.registry = self.config.registry.clone();
        }
        if new.canaries.data_ids != self.config.canaries.data_ids {
            kept.push("canaries.data_ids");
            new.canaries.data_ids.clone_from(&self.config.canaries.data_ids);
        }
        if new.http != self.config.http {
            kept.push("http");
            new.http = self.config.http.clone();
        }
        self.habits = habits(&new);
        self.monitor.rebind(bounds(&new));
        let (window, bytes) = flight_bounds(&new);
        self.flight.resize(window, bytes);
        self.operations_left = Budget::new(new.caps.operations_per_s, now);
        self.connects_left = Budget::new(new.caps.connects_per_s, now);
        self.config = new;
        kept
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// When it wants to be asked next, at the latest.
    pub fn next_due(&self) -> Nanos {
        let due = self.canaries.iter().map(|canary| canary.due(&self.habits)).min().unwrap_or(Nanos::MAX);
        // Who is held up by a cap is asked again a little later.
        let due = self.held_up.map_or(due, |since| due.max(since + 20 * MILLI));
        due.min(self.next_tick)
    }

    /// What to ask the registry for now. Everything seen until now must have been handed over; `wall_ms` is the time on the wall.
    pub fn act(&mut self, now: Nanos, wall_ms: i64) -> Vec<Call> {
        self.wall_ms = wall_ms;
        if now >= self.next_tick {
            self.tick(now);
        }
        let mut calls = Vec::new();
        let all = self.canaries.len();
        let first = self.first;
        self.held_up = None;
        for at in (0..all).map(|step| (first + step) % all) {
            let Some(next) = self.canaries[at].wants(now, &self.habits) else { continue };
            let budget = if next.f == Function::Connect { &mut self.connects_left } else { &mut self.operations_left };
            // Who is held up by a cap is the first to go next time.
            if !budget.take(now) {
                if self.held_up.replace(now).is_none() {
                    self.first = at;
                }
                continue;
            }
            calls.push(self.begin(now, at, &next));
        }
        calls
    }

    fn begin(&mut self, now: Nanos, at: usize, next: &Next) -> Call {
        let op = self.next_op;
        self.next_op = (self.next_op + 1) % (OpId::MAX / 2);
        let client = at as ClientId;
        let payload = self.config.canaries.payload_bytes;
        let value: Option<Arc<str>> =
            (next.f == Function::Publish).then(|| value::make(&self.instance, client, next.number, payload).into());
        match (next.f, next.data, &value) {
            (Function::Publish, Some(data), Some(value)) => self.monitor.publishing(client, data, value, next.number),
            (Function::Unpublish, Some(data), _) => self.monitor.withdrawing(client, data, next.number),
            (Function::Close, _, _) => self.monitor.closing(client),
            _ => {}
        }
        let ask = self.canaries[at].begin(now, op, next, value, &self.habits);
        self.calls.insert(op, client);
        let event = self.operation(now, at, Outcome::Invoke, None);
        self.flight.record(Record::Event(event));
        Call { op, client, ask }
    }

    /// Hands over what was seen.
    pub fn observe(&mut self, sighting: Sighting) {
        let now = sighting.time;
        match sighting.what {
            Seen::Done { op, response } => self.done(now, op, response),
            Seen::Push { client, data, version, elements, bytes } => {
                let Some(canary) = self.canaries.get(client as usize) else { return };
                if canary.link != Link::Up || data as usize >= self.config.canaries.data_ids.len() {
                    return;
                }
                self.figures.push(canary.node, bytes);
                let push = self.push(now, client, data, version);
                self.flight.record(Record::Push(push, elements.clone()));
                self.monitor.pushed(now, client, data, &elements);
                self.sample(now);
            }
            Seen::Connection { client, state, name, reason } => self.connection(now, client, state, name, reason),
        }
    }

    fn done(&mut self, now: Nanos, op: OpId, response: Response) {
        let Some(client) = self.calls.remove(&op) else { return };
        let at = client as usize;
        let (outcome, label, error) = match response {
            Response::Ok => (Outcome::Ok, "ok", None),
            Response::Fail(error) => (Outcome::Fail, "fail", Some(error)),
            Response::Info(error) => (Outcome::Info, "info", Some(error)),
        };
        let event = self.operation(now, at, outcome, error.clone());
        self.flight.record(Record::Event(event));
        let Some(open) = self.canaries[at].open.take() else { return };
        let node = self.canaries[at].node;
        self.figures.operation(node, open.f == Function::Connect, label, self.wall_ms as f64 / 1e3);
        if outcome == Outcome::Ok {
            self.succeeded = Some(now);
            self.canaries[at].succeeded(now, &open, &self.habits);
            if open.f != Function::Close {
                self.monitor.heard(now, client, open.since);
            }
        } else {
            self.figures.error(if open.f == Function::Connect { "connect" } else { "operation" });
            if open.f == Function::Connect {
                self.canaries[at].cut_why = error.unwrap_or_default();
            }
            if outcome == Outcome::Info {
                self.canaries[at].process = self.next_process;
                self.next_process = self.next_process.wrapping_add(1);
            }
            self.canaries[at].failed(now, &open, &self.habits);
        }
        self.settle(now, client, &open, outcome);
        self.sample(now);
    }

    fn settle(&mut self, now: Nanos, client: ClientId, open: &Open, outcome: Outcome) {
        let Some(data) = open.data else { return };
        match (open.f, outcome) {
            (Function::Publish, Outcome::Ok) => {
                if let Some(value) = &open.value {
                    self.monitor.published(now, client, data, value);
                }
            }
            (Function::Unpublish, Outcome::Ok) => self.monitor.withdrew(now, client, data),
            (Function::Publish | Function::Unpublish, Outcome::Fail) => {
                self.monitor.refused(now, client, data, open.value.as_ref());
            }
            (Function::Publish | Function::Unpublish, Outcome::Info) => self.monitor.unsettled(client, data),
            (Function::Subscribe, Outcome::Ok) => self.monitor.subscribed(now, client, data),
            _ => {}
        }
    }

    fn connection(
        &mut self,
        now: Nanos,
        client: ClientId,
        state: ConnectionState,
        name: Option<String>,
        reason: Option<String>,
    ) {
        let Some(canary) = self.canaries.get_mut(client as usize) else { return };
        let was_up = canary.link == Link::Up;
        match state {
            ConnectionState::Connected => {
                canary.session = Some(self.next_session);
                self.next_session = self.next_session.wrapping_add(1);
                canary.connected(false);
                self.monitor.connected(now, client);
            }
            ConnectionState::Resumed => {
                canary.connected(true);
                self.monitor.resumed(now, client);
            }
            ConnectionState::Lost | ConnectionState::Expired | ConnectionState::Closed => {
                let planned = state == ConnectionState::Closed;
                let expired = state != ConnectionState::Lost;
                canary.cut(now, expired, planned, reason.as_deref().unwrap_or("the connection broke"));
                self.monitor.ended(now, client, expired, planned);
                if !planned && was_up {
                    self.figures.error(if expired { "session-expired" } else { "connection-lost" });
                }
            }
        }
        let event = self.connection_event(now, client, state, name, reason);
        self.flight.record(Record::Event(event));
        self.outage(now, state == ConnectionState::Closed);
    }

    fn sample(&mut self, now: Nanos) {
        for sample in self.monitor.take_samples() {
            self.figures.sample(&sample);
            self.delays.add(now, sample.took);
        }
    }

    fn tick(&mut self, now: Nanos) {
        let late = now.saturating_sub(self.ticked + TICK);
        if late > (self.config.objectives.converge_ms * MILLI / 4).max(TICK) {
            self.lagged(now, late);
        }
        self.ticked = now;
        self.next_tick = now + TICK;
        let (mut findings, counts) = self.monitor.judge(now);
        self.sample(now);
        self.counts = counts;
        if !self.stopping {
            self.servers(now, &mut findings);
        } else {
            findings.clear();
        }
        self.figures.judged(&counts, self.subscriptions());
        let judged: BTreeSet<NodeIx> =
            self.canaries.iter().filter(|c| c.link == Link::Up && c.role.subscribes()).map(|c| c.node).collect();
        let names = NameTable(&self.config);
        let opinion = suspect(&findings, &judged, self.config.registry.addresses.len(), &|ix| names.server(ix));
        let news = self.book.update(now, self.wall_ms, &findings, &names, self.config.evidence.folder.is_some());
        for one in &news {
            if let News::Opened(id) = one
                && let Some(incident) = self.book.find(id)
            {
                self.figures.incident(incident.kind);
            }
        }
        self.news.extend(news);
        self.book.suspect(now, &opinion, &names);
        self.figures.suspect(opinion.server);
        self.opinion = opinion;
        self.book.open().into_iter().for_each(|(kind, count)| self.figures.open(kind, count));
        for node in 0..self.config.registry.addresses.len() as NodeIx {
            let (up, all) = self.connected(node);
            self.figures.connected(node, up, all);
        }
    }

    /// The probe stood still: it does not know who was late in between, and says so.
    fn lagged(&mut self, now: Nanos, late: Nanos) {
        self.figures.lag();
        self.monitor.lagged(now);
        for event in self.lag_events(now, late) {
            self.flight.record(Record::Event(event));
        }
        // What was under way may have been answered long ago; it has its time once more.
        self.canaries.iter_mut().filter_map(|canary| canary.open.as_mut()).for_each(|open| open.since = now);
        self.canaries.iter_mut().filter_map(|canary| canary.cut_since.as_mut()).for_each(|since| *since = now);
        self.succeeded = self.succeeded.map(|_| now);
    }

    /// How many canaries of a server are connected, of how many.
    fn connected(&self, node: NodeIx) -> (usize, usize) {
        let mine = || self.canaries.iter().filter(|canary| canary.node == node);
        (mine().filter(|canary| canary.link == Link::Up).count(), mine().count())
    }

    fn subscriptions(&self) -> usize {
        self.canaries.iter().filter(|canary| canary.role.subscribes()).count() * self.config.canaries.data_ids.len()
    }

    /// Every canary gives its session back; no incident begins any more.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.canaries.iter_mut().for_each(|canary| canary.leaving = true);
    }

    /// True when nobody is connected any more.
    pub fn stopped(&self) -> bool {
        self.stopping && self.canaries.iter().all(|canary| canary.link == Link::Away && canary.open.is_none())
    }

    /// Incidents that began or ended since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The incidents.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The incidents, to note what became of their evidence.
    pub fn book_mut(&mut self) -> &mut Book {
        &mut self.book
    }

    /// The last minutes.
    pub fn flight(&self) -> &Flight {
        &self.flight
    }

    /// What the last judgement counted.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How much the monitor remembers, for tests of its bound.
    pub fn remembered(&self) -> usize {
        self.monitor.remembered()
    }
}
