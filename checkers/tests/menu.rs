//! The rest of the menu: tiny literal histories, good and bad, and recorded ones where they are beside the project.
#![allow(clippy::unwrap_used)]

use checkers::Verdict;
use checkers::menu::{MenuName, Tally, check};
use history::calls::{Format, read, read_from};
use std::path::Path;

fn judge(name: MenuName, text: &str) -> Tally {
    check(&read_from(text.as_bytes(), Format::Edn, Path::new("h")).unwrap(), name)
}

/// A history of calls one after the other: (function, input, type, output).
fn calls(calls: &[(&str, &str, &str, &str)]) -> String {
    let one = |(f, input, kind, output): &(&str, &str, &str, &str)| {
        format!(
            "{{:process 0 :type :invoke :f :{f} :value {input}}} {{:process 0 :type :{kind} :f :{f} :value {output}}}\n"
        )
    };
    calls.iter().map(one).collect()
}

/// Anomalies, each with its count, or the reason.
fn found(name: MenuName, list: &[(&str, &str, &str, &str)]) -> String {
    let tally = judge(name, &calls(list));
    let anomalies: Vec<String> = tally.anomalies.iter().map(|(name, count)| format!("{name} {count}")).collect();
    match tally.verdict() {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Violation => anomalies.join(", "),
        _ => "inconclusive".to_owned(),
    }
}

#[test]
fn banks() {
    let read = |balances| ("read", "nil", "ok", balances);
    let transfer = ("transfer", "{:from 0 :to 1 :amount 3}", "ok", "{:from 0 :to 1 :amount 3}");
    assert_eq!(found(MenuName::Bank, &[read("{0 10 1 0}"), transfer, read("{0 7 1 3}")]), "pass");
    assert_eq!(found(MenuName::Bank, &[read("{0 10 1 0}"), read("{0 7 1 0}")]), "wrong-total 1");
    assert_eq!(found(MenuName::Bank, &[read("{0 10 1 0}"), read("{0 11 1 -1}")]), "negative-value 1");
    assert_eq!(found(MenuName::Bank, &[read("{0 nil}")]), "nil-balance 1");
    assert_eq!(found(MenuName::Bank, &[transfer]), "inconclusive");
}

#[test]
fn long_forks() {
    let read = |seen| ("read", "[[:r 0 nil] [:r 1 nil]]", "ok", seen);
    assert_eq!(found(MenuName::LongFork, &[read("[[:r 0 1] [:r 1 nil]]"), read("[[:r 1 1] [:r 0 1]]")]), "pass");
    assert_eq!(
        found(MenuName::LongFork, &[read("[[:r 0 1] [:r 1 nil]]"), read("[[:r 1 1] [:r 0 nil]]")]),
        "long-fork 1"
    );
    assert_eq!(
        found(MenuName::LongFork, &[read("[[:r 0 1] [:r 1 nil]]"), read("[[:r 0 2] [:r 1 nil]]")]),
        "inconclusive"
    );
}

#[test]
fn full_sets() {
    let (add, maybe) = (("add", "1", "ok", "1"), ("add", "2", "info", "2"));
    let read = |seen| ("read", "nil", "ok", seen);
    assert_eq!(found(MenuName::SetFull, &[add, read("[1]")]), "pass");
    assert_eq!(found(MenuName::SetFull, &[add, maybe, read("#{1}")]), "pass");
    assert_eq!(found(MenuName::SetFull, &[add, read("[]"), read("[1]")]), "pass", "late, but there to stay");
    assert_eq!(found(MenuName::SetFull, &[add, read("[1]"), read("[]")]), "lost 1");
    assert_eq!(found(MenuName::SetFull, &[add, maybe, read("[1 2]"), read("[1]")]), "lost 1");
    assert_eq!(found(MenuName::SetFull, &[add, read("[1 1]")]), "duplicated 1");
    assert_eq!(found(MenuName::SetFull, &[add]), "inconclusive");
}

#[test]
fn total_queues() {
    let put = |value| ("enqueue", value, "ok", value);
    let take = |value| ("dequeue", "nil", "ok", value);
    let drain = |values| ("drain", "nil", "ok", values);
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), put("2"), take("2"), drain("[1]")]), "pass");
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), put("2"), drain("[2]")]), "lost 1");
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), drain("[1 3]")]), "unexpected 1");
    assert_eq!(found(MenuName::TotalQueue, &[("enqueue", "1", "info", "1"), drain("[]")]), "pass");
    assert_eq!(found(MenuName::TotalQueue, &[put("1"), ("dequeue", "nil", "info", "nil")]), "inconclusive");
}

#[test]
fn ids() {
    let id = |id| ("generate", "nil", "ok", id);
    assert_eq!(found(MenuName::UniqueIds, &[id("1"), id("\"1\""), id("2")]), "pass");
    assert_eq!(found(MenuName::UniqueIds, &[id("1"), id("2"), id("1")]), "duplicate 1");
    assert_eq!(found(MenuName::UniqueIds, &[]), "inconclusive");
}

/// A history in lines of `process type f value`.
fn lines(text: &str) -> String {
    let mut edn = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [process, kind, f, value] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        edn += &format!("{{:process {process} :type :{kind} :f :{f} :value {value}}}\n");
    }
    edn
}

/// Anomalies of calls one after the other, each by its process: `process f input output` (or `input -> output`), where `?` is an unknown outcome.
fn after(name: MenuName, text: &str) -> String {
    let mut edn = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [process, f, rest] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (input, output) = rest.split_once(" -> ").or(rest.split_once(' ')).unwrap();
        let (kind, output) = if output == "?" { ("info", input) } else { ("ok", output) };
        edn += &lines(&format!("{process} invoke {f} {input}\n{process} {kind} {f} {output}"));
    }
    told(&judge(name, &edn))
}

fn told(tally: &Tally) -> String {
    match tally.verdict() {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Violation => tally.anomalies.keys().copied().collect::<Vec<_>>().join(", "),
        _ => "inconclusive".to_owned(),
    }
}

#[test]
fn bounded_counters() {
    let add = |n| ("add", n, "ok", n);
    let read = |n| ("read", "nil", "ok", n);
    let counter = |list: &[(&str, &str, &str, &str)]| found(MenuName::Counter, list);
    assert_eq!(counter(&[read("0"), add("1"), add("2"), read("3")]), "pass");
    assert_eq!(counter(&[add("1"), read("0")]), "out-of-bounds 1");
    assert_eq!(counter(&[add("1"), read("2")]), "out-of-bounds 1");
    assert_eq!(counter(&[("add", "5", "info", "5"), read("0"), read("5"), read("0")]), "pass", "it may go back");
    assert_eq!(counter(&[("add", "5", "fail", "5"), read("5")]), "out-of-bounds 1");
    assert_eq!(counter(&[add("1"), add("-3"), read("-2")]), "pass");
    assert_eq!(counter(&[add("1"), add("-3"), read("-3")]), "out-of-bounds 1");
    assert_eq!(counter(&[add("1")]), "inconclusive");
    let during = |seen| {
        let text =
            format!("0 invoke read nil\n1 invoke add 2\n1 ok add 2\n1 invoke add -2\n1 ok add -2\n0 ok read {seen}");
        told(&judge(MenuName::Counter, &lines(&text)))
    };
    assert_eq!((during(2).as_str(), during(0).as_str(), during(3).as_str()), ("pass", "pass", "out-of-bounds"));
}

#[test]
fn last_reads_of_sets() {
    let (add, maybe, failed) = (("add", "1", "ok", "1"), ("add", "2", "info", "2"), ("add", "3", "fail", "3"));
    let read = |seen| ("read", "nil", "ok", seen);
    let set = |list: &[(&str, &str, &str, &str)]| found(MenuName::Set, list);
    assert_eq!(set(&[read("[]"), add, maybe, failed, read("[1]")]), "pass");
    assert_eq!(set(&[add, maybe, read("#{1 2}")]), "pass");
    assert_eq!(set(&[add, maybe, read("[2]")]), "lost 1");
    assert_eq!(set(&[add, read("[1 7]")]), "unexpected 1");
    assert_eq!(set(&[add, failed, read("[1 3]")]), "revived 1");
    assert_eq!(set(&[add]), "inconclusive");
}

#[test]
fn queues() {
    let put = |value| ("enqueue", value, "ok", value);
    let take = |value| ("dequeue", "nil", "ok", value);
    let queue = |list: &[(&str, &str, &str, &str)]| found(MenuName::Queue, list);
    assert_eq!(queue(&[put("1"), put("2"), take("2"), take("nil"), take("1")]), "pass");
    assert_eq!(queue(&[("enqueue", "1", "info", "1"), take("1")]), "pass");
    assert_eq!(queue(&[take("1"), put("1")]), "unexpected 1");
    assert_eq!(queue(&[put("1"), take("1"), take("1")]), "duplicate 1");
    assert_eq!(queue(&[("enqueue", "1", "fail", "1"), take("1")]), "unexpected 1");
    assert_eq!(queue(&[put("1")]), "inconclusive");
    let text = "0 invoke enqueue 1\n1 invoke dequeue nil\n1 ok dequeue 1\n0 ok enqueue 1";
    assert_eq!(told(&judge(MenuName::Queue, &lines(text))), "pass", "it counts from its invocation on");
}

#[test]
fn growing_numbers() {
    let add = |row| ("add", "nil", "ok", row);
    let read = |rows| ("read", "nil", "ok", rows);
    let rows = |list: &[(&str, &str, &str, &str)]| found(MenuName::Monotonic, list);
    let (one, two) = (add("{:val 1 :sts 10.5}"), add("{:val 2 :sts 10.25}"));
    assert_eq!(rows(&[one, read("[{:val 1 :sts 10.5}]")]), "pass");
    assert_eq!(rows(&[one, two, read("[{:val 2 :sts 10.25} {:val 1 :sts 10.5}]")]), "off-order-val 1");
    assert_eq!(rows(&[one, two, read("[{:val 1 :sts 10.5} {:val 2 :sts 10.25}]")]), "off-order-sts 1");
    assert_eq!(rows(&[one, two, read("[{:val 2 :sts 10.25}]")]), "lost 1");
    assert_eq!(rows(&[one, read("[1 1]")]), "duplicate 1");
    assert_eq!(rows(&[("add", "nil", "fail", "{:val 4}"), read("[{:val 4}]")]), "revived 1");
    assert_eq!(rows(&[one]), "inconclusive");
    let maps = |text: &str| after(MenuName::Monotonic, text);
    assert_eq!(maps("0 inc 1 {1 1}\n1 read [1 2] -> {1 1 2 nil}\n0 inc 2 {2 1}\n1 read [1 2] -> {1 1 2 1}"), "pass");
    assert_eq!(maps("0 read [1 2] -> {1 1 2 0}\n1 read [1 2] -> {1 0 2 1}"), "cycle");
    assert_eq!(maps("0 read [1] {1 1}\n0 read [1] {1 0}"), "cycle-process");
    assert_eq!(maps("0 read [1] {1 1}\n1 read [1] {1 0}"), "cycle-realtime");
}

#[test]
fn causes_come_first() {
    let write = |value| ("write", value, "ok", value);
    let read = |seen| ("read", "nil", "ok", seen);
    let list = |list: &[(&str, &str, &str, &str)]| found(MenuName::CausalReverse, list);
    assert_eq!(list(&[write("1"), write("2"), read("[1]"), read("[1 2]"), read("[]")]), "pass");
    assert_eq!(list(&[write("1"), write("2"), write("3"), read("[1 3]")]), "causal-reverse 1");
    assert_eq!(list(&[("write", "1", "info", "1"), write("2"), read("[2]")]), "pass");
    assert_eq!(list(&[write("1"), read("[1 9]")]), "unexpected 1");
    assert_eq!(list(&[write("1"), write("1"), read("[1]")]), "inconclusive");
    let text = "0 invoke write 1\n1 invoke write 2\n1 ok write 2\n0 ok write 1\n1 invoke read nil\n1 ok read [2]";
    assert_eq!(told(&judge(MenuName::CausalReverse, &lines(text))), "pass", "both at once");
    assert_eq!(
        after(MenuName::CausalReverse, "0 write [x 1] -> [x 1]\n0 read [x nil] -> [x [1]]\n0 write [y 2] -> [y 2]"),
        "pass"
    );
}

#[test]
fn sessions_of_one_register() {
    let sessions = |text: &str| after(MenuName::SessionGuarantees, text);
    assert_eq!(sessions("0 write 1 1\n1 read nil nil\n1 read nil 1\n0 write 2 2\n1 read nil 1\n1 read nil 2"), "pass");
    assert_eq!(sessions("0 write 1 1\n0 read nil nil"), "read-your-writes");
    assert_eq!(sessions("0 write 1 ?\n0 read nil nil"), "pass", "it may not have happened");
    assert_eq!(sessions("0 write 1 1\n1 write 2 2\n0 read nil 2\n1 read nil 1"), "read-your-writes");
    assert_eq!(sessions("0 write 1 1\n1 write 2 2\n2 read nil 1\n2 read nil 2\n2 read nil 1"), "monotonic-reads");
    assert_eq!(sessions("0 write 1 1\n1 read nil 1\n1 read nil nil"), "monotonic-reads");
    assert_eq!(sessions("0 write 1 1\n0 write 2 2\n1 read nil 2\n1 read nil 1"), "monotonic-writes");
    assert_eq!(sessions("0 write 1 1\n1 read nil 1\n1 write 2 2\n2 read nil 2\n2 read nil 1"), "writes-follow-reads");
    // 0 says 1 is older than 2; 1, by its own write, the opposite.
    let together = "0 write 1 1\n1 write 2 2\n0 read nil 2\n2 read nil 2\n2 read nil 1";
    assert_eq!(sessions(together), "session-guarantees-together");
    assert_eq!(sessions("0 write 1 1\n0 write 1 1\n1 read nil 1"), "inconclusive");
    assert_eq!(sessions("0 write 1 1"), "inconclusive");
    assert_eq!(sessions("0 write 1 1\n1 read nil 5"), "unexpected");
    assert_eq!(sessions("0 write 1 1\n1 cas [1 2] -> [1 2]\n0 read nil 2\n1 read nil 1"), "read-your-writes");
}

#[test]
fn sessions_across_keys() {
    let sessions = |text: &str| after(MenuName::SessionGuarantees, text);
    let (x, y) = ("0 txn [[:w x 1]] -> [[:w x 1]]\n", "[[:w y 1]] -> [[:w y 1]]\n");
    let (no_x, read_y) = ("2 txn [[:r x nil]] -> [[:r x nil]]\n", "2 txn [[:r y nil]] -> [[:r y 1]]\n");
    assert_eq!(sessions(&format!("{x}0 txn {y}{no_x}{read_y}")), "pass");
    assert_eq!(sessions(&format!("{x}0 txn {y}{read_y}{no_x}")), "monotonic-writes");
    let read_x = "1 txn [[:r x nil]] -> [[:r x 1]]\n";
    assert_eq!(sessions(&format!("{x}{read_x}1 txn {y}{read_y}{no_x}")), "writes-follow-reads");
    assert_eq!(sessions(&format!("{x}1 txn {y}{read_y}{no_x}")), "pass", "nothing ties y to x");
}

#[test]
fn logs() {
    let kafka = |text: &str| after(MenuName::Kafka, text);
    let sent = |n: i64| format!("0 send [[:send x {n}]] -> [[:send x [{n} {n}]]]\n");
    let polled = |seen: &str| format!("1 poll [[:poll]] -> [[:poll {{x [{seen}]}}]]\n");
    let three = [1, 2, 3].map(sent).concat();
    assert_eq!(kafka(&format!("{three}{}{}", polled("[1 1] [2 2]"), polled("[3 3]"))), "pass");
    assert_eq!(kafka(&format!("{three}{}", polled("[1 1] [2 2]"))), "inconclusive", "3 may be on its way");
    assert_eq!(kafka(&format!("{three}{}", polled("[1 1] [3 3]"))), "int-poll-skip, lost-write");
    let all = polled("[1 1] [2 2] [3 3]");
    assert_eq!(kafka(&format!("{three}{}{}", all, polled("[2 2]"))), "nonmonotonic-poll");
    assert_eq!(kafka(&format!("{three}{all}1 assign [x] [x]\n{all}")), "pass", "from the beginning again");
    assert_eq!(
        kafka(&format!(
            "{three}{}{}2 poll [[:poll]] -> [[:poll {{x [[1 1] [2 2]]}}]]",
            polled("[1 1]"),
            polled("[3 3]")
        )),
        "poll-skip"
    );
    assert_eq!(kafka(&format!("{three}{}", polled("[1 1] [2 2] [3 3] [2 2]"))), "int-nonmonotonic-poll");
    assert_eq!(
        kafka(&format!("{three}{}", polled("[1 1] [2 7] [3 3]"))),
        "inconsistent-offsets, lost-write, unexpected"
    );
    assert_eq!(kafka(&format!("{three}{}", polled("[1 1] [2 2] [3 3] [4 1]"))), "duplicate");
    assert_eq!(kafka(&format!("{}{}{}", sent(2), sent(1), polled("[1 1] [2 2]"))), "nonmonotonic-send");
    let txn = "0 txn [[:send x 1] [:poll]] -> [[:send x [1 1]] [:poll {x [[1 1]]}]]";
    assert_eq!(kafka(txn), "precommitted-read");
    let failed = "0 invoke send [[:send x 1]]\n0 fail send [[:send x 1]]\n1 invoke poll [[:poll]]\n1 ok poll [[:poll {x [[1 1]]}]]";
    assert_eq!(told(&judge(MenuName::Kafka, &lines(failed))), "G1a");
    assert_eq!(kafka("0 crash nil ?"), "inconclusive");
}

#[test]
fn names_are_those_of_jepsen() {
    assert_eq!("checker/counter".parse::<MenuName>().unwrap(), MenuName::Counter);
    assert_eq!("checker/set-full".parse::<MenuName>().unwrap(), MenuName::SetFull);
    assert!("counter".parse::<MenuName>().is_err(), "that is a model");
    MenuName::ALL.iter().for_each(|name| assert_eq!(name.name().parse::<MenuName>().unwrap(), *name));
}

#[test]
fn recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/elle-cli/jepsen");
    if !folder.is_dir() {
        println!("skipped: recorded: ../shared/corpora is missing");
        return;
    }
    let cases = [
        ("bank.edn", MenuName::Bank, Verdict::Pass),
        ("bank.json", MenuName::Bank, Verdict::Pass),
        ("bank-neg.edn", MenuName::Bank, Verdict::Pass),
        ("bank-tidb.edn", MenuName::Bank, Verdict::Violation),
        ("bank-negative-balances.json", MenuName::Bank, Verdict::Violation),
        ("long-fork.edn", MenuName::LongFork, Verdict::Violation),
        ("set_full.edn", MenuName::SetFull, Verdict::Violation),
        ("set_full.json", MenuName::SetFull, Verdict::Violation),
        ("set.edn", MenuName::SetFull, Verdict::Pass),
        ("set.edn", MenuName::Set, Verdict::Pass),
        // Nobody reads these counters.
        ("counter.edn", MenuName::Counter, Verdict::Inconclusive),
        ("counter.json", MenuName::Counter, Verdict::Inconclusive),
    ];
    for (file, name, expected) in cases {
        let tally = check(&read(&folder.join(file), None).unwrap(), name);
        assert_eq!(tally.verdict(), expected, "{file}: {tally:?}");
    }
}
