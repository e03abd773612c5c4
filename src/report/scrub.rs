//! Makes text safe to print: what a pull request's author wrote must not drive the terminal of who reads the log.

use std::borrow::Cow;
use std::io;

use serde_json::ser::Formatter;

/// The text with terminal controls, line breaks, text-direction controls and invisible characters made visible, and commands
/// to a CI runner broken.
pub fn scrub(text: &str) -> Cow<'_, str> {
    if unsafe_chars(text).next().is_some() {
        Cow::Owned(text.char_indices().map(|(at, c)| visible(text, at, c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The characters of `text` that are not printed as they are, with their offsets.
fn unsafe_chars(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|&(at, c)| visible(text, at, c) != c)
}

/// What to print for `c`, which is at `at` in `text`: itself, its control picture, or U+FFFD.
pub(super) fn visible(text: &str, at: usize, c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        '#' if is_command(text, at) => '\u{ff03}',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// The second `#` of `##[` or `##vso[`: Azure Pipelines and the GitHub runner obey these anywhere in a line of a log.
fn is_command(text: &str, at: usize) -> bool {
    let after = text.as_bytes().get(at + 1..).unwrap_or_default();
    let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
    let azure = after.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"vso["));
    before == Some(&b'#') && (azure || after.first() == Some(&b'['))
}

/// Beyond ASCII: C1 controls, bidi controls, line separators, and characters without a shape.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Compact JSON that stays true to the data and still is safe in a terminal: what [`scrub`] would replace is escaped.
pub(super) struct SafeJson;

impl Formatter for SafeJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Most text is plain, and a report can be mostly text.
        if is_plain(fragment) {
            return out.write_all(fragment.as_bytes());
        }
        let mut written = 0;
        for (at, c) in unsafe_chars(fragment) {
            out.write_all(fragment.get(written..at).unwrap_or_default().as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            written = at + c.len_utf8();
        }
        out.write_all(fragment.get(written..).unwrap_or_default().as_bytes())
    }
}

/// Whether all of it is printable ASCII that begins no command. It does not stop at what is not, so that many bytes are
/// looked at together.
fn is_plain(text: &str) -> bool {
    let others = text.bytes().filter(|byte| !matches!(byte, b' '..=b'"' | b'$'..=b'~'));
    others.count() == 0
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn controls_become_visible() {
        assert_eq!(scrub("a\x1b[31m\r\nb\x7f"), "a␛[31m␍␊b␡");
        assert_eq!(scrub("x\u{202e}y\u{9b}1m\u{200b}\u{e0041}"), "x\u{fffd}y\u{fffd}1m\u{fffd}\u{fffd}");
        assert!(matches!(scrub("module.a[\"ß𝕏\"]"), Cow::Borrowed(_)), "ordinary text is not copied");
    }

    #[test]
    fn runners_are_not_commanded() {
        assert_eq!(
            scrub("a ##vso[task.x]b ##[error] ##VSO[y]"),
            "a #\u{ff03}vso[task.x]b #\u{ff03}[error] #\u{ff03}VSO[y]"
        );
        assert_eq!(scrub("## title # [x] a[#]"), "## title # [x] a[#]");
    }

    #[test]
    fn json_keeps_the_data_and_hides_the_bytes() {
        let text = "a\x1b\u{9b}\u{202e}\u{e0041}\x7fß\"##vso[";
        let mut out = Vec::new();
        text.serialize(&mut serde_json::Serializer::with_formatter(&mut out, SafeJson)).unwrap();
        let printed = String::from_utf8(out).unwrap();
        assert_eq!(printed, r##""a\u001b\u009b\u202e\udb40\udc41\u007fß\"#\u0023vso[""##);
        assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), text);
    }
}
