//! The models by name.

use crate::options::CheckersError;
use std::fmt;
use std::str::FromStr;

/// A model that the command line knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModelName {
    /// Read and write.
    Register,
    /// Read, write, compare and set.
    CasRegister,
    /// Transactions over several registers.
    MultiRegister,
    /// Get, put and append of strings.
    Kv,
    /// Acquire and release.
    Mutex,
    /// A lock that its owner may take again.
    ReentrantLock,
    /// A lock whose acquisitions carry growing tokens.
    FencedLock,
    /// Add, remove, contains, read.
    Set,
    /// First in, first out.
    FifoQueue,
    /// In any order.
    UnorderedQueue,
    /// Last in, first out.
    Stack,
    /// Add and read.
    Counter,
    /// A leader for each epoch.
    Lease,
}

impl ModelName {
    /// All, in the order of documentation.
    pub const ALL: [ModelName; 13] = [
        ModelName::Register,
        ModelName::CasRegister,
        ModelName::MultiRegister,
        ModelName::Kv,
        ModelName::Mutex,
        ModelName::ReentrantLock,
        ModelName::FencedLock,
        ModelName::Set,
        ModelName::FifoQueue,
        ModelName::UnorderedQueue,
        ModelName::Stack,
        ModelName::Counter,
        ModelName::Lease,
    ];

    /// The name that people use.
    pub fn name(self) -> &'static str {
        match self {
            ModelName::Register => "register",
            ModelName::CasRegister => "cas-register",
            ModelName::MultiRegister => "multi-register",
            ModelName::Kv => "kv",
            ModelName::Mutex => "mutex",
            ModelName::ReentrantLock => "reentrant-lock",
            ModelName::FencedLock => "fenced-lock",
            ModelName::Set => "set",
            ModelName::FifoQueue => "fifo-queue",
            ModelName::UnorderedQueue => "unordered-queue",
            ModelName::Stack => "stack",
            ModelName::Counter => "counter",
            ModelName::Lease => "lease",
        }
    }
}

impl ModelName {
    /// Its functions, in a line.
    pub fn about(self) -> &'static str {
        match self {
            ModelName::Register => "read, write v",
            ModelName::CasRegister => "read, write v, cas [old new]",
            ModelName::MultiRegister => "txn [[:read x v] [:write y w] ...] over several registers, 0 at first",
            ModelName::Kv => "get, put v, append v on strings, empty at first",
            ModelName::Mutex => "acquire, release, whoever does it",
            ModelName::ReentrantLock => "acquire, release; its owner may acquire it again",
            ModelName::FencedLock => "acquire -> token, release; tokens grow",
            ModelName::Set => "add v, remove v, contains v -> true or false, read -> all",
            ModelName::FifoQueue => "enqueue v, dequeue -> v or nil; first in, first out",
            ModelName::UnorderedQueue => "enqueue v, dequeue -> v or nil; in any order",
            ModelName::Stack => "push v, pop -> v or nil",
            ModelName::Counter => "add n, read -> n",
            ModelName::Lease => "elect -> epoch, renew, resign, read -> leader; later epochs only",
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ModelName {
    type Err = CheckersError;

    fn from_str(name: &str) -> Result<ModelName, CheckersError> {
        ModelName::ALL
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| CheckersError::UnknownModel { name: name.to_owned() })
    }
}
