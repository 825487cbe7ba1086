//! Facts that the nodes of a simulated trial tell about themselves, in true time, for checkers that need more than what clients
//! saw: who held a lock, who led, which worker was hurt.

use crate::Nanos;

/// Something that was so on a node at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// True time.
    pub at: Nanos,
    /// Number of the node.
    pub node: u32,
    /// What: a word of the system.
    pub what: &'static str,
    /// With which figure.
    pub value: i64,
}
