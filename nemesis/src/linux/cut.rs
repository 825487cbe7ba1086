//! Cuts: directed links that drop every frame, counted.
//!
//! All cuts live in one nft set of the bridge's namespace, whose elements are (source, destination) with a counter each.
//! Cuts may overlap: a link is whole again when the last cut that names it is lifted, and each cut counts from its own
//! beginning.

use super::command::NFT;
use super::{LabError, Namespace};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The table that the bridge's namespace starts with.
pub(crate) const RULES: &str = "table bridge upheaval {
    set cuts { type ipv4_addr . ipv4_addr; counter; }
    chain forward { type filter hook forward priority 0; policy accept; ip saddr . ip daddr @cuts drop; }
}
";

/// A directed link by address.
type Link = (Ipv4Addr, Ipv4Addr);

/// Frames that a cut dropped on one directed link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDrops {
    /// Host that sent.
    pub from: String,
    /// Host that should have received.
    pub to: String,
    /// How many.
    pub frames: u64,
}

/// Counted frames by link.
type Counts = BTreeMap<Link, u64>;

/// The cuts of one bridge.
#[derive(Debug)]
pub(crate) struct Switch {
    bridge: Namespace,
    cuts: Mutex<Cuts>,
}

#[derive(Debug, Default)]
struct Cuts {
    next: u64,
    known: BTreeMap<u64, Known>,
}

/// One cut that its owner still holds.
#[derive(Debug)]
struct Known {
    /// What the counters said when it began.
    baseline: Counts,
    /// Once it is lifted: what it dropped in the end.
    dropped: Option<Counts>,
}

impl Switch {
    /// The bridge's table must have been loaded: see [`RULES`].
    pub fn new(bridge: Namespace) -> Arc<Switch> {
        Arc::new(Switch { bridge, cuts: Mutex::default() })
    }

    fn cuts(&self) -> MutexGuard<'_, Cuts> {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts links, given with the names of their ends.
    pub fn cut(self: &Arc<Switch>, links: Vec<(String, String, Link)>) -> Result<Cut, LabError> {
        let mut cuts = self.cuts();
        let mut baseline: Counts = links.iter().map(|(_, _, link)| (*link, 0)).collect();
        let fresh: Vec<Link> = baseline.keys().filter(|link| !cuts.holds(link)).copied().collect();
        if fresh.len() < baseline.len() {
            let now = self.count()?;
            baseline.iter_mut().for_each(|(link, count)| *count = now.get(link).copied().unwrap_or(0));
        }
        self.change("add", &fresh)?;
        let id = cuts.next;
        cuts.next += 1;
        cuts.known.insert(id, Known { baseline, dropped: None });
        Ok(Cut { switch: self.clone(), id, links })
    }

    /// Lifts a cut, if it is not lifted yet; links that others cut too stay cut.
    fn lift(&self, id: u64) -> Result<(), LabError> {
        let mut cuts = self.cuts();
        let Some(dropped) = cuts.dropped(id, || self.count())? else { return Ok(()) };
        let links: Vec<Link> = dropped.keys().copied().collect();
        let known = cuts.known.get_mut(&id).map(|known| known.dropped.replace(dropped));
        assert_eq!(known, Some(None), "cut {id} was active");
        let free: Vec<Link> = links.into_iter().filter(|link| !cuts.holds(link)).collect();
        self.change("delete", &free).inspect_err(|_| {
            // It is still in force: a later attempt must not take it for lifted.
            cuts.known.entry(id).and_modify(|known| known.dropped = None);
        })
    }

    /// Lifts all cuts at once.
    pub fn heal_all(&self) -> Result<(), LabError> {
        let mut cuts = self.cuts();
        let now = self.count()?;
        NFT.run(Some(&self.bridge), &["flush", "set", "bridge", "upheaval", "cuts"], "")?;
        for known in cuts.known.values_mut().filter(|known| known.dropped.is_none()) {
            known.dropped = Some(known.since(&now));
        }
        Ok(())
    }

    /// What a cut dropped so far, or until it was lifted.
    fn dropped(&self, id: u64) -> Result<Counts, LabError> {
        let cuts = self.cuts();
        match cuts.dropped(id, || self.count())? {
            Some(so_far) => Ok(so_far),
            None => Ok(cuts.known.get(&id).and_then(|known| known.dropped.clone()).unwrap_or_default()),
        }
    }

    fn change(&self, verb: &str, links: &[Link]) -> Result<(), LabError> {
        if links.is_empty() {
            return Ok(());
        }
        let mut line = format!("{verb} element bridge upheaval cuts {{ ");
        for (from, to) in links {
            let _ = write!(line, "{from} . {to}, ");
        }
        line.push_str("}\n");
        NFT.run(Some(&self.bridge), &["-f", "-"], &line).map(drop)
    }

    fn count(&self) -> Result<Counts, LabError> {
        let text = NFT.run(Some(&self.bridge), &["-j", "list", "set", "bridge", "upheaval", "cuts"], "")?;
        parse_counts(&text).ok_or_else(|| LabError::Command {
            command: "nft -j list set bridge upheaval cuts".into(),
            status: "success".into(),
            stderr: format!("an answer that is not understood: {text}"),
        })
    }
}

impl Cuts {
    /// Whether a cut in force names this link.
    fn holds(&self, link: &Link) -> bool {
        self.known.values().any(|known| known.dropped.is_none() && known.baseline.contains_key(link))
    }

    /// What a cut in force dropped so far; none if it is lifted.
    fn dropped(&self, id: u64, count: impl Fn() -> Result<Counts, LabError>) -> Result<Option<Counts>, LabError> {
        match self.known.get(&id) {
            Some(known) if known.dropped.is_none() => Ok(Some(known.since(&count()?))),
            _ => Ok(None),
        }
    }
}

impl Known {
    fn since(&self, now: &Counts) -> Counts {
        let frames = |link: &Link, before: u64| now.get(link).copied().unwrap_or(before).saturating_sub(before);
        self.baseline.iter().map(|(link, before)| (*link, frames(link, *before))).collect()
    }
}

/// Directed links that are cut. Lifted by [`Cut::lift`], by dropping it, or with all others by `Lab::heal_all`.
#[derive(Debug)]
pub struct Cut {
    switch: Arc<Switch>,
    id: u64,
    links: Vec<(String, String, Link)>,
}

impl Cut {
    /// Lifts the cut; others are not touched. It still answers what it dropped. Lifting again does nothing.
    pub fn lift(&mut self) -> Result<(), LabError> {
        self.switch.lift(self.id)
    }

    /// How many frames it dropped since it began: the measured effect.
    pub fn dropped(&self) -> Result<u64, LabError> {
        Ok(self.switch.dropped(self.id)?.values().sum())
    }

    /// The same for each directed link.
    pub fn dropped_by_link(&self) -> Result<Vec<LinkDrops>, LabError> {
        let counts = self.switch.dropped(self.id)?;
        let drops = |(from, to, link): &(String, String, Link)| {
            let frames = counts.get(link).copied().unwrap_or(0);
            LinkDrops { from: from.clone(), to: to.clone(), frames }
        };
        Ok(self.links.iter().map(drops).collect())
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if let Err(error) = self.switch.lift(self.id) {
            tracing::warn!(%error, "a cut could not be lifted; it goes with its namespace");
        }
        self.switch.cuts().known.remove(&self.id);
    }
}

/// Reads what `nft -j list set` answers.
fn parse_counts(text: &str) -> Option<Counts> {
    let answer: serde_json::Value = serde_json::from_str(text).ok()?;
    let set = answer.get("nftables")?.as_array()?.iter().find_map(|item| item.get("set"))?;
    let Some(elements) = set.get("elem") else { return Some(Counts::new()) };
    elements.as_array()?.iter().map(parse_element).collect()
}

fn parse_element(element: &serde_json::Value) -> Option<(Link, u64)> {
    let element = element.get("elem")?;
    let ends = element.get("val")?.get("concat")?.as_array()?;
    let address = |end: &serde_json::Value| end.as_str()?.parse::<Ipv4Addr>().ok();
    let [from, to] = ends.as_slice() else { return None };
    let frames = element.get("counter")?.get("packets")?.as_u64()?;
    Some(((address(from)?, address(to)?), frames))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn counts_are_read() {
        let text = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"set": {"name": "cuts", "elem":
            [{"elem": {"val": {"concat": ["10.86.0.1", "10.86.0.2"]}, "counter": {"packets": 3, "bytes": 87}}}]}}]}"#;
        let link = (Ipv4Addr::new(10, 86, 0, 1), Ipv4Addr::new(10, 86, 0, 2));
        assert_eq!(parse_counts(text), Some(Counts::from([(link, 3)])));
        let empty = r#"{"nftables": [{"metainfo": {}}, {"set": {"name": "cuts"}}]}"#;
        assert_eq!(parse_counts(empty), Some(Counts::new()));
    }

    #[test]
    fn what_is_not_understood_is_no_count() {
        let odd = r#"{"nftables": [{"set": {"elem": [{"elem": {"val": {"concat": ["10.86.0.1", "10.86.0.2"]}}}]}}]}"#;
        for text in ["", "{}", r#"{"nftables": []}"#, odd] {
            assert_eq!(parse_counts(text), None, "{text}");
        }
    }
}
