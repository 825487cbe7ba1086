//! The upheaval program.
fn main() {}
