//! The general search: just-in-time linearization (Lowe 2017) with a set of configurations that walks along the history.
//!
//! A configuration is a state and which of the operations in flight have taken effect. Nothing takes effect before it must:
//! only when an operation returns, those configurations in which it has not taken effect are extended by sequences of other
//! operations in flight until it has. So memory depends on the operations in flight, not on the length of the history: at
//! most states times 2^flight configurations at a place. What keeps the set small:
//!
//! - An observation (a matching read, a compare-and-set that failed) takes effect as soon as it fits: it changes nothing, so
//!   whatever is possible without it is possible with it.
//! - Of equal actions in flight, the one that returns first goes first; of equal ones of known and unknown outcome, the known.
//! - Operations of unknown outcome are not in the mask but counted by action; a configuration that used more of them than
//!   another with the same mask and state is dropped; and they are left alone when nothing can depend on them any more.
//!   The walk with few configurations uses them only where it does not go without, and keeps one way of having used them.

mod thread;

use super::flight::Flight;
use super::limits::{GaveUp, Limits};
use super::mask::Mask;
use super::model::Role;
use super::problem::Op;
use super::states::{NO_STATE, Outline, States};
use super::table::{Config, Table};
use super::uses::{NOTHING, Uses};

/// Marks returns in the list of events.
const RETURN: u32 = 1 << 31;
/// Between two bookings of time and memory.
const STEPS_PER_BOOKING: u64 = 4096;
/// Configurations extended between two looks at the memory.
const AT_ONCE: usize = 8;
/// What is known of fitting observations is kept up to date for so many states, and otherwise found out anew.
const FITS_KEPT: usize = 64;

/// What happened at one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// There are configurations left.
    Alive,
    /// The operation that returns here cannot have taken effect.
    Dead,
}

/// The search, at one place of a history.
pub(super) struct Search<'s, 'a, B> {
    ops: &'s [Op],
    states: States<'s>,
    pub(super) flight: Flight<B>,
    pub(super) frontier: Vec<Config<B>>,
    /// Invocations and returns in their order: operation number, and [`RETURN`].
    events: &'a [u32],
    /// True if configurations were left out: then the end of all proves nothing.
    pub(super) truncated: bool,
    /// Operations of unknown outcome may be used any number of times: then the end of all still proves a violation.
    pub(super) relaxed: bool,
    /// Operations of unknown outcome are used only where it does not go without.
    pub(super) frugal: bool,
    /// After so many levels one way is enough where few configurations are kept.
    pub(super) patience: u32,
    /// Of what differs only in the operations of unknown outcome that were used, one is kept.
    pub(super) coarse: bool,
    /// Of the configuration that is alone: what may still be put before the last overwriting.
    pub(super) unseen: B,
    uses: Uses,
    roles: Vec<Role>,
    overwrites: Vec<bool>,
    last_uses: Vec<Option<u32>>,
    few_states: bool,
    slots: Vec<u16>,
    table: Table<B>,
    /// Observations in flight that fit a state, by state; valid in one epoch.
    fits: Vec<(u32, B)>,
    epoch: u32,
    /// Kept for the next time.
    places: Vec<thread::Place<B>>,
    todo: Vec<Config<B>>,
    next: Vec<Config<B>>,
    limits: &'a Limits<'a>,
    steps: u64,
    booked_bytes: u64,
    /// Memory that the caller holds for the search.
    pub(super) extra_bytes: u64,
}

impl<'s, 'a, B: Mask> Search<'s, 'a, B> {
    pub(super) fn new(outline: Outline<'s>, events: &'a [u32], limits: &'a Limits<'a>) -> Search<'s, 'a, B> {
        let start = |state: &u32| Config { mask: B::NONE, state: *state, used: NOTHING };
        Search {
            ops: outline.ops,
            states: outline.states,
            flight: Flight::new(),
            frontier: outline.initial.iter().map(start).collect(),
            events,
            truncated: false,
            relaxed: false,
            frugal: false,
            patience: 3,
            coarse: false,
            unseen: B::NONE,
            uses: Uses::new(),
            roles: outline.roles,
            overwrites: outline.overwrites,
            last_uses: outline.last_uses,
            few_states: outline.few_states,
            slots: vec![0; outline.ops.len()],
            table: Table::new(),
            fits: Vec::new(),
            epoch: 1,
            places: Vec::new(),
            todo: Vec::new(),
            next: Vec::new(),
            limits,
            steps: 0,
            booked_bytes: 0,
            extra_bytes: 0,
        }
    }

    /// How many events there are.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// The operation of an event.
    pub(super) fn op_at(&self, event: usize) -> usize {
        (self.events[event] & !RETURN) as usize
    }

    /// The place of an event in the history.
    pub(super) fn place(&self, event: usize) -> u32 {
        let op = &self.ops[self.op_at(event)];
        if self.events[event] & RETURN != 0 { op.ret } else { op.invoke }
    }

    /// True if the history has operations of unknown outcome, and it can be tried to use them without counting.
    pub(super) fn can_relax(&self) -> bool {
        !self.last_uses.is_empty() && self.few_states
    }

    /// Takes one event; keeps at most `width` configurations.
    pub(super) fn advance(&mut self, event: usize, width: usize) -> Result<Advance, GaveUp> {
        let number = self.op_at(event);
        if self.steps >= STEPS_PER_BOOKING {
            self.book()?;
        }
        self.steps += 1 + self.frontier.len() as u64 / 4;
        if self.events[event] & RETURN != 0 {
            return self.end(number, width);
        }
        self.begin(number)?;
        Ok(Advance::Alive)
    }

    fn begin(&mut self, number: usize) -> Result<(), GaveUp> {
        let op = self.ops[number];
        self.retire(op.invoke);
        if op.unknown() {
            if let Some(until) = self.last_uses[number]
                && until > op.invoke
            {
                self.flight.hide(op.kind, until);
            }
            return Ok(());
        }
        let role = self.roles[op.kind as usize];
        let slot = self.flight.begin(&op, role).ok_or(GaveUp::Width)?;
        self.slots[number] = slot as u16;
        if role == Role::Observation {
            self.observe(B::of(slot), op.kind);
        }
        Ok(())
    }

    /// An observation begins, in a slot in which others have been before.
    fn observe(&mut self, bit: B, kind: u32) {
        for config in &mut self.frontier {
            if self.states.step(config.state, kind) == config.state {
                config.mask = config.mask.or(bit);
            }
        }
        if self.fits.len() > FITS_KEPT {
            self.epoch += 1;
            return;
        }
        for state in 0..self.fits.len() {
            if self.fits[state].0 == self.epoch {
                let fits = self.states.step(state as u32, kind) == state as u32;
                let known = self.fits[state].1.without(bit);
                self.fits[state].1 = if fits { known.or(bit) } else { known };
            }
        }
    }

    /// Forgets actions of unknown outcome on which nothing can depend from here on.
    fn retire(&mut self, place: u32) {
        while let Some(found) = self.flight.hidden.iter().position(|hidden| hidden.until < place) {
            let hidden = self.flight.hidden.remove(found);
            for config in &mut self.frontier {
                config.used = self.uses.forget(config.used, hidden.kind);
            }
        }
    }

    fn end(&mut self, number: usize, width: usize) -> Result<Advance, GaveUp> {
        let slot = u32::from(self.slots[number]);
        let bit = B::of(slot);
        let mut done = std::mem::take(&mut self.frontier);
        if done.iter().any(|config| config.mask.and(bit).is_none()) {
            let mut todo = std::mem::take(&mut self.todo);
            todo.extend(done.extract_if(.., |config| config.mask.and(bit).is_none()));
            self.extend(slot, &mut done, &mut todo, width)?;
            todo.clear();
            self.todo = todo;
        }
        if done.len() > width {
            self.narrow(&mut done, width);
            self.truncated = true;
        }
        done.iter_mut().for_each(|config| config.mask = config.mask.without(bit));
        self.flight.end(slot);
        self.frontier = done;
        Ok(if self.frontier.is_empty() { Advance::Dead } else { Advance::Alive })
    }

    /// Extends configurations until the operation in `slot` has taken effect in all that are left. With few configurations,
    /// operations of unknown outcome are used only where it does not go without.
    fn extend(
        &mut self,
        slot: u32,
        done: &mut Vec<Config<B>>,
        todo: &mut Vec<Config<B>>,
        width: usize,
    ) -> Result<(), GaveUp> {
        self.table.clear();
        done.retain(|config| self.table.insert(*config, &self.uses, self.coarse));
        todo.retain(|config| self.table.insert(*config, &self.uses, self.coarse));
        self.truncated |= (self.frugal || self.coarse) && !self.last_uses.is_empty();
        if !self.frugal || self.flight.hidden.is_empty() {
            return self.ways(slot, done, todo, width, true);
        }
        let from = todo.clone();
        self.ways(slot, done, todo, width, false)?;
        if done.is_empty() {
            *todo = from;
            self.table.clear();
            todo.retain(|config| self.table.insert(*config, &self.uses, self.coarse));
            self.ways(slot, done, todo, width, true)?;
        }
        Ok(())
    }

    /// Shortest ways first; `hidden` if operations of unknown outcome may be used.
    fn ways(
        &mut self,
        slot: u32,
        done: &mut Vec<Config<B>>,
        todo: &mut Vec<Config<B>>,
        width: usize,
        hidden: bool,
    ) -> Result<(), GaveUp> {
        let mut next = std::mem::take(&mut self.next);
        let mut level = 0;
        while !todo.is_empty() {
            for some in todo.chunks(AT_ONCE) {
                self.room(some.len(), done, &mut next)?;
                for config in some {
                    self.moves(*config, slot, done, &mut next, hidden);
                }
            }
            todo.clear();
            level += 1;
            std::mem::swap(todo, &mut next);
            if width < usize::MAX {
                let enough = done.len() >= width || (level >= self.patience && !done.is_empty());
                if enough && !todo.is_empty() {
                    self.truncated = true;
                    break;
                }
                if todo.len() > 4 * width {
                    self.narrow(todo, 4 * width);
                    self.truncated = true;
                }
            }
        }
        next.clear();
        self.next = next;
        if done.iter().any(|config| config.used != NOTHING) {
            done.retain(|config| self.table.is_least(config, &self.uses));
        }
        Ok(())
    }

    /// Books from time to time; and before so many configurations are extended, whether there is memory for what they lead to.
    fn room(&mut self, many: usize, done: &mut Vec<Config<B>>, next: &mut Vec<Config<B>>) -> Result<(), GaveUp> {
        let each = std::mem::size_of::<Config<B>>();
        // One configuration leads to no more new ones than there are operations in flight and kinds of unknown outcome.
        let news = many * (self.flight.slots.len() + self.flight.hidden.len());
        let held = (next.capacity() + done.capacity()) * each;
        let mut growth = 0;
        for list in [&*done, &*next] {
            growth += if list.capacity() - list.len() < news { (list.capacity() + news) * each } else { 0 };
        }
        let tight = self.table.is_tight(news);
        growth += if tight { self.table.bytes_with(news) as usize } else { 0 };
        if growth == 0 && self.steps < STEPS_PER_BOOKING {
            return Ok(());
        }
        self.extra_bytes += (held + growth) as u64;
        let booked = self.book();
        self.extra_bytes -= (held + growth) as u64;
        booked?;
        while self.table.is_tight(news) {
            self.table.grow();
        }
        for list in [done, next] {
            if list.capacity() - list.len() < news {
                list.reserve(news);
            }
        }
        Ok(())
    }

    /// Everything that can take effect next.
    fn moves(
        &mut self,
        config: Config<B>,
        slot: u32,
        done: &mut Vec<Config<B>>,
        next: &mut Vec<Config<B>>,
        hidden: bool,
    ) {
        let mut open = self.flight.changes.without(config.mask);
        while !open.is_none() {
            let one = open.first();
            open = open.without(B::of(one));
            if !self.flight.slots[one as usize].before.without(config.mask).is_none() {
                continue;
            }
            self.steps += 1;
            let state = self.states.step(config.state, self.flight.slots[one as usize].kind);
            if state != NO_STATE {
                let mask = config.mask.or(B::of(one));
                self.reach(Config { mask, state, used: config.used }, slot, done, next);
            }
        }
        for index in 0..if hidden { self.flight.hidden.len() } else { 0 } {
            let hidden = self.flight.hidden[index];
            self.steps += 1;
            let state = self.states.step(config.state, hidden.kind);
            if state == NO_STATE || state == config.state || self.known_one_is_open(config.mask, hidden.kind) {
                continue;
            }
            let used = match self.relaxed {
                true => NOTHING,
                false if self.uses.count(config.used, hidden.kind) >= hidden.supply => continue,
                false => self.uses.add(config.used, hidden.kind),
            };
            self.reach(Config { mask: config.mask, state, used }, slot, done, next);
        }
    }

    /// True if an operation of the same kind, whose outcome is known, has not taken effect yet.
    fn known_one_is_open(&self, mask: B, kind: u32) -> bool {
        let mut open = self.flight.changes.without(mask);
        while !open.is_none() {
            let one = open.first();
            if self.flight.slots[one as usize].kind == kind {
                return true;
            }
            open = open.without(B::of(one));
        }
        false
    }

    fn reach(&mut self, mut config: Config<B>, slot: u32, done: &mut Vec<Config<B>>, next: &mut Vec<Config<B>>) {
        config.mask = config.mask.or(self.fitting(config.state));
        if self.table.insert(config, &self.uses, self.coarse) {
            if config.mask.and(B::of(slot)).is_none() { next.push(config) } else { done.push(config) }
        }
    }

    /// Observations in flight that fit a state.
    fn fitting(&mut self, state: u32) -> B {
        if self.flight.observations.is_none() {
            return B::NONE;
        }
        if let Some((epoch, fits)) = self.fits.get(state as usize)
            && *epoch == self.epoch
        {
            return fits.and(self.flight.observations);
        }
        let mut fits = B::NONE;
        let mut open = self.flight.observations;
        while !open.is_none() {
            let one = open.first();
            open = open.without(B::of(one));
            self.steps += 1;
            if self.states.step(state, self.flight.slots[one as usize].kind) == state {
                fits = fits.or(B::of(one));
            }
        }
        if self.fits.len() <= state as usize {
            self.fits.resize(state as usize + 1, (0, B::NONE));
        }
        self.fits[state as usize] = (self.epoch, fits);
        fits
    }

    /// Whatever was known about fitting observations does not hold any more: the search went to another place.
    pub(super) fn forget_fits(&mut self) {
        self.epoch += 1;
    }

    /// Keeps the most promising: those that owe least, and have kept what can be done at any time.
    fn narrow(&self, configs: &mut Vec<Config<B>>, width: usize) {
        let always = self.flight.always;
        let rank = |config: &Config<B>| {
            let kept = i64::from(config.mask.without(always).count()) - 2 * i64::from(config.mask.and(always).count());
            (-kept + 4 * i64::from(self.uses.total(config.used)), *config)
        };
        configs.select_nth_unstable_by_key(width, rank);
        configs.truncate(width);
    }

    fn book(&mut self) -> Result<(), GaveUp> {
        let each = std::mem::size_of::<Config<B>>();
        let bytes = self.states.bytes()
            + self.uses.bytes()
            + self.table.bytes()
            + self.flight.bytes()
            + self.extra_bytes
            + (self.frontier.capacity() * each + self.events.len() * 5 + self.fits.len() * (8 + each)) as u64;
        let result = self.limits.book(self.steps, self.booked_bytes, bytes);
        (self.steps, self.booked_bytes) = (0, bytes);
        result
    }
}

impl<B> Drop for Search<'_, '_, B> {
    fn drop(&mut self) {
        self.limits.release(self.booked_bytes);
    }
}

/// Returns are brought into their order by shifting them one by one, as long as it takes no more shifts than this for each.
const SHIFTS: usize = 64;

/// Invocations and returns in their order, as a search takes them; and the most operations of known outcome in flight at once.
pub(super) fn events(ops: &[Op]) -> (Vec<u32>, u32) {
    // Place and number in one. Operations come in the order of their invocations, so most returns are close to where they belong.
    let mut returns: Vec<u64> = Vec::with_capacity(ops.len());
    let mut shifts = SHIFTS * ops.len();
    for (number, op) in ops.iter().enumerate().filter(|(_, op)| !op.unknown()) {
        let new = (u64::from(op.ret) << 32) | number as u64;
        let mut at = returns.len();
        returns.push(new);
        while at > 0 && returns[at - 1] > new && shifts > 0 {
            returns[at] = returns[at - 1];
            (at, shifts) = (at - 1, shifts - 1);
        }
        returns[at] = new;
    }
    if shifts == 0 {
        returns.sort_unstable();
    }
    let mut order = Vec::with_capacity(ops.len() + returns.len());
    let mut returns = returns.into_iter().peekable();
    let (mut now, mut most) = (0u32, 0);
    for (number, op) in ops.iter().enumerate() {
        while let Some(ended) = returns.next_if(|next| (next >> 32) < u64::from(op.invoke)) {
            order.push(ended as u32 | RETURN);
            now -= 1;
        }
        order.push(number as u32);
        now += u32::from(!op.unknown());
        most = most.max(now);
    }
    order.extend(returns.map(|ended| ended as u32 | RETURN));
    (order, most)
}
