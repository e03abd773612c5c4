//! airgate: a static analyzer for the infrastructure of AI systems.

pub mod catalog;
pub mod check;
pub mod config;
pub mod diagnostic;
pub mod eval;
pub mod facts;
pub mod finding;
pub mod graph;
pub mod hcl;
pub mod iam;
pub mod input;
pub mod program;
pub mod pulumi;
pub mod report;
pub mod residency;
pub mod rules;
pub mod source;
pub mod terraform;
pub mod value;
