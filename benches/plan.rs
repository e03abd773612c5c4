//! `airgate check plan.json` as a whole process at three scales, against three passes of serde_json over the same bytes:
//!
//! - `raw` finds where entries and objects begin and end (`RawValue`), and decodes none: less than any reader does.
//! - `typed` decodes what any reader of a plan must: `before`, `after` and the marks beside them as maps that are held in
//!   memory, with addresses and types. All else is skipped.
//! - `tree` is the whole document as a `serde_json::Value`.
//!
//! `cargo bench --bench plan [-- PLAN.json]`: with a plan, that plan as it is (one of some 5,000 instances that Terraform
//! wrote: `CONTRIBUTING.md` says how to make one) and grown to 20,000 and 100,000 instances. Without, all three are grown
//! from the plan of a fixture. The table says which is real and which is grown.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where something is wrong"
)]

#[path = "common/grow.rs"]
#[expect(dead_code, reason = "others join plans")]
mod grow;
#[path = "common/parts.rs"]
mod parts;
#[path = "common/whole_run.rs"]
mod whole_run;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use parts::times;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use whole_run::{RUNS, best, check};

/// That of the program: what is measured here is what the program does.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let given = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).map(PathBuf::from);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rag-bedrock/plan.json");
    let plan: Value = serde_json::from_slice(&fs::read(given.as_ref().unwrap_or(&fixture)).unwrap()).unwrap();
    println!(
        "{:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7} {:>7} {:>9} {:>7}",
        "",
        "instances",
        "input",
        "raw",
        "typed",
        "tree",
        "airgate",
        "/raw",
        "/typed",
        "/tree",
        "peak",
        "/input"
    );
    let mut parts = Vec::new();
    for (instances, runs) in [(5_000, RUNS), (20_000, RUNS / 2), (100_000, RUNS / 5)] {
        let (kind, path, count) = match &given {
            Some(real) if instances == 5_000 => ("real", real.clone(), grow::managed(&plan)),
            _ => {
                let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("grown-{instances}.json"));
                let mut out = BufWriter::new(File::create(&path).unwrap());
                let count = grow::grow(&plan, instances, &mut out).unwrap();
                out.flush().unwrap();
                ("grown", path, count)
            }
        };
        row(kind, &path, count, runs);
        parts.push((count, times(&path, runs)));
    }
    println!("\nparts, in a process that is warm:");
    let names: Vec<&str> = parts.iter().flat_map(|(_, times)| times.iter().map(|(name, _)| *name)).collect();
    for (i, name) in names.iter().take(names.len() / parts.len()).enumerate() {
        let times: Vec<String> = parts.iter().map(|(_, times)| format!("{:>12.2?}", times[i].1)).collect();
        println!("{name:<20}{}", times.join(""));
    }
}

fn row(kind: &str, path: &Path, instances: usize, runs: usize) {
    let raw = best(runs, || {
        let text = fs::read_to_string(path).unwrap();
        black_box(serde_json::from_str::<Plan<'_, Option<&RawValue>>>(&text).unwrap());
    });
    let typed = best(runs, || {
        let text = fs::read_to_string(path).unwrap();
        black_box(serde_json::from_str::<Plan<'_, Option<Value>>>(&text).unwrap());
    });
    let tree = best(runs, || {
        let text = fs::read_to_string(path).unwrap();
        black_box(serde_json::from_str::<Value>(&text).unwrap());
    });
    let mut peak = 0;
    let whole = best(runs, || peak = peak.max(check(path)));
    let bytes = fs::metadata(path).unwrap().len() as f64;
    println!(
        "{kind:>7} {instances:>9} {:>6.1} MB {raw:>9.1?} {typed:>9.1?} {tree:>9.1?} {whole:>9.1?} {:>7.2} {:>7.2} {:>7.2} {:>6.1} MB {:>7.2}",
        bytes / 1e6,
        ratio(whole, raw),
        ratio(whole, typed),
        ratio(whole, tree),
        peak as f64 / 1e6,
        peak as f64 / bytes
    );
}

/// A plan whose objects are `O`.
#[derive(Deserialize)]
struct Plan<'a, O> {
    #[serde(borrow, rename = "configuration")]
    _configuration: Option<&'a RawValue>,
    #[serde(rename = "resource_changes")]
    _resource_changes: Vec<Entry<'a, O>>,
}

#[derive(Deserialize)]
struct Entry<'a, O> {
    #[serde(borrow, rename = "address")]
    _address: &'a RawValue,
    #[serde(rename = "type")]
    _type: &'a str,
    #[serde(rename = "change")]
    _change: Change<O>,
}

#[derive(Deserialize)]
struct Change<O> {
    #[serde(rename = "before")]
    _before: O,
    #[serde(rename = "after")]
    _after: O,
    #[serde(rename = "after_unknown")]
    _after_unknown: O,
    #[serde(rename = "after_sensitive")]
    _after_sensitive: O,
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
