//! The text of a document. A large one is held apart from all that is made of it, so that the system has its memory back as soon
//! as it is released: an allocator that is made for many small things keeps what was one large one.

use std::io::{self, ErrorKind, Read};
use std::ops::Deref;

use allocator_api2::alloc::System;
use allocator_api2::vec::Vec as VecIn;

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
pub struct Apart(VecIn<u8, System>);

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
            Ok(text) if wanted(text) => Ok(Self::Apart(Apart(bytes))),
            _ => Err(bytes.to_vec()),
        })
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
            Self::Apart(Apart(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
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
}
