//! Recorded histories with known verdicts, where they are beside the project: `../shared/corpora`, see there.
#![allow(clippy::unwrap_used)]

use checkers::Verdict;
use checkers::linearizability::{FailedCas, Limits, ModelName, Options, check};
use std::path::{Path, PathBuf};

/// Steps after which a history of this size would be a failure of the search.
const STEPS_MAX: u64 = 50_000_000;

fn corpora() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    folder.is_dir().then_some(folder)
}

fn verdict(path: &Path, model: ModelName, failed_cas: FailedCas) -> Verdict {
    let calls = history::calls::read(path, None).unwrap();
    let over = || false;
    let options = Options { failed_cas, initial: None, threads: 1, explained_max: 1 };
    let judgement = check(&calls, model, &options, &Limits::new(STEPS_MAX, 1 << 30, &over)).unwrap();
    if let Some(failure) = judgement.failures.first() {
        println!("{}: {}", path.display(), failure.sentence);
        let part = failure.explanation.as_ref().unwrap();
        assert!(
            !part.paths.is_empty() && part.operations.len() <= 60 || model == ModelName::Mutex,
            "{}: {part:?}",
            path.display()
        );
    }
    judgement.verdict
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let wanted = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "edn" || kind == "json");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(wanted).collect();
    files.sort();
    files
}

#[test]
fn knossos() {
    let Some(corpora) = corpora() else {
        println!("skipped: knossos: ../shared/corpora is missing");
        return;
    };
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for root in ["knossos", "elle-cli/knossos"] {
        for model in ["cas-register", "mutex", "multi-register"] {
            for (folder, expected) in [("good", Verdict::Pass), ("bad", Verdict::Violation)] {
                for file in files(&corpora.join(root).join(model).join(folder)) {
                    let name = model.parse().unwrap();
                    let found = verdict(&file, name, FailedCas::DidNotHappen);
                    // What is bad if failures say nothing is bad whatever they say.
                    let observed = verdict(&file, name, FailedCas::Observed);
                    if found != expected || expected == Verdict::Violation && observed != expected {
                        wrong.push(format!("{}: {found:?}, observed {observed:?}", file.display()));
                    }
                    judged += 1;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 100, "only {judged} histories");
}

#[test]
fn sets_and_counters() {
    let Some(corpora) = corpora() else {
        println!("skipped: sets_and_counters: ../shared/corpora is missing");
        return;
    };
    for (file, model) in [("set.edn", "set"), ("counter.edn", "counter"), ("counter.json", "counter")] {
        let path = corpora.join("elle-cli/jepsen").join(file);
        assert_eq!(verdict(&path, model.parse().unwrap(), FailedCas::DidNotHappen), Verdict::Pass, "{file}");
    }
    for file in ["set_full.edn", "set_full.json"] {
        let path = corpora.join("elle-cli/jepsen").join(file);
        assert_eq!(verdict(&path, ModelName::Set, FailedCas::DidNotHappen), Verdict::Violation, "{file}");
    }
}
