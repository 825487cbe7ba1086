//! Faults as windows of time, whom they touch, and how old a view may be at each instant.

use crate::options::Options;
use crate::span::{Span, joined, millis};
use history::{ClientId, Contract, Fault, FaultKind, FaultStage, Header, Keeper, Nanos, NodeIx};
use std::collections::BTreeMap;

/// One fault from its start until its target serves again.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub id: u32,
    pub span: Span,
    pub fault: Fault,
    pub bit: bool,
}

/// Which hop a fault touches for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// None.
    Free,
    /// A hop between the client and the keeper of its lease.
    Keeper,
    /// Only the hop between the client's node, which keeps the lease, and the rest.
    Rest,
    /// Both: the client's node is half-dead or slow. It may answer the client while what it owes the rest stands still.
    Both,
}

/// All faults that happened. Those that were missed are left out; one that never served again lasts for ever.
pub(crate) fn troubles(faults: &[Fault]) -> Vec<Trouble> {
    let mut found: BTreeMap<u32, Trouble> = BTreeMap::new();
    let mut missed = Vec::new();
    for fault in faults {
        match fault.stage {
            FaultStage::Start => {
                let span = Span::new(fault.time, Nanos::MAX);
                found.entry(fault.id).or_insert(Trouble { id: fault.id, span, fault: Fault::clone(fault), bit: false });
            }
            FaultStage::Serving => {
                if let Some(trouble) = found.get_mut(&fault.id) {
                    trouble.span.to = fault.time.max(trouble.span.from);
                    trouble.bit = fault.effect.as_ref().is_some_and(|e| e.bit);
                }
            }
            FaultStage::Missed => missed.push(fault.id),
            FaultStage::End => {}
        }
    }
    for id in missed {
        found.remove(&id);
    }
    found.into_values().collect()
}

impl Trouble {
    /// Which hop of this client on this node the fault touches; a client whose node is unknown is touched by everything.
    pub fn touch(&self, header: &Header, client: ClientId, node: Option<NodeIx>) -> Touch {
        let fault = &self.fault;
        let name = node.and_then(|n| header.nodes.get(n as usize)).map(|n| n.name.as_str());
        let Some(name) = name else { return Touch::Keeper };
        if fault.kind == FaultKind::MasterLag || fault.clients.contains(&client) {
            return Touch::Keeper;
        }
        if fault.nodes.iter().any(|n| n == name) {
            let works_in_part = matches!(fault.kind, FaultKind::HalfDead | FaultKind::Slow | FaultKind::StaleTable);
            let own = header.contract.lease_keeper == Keeper::OwnNode;
            return if works_in_part && own { Touch::Both } else { Touch::Keeper };
        }
        let among = |a: &str, b: &str| fault.links.iter().any(|(x, y)| (x == a && y == b) || (x == b && y == a));
        if among(name, "clients") {
            return Touch::Keeper;
        }
        let mut inner = fault.links.iter().filter(|(x, y)| x != "clients" && y != "clients");
        match header.contract.lease_keeper {
            Keeper::AnyNode if !fault.nodes.is_empty() || inner.next().is_some() => Touch::Keeper,
            Keeper::OwnNode if inner.any(|(x, y)| x == name || y == name) => Touch::Rest,
            _ => Touch::Free,
        }
    }

    /// Whether it is the sudden loss of this node.
    pub fn kills(&self, header: &Header, node: Option<NodeIx>) -> bool {
        let name = node.and_then(|n| header.nodes.get(n as usize)).map(|n| &n.name);
        self.fault.kind == FaultKind::Kill && name.is_none_or(|n| self.fault.nodes.contains(n))
    }
}

/// How old a view may be at each instant: `visible_ms_max` in calm; from the start of a fault until `recovered_ms_max` after
/// its end the (never shorter) `staleness_ms_max`, which may be infinite.
#[derive(Clone, Debug)]
pub(crate) struct Horizon {
    /// From the start of each fault until recovery after it; sorted and disjoint.
    pub rough: Vec<Span>,
    pub calm_age: Nanos,
    pub rough_age: Option<Nanos>,
}

impl Horizon {
    pub fn new(contract: &Contract, options: &Options, troubles: &[Trouble]) -> Horizon {
        let divided = |ms: u64| millis(ms) / options.divisor.max(1);
        let calm_age = divided(contract.visible_ms_max);
        let recovery = divided(contract.recovered_ms_max);
        let rough = troubles.iter().map(|t| Span::new(t.span.from, t.span.to.saturating_add(recovery))).collect();
        let rough_age = contract.staleness_ms_max.map(|ms| divided(ms).max(calm_age));
        Horizon { rough: joined(rough, 0), calm_age, rough_age }
    }

    /// The age allowed at `t`; none: any.
    pub fn age(&self, t: Nanos) -> Option<Nanos> {
        if self.is_rough(t) { self.rough_age } else { Some(self.calm_age) }
    }

    pub fn is_rough(&self, t: Nanos) -> bool {
        crate::span::meets(&self.rough, Span::new(t, t))
    }

    /// The instants that may explain what is shown at `t`.
    pub fn window(&self, t: Nanos) -> Span {
        Span::new(self.age(t).map_or(0, |age| t.saturating_sub(age)), t)
    }

    /// The largest window for anything between two instants.
    pub fn window_over(&self, from: Nanos, to: Nanos) -> Span {
        let rough = crate::span::meets(&self.rough, Span::new(from, to));
        let age = if rough { self.rough_age } else { Some(self.calm_age) };
        Span::new(age.map_or(0, |age| from.saturating_sub(age)), to)
    }

    /// Spans of `within` with one age each, in order.
    pub fn pieces(&self, within: Span) -> Vec<(Span, Option<Nanos>)> {
        let mut out = Vec::new();
        let mut from = within.from;
        let first = self.rough.partition_point(|r| r.to < within.from);
        for rough in &self.rough[first..] {
            if from > within.to || rough.from > within.to {
                break;
            }
            if rough.from > from {
                out.push((Span::new(from, rough.from - 1), Some(self.calm_age)));
            }
            out.push((Span::new(from.max(rough.from), rough.to.min(within.to)), self.rough_age));
            if rough.to >= within.to {
                return out;
            }
            from = rough.to + 1;
        }
        if from <= within.to {
            out.push((Span::new(from, within.to), Some(self.calm_age)));
        }
        out
    }

    /// The instants of `within` at which something last explained at `last` is too old, as disjoint spans.
    pub fn too_old(&self, last: Nanos, within: Span) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        for (piece, age) in self.pieces(within) {
            let Some(age) = age else { continue };
            let from = piece.from.max(last.saturating_add(age).saturating_add(1));
            if from > piece.to {
                continue;
            }
            match out.last_mut() {
                Some(before) if before.to + 1 == from => before.to = piece.to,
                _ => out.push(Span::new(from, piece.to)),
            }
        }
        out
    }

    /// Whether something last explained at `last` is too old at some instant after that and before `until`.
    pub fn too_old_before(&self, last: Nanos, until: Nanos) -> bool {
        // No age is shorter than that of calm, and mostly that decides.
        until > last.saturating_add(self.calm_age).saturating_add(1)
            && !self.too_old(last, Span::new(last + 1, until - 1)).is_empty()
    }

    /// How much of `within` is judged under a finite age.
    pub fn finite_in(&self, within: Span) -> Nanos {
        self.pieces(within).iter().filter(|p| p.1.is_some()).map(|p| p.0.to - p.0.from + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_pieces() {
        let horizon = Horizon { rough: vec![Span::new(10, 20)], calm_age: 3, rough_age: None };
        assert_eq!(horizon.window(5), Span::new(2, 5));
        assert_eq!(horizon.window(15), Span::new(0, 15));
        assert_eq!(horizon.window(21), Span::new(18, 21));
        assert_eq!(horizon.too_old(4, Span::new(5, 30)), vec![Span::new(8, 9), Span::new(21, 30)]);
        assert_eq!(horizon.finite_in(Span::new(0, 30)), 20);
        assert!(!horizon.too_old_before(4, 8) && horizon.too_old_before(4, 9) && !horizon.too_old_before(12, 21));
        let finite = Horizon { rough_age: Some(6), ..horizon };
        assert_eq!(finite.too_old(4, Span::new(5, 30)), vec![Span::new(8, 9), Span::new(11, 30)]);
    }
}
