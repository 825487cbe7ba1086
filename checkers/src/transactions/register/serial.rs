//! Looks for an order in which transactions could have run one after the other: each sees what it saw, and overwrites nothing that
//! somebody still has to see. Depth first, with the states that led nowhere remembered; what reads only goes first, since that
//! takes nothing away from anybody.

use super::super::graph::View;
use super::Registers;
use crate::linearizability::{GaveUp, Limits};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// So many transactions that could come next are looked at.
const READY_MAX: usize = 200;
/// Steps back for each transaction, and at least.
const BACK_PER_TXN: usize = 4;
const BACK_MIN: usize = 20_000;

/// A choice: what was done, what could be done instead, and how far back it reaches.
struct Choice {
    options: Vec<u32>,
    /// Length of the trail before it.
    trail: usize,
    /// What its transaction changed: the key and its version before.
    changed: Vec<(u32, u32)>,
}

/// The search.
pub(super) struct Serial<'r, 'h, 'a, 'g> {
    registers: &'r Registers<'h, 'a>,
    view: View<'g>,
    /// The version of each key.
    now: Vec<u32>,
    /// How many transactions still have to read each version.
    left: Vec<u32>,
    /// How many nodes each node of the view waits for.
    waits: Vec<u32>,
    /// Transactions that wait for nothing, by their completion.
    ready: BTreeSet<(u32, u32)>,
    /// Nodes done, transactions and gates.
    trail: Vec<u32>,
    present: Vec<bool>,
    /// A number for what was done and what the keys hold.
    state: u64,
    failed: FxHashSet<u64>,
}

impl<'r, 'h, 'a, 'g> Serial<'r, 'h, 'a, 'g> {
    pub(super) fn new(registers: &'r Registers<'h, 'a>, view: View<'g>) -> Serial<'r, 'h, 'a, 'g> {
        let versions = 0..registers.name.len() as u32;
        let mut serial = Serial {
            registers,
            view,
            now: (0..registers.history.keys.len() as u32).collect(),
            left: versions.map(|version| registers.readers_of(version).len() as u32).collect(),
            waits: vec![0; view.nodes()],
            ready: BTreeSet::new(),
            trail: Vec::new(),
            present: registers.history.numbers().map(|txn| registers.present(txn)).collect(),
            state: 0,
            failed: FxHashSet::default(),
        };
        for node in 0..view.nodes() as u32 {
            let mut at = 0;
            while let Some(next) = view.next(node, &mut at) {
                serial.waits[next as usize] += 1;
            }
        }
        let free: Vec<u32> = (0..view.nodes() as u32).filter(|node| serial.waits[*node as usize] == 0).collect();
        for node in free {
            match view.txn(node) {
                Some(txn) => {
                    serial.ready.insert(serial.place(txn));
                }
                None => serial.done(node),
            }
        }
        serial
    }

    /// An order of all transactions. `back`: choices may be taken back; then it is one in which all fit, or none was found.
    /// Otherwise all that is left may misfit, and the order respects the graph as far as it has no cycles.
    pub(super) fn order(mut self, back: bool, limits: &Limits<'_>) -> Result<Option<Vec<u32>>, GaveUp> {
        let mut choices: Vec<Choice> = Vec::new();
        let mut left = BACK_MIN + BACK_PER_TXN * self.present.len();
        let mut steps = 0u64;
        while !self.ready.is_empty() {
            steps += 1;
            if steps.is_multiple_of(1 << 12) {
                limits.book(1 << 12, 0, 0)?;
            }
            let mut options = self.options();
            if options.is_empty() && back {
                if !self.retreat(&mut choices, &mut left) {
                    return Ok(None);
                }
                continue;
            }
            if options.is_empty() {
                options.extend(self.ready.first().map(|(_, txn)| *txn));
            }
            self.go(options, &mut choices);
        }
        Ok(Some(self.finish()))
    }

    /// Takes choices back until there is another one; false if there is none.
    fn retreat(&mut self, choices: &mut Vec<Choice>, left: &mut usize) -> bool {
        while let Some(mut choice) = choices.pop() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return false;
            }
            self.failed.insert(self.state);
            self.undo(&choice);
            if choice.options.len() > 1 {
                choice.options.remove(0);
                self.go(choice.options, choices);
                return true;
            }
        }
        false
    }

    /// Does the first of some options.
    fn go(&mut self, options: Vec<u32>, choices: &mut Vec<Choice>) {
        let Some(&txn) = options.first() else { return };
        let trail = self.trail.len();
        let changed = self.run(txn);
        choices.push(Choice { options, trail, changed });
    }

    fn place(&self, txn: u32) -> (u32, u32) {
        (self.registers.history.txns[txn as usize].complete, txn)
    }

    /// What could come next.
    fn options(&self) -> Vec<u32> {
        let mut options = Vec::new();
        for (_, txn) in self.ready.iter().take(READY_MAX) {
            if !self.fits(*txn) {
                continue;
            }
            let writes = self.registers.touched(*txn).iter().any(|(_, _, wrote)| wrote.is_some());
            if !writes || !self.present[*txn as usize] {
                return vec![*txn];
            }
            if !self.failed.contains(&(self.after(*txn))) {
                options.push(*txn);
            }
        }
        options
    }

    fn fits(&self, txn: u32) -> bool {
        let keys = self.now.len() as u32;
        let stranger = |version: u32| version >= keys && self.registers.writer[version as usize] == super::NONE;
        !self.present[txn as usize]
            || self.registers.touched(txn).iter().all(|(key, saw, wrote)| {
                let now = self.now[*key as usize];
                let mine = u32::from(*saw == Some(now));
                saw.is_none_or(|saw| saw == now || stranger(saw))
                    && (wrote.is_none() || self.left[now as usize] <= mine)
            })
    }

    /// The number of the state after a transaction.
    fn after(&self, txn: u32) -> u64 {
        let mut state = self.state ^ mixed(u64::from(txn) << 1);
        for (key, _, wrote) in self.registers.touched(txn) {
            if let Some(wrote) = wrote {
                let held = |version: u32| mixed(u64::from(version) << 1 | 1);
                state ^= held(self.now[*key as usize]) ^ held(*wrote);
            }
        }
        state
    }

    fn run(&mut self, txn: u32) -> Vec<(u32, u32)> {
        let mut changed = Vec::new();
        self.ready.remove(&self.place(txn));
        if self.present[txn as usize] {
            self.state = self.after(txn);
            let certain = self.registers.history.txns[txn as usize].ok();
            for (key, saw, wrote) in self.registers.touched(txn) {
                if let Some(saw) = saw.filter(|_| certain) {
                    self.left[saw as usize] -= 1;
                }
                if let Some(wrote) = wrote {
                    changed.push((*key, self.now[*key as usize]));
                    self.now[*key as usize] = *wrote;
                }
            }
        } else {
            self.state ^= mixed(u64::from(txn) << 1);
        }
        self.done(self.view.node(txn));
        changed
    }

    /// A node is done, and gates that wait for nothing more.
    fn done(&mut self, node: u32) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            self.trail.push(node);
            let mut at = 0;
            while let Some(next) = self.view.next(node, &mut at) {
                self.waits[next as usize] -= 1;
                if self.waits[next as usize] == 0 {
                    match self.view.txn(next) {
                        Some(txn) => {
                            self.ready.insert(self.place(txn));
                        }
                        None => open.push(next),
                    }
                }
            }
        }
    }

    fn undo(&mut self, choice: &Choice) {
        let txn = choice.options[0];
        while self.trail.len() > choice.trail {
            let Some(node) = self.trail.pop() else { break };
            let mut at = 0;
            while let Some(next) = self.view.next(node, &mut at) {
                if self.waits[next as usize] == 0
                    && let Some(txn) = self.view.txn(next)
                {
                    self.ready.remove(&self.place(txn));
                }
                self.waits[next as usize] += 1;
            }
        }
        for (key, before) in choice.changed.iter().rev() {
            self.now[*key as usize] = *before;
        }
        if self.present[txn as usize] {
            if self.registers.history.txns[txn as usize].ok() {
                let saw = self.registers.touched(txn).iter().filter_map(|(_, saw, _)| *saw);
                saw.for_each(|saw| self.left[saw as usize] += 1);
            }
            // With the keys as they were before, this is the same change once more.
            self.state = self.after(txn);
        } else {
            self.state ^= mixed(u64::from(txn) << 1);
        }
        self.ready.insert(self.place(txn));
    }

    /// The order; what is on cycles comes in the order in which it ended.
    fn finish(self) -> Vec<u32> {
        let mut order: Vec<u32> = self.trail.iter().filter_map(|node| self.view.txn(*node)).collect();
        let mut done = vec![false; self.present.len()];
        order.iter().for_each(|txn| done[*txn as usize] = true);
        let rest = self.registers.history.numbers().filter(|txn| !done[*txn as usize]);
        let mut rest: Vec<(u32, u32)> = rest.map(|txn| self.place(txn)).collect();
        rest.sort_unstable();
        order.extend(rest.into_iter().map(|(_, txn)| txn));
        order
    }
}

/// A number for a number (the finish of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
