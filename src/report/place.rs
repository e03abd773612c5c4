//! Line and column of every place of a report, found in one pass over each file.
//!
//! [`SourceFile::position`] reads its line from the start: a minified plan is one line of many megabytes, and a report can
//! point into it thousands of times.

use crate::finding::Report;
use crate::source::{FileId, Position, Site, SourceFile, Sources};

/// The places of one report.
pub(super) struct Places<'a> {
    sources: &'a Sources,
    /// Sorted by file and offset.
    known: Vec<((FileId, u32), Position)>,
}

/// A range of text; `end` is the position after its last character.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: Position,
    pub(super) end: Position,
}

/// A [`Site`] found.
#[derive(Copy, Clone)]
pub(super) struct Place<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) region: Region,
    pub(super) site: Site,
}

impl<'a> Places<'a> {
    /// All places that findings and diagnostics name.
    pub(super) fn of(report: &'a Report) -> Self {
        let findings = report.findings.iter().flat_map(|finding| {
            let via = finding.resources.iter().flat_map(|subject| &subject.via).map(|via| via.site);
            finding.site.into_iter().chain(finding.related.iter().map(|(site, _)| *site)).chain(via)
        });
        let diagnostics = report.diagnostics.iter().filter_map(|diagnostic| diagnostic.site);
        let mut offsets: Vec<(FileId, u32)> = findings
            .chain(diagnostics)
            .flat_map(|site| [(site.file, site.span.start), (site.file, site.span.end)])
            .collect();
        offsets.sort_unstable();
        offsets.dedup();
        let mut known = Vec::with_capacity(offsets.len());
        for of_file in offsets.chunk_by(|a, b| a.0 == b.0) {
            let Some(file) = of_file.first().and_then(|first| report.sources.get(first.0)) else { continue };
            if file.is_outlined() {
                known.extend(of_file.iter().map(|&key| (key, file.position(key.1))));
                continue;
            }
            let mut cursor = Cursor { text: file.text(), at: 0, here: Position { line: 1, column: 1 } };
            known.extend(of_file.iter().map(|&key| (key, cursor.advance(key.1))));
        }
        Self { sources: &report.sources, known }
    }

    /// The place of a site, if its file is one of the report's.
    pub(super) fn get(&self, site: Site) -> Option<Place<'a>> {
        let file = self.sources.get(site.file)?;
        let start = self.position(file, site, site.span.start);
        let end = self.position(file, site, site.span.end.max(site.span.start));
        Some(Place { file, region: Region { start, end }, site })
    }

    /// `path:line`; of what is no file its name alone.
    pub(super) fn brief(&self, site: Site) -> Option<String> {
        let place = self.get(site)?;
        let path = place.file.path();
        Some(if place.file.is_given() {
            path.to_owned()
        } else {
            format!("{path}:{}", place.region.start.line)
        })
    }

    fn position(&self, file: &SourceFile, site: Site, offset: u32) -> Position {
        match self.known.binary_search_by_key(&(site.file, offset), |&(key, _)| key) {
            Ok(found) => {
                self.known.get(found).map_or_else(|| file.position(offset), |&(_, position)| position)
            }
            Err(_) => file.position(offset),
        }
    }
}

/// Walks a text forward.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    here: Position,
}

impl Cursor<'_> {
    /// The position of `offset`, which is not before the last one asked for.
    fn advance(&mut self, offset: u32) -> Position {
        let to = self.text.floor_char_boundary(offset as usize).max(self.at);
        let passed = self.text.get(self.at..to).unwrap_or_default();
        let newlines = memchr::memchr_iter(b'\n', passed.as_bytes()).count();
        let line_part = match memchr::memrchr(b'\n', passed.as_bytes()) {
            Some(last) => {
                self.here.column = 1;
                passed.get(last + 1..).unwrap_or_default()
            }
            None => passed,
        };
        let units = if line_part.is_ascii() { line_part.len() } else { line_part.encode_utf16().count() };
        self.here.line = self.here.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        self.here.column = self.here.column.saturating_add(u32::try_from(units).unwrap_or(u32::MAX));
        self.at = to;
        self.here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_agrees_with_the_file() {
        let text = "a\r\nß𝕏x\n\n\tlast 𝕏";
        let mut sources = Sources::default();
        let id = sources.add("a.tf", text);
        let file = sources.get(id).unwrap();
        for step in 1..=7 {
            let mut cursor = Cursor { text, at: 0, here: Position { line: 1, column: 1 } };
            for offset in (0..40).step_by(step) {
                assert_eq!(
                    cursor.advance(offset),
                    file.position(offset),
                    "offset {offset} in steps of {step}"
                );
            }
        }
    }
}
