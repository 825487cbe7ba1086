//! The kernel with a small machine: every node sends its neighbour a number every 10 ms and reports what it hears.

use history::{MILLI, Nanos};
use simulation::{Input, Kernel, Latency, Machine, Message, NodeId, Now, Outputs, Trouble};

#[derive(Clone, Debug)]
struct Number(u64);

impl Message for Number {
    fn identity(&self) -> u64 {
        self.0
    }
}

#[derive(Debug, PartialEq, Eq, Clone)]
enum Heard {
    Number { at: NodeId, from: NodeId, number: u64, mono: Nanos },
    Reset { at: NodeId, peer: NodeId },
}

struct Ticker {
    id: NodeId,
    to: NodeId,
    next: u64,
}

impl Machine for Ticker {
    type Message = Number;
    type Timer = ();
    type Report = Heard;

    fn step(&mut self, now: Now, input: Input<Number, ()>, out: &mut Outputs<Number, (), Heard>) {
        match input {
            Input::Start => out.timer(10 * MILLI, ()),
            Input::Timer(()) => {
                out.send(self.to, Number(self.next));
                self.next += 1;
                out.timer(10 * MILLI, ());
            }
            Input::Message { from, message, .. } => {
                out.report(Heard::Number { at: self.id, from, number: message.0, mono: now.mono });
            }
            Input::Reset { peer, .. } => out.report(Heard::Reset { at: self.id, peer }),
        }
    }
}

fn kernel(seed: u64) -> Kernel<Ticker> {
    let nodes = (0..2).map(|id| Ticker { id, to: 1 - id, next: 0 }).collect();
    Kernel::new(seed, nodes, |_, _| Latency { base: MILLI, jitter: 15 * MILLI })
}

fn run(kernel: &mut Kernel<Ticker>, until: Nanos) -> Vec<(Nanos, Heard)> {
    while kernel.run_one(until) {}
    kernel.take_reports().collect()
}

fn numbers(heard: &[(Nanos, Heard)], node: NodeId) -> Vec<u64> {
    let of = |heard: &Heard| match heard {
        Heard::Number { at, number, .. } if *at == node => Some(*number),
        _ => None,
    };
    heard.iter().filter_map(|(_, heard)| of(heard)).collect()
}

#[test]
fn same_seed_same_run() {
    let (a, b, c) =
        (run(&mut kernel(1), 500 * MILLI), run(&mut kernel(1), 500 * MILLI), run(&mut kernel(2), 500 * MILLI));
    assert!(a.len() > 80);
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn a_link_never_reorders_although_jitter_exceeds_the_interval() {
    let heard = numbers(&run(&mut kernel(3), 2_000 * MILLI), 1);
    assert!(heard.windows(2).all(|pair| pair[1] == pair[0] + 1), "{heard:?}");
}

#[test]
fn lost_messages_come_late_but_in_order() {
    let mut kernel = kernel(4);
    kernel.trouble(0, 1, 7, Trouble::Loss(300));
    let heard = numbers(&run(&mut kernel, 5_000 * MILLI), 1);
    assert!(heard.windows(2).all(|pair| pair[1] == pair[0] + 1), "{heard:?}");
    assert!(kernel.touched(7) > 50);
}

#[test]
fn a_one_way_cut_drops_one_way_and_counts() {
    let mut kernel = kernel(5);
    run(&mut kernel, 95 * MILLI);
    kernel.trouble(0, 1, 7, Trouble::Cut);
    run(&mut kernel, 120 * MILLI);
    let heard = run(&mut kernel, 495 * MILLI);
    assert!(numbers(&heard, 1).is_empty());
    assert!(numbers(&heard, 0).len() > 30);
    assert_eq!(kernel.touched(7), 40);
    kernel.lift(7);
    let after = numbers(&run(&mut kernel, 700 * MILLI), 1);
    assert_eq!(after[0], 49, "a gap, then it goes on");
}

#[test]
fn a_killed_node_forgets_its_timers_and_its_peer_is_told() {
    let mut kernel = kernel(6);
    run(&mut kernel, 100 * MILLI);
    kernel.kill(0);
    let heard = run(&mut kernel, 300 * MILLI);
    assert!(heard.iter().any(|(_, heard)| *heard == Heard::Reset { at: 1, peer: 0 }));
    assert!(numbers(&heard, 0).is_empty());
    let life = kernel.life(0);
    kernel.restart(0, Ticker { id: 0, to: 1, next: 1_000 });
    assert_eq!(kernel.life(0), life + 1);
    let heard = numbers(&run(&mut kernel, 600 * MILLI), 1);
    assert_eq!(heard[0], 1_000);
    assert!(heard.windows(2).all(|pair| pair[1] == pair[0] + 1), "one timer, not two: {heard:?}");
}

#[test]
fn a_paused_node_hears_everything_later_in_order() {
    let mut kernel = kernel(7);
    run(&mut kernel, 100 * MILLI);
    kernel.pause(1);
    assert!(numbers(&run(&mut kernel, 300 * MILLI), 1).is_empty());
    let waiting = kernel.backlog(1);
    assert!(waiting > 15);
    assert_eq!(kernel.resume(1), waiting);
    let heard = run(&mut kernel, 300 * MILLI);
    assert!(heard.iter().all(|(at, _)| *at == 300 * MILLI));
    let heard = numbers(&heard, 1);
    assert!(heard.len() > 15 && heard.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[test]
fn a_fast_clock_ticks_more_often() {
    let mut kernel = kernel(8);
    kernel.drift_clock(0, 200_000);
    let heard = run(&mut kernel, 10_000 * MILLI);
    let (fast, slow) = (numbers(&heard, 1).len(), numbers(&heard, 0).len());
    assert!((1_190..=1_201).contains(&fast), "{fast}");
    assert!((990..=1_001).contains(&slow), "{slow}");
}

#[test]
fn a_message_to_nobody_is_refused() {
    let mut kernel = kernel(9);
    kernel.kill(0);
    let heard = run(&mut kernel, 200 * MILLI);
    let resets = heard.iter().filter(|(_, heard)| matches!(heard, Heard::Reset { at: 1, peer: 0 })).count();
    assert!(resets > 10, "each attempt is answered: {resets}");
}
