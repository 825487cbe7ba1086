//! Linearizability (Herlihy and Wing 1990): is there an order of all operations, each within its own time, that one object
//! could have gone through one after the other?
//!
//! [`check()`] judges an operation history against a model by name; [`decide()`] judges one object against any [`Model`]. Objects
//! (keys) are judged alone, since linearizability is local. Histories that name which write each read saw are decided in
//! log-linear time, all others by a search whose cost grows with the operations in flight, not with the length of the history.
//! Nothing is guessed: limits of time and memory end in `inconclusive`.

mod catalogue;
mod check;
mod decide;
mod explain;
mod fifo;
mod flight;
mod grow;
mod limits;
mod mask;
mod model;
pub mod models;
mod paths;
mod problem;
mod quick;
mod search;
mod shrink;
mod states;
mod table;
mod uses;
mod vocabulary;
mod words;
mod zones;

pub use catalogue::ModelName;
pub use check::{Failure, Judgement, Options, check};
pub use decide::{Decision, SEARCH, decide};
pub use explain::{Explanation, Path, Shown};
pub use limits::{GaveUp, Limits};
pub use model::{Model, Role};
pub use problem::{Op, Problem};
pub use quick::{Quick, Wrong};
pub use vocabulary::{FailedCas, Vocabulary};
pub use words::Words;
