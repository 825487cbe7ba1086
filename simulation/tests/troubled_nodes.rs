//! Nodes that are slow or half-dead, what they reach, and the trace of what is said.
#![allow(clippy::unwrap_used)]

use history::{MILLI, Nanos};
use simulation::{Input, Kernel, Latency, Machine, Message, NodeId, Now, Outputs, Traced};

/// Sent every 10 ms by node 0; odd ones are heartbeats.
#[derive(Clone, Debug)]
struct Number(u64);

impl Message for Number {
    fn identity(&self) -> u64 {
        self.0
    }

    fn says(&self) -> String {
        format!("number {}", self.0)
    }
}

struct Node {
    id: NodeId,
    next: u64,
}

impl Machine for Node {
    type Message = Number;
    type Timer = ();
    type Report = u64;

    fn step(&mut self, _: Now, input: Input<Number, ()>, out: &mut Outputs<Number, (), u64>) {
        match input {
            Input::Start | Input::Timer(()) if self.id == 0 => {
                out.send(1, Number(self.next));
                self.next += 1;
                out.timer(10 * MILLI, ());
                if self.next.is_multiple_of(10) {
                    out.reached("ten more");
                }
            }
            Input::Message { message, .. } => out.report(message.0),
            _ => {}
        }
    }

    fn is_heartbeat(&self, input: &Input<Number, ()>) -> bool {
        matches!(input, Input::Message { message, .. } if message.0 % 2 == 1)
    }
}

fn kernel() -> Kernel<Node> {
    let nodes = (0..2).map(|id| Node { id, next: 0 }).collect();
    let mut kernel = Kernel::new(7, nodes, |_, _| Latency { base: MILLI, jitter: 0 });
    run(&mut kernel, 0);
    kernel
}

fn run(kernel: &mut Kernel<Node>, until: Nanos) -> Vec<(Nanos, u64)> {
    while kernel.run_one(until * MILLI) {}
    kernel.take_reports().map(|(at, number)| (at / MILLI, number)).collect()
}

#[test]
fn a_slow_node_handles_one_after_the_other_and_a_queue_builds_up() {
    let mut kernel = kernel();
    kernel.slow(1, 15 * MILLI);
    let heard = run(&mut kernel, 151);
    // Arrivals at 1, 11, 21 ...; the first is done at 16, and then one each 15 ms.
    assert_eq!(heard, (0..10).map(|n| (16 + 15 * n, n)).collect::<Vec<_>>());
    assert_eq!(kernel.backlog(1), 6);
    assert_eq!(kernel.slow(1, 0), 6);
    assert_eq!(run(&mut kernel, 151), (10..16).map(|n| (151, n)).collect::<Vec<_>>());
    // The event that would have told of the next one changes nothing.
    assert_eq!(run(&mut kernel, 200), [(161, 16), (171, 17), (181, 18), (191, 19)]);
    // Nor does it keep the node from being slow once more.
    kernel.slow(1, 15 * MILLI);
    assert_eq!(run(&mut kernel, 230), [(216, 20)]);
}

#[test]
fn a_slow_node_that_keeps_up_is_only_late() {
    let mut kernel = kernel();
    kernel.slow(1, 4 * MILLI);
    assert_eq!(run(&mut kernel, 50), (0..5).map(|n| (5 + 10 * n, n)).collect::<Vec<_>>());
    assert_eq!(kernel.backlog(1), 0);
}

#[test]
fn a_pause_stops_a_slow_node_and_its_end_lets_it_work_off_what_waits() {
    let mut kernel = kernel();
    kernel.slow(1, 15 * MILLI);
    run(&mut kernel, 20);
    kernel.pause(1);
    assert!(run(&mut kernel, 100).is_empty());
    let waiting = kernel.backlog(1);
    assert_eq!(kernel.resume(1), waiting);
    assert_eq!(run(&mut kernel, 131), [(115, 1), (130, 2)]);
}

#[test]
fn a_half_dead_node_answers_heartbeats_only() {
    let mut kernel = kernel();
    kernel.half_die(1);
    assert!(kernel.is_half_dead(1));
    let heard = run(&mut kernel, 100);
    assert_eq!(heard, (0..5).map(|n| (11 + 20 * n, 2 * n + 1)).collect::<Vec<_>>());
    assert_eq!(kernel.revive(1), 5);
    assert_eq!(run(&mut kernel, 100), [0, 2, 4, 6, 8].map(|n| (100, n)));
    assert_eq!(run(&mut kernel, 111), [(101, 10), (111, 11)]);
}

#[test]
fn the_next_life_is_whole_and_prompt() {
    let mut kernel = kernel();
    kernel.half_die(1);
    kernel.slow(1, 100 * MILLI);
    run(&mut kernel, 50);
    kernel.kill(1);
    kernel.restart(1, Node { id: 1, next: 0 });
    assert!(!kernel.is_half_dead(1) && !kernel.is_slow(1));
    assert_eq!(run(&mut kernel, 70), [(61, 6)]);
}

#[test]
fn what_is_reached_is_counted() {
    let mut kernel = kernel();
    assert!(kernel.reached().is_empty());
    run(&mut kernel, 1_000);
    assert_eq!(kernel.reached().get("ten more"), Some(&10));
}

#[test]
fn a_trace_tells_what_arrived_and_what_did_not() {
    let mut kernel = kernel();
    run(&mut kernel, 5);
    assert!(kernel.messages().is_empty(), "off until asked for");
    kernel.trace();
    run(&mut kernel, 15);
    run(&mut kernel, 20);
    kernel.kill(1);
    run(&mut kernel, 25);
    let message = |sent, arrives: Option<Nanos>, number: u64| Traced {
        sent: sent * MILLI,
        arrives: arrives.map(|at| at * MILLI),
        from: 0,
        to: 1,
        channel: simulation::NO_CHANNEL,
        says: format!("number {number}"),
    };
    assert_eq!(kernel.messages(), [message(10, Some(11), 1), message(20, None, 2)]);
}
