//! What is written is what is read, and the same events always have the same hash.
#![allow(clippy::unwrap_used)]

mod common;

use common::{content, events, header, load, push, written};
use history::*;
use proptest::prelude::*;

/// Changes only together with [`SCHEMA`] or with the sample.
const GOLDEN: &str = "29d7d9502b5a97cc06d3b92d84a8ed0c72c3cb9f3ed794a0497ac967d7be0b0b";

#[test]
fn hash_is_the_same_for_ever_and_however_it_is_framed() {
    for frame in [1, 2, 5, 100] {
        let (bytes, finished) = written(&events(), frame);
        assert_eq!((finished.hash.as_str(), finished.events), (GOLDEN, events().len() as u64), "frame {frame}");
        let loaded = load(&bytes).unwrap();
        assert_eq!((loaded.header, loaded.events), (header(), events()));
        assert_eq!(loaded.closing.unwrap().hash, GOLDEN);
        assert_eq!(loaded.damage, None);
        assert_eq!(loaded.file_bytes, bytes.len() as u64);
        assert_eq!(loaded.text_bytes, zstd::decode_all(&bytes[..]).unwrap().len() as u64);
    }
}

#[test]
fn plain_text_and_frames_of_other_tools_are_read_too() {
    let (bytes, _) = written(&events(), 3);
    let text = zstd::decode_all(&bytes[..]).unwrap();
    let whole = load(&bytes).unwrap();
    let mut halves = zstd::encode_all(&text[..1000], 19).unwrap();
    halves.extend(zstd::encode_all(&text[1000..], 1).unwrap());
    for other in [text.clone(), text[..text.len() - 1].to_vec(), halves] {
        let read = load(&other).unwrap();
        assert_eq!((read.damage, read.closing), (None, whole.closing.clone()));
        assert_eq!(read.events, whole.events);
    }
}

#[test]
fn streaming_gives_the_same_as_loading() {
    let (bytes, finished) = written(&events(), 4);
    let mut reader = Reader::new(&bytes[..], "memory").unwrap();
    let first: Vec<Event> = reader.events().take(3).collect();
    assert_eq!(first, events()[..3]);
    let (read, end) = reader.end();
    assert_eq!((read, end.events, end.hash), (header(), finished.events, finished.hash));
    assert!(end.closing.is_some() && end.damage.is_none());
}

#[test]
fn export_can_be_read_again() {
    let (bytes, finished) = written(&events(), 4);
    let history = load(&bytes).unwrap();
    let mut plain = Vec::new();
    export(&history, &mut plain, "plain", export::Options::default()).unwrap();
    assert_eq!(plain, zstd::decode_all(&bytes[..]).unwrap());

    let mut full = Vec::new();
    export(&history, &mut full, "full", export::Options { full_snapshots: true }).unwrap();
    let again = load(&full).unwrap();
    assert_eq!(again.damage, None);
    assert_ne!(again.closing.unwrap().hash, finished.hash);
    let Event::Snapshot(second) = &again.events[10] else { panic!("{:?}", again.events[10]) };
    assert_eq!((second.base, second.add.join(" ")), (None, "10.0.0.4:9004#1 ü \"#\\".into()));
}

#[test]
fn every_kind_of_event_has_its_line() {
    let header = header();
    let mut cat = Cat::new(&header);
    let lines: Vec<String> = events().iter().filter_map(|event| cat.line(event)).collect();
    let expected = [
        "     0.000 s  phase  warm-up",
        "  0.000001 s  c3     new session 1 (0x1) via session-1",
        "     1.000 s  c3     publish orders/checkout registration 0 = 10.0.0.3:9003#4 via session-1 \
         (op 1, process 3)",
        "     1.100 s  c17    push orders/checkout 2 addresses #0 (version 81) via session-2",
        "     1.200 s  f0     kill begins: kill -9 data-1 (leader)",
        "     1.300 s  c3     session 1 lost via session-1: reset by peer",
        "     2.000 s  c3     publish info orders/checkout registration 0 = 10.0.0.3:9003#4 via session-1 \
         (op 1, process 3, reaction, 0.001 s late): timed out after 1 s",
        "     2.100 s  c4     subscribe dropped, due at 2.000 s: not connected",
        "     2.200 s  f0     kill is over: kill -9 data-1 (leader) (600 ms without service)",
        "    12.481 s  c17    push orders/checkout 2 addresses #1 (version 81) via session-2",
        "     2.500 s  c3     read ok orders/checkout: 2 addresses #1 via session-1 (op 1, process 3)",
        "    13.000 s  phase  end",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn figures_are_counted() {
    let (bytes, _) = written(&events(), 4);
    let stats = stats(&load(&bytes).unwrap());
    assert_eq!((stats.events, stats.pushes, stats.pushed_elements), (14, 2, 4));
    assert_eq!((stats.snapshots, stats.snapshots_used, stats.clients), (2, 2, 3));
    assert_eq!((stats.operations["publish"].invoke, stats.operations["publish"].info), (1, 1));
    assert_eq!((stats.operations["read"].ok, stats.operations["subscribe"].dropped), (1, 1));
    assert_eq!((stats.faults["kill"], stats.faults_missed), (1, 0));
    assert_eq!((stats.first_ns, stats.last_ns), (Some(0), Some(13_000_000_000)));
    assert_eq!(stats.phases, [(PhaseName::WarmUp, 0), (PhaseName::End, 13_000_000_000)]);
    assert!(stats.whole);
    assert_eq!(serde_json::to_value(&stats).unwrap()["by_kind"]["push"], 2);
}

/// 7,000 publishers, one changes at a time, pushed to five subscribers after each change.
#[test]
fn hot_dataid_costs_what_changes() {
    let mut elements: Vec<String> = (0..7000).map(|i| format!("10.0.{}.{}:9000#0", i / 250, i % 250)).collect();
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, "memory", &header()).unwrap();
    let mut interner = Interner::new();
    let mut last = content(elements.clone());
    for round in 0..2_000_u64 {
        let at = (round as usize * 4_001) % elements.len();
        let fresh = elements[at].split('#').next().unwrap();
        elements[at] = format!("{fresh}#{}", round + 1);
        let mut next = last.to_vec();
        next[at] = elements[at].as_str().into();
        last = next.into();
        for subscriber in 0..5 {
            let Interned { id, new } = interner.intern_shared(0, &last);
            assert_eq!(new.is_some(), subscriber == 0);
            if let Some(new) = new {
                writer.event(&Event::Snapshot(Box::new(new))).unwrap();
            }
            writer.event(&push(round * MILLI, id)).unwrap();
        }
    }
    writer.finish().unwrap();
    drop(writer);
    assert!(bytes.len() < 2_000_000, "{} bytes for 10,000 pushes of 7,000 elements", bytes.len());
    let loaded = load(&bytes).unwrap();
    assert_eq!(stats(&loaded).pushed_elements, 70_000_000);
    let mut contents = Contents::new();
    for event in &loaded.events {
        if let Event::Snapshot(snapshot) = event {
            contents.add(snapshot).unwrap();
        }
    }
    elements.sort();
    let resolved = contents.resolve(1_999).unwrap();
    assert!(resolved.iter().map(|e| &**e).eq(elements.iter().map(String::as_str)));
}

fn any_event() -> impl Strategy<Value = Event> {
    let operation = (
        any::<(u64, u32, u32, u32, bool, u64)>(),
        (0..4_usize, 0..9_usize),
        proptest::option::of(0..2_u32),
        proptest::option::of(any::<String>()),
        proptest::option::of(0..3_u32),
    );
    prop_oneof![
        operation.prop_map(|((time, op, process, client, reaction, late_ns), (o, f), data, text, node)| {
            let outcome = [Outcome::Invoke, Outcome::Ok, Outcome::Fail, Outcome::Info][o];
            let f = [
                Function::Connect,
                Function::Publish,
                Function::Unpublish,
                Function::Subscribe,
                Function::Unsubscribe,
                Function::Read,
                Function::Ping,
                Function::Close,
                Function::Vanish,
            ][f];
            Event::Op(Box::new(Operation {
                op,
                process,
                client,
                data,
                node,
                late_ns,
                reaction,
                value: text.clone(),
                error: text,
                registration: data,
                ..common::operation(time, outcome, f)
            }))
        }),
        (any::<(u64, u32, u64)>(), any::<String>()).prop_map(|((time, client, due), why)| Event::Dropped(Dropped {
            time,
            client,
            f: Function::Publish,
            due,
            why
        })),
        (any::<(u64, u32, i64, bool)>(), any::<String>(), any::<Vec<u32>>()).prop_map(
            |((time, id, amount, bit), text, clients)| Event::Fault(Box::new(Fault {
                time,
                id,
                stage: FaultStage::Serving,
                kind: FaultKind::ClockStep,
                nodes: vec![text.clone()],
                links: vec![(text.clone(), text.clone())],
                clients,
                detail: text.clone(),
                effect: Some(Effect { bit, amount, unit: text }),
            }))
        ),
    ]
}

proptest! {
    #[test]
    fn any_events_come_back(events in proptest::collection::vec(any_event(), 0..60), frame in 1_usize..20) {
        let (bytes, finished) = written(&events, frame);
        let loaded = load(&bytes).unwrap();
        prop_assert_eq!(&loaded.damage, &None);
        prop_assert_eq!(loaded.events, events);
        prop_assert_eq!(loaded.closing.unwrap().hash, finished.hash);
    }

    #[test]
    fn any_contents_come_back(all in proptest::collection::vec(proptest::collection::vec(0_u8..12, 0..20), 1..40)) {
        let mut interner = Interner::new();
        let mut contents = Contents::new();
        let mut ids = Vec::new();
        for numbers in &all {
            let mut sorted: Vec<String> = numbers.iter().map(|n| format!("v{n}")).collect();
            let interned = interner.intern_shared(0, &content(sorted.clone()));
            sorted.sort();
            if let Some(new) = &interned.new {
                contents.add(new).unwrap();
            }
            ids.push((interned.id, sorted));
        }
        for (id, sorted) in ids.iter().rev() {
            let resolved = contents.resolve(*id).unwrap();
            prop_assert!(resolved.iter().map(|e| &**e).eq(sorted.iter().map(String::as_str)));
        }
        for (a, b) in ids.iter().flat_map(|a| ids.iter().map(move |b| (a, b))) {
            prop_assert_eq!(a.0 == b.0, a.1 == b.1);
        }
    }
}
