//! Rules as data: one Markdown file a rule, its conditions compiled once, selected by id, family or name.
//!
//! [`mod@file`] is the format, [`set`] the collection and its digest, [`select`] who runs, [`mod@compile`] the conditions,
//! [`vocabulary`] what a condition may name, [`framework`] the laws and standards that controls support, [`index`] the table of `rules/README.md`.

mod builtin;
pub mod compile;
pub mod controls;
mod digest;
mod error;
pub mod file;
pub mod framework;
pub mod index;
pub mod select;
pub mod set;
#[cfg(test)]
mod tests;
pub mod vocabulary;
mod walk;

pub use compile::{CompiledRule, Test, compile};
pub use controls::{Control, Controls};
pub use error::{RuleError, did_you_mean};
pub use file::{Example, Expectation, Rule, Scope, Status};
pub use framework::Framework;
pub use set::RuleSet;
pub use vocabulary::{DOMAIN_FUNCTIONS, Vocabulary};

/// The version of airgate: part of the digest, and of a new rule's `since`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
