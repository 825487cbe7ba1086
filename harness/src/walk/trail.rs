//! What happens on a walk: messages as they are sent and as they arrive, and what is recorded in the history.

use crate::observer::Observer;
use history::{Cat, Event, Header, Nanos};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use systems::World;
use systems::world::TracedMessage;

/// One thing that happened, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A message was sent.
    Sent(TracedMessage),
    /// A message arrived, or reached nobody.
    Arrived(TracedMessage),
    /// Something was recorded: when, and the line of the history.
    Recorded(Nanos, String),
}

impl Item {
    /// When.
    pub fn time(&self) -> Nanos {
        match self {
            Item::Sent(message) => message.sent,
            Item::Arrived(message) => message.arrives.unwrap_or(message.sent),
            Item::Recorded(time, _) => *time,
        }
    }

    /// At the same instant: first what comes in, then what that means, then what goes out.
    fn rank(&self) -> u8 {
        match self {
            Item::Arrived(_) => 0,
            Item::Recorded(..) => 1,
            Item::Sent(_) => 2,
        }
    }
}

/// See the module.
pub struct Trail<'a> {
    cat: Cat<'a>,
    watched: BTreeSet<String>,
    items: Vec<Item>,
    /// How many messages were seen being sent.
    seen: usize,
    /// Places of messages that are on their way.
    under_way: Vec<(usize, TracedMessage)>,
}

impl<'a> Trail<'a> {
    /// Of a run with this header. Only what concerns these nodes and clients is kept; everything if there are none.
    pub fn new(header: &'a Header, watched: &[String]) -> Trail<'a> {
        let watched = watched.iter().cloned().collect();
        Trail { cat: Cat::new(header), watched, items: Vec::new(), seen: 0, under_way: Vec::new() }
    }

    fn concerns(&self, name: &str) -> bool {
        self.watched.is_empty() || self.watched.contains(name)
    }

    /// Takes over what was said since the last call, and what has arrived.
    pub(super) fn follow(&mut self, world: &dyn World) {
        let now = world.now();
        let mut news = Vec::new();
        let first = self.under_way.first().map_or(self.seen, |(place, _)| *place);
        let messages = world.messages(first);
        for (place, old) in std::mem::take(&mut self.under_way) {
            let message = &messages[place - first];
            match message.arrives {
                Some(at) if at > now => self.under_way.push((place, old)),
                Some(_) => news.push(Item::Arrived(message.clone())),
                // It was on its way, and nobody was there.
                None => news.push(Item::Arrived(TracedMessage { arrives: None, ..old })),
            }
        }
        for (place, message) in messages.iter().enumerate().skip(self.seen - first) {
            let (from, to) = (self.concerns(&message.from), self.concerns(&message.to));
            if from {
                news.push(Item::Sent(message.clone()));
            }
            match message.arrives {
                Some(at) if at > now && (from || to) => self.under_way.push((first + place, message.clone())),
                Some(at) if at <= now && to => news.push(Item::Arrived(message.clone())),
                _ => {}
            }
        }
        self.seen = first + messages.len();
        let arrived = |item: &Item| matches!(item, Item::Arrived(message) if !self.concerns(&message.to));
        news.retain(|item| !arrived(item));
        self.items.extend(news);
    }

    /// True if something was seen since the last stop.
    pub(super) fn has_news(&self) -> bool {
        !self.items.is_empty()
    }

    /// What was seen since the last stop, in order of time.
    pub(super) fn take(&mut self) -> Vec<Item> {
        let mut items = std::mem::take(&mut self.items);
        items.sort_by_key(|item| (item.time(), item.rank()));
        items
    }

    /// What is on its way.
    pub(super) fn under_way(&self) -> Vec<Item> {
        self.under_way.iter().map(|(_, message)| Item::Arrived(message.clone())).collect()
    }

    fn record(&mut self, event: &Event) {
        let line = self.cat.line(event);
        let (Some(line), Some(time)) = (line, event.time()) else { return };
        let concerned = match event {
            Event::Op(op) => self.concerns(&format!("client-{}", op.client)),
            Event::Push(push) => self.concerns(&format!("client-{}", push.client)),
            Event::Connection(connection) => self.concerns(&format!("client-{}", connection.client)),
            Event::Dropped(dropped) => self.concerns(&format!("client-{}", dropped.client)),
            Event::Fault(_) | Event::Phase(_) | Event::Routes(_) => true,
            Event::Snapshot(_) => false,
        };
        if concerned {
            self.items.push(Item::Recorded(time, line));
        }
    }
}

/// Writes what is recorded onto the trail.
pub(super) struct Notes<'a>(pub Rc<RefCell<Trail<'a>>>);

impl Observer for Notes<'_> {
    fn event(&mut self, event: &Event) {
        self.0.borrow_mut().record(event);
    }

    fn tick(&mut self, _: Nanos, _: usize) {}
}
