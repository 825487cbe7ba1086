//! `upheaval list scenarios|systems|faults|checkers|models|bugs`.

use super::{ListArgs, print, print_json};
use crate::error::Error;
use crate::scenario::{BUILT_IN, Scenario};
use clap::ValueEnum;
use history::{FaultKind, word};
use nemesis::{Pattern, Shape};
use serde_json::{Value, json};
use systems::registry::Bug;

/// What can be listed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum What {
    /// Scenarios that the program brings along.
    Scenarios,
    /// Systems that it can drive.
    Systems,
    /// Faults that it can inject.
    Faults,
    /// Checkers that judge histories.
    Checkers,
    /// Models that operation histories are judged by.
    Models,
    /// Bugs that can be planted in the embedded registry.
    Bugs,
}

/// Version of the schema of lists.
const SCHEMA: u32 = 1;

/// Lists.
pub fn list(arguments: &ListArgs) -> Result<u8, Error> {
    let (name, rows) = match arguments.what {
        What::Scenarios => ("scenarios", scenarios()?),
        What::Systems => ("systems", systems()),
        What::Faults => ("faults", faults()),
        What::Checkers => ("checkers", checkers()),
        What::Models => ("models", models()),
        What::Bugs => ("bugs", bugs()),
    };
    if arguments.json {
        print_json(&json!({ "schema": SCHEMA, name: rows }))?;
        return Ok(0);
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let width = rows.iter().map(|row| text(row, "name").len()).max().unwrap_or(0);
    let lines: Vec<String> =
        rows.iter().map(|row| format!("{:width$}  {}", text(row, "name"), text(row, "about"))).collect();
    print(&lines.join("\n"))?;
    Ok(0)
}

fn models() -> Vec<Value> {
    let model = |model: &checkers::linearizability::ModelName| json!({ "name": model.name(), "about": model.about() });
    let menu = |checker: &checkers::menu::MenuName| json!({ "name": checker.name(), "about": checker.about() });
    let models = checkers::linearizability::ModelName::ALL.iter().map(model);
    let workload =
        |workload: &checkers::transactions::Workload| json!({ "name": workload.name(), "about": workload.about() });
    let models = models.chain(checkers::menu::MenuName::ALL.iter().map(menu));
    models.chain(checkers::transactions::Workload::ALL.iter().map(workload)).collect()
}

fn scenarios() -> Result<Vec<Value>, Error> {
    BUILT_IN
        .iter()
        .map(|(name, text)| {
            let scenario = Scenario::parse(name, text, &[])?;
            Ok(json!({
                "name": name,
                "about": scenario.about,
                "system": scenario.system,
                "claims": scenario.claims,
                "clients": scenario.workload.clients,
                "chaos_ms": scenario.time.chaos_ms,
            }))
        })
        .collect()
}

fn systems() -> Vec<Value> {
    vec![
        json!({
            "name": "registry",
            "about": "embedded registry in the manner of SOFARegistry 6, simulated in virtual time; needs nothing",
            "virtual_time": true,
        }),
        json!({
            "name": "zookeeper",
            "about": "real ZooKeeper: three nodes started here (root, Java, Debian's zookeeper package), or one that runs already",
            "virtual_time": false,
        }),
    ]
}

fn faults() -> Vec<Value> {
    let kinds = FaultKind::PLANNED.into_iter().map(|kind| {
        let (about, zookeeper) = about(kind);
        let systems: &[&str] = if zookeeper { &["registry", "zookeeper"] } else { &["registry"] };
        json!({ "name": word(&kind), "about": about, "sort": "kind", "systems": systems })
    });
    let patterns = Pattern::ALL.into_iter().map(|pattern| {
        // Real links cannot be made slow by this version.
        let anywhere = pattern.role().is_none() && pattern != Pattern::DelaySpikes;
        let systems: &[&str] = if anywhere { &["registry", "zookeeper"] } else { &["registry"] };
        json!({ "name": word(&pattern), "about": format!("pattern: {}", pattern.about()), "sort": "pattern", "systems": systems })
    });
    kinds.chain(patterns).collect()
}

/// What a kind of fault is, and whether real ZooKeeper nodes can have it too.
fn about(kind: FaultKind) -> (String, bool) {
    let (about, zookeeper) = match kind {
        FaultKind::Kill => ("kill -9, volatile state lost, started again at the end", true),
        FaultKind::Pause => ("stands still (SIGSTOP) and goes on at the end", true),
        FaultKind::Partition => {
            let shapes: Vec<String> = Shape::ALL.iter().map(word).collect();
            return (format!("links cut: {}", shapes.join(", ")), true);
        }
        FaultKind::Delay => ("links are slow", false),
        FaultKind::Loss => ("links lose messages", false),
        FaultKind::ClockStep => ("one node's clock jumps, and jumps back at the end", true),
        FaultKind::ClockDrift => ("one node's clock runs fast or slow", false),
        FaultKind::Slow => ("each step of a node takes time, and what it cannot do at once waits", false),
        FaultKind::HalfDead => ("a node's heartbeats are answered while its work stands still", false),
        FaultKind::Duplicate => ("links deliver some messages twice", false),
        FaultKind::Reorder => ("links let some messages overtake others", false),
        FaultKind::Throttle => ("links carry few bytes a second, messages queue up", false),
        FaultKind::StaleTable => ("a node takes no newer routing table than the one that it has", false),
        FaultKind::Rebalance => ("leaders of slots change hands, as in daily life: no failure, but no calm", false),
        FaultKind::MasterLag => ("the master itself was late; found, never planned", true),
    };
    (about.to_owned(), zookeeper)
}

fn checkers() -> Vec<Value> {
    let row = |name: &str, about: &str| json!({ "name": name, "about": about });
    vec![
        row("convergence", "how long is eventually: stale views, late changes, wrong at the end"),
        row("completeness", "was ever too little pushed: incomplete and torn pushes"),
        row("ghosts", "was anything wrong pushed: phantoms, duplicates, ghosts"),
        row("order", "did a view ever go back"),
    ]
}

fn bugs() -> Vec<Value> {
    let row = |bug: &Bug| {
        let hunt = crate::bugs::hunt(*bug);
        json!({
            "name": bug.name(),
            "about": bug.about(),
            "guarantee": bug.kind(),
            "source": bug.source(),
            "scenario": hunt.scenario,
            "seeds_median": hunt.seeds_median,
        })
    };
    Bug::ALL.iter().map(row).collect()
}
