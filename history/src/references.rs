//! What an event refers to must exist, so that no checker meets an index out of range in an edited history. Client
//! numbers are free: the fresh clients of the final reads may be numbered beyond those of the plan.

use crate::{DataIx, Event, Header, NodeIx, SnapshotId};

/// Checks references as events go by.
pub(crate) struct References {
    data_ids: u32,
    nodes: u32,
    /// Of which dataId each snapshot so far is.
    snapshots: Vec<DataIx>,
}

impl References {
    pub(crate) fn new(header: &Header) -> Self {
        References {
            data_ids: u32::try_from(header.data_ids.len()).unwrap_or(u32::MAX),
            nodes: u32::try_from(header.nodes.len()).unwrap_or(u32::MAX),
            snapshots: Vec::new(),
        }
    }

    pub(crate) fn check(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Op(op) => {
                op.data.map_or(Ok(()), |data| self.data(data))?;
                op.node.map_or(Ok(()), |node| self.node(node))?;
                op.snapshot.map_or(Ok(()), |id| self.snapshot(id, op.data))
            }
            Event::Push(push) => {
                self.data(push.data)?;
                push.node.map_or(Ok(()), |node| self.node(node))?;
                self.snapshot(push.snapshot, Some(push.data))
            }
            Event::Snapshot(snapshot) => {
                self.data(snapshot.data)?;
                if snapshot.id as usize != self.snapshots.len() {
                    return Err(format!("snapshot #{} where #{} is due", snapshot.id, self.snapshots.len()));
                }
                snapshot.base.map_or(Ok(()), |base| self.snapshot(base, Some(snapshot.data)))?;
                self.snapshots.push(snapshot.data);
                Ok(())
            }
            Event::Connection(connection) => connection.node.map_or(Ok(()), |node| self.node(node)),
            Event::Routes(routes) => {
                if routes.slots.len() > self.data_ids as usize {
                    return Err(format!("{} slots of {} dataIds", routes.slots.len(), self.data_ids));
                }
                routes.leaders.iter().flatten().try_for_each(|node| self.node(*node))
            }
            Event::Dropped(_) | Event::Fault(_) | Event::Phase(_) => Ok(()),
        }
    }

    fn data(&self, data: DataIx) -> Result<(), String> {
        below(data, self.data_ids, "dataId")
    }

    fn node(&self, node: NodeIx) -> Result<(), String> {
        below(node, self.nodes, "node")
    }

    fn snapshot(&self, id: SnapshotId, data: Option<DataIx>) -> Result<(), String> {
        match (self.snapshots.get(id as usize), data) {
            (None, _) => Err(format!("snapshot #{id} is used before it is written")),
            (Some(of), Some(data)) if *of != data => {
                Err(format!("snapshot #{id} is of dataId {of} and used for dataId {data}"))
            }
            _ => Ok(()),
        }
    }
}

fn below(index: u32, count: u32, what: &str) -> Result<(), String> {
    if index < count { Ok(()) } else { Err(format!("{what} {index} of {count}")) }
}
