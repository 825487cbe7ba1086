//! Where the system says that each dataId is kept: its public routing table, as anybody can ask for it.

use crate::{Nanos, NodeIx};
use serde::{Deserialize, Serialize};

/// The routing table changed, or was seen for the first time. It is what the system tells everybody (a registry's slot
/// table); what its nodes do is another matter. Systems without such a table have no such event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// When it became public.
    pub time: Nanos,
    /// The slot of each dataId, by [`crate::DataIx`]; empty where it is as it was before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<u32>,
    /// The node that answers for each slot; none while there is none.
    pub leaders: Vec<Option<NodeIx>>,
}
