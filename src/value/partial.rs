//! What is known of an unknown value beyond what Terraform knows: a string with holes, JSON with holes, one of a few.
//!
//! It is a part of [`Unknown`](super::Unknown), so whoever does not ask for it sees an unknown value: that is what
//! Terraform sees too, and dropping it is the projection that tests/modes.rs holds against Terraform's own answers.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{Type, Value, convert};

/// What is still known of an unknown value.
#[derive(Clone, Debug)]
pub enum Partial {
    /// A string: the pieces in order, at least one of them a hole, no two texts side by side.
    Template(Arc<[Piece]>),
    /// The JSON text of this value, which is not wholly known. Where its object keys are, they are all there.
    Json(Value),
    /// One of these, two to [`Partial::MAX_CHOICES`] of them. Each may be unknown itself.
    Choice(Arc<[Value]>),
    /// A list, set or tuple: its elements, of which some may not be there. Their order says nothing.
    Elements(Arc<[Element]>),
}

/// An element of a collection that is known in part.
#[derive(Clone, Debug)]
pub struct Element {
    /// What it is; of [`Times::Any`] what all of them have in common.
    pub value: Value,
    /// How often it is there.
    pub times: Times,
}

/// How often an element of a collection is there.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// Certainly, once.
    Once,
    /// Once or not at all.
    Perhaps,
    /// Any number of times, or not at all.
    Any,
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

impl Partial {
    /// The values that it is made of.
    pub fn parts(&self) -> impl Iterator<Item = &Value> {
        let (pieces, values, elements): (&[Piece], &[Value], &[Element]) = match self {
            Self::Template(pieces) => (pieces, &[], &[]),
            Self::Json(value) => (&[], std::slice::from_ref(value), &[]),
            Self::Choice(values) => (&[], values, &[]),
            Self::Elements(elements) => (&[], &[], elements),
        };
        let holes = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Hole(value) => Some(value),
        });
        holes.chain(values).chain(elements.iter().map(|element| &element.value))
    }

    /// The elements of a collection whose elements are converted to `ty`; [`None`] where one does not convert.
    pub(super) fn elements_as(elements: &[Element], ty: &Type) -> Option<Self> {
        let element = |element: &Element| {
            Some(Element { value: convert(&element.value, ty).ok()?, times: element.times })
        };
        Some(Self::Elements(elements.iter().map(element).collect::<Option<_>>()?))
    }
}

impl Value {
    /// The elements of an unknown collection, if some are known.
    pub fn elements(&self) -> Option<&[Element]> {
        match &self.as_unknown()?.partial {
            Some(Partial::Elements(elements)) => Some(elements),
            _ => None,
        }
    }

    /// Whether it is a collection that may be empty, as none of its elements is certain.
    pub fn may_be_empty(&self) -> bool {
        self.elements().is_some_and(|elements| elements.iter().all(|element| element.times != Times::Once))
    }
}
