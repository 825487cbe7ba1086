//! Clients' connections and requests.

use super::Session;
use super::watching::Reading;
use crate::registry::bugs::Bug;
use crate::registry::config::Ack;
use crate::registry::entry::{Entry, Publisher, Rank};
use crate::registry::message::{Answer, Ask, ConnectionId, Message, Out};
use history::{DataIx, MILLI, Nanos, OpId};
use simulation::Now;
use std::sync::Arc;

impl Session {
    /// Notes that the connection lives; one that is not known here is told so.
    pub(super) fn touch(&mut self, now: Now, connection: ConnectionId, out: &mut Out) -> bool {
        let known = self.book.hear(connection, now.mono);
        if !known {
            self.unknown(connection, out);
        }
        known
    }

    /// Somebody speaks on a connection that is not there (any more).
    pub(super) fn unknown(&self, connection: ConnectionId, out: &mut Out) {
        let message = Message::Closed(connection, "the session node does not know this connection");
        out.send_on(self.ids.clients(), connection.client, message);
    }

    pub(super) fn on_request(&mut self, now: Now, connection: ConnectionId, op: OpId, ask: Ask, out: &mut Out) {
        if matches!(ask, Ask::Connect) {
            self.connect(now, connection, op, out);
            return;
        }
        if !self.touch(now, connection, out) {
            return;
        }
        match ask {
            Ask::Connect => {}
            Ask::Publish { data, registration, version, value } => {
                let entry = self.entry(now, connection, (data, registration), version, Some(value));
                self.register(now, connection, op, entry, out);
            }
            Ask::Unpublish { data, registration, version } => {
                let entry = self.entry(now, connection, (data, registration), version, None);
                self.register(now, connection, op, entry, out);
            }
            Ask::Subscribe { data, subscription } => self.subscribe(now, connection, op, data, subscription, out),
            Ask::Unsubscribe { subscription } => {
                self.unsubscribe(connection, subscription);
                self.reply(connection, op, Answer::Ok(None), out);
            }
            Ask::Read { data } => {
                let id = self.next_number();
                self.reads.insert(id, Reading { connection, op, data, since: now.mono });
                self.send_read(id, out);
            }
            Ask::Ping => self.reply(connection, op, Answer::Ok(None), out),
            Ask::Close => self.on_close(now, connection, op, out),
        }
    }

    fn connect(&mut self, now: Now, connection: ConnectionId, op: OpId, out: &mut Out) {
        if !self.serving {
            self.reply(connection, op, Answer::Refused("the session node is not a member of the cluster"), out);
            return;
        }
        if self.breakers.get(&connection.client).is_some_and(|until| now.mono < *until) {
            out.reached("circuit-breaker-refused-a-client");
            self.reply(connection, op, Answer::Refused("the circuit breaker of this client is open"), out);
            return;
        }
        // A connection that the same client had before is another one: it ends when its own end is noticed.
        self.book.open(connection, now.mono);
        self.reply(connection, op, Answer::Ok(None), out);
    }

    fn entry(
        &self,
        now: Now,
        connection: ConnectionId,
        (data, registration): (DataIx, u32),
        version: u64,
        value: Option<Arc<str>>,
    ) -> Entry {
        Entry {
            data,
            publisher: Publisher::new(connection.client, registration),
            version,
            rank: if value.is_some() { Rank::Live } else { Rank::Removed },
            stamp: now.wall,
            value,
            connection: connection.number,
            session: self.id,
            incarnation: self.member.incarnation,
            clean_up: false,
        }
    }

    fn register(&mut self, now: Now, connection: ConnectionId, op: OpId, entry: Entry, out: &mut Out) {
        let key = (entry.data, entry.publisher.registration());
        // An older one than is known is ignored, and still answered with success.
        if !self.store.put(entry.clone(), now.mono) {
            self.reply(connection, op, Answer::Ok(None), out);
            return;
        }
        // Also what is taken back stays in the index: until data has acknowledged that, closing must wait for it.
        if let Some(registered) = self.book.registered(connection) {
            if self.bug == Some(Bug::GhostIndexOverwritten) && entry.is_live() {
                registered.clear();
            }
            registered.insert(key);
        }
        let wait = self.wait(connection, op, out);
        self.enqueue(entry, wait, out);
    }

    /// With acknowledgement by data the operation waits for its write, else it is answered at once.
    fn wait(&self, connection: ConnectionId, op: OpId, out: &mut Out) -> Option<(ConnectionId, OpId)> {
        match self.config.ack {
            Ack::Data if self.bug != Some(Bug::AckBeforeWrite) => Some((connection, op)),
            _ => {
                self.reply(connection, op, Answer::Ok(None), out);
                None
            }
        }
    }

    /// A clean close is confirmed when everything that the connection held is taken back.
    fn on_close(&mut self, now: Now, connection: ConnectionId, op: OpId, out: &mut Out) {
        let wait = match self.config.ack {
            Ack::Data => Some((connection, op)),
            Ack::Session => None,
        };
        let written = self.close(now, connection, wait, None, out);
        if wait.is_none() || written == 0 {
            self.reply(connection, op, Answer::Ok(None), out);
        }
    }

    /// The connection is over: its subscriptions end, and what it registered is taken back, unless a newer connection of
    /// the same client has registered it since. Returns how many writes that takes, those included that take back what was
    /// unpublished before and may not have arrived.
    pub(super) fn close(
        &mut self,
        now: Now,
        connection: ConnectionId,
        wait: Option<(ConnectionId, OpId)>,
        tell: Option<&'static str>,
        out: &mut Out,
    ) -> usize {
        let Some((subscriptions, registered)) = self.book.remove(connection) else { return 0 };
        for (number, data) in subscriptions {
            self.unwatch(data, connection, number);
        }
        let mut written = 0;
        for (data, registration) in registered {
            let publisher = Publisher::new(connection.client, registration);
            let fast = self.bug == Some(Bug::GhostFastDisconnect);
            let Some(held) = self.store.get(data, publisher) else { continue };
            let own = held.entry.connection == connection.number;
            let done = held.acked && !held.entry.is_live();
            if !own {
                out.reached("clean-up-spared-a-newer-connection");
            }
            if !own || done || (fast && !held.acked) {
                continue;
            }
            let mut entry = held.entry.clone();
            if entry.is_live() {
                entry = Entry { rank: Rank::Removed, value: None, stamp: now.wall, clean_up: true, ..entry };
                self.store.put(entry.clone(), now.mono);
            }
            self.enqueue(entry, wait, out);
            written += 1;
        }
        if let Some(why) = tell {
            out.send_on(self.ids.clients(), connection.client, Message::Closed(connection, why));
        }
        written
    }

    pub(super) fn close_idle(&mut self, now: Now, out: &mut Out) {
        let limit = self.config.connection_idle_ms * MILLI;
        if now.mono < self.idle_from {
            return;
        }
        let idle = |heard: Nanos| now.mono >= heard + limit;
        let mut over: Vec<ConnectionId> =
            self.book.heard().filter(|(_, heard)| idle(*heard)).map(|(id, _)| id).collect();
        over.sort_unstable();
        // Whoever is heard later is idle later.
        let heard = self.book.heard().map(|(_, heard)| heard).filter(|heard| !idle(*heard)).min();
        self.idle_from = heard.unwrap_or(now.mono) + limit;
        for connection in over {
            out.reached("idle-connection-closed");
            self.close(now, connection, None, Some("the session node has not heard the client"), out);
        }
    }
}
