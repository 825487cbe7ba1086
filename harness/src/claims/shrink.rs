//! Delta debugging (Zeller and Hildebrandt 2002) over the entries of a plan: the result fails in the same way, and leaving out
//! any one entry more would make it pass.

use ::systems::trial::TrialPlan;

/// Cuts a plan down for which `fails` is true.
pub fn shrink(plan: &TrialPlan, fails: &dyn Fn(&TrialPlan) -> bool) -> TrialPlan {
    let mut best = plan.clone();
    let mut size = best.len().div_ceil(2);
    while size > 0 {
        let before = best.len();
        let mut at = 0;
        while at < best.len() {
            let candidate = best.only(|entry| entry < at || entry >= at + size);
            if fails(&candidate) {
                best = candidate;
            } else {
                at += size;
            }
        }
        // At the end single entries are tried until none can go: what was needed may not be any more.
        size = match size {
            1 if best.len() < before => 1,
            1 => 0,
            _ => size.div_ceil(2),
        };
    }
    best
}
