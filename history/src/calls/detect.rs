//! Which format a file has, by its first bytes.

use std::str::FromStr;

/// A format of operation histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Jepsen's EDN: one vector or list of operations, or one operation after the other.
    Edn,
    /// The same as JSON.
    Json,
    /// Jepsen's console log.
    Log,
    /// A history of this program.
    Own,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        Ok(match name {
            "edn" => Format::Edn,
            "json" => Format::Json,
            "log" => Format::Log,
            "upheaval" => Format::Own,
            _ => return Err(format!("there is no format `{name}`; there are edn, json, log and upheaval")),
        })
    }
}

/// The format of a text that begins so; EDN for an empty one.
pub fn detect(prefix: &[u8]) -> Format {
    if prefix.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Format::Own;
    }
    let mut rest = prefix.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(prefix);
    let mut significant = Vec::new();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0 => {}
            b';' => rest = rest.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &rest[end..]),
            _ => significant.push(byte),
        }
        if significant.len() == 10 {
            break;
        }
    }
    match significant.as_slice() {
        [b'{', b'"', b'h', b'e', b'a', b'd', b'e', b'r', b'"', ..]
        | [b'{', b'"', b'c', b'a', b'l', b'l', b's', b'"', ..] => Format::Own,
        [b'{', b'"', ..] | [b'[', b'{', b'"', ..] | [b'{', b'}', ..] => Format::Json,
        [] | [b'{' | b'[' | b'(' | b'#' | b'^', ..] => Format::Edn,
        _ => Format::Log,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_the_format() {
        let cases: [(&[u8], Format); 10] = [
            (b"", Format::Edn),
            (b"; a comment {\"\n[{:type :invoke", Format::Edn),
            (b"({:type :invoke", Format::Edn),
            (b"#jepsen.history.Op{:type", Format::Edn),
            (b"\n {\"type\": \"invoke\"", Format::Json),
            (b"[ {\"type\": \"invoke\"", Format::Json),
            (b"INFO  jepsen.util - 0\t:invoke\t:read\tnil", Format::Log),
            (b"{\"header\":{\"schema\":1", Format::Own),
            (b"{\"calls\":{\"schema\":1", Format::Own),
            (&[0x28, 0xb5, 0x2f, 0xfd, 4], Format::Own),
        ];
        for (prefix, format) in cases {
            assert_eq!(detect(prefix), format, "{}", String::from_utf8_lossy(prefix));
        }
    }
}
