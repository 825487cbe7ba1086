//! The reference in docs/ is made from the code and cannot go stale. `UPHEAVAL_UPDATE=1 cargo test -p upheaval --test reference`
//! writes it anew.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, run, run_json};
use harness::metrics::Metrics;
use harness::scenario::Scenario;
use std::fmt::Write;

/// Tables of a scenario file: their title, the struct behind them and its source.
const TABLES: &[(&str, &str, &str)] = &[
    ("", "Scenario", include_str!("../src/scenario.rs")),
    ("time", "Times", include_str!("../src/scenario.rs")),
    ("workload", "PubSub", include_str!("../../workloads/src/pubsub.rs")),
    ("workload.weights", "Weights", include_str!("../../workloads/src/pubsub.rs")),
    ("workload.storms", "Storm", include_str!("../../workloads/src/pubsub.rs")),
    ("behaviour", "ClientBehaviour", include_str!("../../workloads/src/planned.rs")),
    ("faults", "Schedule", include_str!("../../nemesis/src/schedule.rs")),
    ("faults.fixed", "FixedFault", include_str!("../../nemesis/src/fixed.rs")),
    ("contract", "Contract", include_str!("../../history/src/contract.rs")),
    ("swarm", "Swarm", include_str!("../src/swarm.rs")),
    ("registry", "RegistryConfig", include_str!("../../systems/src/registry/config.rs")),
    ("zookeeper", "ZooKeeperConfig", include_str!("../../systems/src/zookeeper/config.rs")),
];

/// Tables of a suite file.
const SUITES: &[(&str, &str)] = &[
    ("", "Suite"),
    ("systems", "Variant"),
    ("runs", "Entry"),
    ("objectives", "Objective"),
    ("hooks", "Hooks"),
    ("hooks.NAME", "Hook"),
];

/// Tables of a probe's configuration.
const PROBE: &[(&str, &str)] = &[
    ("registry", "RegistryConfig"),
    ("registry.auth", "AuthConfig"),
    ("registry.tls", "ClientTls"),
    ("canaries", "CanaryConfig"),
    ("objectives", "Objectives"),
    ("caps", "Caps"),
    ("evidence", "EvidenceConfig"),
    ("http", "HttpConfig"),
    ("http.tls", "ServerTls"),
    ("webhooks", "WebhookConfig"),
    ("webhooks.tls", "ClientTls"),
];

/// One key: its name, its type as the code has it, and what its documentation says.
struct Key {
    name: String,
    sort: String,
    about: String,
}

/// The public fields of a struct, read from its source.
fn keys(source: &str, name: &str) -> Vec<Key> {
    let head = format!("pub struct {name} {{");
    let body = source.split_once(&head).unwrap_or_else(|| panic!("{name}: no such struct")).1;
    let body = body.split_once("\n}").unwrap().0;
    let (mut keys, mut about) = (Vec::new(), String::new());
    for line in body.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            about.push_str(words);
        } else if let Some((name, sort)) = line.strip_prefix("pub ").and_then(|field| field.split_once(": ")) {
            let sort = sort.trim_end_matches(',').to_owned();
            keys.push(Key { name: name.to_owned(), sort, about: plain(about.trim()) });
            about.clear();
        } else if !line.starts_with("#[") {
            about.clear();
        }
    }
    assert!(!keys.is_empty(), "{name}: no fields");
    keys
}

/// Links of rustdoc become plain code.
fn plain(about: &str) -> String {
    about.replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

/// What a key is if a file does not say it.
fn defaults() -> toml::Table {
    let text = "name = \"none\"\nabout = \"Nothing.\"\nsystem = \"registry\"\n[swarm]\n";
    let scenario = Scenario::parse("none", text, &[]).unwrap();
    toml::Value::try_from(scenario).unwrap().as_table().unwrap().clone()
}

fn find<'a>(table: &'a toml::Table, path: &str) -> Option<&'a toml::Table> {
    path.split('.').filter(|part| !part.is_empty()).try_fold(table, |table, part| table.get(part)?.as_table())
}

fn scenarios(page: &mut String) {
    let defaults = defaults();
    page.push_str(
        "\n## Scenario files\n\nTOML; unknown keys are refused. `--set KEY=VALUE` changes any of them. Pairs are ranges, both ends \
         included. What a key is if the file does not say it stands in the second column.\n",
    );
    for (title, name, source) in TABLES {
        match *title {
            "" => page.push_str("\n### At the top\n"),
            "contract" => page.push_str("\n### `[contract]`: bounds tighter than those that the system promises\n"),
            title => _ = write!(page, "\n### `[{title}]`\n"),
        }
        page.push_str("\n| key | default | |\n|---|---|---|\n");
        let table = find(&defaults, title);
        let tightened = keys(include_str!("../src/plan.rs"), "Tightened");
        for key in keys(source, name) {
            if *name == "Contract" && tightened.iter().all(|known| known.name != key.name) {
                continue;
            }
            let nested =
                TABLES.iter().any(|(other, ..)| *other == format!("{title}.{}", key.name).trim_start_matches('.'));
            let default = match table.and_then(|table| table.get(&key.name)) {
                _ if nested => String::new(),
                Some(value) if !title.is_empty() && *title != "contract" => format!("`{value}`"),
                _ => String::new(),
            };
            writeln!(page, "| `{}` | {default} | {} |", key.name, key.about).unwrap();
        }
    }
}

/// Tables of a file: their titles, the structs behind them and their source.
fn tables(page: &mut String, tables: &[(&str, &str)], source: &str) {
    for (title, name) in tables {
        let title = if title.is_empty() { "At the top".to_owned() } else { format!("`[{title}]`") };
        write!(page, "\n### {title}\n\n| key | type | |\n|---|---|---|\n").unwrap();
        for key in keys(source, name) {
            writeln!(page, "| `{}` | `{}` | {} |", key.name, key.sort, key.about).unwrap();
        }
    }
}

fn suites(page: &mut String) {
    page.push_str("\n## Suite files (`upheaval gate`)\n");
    tables(page, SUITES, include_str!("../src/gate/suite.rs"));
    page.push_str("\n## Configuration of a probe (`upheaval probe`)\n");
    tables(page, PROBE, concat!(include_str!("../../probe/src/config.rs"), include_str!("../../probe/src/tls.rs")));
}

fn lists(page: &mut String) {
    let scratch = Scratch::new("reference");
    for (what, title) in [
        ("systems", "Systems"),
        ("scenarios", "Built-in scenarios"),
        ("faults", "Faults (`faults.kinds`, `faults.patterns`)"),
        ("checkers", "Checkers of registries"),
        ("models", "Models and checkers of operation histories"),
        ("bugs", "Planted bugs of the embedded registry"),
    ] {
        write!(page, "\n## {title}\n\n| name | |\n|---|---|\n").unwrap();
        let (_, list) = run_json(&scratch.0, &["list", what]);
        for row in list[what].as_array().unwrap() {
            let (name, about) = (row["name"].as_str().unwrap(), row["about"].as_str().unwrap());
            writeln!(page, "| `{name}` | {} |", about.replace('|', "\\|")).unwrap();
        }
    }
}

fn metrics(page: &mut String) {
    page.push_str("\n## Metrics of a run (`--metrics ADDR`)\n\n| name | type | |\n|---|---|---|\n");
    told(page, &Metrics::new().text());
    page.push_str("\n## Metrics of a probe\n\n| name | type | |\n|---|---|---|\n");
    told(page, &probe::figures::Figures::new(&["host:1".to_owned()]).text());
}

fn told(page: &mut String, text: &str) {
    let words = |line: &str| {
        let mut words = line.splitn(4, ' ').skip(2).map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap_or_default())
    };
    let about = text.lines().filter(|line| line.starts_with("# HELP")).map(words);
    for (name, about) in about {
        let sort = text.lines().filter(|line| line.starts_with("# TYPE")).map(words).find(|(of, _)| *of == name);
        writeln!(page, "| `{name}` | {} | {about} |", sort.unwrap().1).unwrap();
    }
}

fn commands(page: &mut String) {
    page.push_str("\n## Commands\n\n");
    let scratch = Scratch::new("reference-help");
    let help = |arguments: &[&str]| String::from_utf8(run(&scratch.0, &[arguments, &["-h"]].concat()).stdout).unwrap();
    let top = help(&[]);
    let listed = top.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in listed.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help") {
        let text: Vec<String> =
            help(&[command]).lines().map(|line| format!("    {line}").trim_end().to_owned()).collect();
        write!(page, "### upheaval {command}\n\n{}\n\n", text.join("\n")).unwrap();
    }
}

#[test]
fn the_reference_is_what_the_code_says() {
    let mut page = String::from(
        "# Reference\n\nMade from the code by `UPHEAVAL_UPDATE=1 cargo test -p upheaval --test reference`; do not edit.\n",
    );
    scenarios(&mut page);
    suites(&mut page);
    lists(&mut page);
    metrics(&mut page);
    commands(&mut page);
    let page = format!("{}\n", page.trim_end());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference.md");
    if std::env::var_os("UPHEAVAL_UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let differs = page.lines().zip(kept.lines()).find(|(new, old)| new != old);
    assert!(
        page == kept,
        "docs/reference.md is not what the code says, first at {differs:?}; UPHEAVAL_UPDATE=1 mends it"
    );
}
