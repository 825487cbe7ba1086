//! The rest of Jepsen's menu: checkers of one workload each. They count what is wrong by name and need one pass, or a sort.

mod bank;
mod causal_reverse;
mod causality;
mod counter;
mod cycles;
mod kafka;
mod long_fork;
mod monotonic;
mod parts;
mod queue;
mod sessions;
mod set;
mod set_full;
mod tally;
mod total_queue;
mod unique_ids;

use crate::options::CheckersError;
use crate::verdict::Verdict;
use history::calls::Calls;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub use tally::{Finding, Tally};

/// One checker of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MenuName {
    /// Transfers between accounts: the total stays, no balance is negative.
    Bank,
    /// Reads of groups of keys, each written once: no two reads see two writes in opposite orders.
    LongFork,
    /// Elements that were added stay.
    SetFull,
    /// What went in comes out.
    TotalQueue,
    /// Every id is given out once.
    UniqueIds,
    /// A counter between bounds.
    Counter,
    /// What was added is in the last read.
    Set,
    /// What comes out went in before.
    Queue,
    /// Numbers that only grow.
    Monotonic,
    /// Nothing is seen before what was completed before it.
    CausalReverse,
    /// Read your writes, monotonic reads and writes, writes follow reads.
    SessionGuarantees,
    /// Logs like Kafka's.
    Kafka,
}

impl MenuName {
    /// All, in the order of documentation.
    pub const ALL: [MenuName; 12] = [
        MenuName::Bank,
        MenuName::LongFork,
        MenuName::SetFull,
        MenuName::TotalQueue,
        MenuName::UniqueIds,
        MenuName::Counter,
        MenuName::Set,
        MenuName::Queue,
        MenuName::Monotonic,
        MenuName::CausalReverse,
        MenuName::SessionGuarantees,
        MenuName::Kafka,
    ];

    /// The name that people use. Three are called as in Jepsen's namespace, since models of the same name are another thing.
    pub fn name(self) -> &'static str {
        match self {
            MenuName::Bank => "bank",
            MenuName::LongFork => "long-fork",
            MenuName::SetFull => "set-full",
            MenuName::TotalQueue => "total-queue",
            MenuName::UniqueIds => "unique-ids",
            MenuName::Counter => "checker/counter",
            MenuName::Set => "checker/set",
            MenuName::Queue => "checker/queue",
            MenuName::Monotonic => "monotonic",
            MenuName::CausalReverse => "causal-reverse",
            MenuName::SessionGuarantees => "session-guarantees",
            MenuName::Kafka => "kafka",
        }
    }

    /// Its functions, in a line.
    pub fn about(self) -> &'static str {
        match self {
            MenuName::Bank => "read -> {account balance}; the total of all reads is the same, no balance is negative",
            MenuName::LongFork => {
                "read [[:r k v] ...] of keys written once: no two reads see two writes in opposite orders"
            }
            MenuName::SetFull => "add v, read -> all: nothing that was known is lost, nothing comes twice",
            MenuName::TotalQueue => {
                "enqueue v, dequeue -> v, drain -> [v ...]: nothing is lost, nothing comes from nowhere"
            }
            MenuName::UniqueIds => "generate -> id: no id twice",
            MenuName::Counter => "add n, read -> n: between what was surely added and what can have been added",
            MenuName::Set => "add v, one last read -> all: all that was added, nothing else",
            MenuName::Queue => "enqueue v, dequeue -> v: what comes out went in before, as often at least",
            MenuName::Monotonic => "add -> {:val :sts}, read -> all by time; or inc, read -> {k n}: numbers only grow",
            MenuName::CausalReverse => "write v, read -> all: nothing is seen without what was completed before it",
            MenuName::SessionGuarantees => {
                "read, write, txn: read your writes, monotonic reads and writes, writes follow reads"
            }
            MenuName::Kafka => "send, poll, txn of [:send k v], [:poll {k [[offset v] ...]}]; assign, subscribe",
        }
    }

    /// Consistency models that a violation of these kinds rules out, the weakest last.
    pub fn rules_out(self, anomalies: &BTreeMap<&'static str, u64>) -> Vec<&'static str> {
        match self {
            MenuName::Bank => vec!["strict-serializable", "serializable", "snapshot-isolation"],
            MenuName::LongFork => vec!["strict-serializable", "serializable", "snapshot-isolation", "prefix"],
            MenuName::Monotonic | MenuName::CausalReverse => vec!["strict-serializable"],
            MenuName::SessionGuarantees => {
                let mut not = vec!["strict-serializable", "linearizable", "sequential", "causal"];
                if anomalies.keys().any(|anomaly| !matches!(*anomaly, "writes-follow-reads" | "unexpected")) {
                    not.push("PRAM");
                }
                let kinds = ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"];
                not.extend(kinds.into_iter().filter(|kind| anomalies.contains_key(kind)));
                not
            }
            MenuName::Kafka => Vec::new(),
            MenuName::SetFull
            | MenuName::TotalQueue
            | MenuName::UniqueIds
            | MenuName::Counter
            | MenuName::Set
            | MenuName::Queue => vec!["linearizable"],
        }
    }
}

impl fmt::Display for MenuName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MenuName {
    type Err = CheckersError;

    fn from_str(name: &str) -> Result<MenuName, CheckersError> {
        // Jepsen's own names have their namespace before them.
        let plain = name.strip_prefix("checker/").unwrap_or(name);
        let found = MenuName::ALL.into_iter().find(|checker| checker.name() == name || checker.name() == plain);
        found.ok_or_else(|| CheckersError::UnknownModel { name: name.to_owned() })
    }
}

/// Checks a history.
pub fn check(calls: &Calls, name: MenuName) -> Tally {
    let mut tally = Tally::default();
    match name {
        MenuName::Bank => bank::check(calls, &mut tally),
        MenuName::LongFork => long_fork::check(calls, &mut tally),
        MenuName::SetFull => set_full::check(calls, &mut tally),
        MenuName::TotalQueue => total_queue::check(calls, &mut tally),
        MenuName::UniqueIds => unique_ids::check(calls, &mut tally),
        MenuName::Counter => counter::check(calls, &mut tally),
        MenuName::Set => set::check(calls, &mut tally),
        MenuName::Queue => queue::check(calls, &mut tally),
        MenuName::Monotonic => monotonic::check(calls, &mut tally),
        MenuName::CausalReverse => causal_reverse::check(calls, &mut tally),
        MenuName::SessionGuarantees => sessions::check(calls, &mut tally),
        MenuName::Kafka => kafka::check(calls, &mut tally),
    }
    if tally.anomalies.is_empty()
        && let Some(cut) = &calls.cut
    {
        tally.reason = Some(format!("the history is not whole: {cut}"));
    }
    tally
}

impl Tally {
    /// The answer: a violation, or else inconclusive where there is a reason for it.
    pub fn verdict(&self) -> Verdict {
        match (self.anomalies.is_empty(), &self.reason) {
            (false, _) => Verdict::Violation,
            (true, Some(_)) => Verdict::Inconclusive,
            (true, None) => Verdict::Pass,
        }
    }
}
