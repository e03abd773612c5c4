//! The embedded tables: lines of fields. Megabytes of them are looked through when a run begins, most of it passed over.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What tables say, by name. Whatever is looked up, nobody but their authors can make the names in them collide: a quick
/// hash will do.
pub(super) type ByName<V> = HashMap<&'static str, V, BuildHasherDefault<NameHasher>>;

/// Mixes words of eight bytes.
#[derive(Debug, Default)]
pub(super) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |digest: u64, word: u64| (digest.rotate_left(5) ^ word).wrapping_mul(ODD);
        let (words, rest) = bytes.as_chunks();
        let digest = words.iter().fold(self.0, |digest, word| mix(digest, u64::from_le_bytes(*word)));
        self.0 = mix(digest, rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        // The upper half is the better one, and tables are indexed by the lower.
        self.0.rotate_left(32)
    }
}

/// Rows that are sorted by a name, by that name.
pub(super) fn grouped<T>(rows: &'static [T], name: fn(&T) -> &'static str) -> ByName<&'static [T]> {
    let groups = rows.chunk_by(|one, other| name(one) == name(other));
    groups.filter_map(|group| Some((name(group.first()?), group))).collect()
}

/// The lines of a table.
pub(super) fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = parts(table, |rest| memchr::memchr(b'\n', rest));
    lines.map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(|line| !line.is_empty())
}

/// The fields of a line.
pub(super) fn fields(line: &'static str) -> impl Iterator<Item = &'static str> {
    // They are so short that looking at each byte is the quickest.
    parts(line, |rest| rest.iter().position(|byte| *byte == b','))
}

/// What stands between the bytes that `find` finds; they are ASCII.
fn parts(text: &'static str, find: impl Fn(&[u8]) -> Option<usize>) -> impl Iterator<Item = &'static str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = find(text.as_bytes());
        rest = end.and_then(|end| text.get(end + 1..));
        text.get(..end.unwrap_or(text.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_fields_are_those_of_the_standard_library() {
        for table in ["", "\n", "a", "a,b\r\nc,,d\n", ",\n,e"] {
            assert!(lines(table).eq(table.lines().filter(|line| !line.is_empty())), "{table:?}");
            assert!(lines(table).all(|line| fields(line).eq(line.split(','))), "{table:?}");
        }
    }
}
