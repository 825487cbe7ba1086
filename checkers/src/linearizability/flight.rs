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

/// An operation in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<B> {
    pub(super) kind: u32,
    ret: u32,
    /// Slots of the same kind that return earlier: those go first, since it makes no other difference.
    pub(super) before: B,
}

/// What is in flight.
#[derive(Debug)]
pub(super) struct Flight<B> {
    pub(super) slots: Vec<Slot<B>>,
    /// Slots that nobody has.
    free: B,
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
        let [free, observations, changes, always] = [B::NONE; 4];
        Flight { slots: Vec::new(), free, observations, changes, always, hidden: Vec::new() }
    }

    /// A slot for an operation that begins; none if there are too many.
    pub(super) fn begin(&mut self, op: &Op, role: Role) -> Option<u32> {
        let slot = if self.free.is_none() { self.slots.len() as u32 } else { self.free.first() };
        if slot == B::BITS {
            return None;
        }
        let bit = B::of(slot);
        self.free = self.free.without(bit);
        let mut new = Slot { kind: op.kind, ret: op.ret, before: B::NONE };
        match role {
            Role::Observation => self.observations = self.observations.or(bit),
            Role::Change | Role::Always => {
                let mut others = self.changes;
                while !others.is_none() {
                    let at = others.first();
                    others = others.without(B::of(at));
                    let other = &mut self.slots[at as usize];
                    if other.kind == op.kind && other.ret < op.ret {
                        new.before = new.before.or(B::of(at));
                    } else if other.kind == op.kind {
                        other.before = other.before.or(bit);
                    }
                }
                self.changes = self.changes.or(bit);
                if role == Role::Always {
                    self.always = self.always.or(bit);
                }
            }
        }
        match self.slots.get_mut(slot as usize) {
            Some(free) => *free = new,
            None => self.slots.push(new),
        }
        Some(slot)
    }

    /// Frees a slot.
    pub(super) fn end(&mut self, slot: u32) {
        let bit = B::of(slot);
        if self.changes.and(bit).is_none() {
            self.observations = self.observations.without(bit);
        } else {
            self.changes = self.changes.without(bit);
            self.always = self.always.without(bit);
            self.slots.iter_mut().for_each(|other| other.before = other.before.without(bit));
        }
        self.free = self.free.or(bit);
    }

    /// Becomes equal to another one, in the memory that it has.
    pub(super) fn copy(&mut self, other: &Flight<B>) {
        let Flight { slots, free, observations, changes, always, hidden } = other;
        self.slots.clone_from(slots);
        self.hidden.clone_from(hidden);
        (self.free, self.observations, self.changes, self.always) = (*free, *observations, *changes, *always);
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
        (self.slots.capacity() * std::mem::size_of::<Slot<B>>() + self.hidden.capacity() * 12 + 128) as u64
    }
}
