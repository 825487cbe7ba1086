//! Part G: gradual roll-out in master-worker systems.

use super::table::Claim;

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[];
