//! `jsonencode` and `jsondecode`: exact numbers, sorted keys, and the escapes that Terraform writes.

use std::fmt::Write as _;
use std::sync::Arc;

use smol_str::SmolStr;

use super::call::{Call, Outcome, string, unknown};
use crate::eval::pieces::spelled;
use crate::value::{Cause, Kind, Number, Partial, Piece, Type, Unknown, Value};

/// Deeper documents are not read.
const MAX_DEPTH: usize = 200;

pub(super) fn jsonencode(call: &Call<'_>) -> Outcome {
    let value = call.value(0);
    if value.is_wholly_known() {
        let mut out = String::new();
        write(value, &mut out);
        return Ok(string(out));
    }
    // The first character tells the type, and a type is often known where a value is not.
    let first = match &value.kind {
        Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => "[",
        Kind::Map(_) | Kind::Object(_) => "{",
        Kind::Unknown(unknown) if unknown.not_null => match unknown.ty {
            Type::String => "\"",
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => "[",
            Type::Map(_) | Type::Object(_) => "{",
            _ => "",
        },
        _ => "",
    };
    let unknown = unknown(call.args, Type::String, true);
    Ok(Value::from_unknown(Unknown { prefix: first.into(), ..unknown }))
}

/// Writes a wholly known value.
pub(super) fn write(value: &Value, out: &mut String) {
    match &value.kind {
        Kind::Null | Kind::Unknown(_) => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number.to_string()),
        Kind::String(text) => write_string(text, out),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Kind::Map(map) | Kind::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
    }
}

/// Angle brackets and ampersands are escaped, so that the text can stand in HTML.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

pub(super) fn jsondecode(call: &Call<'_>) -> Outcome {
    match read(call.text(0), &[]) {
        Err(Stop::Deep) => Ok(Value::unknown(Cause::Limit("depth of a JSON document".into()))),
        Err(Stop::Wrong(at)) => Err(format!("the text is not JSON at byte {at}")),
        Ok(value) => Ok(value),
    }
}

/// What a JSON text says, also one that is partly known. In a string with holes the text of each hole is taken to stand as
/// it is, without quotes and escapes; what stands for a value is taken to be one. A list where something unknown stands
/// among the elements is unknown.
pub fn parsed(value: &Value) -> Option<Value> {
    if let Some(text) = value.as_str() {
        return read(text, &[]).ok();
    }
    if let Some(json) = value.json() {
        return Some(json.clone());
    }
    let pieces = value.pieces()?;
    let holes: Vec<&Value> = pieces.iter().filter_map(Piece::hole).collect();
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(known) if known.contains(HOLE) => return None,
            Piece::Text(known) => text.push_str(known),
            Piece::Hole(_) => text.push(HOLE),
        }
    }
    read(&text, &holes).ok()
}

/// `jsondecode` of a text that is partly known, with the types that it gives.
pub(in crate::eval) fn decode(value: &Value) -> Option<Value> {
    parsed(value).map(|value| decoded(&value))
}

/// What is left of a value after it was written as JSON and read.
fn decoded(value: &Value) -> Value {
    let kind = match &value.kind {
        Kind::Set(_) if !super::sets::is_settled(value) => {
            return Value::from_unknown(unknown([value], Type::Any, false));
        }
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            Kind::Tuple(items.iter().map(decoded).collect())
        }
        Kind::Map(map) | Kind::Object(map) => {
            Kind::Object(Arc::new(map.iter().map(|(key, item)| (key.clone(), decoded(item))).collect()))
        }
        Kind::Unknown(unknown) if !unknown.ty.is_primitive() => {
            let all: Vec<Value> = unknown.alternatives().into_iter().flatten().map(decoded).collect();
            let (ty, partial) = (Type::Any, Partial::choice(&all));
            Kind::Unknown(Arc::new(Unknown { ty, partial, ..(**unknown).clone() }))
        }
        kind => kind.clone(),
    };
    Value { kind, ..value.clone() }
}

/// Stands for a hole in a text. It is no character, and text that has it all the same is not read.
const HOLE: char = '\u{fdd0}';

fn read(text: &str, holes: &[&Value]) -> Result<Value, Stop> {
    let mut reader = Reader { text, at: 0, holes, next: 0 };
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at == reader.text.len() { Ok(value) } else { Err(reader.wrong()) }
}

/// What a hole that stands for a whole value is.
fn whole(hole: &Value) -> Value {
    hole.json().cloned().unwrap_or_else(|| Value::from_unknown(unknown([hole], Type::Any, false)))
}

enum Stop {
    Wrong(usize),
    Deep,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// The values that stand where the text has holes, and how many of them were read.
    holes: &'t [&'t Value],
    next: usize,
}

impl Reader<'_> {
    fn wrong(&self) -> Stop {
        Stop::Wrong(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.eat(byte) { Ok(()) } else { Err(self.wrong()) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Deep);
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                let text = self.string()?;
                self.holed(&text)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::bool(true)),
            Some(b'f') => self.word("false", Value::bool(false)),
            Some(b'n') => self.word("null", Value::NULL),
            _ if self.eat_hole() => Ok(whole(&self.hole().ok_or_else(|| self.wrong())?)),
            _ => Err(self.wrong()),
        }
    }

    fn eat_hole(&mut self) -> bool {
        let eaten =
            !self.holes.is_empty() && self.text.get(self.at..).is_some_and(|rest| rest.starts_with(HOLE));
        self.at += if eaten { HOLE.len_utf8() } else { 0 };
        eaten
    }

    /// The value of the next hole.
    fn hole(&mut self) -> Option<Value> {
        let hole = self.holes.get(self.next)?;
        self.next += 1;
        Some((*hole).clone())
    }

    /// A string that may have holes.
    fn holed(&mut self, text: &str) -> Result<Value, Stop> {
        if self.holes.is_empty() || !text.contains(HOLE) {
            return Ok(string(text));
        }
        let mut pieces = Vec::new();
        for (at, known) in text.split(HOLE).enumerate() {
            if at > 0 {
                pieces.push(Piece::Hole(self.hole().ok_or_else(|| self.wrong())?));
            }
            if !known.is_empty() {
                pieces.push(Piece::Text(known.into()));
            }
        }
        Ok(match pieces.as_slice() {
            [Piece::Hole(only)] => only.clone(),
            _ => spelled(pieces),
        })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Stop> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.wrong());
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut entries: Vec<(SmolStr, Value)> = Vec::new();
        self.expect(b'{')?;
        self.skip_space();
        if !self.eat(b'}') {
            loop {
                self.skip_space();
                let key = string(self.string()?);
                if !self.holes.is_empty() && key.as_str().is_some_and(|key| key.contains(HOLE)) {
                    return Err(self.wrong());
                }
                self.skip_space();
                self.expect(b':')?;
                entries.push((key.as_str().unwrap_or_default().into(), self.value(depth + 1)?));
                self.skip_space();
                if self.eat(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        Ok(Value::object(entries))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        let mut open = false;
        self.expect(b'[')?;
        self.skip_space();
        if !self.eat(b']') {
            loop {
                self.skip_space();
                let is_hole = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(HOLE));
                let item = self.value(depth + 1)?;
                // It may be several elements, or none.
                open |= is_hole && item.as_unknown().is_some_and(|unknown| unknown.ty == Type::Any);
                items.push(item);
                self.skip_space();
                if self.eat(b']') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        if open && !self.holes.is_empty() {
            return Ok(Value::from_unknown(unknown(&items, Type::Any, true)));
        }
        Ok(Value::tuple(items))
    }

    fn number(&mut self) -> Result<Value, Stop> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        Number::parse(text).map(|number| Kind::Number(number).into()).ok_or(Stop::Wrong(start))
    }

    fn digits(&mut self) -> Result<(), Stop> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong()) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, Stop> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at).unwrap_or_default());
            if self.eat(b'"') {
                return Ok(out);
            }
            self.expect(b'\\')?;
            let escape = self.peek().ok_or_else(|| self.wrong())?;
            self.at += 1;
            out.push(match escape {
                b'"' | b'\\' | b'/' => char::from(escape),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => match self.unicode()? {
                    HOLE if !self.holes.is_empty() => return Err(self.wrong()),
                    c => c,
                },
                _ => return Err(self.wrong()),
            });
        }
    }

    /// What follows `\u`; half a pair alone is the replacement character.
    fn unicode(&mut self) -> Result<char, Stop> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first)
            && self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"))
        {
            let before = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let both = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, Stop> {
        let digits = self.text.get(self.at..self.at + 4).ok_or_else(|| self.wrong())?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.wrong());
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.wrong())
    }
}
