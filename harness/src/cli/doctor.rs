//! `upheaval doctor`: what this host can do.

use super::{JsonArgs, print, print_json};
use crate::error::Error;
use serde_json::json;

/// Version of the schema of `doctor --json`.
const SCHEMA: u32 = 1;

/// Tries out what this host can do. Leaves nothing behind.
pub fn doctor(arguments: &JsonArgs) -> Result<u8, Error> {
    let swept = nemesis::linux::sweep();
    let faults = nemesis::linux::doctor();
    let zookeeper = systems::zookeeper::doctor();
    if arguments.json {
        let systems = json!([
            { "name": "registry", "available": true, "note": "" },
            { "name": "zookeeper", "available": zookeeper.is_ok(), "note": zookeeper.as_ref().err() },
        ]);
        print_json(&json!({ "schema": SCHEMA, "systems": systems, "faults": faults }))?;
        return Ok(0);
    }
    let mark = |available: bool| if available { "yes" } else { "no " };
    let mut lines = vec!["systems".to_owned(), format!("  {}  registry   embedded, virtual time", mark(true))];
    let note = zookeeper.as_ref().err().map(String::as_str).unwrap_or("three nodes in network namespaces");
    lines.push(format!("  {}  zookeeper  {note}", mark(zookeeper.is_ok())));
    lines.push("faults on real systems".to_owned());
    for c in &faults {
        lines.push(format!("  {}  {:<12} {:<45} {}", mark(c.available), c.name, c.mechanism, c.note));
    }
    for swept in &swept {
        lines.push(match &swept.outcome {
            Ok(()) => format!("cleaned up after run {}, which had been killed", swept.run),
            Err(error) => format!("run {} had been killed and left something behind: {error}", swept.run),
        });
    }
    print(&lines.join("\n"))?;
    Ok(0)
}
