//! Terraform's inputs: plans, states and source.

pub mod address;
pub mod plan;
pub mod state;
