//! Licences, bans and sources of every dependency, read from `cargo metadata` and compared with deny.toml.
//!
//! cargo-deny does this better, but building it takes longer than the whole of CI on a small machine; so this is enough to
//! keep the tree clean everywhere, and cargo-deny has its say where it is installed.

use crate::spdx;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What deny.toml says, as far as it is needed here.
struct Rules {
    licences: Vec<String>,
    banned: Vec<String>,
}

/// Checks the whole tree, and lists everything that is wrong with it.
pub fn check(root: &Path) -> Result<(), String> {
    let path = root.join("deny.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let rules = Rules { licences: list(&text, "licenses", "allow")?, banned: list(&text, "bans", "deny")? };
    let packages = packages(root)?;
    let faults: Vec<String> = packages.iter().flat_map(|package| judge(package, &rules)).collect();
    if !faults.is_empty() {
        return Err(format!("deny.toml does not allow this:\n  {}", faults.join("\n  ")));
    }
    println!("{} packages: licences, bans and sources as deny.toml says", packages.len());
    cargo_deny(root)
}

/// Everything that is wrong with one package.
fn judge(package: &Value, rules: &Rules) -> Vec<String> {
    let text = |key: &str| package[key].as_str();
    let name = text("name").unwrap_or("?");
    let who = format!("{name} {}", text("version").unwrap_or("?"));
    let mut faults = Vec::new();
    match text("license").map(|expression| (expression, spdx::allowed(expression, &rules.licences))) {
        None => faults.push(format!("{who}: names no licence")),
        Some((expression, Ok(false))) => faults.push(format!("{who}: licence {expression}")),
        Some((_, Err(why))) => faults.push(format!("{who}: its licence cannot be understood: {why}")),
        Some((_, Ok(true))) => {}
    }
    if rules.banned.iter().any(|banned| banned == name) {
        faults.push(format!("{who}: is banned"));
    }
    // Members of the workspace have no source.
    if let Some(source) = text("source")
        && source != CRATES_IO
    {
        faults.push(format!("{who}: comes from {source}"));
    }
    faults
}

/// All packages of the tree, for every platform.
fn packages(root: &Path) -> Result<Vec<Value>, String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot run cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed ({})", output.status));
    }
    let mut metadata: Value = serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    match metadata["packages"].take() {
        Value::Array(packages) if !packages.is_empty() => Ok(packages),
        _ => Err("cargo metadata lists no packages".into()),
    }
}

/// The strings of `key = [...]` in a section of deny.toml. The file is ours and simple: no other TOML is understood.
fn list(text: &str, section: &str, key: &str) -> Result<Vec<String>, String> {
    let missing = || format!("deny.toml has no list {key} in [{section}]");
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|l| [l, "\n"]).collect();
    let after = code.split(&format!("[{section}]\n")).nth(1).ok_or_else(missing)?;
    let within = after.split("\n[").next().unwrap_or(after);
    let tail = within.split(&format!("{key} = [")).nth(1).ok_or_else(missing)?;
    let inside = tail.split_once(']').ok_or_else(missing)?.0;
    let words: Vec<String> = inside.split('"').skip(1).step_by(2).map(String::from).collect();
    if words.is_empty() { Err(missing()) } else { Ok(words) }
}

/// Lets cargo-deny check the same, if there is one.
fn cargo_deny(root: &Path) -> Result<(), String> {
    let deny =
        |arguments: &[&str]| Command::new("cargo-deny").args(arguments).current_dir(root).stdin(Stdio::null()).status();
    if std::env::var_os("PATH").is_none_or(|path| !std::env::split_paths(&path).any(|p| p.join("cargo-deny").is_file()))
    {
        println!("cargo-deny is not installed: its own check is left out");
        return Ok(());
    }
    match deny(&["--all-features", "check", "licenses", "bans", "sources"]) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo-deny failed ({status})")),
        Err(e) => Err(format!("cannot run cargo-deny: {e}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rules() -> Rules {
        Rules { licences: vec!["MIT".into()], banned: vec!["openssl".into()] }
    }

    #[test]
    fn lists_are_read() {
        let text = "# allow = [\"X\"]\n[licenses]\nallow = [\n  \"MIT\",\n  # \"GPL\",\n  \"ISC\",\n]\n[bans]\ndeny = [\"a\"]\n";
        assert_eq!(list(text, "licenses", "allow").unwrap(), ["MIT", "ISC"]);
        assert_eq!(list(text, "bans", "deny").unwrap(), ["a"]);
        assert!(list(text, "licenses", "deny").is_err());
        assert!(list(text, "sources", "allow").is_err());
    }

    #[test]
    fn each_fault_is_named() {
        let package = |name, license, source| serde_json::json!({"name": name, "version": "1", "license": license, "source": source});
        assert!(judge(&package("a", Some("MIT"), Some(CRATES_IO)), &rules()).is_empty());
        assert!(judge(&package("a", Some("MIT"), None), &rules()).is_empty());
        let all = judge(&package("openssl", Some("GPL-3.0-only"), Some("git+https://example.org/x")), &rules());
        assert_eq!(all.len(), 3, "{all:?}");
        assert_eq!(judge(&package("a", None, None), &rules()), ["a 1: names no licence"]);
    }
}
