//! When a verdict counts: too little seen, faults that did not bite, tighter bounds, calibrated bounds, whole evidence.
#![allow(clippy::unwrap_used)]

mod support;

use checkers::{Kind, Verdict, calibrate, check};
use support::{contract, events, header, options};

/// c0 publishes `a` at 1-2; c1 is subscribed from 3-4.
const START: &str = "
    0 c0 connected n0 s0
    0 c1 connected n1 s1
    1 c0 publish d0 a ok 2
    3 c1 subscribe d0 ok 4
";

#[test]
fn too_little_is_inconclusive() {
    let judged = |text: &str| check(&header(contract()), &events(&format!("{START}{text}")), &options());
    let good = "5 c1 push d0 a \n 50 c1 ping ok 51";
    assert_eq!(judged(good).verdict, Verdict::Pass, "{:?}", judged(good).reasons);
    assert_eq!(judged("5 c1 unsubscribe d0 ok 6").verdict, Verdict::Inconclusive);
    // Most of the time anything was allowed.
    assert_eq!(judged("5 c1 push d0 a \n 6 fault pause n0 - \n 90 c1 ping ok 91").verdict, Verdict::Inconclusive);
    let mut few = options();
    few.operations_min = 20;
    let report = check(&header(contract()), &events(&format!("{START}{good}")), &few);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(report.reasons[0].contains("operations"), "{:?}", report.reasons);
    // An incomplete history, final reads that are missing, a bound on the work.
    let mut cut = events(&format!("{START}{good}"));
    cut.pop();
    assert_eq!(check(&header(contract()), &cut, &options()).verdict, Verdict::Inconclusive);
    let mut wants = header(contract());
    wants.final_reads = 1;
    assert_eq!(check(&wants, &events(&format!("{START}{good}")), &options()).verdict, Verdict::Inconclusive);
    few = options();
    few.steps_max = 1;
    let report = check(&header(contract()), &events(&format!("{START}{good}")), &few);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    // Pinned publishers that need not be there for most of the chaos.
    let mut pinned = header(contract());
    pinned.pinned = vec![0];
    let chaos = |t: u32| {
        format!("{START} 5 c1 push d0 a \n 10 phase chaos \n {t} c0 lost \n 100 phase heal \n 101 c1 ping ok 101")
    };
    assert_eq!(check(&pinned, &events(&chaos(40)), &options()).reasons, Vec::<String>::new());
    assert_eq!(check(&pinned, &events(&chaos(20)), &options()).reasons.len(), 1);
}

#[test]
fn faults_must_bite() {
    let text = format!("{START} 5 c1 push d0 a \n 10 fault pause n0 12 \n 80 c1 ping ok 81");
    let mut list = events(&text);
    assert_eq!(check(&header(contract()), &list, &options()).verdict, Verdict::Pass);
    for event in &mut list {
        if let history::Event::Fault(fault) = event {
            fault.effect = None;
        }
    }
    let report = check(&header(contract()), &list, &options());
    assert_eq!(
        (report.verdict, report.reasons),
        (Verdict::Inconclusive, vec!["the only fault did not bite".to_owned()])
    );
    // One that goes on where the history breaks off may have bitten; that the history breaks off is said.
    list.retain(|event| match event {
        history::Event::Fault(fault) => fault.stage == history::FaultStage::Start,
        history::Event::Phase(phase) => phase.name != history::PhaseName::End,
        _ => true,
    });
    let report = check(&header(contract()), &list, &options());
    let said = |part: &str| report.reasons.iter().any(|reason| reason.contains(part));
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(said("does not reach the end") && !said(" bite"), "{:?}", report.reasons);
}

#[test]
fn tighter_bounds_find_more() {
    let list = events(&format!("{START} 5 c1 push d0 a \n 20 c0 publish d0 b ok 22 \n 30 c1 push d0 b"));
    assert_eq!(check(&header(contract()), &list, &options()).verdict, Verdict::Pass);
    let strict = checkers::Options { divisor: 4, ..options() };
    assert_eq!(check(&header(contract()), &list, &strict).verdict, Verdict::Violation);
}

#[test]
fn evidence_is_complete() {
    let text = format!("{START} 5 c1 push d0 a \n 20 fault pause n1 21 \n 60 c1 push d0 v9");
    let report = check(&header(contract()), &events(&text), &options());
    let completeness = report.checks.iter().find(|c| c.checker == "completeness").unwrap();
    let found = &completeness.examples[0];
    assert_eq!(found.kind, Kind::Incomplete);
    assert_eq!(found.missing, vec!["a"]);
    assert_eq!(found.expected, vec!["a"]);
    assert!(found.shown.is_empty() && found.extra.is_empty());
    assert_eq!((found.version, found.role.as_str(), found.client), (Some(9), "churning", Some(1)));
    let trail: Vec<&str> = found.trail.iter().map(|t| t.what.as_str()).collect();
    assert_eq!(trail, vec!["connected", "publish"]);
    assert!(found.sentence.contains("a missing"), "{}", found.sentence);
    assert_eq!(found.explained, "by no instant in the last 10 ms");
}

#[test]
fn one_value_stands_for_a_registration_of_which_several_are_possible() {
    // Whether `b` was published nobody knows, so either value is right, and nothing is not.
    let text = format!("{START} 5 c1 push d0 a \n 20 c0 publish d0 b info 22 \n 60 c1 push d0");
    let report = check(&header(contract()), &events(&text), &options());
    let completeness = report.checks.iter().find(|c| c.checker == "completeness").unwrap();
    let found = &completeness.examples[0];
    assert_eq!(
        (&found.kind, &found.missing, &found.expected),
        (&Kind::Incomplete, &vec!["b".into()], &vec!["b".into()])
    );
    // A publisher that is shown as it may be is as expected.
    let text = format!("{text} \n 61 c2 publish d0 c ok 62 \n 63 c1 push d0 a c \n 90 c1 push d0 a");
    let report = check(&header(contract()), &events(&text), &options());
    let completeness = report.checks.iter().find(|c| c.checker == "completeness").unwrap();
    let found = completeness.examples.iter().find(|found| found.time > 80_000_000).unwrap();
    assert_eq!((&found.missing, &found.expected), (&vec!["c".into()], &vec!["a".into(), "c".into()]));
}

/// A change every ten milliseconds, each seen 2 ms later, then a fault.
fn changes(count: u32) -> String {
    let one = |n: u32| {
        let at = 10 + 10 * n;
        format!("{at} c0 publish d0 b{n} ok {} \n {} c1 push d0 b{n} \n", at + 1, at + 3)
    };
    let all: String = (0..count).map(one).collect();
    let fault = 10 * count + 20;
    format!(
        "{START} 5 c1 push d0 a \n {all} {fault} fault pause n0 {} \n {} c1 ping ok {}",
        fault + 5,
        fault + 90,
        fault + 91
    )
}

#[test]
fn calibrated_bounds_are_twice_what_the_calm_before_the_first_fault_needed() {
    let mut header = header(contract());
    let list = events(&changes(120));
    assert_eq!(calibrate(&header, &list, &options()), header.contract, "only where asked for");
    header.contract.calibrated = true;
    let bound = calibrate(&header, &list, &options());
    assert!(header.contract.visible_ms_max > 4);
    assert_eq!((bound.visible_ms_max, bound.recovered_ms_max), (4, 4));
    // The limits stay limits, and too few samples tell nothing.
    header.contract.visible_ms_max = 3;
    assert_eq!(calibrate(&header, &list, &options()).visible_ms_max, 3);
    header.contract.visible_ms_max = 10;
    assert_eq!(calibrate(&header, &events(&changes(50)), &options()).visible_ms_max, 10);
}
