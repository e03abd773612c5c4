//! The texts: all fixtures, and broken variants of them.

use std::fs;
use std::path::{Path, PathBuf};

/// How many broken variants are made of each fixture.
const MUTANTS: u64 = 100;

/// All `.tf` files of the fixtures, in the order of their names.
pub(crate) fn fixtures() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut files);
    files.sort();
    // A file that is not UTF-8 never reaches a parser.
    let read = |path: PathBuf| {
        let text = String::from_utf8(fs::read(&path).unwrap()).ok()?;
        Some((path.file_name().unwrap().to_string_lossy().into_owned(), text))
    };
    let files: Vec<(String, String)> = files.into_iter().filter_map(read).collect();
    assert!(files.len() >= 20, "the fixtures are found");
    files
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "tf") {
            files.push(path);
        }
    }
}

/// Marsaglia's xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n.max(1)
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.below(list.len())]
    }
}

/// What is put into mutants.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "\n",
    "=",
    ",",
    ":",
    "?",
    "${",
    "%{",
    "~}",
    "${~",
    "<<EOT\n",
    "EOT\n",
    "<<-A\n",
    ".",
    "*",
    "[*]",
    "...",
    "..",
    "==",
    "=>",
    "::",
    "-",
    "!",
    "#",
    "/*",
    "*/",
    "//",
    "a",
    "1",
    "1.5",
    ".5",
    "0.0",
    " for ",
    " in ",
    " if ",
    "%{if a}",
    "%{else}",
    "%{endif}",
    "%{for a in b}",
    "%{endfor}",
    "\\",
    "\\u12",
    "$",
    "%",
    "\t",
    " ",
    "'",
    "&&",
    "|",
    "null",
    "\"x\"",
    "é",
    "\u{feff}",
    "\u{a0}",
    "e5",
    "@",
    ";",
    "$${",
    "%%{",
    "\r\n",
];

/// Broken (and sometimes whole) variants of the fixtures: short pieces of them with a few tokens changed. Those of a file
/// do not depend on which other files there are.
pub(crate) fn mutants(fixtures: &[(String, String)]) -> Vec<(String, String)> {
    let mutants = |(name, text): &(String, String)| -> Vec<(String, String)> {
        let seed = name.bytes().fold(1, |seed: u64, byte| seed.rotate_left(9) ^ u64::from(byte));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        (0..MUTANTS)
            .map(|i| (format!("mutant {i} of {name}"), mutant(&lines, seed.wrapping_add(i))))
            .collect()
    };
    fixtures.iter().flat_map(mutants).collect()
}

fn mutant(lines: &[&str], seed: u64) -> String {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let first = random.below(lines.len());
    let count = 1 + random.below(20);
    let mut text: String = lines.iter().copied().skip(first).take(count).collect();
    for _ in 0..=random.below(2) {
        text = mutate(&text, &mut random);
    }
    text
}

fn mutate(text: &str, random: &mut Random) -> String {
    let mut tokens: Vec<&str> = Vec::new();
    let mut start = 0;
    for (i, c) in text.char_indices() {
        let last = text[..i].chars().next_back().unwrap_or(c);
        let joins = last.is_alphanumeric() && c.is_alphanumeric() || (last, c) == ('\r', '\n');
        if i > start && !joins {
            tokens.push(&text[start..i]);
            start = i;
        }
    }
    tokens.push(&text[start..]);
    let at = random.below(tokens.len());
    match random.below(6) {
        0 => tokens[at] = "",
        1 => tokens.insert(at, tokens[at]),
        2 => tokens[at] = random.pick(TOKENS),
        3 => tokens.insert(at, random.pick(TOKENS)),
        4 => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        _ => tokens.truncate(at),
    }
    tokens.concat()
}
