//! Terraform's inputs: source, plan JSON and state.

pub mod source;
