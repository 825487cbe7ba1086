//! The page in a real browser: it renders, says its verdict, logs no error, and hostile names do nothing.
//! Skipped by name where there is no Chromium.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the browser made of a page.
struct Rendered {
    document: String,
    log: String,
}

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
}

/// A folder of this test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("upheaval-reports-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn render(browser: &Path, folder: &Folder, page: &str) -> Rendered {
    let file = folder.0.join("report.html");
    std::fs::write(&file, page).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1280,900"])
        .arg(format!("--user-data-dir={}", folder.0.join("profile").display()))
        .args(["--virtual-time-budget=2000", "--dump-dom"])
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    Rendered {
        document: String::from_utf8_lossy(&output.stdout).into_owned(),
        log: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn console(rendered: &Rendered) -> Vec<&str> {
    rendered.log.lines().filter(|line| line.contains("CONSOLE")).collect()
}

/// The page without its content policy, so that any script in it would run.
fn without_policy(page: &str) -> String {
    let policy = "http-equiv=\"Content-Security-Policy\"";
    assert!(page.contains(policy));
    page.replace(policy, "name=\"no-policy\"")
}

/// The page with a script of the test that writes down what can be seen; the page's own policy would not run it.
fn observed(page: &str) -> String {
    let observer = "<script>{
        const verdict = document.getElementById('verdict'), place = verdict.getBoundingClientRect();
        const style = getComputedStyle(verdict), plots = [...document.querySelectorAll('svg.plot')];
        const visible = place.width > 50 && place.height > 10 && innerHeight > place.top && style.visibility === 'visible' && style.opacity === '1';
        document.body.dataset.verdict = visible ? verdict.textContent : 'hidden';
        document.body.dataset.plots = plots.filter(plot => plot.getBoundingClientRect().height > 40).length;
        document.body.dataset.overflow = document.documentElement.scrollWidth - innerWidth;
    }</script></body>";
    without_policy(page).replace("</body>", observer)
}

#[test]
fn the_page_renders() {
    let Some(browser) = browser() else {
        println!("skipped: no Chromium on the PATH");
        return;
    };
    let samples = [
        ("✕Violation", common::rich::violations(), 11),
        ("✓Pass", common::rich::pass(2_000), 6),
        ("?Inconclusive", common::inconclusive(), 6),
    ];
    let folder = Folder::new("renders");
    for (verdict, sample, plots) in samples {
        let page = reports::html::page(&sample.run());
        let plain = render(&browser, &folder, &page);
        assert_eq!(console(&plain), Vec::<&str>::new());
        assert!(plain.document.contains("class=\"scripted\""), "its own script runs under its own policy");
        let seen = render(&browser, &folder, &observed(&page)).document;
        assert!(seen.contains(&format!("data-verdict=\"{verdict}\"")), "{verdict}");
        assert!(seen.contains(&format!("data-plots=\"{plots}\"")), "{verdict}: {plots} plots");
        assert!(seen.contains("data-overflow=\"0\"") || seen.contains("data-overflow=\"-"), "no sideways scrolling");
    }
}

#[test]
fn a_story_is_drawn() {
    let Some(browser) = browser() else {
        println!("skipped: no Chromium on the PATH");
        return;
    };
    let folder = Folder::new("story");
    let sample = common::told::ghost("session-1");
    let page = reports::html::page(&sample.run());
    let rendered = render(&browser, &folder, &page);
    assert_eq!(console(&rendered), Vec::<&str>::new());
    let observer = "<script>
        const drawing = document.querySelector('#story figure > svg.spacetime').getBoundingClientRect();
        document.body.dataset.drawing = drawing.width > 500 && drawing.height > 200;
        document.body.dataset.told = document.querySelectorAll('#story .tale li').length > 4;
    </script></body>";
    let seen = render(&browser, &folder, &without_policy(&page).replace("</body>", observer)).document;
    assert!(seen.contains("data-drawing=\"true\"") && seen.contains("data-told=\"true\""));
}

#[test]
fn hostile_names_do_nothing() {
    let Some(browser) = browser() else {
        println!("skipped: no Chromium on the PATH");
        return;
    };
    let folder = Folder::new("hostile");
    let told = common::told::ghost(common::PAYLOAD);
    let drawing = reports::html::spacetime(&told.facts.tale.as_ref().unwrap().diagram, common::PAYLOAD);
    assert!(!drawing.contains("<img") && !drawing.contains("<script"));
    let page = reports::html::page(&common::Sample1 { facts: told.facts, ..common::hostile() }.run());
    // Also without the content policy, so that escaping alone is shown to be enough.
    for page in [page.clone(), without_policy(&page)] {
        let rendered = render(&browser, &folder, &page);
        assert!(rendered.document.contains("<title>violation: "), "the title is still the page's own");
        assert!(!rendered.document.contains("<title>owned"));
        assert!(!rendered.document.contains("<img"));
        assert_eq!(console(&rendered), Vec::<&str>::new());
    }
}

#[test]
fn this_test_sees_errors_and_attacks() {
    let Some(browser) = browser() else {
        println!("skipped: no Chromium on the PATH");
        return;
    };
    let folder = Folder::new("control");
    let page = "<title>mine</title><script>document.title='owned'; nonsense()</script>";
    let rendered = render(&browser, &folder, page);
    assert!(rendered.document.contains("<title>owned"));
    assert!(!console(&rendered).is_empty(), "an error shows in the log");
}
