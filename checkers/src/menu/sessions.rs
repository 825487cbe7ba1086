//! Session guarantees of registers and stores (Terry et al., "Session guarantees for weakly consistent replicated data", 1994):
//! read your writes, monotonic reads, monotonic writes, writes follow reads. A session is a process, each value is written
//! once to each key, and versions of a key have one order, though nobody tells which.
//!
//! Each guarantee says of some pairs of versions which is not the older one: after a write of v a session reads v or newer (read
//! your writes), and so on. If that leads in a circle, no order of versions has the guarantee. Monotonic writes, and writes
//! that follow reads, show only to those whose reads are monotonic. What holds across keys is judged in `causality`.

use super::causality;
use super::cycles::Graph;
use super::parts::is_read;
use super::tally::Tally;
use history::calls::{Call, Calls, Ended, NO_PROCESS, Value, render};
use rustc_hash::FxHashMap;

/// The version before all writes.
pub(super) const INITIAL: u32 = 0;
/// So many versions and calls of a circle are named.
const NAMED_MAX: usize = 5;

/// A read or a write of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// Index of the call.
    pub(super) call: u32,
    pub(super) session: u32,
    pub(super) key: u32,
    /// Number of the version, for each key from [`INITIAL`] on.
    pub(super) version: u32,
    pub(super) write: bool,
    /// False for a write of unknown outcome: it binds nobody after it.
    pub(super) sure: bool,
}

/// All accesses in the order of their session.
pub(super) struct Log<'a> {
    pub(super) calls: &'a Calls,
    /// By session; in each in its order.
    pub(super) accesses: Vec<Access>,
    pub(super) sessions: u32,
    pub(super) keys: Vec<Value>,
    /// The value of each version, by key and version.
    pub(super) values: Vec<Vec<Value>>,
}

impl Log<'_> {
    pub(super) fn show(&self, key: u32, version: u32) -> String {
        render(&self.values[key as usize][version as usize], &self.calls.symbols)
    }

    pub(super) fn of_key(&self, key: u32) -> String {
        match &self.keys[key as usize] {
            Value::Nil => String::new(),
            name => format!("key {}: ", render(name, &self.calls.symbols)),
        }
    }

    pub(super) fn tell(&self, access: &Access) -> String {
        let call = &self.calls.calls[access.call as usize];
        let verb = if access.write { "wrote" } else { "read" };
        let place = if access.write { call.invoke } else { call.complete };
        format!("process {} {verb} {} at place {place}", call.process, self.show(access.key, access.version))
    }
}

const READ_YOUR_WRITES: u8 = 1;
const MONOTONIC_READS: u8 = 2;
const MONOTONIC_WRITES: u8 = 4;
const WRITES_FOLLOW_READS: u8 = 8;
/// What is tried on each key; what contains something broken is not tried.
const TRIES: [(&str, u8); 6] = [
    ("read-your-writes", READ_YOUR_WRITES),
    ("monotonic-reads", MONOTONIC_READS),
    ("writes-follow-reads", WRITES_FOLLOW_READS),
    ("monotonic-writes", MONOTONIC_READS | MONOTONIC_WRITES),
    ("writes-follow-reads", MONOTONIC_READS | WRITES_FOLLOW_READS),
    ("session-guarantees-together", READ_YOUR_WRITES | MONOTONIC_READS | MONOTONIC_WRITES | WRITES_FOLLOW_READS),
];

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let Some(log) = log(calls, tally) else { return };
    tally.operations = log.accesses.len() as u64;
    if !log.accesses.iter().any(|access| !access.write) {
        tally.reason = Some("there is no read to judge".to_owned());
        return;
    }
    let mut by_key: Vec<Vec<Access>> = vec![Vec::new(); log.keys.len()];
    log.accesses.iter().for_each(|access| by_key[access.key as usize].push(*access));
    let mut broken = vec![false; log.keys.len()];
    for (key, accesses) in by_key.iter().enumerate() {
        let mut found: Vec<u8> = Vec::new();
        for (anomaly, guarantees) in TRIES {
            if found.iter().any(|smaller| smaller & guarantees == *smaller) {
                continue;
            }
            for knot in knots(accesses, log.values[key].len() as u32, guarantees) {
                found.push(guarantees);
                tally.found(anomaly, || sentence(&log, key as u32, accesses, &knot));
            }
        }
        broken[key] = !found.is_empty();
    }
    if log.keys.len() > 1 {
        causality::check(&log, &broken, tally);
    }
}

/// Versions of a key of which each is, by these guarantees, not older than each other.
fn knots(accesses: &[Access], versions: u32, guarantees: u8) -> Vec<Vec<u32>> {
    let mut graph = Graph::new(versions);
    (1..versions).for_each(|version| graph.edge(INITIAL, version));
    let pairs = [
        (READ_YOUR_WRITES, true, false),
        (MONOTONIC_READS, false, false),
        (MONOTONIC_WRITES, true, true),
        (WRITES_FOLLOW_READS, false, true),
    ];
    for (_, first, then) in pairs.into_iter().filter(|(guarantee, ..)| guarantees & guarantee != 0) {
        // A node for all that the session did until now: not newer than anything that follows.
        let mut until_now: Option<(u32, u32)> = None;
        for access in accesses {
            let until = until_now.filter(|(session, _)| *session == access.session).map(|(_, node)| node);
            if access.write == then
                && let Some(until) = until
            {
                graph.edge(until, access.version);
            }
            if access.write == first && access.sure {
                let node = graph.node();
                graph.edge(access.version, node);
                if let Some(until) = until {
                    graph.edge(until, node);
                }
                until_now = Some((access.session, node));
            }
        }
    }
    let mut knots = graph.knots();
    knots.iter_mut().for_each(|knot| knot.retain(|node| *node < versions));
    knots.retain(|knot| knot.len() > 1);
    knots
}

fn sentence(log: &Log<'_>, key: u32, accesses: &[Access], knot: &[u32]) -> String {
    let versions: Vec<String> = knot.iter().take(NAMED_MAX).map(|version| log.show(key, *version)).collect();
    let inside = |access: &&Access| knot.binary_search(&access.version).is_ok();
    let who: Vec<String> = accesses.iter().filter(inside).take(NAMED_MAX).map(|access| log.tell(access)).collect();
    format!("{}{} cannot be put in an order: {}", log.of_key(key), versions.join(", "), who.join(", "))
}

/// Accesses by session; none if the history cannot be judged.
fn log<'a>(calls: &'a Calls, tally: &mut Tally) -> Option<Log<'a>> {
    let mut builder = Builder {
        log: Log { calls, accesses: Vec::new(), sessions: 0, keys: Vec::new(), values: Vec::new() },
        keys: FxHashMap::default(),
        versions: FxHashMap::default(),
        sessions: FxHashMap::default(),
    };
    let pieces: Vec<(u32, Vec<Piece<'_>>)> =
        calls.calls.iter().enumerate().map(|(number, call)| (number as u32, pieces(call, calls))).collect();
    // Writes first, so that what nobody wrote is known.
    for (number, piece) in pieces.iter().flat_map(|(number, pieces)| pieces.iter().map(move |piece| (*number, piece))) {
        let call = &calls.calls[number as usize];
        if call.process == NO_PROCESS {
            tally.reason = Some("the history names no processes, so nobody knows who did what".to_owned());
            return None;
        }
        if piece.write
            && let Err(twice) = builder.written(piece)
        {
            tally.reason = Some(twice);
            return None;
        }
    }
    for (number, piece) in pieces.iter().flat_map(|(number, pieces)| pieces.iter().map(move |piece| (*number, piece))) {
        builder.access(number, piece, tally);
    }
    let mut log = builder.log;
    // A process has one call at a time, so the order of calls is the order of each.
    log.accesses.sort_by_key(|access| access.session);
    Some(log)
}

/// A read or a write in a call, still in the words of the history.
struct Piece<'a> {
    key: &'a Value,
    value: &'a Value,
    write: bool,
}

const NO_KEY: &Value = &Value::Nil;

/// What a call read and wrote. A compare-and-set that succeeded read the one and wrote the other.
fn pieces<'a>(call: &'a Call, calls: &Calls) -> Vec<Piece<'a>> {
    let (ok, happened) = (call.ended == Ended::Ok, call.ended != Ended::Fail);
    let key = call.key.as_ref().unwrap_or(NO_KEY);
    let piece = |value: &'a Value, write: bool| Piece { key, value, write };
    match calls.f(call) {
        f if is_read(f) && !is_transaction(&call.input) => {
            if ok {
                vec![piece(&call.output, false)]
            } else {
                Vec::new()
            }
        }
        "write" | "w" | "put" | "set" if happened && !is_transaction(&call.input) => vec![piece(&call.input, true)],
        "cas" | "compare-and-set" if happened => match call.input.list() {
            Some([old, new]) if ok => vec![piece(old, false), piece(new, true)],
            Some([_, new]) => vec![piece(new, true)],
            _ => Vec::new(),
        },
        _ => {
            let micros = if ok { call.output.list() } else { call.input.list() }.unwrap_or_default();
            micros.iter().filter(|_| happened).filter_map(|micro| micro_of(micro, ok, calls)).collect()
        }
    }
}

fn is_transaction(value: &Value) -> bool {
    value.list().is_some_and(|micros| !micros.is_empty() && micros.iter().all(|micro| micro.list().is_some()))
}

fn micro_of<'a>(micro: &'a Value, ok: bool, calls: &Calls) -> Option<Piece<'a>> {
    let [f, key, value] = micro.list()? else { return None };
    match calls.symbols.name(f.word()?) {
        "r" | "read" if ok => Some(Piece { key, value, write: false }),
        "w" | "write" => Some(Piece { key, value, write: true }),
        _ => None,
    }
}

struct Builder<'a> {
    log: Log<'a>,
    // All looked up only.
    keys: FxHashMap<Value, u32>,
    versions: FxHashMap<(u32, Value), u32>,
    sessions: FxHashMap<i64, u32>,
}

impl Builder<'_> {
    fn key(&mut self, key: &Value) -> u32 {
        if let Some(&number) = self.keys.get(key) {
            return number;
        }
        let number = self.log.keys.len() as u32;
        self.log.keys.push(key.clone());
        self.log.values.push(vec![Value::Nil]);
        self.keys.insert(key.clone(), number);
        number
    }

    fn written(&mut self, piece: &Piece<'_>) -> Result<(), String> {
        let key = self.key(piece.key);
        let versions = &mut self.log.values[key as usize];
        versions.push(piece.value.clone());
        let version = versions.len() as u32 - 1;
        match self.versions.insert((key, piece.value.clone()), version) {
            None => Ok(()),
            Some(_) => {
                let value = render(piece.value, &self.log.calls.symbols);
                Err(format!("{}{value} was written twice; each value is to be written once", self.log.of_key(key)))
            }
        }
    }

    fn access(&mut self, number: u32, piece: &Piece<'_>, tally: &mut Tally) {
        let calls = self.log.calls;
        let call = &calls.calls[number as usize];
        let key = self.key(piece.key);
        let known = self.versions.get(&(key, piece.value.clone())).copied();
        let version = match known {
            Some(version) => version,
            None if piece.value.is_nil() => INITIAL,
            None => {
                let value = || render(piece.value, &calls.symbols);
                tally.found("unexpected", || {
                    format!("place {}: somebody read {}, which nobody wrote", call.complete, value())
                });
                return;
            }
        };
        let sessions = self.sessions.len() as u32;
        let session = *self.sessions.entry(call.process).or_insert(sessions);
        self.log.sessions = self.sessions.len() as u32;
        let (write, sure) = (piece.write, call.ended == Ended::Ok);
        self.log.accesses.push(Access { call: number, session, key, version, write, sure });
    }
}
