//! Figures of checkers, whose names end with their unit.

use crate::format;
use checkers::{CheckResult, Figure};

/// A figure as a whole number.
pub fn whole(check: &CheckResult, name: &str) -> Option<i64> {
    check.figures.get(name).map(|figure| match figure {
        Figure::Whole(number) => *number,
        Figure::Real(number) => *number as i64,
    })
}

/// Share of what the checker saw that it judged under a finite bound, in thousandths.
pub fn judged_permille(check: &CheckResult) -> Option<i64> {
    whole(check, "judged_permille")
}

/// Share of chaos in which the pinned publishers had to be there, in thousandths.
pub fn pinned_permille(check: &CheckResult) -> Option<i64> {
    check
        .figures
        .keys()
        .find(|name| name.starts_with("pinned") && name.ends_with("_permille"))
        .and_then(|name| whole(check, name))
}

/// How a whole number of some unit is shown.
type Shown = fn(i64) -> String;

/// A figure for people: its name in words and its value with the unit that the name ends with.
pub fn named(name: &str, figure: Figure) -> (String, String) {
    let units: [(&str, Shown); 4] = [
        ("_permille", format::permille),
        ("_ms", |number| timed(number, 1_000_000)),
        ("_ns", |number| timed(number, 1)),
        ("_bytes", |number| format::bytes(number.max(0) as u64)),
    ];
    let words = |name: &str| crate::names::clean(&name.replace('_', " "));
    // `visible_ms_max`: the unit may be followed by which one it is.
    for (suffix, show) in units {
        for tail in ["", "_max", "_min"] {
            if let Some(stem) = name.strip_suffix(tail).and_then(|name| name.strip_suffix(suffix)) {
                let text = match figure {
                    Figure::Whole(number) => show(number),
                    Figure::Real(ms) if suffix == "_ms" => timed((ms * 1e6) as i64, 1),
                    Figure::Real(number) => show(number as i64),
                };
                return (words(&format!("{stem}{tail}")), text);
            }
        }
    }
    match figure {
        Figure::Whole(number) => (words(name), format::signed(number)),
        Figure::Real(number) => (words(name), format!("{number:.3}")),
    }
}

fn timed(number: i64, unit: u64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", format::duration(number.unsigned_abs().saturating_mul(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_from_the_name() {
        let shown = |name, number| named(name, Figure::Whole(number));
        assert_eq!(shown("p99_ms", 41), ("p99".into(), "41 ms".into()));
        assert_eq!(shown("judged_permille", 924), ("judged".into(), "92.4 %".into()));
        assert_eq!(shown("recovered_ms_max", 2_900), ("recovered max".into(), "2.9 s".into()));
        assert_eq!(shown("empty_first_pushes", 1_204), ("empty first pushes".into(), "1,204".into()));
        assert_eq!(named("p50_ms", Figure::Real(0.25)), ("p50".into(), "250 µs".into()));
        assert_eq!(named("ratio", Figure::Real(0.25)), ("ratio".into(), "0.250".into()));
    }
}
