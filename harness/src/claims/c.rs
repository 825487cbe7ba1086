//! Part C: systems built on consensus.

use super::table::Claim;

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[];
