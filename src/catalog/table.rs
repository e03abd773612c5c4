//! The embedded tables: lines of fields. Megabytes of them are looked through when a run begins, most of it passed over.

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
