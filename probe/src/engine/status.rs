//! Where things stand, and names for what is numbered.

use super::Engine;
use super::canary::Role;
use crate::config::Config;
use crate::incident::Names;
use crate::monitor::Counts;
use history::{ClientId, DataIx, NodeIx};

impl Engine {
    /// Where things stand.
    pub fn status(&self) -> Status {
        let names = NameTable(&self.config);
        let servers = (0..self.config.registry.addresses.len() as NodeIx).map(|node| {
            let (connected, canaries) = self.connected(node);
            ServerStatus { name: names.server(node), connected, canaries }
        });
        Status {
            servers: servers.collect(),
            subscriptions: self.subscriptions(),
            counts: self.counts,
            suspect: self.opinion.server.map(|ix| names.server(ix)),
            why: self.opinion.why.clone(),
        }
    }
}

/// Where things stand, for people and for readiness.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Every server.
    pub servers: Vec<ServerStatus>,
    /// How many subscriptions there should be.
    pub subscriptions: usize,
    /// What the last judgement counted.
    pub counts: Counts,
    /// Who is suspected.
    pub suspect: Option<String>,
    /// Why.
    pub why: String,
}

/// One server.
#[derive(Clone, Debug, Default)]
pub struct ServerStatus {
    /// Its address.
    pub name: String,
    /// Canaries connected to it.
    pub connected: usize,
    /// Canaries that it has.
    pub canaries: usize,
}

/// Names from the configuration.
pub struct NameTable<'a>(pub &'a Config);

impl Names for NameTable<'_> {
    fn server(&self, ix: u32) -> String {
        self.0.registry.addresses.get(ix as usize).cloned().unwrap_or_default()
    }

    fn data(&self, ix: DataIx) -> String {
        self.0.canaries.data_ids.get(ix as usize).cloned().unwrap_or_default()
    }

    fn canary(&self, id: ClientId) -> String {
        let roles = Role::ALL.len() as u32;
        format!("{} of {}", Role::ALL[(id % roles) as usize].name(), self.server(id / roles))
    }
}
