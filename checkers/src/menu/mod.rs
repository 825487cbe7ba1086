//! The rest of Jepsen's menu: checkers of one workload each. They count what is wrong by name and need one pass, or a sort.

mod bank;
mod long_fork;
mod set_full;
mod tally;
mod total_queue;
mod unique_ids;

use crate::options::CheckersError;
use crate::verdict::Verdict;
use history::calls::Calls;
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
}

impl MenuName {
    /// All, in the order of documentation.
    pub const ALL: [MenuName; 5] =
        [MenuName::Bank, MenuName::LongFork, MenuName::SetFull, MenuName::TotalQueue, MenuName::UniqueIds];

    /// The name that people use.
    pub fn name(self) -> &'static str {
        match self {
            MenuName::Bank => "bank",
            MenuName::LongFork => "long-fork",
            MenuName::SetFull => "set-full",
            MenuName::TotalQueue => "total-queue",
            MenuName::UniqueIds => "unique-ids",
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
        }
    }

    /// Consistency models that a violation rules out, the weakest last.
    pub fn rules_out(self) -> &'static [&'static str] {
        match self {
            MenuName::Bank => &["strict-serializable", "serializable", "snapshot-isolation"],
            MenuName::LongFork => &["strict-serializable", "serializable", "snapshot-isolation", "prefix"],
            MenuName::SetFull | MenuName::TotalQueue | MenuName::UniqueIds => &["linearizable"],
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
        let found = MenuName::ALL.into_iter().find(|checker| checker.name() == name);
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
