//! The model that a history of operations asks for, where nobody says it: only what leaves no choice. A wrong model would give
//! a wrong verdict, so what could be judged by several models is refused with their names.

use history::calls::{Call, Calls, Value};
use std::collections::BTreeSet;

/// The name of the one model that these operations fit, or why there is none.
pub fn guess(calls: &Calls) -> Result<&'static str, String> {
    let functions: BTreeSet<&str> = calls.calls.iter().map(|call| calls.f(call)).collect();
    let names: Vec<&str> = functions.iter().copied().collect();
    let only = |known: &[&str]| functions.iter().all(|f| known.contains(f));
    let has = |f: &[&str]| f.iter().any(|f| functions.contains(f));
    let among = |models: &str| {
        Err(format!("its operations ({}) fit several models; say which with --model: {models}", names.join(", ")))
    };
    if functions.is_empty() {
        return Err("it has no operations".to_owned());
    }
    if only(&["txn"]) {
        return transactions(calls);
    }
    if only(&["read", "r", "write", "w", "cas", "compare-and-set"]) {
        let models = if has(&["cas", "compare-and-set"]) { "cas-register" } else { "register" };
        return if has(&["write", "w", "cas", "compare-and-set"]) {
            Ok(models)
        } else {
            among("register, bank, set ...")
        };
    }
    if only(&["get", "put", "append"]) && has(&["append"]) {
        return Ok("kv");
    }
    if only(&["push", "pop"]) {
        return Ok("stack");
    }
    if only(&["generate"]) {
        return Ok("unique-ids");
    }
    if only(&["transfer", "read"]) && has(&["transfer"]) {
        return Ok("bank");
    }
    if only(&["send", "poll", "assign", "subscribe", "crash"]) && has(&["send", "poll"]) {
        return Ok("kafka");
    }
    if only(&["enqueue", "dequeue", "drain"]) {
        return among("fifo-queue, unordered-queue, total-queue, checker/queue");
    }
    if only(&["acquire", "release"]) {
        return among("mutex, reentrant-lock, fenced-lock");
    }
    if only(&["add", "read", "remove", "contains", "contains?"]) && has(&["add"]) {
        return added(calls).map_or_else(|| among("set, set-full, checker/set, counter"), Ok);
    }
    Err(format!("no model has exactly these operations: {}; say by which to judge it with --model", names.join(", ")))
}

/// What a transaction asked for; that may stand in its completion alone.
fn asked(call: &Call) -> &[Value] {
    let value = if call.input.is_nil() { &call.output } else { &call.input };
    value.items().unwrap_or_default()
}

/// Lists are appended to; registers are written.
fn transactions(calls: &Calls) -> Result<&'static str, String> {
    let mut found = BTreeSet::new();
    for part in calls.calls.iter().flat_map(asked) {
        let verb = part.items().and_then(|part| part.first()).and_then(Value::word);
        found.insert(verb.map_or("", |verb| calls.symbols.name(verb)));
    }
    match (found.contains("append"), found.contains("w") || found.contains("write")) {
        (true, false) => Ok("list-append"),
        (false, true) => Ok("rw-register"),
        (true, true) => Err("its transactions both append and write: no model does; say --model".to_owned()),
        _ => Err("its transactions neither append nor write; say by which model to judge it with --model".to_owned()),
    }
}

/// What reads return tells a counter from sets; sets can be judged in several ways.
fn added(calls: &Calls) -> Option<&'static str> {
    let number = |call: &&Call| calls.f(call) == "read" && call.output.int().is_some();
    calls.calls.iter().any(|call| number(&call)).then_some("counter")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use history::calls::{Format, read_from};
    use std::path::Path;

    fn of(edn: &str) -> Result<&'static str, String> {
        guess(&read_from(edn.as_bytes(), Format::Edn, Path::new("test")).unwrap())
    }

    fn ops(list: &[(&str, &str)]) -> Result<&'static str, String> {
        let lines = list.iter().enumerate().map(|(process, (f, value))| {
            format!("{{:process {process} :type :invoke :f :{f} :value {value}}}\n{{:process {process} :type :ok :f :{f} :value {value}}}\n")
        });
        of(&lines.collect::<String>())
    }

    #[test]
    fn what_leaves_no_choice_is_taken() {
        assert_eq!(ops(&[("read", "1"), ("write", "1")]), Ok("register"));
        assert_eq!(ops(&[("read", "1"), ("cas", "[1 2]")]), Ok("cas-register"));
        assert_eq!(ops(&[("txn", "[[:append 1 2] [:r 1 nil]]")]), Ok("list-append"));
        assert_eq!(ops(&[("txn", "[[:w 1 2] [:r 1 nil]]")]), Ok("rw-register"));
        assert_eq!(ops(&[("add", "1"), ("read", "3")]), Ok("counter"));
        assert_eq!(ops(&[("push", "1"), ("pop", "1")]), Ok("stack"));
        assert_eq!(ops(&[("generate", "1")]), Ok("unique-ids"));
    }

    #[test]
    fn what_leaves_a_choice_is_refused_with_the_names() {
        for (list, named) in [
            (vec![("enqueue", "1")], "unordered-queue"),
            (vec![("acquire", "nil")], "fenced-lock"),
            (vec![("add", "1"), ("read", "[1]")], "set-full"),
            (vec![("read", "1")], "register"),
            (vec![("fly", "1")], "no model has"),
            (vec![("txn", "[[:r 1 nil]]")], "neither append nor write"),
        ] {
            let why = ops(&list).unwrap_err();
            assert!(why.contains(named) && why.contains("--model"), "{why}");
        }
    }
}
