//! Is the faulty node named from what clients saw alone? Scored against what was injected, beside locators that are bad on
//! purpose: one that guesses, and one that does not know the routing table.

use crate::attempt::Attempt;
use checkers::suspect::{Observations, locate, observe};
use history::{Event, Fault, FaultKind, FaultStage};
use simulation::hash_draw;

/// A fault that bit, and the one node that it was aimed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// What kind.
    pub kind: FaultKind,
    /// Which node.
    pub node: String,
}

/// The node of a fault: the one that it lists, or the one that all of its links have in common.
fn target(fault: &Fault) -> Option<String> {
    let common = |name: &&String| fault.links.iter().all(|(from, to)| from == *name || to == *name);
    let (from, to) = fault.links.first().cloned().unwrap_or_default();
    fault.nodes.first().or([&from, &to].into_iter().find(common)).cloned()
}

/// The one fault of a run that bit; slots that move belong to daily life. None where there was none, or more than one.
pub fn truth(events: &[Event]) -> Option<Truth> {
    let faults = || {
        events.iter().filter_map(|event| match event {
            Event::Fault(fault) if fault.kind != FaultKind::Rebalance => Some(fault),
            _ => None,
        })
    };
    let mut started = faults().filter(|fault| fault.stage == FaultStage::Start);
    let (Some(fault), None) = (started.next(), started.next()) else { return None };
    let bit = faults().any(|fault| fault.effect.as_ref().is_some_and(|effect| effect.bit));
    Some(Truth { kind: fault.kind, node: target(fault)? }).filter(|_| bit)
}

/// What clients saw: a locator is not even given the faults.
pub fn seen(run: &Attempt) -> Observations {
    let events: Vec<Event> = run.events.iter().filter(|event| !matches!(event, Event::Fault(_))).cloned().collect();
    observe(&run.header, &events)
}

/// The same without the routing table.
pub fn without_table(seen: &Observations) -> Observations {
    let mut blind = seen.clone();
    blind.all.iter_mut().for_each(|one| one.data = None);
    blind
}

/// One of the nodes that could be to blame, drawn.
pub fn drawn(seen: &Observations, seed: u64) -> Option<String> {
    let nodes: Vec<&String> =
        seen.nodes.iter().filter(|n| n.role == "session" || n.role == "data").map(|n| &n.name).collect();
    let at = hash_draw(seed, &[0x9]) as usize % nodes.len().max(1);
    nodes.get(at).map(|name| (*name).clone())
}

/// Who was named in one run, and who it was.
pub struct Located {
    truth: Option<String>,
    named: Option<String>,
    blind: Option<String>,
    guessed: Option<String>,
}

impl Located {
    /// Looks for the faulty node of a run.
    pub fn of(run: &Attempt) -> Located {
        let seen = seen(run);
        Located {
            truth: truth(&run.events).map(|truth| truth.node),
            named: locate(&seen).map(|suspect| suspect.node),
            blind: locate(&without_table(&seen)).map(|suspect| suspect.node),
            guessed: drawn(&seen, run.header.seed),
        }
    }

    /// As figures, to be summed.
    pub fn figures(self) -> impl Iterator<Item = (&'static str, i64)> {
        let missed = |named: &Option<String>| i64::from(self.truth.is_some() && *named != self.truth);
        let accused = |named: &Option<String>| i64::from(self.truth.is_none() && named.is_some());
        [
            ("runs", 1),
            ("runs with a fault", i64::from(self.truth.is_some())),
            ("faults not located", missed(&self.named)),
            ("faults not located without the routing table", missed(&self.blind)),
            ("faults not located by guessing", missed(&self.guessed)),
            ("accused without a fault", accused(&self.named)),
            ("accused without a fault by guessing", accused(&self.guessed)),
        ]
        .into_iter()
    }
}
