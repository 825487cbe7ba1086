//! Tiny random histories, in families that stress one part each.

use super::dice::Dice;
use super::tale::*;
use history::{ConnectionState, Contract, Copies, FaultKind, Function, Keeper, Outcome};

pub const FAMILIES: usize = 6;

pub struct Numbers(Dice);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(Dice(seed))
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn contract(n: &mut Numbers, family: usize) -> Contract {
    let wild = matches!(family, 1 | 2 | 5);
    let flag = |n: &mut Numbers, usual: bool| if n.chance(40) { n.chance(50) } else { usual };
    let lease = n.below(7);
    Contract {
        visible_ms_max: if family == 3 { 6 } else { 1 + n.below(6) },
        recovered_ms_max: n.below(7),
        lease_ms_min: lease,
        lease_ms_max: lease + n.below(6),
        node_lease_ms_min: n.chance(40).then(|| n.below(6)),
        lease_restarts_on_keeper_change: wild && n.chance(30),
        lease_keeper: if wild && n.chance(30) { Keeper::AnyNode } else { Keeper::OwnNode },
        survives_node_loss: flag(n, true),
        atomic_snapshots: family == 3 || flag(n, false),
        atomic_replace: flag(n, true),
        monotonic_pushes: flag(n, true),
        monotonic_versions: flag(n, true),
        stale_writes_rejected: flag(n, true),
        memory: n.chance(30).then(|| Copies { role: "server".to_owned(), count: 1 + n.below(2) as u32 }),
        staleness_ms_max: n.chance(60).then(|| n.below(10)),
        first_push_may_be_empty: n.chance(30),
        in_flight_ms_max: n.below(4),
        reregister_ms_max: n.chance(50).then(|| n.below(6)),
        linearizable_reads: n.chance(30),
        calibrated: false,
    }
}

#[derive(Default)]
struct Client {
    session: u32,
    node: u32,
    connected: bool,
    /// Index of the open operation.
    open: Option<usize>,
    /// By dataId: what its publishing has come to, roughly.
    held: [Option<String>; 2],
}

struct Maker<'a> {
    n: &'a mut Numbers,
    family: usize,
    tale: Tale,
    clients: Vec<Client>,
    sessions: u32,
    values: u32,
    /// What each client had on both dataIds after each event, roughly.
    past: Vec<[[Option<String>; 2]; 3]>,
    version: u64,
}

pub fn history(n: &mut Numbers, family: usize) -> Tale {
    let contract = contract(n, family);
    let end = if family == 3 { 30 } else { 12 } + n.below(24);
    let tale =
        Tale { contract, ops: Vec::new(), conns: Vec::new(), pushes: Vec::new(), faults: Vec::new(), last: None, end };
    let clients = (0..3).map(|_| Client::default()).collect();
    let mut maker =
        Maker { n, family, tale, clients, sessions: 0, values: 0, past: vec![Default::default()], version: 0 };
    for t in 1..end {
        maker.event(t);
        maker.remember();
    }
    maker.tale
}

impl Maker<'_> {
    fn remember(&mut self) {
        let now = [0, 1, 2].map(|c: usize| self.clients[c].held.clone());
        self.past.push(now);
    }

    fn event(&mut self, t: u64) {
        let taken = self.tale.faults.iter().any(|f| f.until == Some(t));
        if taken {
            return;
        }
        let client = match t {
            1 => 2,
            2 => 0,
            3 => 1,
            4 => 2,
            _ => self.n.below(3) as usize,
        };
        let (family, luck) = (self.family, self.n.below(100));
        let finals = matches!(family, 4 | 5) && t + 7 > self.tale.end;
        if finals && self.tale.last.is_none() {
            self.tale.last = Some(t);
            return;
        }
        if !self.clients[client].connected {
            return if t < 4 || luck < 50 { self.connect(t, client) } else { self.elsewhere(t, client) };
        }
        if let Some(open) = self.clients[client].open {
            if luck < 60 || family == 3 {
                return self.complete(t, client, open);
            }
            return if luck < 80 { self.push(t) } else { self.trouble(t, client) };
        }
        if finals {
            return if luck < 60 { self.invoke(t, client, Function::Read) } else { self.push(t) };
        }
        match luck {
            _ if t == 4 => self.invoke(t, 2, Function::Subscribe),
            0..45 if client == 2 => self.push(t),
            0..35 => self.invoke(t, client, Function::Publish),
            _ if family == 3 && client != 2 => self.invoke(t, client, Function::Publish),
            35..43 => self.invoke(t, client, Function::Unpublish),
            43..50 => self.push(t),
            50..55 => self.invoke(t, client, Function::Ping),
            55..60 if matches!(family, 4 | 5) => self.invoke(t, client, Function::Read),
            60..63 => self.invoke(t, client, Function::Subscribe),
            63..65 => self.invoke(t, client, Function::Unsubscribe),
            65..75 if matches!(family, 1 | 2 | 5) => self.trouble(t, client),
            _ => self.push(t),
        }
    }

    fn elsewhere(&mut self, t: u64, client: usize) {
        if self.n.chance(25) && self.clients[client].session > 0 {
            let (outcome, node) = (if self.n.chance(70) { Outcome::Info } else { Outcome::Fail }, 0);
            let _ = node;
            let end = (t + 1 < self.tale.end && self.n.chance(80)).then_some((outcome, t));
            self.tale.ops.push(self.op(t, client, Function::Connect, end));
        } else {
            self.push(t);
        }
    }

    fn op(&self, t: u64, client: usize, f: Function, end: Option<(Outcome, u64)>) -> Op {
        let session = self.clients[client].session;
        Op { t, client: client as u32, session, f, data: 0, value: String::new(), end, shown: Vec::new() }
    }

    fn connect(&mut self, t: u64, client: usize) {
        let again = self.clients[client].session > 0 && self.n.chance(50);
        let closed = |s: u32, tale: &Tale| {
            let over = |x: &ConnectionState| matches!(x, ConnectionState::Closed | ConnectionState::Expired);
            tale.conns.iter().any(|c| c.session == s && over(&c.state))
                || tale.ops.iter().any(|o| o.session == s && o.f == Function::Close && o.ok().is_some())
        };
        let resumed = again && !closed(self.clients[client].session, &self.tale);
        if !resumed {
            self.sessions += 1;
            self.clients[client].session = self.sessions;
        }
        let node = self.n.below(2) as u32;
        let state = if resumed { ConnectionState::Resumed } else { ConnectionState::Connected };
        let me = &mut self.clients[client];
        (me.connected, me.node, me.open) = (true, node, None);
        self.tale.conns.push(Conn { t, client: client as u32, session: me.session, node, state });
    }

    fn invoke(&mut self, t: u64, client: usize, f: Function) {
        let mut op = self.op(t, client, f, None);
        op.data = u32::from(self.family != 3 && self.n.chance(12));
        if f == Function::Publish {
            self.values += 1;
            op.value = format!("v{}", self.values);
        }
        if f == Function::Unpublish {
            op.value = self.clients[client].held[op.data as usize].clone().unwrap_or_default();
        }
        if f == Function::Read {
            let data = op.data as usize;
            op.shown = self.content(data);
        }
        // Some take effect as soon as they are asked for.
        if self.n.chance(50) {
            self.effect(client, &op);
        }
        self.clients[client].open = Some(self.tale.ops.len());
        self.tale.ops.push(op);
    }

    fn effect(&mut self, client: usize, op: &Op) {
        let held = &mut self.clients[client].held[op.data as usize];
        match op.f {
            Function::Publish => *held = Some(op.value.clone()),
            Function::Unpublish => *held = None,
            Function::Close => self.clients[client].held = Default::default(),
            _ => {}
        }
    }

    fn complete(&mut self, t: u64, client: usize, open: usize) {
        let outcome = match self.n.below(100) {
            _ if self.family == 3 => Outcome::Ok,
            0..75 => Outcome::Ok,
            75..85 => Outcome::Fail,
            _ => Outcome::Info,
        };
        self.tale.ops[open].end = Some((outcome, t));
        self.clients[client].open = None;
        let op = self.tale.ops[open].clone();
        if outcome == Outcome::Ok {
            self.effect(client, &op);
            if op.f == Function::Close {
                self.clients[client].connected = false;
            }
        }
    }

    fn trouble(&mut self, t: u64, client: usize) {
        let me = client as u32;
        let session = self.clients[client].session;
        let node = self.clients[client].node;
        match self.n.below(10) {
            _ if !matches!(self.family, 1 | 2 | 5) => self.push(t),
            0..=4 if matches!(self.family, 2 | 5) => self.fault(t),
            0..=4 => {
                let state = match self.n.below(10) {
                    0..7 => ConnectionState::Lost,
                    7 => ConnectionState::Closed,
                    _ => ConnectionState::Expired,
                };
                self.clients[client].connected = false;
                self.tale.conns.push(Conn { t, client: me, session, node, state });
            }
            5 | 6 if self.clients[client].open.is_none() => {
                let op = self.op(t, client, Function::Vanish, Some((Outcome::Ok, t)));
                self.tale.ops.push(op);
                self.clients[client].connected = false;
            }
            7 | 8 if self.clients[client].open.is_none() => self.invoke(t, client, Function::Close),
            _ => self.connect(t, client),
        }
    }

    fn fault(&mut self, t: u64) {
        let kinds =
            [FaultKind::Kill, FaultKind::Pause, FaultKind::Partition, FaultKind::MasterLag, FaultKind::HalfDead];
        let kind = kinds[self.n.below(5) as usize];
        let targets = ["n0", "n1", "n0-n1", "n1-n0", "n0-clients", "clients-n1", "c0", "c1", "n9", "n8-n9"];
        let target = match kind {
            FaultKind::Kill => targets[self.n.below(2) as usize],
            _ => targets[self.n.below(10) as usize],
        };
        let until = t + 1 + self.n.below(6);
        // No two events at one time.
        let free = until < self.tale.end && !self.tale.faults.iter().any(|f| f.until == Some(until));
        if free || self.n.chance(10) {
            self.tale.faults.push(Fault { t, kind, target: target.to_owned(), until: free.then_some(until) });
        }
    }

    /// Something like what was true lately.
    fn content(&mut self, data: usize) -> Vec<String> {
        let back = |n: &mut Numbers, most: u64| n.below(most) as usize;
        let most = if self.family == 3 { 5 } else { [4, 4, 4, 12][self.n.below(4) as usize] };
        let mut ago = back(self.n, most);
        let mut shown = Vec::new();
        for client in 0..3 {
            // Each publisher from a time of its own: torn.
            if self.family == 3 || self.n.chance(3) {
                ago = back(self.n, most);
            }
            let at = self.past.len() - 1 - ago.min(self.past.len() - 1);
            shown.extend(self.past[at][client][data].clone());
        }
        let noise = if self.family == 3 { 1 } else { 12 };
        if self.n.chance(noise) && !shown.is_empty() {
            let at = self.n.below(shown.len() as u64) as usize;
            shown.remove(at);
        }
        if self.n.chance(noise) {
            let any = format!("v{}", 1 + self.n.below(u64::from(self.values) + 2));
            shown.push(any);
        }
        if self.n.chance(noise / 3) && !shown.is_empty() {
            shown.push(shown[0].clone());
        }
        if self.n.chance(noise / 3) {
            shown.push("nobody".to_owned());
        }
        shown.sort();
        shown
    }

    fn push(&mut self, t: u64) {
        let to = if self.n.chance(85) { 2 } else { self.n.below(3) as u32 };
        let data = u32::from(self.family != 3 && self.n.chance(8));
        let shown = self.content(data as usize);
        self.version += self.n.below(3);
        let version =
            self.n.chance(70).then(|| if self.n.chance(8) { self.version.saturating_sub(2) } else { self.version });
        self.tale.pushes.push(Push { t, client: to, data, shown, version, session: None });
    }
}
