//! Limits of time and memory are kept, and many operations in flight are no limit.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "the benchmark uses all of it")]
#[path = "../benches/closed_loop/mod.rs"]
mod closed_loop;

use checkers::Verdict;
use checkers::linearizability::{FailedCas, Judgement, Limits, ModelName, Options, check};
use closed_loop::{ClosedLoop, Load};
use history::calls::{Builder, Calls, Ended, Value};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what this thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

// SAFETY: hands everything on to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = HELD.try_with(|held| {
            let now = held.get().0 + layout.size();
            held.set((now, held.get().1.max(now)));
        });
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|held| held.set((held.get().0.saturating_sub(layout.size()), held.get().1)));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The time that this thread had a processor, seconds: other work on the machine does not count.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Nobody decides this one.
const HARD: ClosedLoop = ClosedLoop {
    load: Load::Cas5,
    operations: 1_000,
    flight: 50,
    keys: 1,
    impossible_permille: Some(900),
    unknown_permille: 0,
    seed: 1,
};

fn judge(calls: &Calls, limits: &Limits<'_>) -> Judgement {
    let options = Options { failed_cas: FailedCas::Observed, initial: None, threads: 1, explained_max: 0 };
    check(calls, ModelName::CasRegister, &options, limits).unwrap()
}

#[test]
fn the_time_limit_is_kept() {
    let calls = HARD.calls();
    for limit in [0.1, 0.4] {
        let begin = processor_seconds();
        let over = || processor_seconds() - begin >= limit;
        let judgement = judge(&calls, &Limits::none(&over));
        let took = processor_seconds() - begin;
        assert_eq!(judgement.verdict, Verdict::Inconclusive);
        assert!(judgement.reason.as_deref().unwrap().contains("time limit") && judgement.reached > 0, "{judgement:?}");
        assert!(took >= limit && took < limit * 1.05, "{took} s of {limit} s");
    }
}

#[test]
fn the_memory_limit_is_kept() {
    let calls = HARD.calls();
    let mut mosts = Vec::new();
    for limit in [1 << 20, 8 << 20, 32 << 20] {
        let before = HELD.get().0;
        HELD.set((before, before));
        let over = || false;
        let judgement = judge(&calls, &Limits::new(u64::MAX, limit, &over));
        let most = HELD.get().1 - before;
        assert!(judgement.reason.as_deref().unwrap().contains("memory limit"), "{judgement:?}");
        assert!(most as u64 <= limit + limit / 20, "{most} bytes of {limit}");
        mosts.push(most);
    }
    assert!(mosts[2] > 8 << 20, "a limit that is never used proves nothing: {mosts:?}");
}

/// One after the other: a write of 1, then very many reads at once while a compare-and-set makes it 2.
fn crowd(readers: i64, odd: i64) -> Calls {
    let mut builder = Builder::default();
    builder.invoke(-1, "write", Value::Int(1), -1).unwrap();
    builder.complete(-1, Ended::Ok, Value::Int(1), -1).unwrap();
    let pair = || Value::List(vec![Value::Int(1), Value::Int(2)].into());
    builder.invoke(-1, "cas", pair(), -1).unwrap();
    (0..readers).for_each(|reader| builder.invoke(reader, "read", Value::Nil, -1).unwrap());
    builder.complete(-1, Ended::Ok, pair(), -1).unwrap();
    for reader in 0..readers {
        let seen = if reader == readers / 2 { odd } else { 1 + reader % 2 };
        builder.complete(reader, Ended::Ok, Value::Int(seen), -1).unwrap();
    }
    builder.finish()
}

#[test]
fn very_many_in_flight() {
    let over = || false;
    for readers in [100, 200, 1_000] {
        assert_eq!(judge(&crowd(readers, 1), &Limits::none(&over)).verdict, Verdict::Pass, "{readers}");
        assert_eq!(judge(&crowd(readers, 3), &Limits::none(&over)).verdict, Verdict::Violation, "{readers}");
    }
    let judgement = judge(&crowd(5_000, 1), &Limits::none(&over));
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert!(judgement.reason.unwrap().contains("in flight at once"));
}

#[test]
fn unknown_outcomes_are_no_limit() {
    let load = ClosedLoop { operations: 10_000, flight: 10, impossible_permille: None, unknown_permille: 10, ..HARD };
    let over = || false;
    assert_eq!(judge(&load.calls(), &Limits::new(20_000_000, 1 << 28, &over)).verdict, Verdict::Pass);
    let bad = ClosedLoop { impossible_permille: Some(900), ..load };
    assert_eq!(judge(&bad.calls(), &Limits::new(200_000_000, 1 << 28, &over)).verdict, Verdict::Violation);
}
