//! The verbs of `format`: `%s`, `%05d`, `%.2f`.

use dashu_int::IBig;
use unicode_segmentation::UnicodeSegmentation;

use super::call::number;
use super::json;
use crate::value::{Kind, Number, Type, Value, convert};

/// A verb with its flags.
#[derive(Default)]
pub(super) struct Verb {
    /// `#`
    pub(super) sharp: bool,
    /// `0`
    pub(super) zero: bool,
    /// `-`
    pub(super) left: bool,
    /// `+`
    pub(super) plus: bool,
    /// A space: a sign or a space.
    pub(super) space: bool,
    /// The least width, 0 if none.
    pub(super) width: usize,
    /// After the point.
    pub(super) precision: Option<usize>,
    /// `[2]`, counted from 0.
    pub(super) argument: Option<usize>,
    /// The verb itself.
    pub(super) letter: char,
}

/// Appends one wholly known value.
pub(super) fn append(verb: &Verb, value: &Value, out: &mut String) -> Result<(), String> {
    let wrong = |what: &str| format!("%{} cannot show this value: {what}", verb.letter);
    match (verb.letter, &value.kind) {
        ('v', Kind::String(text)) if !verb.sharp => append_text(verb, text, out),
        ('v', Kind::Number(n)) if !verb.sharp => append_float(verb, n, 'g', out),
        ('v', Kind::Bool(value)) if !verb.sharp => out.push_str(if *value { "true" } else { "false" }),
        ('v', _) => {
            let mut text = String::new();
            json::write(value, &mut text);
            pad(verb, &text, out);
        }
        (_, Kind::Null) => return Err(wrong("it is null")),
        ('t', _) => {
            let value = convert(value, &Type::Bool).map_err(|error| wrong(&error))?;
            out.push_str(if value.as_bool() == Some(true) { "true" } else { "false" });
        }
        ('s' | 'q', _) => {
            let value = convert(value, &Type::String).map_err(|error| wrong(&error))?;
            let text = value.as_str().unwrap_or_default();
            if verb.letter == 's' {
                append_text(verb, text, out);
            } else {
                let mut quoted = String::new();
                json::write_string(text, &mut quoted);
                pad(verb, &quoted, out);
            }
        }
        ('b' | 'd' | 'o' | 'x' | 'X', _) => {
            let value = convert(value, &Type::Number).map_err(|error| wrong(&error))?;
            let whole = number(&value)
                .filter(Number::is_integer)
                .ok_or_else(|| wrong("a whole number is required"))?;
            append_integer(verb, &whole, out);
        }
        ('e' | 'E' | 'f' | 'g' | 'G', _) => {
            let value = convert(value, &Type::Number).map_err(|error| wrong(&error))?;
            append_float(verb, &number(&value).unwrap_or(Number::ZERO), verb.letter, out);
        }
        _ => return Err(format!("a format has no verb %{}", verb.letter.escape_default())),
    }
    Ok(())
}

/// A precision is how many grapheme clusters are kept; none at all is no precision.
fn append_text(verb: &Verb, text: &str, out: &mut String) {
    match verb.precision {
        Some(kept) if kept > 0 => {
            let kept: String = text.graphemes(true).take(kept).collect();
            pad(verb, &kept, out);
        }
        _ => pad(verb, text, out),
    }
}

fn pad(verb: &Verb, text: &str, out: &mut String) {
    let missing = if verb.width == 0 { 0 } else { verb.width.saturating_sub(text.graphemes(true).count()) };
    if verb.left {
        out.push_str(text);
        out.push_str(&" ".repeat(missing));
    } else {
        out.push_str(&if verb.zero { "0" } else { " " }.repeat(missing));
        out.push_str(text);
    }
}

/// Zeros go between the sign and the digits, blanks around both.
fn append_signed(verb: &Verb, negative: bool, digits: &str, zeros: bool, out: &mut String) {
    let sign = match negative {
        true => "-",
        false if verb.plus => "+",
        false if verb.space => " ",
        false => "",
    };
    let missing = verb.width.saturating_sub(sign.len() + digits.len());
    let (before, inside, after) = match (verb.left, zeros) {
        (true, _) => (0, 0, missing),
        (false, true) => (0, missing, 0),
        (false, false) => (missing, 0, 0),
    };
    out.push_str(&" ".repeat(before));
    out.push_str(sign);
    out.push_str(&"0".repeat(inside));
    out.push_str(digits);
    out.push_str(&" ".repeat(after));
}

fn append_integer(verb: &Verb, value: &Number, out: &mut String) {
    let decimal = value.to_string();
    let magnitude = decimal.trim_start_matches('-');
    let radix = match verb.letter {
        'b' => 2,
        'o' => 8,
        'x' | 'X' => 16,
        _ => 10,
    };
    let mut digits = match IBig::from_str_radix(magnitude, 10) {
        Ok(integer) if radix != 10 => integer.in_radix(radix).to_string(),
        _ => magnitude.to_owned(),
    };
    let missing = verb.precision.unwrap_or(0).saturating_sub(digits.len());
    digits.insert_str(0, &"0".repeat(missing));
    if verb.letter == 'X' {
        digits.make_ascii_uppercase();
    }
    if verb.sharp {
        digits.insert_str(
            0,
            match verb.letter {
                'b' => "0b",
                'o' => "0",
                'x' => "0x",
                'X' => "0X",
                _ => "",
            },
        );
    }
    append_signed(verb, value.is_negative(), &digits, verb.zero && verb.precision.is_none(), out);
}

/// Significant digits, and the power of ten of the point before the first of them: `0.digits · 10^point`.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

fn append_float(verb: &Verb, value: &Number, letter: char, out: &mut String) {
    let text = value.to_string();
    if value.is_infinite() {
        out.push_str(&text);
        return;
    }
    let mut decimal = Decimal::new(text.trim_start_matches('-'));
    let precision = verb.precision;
    let digits = match letter {
        'e' | 'E' => decimal.exponential(precision.unwrap_or(6)),
        'f' => decimal.fixed(precision.unwrap_or(6)),
        _ => decimal.general(precision),
    };
    let digits = if letter.is_ascii_uppercase() { digits.to_ascii_uppercase() } else { digits };
    append_signed(verb, value.is_negative(), &digits, verb.zero, out);
}

impl Decimal {
    fn new(text: &str) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b.wrapping_sub(b'0')).collect();
        let zeros = all.iter().take_while(|digit| **digit == 0).count();
        let mut this = Self {
            digits: all.get(zeros..).unwrap_or_default().to_vec(),
            point: as_i64(whole.len()) - as_i64(zeros),
        };
        this.trim();
        this
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    /// Keeps `count` digits, halves to even.
    fn round(&mut self, count: i64) {
        let Ok(count) = usize::try_from(count) else {
            *self = Self { digits: Vec::new(), point: 0 };
            return;
        };
        let Some(&first) = self.digits.get(count) else {
            return;
        };
        let odd =
            count.checked_sub(1).and_then(|last| self.digits.get(last)).is_some_and(|digit| digit % 2 == 1);
        let up = first > 5 || first == 5 && (self.digits.len() > count + 1 || odd);
        self.digits.truncate(count);
        if up {
            while self.digits.last() == Some(&9) {
                self.digits.pop();
            }
            if let Some(last) = self.digits.last_mut() {
                *last += 1;
            } else {
                self.digits.push(1);
                self.point += 1;
            }
        }
        self.trim();
    }

    /// The digit `index` places after the first.
    fn digit(&self, index: i64) -> char {
        let digit = usize::try_from(index).ok().and_then(|index| self.digits.get(index)).copied();
        char::from(b'0' + digit.unwrap_or(0))
    }

    fn fixed(&mut self, precision: usize) -> String {
        self.round(self.point.saturating_add(as_i64(precision)));
        let whole: String = (0..self.point).map(|i| self.digit(i)).collect();
        let fraction: String = (0..as_i64(precision)).map(|i| self.digit(self.point + i)).collect();
        let whole = if whole.is_empty() { "0" } else { &whole };
        if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    fn exponential(&mut self, precision: usize) -> String {
        self.round(as_i64(precision).saturating_add(1));
        let fraction: String = (0..as_i64(precision)).map(|i| self.digit(1 + i)).collect();
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{point}{fraction}e{sign}{:02}", self.digit(0), exponent.abs())
    }

    /// The shorter of the two, without trailing zeros.
    fn general(&mut self, precision: Option<usize>) -> String {
        let mut limit = 6;
        if let Some(precision) = precision {
            let kept = as_i64(precision.max(1));
            self.round(kept);
            let count = as_i64(self.digits.len());
            limit = if kept > count && count >= self.point { count } else { kept };
        }
        let exponent = self.point - 1;
        if !self.digits.is_empty() && (exponent < -4 || exponent >= limit) {
            return self.exponential(self.digits.len() - 1);
        }
        let places = as_i64(self.digits.len()) - self.point;
        self.fixed(usize::try_from(places).unwrap_or(0))
    }
}

fn as_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
