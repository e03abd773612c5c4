//! Terraform's inputs: source, plan JSON and state.

pub mod address;
pub mod plan;
pub mod source;
pub mod state;
