//! How far a partition reaches: which directed links between nodes it cuts. Pure; the systems turn indices into nodes.

use serde::{Deserialize, Serialize};
use simulation::Stream;

/// What a partition (or delay, loss and other trouble of links) touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The target from all other nodes, both ways; clients still reach it.
    #[default]
    Isolate,
    /// Nothing from the target reaches the other nodes, they still reach it.
    OneWayOut,
    /// Nothing from the other nodes reaches the target, it still reaches them.
    OneWayIn,
    /// The nodes split into a minority that holds the target and the rest.
    Minority,
    /// The nodes split into two halves, as equal as their number allows.
    Halves,
    /// The nodes stand in a ring of drawn order, and each reaches only its two neighbours.
    Ring,
    /// The nodes split into two halves that only the target reaches, both of them.
    Bridge,
    /// The target from the clients, both ways; nodes still reach it.
    Clients,
    /// The target from the meta nodes of a registry, both ways; everybody else still reaches it.
    Meta,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 9] = [
        Shape::Isolate,
        Shape::OneWayOut,
        Shape::OneWayIn,
        Shape::Minority,
        Shape::Halves,
        Shape::Ring,
        Shape::Bridge,
        Shape::Clients,
        Shape::Meta,
    ];

    /// The directed links (from, to) among nodes `0..nodes` that this shape cuts. `apart`, unless it is the target, is never
    /// drawn to the target's side: a database that most nodes need. `draw` decides who else is. None for
    /// [`Shape::Clients`] and [`Shape::Meta`], and where there are too few nodes (a ring of three reaches everyone).
    pub fn links(self, target: usize, nodes: usize, apart: Option<usize>, draw: u32) -> Vec<(usize, usize)> {
        let others = || (0..nodes).filter(move |node| *node != target);
        let out = || others().map(move |node| (target, node));
        let back = || others().map(move |node| (node, target));
        match self {
            Shape::Isolate => out().chain(back()).collect(),
            Shape::OneWayOut => out().collect(),
            Shape::OneWayIn => back().collect(),
            Shape::Minority | Shape::Halves => {
                let side = side(self, target, nodes, apart, draw);
                between(&side, (0..nodes).filter(|node| !side.contains(node)))
            }
            Shape::Bridge => {
                let mut side = side(self, target, nodes, apart, draw);
                side.retain(|node| *node != target);
                between(&side, others().filter(|node| !side.contains(node)))
            }
            Shape::Ring => ring(nodes, draw),
            Shape::Clients | Shape::Meta => Vec::new(),
        }
    }
}

/// The target and those drawn to its side.
fn side(shape: Shape, target: usize, nodes: usize, apart: Option<usize>, draw: u32) -> Vec<usize> {
    let free: Vec<usize> = (0..nodes).filter(|node| *node != target && Some(*node) != apart).collect();
    let size = match shape {
        Shape::Halves => nodes / 2,
        // The bridge itself belongs to neither side.
        Shape::Bridge => nodes.saturating_sub(1) / 2 + 1,
        _ => free.len() / 2,
    };
    let first = draw as usize % free.len().max(1);
    let mut side = vec![target];
    side.extend(free.iter().cycle().skip(first).take(size.saturating_sub(1).min(free.len())));
    side
}

fn between(side: &[usize], rest: impl Iterator<Item = usize> + Clone) -> Vec<(usize, usize)> {
    side.iter().flat_map(|a| rest.clone().flat_map(move |b| [(*a, b), (b, *a)])).collect()
}

fn ring(nodes: usize, draw: u32) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..nodes).collect();
    Stream::new(u64::from(draw), "ring", 0).shuffle(&mut order);
    let apart = |a: usize, b: usize| {
        let steps = a.abs_diff(b);
        steps.min(nodes - steps) > 1
    };
    let pairs = (0..nodes).flat_map(|a| (0..nodes).map(move |b| (a, b)));
    pairs.filter(|(a, b)| apart(*a, *b)).map(|(a, b)| (order[a], order[b])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_shapes_cut_what_they_say() {
        assert_eq!(Shape::OneWayOut.links(1, 3, None, 0), [(1, 0), (1, 2)]);
        assert_eq!(Shape::OneWayIn.links(0, 3, None, 0), [(1, 0), (2, 0)]);
        assert_eq!(Shape::Isolate.links(2, 3, None, 0).len(), 4);
        assert_eq!(Shape::Clients.links(2, 3, None, 0), []);
        assert_eq!(Shape::Minority.links(2, 3, None, 0), [(2, 0), (0, 2), (2, 1), (1, 2)]);
    }

    #[test]
    fn sides_have_the_size_that_they_should_and_links_go_both_ways() {
        for nodes in 2..12usize {
            for draw in 0..20 {
                let halves = Shape::Halves.links(0, nodes, None, draw);
                assert_eq!(halves.len(), 2 * (nodes / 2) * nodes.div_ceil(2), "{nodes} nodes");
                for shape in [Shape::Halves, Shape::Minority, Shape::Ring, Shape::Bridge] {
                    let links = shape.links(1, nodes, Some(0), draw);
                    assert!(links.iter().all(|(a, b)| a != b && links.contains(&(*b, *a))), "{shape:?} of {nodes}");
                }
                let minority = Shape::Minority.links(1, nodes, Some(0), draw);
                assert!(minority.iter().filter(|(a, _)| *a == 0).count() <= nodes / 2);
            }
        }
    }

    #[test]
    fn in_a_ring_everyone_reaches_two_and_a_bridge_reaches_all() {
        for draw in 0..20 {
            let ring = Shape::Ring.links(3, 7, None, draw);
            for node in 0..7 {
                assert_eq!(ring.iter().filter(|(from, _)| *from == node).count(), 4);
            }
            let bridge = Shape::Bridge.links(3, 7, None, draw);
            assert!(bridge.iter().all(|(a, b)| *a != 3 && *b != 3));
            assert_eq!(bridge.len(), 2 * 3 * 3);
        }
        assert_eq!(Shape::Ring.links(0, 3, None, 1), []);
        assert_eq!(Shape::Bridge.links(0, 2, None, 1), []);
    }
}
