//! Checkers of simulated trials: pure functions from what nodes said was so ([`history::Fact`]) to findings. Each is a file.

pub mod barrier;
pub mod exclusion;
pub mod order;
pub mod promises;
mod sight;

pub use sight::sight;
mod availability;
mod blast_radius;
mod broadcast;
mod commits;
mod load;
mod work;

pub use availability::availability;
pub use blast_radius::{blast_radius, one_cluster};
pub use broadcast::reliable_broadcast;
pub use commits::committed_once;
pub use load::peak_load;
pub use work::{doubled, forgotten, skipped};

use history::Nanos;
use serde::{Deserialize, Serialize};

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing, a word or two: cutting a plan down keeps it.
    pub kind: String,
    /// When it shows, true time; none if it shows only over the whole run.
    pub at: Option<Nanos>,
    /// On which node it shows.
    pub node: Option<u32>,
    /// For people.
    pub sentence: String,
}

impl Finding {
    /// The kind of finding of a checker that could not decide: neither a violation nor a pass.
    pub const UNDECIDED: &'static str = "undecided";

    /// True if the checker gave up.
    pub fn is_undecided(&self) -> bool {
        self.kind == Finding::UNDECIDED
    }
}
