//! Terraform source: a thousand instances of one module, and a tree of thousands of files.
//!
//! `cargo bench --bench source [-- INSTANCES]`: the first as a whole process with its peak memory, and the parts of it; the
//! second from bytes to graph on one core. `AIRGATE_BENCH_DIR` names a directory whose `.tf` files are measured as well,
//! every directory with some as a root module.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where something is wrong"
)]

#[path = "../tests/common/teams.rs"]
mod teams;
#[path = "common/whole_run.rs"]
mod whole_run;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use airgate::config::Config;
use airgate::facts::Facts;
use airgate::graph::ResourceGraph;
use airgate::input::Inputs;
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use whole_run::{RUNS, best, check};

/// That of the program: what is measured here is what the program does.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The files of the generated tree.
const FILES: usize = 9_000;

fn main() {
    let instances = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1_000);
    let root = write(instances);
    let mut peak = 0;
    let whole = best(RUNS, || peak = peak.max(check(&root)));
    println!("root          {instances} module instances, {} resources each", teams::RESOURCES);
    println!(
        "airgate check {whole:>10.2?}  whole process, JSON output; peak memory {:.1} MB",
        peak as f64 / 1e6
    );
    parts(&root);

    tree("generated", &generated());
    if let Some(dir) = std::env::var_os("AIRGATE_BENCH_DIR") {
        let mut found = Vec::new();
        collect(Path::new(&dir), &mut found);
        tree("given", &found);
    }
}

/// What a run spends where.
fn parts(root: &Path) {
    let config = Config::default();
    let (mut read, mut evaluate, mut graph, mut facts) = Default::default();
    for _ in 0..RUNS {
        let mut sources = Sources::default();
        let start = Instant::now();
        let inputs = Inputs::read(&[root.to_owned()], &RunOptions::default(), &mut sources).unwrap();
        keep(&mut read, start);
        let start = Instant::now();
        let program = inputs.items.first().unwrap().program(&inputs, &sources, &|_| true).unwrap();
        keep(&mut evaluate, start);
        let start = Instant::now();
        let built = ResourceGraph::build(program);
        keep(&mut graph, start);
        let start = Instant::now();
        std::hint::black_box(Facts::new(&built, &config));
        keep(&mut facts, start);
    }
    println!("  read {read:.2?}, parse and evaluate {evaluate:.2?}, graph {graph:.2?}, facts {facts:.2?}");
}

/// Keeps the shorter time.
fn keep(best: &mut Duration, start: Instant) {
    let time = start.elapsed();
    *best = if best.is_zero() { time } else { time.min(*best) };
}

/// Writes the root module and the module that it calls.
fn write(instances: usize) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("teams-{instances}"));
    fs::create_dir_all(root.join("team")).unwrap();
    fs::write(root.join("main.tf"), teams::root(instances)).unwrap();
    fs::write(root.join("team/main.tf"), teams::TEAM).unwrap();
    root
}

/// The files of one directory: their paths and texts.
type Directory = Vec<(String, String)>;

/// A tree of root modules of four files each, all of them different.
fn generated() -> Vec<Directory> {
    let parts: Vec<&str> = teams::TEAM.split_inclusive("\n}\n").collect();
    let of = |number: usize, keep: &dyn Fn(&str) -> bool| {
        let parts: Vec<&str> = parts.iter().copied().filter(|part| keep(part.trim_start())).collect();
        parts.concat().replace("data", &format!("data{number}"))
    };
    let directory = |number: usize| {
        let file =
            |name: &str, keep: &dyn Fn(&str) -> bool| (format!("{number}/{name}.tf"), of(number, keep));
        vec![
            file("variables", &|part| part.starts_with("variable")),
            file("locals", &|part| part.starts_with("locals")),
            file("main", &|part| part.starts_with("resource")),
            file("outputs", &|part| part.starts_with("output")),
        ]
    };
    (0..FILES / 4).map(directory).collect()
}

/// From the bytes of all directories to their graphs, on one core.
fn tree(name: &str, directories: &[Directory]) {
    let bytes: usize = directories.iter().flatten().map(|(_, text)| text.len()).sum();
    let files: usize = directories.iter().map(Vec::len).sum();
    let pool = airgate::eval::pool(1).unwrap();
    let mut instances = 0;
    let time = pool.install(|| {
        let mut best = Duration::default();
        for _ in 0..3 {
            let start = Instant::now();
            instances = directories.iter().map(build).sum();
            keep(&mut best, start);
        }
        best
    });
    println!(
        "{name} tree  {files} files, {:.1} MB, {instances} instances: {time:.2?}, {:.1} MB/s from bytes to graph on one core",
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / time.as_secs_f64()
    );
}

fn build(directory: &Directory) -> usize {
    let files: Vec<(&str, &str)> =
        directory.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut sources = Sources::default();
    let inputs = Inputs::text(&files, &mut sources);
    let program = inputs.items.first().unwrap().program(&inputs, &sources, &|_| true).unwrap();
    ResourceGraph::build(program).graph.node_count()
}

/// Every directory below `dir` that holds `.tf` files, in the order of names.
fn collect(dir: &Path, out: &mut Vec<Directory>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let is_source = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "tf");
    let read = |path: &PathBuf| Some((path.display().to_string(), fs::read_to_string(path).ok()?));
    let files: Directory = paths.iter().filter(is_source).filter_map(read).collect();
    if !files.is_empty() {
        out.push(files);
    }
    for path in paths.iter().filter(|path| path.is_dir() && !path.is_symlink()) {
        collect(path, out);
    }
}
