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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CLIENT: NodeId = 4;

    /// A server with unit 5, which has been handed out once.
    fn server(config: DistributorConfig) -> (Server, Task) {
        let mut server = Server::new(1, Arc::new(config));
        server.hear(Now::at(0), CLIENT, Say::Put(9, 5), &mut Out::default());
        let task = server.hand_out(Now::at(0)).unwrap();
        (server, task)
    }

    /// True if the server commits it.
    fn commits(server: &mut Server, task: Task) -> bool {
        let mut out = Out::default();
        server.commit(&Work { task, attempt: 77, name: 77 }, &mut out);
        out.sent().iter().any(|(to, _, message)| (*to, message) == (CLIENT, &Say::Committed(9)))
    }

    #[test]
    fn what_is_handed_out_is_committed_once() {
        let (mut server, task) = server(DistributorConfig::default());
        assert_eq!((task.unit, task.lease, task.token), (5, 1, 1));
        assert_eq!(server.hand_out(Now::at(0)), None, "it is leased");
        assert!(commits(&mut server, task));
        assert!(!commits(&mut server, task));
        assert_eq!(server.hand_out(Now::at(u64::MAX)), None, "it is committed");
    }

    #[test]
    fn each_guarantee_refuses_what_the_others_let_through() {
        let all = DistributorConfig::default();
        let late = |config: &DistributorConfig| {
            let (mut server, task) = server(config.clone());
            server.hand_out(Now::at(config.lease_ms * MILLI)).unwrap();
            commits(&mut server, task)
        };
        assert!(!late(&all));
        assert!(late(&DistributorConfig { lease: false, ..all.clone() }));
        let stale = |config: &DistributorConfig| {
            let (mut server, task) = server(config.clone());
            server.hear(Now::at(1), 3, Say::Configure(2), &mut Out::default());
            commits(&mut server, task)
        };
        assert!(!stale(&all));
        assert!(stale(&DistributorConfig { barrier: false, ..all.clone() }));
        let foreign = |config: &DistributorConfig| {
            let (mut server, task) = server(config.clone());
            commits(&mut server, Task { token: 0, ..task })
        };
        assert!(!foreign(&all));
        assert!(foreign(&DistributorConfig { token: false, ..all }));
    }

    #[test]
    fn a_unit_of_an_older_configuration_is_handed_out_again() {
        let (mut server, task) = server(DistributorConfig::default());
        server.hear(Now::at(1), 3, Say::Configure(2), &mut Out::default());
        assert!(!commits(&mut server, task));
        let again = server.hand_out(Now::at(2)).unwrap();
        assert_eq!((again.lease, again.configuration), (2, 2));
        assert!(commits(&mut server, again));
    }
}
