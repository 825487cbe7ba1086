//! What registries, providers, consumers, the converter and the controller say to each other.

use simulation::{Message, hash_draw};
use std::collections::BTreeSet;

/// A registration: who, under which key, and whether the converter made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registration {
    /// Interface or application.
    pub key: u32,
    /// The provider.
    pub provider: u32,
    /// Made by the converter in the provider's place.
    pub converted: bool,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// From outside: move to application level.
    Move,
    /// Be registered.
    Publish(Registration),
    /// It is.
    Published(Registration),
    /// Take it back.
    Unpublish(Registration),
    /// It is taken back.
    Unpublished(Registration),
    /// Push what changes under this key, and now what there is, with this number.
    Subscribe {
        /// Interface or application.
        key: u32,
        /// Names the request.
        number: u64,
    },
    /// Push no more.
    Unsubscribe {
        /// Interface or application.
        key: u32,
    },
    /// All providers under a key.
    Push {
        /// Interface or application.
        key: u32,
        /// Grows with every change.
        version: u64,
        /// The request that it answers; 0: none.
        number: u64,
        /// Who is registered.
        providers: BTreeSet<u32>,
    },
    /// Provider to converter: does the registry of interfaces know me from you?
    IsConverted {
        /// The provider.
        provider: u32,
    },
    /// It does.
    Converted,
    /// To the controller: this client has moved.
    Moved,
    /// From the controller: everybody has moved, give up what is left at interface level.
    GiveUp,
    /// To the controller: nothing is left.
    GivenUp,
}

impl Say {
    fn parts(&self) -> [u64; 4] {
        let registered =
            |kind: u64, r: &Registration| [kind, u64::from(r.key), u64::from(r.provider), u64::from(r.converted)];
        match self {
            Say::Move => [0; 4],
            Say::Publish(registration) => registered(1, registration),
            Say::Published(registration) => registered(2, registration),
            Say::Unpublish(registration) => registered(3, registration),
            Say::Unpublished(registration) => registered(4, registration),
            Say::Subscribe { key, number } => [5, u64::from(*key), *number, 0],
            Say::Unsubscribe { key } => [6, u64::from(*key), 0, 0],
            Say::Push { key, version, number, .. } => [7, u64::from(*key), *version, *number],
            Say::IsConverted { provider } => [8, u64::from(*provider), 0, 0],
            Say::Converted => [9, 0, 0, 0],
            Say::Moved => [10, 0, 0, 0],
            Say::GiveUp => [11, 0, 0, 0],
            Say::GivenUp => [12, 0, 0, 0],
        }
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        hash_draw(0, &self.parts())
    }

    /// Answers that only end a repetition are not worth telling.
    fn says(&self) -> String {
        let list = |providers: &BTreeSet<u32>| {
            let names: Vec<String> = providers.iter().map(|provider| format!("client-{provider}")).collect();
            if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
        };
        let converted = |r: &Registration| if r.converted { " (converted)" } else { "" };
        match self {
            Say::Publish(r) => format!("publish client-{} under {}{}", r.provider, r.key, converted(r)),
            Say::Unpublish(r) => format!("unpublish client-{} under {}{}", r.provider, r.key, converted(r)),
            Say::Subscribe { key, .. } => format!("subscribe {key}"),
            Say::Unsubscribe { key } => format!("unsubscribe {key}"),
            Say::Push { key, providers, .. } => format!("{key}: {}", list(providers)),
            Say::GiveUp => "all have moved: give up interface level".to_owned(),
            Say::Moved => "moved".to_owned(),
            Say::Converted => "your registrations are converted".to_owned(),
            Say::Move | Say::Published(_) | Say::Unpublished(_) | Say::IsConverted { .. } | Say::GivenUp => {
                String::new()
            }
        }
    }
}
