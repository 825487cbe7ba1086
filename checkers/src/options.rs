//! What to check, how strictly and with how much effort.

use crate::verdict::Kind;
use std::fmt;
use std::str::FromStr;

/// One of the checkers; each is a group of kinds of violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Checker {
    /// Views follow the truth in time: stale, late, wrong-at-end.
    Convergence,
    /// Nothing that is there is left out: incomplete, torn.
    Completeness,
    /// Nothing is shown that is not there: phantom, duplicate, ghost.
    Ghosts,
    /// Nothing goes back: backwards, version-fell.
    Order,
}

impl Checker {
    /// All of them, in the order of reports.
    pub const ALL: [Checker; 4] = [Checker::Convergence, Checker::Completeness, Checker::Ghosts, Checker::Order];

    /// The name that people use.
    pub fn name(self) -> &'static str {
        match self {
            Checker::Convergence => "convergence",
            Checker::Completeness => "completeness",
            Checker::Ghosts => "ghosts",
            Checker::Order => "order",
        }
    }

    /// The checker that a kind of violation belongs to.
    pub fn of(kind: Kind) -> Checker {
        match kind {
            Kind::Stale | Kind::Late | Kind::WrongAtEnd => Checker::Convergence,
            Kind::Incomplete | Kind::Torn => Checker::Completeness,
            Kind::Phantom | Kind::Duplicate | Kind::Ghost => Checker::Ghosts,
            Kind::Backwards | Kind::VersionFell => Checker::Order,
        }
    }
}

impl fmt::Display for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What can be wrong with a request to check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckersError {
    /// There is no checker of this name.
    #[error("there is no checker `{name}`; there are convergence, completeness, ghosts and order")]
    UnknownChecker {
        /// The name asked for.
        name: String,
    },
    /// There is no model of this name.
    #[error("there is no model `{name}`; `upheaval list models` lists them")]
    UnknownModel {
        /// The name asked for.
        name: String,
    },
    /// There is no consistency model of this name.
    #[error(
        "there is no consistency model `{name}`; the usual ones are strict-serializable, serializable, snapshot-isolation, repeatable-read, causal, read-atomic, read-committed and read-uncommitted, docs/checkers.md has all"
    )]
    UnknownConsistencyModel {
        /// The name asked for.
        name: String,
    },
    /// The model cannot begin so.
    #[error("the model {model} begins with {expected}")]
    BadInitial {
        /// The model.
        model: &'static str,
        /// What it begins with.
        expected: &'static str,
    },
    /// The history is not one of the model.
    #[error("{what} (entry {entry} of the history)")]
    Misfit {
        /// What does not fit.
        what: String,
        /// Invocations and completions counted from 1.
        entry: u64,
    },
}

impl FromStr for Checker {
    type Err = CheckersError;

    fn from_str(name: &str) -> Result<Checker, CheckersError> {
        Checker::ALL
            .into_iter()
            .find(|c| c.name() == name)
            .ok_or_else(|| CheckersError::UnknownChecker { name: name.to_owned() })
    }
}

/// How to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which checkers to report.
    pub checkers: Vec<Checker>,
    /// Divides `visible_ms_max`, `recovered_ms_max`, `staleness_ms_max` and `reregister_ms_max`: a sensitivity test. 1 leaves
    /// the contract as it is.
    pub divisor: u64,
    /// Threads to use; the result does not depend on it.
    pub threads: usize,
    /// Steps of work after which a check gives up and is inconclusive.
    pub steps_max: u64,
    /// Examples with evidence, for each checker.
    pub examples_max: usize,
    /// With fewer operations that ended ok the run is inconclusive.
    pub operations_min: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            checkers: Checker::ALL.to_vec(),
            divisor: 1,
            threads: 1,
            steps_max: 20_000_000_000,
            examples_max: 20,
            operations_min: 20,
        }
    }
}
