//! What every run costs before it reads any input: the rules loaded and compiled, and the catalog's first and later answers.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is wrong"
)]

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use airgate::catalog::Catalog;
use airgate::rules::{self, RuleSet};
use airgate::source::Sources;
use airgate::{check, config};

const RUNS: u32 = 50;

fn main() {
    // The first calls read the tables; nothing may have asked for them before.
    let first = once(|| {
        black_box(Catalog::get().types().len());
    });
    let schema = once(|| {
        black_box(Catalog::get().schema("aws_sagemaker_domain").is_some());
    });
    println!("catalog, first use      {first:>10.2?}");
    println!("one schema, first use   {schema:>10.2?}");

    let load = best(|| {
        black_box(RuleSet::builtin().unwrap());
    });
    let set = RuleSet::builtin().unwrap();
    let compile = best(|| {
        let arena = bumpalo::Bump::new();
        let file = Sources::default().add("rules", "");
        black_box(rules::compile(&set, &arena, file, check::vocabulary(), |_| true).unwrap().len());
    });
    println!("rules loaded            {load:>10.2?}  {} rules", set.len());
    println!("rules compiled          {compile:>10.2?}");

    let types: Vec<&str> = Catalog::get().types().iter().map(|info| info.name).collect();
    let lookups = best(|| {
        for name in &types {
            black_box((Catalog::get().kind(name).is_some(), Catalog::get().links(name).len()));
        }
    });
    println!("kind and links          {:>10.2?}  a type", lookups / u32::try_from(types.len()).unwrap());

    let options = config::Options::default();
    let nothing = best(|| {
        let rules = airgate::rule_set(&options).unwrap();
        black_box(airgate::analyze_text(&[("main.tf", "")], &rules, &options.config).unwrap().findings.len());
    });
    println!("an empty module checked {nothing:>10.2?}");

    // All that a run costs beside its input: a process that starts, loads every rule, checks an empty root and writes JSON.
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty-root");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("main.tf"), "").unwrap();
    let start = best(|| {
        let mut airgate = Command::new(env!("CARGO_BIN_EXE_airgate"));
        airgate.args(["check", "--no-config", "--format", "json"]).arg(&root).stdout(Stdio::null());
        assert!(airgate.status().unwrap().success());
    });
    println!("an empty root, process  {start:>10.2?}");
}

fn once(mut run: impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn best(mut run: impl FnMut()) -> Duration {
    (0..RUNS).map(|_| once(&mut run)).min().unwrap()
}
