//! The `pubsub` workload: everything that clients of a registry do in claims R1-R6, in every odd order.
//!
//! Each client draws from a stream of its own, so that its operations do not change when clients are added. A client
//! knows what it holds while its plan is drawn, so that most operations make sense; some deliberately do not (unpublish of
//! what is not published, subscribing twice). Pinned clients publish in warm-up and never act again: every push must
//! contain them, whatever everybody else does (R3).

use crate::planned::{ClientPlan, PlannedCall, PlannedOperation, Reaction};
use history::{ClientId, DataIx, MILLI, Nanos};
use serde::{Deserialize, Serialize};
use simulation::Stream;
use std::collections::BTreeMap;

/// Options of the workload, as a scenario gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PubSub {
    /// Clients, pinned ones included. 1 to 1,000,000.
    pub clients: u32,
    /// Of these, how many publish once in warm-up and never change.
    pub pinned: u32,
    /// DataIds. 1 to 1,000,000.
    pub data_ids: u32,
    /// Chance in 1,000 that a client's interest is the hot dataId (number 0).
    pub hot_permille: u32,
    /// DataIds that a client cares about, at most.
    pub interests_max: u32,
    /// Mean time between two operations of a client, milliseconds.
    pub pause_ms: u64,
    /// Chance in 1,000 that an operation opens a burst: 3 to 8 operations a few milliseconds apart.
    pub burst_permille: u32,
    /// How likely each kind of operation is.
    pub weights: Weights,
    /// Times at which a share of all clients does the same at once.
    pub storms: Vec<Storm>,
    /// A client that lost its connection comes back after this long, milliseconds: at once (low) or late (high).
    pub reconnect_ms: (u64, u64),
    /// From a new session to registering again, milliseconds.
    pub reregister_ms: (u64, u64),
}

/// How likely each kind of operation is, relative to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Register on a dataId of interest.
    pub publish: u64,
    /// Change the value of a registration held.
    pub republish: u64,
    /// Take a registration back.
    pub unpublish: u64,
    /// Take a registration back that was never made or is gone already.
    pub unpublish_absent: u64,
    /// Subscribe.
    pub subscribe: u64,
    /// Subscribe again to what is subscribed already.
    pub subscribe_twice: u64,
    /// End a subscription.
    pub unsubscribe: u64,
    /// Read once.
    pub read: u64,
    /// Leave cleanly and come back.
    pub close: u64,
    /// Vanish and come back.
    pub vanish: u64,
}

/// A share of all clients does the same at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// When, milliseconds from the start of chaos.
    pub at_ms: u64,
    /// Share of the clients that act at all, per mille.
    pub share_permille: u32,
    /// What they do.
    pub kind: StormKind,
}

/// What a storm consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StormKind {
    /// Everybody vanishes and comes back.
    Vanish,
    /// Everybody registers once more.
    Publish,
}

impl Default for PubSub {
    fn default() -> Self {
        PubSub {
            clients: 60,
            pinned: 10,
            data_ids: 12,
            hot_permille: 250,
            interests_max: 3,
            pause_ms: 1_000,
            burst_permille: 50,
            weights: Weights::default(),
            storms: Vec::new(),
            reconnect_ms: (5, 400),
            reregister_ms: (0, 20),
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Weights {
            publish: 10,
            republish: 20,
            unpublish: 8,
            unpublish_absent: 1,
            subscribe: 6,
            subscribe_twice: 2,
            unsubscribe: 4,
            read: 4,
            close: 2,
            vanish: 3,
        }
    }
}

/// The times between which clients act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Connects and first registrations happen in `0..warmup`.
    pub warmup: Nanos,
    /// Everything else in `warmup..end`.
    pub end: Nanos,
}

/// One client of the plan with its operations, in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientWork {
    /// The client.
    pub client: ClientPlan,
    /// What it does.
    pub operations: Vec<PlannedOperation>,
}

impl PubSub {
    /// What client `id` does under `seed`: depends on nothing else.
    pub fn client(&self, seed: u64, id: ClientId, window: Window) -> ClientWork {
        let mut stream = Stream::new(seed, "pubsub client", u64::from(id));
        let pinned = id < self.pinned;
        let node = stream.below(1 << 20) as u32;
        let reactions = (0..8)
            .map(|_| Reaction {
                reconnect_ns: self.draw_ms(&mut stream, self.reconnect_ms),
                reregister_ns: self.draw_ms(&mut stream, self.reregister_ms),
            })
            .collect();
        let client = ClientPlan { id, pinned, node, reactions };
        let mut draft = Draft::new(self, id, stream);
        draft.warm_up(window, pinned);
        if !pinned {
            draft.chaos(seed, window);
        }
        let mut operations = draft.operations;
        operations.sort_by_key(|operation| operation.at);
        ClientWork { client, operations }
    }

    fn draw_ms(&self, stream: &mut Stream, (low, high): (u64, u64)) -> Nanos {
        stream.between(low * MILLI, high * MILLI)
    }
}

/// A client's operations while they are drawn, and what it will hold then.
struct Draft<'a> {
    options: &'a PubSub,
    id: ClientId,
    stream: Stream,
    interests: Vec<DataIx>,
    registrations: BTreeMap<u32, DataIx>,
    subscriptions: BTreeMap<u32, DataIx>,
    registrations_made: u32,
    subscriptions_made: u32,
    /// The registration that was taken back last.
    gone: Option<(u32, DataIx)>,
    operations: Vec<PlannedOperation>,
}

/// No client holds more than this many registrations or subscriptions at once.
const HELD_MAX: usize = 8;
/// A registration that no client ever makes.
const NEVER_MADE: u32 = 900;
/// Registrations that storms make are numbered from here.
const STORMS: u32 = 901;

impl<'a> Draft<'a> {
    fn new(options: &'a PubSub, id: ClientId, mut stream: Stream) -> Self {
        let mut interests = Vec::new();
        let wanted = stream.between(1, u64::from(options.interests_max.max(1)));
        for _ in 0..wanted {
            let hot = stream.chance(options.hot_permille);
            let other = stream.below(u64::from(options.data_ids)) as DataIx;
            let data = if hot { 0 } else { other };
            if !interests.contains(&data) {
                interests.push(data);
            }
        }
        // Every dataId has somebody who cares: clients take them in turn, the hot one drawn on top.
        let own = id % options.data_ids.max(1);
        if !interests.contains(&own) {
            interests.push(own);
        }
        Draft {
            options,
            id,
            stream,
            interests,
            registrations: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            registrations_made: 0,
            subscriptions_made: 0,
            gone: None,
            operations: Vec::new(),
        }
    }

    fn push(&mut self, at: Nanos, call: PlannedCall) {
        self.operations.push(PlannedOperation { at, client: self.id, call });
    }

    fn warm_up(&mut self, window: Window, pinned: bool) {
        let mut at = self.stream.below(window.warmup / 2);
        self.push(at, PlannedCall::Connect);
        let step = (window.warmup / 32).max(1);
        if pinned {
            for data in self.interests.clone() {
                at += self.stream.between(1, step);
                self.publish(at, data);
            }
            return;
        }
        // Publish before or after the subscription, or only one of the two.
        let order = self.stream.below(4);
        let data = self.interest();
        for turn in 0..2 {
            at += self.stream.between(1, step);
            match (order, turn) {
                (0, 0) | (1, 1) => self.publish(at, data),
                (0, 1) | (1, 0) | (2, 0) => self.subscribe(at, data),
                (3, 0) => {
                    for data in self.interests.clone() {
                        self.subscribe(at, data);
                    }
                }
                _ => {}
            }
        }
    }

    fn chaos(&mut self, seed: u64, window: Window) {
        let pause = self.options.pause_ms * MILLI;
        let mut at = window.warmup + self.stream.waiting(pause);
        let mut burst = 0u64;
        while at < window.end {
            at += self.operation(at);
            if burst == 0 && self.stream.chance(self.options.burst_permille) {
                burst = self.stream.between(3, 8);
            }
            at += if burst > 0 {
                burst -= 1;
                self.stream.between(0, 5 * MILLI)
            } else {
                self.stream.waiting(pause).max(1)
            };
        }
        self.storms(seed, window);
    }

    /// Storms draw from a stream of their own: adding one changes nothing else.
    fn storms(&mut self, seed: u64, window: Window) {
        for (number, storm) in self.options.storms.iter().enumerate() {
            let mut stream = Stream::new(seed, "pubsub storm", (number as u64) << 32 | u64::from(self.id));
            let at = window.warmup + storm.at_ms * MILLI + stream.below(20 * MILLI);
            if !stream.chance(storm.share_permille) || at >= window.end {
                continue;
            }
            match storm.kind {
                StormKind::Vanish => self.push(at, PlannedCall::Vanish),
                StormKind::Publish => {
                    let (data, registration) = (self.interests[0], STORMS + number as u32);
                    self.push(at, PlannedCall::Publish { data, registration });
                }
            }
        }
    }

    /// Draws one operation and returns how long the client is away afterwards.
    fn operation(&mut self, at: Nanos) -> Nanos {
        let w = self.options.weights;
        let weights = [
            w.publish,
            w.republish,
            w.unpublish,
            w.unpublish_absent,
            w.subscribe,
            w.subscribe_twice,
            w.unsubscribe,
            w.read,
            w.close,
            w.vanish,
        ];
        let data = self.interest();
        match self.stream.weighted(&weights) {
            Some(0) => self.publish(at, data),
            Some(1) => match pick(&mut self.stream, &self.registrations) {
                Some((registration, data)) => self.push(at, PlannedCall::Publish { data, registration }),
                None => self.publish(at, data),
            },
            Some(2) => match pick(&mut self.stream, &self.registrations) {
                Some((registration, data)) => {
                    self.registrations.remove(&registration);
                    self.gone = Some((registration, data));
                    self.push(at, PlannedCall::Unpublish { data, registration });
                }
                None => self.publish(at, data),
            },
            Some(3) => {
                let (registration, data) = self.gone.unwrap_or((NEVER_MADE, data));
                self.push(at, PlannedCall::Unpublish { data, registration });
            }
            Some(4) => self.subscribe(at, data),
            Some(5) => match pick(&mut self.stream, &self.subscriptions) {
                Some((subscription, data)) => self.push(at, PlannedCall::Subscribe { data, subscription }),
                None => self.subscribe(at, data),
            },
            Some(6) => match pick(&mut self.stream, &self.subscriptions) {
                Some((subscription, data)) => {
                    self.subscriptions.remove(&subscription);
                    self.push(at, PlannedCall::Unsubscribe { data, subscription });
                }
                None => self.subscribe(at, data),
            },
            Some(7) => self.push(at, PlannedCall::Read { data }),
            Some(8) => return self.close(at),
            Some(9) => self.push(at, PlannedCall::Vanish),
            _ => {}
        }
        0
    }

    fn interest(&mut self) -> DataIx {
        self.interests[self.stream.below(self.interests.len() as u64) as usize]
    }

    fn publish(&mut self, at: Nanos, data: DataIx) {
        if self.registrations.len() >= HELD_MAX {
            return;
        }
        let registration = self.registrations_made;
        self.registrations_made += 1;
        self.registrations.insert(registration, data);
        self.push(at, PlannedCall::Publish { data, registration });
    }

    fn subscribe(&mut self, at: Nanos, data: DataIx) {
        if self.subscriptions.len() >= HELD_MAX {
            return;
        }
        let subscription = self.subscriptions_made;
        self.subscriptions_made += 1;
        self.subscriptions.insert(subscription, data);
        self.push(at, PlannedCall::Subscribe { data, subscription });
    }

    /// Leaves, and comes back at once or late, holding nothing.
    fn close(&mut self, at: Nanos) -> Nanos {
        self.push(at, PlannedCall::Close);
        self.registrations.clear();
        self.subscriptions.clear();
        let late = self.stream.chance(300);
        let away = if late {
            self.stream.between(self.options.pause_ms * MILLI, 3 * self.options.pause_ms * MILLI)
        } else {
            self.stream.between(1, 20 * MILLI)
        };
        self.push(at + away, PlannedCall::Connect);
        away
    }
}

fn pick(stream: &mut Stream, held: &BTreeMap<u32, DataIx>) -> Option<(u32, DataIx)> {
    if held.is_empty() {
        return None;
    }
    held.iter().nth(stream.below(held.len() as u64) as usize).map(|(number, data)| (*number, *data))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { warmup: 2_000 * MILLI, end: 32_000 * MILLI };

    #[test]
    fn a_clients_operations_do_not_depend_on_how_many_others_there_are() {
        let few = PubSub { clients: 20, ..PubSub::default() };
        let many = PubSub { clients: 2_000, ..PubSub::default() };
        assert_eq!(few.client(7, 15, WINDOW), many.client(7, 15, WINDOW));
    }

    #[test]
    fn seeds_and_clients_differ() {
        let options = PubSub::default();
        assert_ne!(options.client(7, 15, WINDOW).operations, options.client(8, 15, WINDOW).operations);
        assert_ne!(options.client(7, 15, WINDOW).operations, options.client(7, 16, WINDOW).operations);
    }

    #[test]
    fn pinned_clients_act_in_warm_up_only() {
        let work = PubSub::default().client(7, 0, WINDOW);
        assert!(work.client.pinned);
        assert!(work.operations.len() >= 2);
        assert!(work.operations.iter().all(|operation| operation.at < WINDOW.warmup));
    }

    #[test]
    fn everything_that_the_claims_ask_for_occurs() {
        let options = PubSub {
            storms: vec![Storm { at_ms: 5_000, share_permille: 500, kind: StormKind::Vanish }],
            ..PubSub::default()
        };
        let all: Vec<PlannedOperation> =
            (0..options.clients).flat_map(|id| options.client(7, id, WINDOW).operations).collect();
        let count = |test: &dyn Fn(&PlannedCall) -> bool| all.iter().filter(|o| test(&o.call)).count();
        assert!(count(&|c| matches!(c, PlannedCall::Publish { .. })) > 200);
        assert!(count(&|c| matches!(c, PlannedCall::Unpublish { .. })) > 50);
        assert!(count(&|c| matches!(c, PlannedCall::Subscribe { .. })) > 50);
        assert!(count(&|c| matches!(c, PlannedCall::Unsubscribe { .. })) > 20);
        assert!(count(&|c| matches!(c, PlannedCall::Read { .. })) > 20);
        assert!(count(&|c| matches!(c, PlannedCall::Close)) > 10);
        assert!(count(&|c| matches!(c, PlannedCall::Vanish)) > 20);
        let hot = count(&|c| matches!(c, PlannedCall::Publish { data: 0, .. }));
        let other = count(&|c| matches!(c, PlannedCall::Publish { data: 5, .. }));
        assert!(hot > 2 * other, "hot {hot}, other {other}");
    }
}
