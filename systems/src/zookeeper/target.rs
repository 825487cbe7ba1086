//! Which node a fault hits: selectors resolved against what the nodes say at that moment.

use super::client::{NOWHERE, Shared};
use super::four_letter::{Mode, status};
use nemesis::{Pick, Selector, Shape};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A node that does not say what it is within this time is neither leader nor follower.
const PATIENCE: Duration = Duration::from_millis(300);
/// The only role that nodes of an ensemble have.
pub const ROLE: &str = "server";

/// A node that a fault will hit, and what it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its index.
    pub node: usize,
    /// What it said it was.
    pub mode: Option<Mode>,
}

impl Target {
    /// `n2 (leader)`.
    pub fn describe(&self, names: &[&str]) -> String {
        let name = names[self.node];
        match self.mode {
            Some(Mode::Leader) => format!("{name} (leader)"),
            Some(Mode::Follower) => format!("{name} (follower)"),
            _ => name.to_owned(),
        }
    }
}

/// Asks all nodes at once what they are.
pub async fn modes(shared: &Shared) -> Vec<Option<Mode>> {
    let ask = |address: &std::net::SocketAddr| tokio::spawn(status(*address, PATIENCE));
    let asked: Vec<_> = shared.addresses.iter().map(ask).collect();
    let mut modes = Vec::with_capacity(asked.len());
    for answer in asked {
        modes.push(answer.await.ok().and_then(Result::ok).map(|status| status.mode));
    }
    modes
}

/// The node that a selector means among those that no other fault holds; an error says why there is none.
pub fn resolve(
    selector: &Selector,
    names: &[&str],
    modes: &[Option<Mode>],
    free: impl Fn(usize) -> bool,
    shared: &Shared,
) -> Result<Target, String> {
    if let Some(role) = selector.role.as_deref().filter(|role| *role != ROLE) {
        return Err(format!("no node has the role `{role}`"));
    }
    let with_mode = |wanted| (0..names.len()).filter(|node| modes[*node] == Some(wanted)).collect();
    let candidates: Vec<usize> = match &selector.pick {
        Pick::Any => (0..names.len()).collect(),
        Pick::Leader => with_mode(Mode::Leader),
        Pick::Follower => with_mode(Mode::Follower),
        Pick::OfClient(client) => {
            let attached = shared.attached.get(*client as usize).map(|node| node.load(Ordering::Relaxed));
            match attached.filter(|node| *node != NOWHERE) {
                Some(node) => vec![node as usize],
                None => return Err(format!("client {client} is on no node")),
            }
        }
        Pick::Named(name) => (0..names.len()).filter(|node| names[*node] == name).collect(),
    };
    if candidates.is_empty() {
        return Err(format!("no node is what was asked for ({:?})", selector.pick));
    }
    let free: Vec<usize> = candidates.into_iter().filter(|node| free(*node)).collect();
    match free.get(selector.draw as usize % free.len().max(1)) {
        Some(&node) => Ok(Target { node, mode: modes[node] }),
        None => Err("another fault holds the node".to_owned()),
    }
}

/// The name under which links name all clients.
pub const CLIENTS: &str = nemesis::linux::CLIENTS;

/// The directed links that a partition of this shape cuts; an error where there are too few nodes for it.
pub fn links<'a>(shape: Shape, target: usize, names: &[&'a str], draw: u32) -> Result<Vec<(&'a str, &'a str)>, String> {
    if shape == Shape::Clients {
        return Ok(vec![(names[target], CLIENTS), (CLIENTS, names[target])]);
    }
    let links = shape.links(target, names.len(), None, draw);
    if links.is_empty() {
        return Err(format!("{} nodes are too few for a partition of shape {}", names.len(), history::word(&shape)));
    }
    Ok(links.into_iter().map(|(from, to)| (names[from], names[to])).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn shapes_cut_what_they_say() {
        let names = ["n1", "n2", "n3"];
        assert_eq!(links(Shape::OneWayOut, 1, &names, 0).unwrap(), [("n2", "n1"), ("n2", "n3")]);
        assert_eq!(links(Shape::Clients, 2, &names, 0).unwrap(), [("n3", "clients"), ("clients", "n3")]);
        assert_eq!(links(Shape::Minority, 2, &names, 0).unwrap().len(), 4);
        assert!(links(Shape::Ring, 2, &names, 0).unwrap_err().contains("too few for a partition of shape ring"));
    }
}
