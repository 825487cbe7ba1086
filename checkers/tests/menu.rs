//! The rest of the menu: tiny literal histories, good and bad, and recorded ones where they are beside the project.
#![allow(clippy::unwrap_used)]

use checkers::Verdict;
use checkers::menu::{MenuName, Tally, check};
use history::calls::{Format, read, read_from};
use std::path::Path;

fn judge(name: MenuName, text: &str) -> Tally {
    check(&read_from(text.as_bytes(), Format::Edn, Path::new("h")).unwrap(), name)
}

/// A history of calls one after the other: (function, input, type, output).
fn calls(calls: &[(&str, &str, &str, &str)]) -> String {
    let one = |(f, input, kind, output): &(&str, &str, &str, &str)| {
        format!(
            "{{:process 0 :type :invoke :f :{f} :value {input}}} {{:process 0 :type :{kind} :f :{f} :value {output}}}\n"
        )
    };
    calls.iter().map(one).collect()
}

/// Anomalies, each with its count, or the reason.
fn found(name: MenuName, list: &[(&str, &str, &str, &str)]) -> String {
    let tally = judge(name, &calls(list));
    let anomalies: Vec<String> = tally.anomalies.iter().map(|(name, count)| format!("{name} {count}")).collect();
    match tally.verdict() {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Violation => anomalies.join(", "),
        _ => "inconclusive".to_owned(),
    }
}

#[test]
fn banks() {
    let read = |balances| ("read", "nil", "ok", balances);
    let transfer = ("transfer", "{:from 0 :to 1 :amount 3}", "ok", "{:from 0 :to 1 :amount 3}");
    assert_eq!(found(MenuName::Bank, &[read("{0 10 1 0}"), transfer, read("{0 7 1 3}")]), "pass");
    assert_eq!(found(MenuName::Bank, &[read("{0 10 1 0}"), read("{0 7 1 0}")]), "wrong-total 1");
    assert_eq!(found(MenuName::Bank, &[read("{0 10 1 0}"), read("{0 11 1 -1}")]), "negative-value 1");
    assert_eq!(found(MenuName::Bank, &[read("{0 nil}")]), "nil-balance 1");
    assert_eq!(found(MenuName::Bank, &[transfer]), "inconclusive");
}

#[test]
fn long_forks() {
    let read = |seen| ("read", "[[:r 0 nil] [:r 1 nil]]", "ok", seen);
    assert_eq!(found(MenuName::LongFork, &[read("[[:r 0 1] [:r 1 nil]]"), read("[[:r 1 1] [:r 0 1]]")]), "pass");
    assert_eq!(
        found(MenuName::LongFork, &[read("[[:r 0 1] [:r 1 nil]]"), read("[[:r 1 1] [:r 0 nil]]")]),
        "long-fork 1"
    );
    assert_eq!(
        found(MenuName::LongFork, &[read("[[:r 0 1] [:r 1 nil]]"), read("[[:r 0 2] [:r 1 nil]]")]),
        "inconclusive"
    );
}

#[test]
fn full_sets() {
    let (add, maybe) = (("add", "1", "ok", "1"), ("add", "2", "info", "2"));
    let read = |seen| ("read", "nil", "ok", seen);
    assert_eq!(found(MenuName::SetFull, &[add, read("[1]")]), "pass");
    assert_eq!(found(MenuName::SetFull, &[add, maybe, read("#{1}")]), "pass");
    assert_eq!(found(MenuName::SetFull, &[add, read("[]"), read("[1]")]), "pass", "late, but there to stay");
    assert_eq!(found(MenuName::SetFull, &[add, read("[1]"), read("[]")]), "lost 1");
    assert_eq!(found(MenuName::SetFull, &[add, maybe, read("[1 2]"), read("[1]")]), "lost 1");
    assert_eq!(found(MenuName::SetFull, &[add, read("[1 1]")]), "duplicated 1");
    assert_eq!(found(MenuName::SetFull, &[add]), "inconclusive");
}

#[test]
fn total_queues() {
    let put = |value| ("enqueue", value, "ok", value);
    let take = |value| ("dequeue", "nil", "ok", value);
    let drain = |values| ("drain", "nil", "ok", values);
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), put("2"), take("2"), drain("[1]")]), "pass");
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), put("2"), drain("[2]")]), "lost 1");
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), drain("[1 3]")]), "unexpected 1");
    assert_eq!(found(MenuName::TotalQueue, &[("enqueue", "1", "info", "1"), drain("[]")]), "pass");
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), ("dequeue", "nil", "info", "nil")]), "inconclusive");
}

#[test]
fn ids() {
    let id = |id| ("generate", "nil", "ok", id);
    assert_eq!(found(MenuName::UniqueIds, &[id("1"), id("\"1\""), id("2")]), "pass");
    assert_eq!(found(MenuName::UniqueIds, &[id("1"), id("2"), id("1")]), "duplicate 1");
    assert_eq!(found(MenuName::UniqueIds, &[]), "inconclusive");
}

#[test]
fn recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/elle-cli/jepsen");
    if !folder.is_dir() {
        println!("skipped: recorded: ../shared/corpora is missing");
        return;
    }
    let cases = [
        ("bank.edn", MenuName::Bank, Verdict::Pass),
        ("bank.json", MenuName::Bank, Verdict::Pass),
        ("bank-neg.edn", MenuName::Bank, Verdict::Pass),
        ("bank-tidb.edn", MenuName::Bank, Verdict::Violation),
        ("bank-negative-balances.json", MenuName::Bank, Verdict::Violation),
        ("long-fork.edn", MenuName::LongFork, Verdict::Violation),
        ("set_full.edn", MenuName::SetFull, Verdict::Violation),
        ("set_full.json", MenuName::SetFull, Verdict::Violation),
        ("set.edn", MenuName::SetFull, Verdict::Pass),
    ];
    for (file, name, expected) in cases {
        let tally = check(&read(&folder.join(file), None).unwrap(), name);
        assert_eq!(tally.verdict(), expected, "{file}: {tally:?}");
    }
}
