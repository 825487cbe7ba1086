//! A registry: registrations under keys, pushed as a whole to whoever subscribed. Everything is on disk.

use super::Out;
use super::message::{Registration, Say};
use simulation::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// A registry of interfaces or of applications.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    registrations: BTreeSet<Registration>,
    subscribers: BTreeMap<u32, BTreeSet<NodeId>>,
    versions: BTreeMap<u32, u64>,
}

impl Registry {
    /// True if nobody is registered and nobody subscribes.
    pub fn is_empty(&self) -> bool {
        self.registrations.is_empty() && self.subscribers.values().all(BTreeSet::is_empty)
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Publish(registration) => {
                if self.registrations.insert(registration) {
                    self.changed(registration.key, out);
                }
                out.send(from, Say::Published(registration));
            }
            Say::Unpublish(registration) => {
                if self.registrations.remove(&registration) {
                    self.changed(registration.key, out);
                }
                out.send(from, Say::Unpublished(registration));
            }
            Say::Subscribe { key, number } => {
                self.subscribers.entry(key).or_default().insert(from);
                out.send(from, self.push(key, number));
            }
            Say::Unsubscribe { key } => {
                self.subscribers.entry(key).or_default().remove(&from);
            }
            _ => {}
        }
    }

    fn push(&self, key: u32, number: u64) -> Say {
        let of_key = self.registrations.iter().filter(|registration| registration.key == key);
        let version = self.versions.get(&key).copied().unwrap_or(0);
        Say::Push { key, version, number, providers: of_key.map(|registration| registration.provider).collect() }
    }

    fn changed(&mut self, key: u32, out: &mut Out) {
        *self.versions.entry(key).or_insert(0) += 1;
        let push = self.push(key, 0);
        for subscriber in self.subscribers.get(&key).into_iter().flatten() {
            out.send(*subscriber, push.clone());
        }
    }
}
