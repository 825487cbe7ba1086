//! The server of a pipeline: hands units out, and commits. Everything is in its journal, on disk.

use super::config::DistributorConfig;
use super::message::{Say, Task, Work, shown};
use super::{Out, fact, note};
use history::{MILLI, Nanos};
use simulation::{NodeId, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waiting,
    /// A worker has it until then, by the server's monotonic clock.
    Leased(Nanos),
    Committed,
}

/// A unit.
#[derive(Clone, Debug)]
struct Unit {
    place: Place,
    /// How often it has been handed out.
    leases: u32,
    /// Who wants to hear that it is committed: client and number of the operation.
    wanted: (NodeId, u32),
}

/// A server.
#[derive(Clone, Debug)]
pub struct Server {
    id: NodeId,
    config: Arc<DistributorConfig>,
    configuration: u32,
    units: BTreeMap<u32, Unit>,
}

impl Server {
    /// The server of a pipeline, with nothing to do.
    pub fn new(id: NodeId, config: Arc<DistributorConfig>) -> Server {
        Server { id, config, configuration: 1, units: BTreeMap::new() }
    }

    /// A message arrives.
    pub fn hear(&mut self, now: Now, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Put(op, unit) => self.put(from, op, unit, out),
            Say::Take(number) => {
                let task = self.hand_out(now);
                out.send(from, Say::Given(number, task));
            }
            Say::Commit(work) => self.commit(&work, out),
            Say::Configure(version) => {
                self.configuration = version;
                note(out, self.id, || format!("works by configuration {version} from now on"));
            }
            _ => {}
        }
    }

    fn put(&mut self, client: NodeId, op: u32, unit: u32, out: &mut Out) {
        let id = self.id;
        let known = self.units.entry(unit).or_insert_with(|| {
            fact(out, id, "accepted", shown(id, unit));
            Unit { place: Place::Waiting, leases: 0, wanted: (client, op) }
        });
        if known.place == Place::Committed {
            out.send(client, Say::Committed(op));
        }
    }

    fn hand_out(&mut self, now: Now) -> Option<Task> {
        let is_free = |unit: &Unit| match unit.place {
            Place::Waiting => true,
            Place::Leased(until) => now.mono >= until,
            Place::Committed => false,
        };
        let (number, unit) = self.units.iter_mut().find(|(_, unit)| is_free(unit))?;
        unit.place = Place::Leased(now.mono + self.config.lease_ms * MILLI);
        unit.leases += 1;
        Some(Task { unit: *number, lease: unit.leases, configuration: self.configuration, token: self.id })
    }

    fn commit(&mut self, work: &Work, out: &mut Out) {
        let Work { task, attempt, name } = *work;
        let (id, holds) = (self.id, self.configuration);
        if self.config.token && task.token != id {
            return note(out, id, || "refuses a commit that is meant for another server".to_owned());
        }
        let Some(unit) = self.units.get_mut(&task.unit) else { return };
        // The lease may be over and the unit nobody else's: it is still the last one.
        let held = unit.place != Place::Committed && unit.leases == task.lease;
        if self.config.lease && !held {
            return note(out, id, || format!("refuses unit {}: its lease is another's", task.unit));
        }
        if self.config.barrier && task.configuration != holds {
            if held {
                unit.place = Place::Waiting;
            }
            return note(out, id, || format!("refuses unit {}: it was done by an older configuration", task.unit));
        }
        unit.place = Place::Committed;
        let (client, op) = unit.wanted;
        fact(out, id, "committed", shown(id, task.unit));
        fact(out, id, "by attempt", i64::from(attempt));
        fact(out, id, "in output", i64::from(name));
        fact(out, id, "by configuration", i64::from(task.configuration * 100 + holds));
        fact(out, id, "by server", i64::from(task.token * 100 + id));
        note(out, id, || format!("commits unit {}", task.unit));
        out.send(client, Say::Committed(op));
    }
}
