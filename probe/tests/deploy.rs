//! What is shipped in `deploy/probe` works: alert rules against recorded series, the dashboard's metrics exist, examples are sound.
#![allow(clippy::unwrap_used)]

use probe::config::Config;
use probe::figures::Figures;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn shipped(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/probe").join(name)
}

#[test]
fn alert_rules_do_what_recorded_series_ask_for() {
    let output = Command::new("promtool").args(["test", "rules"]).arg(shipped("rules.test.yml")).output();
    let Ok(output) = output else {
        let test = "alert_rules_do_what_recorded_series_ask_for";
        assert!(std::env::var_os("UPHEAVAL_REQUIRE_ALL").is_none(), "{test}: promtool is not installed");
        return println!("skipped: {test}: promtool is not installed");
    };
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn rules_and_dashboard_name_metrics_that_exist() {
    let figures = Figures::new(&["a:1".to_owned()]).text();
    let rules = fs::read_to_string(shipped("rules.yml")).unwrap();
    let recorded: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).collect();
    for file in ["rules.yml", "grafana-dashboard.json"] {
        let text = fs::read_to_string(shipped(file)).unwrap();
        let mut found = 0;
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')) {
            if word.starts_with("upheaval_probe_") {
                found += 1;
                let base = word.trim_end_matches("_total").trim_end_matches("_bucket");
                assert!(
                    figures.contains(&format!("# TYPE {base} ")) || figures.contains(word),
                    "{file}: {word}\n{figures}"
                );
            } else if word.starts_with("upheaval_probe:") {
                assert!(recorded.contains(&word), "{file}: {word}");
            }
        }
        assert!(found > 10, "{file}");
    }
    let dashboard = fs::read_to_string(shipped("grafana-dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 10);
}

#[test]
fn examples_are_sound() {
    for name in ["zookeeper.toml", "local.toml"] {
        let text = fs::read_to_string(shipped(name)).unwrap();
        let config = Config::parse(name, &text).unwrap();
        assert!(config.http.listen.ip().is_loopback());
        // What is commented out is sound, too, once it is taken in.
        let whole: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(line) if line.contains(" = ") || line.starts_with('[') => format!("{line}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let whole = whole.replace("listen = \"127.0.0.1:9464\"\n", "");
        Config::parse(name, &whole).unwrap();
    }
}
