//! Events a second in the kernel, with machines that do next to nothing.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use history::{MILLI, Nanos};
use simulation::{Input, Kernel, Latency, Machine, Message, NodeId, Now, Outputs};
use std::time::Duration;

const NODES: u32 = 64;
const EVENTS: u64 = 200_000;

#[derive(Clone)]
struct Number(u64);

impl Message for Number {
    fn identity(&self) -> u64 {
        self.0
    }
}

/// Hands every number on to the next node, one higher; sets off one number at its start.
struct Ring {
    id: NodeId,
}

impl Machine for Ring {
    type Message = Number;
    type Timer = ();
    type Report = ();

    fn step(&mut self, _: Now, input: Input<Number, ()>, out: &mut Outputs<Number, (), ()>) {
        let number = match input {
            Input::Message { message, .. } => message.0 + 1,
            _ => 0,
        };
        out.send((self.id + 1) % NODES, Number(number));
    }
}

/// Node 0 sends to everybody on a channel each millisecond; the others answer.
struct Fan {
    id: NodeId,
    round: u64,
}

impl Machine for Fan {
    type Message = Number;
    type Timer = ();
    type Report = ();

    fn step(&mut self, _: Now, input: Input<Number, ()>, out: &mut Outputs<Number, (), ()>) {
        match input {
            Input::Start | Input::Timer(()) if self.id == 0 => {
                self.round += 1;
                for to in 1..NODES {
                    out.send_on(to, to, Number(self.round));
                }
                out.timer(MILLI, ());
            }
            Input::Message { from, channel, message } if self.id != 0 => out.send_on(from, channel, message),
            _ => {}
        }
    }
}

fn latency(_: NodeId, _: NodeId) -> Latency {
    Latency { base: MILLI, jitter: MILLI / 2 }
}

/// Runs so many events.
fn run<M: Machine>(mut kernel: Kernel<M>) -> Kernel<M> {
    for _ in 0..EVENTS {
        assert!(kernel.run_one(Nanos::MAX), "there is always something under way");
    }
    kernel
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernel");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(EVENTS)).sampling_mode(SamplingMode::Flat);
    let ring = || Kernel::new(7, (0..NODES).map(|id| Ring { id }).collect(), latency);
    assert_eq!(run(ring()).counters().steps, EVENTS);
    group.bench_function("ring", |bencher| bencher.iter_batched(ring, run, BatchSize::LargeInput));
    let fan = || Kernel::new(7, (0..NODES).map(|id| Fan { id, round: 0 }).collect(), latency);
    assert_eq!(run(fan()).counters().steps, EVENTS);
    group.bench_function("fan-out", |bencher| bencher.iter_batched(fan, run, BatchSize::LargeInput));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
