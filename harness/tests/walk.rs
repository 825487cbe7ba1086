//! Looking into a run: standing still changes nothing, and what is shown is what was.
#![allow(clippy::unwrap_used)]

mod common;

use checkers::Options;
use common::{Scratch, refused, run, run_json, upheaval};
use harness::attempt::attempt;
use harness::plan::Plan;
use harness::scenario::Scenario;
use harness::walk::{Goal, Item, walk};
use history::MILLI;
use std::io::Write;
use std::process::Stdio;

fn plan(seed: u64) -> Plan {
    let (scenario, _) = Scenario::load("registry-failover", &[]).unwrap();
    Plan::draw(&scenario, seed, None)
}

#[test]
fn a_walk_changes_nothing() {
    let plan = plan(4);
    let run = attempt(&plan, &Options::default(), false).unwrap();
    let mut stops = 0;
    let events = walk(&plan, &[], Goal::At(0), &mut |moment| {
        stops += 1;
        assert!((moment.states)().iter().any(|state| state.node == "session-1"));
        // Now and then step by step for a while.
        Ok(if stops % 400 < 100 { Goal::Seen } else { Goal::At(moment.now + 7 * MILLI) })
    });
    assert!(stops > 1_000);
    assert_eq!(events.unwrap(), run.events);
}

#[test]
fn every_message_of_a_node_is_seen_once_as_it_goes_and_once_as_it_comes() {
    let plan = plan(4);
    let trace = attempt(&plan, &Options::default(), true).unwrap().trace;
    let (mut sent, mut arrived) = (Vec::new(), 0);
    walk(&plan, &["data-1".to_owned()], Goal::At(0), &mut |moment| {
        for item in &moment.passed {
            match item {
                Item::Sent(message) => sent.push((message.sent, message.says.clone())),
                Item::Arrived(message) => arrived += usize::from(message.arrives.is_some()),
                Item::Recorded(..) => {}
            }
        }
        Ok(if moment.over { Goal::Leave } else { Goal::At(moment.now + 250 * MILLI) })
    })
    .unwrap();
    let end = trace.iter().map(|message| message.sent).max().unwrap();
    let expected: Vec<_> = trace.iter().filter(|m| m.from == "data-1").map(|m| (m.sent, m.says.clone())).collect();
    assert!(expected.len() > 100);
    assert_eq!(sent, expected);
    let came = trace.iter().filter(|m| m.to == "data-1" && m.arrives.is_some_and(|at| at <= end)).count();
    assert!(came > 100 && arrived.abs_diff(came) <= 3, "{arrived} of {came}: the end may cut off the last");
}

#[test]
fn a_node_that_a_fault_killed_is_gone_while_it_lasts() {
    let plan = plan(4);
    let kill = plan.faults.iter().find(|fault| fault.kind == history::FaultKind::Kill).unwrap();
    let mut gone = Vec::new();
    walk(&plan, &[], Goal::At(kill.at + MILLI), &mut |moment| {
        gone.extend((moment.states)().into_iter().filter(|state| state.condition == "gone"));
        Ok(Goal::Leave)
    })
    .unwrap();
    assert!(!gone.is_empty() && gone.iter().all(|state| state.holds.is_empty()), "{gone:?}");
}

#[test]
fn the_program_stands_still_steps_and_traces() {
    let scratch = Scratch::new("walk");
    run(&scratch.0, &["run", "quickstart", "--seed", "7"]);
    let (code, stop) = run_json(&scratch.0, &["replay", "runs/latest", "--until", "3.2s"]);
    assert_eq!((code, stop["time_ms"].as_f64()), (0, Some(3_200.0)));
    let nodes = stop["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|node| node["node"] == "data-1" && node["condition"] == "runs"));
    assert!(stop["trail"].as_array().unwrap().iter().all(|line| line["time_ms"].as_f64() <= Some(3_200.0)));

    let traced = run(&scratch.0, &["replay", "runs/latest", "--until", "1s", "--trace", "data-1"]);
    let text = String::from_utf8(traced.stdout).unwrap();
    assert!(text.contains("data-1 -> ") && text.contains("=> data-1") && text.contains("leads, Accept"), "{text}");
    assert!(!text.contains("session-1 -> session-2"));

    let mut command = upheaval(&scratch.0);
    command.args(["replay", "runs/latest", "--step", "--until", "500ms"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let script = b"?\n\nn 5\ns session-1\ns nobody\nm\nt 400ms\nt later\nt 0.6s\nq\n";
    child.stdin.take().unwrap().write_all(script).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for expected in [
        "go on to what happens next",
        "session-1: runs",
        "nobody: no such node",
        "time does not go back",
        "later: expected a time",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let end = run(&scratch.0, &["replay", "runs/latest", "--until", "1000s"]);
    assert!(String::from_utf8(end.stdout).unwrap().contains("the run is over"));
    for (arguments, why) in [
        (vec!["--trace", "data-99"], "there is no such node"),
        (vec!["--trace", "client-99999"], "there is no such node"),
        (vec!["--until", "soon"], "expected a time in the run"),
        (vec!["--until", "1s", "--times", "3"], "cannot be used with"),
    ] {
        let (error, code) = refused(&scratch.0, &[&["replay", "runs/latest"], arguments.as_slice()].concat());
        assert!(error.contains(why) && code == 2, "{error}");
    }
}

#[test]
fn a_plan_is_run_many_times_and_its_failures_counted() {
    let scratch = Scratch::new("again");
    let bug = ["run", "registry-churn", "--seed", "3", "--bug", "late-clean-up"];
    assert_eq!(run(&scratch.0, &bug).status.code(), Some(1));
    let (code, summary) = run_json(&scratch.0, &["replay", "runs/latest", "--times", "3"]);
    assert_eq!((code, &summary["reproduced"], &summary["times"]), (1, &3.into(), &3.into()));
    let hashes: Vec<&serde_json::Value> =
        summary["runs"].as_array().unwrap().iter().map(|run| &run["history_hash"]).collect();
    assert!(hashes.len() == 3 && hashes.windows(2).all(|pair| pair[0] == pair[1] && pair[0].is_string()));
    let shown = run(&scratch.0, &["replay", "runs/latest", "--times", "2"]);
    assert!(String::from_utf8(shown.stdout).unwrap().contains("reproduced in 2 of 2 runs: "));
}
