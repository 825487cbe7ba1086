//! Troubled links and drifting clocks, through the kernel.

use history::{MILLI, Nanos};
use simulation::{Input, Kernel, Latency, Machine, Message, NodeId, Now, Outputs, Trouble};

#[derive(Clone, Debug)]
struct Number(u64);

impl Message for Number {
    fn identity(&self) -> u64 {
        self.0
    }

    fn size(&self) -> u64 {
        1_000
    }
}

/// Node 0 sends a number every millisecond to node 1, which reports it; node 2 waits for ten seconds by its own clock.
struct Node {
    id: NodeId,
    next: u64,
}

const WAIT: Nanos = 10_000 * MILLI;

impl Machine for Node {
    type Message = Number;
    type Timer = ();
    type Report = (u64, Now);

    fn step(&mut self, now: Now, input: Input<Number, ()>, out: &mut Outputs<Number, (), (u64, Now)>) {
        match (self.id, input) {
            (0, Input::Start | Input::Timer(())) => {
                out.send(1, Number(self.next));
                self.next += 1;
                out.timer(MILLI, ());
            }
            (1, Input::Message { message, .. }) => out.report((message.0, now)),
            (2, Input::Start) => out.timer(WAIT, ()),
            (2, Input::Timer(())) => out.report((u64::MAX, now)),
            _ => {}
        }
    }
}

fn kernel() -> Kernel<Node> {
    let nodes = (0..3).map(|id| Node { id, next: 0 }).collect();
    Kernel::new(7, nodes, |_, _| Latency { base: MILLI, jitter: MILLI / 2 })
}

fn numbers(kernel: &mut Kernel<Node>, until: Nanos) -> Vec<u64> {
    while kernel.run_one(until) {}
    kernel.take_reports().map(|(_, (number, _))| number).collect()
}

/// When node 2's timer ran down, in true time and by its own clock.
fn woken(kernel: &mut Kernel<Node>) -> (Nanos, Now) {
    loop {
        kernel.run_one(Nanos::MAX);
        let woken = kernel.take_reports().find(|(_, (number, _))| *number == u64::MAX);
        if let Some((at, (_, now))) = woken {
            return (at, now);
        }
    }
}

#[test]
fn duplicates_arrive_and_are_counted() {
    let mut kernel = kernel();
    kernel.trouble(0, 1, 7, Trouble::Duplicate { permille: 250, late: 10 * MILLI });
    let mut heard = numbers(&mut kernel, 1_000 * MILLI);
    let (all, touched) = (heard.len() as u64, kernel.touched(7));
    assert!((200..300).contains(&touched), "{touched}");
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard, (0..heard.len() as u64).collect::<Vec<_>>());
    assert!((all - heard.len() as u64).abs_diff(touched) < 10);
}

#[test]
fn reordered_messages_are_overtaken_and_the_others_keep_their_order() {
    let mut kernel = kernel();
    kernel.trouble(0, 1, 7, Trouble::Reorder { permille: 200, late: 20 * MILLI });
    let heard = numbers(&mut kernel, 1_000 * MILLI);
    let overtaken = heard.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(overtaken > 50, "{overtaken}");
    kernel.lift(7);
    numbers(&mut kernel, 1_050 * MILLI);
    let heard = numbers(&mut kernel, 2_000 * MILLI);
    assert!(heard.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[test]
fn a_narrow_link_lets_a_queue_build_up_in_order() {
    let mut kernel = kernel();
    // Two milliseconds each, and one comes every millisecond.
    kernel.trouble(0, 1, 7, Trouble::Bandwidth(500_000));
    let heard = numbers(&mut kernel, 1_000 * MILLI);
    assert!((498..=500).contains(&heard.len()), "{}", heard.len());
    assert!(heard.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[test]
fn a_running_timer_follows_a_change_of_drift() {
    let mut kernel = kernel();
    assert_eq!(woken(&mut kernel).0, WAIT);
    for (ppm, expected) in [(1_000_000, 6_000 * MILLI), (-500_000, 18_000 * MILLI)] {
        let mut kernel = self::kernel();
        numbers(&mut kernel, 2_000 * MILLI);
        kernel.drift_clock(2, ppm);
        let (at, now) = woken(&mut kernel);
        assert_eq!((at, now.mono), (expected, WAIT), "{ppm}");
    }
    let mut kernel = self::kernel();
    numbers(&mut kernel, 2_000 * MILLI);
    kernel.drift_clock(2, 300_000);
    numbers(&mut kernel, 4_000 * MILLI);
    kernel.drift_clock(2, -300_000);
    let (at, now) = woken(&mut kernel);
    assert!(at.abs_diff(9_400 * MILLI) <= 4 && now.mono.abs_diff(WAIT) <= 4, "{at} {now:?}");
}

#[test]
fn other_nodes_timers_keep_their_time_and_their_order() {
    let (mut calm, mut troubled) = (kernel(), kernel());
    let expected = numbers(&mut calm, 500 * MILLI);
    numbers(&mut troubled, 0);
    troubled.drift_clock(2, 1_000);
    assert_eq!(numbers(&mut troubled, 500 * MILLI), expected);
    assert_eq!(calm.counters(), troubled.counters());
}

#[test]
fn a_step_moves_no_timer_and_a_failed_ntp_shows() {
    let mut kernel = kernel();
    numbers(&mut kernel, 0);
    kernel.step_clock(2, -5_000 * MILLI as i64);
    kernel.set_synchronised(2, false);
    let (at, now) = woken(&mut kernel);
    assert_eq!((at, now.mono, now.wall, now.synchronised), (WAIT, WAIT, 5_000 * MILLI as i64, false));
}
