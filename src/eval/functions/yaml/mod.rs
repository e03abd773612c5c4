//! `yamldecode` and `yamlencode`.
//!
//! The events of a document are those of a parser for YAML; which of them are numbers, and what is written, is as Terraform
//! has it: `fixtures/truth` holds its answers.

mod decode;
mod encode;
mod scalar;

pub(super) use decode::yamldecode;
pub(super) use encode::yamlencode;
