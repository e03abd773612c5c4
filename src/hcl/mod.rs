//! HCL native syntax: text to a spanned tree, with error recovery. Knows nothing of Terraform.
//!
//! Written from the published HCL native-syntax specification.

pub mod ast;

use bumpalo::Bump;

use crate::diagnostic::Diagnostic;
use crate::source::FileId;

/// Parses a whole file. Never fails: what is wrong costs its body item and is a diagnostic at its place in `file`.
pub fn parse<'a>(text: &'a str, file: FileId, arena: &'a Bump) -> (ast::Body<'a>, Vec<Diagnostic>) {
    let _ = (text, file, arena);
    (ast::Body::default(), Vec::new())
}

/// Parses one expression that is the whole of `text`.
pub fn parse_expression<'a>(
    text: &'a str,
    file: FileId,
    arena: &'a Bump,
) -> (ast::Expr<'a>, Vec<Diagnostic>) {
    let _ = (text, file, arena);
    (ast::Expr { kind: ast::ExprKind::Invalid, span: crate::source::Span::default() }, Vec::new())
}

/// Parses `text` as a template without quotes, as the message of a rule or the file of `templatefile` is.
pub fn parse_template<'a>(text: &'a str, file: FileId, arena: &'a Bump) -> (ast::Expr<'a>, Vec<Diagnostic>) {
    let _ = (text, file, arena);
    (ast::Expr { kind: ast::ExprKind::Invalid, span: crate::source::Span::default() }, Vec::new())
}
