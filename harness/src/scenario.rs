//! Scenario files: what a person wishes for, in TOML. With a seed they become a plan.

use crate::error::{Error, Place};
use crate::plan::{SystemPlan, Tightened};
use crate::swarm::Swarm;
use nemesis::{Pattern, Schedule};
use serde::{Deserialize, Serialize};
use std::path::Path;
use systems::registry::RegistryConfig;
use systems::zookeeper::ZooKeeperConfig;
use workloads::{ClientBehaviour, PubSub};

/// A scenario, as its file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, also that of its runs: letters, digits and dashes.
    pub name: String,
    /// One sentence: what it shows.
    pub about: String,
    /// The claims of background.md that it puts to the test.
    #[serde(default)]
    pub claims: Vec<String>,
    /// Which system it runs on.
    pub system: SystemChoice,
    /// Phases.
    #[serde(default)]
    pub time: Times,
    /// What clients do.
    #[serde(default)]
    pub workload: PubSub,
    /// How careful clients are.
    #[serde(default)]
    pub behaviour: ClientBehaviour,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Schedule,
    /// What the seed draws beyond operations and faults; none: shape, load and rates are as they stand here.
    #[serde(default)]
    pub swarm: Option<Swarm>,
    /// Bounds tighter than those that the system promises.
    #[serde(default)]
    pub contract: Tightened,
    /// Options of the embedded registry.
    #[serde(default)]
    pub registry: RegistryConfig,
    /// Options of the ZooKeeper ensemble.
    #[serde(default)]
    pub zookeeper: ZooKeeperConfig,
}

/// The systems that this version can drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SystemChoice {
    /// The embedded registry, in virtual time.
    Registry,
    /// A ZooKeeper ensemble that upheaval starts, or one that runs already.
    Zookeeper,
}

/// How long each phase takes, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Times {
    /// Clients connect, pinned ones publish.
    pub warmup_ms: u64,
    /// Operations and faults.
    pub chaos_ms: u64,
    /// Healing takes at most this long.
    pub heal_ms_max: u64,
    /// Settling; 0: as long as the contract asks for.
    pub settle_ms: u64,
    /// An idle client proves its session alive this often; 0: never.
    pub ping_ms: u64,
}

impl Default for Times {
    fn default() -> Self {
        Times { warmup_ms: 3_000, chaos_ms: 20_000, heal_ms_max: 60_000, settle_ms: 0, ping_ms: 1_000 }
    }
}

/// Scenarios that the program brings along: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("quickstart", include_str!("../../scenarios/quickstart.toml")),
    ("registry-churn", include_str!("../../scenarios/registry-churn.toml")),
    ("registry-database", include_str!("../../scenarios/registry-database.toml")),
    ("registry-failover", include_str!("../../scenarios/registry-failover.toml")),
    ("registry-lost-pushes", include_str!("../../scenarios/registry-lost-pushes.toml")),
    ("registry-lost-answers", include_str!("../../scenarios/registry-lost-answers.toml")),
    ("registry-moves", include_str!("../../scenarios/registry-moves.toml")),
    ("registry-reads", include_str!("../../scenarios/registry-reads.toml")),
    ("registry-session-loss", include_str!("../../scenarios/registry-session-loss.toml")),
    ("registry-split", include_str!("../../scenarios/registry-split.toml")),
    ("registry-sparse", include_str!("../../scenarios/registry-sparse.toml")),
    ("r7-v5", include_str!("../../scenarios/claims/r7-v5.toml")),
    ("r7-v6", include_str!("../../scenarios/claims/r7-v6.toml")),
    ("r8-v5", include_str!("../../scenarios/claims/r8-v5.toml")),
    ("r8-v5-one", include_str!("../../scenarios/claims/r8-v5-one.toml")),
    ("r8-v6", include_str!("../../scenarios/claims/r8-v6.toml")),
    ("r9", include_str!("../../scenarios/claims/r9.toml")),
    ("swarm", include_str!("../../scenarios/swarm.toml")),
    ("zookeeper-churn", include_str!("../../scenarios/zookeeper-churn.toml")),
    ("zookeeper-smoke", include_str!("../../scenarios/zookeeper-smoke.toml")),
    ("zookeeper-sessions", include_str!("../../scenarios/zookeeper-sessions.toml")),
    ("zookeeper-unsynced", include_str!("../../scenarios/careless/zookeeper-unsynced.toml")),
    ("zookeeper-forgetful", include_str!("../../scenarios/careless/zookeeper-forgetful.toml")),
    ("zookeeper-late-watch", include_str!("../../scenarios/careless/zookeeper-late-watch.toml")),
    ("zookeeper-no-rewatch", include_str!("../../scenarios/careless/zookeeper-no-rewatch.toml")),
];

impl Scenario {
    /// Loads a scenario: a file, or the name of a built-in one; returns its text too.
    pub fn load(name: &str, sets: &[String]) -> Result<(Scenario, String), Error> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        let path = Path::new(name);
        let (shown, text) = match built_in {
            Some(text) if !path.is_file() => (format!("scenario {name}"), text),
            _ if path.is_file() => {
                let text =
                    std::fs::read_to_string(path).map_err(|e| Error::usage(format!("{name}: cannot be read: {e}")))?;
                (name.to_owned(), text)
            }
            _ => {
                let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                let near = nearest(name, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(Error::usage(format!(
                    "{name}: no such file, and no built-in scenario of this name{near} (upheaval list scenarios shows them)"
                )));
            }
        };
        let scenario = Scenario::parse(&shown, &text, sets)?;
        Ok((scenario, text))
    }

    /// Parses a scenario and applies `--set key=value`.
    pub fn parse(shown: &str, text: &str, sets: &[String]) -> Result<Scenario, Error> {
        let mut scenario: Scenario = toml::from_str(text).map_err(|e| toml_error(shown, text, &e))?;
        if !sets.is_empty() {
            let mut table: toml::Table = toml::from_str(text).map_err(|e| toml_error(shown, text, &e))?;
            for set in sets {
                apply_set(&mut table, set)?;
            }
            scenario = toml::Value::Table(table).try_into().map_err(|e: toml::de::Error| {
                Error::usage(format!("--set {}: {}", sets.join(" --set "), explain_key(e.message())))
            })?;
        }
        scenario.check()?;
        Ok(scenario)
    }

    /// The system with its options.
    pub fn system_plan(&self) -> SystemPlan {
        match self.system {
            SystemChoice::Registry => SystemPlan::Registry(self.registry.clone()),
            SystemChoice::Zookeeper => SystemPlan::Zookeeper(self.zookeeper.clone()),
        }
    }

    /// A pattern of faults on nodes of a role that the system does not have.
    fn pattern_out_of_place(&self) -> Option<Pattern> {
        let plan = self.system_plan();
        let has = |role: &str| plan.roles().iter().any(|(known, _)| *known == role);
        self.faults.patterns.iter().copied().find(|pattern| pattern.role().is_some_and(|role| !has(role)))
    }

    /// Bounds that types cannot say.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let workload = &self.workload;
        let name_ok = self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let rules: [(bool, String); 8] = [
            (
                name_ok && (1..=64).contains(&self.name.len()),
                format!("name = {:?}: 1 to 64 letters, digits and dashes", self.name),
            ),
            (
                (1..=1_000_000).contains(&workload.clients),
                format!("workload.clients = {}: 1 to 1000000", workload.clients),
            ),
            (
                workload.pinned <= workload.clients,
                format!("workload.pinned = {}: at most workload.clients ({})", workload.pinned, workload.clients),
            ),
            (
                (1..=1_000_000).contains(&workload.data_ids),
                format!("workload.data_ids = {}: 1 to 1000000", workload.data_ids),
            ),
            (workload.pause_ms >= 1, "workload.pause_ms = 0: at least 1".to_owned()),
            (
                (100..=600_000).contains(&self.time.warmup_ms),
                format!("time.warmup_ms = {}: 100 to 600000", self.time.warmup_ms),
            ),
            (
                (100..=86_400_000).contains(&self.time.chaos_ms),
                format!("time.chaos_ms = {}: 100 to 86400000 (a day)", self.time.chaos_ms),
            ),
            (
                self.time.heal_ms_max <= 3_600_000 && self.time.settle_ms <= 3_600_000,
                "time.heal_ms_max and time.settle_ms: at most 3600000 (an hour)".to_owned(),
            ),
        ];
        let ranges = [
            ("workload.reconnect_ms", workload.reconnect_ms),
            ("workload.reregister_ms", workload.reregister_ms),
            ("faults.gap_ms", self.faults.gap_ms),
            ("faults.duration_ms", self.faults.duration_ms),
            ("faults.delay_ms", self.faults.delay_ms),
            ("faults.loss_permille", self.faults.loss_permille),
            ("faults.clock_step_ms", self.faults.clock_step_ms),
            ("faults.clock_drift_ppm", self.faults.clock_drift_ppm),
            ("faults.slow_us", self.faults.slow_us),
            ("faults.duplicate_permille", self.faults.duplicate_permille),
            ("faults.reorder_permille", self.faults.reorder_permille),
            ("faults.throttle_bytes", self.faults.throttle_bytes),
        ];
        let broken = rules.into_iter().filter(|(holds, _)| !holds).map(|(_, rule)| rule).chain(
            ranges
                .into_iter()
                .filter(|(_, (low, high))| low > high || *high > 86_400_000)
                .map(|(key, (low, high))| format!("{key} = [{low}, {high}]: [low, high] with low <= high <= 86400000")),
        );
        match broken.into_iter().next() {
            None if let Some(wrong) = self.swarm.as_ref().and_then(Swarm::wrong) => {
                Err(Error::usage(format!("scenario {}: {wrong}", self.name)))
            }
            Some(rule) => Err(Error::usage(format!("scenario {}: {rule}", self.name))),
            None if let Some(pattern) = self.pattern_out_of_place() => Err(Error::usage(format!(
                "scenario {}: faults.patterns: {} needs {} nodes, which {} has not",
                self.name,
                history::word(&pattern),
                pattern.role().unwrap_or_default(),
                self.system_plan().name()
            ))),
            None if self.faults.gap_ms.1 == 0 && self.faults.duration_ms.1 == 0 => Err(Error::usage(format!(
                "scenario {}: faults.gap_ms and faults.duration_ms cannot both be 0",
                self.name
            ))),
            None => Ok(()),
        }
    }
}

/// `a.b.c=value`: the value is read as TOML, and as a string where it is none.
fn apply_set(table: &mut toml::Table, set: &str) -> Result<(), Error> {
    let Some((key, value)) = set.split_once('=') else {
        return Err(Error::usage(format!("--set {set}: expected key=value, for example --set workload.clients=200")));
    };
    let parsed: toml::Value = match format!("v = {value}").parse::<toml::Table>() {
        Ok(mut one) => one.remove("v").unwrap_or_else(|| toml::Value::String(value.to_owned())),
        Err(_) => toml::Value::String(value.to_owned()),
    };
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut at = table;
    for part in parts {
        let next = at.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let Some(next) = next.as_table_mut() else {
            return Err(Error::usage(format!("--set {set}: {part} is not a table")));
        };
        at = next;
    }
    at.insert(last.to_owned(), parsed);
    Ok(())
}

pub(crate) fn toml_error(shown: &str, text: &str, error: &toml::de::Error) -> Error {
    let place = error.span().map(|span| Place::at(text, span.start));
    Error::scenario(shown, place, &explain_key(error.message()))
}

/// serde says "unknown field `x`, expected one of `a`, `b`": adds the near miss, where there is one.
fn explain_key(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let (Some(wrong), true) = (quoted.next(), unknown) else { return message.trim_end().to_owned() };
    let known: Vec<&str> = quoted.collect();
    match nearest(wrong, &known) {
        Some(near) => format!("unknown key `{wrong}`; did you mean `{near}`? (known: {})", known.join(", ")),
        None => format!("unknown key `{wrong}` (known: {})", known.join(", ")),
    }
}

fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), *name))
        .filter(|(distance, name)| *distance <= 3.max(name.len() / 3))
        .min()
        .map(|(_, name)| name)
}
