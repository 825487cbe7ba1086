//! The migration as a trial: who moves when, which links are slow meanwhile.

use super::client::{Client, Consumer, Provider};
use super::controller::Controller;
use super::converter::Converter;
use super::registry::Registry;
use super::{CLIENTS, INTERFACES, Node};
use crate::trial::{Draws, Outcome, Stage, Trial, TrialPlan, Wrong, broken};
use history::{MILLI, Nanos, SECOND};
use serde::{Deserialize, Serialize};
use simulation::Latency;
use std::sync::Arc;

/// Options of the migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LevelsConfig {
    /// Providers, spread over the applications. 1 to 100.
    pub providers: u32,
    /// Consumers, spread over the interfaces. 1 to 100.
    pub consumers: u32,
    /// Applications; there is one interface more. 1 to 20.
    pub applications: u32,
    /// Everybody begins to move within this span, milliseconds. 1 to 60,000.
    pub span_ms: u64,
    /// Providers that have moved stay registered at interface level.
    pub double_publish: bool,
    /// A converter registers there whoever is registered at application level.
    pub convert: bool,
    /// Consumers that have moved look into both registries.
    pub double_subscribe: bool,
    /// What goes wrong.
    pub faults: LevelsFaults,
}

/// What goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LevelsFaults {
    /// Links between a registry and somebody that are slow for a while.
    pub slow_links: u32,
    /// Links that carry nothing for a while.
    pub cut_links: u32,
}

impl Default for LevelsConfig {
    fn default() -> Self {
        LevelsConfig {
            providers: 6,
            consumers: 4,
            applications: 2,
            span_ms: 3_000,
            double_publish: true,
            convert: false,
            double_subscribe: true,
            faults: LevelsFaults::default(),
        }
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Levels {
    config: Arc<LevelsConfig>,
}

/// Nobody moves before everybody knows everybody.
const BEGIN: Nanos = SECOND;
/// After the last move was due.
const SETTLE: Nanos = 4 * SECOND;
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };

impl Levels {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: LevelsConfig) -> Result<Levels, String> {
        let rules = [
            ((1..=100).contains(&config.providers), "providers: 1 to 100"),
            ((1..=100).contains(&config.consumers), "consumers: 1 to 100"),
            ((1..=20).contains(&config.applications), "applications: 1 to 20"),
            ((1..=60_000).contains(&config.span_ms), "span_ms: 1 to 60000"),
        ];
        match broken(&rules) {
            Some(rule) => Err(rule),
            None => Ok(Levels { config: Arc::new(config) }),
        }
    }

    fn stage(&self) -> Stage<Node> {
        let config = &self.config;
        let converted = if config.convert { config.applications } else { 0 };
        let mut cast = vec![
            ("interface-registry".to_owned(), Node::Registry(Registry::default())),
            ("application-registry".to_owned(), Node::Registry(Registry::default())),
            ("converter".to_owned(), Node::Converter(Converter::new(converted))),
            ("controller".to_owned(), Node::Controller(Controller::new(config.providers, config.consumers))),
        ];
        for at in 0..config.providers {
            let provider = Provider::new(CLIENTS + at, at, Arc::clone(config));
            cast.push((format!("client-{at}"), Node::Client(Client::Provider(provider))));
        }
        for at in 0..config.consumers {
            let number = config.providers + at;
            let consumer = Consumer::new(CLIENTS + number, at % (config.applications + 1), Arc::clone(config));
            cast.push((format!("client-{number}"), Node::Client(Client::Consumer(consumer))));
        }
        Stage { cast, latency: LATENCY, until: BEGIN + config.span_ms * MILLI + SETTLE }
    }

    fn faults(&self, draws: Draws, plan: &mut TrialPlan) {
        let config = &self.config;
        let LevelsFaults { slow_links, cut_links } = config.faults;
        for number in 0..slow_links + cut_links {
            let draw = |what: u64, below: u64| draws.below(&[2, u64::from(number), what], below);
            let registry = ["interface-registry", "application-registry"][draw(0, 2) as usize].to_owned();
            let clients = u64::from(config.providers + config.consumers);
            let other = match draw(1, clients + 1) {
                client if client < clients => format!("client-{client}"),
                _ => "converter".to_owned(),
            };
            let (from, to) = if draw(2, 2) == 0 { (registry, other) } else { (other, registry) };
            let what = match number < slow_links {
                true => Wrong::Delay { from, to, by: (50 + draw(3, 700)) * MILLI },
                false => Wrong::Cut { from, to },
            };
            let at = BEGIN + draw(4, config.span_ms) * MILLI;
            plan.wrong(at, Some((200 + draw(5, 1_300)) * MILLI), what);
        }
    }
}

impl Trial for Levels {
    fn draw(&self, seed: u64) -> TrialPlan {
        let draws = Draws(seed);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for client in 0..u64::from(self.config.providers + self.config.consumers) {
            plan.ask(BEGIN + draws.below(&[1, client], self.config.span_ms * MILLI), client, "move", 0, 0);
        }
        self.faults(draws, &mut plan);
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let played = self.stage().play(plan, trace);
        let empty = matches!(played.kernel.machine(INTERFACES), Node::Registry(registry) if registry.is_empty());
        let clients = self.config.providers + self.config.consumers;
        let mut outcome = played.outcome;
        // Cut short, a migration is not meant to end.
        outcome.finished = empty || plan.operations.len() < clients as usize;
        outcome
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn run(config: LevelsConfig, seed: u64) -> Outcome {
        let levels = Levels::new(config).unwrap();
        levels.run(&levels.draw(seed), false)
    }

    #[test]
    fn a_migration_comes_to_its_end_and_nobody_loses_anybody() {
        let double = LevelsConfig::default();
        let converted = LevelsConfig { convert: true, double_publish: false, ..LevelsConfig::default() };
        for (config, seed) in [(double, 1), (converted, 2)] {
            let outcome = run(config, seed);
            assert!(outcome.finished);
            assert_eq!((outcome.count("needs"), outcome.count("loses")), (outcome.count("knows"), 0));
        }
    }

    #[test]
    fn without_either_mechanism_somebody_is_lost() {
        let single = LevelsConfig { double_subscribe: false, ..LevelsConfig::default() };
        assert!(run(single, 3).count("loses") > 0);
        let unfed = LevelsConfig { double_publish: false, ..LevelsConfig::default() };
        assert!(run(unfed, 3).count("loses") > 0);
    }
}
