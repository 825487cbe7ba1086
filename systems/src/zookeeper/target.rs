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

/// The directed links that a partition of this shape cuts.
pub fn links<'a>(shape: Shape, target: usize, names: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let name = names[target];
    let others = || names.iter().copied().enumerate().filter(move |(node, _)| *node != target);
    let both = |a: &'a str, b: &'a str| [(a, b), (b, a)];
    match shape {
        Shape::Isolate => others().flat_map(|(_, other)| both(name, other)).collect(),
        Shape::OneWayOut => others().map(|(_, other)| (name, other)).collect(),
        Shape::OneWayIn => others().map(|(_, other)| (other, name)).collect(),
        Shape::Clients => both(name, CLIENTS).to_vec(),
        Shape::Minority => {
            let size = (names.len() - 1) / 2;
            let inside = |node: usize| (node + names.len() - target) % names.len() < size.max(1);
            let (minority, rest): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|node| inside(*node));
            minority.iter().flat_map(|a| rest.iter().flat_map(move |b| both(names[*a], names[*b]))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_cut_what_they_say() {
        let names = ["n1", "n2", "n3"];
        assert_eq!(links(Shape::OneWayOut, 1, &names), [("n2", "n1"), ("n2", "n3")]);
        assert_eq!(links(Shape::OneWayIn, 0, &names), [("n2", "n1"), ("n3", "n1")]);
        assert_eq!(links(Shape::Clients, 2, &names), [("n3", "clients"), ("clients", "n3")]);
        assert_eq!(links(Shape::Isolate, 0, &names).len(), 4);
        assert_eq!(links(Shape::Minority, 2, &names).len(), 4);
        let five = ["n1", "n2", "n3", "n4", "n5"];
        let minority = links(Shape::Minority, 4, &five);
        assert_eq!(minority.len(), 12);
        assert!(minority.contains(&("n5", "n2")) && !minority.contains(&("n5", "n1")));
    }
}
