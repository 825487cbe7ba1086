//! The story of a shrunk run, and its drawing.
#![allow(clippy::unwrap_used)]

mod common;

use reports::tale;

#[test]
fn a_story_is_told_line_by_line() {
    let sample = common::told::ghost("session-1");
    insta::assert_snapshot!(tale::text(sample.facts.tale.as_ref().unwrap()));
}

#[test]
fn the_drawing_has_what_matters_and_nothing_else() {
    let sample = common::told::ghost("session-1");
    let diagram = &sample.facts.tale.as_ref().unwrap().diagram;
    let lanes: Vec<&str> = diagram.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(lanes, ["client 0", "client 1", "session-1", "data-1", "meta-1"]);
    let labels: Vec<&str> = diagram.arrows.iter().map(|arrow| arrow.label.as_str()).collect();
    assert!(labels.contains(&"orders/checkout is v1.1 [10.0.0.1:9000#1]"), "{labels:?}");
    assert!(!labels.iter().any(|label| label.contains("heartbeat of life")), "{labels:?}");
    assert!(!labels.iter().any(|label| label.contains("10.0.0.9")), "another dataId: {labels:?}");
    let lost = diagram.arrows.iter().filter(|arrow| arrow.arrives.is_none()).count();
    assert_eq!(lost, 2, "the request, and a heartbeat as an example: {labels:?}");
    assert_eq!(diagram.bars.len(), 1);
    let file = reports::html::spacetime(diagram, "a ghost");
    assert!(file.starts_with("<svg xmlns=") && file.trim_end().ends_with("</svg>"));
    assert_eq!(file.matches("class=\"st-lost\"").count(), 2);
}

#[test]
fn a_run_without_violation_has_no_story() {
    let sample = common::rich::pass(100);
    assert!(tale::tell(&sample.run(), &[], "").is_none());
}
