//! Single machines, fed by hand: what a slot may do in which phase, and which of two registrations wins.

use crate::registry::RegistryConfig;
use crate::registry::bugs::Bug;
use crate::registry::cluster::Cluster;
use crate::registry::config::Generation;
use crate::registry::data::Data;
use crate::registry::entry::{Entry, Publisher, Rank};
use crate::registry::layout::{NodeIds, slot_of};
use crate::registry::message::{Content, In, Message, Out, SlotAnswer, Timer};
use crate::registry::slot::{Phase, Slot};
use history::MILLI;
use simulation::{Input, NO_CHANNEL, NodeId, Now};
use std::sync::Arc;

const IDS: NodeIds = NodeIds { sessions: 2, data: 2, metas: 1 };

fn entry(client: u32, version: u64, rank: Rank, session: NodeId) -> Entry {
    let value = (rank == Rank::Live).then(|| Arc::from(format!("10.0.0.{client}#{version}")));
    let publisher = Publisher::new(client, 0);
    let (stamp, connection, incarnation) = (0, 1, 1);
    Entry { data: 0, publisher, version, rank, stamp, value, connection, session, incarnation, clean_up: false }
}

/// A data node with one slot, and what it sends.
struct Bench {
    data: Data,
    cluster: Cluster,
    ms: u64,
}

impl Bench {
    /// Node 2 of sessions 0 and 1, data 2 and 3: all listed, 3 leads in epoch 1.
    fn new(bug: Option<Bug>) -> Bench {
        let config = RegistryConfig { sessions: 2, data: 2, metas: 1, slots: 1, ..RegistryConfig::default() };
        let mut cluster = Cluster::of(&config).changed(&IDS, &[], &[(0, 1), (1, 1), (2, 1), (3, 1)], 1);
        cluster.slots[0].leader = Some(3);
        Bench { data: Data::new(2, 1, Arc::new(config), IDS, bug), cluster, ms: 0 }
    }

    fn feed(&mut self, from: NodeId, message: Message) -> Vec<(NodeId, Message)> {
        self.step(Input::Message { from, channel: NO_CHANNEL, message })
    }

    fn step(&mut self, input: In) -> Vec<(NodeId, Message)> {
        let mut out = Out::default();
        let mono = self.ms * MILLI;
        self.data.step(Now::at(mono), input, &mut out);
        out.sent().iter().map(|(to, _, message)| (*to, message.clone())).collect()
    }

    /// The table says that node 2 leads in this epoch; meta confirms a heartbeat of now.
    fn lead(&mut self, epoch: u64) -> Vec<(NodeId, Message)> {
        self.cluster.version += 1;
        (self.cluster.slots[0].leader, self.cluster.slots[0].epoch) = (Some(2), epoch);
        let sent = self.feed(4, Message::BeatOk(1, self.ms * MILLI, Some(Arc::new(self.cluster.clone()))));
        assert!(self.data.slots[0].leads());
        sent
    }

    fn fetch(&mut self) -> Option<Arc<Content>> {
        match self.feed(0, Message::Fetch(9, 0)).pop() {
            Some((0, Message::Fetched(9, 0, content))) => content,
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, entry: Entry) -> bool {
        let (version, session) = (self.cluster.version, entry.session);
        let sent = self.feed(session, Message::Write(5, 0, version, 1, Arc::from([entry])));
        sent.iter().any(|(_, message)| matches!(message, Message::Written(5, 0, true)))
    }

    fn release(&mut self, epoch: u64) {
        self.feed(3, Message::Released(0, epoch, Vec::new()));
        self.ms += 100;
        self.step(Input::Timer(Timer::Migrate(0)));
    }

    fn sync(&mut self, session: NodeId, epoch: u64, entries: Vec<Entry>) {
        let answer = SlotAnswer { slot: 0, epoch, whole: true, entries };
        self.feed(session, Message::SyncAnswer(1, 1, vec![answer]));
    }
}

#[test]
fn only_accept_serves_and_accept_needs_release_and_every_session() {
    let mut bench = Bench::new(None);
    assert!(bench.fetch().is_none(), "it does not even lead");
    let asked = bench.lead(2);
    assert!(asked.iter().any(|(to, message)| *to == 3 && matches!(message, Message::Release(0, 2, _))));
    assert!(bench.fetch().is_none() && !bench.write(entry(7, 1, Rank::Live, 0)));
    bench.sync(0, 2, Vec::new());
    assert!(bench.data.slots[0].synced.is_empty(), "what a session said before the release does not count");
    bench.release(2);
    assert_eq!(bench.data.slots[0].phase, Phase::Syncing);
    bench.sync(0, 2, vec![entry(7, 1, Rank::Live, 0)]);
    assert!(bench.fetch().is_none(), "one session is missing");
    bench.sync(1, 1, Vec::new());
    assert!(bench.fetch().is_none(), "an answer to an earlier epoch is none");
    bench.sync(1, 2, vec![entry(8, 1, Rank::Live, 1)]);
    let content = bench.fetch().expect("now it serves");
    assert_eq!(content.elements.len(), 2);
    assert!(content.version > 2 << 32);
    assert!(bench.write(entry(7, 2, Rank::Live, 0)));
}

#[test]
fn it_moves_on_when_another_asks_for_a_later_epoch_only() {
    let mut bench = Bench::new(None);
    bench.lead(2);
    bench.release(2);
    bench.sync(0, 2, Vec::new());
    bench.sync(1, 2, Vec::new());
    assert!(bench.fetch().is_some());
    assert!(bench.feed(3, Message::Release(0, 2, 1)).is_empty(), "the same epoch gets no answer");
    assert!(bench.fetch().is_some());
    assert_eq!(bench.feed(3, Message::Release(0, 3, 2)).len(), 1);
    assert!(bench.fetch().is_none() && !bench.write(entry(7, 1, Rank::Live, 0)), "released, whatever its table says");
}

#[test]
fn it_fences_itself_when_meta_is_silent() {
    let mut bench = Bench::new(None);
    bench.lead(2);
    bench.release(2);
    bench.sync(0, 2, Vec::new());
    bench.sync(1, 2, Vec::new());
    bench.ms = 1_999;
    assert!(bench.fetch().is_some());
    bench.ms = 2_000;
    assert!(bench.fetch().is_none());
}

#[test]
fn a_session_that_is_not_listed_or_knows_more_is_not_written_for() {
    let mut bench = Bench::new(None);
    bench.lead(2);
    bench.release(2);
    bench.sync(0, 2, Vec::new());
    bench.sync(1, 2, Vec::new());
    let write = |bench: &mut Bench, version, incarnation| {
        let entries: Arc<[Entry]> = Arc::from([entry(7, 1, Rank::Live, 0)]);
        let sent = bench.feed(0, Message::Write(5, 0, version, incarnation, entries));
        matches!(sent.first(), Some((_, Message::Written(_, _, true))))
    };
    let version = bench.cluster.version;
    assert!(!write(&mut bench, version, 2), "another incarnation");
    assert!(!write(&mut bench, version + 1, 1), "a table that this node has not seen");
    assert!(write(&mut bench, version, 1));
}

#[test]
fn the_planted_bug_serves_while_migrating() {
    let mut bench = Bench::new(Some(Bug::ServeMigrating));
    bench.lead(2);
    assert!(bench.fetch().is_some_and(|content| content.elements.is_empty()));
}

#[test]
fn the_later_registration_wins_in_whatever_order_they_come() {
    let steps = [
        entry(1, 1, Rank::Live, 0),
        entry(1, 2, Rank::Live, 1),
        entry(1, 2, Rank::Expired, 1),
        entry(1, 1, Rank::Removed, 0),
    ];
    let mut orders = vec![[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1], [1, 3, 0, 2]];
    for order in orders.drain(..) {
        let mut slot = Slot::new(None, Generation::V6);
        for at in order {
            slot.apply(steps[at].clone(), 0);
        }
        assert_eq!(&*slot.content(0, 0).elements, &[Arc::from("10.0.0.1#2")], "{order:?}");
    }
}

#[test]
fn what_was_unpublished_stays_dead_and_what_expired_may_return() {
    let mut slot = Slot::new(None, Generation::V6);
    slot.apply(entry(1, 1, Rank::Live, 0), 0);
    assert!(slot.expire(0, |entry| entry.session == 0));
    assert!(slot.content(0, 0).elements.is_empty());
    assert!(slot.apply(entry(1, 1, Rank::Live, 0), 0), "its session is heard again");
    slot.apply(entry(1, 2, Rank::Removed, 0), 0);
    assert!(!slot.apply(entry(1, 1, Rank::Live, 0), 0), "an old one that arrives late");
    assert!(!slot.apply(entry(1, 2, Rank::Live, 0), 0));
    assert!(slot.content(0, 0).elements.is_empty());
}

#[test]
fn versions_rise_with_every_change_and_over_epochs() {
    let mut slot = Slot::new(None, Generation::V6);
    slot.epoch = 3;
    let mut last = slot.content(0, 0).version;
    for version in 1..5 {
        slot.apply(entry(1, version, Rank::Live, 0), 0);
        assert!(slot.version(0) > last);
        last = slot.version(0);
    }
    slot.epoch = 4;
    slot.accept(0);
    assert!(slot.version(0) > 4 << 32 && slot.version(0) > last);
    assert!(!slot.apply(entry(1, 4, Rank::Live, 0), 0), "an equal one changes nothing");
}

#[test]
fn tombstones_are_compacted() {
    let mut slot = Slot::new(None, Generation::V6);
    for client in 0..100 {
        slot.apply(entry(client, 1, Rank::Live, 0), 0);
        slot.apply(entry(client, 2, Rank::Removed, 0), 0);
    }
    assert_eq!(slot.kept(), 100);
    slot.compact(15_000, 15_000);
    assert_eq!(slot.kept(), 0);
}

#[test]
fn a_slot_is_the_same_everywhere() {
    let slots: Vec<u32> = (0..8).map(|data| slot_of(data, 16)).collect();
    assert!(slots.iter().all(|slot| *slot < 16));
    assert_eq!(slots, (0..8).map(|data| slot_of(data, 16)).collect::<Vec<_>>());
    assert!(slots.iter().any(|slot| *slot != slots[0]));
}

/// Found by seed 5285 of a churn run: the newer registration's session fenced itself just as the slot moved.
#[test]
fn an_old_registration_does_not_come_up_again_when_the_slot_moves() {
    let mut old = Slot::new(None, Generation::V6);
    old.apply(entry(1, 2, Rank::Live, 1), 0);
    let mut bench = Bench::new(None);
    bench.lead(2);
    bench.feed(3, Message::Released(0, 2, old.memory()));
    bench.ms += 100;
    bench.step(Input::Timer(Timer::Migrate(0)));
    bench.sync(1, 2, Vec::new());
    bench.sync(0, 2, vec![entry(1, 1, Rank::Live, 0)]);
    assert!(bench.fetch().expect("it serves").elements.is_empty());
}

#[test]
fn what_is_handed_over_is_live_again_when_its_session_says_so() {
    let mut old = Slot::new(None, Generation::V6);
    old.apply(entry(1, 2, Rank::Live, 1), 0);
    let mut new = Slot::new(None, Generation::V6);
    for memory in old.memory() {
        new.apply(memory, 0);
    }
    assert!(new.content(0, 0).elements.is_empty());
    new.settle(1, vec![entry(1, 2, Rank::Live, 1)], 0);
    assert_eq!(new.content(0, 0).elements.len(), 1);
}
