//! The converter: registers in the registry of interfaces whoever is registered in that of applications.

use super::message::{Registration, Say};
use super::{APPLICATIONS, INTERFACES, Out, offered};
use simulation::NodeId;
use std::collections::BTreeSet;

/// The converter.
#[derive(Clone, Debug)]
pub struct Converter {
    /// Applications that it follows; none: it does nothing.
    applications: u32,
    /// What it registers.
    wanted: BTreeSet<Registration>,
    /// What is registered.
    made: BTreeSet<Registration>,
    given_up: bool,
}

impl Converter {
    /// A converter for so many applications.
    pub fn new(applications: u32) -> Converter {
        Converter { applications, wanted: BTreeSet::new(), made: BTreeSet::new(), given_up: false }
    }

    /// Asks for what is new, and again for what was not answered.
    pub fn tick(&self, out: &mut Out) {
        if !self.given_up {
            for key in 0..self.applications {
                out.send(APPLICATIONS, Say::Subscribe { key, number: 0 });
            }
            self.wanted.difference(&self.made).for_each(|one| out.send(INTERFACES, Say::Publish(*one)));
        }
        if self.given_up {
            self.made.iter().for_each(|one| out.send(INTERFACES, Say::Unpublish(*one)));
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Push { key, providers, .. } if !self.given_up => {
                for provider in providers {
                    for interface in offered(key) {
                        let registration = Registration { key: interface, provider, converted: true };
                        if self.wanted.insert(registration) {
                            out.send(INTERFACES, Say::Publish(registration));
                        }
                    }
                }
            }
            Say::Published(registration) => _ = self.made.insert(registration),
            Say::Unpublished(registration) => _ = self.made.remove(&registration),
            Say::IsConverted { provider } => {
                let of = |all: &BTreeSet<Registration>| all.iter().filter(|r| r.provider == provider).count();
                if of(&self.wanted) > 0 && of(&self.wanted) == of(&self.made) {
                    out.send(from, Say::Converted);
                }
            }
            Say::GiveUp => {
                self.given_up = true;
                if self.made.is_empty() {
                    out.send(from, Say::GivenUp);
                }
            }
            _ => {}
        }
    }
}
