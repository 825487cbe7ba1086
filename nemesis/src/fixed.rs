//! Faults that a scenario asks for by themselves, at set times: the story of a claim. Only instants and targets are drawn.

use crate::planned::{Pick, PlannedFault, Selector};
use crate::shape::Shape;
use history::{FaultKind, MILLI, Nanos};
use serde::{Deserialize, Serialize};
use simulation::Stream;

/// One of them, or several of a kind at the same instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedFault {
    /// When it begins, milliseconds from the start of chaos: from (low) to (high).
    pub at_ms: (u64, u64),
    /// How long it is held, milliseconds.
    pub duration_ms: (u64, u64),
    /// What kind.
    pub kind: FaultKind,
    /// Only nodes of this role; none: any node.
    #[serde(default)]
    pub role: Option<String>,
    /// Which of them.
    #[serde(default)]
    pub pick: Pick,
    /// So many nodes at the same instant; with `pick` any they differ.
    #[serde(default = "one")]
    pub count: u32,
    /// How far a partition or other trouble of links reaches.
    #[serde(default)]
    pub shape: Shape,
    /// See [`PlannedFault::amount`].
    #[serde(default)]
    pub amount: i64,
}

fn one() -> u32 {
    1
}

impl FixedFault {
    /// The faults that it stands for; `from` is the start of chaos. They are numbered by the caller.
    pub(crate) fn draw(&self, stream: &mut Stream, from: Nanos) -> Vec<PlannedFault> {
        let at = from + stream.between(self.at_ms.0 * MILLI, self.at_ms.1 * MILLI);
        let duration = stream.between(self.duration_ms.0 * MILLI, self.duration_ms.1 * MILLI);
        let first = stream.below(1 << 16) as u32;
        let one = |number| {
            // A killed node is no candidate any more, so the same draw hits another one.
            let draw = if self.kind == FaultKind::Kill { first } else { first + number };
            let target = Selector { role: self.role.clone(), pick: self.pick.clone(), draw };
            PlannedFault { id: 0, at, duration, kind: self.kind, target, shape: self.shape, amount: self.amount }
        };
        (0..self.count).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schedule;
    use history::SECOND;

    #[test]
    fn fixed_faults_are_in_every_run_beside_those_that_are_drawn() {
        let fixed = FixedFault {
            at_ms: (4_000, 5_000),
            duration_ms: (1_000, 1_000),
            kind: FaultKind::Kill,
            role: Some("data".to_owned()),
            pick: Pick::Any,
            count: 3,
            shape: Shape::Isolate,
            amount: 0,
        };
        let plain = Schedule { kinds: vec![FaultKind::Pause], ..Schedule::default() };
        let free = plain.draw(3, SECOND, 30 * SECOND, &[("data", 3)]).planned;
        let all = Schedule { fixed: vec![fixed], ..plain }.draw(3, SECOND, 30 * SECOND, &[("data", 3)]).planned;
        assert_eq!(all.len(), free.len() + 3);
        assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[0].id + 1 == pair[1].id));
        let drawn = all.iter().filter(|fault| fault.kind == FaultKind::Pause).map(|fault| (fault.at, fault.duration));
        assert!(drawn.eq(free.iter().map(|fault| (fault.at, fault.duration))), "what is drawn stays what it was");
        let mass: Vec<_> = all.iter().filter(|fault| fault.kind == FaultKind::Kill).collect();
        assert!(mass.iter().all(|fault| fault.at == mass[0].at && fault.at >= 5 * SECOND && fault.at <= 6 * SECOND));
    }
}
