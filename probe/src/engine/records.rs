//! What the engine does and sees, as events of a history; and the header that makes the window a history of its own.

use super::{Engine, Link, NameTable, Role};
use crate::flight::Record;
use crate::incident::Names;
use history::{
    ClientId, Connection, ConnectionState, Contract, DataIx, Event, Fault, FaultKind, FaultStage, Function, Header,
    Keeper, Nanos, Node, Operation, Outcome, Push, SystemName,
};

impl Engine {
    /// The operation that this canary has under way, as it begins or ends.
    pub(super) fn operation(&self, time: Nanos, at: usize, outcome: Outcome, error: Option<String>) -> Event {
        let canary = &self.canaries[at];
        let open = canary.open.as_ref();
        let f = open.map_or(Function::Ping, |open| open.f);
        let data = open.and_then(|open| open.data);
        Event::Op(Box::new(Operation {
            time,
            outcome,
            op: open.map_or(0, |open| open.op),
            process: canary.process,
            client: canary.id,
            f,
            data,
            registration: matches!(f, Function::Publish | Function::Unpublish).then_some(0),
            subscription: data.filter(|_| f == Function::Subscribe),
            value: open.and_then(|open| open.value.as_deref()).map(str::to_owned),
            session: canary.session.filter(|_| f != Function::Connect),
            node: Some(canary.node),
            snapshot: None,
            late_ns: 0,
            reaction: false,
            error,
        }))
    }

    pub(super) fn push(&self, time: Nanos, client: ClientId, data: DataIx, version: Option<u64>) -> Push {
        let canary = &self.canaries[client as usize];
        let session = canary.session.unwrap_or_default();
        Push { time, client, session, subscription: data, data, snapshot: 0, version, node: Some(canary.node) }
    }

    pub(super) fn connection_event(
        &self,
        time: Nanos,
        client: ClientId,
        state: ConnectionState,
        name: Option<String>,
        reason: Option<String>,
    ) -> Event {
        let canary = &self.canaries[client as usize];
        let session = canary.session.unwrap_or_default();
        Event::Connection(Box::new(Connection { time, client, session, state, node: Some(canary.node), name, reason }))
    }

    /// The probe's own delay, as a fault of the history: the checkers blame nobody else for it.
    pub(super) fn lag_events(&mut self, now: Nanos, late: Nanos) -> [Event; 2] {
        let id = self.faults;
        self.faults += 1;
        let fault = Fault {
            time: now,
            id,
            stage: FaultStage::Start,
            kind: FaultKind::MasterLag,
            nodes: Vec::new(),
            links: Vec::new(),
            clients: Vec::new(),
            detail: format!("the probe stood still for {} ms", late / history::MILLI),
            effect: None,
        };
        [Event::Fault(Box::new(fault.clone())), served(fault, now, late / history::MILLI, "ms of lag")]
    }

    /// Notes when nobody is connected any more, against our will, and when somebody is again. Meanwhile the registry may stand
    /// still, and the leases with it: a fault of the history, for which the checkers make allowance.
    pub(super) fn outage(&mut self, now: Nanos, planned: bool) {
        let nobody = self.canaries.iter().all(|canary| canary.link == Link::Away);
        match self.out.take() {
            None if nobody && !planned => {
                let id = self.faults;
                self.faults += 1;
                let both = |name: &String| [("clients".to_owned(), name.clone()), (name.clone(), "clients".to_owned())];
                let fault = Fault {
                    time: now,
                    id,
                    stage: FaultStage::Start,
                    kind: FaultKind::Partition,
                    nodes: Vec::new(),
                    links: self.config.registry.addresses.iter().flat_map(both).collect(),
                    clients: Vec::new(),
                    detail: "no canary is connected any more".to_owned(),
                    effect: None,
                };
                self.flight.record(Record::Event(Event::Fault(Box::new(fault.clone()))));
                self.out = Some(Box::new(fault));
            }
            Some(mut fault) if !nobody => {
                let lasted = now.saturating_sub(fault.time) / history::MILLI;
                "a canary is connected again".clone_into(&mut fault.detail);
                self.flight.record(Record::Event(served(*fault, now, lasted, "ms without a connection")));
            }
            before => self.out = before,
        }
    }

    /// The first line of a saved window.
    pub fn header(&self) -> Header {
        let names = NameTable(&self.config);
        let server = |name: &String| Node { name: name.clone(), role: "server".to_owned(), serves_clients: true };
        let pinned = self.canaries.iter().filter(|canary| canary.role == Role::Pinned).map(|canary| canary.id);
        Header {
            schema: history::SCHEMA,
            scenario: "probe".to_owned(),
            seed: 0,
            program: format!("upheaval {}", env!("CARGO_PKG_VERSION")),
            plan_hash: String::new(),
            system: SystemName {
                name: "zookeeper".to_owned(),
                version: String::new(),
                client: "upheaval's own".to_owned(),
            },
            virtual_time: false,
            nodes: self.config.registry.addresses.iter().map(server).collect(),
            data_ids: (0..self.config.canaries.data_ids.len() as u32).map(|ix| names.data(ix)).collect(),
            clients: self.canaries.len() as u32,
            pinned: pinned.collect(),
            contract: self.contract(),
            final_reads: 0,
            bug: None,
        }
    }

    /// What the objectives say, as a contract.
    fn contract(&self) -> Contract {
        let converge = self.config.objectives.converge_ms;
        Contract {
            visible_ms_max: converge,
            recovered_ms_max: converge,
            lease_ms_min: self.config.registry.session_timeout_ms / 2,
            lease_ms_max: self.config.lease_ms_max(),
            node_lease_ms_min: None,
            lease_restarts_on_keeper_change: true,
            lease_keeper: Keeper::AnyNode,
            survives_node_loss: true,
            atomic_snapshots: false,
            atomic_replace: true,
            monotonic_pushes: true,
            monotonic_versions: true,
            stale_writes_rejected: false,
            memory: None,
            staleness_ms_max: None,
            first_push_may_be_empty: false,
            in_flight_ms_max: self.config.lease_ms_max(),
            reregister_ms_max: None,
            linearizable_reads: false,
            calibrated: false,
        }
    }
}

/// The end of a fault that was measured.
fn served(fault: Fault, now: Nanos, amount: u64, unit: &str) -> Event {
    let effect = Some(history::Effect { bit: true, amount: amount as i64, unit: unit.to_owned() });
    Event::Fault(Box::new(Fault { time: now, stage: FaultStage::Serving, effect, ..fault }))
}
