//! Chores of the workspace, one word each: `cargo xtask ci`. CI calls nothing else.
//!
//! A chore is a list of steps; the first step that fails ends it with that step's words and exit code 1.

mod curves;
mod deny;
mod peers;
mod spdx;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

const USAGE: &str = "\
cargo xtask <chore>
  ci             everything that must hold before a merge: fmt --check, lint, deny, test
  fmt [--check]  format the workspace, or only tell what is not formatted
  lint           clippy and rustdoc; warnings are errors
  deny           licences, bans and sources of all dependencies, as deny.toml says
  test [ARGS]    the determinism test first, then all tests; ARGS go to cargo test
  acceptance     what takes too long for ci: 20,000 seeds of swarm, every planted bug over 20 ranges of seeds, ...
  bench [ARGS]   all benchmarks; ARGS go to cargo bench
  bench checkers  our checkers beside Porcupine (where Go is installed) and adya, the same histories
  bench curves [FILE]  how the cost of linearizability grows, drawn into docs/cost.svg; FILE: measured before
  bench simulation [PART]  only the speed of whole simulations, or one part of it (headline, hot ...)
  man [DIR]      man pages and completions of upheaval into DIR (default target/man)";

/// What a chore ends with: why it failed, in words.
type Outcome = Result<(), String>;
/// A named part of a chore.
type Step = (&'static str, fn() -> Outcome);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("ci") => ci(),
        Some("fmt") => fmt(&rest),
        Some("lint") => lint(),
        Some("deny") => deny::check(&root()),
        Some("test") => test(&rest),
        Some("acceptance") => acceptance(),
        Some("bench") => bench(&rest),
        Some("man") => man(&rest),
        Some("help" | "-h" | "--help") => {
            println!("{USAGE}");
            Ok(())
        }
        other => {
            eprintln!("{}\n{USAGE}", other.map_or("which chore?".into(), |word| format!("no chore is named {word:?}")));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn ci() -> Outcome {
    let steps: [Step; 4] = [
        ("formatting", || fmt(&["--check"])),
        ("lints and documentation", lint),
        ("licences, bans, sources", || deny::check(&root())),
        ("tests", || test(&[])),
    ];
    for (name, step) in steps {
        let start = Instant::now();
        println!("\n== {name}");
        step()?;
        println!("== {name}: good, {} s", start.elapsed().as_secs());
    }
    Ok(())
}

fn fmt(arguments: &[&str]) -> Outcome {
    cargo(&[&["fmt", "--all"], arguments].concat(), &[])
}

fn lint() -> Outcome {
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], &[])?;
    // Private items are documented too, so links to them resolve.
    let strict = [("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links")];
    cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"], &strict)
}

/// The same seed twice must give the same bytes; while that does not hold no other test means much, so it comes first.
fn test(arguments: &[&str]) -> Outcome {
    if root().join("harness/tests/determinism.rs").is_file() {
        println!("-- determinism first");
        cargo(&["test", "--package", "upheaval", "--test", "determinism", "--locked"], &[])?;
        println!("-- all tests");
    }
    cargo(&[&["test", "--workspace", "--locked"], arguments].concat(), &[])
}

/// The same tests as in ci, with the numbers of the claims.
fn acceptance() -> Outcome {
    let numbers = [
        ("UPHEAVAL_SWARM_SEEDS", "20000"),
        ("UPHEAVAL_SWARM_HUNT", "2000"),
        ("UPHEAVAL_RANGES", "20"),
        ("UPHEAVAL_SCENARIOS", "1000"),
        ("UPHEAVAL_CLAIM_SEEDS", "5000"),
    ];
    let tests = ["--test", "golden", "--test", "swarm", "--test", "hunts", "--test", "claims_table", "--locked"];
    let how = ["--", "--nocapture", "--test-threads", "1"];
    cargo(&[&["test", "--release", "--package", "upheaval"], &tests[..], &how].concat(), &numbers)
}

fn bench(arguments: &[&str]) -> Outcome {
    if arguments == ["checkers"] {
        return peers::compare(&root());
    }
    if let ["curves", rest @ ..] = arguments {
        return curves::draw(&root(), rest.first().copied());
    }
    if let [first @ "simulation", rest @ ..] = arguments {
        let line = ["bench", "--package", "upheaval", "--bench", first, "--locked", "--"];
        return cargo(&[line.as_slice(), rest].concat(), &[]);
    }
    let members = std::fs::read_dir(root()).map_err(|e| format!("cannot list the workspace: {e}"))?;
    if !members.flatten().any(|member| member.path().join("benches").is_dir()) {
        return Err("no crate has a benches folder, so there is nothing to measure".into());
    }
    cargo(&[&["bench", "--workspace", "--benches", "--locked"], arguments].concat(), &[])
}

fn man(arguments: &[&str]) -> Outcome {
    let directory = arguments.first().map_or_else(|| root().join("target/man"), PathBuf::from);
    std::fs::create_dir_all(&directory).map_err(|e| format!("cannot create {}: {e}", directory.display()))?;
    let text = directory.to_str().ok_or("the folder's name is not UTF-8")?;
    cargo(&["run", "--quiet", "--package", "upheaval", "--locked", "--", "man", text], &[])
}

/// Runs cargo in the root of the workspace with what it prints going straight through.
fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let line = format!("cargo {}", arguments.join(" "));
    println!("$ {line}");
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|e| format!("cannot run {line}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line} failed ({status})")) }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
