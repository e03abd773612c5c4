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
mod grow;
#[path = "common/whole_run.rs"]
mod whole_run;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use airgate::assemble::{self, Part};
use airgate::check::{self, Asked, Earlier, Rules, Wanted};
use airgate::config::Config;
use airgate::facts::Facts;
use airgate::graph::{Before, ResourceGraph};
use airgate::input::Inputs;
use airgate::report::{self, Format};
use airgate::rules::RuleSet;
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use whole_run::{RUNS, best, check};

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
            Some(real) if instances == 5_000 => ("real", real.clone(), managed(&plan)),
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

fn managed(plan: &Value) -> usize {
    let changes = plan["resource_changes"].as_array().unwrap();
    changes.iter().filter(|change| change["mode"] == "managed").count()
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

/// The best times of the parts of a run.
fn times(path: &Path, runs: usize) -> Vec<(&'static str, Duration)> {
    let all: Vec<_> = (0..runs).map(|_| one(path)).collect();
    let best = |i: usize| (all[0][i].0, all.iter().map(|times| times[i].1).min().unwrap());
    (0..all[0].len()).map(best).collect()
}

/// The parts of [`airgate::analyze`] one after the other.
fn one(path: &Path) -> Vec<(&'static str, Duration)> {
    let mut times = Vec::new();
    let mut last = Instant::now();
    let mut lap = |name| {
        times.push((name, last.elapsed()));
        last = Instant::now();
    };
    let set = RuleSet::builtin().unwrap();
    let arena = bumpalo::Bump::new();
    let mut sources = Sources::default();
    let file = sources.add("rules", "");
    let wanted = Wanted::by(&set);
    let rules = Rules::compile(&set, &arena, file, |_| true).unwrap();
    lap("rules");
    let inputs = Inputs::read(&[path.to_owned()], &RunOptions::default(), &mut sources).unwrap();
    lap("bytes to text");
    let mut program = inputs.items[0].program(&inputs, &sources, &|name| wanted.wants(name)).unwrap();
    inputs.items[0].release(&sources);
    lap("text to program");
    let part = Part::new(&mut program);
    let graph = ResourceGraph::build(program);
    let before = graph.before();
    lap("graph");
    let config = Config::default();
    let facts = Facts::new(&graph, &config);
    lap("facts");
    let was = if let Before::Other(before) = &before { Some(Facts::new(before, &config)) } else { None };
    let earlier = match &before {
        Before::Untold => Earlier::Untold,
        _ => was.as_ref().map_or(Earlier::Same, Earlier::Other),
    };
    let checked = check::check(&facts, earlier, None, None, &rules, Asked::default());
    lap("check");
    let part = part.checked(&facts, &before, checked);
    let infos = set.iter().map(|rule| set.info(rule)).collect();
    let report =
        assemble::report(infos, Vec::new(), set.digest().to_owned(), vec![part], Vec::new(), sources);
    lap("assemble");
    report::write(&report, Format::Json, &report::Options::default(), &mut std::io::sink()).unwrap();
    lap("write JSON");
    drop((facts, was));
    drop((before, graph));
    lap("free the graph");
    times
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
