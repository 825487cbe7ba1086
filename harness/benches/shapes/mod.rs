//! Plans of a given size, without faults: clients connect, some publish and change what they publish, all subscribe.

use harness::PROGRAM;
use harness::plan::{Phases, Plan, SCHEMA, SystemPlan, Tightened};
use history::{ClientId, MILLI, Nanos, SECOND};
use systems::registry::RegistryConfig;
use workloads::{ClientBehaviour, ClientPlan, PlannedCall, PlannedOperation, Reaction};

pub struct Shape {
    pub clients: u32,
    data_ids: u32,
    /// Subscriptions of each subscriber.
    subscriptions: u32,
    publishers: u32,
    /// The clients from here on subscribe.
    subscribers_from: u32,
    /// Each publisher changes what it publishes so often.
    period: Nanos,
    warmup: Nanos,
    chaos: Nanos,
}

impl Shape {
    /// The headline's load for each client: four subscriptions, 100 subscribers to a dataId, one publisher that changes every
    /// two seconds. With 100,000 clients that is 12 million pushes a minute.
    pub fn of(clients: u32, seconds: u64) -> Shape {
        let data_ids = clients / 25;
        let warmup = 20 * SECOND;
        let period = 2 * SECOND;
        Shape {
            clients,
            data_ids,
            subscriptions: 4,
            publishers: data_ids,
            subscribers_from: 0,
            period,
            warmup,
            chaos: seconds * SECOND,
        }
    }

    /// One dataId; each of 7,000 publishers changes once a minute.
    pub fn hot() -> Shape {
        let (warmup, period) = (20 * SECOND, 60 * SECOND);
        Shape {
            clients: 27_000,
            data_ids: 1,
            subscriptions: 1,
            publishers: 7_000,
            subscribers_from: 7_000,
            period,
            warmup,
            chaos: 60 * SECOND,
        }
    }

    /// SOFARegistry's delays, ten session and ten data nodes.
    pub fn plan(&self) -> Plan {
        let system = RegistryConfig { sessions: 10, data: 10, ..RegistryConfig::production() };
        let reactions = vec![Reaction { reconnect_ns: 100 * MILLI, reregister_ns: 10 * MILLI }];
        let client = |id| ClientPlan { id, pinned: false, node: id, reactions: reactions.clone() };
        let mut operations: Vec<PlannedOperation> = (0..self.clients).flat_map(|id| self.client(id)).collect();
        operations.sort_by_key(|operation| (operation.at, operation.client));
        Plan {
            schema: SCHEMA,
            scenario: "bench".to_owned(),
            seed: 7,
            program: PROGRAM.to_owned(),
            system: SystemPlan::Registry(system),
            behaviour: ClientBehaviour::default(),
            contract: Tightened::default(),
            kernel_seed: 7,
            bug: None,
            time: Phases {
                warmup_ns: self.warmup,
                chaos_ns: self.chaos,
                heal_ns_max: SECOND,
                settle_ns: 5 * SECOND,
                ping_ns: 30 * SECOND,
            },
            data_ids: (0..self.data_ids).map(|ix| format!("d{ix}")).collect(),
            drawn: Vec::new(),
            clients: (0..self.clients).map(client).collect(),
            operations,
            faults: Vec::new(),
        }
    }

    fn client(&self, id: ClientId) -> Vec<PlannedOperation> {
        let own = |span: Nanos, count: u32| span * u64::from(id) / u64::from(count);
        let connect = own(self.warmup * 3 / 4, self.clients);
        let mut list = vec![PlannedOperation { at: connect, client: id, call: PlannedCall::Connect }];
        let mut add = |at, call| list.push(PlannedOperation { at, client: id, call });
        if id >= self.subscribers_from {
            for subscription in 0..self.subscriptions {
                let data = (id * self.subscriptions + subscription) % self.data_ids;
                add(connect + 10 * MILLI, PlannedCall::Subscribe { data, subscription });
            }
        }
        if id < self.publishers {
            let publish = PlannedCall::Publish { data: id % self.data_ids, registration: 0 };
            add(connect + 20 * MILLI, publish.clone());
            let mut at = self.warmup + own(self.period, self.publishers);
            while at < self.warmup + self.chaos {
                add(at, publish.clone());
                at += self.period;
            }
        }
        list
    }
}
