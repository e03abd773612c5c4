//! The values of a binary plan: MessagePack as Terraform writes its values with it.
//!
//! It tells its own kinds, so no provider's schema is needed to read it, but for one thing: a number that is no 64-bit
//! integer or float is written as a string. The catalog makes it a number again where the schema has one. As in plan JSON
//! collections are read as tuples and objects.

use std::sync::Arc;

use smol_str::SmolStr;

use super::wire::Broken;
use crate::input::json::{Marks, PathStep, known_after_apply};
use crate::value::{Cause, Kind, Number, Type, Unknown, Value};

/// Values nest no deeper; it is serde_json's limit too.
const MAX_DEPTH: usize = 127;

/// A value has no more parts.
const MAX_PARTS: usize = 1 << 20;

/// The extension of an unknown value of which something is known.
const REFINED: u8 = 12;

/// A refinement has no more bytes.
const MAX_REFINEMENT: usize = 1024;

/// A number that is larger than every integer and float has no more digits.
const MAX_DIGITS: usize = 1 << 12;

/// What one read gives.
enum Token<'a> {
    Nil,
    Bool(bool),
    Number(Option<Number>),
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    Array(usize),
    Map(usize),
    Extension(u8, &'a [u8]),
}

struct Reader<'a> {
    rest: &'a [u8],
    left: usize,
}

/// Decodes a value; what `sensitive` marks is marked.
pub(super) fn decode(bytes: &[u8], sensitive: &Marks) -> Result<Value, Broken> {
    let mut reader = Reader { rest: bytes, left: MAX_PARTS };
    let value = reader.value(sensitive, MAX_DEPTH)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(Broken) }
}

/// The key of an element, if it is one of a list or a map.
pub(super) fn key(bytes: &[u8]) -> Option<PathStep> {
    match decode(bytes, &Marks::None).ok()?.kind {
        Kind::String(name) => Some(PathStep::Field(name)),
        Kind::Number(number) => usize::try_from(number.to_i64()?).ok().map(PathStep::Item),
        _ => None,
    }
}

impl<'a> Reader<'a> {
    fn value(&mut self, marks: &Marks, depth: usize) -> Result<Value, Broken> {
        let deeper = depth.checked_sub(1).ok_or(Broken)?;
        let value = match self.token().ok_or(Broken)? {
            Token::Nil => Value::NULL,
            Token::Bool(truth) => Value::bool(truth),
            Token::Number(Some(number)) => Kind::Number(number).into(),
            Token::Number(None) => Value::unknown(Cause::Limit("the number is out of range".into())),
            Token::Text(bytes) => Value::string(text(bytes)?),
            Token::Array(length) => {
                if let Some(value) = self.value_with_type(length, marks, deeper)? {
                    value
                } else {
                    let mut items = Vec::new();
                    for index in 0..length {
                        items.push(self.value(marks.item(index), deeper)?);
                    }
                    Value::tuple(items)
                }
            }
            Token::Map(length) => {
                let mut entries: Vec<(SmolStr, Value)> = Vec::new();
                for _ in 0..length {
                    let Some(Token::Text(name)) = self.token() else { return Err(Broken) };
                    let name = text(name)?;
                    entries.push((name.into(), self.value(marks.field(name), deeper)?));
                }
                Value::object(entries)
            }
            Token::Extension(code, body) => unknown(code, body)?,
            Token::Bytes(_) => return Err(Broken),
        };
        Ok(value.mark(matches!(marks, Marks::All)))
    }

    /// A value whose type the schema leaves open: its type, which alone is written as bytes, and then the value.
    fn value_with_type(
        &mut self,
        length: usize,
        marks: &Marks,
        depth: usize,
    ) -> Result<Option<Value>, Broken> {
        let start = (self.rest, self.left);
        if length == 2
            && let Some(Token::Bytes(ty)) = self.token()
        {
            let ty = serde_json::from_slice(ty).map_err(|_| Broken)?;
            return self.value(marks, depth).map(|value| Some(typed(value, &ty)));
        }
        (self.rest, self.left) = start;
        Ok(None)
    }

    fn token(&mut self) -> Option<Token<'a>> {
        self.left = self.left.checked_sub(1)?;
        let code = *self.take(1)?.first()?;
        let low = |mask: u8| usize::from(code & mask);
        Some(match code {
            0x00..=0x7f => Token::Number(Some(Number::from(i64::from(code)))),
            0x80..=0x8f => Token::Map(low(0x0f)),
            0x90..=0x9f => Token::Array(low(0x0f)),
            0xa0..=0xbf => Token::Text(self.take(low(0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => return None,
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4..=0xc6 => {
                let length = self.length(1 << (code - 0xc4))?;
                Token::Bytes(self.take(length)?)
            }
            0xc7..=0xc9 => {
                let length = self.length(1 << (code - 0xc7))?;
                self.extension(length)?
            }
            0xca => {
                let float = f32::from_be_bytes(*self.take(4)?.first_chunk()?);
                Token::Number(Number::from_f64(f64::from(float)))
            }
            0xcb => {
                let float = f64::from_be_bytes(*self.take(8)?.first_chunk()?);
                Token::Number(decimal(float))
            }
            0xcc..=0xcf => Token::Number(Number::parse(&self.unsigned(1 << (code - 0xcc))?.to_string())),
            0xd0..=0xd3 => {
                let bytes = 1 << (code - 0xd0);
                let unused = 64 - 8 * u32::from(bytes);
                let signed = (self.unsigned(bytes)? << unused).cast_signed() >> unused;
                Token::Number(Some(Number::from(signed)))
            }
            0xd4..=0xd8 => self.extension(1 << (code - 0xd4))?,
            0xd9..=0xdb => {
                let length = self.length(1 << (code - 0xd9))?;
                Token::Text(self.take(length)?)
            }
            0xdc | 0xdd => Token::Array(self.length(2 << (code - 0xdc))?),
            0xde | 0xdf => Token::Map(self.length(2 << (code - 0xde))?),
            0xe0..=0xff => Token::Number(Some(Number::from(i64::from(code.cast_signed())))),
        })
    }

    fn extension(&mut self, length: usize) -> Option<Token<'a>> {
        let code = *self.take(1)?.first()?;
        Some(Token::Extension(code, self.take(length)?))
    }

    fn length(&mut self, bytes: u8) -> Option<usize> {
        usize::try_from(self.unsigned(bytes)?).ok()
    }

    fn unsigned(&mut self, bytes: u8) -> Option<u64> {
        Some(self.take(usize::from(bytes))?.iter().fold(0, |all, &byte| (all << 8) | u64::from(byte)))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

/// The number that a float is written for: the shortest decimal that gives it, as plan JSON has it.
fn decimal(float: f64) -> Option<Number> {
    if float.is_finite() { Number::parse(&float.to_string()) } else { Number::from_f64(float) }
}

fn text(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|_| Broken)
}

/// An unknown value with what is known of it: keys are 1 (whether it is null) and 2 (what it begins with); bounds of numbers
/// and lengths, which are others, are not kept.
fn unknown(code: u8, body: &[u8]) -> Result<Value, Broken> {
    if body.len() <= 1 {
        return Ok(known_after_apply());
    }
    if code != REFINED || body.len() > MAX_REFINEMENT {
        return Err(Broken);
    }
    let mut reader = Reader { rest: body, left: MAX_REFINEMENT };
    let Some(Token::Map(length)) = reader.token() else { return Err(Broken) };
    let mut unknown = Unknown::new(Cause::Plan);
    for _ in 0..length {
        let key = match reader.token() {
            Some(Token::Number(Some(number))) => number.to_i64(),
            _ => return Err(Broken),
        };
        let value = reader.value(&Marks::None, MAX_DEPTH)?;
        match (key, value.kind) {
            (Some(1), Kind::Bool(is_null)) => unknown.not_null = !is_null,
            (Some(2), Kind::String(prefix)) => {
                (unknown.ty, unknown.prefix) = (Type::String, prefix);
            }
            (Some(1 | 2), _) => return Err(Broken),
            _ => {}
        }
    }
    Ok(if unknown.not_null || !unknown.prefix.is_empty() {
        Value::from_unknown(unknown)
    } else {
        known_after_apply()
    })
}

/// A value of a type that is written beside it: its numbers are no strings.
fn typed(mut value: Value, ty: &serde_json::Value) -> Value {
    let Some(parts) = ty.as_array() else {
        if let (Some("number"), Kind::String(digits)) = (ty.as_str(), &value.kind)
            && digits.len() <= MAX_DIGITS
            && let Some(number) = Number::parse(digits)
        {
            value.kind = Kind::Number(number);
        }
        return value;
    };
    let of = parts.get(1).unwrap_or(&serde_json::Value::Null);
    match (&mut value.kind, of) {
        (Kind::Tuple(items), of) => {
            for (index, item) in Arc::make_mut(items).iter_mut().enumerate() {
                let of = of.as_array().filter(|_| is(parts, "tuple")).map_or(Some(of), |all| all.get(index));
                if let Some(of) = of {
                    *item = typed(std::mem::replace(item, Value::NULL), of);
                }
            }
        }
        (Kind::Object(map), of) => {
            for (name, item) in Arc::make_mut(map).iter_mut() {
                let of = of.as_object().filter(|_| is(parts, "object"));
                let of = of.map_or(parts.get(1), |all| all.get(name.as_str()));
                if let Some(of) = of {
                    *item = typed(std::mem::replace(item, Value::NULL), of);
                }
            }
        }
        _ => {}
    }
    value
}

fn is(parts: &[serde_json::Value], word: &str) -> bool {
    parts.first().and_then(serde_json::Value::as_str) == Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        decode(bytes, &Marks::None).ok().map(|value| format!("{}", serde_json_of(&value)))
    }

    fn serde_json_of(value: &Value) -> serde_json::Value {
        match &value.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(truth) => (*truth).into(),
            Kind::Number(number) => serde_json::from_str(&number.to_string()).unwrap(),
            Kind::String(text) => text.as_str().into(),
            Kind::Unknown(unknown) => format!("?{}{}", unknown.not_null, unknown.prefix).into(),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                items.iter().map(serde_json_of).collect()
            }
            Kind::Map(map) | Kind::Object(map) => {
                map.iter().map(|(key, value)| (key.to_string(), serde_json_of(value))).collect()
            }
        }
    }

    #[test]
    fn every_kind_is_read() {
        let cases: [(&[u8], &str); 18] = [
            (b"\xc0", "null"),
            (b"\xc3", "true"),
            (b"\x7f", "127"),
            (b"\xff", "-1"),
            (b"\xd0\x80", "-128"),
            (b"\xd1\x80\x00", "-32768"),
            (b"\xd3\xff\xff\xff\xff\xff\xff\xff\xfe", "-2"),
            (b"\xcd\x01\x6d", "365"),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\xcb\x3f\xe6\x66\x66\x66\x66\x66\x66", "0.7"),
            (b"\xa2ab", "\"ab\""),
            (b"\xd9\x02ab", "\"ab\""),
            (b"\x92\x01\xa1a", "[1,\"a\"]"),
            (b"\xdc\0\x01\xc2", "[false]"),
            (b"\x81\xa1a\x90", "{\"a\":[]}"),
            (b"\xd4\0\0", "\"?false\""),
            (b"\xc7\x08\x0c\x82\x01\xc2\x02\xa3arn", "\"?truearn\""),
            (b"\x92\xc4\x08\"number\"\xa40.25", "0.25"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read(bytes).as_deref(), Some(expected), "{bytes:x?}");
        }
    }

    #[test]
    fn numbers_of_open_types_are_numbers() {
        let ty = br#"["object",{"a":["list","number"],"b":["tuple",["string","number"]]}]"#;
        let mut bytes = vec![0x92, 0xc4, u8::try_from(ty.len()).unwrap()];
        bytes.extend(ty);
        bytes.extend(b"\x82\xa1a\x91\xa30.1\xa1b\x92\xa11\xa11");
        assert_eq!(read(&bytes).as_deref(), Some(r#"{"a":[0.1],"b":["1",1]}"#));
    }

    #[test]
    fn what_is_broken_or_endless_ends() {
        for bytes in [b"".as_slice(), b"\xc1", b"\xa5ab", b"\x93\x01", b"\x01\x01", b"\xdd\xff\xff\xff\xff"] {
            assert_eq!(decode(bytes, &Marks::None).err(), Some(Broken), "{bytes:x?}");
        }
        assert!(decode(&[0x91; 1000], &Marks::None).is_err(), "nested too deep");
        let mut wide = vec![0xdd, 0, 0x20, 0, 0];
        wide.resize(wide.len() + 0x0020_0000, 0xc0);
        assert!(decode(&wide, &Marks::None).is_err(), "too many parts");
    }

    #[test]
    fn paths_mark() {
        let mut marks = Marks::None;
        marks.add(&[PathStep::Field("a".into()), PathStep::Item(1)]);
        let value = decode(b"\x81\xa1a\x92\xa1x\xa1y", &marks).unwrap();
        let sensitive: Vec<bool> =
            value.get("a").unwrap().items().unwrap().iter().map(|v| v.sensitive).collect();
        assert_eq!(sensitive, [false, true]);
        assert_eq!(key(b"\x02"), Some(PathStep::Item(2)));
        assert_eq!(key(b"\x80"), None);
    }
}
