//! Registers where every value is written once, decided in log-linear time (Gibbons and Korach, "Testing shared memories",
//! SIAM Journal on Computing 26, 1997).
//!
//! A write and the reads of its value form a cluster. Its zone reaches from the first completion in it to the last invocation.
//! Where the completion comes first (a forward zone) the register must hold the value all that time; or else (a backward
//! zone) some instant in between is enough. So there is an order exactly if no read ends before its write begins, no two
//! forward zones overlap, and no forward zone covers a backward one. The value at first is a cluster written before all.

use super::models::register::Action;
use super::problem::{Op, Problem};
use super::quick::Quick;
use rustc_hash::FxHashMap;

const ALGORITHM: &str = "zones";

#[derive(Clone, Copy, Debug)]
struct Cluster {
    value: u32,
    write: Option<u32>,
    read: bool,
    /// First completion, and whose it is.
    first: u32,
    first_op: u32,
    /// Last invocation, and whose it is.
    last: u32,
    last_op: u32,
}

impl Cluster {
    fn add(&mut self, number: u32, op: &Op) {
        if op.ret <= self.first {
            (self.first, self.first_op) = (op.ret, number);
        }
        if op.invoke >= self.last {
            (self.last, self.last_op) = (op.invoke, number);
        }
    }

    fn is_forward(&self) -> bool {
        self.first < self.last
    }

    fn ops(&self) -> impl Iterator<Item = usize> {
        let ends = [self.first_op, self.last_op];
        ends.into_iter().filter(|op| *op != u32::MAX).chain(self.write).map(|op| op as usize)
    }
}

/// Decides a history of reads and of writes of distinct values; none for any other.
pub(super) fn decide(problem: &Problem<Action>) -> Option<Quick> {
    let clusters = match clusters(problem)? {
        Ok(clusters) => clusters,
        Err(wrong) => return Some(wrong),
    };
    Some(compare(problem, clusters))
}

/// Clusters by value; none if a value is written twice, or there are other operations than reads and writes.
fn clusters(problem: &Problem<Action>) -> Option<Result<Vec<Cluster>, Quick>> {
    // Values are numbers of a whole history: looked up in an array unless this is a small part of it.
    let most = problem.actions.iter().map(|action| match *action {
        Action::Read(value) | Action::Write(value) => value as usize,
        _ => usize::MAX,
    });
    let most = most.max().unwrap_or(0);
    if most == usize::MAX {
        return None;
    }
    let mut small = vec![u32::MAX; if most / 8 <= problem.ops.len() { most + 1 } else { 0 }];
    let mut others: FxHashMap<u32, u32> = FxHashMap::default();
    // By kind, so that each action is looked up once.
    let mut of_kind = Vec::with_capacity(problem.actions.len());
    let new = |value| Cluster {
        value,
        write: None,
        read: false,
        first: u32::MAX,
        first_op: u32::MAX,
        last: 0,
        last_op: u32::MAX,
    };
    let mut clusters = Vec::with_capacity(problem.actions.len() / 2 + 1);
    clusters.push(Cluster { first: 0, ..new(0) });
    match small.first_mut() {
        Some(first) => *first = 0,
        None => drop(others.insert(0, 0)),
    }
    for action in &problem.actions {
        let (Action::Read(value) | Action::Write(value)) = *action else { return None };
        if *action == Action::Write(0) {
            return None;
        }
        let cluster = match small.get_mut(value as usize) {
            Some(place) => place,
            None => others.entry(value).or_insert(u32::MAX),
        };
        if *cluster == u32::MAX {
            *cluster = clusters.len() as u32;
            clusters.push(new(value));
        }
        of_kind.push(*cluster);
    }
    for (number, op) in problem.ops.iter().enumerate() {
        let cluster = &mut clusters[of_kind[op.kind as usize] as usize];
        let number = number as u32;
        match problem.action(op) {
            Action::Write(_) if cluster.write.is_some() => return None,
            Action::Write(_) => cluster.write = Some(number),
            _ => cluster.read = true,
        }
        cluster.add(number, op);
    }
    // A write that may not have happened, and whose value nobody saw, is as good as absent.
    clusters
        .retain(|cluster| cluster.read || cluster.write.is_some_and(|write| !problem.ops[write as usize].unknown()));
    for cluster in &clusters {
        let ops: Vec<usize> = cluster.ops().collect();
        match cluster.write {
            None if cluster.value == 0 => {}
            None => {
                let read = cluster.first_op as usize;
                return Some(Err(Quick::wrong(ALGORITHM, vec![read], read, "it saw a value that nobody wrote")));
            }
            Some(write) if cluster.first < problem.ops[write as usize].invoke => {
                let why = "it saw a value whose write had not begun";
                return Some(Err(Quick::wrong(ALGORITHM, ops, cluster.first_op as usize, why)));
            }
            Some(_) => {}
        }
    }
    Some(Ok(clusters))
}

fn compare(problem: &Problem<Action>, clusters: Vec<Cluster>) -> Quick {
    let (mut forward, backward): (Vec<Cluster>, Vec<Cluster>) = clusters.into_iter().partition(Cluster::is_forward);
    forward.sort_unstable_by_key(|zone| zone.first);
    let wrong = |a: &Cluster, b: &Cluster, why: &str| {
        let mut ops: Vec<usize> = a.ops().chain(b.ops()).collect();
        ops.sort_unstable();
        ops.dedup();
        let at = ops.iter().copied().filter(|&op| !problem.ops[op].unknown()).max_by_key(|&op| problem.ops[op].ret);
        Quick::wrong(ALGORITHM, ops, at.unwrap_or_default(), why)
    };
    for pair in forward.windows(2) {
        if pair[1].first < pair[0].last {
            return wrong(&pair[0], &pair[1], "two values were each seen before and after the other");
        }
    }
    for zone in &backward {
        // Not `<`: the value at first was there before place 0.
        let next = forward.partition_point(|other| other.first <= zone.last);
        if let Some(other) = next.checked_sub(1).map(|index| &forward[index])
            && zone.first < other.last
        {
            return wrong(other, zone, "a value was written and gone while another was seen before and after it");
        }
    }
    Quick::fine(ALGORITHM)
}
