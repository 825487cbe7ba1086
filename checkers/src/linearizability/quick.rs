//! What deciders for special histories say.

/// A decision without search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quick {
    /// Which decider it was.
    pub algorithm: &'static str,
    /// None if the history is linearizable; or else what is wrong.
    pub wrong: Option<Wrong>,
}

/// Operations that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Operations by index, that are together not linearizable with all on which they lean.
    pub ops: Vec<usize>,
    /// The operation at whose completion it shows, by index.
    pub at: usize,
    /// One sentence for people.
    pub why: String,
}

impl Quick {
    /// Linearizable.
    pub fn fine(algorithm: &'static str) -> Quick {
        Quick { algorithm, wrong: None }
    }

    /// Not linearizable.
    pub fn wrong(algorithm: &'static str, ops: Vec<usize>, at: usize, why: impl Into<String>) -> Quick {
        Quick { algorithm, wrong: Some(Wrong { ops, at, why: why.into() }) }
    }
}
