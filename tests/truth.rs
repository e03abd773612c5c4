//! Holds the evaluator against Terraform: each line of `fixtures/truth/*.jsonl` is an expression and what Terraform 1.11
//! made of it (the `.txt` file beside it is what was asked). Strict mode must agree on all of them: on values, on errors,
//! and on which leaves are unknown.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::Path;
use std::sync::Arc;

use airgate::eval::{Directory, Mode, Scope, try_evaluate};
use airgate::hcl::parse_expression;
use airgate::source::Sources;
use airgate::value::{Cause, Kind, Reference, Type, Unknown, Value};
use serde_json::Value as Json;

/// Functions that Terraform evaluates and airgate does not: unknown here, for this cause. `format` is evaluated but for a
/// null, whose type decides and is not kept.
const NOT_EVALUATED: &[&str] =
    &["format", "textdecodebase64", "textencodebase64", "yamldecode", "yamlencode"];

/// Where airgate differs on purpose, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("tostring(-0.0)", "numbers have one zero"),
    ("jsonencode(-0)", "numbers have one zero"),
    ("merge(tomap({ a = 1 }), tomap({})) == tomap({ a = 1 })", "an empty map has no element type"),
    ("coalescelist(null, [\"b\"])", "a null has no type, and is taken for a list"),
    ("regex(\"(?P<n>a)(?P<n>b)\", \"ab\")", "the names of groups must differ"),
    ("cidrsubnet(\"10.0.0.0/16\", -1, 0)", "a negative length has no meaning: unknown"),
    ("cidrsubnet(\"10.0.0.0/16\", 8, -1)", "a negative index has no meaning: unknown"),
];

/// Where `unk` is the id of a resource that is not created yet.
struct Planned;

impl Scope for Planned {
    fn lookup(&self, root: &str, _: &[&str]) -> Result<(Value, usize), String> {
        if root != "unk" {
            return Err(format!("`{root}` is not declared"));
        }
        let reference = Arc::new(Reference { resource: "terraform_data.unk".into(), attribute: "id".into() });
        let unknown = Unknown {
            ty: Type::String,
            not_null: true,
            ..Unknown::new(Cause::Resource(Arc::clone(&reference)))
        };
        Ok((Value { reference: Some(reference), ..Value::from_unknown(unknown) }, 0))
    }

    fn directory(&self) -> Option<Directory<'_>> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
        Some(Directory { path, tree: path })
    }
}

/// What came of one expression.
enum Outcome {
    Agrees,
    NotEvaluated(String),
    Differs(String),
}

fn evaluate(text: &str) -> Result<Value, String> {
    let mut sources = Sources::default();
    let file = sources.add("expression.tf", text);
    let arena = bumpalo::Bump::new();
    let (expr, diagnostics) = parse_expression(text, file, &arena);
    if let Some(diagnostic) = diagnostics.first() {
        return Err(diagnostic.message.clone());
    }
    try_evaluate(&expr, file, &Planned, Mode::Strict).map_err(|error| error.message)
}

fn check(line: &Json) -> Outcome {
    let text = line["expr"].as_str().unwrap();
    let ours = evaluate(text);
    if let Ok(value) = &ours {
        let skipped = value.causes().into_iter().find_map(|cause| match cause {
            Cause::Function(name) if NOT_EVALUATED.contains(&name.as_str()) => Some(name.to_string()),
            _ => None,
        });
        if let Some(name) = skipped {
            return Outcome::NotEvaluated(name);
        }
    }
    match (ours, line.get("error")) {
        (Err(_), Some(_)) => Outcome::Agrees,
        (Err(message), None) => Outcome::Differs(format!("is no error, but: {message}")),
        (Ok(value), Some(error)) => Outcome::Differs(format!("got {}, but {error}", show(&value))),
        (Ok(value), None) => {
            let value_mark = line.get("value").unwrap_or(&Json::Null);
            let unknown_mark = line.get("unknown").unwrap_or(&Json::Bool(false));
            if agrees(&value, value_mark, unknown_mark) {
                Outcome::Agrees
            } else {
                Outcome::Differs(format!("got {}, not {value_mark} unknown {unknown_mark}", show(&value)))
            }
        }
    }
}

/// Whether our value is Terraform's, which is told as in a plan: the known part, and a mark for each unknown leaf.
fn agrees(ours: &Value, value: &Json, unknown: &Json) -> bool {
    if *unknown == Json::Bool(true) || ours.is_unknown() {
        return ours.is_unknown() && *unknown == Json::Bool(true);
    }
    match (&ours.kind, value) {
        (Kind::Null, _) => value.is_null(),
        (Kind::Bool(ours), Json::Bool(value)) => ours == value,
        (Kind::String(ours), Json::String(value)) => ours == value,
        (Kind::Number(ours), Json::Number(value)) => {
            // The tool that stores the answers has 64-bit floats.
            let (ours, value) = (ours.to_f64(), value.as_f64().unwrap_or(f64::NAN));
            (ours - value).abs() <= value.abs() * 1e-12
        }
        (Kind::List(_) | Kind::Set(_) | Kind::Tuple(_), Json::Array(values)) => {
            let items = ours.items().unwrap_or_default();
            items.len() == values.len()
                && items
                    .iter()
                    .zip(values)
                    .enumerate()
                    .all(|(i, (item, value))| agrees(item, value, &unknown[i]))
        }
        (Kind::Map(map) | Kind::Object(map), Json::Object(values)) => {
            // What is unknown is left out of the values.
            values.keys().all(|key| map.get(key).is_some())
                && map.iter().all(|(key, item)| {
                    agrees(item, values.get(key.as_str()).unwrap_or(&Json::Null), &unknown[key.as_str()])
                })
        }
        _ => false,
    }
}

/// As text for the person who reads the failure.
fn show(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(value) => value.to_string(),
        Kind::String(value) => format!("{value:?}"),
        Kind::Unknown(unknown) => format!("unknown {} ({})", unknown.ty, unknown.cause),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Kind::Map(map) | Kind::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn lines(file: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn files() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/truth");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

#[test]
fn agrees_with_terraform() {
    let (mut agreed, mut failures, mut skipped) = (0, Vec::new(), std::collections::BTreeMap::new());
    let mut differing = Vec::new();
    for file in files() {
        for line in lines(&file) {
            let text = line["expr"].as_str().unwrap().to_owned();
            match check(&line) {
                Outcome::Agrees => agreed += 1,
                Outcome::NotEvaluated(name) => *skipped.entry(name).or_insert(0) += 1,
                Outcome::Differs(_) if DIFFERENCES.iter().any(|(known, _)| *known == text) => {
                    differing.push(text);
                }
                Outcome::Differs(how) => failures.push(format!("{text}\n    {how}")),
            }
        }
    }
    println!("{agreed} agree, {} differ on purpose, not evaluated: {skipped:?}", differing.len());
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(agreed >= 1500, "the fixtures are not complete: {agreed}");
    for (known, why) in DIFFERENCES {
        assert!(differing.iter().any(|text| text == known), "{known} differs no more: {why}");
    }
    let unused: Vec<_> = NOT_EVALUATED.iter().filter(|name| !skipped.contains_key(**name)).collect();
    assert!(unused.is_empty(), "evaluated by now: {unused:?}");
}

#[test]
fn every_function_is_asked_about() {
    let asked: String = files().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    // These read files or cannot be told from one run to the next; their own tests hold them.
    let others =
        ["abspath", "plantimestamp", "rsadecrypt", "filebase64sha256", "filebase64sha512", "filemd5"];
    let others = [&others[..], &["filesha1", "filesha256", "filesha512"]].concat();
    let missing: Vec<_> = airgate::eval::functions::names()
        .filter(|name| !others.contains(name) && !asked.contains(&format!("{name}(")))
        .collect();
    assert!(missing.is_empty(), "no expression uses {missing:?}");
}

#[test]
fn the_answers_are_to_what_was_asked() {
    for file in files() {
        let asked = std::fs::read_to_string(file.with_extension("txt")).unwrap();
        let asked: Vec<_> = asked
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            .collect();
        let answered = lines(&file);
        let answered: Vec<_> = answered.iter().map(|line| line["expr"].as_str().unwrap()).collect();
        let mut sorted = (asked.clone(), answered.clone());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1, "{}: run tools for ground truth again", file.display());
    }
}
