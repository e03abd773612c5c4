//! The text of a document. A large one is held apart from all that is made of it, so that the system has its memory back as soon
//! as it is released: an allocator that is made for many small things keeps what was one large one.

use std::io::{self, ErrorKind, Read};
use std::ops::{Deref, Range};

use allocator_api2::alloc::System;
use allocator_api2::vec::Vec as VecIn;

use super::to_u32;

/// A file that is larger than it said is read on by so much.
const PORTION: usize = 1 << 20;

/// A text that is read once.
#[derive(Debug)]
pub enum Text {
    /// A small one, or one that was decoded.
    Owned(String),
    /// A large one, as it stands in the file.
    Apart(Apart),
}

/// Bytes that are UTF-8.
#[derive(Debug)]
pub struct Apart {
    bytes: VecIn<u8, System>,
    gap: Gap,
}

/// A part of a document that nobody reads, and that is not held: `null` stands for it.
#[derive(Copy, Clone, Debug)]
pub struct Gap {
    /// What stands from here on in the text that is held
    from: u32,
    /// stands by so many bytes later in the file.
    shift: u32,
}

/// Stands for what is left out.
const NOTHING: &[u8] = b"null";

impl Gap {
    /// Nothing is left out.
    pub const NONE: Self = Self { from: 0, shift: 0 };

    /// Where in the file it is what stands at an offset of the text that is held.
    pub fn in_file(self, offset: u32) -> u32 {
        if offset < self.from { offset } else { offset.saturating_add(self.shift) }
    }
}

impl Text {
    /// Reads on to the end, or until there are more than `limit` bytes; `size` is how many there should be. Bytes that are no
    /// UTF-8, or a text that is not `wanted`, are handed back.
    pub fn read(
        from: impl Read,
        size: usize,
        limit: u64,
        wanted: impl FnOnce(&str) -> bool,
    ) -> io::Result<Result<Self, Vec<u8>>> {
        let mut from = from.take(limit);
        let mut bytes = VecIn::new_in(System);
        // As large as it is: a buffer that grows is twice as large in the end.
        bytes.reserve_exact(size.saturating_add(1));
        bytes.resize(size.saturating_add(1), 0);
        let mut end = 0;
        loop {
            if end == bytes.len() {
                bytes.resize(end.saturating_add(PORTION), 0);
            }
            match from.read(bytes.get_mut(end..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(read) => end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(end);
        Ok(match std::str::from_utf8(&bytes) {
            Ok(text) if wanted(text) => Ok(Self::Apart(Apart { bytes, gap: Gap::NONE })),
            _ => Err(bytes.to_vec()),
        })
    }

    /// Gives back the memory of a JSON value in it, if it is held apart and nothing was left out before.
    pub fn leave_out(&mut self, value: Range<usize>) {
        let Self::Apart(Apart { bytes, gap }) = self else { return };
        let shift = value.len().saturating_sub(NOTHING.len());
        let is_value = gap.shift == 0 && shift > 0 && value.end <= bytes.len();
        if !is_value {
            return;
        }
        let end = value.start + NOTHING.len();
        if let Some(place) = bytes.get_mut(value.start..end) {
            place.copy_from_slice(NOTHING);
        }
        bytes.copy_within(value.end.., end);
        bytes.truncate(bytes.len() - shift);
        bytes.shrink_to_fit();
        *gap = Gap { from: to_u32(end), shift: to_u32(shift) };
    }

    /// Its bytes. They are at hand, while all of a large text is looked at each time that it is taken.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(text) => text.as_bytes(),
            Self::Apart(apart) => &apart.bytes,
        }
    }

    /// What is left out of it.
    pub fn gap(&self) -> Gap {
        match self {
            Self::Owned(_) => Gap::NONE,
            Self::Apart(apart) => apart.gap,
        }
    }

    /// The text where all others are held.
    pub fn into_string(self) -> String {
        match self {
            Self::Owned(text) => text,
            Self::Apart(_) => (*self).to_owned(),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Owned(text) => text,
            // It was found to be one when it was read.
            Self::Apart(Apart { bytes, .. }) => std::str::from_utf8(bytes).unwrap_or_default(),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Owned(String::new())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Owned(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_apart_is_the_same_text() {
        let long = "{\"ß\": 1}\n".repeat(PORTION / 5);
        let text = Text::read(long.as_bytes(), 3, u64::MAX, |_| true).unwrap().unwrap();
        assert!(*text == *long);
        assert_eq!(text.into_string(), long);
        assert_eq!(Text::read(&b"\xff\xfe{"[..], 3, u64::MAX, |_| true).unwrap().unwrap_err(), b"\xff\xfe{");
        assert_eq!(Text::read(&b"{}"[..], 2, 9, |text| text == "[]").unwrap().unwrap_err(), b"{}");
        assert_eq!(
            &*Text::read(&b"{}  "[..], 4, 3, |_| true).unwrap().unwrap(),
            "{} ",
            "it ends at the limit"
        );
    }

    #[test]
    fn what_is_left_out_moves_nothing() {
        let whole = r#"{"a": 1, "b": {"c": [2, 3]}, "d": 4}"#;
        let mut text = Text::read(whole.as_bytes(), whole.len(), u64::MAX, |_| true).unwrap().unwrap();
        let value = whole.find("{\"c").unwrap()..whole.find(", \"d").unwrap();
        for _ in 0..2 {
            text.leave_out(value.clone());
            assert_eq!(&*text, r#"{"a": 1, "b": null, "d": 4}"#, "once");
        }
        for part in ["\"a\"", "\"b\"", "\"d\"", "4}"] {
            let held = to_u32(text.find(part).unwrap());
            assert_eq!(text.gap().in_file(held) as usize, whole.find(part).unwrap(), "{part}");
        }
        text.leave_out(0..1);
        assert!(text.contains("null"), "smaller than what would stand for it");
    }
}
