//! `check --model`: operation histories from files, their verdicts, exit codes, JSON and pages.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, refused, run, run_json};

const GOOD: &str = "[{:process 0, :type :invoke, :f :write, :value 1}
{:process 1, :type :invoke, :f :read, :value nil}
{:process 1, :type :ok, :f :read, :value 1}
{:process 0, :type :ok, :f :write, :value 1}]";

const STALE: &str = "{:process 0, :type :invoke, :f :write, :value 1}
{:process 0, :type :ok, :f :write, :value 1}
{:process 0, :type :invoke, :f :write, :value 2}
{:process 0, :type :ok, :f :write, :value 2}
{:process 1, :type :invoke, :f :read, :value nil}
{:process 1, :type :ok, :f :read, :value 1}
{:process 2, :type :invoke, :f :cas, :value [2 5]}
{:process 2, :type :ok, :f :cas, :value [2 5]}";

#[test]
fn several_files_have_one_result_each_and_the_worst_decides() {
    let scratch = Scratch::new("operations");
    scratch.file("good.edn", GOOD);
    scratch.file("stale.edn", STALE);
    scratch.file("empty.edn", "");
    let (code, good) = run_json(&scratch.0, &["check", "good.edn", "--model", "register"]);
    assert_eq!((code, good["verdict"].as_str()), (0, Some("pass")), "{good:#}");
    assert_eq!(good["files"][0]["operations"], 2);
    let files = ["check", "good.edn", "empty.edn", "stale.edn", "--model", "cas-register", "--explain", "out.html"];
    let (code, all) = run_json(&scratch.0, &files);
    assert_eq!((code, all["exit_code"].as_u64()), (1, Some(1)));
    let verdicts: Vec<&str> = (0..3).map(|file| all["files"][file]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["pass", "inconclusive", "violation"]);
    let stale = &all["files"][2];
    assert_eq!(stale["anomalies"]["nonlinearizable"], 1);
    assert_eq!(stale["weakest"][0], "linearizable");
    let explanation = &stale["examples"][0]["explanation"];
    let texts: Vec<&str> =
        explanation["operations"].as_array().unwrap().iter().map(|op| op["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["write 1", "write 2", "read 1"], "the compare-and-set after it has no part in it");
    assert_eq!(explanation["paths"][0]["states"].as_array().unwrap().last().unwrap(), "2");
    let page = std::fs::read_to_string(scratch.0.join("out.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("read 1"));
    let (code, _) = run_json(&scratch.0, &["check", "good.edn", "empty.edn", "--model", "register"]);
    assert_eq!(code, 3);
}

#[test]
fn without_a_model_the_only_one_that_fits_is_taken() {
    let scratch = Scratch::new("guessed");
    scratch.file("stale.edn", STALE);
    scratch.file("good.edn", GOOD);
    scratch.file("queue.edn", "{:process 0, :type :invoke, :f :enqueue, :value 1}");
    let (code, both) = run_json(&scratch.0, &["check", "good.edn", "stale.edn"]);
    let models: Vec<&str> = (0..2).map(|file| both["files"][file]["model"].as_str().unwrap()).collect();
    assert_eq!((code, models), (1, vec!["register", "cas-register"]));
    let (said, code) = refused(&scratch.0, &["check", "queue.edn"]);
    assert!(code == 2 && said.contains("fifo-queue, unordered-queue"), "{said}");
}

#[test]
fn a_failed_compare_and_set_means_what_is_asked_for() {
    let scratch = Scratch::new("failed-cas");
    let text = "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f :write, :value 1}
        {:process 0, :type :invoke, :f :cas, :value [1 2]}\n{:process 0, :type :fail, :f :cas, :value [1 2]}";
    scratch.file("h.edn", text);
    let with = |meaning| run_json(&scratch.0, &["check", "h.edn", "--model", "cas-register", "--failed-cas", meaning]);
    assert_eq!(with("did-not-happen").0, 0);
    let (code, observed) = with("observed");
    assert_eq!((code, observed["files"][0]["failed_cas"].as_str()), (1, Some("observed")));
}

#[test]
fn objects_begin_as_asked_for() {
    let scratch = Scratch::new("initial");
    let read = |value: &str| {
        format!(
            "{{:process 0, :type :invoke, :f :txn, :value [[:r :x nil]]}}{{:process 0, :type :ok, :f :txn, :value [[:r :x {value}]]}}"
        )
    };
    scratch.file("zero.edn", &read("0"));
    scratch.file("seven.edn", &read("7"));
    let code = |arguments: &[&str]| {
        run(&scratch.0, &[&["check"], arguments, &["--model", "multi-register"]].concat()).status.code()
    };
    assert_eq!(code(&["zero.edn"]), Some(0));
    assert_eq!(code(&["seven.edn"]), Some(1));
    assert_eq!(code(&["seven.edn", "--initial", "x=7,y=1"]), Some(0));
    assert_eq!(code(&["seven.edn", "--initial", "{:x 7}"]), Some(0));
    assert_eq!(code(&["zero.edn", "--initial", "7"]), Some(1));
}

#[test]
fn limits_are_kept() {
    let scratch = Scratch::new("limits");
    // Forty reads in flight for ever beside writes of equal values: nothing that a tenth of a second decides.
    let mut text = String::new();
    for process in 0..60 {
        text += &format!(
            "{{:process {process}, :type :invoke, :f :cas, :value [{} {}]}}\n",
            process % 7,
            (process * 3 + 1) % 11
        );
    }
    for process in 0..60 {
        text += &format!("{{:process {process}, :type :ok, :f :cas, :value [0 0]}}\n");
    }
    scratch.file("hard.edn", &text);
    let begin = std::time::Instant::now();
    let arguments =
        ["check", "hard.edn", "--model", "cas-register", "--initial", "0", "--time-limit", "300ms", "--threads", "1"];
    let (code, hard) = run_json(&scratch.0, &arguments);
    assert!(begin.elapsed().as_secs() < 5, "{hard:#}");
    assert!(code == 3 || code == 1, "{hard:#}");
    let memory = ["check", "hard.edn", "--model", "cas-register", "--initial", "0", "--memory-limit", "1MiB"];
    let (code, hard) = run_json(&scratch.0, &memory);
    assert!(code == 3 || code == 1, "{hard:#}");
}

#[test]
fn what_cannot_be_judged_is_refused_with_its_place() {
    let scratch = Scratch::new("refused-operations");
    scratch.file("good.edn", GOOD);
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../checkers/tests/fixtures/zookeeper-small.jsonl.zst");
    scratch.file("broken.edn", "[{:process 0, :type :invoke, :f :read}\n {:process 0, :type :ok, :f :read, :value ]}]");
    let cases: [(&[&str], &str); 7] = [
        (&["check", own, "--initial", "0"], "--initial is for operations"),
        (&["check", "good.edn", "--model", "registry"], "there is no model `registry`"),
        (&["check", "broken.edn", "--model", "register"], "broken.edn:2:43"),
        (&["check", "nowhere.edn", "--model", "register"], "cannot read nowhere.edn"),
        (&["check", "good.edn", "--model", "mutex"], "does not know the operation write"),
        (&["check", "good.edn", "--model", "counter", "--initial", "nil"], "begins with a whole number"),
        (&["check", "good.edn", "--model", "register", "--format", "json"], "good.edn:1:"),
    ];
    for (arguments, message) in cases {
        let (said, code) = refused(&scratch.0, arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
}

#[test]
fn operations_of_our_own_histories_are_read() {
    let scratch = Scratch::new("own-operations");
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../checkers/tests/fixtures/zookeeper-small.jsonl.zst");
    let (said, code) = refused(&scratch.0, &["check", own, "--model", "register"]);
    assert_eq!(code, 2);
    assert!(said.contains("does not know the operation"), "{said}");
}
