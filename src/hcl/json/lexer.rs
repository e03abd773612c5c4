//! The tokens of JSON: where they end, and what a string says.

use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;

use crate::source::Span;

/// A string.
#[derive(Copy, Clone, Debug)]
pub(super) struct Str<'a> {
    /// What it says.
    pub(super) text: &'a str,
    /// What is written between the quotes.
    pub(super) raw: &'a str,
    /// Where `raw` begins in the file.
    pub(super) start: usize,
}

impl Str<'_> {
    /// Whether it is written as it reads.
    pub(super) fn is_verbatim(&self) -> bool {
        self.text.len() == self.raw.len()
    }
}

/// Where the reading of a text is.
pub(super) struct Lexer<'a> {
    text: &'a str,
    pub(super) arena: &'a Bump,
    pub(super) pos: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, arena: &'a Bump) -> Self {
        let pos = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, arena, pos }
    }

    /// The byte here, zero at the end.
    pub(super) fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.pos).copied().unwrap_or(0)
    }

    pub(super) const fn at_end(&self) -> bool {
        self.pos >= self.text.len()
    }

    /// Takes the rest of the text for nothing.
    pub(super) fn give_up(&mut self) {
        self.pos = self.text.len();
    }

    /// The character here.
    pub(super) fn here(&self) -> Span {
        let start = self.text.floor_char_boundary(self.pos);
        let length = self.slice(start, self.text.len()).chars().next().map_or(0, char::len_utf8);
        span(start, start + length)
    }

    /// From `start` to here.
    pub(super) fn span_from(&self, start: usize) -> Span {
        span(start, self.pos.max(start))
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// What the next token is, for people; never its content, which may be a secret.
    pub(super) fn describe(&self) -> &'static str {
        match self.byte() {
            _ if self.at_end() => "the end of the file",
            b'{' => "`{`",
            b'}' => "`}`",
            b'[' => "`[`",
            b']' => "`]`",
            b',' => "`,`",
            b':' => "`:`",
            b'=' => "`=`",
            b'"' => "a string",
            b'\'' => "a single quote",
            b'-' | b'0'..=b'9' => "a number",
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => "a word",
            _ => "something else",
        }
    }

    /// Skips white space; the place of a comment, if one stands there, which is skipped too.
    pub(super) fn skip_blanks(&mut self) -> Option<Span> {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.pos += 1;
        }
        let start = self.pos;
        let rest = self.slice(start, self.text.len());
        if rest.starts_with("//") || rest.starts_with('#') {
            self.pos = rest.find('\n').map_or(self.text.len(), |line| start + line);
        } else if rest.starts_with("/*") {
            self.pos = rest.find("*/").map_or(self.text.len(), |end| start + end + 2);
        } else {
            return None;
        }
        Some(span(start, start + 1))
    }

    /// The letters and digits from here on.
    pub(super) fn word(&mut self) -> &'a str {
        let start = self.pos;
        while self.byte().is_ascii_alphanumeric() || self.byte() == b'_' {
            self.pos += 1;
        }
        self.slice(start, self.pos)
    }

    /// Goes on where a value or property may end.
    pub(super) fn resume(&mut self) {
        while !self.at_end() && !matches!(self.byte(), b',' | b'}' | b']' | b'\n' | b'"' | b'{' | b'[') {
            self.pos += 1;
        }
    }

    /// The number here; [`None`] if it is wrong, and it is skipped all the same.
    pub(super) fn number(&mut self) -> Option<&'a str> {
        let start = self.pos;
        while matches!(self.byte(), b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_') {
            self.pos += 1;
        }
        let text = self.slice(start, self.pos);
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
            None => (unsigned, "0"),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = whole == "0" || !whole.starts_with('0');
        (is_plain && digits(whole) && digits(fraction) && digits(exponent)).then_some(text)
    }

    /// The string here; [`None`] if it does not end on its line.
    pub(super) fn string(&mut self) -> Option<Str<'a>> {
        let start = self.pos + 1;
        let bytes = self.text.as_bytes();
        let mut at = start;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let next = memchr::memchr3(b'"', b'\\', b'\n', rest);
            at = next.map_or(bytes.len(), |n| at + n);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') if bytes.get(at + 1).is_some_and(|&byte| byte != b'\n') => at += 2,
                _ => {
                    self.pos = at;
                    return None;
                }
            }
        }
        self.pos = at + 1;
        let raw = self.slice(start, at);
        Some(Str { text: self.unescape(raw), raw, start })
    }

    /// What `raw` says, borrowed if that is as it is written.
    fn unescape(&self, raw: &'a str) -> &'a str {
        if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
            return raw;
        }
        let mut out = ArenaString::with_capacity_in(raw.len(), self.arena);
        for (text, _) in pieces(raw) {
            match text {
                Piece::Text(text) => out.push_str(text),
                Piece::Escape(character) => out.push(character),
            }
        }
        out.into_bump_str()
    }
}

/// A part of a string.
#[derive(Copy, Clone, Debug)]
pub(super) enum Piece<'a> {
    /// As it is written.
    Text(&'a str),
    /// What an escape stands for.
    Escape(char),
}

impl Piece<'_> {
    /// The length of what it stands for.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Escape(character) => character.len_utf8(),
        }
    }
}

/// The parts of what stands between quotes, with the offset of each. What is no escape stands for itself.
pub(super) fn pieces(raw: &str) -> impl Iterator<Item = (Piece<'_>, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let rest = raw.get(at..).filter(|rest| !rest.is_empty())?;
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        let (piece, length) = match escape(rest) {
            Some((character, length)) if plain == 0 => (Piece::Escape(character), length),
            // A backslash that begins no escape.
            _ => {
                let first = rest.chars().next().map_or(1, char::len_utf8);
                let length = plain.max(first);
                (Piece::Text(rest.get(..length).unwrap_or(rest)), length)
            }
        };
        at += length;
        Some((piece, start))
    })
}

/// The character that the escape at the start of `text` stands for, and the length of its spelling.
fn escape(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let hex = text.get(at..).and_then(|rest| rest.strip_prefix("\\u"))?.get(..4)?;
        hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(hex, 16).ok())?
    };
    let character = match text.strip_prefix('\\')?.bytes().next()? {
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        byte @ (b'"' | b'\\' | b'/') => char::from(byte),
        b'u' => {
            let first = unit(0)?;
            let second = unit(6).filter(|low| (0xDC00..0xE000).contains(low));
            return Some(match (first, second) {
                (0xD800..0xDC00, Some(low)) => {
                    let code = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                // Half of a pair.
                _ => (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            });
        }
        _ => return None,
    };
    Some((character, 2))
}

/// Offsets of inputs fit in 32 bits: [`crate::source::Sources::add`] says who refuses larger ones.
pub(super) fn span(start: usize, end: usize) -> Span {
    let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span::new(offset(start), offset(end))
}
