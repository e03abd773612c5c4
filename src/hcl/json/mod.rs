//! HCL in JSON syntax: the same tree as that of native syntax.
//!
//! JSON has one notation for arguments and for blocks, and strings are templates, plain texts or expressions depending on
//! where they stand. Who calls [`parse`] says which is which by a [`Schema`].
//!
//! Written from Terraform's published rules of JSON configuration and checked against what Terraform does.

mod decode;
mod lexer;
mod relocate;
#[cfg(test)]
mod tests;
mod tree;

use bumpalo::Bump;

use super::ast::Body;
use crate::diagnostic::Diagnostic;
use crate::source::FileId;

/// What a body may hold.
pub trait Schema: Copy {
    /// What the property `name` of this body is.
    fn property(self, name: &str) -> Property;

    /// What a block of type `name` with these labels holds.
    fn block(self, name: &str, labels: &[&str]) -> Self;
}

/// What a property of a body is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// `name = value`
    Argument(Reading),
    /// Blocks with so many labels.
    Block(usize),
}

/// How the strings in a value are read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As templates: what stands in quotes in native syntax.
    Template,
    /// As they are.
    Literal,
    /// As expressions: names, types.
    Expression,
}

/// Parses a whole file. Never fails: what is wrong costs the value it is in and is a diagnostic at its place in `file`.
pub fn parse<'a, S: Schema>(
    text: &'a str,
    file: FileId,
    arena: &'a Bump,
    schema: S,
) -> (Body<'a>, Vec<Diagnostic>) {
    let (root, diagnostics) = tree::parse(text, file, arena);
    decode::Decoder::new(text, file, arena, diagnostics).file(root, schema)
}
