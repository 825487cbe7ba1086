//! Pushes: the newest content to each subscriber, one at a time, repeated until acknowledged, never back in version.
//!
//! Circuit breaker: a client that acknowledges none of `push_attempts` pushes is disconnected and, for `breaker_ms`, not
//! taken back, so that it costs this node nothing meanwhile; another node may reach it.

use super::Session;
use super::watching::Subscription;
use crate::registry::bugs::Bug;
use crate::registry::message::{ConnectionId, Content, Message, Out};
use history::{DataIx, MILLI, Nanos, OpId};
use simulation::Now;

/// A push that is repeated if it is not acknowledged by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overdue {
    at: Nanos,
    connection: ConnectionId,
    subscription: u32,
    op: OpId,
    under_way: (u64, u32),
}

/// One push to one subscription.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pushing {
    connection: ConnectionId,
    number: u32,
    op: OpId,
    data: DataIx,
    attempt: u32,
}

impl Session {
    pub(super) fn push_due(&mut self, now: Now, data: DataIx, out: &mut Out) {
        let Some(watched) = self.watched.get_mut(&data) else { return };
        watched.push_armed = false;
        let Some(content) = watched.content.clone() else { return };
        let mut due = std::mem::take(&mut self.due);
        // In two goes: there are many connections, they lie scattered in memory, and a short loop fetches several at once.
        due.extend(watched.subscribers.iter().filter_map(|(connection, number)| {
            let subscribed = self.connections.get_mut(connection)?.subscriptions.get_mut(*number)?;
            let op = begin(subscribed, content.version, self.bug)?;
            Some(Pushing { connection: *connection, number: *number, op, data, attempt: 1 })
        }));
        for pushing in due.drain(..) {
            self.send_push(now, pushing, &content, out);
        }
        self.due = due;
    }

    /// Pushes to one subscriber if there is something newer than it has and nothing is under way.
    pub(super) fn pump(&mut self, now: Now, connection: ConnectionId, subscription: u32, out: &mut Out) {
        let subscribed = self.connections.get(&connection).and_then(|known| known.subscriptions.get(subscription));
        let watched = subscribed.and_then(|subscribed| self.watched.get(&subscribed.data));
        if let Some(content) = watched.and_then(|watched| watched.content.clone()) {
            self.push_newer(now, connection, subscription, &content, out);
        }
    }

    fn push_newer(&mut self, now: Now, connection: ConnectionId, number: u32, content: &Content, out: &mut Out) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let Some(subscribed) = known.subscriptions.get_mut(number) else { return };
        let Some(op) = begin(subscribed, content.version, self.bug) else { return };
        let data = subscribed.data;
        self.send_push(now, Pushing { connection, number, op, data, attempt: 1 }, content, out);
    }

    fn send_push(&mut self, now: Now, pushing: Pushing, content: &Content, out: &mut Out) {
        let Pushing { connection, number, op, data, attempt } = pushing;
        if attempt > 1 {
            out.reached(if connection.number > 1 { "push-retried-after-reconnect" } else { "push-retried" });
        }
        if self.bug != Some(Bug::VersionBeforePush) {
            let at = now.mono + self.config.push_timeout_ms * MILLI;
            let under_way = (content.version, attempt);
            self.overdue.push_back(Overdue { at, connection, subscription: number, op, under_way });
        }
        let attempt = u16::try_from(attempt).unwrap_or(u16::MAX);
        let message = Message::Push(connection, number, op, data, content.clone(), attempt);
        out.send_on(self.ids.clients(), connection.client, message);
    }

    pub(super) fn on_pushed(
        &mut self,
        now: Now,
        connection: ConnectionId,
        subscription: u32,
        op: OpId,
        version: u64,
        out: &mut Out,
    ) {
        let Some(known) = self.connections.get_mut(&connection) else { return self.unknown(connection, out) };
        known.heard = now.mono;
        let Some(subscribed) = known.subscriptions.get_mut(subscription).filter(|s| s.op == op) else { return };
        if subscribed.under_way.is_some_and(|(under_way, _)| under_way == version) {
            subscribed.under_way = None;
            subscribed.pushed = Some(version);
            if self.breakers.remove(&connection.client).is_some() {
                out.reached("circuit-breaker-closed");
            }
            let watched = self.watched.get(&subscribed.data).filter(|watched| !watched.push_armed);
            // Nearly always it has the newest by now.
            if watched.and_then(|watched| watched.content.as_ref()).is_some_and(|newest| newest.version != version) {
                self.pump(now, connection, subscription, out);
            }
        }
    }

    /// Repeats what was not acknowledged; a client that acknowledges nothing for long loses its connection.
    pub(super) fn repeat_pushes(&mut self, now: Now, out: &mut Out) {
        while let Some(overdue) = self.overdue.front().copied().filter(|overdue| now.mono >= overdue.at) {
            self.overdue.pop_front();
            let Overdue { connection, subscription: number, op, under_way, .. } = overdue;
            let known = self.connections.get_mut(&connection);
            let subscribed = known.and_then(|known| known.subscriptions.get_mut(number));
            let Some(subscribed) = subscribed.filter(|s| s.op == op && s.under_way == Some(under_way)) else {
                continue;
            };
            let (data, attempt) = (subscribed.data, under_way.1 + 1);
            if attempt > self.config.push_attempts {
                let why = "the client does not acknowledge pushes";
                out.reached("circuit-breaker-opened");
                self.breakers.insert(connection.client, now.mono + self.config.breaker_ms * MILLI);
                self.close(now, connection, None, Some(why), out);
            } else if let Some(content) = self.watched.get(&data).and_then(|watched| watched.content.clone()) {
                subscribed.under_way = Some((content.version, attempt));
                self.send_push(now, Pushing { connection, number, op, data, attempt }, &content, out);
            }
        }
    }
}

/// Notes that this version is under way to a subscriber, if it is newer than what there is and nothing else is under way.
/// Answers with the operation that subscribed.
fn begin(subscribed: &mut Subscription, version: u64, bug: Option<Bug>) -> Option<OpId> {
    let has = match bug {
        Some(Bug::AnyReplica) => subscribed.pushed == Some(version),
        _ => subscribed.pushed.is_some_and(|pushed| pushed >= version),
    };
    if !subscribed.ready || subscribed.under_way.is_some() || has {
        return None;
    }
    if bug == Some(Bug::VersionBeforePush) {
        subscribed.pushed = Some(version);
    } else {
        subscribed.under_way = Some((version, 1));
    }
    Some(subscribed.op)
}
