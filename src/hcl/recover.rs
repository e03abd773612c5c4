//! Getting past what could not be parsed: to the end of the broken item, and no further.

use super::heredoc::is_marker;
use super::parser::Parser;

/// Words that start a top-level block in the languages written in HCL that this parser reads.
const TOP_LEVEL: [&str; 13] = [
    "check",
    "data",
    "ephemeral",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// What is open while skipping.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Open {
    Brace,
    Bracket,
    Paren,
    /// A quoted string.
    Quote,
    /// `${` or `%{` in a quoted string.
    Sequence,
}

impl Parser<'_> {
    /// Skips the broken item that began at `start`: to the end of its line if no bracket is open there, or to the brace
    /// that closes the block around it.
    pub(super) fn skip_item(&mut self, start: usize, in_block: bool) {
        self.clear_expression_stacks();
        self.newlines = true;
        self.pos = start;
        self.prev_end = start;
        let mut open = Vec::new();
        while !self.at_end() {
            if open.last() == Some(&Open::Quote) {
                self.skip_quoted(&mut open);
                continue;
            }
            match self.byte() {
                b'\n' if open.is_empty() => return,
                b'\n' => {
                    self.pos += 1;
                    if self.resync && self.at_top_level_line() {
                        return;
                    }
                    continue;
                }
                b' ' | b'\t' | b'\r' => {
                    self.pos += 1;
                    continue;
                }
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                b'/' if self.byte_at(1) == b'/' => {
                    self.skip_comment();
                    continue;
                }
                b'/' if self.byte_at(1) == b'*' => {
                    if self.skip_block_comment() {
                        continue;
                    }
                    self.ran_off = true;
                }
                b'<' if self.byte_at(1) == b'<' && self.skip_heredoc() => {
                    if self.at_end() || self.resync && self.at_top_level_line() {
                        break;
                    }
                    continue;
                }
                b'"' => open.push(Open::Quote),
                b'{' => open.push(Open::Brace),
                b'[' => open.push(Open::Bracket),
                b'(' => open.push(Open::Paren),
                b']' => close(&mut open, Open::Bracket),
                b')' => close(&mut open, Open::Paren),
                b'}' => {
                    let unclosed = !open.is_empty();
                    if !close_brace(&mut open) && in_block {
                        if unclosed {
                            self.resume_at_error(start);
                        }
                        return;
                    }
                }
                _ => {}
            }
            self.pos += 1;
            self.prev_end = self.pos;
        }
        if !open.is_empty() {
            self.ran_off = true;
            self.resume_at_error(start);
        }
    }

    /// A bracket of the broken item is never closed. If the error is where a line begins like an attribute or block, the
    /// bracket was forgotten before it and that item is whole: goes there.
    fn resume_at_error(&mut self, start: usize) {
        let skipped = self.slice(start, self.error_at);
        let kept = skipped.trim_end_matches([' ', '\t']);
        let length = self.ident_length(self.error_at);
        let rest = self.slice(self.error_at + length, self.bytes.len()).trim_start_matches([' ', '\t']);
        let is_item = rest.starts_with(['{', '"']) || rest.starts_with('=') && !rest.starts_with("==");
        if length > 0 && is_item && kept.ends_with('\n') {
            self.pos = self.error_at;
            self.prev_end = start + kept.trim_end().len();
        }
    }

    /// To the end of the quoted string, of its line, or to the next sequence in it.
    fn skip_quoted(&mut self, open: &mut Vec<Open>) {
        match self.byte() {
            b'\n' => {
                open.pop();
                return;
            }
            b'"' => {
                open.pop();
            }
            b'\\' if self.byte_at(1) != b'\n' => self.pos += 1,
            byte @ (b'$' | b'%') => {
                if self.byte_at(1) == byte && self.byte_at(2) == b'{' {
                    self.pos += 2;
                } else if self.byte_at(1) == b'{' {
                    self.pos += 1;
                    open.push(Open::Sequence);
                }
            }
            _ => {}
        }
        self.pos = (self.pos + 1).min(self.bytes.len());
        self.prev_end = self.pos;
    }

    /// To the end of the line.
    fn skip_comment(&mut self) {
        self.pos = memchr::memchr(b'\n', self.rest()).map_or(self.bytes.len(), |n| self.pos + n);
    }

    /// To the end of the heredoc that starts here, if one does. One that is not closed ends at the next line that looks
    /// like a top-level block when such lines count, and otherwise at the end of the text.
    fn skip_heredoc(&mut self) -> bool {
        let Some(opening) = self.heredoc_opening() else {
            return false;
        };
        let start = self.pos;
        self.pos = opening.body;
        while let Some((line, next)) = self.line_at(self.pos) {
            if is_marker(line, opening.marker) {
                self.pos = next - 1;
                self.prev_end = self.pos;
                return true;
            }
            self.pos = next;
        }
        self.ran_off = true;
        self.pos = opening.body;
        while self.resync && !self.at_end() && !self.at_top_level_line() {
            self.pos = self.line_at(self.pos).map_or(self.bytes.len(), |(_, next)| next);
        }
        if !self.resync {
            self.pos = self.bytes.len();
        }
        self.prev_end = self.pos.max(start);
        true
    }

    /// A line starts here, at its first column, as top-level blocks do: one of the words, then a label or a brace.
    pub(super) fn at_top_level_line(&self) -> bool {
        if self.pos > 0 && self.bytes.get(self.pos - 1) != Some(&b'\n') {
            return false;
        }
        let length = self.ident_length(self.pos);
        let word = self.slice(self.pos, self.pos + length);
        if !TOP_LEVEL.contains(&word) {
            return false;
        }
        let rest = self.slice(self.pos + length, self.bytes.len());
        let rest = rest.trim_start_matches([' ', '\t']);
        rest.starts_with(['"', '{']) || rest.starts_with(|c: char| c.is_ascii_alphabetic())
    }
}

/// Closes the innermost `kind`, and on the way what was left open in it, but nothing beyond the nearest brace.
fn close(open: &mut Vec<Open>, kind: Open) {
    while let Some(last @ (Open::Bracket | Open::Paren)) = open.last().copied() {
        open.pop();
        if last == kind {
            return;
        }
    }
}

/// Closes the innermost brace, and what was left open in it. False if none is open.
fn close_brace(open: &mut Vec<Open>) -> bool {
    while let Some(last) = open.pop() {
        if matches!(last, Open::Brace | Open::Sequence) {
            return true;
        }
    }
    false
}
