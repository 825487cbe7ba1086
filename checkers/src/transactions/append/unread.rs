//! Appends of one key that nobody read: their order is not known. For serializability any order that respects the rest is as good
//! as another; snapshot isolation and its relatives can hold with one and not with another.

use super::super::components::{Components, components};
use super::super::graph::{Edge, Graph, PROCESS, Steps, View, WW};
use super::super::history::{Does, NONE};
use super::super::lattice;
use super::Lists;
use crate::linearizability::{GaveUp, Limits};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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

/// A graph with the dependencies that orders mean, and the components that one of them is part of: no other has a cycle that it
/// has not without them. None if there is no such component.
pub(in super::super) fn joined(
    graph: &Graph,
    orders: &Orders,
    limits: &Limits<'_>,
) -> Result<Option<(Graph, Components)>, GaveUp> {
    let chain: Vec<Edge> = orders.iter().flat_map(|order| order.windows(2).map(|two| (two[0], two[1], WW))).collect();
    if chain.is_empty() {
        return Ok(None);
    }
    let graph = graph.with(&chain);
    let view = View { graph: &graph, mask: 0xff, realtime: true, steps: Steps::Any, within: None };
    let mut parts = components(&view, chain.iter().map(|(_, to, _)| view.node(*to)), limits)?;
    let mut touched = vec![false; parts.members.len()];
    for (from, to, _) in &chain {
        let part = parts.of[view.node(*to) as usize];
        if part != super::super::components::NONE && part == parts.of[view.node(*from) as usize] {
            touched[part as usize] = true;
        }
    }
    parts.keep(&touched);
    Ok(touched.contains(&true).then_some((graph, parts)))
}

/// Sorts each group by an order of all transactions that respects every dependency that binds in a model like snapshot isolation,
/// with those whose completion is not known as late as they can be.
pub(in super::super) fn sort_by_dependencies(
    graph: &Graph,
    completes: impl Fn(u32) -> u32,
    orders: &mut Orders,
    model: &'static str,
    limits: &Limits<'_>,
) -> Result<(), GaveUp> {
    let weaker = lattice::weaker(model);
    let mask = if weaker.contains("strong-session-read-committed") { 0xff } else { !PROCESS };
    let realtime = weaker.contains("strong-read-committed");
    let view = View { graph, mask, realtime, steps: Steps::Apart, within: None };
    let nodes = view.nodes();
    limits.book(nodes as u64, 0, nodes as u64 * 16)?;
    let mut waits = vec![0u32; nodes];
    for node in 0..nodes as u32 {
        let mut at = 0;
        while let Some(next) = view.next(node, &mut at) {
            waits[next as usize] += 1;
        }
    }
    // Gates come at once, transactions by their completion.
    let urgency = |node: u32| Reverse((view.txn(node).map_or(0, &completes), node));
    let free = (0..nodes as u32).filter(|node| waits[*node as usize] == 0);
    let mut ready: BinaryHeap<Reverse<(u32, u32)>> = free.map(urgency).collect();
    let mut places = vec![NONE; graph.len()];
    let mut place = 0;
    while let Some(Reverse((_, node))) = ready.pop() {
        place += 1;
        if let Some(txn) = view.txn(node) {
            places[txn as usize] = place;
        }
        let mut at = 0;
        while let Some(next) = view.next(node, &mut at) {
            waits[next as usize] -= 1;
            if waits[next as usize] == 0 {
                ready.push(urgency(next));
            }
        }
    }
    orders.iter_mut().for_each(|group| group.sort_unstable_by_key(|txn| (places[*txn as usize], *txn)));
    limits.release(nodes as u64 * 16);
    Ok(())
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
