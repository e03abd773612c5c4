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
    // One that has resources reads the tables of the catalog and compiles the rules for their types beside.
    println!("an empty root, process  {:>10.2?}", process("empty-root", ""));
    println!("a small root, process   {:>10.2?}", process("small-root", SMALL));
}

/// A root module that a run needs all tables for.
const SMALL: &str = r#"
resource "aws_s3_bucket" "data" {
  bucket = "data"
}

resource "aws_sagemaker_notebook_instance" "lab" {
  name          = "lab"
  role_arn      = aws_iam_role.lab.arn
  instance_type = "ml.t3.medium"
}

resource "aws_iam_role" "lab" {
  name               = "lab"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
"#;

/// The time of a process that checks a root module of one file.
fn process(name: &str, text: &str) -> Duration {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("main.tf"), text).unwrap();
    best(|| {
        let mut airgate = Command::new(env!("CARGO_BIN_EXE_airgate"));
        airgate.args(["check", "--no-config", "--exit-zero", "--format", "json"]).arg(&root);
        assert!(airgate.stdout(Stdio::null()).status().unwrap().success());
    })
}

fn once(mut run: impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn best(mut run: impl FnMut()) -> Duration {
    (0..RUNS).map(|_| once(&mut run)).min().unwrap()
}
