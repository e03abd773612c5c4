//! `primaryLocationLineHash`: the identity that GitHub code scanning gives to an alert, by its own recipe, so that its
//! upload action finds the value it would have computed.
//!
//! A rolling hash over a window of 100 UTF-16 code units that starts at the line's first visible character.

use std::collections::{BTreeMap, HashMap};

const WINDOW: usize = 100;
const MOD: u64 = 37;
/// No hash is due at this place of the window.
const NONE: u32 = 0;

/// The hashes of the lines asked for, which are sorted. A line past the end has none.
pub(super) fn line_hashes(text: &str, lines: &[u32]) -> BTreeMap<u32, String> {
    let mut roll = Roll {
        window: [0; WINDOW],
        due: [NONE; WINDOW],
        at: 0,
        hash: 0,
        counts: HashMap::new(),
        wanted: lines,
        found: BTreeMap::new(),
    };
    let (mut line, mut line_start, mut after_cr) = (NONE, true, false);
    for unit in text.encode_utf16().map(u64::from).chain([0xffff]) {
        let skipped = unit == 0x20 || unit == 0x09 || (after_cr && unit == 0x0a);
        after_cr = unit == 0x0d;
        if skipped {
            continue;
        }
        let unit = if after_cr { 0x0a } else { unit };
        roll.take_due();
        if line_start {
            line = line.saturating_add(1);
            roll.mark(line);
        }
        line_start = unit == 0x0a;
        roll.push(unit);
    }
    for _ in 0..WINDOW {
        roll.take_due();
        roll.push(0);
    }
    roll.found
}

struct Roll<'a> {
    window: [u64; WINDOW],
    /// The line that starts at each place of the window.
    due: [u32; WINDOW],
    at: usize,
    hash: u64,
    counts: HashMap<u64, u32>,
    wanted: &'a [u32],
    found: BTreeMap<u32, String>,
}

impl Roll<'_> {
    /// A line start that is about to leave the window: the hash is that of the window it began.
    fn take_due(&mut self) {
        let Some(due) = self.due.get_mut(self.at) else { return };
        let line = std::mem::replace(due, NONE);
        if line == NONE {
            return;
        }
        let count = self.counts.entry(self.hash).or_default();
        *count += 1;
        if self.wanted.binary_search(&line).is_ok() {
            self.found.insert(line, format!("{:x}:{count}", self.hash));
        }
    }

    fn mark(&mut self, line: u32) {
        if let Some(due) = self.due.get_mut(self.at) {
            *due = line;
        }
    }

    fn push(&mut self, unit: u64) {
        /// 37 to the power of the window.
        const FIRST: u64 = MOD.wrapping_pow(100);
        let Some(slot) = self.window.get_mut(self.at) else { return };
        let old = std::mem::replace(slot, unit);
        self.hash = self.hash.wrapping_mul(MOD).wrapping_add(unit).wrapping_sub(FIRST.wrapping_mul(old));
        self.at = (self.at + 1) % WINDOW;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(text: &str) -> Vec<String> {
        line_hashes(text, &(1..=20).collect::<Vec<_>>()).into_values().collect()
    }

    #[test]
    fn githubs_own_vectors() {
        assert_eq!(hashes(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            hashes(" a\nb\n  \t\tc\n d"),
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]
        );
    }

    #[test]
    fn line_ends_and_indentation_do_not_count() {
        assert_eq!(hashes("a\r\n  b\r\n"), hashes("a\nb\n"));
        assert_eq!(hashes("a\rb"), hashes("a\nb"));
    }

    #[test]
    fn equal_lines_are_numbered() {
        let text = "x\n".repeat(250);
        let found = line_hashes(&text, &[1, 2, 3, 251]);
        let suffixes: Vec<_> = found.values().map(|hash| hash.rsplit(':').next().unwrap()).collect();
        assert_eq!(suffixes, ["1", "2", "3", "1"]);
        assert!(line_hashes("a\n", &[3]).is_empty());
    }
}
