//! What names a set of rules exactly.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// `sha256:…` over the version of airgate and the path and text of every file.
/// Lengths go in before contents, so that no two lists of files have the same digest by shifting bytes between them.
pub(super) fn digest<'a>(version: &'a str, files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut files: Vec<_> = files.collect();
    // Stable: two sets that are merged have one path, and their order counts.
    files.sort_by_key(|(path, _)| *path);
    let mut hash = Sha256::new();
    let version = ("airgate", version);
    for (path, text) in std::iter::once(version).chain(files) {
        for part in [path, text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    let mut out = String::from("sha256:");
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
