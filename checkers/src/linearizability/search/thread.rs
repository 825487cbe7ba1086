//! The cheapest walk along a history: one configuration alone, which goes the best way that it sees at each return.
//!
//! It finds an order or loses its way, and then others must decide. One thing makes up for the configurations that it does not
//! keep: what overwrites the state hides whatever took effect just before it. So a write in flight at that instant may still be
//! put there later, when it returns, and changes nothing.

use super::{Advance, RETURN, STEPS_PER_BOOKING, Search};
use crate::linearizability::limits::GaveUp;
use crate::linearizability::mask::Mask;
use crate::linearizability::states::NO_STATE;

/// Operations, one after the other, among which the best way is chosen; and the most there are if there is no shorter way.
const LEVELS: u32 = 2;
const LEVELS_MAX: u32 = 4;
/// Places looked at for one return, at most.
const PLACES_MAX: usize = 64;

/// Where the thread is, or could be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<B> {
    mask: B,
    state: u32,
    /// What may be put, unseen, before the last overwriting.
    hidden: B,
}

impl<B: Mask> Search<'_, '_, B> {
    /// Keeps the most promising configuration only.
    pub(in crate::linearizability) fn alone(&mut self) {
        let mut frontier = std::mem::take(&mut self.frontier);
        if frontier.len() > 1 {
            self.narrow(&mut frontier, 1);
        }
        self.frontier = frontier;
        self.unseen = B::NONE;
        self.truncated = true;
    }

    /// Takes one event with one configuration.
    pub(in crate::linearizability) fn follow(&mut self, event: usize) -> Result<Advance, GaveUp> {
        let number = self.op_at(event);
        if self.steps >= STEPS_PER_BOOKING {
            self.book()?;
        }
        self.steps += 1;
        if self.events[event] & RETURN == 0 {
            self.begin(number)?;
            return Ok(Advance::Alive);
        }
        let slot = u32::from(self.slots[number]);
        let bit = B::of(slot);
        let Some(mut config) = self.frontier.pop() else { return Ok(Advance::Dead) };
        if config.mask.and(bit).is_none() {
            let Some(best) = self.best(Place { mask: config.mask, state: config.state, hidden: self.unseen }, bit)
            else {
                return Ok(Advance::Dead);
            };
            (config.mask, config.state) = (best.mask, best.state);
            self.unseen = best.hidden;
        }
        config.mask = config.mask.without(bit);
        self.unseen = self.unseen.without(bit);
        self.flight.end(slot);
        self.frontier.push(config);
        Ok(Advance::Alive)
    }

    /// The best way, of few, to where an operation has taken effect.
    fn best(&mut self, from: Place<B>, bit: B) -> Option<Place<B>> {
        let mut places = std::mem::take(&mut self.places);
        places.push(from);
        let mut best: Option<(i32, Place<B>)> = None;
        if !from.hidden.and(bit).is_none() {
            let mask = from.mask.or(bit);
            best = Some((self.worth(mask), Place { mask, ..from }));
        }
        let (mut begin, mut level) = (0, 0);
        while begin < places.len() && level < if best.is_some() { LEVELS } else { LEVELS_MAX } {
            let end = places.len();
            for at in begin..end {
                let place = places[at];
                let mut open = self.flight.changes.without(place.mask);
                while !open.is_none() {
                    let one = open.first();
                    open = open.without(B::of(one));
                    let Some(next) = self.after(place, one) else { continue };
                    if next.mask.and(bit).is_none() {
                        if places.len() < PLACES_MAX {
                            places.push(next);
                        }
                        continue;
                    }
                    let worth = self.worth(next.mask);
                    if best.is_none_or(|(most, _)| worth > most) {
                        best = Some((worth, next));
                    }
                }
            }
            (begin, level) = (end, level + 1);
        }
        self.steps += places.len() as u64;
        places.clear();
        self.places = places;
        best.map(|(_, place)| place)
    }

    /// Where the operation in a slot leads.
    #[inline]
    fn after(&mut self, place: Place<B>, one: u32) -> Option<Place<B>> {
        if !self.flight.slots[one as usize].before.without(place.mask).is_none() {
            return None;
        }
        let kind = self.flight.slots[one as usize].kind;
        let state = self.states.step(place.state, kind);
        if state == NO_STATE {
            return None;
        }
        let mask = place.mask.or(B::of(one)).or(self.fitting(state));
        let hidden = if self.overwrites[kind as usize] { self.flight.always } else { place.hidden };
        Some(Place { mask, state, hidden: hidden.without(mask) })
    }

    /// The more is done, and the more of what can be done at any time is left, the better.
    #[inline]
    fn worth(&self, mask: B) -> i32 {
        let always = mask.and(self.flight.always);
        mask.without(always).count() as i32 - 2 * always.count() as i32
    }
}
