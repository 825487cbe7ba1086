//! The systems that claims run on, by the name of their table in a claim's file.

use ::systems::barrier::Barrier;
use ::systems::broadcast::Broadcast;
use ::systems::cron::Cron;
use ::systems::delivery::Delivery;
use ::systems::distributor::Distributor;
use ::systems::election::Election;
use ::systems::failing::Failing;
use ::systems::herd::Herd;
use ::systems::levels::Levels;
use ::systems::proposers::Proposers;
use ::systems::proxies::Proxies;
use ::systems::queue::QueueTrial;
use ::systems::quorum::Quorums;
use ::systems::reads::Reads;
use ::systems::rollout::Rollout;
use ::systems::routed::Routed;
use ::systems::trial::Trial;
use serde::de::DeserializeOwned;

/// Makes a system from its options; the error is a sentence.
type Build = fn(&toml::Table) -> Result<Box<dyn Trial>, String>;

/// All of them. A new system needs one line here.
const SYSTEMS: &[(&str, Build)] = &[
    ("levels", |options| Ok(Box::new(Levels::new(read(options)?)?))),
    ("broadcast", |options| Ok(Box::new(Broadcast::new(read(options)?)?))),
    ("cron", |options| Ok(Box::new(Cron::new(read(options)?)?))),
    ("distributor", |options| Ok(Box::new(Distributor::new(read(options)?)?))),
    ("herd", |options| Ok(Box::new(Herd::new(read(options)?)?))),
    ("queue", |options| Ok(Box::new(QueueTrial::new(read(options)?)?))),
    ("quorum", |options| Ok(Box::new(Quorums::new(read(options)?)?))),
    ("rollout", |options| Ok(Box::new(Rollout::new(read(options)?)?))),
    ("barrier", |options| Ok(Box::new(Barrier::new(read(options)?)?))),
    ("delivery", |options| Ok(Box::new(Delivery::new(read(options)?)?))),
    ("election", |options| Ok(Box::new(Election::new(read(options)?)?))),
    ("failing", |options| Ok(Box::new(Failing::new(read(options)?)?))),
    ("proposers", |options| Ok(Box::new(Proposers::new(read(options)?)?))),
    ("proxies", |options| Ok(Box::new(Proxies::new(read(options)?)?))),
    ("reads", |options| Ok(Box::new(Reads::new(read(options)?)?))),
    ("routed", |options| Ok(Box::new(Routed::new(read(options)?)?))),
];

fn read<T: DeserializeOwned>(options: &toml::Table) -> Result<T, String> {
    toml::Value::Table(options.clone()).try_into().map_err(|e: toml::de::Error| e.message().to_owned())
}

/// The system of this name with these options.
pub fn build(name: &str, options: &toml::Table) -> Result<Box<dyn Trial>, String> {
    match SYSTEMS.iter().find(|(known, _)| *known == name) {
        Some((_, build)) => build(options),
        None => {
            let known: Vec<&str> = SYSTEMS.iter().map(|(known, _)| *known).collect();
            Err(format!("is no system; there are {}", known.join(", ")))
        }
    }
}
