//! The wheel does exactly what a heap does.
#![allow(clippy::unwrap_used)]

mod heap;

use heap::Heap;
use simulation::{EventQueue, Stream};

#[test]
fn one_instant_keeps_the_order_of_entry() {
    let mut queue = EventQueue::new();
    for (time, name) in [(5, "c"), (3, "a"), (5, "d"), (3, "b")] {
        queue.push(time, name);
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!(order, [(3, "a"), (3, "b"), (5, "c"), (5, "d")]);
}

/// How far ahead the next event is: from the same instant to centuries.
fn ahead(stream: &mut Stream, spread: u32) -> u64 {
    let bits = stream.below(u64::from(spread)) as u32;
    stream.below(1 << bits)
}

#[test]
fn the_wheel_agrees_with_the_heap_on_random_schedules() {
    for seed in 0..60 {
        let mut stream = Stream::new(seed, "queue", 0);
        let (mut queue, mut heap) = (EventQueue::new(), Heap::new());
        let spread = stream.between(1, 63) as u32;
        let (mut now, mut number) = (0u64, 0u32);
        for _ in 0..200 {
            // Bursts, so that it runs empty now and then and is very full at other times.
            for _ in 0..stream.below(100) {
                let time = now.saturating_add(ahead(&mut stream, spread));
                queue.push(time, number);
                heap.push(time, number);
                number += 1;
            }
            for _ in 0..stream.below(105) {
                let expected = heap.pop();
                assert_eq!(queue.next_time(), expected.map(|(time, _)| time), "seed {seed}");
                assert_eq!(queue.pop(), expected, "seed {seed}");
                now = expected.map_or(now, |(time, _)| time);
            }
        }
        while let Some(expected) = heap.pop() {
            assert_eq!(queue.pop(), Some(expected), "seed {seed}");
        }
        assert!(queue.is_empty() && queue.pop().is_none());
    }
}

#[test]
fn the_end_of_time_and_the_past_are_times_too() {
    let (mut queue, mut heap) = (EventQueue::new(), Heap::new());
    let times = [u64::MAX, 0, u64::MAX, 1 << 63, (1 << 63) - 1, 40_000, u64::MAX - 1, 32_768, 32_767];
    for (number, time) in times.into_iter().enumerate() {
        queue.push(time, number);
        heap.push(time, number);
    }
    for late in [0, 7, 40_000] {
        assert_eq!(queue.pop(), heap.pop());
        queue.push(late, 100);
        heap.push(late, 100);
    }
    let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    let expected: Vec<_> = std::iter::from_fn(|| heap.pop()).collect();
    assert_eq!(rest, expected);
}

#[test]
fn retimed_events_keep_their_turn() {
    let mut queue = EventQueue::new();
    for number in 0..1_000u64 {
        queue.push(1_000_000 + number % 10 * 100_000, number);
    }
    queue.pop();
    // The odd ones now come at the same instant as the even ones before them, or earlier than everything.
    queue.retime(|time, number| if number % 2 == 1 { time - 100_000 } else { time });
    queue.retime(|time, number| if *number == 999 { 3 } else { time });
    assert_eq!(queue.len(), 999);
    let mut expected: Vec<(u64, u64)> = (1..1_000u64)
        .map(|number| (1_000_000 + (number - number % 2) % 10 * 100_000, number))
        .map(|(time, number)| if number == 999 { (3, 999) } else { (time, number) })
        .collect();
    expected.sort_unstable();
    let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!(order, expected);
}
