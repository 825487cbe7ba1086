//! Appends of one key that nobody read: their order is not known. For serializability any order that respects the rest is as good
//! as another; snapshot isolation and its relatives can hold with one and not with another.

use super::super::graph::{Edge, WW};
use super::super::history::{Does, NONE};
use super::Lists;

/// So many orders are tried.
const ORDERS_MAX: usize = 2_000;

/// Groups of transactions, each in an order.
pub(in super::super) type Orders = Vec<Vec<u32>>;

impl Lists<'_, '_> {
    /// For each key with several such appends their transactions, in the order in which they ended: that is the order of a store
    /// that lets only one of two concurrent writers of a key commit.
    pub(in super::super) fn contested(&self) -> Orders {
        let mut orders = Orders::new();
        for group in self.unread.chunk_by(|a, b| a.0 == b.0) {
            let mut txns: Vec<u32> = group.iter().map(|(_, txn)| *txn).filter(|txn| self.took_effect(*txn)).collect();
            txns.sort_unstable_by_key(|txn| (self.history.txns[*txn as usize].complete, *txn));
            if txns.len() > 1 {
                orders.push(txns);
            }
        }
        orders
    }

    /// True if its outcome is known, or something that it appended was read.
    fn took_effect(&self, txn: u32) -> bool {
        let seen = |at: usize| self.history.all()[at].does == Does::Write && self.at[at] != NONE;
        self.history.txns[txn as usize].ok() || self.history.range(txn).any(seen)
    }
}

/// The dependencies that orders mean.
pub(in super::super) fn chained(orders: &Orders) -> impl Iterator<Item = Edge> {
    orders.iter().flat_map(|order| order.windows(2).map(|two| (two[0], two[1], WW)))
}

/// All orders, if they are few.
pub(in super::super) fn all(orders: &Orders) -> Option<impl Iterator<Item = Orders>> {
    let count = |list: &Vec<u32>| (1..=list.len()).try_fold(1usize, |a, b| a.checked_mul(b));
    let total = orders.iter().try_fold(1usize, |all, list| count(list).and_then(|one| all.checked_mul(one)));
    let total = total.filter(|total| *total <= ORDERS_MAX)?;
    let one = |number: usize| {
        let mut rest = number;
        let mut draw = |list: &Vec<u32>| {
            let mut left = list.clone();
            let mut order = Vec::with_capacity(left.len());
            while !left.is_empty() {
                let at = rest % left.len();
                rest /= left.len();
                order.push(left.remove(at));
            }
            order
        };
        orders.iter().map(&mut draw).collect()
    };
    Some((0..total).map(one).collect::<Vec<Orders>>().into_iter())
}
