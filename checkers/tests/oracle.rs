//! A brute-force checker that enumerates instants agrees with the real one on many tiny random histories.
//!
//! It shares no code with the crate: states are recomputed from the definitions at every half millisecond, windows are
//! walked instant by instant, contents are compared as lists. Times of events are whole milliseconds and no two events have the
//! same, so a state holds between whole instants (half `h` is the instant h + 0.5) and at a whole instant both neighbours
//! count. `UPHEAVAL_ORACLE_CASES` sets the number of histories.
#![allow(clippy::unwrap_used)]

mod oracle_support;
mod support;

use checkers::{Kind, check};
use oracle_support::brute::{Found, brute};
use oracle_support::random::{FAMILIES, Numbers, history};
use std::collections::BTreeMap;

/// Counts by kind and the first time of each, in whole milliseconds.
fn real(header: &history::Header, events: &[history::Event]) -> (BTreeMap<Kind, u64>, BTreeMap<Kind, u64>) {
    let options = checkers::Options { examples_max: 1_000_000, ..support::options() };
    let report = check(header, events, &options);
    for result in &report.checks {
        let reason = result.reason.clone().unwrap_or_default();
        assert!(!reason.contains("broke down") && !reason.contains("damaged"), "{reason}");
    }
    let mut first = BTreeMap::new();
    for example in report.checks.iter().flat_map(|c| &c.examples) {
        let time = example.time / history::MILLI;
        let entry = first.entry(example.kind).or_insert(time);
        *entry = time.min(*entry);
    }
    (support::counts(&report), first)
}

fn agree(seed: u64, family: usize) -> Vec<Kind> {
    let mut numbers = Numbers::new(seed);
    let tale = history(&mut numbers, family);
    let (header, events) = (tale.header(), tale.events());
    let (counts, first) = real(&header, &events);
    let found: Vec<Found> = brute(&tale);
    let mut expected: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut earliest: BTreeMap<Kind, u64> = BTreeMap::new();
    for f in &found {
        *expected.entry(f.kind).or_default() += 1;
        let entry = earliest.entry(f.kind).or_insert(f.time);
        *entry = f.time.min(*entry);
    }
    // Examples of late changes are left out where a stale view tells the same story.
    let mut first_told = first.clone();
    first_told.remove(&Kind::Late);
    earliest.remove(&Kind::Late);
    if counts != expected || first_told != earliest {
        println!("{}", tale.describe());
        println!("checkers: {counts:?} first {first:?}");
        println!("oracle:   {expected:?}");
        found.iter().for_each(|f| println!("  {f:?}"));
        panic!("seed {seed} family {family}: the oracle does not agree");
    }
    expected.into_keys().collect()
}

#[test]
fn agrees_with_brute_force() {
    let cases = std::env::var("UPHEAVAL_ORACLE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(50_000_u64);
    let from = std::env::var("UPHEAVAL_ORACLE_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0_u64);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let share = |first: u64| {
        let mut seen: BTreeMap<(usize, Kind), u64> = BTreeMap::new();
        for seed in (from + first..from + cases).step_by(threads as usize) {
            let family = (seed % FAMILIES as u64) as usize;
            for kind in agree(seed, family) {
                *seen.entry((family, kind)).or_default() += 1;
            }
        }
        seen
    };
    let mut seen: BTreeMap<(usize, Kind), u64> = BTreeMap::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || share(first))).collect();
        for worker in workers {
            for (key, n) in worker.join().unwrap() {
                *seen.entry(key).or_default() += n;
            }
        }
    });
    let kinds = [
        Kind::Phantom,
        Kind::Duplicate,
        Kind::Ghost,
        Kind::Incomplete,
        Kind::Stale,
        Kind::Torn,
        Kind::Backwards,
        Kind::VersionFell,
        Kind::Late,
        Kind::WrongAtEnd,
    ];
    for kind in kinds {
        let share = |family| seen.get(&(family, kind)).copied().unwrap_or(0) * FAMILIES as u64 * 1000 / cases.max(1);
        let most = (0..FAMILIES).map(share).max().unwrap_or(0);
        println!("{kind:?}: in {:?} permille of the families", (0..FAMILIES).map(share).collect::<Vec<_>>());
        assert!(cases < 1000 || most >= 50, "{kind:?} is in only {most} permille of any family");
    }
}
