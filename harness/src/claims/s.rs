//! Part S: single points of failure.

use super::table::Claim;

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[];
