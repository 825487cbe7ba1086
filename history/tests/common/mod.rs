//! A header and some events for the tests of reading and writing.
#![allow(clippy::unwrap_used, dead_code, missing_docs, reason = "helpers of several test programs")]

use history::*;
use std::sync::Arc;

pub fn header() -> Header {
    Header {
        schema: SCHEMA,
        scenario: "sample".into(),
        seed: 7,
        program: "upheaval 0.1.0".into(),
        plan_hash: "6c1f09".into(),
        system: SystemName { name: "registry".into(), version: "1".into(), client: "embedded".into() },
        virtual_time: true,
        nodes: ["session-1", "session-2", "data-1"]
            .map(|name| Node { name: name.into(), role: name[..4].into(), serves_clients: name.starts_with('s') })
            .into(),
        data_ids: vec!["orders/checkout".into(), "stock".into()],
        clients: 20,
        pinned: vec![3],
        contract: Contract {
            visible_ms_max: 500,
            recovered_ms_max: 6000,
            lease_ms_min: 1000,
            lease_ms_max: 3000,
            node_lease_ms_min: None,
            lease_restarts_on_keeper_change: false,
            lease_keeper: Keeper::OwnNode,
            survives_node_loss: true,
            atomic_snapshots: true,
            atomic_replace: true,
            monotonic_pushes: true,
            monotonic_versions: true,
            stale_writes_rejected: true,
            memory: None,
            staleness_ms_max: None,
            first_push_may_be_empty: false,
            in_flight_ms_max: 1000,
            reregister_ms_max: Some(2000),
            linearizable_reads: false,
            calibrated: false,
        },
        final_reads: 4,
        bug: None,
    }
}

pub fn operation(time: Nanos, outcome: Outcome, f: Function) -> Operation {
    Operation {
        time,
        outcome,
        op: 1,
        process: 3,
        client: 3,
        f,
        data: Some(0),
        registration: Some(0),
        subscription: None,
        value: Some("10.0.0.3:9003#4".into()),
        session: Some(1),
        node: Some(0),
        snapshot: None,
        late_ns: 0,
        reaction: false,
        error: None,
    }
}

pub fn push(time: Nanos, snapshot: SnapshotId) -> Event {
    Event::Push(Push {
        time,
        client: 17,
        session: 2,
        subscription: 0,
        data: 0,
        snapshot,
        version: Some(81),
        node: Some(1),
    })
}

/// One event of each kind, and some more.
pub fn events() -> Vec<Event> {
    let connection = |time, state, name: Option<&str>, reason: Option<&str>| {
        let (name, reason) = (name.map(Into::into), reason.map(Into::into));
        Event::Connection(Box::new(Connection { time, client: 3, session: 1, state, node: Some(0), name, reason }))
    };
    let fault = |time, stage, effect| {
        Event::Fault(Box::new(Fault {
            time,
            id: 0,
            stage,
            kind: FaultKind::Kill,
            nodes: vec!["data-1".into()],
            links: vec![("clients".into(), "data-1".into())],
            clients: vec![],
            detail: "kill -9 data-1 (leader)".into(),
            effect,
        }))
    };
    let mut failed = operation(2_000_000_001, Outcome::Info, Function::Publish);
    (failed.error, failed.late_ns, failed.reaction) = (Some("timed out\nafter 1 s".into()), 1_500_000, true);
    let mut read = operation(2_500_000_000, Outcome::Ok, Function::Read);
    (read.snapshot, read.registration, read.value) = (Some(1), None, None);
    let snapshot = |id, base, add: &[&str], remove: &[&str]| {
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        Event::Snapshot(Box::new(Snapshot { id, data: 0, base, add: owned(add), remove: owned(remove) }))
    };
    let effect = Effect { bit: true, amount: 600, unit: "ms without service".into() };
    vec![
        Event::Phase(Phase { time: 0, name: PhaseName::WarmUp }),
        connection(1_000, ConnectionState::Connected, Some("0x1"), None),
        Event::Op(Box::new(operation(1_000_000_000, Outcome::Invoke, Function::Publish))),
        snapshot(0, None, &["10.0.0.3:9003#4", "ü \"#\\"], &[]),
        push(1_100_000_000, 0),
        fault(1_200_000_000, FaultStage::Start, None),
        connection(1_300_000_000, ConnectionState::Lost, None, Some("reset by peer")),
        Event::Op(Box::new(failed)),
        Event::Dropped(Dropped {
            time: 2_100_000_000,
            client: 4,
            f: Function::Subscribe,
            due: 2_000_000_000,
            why: "not connected".into(),
        }),
        fault(2_200_000_000, FaultStage::Serving, Some(effect)),
        snapshot(1, Some(0), &["10.0.0.4:9004#1"], &["10.0.0.3:9003#4"]),
        push(12_481_000_000, 1),
        Event::Op(Box::new(read)),
        Event::Phase(Phase { time: 13_000_000_000, name: PhaseName::End }),
    ]
}

/// A history in memory, with a frame after each `frame` events.
pub fn written(events: &[Event], frame: usize) -> (Vec<u8>, Finished) {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, "memory", &header()).unwrap();
    for (i, event) in events.iter().enumerate() {
        writer.event(event).unwrap();
        if (i + 1) % frame == 0 {
            writer.flush().unwrap();
        }
    }
    let finished = writer.finish().unwrap();
    drop(writer);
    (bytes, finished)
}

pub fn load(bytes: &[u8]) -> Result<Loaded, Error> {
    Reader::new(bytes, "memory")?.load()
}

pub fn content(elements: impl IntoIterator<Item = String>) -> Arc<[Arc<str>]> {
    elements.into_iter().map(Arc::from).collect()
}
