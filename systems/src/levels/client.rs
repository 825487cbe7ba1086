//! Clients: providers, which are registered, and consumers, which look for providers of one interface.

use super::message::{Registration, Say};
use super::{APPLICATIONS, CONTROLLER, CONVERTER, INTERFACES, LevelsConfig, Out, fact, note, offered, offering};
use simulation::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far a client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// At interface level.
    Interfaces,
    /// At application level too, or already alone.
    Moving,
    /// It has told the controller.
    Moved,
    /// Nothing of it is left at interface level.
    Alone,
}

/// A client.
#[derive(Clone, Debug)]
pub enum Client {
    /// Of one application.
    Provider(Provider),
    /// Of one interface.
    Consumer(Consumer),
}

impl Client {
    /// Looks what is to be done.
    pub fn tick(&mut self, out: &mut Out) {
        match self {
            Client::Provider(provider) => provider.tick(out),
            Client::Consumer(consumer) => consumer.tick(out),
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match self {
            Client::Provider(provider) => provider.hear(from, &message, out),
            Client::Consumer(consumer) => consumer.hear(from, message, out),
        }
    }
}

/// A provider: registered from the beginning to the end, at one level or both.
#[derive(Clone, Debug)]
pub struct Provider {
    id: NodeId,
    number: u32,
    config: Arc<LevelsConfig>,
    stage: Stage,
    converted: bool,
    /// What each registry has acknowledged.
    made: BTreeSet<(NodeId, Registration)>,
}

impl Provider {
    /// The provider of this number.
    pub fn new(id: NodeId, number: u32, config: Arc<LevelsConfig>) -> Provider {
        Provider { id, number, config, stage: Stage::Interfaces, converted: false, made: BTreeSet::new() }
    }

    fn application(&self) -> u32 {
        self.number % self.config.applications
    }

    fn registration(&self, key: u32) -> Registration {
        Registration { key, provider: self.number, converted: false }
    }

    /// What it wants to be registered now.
    fn wanted(&self) -> BTreeSet<(NodeId, Registration)> {
        let old = offered(self.application()).map(|key| (INTERFACES, self.registration(key)));
        let new = (APPLICATIONS, self.registration(self.application()));
        match self.stage {
            Stage::Interfaces => BTreeSet::from(old),
            Stage::Alone => BTreeSet::from([new]),
            // It leaves nothing before it has arrived, nor before the converter stands in for it.
            Stage::Moving => old.into_iter().chain([new]).collect(),
            Stage::Moved if self.config.double_publish => old.into_iter().chain([new]).collect(),
            Stage::Moved => BTreeSet::from([new]),
        }
    }

    fn tick(&mut self, out: &mut Out) {
        let wanted = self.wanted();
        for (registry, one) in wanted.difference(&self.made) {
            out.send(*registry, Say::Publish(*one));
        }
        for (registry, one) in self.made.difference(&wanted) {
            out.send(*registry, Say::Unpublish(*one));
        }
        if self.stage == Stage::Moving && wanted.is_subset(&self.made) {
            if self.config.convert && !self.converted {
                out.send(CONVERTER, Say::IsConverted { provider: self.number });
            } else {
                self.stage = Stage::Moved;
                note(out, self.id, "has moved to application level");
            }
        }
        if self.stage >= Stage::Moved {
            out.send(CONTROLLER, Say::Moved);
        }
    }

    fn hear(&mut self, from: NodeId, message: &Say, out: &mut Out) {
        match message {
            Say::Move if self.stage == Stage::Interfaces => {
                self.stage = Stage::Moving;
                note(out, self.id, "begins to move to application level");
            }
            Say::Published(one) => _ = self.made.insert((from, *one)),
            Say::Unpublished(one) => _ = self.made.remove(&(from, *one)),
            Say::Converted => self.converted = true,
            Say::GiveUp => {
                self.stage = Stage::Alone;
                if self.wanted() == self.made {
                    out.send(from, Say::GivenUp);
                }
            }
            _ => {}
        }
    }
}

/// What a registry pushed last under a key.
#[derive(Clone, Debug, Default)]
struct Pushed {
    version: u64,
    /// The latest of its own requests that a push answered.
    number: u64,
    providers: BTreeSet<u32>,
}

/// A consumer: calls the providers of one interface.
#[derive(Clone, Debug)]
pub struct Consumer {
    id: NodeId,
    interface: u32,
    config: Arc<LevelsConfig>,
    stage: Stage,
    pushed: BTreeMap<(NodeId, u32), Pushed>,
    /// Numbers its requests.
    asked: u64,
    /// What it asked for after it was told to give up interface level.
    fresh: Option<u64>,
    known: BTreeSet<u32>,
    begun: bool,
}

impl Consumer {
    /// A consumer of this interface.
    pub fn new(id: NodeId, interface: u32, config: Arc<LevelsConfig>) -> Consumer {
        Consumer {
            id,
            interface,
            config,
            stage: Stage::Interfaces,
            pushed: BTreeMap::new(),
            asked: 0,
            fresh: None,
            known: BTreeSet::new(),
            begun: false,
        }
    }

    fn applications(&self) -> Vec<u32> {
        offering(self.interface, self.config.applications).collect()
    }

    fn uses_old(&self) -> bool {
        match self.stage {
            Stage::Interfaces | Stage::Moving => true,
            Stage::Moved => self.config.double_subscribe,
            Stage::Alone => false,
        }
    }

    fn tick(&mut self, out: &mut Out) {
        if !self.begun {
            self.begun = true;
            let own = (0..self.config.providers)
                .filter(|provider| offered(provider % self.config.applications).contains(&self.interface));
            own.for_each(|provider| fact(out, self.id, "needs", i64::from(provider)));
        }
        self.asked += 1;
        if self.uses_old() {
            out.send(INTERFACES, Say::Subscribe { key: self.interface, number: self.asked });
        } else {
            out.send(INTERFACES, Say::Unsubscribe { key: self.interface });
        }
        if self.stage > Stage::Interfaces {
            for key in self.applications() {
                out.send(APPLICATIONS, Say::Subscribe { key, number: self.asked });
            }
        }
        if self.stage >= Stage::Moved {
            out.send(CONTROLLER, Say::Moved);
        }
    }

    fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Move if self.stage == Stage::Interfaces => {
                self.stage = Stage::Moving;
                note(out, self.id, "begins to subscribe at application level");
            }
            Say::Push { key, version, number, providers } => self.push((from, key), version, number, providers, out),
            Say::GiveUp if self.stage == Stage::Alone => out.send(from, Say::GivenUp),
            // What it gives up for must be what there is now.
            Say::GiveUp if self.fresh.is_none() => self.fresh = Some(self.asked + 1),
            _ => {}
        }
    }

    fn push(&mut self, of: (NodeId, u32), version: u64, number: u64, providers: BTreeSet<u32>, out: &mut Out) {
        let pushed = self.pushed.entry(of).or_default();
        pushed.number = pushed.number.max(number);
        if version >= pushed.version {
            *pushed = Pushed { version, providers, ..*pushed };
        }
        if self.stage == Stage::Moving && self.answered(1) {
            self.stage = Stage::Moved;
            let both = if self.config.double_subscribe { "both registries" } else { "application level only" };
            note(out, self.id, &format!("has moved: it looks into {both}"));
        }
        if self.fresh.is_some_and(|fresh| self.answered(fresh)) && self.stage != Stage::Alone {
            self.stage = Stage::Alone;
            note(out, self.id, "gives up interface level");
        }
        self.look(out);
    }

    /// True if pushes have answered this request to the registry of applications, or later ones, for every application.
    fn answered(&self, since: u64) -> bool {
        let number = |key: &u32| self.pushed.get(&(APPLICATIONS, *key)).map_or(0, |pushed| pushed.number);
        self.applications().iter().all(|key| number(key) >= since)
    }

    /// Says what has changed of what it can call.
    fn look(&mut self, out: &mut Out) {
        let (old, new) = (self.uses_old(), self.stage >= Stage::Moved);
        let used = self.pushed.iter().filter(|((registry, _), _)| if *registry == INTERFACES { old } else { new });
        let known: BTreeSet<u32> = used.flat_map(|(_, pushed)| pushed.providers.iter().copied()).collect();
        for provider in known.difference(&self.known) {
            fact(out, self.id, "knows", i64::from(*provider));
        }
        for provider in self.known.difference(&known) {
            fact(out, self.id, "loses", i64::from(*provider));
        }
        self.known = known;
    }
}
