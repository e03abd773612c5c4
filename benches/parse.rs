//! How fast files are parsed, beside hcl-edit on the same bytes: `cargo bench --bench parse`.
//!
//! The texts are the fixtures and, if `AIRGATE_BENCH_DIR` is set, all `.tf` files below it. hcl-edit refuses some valid
//! files; those are left out for both.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use airgate::source::{FileId, Sources};
use bumpalo::Bump;

/// The least that is parsed in one round, so that a round is long beside the clock's steps.
const ROUND_BYTES: usize = 4 << 20;

/// The best of so many rounds counts: the machine's other work only ever slows a round down.
const ROUNDS: usize = 15;

fn main() {
    let mut texts = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut texts);
    if let Some(dir) = std::env::var_os("AIRGATE_BENCH_DIR") {
        collect(Path::new(&dir), &mut texts);
    }
    let file = Sources::default().add("bench.tf", "");
    let before = texts.len();
    texts.retain(|text| hcl_edit::parser::parse_body(text).is_ok() && is_accepted(text, file));
    let bytes: usize = texts.iter().map(String::len).sum();
    let repeats = ROUND_BYTES / bytes.max(1) + 1;
    show(&format!("{} of {before} files, {bytes} bytes, {repeats} times a round", texts.len()));

    let mut arena = Bump::new();
    let ours = best(
        || {
            for text in &texts {
                black_box(airgate::hcl::parse(black_box(text), file, &arena).0.items.len());
                arena.reset();
            }
        },
        repeats,
    );
    let theirs = best(
        || {
            for text in &texts {
                black_box(hcl_edit::parser::parse_body(black_box(text)).is_ok());
            }
        },
        repeats,
    );
    let speed = |time: Duration| {
        let total = u32::try_from(bytes * repeats).map_or(f64::INFINITY, f64::from);
        total / time.as_secs_f64() / 1e6
    };
    show(&format!("airgate   {:7.1} MB/s", speed(ours)));
    show(&format!("hcl-edit  {:7.1} MB/s", speed(theirs)));
    show(&format!("ratio     {:7.1}", speed(ours) / speed(theirs)));
}

/// The shortest of the rounds.
fn best(mut parse_all: impl FnMut(), repeats: usize) -> Duration {
    let round = |_| {
        let start = Instant::now();
        for _ in 0..repeats {
            parse_all();
        }
        start.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn is_accepted(text: &str, file: FileId) -> bool {
    airgate::hcl::parse(text, file, &Bump::new()).1.is_empty()
}

/// The texts of all `.tf` files below `dir`, in the order of their names.
fn collect(dir: &Path, texts: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "tf")
            && let Ok(text) = fs::read_to_string(&path)
        {
            texts.push(text);
        }
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn show(line: &str) {
    println!("{line}");
}
