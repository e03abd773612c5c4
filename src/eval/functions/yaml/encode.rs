//! A value to YAML, byte for byte as Terraform writes it: blocks, strings in double quotes and folded after column 80, and
//! literal blocks where a string has line breaks.

use std::fmt::Write as _;

use super::super::call::{Call, Outcome};
use super::super::strings::MAX_LENGTH;
use crate::value::{Kind, Type, Value};

/// After this column a string in quotes goes on in the next line.
const WIDTH: usize = 80;

/// Longer keys are written with a question mark before them.
const MAX_KEY: usize = 128;

pub(in super::super) fn yamlencode(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    let mut writer = Writer { whitespace: true, indention: true, ..Writer::default() };
    writer.value(value, Place::Root, -1);
    writer.indent(-1);
    if writer.open_ended {
        writer.indicator("...", true, false, false);
        writer.indent(-1);
    }
    if writer.out.len() > MAX_LENGTH {
        return Ok(call.limited("16 MiB", Type::String));
    }
    Ok(super::super::call::string(writer.out))
}

/// Where a value stands.
#[derive(Copy, Clone, PartialEq)]
enum Place {
    Root,
    Item,
    /// A key in one line.
    Key,
    /// A value of a mapping, or a key after a question mark.
    Entry,
}

/// The state of the writer: it decides on blanks and line breaks by what was written last.
#[derive(Default)]
struct Writer {
    out: String,
    column: usize,
    /// A blank was written last.
    whitespace: bool,
    /// Nothing but what is before an entry was written in this line.
    indention: bool,
    /// The end of the document must be marked, because a scalar could go on.
    open_ended: bool,
}

impl Writer {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Goes to the column of `indent`, in a new line unless nothing stands before it.
    fn indent(&mut self, indent: i32) {
        let indent = usize::try_from(indent).unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: &str, spaced: bool, is_whitespace: bool, is_indention: bool) {
        if spaced && !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.whitespace = is_whitespace;
        self.indention = self.indention && is_indention;
        self.open_ended = false;
    }

    fn value(&mut self, value: &Value, place: Place, indent: i32) {
        match &value.kind {
            Kind::Null | Kind::Unknown(_) => self.plain("null", place),
            Kind::Bool(value) => self.plain(if *value { "true" } else { "false" }, place),
            Kind::Number(number) => {
                let sign = if number.is_infinite() && !number.is_negative() { "+" } else { "" };
                self.plain(&format!("{sign}{number}"), place);
            }
            Kind::String(text) => self.text(text, place, indent),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                if items.is_empty() {
                    self.indicator("[", true, true, false);
                    self.indicator("]", false, false, false);
                }
                // A list of an entry stands under its key.
                let same = place == Place::Entry && !self.indention;
                let indent = deeper(indent, same);
                for item in items.iter() {
                    self.indent(indent);
                    self.indicator("-", true, false, true);
                    self.value(item, Place::Item, indent);
                }
            }
            Kind::Map(map) | Kind::Object(map) => {
                if map.is_empty() {
                    self.indicator("{", true, true, false);
                    self.indicator("}", false, false, false);
                }
                let indent = deeper(indent, false);
                for (key, item) in map.iter() {
                    self.indent(indent);
                    if key.len() <= MAX_KEY && !key.contains(is_break) {
                        self.text(key, Place::Key, indent);
                        self.indicator(":", false, false, false);
                    } else {
                        self.indicator("?", true, false, true);
                        self.text(key, Place::Entry, indent);
                        self.indent(indent);
                        self.indicator(":", true, false, true);
                    }
                    self.value(item, Place::Entry, indent);
                }
            }
        }
    }

    fn plain(&mut self, text: &str, place: Place) {
        if !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.whitespace = false;
        self.indention = false;
        self.open_ended = self.open_ended || place == Place::Root;
    }

    fn text(&mut self, text: &str, place: Place, indent: i32) {
        let indent = if indent < 0 { 2 } else { indent + 2 };
        if text.contains('\n') && place != Place::Key && may_be_literal(text) {
            self.literal(text, indent);
        } else {
            self.quoted(text, place != Place::Key, indent);
        }
    }

    fn literal(&mut self, text: &str, indent: i32) {
        self.indicator("|", true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false, false);
        }
        let mut ending = text.chars().rev();
        match (ending.next().is_some_and(is_break), ending.next()) {
            (false, _) => self.indicator("-", false, false, false),
            (true, before) if before.is_none_or(is_break) => {
                self.indicator("+", false, false, false);
            }
            _ => {}
        }
        self.line_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.out.push(c);
                self.column = 0;
                self.indention = true;
                breaks = true;
                continue;
            }
            if breaks {
                self.indent(indent);
            }
            self.put(c);
            self.indention = false;
            breaks = false;
        }
    }

    fn quoted(&mut self, text: &str, may_break: bool, indent: i32) {
        self.indicator("\"", true, false, false);
        // A byte order mark at the start makes all of it look special.
        let all = text.starts_with('\u{feff}');
        let mut spaces = false;
        for (at, c) in text.char_indices() {
            if all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                let inside = at > 0 && at + 1 < text.len();
                if may_break && !spaces && self.column > WIDTH && inside {
                    self.indent(indent);
                    if text.as_bytes().get(at + 1) == Some(&b' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        let before = self.out.len();
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(c);
                // Writing to a string cannot fail.
                let _ = match code {
                    0..=0xff => write!(self.out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(self.out, "\\u{code:04X}"),
                    _ => write!(self.out, "\\U{code:08X}"),
                };
                self.column += self.out.len() - before;
                return;
            }
        };
        self.put('\\');
        self.put(short);
    }
}

fn deeper(indent: i32, same: bool) -> i32 {
    match indent {
        _ if indent < 0 => 0,
        _ if same => indent,
        _ => indent.saturating_add(2),
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What needs no escape. Characters beyond the basic plane do.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && c != '\u{feff}'
}

/// Whether a literal block can say it: no blank at the end of it or of a line, nothing that needs an escape.
fn may_be_literal(text: &str) -> bool {
    let mut space = false;
    for c in text.chars() {
        if !is_printable(c) || space && is_break(c) {
            return false;
        }
        space = c == ' ';
    }
    !space
}
