//! Names of nodes: where a dataId, a publication and a fence are in the tree.
//!
//! ```text
//! /upheaval-RUN                     root of the run; deleted at the end
//! /upheaval-RUN/d3                  dataId 3
//! /upheaval-RUN/d3/c7.0=VALUE       ephemeral: client 7 publishes VALUE for its registration 0
//! /upheaval-RUN/fences/d3.c7.0      fence of this publisher, see `publish.rs`
//! ```
//!
//! The value is in the name, so that one list of children is one snapshot of the whole content.

use history::{ClientId, DataIx};

/// The tree of one run.
#[derive(Clone, Debug)]
pub struct Names {
    root: String,
}

impl Names {
    /// The tree of this run.
    pub fn new(run_id: &str) -> Self {
        Names { root: format!("/upheaval-{}", escape(run_id)) }
    }

    /// The root node.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The node of a dataId.
    pub fn data(&self, data: DataIx) -> String {
        format!("{}/d{data}", self.root)
    }

    /// The dataId of such a node.
    pub fn data_of(&self, path: &str) -> Option<DataIx> {
        path.strip_prefix(&self.root)?.strip_prefix("/d")?.parse().ok()
    }

    /// The parent of all fences.
    pub fn fences(&self) -> String {
        format!("{}/fences", self.root)
    }

    /// The fence of one publisher.
    pub fn fence(&self, data: DataIx, client: ClientId, registration: u32) -> String {
        format!("{}/fences/d{data}.c{client}.{registration}", self.root)
    }
}

/// The name of a publication, without its parent.
pub fn publication(client: ClientId, registration: u32, value: &str) -> String {
    format!("c{client}.{registration}={}", escape(value))
}

/// The value in such a name. A name of another form is a value nobody published, and is shown as it is.
pub fn value_of(name: &str) -> String {
    name.split_once('=').and_then(|(_, value)| unescape(value)).unwrap_or_else(|| name.to_owned())
}

/// Slashes divide paths, control characters and what is not ASCII is better kept out of them.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'/' | b'%' => out.push_str(&format!("%{byte:02x}")),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

fn unescape(value: &str) -> Option<String> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push((high * 16 + low) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_names() {
        for value in ["10.0.0.3:9003#4", "a/b%2f=c d", "ü\n", ""] {
            let name = publication(3, 1, value);
            assert!(!name.contains('/') && name.is_ascii(), "{name}");
            assert_eq!(value_of(&name), value);
        }
        assert_eq!(value_of("stranger"), "stranger");
        assert_eq!(value_of("c1.0=%zz"), "c1.0=%zz");
    }

    #[test]
    fn paths_name_their_data_id() {
        let names = Names::new("r/1");
        assert_eq!(names.root(), "/upheaval-r%2f1");
        assert_eq!(names.data_of(&names.data(12)), Some(12));
        assert_eq!(names.data_of(&names.fence(1, 2, 3)), None);
        assert_eq!(names.data_of("/other/d1"), None);
    }
}
