//! Writes to the leaders of slots: gathered, one batch at a time for each slot, repeated until applied or given up.

use super::Session;
use crate::registry::bugs::Bug;
use crate::registry::entry::Entry;
use crate::registry::message::{Answer, ConnectionId, Message, Out, Timer};
use history::{MILLI, OpId};
use simulation::Now;
use std::sync::Arc;

type Wait = Option<(ConnectionId, OpId)>;

/// A batch under way.
#[derive(Clone, Debug)]
struct Batch {
    id: u64,
    entries: Arc<[Entry]>,
    waits: Vec<Wait>,
    attempts: u32,
    /// Epoch of the slot at the last attempt.
    epoch: u64,
}

/// Writes to one slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    /// What waits to be written, and who waits for it.
    queue: Vec<Entry>,
    waits: Vec<Wait>,
    armed: bool,
    under_way: Option<Batch>,
}

impl Writer {
    /// How many changes data has not acknowledged.
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.under_way.as_ref().map_or(0, |batch| batch.entries.len())
    }

    /// True if nothing waits for a second attempt.
    pub fn is_calm(&self) -> bool {
        self.under_way.as_ref().is_none_or(|batch| batch.attempts <= 1)
    }
}

impl Session {
    pub(super) fn enqueue(&mut self, entry: Entry, wait: Wait, out: &mut Out) {
        if let Some(key) = wait {
            *self.waits.entry(key).or_insert(0) += 1;
        }
        let slot = self.slot_of(entry.data);
        let writer = &mut self.writers[slot as usize];
        writer.queue.push(entry);
        writer.waits.push(wait);
        if !writer.armed && writer.under_way.is_none() {
            writer.armed = true;
            out.timer(self.config.write_batch_ms * MILLI, Timer::Flush(slot));
        }
    }

    pub(super) fn flush_due(&mut self, now: Now, slot: u32, out: &mut Out) {
        self.writers[slot as usize].armed = false;
        self.flush(now, slot, out);
    }

    fn flush(&mut self, now: Now, slot: u32, out: &mut Out) {
        let writer = &mut self.writers[slot as usize];
        if writer.under_way.is_some() || writer.queue.is_empty() {
            return;
        }
        let (entries, waits) = (writer.queue.drain(..).collect(), std::mem::take(&mut writer.waits));
        writer.under_way = Some(Batch { id: 0, entries, waits, attempts: 0, epoch: 0 });
        self.resend(now, slot, out);
    }

    /// Sends the batch under way, (again).
    pub(super) fn resend(&mut self, _now: Now, slot: u32, out: &mut Out) {
        let id = self.next_number();
        let leader = self.leader_of(slot);
        let epoch = self.member.cluster.slots[slot as usize].epoch;
        let Some(batch) = &mut self.writers[slot as usize].under_way else { return };
        batch.id = id;
        batch.attempts += 1;
        if batch.attempts > 1 {
            out.reached(if epoch > batch.epoch { "write-retried-after-a-new-epoch" } else { "write-retried" });
        }
        batch.epoch = epoch;
        let wait = match leader {
            Some(leader) => {
                let (version, incarnation) = (self.member.cluster.version, self.member.incarnation);
                out.send(leader, Message::Write(id, slot, version, incarnation, batch.entries.clone()));
                self.config.write_timeout_ms
            }
            None => self.config.write_retry_ms,
        };
        out.timer(wait * MILLI, Timer::Write(slot, id));
    }

    pub(super) fn write_overdue(&mut self, now: Now, slot: u32, id: u64, out: &mut Out) {
        let attempts_max = self.config.write_attempts;
        let writer = &mut self.writers[slot as usize];
        let Some(batch) = writer.under_way.as_ref().filter(|batch| batch.id == id) else { return };
        if self.bug == Some(Bug::LostUnpublish) && batch.entries.iter().all(|entry| !entry.is_live()) {
            return self.written(now, slot, out);
        }
        if batch.attempts < attempts_max {
            self.resend(now, slot, out);
            return;
        }
        out.reached("write-given-up");
        // Given up: the operations stay unanswered, the digest sync carries what is held.
        if let Some(batch) = writer.under_way.take() {
            for key in batch.waits.into_iter().flatten() {
                self.waits.remove(&key);
            }
        }
        self.flush(now, slot, out);
    }

    pub(super) fn on_written(&mut self, now: Now, id: u64, slot: u32, applied: bool, out: &mut Out) {
        let writer = &mut self.writers[slot as usize];
        let any = self.bug == Some(Bug::AnswerWithoutId);
        if writer.under_way.as_ref().is_none_or(|batch| batch.id != id && !any) {
            return;
        }
        if !applied && self.bug != Some(Bug::WriteBurnsOut) {
            out.timer(self.config.write_retry_ms * MILLI, Timer::Write(slot, id));
            return;
        }
        self.written(now, slot, out);
    }

    /// The batch under way is done: whoever waits for it is told.
    fn written(&mut self, now: Now, slot: u32, out: &mut Out) {
        let Some(batch) = self.writers[slot as usize].under_way.take() else { return };
        for entry in batch.entries.iter() {
            if let Some(held) = self.store.get(entry.data, entry.publisher)
                && held.entry.order() == entry.order()
            {
                held.acked = true;
            }
        }
        for key in batch.waits.into_iter().flatten() {
            let Some(left) = self.waits.get_mut(&key) else { continue };
            *left -= 1;
            if *left == 0 {
                self.waits.remove(&key);
                self.reply(key.0, key.1, Answer::Ok(None), out);
            }
        }
        self.flush(now, slot, out);
    }
}
