//! One pass over a history, subscription by subscription: which push is whose view, and for how long.
//!
//! Waiting for a first push: within the horizon of the ok of a subscribe. After a reconnect without a new subscribe the
//! push is due that long after `reregister_ms_max` of undisturbed connection; where a system gives no such promise, or a
//! subscribe failed or is unknown, nothing can be said and nothing is.
//!
//! Views are judged as they pass by and then forgotten, so that a history of any length needs no more memory than its
//! subscriptions and contents do. Only those that are not found in order at once are put aside for the [judge](crate::judge).

use crate::changes::{Changes, Stretch};
use crate::judge::Shown;
use crate::span::{Span, millis};
use crate::subscription::{Last, Sub, Waiting};
use crate::views::{Followed, Known, Run, Unserved, View, Watched, in_order};
use history::{ClientId, ConnectionState, DataIx, Event, Function, Nanos, Operation, Outcome, Push, SessionId};
use rustc_hash::FxHashMap;
use std::hint::black_box;

struct Client {
    id: ClientId,
    subs: Vec<u32>,
    /// None if nothing was heard of a connection.
    connected: Option<bool>,
    /// Its session, where connections are told.
    session: Option<SessionId>,
}

/// A part of all dataIds, for a walk of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// So many, which hold every dataId once.
    pub fn all(of: u32) -> Vec<Shard> {
        (0..of).map(|number| Shard { number, of }).collect()
    }

    pub fn holds(self, data: DataIx) -> bool {
        data % self.of == self.number
    }
}

/// One dataId on its way.
struct Follower<'a, 'b> {
    data: DataIx,
    changes: Changes<'a, 'b>,
    shown: &'b [Shown],
    aside: Vec<View>,
}

/// One pass over a history, for the dataIds of a shard.
pub(crate) struct Walk<'a, 'b> {
    known: Known<'a, 'b>,
    promise: Option<Nanos>,
    shard: Shard,
    followers: Vec<Follower<'a, 'b>>,
    follower_of: FxHashMap<DataIx, u32>,
    /// Those whose dataId is of this shard, or was.
    subs: Vec<Sub>,
    places: FxHashMap<(ClientId, u32), u32>,
    /// Of other subscriptions that there are: questions without an answer so far.
    elsewhere: FxHashMap<(ClientId, u32), u32>,
    /// By subscription: views before the present one of which nothing could be made while there was no answer.
    held: FxHashMap<u32, Vec<View>>,
    clients: Vec<Client>,
    client_of: FxHashMap<ClientId, u32>,
    pushes: u64,
    /// Empty between calls; keeps its memory.
    near: Vec<Option<u32>>,
    out: Watched,
}

impl<'a, 'b> Walk<'a, 'b> {
    /// `truths` are those of this shard: what each dataId's contents are worth, and what follows its changes.
    pub fn new(
        known: Known<'a, 'b>,
        shard: Shard,
        truths: impl Iterator<Item = (DataIx, &'b [Shown], Changes<'a, 'b>)>,
    ) -> Walk<'a, 'b> {
        let reregister = known.record.header.contract.reregister_ms_max;
        let mut walk = Walk {
            known,
            promise: reregister.map(|ms| millis(ms) / known.options.divisor.max(1)),
            shard,
            followers: Vec::new(),
            follower_of: FxHashMap::default(),
            subs: Vec::new(),
            places: FxHashMap::default(),
            elsewhere: FxHashMap::default(),
            held: FxHashMap::default(),
            clients: Vec::new(),
            client_of: FxHashMap::default(),
            pushes: 0,
            near: Vec::new(),
            out: Watched::default(),
        };
        for (data, shown, changes) in truths {
            walk.follower_of.insert(data, walk.followers.len() as u32);
            walk.followers.push(Follower { data, changes, shown, aside: Vec::new() });
        }
        walk
    }

    /// The next few events. What the pushes among them need is looked at first: many things at once, which the processor then
    /// fetches from memory side by side, and in three goes, since each depends on the one before.
    pub fn see_all(&mut self, events: &[Event]) {
        let mut near = std::mem::take(&mut self.near);
        let pushes = events.iter().filter_map(|event| if let Event::Push(push) = event { Some(push) } else { None });
        let mine = pushes.filter(|push| self.shard.holds(push.data));
        near.extend(mine.map(|push| self.places.get(&(push.client, push.subscription)).copied()));
        for at in near.iter().flatten() {
            let sub = &self.subs[*at as usize];
            black_box((sub.wanted, sub.live, sub.run.as_ref().map(|run| run.last), sub.last.map(|last| last.at)));
        }
        for at in near.iter().flatten() {
            black_box(self.clients[self.subs[*at as usize].client as usize].connected);
        }
        let mut places = near.drain(..);
        for event in events {
            match event {
                Event::Push(push) => self.pushed(push, || places.next().flatten()),
                other => self.see(other),
            }
        }
        drop(places);
        self.near = near;
    }

    /// The next event.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Op(op) => self.operation(op),
            Event::Push(push) => self.pushed(push, || None),
            Event::Connection(c) => {
                let at = self.client(c.client);
                let session = &mut self.clients[at as usize].session;
                match c.state {
                    ConnectionState::Connected | ConnectionState::Resumed => {
                        *session = Some(c.session);
                        self.connected(at, c.time, c.state == ConnectionState::Connected);
                    }
                    // News of an older session say nothing about the present one.
                    _ if session.is_some_and(|s| s != c.session) => {}
                    _ => self.disconnected(at, c.time),
                }
            }
            _ => {}
        }
    }

    /// `place` is asked for each push that is this shard's: where its subscription is, which never changes, if that is known.
    fn pushed(&mut self, push: &Push, mut place: impl FnMut() -> Option<u32>) {
        self.pushes += 1;
        if self.shard.holds(push.data) {
            let place = place().or_else(|| self.places.get(&(push.client, push.subscription)).copied());
            self.push(self.pushes - 1, push, place);
        }
    }

    /// Nothing comes any more.
    pub fn finish(mut self) -> Watched {
        let after = self.known.record.end.saturating_add(1);
        (0..self.clients.len() as u32).for_each(|at| self.disconnected(at, after));
        self.out.followed = self.followers.into_iter().map(Follower::ended).collect();
        self.out
    }

    fn client(&mut self, id: ClientId) -> u32 {
        *self.client_of.entry(id).or_insert_with(|| {
            self.clients.push(Client { id, subs: Vec::new(), connected: None, session: None });
            self.clients.len() as u32 - 1
        })
    }

    fn operation(&mut self, op: &Operation) {
        let invoke = op.outcome == Outcome::Invoke;
        match op.f {
            Function::Subscribe if invoke => self.asked(op),
            Function::Subscribe => self.answered(op),
            Function::Unsubscribe if invoke => {
                if let Some(&at) = self.places.get(&(op.client, op.subscription.unwrap_or(0))) {
                    self.unwanted(at, op.time);
                }
            }
            Function::Vanish if invoke => {
                let at = self.client(op.client);
                self.disconnected(at, op.time);
            }
            Function::Close if invoke => {
                let at = self.client(op.client);
                self.each_sub(at, |walk, sub| walk.unwanted(sub, op.time));
            }
            _ => {}
        }
    }

    /// All subscriptions of a client.
    fn each_sub(&mut self, client: u32, mut visit: impl FnMut(&mut Self, u32)) {
        for at in 0..self.clients[client as usize].subs.len() {
            let sub = self.clients[client as usize].subs[at];
            visit(self, sub);
        }
    }

    fn asked(&mut self, op: &Operation) {
        let Some(data) = op.data else { return };
        let key = (op.client, op.subscription.unwrap_or(0));
        let place = self.places.get(&key).copied();
        if let Some(at) = place {
            self.unwanted(at, op.time);
        }
        // A history without a word about connections: clients are connected.
        let client = self.client(op.client);
        let connected = *self.clients[client as usize].connected.get_or_insert(true);
        if place.is_none() && !self.shard.holds(data) {
            *self.elsewhere.entry(key).or_default() += 1;
            return;
        }
        let unanswered = place
            .map_or_else(|| self.elsewhere.remove(&key).unwrap_or_default(), |at| self.subs[at as usize].unanswered);
        let sub = Sub {
            client,
            number: key.1,
            data,
            follower: self.follower_of.get(&data).copied(),
            wanted: true,
            unanswered: unanswered + 1,
            waiting: Waiting::Asked,
            last: None,
            run: None,
            stretch: Stretch::default(),
            live: connected.then_some(op.time),
        };
        if let Some(at) = place {
            self.subs[at as usize] = sub;
            return;
        }
        let at = self.subs.len() as u32;
        self.clients[client as usize].subs.push(at);
        self.places.insert(key, at);
        self.subs.push(sub);
    }

    fn answered(&mut self, op: &Operation) {
        let key = (op.client, op.subscription.unwrap_or(0));
        let Some(&at) = self.places.get(&key) else {
            return self.answered_elsewhere(key);
        };
        let sub = &mut self.subs[at as usize];
        let last = sub.unanswered == 1;
        sub.unanswered = sub.unanswered.saturating_sub(1);
        if op.outcome == Outcome::Ok && sub.wanted {
            match (&sub.waiting, &mut sub.run) {
                (Waiting::Asked, _) => sub.waiting = Waiting::Confirmed(op.time),
                (_, Some(run)) => run.base = run.base.max(op.time),
                _ => {}
            }
        }
        if last {
            self.release(at);
        }
    }

    fn answered_elsewhere(&mut self, key: (ClientId, u32)) {
        if let Some(unanswered) = self.elsewhere.get_mut(&key) {
            *unanswered -= 1;
            if *unanswered == 0 {
                self.elsewhere.remove(&key);
            }
        }
    }

    fn unwanted(&mut self, sub: u32, time: Nanos) {
        self.undefined(sub, time);
        self.subs[sub as usize].wanted = false;
    }

    fn disconnected(&mut self, client: u32, time: Nanos) {
        self.clients[client as usize].connected = Some(false);
        self.each_sub(client, |walk, sub| walk.undefined(sub, time));
    }

    fn connected(&mut self, client: u32, time: Nanos, anew: bool) {
        self.disconnected(client, time);
        self.clients[client as usize].connected = Some(true);
        self.each_sub(client, |walk, sub| {
            let sub = &mut walk.subs[sub as usize];
            if !sub.wanted {
                return;
            }
            (sub.waiting, sub.live) = (Waiting::Owed(time), Some(time));
            if anew {
                sub.stretch = Stretch::default();
            }
        });
    }

    fn push(&mut self, number: u64, push: &Push, place: Option<u32>) {
        let contents = self.known.contents;
        let content = contents.find(push.snapshot).filter(|at| contents.all[*at].data == push.data);
        let Some(content) = content else {
            self.out.unknown += 1;
            return;
        };
        let (content, &Push { client, node, version, time, .. }) = (content as u32, push);
        let last = Last { push: number, content, node, version, at: time, judged: true };
        let place = place.filter(|at| {
            let sub = &self.subs[*at as usize];
            let client = &self.clients[sub.client as usize];
            let present = client.session.is_none_or(|session| session == push.session);
            present && client.connected == Some(true) && sub.wanted && sub.data == push.data
        });
        if let Some(at) = place {
            self.view(at, last, client);
            return;
        }
        // Nobody asked for it: it has to be right at its instant all the same.
        self.out.pushes_judged += u64::from(self.known.horizon.age(time).is_some());
        if let Some(&follower) = self.follower_of.get(&push.data) {
            self.followers[follower as usize].judge(&self.known, &last.view(client, push.subscription, time, None));
        }
    }

    /// The next view of a subscription.
    fn view(&mut self, at: u32, last: Last, client: ClientId) {
        let sub = &mut self.subs[at as usize];
        let base = if let Waiting::Confirmed(ok) = sub.waiting { ok } else { last.at };
        let new = || Run { start: last.at, base, last: last.at, reached: 0 };
        let run = sub.run.get_or_insert_with(new);
        run.last = last.at;
        let first = sub.waiting != Waiting::No;
        let may_be_empty = self.known.record.header.contract.first_push_may_be_empty;
        let judged = !(first && may_be_empty && self.known.contents.all[last.content as usize].len == 0);
        let last = Last { judged, ..last };
        if judged && self.known.horizon.age(last.at).is_some() {
            self.out.pushes_judged += 1;
        }
        let settled = sub.unanswered == 0;
        let follower = sub.follower.and_then(|at| self.followers.get_mut(at as usize));
        if let Some(follower) = follower {
            if let Some(before) = sub.last {
                let before = before.view(client, sub.number, last.at, Some(run.base));
                if settled {
                    follower.judge(&self.known, &before);
                } else {
                    self.held.entry(at).or_default().push(before);
                }
            }
            if settled {
                let view = last.view(client, sub.number, last.at, None);
                follower.changes.follow(&view, run, &mut sub.stretch, &mut self.out.gauges);
            }
        }
        sub.last = Some(last);
        match std::mem::replace(&mut sub.waiting, Waiting::No) {
            // Came, but late.
            Waiting::Confirmed(since) => self.overdue(at, since, last.at),
            Waiting::Owed(since) => self.owed(at, since, last.at),
            Waiting::No | Waiting::Asked => {}
        }
    }

    /// The base of the run is settled: what was held back is judged.
    fn release(&mut self, at: u32) {
        let held = self.held.remove(&at).unwrap_or_default();
        let sub = &mut self.subs[at as usize];
        let follower = sub.follower.and_then(|at| self.followers.get_mut(at as usize));
        let (Some(follower), Some(run)) = (follower, &mut sub.run) else { return };
        let (gauges, client) = (&mut self.out.gauges, self.clients[sub.client as usize].id);
        for mut view in held {
            follower.changes.follow(&view, run, &mut sub.stretch, gauges);
            view.base = Some(run.base);
            follower.judge(&self.known, &view);
        }
        if let Some(last) = sub.last {
            follower.changes.follow(&last.view(client, sub.number, last.at, None), run, &mut sub.stretch, gauges);
        }
    }

    /// The view of a subscription ends at `time`, and so does waiting for one.
    fn undefined(&mut self, at: u32, time: Nanos) {
        if self.subs[at as usize].unanswered > 0 {
            self.release(at);
        }
        let sub = &mut self.subs[at as usize];
        let waiting = std::mem::replace(&mut sub.waiting, Waiting::No);
        let (live, last, run) = (sub.live.take(), sub.last.take(), sub.run.take());
        if !self.shard.holds(sub.data) {
            return;
        }
        self.out.subscribed += u128::from(live.map_or(0, |live| time.saturating_sub(live)));
        if let Some(run) = run {
            if time > run.start {
                self.out.judged += u128::from(self.known.horizon.finite_in(Span::new(run.start, time - 1)));
            }
            if let Some(follower) = sub.follower.and_then(|at| self.followers.get_mut(at as usize)) {
                if let Some(last) = last {
                    let client = self.clients[sub.client as usize].id;
                    follower.judge(&self.known, &last.view(client, sub.number, time, Some(run.base)));
                }
                follower.changes.ended(&run, time);
            }
        }
        match waiting {
            Waiting::Confirmed(since) => self.overdue(at, since, time),
            Waiting::Owed(since) => self.owed(at, since, time),
            Waiting::No | Waiting::Asked => {}
        }
    }

    fn overdue(&mut self, sub: u32, since: Nanos, until: Nanos) {
        if until <= since {
            return;
        }
        if let Some(first) = self.known.horizon.too_old(since, Span::new(since, until - 1)).first() {
            self.unserved(sub, since, first.from, false);
        }
    }

    /// Connected again since then, and never asked again: due after the promise of an undisturbed connection.
    fn owed(&mut self, sub: u32, since: Nanos, until: Nanos) {
        let Some(promise) = self.promise else { return };
        if until <= since {
            return;
        }
        let window = Span::new(since, until - 1);
        let client = self.clients[self.subs[sub as usize].client as usize].id;
        let sessions = self.known.record.by_client.get(&client).into_iter().flatten();
        let clean = sessions.flat_map(|s| &self.known.hearings[*s].clean).filter(|c| c.from >= since);
        let due = clean
            .filter_map(|c| {
                let base = c.from.saturating_add(promise);
                let within = Span::new(base, c.to).common(window).filter(|w| w.from <= w.to && base <= c.to)?;
                self.known.horizon.too_old(base, within).first().map(|s| s.from)
            })
            .min();
        if let Some(time) = due {
            self.unserved(sub, since, time, true);
        }
    }

    fn unserved(&mut self, sub: u32, since: Nanos, time: Nanos, forgotten: bool) {
        let sub = &self.subs[sub as usize];
        let (client, subscription, data) = (self.clients[sub.client as usize].id, sub.number, sub.data);
        self.out.unserved.push(Unserved { client, subscription, data, since, time, forgotten });
    }
}

impl Follower<'_, '_> {
    fn ended(self) -> (DataIx, Followed) {
        let Changes { findings, times, steps, .. } = self.changes;
        (self.data, Followed { findings, times, steps, aside: self.aside })
    }

    /// Passes a view that is in order, puts any other aside.
    fn judge(&mut self, known: &Known, view: &View) {
        let shown = &self.shown[known.contents.all[view.content as usize].place as usize];
        if !in_order(known, view, shown) {
            self.aside.push(view.clone());
        }
    }
}
