//! Writes HTML and SVG that is also well-formed XML.
//!
//! Invariant: only `&'static str` gets in unescaped, so nothing that was read at run time can become a tag.

use std::fmt::Write;

/// Attributes: names are fixed, values are escaped.
pub(crate) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A document that grows.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    out: String,
    open: Vec<&'static str>,
}

impl Markup {
    /// An empty one.
    pub(crate) fn new() -> Markup {
        Markup { out: String::with_capacity(1 << 18), open: Vec::new() }
    }

    /// Fixed markup, as it stands in the source.
    pub(crate) fn raw(&mut self, fixed: &'static str) {
        self.out.push_str(fixed);
    }

    /// Text.
    pub(crate) fn text(&mut self, text: &str) {
        escape(&mut self.out, text);
    }

    /// Opens an element.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.start(tag, attributes);
        self.out.push('>');
        self.open.push(tag);
    }

    /// Closes the innermost open element.
    pub(crate) fn close(&mut self) {
        let tag = self.open.pop().expect("each close has its open");
        let _ = write!(self.out, "</{tag}>");
        if is_block(tag) {
            self.out.push('\n');
        }
    }

    /// An element without content.
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.start(tag, attributes);
        self.out.push_str("/>");
    }

    /// An element that holds text.
    pub(crate) fn el(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(tag, attributes);
        self.text(text);
        self.close();
    }

    /// An SVG element with a tooltip.
    pub(crate) fn titled(&mut self, tag: &'static str, attributes: Attributes<'_>, title: &str) {
        self.open(tag, attributes);
        self.el("title", &[], title);
        self.close();
    }

    fn start(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        let _ = write!(self.out, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.out, " {name}=\"");
            escape(&mut self.out, value);
            self.out.push('"');
        }
    }

    /// The document.
    pub(crate) fn finish(self) -> String {
        assert!(self.open.is_empty(), "each open has its close: {:?}", self.open);
        self.out
    }
}

/// Elements after which a line ends, so that the source can be read and diffed.
fn is_block(tag: &str) -> bool {
    matches!(
        tag,
        "section"
            | "table"
            | "tr"
            | "svg"
            | "figure"
            | "p"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "details"
            | "ul"
            | "li"
            | "header"
            | "head"
            | "body"
            | "html"
            | "g"
            | "div"
    )
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // What got past `names::clean` (attributes, layout) must not break the document.
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

/// A coordinate: at most one decimal.
pub(crate) fn px(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0}") } else { format!("{tenths:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_a_tag_or_an_attribute() {
        let mut m = Markup::new();
        m.open("p", &[("title", "\" onclick=\"x")]);
        m.text("</p><script>alert('1')</script>\u{1b}&amp;");
        m.close();
        assert_eq!(
            m.finish(),
            "<p title=\"&quot; onclick=&quot;x\">&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u{fffd}&amp;amp;</p>\n"
        );
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([px(12.0), px(12.34), px(-0.04), px(99.96)], ["12", "12.3", "-0", "100"]);
    }
}
