//! Linearizability against plain search over all orders: random tiny histories of every model, good and bad.
//!
//! `UPHEAVAL_ORACLE=300000 cargo test --release -p upheaval-checkers --test linear_oracle` tries as many of each model.
#![allow(clippy::unwrap_used)]

mod linear_support;

use checkers::Verdict;
use checkers::linearizability::{FailedCas, Limits, ModelName, Options, check};
use history::calls::Value;
use linear_support::brute::{self, Object};
use linear_support::dice::Dice;
use linear_support::random::history;

/// How many histories of each model.
fn rounds() -> u64 {
    std::env::var("UPHEAVAL_ORACLE").ok().and_then(|text| text.parse().ok()).unwrap_or(6_000)
}

/// Compares; each verdict must come up often enough for the comparison to mean something.
fn agree(object: Object, model: ModelName, failed_cas: FailedCas) {
    let over = || false;
    let (mut good, mut bad) = (0, 0);
    for seed in 0..rounds() {
        let mut dice = Dice(seed * 31 + object as u64);
        let ops = history(object, &mut dice);
        let calls = linear_support::calls(object, &ops);
        let initial = matches!(object, Object::Register | Object::Unique | Object::Registers).then_some(Value::Int(0));
        let options = Options { failed_cas, initial, threads: 1, explained_max: 1 };
        let judgement = check(&calls, model, &options, &Limits::none(&over)).unwrap();
        let expected = brute::linearizable(object, &ops, failed_cas == FailedCas::Observed);
        let tale = || ops.iter().map(|op| format!("  {op:?}")).collect::<Vec<_>>().join("\n");
        let verdict = if expected { Verdict::Pass } else { Verdict::Violation };
        let nothing = judgement.operations == 0;
        assert!(judgement.verdict == verdict || nothing && expected, "{model} seed {seed}: {judgement:?}\n{}", tale());
        if expected {
            good += 1
        } else {
            bad += 1
        }
        if !expected {
            // What is shown to people must itself be a contradiction.
            let shown = judgement.failures[0].explanation.as_ref().unwrap();
            let part: Vec<usize> = shown.operations.iter().map(|op| op.call).collect();
            assert!(!shown.paths.is_empty() && part.len() <= ops.len(), "{model} seed {seed}: {shown:?}\n{}", tale());
            if shown.from_beginning {
                assert!(shown.minimal, "{model} seed {seed}: {shown:?}");
                // Nothing leans on what only looked: without it, all is well.
                let looks = ["read ", "get ", "contains", "does not", "sees "];
                let only = |text: &str| looks.iter().any(|look| text.starts_with(look)) && !text.contains("write");
                for left_out in shown.operations.iter().filter(|op| only(&op.text)) {
                    let rest: Vec<_> = shown.operations.iter().filter(|op| op.call != left_out.call).collect();
                    let part: Vec<usize> = rest.iter().map(|op| op.call).collect();
                    let left = brute::part(&ops, &part, rest.iter().filter_map(|op| op.complete).max());
                    let good = brute::linearizable(object, &left, failed_cas == FailedCas::Observed);
                    assert!(good, "{model} seed {seed}: without {}: {shown:?}\n{}", left_out.text, tale());
                }
                let end = shown.operations.iter().filter_map(|op| op.complete).max();
                let left = brute::part(&ops, &part, end);
                assert!(
                    !brute::linearizable(object, &left, failed_cas == FailedCas::Observed),
                    "{model} seed {seed}: {shown:?}\n{}",
                    tale()
                );
            }
        }
    }
    println!("{model}: {good} good, {bad} bad");
    assert!(good * 20 > rounds() && bad * 20 > rounds(), "{model}: {good} good, {bad} bad");
}

#[test]
fn registers() {
    agree(Object::Register, ModelName::CasRegister, FailedCas::Observed);
    agree(Object::Register, ModelName::CasRegister, FailedCas::DidNotHappen);
}

#[test]
fn registers_with_unique_writes() {
    agree(Object::Unique, ModelName::Register, FailedCas::DidNotHappen);
}

#[test]
fn several_registers() {
    agree(Object::Registers, ModelName::MultiRegister, FailedCas::DidNotHappen);
}

#[test]
fn texts() {
    agree(Object::Text, ModelName::Kv, FailedCas::DidNotHappen);
}

#[test]
fn locks() {
    agree(Object::Mutex, ModelName::Mutex, FailedCas::DidNotHappen);
    agree(Object::Reentrant, ModelName::ReentrantLock, FailedCas::DidNotHappen);
    agree(Object::Fenced, ModelName::FencedLock, FailedCas::DidNotHappen);
}

#[test]
fn sets() {
    agree(Object::Set, ModelName::Set, FailedCas::DidNotHappen);
    agree(Object::WholeSet, ModelName::Set, FailedCas::DidNotHappen);
    agree(Object::GrowSet, ModelName::Set, FailedCas::DidNotHappen);
}

#[test]
fn queues_and_stacks() {
    agree(Object::Queue, ModelName::FifoQueue, FailedCas::DidNotHappen);
    agree(Object::UniqueQueue, ModelName::FifoQueue, FailedCas::DidNotHappen);
    agree(Object::Unordered, ModelName::UnorderedQueue, FailedCas::DidNotHappen);
    agree(Object::Stack, ModelName::Stack, FailedCas::DidNotHappen);
}

#[test]
fn counters_and_leases() {
    agree(Object::Counter, ModelName::Counter, FailedCas::DidNotHappen);
    agree(Object::Lease, ModelName::Lease, FailedCas::DidNotHappen);
}
