//! From JSON values to bodies, blocks and expressions, as a schema says which is which.

use std::collections::HashSet;

use bumpalo::Bump;

use super::lexer::Str;
use super::relocate::Relocation;
use super::tree::{Kind, Member, Node};
use super::{Property, Reading, Schema};
use crate::diagnostic::Diagnostic;
use crate::hcl::ast::{Attribute, Block, Body, Expr, ExprKind, Ident, Item, Label, ObjectItem, UnaryOp};
use crate::hcl::parser::Parser;
use crate::source::{FileId, Span};

/// The name of a property that is a comment, where names are those of arguments and blocks.
const COMMENT: &str = "//";

/// What blocks of one property have in common, as far as it is read.
#[derive(Copy, Clone)]
struct Header<'h, 'a> {
    name: Ident<'a>,
    labels: &'h [Label<'a>],
    /// How many labels are to come.
    left: usize,
}

/// A tree under way.
pub(super) struct Decoder<'a> {
    text: &'a str,
    file: FileId,
    arena: &'a Bump,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(text: &'a str, file: FileId, arena: &'a Bump, diagnostics: Vec<Diagnostic>) -> Self {
        Self { text, file, arena, diagnostics }
    }

    /// The whole file.
    pub(super) fn file<S: Schema>(mut self, root: Node<'a>, schema: S) -> (Body<'a>, Vec<Diagnostic>) {
        let body = self.body(root, schema, 0);
        let span = super::lexer::span(0, self.text.len());
        (Body { span, ..body }, self.diagnostics)
    }

    /// An object as a body, or several of them as one.
    fn body<S: Schema>(&mut self, node: Node<'a>, schema: S, depth: u32) -> Body<'a> {
        let mut items = Vec::new();
        let mut names = HashSet::new();
        for member in self.members(node, "arguments and blocks are properties of an object") {
            let name = Ident { text: member.name.text, span: member.span };
            match schema.property(name.text) {
                _ if name.text == COMMENT => {}
                Property::Argument(reading) if names.insert(name.text) => {
                    let value = self.expr(member.value, reading, depth + 1);
                    let span = name.span.to(value.span);
                    let attribute = Attribute { name, value, span, file: self.file };
                    items.push(Item::Attribute(self.arena.alloc(attribute)));
                }
                Property::Argument(_) => self.set_twice(name),
                Property::Block(left) => {
                    let header = Header { name, labels: &[], left };
                    self.blocks(header, member.value, schema, depth + 1, &mut items);
                }
            }
        }
        Body { items: self.arena.alloc_slice_copy(&items), span: node.span }
    }

    /// The blocks of a property, and of the labels below it.
    fn blocks<S: Schema>(
        &mut self,
        header: Header<'_, 'a>,
        node: Node<'a>,
        schema: S,
        depth: u32,
        out: &mut Vec<Item<'a>>,
    ) {
        let Some(left) = header.left.checked_sub(1) else {
            match node.kind {
                // No block.
                Kind::Null | Kind::Invalid => {}
                Kind::Array(items) => {
                    for &item in items {
                        // Each begins with its brace.
                        let start = Span::new(item.span.start, item.span.end.min(item.span.start + 1));
                        self.block(header, start, item, schema, depth + 1, out);
                    }
                }
                _ => {
                    let place = header.labels.last().map_or(header.name.span, |label| label.span);
                    self.block(header, place, node, schema, depth, out);
                }
            }
            return;
        };
        let name = header.name.text;
        let wants = format!("the labels of `{name}` blocks are properties of an object");
        for member in self.members(node, &wants) {
            let label = Label { text: member.name.text, span: member.span };
            let labels = [header.labels, &[label]].concat();
            let header = Header { labels: &labels, left, ..header };
            self.blocks(header, member.value, schema, depth + 1, out);
        }
    }

    fn block<S: Schema>(
        &mut self,
        header: Header<'_, 'a>,
        place: Span,
        node: Node<'a>,
        schema: S,
        depth: u32,
        out: &mut Vec<Item<'a>>,
    ) {
        let labels: Vec<&str> = header.labels.iter().map(|label| label.text).collect();
        let body = self.body(node, schema.block(header.name.text, &labels), depth);
        let block = Block {
            ident: header.name,
            labels: self.arena.alloc_slice_copy(header.labels),
            body,
            header: place,
            span: place.to(node.span),
            file: self.file,
        };
        out.push(Item::Block(self.arena.alloc(block)));
    }

    /// The properties of an object, or of all objects of an array.
    fn members(&mut self, node: Node<'a>, wants: &str) -> Vec<Member<'a>> {
        match node.kind {
            Kind::Object(members) => members.to_vec(),
            Kind::Array(items) => {
                let mut out = Vec::new();
                for item in items {
                    match item.kind {
                        Kind::Object(members) => out.extend(members),
                        _ => self.wrong(*item, wants),
                    }
                }
                out
            }
            Kind::Null => Vec::new(),
            _ => {
                self.wrong(node, wants);
                Vec::new()
            }
        }
    }

    fn wrong(&mut self, node: Node<'a>, wants: &str) {
        if !matches!(node.kind, Kind::Invalid) {
            let diagnostic = Diagnostic::error("expected a JSON object").help(wants);
            self.diagnostics.push(diagnostic.at(node.span.at(self.file)));
        }
    }

    fn set_twice(&mut self, name: Ident<'_>) {
        let message = format!("`{}` is set twice in this object; the first value is used", name.text);
        self.diagnostics.push(Diagnostic::error(message).at(name.span.at(self.file)));
    }

    fn expr(&mut self, node: Node<'a>, reading: Reading, depth: u32) -> Expr<'a> {
        let kind = match node.kind {
            Kind::Null => ExprKind::Null,
            Kind::Bool(value) => ExprKind::Bool(value),
            Kind::Number(text) => self.number(text, node.span),
            Kind::String(string) => return self.string(string, node.span, reading, depth),
            Kind::Array(items) => {
                let items: Vec<_> = items.iter().map(|&item| self.expr(item, reading, depth + 1)).collect();
                ExprKind::Tuple(self.arena.alloc_slice_copy(&items))
            }
            Kind::Object(members) => {
                let mut names = HashSet::new();
                let mut items = Vec::with_capacity(members.len());
                for member in members {
                    let name = member.name.text;
                    if !names.insert(name) {
                        self.set_twice(Ident { text: name, span: member.span });
                        continue;
                    }
                    // Names are no expressions of their own.
                    let reading_name = if reading == Reading::Template { reading } else { Reading::Literal };
                    items.push(ObjectItem {
                        key: self.string(member.name, member.span, reading_name, depth + 1),
                        value: self.expr(member.value, reading, depth + 1),
                    });
                }
                ExprKind::Object(self.arena.alloc_slice_copy(&items))
            }
            Kind::Invalid => ExprKind::Invalid,
        };
        Expr { kind, span: node.span }
    }

    fn number(&self, text: &'a str, span: Span) -> ExprKind<'a> {
        match text.strip_prefix('-') {
            Some(positive) => {
                let operand = Expr { kind: ExprKind::Number(positive), span };
                ExprKind::Unary(UnaryOp::Negate, self.arena.alloc(operand))
            }
            None => ExprKind::Number(text),
        }
    }

    fn string(&mut self, string: Str<'a>, span: Span, reading: Reading, depth: u32) -> Expr<'a> {
        let is_plain = || !string.text.contains("${") && !string.text.contains("%{");
        if reading == Reading::Literal || reading == Reading::Template && is_plain() {
            return Expr { kind: ExprKind::String(string.text), span };
        }
        let (text, start) = if string.is_verbatim() {
            // Places in the string are places in the file.
            (self.text.get(..string.start + string.raw.len()).unwrap_or_default(), string.start)
        } else {
            (string.text, 0)
        };
        let mut parser = Parser::within(text, start, depth, self.file, self.arena);
        let expr = match reading {
            Reading::Expression => parser.lone_expression(),
            Reading::Template | Reading::Literal => parser.lone_template(),
        };
        let found = parser.finish();
        if string.is_verbatim() {
            self.diagnostics.extend(found);
            return Expr { kind: expr.kind, span };
        }
        let relocation = Relocation::new(string, self.arena);
        self.diagnostics.extend(found.into_iter().map(|mut diagnostic| {
            if let Some(site) = &mut diagnostic.site {
                site.span = relocation.span(site.span);
            }
            diagnostic
        }));
        Expr { kind: relocation.expr(expr).kind, span }
    }
}
