//! A plan: every operation and every fault with its time. Data that can be saved, edited and run; it replays alone.

use crate::scenario::Scenario;
use history::{Contract, MILLI, Nanos};
use nemesis::{Pick, PlannedFault};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use simulation::Stream;
use workloads::{ClientBehaviour, ClientPlan, PlannedOperation, Storm, StormKind, Window};

/// Version of the schema of plans.
pub const SCHEMA: u32 = 1;

/// Everything that a run does, drawn before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed it was drawn from.
    pub seed: u64,
    /// The program that drew it.
    pub program: String,
    /// Which system, and how it is set up.
    pub system: SystemPlan,
    /// How careful clients are.
    pub behaviour: ClientBehaviour,
    /// Bounds that the scenario tightens: replaces those of the system's contract.
    #[serde(default)]
    pub contract: Tightened,
    /// Seed of the draws inside a simulation.
    pub kernel_seed: u64,
    /// The planted bug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// Phases.
    pub time: Phases,
    /// Names of dataIds.
    pub data_ids: Vec<String>,
    /// What the seed drew, to be printed.
    pub drawn: Vec<(String, String)>,
    /// Clients, by number.
    pub clients: Vec<ClientPlan>,
    /// Operations, in order of time.
    pub operations: Vec<PlannedOperation>,
    /// Faults, in order of time.
    pub faults: Vec<PlannedFault>,
}

/// How long each phase takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Warm-up.
    pub warmup_ns: Nanos,
    /// Chaos.
    pub chaos_ns: Nanos,
    /// Heal takes at most this long; a target that does not serve by then makes the run inconclusive.
    pub heal_ns_max: Nanos,
    /// Settle; 0: as long as the contract's `recovered_ms_max` and `lease_ms_max` ask for.
    pub settle_ns: Nanos,
    /// An idle client proves its session alive this often.
    pub ping_ns: Nanos,
}

/// The system under test and its options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SystemPlan {
    /// The embedded registry, in virtual time.
    Registry(systems::registry::RegistryConfig),
    /// A real ZooKeeper ensemble.
    Zookeeper(systems::zookeeper::ZooKeeperConfig),
}

impl SystemPlan {
    /// The name that scenarios and lists use.
    pub fn name(&self) -> &'static str {
        match self {
            SystemPlan::Registry(_) => "registry",
            SystemPlan::Zookeeper(_) => "zookeeper",
        }
    }

    /// Names of the nodes that faults can be aimed at.
    pub fn nodes(&self) -> Vec<String> {
        match self {
            SystemPlan::Registry(config) => {
                let ids = systems::registry::layout::NodeIds::of(config);
                (0..ids.clients()).map(|node| ids.name(node)).collect()
            }
            SystemPlan::Zookeeper(_) => systems::zookeeper::NODES.map(str::to_owned).to_vec(),
        }
    }

    /// True if it runs in virtual time: a run takes milliseconds and can be made again exactly.
    pub fn is_virtual(&self) -> bool {
        matches!(self, SystemPlan::Registry(_))
    }

    /// Roles of its nodes, and how many there are of each.
    pub fn roles(&self) -> Vec<(&'static str, u32)> {
        match self {
            SystemPlan::Registry(config) => {
                vec![("session", config.sessions), ("data", config.data), ("meta", config.metas), ("database", 1)]
            }
            SystemPlan::Zookeeper(_) => vec![("server", 3)],
        }
    }
}

/// Bounds of a contract that a scenario makes tighter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tightened {
    /// See [`Contract::visible_ms_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_ms_max: Option<u64>,
    /// See [`Contract::recovered_ms_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered_ms_max: Option<u64>,
    /// See [`Contract::staleness_ms_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staleness_ms_max: Option<u64>,
    /// See [`Contract::reregister_ms_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reregister_ms_max: Option<u64>,
    /// See [`Contract::lease_ms_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_ms_max: Option<u64>,
    /// See [`Contract::in_flight_ms_max`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight_ms_max: Option<u64>,
    /// See [`Contract::calibrated`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub calibrated: bool,
}

impl Tightened {
    /// The contract with these bounds; an error names the first that would loosen it.
    pub fn apply(&self, mut contract: Contract) -> Result<Contract, String> {
        let tighten = |name: &str, wanted: Option<u64>, bound: &mut u64| match wanted {
            Some(wanted) if wanted > *bound => Err(format!(
                "[contract] {name} = {wanted} is wider than what the system promises ({bound}): a scenario can only tighten it"
            )),
            Some(wanted) => {
                *bound = wanted;
                Ok(())
            }
            None => Ok(()),
        };
        tighten("visible_ms_max", self.visible_ms_max, &mut contract.visible_ms_max)?;
        tighten("recovered_ms_max", self.recovered_ms_max, &mut contract.recovered_ms_max)?;
        tighten("lease_ms_max", self.lease_ms_max, &mut contract.lease_ms_max)?;
        tighten("in_flight_ms_max", self.in_flight_ms_max, &mut contract.in_flight_ms_max)?;
        contract.calibrated |= self.calibrated;
        let mut staleness = contract.staleness_ms_max.unwrap_or(u64::MAX);
        tighten("staleness_ms_max", self.staleness_ms_max, &mut staleness)?;
        contract.staleness_ms_max = Some(staleness).filter(|bound| *bound < u64::MAX);
        let mut reregister = contract.reregister_ms_max.unwrap_or(u64::MAX);
        tighten("reregister_ms_max", self.reregister_ms_max, &mut reregister)?;
        contract.reregister_ms_max = Some(reregister).filter(|bound| *bound < u64::MAX);
        Ok(contract)
    }
}

impl Plan {
    /// An edited plan can say anything: what the master relies on is checked.
    ///
    /// # Errors
    ///
    /// What is wrong, in words, with the place in the self.
    pub fn check(&self) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("plan of schema {}, this program runs schema {SCHEMA}", self.schema));
        }
        if self.data_ids.is_empty() || self.clients.is_empty() {
            return Err("a plan needs at least one client and one dataId".to_owned());
        }
        for (ix, client) in self.clients.iter().enumerate() {
            if client.id as usize != ix {
                return Err(format!("clients[{ix}].id = {}: clients are numbered from 0 without gaps", client.id));
            }
        }
        for (ix, operation) in self.operations.iter().enumerate() {
            if operation.client as usize >= self.clients.len() {
                return Err(format!("operations[{ix}].client = {}: there is no such client", operation.client));
            }
            if operation.call.data().is_some_and(|data| data as usize >= self.data_ids.len()) {
                return Err(format!("operations[{ix}]: there is no such dataId"));
            }
        }
        if self.operations.windows(2).any(|pair| pair[0].at > pair[1].at) {
            return Err("operations are not in order of time".to_owned());
        }
        if self.faults.windows(2).any(|pair| pair[0].at > pair[1].at || pair[0].id == pair[1].id) {
            return Err("faults are not in order of time, or two have the same id".to_owned());
        }
        let nodes = self.system.nodes();
        for (ix, fault) in self.faults.iter().enumerate() {
            if let Pick::Named(name) = &fault.target.pick
                && !nodes.contains(name)
            {
                return Err(format!("faults[{ix}]: there is no node {name}; there are {}", nodes.join(", ")));
            }
        }
        Ok(())
    }

    /// Expands a scenario with a seed. Pure: the same on every machine.
    pub fn draw(scenario: &Scenario, seed: u64, bug: Option<String>) -> Plan {
        match &scenario.swarm {
            None => Plan::expand(scenario, seed, bug),
            Some(swarm) => {
                let (own, mut drawn) = swarm.draw(scenario, seed);
                let mut plan = Plan::expand(&own, seed, bug);
                drawn.append(&mut plan.drawn);
                Plan { drawn, ..plan }
            }
        }
    }

    fn expand(scenario: &Scenario, seed: u64, bug: Option<String>) -> Plan {
        let ms = |ms: u64| ms * MILLI;
        let window =
            Window { warmup: ms(scenario.time.warmup_ms), end: ms(scenario.time.warmup_ms + scenario.time.chaos_ms) };
        let system = scenario.system_plan();
        let faults = scenario.faults.draw(seed, window.warmup, window.end, &system.roles());
        let mut workload = scenario.workload.clone();
        workload.storms.extend(faults.storms.iter().map(|at| storm(*at - window.warmup)));
        let mut clients = Vec::new();
        let mut operations = Vec::new();
        for id in 0..workload.clients {
            let work = workload.client(seed, id, window);
            clients.push(work.client);
            operations.extend(work.operations);
        }
        operations.sort_by_key(|operation| (operation.at, operation.client));
        Plan {
            schema: SCHEMA,
            scenario: scenario.name.clone(),
            seed,
            program: crate::PROGRAM.to_owned(),
            system,
            behaviour: scenario.behaviour,
            contract: scenario.contract,
            kernel_seed: Stream::new(seed, "kernel", 0).bits(),
            bug,
            time: Phases {
                warmup_ns: window.warmup,
                chaos_ns: ms(scenario.time.chaos_ms),
                heal_ns_max: ms(scenario.time.heal_ms_max),
                settle_ns: ms(scenario.time.settle_ms),
                ping_ns: ms(scenario.time.ping_ms),
            },
            data_ids: (0..scenario.workload.data_ids).map(|ix| format!("d{ix}")).collect(),
            drawn: faults.drawn,
            clients,
            operations,
            faults: faults.planned,
        }
    }

    /// SHA-256 of the plan as JSON, hexadecimal.
    pub fn hash(&self) -> String {
        let text = serde_json::to_vec(self).expect("a plan is always valid JSON");
        Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Share of the other clients that storm when a session node is lost, per mille.
const STORM_PERMILLE: u32 = 300;

/// Clients that vanish and come back, so long after the start of chaos.
fn storm(at: Nanos) -> Storm {
    Storm { at_ms: at / MILLI, share_permille: STORM_PERMILLE, kind: StormKind::Vanish }
}
