//! A recorded history of ZooKeeper, spoiled in a thousand ways: the checkers and the brute-force oracle find the same.
//!
//! `UPHEAVAL_MUTATIONS` sets the number of mutations: a thousand, or 150 without optimization.
//! All times are moved to whole milliseconds of their own, for both.
#![allow(clippy::unwrap_used)]

mod oracle_support;
mod support;

use checkers::mutation::mutate;
use checkers::{Kind, Verdict, check};
use history::{Event, Header, MILLI};
use oracle_support::brute::{Memory, brute_with};
use oracle_support::real::{Parts, back_on_grid, on_grid};
use oracle_support::truth::Who;
use std::collections::BTreeMap;

const HISTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/zookeeper-small.jsonl.zst");

/// By kind: how many, and the first in whole milliseconds.
type Findings = BTreeMap<Kind, (u64, u64)>;

/// What the checkers find. The first time of late changes is left out: where a stale view tells the same
/// story, so is the example.
fn real(header: &Header, events: &[Event]) -> (Verdict, Findings) {
    let options = checkers::Options { examples_max: 1_000_000, ..support::options() };
    let report = check(header, events, &options);
    let mut out: Findings = support::counts(&report).into_iter().map(|(k, n)| (k, (n, u64::MAX))).collect();
    for example in report.checks.iter().flat_map(|c| &c.examples).filter(|e| e.kind != Kind::Late) {
        let found = out.get_mut(&example.kind).unwrap();
        found.1 = found.1.min(example.time / MILLI);
    }
    (report.verdict, out)
}

fn oracle(parts: &Parts, truth: &[Who], memory: &mut Memory, events: &[Event]) -> Findings {
    let mut out = Findings::new();
    for found in brute_with(&parts.views(events), truth, memory) {
        let entry = out.entry(found.kind).or_insert((0, u64::MAX));
        entry.0 += 1;
        if found.kind != Kind::Late {
            entry.1 = entry.1.min(found.time);
        }
    }
    out
}

#[derive(Default)]
struct Tally {
    /// Of pushes' contents: changed, and caught.
    contents: (u64, u64),
    by_mutation: BTreeMap<String, (u64, u64)>,
    kinds: BTreeMap<Kind, u64>,
    differ: Vec<String>,
}

fn tally(header: &Header, clean: &[Event], parts: &Parts, truth: &[Who], seeds: impl Iterator<Item = u64>) -> Tally {
    let mut out = Tally::default();
    let mut memory = Memory::default();
    for seed in seeds {
        let (spoiled, description) = mutate(clean, seed);
        let spoiled = back_on_grid(spoiled);
        let (verdict, found) = real(header, &spoiled);
        let expected = oracle(parts, truth, &mut memory, &spoiled);
        if found != expected || (verdict == Verdict::Violation) == expected.is_empty() {
            out.differ.push(format!("seed {seed}, {description}: {verdict:?} {found:?}, oracle {expected:?}"));
        }
        let caught = u64::from(verdict == Verdict::Violation);
        let word = description.split(' ').next().unwrap().to_owned();
        // The rest are pushes that are dropped, delayed or swapped.
        if word.starts_with(char::is_uppercase) {
            out.contents = (out.contents.0 + 1, out.contents.1 + caught);
        }
        let entry = out.by_mutation.entry(word).or_default();
        *entry = (entry.0 + 1, entry.1 + caught);
        found.into_keys().for_each(|k| *out.kinds.entry(k).or_default() += 1);
    }
    out
}

#[test]
fn the_oracle_judges_mutations_of_a_real_history_alike() {
    let loaded = history::read(HISTORY).unwrap();
    assert!(loaded.damage.is_none());
    let (header, clean) = (loaded.header, on_grid(&loaded.events));
    let parts = Parts::new(&header, &clean);
    let truth = parts.truth();
    assert_eq!(real(&header, &clean), (Verdict::Pass, Findings::new()));
    assert_eq!(oracle(&parts, &truth, &mut Memory::default(), &clean), Findings::new());
    let ordinary: u64 = if cfg!(debug_assertions) { 150 } else { 1_000 };
    let mutations = std::env::var("UPHEAVAL_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(ordinary);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let work = |first: u64| tally(&header, &clean, &parts, &truth, (first..mutations).step_by(2));
        let workers: Vec<_> = (0..2).map(|first| scope.spawn(move || work(first))).collect();
        workers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    let mut contents = (0, 0);
    let mut differ = Vec::new();
    for tally in tallies {
        contents = (contents.0 + tally.contents.0, contents.1 + tally.contents.1);
        println!("mutations and those caught {:?}, kinds {:?}", tally.by_mutation, tally.kinds);
        differ.extend(tally.differ);
    }
    println!("{} of {} spoiled contents were caught", contents.1, contents.0);
    assert!(differ.is_empty(), "{} of {mutations} differ:\n{}", differ.len(), differ.join("\n"));
    // Of the first thousand 557 of 565 were; the others left out an element, to which the oracle does not object either.
    assert!(contents.0 > 0 && contents.1 * 100 >= contents.0 * 95, "{contents:?}");
}
