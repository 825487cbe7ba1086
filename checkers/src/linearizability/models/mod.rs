//! The models.

pub mod container;
pub mod counter;
pub mod lease;
pub mod lock;
pub mod mutex;
pub mod register;
pub mod registers;
pub mod set;
pub mod text;
