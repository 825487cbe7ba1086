//! Why one transaction on registers precedes another, in words.

use super::super::graph::{RW, WR};
use super::super::words::Pair;
use super::Registers;

impl Registers<'_, '_> {
    /// The reason of an edge, in a sentence.
    pub(in super::super) fn reason(&self, pair: &Pair<'_>, kind: u8) -> Option<String> {
        let (from, to) = (pair.from_name, pair.to_name);
        let (mine, theirs) = (self.touched(pair.from), self.touched(pair.to));
        for (key, saw, wrote) in mine {
            let Some((_, others_saw, others_wrote)) = theirs.iter().find(|(other, ..)| other == key) else { continue };
            match kind {
                WR => {
                    let read = others_saw.filter(|version| self.writer[*version as usize] == pair.from);
                    if let Some(version) = read {
                        let (key, value) = self.named(version);
                        return Some(format!("{from} wrote {value} to key {key}, and {to} read it"));
                    }
                }
                RW => {
                    if let (Some(saw), Some(wrote)) = (saw, others_wrote)
                        && self.precedes(*saw, *wrote)
                    {
                        let ((key, value), (_, next)) = (self.named(*saw), self.named(*wrote));
                        return Some(format!(
                            "{from} read key {key} as {value}, and {to} wrote {next} to it, which came later"
                        ));
                    }
                }
                _ => {
                    if let (Some(wrote), Some(next)) = (wrote, others_wrote)
                        && self.precedes(*wrote, *next)
                    {
                        let ((key, value), (_, next)) = (self.named(*wrote), self.named(*next));
                        return Some(format!(
                            "{from} wrote {value} to key {key}, and {to} wrote {next}, which came later"
                        ));
                    }
                }
            }
        }
        None
    }
}
