//! Histories of a crowd: everybody registers, subscribers listen, then one publisher after another changes its value and
//! every subscriber of its dataId is told a millisecond after the answer. Nothing random, nothing wrong.
#![allow(clippy::unwrap_used)]

use crate::support::Writer;
use history::{
    ClientId, ConnectionState, DataIx, Event, Function, MILLI, Nanos, Outcome, PhaseName, Push, Snapshot, SnapshotId,
};

/// What crowd it is. Publisher p is a client and publishes on dataId p modulo `data_ids`.
pub struct Crowd {
    /// How many dataIds there are.
    pub data_ids: u32,
    /// How many clients publish.
    pub publishers: u32,
    /// How many clients subscribe, each to one dataId, after the publishers in number.
    pub subscribers: u32,
    /// How many changes there are, one after another.
    pub changes: u32,
    /// How far apart they are.
    pub change_ms: u64,
    /// Every so many changes a publisher leaves instead of changing its value; its next change brings it back. 0: never.
    pub leave_every: u32,
}

/// The history while it grows.
struct Tale {
    crowd: Crowd,
    writer: Writer,
    snapshots: Vec<Snapshot>,
    /// The latest content of each dataId.
    latest: Vec<SnapshotId>,
    /// The value of each publisher.
    values: Vec<Option<String>>,
}

fn value(client: ClientId, n: u32) -> String {
    format!("10.{}.{}.1:80#{n}", client / 256, client % 256)
}

impl Crowd {
    /// All events, in order of time after the contents.
    pub fn events(self) -> Vec<Event> {
        let values = (0..self.publishers).map(|client| Some(value(client, 0))).collect();
        let mut tale =
            Tale { crowd: self, writer: Writer::default(), snapshots: Vec::new(), latest: Vec::new(), values };
        tale.gather();
        for n in 1..=tale.crowd.changes {
            tale.change(n);
        }
        let end_ms = tale.start_ms(tale.crowd.changes) + 20;
        tale.writer.phase(end_ms, PhaseName::End);
        tale.snapshots.into_iter().map(Event::from).chain(tale.writer.finish()).collect()
    }
}

impl Tale {
    /// All connect, publish, subscribe and are told for the first time.
    fn gather(&mut self) {
        let (publishers, data_ids) = (self.crowd.publishers, self.crowd.data_ids);
        for client in 0..publishers + self.crowd.subscribers {
            self.writer.connection(0, client, ConnectionState::Connected, Some((client % 2, client)));
        }
        for client in 0..publishers {
            let (target, value) = (Some((client % data_ids, 0)), self.values[client as usize].as_deref());
            self.writer.op(1, client, Function::Publish, target, value, None, Some((Outcome::Ok, 2)));
        }
        for client in publishers..publishers + self.crowd.subscribers {
            let target = Some((client % data_ids, 0));
            self.writer.op(3, client, Function::Subscribe, target, None, None, Some((Outcome::Ok, 4)));
        }
        for data in 0..data_ids {
            let all = (data..publishers).step_by(data_ids as usize);
            let mut add: Vec<String> = all.map(|client| value(client, 0)).collect();
            add.sort();
            self.snapshots.push(Snapshot { id: data, data, base: None, add, remove: Vec::new() });
            self.latest.push(data);
            self.tell(data, 5 * MILLI);
        }
    }

    fn start_ms(&self, n: u32) -> u64 {
        u64::from(n) * self.crowd.change_ms + 20
    }

    /// One publisher changes its value, leaves or comes back.
    fn change(&mut self, n: u32) {
        let (client, start_ms) = (n * 37 % self.crowd.publishers, self.start_ms(n));
        let data = client % self.crowd.data_ids;
        let old = self.values[client as usize].take();
        let leaves = old.is_some() && self.crowd.leave_every > 0 && n.is_multiple_of(self.crowd.leave_every);
        let (function, new) =
            if leaves { (Function::Unpublish, None) } else { (Function::Publish, Some(value(client, n))) };
        let done = Some((Outcome::Ok, start_ms + 2));
        self.writer.op(start_ms, client, function, Some((data, 0)), new.as_deref(), None, done);
        let id = self.snapshots.len() as SnapshotId;
        let base = Some(self.latest[data as usize]);
        let (add, remove) = (new.iter().cloned().collect(), old.into_iter().collect());
        self.snapshots.push(Snapshot { id, data, base, add, remove });
        self.latest[data as usize] = id;
        self.values[client as usize] = new;
        self.tell(data, (start_ms + 3) * MILLI);
    }

    /// Everybody on this dataId is told its latest content, from `time` on.
    fn tell(&mut self, data: DataIx, time: Nanos) {
        let (from, data_ids) = (self.crowd.publishers, self.crowd.data_ids);
        for client in (from..from + self.crowd.subscribers).filter(|client| client % data_ids == data) {
            let snapshot = self.latest[data as usize];
            let time = time + u64::from(client);
            let push =
                Push { time, client, session: client, subscription: 0, data, snapshot, version: None, node: None };
            self.writer.push_event(Event::Push(push));
        }
    }
}
