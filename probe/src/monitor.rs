//! The sliding-window checker: what must be there, what may be there, what every subscriber is shown; in memory that is bounded by
//! the number of canaries, however long it runs.
//!
//! It is the truth of the checkers (presence with three values, every view judged at every instant) for a simple case: each
//! publisher has one writer, the probe, whose operations are sequential and numbered. Where two readings are possible the
//! one that explains more is taken, so that an alarm is an alarm: a publisher is expected only while its session was
//! proved alive lately, a value counts as gone only when its lease is certainly over, and a view is nobody's fault until it
//! had the whole objective to follow. What is saved of an incident is judged once more by the checkers themselves.

use crate::ask::Elements;
use crate::finding::{Finding, Kind};
use crate::value;
use crate::view::View;
use history::{ClientId, DataIx, Nanos, NodeIx};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was gone for this long and is in no view any more is forgotten; if it comes back, its number tells that it is old.
const REMEMBERED: Nanos = 60_000_000_000;
/// More elements of a content than this are not looked at one by one.
const ELEMENTS_MAX: usize = 10_000;

/// Bounds of the truth, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// A change is in every view after this long.
    pub converge: Nanos,
    /// A session that was heard of lately lives at least this long.
    pub lease_min: Nanos,
    /// ... and at most this long.
    pub lease_max: Nanos,
}

/// A published value.
#[derive(Clone, Debug)]
struct Value {
    publisher: ClientId,
    number: u64,
    session: u32,
    /// Since when it must be there; none while that is not certain.
    must: Option<Nanos>,
    /// Its outcome is unknown.
    unknown: bool,
    /// Since when its session has no connection.
    lost: Option<Nanos>,
    /// Since when it is certainly not there.
    gone: Option<Nanos>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Canary {
    node: NodeIx,
    up: bool,
    /// When the last operation that ended well began.
    heard: Nanos,
    session: u32,
}

/// What one judgement counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Subscriptions whose view could be judged.
    pub views: u64,
    /// Publishers that had to be in these views, summed over them.
    pub expected: u64,
    /// Of these, those that were there.
    pub shown: u64,
    /// Ghosts in these views.
    pub ghosts: u64,
    /// Wrong elements in these views.
    pub wrong: u64,
}

/// A change that reached a subscriber, or did not in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Through which server.
    pub node: NodeIx,
    /// How long it took; none if it was not there in time.
    pub took: Option<Nanos>,
}

/// The checker.
#[derive(Debug)]
pub struct Monitor {
    bounds: Bounds,
    instance: String,
    canaries: Vec<Canary>,
    values: Vec<FxHashMap<Arc<str>, Value>>,
    views: Vec<BTreeMap<ClientId, View>>,
    /// Number of the last unpublish of each publisher.
    withdrawn: BTreeMap<(DataIx, ClientId), u64>,
    /// When somewhere a connection was last lost, or one was had again after nobody had any: leases may have been given their
    /// full length again.
    trouble: Nanos,
    /// Nothing before this was seen in time: the probe itself stood still.
    blind: Nanos,
    /// Found by pushes since the last judgement.
    found: Vec<Finding>,
    samples: Vec<Sample>,
}

impl Monitor {
    /// A monitor of these canaries (their nodes) and this many dataIds.
    pub fn new(bounds: Bounds, instance: &str, nodes: &[NodeIx], data_ids: usize) -> Monitor {
        Monitor {
            bounds,
            instance: instance.to_owned(),
            canaries: nodes.iter().map(|&node| Canary { node, ..Canary::default() }).collect(),
            values: vec![FxHashMap::default(); data_ids],
            views: vec![BTreeMap::new(); data_ids],
            withdrawn: BTreeMap::new(),
            trouble: 0,
            blind: 0,
            found: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// New bounds; the window stays.
    pub fn rebind(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// The probe stood still until now: nobody else is late because of that.
    pub fn lagged(&mut self, now: Nanos) {
        self.blind = now;
        self.views.iter_mut().flat_map(BTreeMap::values_mut).for_each(|view| view.pending.clear());
    }

    fn own(&mut self, client: ClientId, data: DataIx) -> impl Iterator<Item = &mut Value> {
        self.values[data as usize].values_mut().filter(move |value| value.publisher == client)
    }

    fn everywhere(&mut self, client: ClientId) -> impl Iterator<Item = &mut Value> {
        self.values.iter_mut().flat_map(FxHashMap::values_mut).filter(move |value| value.publisher == client)
    }

    /// A canary is about to publish this; it is its operation of this number.
    pub fn publishing(&mut self, client: ClientId, data: DataIx, value: &Arc<str>, number: u64) {
        self.own(client, data).for_each(|value| value.must = None);
        let session = self.canaries[client as usize].session;
        let new = Value { publisher: client, number, session, must: None, unknown: false, lost: None, gone: None };
        self.values[data as usize].insert(value.clone(), new);
    }

    /// It was published.
    pub fn published(&mut self, now: Nanos, client: ClientId, data: DataIx, value: &Arc<str>) {
        self.settle(now, client, data, Some(value));
        if let Some(new) = self.values[data as usize].get_mut(value) {
            new.must = Some(now);
            let number = new.number;
            self.await_change(now, client, data, number);
        }
    }

    /// All values but `kept` are gone, as far as this operation can tell.
    fn settle(&mut self, now: Nanos, client: ClientId, data: DataIx, kept: Option<&Arc<str>>) {
        let session = self.canaries[client as usize].session;
        for (name, value) in &mut self.values[data as usize] {
            // What an earlier session may still have on its way ends with that session only.
            let lingers = value.unknown && value.session != session;
            if value.publisher == client && kept != Some(name) && value.gone.is_none() && !lingers {
                value.gone = Some(now);
            }
        }
    }

    /// It was certainly not published (or not taken back): everything is as before.
    pub fn refused(&mut self, now: Nanos, client: ClientId, data: DataIx, value: Option<&Arc<str>>) {
        let session = self.canaries[client as usize].session;
        if let Some(new) = value.and_then(|value| self.values[data as usize].get_mut(value)) {
            new.gone = Some(now);
        }
        let before = self.own(client, data).filter(|v| v.gone.is_none() && v.lost.is_none() && v.session == session);
        if let Some(before) = before.max_by_key(|value| value.number).filter(|value| !value.unknown) {
            before.must = Some(now);
        }
    }

    /// Nobody knows whether it was published.
    pub fn unsettled(&mut self, client: ClientId, data: DataIx) {
        // Also what was to be replaced: it is there, or it is not.
        self.own(client, data).filter(|value| value.gone.is_none()).for_each(|value| value.unknown = true);
    }

    /// A canary is about to take back what it has.
    pub fn withdrawing(&mut self, client: ClientId, data: DataIx, number: u64) {
        self.own(client, data).for_each(|value| value.must = None);
        self.withdrawn.insert((data, client), number);
    }

    /// It was taken back.
    pub fn withdrew(&mut self, now: Nanos, client: ClientId, data: DataIx) {
        self.settle(now, client, data, None);
        let number = self.withdrawn.get(&(data, client)).copied().unwrap_or_default();
        self.await_change(now, client, data, number);
    }

    fn await_change(&mut self, now: Nanos, client: ClientId, data: DataIx, number: u64) {
        let withdrawn = self.withdrawn.get(&(data, client)).copied().unwrap_or_default();
        for (observer, view) in &mut self.views[data as usize] {
            if view.content.is_some() && view.shows(client, number, withdrawn) {
                let node = self.canaries[*observer as usize].node;
                self.samples.push(Sample { node, took: Some(0) });
            } else {
                view.pending.push((client, number, now));
            }
        }
    }

    /// An operation that began at `since` ended well: the session was alive.
    pub fn heard(&mut self, now: Nanos, client: ClientId, since: Nanos) {
        let doubtful = self.doubtful(client, now);
        let canary = &mut self.canaries[client as usize];
        canary.heard = canary.heard.max(since);
        if doubtful && !self.doubtful(client, now) {
            self.everywhere(client).filter(|value| value.must.is_some()).for_each(|value| value.must = Some(now));
        }
    }

    fn doubtful(&self, client: ClientId, now: Nanos) -> bool {
        let canary = &self.canaries[client as usize];
        !canary.up || now > canary.heard + self.bounds.lease_min
    }

    /// While nobody is connected the registry may stand still, and all leases with it.
    fn nobody(&self) -> bool {
        !self.canaries.iter().any(|canary| canary.up)
    }

    /// A canary has a new session: what it had in the old one is on its own.
    pub fn connected(&mut self, now: Nanos, client: ClientId) {
        if self.nobody() {
            self.trouble = now;
        }
        let canary = &mut self.canaries[client as usize];
        (canary.up, canary.heard, canary.session) = (true, now, canary.session + 1);
        for value in self.everywhere(client) {
            value.must = None;
            value.lost.get_or_insert(now);
        }
    }

    /// The registry confirmed that the session of before goes on.
    pub fn resumed(&mut self, now: Nanos, client: ClientId) {
        if self.nobody() {
            self.trouble = now;
        }
        let canary = &mut self.canaries[client as usize];
        (canary.up, canary.heard) = (true, now);
        let session = canary.session;
        for value in self.everywhere(client).filter(|value| value.session == session && value.gone.is_none()) {
            value.lost = None;
            if !value.unknown {
                value.must = Some(now);
            }
        }
    }

    /// The connection of a canary is over; `gone` where the registry said that its session is over, too.
    pub fn ended(&mut self, now: Nanos, client: ClientId, gone: bool, planned: bool) {
        self.canaries[client as usize].up = false;
        for views in &mut self.views {
            views.remove(&client);
            // What it had not shown to others in time was counted; for the rest nobody has to wait any more.
            views.values_mut().for_each(|view| view.pending.retain(|(publisher, _, _)| *publisher != client));
        }
        if !planned {
            self.trouble = now;
        }
        let session = self.canaries[client as usize].session;
        for value in self.everywhere(client).filter(|value| value.gone.is_none()) {
            // What the session that ended was replacing may be there or not; it is not expected until it is confirmed.
            if value.must.take().is_none() && value.lost.is_none() && !gone {
                value.unknown = true;
            }
            value.lost.get_or_insert(now);
            if gone && value.session == session {
                value.gone = Some(now);
            }
        }
    }

    /// A canary is about to give its session back: from now on nothing of it has to be there.
    pub fn closing(&mut self, client: ClientId) {
        self.everywhere(client).for_each(|value| value.must = None);
    }

    /// A canary subscribed.
    pub fn subscribed(&mut self, now: Nanos, client: ClientId, data: DataIx) {
        let (newest, highest) = (BTreeMap::new(), BTreeMap::new());
        let view = View { since: now, content: None, newest, highest, pending: Vec::new() };
        self.views[data as usize].insert(client, view);
    }

    /// A subscriber was shown a content.
    pub fn pushed(&mut self, now: Nanos, client: ClientId, data: DataIx, elements: &Elements) {
        let Some(view) = self.views[data as usize].get_mut(&client) else { return };
        let node = self.canaries[client as usize].node;
        view.content = Some(elements.clone());
        view.newest.clear();
        for element in elements.iter().take(ELEMENTS_MAX) {
            if let Some((publisher, number)) = value::parse(&self.instance, element)
                && (publisher as usize) < self.canaries.len()
            {
                let newest = view.newest.entry(publisher).or_insert(number);
                *newest = number.max(*newest);
            }
        }
        let wrong = |publisher, detail: String| Finding {
            kind: Kind::WrongContent,
            server: Some(node),
            data: Some(data),
            publisher: Some(publisher),
            observer: Some(client),
            value: None,
            since: now,
            detail,
        };
        for (&publisher, &newest) in &view.newest {
            let highest = view.highest.entry(publisher).or_insert(newest);
            if newest < *highest {
                let detail = format!("it shows change {newest} of c{publisher} after it showed change {highest}");
                self.found.push(wrong(publisher, detail));
            }
            *highest = newest.max(*highest);
        }
        let mut pending = std::mem::take(&mut view.pending);
        pending.retain(|&(publisher, number, since)| {
            let withdrawn = self.withdrawn.get(&(data, publisher)).copied().unwrap_or_default();
            let seen = view.shows(publisher, number, withdrawn);
            if seen {
                self.samples.push(Sample { node, took: Some(now.saturating_sub(since)) });
            }
            !seen
        });
        view.pending = pending;
        self.look(now, client, data);
    }

    /// Everything that is wrong now, and what was wrong in between.
    pub fn judge(&mut self, now: Nanos) -> (Vec<Finding>, Counts) {
        let converge = self.bounds.converge;
        for views in &mut self.views {
            for (client, view) in views.iter_mut() {
                let node = self.canaries[*client as usize].node;
                let late = |since: Nanos| now > since + converge;
                self.samples.extend(
                    view.pending.iter().filter(|(_, _, since)| late(*since)).map(|_| Sample { node, took: None }),
                );
                view.pending.retain(|(_, _, since)| !late(*since));
            }
        }
        let mut counts = Counts::default();
        for data in 0..self.views.len() as DataIx {
            let observers: Vec<ClientId> = self.views[data as usize].keys().copied().collect();
            for observer in observers {
                let one = self.look(now, observer, data);
                counts.views += one.views;
                counts.expected += one.expected;
                counts.shown += one.shown;
                counts.ghosts += one.ghosts;
                counts.wrong += one.wrong;
            }
        }
        self.forget(now);
        (std::mem::take(&mut self.found), counts)
    }

    /// Changes that reached a subscriber or failed to, since the last call.
    pub fn take_samples(&mut self) -> Vec<Sample> {
        std::mem::take(&mut self.samples)
    }

    /// Judges one view now.
    fn look(&mut self, now: Nanos, observer: ClientId, data: DataIx) -> Counts {
        let Some(view) = self.views[data as usize].get(&observer) else { return Counts::default() };
        let mut found = Vec::new();
        let mut counts = Counts { views: 1, ..Counts::default() };
        let patience = self.bounds.converge;
        for (name, value) in &self.values[data as usize] {
            let Some(must) = value.must.filter(|_| !self.doubtful(value.publisher, now)) else { continue };
            let since = must.max(view.since).max(self.blind);
            if now <= since + patience {
                continue;
            }
            counts.expected += 1;
            let newest = view.newest.get(&value.publisher).copied();
            if newest.is_some_and(|newest| newest >= value.number) {
                counts.shown += 1;
                continue;
            }
            let (kind, detail) = match (&view.content, newest) {
                (None, _) => (Kind::Late, "it was pushed nothing since it subscribed".to_owned()),
                (Some(_), Some(old)) => {
                    (Kind::Late, format!("it still shows change {old} of c{}, not {}", value.publisher, value.number))
                }
                (Some(content), None) => {
                    let all = self.values[data as usize].values();
                    let all = all.filter(|v| v.must.is_some() && !self.doubtful(v.publisher, now)).count();
                    let there = content.len();
                    (Kind::Incomplete, format!("it was shown {there} addresses where {all} have to be"))
                }
            };
            // A publisher that is there for the first time and not seen yet is late, not lost.
            let new = kind == Kind::Incomplete && !view.highest.contains_key(&value.publisher) && must > view.since;
            let kind = if new { Kind::Late } else { kind };
            // What is late is so since the change; what is missing, since somebody saw it missing.
            let since = if kind == Kind::Late { since } else { now };
            found.push((kind, Some(value.publisher), Some(name.clone()), since, detail));
        }
        if let Some(content) = &view.content {
            self.extras(now, data, content, &mut found, &mut counts);
        }
        let server = Some(self.canaries[observer as usize].node);
        self.found.extend(found.into_iter().map(|(kind, publisher, value, since, detail)| Finding {
            kind,
            server,
            data: Some(data),
            publisher,
            observer: Some(observer),
            value,
            since,
            detail,
        }));
        counts
    }

    fn extras(&self, now: Nanos, data: DataIx, content: &Elements, found: &mut Vec<Extra>, counts: &mut Counts) {
        let mut before: Option<&Arc<str>> = None;
        for element in content.iter().take(ELEMENTS_MAX) {
            if before == Some(element) {
                counts.wrong += 1;
                let known = self.values[data as usize].get(element).map(|value| value.publisher);
                found.push((Kind::WrongContent, known, Some(element.clone()), now, "it is shown twice".to_owned()));
            }
            before = Some(element);
            let Some(value) = self.values[data as usize].get(element) else {
                let old = value::parse(&self.instance, element).map(|(publisher, _)| publisher);
                let (kind, detail) = match old {
                    Some(_) => (Kind::Ghost, "it was taken back long ago"),
                    None => (Kind::WrongContent, "this probe never published it here"),
                };
                if kind == Kind::Ghost {
                    counts.ghosts += 1
                } else {
                    counts.wrong += 1
                }
                found.push((kind, old, Some(element.clone()), now, detail.to_owned()));
                continue;
            };
            let Some(gone) = self.absent_since(value) else { continue };
            if now > gone.max(self.blind) + self.bounds.converge {
                counts.ghosts += 1;
                let detail = "it is shown although it is gone".to_owned();
                found.push((Kind::Ghost, Some(value.publisher), Some(element.clone()), gone, detail));
            }
        }
    }

    /// Since when, or from when on, a value is certainly not there.
    fn absent_since(&self, value: &Value) -> Option<Nanos> {
        let lost = value.lost.filter(|_| !self.nobody());
        let by_lease = lost.map(|lost| lost.max(self.trouble) + self.bounds.lease_max);
        match (value.gone, by_lease) {
            (Some(gone), Some(lease)) => Some(gone.min(lease)),
            (gone, lease) => gone.or(lease),
        }
    }

    fn forget(&mut self, now: Nanos) {
        for data in 0..self.values.len() {
            let views = &self.views[data];
            let shown = |name: &Arc<str>| {
                views.values().filter_map(|view| view.content.as_ref()).any(|c| c.binary_search(name).is_ok())
            };
            let over = |value: &Value| self.absent_since(value).is_some_and(|gone| gone + REMEMBERED < now);
            let old: Vec<Arc<str>> = self.values[data]
                .iter()
                .filter(|(name, value)| over(value) && !shown(name))
                .map(|v| v.0.clone())
                .collect();
            self.values[data].retain(|name, _| !old.contains(name));
        }
    }

    /// How much it remembers, for tests of its bound.
    pub fn remembered(&self) -> usize {
        let pending = self.views.iter().flat_map(BTreeMap::values).map(|view| view.pending.len()).sum::<usize>();
        self.values.iter().map(FxHashMap::len).sum::<usize>() + pending + self.found.len()
    }
}

/// Kind, publisher, value, since when, in words.
type Extra = (Kind, Option<ClientId>, Option<Arc<str>>, Nanos, String);
