//! Subscribing: read the list of children and set a watch in the same request; after each event, the same again.
//!
//! A watch fires once. Because the read that follows sets the next one in the same step, no change is lost; several
//! changes may be seen as one. Each content read is a push. The watch and everything here end with the connection.

#![allow(clippy::disallowed_methods, reason = "an adapter to a real system lives in real time")]

use super::client::{Client, Command, Stopped, accept};
use super::connection::{Broken, Frame};
use super::contents::Content;
use super::jute::JuteError;
use super::protocol::{Code, Message, children_reply, event_path};
use crate::world::{Happening, Response};
use history::DataIx;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The subscriptions of one connection.
#[derive(Debug, Default)]
pub struct Watches {
    /// Numbers of subscriptions, by dataId.
    subscribed: BTreeMap<DataIx, Vec<u32>>,
    /// Reads without an answer yet, by number of the request; none where only the watch is wanted.
    reads: BTreeMap<i32, Option<DataIx>>,
}

/// What a subscription will be shown first.
#[derive(Debug)]
pub struct FirstPush {
    data: DataIx,
    subscription: u32,
    version: u64,
    content: Content,
}

impl Client {
    /// Reads, watches, and pushes what was read to the new subscription.
    pub async fn subscribe(&mut self, deadline: Instant, data: DataIx, subscription: u32) -> Result<Response, Stopped> {
        let watch = self.shared.behaviour.watch_before_read;
        let path = self.shared.names.data(data);
        let frame = self.ask(deadline, &Message::Children { path, watch }).await?;
        accept(frame.head.code)?;
        let (content, version) = self.content(data, &frame)?;
        if let Some(link) = &mut self.link {
            let subscribed = link.watches.subscribed.entry(data).or_default();
            if !subscribed.contains(&subscription) {
                subscribed.push(subscription);
            }
        }
        self.first_push = Some(FirstPush { data, subscription, version, content });
        Ok(Response::Ok { read: None })
    }

    /// Shows a new subscription what was read, after the operation that made it has ended.
    pub fn push_first(&mut self) {
        let Some(FirstPush { data, subscription, version, content }) = self.first_push.take() else { return };
        self.push(subscription, data, version, content);
        if !self.shared.behaviour.watch_before_read {
            self.watch_after_gap(data);
        }
    }

    /// Ends a subscription. A watch that is still set fires once more and is ignored.
    pub fn unsubscribe(&mut self, data: DataIx, subscription: u32) {
        let Some(link) = &mut self.link else { return };
        if let Some(subscribed) = link.watches.subscribed.get_mut(&data) {
            subscribed.retain(|other| *other != subscription);
            if subscribed.is_empty() {
                link.watches.subscribed.remove(&data);
            }
        }
    }

    /// Reads once: what is up to date, or (a careless client) what the node happens to have.
    pub async fn read(&mut self, deadline: Instant, data: DataIx) -> Result<Response, Stopped> {
        let path = self.shared.names.data(data);
        // Both go out at once; a session's requests are answered in their order.
        let barrier = self.shared.barrier();
        let barrier = if self.shared.behaviour.synced_reads { Some(self.send(&barrier)?) } else { None };
        let read = self.send(&Message::Children { path, watch: false })?;
        if let Some(xid) = barrier {
            let frame = self.reply(deadline, xid).await?;
            let code = self.shared.barrier_code(&frame)?;
            if code != Code::OK {
                self.reply(deadline, read).await?;
                return Err(Stopped::Refused(code));
            }
        }
        let frame = self.reply(deadline, read).await?;
        accept(frame.head.code)?;
        let (content, _) = self.content(data, &frame)?;
        Ok(Response::Ok { read: Some(content.to_vec()) })
    }

    /// A watch fired: reads again, for all subscriptions of this dataId.
    pub fn event(&mut self, body: &[u8]) -> Result<(), JuteError> {
        let path = event_path(body)?;
        let (names, watch) = (&self.shared.names, self.shared.behaviour.watch_before_read);
        let (Some(data), Some(link)) = (names.data_of(&path), &mut self.link) else { return Ok(()) };
        if link.watches.subscribed.contains_key(&data) {
            let xid = link.connection.send(&Message::Children { path, watch });
            link.watches.reads.insert(xid, Some(data));
        }
        Ok(())
    }

    /// The answer to such a read: a push for each subscription.
    pub fn answered(&mut self, frame: &Frame) -> Result<(), Broken> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let Some(Some(data)) = link.watches.reads.remove(&frame.head.xid) else { return Ok(()) };
        if frame.head.code != Code::OK {
            // A subscription that cannot be read any more must not look alive.
            return Err(Broken::Session(frame.head.code));
        }
        let subscribed = link.watches.subscribed.get(&data).cloned().unwrap_or_default();
        let (content, version) = self.content(data, frame)?;
        for subscription in subscribed {
            self.push(subscription, data, version, content.clone());
        }
        if !self.shared.behaviour.watch_before_read {
            self.watch_after_gap(data);
        }
        Ok(())
    }

    /// The careless client has read and is busy with that; a change in this gap is lost to it.
    fn watch_after_gap(&self, data: DataIx) {
        let Some(link) = &self.link else { return };
        let (own, connection) = (self.own.clone(), link.serial);
        let gap = Duration::from_millis(self.shared.config.careless_watch_gap_ms);
        tokio::spawn(async move {
            tokio::time::sleep(gap).await;
            // The client may have left meanwhile.
            let _left = own.send(Command::Watch { connection, data });
        });
    }

    /// The careless client sets its watch, and does not look at what it would have seen.
    pub fn watch_late(&mut self, connection: u64, data: DataIx) {
        let path = self.shared.names.data(data);
        if let Some(link) = self.link.as_mut().filter(|link| link.serial == connection) {
            let xid = link.connection.send(&Message::Children { path, watch: true });
            link.watches.reads.insert(xid, None);
        }
    }

    fn content(&self, data: DataIx, frame: &Frame) -> Result<(Content, u64), JuteError> {
        let (list, stat) = children_reply(frame.body())?;
        // The transaction that changed the list last: never falls, the same on every node.
        let version = u64::try_from(stat.pzxid).unwrap_or_default();
        Ok((self.shared.contents.of(data, list)?, version))
    }

    fn push(&self, subscription: u32, data: DataIx, version: u64, elements: Content) {
        let client = self.id;
        let version = Some(version);
        self.shared.recorder.tell(Happening::Push { client, subscription, data, version, elements });
    }
}
