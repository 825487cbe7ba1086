//! Operation histories: what is read, what is refused and where, and that what is written reads back the same.
#![allow(clippy::unwrap_used)]

use history::calls::{
    Builder, Calls, CallsError, Ended, Format, OPEN, Value, detect, is_own, read_from, render, write_edn, write_own,
};
use proptest::prelude::*;
use std::path::Path;

fn read(text: &str) -> Calls {
    read_from(text.as_bytes(), detect(text.as_bytes()), Path::new("h")).unwrap()
}

fn refused(text: &str) -> String {
    read_from(text.as_bytes(), detect(text.as_bytes()), Path::new("h")).unwrap_err().to_string()
}

fn shown(calls: &Calls) -> Vec<String> {
    let line = |call: &history::calls::Call| {
        let value = |value: &Value| render(value, &calls.symbols);
        let key = call.key.as_ref().map_or(String::new(), |key| format!("{}: ", value(key)));
        let (input, output) = (value(&call.input), value(&call.output));
        format!("{} {} {key}{input} -> {:?} {output}", call.process, calls.f(call), call.ended)
    };
    calls.calls.iter().map(line).collect()
}

const PAIR: [&str; 2] = ["0 write 3 -> Ok 3", "1 read nil -> Info nil"];

#[test]
fn the_same_in_every_form() {
    let forms = [
        "[{:process 0, :type :invoke, :f :write, :value 3, :index 0}\n {:process 1 :type :invoke :f :read :value nil}
           {:process 0, :type :ok, :f :write, :value 3}]",
        "; a comment\n({:process 0, :type :invoke, :f :write, :value 3} #_{:broken} {:process 1, :type :invoke, :f :read}
          {:type :ok :f :write :value 3 :process 0 :error nil})\n; the end",
        "#jepsen.history.Op{:process 0, :type :invoke, :f :write, :value 3, :time 12, :other {:a [1 \"}\"]}}
         #jepsen.history.Op{:process 1, :type :invoke, :f :read, :value nil}
         #jepsen.history.Op{:process 0, :type :ok, :f :write, :value 3}",
        r#"[{"process":0,"type":"invoke","f":"write","value":3},{"process":1,"type":"invoke","f":"read","value":null},
            {"process":0,"type":"ok","f":"write","value":3}]"#,
        "{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":3}\n{\"process\":1,\"type\":\"invoke\",\"f\":\"read\"}
         {\"process\": 0, \"type\": \"ok\", \"f\": \"write\", \"value\": 3}",
        "INFO  jepsen.core - hello\nINFO  jepsen.util - 0\t:invoke\t:write\t3\nINFO  jepsen.util - 1\t:invoke\t:read\tnil
         INFO  jepsen.util - 0\t:ok    \t:write\t3\nINFO  jepsen.util - :nemesis\t:info\t:start\tnil\n\n",
    ];
    for form in forms {
        assert_eq!(shown(&read(form)), PAIR, "{form}");
    }
    let calls = read(forms[0]);
    assert_eq!((calls.calls[0].invoke, calls.calls[0].complete, calls.calls[1].until()), (0, 2, OPEN));
}

#[test]
fn keys_come_by_name_and_as_tuples() {
    let by_name = "{:process 0, :type :invoke, :f :get, :key \"3\", :value nil}{:process 0, :type :ok, :f :get, :key \"3\", :value \"x\"}";
    assert_eq!(shown(&read(by_name)), ["0 get \"3\": nil -> Ok \"x\""]);
    let tuples =
        "{:process 0, :type :invoke, :f :cas, :value [5 [1 2]]}{:process 0, :type :fail, :f :cas, :value [5 [1 2]]}
                  {:process 1, :type :invoke, :f :read, :value [6 nil]}{:process 1, :type :ok, :f :read, :value [6 4]}";
    assert_eq!(shown(&read(tuples)), ["0 cas 5: [1 2] -> Fail [1 2]", "1 read 6: nil -> Ok 4"]);
    let none = "{:process 0, :type :invoke, :f :cas, :value [1 2]}{:process 0, :type :fail, :f :cas, :value [1 2]}";
    assert!(!read(none).keyed);
    let transactions = "{:process 0, :type :invoke, :f :txn, :value [[:r 1 nil] [:r 2 nil]]}";
    assert!(!read(transactions).keyed);
}

#[test]
fn logs_keep_what_went_wrong() {
    let log = "INFO  jepsen.util - 3\t:invoke\t:cas\t[2 4]\nINFO  jepsen.util - 3\t:info\t:cas\t:timed-out\n";
    let calls = read(log);
    assert_eq!(shown(&calls), ["3 cas [2 4] -> Info timed-out"]);
    assert_eq!(calls.calls[0].ended, Ended::Info);
    assert!(read("").calls.is_empty());
    assert!(read("\0\0\n \n").calls.is_empty());
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let cases = [
        ("[{:type :invoke, :process 0}\n {:type :ok, :process 1}]", "h:2:2: process 1 completes an operation without"),
        ("{:type :invoke, :process 0}\n{:type :invoke, :process 0}", "h:2:1: process 0 begins"),
        ("[{:type :invoke, :process 0, :value [1 2}]", "h:1:41: this bracket closes nothing"),
        ("[{:type :invoke, :process 0, :value [1 2", "h:1:37: this bracket is never closed"),
        ("[{:type :invoke, :process 0}", "h:1:1: this list of operations is never closed"),
        ("{:type :maybe}", "h:1:14: the type of an operation"),
        ("{:process 1}", "h:1:1: this operation has no :type"),
        ("[{:type :info, :value \"abc}]", "h:1:23: this string is never closed"),
        ("[] []", "h:1:4: there is something after the end"),
        ("[5]", "h:1:2: an operation is expected here"),
        ("{\"type\": \"ok\", \"value\": nope}", "h:1:29: `nope` is no JSON"),
        ("{:type :info, :value ##1}", "h:1:25: after `##` comes Inf, -Inf or NaN"),
        ("some text\nof any kind", "h:1:1: not one operation"),
        ("INFO jepsen.util - 0\t:invoke\t:read\t[1", "h:1:36: this bracket is never closed"),
    ];
    for (text, message) in cases {
        assert!(refused(text).starts_with(message), "{text}: {}", refused(text));
    }
    let deep = format!("{{:value {}", "[".repeat(100_000));
    assert!(refused(&deep).contains("nested deeper than 100"));
    let skipped = format!("{{:other {}", "[".repeat(100_000));
    assert!(refused(&skipped).contains("nested deeper than 100"));
    for pair in ["\\ud83d\\ud83d", "\\ud83d", "\\udc00", "\\ud83dx"] {
        let why = refused(&format!("{{:type :info, :value \"{pair}\"}}"));
        assert!(why.contains("half of a surrogate pair") || why.contains("no character"), "{pair}: {why}");
    }
    let missing = history::calls::read(Path::new("there/is/none"), None).unwrap_err();
    assert!(matches!(missing, CallsError::Io { .. }));
}

#[test]
fn what_is_written_reads_back() {
    let text = "{:process 0, :type :invoke, :f :txn, :value [[:append 1 2] [:r :y nil]], :time 5}
        {:process 1, :type :invoke, :f :add, :value \"a\\n\\\"\\u00e9\"}{:process 0, :type :ok, :f :txn, :value [[:append 1 2] [:r :y [1 2]]]}
        {:process 1, :type :info, :f :add, :value #{1 2.5 {:a 1}}, :error :timeout}{:process 1, :type :invoke, :f :read, :value ##-Inf}";
    let first = read(text);
    let mut out = Vec::new();
    write_edn(&first, &mut out).unwrap();
    let again = read(std::str::from_utf8(&out).unwrap());
    assert_eq!(shown(&again), shown(&first));
    let places = |calls: &Calls| calls.calls.iter().map(|c| (c.invoke, c.complete, c.error)).collect::<Vec<_>>();
    assert_eq!(places(&again), places(&first));
    let mut twice = Vec::new();
    write_edn(&again, &mut twice).unwrap();
    assert_eq!(String::from_utf8(twice).unwrap(), String::from_utf8(out).unwrap());
}

/// Everything that a value can be, and a transaction whose completion says all of it.
const ALL: &str = "{:process 0, :type :invoke, :f :txn, :value [[:append 1 2] [:r :y nil]], :time 5}
    {:process 1, :type :invoke, :f :add, :value [\"a\\n\\\"é\" \":x\" :x x :a/b \"\" true false nil -7 12345678901234567890]}
    {:process 0, :type :ok, :f :txn, :value [[:append 1 2] [:r :y [1 2]]], :time 9}
    {:process 1, :type :info, :f :add, :value #{1 2.5 {:a [1] \"b\" 2} #{}}, :error :timeout}
    {:process 2, :type :invoke, :f :read, :key 4, :value nil}{:type :invoke, :f :read, :process :other}
    {:process 2, :type :fail, :f :read, :key 4, :value nil}";

/// JSON's names can hold what ends a keyword of EDN.
#[test]
fn a_name_that_is_no_keyword_reads_back() {
    for f in ["compare and set", "a]", "{", "\\\"", "\\n", ":", "é"] {
        let text = format!("[{{\"process\": 0, \"type\": \"invoke\", \"f\": \"{f}\", \"value\": null}}]");
        let first = read_from(text.as_bytes(), Format::Json, Path::new("a.json")).unwrap();
        let mut out = Vec::new();
        write_edn(&first, &mut out).unwrap();
        let again = read_from(out.as_slice(), Format::Edn, Path::new("a.edn")).unwrap();
        assert_eq!(again.f(&again.calls[0]), first.f(&first.calls[0]), "{}", String::from_utf8_lossy(&out));
    }
}

fn own(calls: &Calls) -> Vec<u8> {
    let mut out = Vec::new();
    write_own(calls, &mut out, Path::new("h"), "a test").unwrap();
    out
}

fn stored(name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("upheaval-calls-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn our_own_format_keeps_everything() {
    let first = read(ALL);
    let path = stored("whole", &own(&first));
    assert!(is_own(&path));
    let mut again = history::calls::read(&path, None).unwrap();
    assert_eq!(again.cut, None);
    // What an ok transaction asked for stands in its completion.
    assert!(again.calls[0].input.is_nil());
    again.calls[0].input = history::calls::parse_value("[[:append 1 2] [:r :y nil]]", &mut again.symbols).unwrap();
    assert_eq!(shown(&again), shown(&first));
    let facts = |calls: &Calls| -> Vec<_> {
        calls.calls.iter().map(|c| (c.invoke, c.complete, c.error, c.start_ns, c.end_ns, c.ended)).collect()
    };
    assert_eq!(facts(&again), facts(&first));
    assert_eq!(own(&again), own(&first));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn every_value_comes_back_from_our_own_format() {
    let mut builder = Builder::default();
    let words = ["", "r", ":append", "seven77", "eight888", "ein längeres Wort", "\"\\\n\u{1}"];
    let words: Vec<Value> = words.iter().map(|word| Value::Text(builder.symbols().intern(word))).collect();
    let ints = |length: i64| -> Vec<Value> { (0..length).map(Value::Int).collect() };
    let list = |items: Vec<Value>| Value::List(items.into());
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, 9, 10, 999_999_999_999_999_999, 1_000_000_000_000_000_000, i64::MAX];
    let mut values: Vec<Value> = edges.into_iter().map(Value::Int).chain(words.clone()).collect();
    values.push(list(edges.into_iter().map(Value::Int).collect()));
    // Longer than what is read at once, too.
    values.extend((0..=40).chain([100_000]).map(|length| list(ints(length))));
    values.push(list([ints(3), words.clone(), vec![Value::Nil, Value::Bool(true), list(Vec::new())]].concat()));
    values.extend(words.iter().map(|word| Value::Word(word.word().unwrap())));
    values.push(Value::Number(builder.symbols().intern("2.5")));
    values.push(Value::Set(Box::new(vec![list(ints(5)), Value::Nil, Value::Set(Box::default())])));
    values.push(Value::Map(Box::new(vec![(list(ints(2)), list(ints(6))), (Value::Int(0), Value::Nil)])));
    let nested = |depth: usize| (0..depth).fold(Value::Int(1), |inner, _| list(vec![Value::Nil, inner]));
    values.extend([7, 8, 9, 90].map(nested));
    for value in &values {
        builder.invoke_on(1, "write", Some(value.clone()), value.clone(), -1).unwrap();
        builder.complete(1, Ended::Fail, value.clone(), 7).unwrap();
    }
    let first = builder.finish();
    let again = history::calls::read(&stored("values", &own(&first)), None).unwrap();
    assert_eq!(again.cut, None);
    assert_eq!(again.calls.len(), values.len());
    for ((before, after), value) in first.calls.iter().zip(&again.calls).zip(&values) {
        let text = |calls: &Calls, value: &Value| render(value, &calls.symbols);
        assert_eq!(text(&again, &after.output), text(&first, &before.output));
        assert_eq!(after.input, after.output);
        assert_eq!(after.key.as_ref(), Some(&after.input));
        assert_eq!(std::mem::discriminant(&after.output), std::mem::discriminant(value), "{value:?}");
        assert_eq!(after.output.int(), value.int());
    }
    assert_eq!(own(&again), own(&first));
}

#[test]
fn our_own_format_knows_when_it_is_not_whole() {
    let whole = own(&read(ALL));
    let plain = zstd::decode_all(whole.as_slice()).unwrap();
    let text = String::from_utf8(plain.clone()).unwrap();
    let edited = text.replace("[1,2]", "[1,3]").into_bytes();
    let (missing, _) = text.split_once("{\"closing\"").unwrap();
    let broken = text.replace("\"f\":\"add\"", "\"f\":[").into_bytes();
    let cases: [(&str, &[u8], Option<&str>); 6] = [
        ("plain", &plain, None),
        ("edited", &edited, Some("it was edited")),
        ("missing", missing.as_bytes(), Some("no closing line")),
        ("broken", &broken, Some("line 3, column ")),
        ("cut", &whole[..whole.len() - 9], Some("ends within this frame")),
        ("more", &[plain.as_slice(), b"{}\n"].concat(), Some("goes on after its closing line")),
    ];
    for (name, bytes, expected) in cases {
        let path = stored(name, bytes);
        let calls = history::calls::read(&path, None).unwrap();
        match (&calls.cut, expected) {
            (None, None) => {}
            (Some(cut), Some(expected)) if cut.contains(expected) => {}
            other => panic!("{name}: {other:?}"),
        }
        std::fs::remove_file(path).unwrap();
    }
    let newer = stored("newer", text.replace("\"schema\":1", "\"schema\":99").as_bytes());
    assert!(matches!(history::calls::read(&newer, None), Err(CallsError::Own(history::Error::Schema { .. }))));
    std::fs::remove_file(newer).unwrap();
}

#[test]
fn keys_beside_transactions_come_as_tuples_too() {
    let text = "{:process 0, :type :invoke, :f :txn, :value [7 [[:append 1 2] [:r 1 nil]]]}
        {:process 0, :type :ok, :f :txn, :value [7 [[:append 1 2] [:r 1 [2]]]]}";
    assert_eq!(shown(&read(text)), ["0 txn 7: [[append 1 2] [r 1 nil]] -> Ok [[append 1 2] [r 1 [2]]]"]);
}

proptest! {
    #[test]
    fn no_text_makes_a_panic(text in "[\\[\\](){}:#_\\\\^\"a-z0-9 ;,\n-]{0,60}") {
        for format in [Format::Edn, Format::Json, Format::Log] {
            let _ = read_from(text.as_bytes(), format, Path::new("h"));
        }
    }

    #[test]
    fn no_bytes_make_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        for format in [Format::Edn, Format::Json, Format::Log] {
            let _ = read_from(bytes.as_slice(), format, Path::new("h"));
        }
    }
}
