//! Operation histories in words and drawn.
#![allow(clippy::unwrap_used)]

use checkers::linearizability::{FailedCas, Limits, ModelName, Options, check};
use history::calls::{Format, Value, read_from};
use quick_xml::events::Event;
use reports::operations::{CheckSummary, FileSummary, page, text};
use std::path::Path;

const STALE: &str = "{:process 0, :type :invoke, :f :write, :value 1}{:process 0, :type :ok, :f :write, :value 1}
    {:process 0, :type :invoke, :f :write, :value \"<script>alert(1)</script>\"}{:process 3, :type :invoke, :f :write, :value 9}
    {:process 0, :type :ok, :f :write, :value 2}{:process 1, :type :invoke, :f :read, :value nil}
    {:process 1, :type :ok, :f :read, :value 1}";

fn summary() -> CheckSummary {
    let calls = read_from(STALE.as_bytes(), Format::Edn, Path::new("stale.edn")).unwrap();
    let options =
        Options { failed_cas: FailedCas::DidNotHappen, initial: Some(Value::Nil), threads: 1, explained_max: 1 };
    let over = || false;
    let judgement = check(&calls, ModelName::Register, &options, &Limits::none(&over)).unwrap();
    CheckSummary::of(vec![FileSummary::linearizable("stale.edn".into(), "register", judgement)])
}

#[test]
fn a_contradiction_in_words() {
    let words = text(&summary());
    let lines = [
        "VIOLATION",
        "process 1  read 1   [5 to 6]  <- no order reaches it",
        "then `read 1` has to follow, and cannot: it is",
    ];
    for line in lines {
        assert!(words.contains(line), "{line}\n{words}");
    }
    assert!(!words.contains("write 9"), "what nobody saw has no part in it\n{words}");
}

#[test]
fn the_page_is_well_formed_and_escapes() {
    let page = page(&summary());
    assert!(page.contains("<svg") && !page.contains("<script"));
    let body = page.strip_prefix("<!doctype html>").unwrap();
    let mut reader = quick_xml::Reader::from_str(body);
    let (mut bars, mut crosses) = (0, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) if tag.name().as_ref() == b"rect" => bars += 1,
            Event::Empty(tag) if tag.name().as_ref() == b"path" => crosses += 1,
            _ => {}
        }
    }
    assert_eq!((bars, crosses), (3, 1));
}

const SKEW: &str = "{:process 0, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 1]]}
    {:process 1, :type :invoke, :f :txn, :value [[:r :y nil] [:append :x \"<script>\"]]}
    {:process 0, :type :ok, :f :txn, :value [[:r :x []] [:append :y 1]]}
    {:process 1, :type :ok, :f :txn, :value [[:r :y []] [:append :x \"<script>\"]]}";

#[test]
fn a_cycle_in_words_and_drawn() {
    use checkers::transactions::{Options, Workload, check};
    let calls = read_from(SKEW.as_bytes(), Format::Edn, Path::new("skew.edn")).unwrap();
    let over = || false;
    let judgement = check(&calls, &Options::new(Workload::ListAppend), &Limits::none(&over)).unwrap();
    let summary = CheckSummary::of(vec![FileSummary::transactions("skew.edn".into(), Workload::ListAppend, judgement)]);
    let words = text(&summary);
    let lines = [
        "VIOLATION",
        "asked for     strict-serializable",
        "weakest not   repeatable-read",
        "anomalies     G2-item 1",
        "T1  process 0  read x [], append y 1   [0 to 2]",
        "T1 read key x as [], without \"<script>\", which T2 appended to it, so T1 precedes T2",
        "T2 read key y as [], without 1, which T1 appended to it, so T2 precedes T1",
    ];
    for line in lines {
        assert!(words.contains(line), "{line}\n{words}");
    }
    let page = page(&summary);
    assert!(page.contains("G2-item: T1, T2") && page.contains("<svg") && !page.contains("<script"));
    let body = page.strip_prefix("<!doctype html>").unwrap();
    let mut reader = quick_xml::Reader::from_str(body);
    let mut boxes = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) if tag.name().as_ref() == b"rect" => boxes += 1,
            _ => {}
        }
    }
    assert_eq!(boxes, 2);
}
