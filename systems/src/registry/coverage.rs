//! Interesting states that no node sees alone: what else was going on when a fault began, and what happened while it lasted.

use super::faults::Active;
use super::slot::Phase;
use super::world::RegistryWorld;
use history::FaultKind;
use simulation::NodeId;

impl RegistryWorld {
    fn note(&mut self, name: &'static str) {
        *self.noted.entry(name).or_insert(0) += 1;
    }

    /// Slots that began to move so far.
    pub(super) fn migrations(&self) -> u64 {
        let reached = self.kernel.reached();
        ["follower-promoted", "leader-in-a-new-epoch", "cold-leader"]
            .into_iter()
            .filter_map(|name| reached.get(name))
            .sum()
    }

    fn migrates(&self, node: NodeId) -> bool {
        let slots = self.kernel.machine(node).data().map(|data| &data.slots);
        let migrating = |phase: &Phase| matches!(phase, Phase::Releasing(_) | Phase::Syncing);
        slots.is_some_and(|slots| slots.iter().any(|slot| migrating(&slot.phase)))
    }

    pub(super) fn note_begin(&mut self, active: &Active) {
        if self.ids.all_data().any(|node| self.kernel.is_up(node) && self.migrates(node)) {
            self.note("fault-begins-during-migration");
        }
        let kills = active.event.kind == FaultKind::Kill;
        if kills && self.migrates(active.target) {
            self.note("leader-lost-while-migrating");
        }
        let others_down = self.ids.all_data().all(|node| node == active.target || !self.kernel.is_up(node));
        if kills && self.ids.is_data(active.target) && others_down {
            self.note("no-data-node-left");
        }
        if kills && self.meta_leader() == Some(active.target) {
            self.note("meta-leader-killed");
        }
        if self.faults.values().any(|other| other.target == active.target) {
            self.note("two-faults-on-one-node");
        }
    }

    pub(super) fn note_end(&mut self, active: &Active) {
        let migrated = self.migrations() > active.migrations;
        match active.event.kind {
            FaultKind::Kill if migrated => self.note("migration-during-outage"),
            FaultKind::Slow | FaultKind::HalfDead if migrated => self.note("migration-past-a-sick-node"),
            _ => {}
        }
    }
}
