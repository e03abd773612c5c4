//! What holds for every file of the repository: module docs, length, layers, no place of one machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the bottom up. A module may use those of its own rank and below, never above.
const LAYERS: &[&[&str]] = &[
    &["source"],
    &["diagnostic"],
    &["hcl"],
    &["value"],
    &["catalog", "residency", "iam", "eval"],
    &["program"],
    &["terraform", "pulumi", "input"],
    &["graph"],
    &["finding"],
    &["config"],
    &["facts"],
    &["rules"],
    &["check"],
    &["assemble", "picture"],
    &["report"],
    &["cli"],
];

const MAX_LINES: usize = 600;

fn files(dir: &str, extension: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, extension: &str, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, extension, out);
            } else if path.extension().is_some_and(|found| found == extension) {
                out.push(path);
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), extension, &mut out);
    out.sort();
    out
}

fn rust_files() -> Vec<PathBuf> {
    ["src", "tests", "benches", "xtask/src"].into_iter().flat_map(|dir| files(dir, "rs")).collect()
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    let mut wrong = Vec::new();
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: does not begin with `//! `", path.display()));
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines, more than {MAX_LINES}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn modules_use_only_what_is_below_them() {
    let rank = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut wrong = Vec::new();
    let mut uses = 0;
    for path in files("src", "rs") {
        let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        let Some(own) = rank(module) else {
            wrong.push(format!("`{module}` has no layer: add it to LAYERS"));
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        // Unit tests may use anything.
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for part in code.split("crate::").skip(1) {
            let used = part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            if let Some(rank) = rank(used) {
                uses += 1;
                if rank > own {
                    wrong.push(format!(
                        "{}: `{module}` uses `{used}`, which stands above it",
                        relative.display()
                    ));
                }
            }
        }
    }
    assert!(uses > 100, "the uses are not found any more");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_names_a_place_of_one_machine() {
    let roots = ["work", "root", "home", "tmp", "Users"].map(|root| format!("/{root}/"));
    let mut wrong = Vec::new();
    let kinds = ["rs", "md", "toml", "tf", "json", "jsonl", "yml", "sh", "txt", "csv"];
    let dirs = ["src", "tests", "benches", "xtask/src", "rules", "docs", "fixtures"];
    for path in kinds.iter().flat_map(|kind| dirs.iter().flat_map(|dir| files(dir, kind))) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for root in &roots {
            // A path begins at a boundary: `src/work/` and `https://x/home/` are not one.
            let at_boundary = |at: usize| {
                let before = text[..at].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && !"._-~}>/)".contains(c))
            };
            if text.match_indices(root.as_str()).any(|(at, _)| at_boundary(at)) {
                wrong.push(format!("{}: `{root}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
