//! The command line: arguments become low-level values here, and are acted on in one file for each command.

mod again;
mod check;
mod claims;
mod doctor;
mod explore;
mod gate;
mod histories;
mod list;
mod operations;
mod pages;
mod probe;
mod replay;
mod run;
mod session;
mod shrink;
mod walk;

use crate::error::Error;
use clap::{Args, Parser, Subcommand};
pub(crate) use explore::{quoted, seeds};
use std::path::PathBuf;

/// Seeds are whole numbers that every JSON reader keeps exactly.
pub(crate) const SEED_MAX: u64 = (1 << 53) - 1;

/// Chaos and consistency verification for service registries and coordination systems.
///
/// Exit codes: 0 pass, 1 violation, 2 usage or configuration, 3 inconclusive, 4 harness error, 5 objective missed (gate).
#[derive(Parser, Debug)]
#[command(name = "upheaval", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a scenario: a file, or the name of a built-in one.
    Run(RunArgs),
    /// Run a stored run or an edited plan again.
    Replay(ReplayArgs),
    /// Run many seeds of a scenario in virtual time, on all cores; the same command again goes on where it stopped.
    Explore(ExploreArgs),
    /// Decide by a suite of scenarios, systems and seeds whether a build may go on.
    Gate(GateArgs),
    /// Watch a registry in production, as a client that injects no fault.
    Probe(ProbeArgs),
    /// Find a smaller plan that fails the same way, and tell its story.
    Shrink(ShrinkArgs),
    /// Check a stored history again.
    Check(CheckArgs),
    /// Put every claim of the background to the test, each with the verdict that is predicted.
    Claims(ClaimsArgs),
    /// Look into a history.
    History {
        #[command(subcommand)]
        what: HistoryCommand,
    },
    /// Make the report of a stored run again.
    Report(ReportArgs),
    /// List what this program has.
    List(ListArgs),
    /// Say what this host can do, and what is missing for the rest.
    Doctor(JsonArgs),
    /// Print a completion script for a shell.
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder.
    Man {
        /// The folder; made if it is missing.
        folder: PathBuf,
    },
}

/// How a run is made, stored and shown.
#[derive(Args, Debug, Clone)]
struct SessionArgs {
    /// Where runs are kept.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    store: PathBuf,
    /// Print one JSON object on standard output instead of the summary.
    #[arg(long)]
    json: bool,
    /// Serve metrics for Prometheus on this address while the run goes.
    #[arg(long, value_name = "ADDR")]
    metrics: Option<std::net::SocketAddr>,
    /// Divide every bound of the contract by this: shows how sensitive a pass is.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    divide_bounds: u64,
    /// Threads for checking; the result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// A scenario file, or a name from `upheaval list scenarios`.
    scenario: String,
    /// The seed: the same scenario, seed and version give the same plan everywhere. Drawn and printed if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=SEED_MAX))]
    seed: Option<u64>,
    /// Change a key of the scenario: --set workload.clients=200. Can be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Plant a bug in the embedded registry, see `upheaval list bugs`.
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Write the plan to this file and do not run it.
    #[arg(long, value_name = "FILE")]
    plan_only: Option<PathBuf>,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Args, Debug)]
struct ReplayArgs {
    /// The folder of a run, or a plan file.
    what: PathBuf,
    /// Stop a virtual run at this time (3.2s, 450ms), show what every node holds, and go no further.
    #[arg(long, value_name = "TIME", value_parser = walk::instant, conflicts_with = "times")]
    until: Option<history::Nanos>,
    /// Go through a virtual run step by step, from --until or from its beginning; commands are read from standard input.
    #[arg(long, conflicts_with_all = ["times", "json"])]
    step: bool,
    /// Show every message of this node (or client-N), and what it holds. Can be given several times.
    #[arg(long, value_name = "NODE", conflicts_with = "times")]
    trace: Vec<String>,
    /// Run the plan so many times and say how often it failed the same way: for real systems, whose runs differ.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    times: Option<u32>,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Args, Debug)]
struct ExploreArgs {
    /// A scenario file, or a name from `upheaval list scenarios`: `swarm` is made for this.
    scenario: String,
    /// Which seeds: A..B is A and everything above it below B.
    #[arg(long, value_name = "A..B", default_value = "0..1000", value_parser = explore::seeds)]
    seeds: std::ops::Range<u64>,
    /// Threads; as many as there are cores if not given. The result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Stop at the first seed that fails.
    #[arg(long)]
    until_failure: bool,
    /// Begin no seed after this time: 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = explore::duration)]
    time: Option<std::time::Duration>,
    /// Change a key of the scenario: --set workload.clients=200. Can be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Plant a bug in the embedded registry, see `upheaval list bugs`.
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Run this many seeds in 1,000 twice, to see that both runs give the same history.
    #[arg(long, value_name = "PERMILLE", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=1000))]
    twice: u32,
    /// Divide every bound of the contract by this.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    divide_bounds: u64,
    /// Where results are kept, in a folder of their own.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    store: PathBuf,
    /// Print one JSON object on standard output instead of the summary.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct GateArgs {
    /// A suite file, or the name of a built-in one: nightly, with-bug.
    suite: String,
    /// Say what would run and for how long, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// What the random seeds are drawn from: the date if not given, 20261122.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=SEED_MAX))]
    night: Option<u64>,
    /// Threads for virtual runs; as many as there are cores if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Leave out the hooks deploy, promote and reject.
    #[arg(long)]
    no_hooks: bool,
    /// Write JUnit's XML to this file too; it is always in the gate's folder.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the figures of this build to a file that later suites name as their baseline.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Write GitHub's annotations and step summary; done by itself where GITHUB_ACTIONS is true.
    #[arg(long)]
    github: bool,
    /// Where runs and the gate's folder are kept.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    store: PathBuf,
    /// Print one JSON object on standard output instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct ProbeArgs {
    /// The configuration.
    #[arg(value_name = "CONFIG.toml")]
    config: PathBuf,
    /// Stop after this time: 10m, 2h. Then the exit code is 1 if there was an incident, 3 if nothing could be judged.
    #[arg(long = "for", value_name = "TIME", value_parser = explore::duration)]
    duration: Option<std::time::Duration>,
    /// Only read and check the configuration and the secrets that it names.
    #[arg(long)]
    check: bool,
}

#[derive(Args, Debug)]
struct ShrinkArgs {
    /// The folder of a run that shows a violation, or a plan file.
    what: PathBuf,
    /// Stop looking for something smaller after so long: 60s, 5m. The result says whether it was cut short.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = explore::duration)]
    time: std::time::Duration,
    /// Plans tried at the same time; the result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Where the shrunk run is kept.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    store: PathBuf,
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct CheckArgs {
    /// History files, or the folder of a run.
    #[arg(required = true, value_name = "HISTORY")]
    histories: Vec<PathBuf>,
    /// Only these checkers: convergence, completeness, ghosts, order.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "model")]
    checker: Vec<String>,
    /// Divide every bound of the contract by this.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000), conflicts_with = "model")]
    divide_bounds: u64,
    /// Threads; the result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    operations: OperationsArgs,
}

#[derive(Args, Debug)]
struct ClaimsArgs {
    /// Only this part (U) or this claim (U4).
    #[arg(long, value_name = "ID")]
    only: Option<String>,
    /// Try what should hold with so many seeds; 500 if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: Option<u64>,
    /// Threads; as many as there are cores if not given. The result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Write the page that tells each claim's story to this file.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Print one JSON object on standard output instead of the table.
    #[arg(long)]
    json: bool,
}

/// How operation histories (Jepsen's, or the operations of ours) are judged.
#[derive(Args, Debug)]
struct OperationsArgs {
    /// Judge the operations by this model, see `upheaval list models`; without it by the only one that they fit, if there is
    /// only one.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// What objects hold at first, as EDN: 0, nil, "a", {:x 0 :y 1}, or x=0,y=1.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    initial: Option<String>,
    /// The consistency model that transactions are to obey: strict-serializable, serializable, snapshot-isolation, causal,
    /// read-atomic, read-committed or another one of docs/checkers.md. What it permits is reported and no violation.
    #[arg(long, value_name = "NAME", default_value = "strict-serializable")]
    consistency_model: String,
    /// What may be taken for granted of each register (rw-register): its versions follow the order of each process, or of time.
    #[arg(long, value_name = "ORDER", value_parser = ["sequential", "linearizable"])]
    keys: Option<String>,
    /// A transaction that reads a register and writes it makes the version after the one it read (rw-register).
    #[arg(long)]
    writes_follow_reads: bool,
    /// What a failed compare-and-set means: it saw another value (observed), or nothing (did-not-happen).
    #[arg(long, value_name = "MEANING", value_parser = ["observed", "did-not-happen"], default_value = "did-not-happen")]
    failed_cas: String,
    /// Give up a file after this time: 500ms, 60s, 5m.
    #[arg(long, value_name = "TIME", value_parser = operations::duration, default_value = "60s")]
    time_limit: std::time::Duration,
    /// Give up a file rather than hold more memory: 500MiB, 4GiB.
    #[arg(long, value_name = "BYTES", value_parser = operations::bytes, default_value = "4GiB")]
    memory_limit: u64,
    /// Draw the contradictions into this HTML file.
    #[arg(long, value_name = "FILE")]
    explain: Option<PathBuf>,
    /// The format of the files instead of what their content says: edn, json, log, upheaval.
    #[arg(long, value_name = "NAME", value_parser = ["edn", "json", "log", "upheaval"])]
    format: Option<String>,
}

#[derive(Subcommand, Debug)]
enum HistoryCommand {
    /// Print it, one line an event.
    Cat(HistoryArgs),
    /// Count what is in it.
    Stats(HistoryArgs),
    /// Print it as plain JSON Lines.
    Export {
        #[command(flatten)]
        history: HistoryArgs,
        /// Write contents in full, not as differences.
        #[arg(long)]
        full_snapshots: bool,
        /// Only its operations, of any history that `check` reads: as EDN that Jepsen, Knossos and Elle read (edn), or in our own
        /// format for operations, which is smaller and read faster (upheaval).
        #[arg(long, value_name = "FORMAT", value_parser = ["edn", "upheaval"], conflicts_with = "full_snapshots")]
        operations: Option<String>,
        /// To this file instead of standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
struct HistoryArgs {
    /// A history file, or the folder of a run.
    history: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct ReportArgs {
    /// The folder of a run.
    run: PathBuf,
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct ListArgs {
    /// Of what.
    #[arg(value_enum)]
    what: list::What,
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct JsonArgs {
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// Parses the command line and acts on it; the exit code is that of the verdict.
pub fn main() -> Result<u8, Error> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            // A closed standard output is no reason to fail.
            let _ = error.print();
            return Ok(code);
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("UPHEAVAL_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    match cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Replay(arguments) => replay::replay(arguments),
        Command::Explore(arguments) => explore::explore(arguments),
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Probe(arguments) => probe::probe(&arguments),
        Command::Shrink(arguments) => shrink::shrink(&arguments),
        Command::Claims(arguments) => claims::claims(&arguments),
        Command::Check(arguments) => check::check(arguments),
        Command::History { what } => histories::history(what),
        Command::Report(arguments) => check::report(arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Completions { shell } => pages::completions(shell),
        Command::Man { folder } => pages::man(&folder),
    }
}

/// Prints a line or more on standard output; a reader that went away (`| head`) is no error.
fn print(text: &str) -> Result<(), Error> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") })
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::harness(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a value as one JSON object.
fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    print(&serde_json::to_string_pretty(value).map_err(|e| Error::harness(format!("JSON: {e}")))?)
}
