//! Templates that are read line by line: heredocs, and whole files.

use bumpalo::collections::String as ArenaString;

use super::ast::{Expr, ExprKind};
use super::parser::{Failed, Parsed, Parser};
use super::template::Flat;
use crate::source::Span;

/// The first line of a heredoc.
#[derive(Copy, Clone, Debug)]
pub(super) struct Opening<'a> {
    /// Indentation is taken out: `<<-`.
    flush: bool,
    /// What closes it.
    pub(super) marker: &'a str,
    /// Start of the line after.
    pub(super) body: usize,
}

impl<'a> Parser<'a> {
    /// `<<MARKER … MARKER`
    pub(super) fn heredoc(&mut self) -> Parsed<Expr<'a>> {
        let start = self.pos;
        let Some(opening) = self.heredoc_opening() else {
            let help = "a heredoc begins with `<<NAME` or `<<-NAME`";
            return Err(self.expected_help("an expression", help));
        };
        if let Some(after) = self.after_opening(opening) {
            let message = "expected the end of the line after the name of a heredoc";
            return Err(self.report_help(after, message, "not even blanks or comments may stand there"));
        }
        if let Some(end) = self.plain_heredoc_end(opening) {
            let text = self.slice(opening.body, end);
            let text = if opening.flush { self.without_indent(text) } else { text };
            self.pos = end;
            return Ok(self.close_heredoc(start, opening, ExprKind::String(text)));
        }
        self.pos = opening.body;
        let template = self.begin_template();
        if !self.template_lines(template, Some(opening.marker))? {
            return Err(self.unclosed_heredoc(start, opening));
        }
        if opening.flush {
            flush(self.flats.since_mut(template.mark));
        }
        let end = self.pos;
        let kind = self.end_template(template)?;
        self.pos = end;
        Ok(self.close_heredoc(start, opening, kind))
    }

    /// The whole text as a template.
    pub(super) fn bare_template(&mut self) -> Parsed<ExprKind<'a>> {
        let template = self.begin_template();
        self.template_lines(template, None)?;
        self.end_template(template)
    }

    /// The opening of the heredoc that starts here, if one does and there is a line after it. Also one with blanks or a
    /// comment behind it, which is meant as one but wrong.
    pub(super) fn heredoc_opening(&self) -> Option<Opening<'a>> {
        let flush = self.byte_at(2) == b'-';
        let name = self.pos + if flush { 3 } else { 2 };
        let length = self.ident_length(name);
        // The line's end is looked for only behind what can be an opening: a line may have many `<<`.
        let rest = self.bytes.get(name + length..).unwrap_or_default().trim_ascii_start();
        let after = self.bytes.len() - rest.len();
        let line_ends =
            memchr::memchr(b'\n', self.bytes.get(name + length..after).unwrap_or_default()).is_some();
        let is_opening = length > 0 && (line_ends || rest.starts_with(b"#") || rest.starts_with(b"//"));
        if !is_opening {
            return None;
        }
        let (_, body) = self.line_at(name + length)?;
        let marker = self.slice(name, name + length);
        Some(Opening { flush, marker, body })
    }

    /// What stands wrongly on the line of the opening.
    fn after_opening(&self, opening: Opening<'_>) -> Option<Span> {
        let start = self.pos + 2 + usize::from(opening.flush) + opening.marker.len();
        let rest = self.slice(start, opening.body - 1);
        let rest = rest.strip_suffix('\r').unwrap_or(rest);
        (!rest.is_empty()).then(|| self.span(start, start + rest.len()))
    }

    /// The line that starts at `start`, without its `\n`, and the start of the next. The last line counts only if it is
    /// ended.
    pub(super) fn line_at(&self, start: usize) -> Option<(&'a str, usize)> {
        let rest = self.bytes.get(start..)?;
        let length = memchr::memchr(b'\n', rest)?;
        Some((self.slice(start, start + length), start + length + 1))
    }

    /// The start of the closing line, if all lines before it are plain text.
    fn plain_heredoc_end(&self, opening: Opening<'_>) -> Option<usize> {
        let mut start = opening.body;
        while let Some((line, next)) = self.line_at(start) {
            if is_marker(line, opening.marker) {
                return Some(start);
            }
            if !is_plain(line.as_bytes()) {
                return None;
            }
            start = next;
        }
        None
    }

    /// Takes the closing line, which is next: the node ends with the marker, the next token is the line's end.
    fn close_heredoc(&mut self, start: usize, opening: Opening<'_>, kind: ExprKind<'a>) -> Expr<'a> {
        let (line, next) = self.line_at(self.pos).unwrap_or(("", self.pos + 1));
        self.prev_end = self.pos + (line.len() - line.trim_start().len()) + opening.marker.len();
        self.pos = next - 1;
        let span = self.span_from(start);
        self.skip_trivia();
        Expr { kind, span }
    }

    #[cold]
    fn unclosed_heredoc(&mut self, start: usize, opening: Opening<'_>) -> Failed {
        let Opening { marker, flush, .. } = opening;
        let end = start + 2 + usize::from(flush) + marker.len();
        let help =
            format!("a line with nothing but `{marker}` ends it, and that line must end with a line break");
        self.report_help(self.span(start, end), "this heredoc is never closed", &help)
    }

    /// Pieces of a template up to the line that is `marker`, which is not taken, or to the end of the text. Says whether
    /// the marker was found. Each line is a piece of its own: strip markers and indentation work line by line.
    fn template_lines(&mut self, template: super::template::Template, marker: Option<&str>) -> Parsed<bool> {
        let (mut line_start, mut trim) = (true, false);
        loop {
            if line_start && let Some(marker) = marker {
                match self.line_at(self.pos) {
                    Some((line, _)) if is_marker(line, marker) => return Ok(true),
                    Some(_) => {}
                    None => return Ok(false),
                }
            }
            let from = self.pos;
            self.pos = self.line_literal_end(from);
            if self.pos > from {
                self.push_literal(from, false, trim)?;
                line_start = self.bytes.get(self.pos - 1) == Some(&b'\n');
            }
            trim = false;
            if self.at_end() {
                return Ok(false);
            }
            if self.at_sequence() {
                trim = self.sequence(template)?;
                line_start = false;
            }
        }
    }

    fn at_sequence(&self) -> bool {
        matches!(self.byte(), b'$' | b'%') && self.byte_at(1) == b'{'
    }

    /// The end of the literal text that starts at `start`: behind the line's end, the start of a sequence, or the end.
    fn line_literal_end(&self, start: usize) -> usize {
        let at = |i: usize| self.bytes.get(i).copied().unwrap_or(0);
        let mut i = start;
        loop {
            let rest = self.bytes.get(i..).unwrap_or_default();
            let Some(n) = memchr::memchr3(b'\n', b'$', b'%', rest) else {
                return self.bytes.len();
            };
            i += n;
            match at(i) {
                b'\n' => return i + 1,
                _ if at(i + 1) == b'{' => return i,
                byte if at(i + 1) == byte && at(i + 2) == b'{' => i += 3,
                _ => i += 1,
            }
        }
    }

    /// A text of whole lines without the indentation that all lines share.
    fn without_indent(&self, text: &'a str) -> &'a str {
        let is_blank = |line: &str| line.trim_start().is_empty();
        let lines = || text.split_inclusive('\n');
        let common = lines().filter(|line| !is_blank(line)).map(indent).min().unwrap_or(0);
        if common == 0 {
            return text;
        }
        let mut out = ArenaString::with_capacity_in(text.len(), self.arena);
        for line in lines() {
            out.push_str(if is_blank(line) { line } else { skip_chars(line, common) });
        }
        out.into_bump_str()
    }
}

/// The line, given without its `\n`, closes the heredoc of `marker`.
pub(super) fn is_marker(line: &str, marker: &str) -> bool {
    line.trim() == marker && lone_return(line.as_bytes()).is_none()
}

/// The first `\r` that does not belong to the line's end.
pub(super) fn lone_return(line: &[u8]) -> Option<usize> {
    memchr::memchr(b'\r', line).filter(|i| !matches!(line.get(i + 1..), Some(b"" | b"\n")))
}

/// No sequence, no escape of one, nothing wrong.
fn is_plain(line: &[u8]) -> bool {
    !memchr::memchr2_iter(b'$', b'%', line).any(|i| line.get(i + 1) == Some(&b'{'))
        && lone_return(line).is_none()
}

/// Number of white-space characters at the start.
fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// `line` without its first `count` characters.
fn skip_chars(line: &str, count: usize) -> &str {
    let mut chars = line.chars();
    for _ in 0..count {
        chars.next();
    }
    chars.as_str()
}

/// Takes the indentation that all lines share out of a template. As in Terraform, it is measured after strip markers
/// have done their work: a line whose start was stripped has none, and a line whose end was stripped joins the next.
fn flush(flats: &mut [Flat<'_>]) {
    let Some(common) = line_starts(flats).map(|flat| indent_of(flat)).min() else { return };
    for flat in line_starts(flats) {
        if let Flat::Literal(text, span) = flat {
            let rest = skip_chars(text, common);
            let skipped = u32::try_from(text.len() - rest.len()).unwrap_or(0);
            span.start = span.end.min(span.start + skipped);
            *text = rest;
        }
    }
}

/// The pieces that begin a line and count for its indentation: not blank lines.
fn line_starts<'f, 'a>(flats: &'f mut [Flat<'a>]) -> impl Iterator<Item = &'f mut Flat<'a>> {
    let mut at_start = true;
    flats.iter_mut().filter(move |flat| {
        let starts = at_start;
        at_start = matches!(flat, Flat::Literal(text, _) if text.ends_with('\n'));
        starts && !matches!(flat, Flat::Literal(text, _) if at_start && text.trim_start().is_empty())
    })
}

fn indent_of(flat: &Flat<'_>) -> usize {
    match flat {
        Flat::Literal(text, _) => indent(text),
        _ => 0,
    }
}
