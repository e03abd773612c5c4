//! Checking alone, of many configurations: each plan of a directory is grown to some 8,000 instances and checked; then all of
//! them as one plan of 100,000 instances.
//!
//! `cargo bench --bench mix [-- DIR]`: the plans below `DIR`, as `.json` or `.json.gz`, or those of the fixtures. What rules cost
//! hangs on the resources that there are: one configuration tells how fast that one is, and the table which are the slowest.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where something is wrong"
)]

#[path = "common/grow.rs"]
mod grow;
#[path = "common/parts.rs"]
mod parts;

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::Value;

/// That of the program: what is measured here is what the program does.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Instances that a plan is grown to.
const INSTANCES: usize = 8_000;
/// And all that one plan is made of.
const INSTANCES_OF_ALL: usize = 100_000;
/// A grown plan with a longer text is left out.
const MAX_BYTES: u64 = 120_000_000;
/// So often is each checked.
const RUNS: usize = 3;
/// So many of the slowest are told.
const SLOWEST: usize = 12;

fn main() {
    let given = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).map(PathBuf::from);
    let fixtures = || Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let grown = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grown-mix.json");
    let mut rows: Vec<(Duration, usize, PathBuf)> = Vec::new();
    let mut joined = Vec::new();
    for path in plans(&given.unwrap_or_else(fixtures)) {
        let Some(plan) = read(&path) else { continue };
        let mut out = BufWriter::new(File::create(&grown).unwrap());
        let Ok(instances) = grow::grow(&plan, INSTANCES, &mut out) else { continue };
        out.flush().unwrap();
        if fs::metadata(&grown).unwrap().len() <= MAX_BYTES {
            rows.push((check(&grown), instances, path));
            joined.push(plan);
        }
    }
    rows.sort_by(|a, b| per_100_000(b.0, b.1).total_cmp(&per_100_000(a.0, a.1)));
    let (time, instances) =
        rows.iter().fold((Duration::ZERO, 0), |all, (time, instances, _)| (all.0 + *time, all.1 + instances));
    println!("{} plans, {instances} instances, checked alone in {time:.1?}", rows.len());
    println!("{:>7.1} ms for 100,000 instances of all together", per_100_000(time, instances));
    let (time, instances, _) = &rows[rows.len() / 2];
    println!(
        "{:>7.1} ms for 100,000 instances of the median plan; of the slowest:",
        per_100_000(*time, *instances)
    );
    for (time, instances, path) in rows.iter().take(SLOWEST) {
        println!("{:>7.1} ms {}", per_100_000(*time, *instances), path.display());
    }
    let mut out = BufWriter::new(File::create(&grown).unwrap());
    let instances = grow::join(&joined, INSTANCES_OF_ALL, &mut out).unwrap();
    out.flush().unwrap();
    println!("{:>7.1?} for {instances} instances of all {} as one plan", check(&grown), joined.len());
    fs::remove_file(&grown).unwrap();
}

/// How long a plan is checked, at best.
fn check(plan: &Path) -> Duration {
    let times = parts::times(plan, RUNS);
    times.iter().find(|(name, _)| *name == "check").unwrap().1
}

/// The plans below a directory, in the order of their paths.
fn plans(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { plans(&path) } else { vec![path] }).collect()
}

/// A plan that can be grown.
fn read(path: &Path) -> Option<Value> {
    let name = path.file_name()?.to_str()?;
    let (plain, is_packed) = name.strip_suffix(".gz").map_or((name, false), |plain| (plain, true));
    plain.strip_suffix(".json")?;
    let mut text = fs::read(path).unwrap();
    if is_packed {
        let packed = std::mem::take(&mut text);
        GzDecoder::new(packed.as_slice()).read_to_end(&mut text).ok()?;
    }
    let plan: Value = serde_json::from_slice(&text).ok()?;
    // Fixtures are of versions that nobody reads, too.
    let is_read = plan["format_version"].as_str()?.starts_with(['0', '1']);
    (is_read && grow::managed(&plan) > 0).then_some(plan)
}

/// Milliseconds.
fn per_100_000(time: Duration, instances: usize) -> f64 {
    time.as_secs_f64() * 1e3 / instances as f64 * 1e5
}
