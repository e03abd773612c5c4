//! JSON of which parts are not known: the text of a heredoc with interpolations, or one that is wholly known.
//!
//! Where a hole stands in a string it is a part of that string; elsewhere it is a value, or several of an array. A text
//! that is known is a text without holes.

use std::sync::Arc;

use smol_str::{SmolStr, ToSmolStr};

use super::text::cause_of;
use crate::value::{Kind, Number, Partial, Piece, Type, Unknown, Value};

/// Deeper documents are not read.
const MAX_DEPTH: usize = 100;

/// Why a text is not read: its place, never its content.
pub(super) type Wrong = String;

/// Reads the JSON that the pieces make.
///
/// An array of which some elements are not known has an unknown list among its elements; an object of which a key is not
/// known is unknown.
pub(super) fn read(pieces: &[Piece]) -> Result<Value, Wrong> {
    let mut reader = Reader { pieces, piece: 0, at: 0 };
    let value = reader.value(0).and_then(|value| {
        reader.skip_space();
        if reader.next().is_none() { Some(value) } else { None }
    });
    value.ok_or_else(|| reader.place())
}

/// What is next.
enum Next<'p> {
    Byte(u8),
    Hole(&'p Value),
}

struct Reader<'p> {
    pieces: &'p [Piece],
    /// Index of the piece that is being read, and the byte in it.
    piece: usize,
    at: usize,
}

impl<'p> Reader<'p> {
    /// The text from here to the next hole.
    fn rest(&self) -> &'p str {
        match self.pieces.get(self.piece) {
            Some(Piece::Text(text)) => text.get(self.at..).unwrap_or_default(),
            _ => "",
        }
    }

    fn next(&mut self) -> Option<Next<'p>> {
        loop {
            match self.pieces.get(self.piece)? {
                Piece::Hole(value) => return Some(Next::Hole(value)),
                Piece::Text(text) => match text.as_bytes().get(self.at) {
                    Some(&byte) => return Some(Next::Byte(byte)),
                    None => self.pass(),
                },
            }
        }
    }

    /// Goes on behind this piece.
    fn pass(&mut self) {
        (self.piece, self.at) = (self.piece + 1, 0);
    }

    fn peek(&mut self) -> Option<u8> {
        match self.next()? {
            Next::Byte(byte) => Some(byte),
            Next::Hole(_) => None,
        }
    }

    fn hole(&mut self) -> Option<&'p Value> {
        match self.next()? {
            Next::Byte(_) => None,
            Next::Hole(value) => {
                self.pass();
                Some(value)
            }
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Line and column in the text; a hole is one column.
    fn place(&self) -> Wrong {
        let (mut line, mut column) = (1, 1);
        for (index, piece) in self.pieces.iter().enumerate().take(self.piece + 1) {
            let Piece::Text(text) = piece else {
                column += usize::from(index < self.piece);
                continue;
            };
            let read = if index < self.piece { text.as_str() } else { text.get(..self.at).unwrap_or(text) };
            line += read.matches('\n').count();
            match read.rsplit_once('\n') {
                Some((_, last)) => column = last.chars().count() + 1,
                None => column += read.chars().count(),
            }
        }
        format!("line {line}, column {column} of the document: not a policy")
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_space();
        match self.next()? {
            Next::Hole(value) => {
                self.pass();
                // Nothing may touch it: `1${x}` and `${x}${y}` are not told apart from more than one value.
                self.skip_space();
                let ends = matches!(self.next(), None | Some(Next::Byte(b',' | b']' | b'}')));
                ends.then(|| of_hole(value))
            }
            Next::Byte(b'{') => self.object(depth),
            Next::Byte(b'[') => self.array(depth),
            Next::Byte(b'"') => self.string(),
            Next::Byte(b'-' | b'0'..=b'9') => self.number(),
            Next::Byte(b't') => self.word("true", Value::bool(true)),
            Next::Byte(b'f') => self.word("false", Value::bool(false)),
            Next::Byte(b'n') => self.word("null", Value::NULL),
            Next::Byte(_) => None,
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found.then_some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let digits = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = rest.find(|c| !digits(c)).unwrap_or(rest.len());
        let number = Number::parse(rest.get(..end)?)?;
        self.at += end;
        // More digits may follow where a hole does.
        self.hole().is_none().then(|| Kind::Number(number).into())
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.eat(b'[');
        // Whether an element ended, so that a comma must come; a hole may hold it.
        let (mut ended, mut comma) = (false, false);
        loop {
            self.skip_space();
            if let Some(hole) = self.hole() {
                items.push(of_elements(hole));
                (ended, comma) = (false, false);
            } else if self.eat(b']') {
                return (!comma).then(|| Value::tuple(items));
            } else if self.eat(b',') {
                // Two commas cannot be; after a hole one may.
                if comma || items.is_empty() {
                    return None;
                }
                (ended, comma) = (false, true);
            } else if ended {
                return None;
            } else {
                items.push(self.value(depth + 1)?);
                (ended, comma) = (true, false);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut entries: Vec<(SmolStr, Value)> = Vec::new();
        // The first hole that may hold members.
        let mut open: Option<&Value> = None;
        self.eat(b'{');
        let (mut ended, mut comma) = (false, false);
        loop {
            self.skip_space();
            if let Some(hole) = self.hole() {
                open.get_or_insert(hole);
                (ended, comma) = (false, false);
            } else if self.eat(b'}') {
                break;
            } else if self.eat(b',') {
                if comma || entries.is_empty() && open.is_none() {
                    return None;
                }
                (ended, comma) = (false, true);
            } else if ended || self.peek() != Some(b'"') {
                return None;
            } else {
                let key = self.string()?;
                self.skip_space();
                if !self.eat(b':') {
                    return None;
                }
                let value = self.value(depth + 1)?;
                match key.as_str() {
                    Some(key) => entries.push((key.into(), value)),
                    None => return self.past_object(depth, &key),
                }
                (ended, comma) = (true, false);
            }
        }
        if comma {
            return None;
        }
        let written = entries.len();
        let object = Value::object(entries);
        // Which of two equal keys counts is not the same everywhere.
        let is_clear = object.map().is_some_and(|map| map.iter().len() == written);
        is_clear.then(|| open.map_or(object, |hole| Value::unknown(cause_of(hole))))
    }

    /// The rest of an object of which a key is not known.
    fn past_object(&mut self, depth: usize, key: &Value) -> Option<Value> {
        loop {
            self.skip_space();
            if self.eat(b'}') {
                return Some(Value::unknown(cause_of(key)));
            }
            if self.hole().is_some() || self.eat(b',') {
                continue;
            }
            if self.peek() != Some(b'"') {
                return None;
            }
            self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return None;
            }
            self.value(depth + 1)?;
        }
    }

    fn string(&mut self) -> Option<Value> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut text = String::new();
        self.eat(b'"');
        loop {
            match self.next()? {
                Next::Hole(value) => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text).into()));
                    }
                    pieces.push(Piece::Hole(value.clone()));
                    self.pass();
                }
                Next::Byte(b'"') => {
                    self.at += 1;
                    break;
                }
                Next::Byte(b'\\') => {
                    self.at += 1;
                    text.push(self.escaped()?);
                }
                Next::Byte(0..=0x1f) => return None,
                Next::Byte(_) => {
                    let rest = self.rest();
                    let end =
                        rest.find(|c: char| matches!(c, '"' | '\\' | '\0'..='\x1f')).unwrap_or(rest.len());
                    text.push_str(rest.get(..end)?);
                    self.at += end;
                }
            }
        }
        if pieces.is_empty() {
            return Some(Value::string(text.to_smolstr()));
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into()));
        }
        Some(of_pieces(pieces))
    }

    /// What follows a backslash; half a pair alone is the replacement character.
    fn escaped(&mut self) -> Option<char> {
        let escape = self.peek()?;
        self.at += 1;
        Some(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) || !self.rest().starts_with("\\u") {
                    return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                self.at += 2;
                let second = self.hex()?.wrapping_sub(0xdc00);
                let both = 0x10000 + ((first - 0xd800) << 10) + second;
                if second < 0x400 { char::from_u32(both)? } else { char::REPLACEMENT_CHARACTER }
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        self.at += 4;
        Some(number)
    }
}

/// A hole in the place of a value: what it is the text of, if that is known.
fn of_hole(value: &Value) -> Value {
    match value.as_unknown().and_then(|unknown| unknown.partial.as_ref()) {
        Some(Partial::Json(inside)) => inside.clone(),
        _ => Value::unknown(cause_of(value)),
    }
}

/// A hole among the elements of an array: any number of them.
fn of_elements(value: &Value) -> Value {
    let unknown = Unknown { ty: Type::list(Type::Any), ..Unknown::new(cause_of(value)) };
    match of_hole(value) {
        inside if inside.is_unknown() => Value::from_unknown(unknown),
        inside => inside,
    }
}

/// A string of these pieces, at least one of which is a hole.
fn of_pieces(pieces: Vec<Piece>) -> Value {
    let holes: Vec<&Value> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Hole(value) => Some(value),
            Piece::Text(_) => None,
        })
        .collect();
    let unknown = Unknown { ty: Type::String, not_null: true, ..Unknown::of_operands(&holes) };
    let sensitive = holes.iter().any(|hole| hole.holds_sensitive());
    let pieces: Arc<[Piece]> = pieces.into();
    Value::from_unknown(Unknown { partial: Some(Partial::Template(pieces)), ..unknown }).mark(sensitive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Cause, Truth, equal};

    /// `{}` is a hole, so no object in these texts is empty.
    fn read_text(text: &str) -> Result<Value, Wrong> {
        let mut pieces = Vec::new();
        for (at, known) in text.split("{}").enumerate() {
            if at > 0 {
                pieces.push(Piece::Hole(Value::unknown(Cause::Variable("x".into()))));
            }
            if !known.is_empty() {
                pieces.push(Piece::Text(known.into()));
            }
        }
        read(&pieces)
    }

    #[test]
    fn known_text_is_json_as_everybody_reads_it() {
        for text in [
            r#" { "a" : [ 1 , -2.5e3, true , false, null , "x" ] , "b" : { "c" : [ ] } } "#,
            r#""A\u00e9\ud83d\ude00\n\/\"""#,
            "[[[]]]",
            "\"\u{fc}\u{1f600}\"",
        ] {
            let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
            let ours = read_text(text).unwrap();
            assert_eq!(equal(&ours, &of_json(&theirs)), Truth::Yes, "{text}");
        }
    }

    fn of_json(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::NULL,
            serde_json::Value::Bool(value) => Value::bool(*value),
            serde_json::Value::Number(number) => {
                Kind::Number(Number::parse(&number.to_string()).unwrap()).into()
            }
            serde_json::Value::String(text) => Value::string(text.as_str()),
            serde_json::Value::Array(items) => Value::tuple(items.iter().map(of_json)),
            serde_json::Value::Object(map) => {
                Value::object(map.iter().map(|(key, value)| (key.into(), of_json(value))))
            }
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for text in [
            "",
            "{",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{,}",
            "{a:1}",
            "\"\n\"",
            "\"\\x\"",
            "1 2",
            "tru",
            "[1,,2]",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1 \"b\":2}",
            "\"\\u+123\"",
            "\"open",
        ] {
            assert!(read_text(text).is_err(), "{text}");
        }
        assert_eq!(
            read_text("{\n \"secret\": \"x\"\n oops").unwrap_err(),
            "line 3, column 2 of the document: not a policy"
        );
        assert!(read_text(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn a_hole_is_a_part_of_a_string_a_value_or_elements() {
        let value = read_text(r#"{"a": "x{}/*", "b": {}, "c": ["y", {}], "d": "z"}"#).unwrap();
        let pieces = match &value.get("a").unwrap().as_unknown().unwrap().partial {
            Some(Partial::Template(pieces)) => pieces.iter().map(ToString::to_string).collect::<String>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pieces, "x${var.x}/*");
        assert!(value.get("b").unwrap().is_unknown());
        let [known, elements] = value.get("c").unwrap().items().unwrap() else { panic!() };
        assert_eq!(known.as_str(), Some("y"));
        assert!(matches!(elements.as_unknown().unwrap().ty, Type::List(_)));
        assert_eq!(value.get("d").unwrap().as_str(), Some("z"));
    }

    #[test]
    fn an_object_with_members_in_a_hole_is_unknown_and_hides_nothing_beside_it() {
        for text in [
            r#"[{"a": 1, {}}, "x"]"#,
            r#"[{"a": 1 {}}, "x"]"#,
            r#"[{{}, "a": 1}, "x"]"#,
            r#"[{"{}": [1], "b": {"c": "d"}}, "x"]"#,
        ] {
            let value = read_text(text).unwrap();
            let [object, beside] = value.items().unwrap() else { panic!("{text}") };
            assert!(object.is_unknown(), "{text}");
            assert_eq!(beside.as_str(), Some("x"), "{text}");
        }
    }

    #[test]
    fn a_hole_that_touches_another_value_is_not_understood() {
        for text in ["1{}", "{}1", "{}{}", "[1{}]", "\"a\"{}", "{\"a\": {}\"b\"}"] {
            assert!(read_text(text).is_err(), "{text}");
        }
    }
}
