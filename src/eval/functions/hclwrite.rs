//! Values as Terraform writes them in its own language: `provider::terraform::encode_expr` and `encode_tfvars`.

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation;

use super::call::{Call, Outcome, string};
use super::json::not_told;
use crate::hcl::is_identifier;
use crate::value::{Kind, Map, Type, Value};

/// One line before it is indented.
#[derive(Default)]
struct Line {
    /// The name of an attribute that ends in this line: names in lines that follow each other are padded to one width.
    name: Option<String>,
    text: String,
    /// Brackets that are opened, less those that are closed.
    brackets: i32,
}

/// The text so far: lines, the last of which goes on.
struct Lines(Vec<Line>);

pub(super) fn expression(call: &Call<'_>) -> Value {
    let value = call.value(0);
    if !value.is_wholly_known() {
        return not_told(call);
    }
    let mut lines = Lines(vec![Line::default()]);
    lines.value(value);
    string(lines.finish())
}

pub(super) fn variables(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    let map = value.map().filter(|_| value.is_wholly_known());
    let Some(map) = map else {
        return match value.kind {
            Kind::Map(_) | Kind::Object(_) | Kind::Unknown(_) => Ok(call.unknown(Type::String)),
            _ => Err("an object is required".to_owned()),
        };
    };
    if map.keys().any(|name| !is_identifier(name)) {
        return Err("an attribute is no name of a variable".to_owned());
    }
    let mut lines = Lines(Vec::new());
    lines.attributes(map);
    let text = lines.finish();
    Ok(string(if text.is_empty() { text } else { text + "\n" }))
}

impl Lines {
    fn push(&mut self, text: &str, brackets: i32) {
        if let Some(line) = self.0.last_mut() {
            line.text.push_str(text);
            line.brackets += brackets;
        }
    }

    fn value(&mut self, value: &Value) {
        match &value.kind {
            Kind::Null | Kind::Unknown(_) => self.push("null", 0),
            Kind::Bool(value) => self.push(if *value { "true" } else { "false" }, 0),
            Kind::Number(number) => self.push(&number.to_string(), 0),
            Kind::String(text) => self.push(&quoted(text), 0),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                self.push("[", 1);
                for (i, item) in items.iter().enumerate() {
                    self.push(if i > 0 { ", " } else { "" }, 0);
                    self.value(item);
                }
                self.push("]", -1);
            }
            Kind::Map(map) | Kind::Object(map) => {
                self.push("{", 1);
                self.attributes(map);
                if !map.is_empty() {
                    self.0.push(Line::default());
                }
                self.push("}", -1);
            }
        }
    }

    fn attributes(&mut self, map: &Map) {
        for (name, value) in map.iter() {
            let name = if is_identifier(name) { name.to_string() } else { quoted(name) };
            self.0.push(Line { name: Some(name), ..Line::default() });
            self.value(value);
        }
    }

    fn finish(self) -> String {
        let mut out = String::new();
        let mut open: Vec<i32> = Vec::new();
        let mut width = 0;
        for (i, line) in self.0.iter().enumerate() {
            let indent = indentation(&mut open, line.brackets);
            let separator = if i > 0 { "\n" } else { "" };
            let _ = write!(out, "{separator}{:1$}", "", 2 * indent);
            if let Some(name) = &line.name {
                if line.brackets != 0 {
                    width = 0;
                } else if width == 0 {
                    // The width of all that follow without a line of another kind.
                    let run =
                        self.0.iter().skip(i).take_while(|line| line.name.is_some() && line.brackets == 0);
                    width = run.filter_map(|line| line.name.as_deref()).map(columns).max().unwrap_or(0);
                }
                let blanks = width.saturating_sub(columns(name)) + 1;
                let _ = write!(out, "{name}{:blanks$}= ", "");
            } else {
                width = 0;
            }
            out.push_str(&line.text);
        }
        out
    }
}

fn columns(text: &str) -> usize {
    text.graphemes(true).count()
}

/// How deep a line stands: by the lines that opened brackets before it, however many each opened.
fn indentation(open: &mut Vec<i32>, brackets: i32) -> usize {
    if brackets > 0 {
        open.push(brackets);
        return open.len() - 1;
    }
    let mut closed = -brackets;
    while closed > 0
        && let Some(last) = open.last_mut()
    {
        if closed < *last {
            *last -= closed;
            break;
        }
        closed -= *last;
        open.pop();
    }
    open.len()
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            // A letter before it makes a combining mark printable.
            _ if format!("a{c}").escape_debug().nth(2).is_none() => out.push(c),
            _ => {
                let code = u32::from(c);
                // Writing to a string cannot fail.
                let _ =
                    if code > 0xffff { write!(out, "\\U{code:08x}") } else { write!(out, "\\u{code:04x}") };
            }
        }
    }
    out.push('"');
    out
}
