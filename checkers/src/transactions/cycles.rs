//! Which kinds of cycles a dependency graph has, and a short one of each kind for people.
//!
//! That a kind exists is decided by strongly connected components of the part of the graph that the kind is made of, so nothing
//! is missed: only G-single needs searches, which are bounded and said to be undecided if they reach their bound. As in Elle a
//! component of the whole graph counts once for each kind, and not for kinds that one found in it is a special case of.

use super::components::{Components, NONE, components};
use super::graph::{Graph, PROCESS, RW, Steps, View, WR, WW, WW_PERHAPS};
use super::paths::{Paths, Walk};
use crate::linearizability::{GaveUp, Limits};

/// Steps of the searches for G-single in all.
const SINGLE_STEPS_MAX: u64 = 400_000_000;
/// Edges of a component that a short cycle is looked for through.
const TRIES: usize = 48;

/// Kinds by what they are made of, in the order in which they are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    G0,
    G1c,
    Single,
    Nonadjacent,
    G2,
}

const KINDS: [Kind; 5] = [Kind::G0, Kind::G1c, Kind::Single, Kind::Nonadjacent, Kind::G2];

const NAMES: [[&str; 3]; 5] = [
    ["G0", "G0-process", "G0-realtime"],
    ["G1c", "G1c-process", "G1c-realtime"],
    ["G-single-item", "G-single-item-process", "G-single-item-realtime"],
    ["G-nonadjacent-item", "G-nonadjacent-item-process", "G-nonadjacent-item-realtime"],
    ["G2-item", "G2-item-process", "G2-item-realtime"],
];

impl Kind {
    /// A more special kind, at least as bad.
    fn special_cases(self) -> &'static [Kind] {
        match self {
            Kind::G0 => &[Kind::G0],
            Kind::G1c => &[Kind::G0, Kind::G1c],
            Kind::Single => &[Kind::Single],
            Kind::Nonadjacent => &[Kind::Single, Kind::Nonadjacent],
            Kind::G2 => &[Kind::Single, Kind::Nonadjacent, Kind::G2],
        }
    }

    fn mask(self) -> u8 {
        match self {
            Kind::G0 => WW,
            Kind::G1c => WW | WW_PERHAPS | WR,
            _ => WW | WW_PERHAPS | WR | RW,
        }
    }

    fn steps(self) -> Steps {
        if matches!(self, Kind::Single | Kind::Nonadjacent) { Steps::Apart } else { Steps::Any }
    }

    /// The edges that each cycle of this kind has, where no more special kind is there.
    fn through(self) -> u8 {
        match self {
            Kind::G0 => WW,
            Kind::G1c => WR | WW_PERHAPS,
            _ => RW,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The kind of each cycle, and the cycle: each transaction with the kind of its edge to the next.
    pub(super) cycles: Vec<(&'static str, Walk)>,
    /// Anomalies of which nothing is known.
    pub(super) undecided: Vec<&'static str>,
    /// Why not everything was searched.
    pub(super) gave_up: Option<GaveUp>,
    /// The kind that was looked for last.
    pub(super) at: &'static str,
}

struct Search<'g, 'l> {
    graph: &'g Graph,
    limits: &'l Limits<'l>,
    /// Components of the whole graph in which cycles are looked for.
    top: Components,
    /// Kinds found in each: bit `3 * kind + variant`.
    kinds: Vec<u16>,
    paths: Paths,
    found: Found,
    steps_left: u64,
}

/// All kinds of cycles of a graph.
pub(super) fn find(graph: &Graph, limits: &Limits<'_>) -> Found {
    let whole = View { graph, mask: 0xff, realtime: true, steps: Steps::Any, within: None };
    let top = match components(&whole, 0..graph.len() as u32, limits) {
        Ok(top) => top,
        Err(gave_up) => return Found { gave_up: Some(gave_up), at: NAMES[0][0], ..Found::default() },
    };
    find_in(graph, top, limits)
}

/// All kinds of cycles of some components of a graph.
pub(super) fn find_in(graph: &Graph, top: Components, limits: &Limits<'_>) -> Found {
    if top.members.is_empty() {
        return Found::default();
    }
    let kinds = vec![0; top.members.len()];
    let (paths, found) = (Paths::new(graph.len()), Found::default());
    let mut search = Search { graph, limits, top, kinds, paths, found, steps_left: SINGLE_STEPS_MAX };
    if let Err(gave_up) = search.all() {
        search.found.gave_up = Some(gave_up);
    }
    search.found
}

impl Search<'_, '_> {
    fn all(&mut self) -> Result<(), GaveUp> {
        for variant in 0..3 {
            for kind in KINDS {
                self.kind(kind, variant)?;
            }
            if variant == 0 {
                self.prefix()?;
            }
        }
        Ok(())
    }

    fn has(&self, top: u32, kinds: &[Kind], variant: usize) -> bool {
        let found = self.kinds[top as usize];
        kinds.iter().any(|kind| (0..=variant).any(|v| found & (1 << (3 * *kind as usize + v)) != 0))
    }

    fn kind(&mut self, kind: Kind, variant: usize) -> Result<(), GaveUp> {
        self.found.at = NAMES[kind as usize][variant];
        let roots = self.roots(|search, top| !search.has(top, kind.special_cases(), variant));
        let within = std::mem::take(&mut self.top.of);
        let done = self.parts(kind, variant, &roots, &within);
        self.top.of = within;
        done
    }

    /// Transactions of those components that fulfil a condition.
    fn roots(&self, wanted: impl Fn(&Self, u32) -> bool) -> Vec<u32> {
        let tops = (0..self.top.members.len() as u32).filter(|top| wanted(self, *top));
        let txns = tops.flat_map(|top| self.top.members[top as usize].iter().copied());
        txns.filter(|node| *node < self.graph.len() as u32).collect()
    }

    fn parts(&mut self, kind: Kind, variant: usize, roots: &[u32], within: &[u32]) -> Result<(), GaveUp> {
        if roots.is_empty() {
            return Ok(());
        }
        let mask = kind.mask() | if variant == 1 { PROCESS } else { 0 };
        let graph = self.graph;
        let view = View { graph, mask, realtime: variant == 2, steps: kind.steps(), within: Some(within) };
        let parts = components(&view, roots.iter().map(|txn| view.node(*txn)), self.limits)?;
        for part in 0..parts.members.len() as u32 {
            let Some(first) = view.txn(parts.members[part as usize][0]) else { continue };
            let top = within[first as usize];
            if top == NONE || self.has(top, kind.special_cases(), variant) {
                continue;
            }
            let walk = if kind == Kind::Single {
                self.single(&view, &parts, part)?
            } else {
                self.shortest(&view, &parts, part, kind.through())?
            };
            // With reads or writes in circles there may be no cycle of this kind, or only one that was not found.
            let certain = !matches!(kind, Kind::Single) && !self.has(top, &[Kind::G0, Kind::G1c], variant);
            match walk.as_ref().and_then(classify) {
                Some((found, v)) if certain || found == kind => self.book(top, found, v, walk),
                None if certain => self.book(top, kind, variant, None),
                _ => {}
            }
        }
        Ok(())
    }

    fn book(&mut self, top: u32, kind: Kind, variant: usize, walk: Option<Walk>) {
        let bit = 1 << (3 * kind as usize + variant);
        if self.kinds[top as usize] & bit == 0 {
            self.kinds[top as usize] |= bit;
            self.found.cycles.push((NAMES[kind as usize][variant], walk.unwrap_or_default()));
        }
    }

    /// A short cycle through one of some edges.
    fn shortest(
        &mut self,
        view: &View<'_>,
        parts: &Components,
        part: u32,
        through: u8,
    ) -> Result<Option<Walk>, GaveUp> {
        let mut best: Option<Walk> = None;
        self.paths.enter(view, parts, part);
        for (from, to, kind) in candidates(view, parts, part, through).take(TRIES) {
            let walk = self.paths.closing(view, parts, part, (from, to, kind), self.limits)?;
            if let Some(walk) = walk.map(simple)
                && best.as_ref().is_none_or(|best| walk.len() < best.len())
            {
                let least = walk.len() == 2;
                best = Some(walk);
                if least {
                    break;
                }
            }
        }
        Ok(best)
    }

    /// A cycle with one anti-dependency: an edge whose end leads back to its beginning without another.
    fn single(&mut self, view: &View<'_>, parts: &Components, part: u32) -> Result<Option<Walk>, GaveUp> {
        let straight = View { mask: view.mask & !RW, steps: Steps::Any, ..*view };
        self.paths.enter(view, parts, part);
        let mut best: Option<Walk> = None;
        for (tried, edge) in candidates(view, parts, part, RW).enumerate() {
            if best.is_some() && tried >= TRIES {
                break;
            }
            let before = self.paths.steps;
            let walk = self.paths.straight(&straight, view, parts, part, edge, self.limits)?;
            self.steps_left = self.steps_left.saturating_sub(self.paths.steps - before);
            if let Some(walk) = walk
                && best.as_ref().is_none_or(|best| walk.len() < best.len())
            {
                best = Some(walk);
            }
            if best.as_ref().is_some_and(|best| best.len() == 2) {
                break;
            }
            if self.steps_left == 0 {
                self.found.undecided.push(NAMES[Kind::Single as usize][0]);
                break;
            }
        }
        Ok(best)
    }

    /// Cycles that prefix consistency forbids are among those that snapshot isolation forbids.
    fn prefix(&mut self) -> Result<(), GaveUp> {
        let roots = self.roots(|search, top| search.has(top, &[Kind::Single, Kind::Nonadjacent], 0));
        if roots.is_empty() {
            return Ok(());
        }
        let within = std::mem::take(&mut self.top.of);
        let (graph, mask) = (self.graph, Kind::G2.mask());
        let view = View { graph, mask, realtime: false, steps: Steps::AfterReads, within: Some(&within) };
        let done = components(&view, roots.iter().map(|txn| view.node(*txn)), self.limits).and_then(|parts| {
            for part in 0..parts.members.len() as u32 {
                if let Some(walk) = self.shortest(&view, &parts, part, WR)? {
                    self.found.cycles.push(("prefix-cycle", walk));
                    break;
                }
            }
            Ok(())
        });
        self.top.of = within;
        done
    }
}

/// Edges of some kinds between nodes of one part: transactions, and the kind.
fn candidates<'v>(
    view: &'v View<'_>,
    parts: &'v Components,
    part: u32,
    through: u8,
) -> impl Iterator<Item = (u32, u32, u8)> + 'v {
    let mut last = NONE;
    let members = parts.members[part as usize].iter().filter_map(|node| view.txn(*node));
    let txns = members.filter(move |txn| std::mem::replace(&mut last, *txn) != *txn);
    txns.flat_map(move |from| {
        let edges = view.graph.out(from).filter(move |(_, kind)| kind & through != 0);
        edges.filter_map(move |(to, kind)| inside(view, parts, part, from, to, kind).then_some((from, to, kind)))
    })
}

/// True if an edge leads from a node of the part to one of it.
fn inside(view: &View<'_>, parts: &Components, part: u32, from: u32, to: u32, kind: u8) -> bool {
    let states = if view.steps == Steps::Any { 0..1 } else { 0..2 };
    let within = |node: u32| parts.of[node as usize] == part;
    states.into_iter().any(|state| {
        let next = view.step(state, kind);
        within(view.node(from) + state) && next.is_some_and(|next| within(view.node(to) + next))
    })
}

/// A closed walk that comes to a transaction twice has a shorter one in it that is of its kind, too.
fn simple(mut walk: Walk) -> Walk {
    'again: loop {
        for i in 0..walk.len() {
            for j in i + 1..walk.len() {
                if walk[i].0 != walk[j].0 {
                    continue;
                }
                // Of the two parts take the one that meets itself without two anti-dependencies in a row.
                let inner = walk[i..j].to_vec();
                let joint = inner.last().map(|step| step.1) == Some(RW) && inner[0].1 == RW;
                walk = if joint { walk[j..].iter().chain(&walk[..i]).copied().collect() } else { inner };
                continue 'again;
            }
        }
        return walk;
    }
}

/// The kind and the variant of a cycle by its edges.
fn classify(walk: &Walk) -> Option<(Kind, usize)> {
    if walk.len() < 2 {
        return None;
    }
    let count = |kinds: u8| walk.iter().filter(|(_, kind)| kind & kinds != 0).count();
    let rw = count(RW);
    let adjacent = (0..walk.len()).any(|i| walk[i].1 == RW && walk[(i + 1) % walk.len()].1 == RW);
    let kind = match rw {
        0 if count(WR | WW_PERHAPS) > 0 => Kind::G1c,
        0 => Kind::G0,
        1 => Kind::Single,
        _ if adjacent => Kind::G2,
        _ => Kind::Nonadjacent,
    };
    let variant = if count(super::paths::REALTIME) > 0 { 2 } else { usize::from(count(PROCESS) > 0) };
    Some((kind, variant))
}
