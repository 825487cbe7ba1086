//! One event as one line for people.

use crate::stats::word;
use crate::{ConnectionState, DataIx, Event, Fault, FaultStage, Header, Nanos, NodeIx, Operation, Outcome, Push};
use std::fmt::Write as _;

/// Formats events in their order. It remembers the sizes of snapshots, for pushes.
pub struct Cat<'a> {
    header: &'a Header,
    sizes: Vec<usize>,
}

impl<'a> Cat<'a> {
    /// Formats events of the history with this header.
    pub fn new(header: &'a Header) -> Self {
        Cat { header, sizes: Vec::new() }
    }

    /// The line for the next event, without newline; none for snapshots, which show where they are used.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        let (who, what) = match event {
            Event::Snapshot(snapshot) => {
                let base = snapshot.base.and_then(|base| self.sizes.get(base as usize)).copied().unwrap_or(0);
                self.sizes.push((base + snapshot.add.len()).saturating_sub(snapshot.remove.len()));
                return None;
            }
            Event::Op(op) => (format!("c{}", op.client), self.operation(op)),
            Event::Dropped(dropped) => {
                let (f, due) = (word(&dropped.f), seconds(dropped.due));
                (format!("c{}", dropped.client), format!("{f} dropped, due at {due}: {}", dropped.why))
            }
            Event::Push(push) => (format!("c{}", push.client), self.push(push)),
            Event::Connection(connection) => {
                let mut what = match connection.state {
                    ConnectionState::Connected => format!("new session {}", connection.session),
                    state => format!("session {} {}", connection.session, word(&state)),
                };
                if let Some(name) = &connection.name {
                    let _ = write!(what, " ({name})");
                }
                self.via(&mut what, connection.node);
                because(&mut what, connection.reason.as_deref());
                (format!("c{}", connection.client), what)
            }
            Event::Fault(fault) => (format!("f{}", fault.id), fault_text(fault)),
            Event::Phase(phase) => ("phase".into(), word(&phase.name)),
            Event::Routes(routes) => ("routes".into(), self.routes(routes)),
        };
        let time = event.time().map(seconds).unwrap_or_default();
        // Words of the system under test may hold newlines, or what a terminal would obey.
        let what: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Some(format!("{time:>12}  {who:<6} {what}"))
    }

    /// How many slots each node leads.
    fn routes(&self, routes: &crate::Routes) -> String {
        let mut led: std::collections::BTreeMap<Option<NodeIx>, u32> = std::collections::BTreeMap::new();
        for leader in &routes.leaders {
            *led.entry(*leader).or_default() += 1;
        }
        let name = |node: &Option<NodeIx>| match node.and_then(|node| self.header.nodes.get(node as usize)) {
            Some(node) => node.name.clone(),
            None => "nobody".to_owned(),
        };
        let parts: Vec<String> = led.iter().map(|(node, slots)| format!("{} leads {slots}", name(node))).collect();
        format!("{} slots: {}", routes.leaders.len(), parts.join(", "))
    }

    fn operation(&self, op: &Operation) -> String {
        let mut what = word(&op.f);
        if op.outcome != Outcome::Invoke {
            let _ = write!(what, " {}", word(&op.outcome));
        }
        if let Some(data) = op.data {
            let _ = write!(what, " {}", self.data(data));
        }
        for (label, number) in [("registration", op.registration), ("subscription", op.subscription)] {
            if let Some(number) = number {
                let _ = write!(what, " {label} {number}");
            }
        }
        if let Some(value) = &op.value {
            let _ = write!(what, " = {value}");
        }
        if let Some(id) = op.snapshot {
            let _ = write!(what, ": {} #{id}", self.addresses(id));
        }
        self.via(&mut what, op.node);
        let _ = write!(what, " (op {}, process {}", op.op, op.process);
        if op.reaction {
            what.push_str(", reaction");
        }
        if op.late_ns > 0 {
            let _ = write!(what, ", {} late", seconds(op.late_ns));
        }
        what.push(')');
        because(&mut what, op.error.as_deref());
        what
    }

    fn push(&self, push: &Push) -> String {
        let mut what = format!("push {} {} #{}", self.data(push.data), self.addresses(push.snapshot), push.snapshot);
        if let Some(version) = push.version {
            let _ = write!(what, " (version {version})");
        }
        self.via(&mut what, push.node);
        what
    }

    fn addresses(&self, id: u32) -> String {
        match self.sizes.get(id as usize) {
            Some(1) => "1 address".into(),
            Some(count) => format!("{count} addresses"),
            None => "? addresses".into(),
        }
    }

    fn data(&self, data: DataIx) -> String {
        self.header.data_ids.get(data as usize).cloned().unwrap_or_else(|| format!("dataId {data}"))
    }

    fn via(&self, what: &mut String, node: Option<NodeIx>) {
        if let Some(node) = node {
            let _ = match self.header.nodes.get(node as usize) {
                Some(node) => write!(what, " via {}", node.name),
                None => write!(what, " via node {node}"),
            };
        }
    }
}

fn because(what: &mut String, why: Option<&str>) {
    if let Some(why) = why {
        let _ = write!(what, ": {why}");
    }
}

fn fault_text(fault: &Fault) -> String {
    let stage = match fault.stage {
        FaultStage::Start => "begins",
        FaultStage::End => "ends",
        FaultStage::Serving => "is over",
        FaultStage::Missed => "did not happen",
    };
    let mut what = format!("{} {stage}: {}", word(&fault.kind), fault.detail);
    if let Some(effect) = &fault.effect {
        let bit = if effect.bit { "" } else { ", it did not bite" };
        let _ = write!(what, " ({} {}{bit})", effect.amount, effect.unit);
    }
    what
}

/// `12.481 s`; finer than a millisecond only where it would read as nothing.
fn seconds(time: Nanos) -> String {
    if time > 0 && time < 1_000_000 {
        return format!("0.{:06} s", time / 1_000);
    }
    format!("{}.{:03} s", time / 1_000_000_000, time / 1_000_000 % 1_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_keep_what_matters() {
        assert_eq!(seconds(12_481_999_999), "12.481 s");
        assert_eq!(seconds(0), "0.000 s");
        assert_eq!(seconds(42_000), "0.000042 s");
    }
}
