//! The ledger of launches: what is replicated.

use crate::consensus::{Request, StateMachine};
use std::collections::BTreeMap;

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// This job is about to be launched.
    Begin(u32),
    /// It was launched, or nothing more is to be done about it.
    End(u32),
}

/// What stood there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    New,
    /// The job was begun: nobody knows whether it was launched.
    Begun,
    /// The job is done with.
    Ended,
}

/// The ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// True for jobs that are done with; those that are begun are false.
    jobs: BTreeMap<u32, bool>,
}

impl Ledger {
    /// True if nothing more is to be done about the job.
    pub fn is_ended(&self, job: u32) -> bool {
        self.jobs.get(&job) == Some(&true)
    }
}

impl StateMachine for Ledger {
    type Command = Command;
    type Answer = Answer;

    fn apply(&mut self, _: i64, request: &Request<Command>, _: &mut Vec<(&'static str, i64)>) -> Answer {
        let (job, ends) = match request.command {
            Command::Begin(job) => (job, false),
            Command::End(job) => (job, true),
        };
        let entry = self.jobs.get(&job).copied();
        self.jobs.insert(job, ends || entry == Some(true));
        match entry {
            None => Answer::New,
            Some(false) => Answer::Begun,
            Some(true) => Answer::Ended,
        }
    }

    fn words(command: &Command) -> String {
        match command {
            Command::Begin(job) => format!("job {job} begins"),
            Command::End(job) => format!("job {job} is launched"),
        }
    }

    fn answer_words(answer: &Answer) -> String {
        match answer {
            Answer::New => "recorded".to_owned(),
            Answer::Begun => "it was begun before".to_owned(),
            Answer::Ended => "it is done with".to_owned(),
        }
    }
}
