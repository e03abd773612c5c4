//! Terraform's expression language: from a syntax tree and a scope to a [`Value`].

mod access;
mod constraint;
mod control;
pub mod elements;
mod evaluator;
mod expression;
mod for_expression;
pub mod functions;
mod join;
mod lift;
mod more;
mod operators;
mod pieces;
mod provenance;
mod size;
mod stack;
mod template;
#[cfg(test)]
mod tests;

pub use access::any_element;
pub use stack::{on_deep_stack, pool};

use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::hcl::ast::Expr;
use crate::source::{FileId, Site, Span};
use crate::value::{Cause, Value};

/// What names mean. The language itself knows none; Terraform modules and rule conditions each have a scope.
pub trait Scope {
    /// The value of a root name and how many of the attribute steps after it were used for it: `var.a` uses one of
    /// `["a", …]`, `aws_s3_bucket.b` one, `data.t.n` two, `self` none. `attrs` are the leading `.name` steps only.
    /// An error if the name is not declared; `try` does not catch it, as in Terraform.
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String>;

    /// The value of `root.attrs[key].then`, and how many of `then` were used for it, where the scope can tell it without
    /// making all elements that `root.attrs` has. It is what [`Scope::lookup`] and the steps after it would give.
    fn lookup_element(
        &self,
        root: &str,
        attrs: &[&str],
        key: &Value,
        then: &[&str],
    ) -> Option<(Value, usize)> {
        let _ = (root, attrs, key, then);
        None
    }

    /// Calls a function that the scope adds to Terraform's own. `None` if it has no such function.
    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let _ = (name, args);
        None
    }

    /// Whether a name, with the attribute steps after it, or a function is told alike to all resources of a type that give the
    /// same arguments: it looks at nothing but these, what they name in the graph, the type, and the configuration.
    fn is_alike(&self, name: &str, attrs: &[&str]) -> bool {
        let _ = (name, attrs);
        false
    }

    /// Where filesystem functions look; `None` where there is no filesystem (the functions are then unknown).
    fn directory(&self) -> Option<Directory<'_>> {
        None
    }
}

/// Where filesystem functions look.
#[derive(Copy, Clone, Debug)]
pub struct Directory<'d> {
    /// Relative paths start here.
    pub path: &'d Path,
    /// What they do not leave.
    pub tree: &'d Path,
}

/// Nesting on this thread, for as long as it lives. Who evaluates expressions inside of expressions, as resources and
/// locals do, shares one count with the evaluator, and so one stack.
pub struct Nested {
    _level: stack::Level,
}

impl Nested {
    /// Each is worth as many levels of an expression.
    const LEVELS: usize = 4;

    /// Deeper by what a local, an attribute of a resource or a block takes, or [`None`] if that is too deep.
    pub fn enter() -> Option<Self> {
        stack::Level::enter_many(Self::LEVELS).ok().map(|level| Self { _level: level })
    }

    /// What stands for a value that is nested too deeply.
    pub fn too_deep() -> Value {
        Value::unknown(Cause::Limit(stack::TOO_DEEP.into()))
    }
}

/// How logic treats unknown operands.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Exactly as Terraform 1.11: `false && unknown` is unknown.
    Strict,
    /// May only know more: `false && unknown` is false. Configurations and rule conditions are evaluated so.
    #[default]
    Extended,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// In one sentence without a full stop, with no sensitive content.
    pub message: String,
    /// The part of the expression that is wrong.
    pub span: Span,
    /// A name that is not declared, a wrong argument count: found without evaluating, so `try` and `can` do not catch it.
    pub is_static: bool,
}

/// Evaluates `expr` of `file`. An error becomes an unknown with [`crate::value::Cause::Error`] and a diagnostic.
pub fn evaluate(
    expr: &Expr<'_>,
    file: FileId,
    scope: &dyn Scope,
    mode: Mode,
    diagnostics: &mut Vec<Diagnostic>,
) -> Value {
    let (result, passed) = evaluator::run(expr, Some(file), scope, mode);
    if let Some((which, span)) = passed {
        let message = format!("limit passed: {which}; the value counts as not known");
        diagnostics.push(Diagnostic::warning(message).at(span.at(file)));
    }
    match result {
        Ok(value) => value,
        Err(error) => {
            diagnostics.push(Diagnostic::warning(error.message.clone()).at(error.span.at(file)));
            Value::unknown(Cause::Error(error.message.into())).or_origin(Site { file, span: expr.span })
        }
    }
}

/// Evaluates `expr` of `file`. What passes a limit (nesting, size, steps) is unknown, with the cause
/// [`crate::value::Cause::Limit`].
pub fn try_evaluate(
    expr: &Expr<'_>,
    file: FileId,
    scope: &dyn Scope,
    mode: Mode,
) -> Result<Value, EvalError> {
    evaluator::run(expr, Some(file), scope, mode).0
}
