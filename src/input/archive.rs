//! Zip archives as Terraform writes its plans: stored or deflated entries, found by the central directory, read in memory.
//!
//! A reader of this little is smaller than a crate would be, and refuses what no plan has instead of supporting it:
//! encryption, links, paths that lead out, several entries of one name, zip64. Nothing is ever written to a disk. The sizes
//! that the directory tells are limits for what is inflated, so an archive that lies about them is refused, not believed.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// More entries than this are in no plan: they are the files of a configuration.
const MAX_ENTRIES: usize = 20_000;

/// The entries together are no larger.
const MAX_TOTAL: u64 = 1 << 30;

/// What a large archive may grow to, as a multiple of its size. Plans of thousands of alike instances stay below a hundred.
const MAX_RATIO: u64 = 400;

/// Below this size nothing is a bomb.
const SMALL: u64 = 32 << 20;

/// The longest comment of an archive, and the record before it.
const MAX_END: usize = END + 0xffff;

/// So much memory is taken at once for what an entry says it holds.
const MAX_AT_ONCE: usize = 64 << 20;

const END: usize = 22;
const ENTRY: usize = 46;
const LOCAL: usize = 30;

/// Why an archive is not read. Each says what it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("it is cut off or damaged")]
    Damaged,
    #[error("it holds more than {MAX_ENTRIES} files")]
    TooMany,
    #[error("it would unpack to more than is sensible for its size")]
    Bomb,
    #[error("the path of a file in it leads out of it")]
    Path,
    #[error("it holds a link")]
    Link,
    #[error("it is encrypted")]
    Encrypted,
    #[error("two files in it have one name")]
    Duplicate,
    #[error("it is packed in a way that Terraform does not use")]
    Method,
}

/// An archive whose directory was read.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: BTreeMap<&'a str, Entry>,
}

#[derive(Copy, Clone, Debug)]
struct Entry {
    deflated: bool,
    crc: u32,
    packed: u32,
    size: u32,
    offset: u32,
}

impl<'a> Archive<'a> {
    /// Reads the directory at the end of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, ArchiveError> {
        let tail = bytes.len().saturating_sub(MAX_END);
        let end = bytes.get(tail..).and_then(|bytes| memchr::memmem::rfind(bytes, b"PK\x05\x06"));
        let end = end.and_then(|at| bytes.get(tail + at..)).filter(|end| end.len() >= END);
        let end = end.ok_or(ArchiveError::Damaged)?;
        let count = usize::from(u16_at(end, 10)?);
        if count > MAX_ENTRIES {
            return Err(ArchiveError::TooMany);
        }
        let mut rest = usize::try_from(u32_at(end, 16)?).ok().and_then(|at| bytes.get(at..));
        let mut this = Self { bytes, entries: BTreeMap::new() };
        let (mut packed, mut total) = (0, 0);
        for _ in 0..count {
            let record = rest.filter(|rest| rest.starts_with(b"PK\x01\x02")).ok_or(ArchiveError::Damaged)?;
            let length = |at| u16_at(record, at).map(usize::from);
            let name_end = ENTRY + length(28)?;
            let name = record.get(ENTRY..name_end).and_then(|name| std::str::from_utf8(name).ok());
            let name = name.ok_or(ArchiveError::Damaged)?;
            rest = record.get(name_end + length(30)? + length(32)?..);
            check(name, record)?;
            let entry = Entry {
                deflated: match u16_at(record, 10)? {
                    0 => false,
                    8 => true,
                    _ => return Err(ArchiveError::Method),
                },
                crc: u32_at(record, 16)?,
                packed: u32_at(record, 20)?,
                size: u32_at(record, 24)?,
                offset: u32_at(record, 42)?,
            };
            packed += u64::from(entry.packed);
            total += u64::from(entry.size);
            // Entries that share their bytes are how small bombs are made.
            let limit = SMALL.max((bytes.len() as u64).saturating_mul(MAX_RATIO)).min(MAX_TOTAL);
            if packed > bytes.len() as u64 || total > limit {
                return Err(ArchiveError::Bomb);
            }
            // What stands before the content has the name too: one that is not the same was damaged or made up.
            let local = this.local(entry).and_then(|local| local.get(LOCAL..)?.get(..name.len()));
            if local != Some(name.as_bytes()) {
                return Err(ArchiveError::Damaged);
            }
            if !name.ends_with('/') && this.entries.insert(name, entry).is_some() {
                return Err(ArchiveError::Duplicate);
            }
        }
        Ok(this)
    }

    /// The names of all files, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries.keys().copied()
    }

    /// The content of a file; [`None`] if there is none of this name.
    pub(super) fn read(&self, name: &str) -> Option<Result<Vec<u8>, ArchiveError>> {
        self.entries.get(name).map(|entry| self.unpack(*entry).ok_or(ArchiveError::Damaged))
    }

    /// The bytes from the header before the content of a file.
    fn local(&self, entry: Entry) -> Option<&'a [u8]> {
        let local = self.bytes.get(usize::try_from(entry.offset).ok()?..)?;
        local.starts_with(b"PK\x03\x04").then_some(local)
    }

    fn unpack(&self, entry: Entry) -> Option<Vec<u8>> {
        let local = self.local(entry)?;
        let start = LOCAL + usize::from(u16_at(local, 26).ok()?) + usize::from(u16_at(local, 28).ok()?);
        let packed = local.get(start..)?.get(..usize::try_from(entry.packed).ok()?)?;
        // As large as it says it is, unless that is more than any plan: a buffer that grows is twice as large in the end.
        let mut content = Vec::with_capacity(usize::try_from(entry.size).ok()?.min(MAX_AT_ONCE) + 1);
        if entry.deflated {
            let limit = u64::from(entry.size) + 1;
            DeflateDecoder::new(packed).take(limit).read_to_end(&mut content).ok()?;
        } else {
            content.extend_from_slice(packed);
        }
        let mut crc = Crc::new();
        crc.update(&content);
        (content.len() as u64 == u64::from(entry.size) && crc.sum() == entry.crc).then_some(content)
    }
}

/// Refuses what no plan has.
fn check(name: &str, record: &[u8]) -> Result<(), ArchiveError> {
    const UNIX: u16 = 3;
    const LINK: u32 = 0o120_000;
    const KIND: u32 = 0o170_000;
    let leads_out = |name: &str| {
        name.is_empty()
            || name.starts_with('/')
            || name.contains(['\\', ':', '\0'])
            || name.split('/').any(|part| part == "..")
    };
    let is_unix = u16_at(record, 4)? >> 8 == UNIX;
    if leads_out(name) {
        Err(ArchiveError::Path)
    } else if is_unix && (u32_at(record, 38)? >> 16) & KIND == LINK {
        Err(ArchiveError::Link)
    } else if u16_at(record, 8)? & 1 == 1 {
        Err(ArchiveError::Encrypted)
    } else {
        Ok(())
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, ArchiveError> {
    let two = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(ArchiveError::Damaged)?;
    Ok(u16::from_le_bytes(*two))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, ArchiveError> {
    let four = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(ArchiveError::Damaged)?;
    Ok(u32::from_le_bytes(*four))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn u16_of(length: usize) -> u16 {
        u16::try_from(length).unwrap()
    }

    fn u32_of(length: usize) -> u32 {
        u32::try_from(length).unwrap()
    }

    /// An archive of stored files: names, contents, what the system attributes say, and flags.
    pub(in crate::input) fn archive(files: &[(&str, &[u8], u32, u16)]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, content, attributes, flags) in files {
            let mut crc = Crc::new();
            crc.update(content);
            let (size, offset) = (u32_of(content.len()), u32_of(out.len()));
            let mut shared = Vec::new();
            shared.extend([20, 0]);
            shared.extend(flags.to_le_bytes());
            shared.extend([0; 6]);
            for number in [crc.sum(), size, size] {
                shared.extend(number.to_le_bytes());
            }
            shared.extend(u16_of(name.len()).to_le_bytes());
            shared.extend([0, 0]);
            out.extend(b"PK\x03\x04");
            out.extend(&shared);
            out.extend(name.as_bytes());
            out.extend(*content);
            directory.extend(b"PK\x01\x02\x14\x03");
            directory.extend(&shared);
            directory.extend([0; 6]);
            directory.extend(attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let start = u32_of(out.len());
        out.extend(&directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(u16_of(files.len()).to_le_bytes());
        out.extend(u16_of(files.len()).to_le_bytes());
        out.extend(u32_of(directory.len()).to_le_bytes());
        out.extend(start.to_le_bytes());
        out.extend([0, 0]);
        out
    }

    fn refusal(name: &str, attributes: u32, flags: u16) -> Option<ArchiveError> {
        Archive::new(&archive(&[(name, b"x", attributes, flags)])).err()
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let mut bytes = archive(&[("a", b"hello", 0, 0), ("b/c", b"", 0, 0)]);
        let archive = Archive::new(&bytes).unwrap();
        assert_eq!(archive.names().collect::<Vec<_>>(), ["a", "b/c"]);
        assert_eq!(archive.read("a"), Some(Ok(b"hello".to_vec())));
        assert_eq!(archive.read("c"), None);
        let at = memchr::memmem::find(&bytes, b"hello").unwrap();
        bytes[at] = b'j';
        assert_eq!(Archive::new(&bytes).unwrap().read("a"), Some(Err(ArchiveError::Damaged)));
    }

    #[test]
    fn what_no_plan_has_is_refused() {
        for name in ["/etc/passwd", "../a", "a/../../b", "..\\a", "C:a", ""] {
            assert_eq!(refusal(name, 0, 0), Some(ArchiveError::Path), "{name}");
        }
        assert_eq!(refusal("..a", 0, 0), None);
        assert_eq!(refusal("a", 0o120_777 << 16, 0), Some(ArchiveError::Link));
        assert_eq!(refusal("a", 0o100_644 << 16, 0), None);
        assert_eq!(refusal("a", 0, 1), Some(ArchiveError::Encrypted));
        let twice = archive(&[("a", b"1", 0, 0), ("a", b"2", 0, 0)]);
        assert_eq!(Archive::new(&twice).err(), Some(ArchiveError::Duplicate));
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let mut bytes = archive(&[("a", b"x", 0, 0)]);
        let directory = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        bytes[directory + 24..directory + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
        assert_eq!(Archive::new(&bytes).err(), Some(ArchiveError::Bomb));
        bytes[directory + 24..directory + 28].copy_from_slice(&1_u32.to_le_bytes());
        bytes[directory + 20..directory + 24].copy_from_slice(&0xffff_u32.to_le_bytes());
        assert_eq!(Archive::new(&bytes).err(), Some(ArchiveError::Bomb), "entries share their bytes");
    }
}
