//! What clients did: operations by function and outcome.

use super::checks::head;
use super::markup::Markup;
use crate::digest::Digest;
use crate::facts::Run;
use crate::format;

/// The section.
pub(super) fn section(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    m.open("section", &[("id", "operations")]);
    m.el("h2", &[], "Operations");
    if digest.functions.is_empty() {
        m.el("p", &[], "There were none.");
        m.close();
        return;
    }
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    let caption = format!(
        "Operations of {}. Unknown: nobody can say whether it took effect. Dropped: planned, but its turn never came.",
        format::counted(u64::from(run.header.clients), "clients")
    );
    m.el("caption", &[], &caption);
    let numbers =
        ["Invoked", "Ok", "Failed", "Unknown", "Dropped", "p50", "p99", "Longest"].map(|title| (title, "number"));
    let columns: Vec<(&str, &str)> = [("Operation", "")].into_iter().chain(numbers).collect();
    head(m, &columns);
    m.open("tbody", &[]);
    for (name, counts) in digest.functions_in_order() {
        m.open("tr", &[]);
        m.el("th", &[("scope", "row")], name);
        for number in [counts.invoked, counts.ok, counts.fail, counts.info, counts.dropped] {
            let class = if number == 0 { "number faint" } else { "number" };
            m.el("td", &[("class", class)], &format::count(number));
        }
        for permille in [500, 990, 1_000] {
            let took = counts.quantile(permille).map_or_else(|| "–".to_owned(), format::duration);
            m.el("td", &[("class", "number")], &took);
        }
        m.close();
    }
    m.close();
    m.close();
    m.close();
    m.close();
}
