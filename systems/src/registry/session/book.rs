//! The connections of a session node and their subscriptions, found by name or by place.
//!
//! A push and its acknowledgement touch one subscription and the time at which its connection was last heard, and there are
//! hundreds of thousands of both: so each subscription is one line of the processor's cache, the times lie side by side, and
//! whoever knows the place of a subscription need not search for it. Places are used again; a place says whose it is.

use crate::registry::message::ConnectionId;
use history::{DataIx, Nanos, OpId};
use rustc_hash::FxHashMap;
use simulation::fetch;
use std::collections::BTreeSet;

/// DataId and number of registrations.
type Registered = BTreeSet<(DataIx, u32)>;

/// Where something is kept.
pub(super) type Place = u32;

/// A client's connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Connection {
    /// Number and place of each subscription: few, so a sorted list.
    subscriptions: Vec<(u32, Place)>,
    registered: Registered,
}

/// One subscription of one connection.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Subscription {
    pub connection: ConnectionId,
    pub number: u32,
    pub data: DataIx,
    /// The operation that asked for it: tells a subscription from an earlier one of the same number.
    pub op: OpId,
    /// Place of the connection.
    owner: Place,
    pub since: Nanos,
    /// The version last acknowledged.
    pub pushed: Option<u64>,
    /// The version under way.
    version: u64,
    /// With which batch of pushes it was sent last.
    batch: u32,
    /// How often it was sent; 0 if nothing is under way.
    attempt: u16,
    /// True once a content was fetched after it was asked for.
    pub ready: bool,
}

/// A push that is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnderWay {
    pub version: u64,
    /// How often it was sent.
    pub attempt: u16,
    /// With which batch of pushes it was sent last.
    pub batch: u32,
}

/// Nobody's.
const NOBODY: ConnectionId = ConnectionId { client: u32::MAX, number: 0 };

impl Subscription {
    /// One that has seen nothing yet.
    pub fn new(number: u32, data: DataIx, op: OpId, since: Nanos) -> Subscription {
        Subscription {
            connection: NOBODY,
            number,
            data,
            op,
            owner: 0,
            since,
            pushed: None,
            version: 0,
            batch: 0,
            attempt: 0,
            ready: false,
        }
    }

    /// What is under way.
    pub fn under_way(&self) -> Option<UnderWay> {
        (self.attempt > 0).then_some(UnderWay { version: self.version, attempt: self.attempt, batch: self.batch })
    }

    /// Something is under way now, or nothing any more.
    pub fn send(&mut self, what: Option<UnderWay>) {
        match what {
            Some(UnderWay { version, attempt, batch }) => {
                (self.version, self.attempt, self.batch) = (version, attempt, batch);
            }
            None => self.attempt = 0,
        }
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    /// Looked up with many messages, so hashed: whoever goes through it in an order that shows sorts it.
    places: FxHashMap<ConnectionId, Place>,
    connections: Vec<Connection>,
    /// When each connection was last heard.
    heard: Vec<Nanos>,
    free: Vec<Place>,
    subscriptions: Vec<Subscription>,
    free_subscriptions: Vec<Place>,
}

impl Book {
    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// A new connection. One of the same name, which only a message that arrives twice can make, loses what it had.
    pub fn open(&mut self, id: ConnectionId, now: Nanos) {
        self.remove(id);
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.connections.push(Connection::default());
                self.heard.push(now);
                self.connections.len() as Place - 1
            }
        };
        self.heard[place as usize] = now;
        self.places.insert(id, place);
    }

    /// Ends a connection: answers with its subscriptions, number and dataId, and with what it registered.
    pub fn remove(&mut self, id: ConnectionId) -> Option<(Vec<(u32, DataIx)>, Registered)> {
        let place = self.places.remove(&id)?;
        self.free.push(place);
        let Connection { subscriptions, registered } = std::mem::take(&mut self.connections[place as usize]);
        let numbers = subscriptions.into_iter().map(|(number, place)| (number, self.release(place)));
        Some((numbers.collect(), registered))
    }

    /// Forgets everything; answers with all connections, sorted.
    pub fn clear(&mut self) -> Vec<ConnectionId> {
        let ids = self.ids();
        *self = Book::default();
        ids
    }

    /// All connections, sorted.
    pub fn ids(&self) -> Vec<ConnectionId> {
        let mut ids: Vec<ConnectionId> = self.places.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// All connections and when each was last heard, in any order.
    pub fn heard(&self) -> impl Iterator<Item = (ConnectionId, Nanos)> + '_ {
        self.places.iter().map(|(id, place)| (*id, self.heard[*place as usize]))
    }

    /// Notes that a connection lives; false if there is none of this name.
    pub fn hear(&mut self, id: ConnectionId, now: Nanos) -> bool {
        let place = self.places.get(&id);
        place.is_some_and(|place| {
            self.heard[*place as usize] = now;
            true
        })
    }

    /// Notes that the connection of this subscription lives.
    pub fn hear_owner(&mut self, subscription: Place, now: Nanos) {
        let owner = self.subscriptions[subscription as usize].owner;
        self.heard[owner as usize] = now;
    }

    /// What a connection registered.
    pub fn registered(&mut self, id: ConnectionId) -> Option<&mut Registered> {
        let place = *self.places.get(&id)?;
        Some(&mut self.connections[place as usize].registered)
    }

    /// Adds a subscription, whose number must be free; none if there is no such connection.
    pub fn subscribe(&mut self, id: ConnectionId, subscription: Subscription) -> Option<Place> {
        let owner = *self.places.get(&id)?;
        let number = subscription.number;
        let subscription = Subscription { connection: id, owner, ..subscription };
        let place = match self.free_subscriptions.pop() {
            Some(place) => {
                self.subscriptions[place as usize] = subscription;
                place
            }
            None => {
                self.subscriptions.push(subscription);
                self.subscriptions.len() as Place - 1
            }
        };
        let list = &mut self.connections[owner as usize].subscriptions;
        let at = list.partition_point(|(other, _)| *other < number);
        list.insert(at, (number, place));
        Some(place)
    }

    /// Ends a subscription; answers with its dataId.
    pub fn unsubscribe(&mut self, id: ConnectionId, number: u32) -> Option<DataIx> {
        let owner = *self.places.get(&id)?;
        let list = &mut self.connections[owner as usize].subscriptions;
        let at = list.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        let (_, place) = list.remove(at);
        Some(self.release(place))
    }

    fn release(&mut self, place: Place) -> DataIx {
        let subscription = &mut self.subscriptions[place as usize];
        subscription.connection = NOBODY;
        subscription.send(None);
        self.free_subscriptions.push(place);
        subscription.data
    }

    /// Where this subscription of this connection is. `guess` is looked at first.
    pub fn place(&self, id: ConnectionId, number: u32, guess: Place) -> Option<Place> {
        if self.is_at(guess, id, number) {
            return Some(guess);
        }
        let list = &self.connections[*self.places.get(&id)? as usize].subscriptions;
        let at = list.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(list[at].1)
    }

    /// True if this subscription of this connection is here.
    pub fn is_at(&self, place: Place, id: ConnectionId, number: u32) -> bool {
        let there = self.subscriptions.get(place as usize);
        there.is_some_and(|there| there.connection == id && there.number == number)
    }

    /// This subscription is needed soon.
    pub fn prepare(&self, place: Place) {
        if let Some(there) = self.subscriptions.get(place as usize) {
            fetch(there);
        }
    }

    /// This connection is needed soon.
    pub fn prepare_connection(&self, id: ConnectionId) {
        if let Some(heard) = self.places.get(&id).and_then(|place| self.heard.get(*place as usize)) {
            fetch(heard);
        }
    }

    /// The subscription at a place: look whose it is.
    pub fn at(&self, place: Place) -> &Subscription {
        &self.subscriptions[place as usize]
    }

    /// The same, to be changed.
    pub fn at_mut(&mut self, place: Place) -> &mut Subscription {
        &mut self.subscriptions[place as usize]
    }

    /// The subscriptions of a connection, by number.
    pub fn subscriptions_of(&self, id: ConnectionId) -> impl Iterator<Item = &Subscription> + '_ {
        let place = self.places.get(&id).copied();
        let list = place.into_iter().flat_map(|place| &self.connections[place as usize].subscriptions);
        list.map(|(_, place)| &self.subscriptions[*place as usize])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const A: ConnectionId = ConnectionId { client: 1, number: 1 };
    const B: ConnectionId = ConnectionId { client: 2, number: 1 };

    #[test]
    fn a_subscription_fits_a_line_of_the_cache() {
        assert_eq!(size_of::<Subscription>(), 64);
    }

    #[test]
    fn a_place_that_is_used_again_is_not_taken_for_what_was_there() {
        let mut book = Book::default();
        book.open(A, 1);
        book.open(B, 2);
        let old = book.subscribe(A, Subscription::new(0, 7, 1, 1)).unwrap();
        book.at_mut(old).send(Some(UnderWay { version: 3, attempt: 1, batch: 9 }));
        assert_eq!(book.place(A, 0, old), Some(old));
        assert_eq!(book.remove(A), Some((vec![(0, 7)], BTreeSet::new())));
        assert_eq!(book.place(A, 0, old), None);
        let new = book.subscribe(B, Subscription::new(0, 8, 2, 3)).unwrap();
        assert_eq!((new, book.at(new).under_way()), (old, None));
        assert_eq!((book.place(A, 0, old), book.place(B, 0, 77)), (None, Some(new)));
    }

    #[test]
    fn subscriptions_are_in_the_order_of_their_numbers() {
        let mut book = Book::default();
        book.open(A, 1);
        let _places = [3, 1, 2].map(|number| book.subscribe(A, Subscription::new(number, number, number, 1)).unwrap());
        let numbers = |book: &Book| book.subscriptions_of(A).map(|s| s.number).collect::<Vec<_>>();
        assert_eq!(numbers(&book), [1, 2, 3]);
        assert_eq!((book.unsubscribe(A, 2), book.unsubscribe(A, 2), book.unsubscribe(B, 1)), (Some(2), None, None));
        assert_eq!(numbers(&book), [1, 3]);
    }

    #[test]
    fn a_connection_that_is_opened_again_has_nothing() {
        let mut book = Book::default();
        book.open(A, 1);
        book.subscribe(A, Subscription::new(0, 7, 1, 1)).unwrap();
        book.registered(A).unwrap().insert((7, 0));
        book.open(A, 5);
        assert_eq!((book.subscriptions_of(A).count(), book.registered(A).unwrap().len()), (0, 0));
        assert_eq!(book.heard().collect::<Vec<_>>(), [(A, 5)]);
        assert!(book.hear(A, 6) && !book.hear(B, 6));
    }
}
