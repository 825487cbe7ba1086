//! The executor, which runs jobs, and the clock that says when they are due.

use super::config::CronConfig;
use super::message::{Say, Timer};
use super::{Out, fact, note};
use crate::trial::{Given, Operation, Said};
use history::MILLI;
use history::calls::Ended;
use simulation::{NodeId, hash_draw};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The executor. Everything is on disk.
#[derive(Clone, Debug)]
pub struct Executor {
    id: NodeId,
    config: Arc<CronConfig>,
    clock: NodeId,
    launched: BTreeSet<u32>,
    /// The latest leader that it has heard of.
    term: u64,
}

impl Executor {
    /// An executor that has run nothing yet.
    pub fn new(id: NodeId, config: Arc<CronConfig>, clock: NodeId) -> Executor {
        Executor { id, config, clock, launched: BTreeSet::new(), term: 0 }
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        if self.config.peak_max > 0 {
            fact(out, self.id, "load allowed", i64::from(self.config.peak_max));
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Launch { job, term, named } if term >= self.term => {
                self.term = term;
                if !(named && self.launched.contains(&job)) {
                    self.launched.insert(job);
                    fact(out, self.id, "launched", i64::from(job));
                    note(out, self.id, || format!("launches job {job}"));
                    out.send(self.clock, Say::Runs(job));
                }
                out.timer(self.config.launch_ms * MILLI, Timer::Launched(job, from));
            }
            Say::Query(job, term) if term >= self.term => {
                self.term = term;
                out.send(from, Say::State(job, self.launched.contains(&job)));
            }
            _ => {}
        }
    }
}

/// The clock: it says what is due, to all servers, and hears what runs.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Its own number.
    pub id: NodeId,
    /// Of the trial.
    pub config: Arc<CronConfig>,
    /// Of the draws.
    pub seed: u64,
    /// How often it has said that each job is due; those that run are not there any more.
    pub said: BTreeMap<u32, u32>,
}

/// The schedule is known to every server: whoever was down when a job came due is told again, after so long,
const AGAIN_MS: u64 = 250;
/// and so often.
const TIMES_MAX: u32 = 8;

impl Clock {
    /// An operation of the plan: the job is due, or put off by a time of its own.
    pub fn begin(&mut self, operation: &Operation, out: &mut Out) {
        let op = operation.id;
        out.report((self.id, Said::Begins { op, f: "job", key: Some(op), input: Given::Nil }));
        let put_off = hash_draw(self.seed, &[7, u64::from(op)]) % (self.config.spread_ms * MILLI + 1);
        self.said.insert(op, 0);
        out.timer(put_off, Timer::Due(op));
    }

    /// The job is due now.
    pub fn due(&mut self, job: u32, out: &mut Out) {
        let Some(said) = self.said.get_mut(&job) else { return };
        if *said == 0 {
            fact(out, self.id, "due", i64::from(job));
        }
        *said += 1;
        if *said < TIMES_MAX {
            out.timer(AGAIN_MS * MILLI, Timer::Due(job));
        }
        for server in 0..self.config.servers {
            out.send(server, Say::Due(job));
        }
    }

    /// The job runs.
    pub fn runs(&mut self, op: u32, out: &mut Out) {
        self.said.remove(&op);
        out.report((self.id, Said::Ends { op, ended: Ended::Ok, output: Given::Nil }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulation::Message;

    const CLOCK: NodeId = 9;

    /// How often the job is launched by these orders.
    fn launches(orders: &[(u64, bool)]) -> usize {
        let mut executor = Executor::new(3, Arc::new(CronConfig::default()), CLOCK);
        let mut out = Out::default();
        for (term, named) in orders {
            executor.hear(0, Say::Launch { job: 7, term: *term, named: *named }, &mut out);
        }
        out.sent().iter().filter(|(to, _, message)| (*to, message.says()) == (CLOCK, "job 7 runs".to_owned())).count()
    }

    #[test]
    fn a_name_is_launched_once_and_an_old_leader_launches_nothing() {
        assert_eq!(launches(&[(1, true), (1, true), (2, true)]), 1);
        assert_eq!(launches(&[(1, false), (2, false)]), 2);
        assert_eq!(launches(&[(2, false), (1, false)]), 1, "the second order is of an older leader");
    }

    #[test]
    fn who_asks_is_told_and_bars_older_leaders() {
        let mut executor = Executor::new(3, Arc::new(CronConfig::default()), CLOCK);
        let mut out = Out::default();
        executor.hear(0, Say::Query(7, 2), &mut out);
        executor.hear(1, Say::Launch { job: 7, term: 1, named: false }, &mut out);
        executor.hear(0, Say::Query(7, 2), &mut out);
        let said: Vec<String> = out.sent().iter().map(|(_, _, message)| message.says()).collect();
        assert_eq!(said, ["no", "no"], "what was asked about stays as it was told");
    }
}
