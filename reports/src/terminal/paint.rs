//! Colour for terminals that want it.

use checkers::Verdict;

/// Paints, or leaves as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    coloured: bool,
}

impl Paint {
    /// The caller knows whether the terminal wants colour (`NO_COLOR`, a pipe).
    pub(crate) fn new(coloured: bool) -> Paint {
        Paint { coloured }
    }

    fn sgr(self, codes: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{codes}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Less important.
    pub(crate) fn dim(self, text: &str) -> String {
        self.sgr("2", text)
    }

    /// More important.
    pub(crate) fn bold(self, text: &str) -> String {
        self.sgr("1", text)
    }

    /// In the colour of a verdict.
    pub(crate) fn verdict(self, verdict: Verdict, text: &str) -> String {
        let codes = match verdict {
            Verdict::Pass => "1;32",
            Verdict::Violation => "1;31",
            Verdict::Inconclusive => "1;33",
            Verdict::Error => "1;35",
        };
        self.sgr(codes, text)
    }
}
