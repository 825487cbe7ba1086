//! The wheel against a heap, in the hold model: so many events wait all the time; each one taken out puts another in.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

#[path = "../tests/heap/mod.rs"]
mod heap;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use heap::Heap;
use history::{MILLI, SECOND};
use simulation::{EventQueue, hash_draw};
use std::time::Duration;

const EVENTS: u64 = 200_000;

/// As large as an event of the kernel that carries a message.
type Item = [u64; 10];

/// How long from one event to the one that it puts in: mostly messages under way, some timers.
fn ahead(number: u64) -> u64 {
    let draw = hash_draw(1, &[number]);
    match draw % 10 {
        0 => 5 * SECOND,
        1 => 500 * MILLI + draw % SECOND,
        _ => 300_000 + draw % MILLI,
    }
}

trait Queue {
    fn put(&mut self, time: u64, item: Item);
    fn take(&mut self) -> (u64, Item);
}

impl Queue for EventQueue<Item> {
    fn put(&mut self, time: u64, item: Item) {
        self.push(time, item);
    }

    fn take(&mut self) -> (u64, Item) {
        // As the kernel does: it looks before it takes.
        assert!(self.next_time().is_some());
        self.pop().expect("never empty")
    }
}

impl Queue for Heap<Item> {
    fn put(&mut self, time: u64, item: Item) {
        self.push(time, item);
    }

    fn take(&mut self) -> (u64, Item) {
        self.pop().expect("never empty")
    }
}

fn full<Q: Queue>(mut queue: Q, pending: u64) -> Q {
    for number in 0..pending {
        queue.put(ahead(number), [number; 10]);
    }
    queue
}

fn hold<Q: Queue>(queue: &mut Q, number: &mut u64) -> u64 {
    let mut sum = 0;
    for _ in 0..EVENTS {
        let (time, item) = queue.take();
        sum += item[0];
        *number += 1;
        queue.put(time + ahead(*number), [*number; 10]);
    }
    sum
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(EVENTS)).sampling_mode(SamplingMode::Flat);
    for pending in [1_000, 100_000, 1_000_000] {
        let (mut wheel, mut heap) = (full(EventQueue::new(), pending), full(Heap::new(), pending));
        let (mut a, mut b) = (pending, pending);
        assert_eq!(hold(&mut wheel, &mut a), hold(&mut heap, &mut b), "they do the same");
        group.bench_function(BenchmarkId::new("wheel", pending), |bencher| bencher.iter(|| hold(&mut wheel, &mut a)));
        group.bench_function(BenchmarkId::new("heap", pending), |bencher| bencher.iter(|| hold(&mut heap, &mut b)));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
