//! `upheaval gate`: what is decided, told and remembered.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, refused, run, run_json};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const HEAD: &str = "name = \"test\"\nabout = \"What the tests need.\"\nseeds = \"0..4\"\n";

fn gate(scratch: &Scratch, text: &str, more: &[&str]) -> (i32, Value) {
    let suite = scratch.file("suite.toml", &format!("{HEAD}{text}"));
    run_json(&scratch.0, &[&["gate", suite.to_str().unwrap()], more].concat())
}

fn entry(scenario: &str, more: &str) -> String {
    format!("[[runs]]\nscenario = \"{scenario}\"\n{more}\n")
}

fn read(scratch: &Scratch, gate: &Value, file: &str) -> String {
    std::fs::read_to_string(scratch.0.join(gate["store"].as_str().unwrap()).join(file)).unwrap()
}

#[test]
fn a_right_system_passes_and_a_planted_bug_shuts_the_gate() {
    let scratch = Scratch::new("gate-bug");
    let hooks = "[build]\nname = \"registry\"\nversion = \"2.1\"\nartefact = \"r<1>.jar\"\n\
        [hooks]\npromote = { command = [\"sh\", \"-c\", \"echo $UPHEAVAL_VERDICT >promoted\"] }\n\
        reject = { command = [\"sh\", \"-c\", \"echo $UPHEAVAL_VERDICT $UPHEAVAL_VERSION >rejected\"] }\n";
    let good = entry("registry-churn", "") + &entry("registry-sparse", "") + hooks;
    let (code, passed) = gate(&scratch, &good, &["--night", "5"]);
    assert_eq!((code, &passed["verdict"], &passed["exit_code"]), (0, &"pass".into(), &0.into()), "{passed:#}");
    assert_eq!((passed["runs"].as_array().unwrap().len(), &passed["counts"]["pass"]), (8, &8.into()));
    assert_eq!(std::fs::read_to_string(scratch.0.join("promoted")).unwrap(), "pass\n");
    assert!(!scratch.0.join("rejected").exists());
    for key in ["scenario", "system", "seed", "verdict", "figures", "replay"] {
        assert!(passed["runs"][0].get(key).is_some(), "{key}");
    }

    let bad = entry("registry-churn", "bug = \"late-clean-up\"") + &entry("registry-sparse", "") + hooks;
    let (code, shut) = gate(&scratch, &bad, &["--junit", "out.xml"]);
    assert_eq!((code, &shut["verdict"]), (1, &"violation".into()), "{shut:#}");
    assert_eq!(std::fs::read_to_string(scratch.0.join("rejected")).unwrap(), "violation 2.1\n");
    let failure = &shut["failures"][0];
    let story = failure["story"].as_str().unwrap();
    assert!(failure["operations"].as_u64().unwrap() <= 12 && story.lines().count() >= 3, "{failure:#}");
    let page = read(&scratch, &shut, "index.html");
    assert!(page.contains("<svg") && page.contains("late-clean-up") && page.contains("r&lt;1&gt;.jar"));
    assert!(!page.contains("http://") && !page.contains("https://"));
    // Every folder that the page links to is there.
    for folder in ["folder", "shrunk"] {
        let folder = scratch.0.join(failure[folder].as_str().unwrap());
        assert!(folder.join("report.html").is_file(), "{}", folder.display());
        assert!(page.contains(&format!("../{}/report.html", folder.file_name().unwrap().to_str().unwrap())));
    }
    valid_junit(&scratch.0.join("out.xml"));
    // A drill is no news: nothing is remembered of it.
    let memory = std::fs::read_to_string(scratch.0.join("runs/gate-test.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&memory).unwrap()["failed"], serde_json::json!({}));
}

fn valid_junit(file: &Path) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("<failure ") && text.contains("value=\"r&lt;1&gt;.jar\""), "{text}");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/junit.xsd");
    match Command::new("xmllint").args(["--noout", "--schema"]).arg(schema).arg(file).output() {
        Ok(output) => assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr)),
        Err(_) if std::env::var_os("UPHEAVAL_REQUIRE_ALL").is_none() => {
            println!("skipped: junit schema: xmllint is not installed (apt-get install libxml2-utils)");
        }
        Err(error) => panic!("xmllint: {error}"),
    }
}

#[test]
fn too_little_is_inconclusive_and_a_missed_objective_is_no_pass() {
    let scratch = Scratch::new("gate-codes");
    let (code, gave_up) = gate(&scratch, &entry("registry-sparse", "steps_max = 10"), &[]);
    assert_eq!((code, &gave_up["verdict"]), (3, &"inconclusive".into()), "a checker out of time: {gave_up:#}");
    let (code, late) = gate(&scratch, &format!("time_s_max = 0\n{}", entry("registry-sparse", "")), &[]);
    assert_eq!((code, &late["not_run"]), (3, &4.into()), "no time at all: {late:#}");
    let missed = "[[objectives]]\nfigure = \"convergence.p99_ms\"\nmax = 0.001\n";
    let (code, missed) = gate(&scratch, &(entry("registry-sparse", "") + missed), &[]);
    assert_eq!((code, &missed["verdict"], &missed["objectives"][0]["met"]), (5, &"missed".into(), &false.into()));
    let deploy = "[hooks]\ndeploy = { command = [\"false\"] }\n";
    let (code, failed) = gate(&scratch, &(entry("registry-sparse", "") + deploy), &[]);
    assert_eq!((code, &failed["verdict"], failed["runs"].as_array().unwrap().len()), (4, &"error".into(), 0));
    // A violation outweighs them all.
    let all = entry("registry-churn", "bug = \"late-clean-up\"") + &entry("registry-sparse", "steps_max = 10");
    assert_eq!(gate(&scratch, &format!("shrink_s_max = 0\n{all}"), &[]).0, 1);
}

#[test]
fn seeds_that_failed_are_run_again_and_a_night_can_be_repeated() {
    let scratch = Scratch::new("gate-memory");
    // Without a bug, a bound that nothing can hold makes seeds fail.
    let tight = entry("registry-sparse", "set = [\"contract.visible_ms_max=1\"]");
    let (code, first) = gate(&scratch, &format!("shrink_s_max = 0\nrandom_seeds = 1\n{tight}"), &["--night", "9"]);
    assert_eq!(code, 1, "{first:#}");
    let failed: Vec<u64> = first["runs"].as_array().unwrap().iter().map(|run| run["seed"].as_u64().unwrap()).collect();
    assert!(failed.len() == 5 && first["random_seeds"][0] == failed[4]);
    let next = format!("seeds = \"100..102\"\n{}", entry("registry-sparse", ""));
    let text = format!("{HEAD}{next}").replacen("seeds = \"0..4\"\n", "", 1);
    let suite = scratch.file("suite.toml", &text);
    let (code, again) = run_json(&scratch.0, &["gate", suite.to_str().unwrap()]);
    assert_eq!(code, 0, "{again:#}");
    let runs = again["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 7);
    assert!(runs[..5].iter().all(|run| run["origin"] == "failed-before"), "{again:#}");
    let (_, dry) = run_json(&scratch.0, &["gate", suite.to_str().unwrap(), "--dry-run"]);
    assert_eq!(dry["runs"], 7);
    assert!(dry["expected_ms"].as_u64().unwrap() > 0, "known from the last night: {dry:#}");
    assert_eq!(
        std::fs::read_dir(scratch.0.join("runs"))
            .unwrap()
            .filter(|e| e.as_ref().unwrap().path().join("gate.json").is_file())
            .count(),
        2
    );
}

#[test]
fn a_slower_build_misses_its_baseline() {
    let scratch = Scratch::new("gate-baseline");
    let slow = |debounce: u32| {
        entry("registry-sparse", &format!("seeds = \"0..8\"\nset = [\"registry.push_debounce_ms={debounce}\"]"))
    };
    let (code, _) = gate(&scratch, &slow(100), &["--write-baseline", "before.json"]);
    assert_eq!(code, 0);
    let asked = "[[objectives]]\nfigure = \"convergence.p50_ms\"\nworse_percent_max = 10.0\n";
    let with = |debounce: u32| format!("baseline = \"before.json\"\n{}{asked}", slow(debounce));
    let (code, same) = gate(&scratch, &with(100), &[]);
    assert_eq!(code, 0, "{same:#}");
    let (code, slower) = gate(&scratch, &with(200), &[]);
    assert_eq!(code, 5, "{slower:#}");
}

#[test]
fn what_is_wrong_with_a_suite_is_said() {
    let scratch = Scratch::new("gate-wrong");
    let (error, code) = refused(&scratch.0, &["gate", "nowhere.toml"]);
    assert!(code == 2 && error.contains("nightly"), "{error}");
    let suite = scratch.file("suite.toml", &format!("{HEAD}[[runs]]\nscenaro = \"quickstart\"\n"));
    let (error, code) = refused(&scratch.0, &["gate", suite.to_str().unwrap()]);
    assert!(code == 2 && error.contains("suite.toml:5:1") && error.contains("did you mean `scenario`"), "{error}");
    let output = run(&scratch.0, &["gate", "nightly", "--dry-run"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("registry-churn on registry") && text.contains("runs"), "{text}");
    assert!(!scratch.0.join("runs").exists(), "a dry run leaves nothing");
}

#[test]
fn github_is_told() {
    let scratch = Scratch::new("gate-github");
    let suite = scratch
        .file("suite.toml", &format!("{HEAD}shrink_s_max = 0\n{}", entry("registry-churn", "bug = \"late-clean-up\"")));
    let output = common::upheaval(&scratch.0)
        .args(["gate", suite.to_str().unwrap(), "--github", "--json"])
        .env("GITHUB_STEP_SUMMARY", scratch.0.join("summary.md"))
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.lines().any(|line| line.starts_with("::error title=")), "{error}");
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok());
    let summary = std::fs::read_to_string(scratch.0.join("summary.md")).unwrap();
    assert!(summary.starts_with("## test: violation") && summary.contains("upheaval run registry-churn"), "{summary}");
}
