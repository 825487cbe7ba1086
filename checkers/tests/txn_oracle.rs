//! Isolation against plain search over all orders: random histories of up to five transactions, at every level that the checker
//! decides.
//!
//! `UPHEAVAL_ORACLE=300000 cargo test --release -p upheaval-checkers --test txn_oracle` tries as many of each kind.
#![allow(clippy::unwrap_used)]

mod txn_support;

use checkers::Verdict;
use checkers::transactions::{Options, Workload};
use txn_support::brute::{Level, Txn, holds};
use txn_support::random::{Dice, history};
use txn_support::{calls, judge};

const LEVELS: [(Level, &str); 12] = [
    (Level::StrictSerializable, "strict-serializable"),
    (Level::SessionSerializable, "strong-session-serializable"),
    (Level::Serializable, "serializable"),
    (Level::StrongSnapshot, "strong-snapshot-isolation"),
    (Level::SessionSnapshot, "strong-session-snapshot-isolation"),
    (Level::Snapshot, "snapshot-isolation"),
    (Level::Parallel, "parallel-snapshot-isolation"),
    (Level::Prefix, "prefix"),
    (Level::Causal, "causal"),
    (Level::ReadAtomic, "read-atomic"),
    (Level::MonotonicView, "monotonic-view"),
    (Level::ReadCommitted, "read-committed"),
];

/// How many histories of each kind.
fn rounds() -> u64 {
    std::env::var("UPHEAVAL_ORACLE").ok().and_then(|text| text.parse().ok()).unwrap_or(15_000)
}

fn agree(workload: Workload) {
    let lists = workload == Workload::ListAppend;
    let (mut good, mut bad) = ([0u64; LEVELS.len()], [0u64; LEVELS.len()]);
    for seed in 0..rounds() {
        let txns = history(&mut Dice::new(seed * 7 + u64::from(lists)), lists);
        let calls = calls(&txns, lists);
        // Each history at one level, and the strongest.
        let number = (seed % LEVELS.len() as u64) as usize;
        for (number, (level, name)) in [(0, LEVELS[0]), (number, LEVELS[number])] {
            let judgement = judge(&calls, &Options { model: name.parse().unwrap(), ..Options::new(workload) });
            let nothing = judgement.reason.as_deref() == Some("no transaction is known to have taken effect");
            // What a transaction reads of itself is no business of the weak levels, and a value that nobody wrote of none.
            let inside =
                judgement.anomalies.contains_key("internal") || judgement.anomalies.contains_key("unwritten-value");
            let weak = matches!(level, Level::MonotonicView | Level::ReadCommitted);
            if nothing || inside && (weak || judgement.anomalies.contains_key("unwritten-value")) {
                continue;
            }
            let expected = if holds(&txns, level, lists) { Verdict::Pass } else { Verdict::Violation };
            assert_eq!(judgement.verdict, expected, "{name} seed {seed}: {judgement:#?}\n{}", tale(&txns));
            match expected {
                Verdict::Pass => good[number] += 1,
                _ => bad[number] += 1,
            }
        }
    }
    for ((_, name), (good, bad)) in LEVELS.iter().zip(good.iter().zip(&bad)) {
        println!("{workload} {name}: {good} good, {bad} bad");
        assert!(*good > rounds() / 2_000 && *bad > rounds() / 2_000, "{name}: {good} good, {bad} bad");
    }
}

fn tale(txns: &[Txn]) -> String {
    txns.iter().map(|txn| format!("  {txn:?}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn lists() {
    agree(Workload::ListAppend);
}

#[test]
fn registers() {
    agree(Workload::RwRegister);
}
