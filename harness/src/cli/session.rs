//! What `run` and `replay` have in common: interrupts, progress, metrics, the summary.

use super::{SessionArgs, print};
use crate::error::Error;
use crate::observer::Observers;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::run::{Setting, run};
use crate::store::RunFolder;
use crate::verdict::Judged;
use checkers::{Options, Report, Verdict};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Options of the checkers from the command line.
pub fn options(divide_bounds: u64, threads: Option<u16>) -> Options {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Options { divisor: divide_bounds, threads: threads.map_or(cores, usize::from), ..Options::default() }
}

/// Colour only where it can be seen and is wanted.
pub fn coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Runs a plan and shows what came of it.
pub fn perform(plan: &Plan, scenario: Option<&str>, arguments: &SessionArgs) -> Result<u8, Error> {
    let (_, judged) = once(plan, scenario, arguments, &*stop_flag()?, arguments.json)?;
    if arguments.json {
        print(&reports::json::summary(&judged.run()).to_json())?;
    } else {
        print(&reports::terminal::summary(&judged.run(), coloured()))?;
    }
    Ok(judged.report.verdict.exit_code())
}

/// Runs a plan into the store, with progress and metrics; `quiet` leaves out the lines at its beginning.
pub fn once(
    plan: &Plan,
    scenario: Option<&str>,
    arguments: &SessionArgs,
    stop: &AtomicBool,
    quiet: bool,
) -> Result<(RunFolder, Judged), Error> {
    let mut observers = Observers::default();
    let _server = match arguments.metrics {
        Some(address) => {
            let metrics = crate::metrics::Metrics::new();
            let server = metrics.serve(address).map_err(|e| Error::usage(e.to_string()))?;
            eprintln!("metrics on http://{}/metrics", server.address());
            observers.0.push(Box::new(crate::measuring::Measuring::new(metrics, plan)));
            Some(server)
        }
        None => None,
    };
    observers.0.push(Box::new(Progress::new(plan)));
    let options = options(arguments.divide_bounds, arguments.threads);
    let mut begun = |header: &history::Header, facts: &reports::RunFacts| {
        if !quiet {
            // A summary that nobody reads any more is no reason to stop a run.
            let report = Report {
                verdict: Verdict::Inconclusive,
                checks: vec![],
                reasons: vec![],
                convergence: None,
                suspect: None,
            };
            let run = reports::Run { header, events: &Vec::new(), report: &report, facts };
            let _ = print(&reports::terminal::opening(&run, coloured()));
        }
    };
    let setting = Setting {
        store: &arguments.store,
        scenario,
        observer: &mut observers,
        stop,
        options: &options,
        measure: true,
        begun: &mut begun,
    };
    run(plan, setting)
}

/// The first Ctrl-C (or SIGTERM) heals and reports, the second exits at once: the supervisor cleans up then.
pub fn stop_flag() -> Result<Arc<AtomicBool>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    let fail = |error: std::io::Error| Error::harness(format!("signals cannot be handled: {error}"));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop)).map_err(fail)?;
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(fail)?;
    }
    stop.store(false, Ordering::Relaxed);
    Ok(stop)
}
