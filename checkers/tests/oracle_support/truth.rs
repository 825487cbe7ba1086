//! What may be true at each instant, straight from the definitions. Instants are numbered 2t for the whole millisecond t and
//! 2h + 1 for the middle of the one after h.

use super::tale::*;
use history::{ConnectionState, FaultKind, Function, Keeper, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub const FOREVER: u64 = 1 << 40;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct May {
    pub none: bool,
    pub soft: bool,
    pub values: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub struct Stretch {
    pub from: u64,
    pub to: u64,
    pub node: u32,
    pub session: u32,
}

/// A client's registration on a dataId.
#[derive(Clone, Debug)]
pub struct Who {
    pub client: u32,
    pub data: u32,
    /// Its operations and the closes of its client, by time.
    pub steps: Vec<Op>,
    /// By instant; instants that are alike share one.
    pub may: Vec<Arc<May>>,
}

pub fn is_put(op: &Op) -> bool {
    op.f == Function::Publish
}

pub fn stretches(tale: &Tale, client: u32) -> Vec<Stretch> {
    let mut out = Vec::new();
    let starts = |c: &&Conn| matches!(c.state, ConnectionState::Connected | ConnectionState::Resumed);
    for c in tale.conns.iter().filter(|c| c.client == client).filter(starts) {
        let conns = tale.conns.iter().filter(|x| x.client == client && x.t > c.t).map(|x| x.t);
        let vanishes = tale.ops.iter().filter(|o| o.client == client && o.f == Function::Vanish).map(|o| o.t);
        let closes = tale.ops.iter().filter(|o| o.client == client && o.f == Function::Close).filter_map(Op::ok);
        let to = conns.chain(vanishes).chain(closes).filter(|t| *t > c.t).min().unwrap_or(FOREVER);
        out.push(Stretch { from: c.t, to, node: c.node, session: c.session });
    }
    out
}

/// 0 free, 1 on the way to the keeper, 2 behind it, 3 both.
fn touch(tale: &Tale, fault: &Fault, client: u32, node: u32) -> u8 {
    let me = format!("n{node}");
    let any = tale.contract.lease_keeper == Keeper::AnyNode;
    if !any && fault.target == me && matches!(fault.kind, FaultKind::HalfDead | FaultKind::Slow | FaultKind::StaleTable)
    {
        return 3;
    }
    if fault.kind == FaultKind::MasterLag || fault.target == me || fault.target == format!("c{client}") {
        return 1;
    }
    match fault.target.split_once('-') {
        Some((a, b)) if a == "clients" || b == "clients" => u8::from(a == me || b == me),
        Some(_) if any => 1,
        Some((a, b)) => 2 * u8::from(a == me || b == me),
        None => u8::from(any && fault.target.starts_with('n')),
    }
}

fn quiet(tale: &Tale, mine: &[Stretch], client: u32, session: u32, kind: u8, h: u64) -> bool {
    let Some(begin) = mine.iter().filter(|s| s.session == session).map(|s| s.from).min() else { return false };
    match mine.iter().find(|s| s.session == session && s.from <= h && h < s.to) {
        None => kind == 1 && h >= begin,
        Some(s) => tale
            .faults
            .iter()
            .any(|f| f.t <= h && h < f.until.unwrap_or(FOREVER) && touch(tale, f, client, s.node) & kind != 0),
    }
}

/// Maximal runs of quiet halves, with gaps shorter than a lease filled; the last may be endless.
fn silences(tale: &Tale, client: u32, session: u32, kind: u8, lease: u64) -> Vec<(u64, u64)> {
    let far = tale.end + 2;
    let mine = stretches(tale, client);
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for h in 0..far {
        if quiet(tale, &mine, client, session, kind, h) {
            match runs.last_mut() {
                Some(run) if run.1 == h || h - run.1 < lease => run.1 = h + 1,
                _ => runs.push((h, h + 1)),
            }
        }
    }
    if let Some(run) = runs.last_mut().filter(|r| r.1 == far) {
        run.1 = FOREVER;
    }
    runs
}

fn lapsed(runs: &[(u64, u64)], lease: u64, proofs: &[(u64, u64)], h: u64) -> bool {
    runs.iter().filter(|r| r.0 <= h).any(|&(a, b)| {
        let base = proofs.iter().filter(|p| p.1 <= h).map(|p| p.0).fold(a, u64::max);
        base + lease <= h && base + lease < b
    })
}

fn proofs(tale: &Tale, client: u32, session: u32) -> Vec<(u64, u64)> {
    let counts = |o: &&Op| !matches!(o.f, Function::Connect | Function::Vanish | Function::Close);
    let mine = tale.ops.iter().filter(|o| o.client == client && o.session == session).filter(counts);
    let ops = mine.filter_map(|o| o.ok().map(|ok| (o.t, ok)));
    let starts = stretches(tale, client).into_iter().filter(|s| s.session == session).map(|s| (s.from, s.from));
    ops.chain(starts).collect()
}

fn absent(tale: &Tale, client: u32, session: u32) -> Option<u64> {
    let closes = tale.ops.iter().filter(|o| o.f == Function::Close && o.client == client && o.session == session);
    let closed = closes.clone().filter_map(Op::ok).min();
    let told =
        tale.conns.iter().filter(|c| c.session == session && c.state == ConnectionState::Closed).map(|c| c.t).min();
    if let Some(t) = closed.into_iter().chain(told).min() {
        return Some(t);
    }
    let all = stretches(tale, client);
    let last = all.iter().rfind(|s| s.session == session)?;
    if last.to == FOREVER {
        return None;
    }
    let mut heartbeat = closes.filter_map(|o| o.end).map(|e| e.1).fold(last.to, u64::max);
    for o in tale.ops.iter().filter(|o| o.client == client && o.f == Function::Connect && o.outcome() == Outcome::Info)
    {
        let end = o.end.map_or(FOREVER, |e| e.1);
        if end >= last.to && !all.iter().any(|s| s.from > last.to && s.from <= o.t) {
            heartbeat = heartbeat.max(end);
        }
    }
    let mut at = heartbeat + tale.contract.lease_ms_max;
    for _ in 0..=tale.faults.len() {
        for f in &tale.faults {
            let concerns = tale.contract.lease_restarts_on_keeper_change || touch(tale, f, client, last.node) > 0;
            let until = f.until.unwrap_or(FOREVER);
            if concerns && f.t <= at && until >= last.to {
                at = at.max(until + tale.contract.lease_ms_max);
            }
        }
    }
    (at < FOREVER).then_some(at)
}

/// What one session knows, so that it is not asked for again at each instant.
struct Life {
    session: u32,
    absent: Option<u64>,
    silences: Vec<(u64, u64)>,
    cuts: Vec<(u64, u64)>,
    proofs: Vec<(u64, u64)>,
    stretches: Vec<Stretch>,
    expired: u64,
}

impl Life {
    fn new(tale: &Tale, client: u32, session: u32) -> Life {
        let c = &tale.contract;
        let told = |x: &&Conn| x.session == session && x.state == ConnectionState::Expired;
        Life {
            session,
            absent: absent(tale, client, session),
            silences: silences(tale, client, session, 1, c.lease_ms_min),
            cuts: silences(tale, client, session, 2, c.node_lease_ms_min.unwrap_or(c.lease_ms_min)),
            proofs: proofs(tale, client, session),
            stretches: stretches(tale, client).into_iter().filter(|s| s.session == session).collect(),
            expired: tale.conns.iter().find(told).map_or(FOREVER, |x| x.t),
        }
    }

    /// The state of one registration because of this session, in the middle after `h`.
    fn may(&self, tale: &Tale, who: &Who, h: u64) -> May {
        let c = &tale.contract;
        let steps: Vec<&Op> = who.steps.iter().filter(|o| o.session == self.session).collect();
        let mut out = May::default();
        let settled = steps.iter().rposition(|o| o.f != Function::Close && o.ok().is_some_and(|t| t <= h));
        let unknown = |o: &Op| o.outcome() == Outcome::Info || (o.f == Function::Close && o.ok().is_none());
        let afloat = |at: usize, o: &Op| unknown(o) && (settled.is_none_or(|k| at > k) || !c.stale_writes_rejected);
        if let Some(gone) = self.absent.filter(|t| *t <= h) {
            out.none = true;
            out.soft = steps.iter().all(|o| o.f != Function::Close);
            if h < gone + c.in_flight_ms_max {
                let late = steps.iter().enumerate().filter(|(at, o)| is_put(o) && afloat(*at, o));
                out.values.extend(late.map(|(_, o)| o.value.clone()));
            }
        } else {
            match settled.map(|k| steps[k]) {
                Some(op) if is_put(op) => drop(out.values.insert(op.value.clone())),
                _ => out.none = true,
            }
            for (at, op) in steps.iter().enumerate().filter(|(_, o)| o.t <= h) {
                let after = settled.is_none_or(|k| at > k);
                let failed =
                    op.outcome() == Outcome::Fail && op.f != Function::Close && op.end.is_some_and(|e| e.1 <= h);
                if (after && !failed) || (settled.is_some_and(|k| at < k) && afloat(at, op)) {
                    if is_put(op) {
                        out.values.insert(op.value.clone());
                    }
                    let empties = !is_put(op) || !c.atomic_replace;
                    out.none |= empties;
                    out.soft |= empties && (is_put(op) || !after);
                }
            }
        }
        if self.doubtful(tale, who, h) {
            (out.none, out.soft) = (true, true);
        }
        out
    }

    fn doubtful(&self, tale: &Tale, who: &Who, h: u64) -> bool {
        let c = &tale.contract;
        let puts = || {
            who.steps.iter().filter(|o| o.session == self.session && is_put(o)).filter_map(|o| o.ok().map(|e| (o.t, e)))
        };
        if self.expired <= h || lapsed(&self.silences, c.lease_ms_min, &self.proofs, h) {
            return true;
        }
        let in_cut = |t: u64| self.cuts.iter().any(|x| x.0 <= t && t < x.1);
        let behind: Vec<_> = self.proofs.iter().copied().filter(|p| !in_cut(p.0)).chain(puts()).collect();
        if lapsed(&self.cuts, c.node_lease_ms_min.unwrap_or(c.lease_ms_min), &behind, h) {
            return true;
        }
        let first_in = |s: u32| who.steps.iter().position(|o| o.session == s);
        let newer = |o: &&Op| {
            o.f != Function::Close
                && o.t <= h
                && o.session != self.session
                && first_in(o.session) > first_in(self.session)
        };
        if who.steps.iter().any(|o| newer(&o)) {
            return true;
        }
        let begin = self.stretches.first().map_or(FOREVER, |s| s.from);
        let kills = tale.faults.iter().filter(|f| f.kind == FaultKind::Kill && f.t <= h && f.t >= begin);
        !c.survives_node_loss
            && kills.into_iter().any(|f| {
                let lately = self.stretches.iter().rev().filter(|s| s.from <= f.t).take(2);
                let mine = lately.into_iter().any(|s| f.target == format!("n{}", s.node));
                mine && puts().find(|p| p.0 >= f.t).is_none_or(|p| p.1 > h)
            })
    }
}

/// No fault touches any hop of this client on this node in the middle after `h`.
pub fn clean(tale: &Tale, client: u32, node: u32, h: u64) -> bool {
    let active = |f: &&Fault| f.t <= h && h < f.until.unwrap_or(FOREVER);
    !tale.faults.iter().filter(active).any(|f| touch(tale, f, client, node) > 0)
}

/// A value owed in the middle after `h`, and since when the client is connected.
fn owed(tale: &Tale, who: &Who, all: &[Stretch], h: u64) -> Option<(String, u64)> {
    let promise = tale.contract.reregister_ms_max?;
    let now = all.iter().find(|s| s.from <= h && h < s.to)?;
    let begin = all.iter().find(|s| s.session == now.session)?.from;
    if who.steps.iter().any(|o| o.t >= begin && o.t <= h) {
        return None;
    }
    let held = who.steps.iter().rev().filter(|o| o.t < begin).find(|o| !is_put(o) || o.outcome() != Outcome::Fail)?;
    if !is_put(held) {
        return None;
    }
    let since = (now.from..=h).rev().take_while(|x| clean(tale, who.client, now.node, *x)).last()?;
    (since + promise <= h).then(|| (held.value.clone(), now.from))
}

fn united(states: &[May]) -> May {
    let mut out = May { none: states.iter().all(|s| s.none), ..May::default() };
    out.soft = out.none && states.iter().any(|s| s.soft);
    states.iter().for_each(|s| out.values.extend(s.values.iter().cloned()));
    out
}

fn both(a: &May, b: &May) -> May {
    May { none: a.none || b.none, soft: a.soft || b.soft, values: &a.values | &b.values }
}

pub fn truth(tale: &Tale) -> Vec<Who> {
    let mut found: BTreeMap<(u32, u32), Who> = BTreeMap::new();
    for op in &tale.ops {
        let who = |steps| Who { client: op.client, data: op.data, steps, may: Vec::new() };
        match op.f {
            Function::Publish => {
                found.entry((op.data, op.client)).or_insert_with(|| who(Vec::new())).steps.push(op.clone());
            }
            Function::Unpublish => {
                if let Some(who) = found.get_mut(&(op.data, op.client)) {
                    who.steps.push(op.clone());
                }
            }
            Function::Close => {
                let mine = found.values_mut().filter(|w| w.client == op.client);
                mine.for_each(|w| w.steps.push(op.clone()));
            }
            _ => {}
        }
    }
    let mut all: Vec<Who> = found.into_values().collect();
    for who in &mut all {
        let mut sessions: Vec<u32> = who.steps.iter().map(|o| o.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let lives: Vec<Life> = sessions.iter().map(|s| Life::new(tale, who.client, *s)).collect();
        let empty = || vec![May { none: true, ..May::default() }; lives.len()];
        let mut before = empty();
        let mut owed_before = None;
        let mut may: Vec<Arc<May>> = Vec::new();
        let mine = stretches(tale, who.client);
        for h in 0..=tale.end {
            let now: Vec<May> = lives.iter().map(|l| l.may(tale, who, h)).collect();
            let point: Vec<May> = before.iter().zip(&now).map(|(a, b)| both(a, b)).collect();
            let owed_now = owed(tale, who, &mine, h);
            type Debt = Option<(String, u64)>;
            let with_debt = |mut state: May, a: &Debt, b: &Debt| {
                state.values.extend(a.iter().chain(b).map(|d| d.0.clone()));
                if a.is_some() && a == b && state.none {
                    (state.none, state.soft) = (false, false);
                }
                state
            };
            for state in
                [with_debt(united(&point), &owed_before, &owed_now), with_debt(united(&now), &owed_now, &owed_now)]
            {
                let same = may.last().filter(|m| ***m == state).cloned();
                may.push(same.unwrap_or_else(|| Arc::new(state)));
            }
            (before, owed_before) = (now, owed_now);
        }
        who.may = may;
    }
    all
}
