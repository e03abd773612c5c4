//! Quoted strings, and what may stand in any template: escapes, `${…}` and `%{…}`.

use std::mem;

use bumpalo::collections::String as ArenaString;

use super::ast::{Expr, ExprKind, Ident};
use super::heredoc::lone_return;
use super::lexer::is_quoted_plain;
use super::parser::{Parsed, Parser};
use crate::source::Span;

/// A piece of a template before its directives are matched with each other.
#[derive(Copy, Clone, Debug)]
pub(super) enum Flat<'a> {
    Literal(&'a str, Span),
    Interpolation(&'a Expr<'a>),
    If(&'a Expr<'a>, Span),
    Else(Span),
    EndIf(Span),
    For { key_var: Option<Ident<'a>>, value_var: Ident<'a>, collection: &'a Expr<'a>, span: Span },
    EndFor(Span),
}

/// A template whose pieces are being read.
#[derive(Copy, Clone, Debug)]
pub(super) struct Template {
    /// Where its pieces begin on the stack of pieces.
    pub(super) mark: usize,
    /// The depth around it; each open directive is one level more.
    pub(super) depth: u32,
}

impl<'a> Parser<'a> {
    /// `"…"`
    pub(super) fn quoted(&mut self) -> Parsed<Expr<'a>> {
        let start = self.pos;
        // Most strings have neither escapes nor sequences.
        let plain = self.plain_end(start + 1);
        if self.bytes.get(plain) == Some(&b'"') {
            self.pos = plain;
            self.bump(1);
            let kind = ExprKind::String(self.slice(start + 1, plain));
            return Ok(Expr { kind, span: self.span(start, plain + 1) });
        }
        let end = self.quoted_literal_end(start + 1);
        if self.bytes.get(end) == Some(&b'"') {
            let text = self.unescape(start + 1, end, true)?;
            self.pos = end;
            self.bump(1);
            return Ok(Expr { kind: ExprKind::String(text), span: self.span(start, end + 1) });
        }
        self.pos = start + 1;
        let template = self.begin_template();
        let mut trim = false;
        loop {
            let from = self.pos;
            self.pos = self.quoted_literal_end(from);
            if !matches!(self.byte(), b'"' | b'$' | b'%') {
                return Err(self.unclosed_quote(start));
            }
            if self.pos > from {
                self.push_literal(from, true, trim)?;
            }
            if self.byte() == b'"' {
                break;
            }
            trim = self.sequence(template)?;
        }
        let end = self.pos + 1;
        self.bump(1);
        let kind = self.end_template(template)?;
        Ok(Expr { kind, span: self.span(start, end) })
    }

    #[cold]
    fn unclosed_quote(&mut self, start: usize) -> super::parser::Failed {
        let span = self.span(start, self.pos);
        let help = "close it with `\"` on the same line; write `\\n` for a line end, or use a heredoc";
        self.report_help(span, "this string is not closed on its line", help)
    }

    /// Where after `start` the first byte stands that means something else than itself in a quoted string.
    fn plain_end(&self, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        start + rest.iter().position(|&byte| !is_quoted_plain(byte)).unwrap_or(rest.len())
    }

    /// The end of the literal text of a quoted string that starts at `start`: a quote, a line end, the start of a
    /// sequence, or the end of the text.
    fn quoted_literal_end(&self, start: usize) -> usize {
        let at = |i: usize| self.bytes.get(i).copied().unwrap_or(0);
        let mut i = start;
        loop {
            i = self.plain_end(i);
            if i >= self.bytes.len() {
                return self.bytes.len();
            }
            match at(i) {
                b'\\' if !matches!(at(i + 1), b'\n' | b'\r') => i += 2,
                byte @ (b'$' | b'%') if at(i + 1) == byte && at(i + 2) == b'{' => i += 3,
                b'$' | b'%' if at(i + 1) != b'{' => i += 1,
                b'\\' => i += 1,
                _ => return i,
            }
        }
    }

    pub(super) const fn begin_template(&self) -> Template {
        Template { mark: self.flats.mark(), depth: self.depth }
    }

    /// Adds the literal from `start` to here.
    pub(super) fn push_literal(&mut self, start: usize, quoted: bool, trim: bool) -> Parsed<()> {
        if !quoted && let Some(at) = lone_return(self.slice(start, self.pos).as_bytes()) {
            let span = self.span(start + at, start + at + 1);
            return Err(self.report(span, "a carriage return without a line feed is not a line end"));
        }
        let text = self.unescape(start, self.pos, quoted)?;
        let text = if trim { text.trim_start() } else { text };
        let span = self.span(start, self.pos);
        self.flats.push(Flat::Literal(text, span));
        Ok(())
    }

    /// `${…}` or `%{…}`. Says whether white space is stripped from the literal after it.
    pub(super) fn sequence(&mut self, template: Template) -> Parsed<bool> {
        let start = self.pos;
        let is_directive = self.byte() == b'%';
        let strip = self.byte_at(2) == b'~';
        if strip && let Some(Flat::Literal(text, _)) = self.flats.last_since(template.mark) {
            *text = text.trim_end();
        }
        let newlines = mem::replace(&mut self.newlines, false);
        self.bump(if strip { 3 } else { 2 });
        let flat = if is_directive {
            self.directive(start, template)?
        } else {
            let expr = self.expression()?;
            Flat::Interpolation(self.arena.alloc(expr))
        };
        let strip = self.byte() == b'~' && self.byte_at(1) == b'}';
        if !strip && self.byte() != b'}' {
            if self.at_end() {
                return Err(self.report(self.span(start, start + 2), "this is never closed with `}`"));
            }
            return Err(self.expected("`}`"));
        }
        self.newlines = newlines;
        self.pos += if strip { 2 } else { 1 };
        self.prev_end = self.pos;
        let whole = self.span_from(start);
        self.flats.push(match flat {
            Flat::If(condition, _) => Flat::If(condition, whole),
            Flat::Else(_) => Flat::Else(whole),
            Flat::EndIf(_) => Flat::EndIf(whole),
            Flat::For { key_var, value_var, collection, .. } => {
                Flat::For { key_var, value_var, collection, span: whole }
            }
            Flat::EndFor(_) => Flat::EndFor(whole),
            Flat::Literal(..) | Flat::Interpolation(_) => flat,
        });
        Ok(strip)
    }

    /// What is between `%{` and `}`.
    fn directive(&mut self, start: usize, template: Template) -> Parsed<Flat<'a>> {
        let span = Span::default();
        let word = self.slice(self.pos, self.pos + self.ident_length(self.pos));
        match word {
            "if" => {
                self.bump(word.len());
                let condition = self.expression()?;
                self.descend(start)?;
                return Ok(Flat::If(self.arena.alloc(condition), span));
            }
            "for" => {
                let (key_var, value_var, collection) = self.for_head()?;
                self.descend(start)?;
                let collection = self.arena.alloc(collection);
                return Ok(Flat::For { key_var, value_var, collection, span });
            }
            "else" | "endif" | "endfor" => self.bump(word.len()),
            _ => return Err(self.expected("`if`, `else`, `endif`, `for` or `endfor`")),
        }
        if word == "else" {
            return Ok(Flat::Else(span));
        }
        // One level up, but never above the template: an end without a start is found when the template is complete.
        self.depth = template.depth.max(self.depth.saturating_sub(1));
        Ok(if word == "endif" { Flat::EndIf(span) } else { Flat::EndFor(span) })
    }

    /// The text between two offsets with its escapes resolved: `$${` and `%%{`, and in quoted strings backslashes.
    /// Borrowed if it has none.
    fn unescape(&mut self, start: usize, end: usize, quoted: bool) -> Parsed<&'a str> {
        let raw = self.slice(start, end);
        let bytes = raw.as_bytes();
        let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
        let mut out: Option<ArenaString<'a>> = None;
        let (mut i, mut copied) = (0, 0);
        while let Some(n) = memchr::memchr3(b'\\', b'$', b'%', bytes.get(i..).unwrap_or_default()) {
            i += n;
            let byte = at(i);
            let (character, length) = match byte {
                b'\\' if quoted => self.escape(start + i, end)?,
                b'$' | b'%' if at(i + 1) == byte && at(i + 2) == b'{' => (char::from(byte), 2),
                _ => {
                    i += 1;
                    continue;
                }
            };
            let out = out.get_or_insert_with(|| ArenaString::with_capacity_in(raw.len(), self.arena));
            out.push_str(raw.get(copied..i).unwrap_or_default());
            out.push(character);
            i += length;
            copied = i;
        }
        let Some(mut out) = out else { return Ok(raw) };
        out.push_str(raw.get(copied..).unwrap_or_default());
        Ok(out.into_bump_str())
    }

    /// The character that the backslash at `start` begins, and the length of its spelling.
    fn escape(&mut self, start: usize, end: usize) -> Parsed<(char, usize)> {
        let rest = self.slice(start + 1, end);
        let digits = match rest.bytes().next() {
            Some(b'n') => return Ok(('\n', 2)),
            Some(b'r') => return Ok(('\r', 2)),
            Some(b't') => return Ok(('\t', 2)),
            Some(b'"') => return Ok(('"', 2)),
            Some(b'\\') => return Ok(('\\', 2)),
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => {
                let length = rest.chars().next().map_or(0, char::len_utf8);
                let message =
                    format!("`{}` is not an escape sequence", self.slice(start, start + 1 + length));
                let help = r#"the escapes are \n \r \t \" \\ \uXXXX \UXXXXXXXX; write `\\` for a backslash"#;
                return Err(self.report_help(self.span(start, start + 1 + length), message, help));
            }
        };
        let hex = rest.get(1..=digits).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let character = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        character.map(|character| (character, digits + 2)).ok_or_else(|| {
            let kind = if digits == 4 { "u" } else { "U" };
            let message = format!("`\\{kind}` needs the {digits} hexadecimal digits of a Unicode character");
            self.report(self.span(start, start + 2), message)
        })
    }
}
