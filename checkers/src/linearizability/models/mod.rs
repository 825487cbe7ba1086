//! The models.

pub mod counter;
pub mod lease;
pub mod lock;
pub mod mutex;
pub mod queue;
pub mod register;
pub mod registers;
pub mod set;
pub mod stack;
pub mod text;
pub mod unordered;
