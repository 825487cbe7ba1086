//! An acceptor. Everything is on disk.

use super::{Ballot, Say};
use crate::trial::Said;
use simulation::{NodeId, Outputs};
use std::collections::BTreeMap;

/// What it knows of a slot.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    promised: Ballot,
    /// To whom.
    to: Option<NodeId>,
    accepted: Option<(Ballot, i64)>,
}

/// An acceptor.
#[derive(Clone, Debug, Default)]
pub struct Acceptor {
    slots: BTreeMap<u32, Slot>,
}

impl Acceptor {
    /// A proposer says something.
    pub fn hear(&mut self, from: NodeId, say: Say, out: &mut Outputs<Say, super::Timer, (NodeId, Said)>) {
        match say {
            Say::Prepare(slot, ballot) => {
                let state = self.slots.entry(slot).or_default();
                if ballot < state.promised {
                    return out.send(from, Say::PreEmpted(slot, ballot, state.promised));
                }
                let open = state.accepted.is_none_or(|(accepted, _)| accepted < state.promised);
                if let Some(other) = state.to.filter(|other| *other != from && open) {
                    out.send(other, Say::PreEmpted(slot, state.promised, ballot));
                }
                (state.promised, state.to) = (ballot, Some(from));
                out.send(from, Say::Promise(slot, ballot, state.accepted));
            }
            Say::Accept(slot, ballot, value) => {
                let state = self.slots.entry(slot).or_default();
                if ballot < state.promised {
                    return out.send(from, Say::PreEmpted(slot, ballot, state.promised));
                }
                (state.promised, state.to, state.accepted) = (ballot, Some(from), Some((ballot, value)));
                out.send(from, Say::Accepted(slot, ballot));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_and_the_one_who_was_pre_empted_is_told() {
        let mut acceptor = Acceptor::default();
        let mut say = |from, say| {
            let mut out = Outputs::default();
            acceptor.hear(from, say, &mut out);
            out.sent()
                .iter()
                .map(|(to, _, say)| format!("{to}: {}", simulation::Message::says(say)))
                .collect::<Vec<_>>()
        };
        assert_eq!(say(7, Say::Prepare(0, 16)), ["7: promised 16"]);
        assert_eq!(say(8, Say::Prepare(0, 33)), ["7: not 16: 33 is promised", "8: promised 33"]);
        assert_eq!(say(7, Say::Accept(0, 16, 1)), ["7: not 16: 33 is promised"]);
        assert_eq!(say(8, Say::Accept(0, 33, 2)), ["8: accepted 33"]);
        assert_eq!(say(7, Say::Prepare(0, 48)), ["7: promised 48"]);
    }
}
