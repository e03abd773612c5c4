//! Bytes to tokens, on demand: white space, comments, identifiers and numbers.

use memchr::memmem;

use super::ast::Ident;
use super::parser::Parser;
use crate::source::Span;

/// What a byte can be part of.
mod class {
    /// Starts an identifier.
    pub(super) const START: u8 = 1;
    /// Continues an identifier.
    pub(super) const CONTINUE: u8 = 2;
    /// Starts a character outside ASCII.
    pub(super) const WIDE: u8 = 4;
    /// Means something else than itself in a quoted string.
    pub(super) const QUOTED: u8 = 8;
}

/// The classes of all bytes.
static CLASSES: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, and `byte` is within the table")]
#[expect(clippy::cast_possible_truncation, reason = "`byte` is below 256")]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => class::START | class::CONTINUE,
            b'0'..=b'9' | b'-' => class::CONTINUE,
            0x80.. => class::WIDE,
            b'"' | b'\\' | b'$' | b'%' | b'\n' | b'\r' => class::QUOTED,
            _ => 0,
        };
        byte += 1;
    }
    table
}

fn class_of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// The byte stands for itself in a quoted string.
#[inline]
pub(super) fn is_quoted_plain(byte: u8) -> bool {
    class_of(byte) & class::QUOTED == 0
}

impl<'a> Parser<'a> {
    /// The next byte; zero at the end, where [`Self::at_end`] tells it from a zero in the text.
    #[inline]
    pub(super) fn byte(&self) -> u8 {
        self.bytes.get(self.pos).copied().unwrap_or(0)
    }

    /// The byte `n` after the next.
    #[inline]
    pub(super) fn byte_at(&self, n: usize) -> u8 {
        self.bytes.get(self.pos + n).copied().unwrap_or(0)
    }

    /// The text from here starts so.
    pub(super) fn looking_at(&self, prefix: &str) -> bool {
        self.rest().starts_with(prefix.as_bytes())
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    /// Nothing is left.
    pub(super) const fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// Takes a token of `len` bytes.
    #[inline]
    pub(super) fn bump(&mut self, len: usize) {
        self.pos += len;
        self.prev_end = self.pos;
        self.skip_trivia();
    }

    /// Goes to the next token. Where line ends are tokens it stops at them and at a comment that runs to the line's end.
    #[inline]
    pub(super) fn skip_trivia(&mut self) {
        loop {
            match self.byte() {
                b' ' => self.pos += self.rest().iter().take_while(|&&byte| byte == b' ').count(),
                b'\t' => self.pos += 1,
                b'\n' if !self.newlines => self.pos += 1,
                b'\r' if !self.newlines && self.byte_at(1) == b'\n' => self.pos += 2,
                b'#' if !self.newlines => self.skip_line(),
                b'/' => match self.byte_at(1) {
                    b'/' if !self.newlines => self.skip_line(),
                    b'*' if self.skip_block_comment() => {}
                    _ => return,
                },
                _ => return,
            }
        }
    }

    /// Goes past the end of this line.
    fn skip_line(&mut self) {
        self.pos = memchr::memchr(b'\n', self.rest()).map_or(self.bytes.len(), |n| self.pos + n + 1);
    }

    /// Goes past a `/* … */` that starts here; stays and says no if it is never closed.
    pub(super) fn skip_block_comment(&mut self) -> bool {
        if self.pos >= self.no_comment_end {
            return false;
        }
        let inner = self.bytes.get(self.pos + 2..).unwrap_or_default();
        let Some(length) = memmem::find(inner, b"*/") else {
            self.no_comment_end = self.pos;
            return false;
        };
        self.pos += length + 4;
        true
    }

    /// The line, or the text, ends here.
    pub(super) fn at_line_end(&self) -> bool {
        match self.byte() {
            b'\n' | b'#' => true,
            b'\r' => self.byte_at(1) == b'\n',
            b'/' => self.byte_at(1) == b'/',
            _ => self.at_end(),
        }
    }

    /// Goes to the first token of the next line, if [`Self::at_line_end`].
    pub(super) fn eat_line_end(&mut self) {
        if self.byte() == b'\n' {
            self.pos += 1;
        } else {
            self.skip_line();
        }
        self.skip_trivia();
    }

    /// Takes `byte` if it is next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.byte() == byte;
        if found {
            self.bump(1);
        }
        found
    }

    /// An identifier starts here.
    pub(super) fn at_ident(&self) -> bool {
        self.ident_length(self.pos) > 0
    }

    /// Takes the identifier that is next.
    #[inline]
    pub(super) fn ident(&mut self) -> Option<Ident<'a>> {
        let length = self.ident_length(self.pos);
        if length == 0 {
            return None;
        }
        let start = self.pos;
        self.bump(length);
        Some(Ident { text: self.slice(start, start + length), span: self.span(start, start + length) })
    }

    /// Length of the identifier at `start`, zero if none is there.
    #[inline]
    pub(super) fn ident_length(&self, start: usize) -> usize {
        let bytes = self.bytes.get(start..).unwrap_or_default();
        let first = bytes.first().map_or(0, |&byte| class_of(byte));
        if first & (class::START | class::WIDE) == 0 {
            return 0;
        }
        if first & class::START != 0 {
            let end = bytes.iter().position(|&byte| class_of(byte) & class::CONTINUE == 0);
            let end = end.unwrap_or(bytes.len());
            if bytes.get(end).is_none_or(|&byte| class_of(byte) & class::WIDE == 0) {
                return end;
            }
        }
        wide_ident_length(self.text.get(start..).unwrap_or_default())
    }

    /// `word` is the next token, whole.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.looking_at(word) && self.ident_length(self.pos) == word.len()
    }

    /// Length of the number at `start`, which is a digit. As Terraform reads it, all of `10.0.0.0` is one (wrong)
    /// number, and dots at the end are not part of it.
    pub(super) fn number_length(&self, start: usize) -> usize {
        let at = |i: usize| self.bytes.get(start + i).copied().unwrap_or(0);
        let (mut i, mut end) = (1, 1);
        loop {
            match at(i) {
                b'0'..=b'9' => i += 1,
                b'.' => {
                    i += 1;
                    continue;
                }
                b'e' | b'E' if at(i + 1).is_ascii_digit() => i += 2,
                b'e' | b'E' if matches!(at(i + 1), b'+' | b'-') && at(i + 2).is_ascii_digit() => i += 3,
                _ => return end,
            }
            end = i;
        }
    }

    /// The next token for a message: its place, and a name of it.
    #[cold]
    pub(super) fn describe_next(&self) -> (Span, String) {
        let start = self.pos;
        let quoted = |length: usize| {
            let text = self.slice(start, start + length);
            let short: String = text.chars().take(40).collect();
            let dots = if short.len() < text.len() { "…" } else { "" };
            (self.span(start, start + length), format!("`{short}{dots}`"))
        };
        let ident = self.ident_length(start);
        match self.byte() {
            _ if self.at_end() => (self.span(start, start), "the end of the file".to_owned()),
            b'\n' | b'\r' | b'#' if self.at_line_end() => {
                (self.span(start, start), "the end of the line".to_owned())
            }
            b'/' if self.byte_at(1) == b'/' => (self.span(start, start), "the end of the line".to_owned()),
            b'/' if self.byte_at(1) == b'*' => {
                (self.span(start, start + 2), "a comment that is never closed".to_owned())
            }
            b'"' => (self.span(start, start + 1), "a quoted string".to_owned()),
            b'0'..=b'9' => quoted(self.number_length(start)),
            _ if ident > 0 => quoted(ident),
            byte => {
                let pair: &[u8] = &[byte, self.byte_at(1)];
                match pair {
                    b"==" | b"!=" | b"<=" | b">=" | b"=>" | b"&&" | b"||" | b"::" | b"<<" | b"~}" => {
                        quoted(2)
                    }
                    b".." if self.byte_at(2) == b'.' => quoted(3),
                    _ => self.describe_char(),
                }
            }
        }
    }

    fn describe_char(&self) -> (Span, String) {
        let next = self.text.get(self.pos..).and_then(|rest| rest.chars().next()).unwrap_or_default();
        let span = self.span(self.pos, self.pos + next.len_utf8());
        let plain = !next.is_control() && !next.is_whitespace();
        let found =
            if plain { format!("`{next}`") } else { format!("the character U+{:04X}", u32::from(next)) };
        (span, found)
    }
}

/// Length of the identifier at the start of `text`, with characters outside ASCII.
fn wide_ident_length(text: &str) -> usize {
    let part = |(i, c): (usize, char)| match i {
        0 => c == '_' || unicode_ident::is_xid_start(c),
        _ => c == '-' || unicode_ident::is_xid_continue(c),
    };
    text.char_indices().find(|&at| !part(at)).map_or(text.len(), |(i, _)| i)
}

/// Whether `text` is one identifier of the language, and nothing else.
pub fn is_identifier(text: &str) -> bool {
    !text.is_empty() && wide_ident_length(text) == text.len()
}
