//! What servers of the cron, the executor and the clock that says what is due say to each other.

use super::machine::Ledger;
use crate::consensus;
use crate::trial::Operation;
use simulation::{Message, hash_draw};

/// A message.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// To and between servers.
    Consensus(consensus::Say<Ledger>),
    /// Clock to server: this job is due.
    Due(u32),
    /// Server to executor: launch this job, by the word of the leader of this term; under its name or not.
    Launch {
        /// The job.
        job: u32,
        /// Of the leader.
        term: u64,
        /// The executor is to see whether it has one of this name.
        named: bool,
    },
    /// Executor to server: it is launched.
    Launched(u32),
    /// Server to executor: was this job launched? By the word of the leader of this term.
    Query(u32, u64),
    /// Executor to server.
    State(u32, bool),
    /// Executor to clock: the job runs.
    Runs(u32),
}

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Of the consensus.
    Consensus(consensus::Timer),
    /// Clock: this job is due.
    Due(u32),
    /// Server: look what is to be done.
    Round,
    /// Server: launch this job, if it still leads this term.
    Launch(u32, u64),
    /// Executor: this job has been launched for this server.
    Launched(u32, simulation::NodeId),
}

impl From<consensus::Say<Ledger>> for Say {
    fn from(say: consensus::Say<Ledger>) -> Say {
        Say::Consensus(say)
    }
}

impl From<consensus::Timer> for Timer {
    fn from(timer: consensus::Timer) -> Timer {
        Timer::Consensus(timer)
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let of = |kind: u64, job: &u32, term: u64| hash_draw(kind, &[u64::from(*job), term]);
        match self {
            Say::Begin(operation) => of(10, &operation.id, 0),
            Say::Consensus(say) => say.identity(),
            Say::Due(job) => of(11, job, 0),
            Say::Launch { job, term, .. } => of(12, job, *term),
            Say::Launched(job) => of(13, job, 0),
            Say::Query(job, term) => of(14, job, *term),
            Say::State(job, _) => of(15, job, 0),
            Say::Runs(job) => of(16, job, 0),
        }
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Due(_) => String::new(),
            Say::Consensus(say) => say.says(),
            Say::Launch { job, .. } => format!("launch job {job}"),
            Say::Launched(job) => format!("job {job} is launched"),
            Say::Query(job, _) => format!("was job {job} launched?"),
            Say::State(_, true) => "yes".to_owned(),
            Say::State(_, false) => "no".to_owned(),
            Say::Runs(job) => format!("job {job} runs"),
        }
    }
}
