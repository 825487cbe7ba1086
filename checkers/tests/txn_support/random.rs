//! Random small histories of transactions: a store runs them one after the other, but each may see an older state, of all keys or
//! of one; some writes are lost or come from failed transactions.

use super::brute::{Mop, Txn};
use history::calls::Ended;

/// Small random numbers from a seed (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Up to five transactions.
pub fn history(dice: &mut Dice, lists: bool) -> Vec<Txn> {
    let (n, keys) = (2 + dice.below(4), 1 + dice.below(3));
    let mut txns = times(dice, n);
    let stale_percent = [0, 20, 60][dice.below(3)];
    let fractured_percent = [0, 0, 40][dice.below(3)];
    // The writes of each key so far: the transaction's place in the order of execution, and the value.
    let mut written: Vec<Vec<(usize, i64)>> = vec![Vec::new(); keys];
    let mut value = 0;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|i| txns[*i].invoke + dice.below(4));
    if dice.chance(20) {
        let (a, b) = (dice.below(n), dice.below(n));
        order.swap(a, b);
    }
    for (place, i) in order.into_iter().enumerate() {
        let snapshot = if dice.chance(stale_percent) { dice.below(place + 1) } else { place };
        let mut own: Vec<(usize, i64)> = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let key = dice.below(keys);
            if dice.chance(50) {
                value += 1;
                own.push((key, value));
                txns[i].mops.push(Mop::Write(key, value));
                continue;
            }
            let upto = if dice.chance(fractured_percent) { dice.below(place + 1) } else { snapshot };
            let mut seen: Vec<i64> = written[key].iter().filter(|(at, _)| *at < upto).map(|(_, v)| *v).collect();
            if lists && own.iter().any(|(k, _)| *k == key) && !dice.chance(10) {
                seen = written[key].iter().map(|(_, v)| *v).collect();
            }
            seen.extend(own.iter().filter(|(k, _)| *k == key).map(|(_, v)| *v));
            if dice.chance(2) && seen.len() > 1 {
                seen.remove(0);
            }
            if !lists {
                seen = seen.last().copied().into_iter().collect();
            }
            txns[i].mops.push(Mop::Read(key, seen));
        }
        txns[i].ended =
            [Ended::Ok, Ended::Ok, Ended::Ok, Ended::Ok, Ended::Ok, Ended::Info, Ended::Fail][dice.below(7)];
        let kept = match txns[i].ended {
            Ended::Ok => true,
            Ended::Info => dice.chance(60),
            Ended::Fail => dice.chance(10),
        };
        if kept {
            own.into_iter().for_each(|(key, value)| written[key].push((place, value)));
        }
    }
    txns
}

/// Times of some transactions of three processes; a process that does not know goes away.
fn times(dice: &mut Dice, n: usize) -> Vec<Txn> {
    let mut txns: Vec<Txn> = Vec::new();
    let (mut open, mut at): (Vec<usize>, usize) = (Vec::new(), 0);
    while txns.len() < n || !open.is_empty() {
        let begin = txns.len() < n && open.len() < 3 && (open.is_empty() || dice.chance(55));
        if begin {
            let busy: Vec<i64> = open.iter().map(|i| txns[*i].process).collect();
            let free: Vec<i64> = (0..3).filter(|process| !busy.contains(process)).collect();
            open.push(txns.len());
            let process = free[dice.below(free.len())];
            txns.push(Txn { process, invoke: at, complete: 0, ended: Ended::Ok, mops: Vec::new() });
        } else {
            let ends = open.remove(dice.below(open.len()));
            txns[ends].complete = at;
        }
        at += 1;
    }
    txns
}
