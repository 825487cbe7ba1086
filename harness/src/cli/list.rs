//! `upheaval list scenarios|systems|faults|checkers|bugs`.

use super::{ListArgs, print, print_json};
use crate::error::Error;
use crate::scenario::{BUILT_IN, Scenario};
use clap::ValueEnum;
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
    let row = |name: &str, about: &str, zookeeper: bool| {
        let systems: &[&str] = if zookeeper { &["registry", "zookeeper"] } else { &["registry"] };
        json!({ "name": name, "about": about, "systems": systems })
    };
    vec![
        row("kill", "kill -9, volatile state lost, started again at the end", true),
        row("pause", "stands still (SIGSTOP) and goes on at the end", true),
        row("partition", "links cut: isolate, one-way-out, one-way-in, minority, clients", true),
        row("clock-step", "one node's clock jumps, and jumps back at the end", true),
        row("clock-drift", "one node's clock runs fast or slow", false),
        row("delay", "links are slow", false),
        row("loss", "links lose messages", false),
    ]
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
    Bug::ALL
        .iter()
        .map(|bug| {
            json!({
                "name": bug.name(),
                "about": bug.about(),
                "guarantee": bug.kind(),
                "source": bug.source(),
                "scenario": crate::bugs::scenario(*bug),
            })
        })
        .collect()
}
