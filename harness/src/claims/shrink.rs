//! Delta debugging (Zeller and Hildebrandt 2002) over the entries of a plan: the result fails in the same way, and leaving out
//! any one entry more would make it pass.

use super::sample::Lab;
use ::systems::trial::TrialPlan;

/// Cuts a plan down that shows a violation of this kind.
pub fn shrink(lab: &Lab, plan: &TrialPlan, kind: &str) -> TrialPlan {
    let fails = |plan: &TrialPlan| lab.plan(plan, false).shows(kind);
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
