//! Makes text safe to print: what a pull request's author wrote must not drive the terminal of who reads the log.

use std::borrow::Cow;
use std::io;

use serde_json::ser::Formatter;

/// The text with terminal controls, line breaks, text-direction controls and invisible characters made visible.
pub fn scrub(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| visible(c) != c) {
        Cow::Owned(text.chars().map(visible).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// What to print for `c`: itself, its control picture, or U+FFFD.
pub(super) fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
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
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| visible(c) != c) {
            let (safe, tail) = rest.split_at(at);
            out.write_all(safe.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = tail.get(c.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }
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
    fn json_keeps_the_data_and_hides_the_bytes() {
        let text = "a\x1b\u{9b}\u{202e}\u{e0041}\x7fß\"";
        let mut out = Vec::new();
        text.serialize(&mut serde_json::Serializer::with_formatter(&mut out, SafeJson)).unwrap();
        let printed = String::from_utf8(out).unwrap();
        assert_eq!(printed, r#""a\u001b\u009b\u202e\udb40\udc41\u007fß\"""#);
        assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), text);
    }
}
