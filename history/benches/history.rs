//! How fast pushes are written and read, and how fast the content of a hot dataId gets its number.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{content, header, load};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use history::{Event, Interner, MILLI, Push, Snapshot, Writer};
use std::sync::Arc;
use std::time::Duration;

const PUSHES: u32 = 100_000;
const SUBSCRIBERS: u32 = 2_000;
const PUBLISHERS: u32 = 7_000;

/// Contents, each told to all subscribers one after another, a few microseconds apart.
fn pushes() -> Vec<Event> {
    let mut events = Vec::new();
    for n in 0..PUSHES {
        let (client, snapshot) = (n % SUBSCRIBERS, n / SUBSCRIBERS);
        if client == 0 {
            let (add, base) = (vec![format!("10.0.0.1:80#{snapshot}")], snapshot.checked_sub(1));
            let remove = base.iter().map(|base| format!("10.0.0.1:80#{base}")).collect();
            events.push(Event::Snapshot(Box::new(Snapshot { id: snapshot, data: 0, base, add, remove })));
        }
        let time = u64::from(n) * 7_919 + MILLI;
        let (version, node) = (Some(u64::from(snapshot)), Some(client % 2));
        events.push(Event::Push(Push {
            time,
            client,
            session: client,
            subscription: 0,
            data: 0,
            snapshot,
            version,
            node,
        }));
    }
    events
}

fn write(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, "memory", &header()).unwrap();
    for event in events {
        writer.event(event).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes
}

fn write_and_read(criterion: &mut Criterion) {
    let events = pushes();
    let bytes = write(&events);
    assert_eq!(load(&bytes).unwrap().events, events, "what is read is what was written");
    println!("history/pushes: {PUSHES} pushes, {} bytes compressed", bytes.len());
    let mut group = criterion.benchmark_group("history");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(u64::from(PUSHES)));
    group.bench_function("write pushes", |bencher| bencher.iter(|| write(&events)));
    group.bench_function("read pushes", |bencher| bencher.iter(|| load(&bytes).unwrap()));
    group.finish();
}

fn intern(criterion: &mut Criterion) {
    let hot = content((0..PUBLISHERS).map(|n| format!("10.{}.{}.1:80#0", n / 256, n % 256)));
    let mut other: Vec<Arc<str>> = hot.to_vec();
    other[4_000] = "10.15.160.1:80#1".into();
    let mut known = Interner::new();
    let id = known.intern(0, &hot).id;
    let mut group = criterion.benchmark_group("intern");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(u64::from(PUBLISHERS)));
    group.bench_function("same elements again", |bencher| {
        bencher.iter(|| assert_eq!(known.intern(0, &hot).id, id));
    });
    group.bench_function("one element changed", |bencher| {
        let seen = || {
            let mut interner = Interner::new();
            interner.intern(0, &hot);
            interner
        };
        // The interner goes out with the result, so that freeing it is not measured.
        let change = |mut interner: Interner| (interner.intern(0, &other).new.map(|new| new.add.len()), interner);
        assert_eq!(change(seen()).0, Some(1), "one element is new");
        bencher.iter_batched(seen, change, BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, write_and_read, intern);
criterion_main!(benches);
