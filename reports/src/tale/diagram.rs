//! What a space-time diagram shows: lanes, messages between them, faults and the violation. Data; `html::spacetime` draws it.

use super::cast::Cast;
use super::messages::{Chosen, client_of};
use crate::{faults, names, story};
use history::{ClientId, ConnectionState, Event, FaultKind, FaultStage, Function, Nanos, Outcome};
use serde::{Deserialize, Serialize};

/// A space-time diagram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagram {
    /// From left to right: clients, then nodes.
    pub lanes: Vec<Lane>,
    /// Messages.
    pub arrows: Vec<Arrow>,
    /// What happened on one lane.
    pub marks: Vec<Mark>,
    /// Stretches during which a lane's node did not work as it should.
    pub bars: Vec<Bar>,
}

/// The life of a client or a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// `client 3`, `session-1`.
    pub name: String,
    /// True for a client.
    pub client: bool,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrow {
    /// Index of the lane that it leaves.
    pub from: usize,
    /// Index of the lane that it goes to.
    pub to: usize,
    /// When it was sent.
    pub sent: Nanos,
    /// When it arrived; none if it was lost.
    pub arrives: Option<Nanos>,
    /// What it says.
    pub label: String,
}

/// Something that happened on one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Index of the lane.
    pub lane: usize,
    /// When.
    pub time: Nanos,
    /// What kind of thing.
    pub kind: MarkKind,
    /// In few words.
    pub label: String,
}

/// Kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// A fault begins.
    Fault,
    /// A fault is lifted.
    Lifted,
    /// A client goes, or loses its connection.
    Gone,
    /// What is wrong shows.
    Violation,
}

/// A stretch of a lane under a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Index of the lane.
    pub lane: usize,
    /// When it began.
    pub from: Nanos,
    /// When the fault was lifted; none if later than the diagram.
    pub until: Option<Nanos>,
    /// True if the node does nothing at all meanwhile.
    pub down: bool,
}

/// Draws up who is in it and what happens.
pub(super) fn of(cast: &Cast<'_>, chosen: &[Chosen]) -> Diagram {
    let mut diagram = Diagram { lanes: lanes(cast, chosen), ..Diagram::default() };
    let lane = |name: &str| diagram.lanes.iter().position(|lane| lane.name == name);
    let end = |name: &str| lane(&client_of(name).map_or_else(|| names::clean(name), |client| cast.client(client)));
    let mut arrows = Vec::new();
    for one in chosen {
        let (Some(from), Some(to)) = (end(&one.from), end(&one.to)) else { continue };
        let more = if one.more > 0 { format!("  ×{}", one.more + 1) } else { String::new() };
        let label = format!("{}{more}", one.label);
        let arrives = one.arrives.filter(|at| *at <= cast.until()).or(one.arrives.map(|_| cast.until()));
        arrows.push(Arrow { from, to, sent: one.sent, arrives, label });
    }
    let (mut marks, mut bars) = (Vec::new(), Vec::new());
    for event in cast.events {
        let Some((time, name, kind, label)) = mark(cast, event) else { continue };
        let Some(lane) = lane(&name).filter(|_| time <= cast.until()) else { continue };
        if let (MarkKind::Fault, Event::Fault(fault)) = (kind, event) {
            let lifted = faults::collect(&cast.events).into_iter().find(|record| record.id == fault.id);
            let until = lifted.and_then(|record| record.end).filter(|end| *end <= cast.until());
            let down = matches!(fault.kind, FaultKind::Kill | FaultKind::Pause);
            bars.push(Bar { lane, from: time, until, down });
        }
        marks.push(Mark { lane, time, kind, label });
    }
    marks.extend(violation(cast, &diagram.lanes));
    (diagram.arrows, diagram.marks, diagram.bars) = (arrows, marks, bars);
    diagram
}

fn violation(cast: &Cast<'_>, lanes: &[Lane]) -> Option<Mark> {
    let observer = cast.violation.client.or(cast.reader).map(|client| cast.client(client));
    let node = cast.violation.node.map(|node| names::node(cast.run.header, node));
    let lane = [observer, node].into_iter().flatten().find_map(|name| lanes.iter().position(|l| l.name == name))?;
    let label = story::kind(cast.violation.kind).to_owned();
    Some(Mark { lane, time: cast.until(), kind: MarkKind::Violation, label })
}

/// Clients that act; nodes that say or hear something that matters, or that a fault is aimed at.
fn lanes(cast: &Cast<'_>, chosen: &[Chosen]) -> Vec<Lane> {
    let clients = cast.clients.iter().copied().chain(cast.reader);
    let mut all: Vec<Lane> = clients.map(|client| Lane { name: cast.client(client), client: true }).collect();
    let aimed: Vec<String> = cast
        .events
        .iter()
        .filter_map(|event| if let Event::Fault(fault) = event { Some(&**fault) } else { None })
        .filter(|fault| fault.time <= cast.until())
        .filter_map(faults::aimed_at)
        .collect();
    for node in &cast.run.header.nodes {
        let speaks = chosen.iter().any(|one| one.from == node.name || one.to == node.name);
        if speaks || aimed.contains(&node.name) {
            all.push(Lane { name: names::clean(&node.name), client: false });
        }
    }
    all
}

fn mark(cast: &Cast<'_>, event: &Event) -> Option<(Nanos, String, MarkKind, String)> {
    let client = |client: ClientId| cast.clients.contains(&client).then(|| cast.client(client));
    match event {
        Event::Fault(fault) => {
            let name = names::clean(&faults::aimed_at(fault)?);
            let word = names::fault_kind(fault.kind);
            match fault.stage {
                FaultStage::Start => Some((fault.time, name, MarkKind::Fault, word.to_owned())),
                FaultStage::End => Some((fault.time, name, MarkKind::Lifted, format!("{word} ends"))),
                FaultStage::Serving | FaultStage::Missed => None,
            }
        }
        Event::Op(op) if op.f == Function::Vanish && op.outcome == Outcome::Invoke => {
            Some((op.time, client(op.client)?, MarkKind::Gone, "vanishes".to_owned()))
        }
        Event::Connection(connection)
            if matches!(connection.state, ConnectionState::Lost | ConnectionState::Expired)
                && connection.reason.as_deref() != Some("the client vanished") =>
        {
            Some((connection.time, client(connection.client)?, MarkKind::Gone, "loses its connection".to_owned()))
        }
        _ => None,
    }
}
