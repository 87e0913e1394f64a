//! The pgo command.
fn main() {}
