//! Text in other encodings than UTF-8: `textencodebase64` and `textdecodebase64`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::call::{Call, Outcome, string};
use super::encoding;
use crate::value::{Type, Value};

/// The encodings that are read and written here: what people encode for Windows, and the plain ones.
#[derive(Copy, Clone, PartialEq)]
enum Charset {
    Ascii,
    Latin1,
    Windows1252,
    Utf8,
    /// Big endian with a byte order mark; read by the mark.
    Utf16,
    Utf16Be,
    Utf16Le,
}

/// What Windows has for the bytes from 0x80 on, where Latin-1 has control characters.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

impl Charset {
    /// The charset of an IANA name; [`None`] for the many that are not evaluated.
    fn find(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "us-ascii" => Self::Ascii,
            "iso-8859-1" | "iso_8859-1" | "latin1" | "l1" => Self::Latin1,
            "windows-1252" => Self::Windows1252,
            "utf-8" => Self::Utf8,
            "utf-16" => Self::Utf16,
            "utf-16be" => Self::Utf16Be,
            "utf-16le" => Self::Utf16Le,
            _ => return None,
        })
    }

    /// The byte of a character, in the charsets that have one for each.
    fn byte(self, c: char) -> Option<u8> {
        match (self, u8::try_from(c).ok()) {
            (Self::Windows1252, Some(0x80..=0x9f)) => None,
            (Self::Windows1252, None) => {
                let at = WINDOWS.iter().position(|windows| *windows == c)?;
                u8::try_from(at + 0x80).ok()
            }
            (Self::Ascii, Some(0x80..)) => None,
            (_, byte) => byte,
        }
    }

    fn character(self, byte: u8) -> Option<char> {
        match (self, byte) {
            (Self::Ascii, 0x80..) => None,
            (Self::Windows1252, 0x80..=0x9f) => {
                let windows = WINDOWS.get(usize::from(byte) - 0x80).copied()?;
                (!windows.is_control()).then_some(windows)
            }
            _ => Some(char::from(byte)),
        }
    }

    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf16Le => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16Be => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Utf16 => {
                let units = std::iter::once(0xfeff).chain(text.encode_utf16());
                Some(units.flat_map(u16::to_be_bytes).collect())
            }
            _ => text.chars().map(|c| self.byte(c)).collect(),
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<String> {
        match (self, bytes) {
            (Self::Utf8, _) => String::from_utf8(bytes.to_vec()).ok(),
            (Self::Utf16, [0xff, 0xfe, rest @ ..]) => utf16(rest, u16::from_le_bytes),
            (Self::Utf16, [0xfe, 0xff, rest @ ..]) => utf16(rest, u16::from_be_bytes),
            (Self::Utf16 | Self::Utf16Be, _) => utf16(bytes, u16::from_be_bytes),
            (Self::Utf16Le, _) => utf16(bytes, u16::from_le_bytes),
            _ => bytes.iter().map(|byte| self.character(*byte)).collect(),
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect::<Result<_, _>>().ok()
}

pub(super) fn textencodebase64(call: &Call<'_>) -> Outcome {
    let Some(charset) = Charset::find(call.text(1)) else {
        return Ok(call.not_evaluated(Type::String));
    };
    let bytes = charset.encode(call.text(0)).ok_or("the encoding has not all of these characters")?;
    Ok(Value::string(BASE64_STANDARD.encode(bytes)))
}

pub(super) fn textdecodebase64(call: &Call<'_>) -> Outcome {
    let Some(charset) = Charset::find(call.text(1)) else {
        return Ok(call.not_evaluated(Type::String));
    };
    let bytes = encoding::decode(call.text(0))?;
    let text = charset.decode(&bytes).filter(|text| !text.contains(char::REPLACEMENT_CHARACTER));
    Ok(string(text.ok_or("what is encoded is no text of this encoding")?))
}
