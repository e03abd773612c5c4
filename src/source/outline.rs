//! What stays of a text that is not kept: where its lines begin, and which characters are wider than a byte.

use super::{Position, to_u32};

/// Of so many bytes one may begin a line, and one may begin a character that is no ASCII: else the text itself is smaller.
const RARE: usize = 16;

/// Tells lines and columns of a text.
#[derive(Debug)]
pub(super) struct Outline {
    length: u32,
    /// Where lines begin, without the first.
    lines: Vec<u32>,
    /// The characters that are no ASCII.
    wide: Vec<Wide>,
}

/// A character of several bytes.
#[derive(Copy, Clone, Debug)]
struct Wide {
    start: u32,
    /// Its bytes.
    bytes: u8,
    /// By how much the characters up to and with it are longer in bytes than in UTF-16 code units.
    excess: u32,
}

impl Outline {
    /// That of a text in UTF-8, if it is small and tells all: it does not tell carriage returns.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut this = Self { length: to_u32(text.len()), lines: Vec::new(), wide: Vec::new() };
        let most = text.len() / RARE + RARE;
        for at in memchr::memchr2_iter(b'\n', b'\r', text) {
            if text.get(at) == Some(&b'\r') || this.lines.len() == most {
                return None;
            }
            this.lines.push(to_u32(at + 1));
        }
        this.lines.shrink_to_fit();
        let mut excess = 0_u32;
        let mut start = 0;
        // Most pieces are ASCII, which is seen at once.
        for piece in text.chunks(1 << 12) {
            if !piece.is_ascii() {
                for (at, byte) in piece.iter().enumerate().filter(|(_, byte)| **byte >= 0xc0) {
                    let bytes = byte.leading_ones();
                    excess = excess.saturating_add(if bytes == 2 { 1 } else { 2 });
                    let bytes = u8::try_from(bytes).unwrap_or_default();
                    this.wide.push(Wide { start: to_u32(start + at), bytes, excess });
                }
                if this.wide.len() > most {
                    return None;
                }
            }
            start += piece.len();
        }
        this.wide.shrink_to_fit();
        Some(this)
    }

    /// Line and column of a byte offset; an offset past the end means the end.
    pub(super) fn position(&self, offset: u32) -> Position {
        let mut offset = offset.min(self.length);
        let before = self.wide.partition_point(|wide| wide.start < offset);
        if let Some(cut) = before.checked_sub(1).and_then(|last| self.wide.get(last))
            && cut.start.saturating_add(cut.bytes.into()) > offset
        {
            offset = cut.start;
        }
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = line.checked_sub(1).and_then(|last| self.lines.get(last)).copied().unwrap_or(0);
        let narrower = self.excess_before(offset).saturating_sub(self.excess_before(start));
        let column = offset.saturating_sub(start).saturating_sub(narrower).saturating_add(1);
        Position { line: to_u32(line.saturating_add(1)), column }
    }

    /// The end of the line that `offset` is on, if there is another line.
    pub(super) fn line_end(&self, offset: u32) -> Option<u32> {
        let next = self.lines.partition_point(|&start| start <= offset);
        self.lines.get(next).map(|start| start.saturating_sub(1))
    }

    fn excess_before(&self, offset: u32) -> u32 {
        let before = self.wide.partition_point(|wide| wide.start < offset);
        before.checked_sub(1).and_then(|last| self.wide.get(last)).map_or(0, |wide| wide.excess)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sources, Span};
    use super::*;

    #[test]
    fn an_outline_tells_what_the_text_tells() {
        let ascii = "x".repeat(5000);
        for text in ["", "\n", "a\nß𝕏x\n\n\tlast 𝕏€ and\nmore of it, for what is wide is rare", &ascii]
        {
            let text = format!("{text}{}", " ".repeat(200));
            let mut sources = Sources::default();
            let (kept, passing) =
                (sources.add_confidential("a", text.clone()), sources.add_document("b", text.clone()));
            sources.release(passing);
            let (kept, passing) = (sources.get(kept).unwrap(), sources.get(passing).unwrap());
            assert!(passing.is_outlined() && passing.text().is_empty(), "{text}");
            for start in 0..to_u32(text.len()) + 3 {
                assert_eq!(passing.position(start), kept.position(start), "{text:?} at {start}");
                let span = Span::new(start, start + 20);
                let ends = [passing, kept].map(|file| file.first_line(span).end);
                assert!(ends[0] == ends[1] || !text.is_char_boundary(start as usize), "{text:?} at {start}");
            }
        }
    }

    #[test]
    fn a_text_that_is_hard_to_tell_is_kept() {
        for text in ["a\r\nb".to_owned(), "\n".repeat(1000), "€".repeat(1000)] {
            let mut sources = Sources::default();
            let id = sources.add_document("a", text.clone());
            sources.release(id);
            assert_eq!(sources.text(id), text);
        }
    }

    #[test]
    fn a_document_is_read_until_it_is_released() {
        let mut sources = Sources::default();
        let id = sources.add_document("a", "{}".to_owned());
        assert_eq!((&*sources.document(id), sources.text(id)), ("{}", ""));
        sources.release(id);
        assert!(sources.document(id).is_empty());
    }
}
