//! The run's part of the tree: made at the start, removed at the end.

use super::client::Shared;
use super::connection::{Broken, Connection, Refused};
use super::protocol::{Code, Message, Step, children_names, children_reply, multi_outcome};
use std::net::SocketAddr;
use std::sync::Arc;

/// So many steps go into one transaction.
const BATCH: usize = 200;
/// So often the tree is looked at again while sessions still come to their end.
const ROUNDS_MAX: u32 = 5;

/// A session of its own, outside the run's history.
async fn open(shared: &Shared, address: SocketAddr) -> Result<Connection, String> {
    match Connection::open(address, None, shared.timing, Arc::default(), 0, None).await {
        Ok((connection, _session)) => Ok(connection),
        Err(Refused::NotSent(broken) | Refused::Unknown(broken)) => Err(broken.to_string()),
        Err(Refused::Expired) => Err("a new session was refused".to_owned()),
    }
}

/// A session through this node, a transaction in it, and its end: whether the node serves as it should.
pub async fn canary(shared: &Shared, address: SocketAddr) -> Result<(), String> {
    let mut connection = open(shared, address).await?;
    let barrier = shared.barrier();
    let frame = connection.call(&barrier).await.map_err(|broken| broken.to_string())?;
    let code = shared.barrier_code(&frame).map_err(|error| error.to_string())?;
    let _ends_by_itself = connection.call(&Message::Close).await;
    if code == Code::OK { Ok(()) } else { Err(code.to_string()) }
}

/// Makes the root and the nodes of dataIds.
pub async fn create(shared: &Shared, data_ids: u32) -> Result<(), String> {
    let names = &shared.names;
    let paths = [names.root().to_owned(), names.fences()].into_iter().chain((0..data_ids).map(|ix| names.data(ix)));
    let steps = paths.map(|path| Step::Create { path, data: Vec::new(), ephemeral: false }).collect();
    let mut connection = open(shared, shared.addresses[0]).await?;
    let code = batches(&mut connection, steps).await.map_err(|broken| broken.to_string())?;
    let _ends_by_itself = connection.call(&Message::Close).await;
    match code {
        Code::OK => Ok(()),
        Code::NODE_EXISTS => Err(format!("{} is there already: another run has this name", names.root())),
        code => Err(format!("making {}: {code}", names.root())),
    }
}

/// Removes the root and everything below it.
pub async fn remove(shared: &Shared, data_ids: u32) -> Result<(), String> {
    let mut why = "no address".to_owned();
    for address in &shared.addresses {
        for _round in 0..ROUNDS_MAX {
            match remove_through(shared, *address, data_ids).await {
                Ok(Code::OK) => return Ok(()),
                Ok(code) => why = code.to_string(),
                Err(broken) => why = broken,
            }
        }
    }
    Err(format!("{} could not be removed: {why}", shared.names.root()))
}

async fn remove_through(shared: &Shared, address: SocketAddr, data_ids: u32) -> Result<Code, String> {
    let mut connection = open(shared, address).await?;
    let outcome = remove_all(shared, &mut connection, data_ids).await;
    let _ends_by_itself = connection.call(&Message::Close).await;
    outcome.map_err(|broken| broken.to_string())
}

async fn remove_all(shared: &Shared, connection: &mut Connection, data_ids: u32) -> Result<Code, Broken> {
    let names = &shared.names;
    connection.call(&shared.barrier()).await?;
    let mut steps = Vec::new();
    for parent in (0..data_ids).map(|ix| names.data(ix)).chain([names.fences()]) {
        let frame = connection.call(&Message::Children { path: parent.clone(), watch: false }).await?;
        if frame.head.code == Code::OK {
            let children = children_names(children_reply(frame.body())?.0)?;
            steps.extend(children.into_iter().map(|name| Step::Delete { path: format!("{parent}/{name}") }));
            steps.push(Step::Delete { path: parent });
        }
    }
    steps.push(Step::Delete { path: names.root().to_owned() });
    batches(connection, steps).await
}

async fn batches(connection: &mut Connection, mut steps: Vec<Step>) -> Result<Code, Broken> {
    while !steps.is_empty() {
        let rest = steps.split_off(steps.len().min(BATCH));
        let frame = connection.call(&Message::Multi(steps)).await?;
        let code = match frame.head.code {
            Code::OK => multi_outcome(frame.body())?,
            refused => refused,
        };
        if code != Code::OK {
            return Ok(code);
        }
        steps = rest;
    }
    Ok(Code::OK)
}
