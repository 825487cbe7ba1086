//! Spoiled histories are noticed, and for the right reason.
#![allow(clippy::unwrap_used)]

mod support;

use checkers::mutation::{Mutation, apply, mutate};
use checkers::{Kind, Verdict, check};
use history::Event;
use std::collections::BTreeMap;
use support::{contract, counts, events, header, options};

/// Two publishers that change now and then, two subscribers that are told within 3 ms.
fn clean() -> Vec<Event> {
    let mut text = String::from(
        "0 c0 connected n0 s0\n0 c1 connected n1 s1\n0 c2 connected n0 s2\n0 c3 connected n1 s3
         1 c0 publish d0 a0 ok 2\n1 c1 publish d0 b0 ok 2\n3 c2 subscribe d0 ok 4\n3 c3 subscribe d0 ok 4
         5 c2 push d0 a0 b0 v1\n5 c3 push d0 a0 b0 v1\n",
    );
    let (mut a, mut b) = ("a0".to_owned(), "b0".to_owned());
    for n in 1..40 {
        let t = n * 30;
        let client = n % 2;
        let value = format!("{}{n}", ["a", "b"][client]);
        text += &format!("{t} c{client} publish d0 {value} ok {}\n", t + 2);
        *[&mut a, &mut b][client] = value;
        for (subscriber, late) in [(2, 3), (3, 5)] {
            text += &format!("{} c{subscriber} push d0 {a} {b} v{}\n", t + late, n + 1);
        }
    }
    text += "1300 c2 ping ok 1301\n1310 phase final\n1311 c3 read d0 ";
    text += &format!("{a} {b} ok 1312\n");
    events(&text)
}

fn found(events: &[Event]) -> BTreeMap<Kind, u64> {
    counts(&check(&header(contract()), events, &options()))
}

#[test]
fn the_clean_history_is_clean() {
    let report = check(&header(contract()), &clean(), &options());
    assert_eq!(report.verdict, Verdict::Pass, "{:?} {:?}", report.reasons, counts(&report));
}

#[test]
fn every_mutation_is_noticed() {
    let clean = clean();
    for mutation in Mutation::ALL {
        let mut noticed = 0;
        for seed in 0..200 {
            let (spoiled, description) = apply(&clean, mutation, seed);
            let kinds = found(&spoiled);
            noticed += usize::from(!kinds.is_empty());
            let expected: &[Kind] = match mutation {
                Mutation::DropPush | Mutation::DelayPush => {
                    &[Kind::Stale, Kind::Late, Kind::WrongAtEnd, Kind::Backwards]
                }
                Mutation::SwapPushes => {
                    &[Kind::Stale, Kind::Phantom, Kind::Backwards, Kind::VersionFell, Kind::Late, Kind::WrongAtEnd]
                }
                Mutation::DropElement => {
                    &[Kind::Incomplete, Kind::Late, Kind::Backwards, Kind::Stale, Kind::WrongAtEnd]
                }
                Mutation::AddUnknown => &[Kind::Phantom, Kind::WrongAtEnd],
                // Two values of one publisher; the other one may also be old or not asked for yet.
                Mutation::AddKnown => &[Kind::Duplicate, Kind::Stale, Kind::Phantom, Kind::WrongAtEnd],
                Mutation::DuplicateElement => &[Kind::Duplicate, Kind::WrongAtEnd],
            };
            for kind in kinds.keys() {
                let delayed = mutation == Mutation::DelayPush;
                assert!(expected.contains(kind) || delayed, "{description}: {kind:?}");
            }
        }
        // A push delayed by little, or put off beyond the end of what follows, may be harmless.
        let least = if matches!(mutation, Mutation::DelayPush) { 150 } else { 195 };
        assert!(noticed >= least, "{mutation:?}: only {noticed} of 200 were noticed");
    }
}

#[test]
fn mutations_are_determined_by_the_seed() {
    let clean = clean();
    let mut descriptions = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let (first, description) = mutate(&clean, seed);
        assert_eq!(first, mutate(&clean, seed).0);
        assert_ne!(first, clean, "{description}");
        let times: Vec<_> = first.iter().filter_map(Event::time).collect();
        assert!(times.is_sorted(), "{description}");
        descriptions.insert(description);
    }
    assert!(descriptions.len() > 50);
}
