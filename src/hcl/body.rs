//! Files and blocks: attributes, block headers, and what may follow what.

use std::collections::HashSet;

use super::ast::{Attribute, Block, Body, Expr, ExprKind, Ident, Item, Label};
use super::parser::{Failed, Parsed, Parser};

/// How many items of a body are compared one by one before a set is made of their names.
const FEW: usize = 16;

impl<'a> Parser<'a> {
    /// The whole text as a file.
    pub(super) fn file(&mut self) -> Body<'a> {
        self.skip_trivia();
        let items = self.body_items(None, false);
        Body { items, span: self.span(0, self.bytes.len()) }
    }

    /// Items up to the brace that closes the block opened at `open`, or up to the end of a file.
    /// `one_line`: the first item stands on the line of the opening brace.
    fn body_items(&mut self, open: Option<usize>, mut one_line: bool) -> &'a [Item<'a>] {
        let mark = self.items.mark();
        let mut names = HashSet::new();
        loop {
            if self.gave_up() {
                self.pos = self.bytes.len();
                break;
            }
            if self.at_end() || open.is_some() && self.resync && self.at_top_level_line() {
                self.report_unclosed(open);
                break;
            }
            if self.at_line_end() {
                self.eat_line_end();
                continue;
            }
            if self.byte() == b'}' {
                if open.is_some() {
                    break;
                }
                self.report(self.span(self.pos, self.pos + 1), "this `}` closes nothing");
                self.bump(1);
                continue;
            }
            if let Some(item) = self.item(open.is_some(), one_line)
                && self.is_first(item, mark, &mut names)
            {
                self.items.push(item);
            }
            one_line = false;
        }
        self.items.take(mark, self.arena)
    }

    /// One attribute or block, and the end of its line. What is wrong is reported and skipped.
    fn item(&mut self, in_block: bool, one_line: bool) -> Option<Item<'a>> {
        let start = self.pos;
        let depth = self.depth;
        let parsed = match self.ident() {
            None => Err(self.expected_item()),
            Some(name) if self.byte() == b'=' => {
                return Some(Item::Attribute(self.attribute(name, in_block, one_line)));
            }
            Some(_) if one_line => {
                let help = "a block on one line has one attribute; put each item on a line of its own";
                Err(self.expected_help("`=`", help))
            }
            Some(name) if matches!(self.byte(), b'{' | b'"') || self.at_ident() => self.block(name, in_block),
            Some(_) if self.byte() == b':' => {
                Err(self.expected_help("`=` or `{`", "attributes are set with `=`"))
            }
            Some(_) => Err(self.expected("`=` or `{`")),
        };
        if let Ok(block) = parsed {
            return Some(Item::Block(block));
        }
        self.depth = depth;
        self.skip_item(start, in_block);
        None
    }

    #[cold]
    fn expected_item(&mut self) -> Failed {
        let what = "an attribute or a block";
        match self.byte() {
            b'"' => self.expected_help(what, "names of attributes and blocks are not quoted"),
            _ => self.expected(what),
        }
    }

    /// `= value` from behind the name.
    fn attribute(&mut self, name: Ident<'a>, in_block: bool, one_line: bool) -> &'a Attribute<'a> {
        let start = name.span.start as usize;
        let depth = self.depth;
        self.bump(1);
        let value_start = self.pos;
        let value = self.expression().and_then(|value| match one_line {
            true if self.byte() == b'}' => Ok(value),
            true => Err(self.expected_help("`}`", "a block on one line has one attribute")),
            false if self.at_line_end() => Ok(value),
            false => Err(self.expected_line_end(&format!("the value of `{}`", name.text))),
        });
        let value = value.unwrap_or_else(|Failed| {
            self.depth = depth;
            self.skip_item(start, in_block);
            Expr { kind: ExprKind::Invalid, span: self.span(value_start.min(self.prev_end), self.prev_end) }
        });
        self.arena.alloc(Attribute { name, value, span: name.span.to(value.span), file: self.file })
    }

    #[cold]
    fn expected_line_end(&mut self, after: &str) -> Failed {
        let what = format!("the end of the line after {after}");
        match self.byte() {
            b',' => self.expected_help(&what, "items of a block are separated by line ends, not by commas"),
            _ => self.expected(&what),
        }
    }

    /// Labels and body from behind the type.
    fn block(&mut self, ident: Ident<'a>, in_block: bool) -> Parsed<&'a Block<'a>> {
        let start = ident.span.start as usize;
        let mark = self.labels.mark();
        while self.byte() != b'{' {
            let label = self.label()?;
            if let Some(label) = label {
                self.labels.push(label);
            }
        }
        let labels = self.labels.take(mark, self.arena);
        let header = labels.last().map_or(ident.span, |last| ident.span.to(last.span));

        let open = self.pos;
        self.descend(start)?;
        self.bump(1);
        let one_line = !self.at_line_end() && self.byte() != b'}';
        let items = self.body_items(Some(open), one_line);
        self.depth -= 1;

        let closed = self.byte() == b'}' && !self.at_end();
        let end = if closed { self.pos } else { self.prev_end.max(open + 1) };
        if closed {
            self.bump(1);
        }
        let span = self.span(start, if closed { end + 1 } else { end });
        if closed && !self.at_line_end() {
            self.expected_line_end("a block");
            self.skip_item(self.pos, in_block);
        }
        let body = Body { items, span: self.span(open + 1, end) };
        Ok(self.arena.alloc(Block { ident, labels, body, header, span, file: self.file }))
    }

    /// A label; none if only line ends, which are wrong here, stand before the opening brace.
    fn label(&mut self) -> Parsed<Option<Label<'a>>> {
        if let Some(Ident { text, span }) = self.ident() {
            return Ok(Some(Label { text, span }));
        }
        if self.byte() == b'"' {
            let label = self.quoted()?;
            let ExprKind::String(text) = label.kind else {
                let help = "to mean a literal `${`, write `$${`";
                return Err(self.report_help(label.span, "a block label must be a plain string", help));
            };
            return Ok(Some(Label { text, span: label.span }));
        }
        if self.at_line_end() && !self.at_end() {
            let failed =
                self.expected_help("`{`", "the opening brace of a block stands on the line of its type");
            while self.at_line_end() && !self.at_end() {
                self.eat_line_end();
            }
            return if self.byte() == b'{' { Ok(None) } else { Err(failed) };
        }
        Err(match self.byte() {
            b'=' => self.expected_help("a label or `{`", "an attribute has one name and no labels"),
            _ => self.expected("a label or `{`"),
        })
    }

    /// Says that the block opened at `open` is not closed, once for all blocks that end here for want of a brace.
    fn report_unclosed(&mut self, open: Option<usize>) {
        let Some(open) = open else { return };
        self.ran_off = true;
        if self.unclosed_at.replace(self.pos) != Some(self.pos) {
            self.report(self.span(open, open + 1), "this block is never closed");
        }
    }

    /// Not an attribute whose name is taken. Such a one is reported.
    fn is_first(&mut self, item: Item<'a>, mark: usize, names: &mut HashSet<&'a str>) -> bool {
        let Item::Attribute(attribute) = item else { return true };
        let name = attribute.name;
        let items = self.items.since(mark);
        let taken = if items.len() <= FEW {
            attribute_names(items).any(|other| other == name.text)
        } else {
            if names.is_empty() {
                names.extend(attribute_names(items));
            }
            !names.insert(name.text)
        };
        if taken {
            let message = format!("`{}` is set twice in this block; the first value is used", name.text);
            self.report(name.span, message);
        }
        !taken
    }
}

fn attribute_names<'i, 'a: 'i>(items: &'i [Item<'a>]) -> impl Iterator<Item = &'a str> + 'i {
    items.iter().filter_map(|item| match item {
        Item::Attribute(attribute) => Some(attribute.name.text),
        Item::Block(_) => None,
    })
}
