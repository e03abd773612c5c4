//! The `airgate` program.

fn main() {}
