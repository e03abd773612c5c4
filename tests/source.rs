//! Holds the reading of Terraform source against Terraform: every folder below `fixtures/` with a root module and the
//! `plan.json` that Terraform made of it. The instances must be the same, and no value may be another one.
//!
//! Folders below the directory that `AIRGATE_SOURCES` names are held to the same; they may be of any size. `cargo xtask
//! compare-plan` says of one of them what differs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail the test, and say what was compared"
)]

#[path = "common/compare/mod.rs"]
mod compare;

use std::path::{Path, PathBuf};

use airgate::eval::Mode;
use airgate::input::Inputs;
use airgate::program::Program;
use airgate::source::Sources;
use airgate::terraform::source::variables::{RunOptions, ValueOption};
use compare::{Comparison, Different, Leaves, Unknown};

/// Values that Terraform knows and airgate does not, and why: folder, block address, attribute path.
const UNKNOWN: &[(&str, &str, &str, &str)] = &[
    ("source/unknown-dynamic", "aws_security_group.", "ingress", SHOWN_ONCE),
    ("source/unknown-dynamic", "aws_security_group.", "egress", SHOWN_ONCE),
];

/// Terraform shows one block where there may be none or many.
const SHOWN_ONCE: &str = "an unknown dynamic block is shown as one";

/// How much of what the plans know must be known, in percent.
const KNOWN: f64 = 98.0;

/// Compares a folder; `vars.txt` in it holds what the command line gave, an option on each line.
fn compare(folder: &Path) -> Comparison {
    let given = std::fs::read_to_string(folder.join("vars.txt")).unwrap_or_default();
    let mut options = RunOptions::default();
    for line in given.lines() {
        let (option, text) = line.split_once(' ').unwrap();
        let pair = || text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
        match option {
            "--var" => options.values.push(ValueOption::Var(pair().0, pair().1)),
            "--var-file" => options.values.push(ValueOption::File(folder.join(text))),
            "--workspace" => options.workspace = Some(text.to_owned()),
            "TF_VAR" => options.environment.push(pair()),
            other => panic!("{other:?} is no option"),
        }
    }
    let mut sources = Sources::default();
    let ours = program(folder, &options, &mut sources);
    let strict = RunOptions { mode: Mode::Strict, ..options };
    let strict = program(folder, &strict, &mut Sources::default());
    let plan = serde_json::from_slice(&std::fs::read(folder.join("plan.json")).unwrap()).unwrap();
    compare::compare(&ours, &strict, &sources, &plan)
}

fn program(folder: &Path, options: &RunOptions, sources: &mut Sources) -> Program {
    let inputs = Inputs::read(&[folder.to_owned()], options, sources).unwrap();
    inputs.items.first().unwrap().program(&inputs, sources, &|_| true).unwrap()
}

/// Plans of what is there already and is not as the source says: the state decides in them what nobody set.
const DRIFTED: &str = "drift";

/// The folders below `root` that hold a plan and its source.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(DRIFTED) {
            continue;
        }
        if path.join("plan.json").is_file() && has_source(&path) {
            out.push(path);
        } else if path.is_dir() {
            out.extend(folders(&path));
        }
    }
    out.sort();
    out
}

fn has_source(folder: &Path) -> bool {
    let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let ends = [".tf", ".tofu", ".tf.json", ".tofu.json"];
    entries.any(|name| ends.iter().any(|end| name.to_string_lossy().ends_with(end)))
}

/// What all folders have together.
#[derive(Default)]
struct Total {
    instances: usize,
    leaves: Leaves,
    /// A line for each thing that is wrong.
    wrong: Vec<String>,
    /// What only the plans know: folder, address, path, why.
    unknown: Vec<[String; 4]>,
}

impl Total {
    fn of(root: &Path) -> Self {
        let mut total = Self::default();
        for folder in folders(root) {
            let name = folder.strip_prefix(root).unwrap().display().to_string();
            total.add(&name, compare(&folder));
        }
        let Self { instances, leaves, .. } = &total;
        println!("all: {instances} instances; {}", describe(leaves));
        total
    }

    fn add(&mut self, folder: &str, comparison: Comparison) {
        let instances = comparison.managed.total() + comparison.data.total();
        println!("{folder}: {instances} instances; {}", describe(&comparison.leaves));
        self.instances += instances;
        self.wrong.extend(wrong(&comparison).into_iter().map(|line| format!("{folder}: {line}")));
        let unknown = comparison.leaves.unknown.iter();
        let row = |of: &Unknown| [folder.to_owned(), of.address.clone(), of.path.clone(), of.cause.clone()];
        self.unknown.extend(unknown.map(row));
        self.leaves.add(comparison.leaves);
    }
}

fn describe(leaves: &Leaves) -> String {
    format!(
        "{} leaves are set and known to the plan, {:.2} % of them to us; {} known to us alone, {} to neither; {} not set and equal",
        leaves.known_to_plan(),
        leaves.percent(),
        leaves.ahead,
        leaves.neither,
        leaves.filled
    )
}

/// Everything in which source and plan must agree and do not.
fn wrong(comparison: &Comparison) -> Vec<String> {
    let mut out = comparison.diagnostics.clone();
    for addresses in [&comparison.managed, &comparison.data] {
        out.extend(addresses.missing.iter().map(|address| format!("{address}: the plan has it, we do not")));
        out.extend(addresses.extra.iter().map(|address| format!("{address}: we have it, the plan does not")));
        out.extend(addresses.symbolic.iter().map(|address| format!("{address}: its key is not known to us")));
    }
    let leaves = comparison.leaves.different.iter();
    out.extend(leaves.map(|Different { address, path, ours, plan }| {
        format!("{address}: {path}: ours {ours}, the plan {plan}")
    }));
    out
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn source_says_what_the_plan_says() {
    let Total { leaves, wrong, unknown, .. } = Total::of(&fixtures());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let is_of = |[folder, address, path, _]: &[String; 4], gap: &(&str, &str, &str, &str)| {
        folder == gap.0 && address.starts_with(gap.1) && path.starts_with(gap.2)
    };
    let is_known_gap = |leaf: &&[String; 4]| UNKNOWN.iter().any(|gap| is_of(leaf, gap));
    let gaps: Vec<_> =
        unknown.iter().filter(|leaf| !is_known_gap(leaf)).map(|leaf| leaf.join(" | ")).collect();
    assert!(gaps.is_empty(), "{} are known to Terraform and not to us:\n{}", gaps.len(), gaps.join("\n"));
    for gap in UNKNOWN {
        assert!(unknown.iter().any(|leaf| is_of(leaf, gap)), "{gap:?} is known by now");
    }
    assert!(leaves.equal > 2_500, "only {} leaves were compared", leaves.equal);
    assert!(leaves.percent() >= KNOWN, "only {:.2} % of the leaves are known", leaves.percent());
}

#[test]
fn sources_of_others_say_what_their_plans_say() {
    let Some(root) = std::env::var_os("AIRGATE_SOURCES").map(PathBuf::from) else {
        println!("skipped: AIRGATE_SOURCES names no directory");
        return;
    };
    let Total { wrong, unknown, .. } = Total::of(&root);
    for leaf in unknown {
        println!("only the plan knows: {}", leaf.join(" | "));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
