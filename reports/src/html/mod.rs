//! `report.html`: one self-contained file for people.
//!
//! No request leaves it, it works without scripts, prints, and follows light and dark. Everything dynamic goes through
//! `markup::Markup`, which escapes; the page's own content policy lets no other script run even if that failed.
//! Plots are written as SVG by hand: their colours are classes that the style sheet resolves, which a plotting library
//! that writes colours into each element would not allow.

mod bars;
pub(crate) mod checks;
pub(crate) mod circle;
mod claims;
mod contract;
pub(crate) mod drawing;
mod evidence;
mod exploration;
mod faults;
mod frame;
mod lanes;
mod load;
pub(crate) mod markup;
mod plots;
mod series;
mod spacetime;
mod spread;
mod suspect;
mod sweep;
pub(crate) mod tale;
pub(crate) mod top;
mod view;

use crate::digest::Digest;
use crate::facts::Run;
use crate::tale::Diagram;
use crate::{names, story};
pub use claims::claims_page;
pub use exploration::exploration_page;
use markup::Markup;

const STYLE: &str = include_str!("style.css");
const SPACETIME_STYLE: &str = include_str!("spacetime.css");
const SCRIPT: &str = include_str!("script.js");
/// SHA-256 of the script in Base64, for the content policy; a test keeps it right.
const SCRIPT_HASH: &str = "EWcutVYWMfbIjmtxelpInmhyuwZZ8aAcoYIGa5Zm+0g=";

/// The whole page.
pub fn page(run: &Run<'_>) -> String {
    let digest = Digest::of(run);
    let title = format!(
        "{}: {} seed {}",
        story::verdict(run.report.verdict),
        names::clean(&run.header.scenario),
        run.header.seed
    );
    document(
        &title,
        |m| top::verdict(run, &digest, m),
        |m| {
            tale::section(run, m);
            checks::section(run, &digest, m);
            evidence::section(run, &digest, m);
            suspect::section(run, m);
            plots::section(run, &digest, m);
            spread::section(run, &digest, m);
            faults::section(run, &digest, m);
            contract::section(run, &digest, m);
            load::section(run, &digest, m);
            top::about(run, m);
        },
    )
}

/// A page with the report's styles and script: what stands at its top, and its sections.
pub(crate) fn document(title: &str, top: impl FnOnce(&mut Markup), main: impl FnOnce(&mut Markup)) -> String {
    let mut m = Markup::new();
    m.raw("<!doctype html>\n");
    m.open("html", &[("lang", "en")]);
    head(title, &mut m);
    m.open("body", &[]);
    top(&mut m);
    m.open("main", &[]);
    main(&mut m);
    m.close();
    script(&mut m);
    m.close();
    m.close();
    m.finish()
}

/// The space-time diagram of a tale as a file of its own.
pub fn spacetime(diagram: &Diagram, title: &str) -> String {
    spacetime::file(diagram, title)
}

fn script(m: &mut Markup) {
    m.open("script", &[]);
    m.raw(SCRIPT);
    m.close();
}

/// The head of a page with the report's script.
fn head(title: &str, m: &mut Markup) {
    opened_head(title, &format!("script-src 'sha256-{SCRIPT_HASH}'; "), &[STYLE, SPACETIME_STYLE], m);
}

/// The head of a page without scripts.
pub(crate) fn plain_head(m: &mut Markup, title: &str) {
    opened_head(title, "", &[STYLE], m);
}

fn opened_head(title: &str, scripts: &str, styles: &[&'static str], m: &mut Markup) {
    m.open("head", &[]);
    m.leaf("meta", &[("charset", "utf-8")]);
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; {scripts}base-uri 'none'; form-action 'none'"
    );
    m.leaf("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    m.leaf("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    m.leaf("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    m.leaf("link", &[("rel", "icon"), ("href", "data:,")]);
    m.el("title", &[], title);
    m.open("style", &[]);
    for style in styles {
        m.raw(style);
    }
    m.close();
    m.close();
}

/// The script's hash, for the test that keeps the content policy right.
pub fn script_and_hash() -> (&'static str, &'static str) {
    (SCRIPT, SCRIPT_HASH)
}
