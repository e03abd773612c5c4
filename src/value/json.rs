//! JSON text to a value, also text of which parts are not known: a heredoc with interpolations.
//!
//! Where a hole stands in a string it is a part of that string; elsewhere it is a value, or several elements or members.
//! So much is assumed of what fills it: in a string it stands as it is, with nothing that would end or escape it; where a
//! value must stand it is one. All else that is told holds for whatever it is.

use smol_str::SmolStr;

use super::partial::merged;
use super::{Kind, Number, Piece, Type, Unknown, Value, convert, normalize};

/// Deeper documents are not read.
const MAX_DEPTH: usize = 200;

/// Where those who read JSON differ.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Terraform's `jsondecode`: of equal keys the last counts. An array of which it is not known how many elements it has
    /// is unknown.
    Terraform,
    /// A policy document: which of equal keys counts is not the same everywhere, so they are refused. An array keeps the
    /// elements that are known; an unknown list among them is any number of them.
    Policy,
}

/// Why a text is not read; nothing of its content.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NotJson {
    /// It is no JSON, or not of the dialect: line and column, a hole is one column.
    At(usize, usize),
    /// It nests too deep there: line and column.
    TooDeep(usize, usize),
    /// It is in too many pieces.
    TooLarge,
}

/// What a known text says.
pub fn read(text: &str, dialect: Dialect) -> Result<Value, NotJson> {
    Reader { text, at: 0, start: (1, 1), pieces: &[], dialect, too_deep: false }.read()
}

/// What the text that `pieces` make says.
pub fn read_pieces(pieces: &[Piece], dialect: Dialect) -> Result<Value, NotJson> {
    // No two texts are side by side then, so that nothing but a hole ends one.
    let pieces = merged(pieces.iter().cloned()).ok_or(NotJson::TooLarge)?;
    let mut reader = Reader { text: "", at: 0, start: (1, 1), pieces: &pieces, dialect, too_deep: false };
    reader.go_on();
    reader.read()
}

/// What the text `value` says as far as it is known; [`None`] if nothing is, or it is no JSON.
pub fn told(value: &Value, dialect: Dialect) -> Option<Value> {
    let read = match (value.as_str(), value.json(), value.pieces()) {
        (Some(text), ..) => read(text, dialect).ok()?,
        (_, Some(json), _) => json.clone(),
        (.., pieces) => read_pieces(pieces?, dialect).ok()?,
    };
    Some(read.mark(value.sensitive))
}

struct Reader<'p> {
    /// The text up to the next hole, and the byte in it that is next.
    text: &'p str,
    at: usize,
    /// Line and column where this text begins.
    start: (usize, usize),
    /// What follows: nothing, or a hole first.
    pieces: &'p [Piece],
    dialect: Dialect,
    too_deep: bool,
}

impl<'p> Reader<'p> {
    fn read(mut self) -> Result<Value, NotJson> {
        let value = self.value(0);
        self.skip_space();
        match value {
            Some(value) if self.at == self.text.len() && self.pieces.is_empty() => Ok(value),
            _ => {
                let (line, column) = self.place();
                Err(if self.too_deep { NotJson::TooDeep(line, column) } else { NotJson::At(line, column) })
            }
        }
    }

    /// Line and column of what is next.
    fn place(&self) -> (usize, usize) {
        let (line, column) = self.start;
        let read = self.text.get(..self.at).unwrap_or(self.text);
        match read.rsplit_once('\n') {
            Some((before, last)) => (line + 1 + before.matches('\n').count(), last.chars().count() + 1),
            None => (line, column + read.chars().count()),
        }
    }

    /// Goes on to the next text; there may be none before the next hole.
    fn go_on(&mut self) {
        self.start = self.place();
        (self.text, self.at) = ("", 0);
        if let Some((Piece::Text(text), rest)) = self.pieces.split_first() {
            (self.text, self.pieces) = (text, rest);
        }
    }

    /// The hole, if one is next.
    fn peek_hole(&self) -> Option<&'p Value> {
        self.pieces.first().filter(|_| self.at == self.text.len())?.hole()
    }

    fn hole(&mut self) -> Option<&'p Value> {
        let hole = self.peek_hole()?;
        self.pieces = self.pieces.get(1..).unwrap_or_default();
        self.go_on();
        self.start.1 += 1;
        Some(hole)
    }

    /// The text from here to the next hole.
    fn rest(&self) -> &'p str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
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

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.too_deep = depth > MAX_DEPTH;
        if self.too_deep {
            return None;
        }
        self.skip_space();
        let Some(byte) = self.peek() else {
            let value = whole(self.hole()?);
            // Nothing may touch it: `${x}1` and `${x}${y}` are not told apart from more than one value.
            self.skip_space();
            let ends = self.peek().map_or(self.pieces.is_empty(), |byte| matches!(byte, b',' | b']' | b'}'));
            return ends.then_some(value);
        };
        match byte {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Value::bool(true)),
            b'f' => self.word("false", Value::bool(false)),
            b'n' => self.word("null", Value::NULL),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found.then_some(value)
    }

    fn number(&mut self) -> Option<Value> {
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
        // More digits may follow where a hole does.
        let number = Number::parse(self.text.get(start..self.at)?).filter(|_| self.peek_hole().is_none())?;
        Some(Kind::Number(number).into())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.eat(b'[');
        // Whether an element ended, so that a comma must come; a hole may hold it.
        let (mut ended, mut comma, mut open) = (false, false, false);
        loop {
            self.skip_space();
            if self.peek_hole().is_some_and(|hole| hole.json().is_none()) {
                items.push(elements(self.hole()?));
                (ended, comma, open) = (false, false, true);
            } else if self.eat(b']') {
                break;
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
        if comma {
            return None;
        }
        if open && self.dialect == Dialect::Terraform {
            return Some(unknown(&items.iter().collect::<Vec<_>>(), Type::Any, true));
        }
        Some(Value::tuple(items))
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut entries: Vec<(SmolStr, Value)> = Vec::new();
        // What may hold members, or is a key.
        let mut open: Vec<Value> = Vec::new();
        self.eat(b'{');
        let (mut ended, mut comma) = (false, false);
        loop {
            self.skip_space();
            if let Some(hole) = self.hole() {
                open.push(hole.clone());
                (ended, comma) = (false, false);
            } else if self.eat(b'}') {
                break;
            } else if self.eat(b',') {
                if comma || entries.is_empty() && open.is_empty() {
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
                if let Kind::String(key) = key.kind {
                    entries.push((key, value));
                } else {
                    open.extend([key, value]);
                }
                (ended, comma) = (true, false);
            }
        }
        if comma {
            return None;
        }
        let written = entries.len();
        let object = Value::object(entries);
        if self.dialect == Dialect::Policy && object.map()?.len() < written {
            return None;
        }
        if open.is_empty() {
            return Some(object);
        }
        Some(unknown(&open.iter().chain([&object]).collect::<Vec<_>>(), Type::Any, true))
    }

    fn string(&mut self) -> Option<Value> {
        self.eat(b'"');
        let known = self.characters();
        if self.eat(b'"') {
            return Some(Value::string(normalize(known)));
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut text = known.to_owned();
        loop {
            if self.eat(b'"') {
                break;
            } else if self.eat(b'\\') {
                text.push(self.escaped()?);
            } else {
                // What else ends them is a control character, or the text.
                let hole = self.hole().filter(|hole| stands(hole))?;
                pieces.extend([Piece::Text(std::mem::take(&mut text).into()), Piece::Hole(hole.clone())]);
            }
            text.push_str(self.characters());
        }
        if pieces.is_empty() {
            return Some(Value::string(normalize(&text)));
        }
        pieces.push(Piece::Text(text.into()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Some(match pieces.as_slice() {
            [Piece::Hole(only)] => convert(only, &Type::String).ok()?,
            _ => Value::spelled(pieces),
        })
    }

    /// What stands for itself in a string.
    fn characters(&mut self) -> &'p str {
        let rest = self.rest();
        let ends = |byte: u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let end = rest.bytes().position(ends).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

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
            b'u' => return self.unicode(),
            _ => return None,
        })
    }

    /// What follows `\u`; half a pair alone is the replacement character.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.at = before;
        }
        Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// Unknown because `operands` are.
fn unknown(operands: &[&Value], ty: Type, not_null: bool) -> Value {
    let sensitive = operands.iter().any(|operand| operand.holds_sensitive());
    Value::from_unknown(Unknown { ty, not_null, ..Unknown::of_operands(operands) }).mark(sensitive)
}

/// A hole in the place of a value: what it is the text of, if that is known.
fn whole(hole: &Value) -> Value {
    match hole.json() {
        Some(json) => json.clone().mark(hole.sensitive),
        None => unknown(&[hole], Type::Any, false),
    }
}

/// A hole among the elements of an array: any number of them.
fn elements(hole: &Value) -> Value {
    unknown(&[hole], Type::list(Type::Any), true)
}

/// Whether what is known of a hole can stand in a string as it is.
fn stands(hole: &Value) -> bool {
    let ends = |text: &str| text.contains(|c: char| matches!(c, '"' | '\\' | '\0'..='\x1f'));
    let all = hole.as_unknown().and_then(Unknown::alternatives).unwrap_or_default();
    !all.iter().any(|value| value.as_str().is_some_and(ends))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Cause, Partial, Truth, equal};

    /// `{}` is a hole, so no object in these texts is empty.
    fn read_text(text: &str) -> Result<Value, NotJson> {
        read_pieces(&pieces(text), Dialect::Policy)
    }

    fn pieces(text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (at, known) in text.split("{}").enumerate() {
            if at > 0 {
                pieces.push(Piece::Hole(Value::unknown(Cause::Variable("x".into()))));
            }
            if !known.is_empty() {
                pieces.push(Piece::Text(known.into()));
            }
        }
        pieces
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
            for dialect in [Dialect::Terraform, Dialect::Policy] {
                let ours = [read(text, dialect).unwrap(), read_pieces(&pieces(text), dialect).unwrap()];
                assert!(ours.iter().all(|ours| equal(ours, &of_json(&theirs)) == Truth::Yes), "{text}");
            }
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
            "01",
            "1.",
            "-",
            "{\"a\":1 \"b\":2}",
            "\"\\u+123\"",
            "\"open",
        ] {
            assert!(read_text(text).is_err(), "{text}");
        }
        assert_eq!(read_text("{\n \"secret\": \"x\"\n oops").unwrap_err(), NotJson::At(3, 2));
        assert_eq!(read_text("{\n \"a\": \"b{}\", \"c{}\": {}, oops").unwrap_err(), NotJson::At(2, 22));
        assert_eq!(read_text(&"[".repeat(100_000)).unwrap_err(), NotJson::TooDeep(1, 202));
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

    #[test]
    fn dialects_differ_in_equal_keys_and_open_arrays() {
        let twice = "{\"a\":1,\"a\":2}";
        let last = read(twice, Dialect::Terraform).unwrap();
        assert_eq!(equal(last.get("a").unwrap(), &Value::int(2)), Truth::Yes);
        assert_eq!(read(twice, Dialect::Policy).unwrap_err(), NotJson::At(1, 14));
        let open = pieces(r#"{"a": ["*", {}]}"#);
        let array = |dialect| read_pieces(&open, dialect).unwrap().get("a").unwrap().clone();
        assert!(array(Dialect::Terraform).is_unknown());
        assert_eq!(array(Dialect::Policy).items().unwrap().len(), 2);
    }

    /// Whether what is told of a text with holes is true of what it says once they are filled.
    fn admits(told: &Value, says: &Value) -> bool {
        let Kind::Unknown(unknown) = &told.kind else {
            return match (told.map(), says.map(), told.items(), says.items()) {
                (Some(a), Some(b), ..) => {
                    a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| admits(a, b))
                }
                (_, _, Some(a), Some(b)) => all_admit(a, b),
                _ => equal(told, says) == Truth::Yes,
            };
        };
        let spelled = match (&unknown.partial, says.as_str()) {
            (Some(partial), Some(_)) => partial.may_be(says),
            (partial, _) => partial.is_none(),
        };
        spelled && !(unknown.not_null && says.is_null()) && !unknown.ty.conflicts(&Type::of(says))
    }

    fn all_admit(told: &[Value], says: &[Value]) -> bool {
        let Some((first, rest)) = told.split_first() else { return says.is_empty() };
        let many = first.as_unknown().is_some_and(|unknown| matches!(unknown.ty, Type::List(_)));
        if many {
            return (0..=says.len()).any(|at| all_admit(rest, &says[at..]));
        }
        says.split_first().is_some_and(|(one, says)| admits(first, one) && all_admit(rest, says))
    }

    #[test]
    fn what_is_told_holds_whatever_fills_the_holes() {
        const TEXTS: [&str; 4] = ["", "a", "x/\u{301}", "e\\u0301"];
        const VALUES: [&str; 5] = ["1", "null", "\"a\"", "[1, 2]", "{\"a\": null}"];
        const ELEMENTS: [&str; 4] = ["1, \"a\"", "[]", "\"x\", null, 2", "{\"b\": []}"];
        const MEMBERS: [&str; 2] = ["\"m\": 1", "\"m\": [], \"n\": null"];
        let mut checked = 0;
        for (pattern, fills) in [
            (r#"{"a": "x{}/*", "b": ["y", "{}"]}"#, &TEXTS[..]),
            (r#"{"k": "e{}e", "{}": 1, "c": ["{}{}"]}"#, &TEXTS),
            (r#"[{"{}b": 1, "c": [0]}, "x"]"#, &TEXTS),
            (r#"{"a": {}, "b": {"c": {}, "d": 2}}"#, &VALUES),
            (r#"[1, {}, "z"]"#, &VALUES),
            ("{}", &VALUES),
            (r#"{"a": ["*", {}], "b": [{}], "c": [[{}], 2]}"#, &ELEMENTS),
            (r#"[{}, "*", {}]"#, &ELEMENTS),
            (r#"[{"a": 1, {}}, {{}}]"#, &MEMBERS),
        ] {
            for dialect in [Dialect::Terraform, Dialect::Policy] {
                let told = read_pieces(&pieces(pattern), dialect).unwrap();
                for at in 0..fills.len() * 7 {
                    let mut text = String::new();
                    for (hole, known) in pattern.split("{}").enumerate() {
                        if hole > 0 {
                            text.push_str(fills[(at * hole + at / fills.len()) % fills.len()]);
                        }
                        text.push_str(known);
                    }
                    // Two holes may be filled with equal keys.
                    let Ok(says) = read(&text, dialect) else { continue };
                    assert!(admits(&told, &says), "{pattern}\n{text}\n{told:?}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 400, "{checked}");
    }

    #[test]
    fn a_choice_that_would_end_the_string_is_not_followed() {
        let choice = |texts: [&str; 2]| {
            let all = texts.map(Value::string);
            let unknown = Unknown { ty: Type::String, ..Unknown::new(Cause::Plan) };
            Value::from_unknown(Unknown { partial: Partial::choice(&all), ..unknown })
        };
        let read = |hole| {
            let pieces = [Piece::Text("\"".into()), Piece::Hole(hole), Piece::Text("\"".into())];
            read_pieces(&pieces, Dialect::Terraform)
        };
        assert_eq!(read(choice(["a", "b"])).unwrap().choices().len(), 2);
        assert!(read(choice(["a", "\", \"b"])).is_err());
    }
}
