//! Expressions in brackets: parentheses, tuples, objects, `for`, and the arguments of calls.

use std::mem;

use bumpalo::collections::String as ArenaString;

use super::ast::{Call, Expr, ExprKind, For, Ident, ObjectItem};
use super::parser::{Parsed, Parser};

impl<'a> Parser<'a> {
    pub(super) fn parentheses(&mut self) -> Parsed<Expr<'a>> {
        let start = self.pos;
        let newlines = self.open_ignoring_newlines();
        let inner = self.expression()?;
        self.close(b')', start, newlines, "`)`")?;
        Ok(Expr { kind: ExprKind::Paren(self.arena.alloc(inner)), span: self.span_from(start) })
    }

    pub(super) fn tuple(&mut self) -> Parsed<Expr<'a>> {
        let start = self.pos;
        let newlines = self.open_ignoring_newlines();
        if self.at_word("for") {
            return self.for_expression(start, newlines, b']');
        }
        let mark = self.exprs.mark();
        while self.byte() != b']' {
            let item = self.expression()?;
            self.exprs.push(item);
            if !self.eat(b',') {
                break;
            }
        }
        self.close(b']', start, newlines, "`,` or `]`")?;
        let items = self.exprs.take(mark, self.arena);
        Ok(Expr { kind: ExprKind::Tuple(items), span: self.span_from(start) })
    }

    pub(super) fn object(&mut self) -> Parsed<Expr<'a>> {
        let start = self.pos;
        let newlines = self.open_ignoring_newlines();
        if self.at_word("for") {
            return self.for_expression(start, newlines, b'}');
        }
        self.newlines = true;
        let mark = self.entries.mark();
        loop {
            while self.at_line_end() && !self.at_end() {
                self.eat_line_end();
            }
            if self.byte() == b'}' || self.at_end() {
                break;
            }
            let key = self.expression()?;
            if self.byte() == b'=' && self.byte_at(1) == b'>' {
                return Err(self.expected_help("`=` or `:`", "`=>` belongs to `for` expressions"));
            }
            if !matches!(self.byte(), b'=' | b':') {
                return Err(self.expected("`=` or `:` after the key"));
            }
            self.bump(1);
            let value = self.expression()?;
            self.entries.push(ObjectItem { key, value });
            if self.at_line_end() || self.eat(b',') {
                continue;
            }
            if self.byte() != b'}' {
                return Err(self.expected("`,`, the end of the line or `}` after the value"));
            }
        }
        self.close(b'}', start, newlines, "`}`")?;
        let items = self.entries.take(mark, self.arena);
        Ok(Expr { kind: ExprKind::Object(items), span: self.span_from(start) })
    }

    /// `name(…)` from behind the name.
    pub(super) fn call(&mut self, first: Ident<'a>) -> Parsed<Expr<'a>> {
        let name = self.function_name(first)?;
        if self.byte() != b'(' {
            return Err(self.expected("`(` after the function's name"));
        }
        let open = self.pos;
        let newlines = self.open_ignoring_newlines();
        let mark = self.exprs.mark();
        let mut expand = false;
        while self.byte() != b')' {
            let argument = self.expression()?;
            self.exprs.push(argument);
            if self.looking_at("...") {
                self.bump(3);
                expand = true;
                break;
            }
            if !self.eat(b',') {
                break;
            }
        }
        let what = if expand { "`)` after `...`" } else { "`,` or `)`" };
        self.close(b')', open, newlines, what)?;
        let args = self.exprs.take(mark, self.arena);
        let span = self.span_from(first.span.start as usize);
        Ok(Expr { kind: ExprKind::Call(self.arena.alloc(Call { name, args, expand })), span })
    }

    /// `a::b::c` from behind `a`.
    fn function_name(&mut self, first: Ident<'a>) -> Parsed<Ident<'a>> {
        if self.byte() != b':' {
            return Ok(first);
        }
        let mut text = ArenaString::from_str_in(first.text, self.arena);
        let mut span = first.span;
        while self.looking_at("::") {
            self.bump(2);
            let Some(part) = self.ident() else {
                return Err(self.expected("a function's name after `::`"));
            };
            text.push_str("::");
            text.push_str(part.text);
            span = span.to(part.span);
        }
        Ok(Ident { text: text.into_bump_str(), span })
    }

    /// `[for …]` or `{for …}` from the word `for`.
    fn for_expression(&mut self, start: usize, newlines: bool, bracket: u8) -> Parsed<Expr<'a>> {
        let (key_var, value_var, collection) = self.for_head()?;
        if self.byte() != b':' {
            return Err(self.expected("`:` after the collection of `for`"));
        }
        self.bump(1);
        let is_object = bracket == b'}';
        let mut value = self.expression()?;
        let mut key = None;
        if self.looking_at("=>") {
            if !is_object {
                let help = "use `{for …}` for an object";
                return Err(self.expected_help("`if` or `]`: a tuple has no keys", help));
            }
            self.bump(2);
            key = Some(mem::replace(&mut value, self.expression()?));
        } else if is_object {
            return Err(self.expected("`=>` after the key: `{for …}` makes an object"));
        }
        let group = self.looking_at("...");
        if group {
            if !is_object {
                return Err(self.expected("`if` or `]`: only objects can be grouped"));
            }
            self.bump(3);
        }
        let mut condition = None;
        if self.at_word("if") {
            self.bump(2);
            condition = Some(self.expression()?);
        }
        let what =
            if is_object { "`if` or `}` at the end of `for`" } else { "`if` or `]` at the end of `for`" };
        self.close(bracket, start, newlines, what)?;
        let expr = For { key_var, value_var, collection, key, value, group, condition };
        Ok(Expr { kind: ExprKind::For(self.arena.alloc(expr)), span: self.span_from(start) })
    }

    /// `for k, v in collection`, in brackets and in templates alike.
    pub(super) fn for_head(&mut self) -> Parsed<(Option<Ident<'a>>, Ident<'a>, Expr<'a>)> {
        self.bump("for".len());
        let Some(mut value_var) = self.ident() else {
            return Err(self.expected("a name after `for`"));
        };
        let mut key_var = None;
        if self.eat(b',') {
            let Some(second) = self.ident() else {
                return Err(self.expected("a second name after `,`"));
            };
            key_var = Some(mem::replace(&mut value_var, second));
        }
        if !self.at_word("in") {
            return Err(self.expected("`in` after the names of `for`"));
        }
        self.bump("in".len());
        Ok((key_var, value_var, self.expression()?))
    }

    /// Takes an opening bracket in which line ends mean nothing; returns what they meant before it.
    fn open_ignoring_newlines(&mut self) -> bool {
        let newlines = mem::replace(&mut self.newlines, false);
        self.bump(1);
        newlines
    }
}
