//! Which node is to blame? From what clients saw alone: how long answers and pushes took, and who was on their way (R9).
//!
//! [`observe`] takes observations out of a history, and looks at no fault; [`locate()`] is a pure function of a window of
//! observations, so that a probe can ask it about the last minutes of production. The way of an operation is the session node
//! that the client was connected to and the data node that answers for the slot of the dataId, by the system's public routing
//! table; where a system has no such table, only nodes that clients are connected to can be named.
//!
//! 1. Delays of one kind ([`Way`]) are ranked over the whole window, what was never answered last, and each gets its Savage
//!    score (Savage 1956): the rank statistic for things that take longer, and for tails. So no distribution is assumed, and no
//!    bound is needed.
//! 2. In each half second and for each kind, the mean score of what went through a node is compared with that of what went
//!    through its peers (van Elteren 1960: ranks within strata, added up). What slows everybody down cancels out; a sick data
//!    node is met by the clients of all session nodes alike, a sick session node by writes to all data nodes alike.
//! 3. The sum of these differences over the stretch of at least two seconds in which it is largest, in standard deviations, is the
//!    node's score: a scan statistic (Kulldorff 1997). It also says from when to when.
//! 4. A score of [`SCORE_MIN`] accuses. Then the suspect's own observations are left out, and the others are scored again: what
//!    is left of them is what the suspect does not explain.

mod extract;
mod locate;
mod observation;
mod scan;
mod scores;
mod words;

pub use extract::observe;
pub use locate::{Rival, SCORE_MIN, Suspect, locate};
pub use observation::{Observation, Observations, Way};
