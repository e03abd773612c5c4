//! Expressions: operators, steps after a term, and terms.

use std::mem;

use super::ast::{BinaryOp, Conditional, Expr, ExprKind, Ident, Step, UnaryOp};
use super::parser::{Parsed, Parser};

/// A left operand that waits for its right one.
#[derive(Copy, Clone, Debug)]
pub(super) struct Operand<'a> {
    left: Expr<'a>,
    height: u32,
    op: BinaryOp,
}

impl<'a> Parser<'a> {
    /// An expression, one level below where it stands.
    pub(super) fn expression(&mut self) -> Parsed<Expr<'a>> {
        self.descend(self.pos)?;
        let outer = mem::take(&mut self.height);
        let mut expr = self.operators()?;
        if self.byte() == b'?' {
            expr = self.conditional(expr)?;
        }
        self.depth -= 1;
        self.height = outer.max(self.height + 1);
        Ok(expr)
    }

    fn conditional(&mut self, condition: Expr<'a>) -> Parsed<Expr<'a>> {
        self.bump(1);
        let then = self.expression()?;
        if self.byte() != b':' {
            return Err(self.expected("`:` and the value for when the condition is false"));
        }
        self.bump(1);
        let otherwise = self.expression()?;
        let span = condition.span.to(otherwise.span);
        let conditional = self.arena.alloc(Conditional { condition, then, otherwise });
        Ok(Expr { kind: ExprKind::Conditional(conditional), span })
    }

    /// Operands and infix operators. Waiting operands are on a stack of their own, not on the call stack, so that six
    /// levels of precedence do not make every level of nesting six calls deep.
    fn operators(&mut self) -> Parsed<Expr<'a>> {
        let base = self.operands.len();
        let mut left = self.unary()?;
        while let Some((op, length)) = self.peek_operator() {
            left = self.fold(base, left, precedence(op))?;
            let height = mem::take(&mut self.height);
            self.operands.push(Operand { left, height, op });
            self.bump(length);
            left = self.unary()?;
        }
        // Most have no operator.
        if self.operands.len() == base { Ok(left) } else { self.fold(base, left, 0) }
    }

    /// Joins `right` with the waiting operands above `base` whose operators bind at least as tightly as `precedence`.
    fn fold(&mut self, base: usize, mut right: Expr<'a>, least: u8) -> Parsed<Expr<'a>> {
        while self.operands.len() > base {
            let Some(&Operand { left, height, op }) = self.operands.last() else { break };
            if precedence(op) < least {
                break;
            }
            self.operands.pop();
            self.height = self.grow(self.height.max(height), left.span.start as usize)?;
            let span = left.span.to(right.span);
            let kind = ExprKind::Binary(op, self.arena.alloc(left), self.arena.alloc(right));
            right = Expr { kind, span };
        }
        Ok(right)
    }

    #[inline]
    fn peek_operator(&self) -> Option<(BinaryOp, usize)> {
        let next = self.byte_at(1);
        Some(match self.byte() {
            b'|' if next == b'|' => (BinaryOp::Or, 2),
            b'&' if next == b'&' => (BinaryOp::And, 2),
            b'=' if next == b'=' => (BinaryOp::Equal, 2),
            b'!' if next == b'=' => (BinaryOp::NotEqual, 2),
            b'<' if next == b'=' => (BinaryOp::LessOrEqual, 2),
            b'<' => (BinaryOp::Less, 1),
            b'>' if next == b'=' => (BinaryOp::GreaterOrEqual, 2),
            b'>' => (BinaryOp::Greater, 1),
            b'+' => (BinaryOp::Add, 1),
            b'-' => (BinaryOp::Subtract, 1),
            b'*' => (BinaryOp::Multiply, 1),
            b'/' if next != b'/' && next != b'*' => (BinaryOp::Divide, 1),
            b'%' => (BinaryOp::Modulo, 1),
            _ => return None,
        })
    }

    fn unary(&mut self) -> Parsed<Expr<'a>> {
        let op = match self.byte() {
            b'!' => UnaryOp::Not,
            b'-' => UnaryOp::Negate,
            _ => return self.postfix(),
        };
        let start = self.pos;
        self.descend(start)?;
        self.bump(1);
        let operand = self.unary()?;
        self.depth -= 1;
        self.height += 1;
        let span = self.span(start, operand.span.end as usize);
        Ok(Expr { kind: ExprKind::Unary(op, self.arena.alloc(operand)), span })
    }

    fn postfix(&mut self) -> Parsed<Expr<'a>> {
        let base = self.term()?;
        if !matches!(self.byte(), b'.' | b'[') {
            return Ok(base);
        }
        let mark = self.steps.mark();
        self.access_steps()?;
        let steps = self.steps.take(mark, self.arena);
        if steps.is_empty() {
            return Ok(base);
        }
        let kind = ExprKind::Access { base: self.arena.alloc(base), steps };
        Ok(Expr { kind, span: self.span_from(base.span.start as usize) })
    }

    /// Steps up to the first token that is none.
    fn access_steps(&mut self) -> Parsed<()> {
        loop {
            match self.byte() {
                b'.' if self.looking_at("...") => return Ok(()),
                b'.' => self.dot_step()?,
                b'[' => self.bracket_step()?,
                _ => return Ok(()),
            }
        }
    }

    fn dot_step(&mut self) -> Parsed<()> {
        let start = self.pos;
        self.bump(1);
        if self.byte() != b'*' {
            let step = self.named_step()?;
            self.steps.push(step);
            return Ok(());
        }
        self.bump(1);
        let mark = self.steps.mark();
        while self.byte() == b'.' && !self.looking_at("...") {
            self.bump(1);
            if self.byte() == b'*' {
                let help = "use `[*]`, which may be nested";
                return Err(self.expected_help("an attribute name after `.`", help));
            }
            let step = self.named_step()?;
            self.steps.push(step);
        }
        let each = self.steps.take(mark, self.arena);
        let span = self.span_from(start);
        self.steps.push(Step::Splat { each, full: false, span });
        Ok(())
    }

    /// What follows a dot that is not a splat.
    fn named_step(&mut self) -> Parsed<Step<'a>> {
        if let Some(name) = self.ident() {
            return Ok(Step::Attr(name));
        }
        if !self.byte().is_ascii_digit() {
            return Err(self.expected("an attribute name after `.`"));
        }
        let start = self.pos;
        let length = self.number_length(start);
        let text = self.slice(start, start + length);
        let span = self.span(start, start + length);
        if text.contains('.') {
            let message = format!("`.{text}` reads as a fraction, not as two indexes");
            return Err(self.report_help(span, message, "write each index in brackets, such as `[0][1]`"));
        }
        self.bump(length);
        Ok(Step::LegacyIndex(Ident { text, span }))
    }

    /// `[key]`, or `[*]` with all steps that follow it.
    fn bracket_step(&mut self) -> Parsed<()> {
        let start = self.pos;
        self.bump(1);
        if self.byte() == b'*' {
            self.bump(1);
            if self.byte() != b']' {
                return Err(self.expected("`]` after `[*`"));
            }
            self.bump(1);
            self.descend(start)?;
            let mark = self.steps.mark();
            self.access_steps()?;
            self.depth -= 1;
            self.height += 1;
            let each = self.steps.take(mark, self.arena);
            let span = self.span_from(start);
            self.steps.push(Step::Splat { each, full: true, span });
            return Ok(());
        }
        let newlines = mem::replace(&mut self.newlines, false);
        self.skip_trivia();
        let key = self.expression()?;
        self.close(b']', start, newlines, "`]` after the index")?;
        let span = self.span_from(start);
        self.steps.push(Step::Index(key, span));
        Ok(())
    }

    fn term(&mut self) -> Parsed<Expr<'a>> {
        match self.byte() {
            b'"' => self.quoted(),
            b'[' => self.tuple(),
            b'{' => self.object(),
            b'(' => self.parentheses(),
            b'0'..=b'9' => self.number(),
            b'<' if self.byte_at(1) == b'<' => self.heredoc(),
            _ => self.named_term(),
        }
    }

    fn named_term(&mut self) -> Parsed<Expr<'a>> {
        let Some(name) = self.ident() else {
            return Err(match self.byte() {
                b'\'' => self.expected_help("an expression", "strings are written in double quotes"),
                _ => self.expected("an expression"),
            });
        };
        if self.byte() == b'(' || self.byte() == b':' && self.byte_at(1) == b':' {
            return self.call(name);
        }
        let kind = match name.text {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            text => ExprKind::Variable(text),
        };
        Ok(Expr { kind, span: name.span })
    }

    fn number(&mut self) -> Parsed<Expr<'a>> {
        let start = self.pos;
        let length = self.number_length(start);
        let text = self.slice(start, start + length);
        let span = self.span(start, start + length);
        if !is_number(text) {
            let help = "an IP address or a version is a string and needs quotes";
            return Err(self.report_help(span, format!("`{text}` is not a number"), help));
        }
        self.bump(length);
        Ok(Expr { kind: ExprKind::Number(text), span })
    }

    /// Takes the bracket that closes what was opened at `open`; line ends mean again what they meant before.
    pub(super) fn close(&mut self, bracket: u8, open: usize, newlines: bool, what: &str) -> Parsed<()> {
        if self.byte() == bracket {
            self.newlines = newlines;
            self.bump(1);
            return Ok(());
        }
        if self.at_end() {
            let opening = self.slice(open, open + 1);
            let message = format!("this `{opening}` is never closed");
            return Err(self.report(self.span(open, open + 1), message));
        }
        Err(self.expected(what))
    }
}

/// How tightly an operator binds, from 1.
const fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Equal | BinaryOp::NotEqual => 3,
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => 4,
        BinaryOp::Add | BinaryOp::Subtract => 5,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => 6,
    }
}

/// Digits, at most one fraction, at most one exponent, in this order.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    mantissa.matches('.').count() <= 1 && !exponent.contains(['.', 'e', 'E'])
}
