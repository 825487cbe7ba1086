//! The page: well-formed, self-contained, escaped, small.
#![allow(clippy::unwrap_used)]

mod common;

use quick_xml::Reader;
use quick_xml::events::Event;
use sha2::{Digest, Sha256};

fn page(sample: &common::Sample1) -> String {
    reports::html::page(&sample.run())
}

/// Elements and attributes of a page, read by a strict XML parser: each open has its close, all is quoted and escaped.
fn parse(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    let body = page.strip_prefix("<!doctype html>\n").expect("doctype first");
    let mut reader = Reader::from_str(body);
    reader.config_mut().check_end_names = true;
    let mut found = Vec::new();
    let mut depth = 0i64;
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("at byte {}: {error}", reader.buffer_position()));
        let element = match &event {
            Event::Start(element) => {
                depth += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let attributes = element.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let value = String::from_utf8(attribute.value.to_vec()).unwrap();
            (String::from_utf8(attribute.key.as_ref().to_vec()).unwrap(), value)
        });
        let attributes: Vec<_> = attributes.collect();
        found.push((String::from_utf8(element.name().as_ref().to_vec()).unwrap(), attributes));
    }
    assert_eq!(depth, 0, "everything is closed");
    found
}

#[test]
fn pages_are_well_formed() {
    let samples = [
        common::pass(),
        common::violation(),
        common::inconclusive(),
        common::hostile(),
        common::rich::violations(),
        common::rich::pass(1_000),
    ];
    for sample in &samples {
        let elements = parse(&page(sample));
        let count = |name: &str| elements.iter().filter(|(element, _)| element == name).count();
        assert_eq!(count("h1"), 1);
        assert_eq!(count("table"), count("caption"), "each table has a caption");
        let unnamed = elements.iter().filter(|(name, attributes)| {
            let has = |key: &str| attributes.iter().any(|(k, _)| k == key);
            name == "svg" && !has("aria-label") && !has("aria-hidden")
        });
        assert_eq!(unnamed.count(), 0, "each plot says what it is");
    }
}

#[test]
fn the_parser_of_this_test_refuses_what_is_broken() {
    for broken in ["<p><b></p></b>", "<p title=\"a\" title=\"b\"></p>", "<p title=a></p>"] {
        let page = format!("<!doctype html>\n{broken}");
        assert!(std::panic::catch_unwind(|| parse(&page)).is_err(), "{broken}");
    }
}

#[test]
fn nothing_is_fetched() {
    for sample in [common::rich::violations(), common::rich::pass(100)] {
        let page = page(&sample);
        for reference in ["http://", "https://", "url(", "@import", "src=", "<iframe", "<link rel=\"stylesheet"] {
            assert!(!page.contains(reference), "{reference}");
        }
        for (_, attributes) in parse(&page) {
            for (name, value) in attributes {
                let outside = name == "href" && !value.starts_with('#') && value != "data:,";
                assert!(!outside, "{value}");
            }
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let page = page(&common::hostile());
    assert!(page.contains("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;"));
    let elements = parse(&page);
    assert_eq!(elements.iter().filter(|(name, _)| name == "script").count(), 1, "only the page's own");
    assert_eq!(elements.iter().filter(|(name, _)| name == "img").count(), 0);
    for (_, attributes) in &elements {
        assert!(!attributes.iter().any(|(name, _)| name.starts_with("on")), "{attributes:?}");
    }
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn the_content_policy_names_the_script_that_is_there() {
    let (script, hash) = reports::html::script_and_hash();
    assert_eq!(base64(&Sha256::digest(script)), hash);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let bits = part.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - part.len()));
        for index in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * index) & 63) as usize] as char;
            out.push(if index <= part.len() { letter } else { '=' });
        }
    }
    out
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the time it takes is what is tested")]
fn a_hundred_thousand_pushes_make_a_small_page_quickly() {
    let sample = common::rich::pass(100_000);
    let began = std::time::Instant::now();
    let page = page(&sample);
    let took = began.elapsed();
    println!("{} bytes in {took:?}", page.len());
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(took.as_millis() < 1_000, "{took:?}");
}

#[test]
fn large_sets_are_folded() {
    let page = page(&common::rich::violations());
    assert!(page.contains("28 more</summary>"), "40 expected, 12 shown");
    assert!(page.contains("13 more missing</summary>"), "25 missing, 12 shown");
    assert!(page.contains("the first 12 of 25"), "lanes");
}

#[test]
fn the_contract_is_compared_with_what_was_measured() {
    let mut sample = common::pass();
    assert!(page(&sample).contains("! slack"), "240 ms measured, 500 ms promised");
    sample.header.contract.visible_ms_max = 480;
    assert!(!page(&sample).contains("! slack"), "twice the measured maximum is just not slack");
    sample.header.contract.visible_ms_max = 239;
    assert!(page(&sample).contains("! over, seen by nobody"), "a pass: it came of nothing that a subscriber saw");
    sample.report.verdict = checkers::Verdict::Violation;
    assert!(page(&sample).contains("✕ exceeded"));
}

#[test]
fn a_history_without_anything_has_a_page() {
    let mut sample = common::pass();
    sample.events.clear();
    sample.report.checks.clear();
    sample.report.convergence = None;
    sample.facts = reports::RunFacts::default();
    parse(&page(&sample));
}
