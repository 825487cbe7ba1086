//! One smallest history for each anomaly of transactions, and the history beside it that just has it not.
#![allow(clippy::unwrap_used)]

#[path = "../benches/store/mod.rs"]
mod store;
mod txn_support;

use checkers::Verdict;
use checkers::linearizability::Limits;
use checkers::transactions::{ConsistencyModel, Judgement, KeyOrder, Options, Workload, check};
use history::calls::Format;
use std::path::Path;
use store::Load;
use txn_support::{history, judge};

fn append(lines: &[&str]) -> Judgement {
    judge(&history(lines), &Options::new(Workload::ListAppend))
}

/// Name, a history, its anomalies, and the weakest models that it rules out.
type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

const LISTS: [Case<'_>; 28] = [
    ("all is well", &["0 0-1 ok ax1", "0 2-3 ok rx1 ax2", "1 4-5 ok rx12"], &[], &[]),
    (
        "two write in circles",
        &["0 0-9 ok ax1 ay1", "1 1-8 ok ax2 ay2", "2 10-11 ok rx12 ry21"],
        &["G0"],
        &["causal", "read-uncommitted"],
    ),
    ("writes after writes", &["0 0-9 ok ax1 ay1", "1 1-8 ok ax2 ay2", "2 10-11 ok rx12 ry12"], &[], &[]),
    ("a read of what failed", &["0 0-1 fail ax1", "1 2-3 ok rx1"], &["G1a"], &["causal", "read-committed"]),
    ("a read of what may have happened", &["0 0-1 info ax1", "1 2-3 ok rx1"], &[], &[]),
    ("a read of what nobody wrote", &["0 0-1 ok rx1"], &["unwritten-element"], &["causal", "read-committed"]),
    (
        "a read in between",
        &["0 0-9 ok ax1 ax2", "1 1-8 ok rx1"],
        &["G-single-item", "G1b"],
        &["causal", "read-committed"],
    ),
    ("a read at the end", &["0 0-9 ok ax1 ax2", "1 1-8 ok rx12"], &[], &[]),
    (
        "a write and a read in circles",
        &["0 0-9 ok ax1 ry1", "1 1-8 ok ax2 ay1", "2 10-11 ok rx12"],
        &["G1c"],
        &["causal", "read-committed"],
    ),
    (
        "a fractured read",
        &["0 0-9 ok ax1 ay1", "1 1-8 ok rx1 ry"],
        &["G-single-item", "causal-cycle", "monotonic-view-cycle", "read-atomic-cycle"],
        &["causal", "monotonic-view", "read-atomic", "repeatable-read"],
    ),
    (
        "two forks are seen in two orders",
        &["0 0-9 ok ax1", "1 1-8 ok ay1", "2 2-7 ok rx1 ry", "3 3-6 ok rx ry1"],
        &["G-nonadjacent-item", "prefix-cycle"],
        &["prefix", "repeatable-read"],
    ),
    ("write skew", &["0 0-9 ok rx ay1", "1 1-8 ok ry ax1", "2 10-11 ok rx1 ry1"], &["G2-item"], &["repeatable-read"]),
    (
        "lost update",
        &["0 0-9 ok rx ax1", "1 1-8 ok rx ax2", "2 10-11 ok rx12"],
        &["G-single-item", "lost-update"],
        &["cursor-stability", "update-atomic"],
    ),
    ("update after update", &["0 0-9 ok rx ax1", "1 1-8 ok rx1 ax2", "2 10-11 ok rx12"], &[], &[]),
    (
        "a stale read in a process",
        &["0 0-1 ok ax1", "0 2-3 ok rx", "1 4-5 ok rx1"],
        &["G-single-item-process", "causal-cycle"],
        &["causal"],
    ),
    (
        "a stale read",
        &["0 0-1 ok ax1", "1 2-3 ok rx", "1 4-5 ok rx1"],
        &["G-single-item-realtime"],
        &["strong-snapshot-isolation"],
    ),
    ("a read that is not stale", &["0 0-3 ok ax1", "1 1-2 ok rx", "1 4-5 ok rx1"], &[], &[]),
    ("a lost append", &["0 0-1 ok ax1", "1 2-3 ok rx"], &["G-single-item-realtime"], &["strong-snapshot-isolation"]),
    ("an append that may never come", &["0 0-1 info ax1", "1 2-3 ok rx"], &[], &[]),
    (
        "writes against time",
        &["0 0-1 ok ax1", "1 2-3 ok ax2", "2 4-5 ok rx21"],
        &["G0-realtime"],
        &["strong-read-uncommitted"],
    ),
    (
        "writes against a process",
        &["0 0-1 ok ax1", "0 2-3 ok ax2", "2 4-5 ok rx21"],
        &["G0-process"],
        &["causal", "strong-session-read-uncommitted"],
    ),
    (
        "orders that contradict",
        &["0 0-9 ok ax1", "1 1-9 ok ax2", "2 2-9 ok rx12", "3 3-9 ok rx21"],
        &["incompatible-order"],
        &["causal", "read-committed"],
    ),
    (
        "half of what one transaction appended",
        &["0 0-9 ok ax1 ax2", "1 10-11 ok rx2"],
        &["G-single-item", "incompatible-order"],
        &["causal", "read-committed"],
    ),
    ("twice in a list", &["0 0-9 ok ax1", "1 1-8 ok rx11"], &["duplicate-elements"], &["read-uncommitted"]),
    (
        "an update of what failed",
        &["0 0-9 fail ax1", "1 1-8 ok ax2", "2 10-11 ok rx12"],
        &["G1a", "dirty-update"],
        &["causal", "read-committed"],
    ),
    (
        "it forgets what it read",
        &["0 0-1 ok ax1", "1 2-3 ok rx1 ax2 rx2"],
        &["incompatible-order", "internal"],
        &["causal", "read-committed"],
    ),
    ("it sees its future", &["0 0-1 ok rx1 ax1"], &["future-read"], &["causal", "read-committed"]),
    (
        "a cycle of four with two reads apart, in processes",
        &["0 0-1 ok ax1", "0 2-3 ok ry", "1 0-1 ok ay1", "1 2-3 ok rx"],
        &["G-nonadjacent-item-process", "G-single-item-realtime"],
        &["strong-session-snapshot-isolation"],
    ),
];

/// What is not as expected.
fn compare(name: &str, judgement: &Judgement, anomalies: &[&str], weakest: &[&str]) -> Option<String> {
    let found: Vec<&str> = judgement.anomalies.keys().copied().collect();
    let expected = if weakest.is_empty() { Verdict::Pass } else { Verdict::Violation };
    let right = found == anomalies && judgement.weakest == weakest && judgement.verdict == expected;
    let told: Vec<&str> = judgement.findings.iter().map(|finding| finding.sentence.as_str()).collect();
    let (got, reason) = (&judgement.weakest, &judgement.reason);
    (!right).then(|| format!("{name}: {:?} {found:?}, not {got:?}, {reason:?}: {told:?}", judgement.verdict))
}

#[test]
fn lists() {
    let wrong: Vec<String> = LISTS
        .iter()
        .filter_map(|(name, lines, anomalies, weakest)| compare(name, &append(lines), anomalies, weakest))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// As above, with the options that the case needs: `k` for sequential keys, `l` for linearizable ones, `f` for writes that follow reads.
type RegisterCase<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

const REGISTERS: [RegisterCase<'_>; 20] = [
    ("all is well", "", &["0 0-1 ok wx1", "0 2-3 ok sx1 wx2", "1 4-5 ok sx2"], &[], &[]),
    ("a value from before", "", &["0 0-1 ok wx1", "0 2-3 ok sx2", "0 4-5 ok sx1"], &["unwritten-value"], &[]),
    ("a read of what failed", "", &["0 0-1 fail wx1", "1 2-3 ok sx1"], &["G1a"], &["causal", "read-committed"]),
    ("a read of what may have happened", "", &["0 0-1 info wx1", "1 2-3 ok sx1"], &[], &[]),
    ("a read in between", "", &["0 0-9 ok wx1 wx2", "1 1-8 ok sx1"], &["G1b"], &["causal", "read-committed"]),
    (
        "two read from each other",
        "",
        &["0 0-9 ok wx1 sy1", "1 1-8 ok wy1 sx1"],
        &["G1c"],
        &["causal", "read-committed"],
    ),
    ("it forgets what it wrote", "", &["0 0-9 ok wx1 sx"], &["internal"], &["causal", "read-atomic"]),
    ("it sees its future", "", &["0 0-9 ok sx1 wx1"], &["future-read"], &["causal", "read-committed"]),
    (
        "a fractured read",
        "",
        &["0 0-9 ok wx1 wy1", "1 1-8 ok sx1 sy"],
        &["G-single-item", "causal-cycle", "monotonic-view-cycle", "read-atomic-cycle"],
        &["causal", "monotonic-view", "read-atomic", "repeatable-read"],
    ),
    (
        "two forks are seen in two orders",
        "",
        &["0 0-9 ok wx1", "1 1-8 ok wy1", "2 2-7 ok sx1 sy", "3 3-6 ok sx sy1"],
        &["G-nonadjacent-item", "prefix-cycle"],
        &["prefix", "repeatable-read"],
    ),
    ("write skew", "", &["0 0-9 ok sx wy1", "1 1-8 ok sy wx1"], &["G2-item"], &["repeatable-read"]),
    (
        "lost update",
        "",
        &["0 0-9 ok sx wx1", "1 1-8 ok sx wx2"],
        &["G2-item", "lost-update"],
        &["cursor-stability", "update-atomic"],
    ),
    ("a stale read", "", &["0 0-1 ok wx1", "1 2-3 ok sx"], &["G-single-item-realtime"], &["strong-snapshot-isolation"]),
    ("a write that may never come", "", &["0 0-1 info wx1", "1 2-3 ok sx"], &[], &[]),
    (
        "an old version after a new one",
        "l",
        &["0 0-1 ok wx1", "0 2-3 ok wx2", "1 4-5 ok sx1"],
        &["cyclic-versions"],
        &["read-uncommitted"],
    ),
    (
        "a process that goes back",
        "k",
        &["0 0-9 ok wx1", "1 1-9 ok wx2", "2 2-3 ok sx1", "2 4-5 ok sx2", "2 6-7 ok sx1"],
        &["causal-cycle", "cyclic-versions"],
        &["causal", "read-uncommitted"],
    ),
    (
        "writes over what was read, in circles",
        "f",
        &["0 0-9 ok sx1 wx2", "1 1-8 ok sx2 wx1"],
        &["G1c", "cyclic-versions"],
        &["causal", "read-uncommitted"],
    ),
    (
        "a process that misses an update",
        "k",
        &["0 0-1 ok wx1", "0 2-3 ok wx2 wy1", "1 4-5 ok sy1 sx1"],
        &["G-single-item", "causal-cycle", "monotonic-view-cycle", "read-atomic-cycle"],
        &["causal", "monotonic-view", "read-atomic", "repeatable-read"],
    ),
    (
        "no order of versions does",
        "",
        &["0 0-1 ok wx1", "1 2-3 ok wx2", "2 4-5 ok sx1"],
        &["unorderable-versions"],
        &["strict-serializable"],
    ),
    ("an order of versions does", "", &["0 0-9 ok wx1", "1 1-8 ok wx2", "2 10-11 ok sx1"], &[], &[]),
];

#[test]
fn registers() {
    let mut wrong = Vec::new();
    for (name, keys, lines, anomalies, weakest) in REGISTERS {
        let order = match keys {
            "k" => Some(KeyOrder::Sequential),
            "l" => Some(KeyOrder::Linearizable),
            _ => None,
        };
        let base = Options::new(Workload::RwRegister);
        let judgement = judge(&history(lines), &Options { keys: order, writes_follow_reads: keys == "f", ..base });
        wrong.extend(compare(name, &judgement, anomalies, weakest));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a model permits is told and no violation.
#[test]
fn a_model_permits_what_it_does_not_forbid() {
    let skew = history(&["0 0-9 ok rx ay1", "1 1-8 ok ry ax1", "2 10-11 ok rx1 ry1"]);
    let verdict = |model: &str| {
        let options = Options { model: model.parse().unwrap(), ..Options::new(Workload::ListAppend) };
        let judgement = judge(&skew, &options);
        assert_eq!(judgement.anomalies.get("G2-item"), Some(&1), "{model}");
        judgement.verdict
    };
    for model in ["serializable", "repeatable-read", "strict-serializable", "PL-3"] {
        assert_eq!(verdict(model), Verdict::Violation, "{model}");
    }
    for model in ["snapshot-isolation", "read-committed", "read-atomic", "causal", "prefix", "monotonic-view"] {
        assert_eq!(verdict(model), Verdict::Pass, "{model}");
    }
    for model in ["linearizable", "update-serializable"] {
        assert_eq!(verdict(model), Verdict::Inconclusive, "{model}");
    }
    assert!("serialisable".parse::<ConsistencyModel>().is_err());
}

/// What says nothing is inconclusive, what is no history of transactions is refused.
#[test]
fn nothing_is_guessed() {
    assert_eq!(append(&[]).verdict, Verdict::Inconclusive);
    assert_eq!(append(&["0 0-1 info ax1"]).verdict, Verdict::Inconclusive);
    let twice = append(&["0 0-1 ok ax1", "1 2-3 ok ax1"]);
    assert_eq!(twice.verdict, Verdict::Inconclusive);
    assert_eq!(twice.reason.unwrap(), "1 is appended to key x twice; each value is to be appended to a key once");
    let over = || true;
    let calls = history(&["0 0-1 ok ax1", "1 2-3 ok rx1"]);
    let options = Options::new(Workload::ListAppend);
    let stopped = check(&calls, &options, &Limits::none(&over)).unwrap();
    assert_eq!(stopped.verdict, Verdict::Inconclusive);
    let why = "the time limit was reached while cycles of the kind G0 were looked for; anomalies may be left";
    assert_eq!((stopped.reason.as_deref(), stopped.reached), (Some(why), Some(0)));
    let registers = check(&calls, &Options::new(Workload::RwRegister), &Limits::none(&|| false));
    assert_eq!(
        registers.unwrap_err().to_string(),
        "a part of a transaction of this model is :w or :r (entry 1 of the history)"
    );
}

/// Each independent key is a history of its own: what contradicts itself over two of them does not.
#[test]
fn independent_keys_are_apart() {
    let read = |text: &str| history::calls::read_from(text.as_bytes(), Format::Edn, Path::new("h")).unwrap();
    let text = |key: &str, seen: &str| {
        format!(
            "{{:process 0, :type :invoke, :f :txn, :key 1, :value [[:append x 1]]}}
             {{:process 0, :type :ok, :f :txn, :key 1, :value [[:append x 1]]}}
             {{:process 1, :type :invoke, :f :txn, :key {key}, :value [[:r x nil]]}}
             {{:process 1, :type :ok, :f :txn, :key {key}, :value [[:r x {seen}]]}}"
        )
    };
    let judge = |text: &str| judge(&read(text), &Options::new(Workload::ListAppend));
    assert_eq!(judge(&text("1", "[1]")).verdict, Verdict::Pass);
    assert_eq!(judge(&text("2", "[]")).verdict, Verdict::Pass);
    let late = judge(&text("1", "[]"));
    assert_eq!((late.verdict, late.transactions, late.keys), (Verdict::Violation, 2, 1));
    let strange = judge(&text("2", "[1]"));
    assert_eq!((strange.verdict, strange.transactions, strange.keys), (Verdict::Violation, 2, 2));
    assert_eq!(strange.anomalies.keys().collect::<Vec<_>>(), [&"unwritten-element"]);
    assert_eq!(strange.findings[0].key.as_deref(), Some("2"));
    let over = || true;
    let two = read(&text("2", "[]"));
    let stopped = check(&two, &Options::new(Workload::ListAppend), &Limits::none(&over)).unwrap();
    assert_eq!((stopped.verdict, stopped.reached), (Verdict::Inconclusive, Some(0)));
    assert!(stopped.reason.unwrap().starts_with("key 1: the time limit was reached"));
}

/// Outcomes that nobody knows are no reason not to know whether a store kept what it promised.
#[test]
fn unknown_outcomes_leave_an_order() {
    let load = Load {
        isolation: store::Isolation::Snapshot,
        lists: true,
        transactions: 20_000,
        processes: 10,
        keys: 20,
        writes_max: 32,
        unknown_permille: 10,
        seed: 1,
    };
    for model in ["snapshot-isolation", "strong-session-snapshot-isolation", "strong-snapshot-isolation"] {
        let options = Options { model: model.parse().unwrap(), ..Options::new(Workload::ListAppend) };
        let judgement = judge(&load.calls(), &options);
        assert_eq!(judgement.verdict, Verdict::Pass, "{model}: {:?}", judgement.reason);
    }
}

/// A cycle is told edge by edge.
#[test]
fn a_cycle_is_told() {
    let judgement = append(&["0 0-9 ok ax1 ay1", "1 1-8 ok ax2 ry", "2 10-11 ok rx12 ry1"]);
    let cycle = judgement.findings[0].cycle.clone().unwrap();
    let steps: Vec<&str> = cycle.steps.iter().map(|step| step.sentence.as_str()).collect();
    let expected = [
        "T1 read key y as [], without 1, which T2 appended to it, so T1 precedes T2",
        "T2 appended 1 to key x, and T1 appended 2 after it, so T2 precedes T1",
    ];
    assert_eq!(steps, expected);
    assert_eq!(cycle.transactions[0].text, "append x 2, read y []");
}

/// A store keeps what it promises, and shows what it does not.
#[test]
fn stores_of_known_isolation() {
    use store::Isolation::{ReadCommitted, ReadUncommitted, Snapshot, StrictSerializable};
    let base = Load {
        isolation: StrictSerializable,
        lists: true,
        transactions: 3_000,
        processes: 8,
        keys: 6,
        writes_max: 20,
        unknown_permille: 20,
        seed: 0,
    };
    let levels = [
        (StrictSerializable, "strict-serializable", ""),
        (Snapshot, "strong-snapshot-isolation", "G2-item"),
        (ReadCommitted, "read-committed", "G-single-item"),
        (ReadUncommitted, "read-uncommitted", "G1a"),
    ];
    for (isolation, model, anomaly) in levels {
        for (seed, lists) in [(1, true), (2, true), (3, false), (4, false)] {
            let calls = Load { isolation, seed, lists, ..base }.calls();
            let workload = if lists { Workload::ListAppend } else { Workload::RwRegister };
            let keys = (!lists && isolation == StrictSerializable).then_some(KeyOrder::Linearizable);
            let options = Options { keys, model: model.parse().unwrap(), ..Options::new(workload) };
            let judgement = judge(&calls, &options);
            let named = format!("{isolation:?} {workload} {seed}: {:?} {:#?}", judgement.reason, judgement.anomalies);
            // Registers do not always tell enough; they never tell anything wrong.
            let enough = lists || isolation == StrictSerializable;
            assert!(
                judgement.verdict == Verdict::Pass || !enough && judgement.verdict == Verdict::Inconclusive,
                "{named}"
            );
            println!("{named}");
            if lists {
                assert!(anomaly.is_empty() || judgement.anomalies.contains_key(anomaly), "{named}");
                let strict = judge(&calls, &Options::new(workload));
                assert_eq!(strict.verdict == Verdict::Pass, anomaly.is_empty(), "{named}");
            }
        }
    }
}

/// Recorded histories with known verdicts, where they are beside the project.
#[test]
fn corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/elle-cli/elle");
    if !folder.is_dir() {
        println!("skipped: corpus: ../shared/corpora is missing");
        return;
    }
    let cases = [
        ("paper-example.edn", Workload::ListAppend, "strict-serializable", Verdict::Violation),
        ("paper-example.json", Workload::ListAppend, "strict-serializable", Verdict::Violation),
        ("list-append-gh-30.edn", Workload::ListAppend, "serializable", Verdict::Violation),
        ("rw-register.edn", Workload::RwRegister, "strict-serializable", Verdict::Pass),
        ("rw-register.json", Workload::RwRegister, "strict-serializable", Verdict::Pass),
    ];
    for (file, workload, model, expected) in cases {
        let calls = history::calls::read(&folder.join(file), None).unwrap();
        let judgement = judge(&calls, &Options { model: model.parse().unwrap(), ..Options::new(workload) });
        assert_eq!(judgement.verdict, expected, "{file}: {judgement:#?}");
    }
}
