//! Holds the reading of Terraform source against Terraform: every folder below `fixtures/` with a root module and the
//! `plan.json` that Terraform made of it. The instances must be the same, and no value may be another one.
//!
//! Folders below the directory that `AIRGATE_SOURCES` names are held to the same; they may be of any size.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail the test, and say what was compared"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use airgate::catalog;
use airgate::input::Inputs;
use airgate::program::{Mode, Program};
use airgate::source::Sources;
use airgate::terraform::source::variables::{RunOptions, ValueOption};
use airgate::value::{Cause, Kind, Value};
use serde_json::Value as Json;

/// Values that Terraform knows and airgate does not, and why: folder, block address, attribute path.
const UNKNOWN: &[(&str, &str, &str, &str)] = &[
    ("source/unknown-dynamic", "aws_security_group.", "ingress", SHOWN_ONCE),
    ("source/unknown-dynamic", "aws_security_group.", "egress", SHOWN_ONCE),
];

/// Terraform shows one block where there may be none or many.
const SHOWN_ONCE: &str = "an unknown dynamic block is shown as one";

/// What comparing has found.
#[derive(Debug, Default)]
struct Tally {
    /// Leaves that both know and that are equal.
    equal: usize,
    /// Leaves that neither knows.
    neither: usize,
    /// Leaves that the plan alone knows: address, path, why we do not.
    unknown: Vec<(String, String, String)>,
    /// Leaves that we know and that the plan says are something else, or unknown.
    different: Vec<String>,
}

/// A resource in the plan, and what is unknown of it.
struct Planned<'j> {
    after: &'j Json,
    unknown: &'j Json,
}

/// Where comparing is.
struct At<'a> {
    address: &'a str,
    path: String,
}

impl Tally {
    fn compare(&mut self, ours: &Value, plan: &Planned<'_>, at: &At<'_>) {
        let below = |step: &str| At {
            address: at.address,
            path: if at.path.is_empty() { step.to_owned() } else { format!("{}.{step}", at.path) },
        };
        if *plan.unknown == Json::Bool(true) {
            // A provider may take a set or map with one unknown element for wholly unknown.
            match &ours.kind {
                _ if !ours.is_wholly_known() => self.neither += 1,
                _ => self.differ(ours, &Json::from("(known after apply)"), at),
            }
            return;
        }
        match (&ours.kind, plan.after) {
            (Kind::Unknown(unknown), _) => {
                // What nobody set the provider decides, and often it does so in the plan.
                if unknown.cause != Cause::Provider {
                    self.unknown.push((at.address.to_owned(), at.path.clone(), unknown.cause.to_string()));
                }
            }
            // Providers say null of an empty collection.
            (_, Json::Null) if is_empty(ours) => self.equal += 1,
            (Kind::Set(items), Json::Array(others)) => self.sets(items, others, plan.unknown, &below("*")),
            (Kind::List(items) | Kind::Tuple(items), Json::Array(others)) if items.len() == others.len() => {
                for (index, (item, after)) in items.iter().zip(others).enumerate() {
                    let part = Planned { after, unknown: &plan.unknown[index] };
                    self.compare(item, &part, &below(&index.to_string()));
                }
            }
            (Kind::Map(map) | Kind::Object(map), Json::Object(others)) => {
                for (name, item) in map.iter() {
                    let after = others.get(name.as_str()).unwrap_or(&Json::Null);
                    let part = Planned { after, unknown: &plan.unknown[name.as_str()] };
                    self.compare(item, &part, &below(name));
                }
                // Of a resource we need not know all; of a map all keys must be there.
                if let (Kind::Map(_), Some(key)) =
                    (&ours.kind, others.keys().find(|key| map.get(key).is_none()))
                {
                    self.differ(&Value::NULL, &others[key], &below(key));
                }
            }
            (_, after) if same(ours, after) => self.equal += 1,
            // Inside of blocks, older providers say the zero of a type for null.
            (Kind::Null, zero) if is_zero(zero) && at.path.contains('.') => self.equal += 1,
            (_, after) => self.differ(ours, after, at),
        }
    }

    /// Each of our elements is one of theirs, and there are as many.
    fn sets(&mut self, items: &[Value], others: &[Json], unknown: &Json, at: &At<'_>) {
        let mut left: Vec<usize> = (0..others.len()).collect();
        for item in items {
            let attempts = left.iter().enumerate().filter_map(|(place, &index)| {
                let mut tally = Self::default();
                tally.compare(item, &Planned { after: &others[index], unknown: &unknown[index] }, at);
                tally.different.is_empty().then_some((tally.unknown.len(), place, tally))
            });
            match attempts.min_by_key(|(unknown, place, _)| (*unknown, *place)) {
                Some((_, place, tally)) => {
                    left.remove(place);
                    self.add(tally);
                }
                None => self.differ(item, &Json::from(others.to_vec()), at),
            }
        }
        if let Some(&index) = left.first() {
            self.differ(&Value::NULL, &others[index], at);
        }
    }

    fn add(&mut self, other: Self) {
        self.equal += other.equal;
        self.neither += other.neither;
        self.unknown.extend(other.unknown);
        self.different.extend(other.different);
    }

    fn differ(&mut self, ours: &Value, plan: &Json, at: &At<'_>) {
        self.different.push(format!("{}: {}: ours {}, the plan {plan}", at.address, at.path, show(ours)));
    }
}

/// Whether two leaves, or two empty collections, are the same.
fn same(ours: &Value, plan: &Json) -> bool {
    match (&ours.kind, plan) {
        (Kind::Null, plan) => plan.is_null(),
        (Kind::Bool(ours), Json::Bool(plan)) => ours == plan,
        (Kind::Number(ours), Json::Number(plan)) => {
            let (ours, plan) = (ours.to_f64(), plan.as_f64().unwrap_or(f64::NAN));
            (ours - plan).abs() <= plan.abs() * 1e-12
        }
        (Kind::String(ours), Json::String(plan)) => ours == plan || same_json(ours, plan),
        _ => false,
    }
}

fn is_zero(plan: &Json) -> bool {
    plan.as_str() == Some("") || plan.as_bool() == Some(false) || plan.as_array().is_some_and(Vec::is_empty)
}

fn is_empty(ours: &Value) -> bool {
    ours.items().is_some_and(<[Value]>::is_empty) || ours.map().is_some_and(airgate::value::Map::is_empty)
}

/// Providers write JSON documents in their own order.
fn same_json(ours: &str, plan: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Json>(text).ok().filter(Json::is_object);
    parse(ours).is_some_and(|ours| Some(ours) == parse(plan))
}

/// As text for the person who reads the failure.
fn show(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(value) => value.to_string(),
        Kind::String(value) => format!("{value:?}"),
        Kind::Unknown(unknown) => format!("unknown ({})", unknown.cause),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Kind::Map(map) | Kind::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// What airgate makes of a folder; `vars.txt` in it holds what the command line gave, an option on each line.
fn program(folder: &Path) -> (Program, Sources) {
    let mut sources = Sources::default();
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
    let inputs = Inputs::read(&[folder.to_owned()], &options, &mut sources).unwrap();
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    (program, sources)
}

/// Compares the managed resources; what differs is returned as text.
fn compare(folder: &Path) -> Result<Tally, Vec<String>> {
    let (program, _) = program(folder);
    let plan: Json = serde_json::from_slice(&std::fs::read(folder.join("plan.json")).unwrap()).unwrap();
    let changes: Vec<&Json> = plan["resource_changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|change| change["mode"] == "managed")
        .collect();
    let mut tally = Tally::default();
    let theirs: BTreeSet<&str> = changes.iter().map(|change| change["address"].as_str().unwrap()).collect();
    let managed = || program.resources.iter().filter(|resource| resource.mode == Mode::Managed);
    let ours: BTreeSet<&str> = managed().map(|resource| resource.address.as_str()).collect();
    let missing = theirs.difference(&ours).map(|address| format!("{address}: the plan has it, we do not"));
    let extra = ours.difference(&theirs).map(|address| format!("{address}: we have it, the plan does not"));
    let mut wrong: Vec<String> = missing.chain(extra).collect();
    let diagnostics = program.diagnostics.iter().filter(|d| d.level != airgate::diagnostic::Level::Notice);
    wrong.extend(diagnostics.map(|d| format!("diagnostic: {}", d.message)));
    for change in changes {
        let address = change["address"].as_str().unwrap();
        let Some(resource) = managed().find(|resource| resource.address == address) else { continue };
        let after = catalog::complete(&resource.type_name, resource.after.clone().unwrap(), true);
        let planned =
            Planned { after: &change["change"]["after"], unknown: &change["change"]["after_unknown"] };
        tally.compare(&after, &planned, &At { address, path: String::new() });
    }
    wrong.append(&mut tally.different);
    if wrong.is_empty() { Ok(tally) } else { Err(wrong) }
}

/// The folders below `root` that hold a plan and its source.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
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
    let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let endings = [".tf", ".tf.json", ".tofu", ".tofu.json"];
    entries.any(|path| endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)))
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Compares all folders: how many leaves are equal, the lines that are wrong, and the leaves that only the plan knows.
fn compare_all(root: &Path) -> (usize, Vec<String>, Vec<[String; 4]>) {
    let (mut wrong, mut unknown, mut equal) = (Vec::new(), Vec::new(), 0);
    for folder in folders(root) {
        let name = folder.strip_prefix(root).unwrap().display().to_string();
        match compare(&folder) {
            Ok(tally) => {
                let Tally { equal: same, neither, unknown: ours, .. } = tally;
                println!(
                    "{name}: {same} equal, {neither} known to neither, {} to the plan alone",
                    ours.len()
                );
                equal += same;
                unknown
                    .extend(ours.into_iter().map(|(address, path, why)| [name.clone(), address, path, why]));
            }
            Err(lines) => wrong.extend(lines.into_iter().map(|line| format!("{name}: {line}"))),
        }
    }
    println!("{equal} leaves are equal");
    (equal, wrong, unknown)
}

#[test]
fn source_says_what_the_plan_says() {
    let (equal, wrong, unknown) = compare_all(&fixtures());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let is_of = |leaf: &[String; 4], (folder, block, path, _): &(&str, &str, &str, &str)| {
        leaf[0] == *folder && leaf[1].starts_with(block) && leaf[2].starts_with(path)
    };
    let is_known_gap = |leaf: &&[String; 4]| UNKNOWN.iter().any(|gap| is_of(leaf, gap));
    let gaps: Vec<_> =
        unknown.iter().filter(|leaf| !is_known_gap(leaf)).map(|leaf| leaf.join(" | ")).collect();
    assert!(gaps.is_empty(), "{} are known to Terraform and not to us:\n{}", gaps.len(), gaps.join("\n"));
    for gap in UNKNOWN {
        assert!(unknown.iter().any(|leaf| is_of(leaf, gap)), "{gap:?} is known by now");
    }
    assert!(equal > 2_200, "only {equal} leaves were compared");
}

#[test]
fn sources_of_others_say_what_their_plans_say() {
    let Some(root) = std::env::var_os("AIRGATE_SOURCES").map(PathBuf::from) else {
        println!("skipped: AIRGATE_SOURCES names no directory");
        return;
    };
    let (_, wrong, unknown) = compare_all(&root);
    for leaf in unknown {
        println!("only the plan knows: {}", leaf.join(" | "));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
