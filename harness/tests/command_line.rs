//! The command line: what it prints, how it refuses, which exit code it gives.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, refused, run, run_json};
use std::process::Stdio;

#[test]
fn a_run_leaves_everything_in_the_store() {
    let scratch = Scratch::new("store");
    let (code, summary) = run_json(&scratch.0, &["run", "quickstart", "--seed", "3"]);
    assert_eq!(code, 0, "{summary:#}");
    let latest = scratch.0.join("runs/latest");
    for file in ["scenario.toml", "plan.json", "history.jsonl.zst", "verdict.json", "report.html"] {
        assert!(latest.join(file).is_file(), "{file} is missing");
    }
    assert_eq!(summary["schema"], 1);
    assert_eq!(summary["scenario"], "quickstart");
    assert_eq!(summary["seed"], 3);
    assert_eq!(summary["exit_code"], 0);
    assert_eq!(summary["checks"].as_array().unwrap().len(), 4);
    assert!(summary["counts"]["operations"].as_u64().unwrap() > 500);
    assert!(summary["counts"]["pushes"].as_u64().unwrap() > 500);
    assert!(summary["replay"].as_str().unwrap().starts_with("upheaval replay "));
}

#[test]
fn a_stored_history_is_checked_shown_counted_and_exported() {
    let scratch = Scratch::new("history");
    let (_, first) = run_json(&scratch.0, &["run", "quickstart", "--seed", "3"]);
    let (code, checked) = run_json(&scratch.0, &["check", "runs/latest/history.jsonl.zst"]);
    assert_eq!(code, 0);
    assert_eq!(checked["checks"], first["checks"]);
    let (_, order) = run_json(&scratch.0, &["check", "runs/latest", "--checker", "order"]);
    assert_eq!(order["checks"].as_array().unwrap().len(), 1);
    let (_, stats) = run_json(&scratch.0, &["history", "stats", "runs/latest"]);
    assert_eq!(stats["whole"], true);
    let cat = run(&scratch.0, &["history", "cat", "runs/latest"]);
    assert!(cat.stdout.iter().filter(|byte| **byte == b'\n').count() > 1_000);
    let export = run(&scratch.0, &["history", "export", "runs/latest", "-o", "plain.jsonl", "--full-snapshots"]);
    assert!(export.status.success());
    let (code, plain) = run_json(&scratch.0, &["check", "plain.jsonl"]);
    assert_eq!((code, &plain["checks"]), (0, &first["checks"]));
}

#[test]
fn an_edited_plan_runs_alone() {
    let scratch = Scratch::new("plan");
    let drawn = run(&scratch.0, &["run", "quickstart", "--seed", "5", "--plan-only", "plan.json"]);
    assert!(drawn.status.success());
    let text = std::fs::read_to_string(scratch.0.join("plan.json")).unwrap();
    let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    plan["operations"].as_array_mut().unwrap().truncate(400);
    scratch.file("edited.json", &plan.to_string());
    let (code, summary) = run_json(&scratch.0, &["replay", "edited.json"]);
    assert!(code == 0 || code == 3, "{summary:#}");
    let (message, code) = refused(&scratch.0, &["replay", "runs"]);
    assert_eq!(code, 2);
    assert!(message.contains("not the folder of a run"), "{message}");
    let aimed = std::mem::replace(&mut plan["faults"][0]["target"]["pick"], serde_json::json!({ "named": "data-77" }));
    scratch.file("nobody.json", &plan.to_string());
    let (message, code) = refused(&scratch.0, &["replay", "nobody.json"]);
    assert!(code == 2 && message.contains("faults[0]: there is no node data-77; there are "), "{message}");
    plan["faults"][0]["target"]["pick"] = aimed;
    plan["clients"].as_array_mut().unwrap().truncate(1);
    scratch.file("broken.json", &plan.to_string());
    let (message, code) = refused(&scratch.0, &["replay", "broken.json"]);
    assert_eq!(code, 2);
    assert!(message.contains("there is no such client"), "{message}");
}

#[test]
fn an_unknown_key_is_shown_with_its_line_and_the_near_miss() {
    let scratch = Scratch::new("unknown-key");
    let text = "name = \"mine\"\nabout = \"x\"\nsystem = \"registry\"\n\n[workload]\nclinets = 20\n";
    scratch.file("mine.toml", text);
    let (message, code) = refused(&scratch.0, &["run", "mine.toml"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(message);
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    let scratch = Scratch::new("refused");
    scratch.file("syntax.toml", "name = \n");
    scratch.file("empty.jsonl.zst", "");
    scratch.file("noise.jsonl.zst", "this is not a history\n");
    let cases: [&[&str]; 12] = [
        &["run", "quikstart"],
        &["run", "syntax.toml"],
        &["run", "quickstart", "--seed", "99999999999999999999"],
        &["run", "quickstart", "--seed", "9007199254740992"],
        &["run", "quickstart", "--set", "workload.clients"],
        &["run", "quickstart", "--set", "workload.clients=0"],
        &["run", "quickstart", "--set", "workload.client=5"],
        &["run", "quickstart", "--bug", "no-such-bug"],
        &["run", "quickstart", "--set", "contract.visible_ms_max=999999"],
        &["check", "missing.jsonl.zst"],
        &["check", "empty.jsonl.zst"],
        &["check", "noise.jsonl.zst", "--checker", "order"],
    ];
    let mut all = String::new();
    for arguments in cases {
        let (message, code) = refused(&scratch.0, arguments);
        all.push_str(&format!("$ upheaval {}\n{message}exit code {code}\n\n", arguments.join(" ")));
        assert_eq!(code, 2, "{arguments:?}: {message}");
        assert!(!message.contains("panicked"), "{message}");
    }
    insta::assert_snapshot!(all);
    assert!(!scratch.0.join("runs").exists(), "a refused run leaves nothing");
}

#[test]
fn a_store_that_cannot_be_written_is_a_harness_error() {
    let scratch = Scratch::new("store-refused");
    scratch.file("file", "");
    let (message, code) = refused(&scratch.0, &["run", "quickstart", "--seed", "1", "--store", "file/runs"]);
    assert_eq!(code, 4);
    assert!(message.contains("file/runs") && message.contains("cannot be written"), "{message}");
}

#[test]
fn damage_is_reported_with_its_offset_and_never_a_pass() {
    let scratch = Scratch::new("damage");
    run_json(&scratch.0, &["run", "quickstart", "--seed", "3"]);
    let path = scratch.0.join("runs/latest/history.jsonl.zst");
    let bytes = std::fs::read(&path).unwrap();
    scratch.file("cut", "");
    std::fs::write(scratch.0.join("cut"), &bytes[..bytes.len() * 2 / 3]).unwrap();
    let output = run(&scratch.0, &["check", "cut"]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("damaged at byte"), "{text}");
}

#[test]
fn lists_have_what_scenarios_use() {
    let scratch = Scratch::new("lists");
    for (what, name) in [
        ("scenarios", "quickstart"),
        ("systems", "zookeeper"),
        ("faults", "partition"),
        ("checkers", "completeness"),
        ("bugs", "late-clean-up"),
    ] {
        let (code, list) = run_json(&scratch.0, &["list", what]);
        assert_eq!((code, &list["schema"]), (0, &1.into()));
        let rows = list[what].as_array().unwrap();
        assert!(rows.iter().any(|row| row["name"] == name), "{what}: {list:#}");
    }
}

#[test]
fn doctor_says_what_this_host_can_do() {
    let scratch = Scratch::new("doctor");
    let (code, doctor) = run_json(&scratch.0, &["doctor"]);
    assert_eq!(code, 0);
    assert!(doctor["faults"].as_array().unwrap().iter().any(|fault| fault["fault"] == "partition"));
    assert!(doctor["systems"].as_array().unwrap().iter().any(|system| system["name"] == "registry"));
}

#[test]
fn completions_and_man_pages_are_made() {
    let scratch = Scratch::new("pages");
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&scratch.0, &["completions", shell]);
        assert!(output.status.success() && output.stdout.len() > 1_000);
    }
    assert!(run(&scratch.0, &["man", "man"]).status.success());
    assert!(scratch.0.join("man/upheaval-run.1").is_file());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scratch = Scratch::new("pipe");
    run_json(&scratch.0, &["run", "quickstart", "--seed", "3"]);
    let mut child = common::upheaval(&scratch.0)
        .args(["history", "cat", "runs/latest"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn metrics_are_served_while_a_run_goes_and_a_port_in_use_is_said() {
    let scratch = Scratch::new("metrics");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (message, code) = refused(&scratch.0, &["run", "quickstart", "--seed", "1", "--metrics", &address]);
    assert_eq!(code, 2);
    assert!(message.contains(&address) && message.contains("in use"), "{message}");
}
