//! Moves a tree that was parsed from what a string says to where the string is written: escapes make them differ.

use bumpalo::Bump;

use super::lexer::{Str, pieces, span};
use crate::hcl::ast::{Call, Conditional, Expr, ExprKind, For, Ident, ObjectItem, Part, Step};
use crate::source::Span;

/// From offsets in a string to those in the file.
pub(super) struct Relocation<'a> {
    arena: &'a Bump,
    /// Where the pieces of the string begin: in what it says, in the file. Sorted.
    starts: Vec<(usize, usize)>,
}

impl<'a> Relocation<'a> {
    pub(super) fn new(string: Str<'_>, arena: &'a Bump) -> Self {
        let mut said = 0;
        let starts = pieces(string.raw).map(|(piece, at)| {
            let start = (said, string.start + at);
            said += piece.len();
            start
        });
        let mut starts: Vec<_> = starts.collect();
        starts.push((said, string.start + string.raw.len()));
        Self { arena, starts }
    }

    fn offset(&self, offset: u32) -> usize {
        let offset = offset as usize;
        let after = self.starts.partition_point(|&(said, _)| said <= offset);
        match after.checked_sub(1).and_then(|at| self.starts.get(at)) {
            Some(&(said, written)) => written + (offset - said),
            None => offset,
        }
    }

    pub(super) fn span(&self, at: Span) -> Span {
        span(self.offset(at.start), self.offset(at.end))
    }

    pub(super) fn expr(&self, expr: Expr<'a>) -> Expr<'a> {
        let kind = match expr.kind {
            ExprKind::Template(parts) => ExprKind::Template(self.parts(parts)),
            ExprKind::Tuple(items) => ExprKind::Tuple(self.exprs(items)),
            ExprKind::Object(items) => {
                let item = |item: &ObjectItem<'a>| ObjectItem {
                    key: self.expr(item.key),
                    value: self.expr(item.value),
                };
                ExprKind::Object(self.arena.alloc_slice_fill_iter(items.iter().map(item)))
            }
            ExprKind::Access { base, steps } => {
                ExprKind::Access { base: self.boxed(base), steps: self.steps(steps) }
            }
            ExprKind::Call(call) => ExprKind::Call(self.arena.alloc(Call {
                name: self.ident(call.name),
                args: self.exprs(call.args),
                expand: call.expand,
            })),
            ExprKind::Unary(op, operand) => ExprKind::Unary(op, self.boxed(operand)),
            ExprKind::Binary(op, left, right) => ExprKind::Binary(op, self.boxed(left), self.boxed(right)),
            ExprKind::Conditional(of) => ExprKind::Conditional(self.arena.alloc(Conditional {
                condition: self.expr(of.condition),
                then: self.expr(of.then),
                otherwise: self.expr(of.otherwise),
            })),
            ExprKind::For(of) => ExprKind::For(self.arena.alloc(For {
                key_var: of.key_var.map(|name| self.ident(name)),
                value_var: self.ident(of.value_var),
                collection: self.expr(of.collection),
                key: of.key.map(|key| self.expr(key)),
                value: self.expr(of.value),
                group: of.group,
                condition: of.condition.map(|condition| self.expr(condition)),
            })),
            ExprKind::Paren(inner) => ExprKind::Paren(self.boxed(inner)),
            kind @ (ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Variable(_)
            | ExprKind::Invalid) => kind,
        };
        Expr { kind, span: self.span(expr.span) }
    }

    fn boxed(&self, expr: &Expr<'a>) -> &'a Expr<'a> {
        self.arena.alloc(self.expr(*expr))
    }

    fn exprs(&self, exprs: &[Expr<'a>]) -> &'a [Expr<'a>] {
        self.arena.alloc_slice_fill_iter(exprs.iter().map(|&expr| self.expr(expr)))
    }

    fn ident(&self, ident: Ident<'a>) -> Ident<'a> {
        Ident { text: ident.text, span: self.span(ident.span) }
    }

    fn steps(&self, steps: &[Step<'a>]) -> &'a [Step<'a>] {
        let step = |step: &Step<'a>| match *step {
            Step::Attr(name) => Step::Attr(self.ident(name)),
            Step::Index(key, at) => Step::Index(self.expr(key), self.span(at)),
            Step::LegacyIndex(digits) => Step::LegacyIndex(self.ident(digits)),
            Step::Splat { each, full, span } => {
                Step::Splat { each: self.steps(each), full, span: self.span(span) }
            }
        };
        self.arena.alloc_slice_fill_iter(steps.iter().map(step))
    }

    fn parts(&self, parts: &[Part<'a>]) -> &'a [Part<'a>] {
        let part = |part: &Part<'a>| match *part {
            Part::Literal(text, at) => Part::Literal(text, self.span(at)),
            Part::Interpolation(expr) => Part::Interpolation(self.boxed(expr)),
            Part::If { condition, then, otherwise } => Part::If {
                condition: self.boxed(condition),
                then: self.parts(then),
                otherwise: self.parts(otherwise),
            },
            Part::For { key_var, value_var, collection, body } => Part::For {
                key_var: key_var.map(|name| self.ident(name)),
                value_var: self.ident(value_var),
                collection: self.boxed(collection),
                body: self.parts(body),
            },
        };
        self.arena.alloc_slice_fill_iter(parts.iter().map(part))
    }
}
