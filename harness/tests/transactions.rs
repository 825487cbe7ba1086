//! `upheaval check --model list-append|rw-register`: what it prints, what its options mean, its exit codes.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, refused, run, run_json};

const SKEW: &str = "{:process 0, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 1]]}
{:process 1, :type :invoke, :f :txn, :value [[:r :y nil] [:append :x 1]]}
{:process 0, :type :ok, :f :txn, :value [[:r :x []] [:append :y 1]]}
{:process 1, :type :ok, :f :txn, :value [[:r :y []] [:append :x 1]]}
";

const BACK: &str = "[{\"process\":0,\"type\":\"invoke\",\"f\":\"txn\",\"value\":[[\"w\",\"x\",1]]},
{\"process\":0,\"type\":\"ok\",\"f\":\"txn\",\"value\":[[\"w\",\"x\",1]]},
{\"process\":0,\"type\":\"invoke\",\"f\":\"txn\",\"value\":[[\"w\",\"x\",2]]},
{\"process\":0,\"type\":\"ok\",\"f\":\"txn\",\"value\":[[\"w\",\"x\",2]]},
{\"process\":1,\"type\":\"invoke\",\"f\":\"txn\",\"value\":[[\"r\",\"x\",null]]},
{\"process\":1,\"type\":\"ok\",\"f\":\"txn\",\"value\":[[\"r\",\"x\",1]]}]";

#[test]
fn a_consistency_model_says_what_is_a_violation() {
    let scratch = Scratch::new("txn-models");
    scratch.file("skew.edn", SKEW);
    let check = |model: &str| {
        let (code, all) = run_json(
            &scratch.0,
            &["check", "skew.edn", "--model", "list-append", "--consistency-model", model, "--explain", "out.html"],
        );
        (code, all["files"][0].clone())
    };
    let (code, file) = check("serializable");
    assert_eq!((code, &file["verdict"]), (1, &"violation".into()), "{file:#}");
    assert_eq!(file["anomalies"], serde_json::json!({ "G2-item": 1 }));
    assert_eq!(file["weakest"], serde_json::json!(["repeatable-read"]));
    assert_eq!(file["consistency_model"], "serializable");
    assert!(file["not"].as_array().unwrap().contains(&"strict-serializable".into()));
    assert!(file["may_hold"].as_array().unwrap().contains(&"snapshot-isolation".into()));
    assert_eq!(file["examples"][0]["cycle"]["steps"][0]["kind"], "rw");
    let page = std::fs::read_to_string(scratch.0.join("out.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("G2-item"));
    let (code, file) = check("snapshot-isolation");
    assert_eq!((code, &file["verdict"], &file["anomalies"]["G2-item"]), (0, &"pass".into(), &1.into()), "{file:#}");
    let text = run(&scratch.0, &["check", "skew.edn", "--model", "list-append"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("T1 read key x as [], without 1, which T2 appended to it, so T1 precedes T2"), "{text}");
}

#[test]
fn our_own_format_says_the_same() {
    let scratch = Scratch::new("txn-own");
    scratch.file("skew.edn", SKEW);
    let export = |from: &str, format: &str, to: &str| {
        let done = run(&scratch.0, &["history", "export", from, "--operations", format, "--output", to]);
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    };
    export("skew.edn", "upheaval", "skew.calls");
    export("skew.calls", "edn", "again.edn");
    let check = |file: &str| {
        let (code, all) = run_json(&scratch.0, &["check", file, "--consistency-model", "serializable"]);
        (code, all["files"][0]["model"].clone(), all["files"][0]["anomalies"].clone())
    };
    assert_eq!(check("skew.calls"), (1, "list-append".into(), serde_json::json!({ "G2-item": 1 })));
    assert_eq!(check("skew.calls"), check("again.edn"));
    let (message, code) = refused(&scratch.0, &["history", "stats", "skew.calls"]);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("holds operations only"), "{message}");
}

#[test]
fn keys_are_taken_for_what_is_asked_for() {
    let scratch = Scratch::new("txn-keys");
    scratch.file("back.json", BACK);
    let check = |more: &[&str]| {
        let arguments = [&["check", "back.json", "--model", "rw-register"], more].concat();
        let (code, all) = run_json(&scratch.0, &arguments);
        (code, all["files"][0]["anomalies"].clone())
    };
    assert_eq!(check(&["--consistency-model", "serializable"]), (0, serde_json::json!({})));
    assert_eq!(check(&["--keys", "linearizable"]), (1, serde_json::json!({ "cyclic-versions": 1 })));
    assert_eq!(check(&["--keys", "sequential"]).0, 1, "time is against it");
    assert_eq!(check(&["--keys", "sequential", "--consistency-model", "serializable"]).0, 0);
    assert_eq!(check(&["--writes-follow-reads", "--consistency-model", "PL-3"]).0, 0);
}

#[test]
fn what_is_no_history_of_transactions_is_refused() {
    let scratch = Scratch::new("txn-refused");
    scratch.file("skew.edn", SKEW);
    scratch.file(
        "plain.edn",
        "{:process 0, :type :invoke, :f :read, :value nil}{:process 0, :type :ok, :f :read, :value 1}",
    );
    let cases: [(&[&str], &str); 4] = [
        (
            &["skew.edn", "--model", "list-append", "--consistency-model", "serialisable"],
            "no consistency model `serialisable`",
        ),
        (&["skew.edn", "--model", "rw-register"], "a part of a transaction of this model is :w or :r"),
        (&["plain.edn", "--model", "list-append"], "a transaction is a list"),
        (&["skew.edn", "--model", "list-append", "--keys", "eventual"], "invalid value 'eventual'"),
    ];
    for (arguments, expected) in cases {
        let (message, code) = refused(&scratch.0, &[&["check"], arguments].concat());
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(expected), "{message}");
    }
}
