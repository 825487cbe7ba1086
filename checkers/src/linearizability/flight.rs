//! The operations in flight at one place of a history, each in a slot, and the unknown ones, which are in flight for ever.

use super::mask::Mask;
use super::model::Role;
use super::problem::Op;

/// Actions of unknown outcome that can be used, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) kind: u32,
    /// How many operations of the kind have begun.
    pub(super) supply: u32,
    /// Nothing can depend on the kind after this place.
    pub(super) until: u32,
}

/// What is in flight.
#[derive(Clone, Debug)]
pub(super) struct Flight<B> {
    /// The operation in each slot, and its kind.
    pub(super) ops: Vec<u32>,
    pub(super) kinds: Vec<u32>,
    rets: Vec<u32>,
    /// Slots of the same kind that return earlier: those go first, since it makes no other difference.
    pub(super) before: Vec<B>,
    free: Vec<u32>,
    /// Slots of observations.
    pub(super) observations: B,
    /// Slots of what may change the state.
    pub(super) changes: B,
    /// Slots of what is possible in every state.
    pub(super) always: B,
    pub(super) hidden: Vec<Hidden>,
}

impl<B: Mask> Flight<B> {
    pub(super) fn new() -> Flight<B> {
        Flight {
            ops: Vec::new(),
            kinds: Vec::new(),
            rets: Vec::new(),
            before: Vec::new(),
            free: Vec::new(),
            observations: B::NONE,
            changes: B::NONE,
            always: B::NONE,
            hidden: Vec::new(),
        }
    }

    /// A slot for an operation that begins; none if there are too many.
    pub(super) fn begin(&mut self, number: u32, op: &Op, role: Role) -> Option<u32> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if (self.ops.len() as u32) < B::BITS => {
                self.ops.push(0);
                self.kinds.push(0);
                self.rets.push(0);
                self.before.push(B::NONE);
                self.ops.len() as u32 - 1
            }
            None => return None,
        };
        let at = slot as usize;
        (self.ops[at], self.kinds[at], self.rets[at], self.before[at]) = (number, op.kind, op.ret, B::NONE);
        match role {
            Role::Observation => self.observations = self.observations.or(B::of(slot)),
            Role::Change | Role::Always => {
                let mut others = self.changes;
                while !others.is_none() {
                    let other = others.first();
                    others = others.without(B::of(other));
                    if self.kinds[other as usize] == op.kind {
                        let (first, last) =
                            if self.rets[other as usize] < op.ret { (other, slot) } else { (slot, other) };
                        self.before[last as usize] = self.before[last as usize].or(B::of(first));
                    }
                }
                self.changes = self.changes.or(B::of(slot));
                if role == Role::Always {
                    self.always = self.always.or(B::of(slot));
                }
            }
        }
        Some(slot)
    }

    /// Frees a slot.
    pub(super) fn end(&mut self, slot: u32) {
        let bit = B::of(slot);
        self.observations = self.observations.without(bit);
        self.changes = self.changes.without(bit);
        self.always = self.always.without(bit);
        self.before.iter_mut().for_each(|before| *before = before.without(bit));
        self.free.push(slot);
    }

    /// An operation of unknown outcome begins; it matters until a place.
    pub(super) fn hide(&mut self, kind: u32, until: u32) {
        match self.hidden.iter_mut().find(|hidden| hidden.kind == kind) {
            Some(hidden) => {
                hidden.supply += 1;
                hidden.until = hidden.until.max(until);
            }
            None => self.hidden.push(Hidden { kind, supply: 1, until }),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.ops.len() * (12 + std::mem::size_of::<B>()) + self.free.len() * 4 + self.hidden.len() * 12 + 64) as u64
    }
}
