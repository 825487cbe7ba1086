//! Operation histories as Jepsen keeps them: who called what, with which outcome, in which order. They are read from Jepsen's
//! EDN, its JSON and its console logs, and from a format of our own; they are written as EDN and in our own format. Unlike the histories of [`crate::event`] they say nothing about
//! pushes, sessions or faults: they are what checkers of stores, locks, queues and transactions need.
//!
//! Reading streams: a file costs the calls in it, never its text.

mod build;
mod detect;
mod file;
mod lex;
mod lines;
mod list;
mod own;
mod parse;
mod read;
mod scan;
mod symbols;
mod usual;
mod value;
mod write;

pub use build::Builder;
pub use detect::{Format, detect};
pub use file::{is_own, write_own};
pub use list::List;
pub use own::from_events;
pub use parse::parse_value;
pub use read::{CallsError, read, read_from};
pub use symbols::{Sym, Symbols};
pub use value::Value;
pub use write::{render, write_edn};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ended {
    /// It took effect between its two places.
    Ok,
    /// It certainly did not take effect.
    Fail,
    /// Nobody knows: it may have taken effect, or may do so at any later time.
    Info,
}

/// One call, invocation and completion joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Jepsen's process; [`NO_PROCESS`] where the file names none.
    pub process: i64,
    /// What was called.
    pub f: Sym,
    /// How it ended.
    pub ended: Ended,
    /// The file gave a reason for its failure or its unknown outcome.
    pub error: bool,
    /// Place of the invocation in the order of the history: unique, over invocations and completions.
    pub invoke: u32,
    /// Place of the completion; [`OPEN`] where there is none.
    pub complete: u32,
    /// When it was invoked, nanoseconds; -1 where the file has no times.
    pub start_ns: i64,
    /// When it was completed, nanoseconds; -1 where unknown.
    pub end_ns: i64,
    /// The key, where the history has independent keys.
    pub key: Option<Value>,
    /// The value of the invocation.
    pub input: Value,
    /// The value of the completion; nil where there is none.
    pub output: Value,
}

impl Call {
    /// The place until which it must have taken effect: [`OPEN`] where that is for ever.
    pub fn until(&self) -> u32 {
        if self.ended == Ended::Info { OPEN } else { self.complete }
    }
}

/// The place of a completion that never came.
pub const OPEN: u32 = u32::MAX;
/// The process of calls that name none.
pub const NO_PROCESS: i64 = i64::MIN;

/// A whole operation history: calls in the order of their invocations, and the words in them.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// The calls, by [`Call::invoke`].
    pub calls: Vec<Call>,
    /// Names and strings.
    pub symbols: Symbols,
    /// Entries that were no client's: those of the nemesis, and lines of a log that are no operations.
    pub others: u64,
    /// True if calls carry independent keys.
    pub keyed: bool,
    /// Why the history is not whole, where it was cut or damaged: what is missing could be a violation.
    pub cut: Option<String>,
}

impl Calls {
    /// The name of what was called.
    pub fn f(&self, call: &Call) -> &str {
        self.symbols.name(call.f)
    }
}
