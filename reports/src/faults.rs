//! Faults as the history tells them, put together from their steps, and grouped.

use crate::{format, names};
use history::{Effect, Event, Fault, FaultKind, FaultStage, Nanos, Source};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many links or nodes of one fault are named.
const NAMED_MAX: usize = 3;

/// One fault with all its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRecord {
    /// Its number in the run.
    pub id: u32,
    /// What kind.
    pub kind: FaultKind,
    /// What it touched: `n2`, `n1 -> n3`.
    pub target: String,
    /// When it began (or was due).
    pub start: Nanos,
    /// When the injector stopped.
    pub end: Option<Nanos>,
    /// When the target served again: only then was it over.
    pub serving: Option<Nanos>,
    /// It was due but never began.
    pub missed: bool,
    /// What was measured.
    pub effect: Option<Effect>,
    /// For people.
    pub detail: String,
}

impl FaultRecord {
    /// True if a measured effect proves it.
    pub fn bit(&self) -> bool {
        self.effect.as_ref().is_some_and(|effect| effect.bit)
    }

    /// When it was over; the end of the run if it never was.
    pub fn over(&self, run_end: Nanos) -> Nanos {
        if self.missed { self.start } else { self.serving.unwrap_or(run_end).max(self.start) }
    }

    /// `kill n2`.
    pub fn title(&self) -> String {
        if self.target.is_empty() {
            names::fault_kind(self.kind).to_owned()
        } else {
            format!("{} {}", names::fault_kind(self.kind), self.target)
        }
    }

    /// `kill n2 (31.204-33.180 s)`.
    pub fn title_and_span(&self, run_end: Nanos) -> String {
        format!("{} ({})", self.title(), format::span(self.start, self.over(run_end)))
    }
}

/// All faults of a history in the order of their beginning.
pub fn collect(events: &dyn Source) -> Vec<FaultRecord> {
    let mut by_id: BTreeMap<u32, FaultRecord> = BTreeMap::new();
    events.each(&mut |event| {
        let Event::Fault(fault) = event else { return };
        let record = by_id.entry(fault.id).or_insert_with(|| FaultRecord {
            id: fault.id,
            kind: fault.kind,
            target: target(fault),
            start: fault.time,
            end: None,
            serving: None,
            missed: false,
            effect: None,
            detail: names::clean_long(&fault.detail),
        });
        match fault.stage {
            FaultStage::Start => {}
            FaultStage::End => record.end = Some(fault.time),
            FaultStage::Serving => record.serving = Some(fault.time),
            FaultStage::Missed => {
                record.missed = true;
                record.detail = names::clean_long(&fault.detail);
            }
        }
        if fault.effect.is_some() {
            record.effect.clone_from(&fault.effect);
        }
    });
    let mut records: Vec<FaultRecord> = by_id.into_values().collect();
    records.sort_by_key(|record| (record.start, record.id));
    records
}

/// The node that a fault is about: the one that it names, or the one that all its links share.
pub fn aimed_at(fault: &Fault) -> Option<String> {
    if let [node] = &fault.nodes[..] {
        return Some(node.clone());
    }
    let (from, to) = fault.links.first()?;
    let shared = |name: &&String| fault.links.iter().all(|(a, b)| a == *name || b == *name);
    [from, to].into_iter().filter(|name| *name != "clients").find(shared).cloned()
}

/// What a fault touched, in few words. Links cut both ways are one.
fn target(fault: &Fault) -> String {
    if !fault.nodes.is_empty() {
        let nodes: Vec<String> = fault.nodes.iter().map(|name| names::clean(name)).collect();
        return names::list(&nodes, NAMED_MAX);
    }
    if !fault.links.is_empty() {
        let mut shown = Vec::new();
        for (index, (from, to)) in fault.links.iter().enumerate() {
            let back = fault.links.iter().position(|(f, t)| f == to && t == from);
            match back {
                Some(earlier) if earlier < index => {}
                Some(_) => shown.push(format!("{} <-> {}", names::clean(from), names::clean(to))),
                None => shown.push(format!("{} -> {}", names::clean(from), names::clean(to))),
            }
        }
        return names::list(&shown, NAMED_MAX);
    }
    let clients: Vec<String> = fault.clients.iter().copied().map(names::client).collect();
    names::list(&clients, NAMED_MAX)
}

/// Faults of one kind on one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultGroup {
    /// What kind.
    pub kind: FaultKind,
    /// On what.
    pub target: String,
    /// How many.
    pub count: u64,
    /// What was measured; none where nothing was.
    pub effect: Option<GroupEffect>,
}

/// Measured effects of a group put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupEffect {
    /// How many of them bit.
    pub bit: u64,
    /// Sum over the group.
    pub amount: i64,
    /// The largest single one.
    pub amount_max: i64,
    /// Of both amounts.
    pub unit: String,
}

/// Groups by kind and target.
pub fn by_kind_and_target(records: &[FaultRecord]) -> Vec<FaultGroup> {
    let mut groups: BTreeMap<(FaultKind, String), Vec<&FaultRecord>> = BTreeMap::new();
    for record in records {
        groups.entry((record.kind, record.target.clone())).or_default().push(record);
    }
    groups
        .into_iter()
        .map(|((kind, target), members)| FaultGroup {
            kind,
            target,
            count: members.len() as u64,
            effect: group_effect(&members),
        })
        .collect()
}

/// Amounts count only where they bit and have the unit of the first.
fn group_effect(members: &[&FaultRecord]) -> Option<GroupEffect> {
    let first = members.iter().find_map(|record| record.effect.as_ref())?;
    let mut group = GroupEffect { bit: 0, amount: 0, amount_max: 0, unit: first.unit.clone() };
    for effect in members.iter().filter_map(|record| record.effect.as_ref()).filter(|effect| effect.bit) {
        group.bit += 1;
        if effect.unit == group.unit {
            group.amount = group.amount.saturating_add(effect.amount);
            if effect.amount.unsigned_abs() > group.amount_max.unsigned_abs() {
                group.amount_max = effect.amount;
            }
        }
    }
    Some(group)
}

/// An effect for people: `620 ms without service`, `1,204 frames dropped`.
pub fn effect_text(amount: i64, unit: &str) -> String {
    let unit = names::clean(unit);
    match unit.strip_prefix("ms ") {
        Some(rest) => {
            let sign = if amount < 0 { "-" } else { "" };
            format!("{sign}{} {rest}", format::duration_ms(amount.unsigned_abs()))
        }
        None => format!("{} {unit}", format::signed(amount)),
    }
}

/// `kill 4/4 (up to 620 ms without service), partition 5/5 (1,204 frames dropped)`.
pub fn bitten_text(records: &[FaultRecord]) -> String {
    let mut kinds: BTreeMap<FaultKind, Vec<&FaultRecord>> = BTreeMap::new();
    for record in records {
        kinds.entry(record.kind).or_default().push(record);
    }
    let parts: Vec<String> = kinds
        .into_iter()
        .map(|(kind, members)| {
            let bit = members.iter().filter(|record| record.bit()).count() as u64;
            let head = format!("{} {}/{}", names::fault_kind(kind), format::count(bit), members.len());
            match group_effect(&members).filter(|effect| effect.bit > 0 && effect.amount != 0) {
                None => head,
                // Times do not add up to anything that people can picture; counts do.
                Some(effect) if effect.unit.starts_with("ms ") => {
                    let prefix = if bit > 1 { "up to " } else { "" };
                    format!("{head} ({prefix}{})", effect_text(effect.amount_max, &effect.unit))
                }
                Some(effect) => format!("{head} ({})", effect_text(effect.amount, &effect.unit)),
            }
        })
        .collect();
    parts.join(", ")
}
