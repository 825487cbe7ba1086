//! The summary in the terminal, whole.
#![allow(clippy::unwrap_used)]

mod common;

use checkers::Verdict;
use reports::terminal;

fn shown(sample: &common::Sample1) -> String {
    format!("{}{}", terminal::opening(&sample.run(), false), terminal::summary(&sample.run(), false))
}

#[test]
fn a_run_that_passes() {
    insta::assert_snapshot!(shown(&common::pass()));
}

#[test]
fn a_run_that_fails() {
    insta::assert_snapshot!(shown(&common::violation()));
}

#[test]
fn a_run_that_saw_too_little() {
    insta::assert_snapshot!(shown(&common::inconclusive()));
}

#[test]
fn colour_only_adds() {
    for sample in [common::pass(), common::violation(), common::inconclusive()] {
        let coloured = terminal::opening(&sample.run(), true) + &terminal::summary(&sample.run(), true);
        assert!(coloured.contains("\u{1b}["));
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, shown(&sample));
    }
}

#[test]
fn no_escape_sequence_of_a_history_reaches_the_terminal() {
    let shown = shown(&common::hostile());
    assert!(shown.contains("\\u{1b}[31m") && shown.contains("\\u{202e}"));
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
}

#[test]
fn a_bare_history_without_anything_is_told_too() {
    let mut sample = common::pass();
    sample.events.clear();
    sample.report.checks.clear();
    sample.report.convergence = None;
    sample.report.verdict = Verdict::Inconclusive;
    sample.facts = reports::RunFacts::default();
    let shown = terminal::summary(&sample.run(), false);
    assert_eq!(shown, "INCONCLUSIVE\nfaults: none\n");
}
