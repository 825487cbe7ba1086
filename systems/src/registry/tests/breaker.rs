//! One session node, fed by hand: a client that acknowledges no push is disconnected and, for `breaker_ms`, not taken back.

use crate::registry::RegistryConfig;
use crate::registry::cluster::Cluster;
use crate::registry::layout::NodeIds;
use crate::registry::message::{Answer, Ask, ConnectionId, Content, Message, Out, Timer, Watcher};
use crate::registry::session::Session;
use history::MILLI;
use simulation::{Input, NO_CHANNEL, NodeId, Now};
use std::sync::Arc;

const IDS: NodeIds = NodeIds { sessions: 1, data: 1, metas: 1 };
const DATA: NodeId = 1;
const META: NodeId = 2;
const SILENT: ConnectionId = ConnectionId { client: 0, number: 1 };

/// The session node, and the time.
struct Bench {
    session: Session,
    config: RegistryConfig,
    ms: u64,
}

impl Bench {
    /// Listed and confirmed for long.
    fn new() -> Bench {
        let config = RegistryConfig {
            sessions: 1,
            data: 1,
            metas: 1,
            slots: 1,
            node_fence_ms: 1_000_000,
            connection_idle_ms: 1_000_000,
            stale_close_ms: 1_000_000,
            ..RegistryConfig::default()
        };
        let mut cluster = Cluster::of(&config).changed(&IDS, &[], &[(0, 1), (DATA, 1)], 1);
        cluster.slots[0].leader = Some(DATA);
        let session = Session::new(0, 1, Arc::new(config.clone()), IDS, None);
        let mut bench = Bench { session, config, ms: 1 };
        bench.hear(META, Message::BeatOk(1, MILLI, Some(Arc::new(cluster))));
        assert!(bench.session.serving);
        bench
    }

    fn step(&mut self, input: Input<Message, Timer>) -> Vec<Message> {
        let mut out = Out::default();
        self.session.step(Now::at(self.ms * MILLI), input, &mut out);
        out.sent().iter().map(|(_, _, message)| message.clone()).collect()
    }

    fn hear(&mut self, from: NodeId, message: Message) -> Vec<Message> {
        self.step(Input::Message { from, channel: NO_CHANNEL, message })
    }

    fn ask(&mut self, connection: ConnectionId, ask: Ask) -> Vec<Message> {
        self.hear(IDS.clients(), Message::Request(connection, 9, Box::new(ask)))
    }

    /// True if the connection is accepted.
    fn connect(&mut self, connection: ConnectionId) -> bool {
        match self.ask(connection, Ask::Connect).as_slice() {
            [Message::Response(_, _, Answer::Ok(_))] => true,
            [Message::Response(_, _, Answer::Refused(why))] if why.contains("circuit breaker") => false,
            other => panic!("{other:?}"),
        }
    }

    /// The client subscribes, and data has a content.
    fn subscribe(&mut self, connection: ConnectionId) -> Vec<Message> {
        let sent = self.ask(connection, Ask::Subscribe { data: 0, subscription: 0 });
        let fetch = sent.iter().find_map(|message| match message {
            Message::Fetch(id, 0) => Some(*id),
            _ => None,
        });
        self.hear(DATA, Message::Fetched(fetch.unwrap(), 0, Some(Content::new(5, Arc::from([])))))
    }

    /// Lets time pass until the client is closed; how often something was pushed, and the time of closing.
    fn until_closed(&mut self) -> (u32, u64) {
        let mut pushes = 0;
        loop {
            self.ms += 50;
            let sent = self.step(Input::Timer(Timer::Tick));
            pushes += sent
                .iter()
                .filter(|message| matches!(message, Message::Push(Watcher { connection: SILENT, .. }, ..)))
                .count() as u32;
            if sent.iter().any(|message| matches!(message, Message::Closed(SILENT, _))) {
                return (pushes, self.ms);
            }
            assert!(self.ms < 60_000, "it is never closed");
        }
    }
}

#[test]
fn a_client_that_acknowledges_nothing_is_kept_away_for_a_while() {
    let mut bench = Bench::new();
    assert!(bench.connect(SILENT));
    let first = bench.subscribe(SILENT);
    let is_first = |message: &Message| matches!(message, Message::Push(Watcher { connection: SILENT, .. }, 0, _, 1));
    assert!(first.iter().any(is_first), "{first:?}");
    let (more, closed) = bench.until_closed();
    assert_eq!(more + 1, bench.config.push_attempts);
    let again = ConnectionId { number: 2, ..SILENT };
    assert!(!bench.connect(again), "the breaker is open");
    assert!(bench.connect(ConnectionId { client: 1, number: 1 }), "for this client only");
    bench.ms = closed + bench.config.breaker_ms - 1;
    assert!(!bench.connect(again));
    bench.ms = closed + bench.config.breaker_ms;
    assert!(bench.connect(again), "after that it may try again");
}

#[test]
fn a_client_that_acknowledges_is_left_alone() {
    let mut bench = Bench::new();
    assert!(bench.connect(SILENT));
    bench.subscribe(SILENT);
    // It is found wherever it is.
    let watcher = Watcher { connection: SILENT, subscription: 0, op: 9, place: 77 };
    bench.hear(IDS.clients(), Message::Pushed(watcher, 5));
    for _ in 0..200 {
        bench.ms += 50;
        let sent = bench.step(Input::Timer(Timer::Tick));
        assert!(!sent.iter().any(|message| matches!(message, Message::Push(..) | Message::Closed(..))), "{sent:?}");
    }
    assert!(bench.connect(ConnectionId { number: 2, ..SILENT }));
}
