//! What a scalar of YAML is: null, bool, number, time or text. Unlike YAML 1.2 `yes` is true, and unlike YAML 1.1 `010` is ten.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use saphyr_parser::ScalarStyle;

use super::super::date;
use crate::value::{Number, Value};

const STR: &str = "tag:yaml.org,2002:str";
const BINARY: &str = "tag:yaml.org,2002:binary";
const BOOL: &str = "tag:yaml.org,2002:bool";
const INT: &str = "tag:yaml.org,2002:int";
const FLOAT: &str = "tag:yaml.org,2002:float";
const NULL: &str = "tag:yaml.org,2002:null";
const TIMESTAMP: &str = "tag:yaml.org,2002:timestamp";

/// The value of a scalar with this style and tag.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<Value, &'static str> {
    if tag.is_some_and(|tag| ![STR, BINARY, BOOL, INT, FLOAT, NULL, TIMESTAMP].contains(&tag)) {
        return Err("there is no such tag");
    }
    let text_itself = || Ok(Value::string(text));
    let special = text.as_bytes().first().is_none_or(|first| b"+-.~0123456789yYnNtTfFoO".contains(first));
    if special && tag != Some(STR) && tag != Some(BINARY) {
        // A tag does not make a number of what is quoted.
        if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
            return text_itself();
        }
        if let Some(value) = word(text) {
            return Ok(value);
        }
        if tag.is_none() && matches!(text, ".nan" | ".NaN" | ".NAN") {
            return Err("there is no number for `.nan`");
        }
        match text.as_bytes().first() {
            Some(b'.') => {
                if let Some(number) = Number::parse(text) {
                    return Ok(Value::number(number));
                }
            }
            Some(b'+' | b'-' | b'0'..=b'9') => {
                if tag.is_none_or(|tag| tag == TIMESTAMP)
                    && let Some(time) = timestamp(text)
                {
                    return Ok(Value::string(time));
                }
                if is_integer(text) || is_decimal(text) {
                    return number(text);
                }
            }
            _ => {}
        }
    }
    match tag {
        None | Some(STR) => text_itself(),
        Some(BINARY) => match BASE64_STANDARD.decode(text.replace(['\n', '\r'], "")) {
            Ok(_) => text_itself(),
            Err(_) => Err("this is not base64"),
        },
        Some(BOOL) => word(text).filter(|value| value.as_bool().is_some()).ok_or("this is not a bool"),
        Some(NULL) => Ok(Value::NULL),
        Some(TIMESTAMP) => timestamp(text).map(Value::string).ok_or("this is not a time"),
        Some(_) => number(text),
    }
}

/// The words that are no text.
fn word(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::bool(false)
        }
        "" | "~" | "null" | "Null" | "NULL" => Value::NULL,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::number(Number::Infinity),
        "-.inf" | "-.Inf" | "-.INF" => Value::number(Number::NegativeInfinity),
        _ => return None,
    })
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_integer(text: &str) -> bool {
    let all = |digits: &str, is: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(is);
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |b| (b'0'..=b'7').contains(b));
    }
    match text.strip_prefix("0x") {
        Some(digits) => all(digits, u8::is_ascii_hexdigit),
        None => all(unsigned(text), u8::is_ascii_digit),
    }
}

/// `.5`, `5.`, `5e3`
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match unsigned(text).split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (unsigned(text), None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

fn number(text: &str) -> Result<Value, &'static str> {
    let plain = text.replace('_', "");
    if let Some(number) = Number::parse(&plain) {
        return Ok(Value::number(number));
    }
    let lower = unsigned(&plain).to_ascii_lowercase();
    let radix = |prefix: &str, radix| u64::from_str_radix(lower.strip_prefix(prefix)?, radix).ok();
    let magnitude = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2));
    let magnitude = magnitude.ok_or("this is not a number")?.to_string();
    let sign = if plain.starts_with('-') { "-" } else { "" };
    Number::parse(&format!("{sign}{magnitude}")).map(Value::number).ok_or("this is not a number")
}

/// The time as RFC 3339 has it, without its fraction, of a date with or without time of day.
fn timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let leading = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if leading != 4 || bytes.get(4) != Some(&b'-') {
        return None;
    }
    let mut rest = text;
    let year: i64 = take(&mut rest, 4)?;
    let month = after(&mut rest, '-')?;
    let day = after(&mut rest, '-')?;
    if !(1..=12).contains(&month) || day < 1 || day > date::days_in_month(year, month) {
        return None;
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}T");
    if rest.is_empty() {
        return Some(out + "00:00:00Z");
    }
    let zoned = rest.starts_with(['T', 't']);
    rest = if zoned { rest.get(1..)? } else { rest.strip_prefix(' ')?.trim_start_matches(' ') };
    let hour = short(&mut rest)?;
    let minute = after(&mut rest, ':')?;
    let second = after(&mut rest, ':')?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']).filter(|after| after.starts_with(is_digit)) {
        rest = fraction.trim_start_matches(is_digit);
    }
    // Writing to a string cannot fail.
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}");
    match rest {
        "" if !zoned => out.push('Z'),
        "Z" if zoned => out.push('Z'),
        _ if zoned => out.push_str(&offset(rest)?),
        _ => return None,
    }
    Some(out)
}

/// `+01:00`
fn offset(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix(['+', '-'])?;
    let hours = take(&mut rest, 2)?;
    rest = rest.strip_prefix(':')?;
    let minutes = take(&mut rest, 2)?;
    if hours > 24 || minutes > 60 || !rest.is_empty() {
        return None;
    }
    let total = hours * 60 + minutes;
    let sign = if text.starts_with('-') { '-' } else { '+' };
    Some(if total == 0 { "Z".to_owned() } else { format!("{sign}{:02}:{:02}", total / 60, total % 60) })
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Takes `count` digits off of `rest`.
fn take(rest: &mut &str, count: usize) -> Option<i64> {
    let digits = rest.get(..count).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    *rest = rest.get(count..)?;
    digits.parse().ok()
}

/// Takes one or two digits.
fn short(rest: &mut &str) -> Option<i64> {
    take(rest, 2).or_else(|| take(rest, 1))
}

/// Takes a separator, and one or two digits after it.
fn after(rest: &mut &str, separator: char) -> Option<i64> {
    *rest = rest.strip_prefix(separator)?;
    short(rest)
}
