//! The piece of a file that a snippet shows: a few lines, or a cut of a line that is too long, safe to render.
//!
//! The renderer's cost grows with the text it is given, and it panics on spans that leave the text or cut a character.

use std::ops::Range;

use super::scrub::visible;
use crate::source::Span;

/// Lines around the span.
const LINES: usize = 5;
/// A span of more lines is shown by its first line.
const MAX_LINES: usize = 6;
/// Neighbour lines that are longer are left out, and what follows the span on its own line is cut.
const LONG: usize = 400;
/// No window has more bytes before or after the span: a line that has more before it cannot be shown, as the renderer counts
/// columns from the start of the text it is given.
const MAX_BYTES: usize = 8192;

/// A text to render, with the spans it was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Scrubbed text; only `\n` ends its lines.
    pub(super) text: String,
    /// The number of its first line.
    pub(super) first_line: usize,
    /// The span it was made for, in `text`.
    pub(super) span: Range<usize>,
    /// The other spans, in `text`, those that are not inside left out: index and range.
    pub(super) others: Vec<(usize, Range<usize>)>,
}

/// The window of `text` around `span`, which starts on line `line`. Spans may be wrong: they are moved inside. [`None`] where
/// the span is too deep in its line.
pub(super) fn window(text: &str, span: Span, line: usize, others: &[Span]) -> Option<Window> {
    let start = text.floor_char_boundary(span.start as usize);
    let end = shorten(text, start, text.floor_char_boundary(span.end as usize).max(start));
    let low = low(text, start)?;
    let high = high(text, end);
    let above =
        text.get(low..start).map_or(0, |before| memchr::memchr_iter(b'\n', before.as_bytes()).count());

    let inside: Vec<(usize, Range<usize>)> = others
        .iter()
        .enumerate()
        .map(|(i, other)| (i, text.floor_char_boundary(other.start as usize), other.end as usize))
        .filter(|&(_, from, to)| from >= low && from <= to && to <= high)
        .map(|(i, from, to)| (i, from..shorten(text, from, text.floor_char_boundary(to).max(from))))
        .collect();

    let cut = text.get(low..high).unwrap_or_default();
    let mut moved = Moved { text: String::with_capacity(high - low + 16), offsets: Vec::new() };
    moved.take(cut, low, &secrets(cut));
    let span = moved.range(&(start..end));
    let others = inside.iter().map(|(i, range)| (*i, moved.range(range))).collect();
    Some(Window { text: moved.text, first_line: line.saturating_sub(above).max(1), span, others })
}

/// The end of a span, or of its first line where the span is long.
fn shorten(text: &str, start: usize, end: usize) -> usize {
    let bytes = text.get(start..end).unwrap_or_default().as_bytes();
    let head = bytes.get(..LONG).unwrap_or(bytes);
    if head.len() == bytes.len() && memchr::memchr_iter(b'\n', head).count() < MAX_LINES {
        return end;
    }
    let first = memchr::memchr(b'\n', head).unwrap_or(head.len());
    text.floor_char_boundary(start + first).max(start)
}

/// Where the window starts: a line.
fn low(text: &str, start: usize) -> Option<usize> {
    let floor = start.saturating_sub(MAX_BYTES);
    let before = text.as_bytes().get(floor..start).unwrap_or_default();
    let newlines = memchr::memrchr_iter(b'\n', before).map(|at| floor + at + 1);
    // The start of the file is a line without a newline before it.
    let mut lines = newlines.chain((floor == 0).then_some(0));
    let mut low = lines.next()?;
    for line in lines.take(LINES) {
        if low - line > LONG {
            break;
        }
        low = line;
    }
    Some(low)
}

/// Where the window ends: the end of a line, or inside of the span's own line where that is long.
fn high(text: &str, end: usize) -> usize {
    let ceiling = end.saturating_add(MAX_BYTES).min(text.len());
    let after = text.as_bytes().get(end..ceiling).unwrap_or_default();
    let newlines = memchr::memchr_iter(b'\n', after).map(|at| end + at);
    let mut high = end;
    for line in newlines.chain((ceiling == text.len()).then_some(ceiling)).take(LINES + 1) {
        if line - high > LONG {
            break;
        }
        high = line;
    }
    if high == end { text.floor_char_boundary(end.saturating_add(LONG)) } else { high }
}

/// What the text itself says is secret: literals that are given to `sensitive(…)`.
fn secrets(text: &str) -> Vec<Range<usize>> {
    const CALL: &str = "sensitive(";
    let mut found = Vec::new();
    for (at, _) in text.match_indices(CALL) {
        let is_other =
            text.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        if is_other {
            continue;
        }
        let (start, mut depth, mut quoted, mut escaped) = (at + CALL.len(), 1_u32, None, false);
        for (offset, c) in text.get(start..).unwrap_or_default().char_indices() {
            let here = start + offset;
            match (quoted, c) {
                (Some(_), _) if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(from), '"') => {
                    found.push(from..here);
                    quoted = None;
                }
                (Some(_), _) => {}
                (None, '"') => quoted = Some(here + 1),
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                (None, _) => {}
            }
            if depth == 0 {
                break;
            }
        }
        // What is not closed hides the rest.
        found.extend(quoted.map(|from| from..text.len()));
    }
    found
}

/// Scrubbed text that remembers where each character came from.
struct Moved {
    text: String,
    /// Offset in the file and in `text`, ascending.
    offsets: Vec<(usize, usize)>,
}

impl Moved {
    /// Takes the text with what is secret in it covered.
    fn take(&mut self, source: &str, from: usize, secrets: &[Range<usize>]) {
        for (at, c) in source.char_indices() {
            self.offsets.push((from + at, self.text.len()));
            if c != '\n' && secrets.iter().any(|secret| secret.contains(&at)) {
                self.text.push('•');
                continue;
            }
            let ends_line = c == '\r'
                && source.get(at + 1..).is_none_or(|rest| rest.is_empty() || rest.starts_with('\n'));
            match c {
                '\r' if ends_line => {}
                '\n' | '\t' => self.text.push(c),
                c => self.text.push(visible(source, at, c)),
            }
        }
        self.offsets.push((from + source.len(), self.text.len()));
    }

    fn range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        start..self.offset(range.end).max(start)
    }

    fn offset(&self, offset: usize) -> usize {
        let found = self.offsets.partition_point(|&(from, _)| from < offset);
        self.offsets.get(found).map_or(self.text.len(), |&(_, to)| to)
    }
}

#[cfg(test)]
mod tests {
    use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

    use super::*;

    #[test]
    fn any_span_can_be_rendered() {
        let text = "a\x1b𝕏\r\n\r\n\tß\u{202e}b\n\n\nc d\n\n\n\n\n\n𝕏";
        let length = u32::try_from(text.len()).unwrap();
        let renderer = Renderer::plain();
        let mut seen = 0;
        for start in 0..length + 3 {
            for end in 0..length + 3 {
                let others = [Span::new(end, start), Span::new(start, start), Span::new(0, end)];
                let cut = window(text, Span::new(start, end), 1, &others).unwrap();
                assert!(cut.text.get(cut.span.clone()).is_some(), "{start}..{end}: {cut:?}");
                assert!(!cut.text.contains(['\x1b', '\r', '\u{202e}']));
                let mut annotations = vec![AnnotationKind::Primary.span(cut.span).label("here")];
                annotations
                    .extend(cut.others.into_iter().map(|(_, range)| AnnotationKind::Context.span(range)));
                let snippet = Snippet::source(cut.text).line_start(cut.first_line).annotations(annotations);
                seen += renderer.render(&[Level::ERROR.primary_title("t").element(snippet)]).len();
            }
        }
        assert!(seen > 0);
    }

    #[test]
    fn a_window_has_five_lines_around() {
        let text = (1..=30).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        let at = u32::try_from(text.find("line 15").unwrap()).unwrap();
        let cut = window(&text, Span::new(at, at + 4), 15, &[]).unwrap();
        assert_eq!(cut.first_line, 10);
        assert!(cut.text.starts_with("line 10\n") && cut.text.ends_with("line 20"), "{:?}", cut.text);
        assert_eq!(&cut.text[cut.span], "line");
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("{}NEEDLE{}", "ß".repeat(2_000), "ß".repeat(1_000_000));
        let cut = window(&text, Span::new(4_000, 4_006), 1, &[]).unwrap();
        assert!(cut.text.len() <= 4_006 + LONG, "{}", cut.text.len());
        assert_eq!(&cut.text[cut.span], "NEEDLE");
        let whole = window(&text, Span::new(0, u32::MAX), 1, &[]).unwrap();
        assert!(whole.text.len() <= 2 * LONG, "{}", whole.text.len());
        assert_eq!(window(&text, Span::new(1_000_000, 1_000_006), 1, &[]), None, "too deep in its line");
    }

    #[test]
    fn what_is_given_to_sensitive_is_covered() {
        let shown = |text: &str| window(text, Span::new(0, 1), 1, &[]).unwrap().text;
        assert_eq!(shown(r#"x = sensitive("a\"b") + "c""#), r#"x = sensitive("••••") + "c""#);
        assert_eq!(
            shown(r#"x = sensitive({ k = f("a"), l = ["b"] }) == "c""#),
            r#"x = sensitive({ k = f("•"), l = ["•"] }) == "c""#
        );
        assert_eq!(shown("x = nonsensitive(\"a\")"), "x = nonsensitive(\"a\")");
        assert_eq!(shown("x = sensitive(\"ab\ny"), "x = sensitive(\"••\n•");
    }

    #[test]
    fn a_long_block_is_shown_by_its_first_line() {
        let text = format!("policy = <<EOT\n{}EOT\n", "statement\n".repeat(50));
        let cut = window(&text, Span::new(0, u32::try_from(text.len()).unwrap()), 1, &[]).unwrap();
        assert_eq!(&cut.text[cut.span], "policy = <<EOT");
    }
}
