//! The discrete-event kernel: virtual time, network, node clocks, random streams.

pub mod stream;

pub use stream::{Stream, hash_draw};
