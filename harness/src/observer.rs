//! Who looks on while a run goes: progress for people, metrics for Prometheus. They see what is recorded, and change
//! nothing.

use history::{Event, Nanos};

/// Looks on.
pub trait Observer {
    /// An event was recorded.
    fn event(&mut self, event: &Event);
    /// Time has passed.
    fn tick(&mut self, now: Nanos, connected: usize);
}

/// Several at once.
#[derive(Default)]
pub struct Observers(pub Vec<Box<dyn Observer>>);

impl Observer for Observers {
    fn event(&mut self, event: &Event) {
        for observer in &mut self.0 {
            observer.event(event);
        }
    }

    fn tick(&mut self, now: Nanos, connected: usize) {
        for observer in &mut self.0 {
            observer.tick(now, connected);
        }
    }
}
