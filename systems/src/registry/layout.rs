//! Which node is which: sessions first, then data, metas, the database, and last the network end where all clients are.

use super::RegistryConfig;
use history::{DataIx, Node};
use simulation::{NodeId, hash_draw};

/// Numbers of nodes by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeIds {
    /// How many sessions.
    pub sessions: u32,
    /// How many data nodes.
    pub data: u32,
    /// How many meta nodes.
    pub metas: u32,
}

impl NodeIds {
    /// Those of a configuration; at least one of each.
    pub fn of(config: &RegistryConfig) -> NodeIds {
        NodeIds { sessions: config.sessions.max(1), data: config.data.max(1), metas: config.metas.max(1) }
    }

    /// True for a session node.
    pub fn is_session(&self, node: NodeId) -> bool {
        node < self.sessions
    }

    /// True for a data node.
    pub fn is_data(&self, node: NodeId) -> bool {
        (self.sessions..self.sessions + self.data).contains(&node)
    }

    /// True for a meta node.
    pub fn is_meta(&self, node: NodeId) -> bool {
        self.all_metas().contains(&node)
    }

    /// Every session node.
    pub fn all_sessions(&self) -> std::ops::Range<NodeId> {
        0..self.sessions
    }

    /// Every data node.
    pub fn all_data(&self) -> std::ops::Range<NodeId> {
        self.sessions..self.sessions + self.data
    }

    /// Every meta node.
    pub fn all_metas(&self) -> std::ops::Range<NodeId> {
        let first = self.sessions + self.data;
        first..first + self.metas
    }

    /// The database that holds meta's lease and tables.
    pub fn database(&self) -> NodeId {
        self.sessions + self.data + self.metas
    }

    /// The network end of all clients.
    pub fn clients(&self) -> NodeId {
        self.database() + 1
    }

    /// How the outside calls a node.
    pub fn name(&self, node: NodeId) -> String {
        if self.is_session(node) {
            format!("session-{}", node + 1)
        } else if self.is_data(node) {
            format!("data-{}", node - self.sessions + 1)
        } else if self.is_meta(node) {
            format!("meta-{}", node - self.all_metas().start + 1)
        } else if node == self.database() {
            "database".to_owned()
        } else {
            "clients".to_owned()
        }
    }

    /// A node's role.
    pub fn role(&self, node: NodeId) -> &'static str {
        if self.is_session(node) {
            "session"
        } else if self.is_data(node) {
            "data"
        } else if self.is_meta(node) {
            "meta"
        } else {
            "database"
        }
    }

    /// All nodes but the clients.
    pub fn nodes(&self) -> Vec<Node> {
        let node =
            |id| Node { name: self.name(id), role: self.role(id).to_owned(), serves_clients: self.is_session(id) };
        (0..self.clients()).map(node).collect()
    }
}

/// The slot that a dataId is hashed onto.
pub fn slot_of(data: DataIx, slots: u32) -> u32 {
    (hash_draw(0x510, &[u64::from(data)]) % u64::from(slots.max(1))) as u32
}
