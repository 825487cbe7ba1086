//! Histories as text, one event or operation a line, times in milliseconds:
//!
//! ```text
//! 0 c0 connected n0 s0          also resumed, lost, expired, closed
//! 1 c0 publish d0 a ok 2        ends ok, fail or info at 2; without an end it stays open; `d0/1` is registration 1
//! 3 c0 unpublish d0 ok 4        also ping, close, vanish, connect
//! 5 c1 subscribe d0 ok 6        also unsubscribe
//! 7 c1 push d0 a b v3           content, then perhaps a version
//! 8 c1 read d0 a b ok 9
//! 10 fault pause n0 20          until 20; `-` for ever; n0-n1 or n0-clients is a link, c1 a client
//! 30 phase final
//! ```
//!
//! `#` begins a comment. Operations run in the client's latest session.
#![allow(dead_code, clippy::unwrap_used)]

use checkers::{Figure, Kind, Options, Report};
use history::*;
use std::collections::BTreeMap;

/// A contract with short bounds: visible 10, recovered 20, leases 30 to 50.
pub fn contract() -> Contract {
    Contract {
        visible_ms_max: 10,
        recovered_ms_max: 20,
        lease_ms_min: 30,
        lease_ms_max: 50,
        node_lease_ms_min: None,
        lease_restarts_on_keeper_change: false,
        lease_keeper: Keeper::OwnNode,
        survives_node_loss: true,
        atomic_snapshots: false,
        atomic_replace: true,
        monotonic_pushes: true,
        monotonic_versions: true,
        stale_writes_rejected: true,
        memory: None,
        staleness_ms_max: None,
        first_push_may_be_empty: false,
        in_flight_ms_max: 5,
        reregister_ms_max: None,
        linearizable_reads: false,
        calibrated: false,
    }
}

pub fn header(contract: Contract) -> Header {
    let node = |name: &str| Node { name: name.to_owned(), role: "server".to_owned(), serves_clients: true };
    Header {
        schema: SCHEMA,
        scenario: "literal".to_owned(),
        seed: 0,
        program: "test".to_owned(),
        plan_hash: String::new(),
        system: SystemName { name: "paper".to_owned(), version: "1".to_owned(), client: "none".to_owned() },
        virtual_time: true,
        nodes: vec![node("n0"), node("n1")],
        data_ids: vec!["d0".to_owned(), "d1".to_owned()],
        clients: 8,
        pinned: Vec::new(),
        contract,
        final_reads: 0,
        bug: None,
    }
}

/// Writes histories event by event; keeps them in order of time and contents interned.
#[derive(Default)]
pub struct Writer {
    events: Vec<(Nanos, usize, Event)>,
    contents: BTreeMap<(DataIx, Vec<String>), SnapshotId>,
    snapshots: Vec<Snapshot>,
    sessions: BTreeMap<ClientId, (SessionId, Option<NodeIx>)>,
    ops: u32,
    faults: u32,
}

pub type End = Option<(Outcome, Nanos)>;

impl Writer {
    pub fn push_event(&mut self, event: Event) {
        let at = self.events.len();
        self.events.push((event.time().unwrap(), at, event));
    }

    pub fn snapshot(&mut self, data: DataIx, mut elements: Vec<String>) -> SnapshotId {
        elements.sort();
        if let Some(id) = self.contents.get(&(data, elements.clone())) {
            return *id;
        }
        // Every other content as a difference to the one before, so that both ways are used.
        let id = self.snapshots.len() as SnapshotId;
        let base =
            self.contents.iter().filter(|c| c.0.0 == data).max_by_key(|c| *c.1).filter(|_| !id.is_multiple_of(3));
        let (base_id, base_elements) = base.map(|(k, id)| (Some(*id), k.1.clone())).unwrap_or_default();
        let (mut add, mut remove) = (elements.clone(), Vec::new());
        for element in base_elements {
            match add.iter().position(|e| *e == element) {
                Some(at) => drop(add.remove(at)),
                None => remove.push(element),
            }
        }
        self.snapshots.push(Snapshot { id, data, base: base_id, add, remove });
        self.contents.insert((data, elements), id);
        id
    }

    #[allow(clippy::too_many_arguments)]
    pub fn op(
        &mut self,
        time: Nanos,
        client: ClientId,
        f: Function,
        target: Option<(DataIx, u32)>,
        value: Option<&str>,
        snapshot: Option<SnapshotId>,
        end: End,
    ) {
        let op = self.ops;
        self.ops += 1;
        let (session, node) = self.sessions.get(&client).map_or((None, None), |s| (Some(s.0), s.1));
        let publishes = matches!(f, Function::Publish | Function::Unpublish);
        let subscribes = matches!(f, Function::Subscribe | Function::Unsubscribe);
        let line = Operation {
            time: time * MILLI,
            outcome: Outcome::Invoke,
            op,
            process: client,
            client,
            f,
            data: target.map(|t| t.0),
            registration: target.map(|t| t.1).filter(|_| publishes),
            subscription: target.map(|t| t.1).filter(|_| subscribes),
            value: value.map(str::to_owned),
            session: session.filter(|_| f != Function::Connect),
            node,
            snapshot: None,
            late_ns: 0,
            reaction: false,
            error: None,
        };
        self.push_event(Event::Op(Box::new(line.clone())));
        if let Some((outcome, time)) = end {
            self.push_event(Event::Op(Box::new(Operation { time: time * MILLI, outcome, snapshot, ..line })));
        }
    }

    pub fn connection(
        &mut self,
        time: Nanos,
        client: ClientId,
        state: ConnectionState,
        at: Option<(NodeIx, SessionId)>,
    ) {
        if let Some((node, session)) = at {
            self.sessions.insert(client, (session, Some(node)));
        }
        let (session, node) = self.sessions.get(&client).copied().unwrap_or((0, None));
        let time = time * MILLI;
        self.push_event(Event::Connection(Box::new(Connection {
            time,
            client,
            session,
            state,
            node,
            name: None,
            reason: None,
        })));
    }

    pub fn push(
        &mut self,
        time: Nanos,
        client: ClientId,
        target: (DataIx, u32),
        shown: Vec<String>,
        version: Option<u64>,
    ) {
        let snapshot = self.snapshot(target.0, shown);
        let (session, node) = self.sessions.get(&client).copied().unwrap_or((0, None));
        let (data, subscription) = target;
        let time = time * MILLI;
        self.push_event(Event::Push(Push { time, client, session, subscription, data, snapshot, version, node }));
    }

    pub fn fault(&mut self, time: Nanos, kind: FaultKind, target: &str, until: Option<Nanos>) {
        let mut fault = Fault {
            time: time * MILLI,
            id: self.faults,
            stage: FaultStage::Start,
            kind,
            nodes: Vec::new(),
            links: Vec::new(),
            clients: Vec::new(),
            detail: target.to_owned(),
            effect: None,
        };
        self.faults += 1;
        if let Some((from, to)) = target.split_once('-') {
            fault.links.push((from.to_owned(), to.to_owned()));
        } else if let Some(client) = target.strip_prefix('c') {
            fault.clients.push(client.parse().unwrap());
        } else {
            fault.nodes.push(target.to_owned());
        }
        self.push_event(Event::Fault(Box::new(fault.clone())));
        if let Some(until) = until {
            let effect = Some(Effect { bit: true, amount: 1, unit: "ms without service".to_owned() });
            let time = until * MILLI;
            self.push_event(Event::Fault(Box::new(Fault { time, stage: FaultStage::Serving, effect, ..fault })));
        }
    }

    pub fn phase(&mut self, time: Nanos, name: PhaseName) {
        self.push_event(Event::Phase(Phase { time: time * MILLI, name }));
    }

    pub fn finish(mut self) -> Vec<Event> {
        self.events.sort_by_key(|e| (e.0, e.1));
        let snapshots = self.snapshots.into_iter().map(Event::from);
        snapshots.chain(self.events.into_iter().map(|e| e.2)).collect()
    }
}

fn number<T: std::str::FromStr>(word: &str, prefix: &str) -> T {
    let digits = word.strip_prefix(prefix).unwrap_or_else(|| panic!("{word} should begin with {prefix}"));
    digits.parse().unwrap_or_else(|_| panic!("{word} should be a number"))
}

fn ended(words: &[&str]) -> (usize, End) {
    let outcome = |w: &str| match w {
        "ok" => Some(Outcome::Ok),
        "fail" => Some(Outcome::Fail),
        "info" => Some(Outcome::Info),
        _ => None,
    };
    match words {
        [.., how, when] if outcome(how).is_some() => {
            (words.len() - 2, Some((outcome(how).unwrap(), when.parse().unwrap())))
        }
        _ => (words.len(), None),
    }
}

fn target(word: &str) -> (DataIx, u32) {
    match word.split_once('/') {
        Some((data, n)) => (number(data, "d"), n.parse().unwrap()),
        None => (number(word, "d"), 0),
    }
}

/// The events of a literal history. It ends with an end phase if it has none.
pub fn events(text: &str) -> Vec<Event> {
    let mut writer = Writer::default();
    let lines = text.lines().map(|l| l.split('#').next().unwrap().trim()).filter(|l| !l.is_empty());
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let time: Nanos = words[0].parse().unwrap();
        match words[1] {
            "fault" => fault_line(&mut writer, time, &words),
            "phase" => {
                let name = match words[2] {
                    "chaos" => PhaseName::Chaos,
                    "heal" => PhaseName::Heal,
                    "final" => PhaseName::Final,
                    "end" => PhaseName::End,
                    other => panic!("no phase {other}"),
                };
                writer.phase(time, name);
            }
            client => client_line(&mut writer, time, number(client, "c"), &words[2..]),
        }
    }
    if !text.contains("phase end") {
        let last = writer.events.iter().map(|e| e.0 / MILLI).max().unwrap_or(0);
        writer.phase(last, PhaseName::End);
    }
    writer.finish()
}

fn fault_line(writer: &mut Writer, time: Nanos, words: &[&str]) {
    let kind = match words[2] {
        "pause" => FaultKind::Pause,
        "kill" => FaultKind::Kill,
        "partition" => FaultKind::Partition,
        "slow" => FaultKind::Slow,
        "half-dead" => FaultKind::HalfDead,
        "duplicate" => FaultKind::Duplicate,
        "reorder" => FaultKind::Reorder,
        "throttle" => FaultKind::Throttle,
        "lag" => FaultKind::MasterLag,
        other => panic!("no fault {other}"),
    };
    writer.fault(time, kind, words[3], (words[4] != "-").then(|| words[4].parse().unwrap()));
}

fn client_line(writer: &mut Writer, time: Nanos, client: ClientId, words: &[&str]) {
    let state = match words[0] {
        "connected" => Some(ConnectionState::Connected),
        "resumed" => Some(ConnectionState::Resumed),
        "lost" => Some(ConnectionState::Lost),
        "expired" => Some(ConnectionState::Expired),
        "closed" => Some(ConnectionState::Closed),
        _ => None,
    };
    if let Some(state) = state {
        let at = words.get(1).map(|node| (number(node, "n"), number(words[2], "s")));
        return writer.connection(time, client, state, at);
    }
    let (len, end) = ended(words);
    let words = &words[..len];
    let names = |from: usize| words[from..].iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let f = match words[0] {
        "push" => {
            let version = words.last().and_then(|w| w.strip_prefix('v')).and_then(|v| v.parse().ok());
            let mut shown = names(2);
            shown.truncate(shown.len() - usize::from(version.is_some()));
            return writer.push(time, client, target(words[1]), shown, version);
        }
        "read" => {
            let to = target(words[1]);
            let snapshot = writer.snapshot(to.0, names(2));
            return writer.op(time, client, Function::Read, Some(to), None, Some(snapshot), end);
        }
        "publish" => Function::Publish,
        "unpublish" => Function::Unpublish,
        "subscribe" => Function::Subscribe,
        "unsubscribe" => Function::Unsubscribe,
        "ping" => Function::Ping,
        "close" => Function::Close,
        "connect" => Function::Connect,
        "vanish" => return writer.op(time, client, Function::Vanish, None, None, None, Some((Outcome::Ok, time))),
        other => panic!("no operation {other}"),
    };
    writer.op(time, client, f, words.get(1).map(|w| target(w)), words.get(2).copied(), None, end);
}

/// How often each kind was found.
pub fn counts(report: &Report) -> BTreeMap<Kind, u64> {
    let kinds = [
        ("phantom", Kind::Phantom),
        ("duplicate", Kind::Duplicate),
        ("ghost", Kind::Ghost),
        ("incomplete", Kind::Incomplete),
        ("stale", Kind::Stale),
        ("torn", Kind::Torn),
        ("backwards", Kind::Backwards),
        ("version_fell", Kind::VersionFell),
        ("late", Kind::Late),
        ("wrong_at_end", Kind::WrongAtEnd),
    ];
    let mut out = BTreeMap::new();
    for check in &report.checks {
        for (name, kind) in kinds {
            if let Some(Figure::Whole(n)) = check.figures.get(&format!("{name}_count")) {
                out.insert(kind, *n as u64);
            }
        }
    }
    out
}

/// Judges literal histories by kinds alone: no least number of operations.
pub fn options() -> Options {
    Options { operations_min: 0, ..Options::default() }
}
