//! JSON text to a tree of its values, with their places.
//!
//! Tolerant: what follows a mistake is still read, and what is never closed is closed by the end of the text.

use bumpalo::Bump;

use super::lexer::{Lexer, Piece, Str, pieces, span};
use crate::diagnostic::Diagnostic;
use crate::hcl::{MAX_DIAGNOSTICS, MAX_NESTING};
use crate::source::{FileId, Span};

/// A value and its place.
#[derive(Copy, Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) span: Span,
}

#[derive(Copy, Clone, Debug)]
pub(super) enum Kind<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a str),
    String(Str<'a>),
    Array(&'a [Node<'a>]),
    Object(&'a [Member<'a>]),
    /// What is no value; a diagnostic was reported.
    Invalid,
}

/// `"name": value`
#[derive(Copy, Clone, Debug)]
pub(super) struct Member<'a> {
    pub(super) name: Str<'a>,
    /// The place of the name, with its quotes.
    pub(super) span: Span,
    pub(super) value: Node<'a>,
}

/// Parses the whole text.
pub(super) fn parse<'a>(text: &'a str, file: FileId, arena: &'a Bump) -> (Node<'a>, Vec<Diagnostic>) {
    let lexer = Lexer::new(text, arena);
    let mut parser = Parser { lexer, file, open: Vec::new(), gave_up: false, diagnostics: Vec::new() };
    parser.skip();
    let root = if parser.lexer.at_end() {
        parser.expected("a JSON object");
        Node { kind: Kind::Invalid, span: parser.lexer.here() }
    } else {
        parser.value()
    };
    parser.skip();
    if !parser.lexer.at_end() {
        parser.expected("the end of the file");
    }
    (root, parser.diagnostics)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    file: FileId,
    /// What closes the brackets that are open.
    open: Vec<u8>,
    /// The rest of the text is not read.
    gave_up: bool,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    /// The value that starts here. At least one byte is taken, unless a bracket closes here or the text ends.
    fn value(&mut self) -> Node<'a> {
        let start = self.lexer.pos;
        let kind = match self.lexer.byte() {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map_or(Kind::Invalid, Kind::String),
            b'-' | b'0'..=b'9' => self.number(),
            _ => match self.lexer.word() {
                "null" => Kind::Null,
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                _ => {
                    self.lexer.pos = start;
                    self.expected("a JSON value");
                    self.lexer.resume();
                    Kind::Invalid
                }
            },
        };
        Node { kind, span: self.lexer.span_from(start) }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Kind<'a>) -> Kind<'a> {
        if self.open.len() >= MAX_NESTING as usize {
            let message =
                format!("this nests deeper than {MAX_NESTING} levels; the rest of this file is not read");
            self.report(self.lexer.here(), message, None);
            self.give_up();
            return Kind::Invalid;
        }
        read(self)
    }

    fn object(&mut self) -> Kind<'a> {
        let mut members: Vec<Member<'a>> = Vec::new();
        self.list(b'}', |this| {
            let start = this.lexer.pos;
            if this.lexer.byte() != b'"' {
                this.expected("a property name in quotes");
                this.lexer.resume();
                return;
            }
            let Some(name) = this.string() else { return };
            let span = this.lexer.span_from(start);
            this.skip();
            if this.lexer.byte() == b':' {
                this.lexer.pos += 1;
            } else {
                this.expected("`:`");
                if this.lexer.byte() != b'=' {
                    return this.lexer.resume();
                }
                this.lexer.pos += 1;
            }
            this.skip();
            let value = this.value();
            members.push(Member { name, span, value });
        });
        Kind::Object(self.lexer.arena.alloc_slice_copy(&members))
    }

    fn array(&mut self) -> Kind<'a> {
        let mut items: Vec<Node<'a>> = Vec::new();
        self.list(b']', |this| {
            let value = this.value();
            items.push(value);
        });
        Kind::Array(self.lexer.arena.alloc_slice_copy(&items))
    }

    /// What stands between the bracket here and the one that closes it, an `item` at a time.
    fn list(&mut self, close: u8, item: impl FnMut(&mut Self)) {
        self.open.push(close);
        self.items(close, item);
        self.open.pop();
    }

    fn items(&mut self, close: u8, mut item: impl FnMut(&mut Self)) {
        let open = self.lexer.here();
        self.lexer.pos += 1;
        let mut wants_comma = false;
        loop {
            self.skip();
            if self.lexer.at_end() {
                self.report(open, "this bracket is never closed", None);
                return;
            }
            match self.lexer.byte() {
                byte if byte == close => {
                    self.lexer.pos += 1;
                    return;
                }
                b',' if wants_comma => {
                    self.lexer.pos += 1;
                    self.skip();
                    wants_comma = false;
                    if self.lexer.byte() == close {
                        let help = "JSON allows no comma behind the last item";
                        self.report(self.lexer.here(), "expected an item after the comma", Some(help));
                    }
                    continue;
                }
                byte @ (b'}' | b']') => {
                    self.expected(if close == b'}' { "`}`" } else { "`]`" });
                    if self.open.contains(&byte) {
                        return;
                    }
                    self.lexer.pos += 1;
                    continue;
                }
                _ if wants_comma => {
                    self.expected(if close == b'}' { "`,` or `}`" } else { "`,` or `]`" });
                }
                _ => {}
            }
            let before = self.lexer.pos;
            item(self);
            wants_comma = true;
            if self.lexer.pos == before {
                // Whatever it is, it is not looked at again.
                self.lexer.pos += 1;
            }
        }
    }

    fn string(&mut self) -> Option<Str<'a>> {
        let start = self.lexer.pos;
        let string = self.lexer.string();
        let Some(string) = string else {
            self.report(self.lexer.span_from(start), "this string is not closed on its line", None);
            return None;
        };
        let is_wrong =
            |(piece, _): &(Piece<'_>, usize)| matches!(piece, Piece::Text(text) if text.starts_with('\\'));
        if let Some((_, at)) = pieces(string.raw).find(is_wrong) {
            let start = string.start + at;
            self.report(span(start, start + 1), "this backslash begins no escape sequence of JSON", None);
        }
        Some(string)
    }

    fn number(&mut self) -> Kind<'a> {
        let start = self.lexer.pos;
        match self.lexer.number() {
            Some(number) => Kind::Number(number),
            None => {
                self.report(self.lexer.span_from(start), "this is not a number in JSON", None);
                Kind::Invalid
            }
        }
    }

    /// To the next token. JSON has no comments.
    fn skip(&mut self) {
        while let Some(comment) = self.lexer.skip_blanks() {
            let help = "JSON has no comments; write a property named `//`";
            self.report(comment, "expected a JSON value, found a comment", Some(help));
        }
    }

    fn expected(&mut self, what: &str) {
        let found = self.lexer.describe();
        self.report(self.lexer.here(), format!("expected {what}, found {found}"), None);
    }

    fn report(&mut self, span: Span, message: impl Into<String>, help: Option<&str>) {
        if self.gave_up {
            return;
        }
        let diagnostic = Diagnostic::error(message).at(span.at(self.file));
        self.diagnostics.push(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
        if self.diagnostics.len() == MAX_DIAGNOSTICS {
            let message =
                format!("the rest of this file is not read: it has more than {MAX_DIAGNOSTICS} errors");
            self.diagnostics.push(Diagnostic::error(message).at(span.at(self.file)));
            self.give_up();
        }
    }

    /// Reads no more.
    fn give_up(&mut self) {
        self.gave_up = true;
        self.lexer.give_up();
    }
}
