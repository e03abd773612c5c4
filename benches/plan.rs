//! `airgate check plan.json` as a whole process, against a bare serde_json pass over the same bytes.
//!
//! `cargo bench --bench plan [-- INSTANCES]`: grows a plan of the fixtures by making its root module a module with a
//! `for_each`, as the real Terraform would write it, and prints times (best of several), the ratio and the peak memory.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where something is wrong"
)]

#[path = "common/whole_run.rs"]
mod whole_run;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use whole_run::{best, check};

fn main() {
    let instances = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(5_000);
    let (path, grown) = grow(instances);
    let text = fs::read_to_string(&path).unwrap();
    let bare = best(|| {
        let text = fs::read_to_string(&path).unwrap();
        serde_json::from_str::<IgnoredAny>(&text).unwrap();
    });
    let typed = best(|| {
        let text = fs::read_to_string(&path).unwrap();
        std::hint::black_box(serde_json::from_str::<Plan<'_>>(&text).unwrap());
    });
    let tree = best(|| {
        let text = fs::read_to_string(&path).unwrap();
        std::hint::black_box(serde_json::from_str::<Value>(&text).unwrap());
    });
    let mut peak = 0;
    let whole = best(|| peak = peak.max(check(&path)));
    println!("plan          {grown} managed instances, {:.1} MB", text.len() as f64 / 1e6);
    println!("bare pass     {bare:>10.2?}  read + serde_json IgnoredAny");
    println!("typed pass    {typed:>10.2?}  read + structs with values as RawValue");
    println!("tree          {tree:>10.2?}  read + serde_json::Value");
    println!("airgate check {whole:>10.2?}  whole process, JSON output");
    println!(
        "ratio         {:.2} to the bare pass, {:.2} to the typed pass, {:.2} to the tree",
        ratio(whole, bare),
        ratio(whole, typed),
        ratio(whole, tree)
    );
    println!(
        "peak memory   {:.1} MB, {:.2} of the input",
        peak as f64 / 1e6,
        peak as f64 / text.len() as f64
    );
}

/// What any reader must at least make of a plan.
#[derive(Deserialize)]
struct Plan<'a> {
    #[serde(borrow, rename = "configuration")]
    _configuration: Option<&'a RawValue>,
    #[serde(borrow, rename = "resource_changes")]
    _resource_changes: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "address")]
    _address: &'a RawValue,
    #[serde(rename = "type")]
    _type: &'a str,
    #[serde(borrow, rename = "change")]
    _change: Change<'a>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow, rename = "before")]
    _before: Option<&'a RawValue>,
    #[serde(borrow, rename = "after")]
    _after: Option<&'a RawValue>,
    #[serde(borrow, rename = "after_unknown")]
    _after_unknown: Option<&'a RawValue>,
    #[serde(borrow, rename = "after_sensitive")]
    _after_sensitive: Option<&'a RawValue>,
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// Writes a plan with at least `instances` managed instances; returns where, and how many it has.
fn grow(instances: usize) -> (PathBuf, usize) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rag-bedrock/plan.json");
    let mut plan: Value = serde_json::from_str(&fs::read_to_string(fixture).unwrap()).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap().clone();
    let managed = changes.iter().filter(|change| change["mode"] == "managed").count();
    let copies = instances.div_ceil(managed);
    let module = |i: usize| format!("module.copy[\"{i}\"]");
    let moved = |resource: &Value, i: usize| {
        let mut resource = resource.clone();
        resource["address"] = json!(format!("{}.{}", module(i), resource["address"].as_str().unwrap()));
        resource
    };
    let planned = plan["planned_values"]["root_module"]["resources"].as_array().unwrap().clone();
    plan["resource_changes"] = (0..copies)
        .flat_map(|i| {
            changes.iter().map(move |change| {
                let mut change = moved(change, i);
                change["module_address"] = json!(module(i));
                change
            })
        })
        .collect();
    let children = (0..copies).map(|i| {
        let resources: Vec<Value> = planned.iter().map(|resource| moved(resource, i)).collect();
        json!({ "address": module(i), "resources": resources })
    });
    plan["planned_values"]["root_module"] = json!({ "child_modules": children.collect::<Vec<_>>() });
    let root = plan["configuration"]["root_module"].take();
    plan["configuration"]["root_module"] = json!({
        "module_calls": { "copy": { "source": "./copy", "for_each_expression": {}, "module": root } }
    });
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("grown-{instances}.json"));
    fs::write(&path, serde_json::to_string(&plan).unwrap()).unwrap();
    (path, copies * managed)
}
