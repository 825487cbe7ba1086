//! From a planned fault to what it touches: which node, which links.

use super::world::RegistryWorld;
use history::FaultKind;
use nemesis::{Pick, PlannedFault, Selector, Shape};
use simulation::NodeId;

impl RegistryWorld {
    /// The node that a fault is aimed at, or why there is none.
    pub(super) fn resolve(&self, fault: &PlannedFault) -> Result<NodeId, String> {
        let fits = |node: NodeId| self.fits(node, fault.kind);
        let node = match &fault.target.pick {
            Pick::Named(name) => {
                let node = (0..self.ids.clients()).find(|node| self.ids.name(*node) == *name);
                node.ok_or_else(|| format!("there is no node {name}"))?
            }
            Pick::OfClient(client) => {
                let session = self.clients().session_of(*client);
                session.ok_or_else(|| format!("client {client} is not connected"))?
            }
            Pick::Leader => self.leader(&fault.target)?,
            Pick::Any => self.draw(&fault.target, fits)?,
            Pick::Follower => {
                let leader = self.leader(&fault.target).ok();
                self.draw(&fault.target, |node| fits(node) && Some(node) != leader)?
            }
        };
        if fault.target.role.as_deref().is_some_and(|role| role != self.ids.role(node)) {
            return Err(format!(
                "{} is not a {} node",
                self.ids.name(node),
                fault.target.role.as_deref().unwrap_or("")
            ));
        }
        if !fits(node) {
            let up = self.kernel.is_up(node);
            if up && fault.kind == FaultKind::StaleTable && self.kernel.machine(node).member().is_none() {
                return Err(format!("{} has no table of others", self.ids.name(node)));
            }
            let state = if up { "is in that state already" } else { "does not run" };
            return Err(format!("{} {state}", self.ids.name(node)));
        }
        Ok(node)
    }

    /// Nothing can be done to a node that is down, and no node can be paused, slow, half-dead or stuck twice.
    fn fits(&self, node: NodeId, kind: FaultKind) -> bool {
        self.kernel.is_up(node)
            && match kind {
                FaultKind::Pause => !self.kernel.is_paused(node),
                FaultKind::Slow => !self.kernel.is_slow(node),
                FaultKind::HalfDead => !self.kernel.is_half_dead(node),
                // Only session and data nodes have a table that others make.
                FaultKind::StaleTable => self.kernel.machine(node).member().is_some_and(|member| !member.is_stuck()),
                _ => true,
            }
    }

    fn draw(&self, selector: &Selector, fits: impl Fn(NodeId) -> bool) -> Result<NodeId, String> {
        let wanted = |node: &NodeId| match selector.role.as_deref() {
            // The database is hit only where it is asked for.
            None => *node != self.ids.database(),
            Some(role) => self.ids.role(*node) == role,
        };
        let candidates: Vec<NodeId> = (0..self.ids.clients()).filter(wanted).filter(|node| fits(*node)).collect();
        let at = selector.draw as usize % candidates.len().max(1);
        candidates.get(at).copied().ok_or_else(|| "no such node runs".to_owned())
    }

    /// The meta leader, the data node that leads most slots, or the session node with most clients.
    fn leader(&self, selector: &Selector) -> Result<NodeId, String> {
        match selector.role.as_deref() {
            None | Some("meta") => self.meta_leader().ok_or_else(|| "no meta node leads".to_owned()),
            Some("data") => {
                let leads = |node| self.database().cluster.led_by(node);
                most(self.ids.all_data(), leads, selector.draw).ok_or_else(|| "no data node leads a slot".to_owned())
            }
            Some("session") => {
                let holds = |node| self.kernel.machine(node).session().map_or(0, |session| session.connected());
                most(self.ids.all_sessions(), holds, selector.draw).ok_or_else(|| "no client is connected".to_owned())
            }
            Some(role) => Err(format!("{role} nodes have no leader")),
        }
    }

    /// The directed links that a fault on links touches. The database stays with the rest unless it is the target.
    pub(super) fn links(&self, target: NodeId, shape: Shape, draw: u32) -> Result<Vec<(NodeId, NodeId)>, String> {
        let clients = self.ids.clients();
        match shape {
            Shape::Clients if self.ids.is_session(target) => return Ok(vec![(target, clients), (clients, target)]),
            Shape::Clients => return Err(format!("no client is connected to {}", self.ids.name(target))),
            Shape::Meta if self.ids.is_meta(target) => return Err(format!("{} is meta itself", self.ids.name(target))),
            Shape::Meta => return Ok(self.ids.all_metas().flat_map(|meta| [(target, meta), (meta, target)]).collect()),
            _ => {}
        }
        let database = self.ids.database() as usize;
        let links = shape.links(target as usize, clients as usize, Some(database), draw);
        if links.is_empty() {
            return Err(format!("{} nodes are too few for this shape", clients));
        }
        Ok(links.into_iter().map(|(from, to)| (from as NodeId, to as NodeId)).collect())
    }
}

/// Of those with most, but not of those with nothing.
fn most(nodes: std::ops::Range<NodeId>, has: impl Fn(NodeId) -> usize, draw: u32) -> Option<NodeId> {
    let most = nodes.clone().map(&has).max().filter(|most| *most > 0)?;
    let tied: Vec<NodeId> = nodes.filter(|node| has(*node) == most).collect();
    tied.get(draw as usize % tied.len()).copied()
}
