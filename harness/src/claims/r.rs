//! Part R: service registries at scale.

use super::table::Claim;

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[];
