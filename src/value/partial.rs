//! What is known of an unknown value beyond what Terraform knows: a string with holes, JSON with holes, one of a few.
//!
//! It is a part of [`Unknown`](super::Unknown), so whoever does not ask for it sees an unknown value: that is what
//! Terraform sees too, and dropping it is the projection that tests/modes.rs holds against Terraform's own answers.

use std::sync::Arc;

use smol_str::SmolStr;

use super::Value;

/// What is still known of an unknown value.
#[derive(Clone, Debug)]
pub enum Partial {
    /// A string: the pieces in order, at least one of them a hole, no two texts side by side.
    Template(Arc<[Piece]>),
    /// The JSON text of this value, which is not wholly known. Where its object keys are, they are all there.
    Json(Value),
    /// One of these, two to [`Partial::MAX_CHOICES`] of them. Each may be unknown itself.
    Choice(Arc<[Value]>),
}

/// A piece of a string.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Known text, not empty.
    Text(SmolStr),
    /// The text of an unknown value; it is not null. It says why it is unknown, and which attribute it is.
    Hole(Value),
}

impl Partial {
    /// A choice has no more alternatives.
    pub const MAX_CHOICES: usize = 8;
    /// A string has no more pieces.
    pub const MAX_PIECES: usize = 1_000;
}
