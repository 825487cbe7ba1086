//! What nodes say to each other, and what timers remind them of.

use super::cluster::Cluster;
use super::entry::Entry;
use history::{ClientId, DataIx, Nanos, OpId};
use simulation::{hash_begin, hash_on};
use std::sync::Arc;

use crate::world::Happening;

/// One connection of one client: the client's number, and how many times it had tried to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId {
    /// Whose.
    pub client: ClientId,
    /// The client's how-many-eth.
    pub number: u32,
}

impl std::hash::Hash for ConnectionId {
    /// In one go: it is looked up with every message.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.client) << 32 | u64::from(self.number));
    }
}

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c{}@{}", self.client, self.number)
    }
}

/// A multiset of values.
pub type Elements = Arc<[Arc<str>]>;

/// What a slot's leader says about a dataId.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its version.
    pub version: u64,
    /// The values.
    pub elements: Elements,
    /// Bytes that JSON would carry them in; known here, since the same content is shown to thousands.
    pub bytes: u64,
}

impl Content {
    /// These values in this version.
    pub fn new(version: u64, elements: Elements) -> Arc<Content> {
        let bytes = elements.iter().map(|value| value.len() as u64 + 3).sum();
        Arc::new(Content { version, elements, bytes })
    }

    /// The same values in another version.
    pub fn at(&self, version: u64) -> Arc<Content> {
        Arc::new(Content { version, elements: Arc::clone(&self.elements), bytes: self.bytes })
    }
}

/// To whom something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watcher {
    /// On which connection.
    pub connection: ConnectionId,
    /// For which subscription.
    pub subscription: u32,
    /// The operation that subscribed.
    pub op: OpId,
    /// Where the session node keeps the subscription: sent back with the acknowledgement, it saves a search.
    pub place: u32,
}

impl Watcher {
    fn subscribed(&self) -> u64 {
        u64::from(self.subscription) << 32 | u64::from(self.op)
    }
}

/// A client's request on a connection.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Open the connection.
    Connect,
    /// Register.
    Publish {
        /// The dataId.
        data: DataIx,
        /// Which registration.
        registration: u32,
        /// Rises with each publish and unpublish of this client.
        version: u64,
        /// What.
        value: Arc<str>,
    },
    /// Take back.
    Unpublish {
        /// The dataId.
        data: DataIx,
        /// Which registration.
        registration: u32,
        /// Rises with each publish and unpublish of this client.
        version: u64,
    },
    /// Watch.
    Subscribe {
        /// The dataId.
        data: DataIx,
        /// Which subscription.
        subscription: u32,
    },
    /// Stop watching.
    Unsubscribe {
        /// Which subscription.
        subscription: u32,
    },
    /// Read once.
    Read {
        /// The dataId.
        data: DataIx,
    },
    /// Are you there?
    Ping,
    /// Leave cleanly.
    Close,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Done; reads carry the content.
    Ok(Option<Elements>),
    /// Certainly not done.
    Refused(&'static str),
}

/// A write's or a sync's part about one slot.
#[derive(Clone, Debug)]
pub struct SlotAsk {
    /// Which slot.
    pub slot: u32,
    /// In which epoch the asker leads it.
    pub epoch: u64,
    /// What the asker has of the asked.
    pub digest: u64,
    /// True if the asker is Migrating: it also wants to know what was removed lately.
    pub first: bool,
}

/// The answer to a [`SlotAsk`].
#[derive(Clone, Debug)]
pub struct SlotAnswer {
    /// Which slot.
    pub slot: u32,
    /// Of the question.
    pub epoch: u64,
    /// True if the digests differ: then `entries` holds everything that is live, else only what was removed lately.
    pub whole: bool,
    /// See `whole`.
    pub entries: Vec<Entry>,
}

/// Everything that is said. At most 48 bytes, so that an event with a message is one line of the processor's cache.
#[derive(Clone, Debug)]
pub enum Message {
    /// Client to session.
    Request(ConnectionId, OpId, Box<Ask>),
    /// Client to session; answered with the same.
    ClientBeat(ConnectionId, Nanos),
    /// Client to session: the connection is closed.
    Bye(ConnectionId),
    /// Client to session: the push of this version was received.
    Pushed(Watcher, u64),
    /// Session to client.
    Response(ConnectionId, OpId, Answer),
    /// Session to client: the connection is closed, or is not known here.
    Closed(ConnectionId, &'static str),
    /// Session to client: dataId, content, attempt.
    Push(Watcher, DataIx, Arc<Content>, u16),

    /// Meta to database: may I lead, or go on? Carries the asker's time of asking.
    LeaseAsk(Nanos),
    /// Database to meta: asked at, term if granted, the cluster.
    LeaseAnswer(Nanos, Option<u64>, Arc<Cluster>),
    /// Meta to database: term, next cluster.
    Commit(u64, Arc<Cluster>),
    /// Database to meta: the cluster as it is, and whether this commit made it so.
    Committed(Arc<Cluster>, bool),
    /// Session or data to meta: incarnation, time of sending, version of the cluster known.
    Beat(u64, Nanos, u64),
    /// Meta to session or data: incarnation, time of sending of the beat that is confirmed, cluster if newer.
    BeatOk(u64, Nanos, Option<Arc<Cluster>>),
    /// Meta to session or data.
    Table(Arc<Cluster>),

    /// Session to data: id, slot, version of the cluster known, incarnation of the session, entries.
    Write(u64, u32, u64, u64, Arc<[Entry]>),
    /// Data to session: id, slot, whether it was applied.
    Written(u64, u32, bool),
    /// Session to data: id, dataId.
    Fetch(u64, DataIx),
    /// Data to session: id, dataId, content; none if this node does not serve it.
    Fetched(u64, DataIx, Option<Arc<Content>>),
    /// Session to data: sent at, dataIds.
    Scan(Nanos, Vec<DataIx>),
    /// Data to session: sent at, versions of those that it serves.
    Scanned(Nanos, Vec<(DataIx, u64)>),
    /// Session to data: incarnation, number.
    Renew(u64, u64),
    /// Data to session: what changed, with versions; number.
    Changed(Vec<(DataIx, u64)>, u64),
    /// Data to session: this slot is served here now, in this epoch.
    Serving(u32, u64),
    /// Data to session: round, what about these slots?
    SyncAsk(u64, Vec<SlotAsk>),
    /// Session to data: round, incarnation of the session, answers.
    SyncAnswer(u64, u64, Vec<SlotAnswer>),

    /// Data to data: stop serving this slot in epochs below this one; round.
    Release(u32, u64, u64),
    /// Data to data: slot, epoch; what is remembered of it, nothing of it live.
    Released(u32, u64, Vec<Entry>),
    /// Leader to follower: slot, epoch, number, entries.
    Replicate(u32, u64, u64, Arc<[Entry]>),
    /// Follower to leader: slot, epoch, digest, round.
    CopyAsk(u32, u64, u64, u64),
    /// Leader to follower: slot, epoch, everything.
    Copy(u32, u64, Vec<Entry>),
}

/// The states of draws that know the kind of a message, and nothing else yet.
const KINDS: [u64; 32] = {
    let mut kinds = [0; 32];
    let mut kind = 0;
    while kind < kinds.len() {
        kinds[kind] = hash_on(hash_begin(0), kind as u64);
        kind += 1;
    }
    kinds
};

impl simulation::Message for Message {
    #[inline(always)]
    fn identity(&self) -> u64 {
        let (kind, parts): (usize, [u64; 3]) = match self {
            Message::Request(c, op, _) => (2, [u64::from(c.number), u64::from(*op), 0]),
            Message::ClientBeat(c, at) => (3, [u64::from(c.number), *at, 0]),
            Message::Bye(c) => (4, [u64::from(c.number), 0, 0]),
            Message::Pushed(watcher, version) => {
                (5, [u64::from(watcher.connection.number), watcher.subscribed(), *version])
            }
            Message::Response(c, op, _) => (6, [u64::from(c.number), u64::from(*op), 0]),
            Message::Closed(c, _) => (7, [u64::from(c.number), 0, 0]),
            Message::Push(watcher, _, content, attempt) => {
                let number = u64::from(watcher.connection.number) << 32 | u64::from(*attempt);
                (8, [number, watcher.subscribed(), content.version])
            }
            Message::LeaseAsk(at) => (9, [*at, 0, 0]),
            Message::LeaseAnswer(at, term, _) => (10, [*at, term.unwrap_or(0), 0]),
            Message::Commit(term, cluster) => (11, [*term, cluster.version, 0]),
            Message::Committed(cluster, done) => (12, [cluster.version, u64::from(*done), 0]),
            Message::Beat(incarnation, at, _) => (13, [*incarnation, *at, 0]),
            Message::BeatOk(incarnation, at, _) => (14, [*incarnation, *at, 0]),
            Message::Table(cluster) => (15, [cluster.version, 0, 0]),
            Message::Write(id, slot, _, incarnation, _) => (16, [*id, u64::from(*slot), *incarnation]),
            Message::Written(id, slot, _) => (17, [*id, u64::from(*slot), 0]),
            Message::Fetch(id, data) => (18, [*id, u64::from(*data), 0]),
            Message::Fetched(id, data, _) => (19, [*id, u64::from(*data), 0]),
            Message::Scan(at, _) => (20, [*at, 0, 0]),
            Message::Scanned(at, _) => (21, [*at, 0, 0]),
            Message::Renew(incarnation, number) => (22, [*incarnation, *number, 0]),
            Message::Changed(_, number) => (23, [*number, 0, 0]),
            Message::Serving(slot, epoch) => (24, [u64::from(*slot), *epoch, 0]),
            Message::SyncAsk(round, _) => (25, [*round, 0, 0]),
            Message::SyncAnswer(round, incarnation, _) => (26, [*round, *incarnation, 0]),
            Message::Release(slot, epoch, round) => (27, [u64::from(*slot), *epoch, *round]),
            Message::Released(slot, epoch, _) => (28, [u64::from(*slot), *epoch, 0]),
            Message::Replicate(slot, epoch, number, _) => (29, [u64::from(*slot), *epoch, *number]),
            Message::CopyAsk(slot, epoch, _, round) => (30, [u64::from(*slot), *epoch, *round]),
            Message::Copy(slot, epoch, entries) => (31, [u64::from(*slot), *epoch, entries.len() as u64]),
        };
        parts.iter().fold(KINDS[kind], |state, part| hash_on(state, *part))
    }

    /// Roughly what an encoding of its lists would take.
    fn size(&self) -> u64 {
        const HEAD: u64 = 64;
        let entries = |count: usize| HEAD + 128 * count as u64;
        let versions = |count: usize| HEAD + 16 * count as u64;
        match self {
            Message::Push(.., content, _) | Message::Fetched(.., Some(content)) => entries(content.elements.len()),
            Message::LeaseAnswer(.., cluster)
            | Message::Commit(_, cluster)
            | Message::Committed(cluster, _)
            | Message::Table(cluster)
            | Message::BeatOk(.., Some(cluster)) => versions(cluster.slots.len()),
            Message::Write(.., list) | Message::Replicate(.., list) => entries(list.len()),
            Message::Released(.., list) | Message::Copy(.., list) => entries(list.len()),
            Message::SyncAnswer(.., answers) => entries(answers.iter().map(|answer| answer.entries.len()).sum()),
            Message::Scan(_, list) => versions(list.len()),
            Message::Scanned(_, list) | Message::Changed(list, _) => versions(list.len()),
            _ => HEAD,
        }
    }

    fn says(&self) -> String {
        super::saying::says(self)
    }
}

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Renew the meta lease.
    Lease,
    /// Beat to meta.
    Beat,
    /// Look for what has run out.
    Tick,
    /// Session: flush writes to a slot.
    Flush(u32),
    /// Session: this write to this slot is overdue.
    Write(u32, u64),
    /// Session: fetch this dataId.
    Fetch(DataIx),
    /// Session: this fetch was not answered or was refused.
    Refetch(DataIx, u64),
    /// Session: push this dataId.
    Push(DataIx),
    /// Session: this read was not answered or was refused.
    Read(u64),
    /// Session: compare versions.
    Scan,
    /// Session: heartbeat to data.
    Renew,
    /// Data: tell the sessions what changed.
    Notify,
    /// Data: tell the followers what changed.
    Replicate,
    /// Data: compare digests.
    Digest,
    /// Data: go on with this slot's migration.
    Migrate(u32),
    /// Client: heartbeat on this connection.
    ClientBeat(ConnectionId),
    /// Client: this operation takes too long.
    Timeout(ClientId, OpId),
}

/// What a node does.
pub type Out = simulation::Outputs<Message, Timer, Happening>;
/// What a node is told.
pub type In = simulation::Input<Message, Timer>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_fits_a_line_of_the_cache() {
        // The kernel adds two numbers of four bytes.
        assert_eq!(size_of::<In>() + 8, 64);
    }
}
