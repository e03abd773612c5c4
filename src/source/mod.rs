//! The input files: the only place that holds their contents, and the way from a byte to a line.

mod outline;
mod text;

use std::fmt;
use std::num::NonZeroU32;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use outline::Outline;
pub use text::{Gap, Text};

/// Names one file of a [`Sources`]. Only the `Sources` that gave it knows what it means.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(NonZeroU32);

impl FileId {
    /// The name of the file at an index. It is never zero, so that a place that may not be takes no more memory than one.
    fn at(index: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(to_u32(index)))
    }

    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A range of bytes in one file, end exclusive. Offsets are those of the text that [`SourceFile::text`] returns.
#[derive(Copy, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// A span in a known file.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The file.
    pub file: FileId,
    /// Where in it.
    pub span: Span,
}

/// A place for people: 1-based line, and 1-based column in UTF-16 code units, as SARIF and editors count.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in UTF-16 code units, from 1.
    pub column: u32,
}

/// One input file.
#[derive(Debug)]
pub struct SourceFile {
    path: String,
    text: String,
    passing: Option<Passing>,
    confidential: bool,
    given: bool,
    /// Offset of the first byte of each line, made on first use: most files of a run have no finding.
    lines: OnceLock<Vec<u32>>,
}

/// A text that is held only until it is read.
#[derive(Debug)]
struct Passing {
    text: Mutex<Arc<Text>>,
    /// What stays of it.
    outline: Outline,
}

/// The text of a document while it is read.
#[derive(Debug)]
pub enum Held<'s> {
    /// It stays.
    Kept(&'s str),
    /// It goes when it is released and nobody holds it.
    Passing(Arc<Text>),
}

/// All files of one run.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Span {
    /// The range `start..end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// This span in `file`.
    pub const fn at(self, file: FileId) -> Site {
        Site { file, span: self }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl Held<'_> {
    /// What is left out of the text.
    pub fn gap(&self) -> Gap {
        match self {
            Self::Kept(_) => Gap::NONE,
            Self::Passing(text) => text.gap(),
        }
    }
}

impl Deref for Held<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Kept(text) => text,
            Self::Passing(text) => text,
        }
    }
}

impl SourceFile {
    /// The path for people, relative as the user gave it, with `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text; empty of a document, see [`Sources::document`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.passing.is_none()
    }

    /// Whether none of its text may be shown: plans and states hold secrets in plain text beside everything else.
    pub fn is_confidential(&self) -> bool {
        self.confidential
    }

    /// Whether it is no file: an option or a variable of the environment, which the path names and which has no lines.
    pub fn is_given(&self) -> bool {
        self.given
    }

    /// The text of `span`, shortened where the span leaves the file or cuts a character.
    pub fn slice(&self, span: Span) -> &str {
        let start = self.text.floor_char_boundary(span.start as usize);
        let end = self.text.floor_char_boundary(span.end as usize).max(start);
        self.text.get(start..end).unwrap_or_default()
    }

    /// Line and column of a byte offset; an offset past the end means the end.
    pub fn position(&self, offset: u32) -> Position {
        if let Some(passing) = &self.passing {
            return passing.outline.position(offset);
        }
        let offset = self.text.floor_char_boundary(offset as usize);
        let lines = self.line_starts();
        let line = lines.partition_point(|&start| start as usize <= offset);
        let start = line.checked_sub(1).and_then(|i| lines.get(i)).copied().unwrap_or(0);
        let column = self.text.get(start as usize..offset).unwrap_or_default().encode_utf16().count();
        Position { line: to_u32(line), column: to_u32(column + 1) }
    }

    /// What is of `span` on its first line.
    pub fn first_line(&self, span: Span) -> Span {
        let end = if let Some(passing) = &self.passing {
            passing.outline.line_end(span.start).filter(|&end| end < span.end)
        } else {
            let length = self.slice(span).find(['\n', '\r']);
            length.map(|length| span.start.saturating_add(to_u32(length)))
        };
        Span { end: end.unwrap_or(span.end), ..span }
    }

    /// Whether lines and columns are told without the text, in no time wherever they are.
    pub fn is_outlined(&self) -> bool {
        self.passing.is_some()
    }

    /// Offset of the first byte of each line, never empty.
    pub fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let newlines = memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|i| to_u32(i + 1));
            std::iter::once(0).chain(newlines).collect()
        })
    }
}

impl Sources {
    /// Takes in a file's text. `path` is what people will see. A text of 4 GiB or more must be refused before.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        self.push(path.into(), text.into(), false, false)
    }

    /// [`Sources::add`] of a file whose text must not be shown.
    pub fn add_confidential(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        self.push(path.into(), text.into(), true, false)
    }

    /// [`Sources::add_confidential`] of what was given on the command line or by the environment, as `what` says.
    pub fn add_given(&mut self, what: impl Into<String>, text: impl Into<String>) -> FileId {
        self.push(what.into(), text.into(), true, true)
    }

    /// [`Sources::add_confidential`] of a document that is read once: [`Sources::release`] gives its memory back.
    pub fn add_document(&mut self, path: impl Into<String>, text: impl Into<Text>) -> FileId {
        let text = text.into();
        let Some(outline) = Outline::of(text.bytes()) else {
            return self.add_confidential(path, text.into_string());
        };
        let id = self.add_confidential(path, String::new());
        if let Some(file) = self.files.get_mut(id.index()) {
            file.passing = Some(Passing { text: Mutex::new(Arc::new(text)), outline });
        }
        id
    }

    /// Gives back the memory of a JSON value in a document that nobody reads.
    pub fn leave_out(&mut self, id: FileId, value: Range<usize>) {
        let file = self.files.get_mut(id.index());
        if let Some(passing) = file.and_then(|file| file.passing.as_mut())
            && let Some(text) = Arc::get_mut(passing.text.get_mut().unwrap_or_else(PoisonError::into_inner))
        {
            text.leave_out(value);
        }
    }

    /// Gives back the memory of a file that nobody reads.
    pub fn clear(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(id.index()) {
            file.text = String::new();
        }
    }

    /// Gives a file another path: it turned out to be that one.
    pub fn set_path(&mut self, id: FileId, path: String) {
        if let Some(file) = self.files.get_mut(id.index()) {
            file.path = path;
        }
    }

    fn push(&mut self, path: String, text: String, confidential: bool, given: bool) -> FileId {
        let id = FileId::at(self.files.len());
        self.files.push(SourceFile {
            path,
            text,
            confidential,
            given,
            passing: None,
            lines: OnceLock::new(),
        });
        id
    }

    /// The file, if this is one of ours.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.index())
    }

    /// The text of a file, empty for a foreign id.
    pub fn text(&self, id: FileId) -> &str {
        self.get(id).map_or("", SourceFile::text)
    }

    /// The text of a document to read; empty once it is released.
    pub fn document(&self, id: FileId) -> Held<'_> {
        match self.get(id) {
            Some(SourceFile { passing: Some(passing), .. }) => {
                Held::Passing(Arc::clone(&passing.text.lock().unwrap_or_else(PoisonError::into_inner)))
            }
            file => Held::Kept(file.map_or("", SourceFile::text)),
        }
    }

    /// Nobody reads the document any more. Its lines and columns are still told.
    pub fn release(&self, id: FileId) {
        if let Some(passing) = self.get(id).and_then(|file| file.passing.as_ref()) {
            *passing.text.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        }
    }

    /// All files with their ids, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, file)| (FileId::at(i), file))
    }
}

/// Offsets and counts of inputs fit in 32 bits: [`Sources::add`] says who refuses larger ones.
fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_counts_utf16_from_one() {
        let mut sources = Sources::default();
        let id = sources.add("a.tf", "a\nß𝕏x\n");
        let file = sources.get(id).unwrap();
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        assert_eq!(file.position(8), Position { line: 2, column: 4 });
        assert_eq!(file.position(99), Position { line: 3, column: 1 });
        assert_eq!(file.slice(Span::new(3, 8)), "ß𝕏", "a cut character is whole");
    }
}
