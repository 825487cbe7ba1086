//! What each subscriber had before its eyes, from when until when.
//!
//! A view is the last push of a subscription; it is undefined from a disconnect, from the invocation of another subscribe and
//! from that of an unsubscribe until the next push. A subscription is an intention: it survives reconnects until unsubscribe
//! or a clean close. Views in a row without a gap form a *run*; a *stretch* is one subscription in one session, over
//! which nothing may go back.
//!
//! Waiting for a first push: within the horizon of the ok of a subscribe. After a reconnect without a new subscribe the
//! push is due that long after `reregister_ms_max` of undisturbed connection; where a system gives no such promise, or a
//! subscribe failed or is unknown, nothing can be said and nothing is.

use crate::content::Contents;
use crate::hearing::Hearing;
use crate::options::Options;
use crate::record::Record;
use crate::span::{Span, millis};
use crate::trouble::Horizon;
use history::{ClientId, ConnectionState, DataIx, Event, Function, Nanos, Operation, Outcome, Push, SessionId};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// One push, and how long it stayed the view.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub push: usize,
    pub content: usize,
    pub at: Nanos,
    /// The first instant at which it is not the view any more; `at` if it never was one.
    pub until: Nanos,
    /// The instant of the push is judged.
    pub judged: bool,
    pub run: Option<usize>,
    pub stretch: usize,
    /// The view before it in the same stretch.
    pub before: Option<usize>,
}

/// Views in a row.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub data: DataIx,
    /// First push.
    pub start: Nanos,
    /// Subscribed since; never before the first push if the subscribe was confirmed after it.
    pub base: Nanos,
    /// When the view became undefined.
    pub end: Nanos,
    /// Last push.
    pub last: Nanos,
}

/// A first push that did not come.
#[derive(Clone, Debug)]
pub(crate) struct Unserved {
    pub client: ClientId,
    pub subscription: u32,
    pub data: DataIx,
    pub since: Nanos,
    pub time: Nanos,
    /// Nothing was asked again after a reconnect.
    pub forgotten: bool,
}

/// All views of a history.
#[derive(Default)]
pub(crate) struct Views {
    pub all: Vec<View>,
    pub runs: Vec<Run>,
    pub unserved: Vec<Unserved>,
    /// Time with a subscription and a connection, summed over subscriptions.
    pub subscribed: u128,
    /// Of it, the time with a view judged under a finite horizon.
    pub judged: u128,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    No,
    /// Asked; nothing is due before the answer.
    Asked,
    /// Confirmed then.
    Confirmed(Nanos),
    /// Connected again then, not asked yet.
    Owed(Nanos),
}

struct Sub {
    data: DataIx,
    wanted: bool,
    waiting: Waiting,
    view: Option<usize>,
    run: Option<usize>,
    stretch: usize,
    last_in_stretch: Option<usize>,
    /// Connected and subscribed since.
    live: Option<Nanos>,
}

struct Walk<'a, 'b> {
    record: &'b Record<'a>,
    contents: &'b Contents,
    horizon: &'b Horizon,
    hearings: &'b [Hearing],
    promise: Option<Nanos>,
    out: Views,
    subs: BTreeMap<(ClientId, u32), Sub>,
    of_client: FxHashMap<ClientId, Vec<u32>>,
    connected: FxHashMap<ClientId, bool>,
    /// The session of each client, where connections are told.
    current: FxHashMap<ClientId, SessionId>,
    stretches: usize,
}

impl Views {
    pub fn new(
        record: &Record,
        contents: &Contents,
        horizon: &Horizon,
        hearings: &[Hearing],
        options: &Options,
    ) -> Views {
        let promise = record.header.contract.reregister_ms_max.map(|ms| millis(ms) / options.divisor.max(1));
        let mut walk = Walk {
            record,
            contents,
            horizon,
            hearings,
            promise,
            out: Views::default(),
            subs: BTreeMap::new(),
            of_client: FxHashMap::default(),
            connected: FxHashMap::default(),
            current: FxHashMap::default(),
            stretches: 0,
        };
        let mut pushes = 0;
        for event in record.events {
            match event {
                Event::Op(op) => walk.operation(op),
                Event::Push(push) => {
                    walk.push(pushes, push);
                    pushes += 1;
                }
                Event::Connection(c) => match c.state {
                    ConnectionState::Connected | ConnectionState::Resumed => {
                        walk.current.insert(c.client, c.session);
                        walk.connected(c.client, c.time, c.state == ConnectionState::Connected);
                    }
                    // News of an older session say nothing about the present one.
                    _ if walk.current.get(&c.client).is_some_and(|s| *s != c.session) => {}
                    _ => walk.disconnected(c.client, c.time),
                },
                _ => {}
            }
        }
        let after = record.end.saturating_add(1);
        let clients: Vec<ClientId> = walk.of_client.keys().copied().collect();
        clients.into_iter().for_each(|c| walk.disconnected(c, after));
        walk.out.unserved.sort_by_key(|u| (u.time, u.client, u.subscription));
        walk.out
    }
}

impl Walk<'_, '_> {
    fn operation(&mut self, op: &Operation) {
        let invoke = op.outcome == Outcome::Invoke;
        match op.f {
            Function::Subscribe if invoke => self.asked(op),
            Function::Subscribe => self.answered(op),
            Function::Unsubscribe if invoke => self.unwanted(op.client, op.subscription.unwrap_or(0), op.time),
            Function::Vanish if invoke => self.disconnected(op.client, op.time),
            Function::Close if invoke => {
                let subs = self.of_client.get(&op.client).cloned().unwrap_or_default();
                subs.into_iter().for_each(|s| self.unwanted(op.client, s, op.time));
            }
            _ => {}
        }
    }

    fn asked(&mut self, op: &Operation) {
        let Some(data) = op.data else { return };
        let key = (op.client, op.subscription.unwrap_or(0));
        self.unwanted(key.0, key.1, op.time);
        // A history without a word about connections: clients are connected.
        let connected = *self.connected.entry(op.client).or_insert(true);
        self.stretches += 1;
        let sub = Sub {
            data,
            wanted: true,
            waiting: Waiting::Asked,
            view: None,
            run: None,
            stretch: self.stretches,
            last_in_stretch: None,
            live: connected.then_some(op.time),
        };
        if self.subs.insert(key, sub).is_none() {
            self.of_client.entry(op.client).or_default().push(key.1);
        }
    }

    fn answered(&mut self, op: &Operation) {
        let Some(sub) = self.subs.get_mut(&(op.client, op.subscription.unwrap_or(0))) else { return };
        if op.outcome != Outcome::Ok || !sub.wanted {
            return;
        }
        if sub.waiting == Waiting::Asked {
            sub.waiting = Waiting::Confirmed(op.time);
        } else if let Some(run) = sub.run {
            let run = &mut self.out.runs[run];
            run.base = run.base.max(op.time);
        }
    }

    fn unwanted(&mut self, client: ClientId, subscription: u32, time: Nanos) {
        self.undefined((client, subscription), time);
        if let Some(sub) = self.subs.get_mut(&(client, subscription)) {
            sub.wanted = false;
        }
    }

    fn disconnected(&mut self, client: ClientId, time: Nanos) {
        self.connected.insert(client, false);
        for subscription in self.of_client.get(&client).cloned().unwrap_or_default() {
            self.undefined((client, subscription), time);
        }
    }

    fn connected(&mut self, client: ClientId, time: Nanos, anew: bool) {
        self.disconnected(client, time);
        self.connected.insert(client, true);
        for subscription in self.of_client.get(&client).cloned().unwrap_or_default() {
            let Some(sub) = self.subs.get_mut(&(client, subscription)).filter(|s| s.wanted) else { continue };
            sub.waiting = Waiting::Owed(time);
            sub.live = Some(time);
            if anew {
                self.stretches += 1;
                sub.stretch = self.stretches;
                sub.last_in_stretch = None;
            }
        }
    }

    fn push(&mut self, number: usize, push: &Push) {
        let Some(&content) = self.contents.by_id.get(&push.snapshot) else { return };
        let at = self.out.all.len();
        let present = self.current.get(&push.client).is_none_or(|s| *s == push.session);
        let connected = present && self.connected.get(&push.client).copied().unwrap_or(false);
        let mut view = View {
            push: number,
            content,
            at: push.time,
            until: push.time,
            judged: true,
            run: None,
            stretch: 0,
            before: None,
        };
        let sub = self.subs.get_mut(&(push.client, push.subscription));
        if let Some(sub) = sub.filter(|s| connected && s.wanted && s.data == push.data) {
            if let Some(before) = sub.view {
                self.out.all[before].until = push.time;
            }
            let run = *sub.run.get_or_insert_with(|| {
                let base = if let Waiting::Confirmed(ok) = sub.waiting { ok } else { push.time };
                self.out.runs.push(Run { data: push.data, start: push.time, base, end: push.time, last: push.time });
                self.out.runs.len() - 1
            });
            self.out.runs[run].last = push.time;
            let first = sub.waiting != Waiting::No;
            let may_be_empty = self.record.header.contract.first_push_may_be_empty;
            view.judged = !(first && may_be_empty && self.contents.all[content].len == 0);
            (view.run, view.stretch, view.before) = (Some(run), sub.stretch, sub.last_in_stretch);
            if let Waiting::Confirmed(since) = sub.waiting {
                // Came, but late.
                self.overdue((push.client, push.subscription), since, push.time);
            } else if let Waiting::Owed(since) = sub.waiting {
                self.owed((push.client, push.subscription), since, push.time);
            }
        }
        if let Some(sub) = self.subs.get_mut(&(push.client, push.subscription)).filter(|_| view.run.is_some()) {
            (sub.waiting, sub.view, sub.last_in_stretch) = (Waiting::No, Some(at), Some(at));
        }
        self.out.all.push(view);
    }

    /// The view of a subscription ends at `time`, and so does waiting for one.
    fn undefined(&mut self, key: (ClientId, u32), time: Nanos) {
        let Some(sub) = self.subs.get_mut(&key) else { return };
        let waiting = std::mem::replace(&mut sub.waiting, Waiting::No);
        if let Some(live) = sub.live.take() {
            self.out.subscribed += u128::from(time - live);
        }
        if let Some(view) = sub.view.take() {
            self.out.all[view].until = time;
        }
        if let Some(run) = sub.run.take() {
            let run = &mut self.out.runs[run];
            run.end = time;
            if time > run.start {
                self.out.judged += u128::from(self.horizon.finite_in(Span::new(run.start, time - 1)));
            }
        }
        match waiting {
            Waiting::Confirmed(since) => self.overdue(key, since, time),
            Waiting::Owed(since) => self.owed(key, since, time),
            Waiting::No | Waiting::Asked => {}
        }
    }

    fn overdue(&mut self, key: (ClientId, u32), since: Nanos, until: Nanos) {
        if until <= since {
            return;
        }
        if let Some(first) = self.horizon.too_old(since, Span::new(since, until - 1)).first() {
            self.unserved(key, since, first.from, false);
        }
    }

    /// Connected again since then, and never asked again: due after the promise of an undisturbed connection.
    fn owed(&mut self, key: (ClientId, u32), since: Nanos, until: Nanos) {
        let Some(promise) = self.promise else { return };
        if until <= since {
            return;
        }
        let window = Span::new(since, until - 1);
        let sessions = self.record.by_client.get(&key.0).into_iter().flatten();
        let clean = sessions.flat_map(|s| &self.hearings[*s].clean).filter(|c| c.from >= since);
        let due = clean
            .filter_map(|c| {
                let base = c.from.saturating_add(promise);
                let within = Span::new(base, c.to).common(window).filter(|w| w.from <= w.to && base <= c.to)?;
                self.horizon.too_old(base, within).first().map(|s| s.from)
            })
            .min();
        if let Some(time) = due {
            self.unserved(key, since, time, true);
        }
    }

    fn unserved(&mut self, key: (ClientId, u32), since: Nanos, time: Nanos, forgotten: bool) {
        let Some(sub) = self.subs.get(&key) else { return };
        let data = sub.data;
        self.out.unserved.push(Unserved { client: key.0, subscription: key.1, data, since, time, forgotten });
    }
}
