//! Who takes part in a tale: the clients that act, the dataIds that they use, and who saw the violation.

use crate::facts::Run;
use crate::{names, story};
use checkers::Violation;
use history::{ClientId, DataIx, Event, Function, Nanos, OpId, Operation, Outcome};
use std::collections::{BTreeMap, BTreeSet};

/// With more dataIds than this only that of the violation is told about.
const DATA_MAX: usize = 4;

/// Who takes part.
pub(super) struct Cast<'a> {
    pub(super) run: Run<'a>,
    /// Its history.
    pub(super) events: &'a [Event],
    /// The earliest violation.
    pub(super) violation: &'a Violation,
    /// Clients of the plan that act.
    pub(super) clients: BTreeSet<ClientId>,
    /// The fresh client whose read shows the violation, if it is one.
    pub(super) reader: Option<ClientId>,
    /// DataIds that are told about.
    pub(super) data: BTreeSet<DataIx>,
    /// Operations that are told about: no pings, and of the fresh clients only the read that shows the violation.
    pub(super) operations: BTreeMap<OpId, &'a Operation>,
    /// Names of nodes through which somebody subscribes or reads: what they hear of a dataId matters.
    pub(super) watching: BTreeSet<String>,
}

impl<'a> Cast<'a> {
    /// Of a run with a violation whose history is in memory: stories are told of small ones.
    pub(super) fn of(run: &Run<'a>) -> Option<Cast<'a>> {
        let (violation, events) = (story::earliest(run.report)?, run.events.in_memory()?);
        let invoked = || events.iter().filter_map(operation).filter(|op| op.outcome == Outcome::Invoke);
        let planned = |op: &&Operation| op.client < run.header.clients;
        let reader = match violation.client {
            Some(_) => None,
            None => events.iter().filter_map(operation).find(|op| reads(op, violation)).map(|op| op.client),
        };
        let mut data: BTreeSet<DataIx> = invoked().filter(planned).filter_map(|op| op.data).collect();
        if data.len() > DATA_MAX {
            data = [violation.data].into();
        }
        let told = |op: &&Operation| {
            op.f != Function::Ping && op.time <= violation.time && op.data.is_none_or(|of| data.contains(&of)) && {
                let reads = reader == Some(op.client) && op.f == Function::Read && op.data == Some(violation.data);
                planned(op) || reads
            }
        };
        let operations: BTreeMap<OpId, &Operation> = invoked().filter(told).map(|op| (op.op, op)).collect();
        let clients = operations.values().map(|op| op.client).filter(|client| Some(*client) != reader).collect();
        let watches = |op: &&&Operation| matches!(op.f, Function::Subscribe | Function::Read);
        let watching = operations.values().filter(watches).filter_map(|op| op.node);
        let watching = watching.map(|node| names::node(run.header, node)).collect();
        Some(Cast { run: *run, events, violation, clients, reader, data, operations, watching })
    }

    /// Nothing is told about after this.
    pub(super) fn until(&self) -> Nanos {
        self.violation.time
    }

    /// True for a client that is told about.
    pub(super) fn has(&self, client: ClientId) -> bool {
        self.clients.contains(&client) || self.reader == Some(client)
    }

    /// `client 3`, or `a fresh client`.
    pub(super) fn client(&self, client: ClientId) -> String {
        if self.reader == Some(client) { "a fresh client".to_owned() } else { format!("client {client}") }
    }
}

fn operation(event: &Event) -> Option<&Operation> {
    if let Event::Op(op) = event { Some(op) } else { None }
}

/// True for the end of the read that shows the violation.
fn reads(op: &Operation, violation: &Violation) -> bool {
    op.outcome == Outcome::Ok
        && op.f == Function::Read
        && op.data == Some(violation.data)
        && op.snapshot == violation.snapshot
        && op.time == violation.time
}
