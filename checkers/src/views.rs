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

/// One push, and how long it stayed the view.
#[derive(Clone, Debug)]
pub(crate) struct View {
    push: u32,
    content: u32,
    pub at: Nanos,
    /// The first instant at which it is not the view any more; `at` if it never was one.
    pub until: Nanos,
    /// The instant of the push is judged.
    pub judged: bool,
    pub run: Index,
    pub stretch: u32,
    /// The view before it in the same stretch.
    pub before: Index,
}

/// A place in a list of fewer than 2^32 things, or none: there is a view to every push, so they are kept small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Index(u32);

impl Index {
    pub const NONE: Index = Index(u32::MAX);

    fn of(at: usize) -> Index {
        Index(small(at))
    }

    pub fn get(self) -> Option<usize> {
        (self != Index::NONE).then_some(self.0 as usize)
    }
}

/// A history that is too long breaks the checkers down, which is told.
fn small(at: usize) -> u32 {
    u32::try_from(at).ok().filter(|at| *at < u32::MAX).expect("a history has fewer than 2^32 pushes")
}

impl View {
    /// Its push, in the order of the history.
    pub fn push(&self) -> usize {
        self.push as usize
    }

    /// What it shows.
    pub fn content(&self) -> usize {
        self.content as usize
    }
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
    view: Index,
    run: Index,
    stretch: u32,
    last_in_stretch: Index,
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
    subs: Vec<Sub>,
    /// Index into `subs`: one search for each push.
    places: FxHashMap<Key, u32>,
    clients: FxHashMap<ClientId, Client>,
    stretches: u32,
}

/// A client and the number of one of its subscriptions.
type Key = (ClientId, u32);

#[derive(Default)]
struct Client {
    subscriptions: Vec<u32>,
    /// None if nothing was heard of a connection.
    connected: Option<bool>,
    /// Its session, where connections are told.
    session: Option<SessionId>,
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
            subs: Vec::new(),
            places: FxHashMap::default(),
            clients: FxHashMap::default(),
            stretches: 0,
        };
        walk.out.all.reserve_exact(record.pushes.len());
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
                        walk.clients.entry(c.client).or_default().session = Some(c.session);
                        walk.connected(c.client, c.time, c.state == ConnectionState::Connected);
                    }
                    // News of an older session say nothing about the present one.
                    _ if walk.clients.get(&c.client).and_then(|of| of.session).is_some_and(|s| s != c.session) => {}
                    _ => walk.disconnected(c.client, c.time),
                },
                _ => {}
            }
        }
        let after = record.end.saturating_add(1);
        let clients: Vec<ClientId> = walk.clients.keys().copied().collect();
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
                self.numbers_of(op.client).into_iter().for_each(|s| self.unwanted(op.client, s, op.time));
            }
            _ => {}
        }
    }

    fn numbers_of(&self, client: ClientId) -> Vec<u32> {
        self.clients.get(&client).map(|client| client.subscriptions.clone()).unwrap_or_default()
    }

    fn sub(&mut self, key: Key) -> Option<&mut Sub> {
        let place = *self.places.get(&key)?;
        self.subs.get_mut(place as usize)
    }

    fn asked(&mut self, op: &Operation) {
        let Some(data) = op.data else { return };
        let key = (op.client, op.subscription.unwrap_or(0));
        self.unwanted(key.0, key.1, op.time);
        // A history without a word about connections: clients are connected.
        let client = self.clients.entry(op.client).or_default();
        let connected = *client.connected.get_or_insert(true);
        self.stretches += 1;
        let sub = Sub {
            data,
            wanted: true,
            waiting: Waiting::Asked,
            view: Index::NONE,
            run: Index::NONE,
            stretch: self.stretches,
            last_in_stretch: Index::NONE,
            live: connected.then_some(op.time),
        };
        if let Some(place) = self.places.get(&key) {
            self.subs[*place as usize] = sub;
            return;
        }
        client.subscriptions.push(key.1);
        self.places.insert(key, self.subs.len() as u32);
        self.subs.push(sub);
    }

    fn answered(&mut self, op: &Operation) {
        let Some(place) = self.places.get(&(op.client, op.subscription.unwrap_or(0))) else { return };
        let sub = &mut self.subs[*place as usize];
        if op.outcome != Outcome::Ok || !sub.wanted {
            return;
        }
        if sub.waiting == Waiting::Asked {
            sub.waiting = Waiting::Confirmed(op.time);
        } else if let Some(run) = sub.run.get() {
            let run = &mut self.out.runs[run];
            run.base = run.base.max(op.time);
        }
    }

    fn unwanted(&mut self, client: ClientId, subscription: u32, time: Nanos) {
        self.undefined((client, subscription), time);
        if let Some(sub) = self.sub((client, subscription)) {
            sub.wanted = false;
        }
    }

    fn disconnected(&mut self, client: ClientId, time: Nanos) {
        self.clients.entry(client).or_default().connected = Some(false);
        for subscription in self.numbers_of(client) {
            self.undefined((client, subscription), time);
        }
    }

    fn connected(&mut self, client: ClientId, time: Nanos, anew: bool) {
        self.disconnected(client, time);
        self.clients.entry(client).or_default().connected = Some(true);
        for subscription in self.numbers_of(client) {
            let stretch = self.stretches + 1;
            let Some(sub) = self.sub((client, subscription)).filter(|s| s.wanted) else { continue };
            sub.waiting = Waiting::Owed(time);
            sub.live = Some(time);
            if anew {
                (sub.stretch, sub.last_in_stretch) = (stretch, Index::NONE);
                self.stretches = stretch;
            }
        }
    }

    fn push(&mut self, number: usize, push: &Push) {
        let Some(&content) = self.contents.by_id.get(&push.snapshot) else { return };
        let at = self.out.all.len();
        let client = self.clients.get(&push.client);
        let present = client.and_then(|client| client.session).is_none_or(|session| session == push.session);
        let connected = present && client.is_some_and(|client| client.connected == Some(true));
        let mut view = View {
            push: small(number),
            content: small(content),
            at: push.time,
            until: push.time,
            judged: true,
            run: Index::NONE,
            stretch: 0,
            before: Index::NONE,
        };
        let key = (push.client, push.subscription);
        let place = self.places.get(&key).map(|place| *place as usize).filter(|_| connected);
        let place = place.filter(|place| self.subs[*place].wanted && self.subs[*place].data == push.data);
        if let Some(place) = place {
            let sub = &mut self.subs[place];
            if let Some(before) = sub.view.get() {
                self.out.all[before].until = push.time;
            }
            if sub.run == Index::NONE {
                let base = if let Waiting::Confirmed(ok) = sub.waiting { ok } else { push.time };
                self.out.runs.push(Run { data: push.data, start: push.time, base, end: push.time, last: push.time });
                sub.run = Index::of(self.out.runs.len() - 1);
            }
            let run = sub.run;
            if let Some(run) = run.get() {
                self.out.runs[run].last = push.time;
            }
            let first = sub.waiting != Waiting::No;
            let may_be_empty = self.record.header.contract.first_push_may_be_empty;
            view.judged = !(first && may_be_empty && self.contents.all[content].len == 0);
            (view.run, view.stretch, view.before) = (run, sub.stretch, sub.last_in_stretch);
            let waiting = std::mem::replace(&mut sub.waiting, Waiting::No);
            (sub.view, sub.last_in_stretch) = (Index::of(at), Index::of(at));
            match waiting {
                // Came, but late.
                Waiting::Confirmed(since) => self.overdue(key, since, push.time),
                Waiting::Owed(since) => self.owed(key, since, push.time),
                Waiting::No | Waiting::Asked => {}
            }
        }
        self.out.all.push(view);
    }

    /// The view of a subscription ends at `time`, and so does waiting for one.
    fn undefined(&mut self, key: (ClientId, u32), time: Nanos) {
        let Some(place) = self.places.get(&key) else { return };
        let sub = &mut self.subs[*place as usize];
        let waiting = std::mem::replace(&mut sub.waiting, Waiting::No);
        if let Some(live) = sub.live.take() {
            self.out.subscribed += u128::from(time.saturating_sub(live));
        }
        if let Some(view) = std::mem::replace(&mut sub.view, Index::NONE).get() {
            self.out.all[view].until = time;
        }
        if let Some(run) = std::mem::replace(&mut sub.run, Index::NONE).get() {
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
        let Some(sub) = self.sub(key) else { return };
        let data = sub.data;
        self.out.unserved.push(Unserved { client: key.0, subscription: key.1, data, since, time, forgotten });
    }
}
