//! HCL, in native syntax and in JSON's: text to a spanned tree, with error recovery. Knows nothing of Terraform's meaning.
//!
//! Written from the published HCL native-syntax specification and checked against what Terraform does.
//!
//! One pass without a token list: the parser looks at the bytes of the text and writes nodes into the arena. Literals
//! borrow the text unless an escape or an indentation must be taken out of them.

pub mod ast;
mod body;
mod collection;
mod expression;
mod heredoc;
pub mod json;
mod lexer;
mod parser;
mod recover;
mod template;
#[cfg(test)]
mod tests;
mod tree;

use bumpalo::Bump;
pub use lexer::is_identifier;

use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use parser::Parser;

/// How deep blocks, brackets, conditionals and templates may nest. Real code stays below 30.
///
/// What goes deeper is a diagnostic. So the parser, and any visitor that calls itself for each level, fits in the 2 MiB
/// of a thread's stack, even in builds without optimisation, where a level of either takes up to 8 KiB.
pub const MAX_NESTING: u32 = 200;

/// The most nodes on a path from a file to a leaf: nesting, and each operator of a chain such as `a || b || c`, whose
/// tree leans to the left. Generated code has long chains, and a visitor needs less stack for an operator.
pub const MAX_DEPTH: u32 = 500;

/// After so many diagnostics the rest of a file is not read: it is hardly HCL.
pub const MAX_DIAGNOSTICS: usize = 50;

/// Parses a whole file. Never fails: what is wrong costs its body item and is a diagnostic at its place in `file`.
///
/// An attribute whose value is wrong stays, with the value [`ast::ExprKind::Invalid`]: it is there, but unknown.
pub fn parse<'a>(text: &'a str, file: FileId, arena: &'a Bump) -> (ast::Body<'a>, Vec<Diagnostic>) {
    let mut parser = Parser::new(text, file, arena);
    let body = parser.file();
    if !parser.needs_resync() {
        return (body, parser.finish());
    }
    // Something is never closed and took the rest of the file with it. Only now lines that look like the start of a
    // top-level block are taken as one: in a file without errors such a line may be anything.
    let mut parser = Parser::new(text, file, arena).with_resync();
    let body = parser.file();
    (body, parser.finish())
}

/// Parses one expression that is the whole of `text`; line ends in it mean nothing, as within parentheses.
pub fn parse_expression<'a>(
    text: &'a str,
    file: FileId,
    arena: &'a Bump,
) -> (ast::Expr<'a>, Vec<Diagnostic>) {
    let mut parser = Parser::new(text, file, arena);
    let expr = parser.lone_expression();
    (expr, parser.finish())
}

/// Parses `text` as a template without quotes, as the message of a rule or the file of `templatefile` is.
pub fn parse_template<'a>(text: &'a str, file: FileId, arena: &'a Bump) -> (ast::Expr<'a>, Vec<Diagnostic>) {
    let mut parser = Parser::new(text, file, arena);
    let expr = parser.lone_template();
    (expr, parser.finish())
}
