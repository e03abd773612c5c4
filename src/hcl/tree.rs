//! The pieces of a template to a tree: literals are joined, directives matched with their ends.

use bumpalo::collections::String as ArenaString;

use super::ast::{Expr, ExprKind, Ident, Part};
use super::parser::{Failed, Parsed, Parser};
use super::template::{Flat, Template};
use crate::source::Span;

/// A directive whose end is not reached.
struct Open<'a> {
    kind: OpenKind<'a>,
    span: Span,
    /// Where its parts begin on the stack of parts.
    mark: usize,
}

enum OpenKind<'a> {
    If { condition: &'a Expr<'a>, then: Option<&'a [Part<'a>]> },
    For { key_var: Option<Ident<'a>>, value_var: Ident<'a>, collection: &'a Expr<'a> },
}

impl<'a> Parser<'a> {
    /// Makes the expression of a template whose pieces are all read.
    pub(super) fn end_template(&mut self, template: Template) -> Parsed<ExprKind<'a>> {
        self.depth = template.depth;
        let count = self.flats.since(template.mark).len();
        let (literals, text, _) = self.literal_run(template.mark);
        let kind =
            if literals == count { ExprKind::String(text) } else { self.template_parts(template.mark)? };
        self.flats.truncate(template.mark);
        Ok(kind)
    }

    fn template_parts(&mut self, flats: usize) -> Parsed<ExprKind<'a>> {
        let first = self.parts.mark();
        let mut open: Vec<Open<'a>> = Vec::new();
        let mut deepest = 0;
        let mut next = flats;
        while let Some(&flat) = self.flats.since(next).first() {
            next += 1;
            match flat {
                Flat::Literal(..) => {
                    let (count, text, span) = self.literal_run(next - 1);
                    next += count - 1;
                    self.parts.push(Part::Literal(text, span));
                }
                Flat::Interpolation(expr) => self.parts.push(Part::Interpolation(expr)),
                Flat::If(condition, span) => {
                    let kind = OpenKind::If { condition, then: None };
                    open.push(Open { kind, span, mark: self.parts.mark() });
                }
                Flat::For { key_var, value_var, collection, span } => {
                    let kind = OpenKind::For { key_var, value_var, collection };
                    open.push(Open { kind, span, mark: self.parts.mark() });
                }
                Flat::Else(span) => match open.last_mut() {
                    Some(Open { kind: OpenKind::If { then: then @ None, .. }, mark, .. }) => {
                        *then = Some(self.parts.take(*mark, self.arena));
                    }
                    _ => return Err(self.stray_directive(span, "else", "if")),
                },
                Flat::EndIf(span) => match open.pop() {
                    Some(Open { kind: OpenKind::If { condition, then }, mark, .. }) => {
                        let last = self.parts.take(mark, self.arena);
                        let (then, otherwise): (_, &[_]) = then.map_or((last, &[]), |then| (then, last));
                        self.parts.push(Part::If { condition, then, otherwise });
                    }
                    _ => return Err(self.stray_directive(span, "endif", "if")),
                },
                Flat::EndFor(span) => match open.pop() {
                    Some(Open { kind: OpenKind::For { key_var, value_var, collection }, mark, .. }) => {
                        let body = self.parts.take(mark, self.arena);
                        self.parts.push(Part::For { key_var, value_var, collection, body });
                    }
                    _ => return Err(self.stray_directive(span, "endfor", "for")),
                },
            }
            deepest = deepest.max(open.len());
        }
        if let Some(Open { kind, span, .. }) = open.last() {
            let end = match kind {
                OpenKind::If { .. } => "endif",
                OpenKind::For { .. } => "endfor",
            };
            return Err(self.report(*span, format!("this directive is never closed with `%{{{end}}}`")));
        }
        self.height += u32::try_from(deepest).unwrap_or(u32::MAX);
        Ok(ExprKind::Template(self.parts.take(first, self.arena)))
    }

    #[cold]
    fn stray_directive(&mut self, span: Span, directive: &str, opener: &str) -> Failed {
        self.report(span, format!("`%{{{directive}}}` has no `%{{{opener}}}` before it to belong to"))
    }

    /// The literals from `start` on that follow each other: how many, their text, and from the first to the last.
    fn literal_run(&self, start: usize) -> (usize, &'a str, Span) {
        let literals = || {
            self.flats.since(start).iter().map_while(|flat| match *flat {
                Flat::Literal(text, span) => Some((text, span)),
                _ => None,
            })
        };
        let Some((first, mut span)) = literals().next() else {
            return (0, "", Span::default());
        };
        // Literals that are as long as their source are their source.
        let (mut count, mut length, mut verbatim) = (0, 0, true);
        for (text, place) in literals() {
            verbatim &= place.end as usize - place.start as usize == text.len() && place.start <= span.end;
            span = span.to(place);
            length += text.len();
            count += 1;
        }
        if count == 1 {
            return (1, first, span);
        }
        verbatim &= length == span.end as usize - span.start as usize;
        if verbatim {
            return (count, self.slice(span.start as usize, span.end as usize), span);
        }
        let mut joined = ArenaString::with_capacity_in(length, self.arena);
        literals().for_each(|(text, _)| joined.push_str(text));
        (count, joined.into_bump_str(), span)
    }
}
