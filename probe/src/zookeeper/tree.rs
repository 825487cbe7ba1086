//! Where a probe's data is in ZooKeeper's tree, and how it comes and goes.
//!
//! ```text
//! /upheaval-probe                        the namespace, from the configuration
//! /upheaval-probe/i-0123456789ab         this instance: what a probe before it left is never mistaken for its own
//! /upheaval-probe/i-0123456789ab/ID      a dataId
//! /upheaval-probe/i-0123456789ab/ID/V    ephemeral: the value V is published
//! ```
//!
//! All but the values are container nodes, which the server removes by itself when they are empty: after a `kill -9` the values
//! go with their sessions, and the rest follows.

use history::DataIx;
use wire::zookeeper::connection::{Broken, Connection};
use wire::zookeeper::protocol::{Code, Message, Step, children_names, children_reply};

/// The probe's part of the tree.
#[derive(Clone, Debug)]
pub struct Tree {
    namespace: String,
    own: String,
    data_ids: Vec<String>,
    owned: bool,
}

impl Tree {
    /// For this namespace and instance; `owned`: only who authenticated like the probe may touch it.
    pub fn new(namespace: &str, instance: &str, data_ids: &[String], owned: bool) -> Tree {
        let own = format!("{namespace}/{instance}");
        let data_ids = data_ids.iter().map(|name| format!("{own}/{}", escape(name))).collect();
        Tree { namespace: namespace.to_owned(), own, data_ids, owned }
    }

    /// The node of a dataId.
    pub fn data(&self, data: DataIx) -> String {
        self.data_ids.get(data as usize).cloned().unwrap_or_default()
    }

    /// The dataId of such a node.
    pub fn data_of(&self, path: &str) -> Option<DataIx> {
        self.data_ids.iter().position(|known| known == path).map(|at| at as DataIx)
    }

    /// The node of this instance.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// The step that registers a value.
    pub fn create(&self, path: String) -> Step {
        let data = Vec::new();
        if self.owned { Step::CreateOwned { path, data } } else { Step::Create { path, data, ephemeral: true } }
    }

    /// Refuses a namespace that somebody else uses; makes what is missing below it.
    pub async fn ensure(&self, connection: &mut Connection) -> Result<(), Trouble> {
        let frame = connection.call(&Message::Children { path: self.namespace.clone(), watch: false }).await?;
        match frame.head.code {
            Code::OK => {
                let names =
                    children_names(children_reply(frame.body()).map_err(Broken::from)?.0).map_err(Broken::from)?;
                if let Some(foreign) = names.iter().find(|name| !is_instance(name)) {
                    let foreign = reports::names::clean(foreign);
                    return Err(Trouble::Foreign(format!(
                        "{} holds {foreign:?}, which no probe made: choose a namespace that nobody else uses",
                        self.namespace
                    )));
                }
            }
            Code::NO_NODE => {}
            code => return Err(Trouble::Refused(format!("{}: {code}", self.namespace))),
        }
        let below = [&self.namespace, &self.own].into_iter().chain(&self.data_ids);
        for path in below {
            let message = Message::CreateContainer { path: path.clone(), owned: self.owned };
            let code = connection.call(&message).await?.head.code;
            match code {
                Code::OK | Code::NODE_EXISTS => {}
                Code::NO_NODE if *path == self.namespace => {
                    let why = "the node above it is not there: make it first, or choose a namespace of one part";
                    return Err(Trouble::Foreign(format!("{path}: {why}")));
                }
                code => return Err(Trouble::Refused(format!("making {path}: {code}"))),
            }
        }
        Ok(())
    }

    /// Removes what this instance made, after its sessions were given back; what is not empty stays.
    pub async fn remove(&self, connection: &mut Connection) -> Result<(), Broken> {
        for path in self.data_ids.iter().chain([&self.own, &self.namespace]) {
            connection.call(&Message::Delete(path.clone())).await?;
        }
        Ok(())
    }
}

/// Why the tree cannot be used.
#[derive(Debug)]
pub enum Trouble {
    /// The connection broke.
    Broken(Broken),
    /// The server refused.
    Refused(String),
    /// The namespace is not the probe's: a mistake of the configuration.
    Foreign(String),
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Trouble::Broken(broken)
    }
}

fn is_instance(name: &str) -> bool {
    name.strip_prefix("i-").is_some_and(|rest| rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Names of dataIds come from people: slashes divide paths, and `.` and `..` are no names.
fn escape(name: &str) -> String {
    let dots = name == "." || name == "..";
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'/' | b'%' => out.push_str(&format!("%{byte:02x}")),
            b'.' if dots => out.push_str("%2e"),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_the_namespace() {
        let hostile = ["../../zookeeper", "..", ".", "a/b", "<script>", "a\0b", "ü"].map(str::to_owned);
        let tree = Tree::new("/probe", "i-0123456789ab", &hostile, false);
        for ix in 0..hostile.len() as DataIx {
            let path = tree.data(ix);
            let name = path.strip_prefix("/probe/i-0123456789ab/").unwrap_or_default();
            assert!(
                !name.is_empty() && !name.contains('/') && name != "." && name != ".." && name.is_ascii(),
                "{path}"
            );
            assert_eq!(tree.data_of(&path), Some(ix));
        }
        assert!(is_instance("i-0123456789ab") && !is_instance("i-") && !is_instance("orders"));
    }
}
