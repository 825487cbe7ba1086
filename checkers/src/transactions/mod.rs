//! Isolation of transactions (Adya 1999; Kingsbury and Alvaro, "Elle: inferring isolation anomalies from experimental
//! observations", 2020): which anomalies does a history show, and which consistency models do they rule out?
//!
//! [`check()`] reads transactions on lists ([`Workload::ListAppend`]) or registers ([`Workload::RwRegister`]), infers in which order
//! the versions of each key were made, and from that which transaction depends on which: one wrote after the other (ww), read
//! what it wrote (wr), or read what the other overwrote (rw). Cycles of dependencies, alone or with the order of processes or of
//! time, are the anomalies. What is not inferred is not guessed: transactions with unknown outcome count where their writes were
//! seen, and a model about which nothing was found but not everything is known is inconclusive.

mod append;
mod check;
mod components;
mod cycles;
mod finding;
mod graph;
mod history;
mod judgement;
mod lattice;
mod paths;
mod register;
mod weak;
mod words;

pub use check::{KeyOrder, Options, Workload, check};
pub use finding::{Cycle, Finding, Shown, Step};
pub use judgement::Judgement;
pub use lattice::ConsistencyModel;
