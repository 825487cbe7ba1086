//! Pushes: the newest content to each subscriber, one at a time, repeated until acknowledged, never back in version.
//!
//! Circuit breaker: a client that acknowledges none of `push_attempts` pushes is disconnected and, for `breaker_ms`, not
//! taken back, so that it costs this node nothing meanwhile; another node may reach it.

use super::Session;
use super::book::{Place, Subscription, UnderWay};
use crate::registry::bugs::Bug;
use crate::registry::message::{Content, Message, Out, Watcher};
use history::{DataIx, MILLI};
use simulation::Now;
use std::sync::Arc;

impl Session {
    pub(super) fn push_due(&mut self, now: Now, data: DataIx, out: &mut Out) {
        let Some(watched) = self.watched.get_mut(&data) else { return };
        watched.push_armed = false;
        let Some(content) = watched.content.clone() else { return };
        let mut due = std::mem::take(&mut self.due);
        let batch = self.overdue.next();
        // There are many subscriptions, and they lie scattered in memory.
        watched.subscribers.iter().for_each(|subscriber| self.book.prepare(subscriber.place));
        due.extend(watched.subscribers.iter().filter_map(|subscriber| {
            let place = self.book.place(subscriber.connection, subscriber.number, subscriber.place)?;
            begin(self.book.at_mut(place), content.version, batch, self.bug).then_some(place)
        }));
        self.send_pushes(now, &due, data, &content, out);
        due.clear();
        self.due = due;
    }

    /// Pushes to one subscriber if there is something newer than it has and nothing is under way.
    pub(super) fn pump(&mut self, now: Now, place: Place, out: &mut Out) {
        let subscribed = self.book.at_mut(place);
        let data = subscribed.data;
        let Some(content) = self.watched.get(&data).and_then(|watched| watched.content.clone()) else { return };
        if begin(subscribed, content.version, self.overdue.next(), self.bug) {
            self.send_pushes(now, &[place], data, &content, out);
        }
    }

    /// Sends what has begun, for the first time.
    fn send_pushes(&mut self, now: Now, places: &[Place], data: DataIx, content: &Arc<Content>, out: &mut Out) {
        if self.bug != Some(Bug::VersionBeforePush) {
            let at = now.mono + self.config.push_timeout_ms * MILLI;
            self.overdue.add(at, places.iter().copied());
        }
        for place in places {
            self.send_push(*place, data, content, 1, out);
        }
    }

    fn send_push(&self, place: Place, data: DataIx, content: &Arc<Content>, attempt: u16, out: &mut Out) {
        let Subscription { connection, number, op, .. } = *self.book.at(place);
        if attempt > 1 {
            out.reached(if connection.number > 1 { "push-retried-after-reconnect" } else { "push-retried" });
        }
        let watcher = Watcher { connection, subscription: number, op, place };
        let message = Message::Push(watcher, data, Arc::clone(content), attempt);
        out.send_on(self.ids.clients(), connection.client, message);
    }

    pub(super) fn on_pushed(&mut self, now: Now, watcher: Watcher, version: u64, out: &mut Out) {
        let Watcher { connection, subscription, op, place } = watcher;
        let Some(place) = self.book.place(connection, subscription, place) else {
            self.touch(now, connection, out);
            return;
        };
        self.book.hear_owner(place, now.mono);
        let subscribed = self.book.at_mut(place);
        let under_way = subscribed.under_way().filter(|push| push.version == version && subscribed.op == op);
        let Some(under_way) = under_way else { return };
        subscribed.send(None);
        subscribed.pushed = Some(version);
        self.overdue.acknowledged(under_way.batch);
        if !self.breakers.is_empty() && self.breakers.remove(&connection.client).is_some() {
            out.reached("circuit-breaker-closed");
        }
        // Nearly always it has the newest by now.
        if self.newest.get(subscribed.data as usize) == Some(&version) {
            return;
        }
        let watched = self.watched.get(&subscribed.data).filter(|watched| !watched.push_armed);
        if watched.and_then(|watched| watched.content.as_ref()).is_some_and(|newest| newest.version != version) {
            self.pump(now, place, out);
        }
    }

    /// Repeats what was not acknowledged; a client that acknowledges nothing for long loses its connection.
    pub(super) fn repeat_pushes(&mut self, now: Now, out: &mut Out) {
        let mut due = std::mem::take(&mut self.due);
        while let Some(batch) = self.overdue.pop(now.mono, &mut due) {
            let next = self.overdue.next();
            due.retain(|place| self.repeat_push(now, *place, batch, next, out));
            let at = now.mono + self.config.push_timeout_ms * MILLI;
            self.overdue.add(at, due.drain(..));
        }
        self.due = due;
    }

    /// True if the push to this subscription went out with this batch, was not acknowledged and is sent again, with the
    /// batch `next`.
    fn repeat_push(&mut self, now: Now, place: Place, batch: u32, next: u32, out: &mut Out) -> bool {
        let subscribed = self.book.at_mut(place);
        let Some(under_way) = subscribed.under_way().filter(|push| push.batch == batch) else { return false };
        let (data, connection, attempt) = (subscribed.data, subscribed.connection, under_way.attempt.saturating_add(1));
        if u32::from(attempt) > self.config.push_attempts {
            let why = "the client does not acknowledge pushes";
            out.reached("circuit-breaker-opened");
            self.breakers.insert(connection.client, now.mono + self.config.breaker_ms * MILLI);
            self.close(now, connection, None, Some(why), out);
            return false;
        }
        let Some(content) = self.watched.get(&data).and_then(|watched| watched.content.clone()) else { return false };
        subscribed.send(Some(UnderWay { version: content.version, attempt, batch: next }));
        self.send_push(place, data, &content, attempt, out);
        true
    }
}

/// Notes that this version is under way to a subscriber, if it is newer than what there is and nothing else is under way.
fn begin(subscribed: &mut Subscription, version: u64, batch: u32, bug: Option<Bug>) -> bool {
    let has = match bug {
        Some(Bug::AnyReplica) => subscribed.pushed == Some(version),
        _ => subscribed.pushed.is_some_and(|pushed| pushed >= version),
    };
    if !subscribed.ready || subscribed.under_way().is_some() || has {
        return false;
    }
    if bug == Some(Bug::VersionBeforePush) {
        subscribed.pushed = Some(version);
    } else {
        subscribed.send(Some(UnderWay { version, attempt: 1, batch }));
    }
    true
}
