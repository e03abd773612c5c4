//! `cargo xtask defaults`: measures what the provider fills in where a configuration sets nothing, and writes
//! `rules/catalog/defaults.csv`.
//!
//! Schemas do not tell defaults. So for each type of `rules/catalog/schema/aws.txt` Terraform plans one resource with only
//! what is required, and one more for each nested block with only what that block requires; what the plan has beside that
//! is a default. Where the provider wants one of several, each of them is planned. Values that are required are made up by
//! name and type; `rules/catalog/minimal.toml` has those that must be better. What the provider refuses even so is not
//! measured.
//!
//! A line is `type,path,value as JSON`; `?` instead of a value that the plan leaves unknown though the schema does not say
//! computed, or that is one thing in one plan and another in another. The path `block.*`, or `*`, stands for all in a block,
//! or in the resource, that could not be measured. What has no line was measured and is null or empty, or unknown where the
//! schema says computed.

mod repair;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::schema::{PROVIDER, VERSION, Workspace, root};

/// Blocks nested deeper are not measured.
const DEPTH: usize = 4;

/// A configuration is made better at most so often.
const TRIES: u32 = 12;

/// Not what the configuration decides: tags of the provider, and timeouts of Terraform; and where an image mounts its files,
/// a path of a machine.
const SKIPPED: [&str; 3] = ["mount_path", "tags_all", "timeouts"];

/// A resource that is planned to see what a block gets.
#[derive(Clone)]
struct Probe {
    type_name: String,
    /// The block that it measures; empty for the whole resource.
    path: Vec<String>,
    config: Value,
    /// How often the configuration was made better.
    tries: u32,
    /// Whether it has another alternative than the first one.
    is_other: bool,
    /// Whether the provider has crashed when it was planned, or one beside it.
    has_crashed: bool,
}

impl Probe {
    /// The same with each other one of `alternatives`, where it has the first that can be set.
    fn others(&self, schema: &Value, alternatives: &[&str]) -> Vec<Self> {
        let with = |path: &&str| {
            let mut config = self.config.clone();
            let is_set = repair::add(schema, &mut config, path);
            is_set.then(|| Self {
                type_name: self.type_name.clone(),
                path: self.path.clone(),
                config,
                tries: 0,
                is_other: true,
                has_crashed: false,
            })
        };
        if self.is_other { Vec::new() } else { alternatives.iter().filter_map(with).skip(1).collect() }
    }

    fn write(&self, workspace: &Workspace, name: &str) -> Result<()> {
        let config = json!({ "resource": { &self.type_name: { name: self.config } } });
        workspace.write(&format!("{name}.tf.json"), &serde_json::to_string_pretty(&config)?)
    }
}

pub(crate) fn run(_args: &[String]) -> Result<()> {
    let Some(workspace) = Workspace::new("defaults")? else { return Ok(()) };
    let schemas = schemas()?;
    let mut probes = probes(&schemas)?;
    let all: BTreeSet<(String, String)> =
        probes.values().map(|probe| (probe.type_name.clone(), probe.path.join("."))).collect();
    eprintln!("{} probes", probes.len());
    workspace.write("unknown.tf", "resource \"terraform_data\" \"unknown\" {}\n")?;
    for (name, probe) in &probes {
        probe.write(&workspace, name)?;
    }
    while refuse(&workspace, &["validate", "-json"], &schemas, &mut probes)? {}
    let plan = ["plan", "-json", "-refresh=false", "-parallelism=1", "-out=plan"];
    while refuse(&workspace, &plan, &schemas, &mut probes)? {}

    let plan: Value = serde_json::from_slice(&workspace.terraform(&["show", "-json", "plan"])?.stdout)?;
    let (mut found, mut reached) = (Found::new(), BTreeSet::new());
    let changes = plan["resource_changes"].as_array().context("a plan without changes")?;
    for change in changes {
        let Some(probe) = change["name"].as_str().and_then(|name| probes.get(name)) else { continue };
        let schema = &schemas[&probe.type_name];
        let seen = [&probe.config, &change["change"]["after"], &change["change"]["after_unknown"]];
        if measure(schema, probe, seen, &mut found) {
            reached.insert((probe.type_name.clone(), probe.path.join(".")));
        }
    }
    let mut lines: BTreeMap<(&str, String), String> = BTreeMap::new();
    for ((type_name, path), plans) in &found {
        if let Some(default) = summary(plans) {
            lines.insert((type_name, path.clone()), default);
        }
    }
    let missing: Vec<_> = all.difference(&reached).collect();
    for (type_name, path) in &missing {
        let all_in_it = if path.is_empty() { "*".to_owned() } else { format!("{path}.*") };
        lines.insert((type_name, all_in_it), "?".to_owned());
    }
    let mut out = format!("type,attribute,default of {PROVIDER} {VERSION}\n");
    for ((type_name, path), default) in &lines {
        writeln!(out, "{type_name},{path},{default}")?;
    }
    std::fs::write(root().join("rules/catalog/defaults.csv"), &out)?;
    let whole = missing.iter().filter(|(_, path)| path.is_empty()).map(|(name, _)| name.as_str());
    eprintln!(
        "{} lines, {} bytes; {} of {} blocks not measured, among them whole types: {}",
        lines.len(),
        out.len(),
        missing.len(),
        all.len(),
        whole.collect::<Vec<_>>().join(" ")
    );
    Ok(())
}

/// What plans say of an attribute or block that is not set, by type and path.
type Found = BTreeMap<(String, String), BTreeSet<Seen>>;

/// What one plan says of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// Null or empty, where the schema does not say computed; else unknown: what the schema lets one expect.
    AsExpected,
    /// A value, or null where the schema says computed, as JSON.
    Value(String),
    /// Unknown, where the schema does not say computed.
    Unknown,
}

/// The default that a line has; none if all plans say what the schema lets one expect.
fn summary(plans: &BTreeSet<Seen>) -> Option<String> {
    match plans.iter().collect::<Vec<_>>().as_slice() {
        [Seen::AsExpected] => None,
        [Seen::Value(json)] => Some(json.clone()),
        _ => Some("?".to_owned()),
    }
}

/// The schemas in the short form that `schema.rs` writes.
fn schemas() -> Result<BTreeMap<String, Value>> {
    let text = std::fs::read_to_string(root().join("rules/catalog/schema/aws.txt"))?;
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(name, json)| Ok((name.to_owned(), serde_json::from_str(json)?))).collect()
}

/// The resources to plan, by a name that tells type and block.
fn probes(schemas: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Probe>> {
    let text = std::fs::read_to_string(root().join("rules/catalog/minimal.toml"))?;
    let given: BTreeMap<String, BTreeMap<String, toml::Value>> = toml::from_str(&text)?;
    let none = BTreeMap::new();
    let mut probes = BTreeMap::new();
    for (type_name, schema) in schemas {
        let given = given.get(type_name).unwrap_or(&none);
        for path in block_paths(schema, &mut Vec::new()) {
            let name =
                std::iter::once(type_name).chain(&path).map(String::as_str).collect::<Vec<_>>().join("-");
            let config = minimal(schema, given, "", &path)?;
            probes.insert(
                name,
                Probe {
                    type_name: type_name.clone(),
                    path,
                    config,
                    tries: 0,
                    is_other: false,
                    has_crashed: false,
                },
            );
        }
    }
    Ok(probes)
}

/// The paths of the blocks of a schema, that of the whole first.
fn block_paths(schema: &Value, path: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut paths = vec![path.clone()];
    for (name, (_, _, block)) in blocks(schema) {
        if path.len() < DEPTH && !SKIPPED.contains(&name.as_str()) {
            path.push(name.clone());
            paths.extend(block_paths(block, path));
            path.pop();
        }
    }
    paths
}

/// A block with what it requires, and with the blocks on the way to `with`.
fn minimal(
    schema: &Value,
    given: &BTreeMap<String, toml::Value>,
    at: &str,
    with: &[String],
) -> Result<Value> {
    let path = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    let mut config = Map::new();
    for (name, flags, ty) in attributes(schema) {
        if let Some(value) = given.get(&path(name)) {
            config.insert(name.clone(), serde_json::to_value(value)?);
        } else if flags.contains('r') {
            config.insert(name.clone(), dummy(name, ty));
        }
    }
    for (name, (nesting, min, block)) in blocks(schema) {
        let rest = with.split_first().filter(|(first, _)| *first == name).map(|(_, rest)| rest);
        let inside = format!("{}.", path(name));
        if min > 0 || rest.is_some() || given.keys().any(|key| key.starts_with(&inside) || *key == path(name))
        {
            let object = minimal(block, given, &path(name), rest.unwrap_or_default())?;
            config.insert(name.clone(), if nesting == "single" { object } else { json!([object]) });
        }
    }
    Ok(Value::Object(config))
}

/// A value that an attribute of this name and type may well have.
fn dummy(name: &str, ty: &Value) -> Value {
    match ty {
        Value::String(ty) => match ty.as_str() {
            "bool" => json!(true),
            "number" => json!(1),
            _ => json!(dummy_string(name)),
        },
        Value::Array(pair) => match pair[0].as_str() {
            Some("list" | "set") => json!([dummy(name, &pair[1])]),
            Some("map") => json!({ "example": dummy(name, &pair[1]) }),
            _ => json!({}),
        },
        _ => Value::Null,
    }
}

fn dummy_string(name: &str) -> &'static str {
    let has = |part: &str| name.contains(part);
    if has("policy") && !has("name") && !has("arn") && !has("id") {
        r#"{"Version":"2012-10-17","Statement":[]}"#
    } else if has("role") && !has("name") {
        "arn:aws:iam::123456789012:role/example"
    } else if has("kms") || name == "key_arn" {
        "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    } else if has("secret_arn") {
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:example-AbCdEf"
    } else if has("lambda") || has("function_arn") {
        "arn:aws:lambda:us-east-1:123456789012:function:example"
    } else if has("bucket_arn") {
        "arn:aws:s3:::example-bucket"
    } else if has("log_group_arn") {
        "arn:aws:logs:us-east-1:123456789012:log-group:example"
    } else if has("topic_arn") {
        "arn:aws:sns:us-east-1:123456789012:example"
    } else if has("arn") {
        "arn:aws:iam::123456789012:policy/example"
    } else if has("bucket") {
        "example-bucket"
    } else if has("s3_uri") || has("s3_output") || has("uri") {
        "s3://example-bucket/example/"
    } else if has("subnet") {
        "subnet-0123456789abcdef0"
    } else if has("security_group") {
        "sg-0123456789abcdef0"
    } else if has("vpc_id") {
        "vpc-0123456789abcdef0"
    } else if has("account_id") {
        "123456789012"
    } else if has("instance_type") {
        "ml.t3.medium"
    } else if has("cidr") {
        "10.0.0.0/16"
    } else if has("url") {
        "https://example.com"
    } else if has("email") {
        "a@example.com"
    } else if has("agent_id") || has("knowledge_base_id") {
        "ABCDEFGHIJ"
    } else {
        "example"
    }
}

/// Runs Terraform on the probes; makes better those that it refuses or takes them away, and says whether there were any.
fn refuse(
    workspace: &Workspace,
    args: &[&str],
    schemas: &BTreeMap<String, Value>,
    probes: &mut BTreeMap<String, Probe>,
) -> Result<bool> {
    let output = workspace.try_terraform(args)?;
    if output.status.success() {
        return Ok(false);
    }
    let text = String::from_utf8(output.stdout)?;
    // `validate` writes one object with all, `plan` an object a line with one each.
    let diagnostics: Vec<Value> = match serde_json::from_str::<Value>(&text) {
        Ok(whole) if whole["diagnostics"].is_array() => {
            whole["diagnostics"].as_array().cloned().unwrap_or_default()
        }
        _ => {
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.map(|line| line["diagnostic"].clone()).collect()
        }
    };
    // Where the provider ends in the midst of it, whoever waits is told so and is not to blame.
    let is_cancelled = |one: &&Value| one["summary"] == "Request cancelled";
    let errors = diagnostics.iter().filter(|one| one["severity"] == "error" && !is_cancelled(one));
    // Where the provider crashes on one, the others fail with it: only that one is to blame.
    let (crashed, failed): (Vec<_>, Vec<_>) =
        errors.partition(|error| error["summary"] == "Plugin did not respond");
    let blamed = if crashed.is_empty() { failed } else { crashed };
    let is_crash = blamed.first().is_some_and(|error| error["summary"] == "Plugin did not respond");
    // The provider says what is wrong in no certain order.
    let mut refused: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for diagnostic in &blamed {
        let file = diagnostic["range"]["filename"].as_str().unwrap_or_default();
        let Some(name) = file.strip_suffix(".tf.json").filter(|name| probes.contains_key(*name)) else {
            continue;
        };
        let text = |key: &str| diagnostic[key].as_str().unwrap_or_default();
        refused.entry(name).or_default().insert(format!("{} {}", text("summary"), text("detail")));
    }
    let (mut taken, mut others) = (0, Vec::new());
    for (&name, said) in &refused {
        let Some(probe) = probes.get_mut(name) else { continue };
        // Whoever is planned beside the one that makes the provider crash is told the same, but hardly twice.
        if is_crash && refused.len() > 1 && !probe.has_crashed {
            probe.has_crashed = true;
            continue;
        }
        probe.tries += 1;
        let schema = &schemas[&probe.type_name];
        let before = probe.config.clone();
        // One step at a time: the next run tells what is still wrong.
        if probe.tries < TRIES
            && let Some(said) = said.iter().find(|said| repair::repair(schema, &mut probe.config, said))
        {
            let more = Probe { config: before, ..probe.clone() };
            let more = more.others(schema, &repair::alternatives(said));
            others
                .extend((1..).zip(more).map(|(n, other)| (format!("{name}-or-{}-{n}", probe.tries), other)));
            probe.write(workspace, name)?;
            continue;
        }
        if probe.path.is_empty() {
            let said = said.first().map(String::as_str).unwrap_or_default();
            eprintln!("{name}: {}", said.chars().take(300).collect::<String>());
        }
        probes.remove(name);
        std::fs::remove_file(workspace.dir.join(format!("{name}.tf.json")))?;
        taken += 1;
    }
    for (name, probe) in others {
        probe.write(workspace, &name)?;
        probes.insert(name, probe);
    }
    eprintln!("{}: {} refused, {taken} for good, {} left", args[0], refused.len(), probes.len());
    if refused.is_empty() && !diagnostics.iter().any(|one| is_cancelled(&one)) {
        bail!("{}: {text}\n{}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(true)
}

/// Compares what a probe says with what was planned, in the block that it measures and those around it: an attribute may
/// have another default where its neighbour is set. False if the plan has no such block.
fn measure(schema: &Value, probe: &Probe, [config, after, unknown]: [&Value; 3], found: &mut Found) -> bool {
    let (mut schema, mut seen) = (schema, [config, after, unknown]);
    level(schema, probe, 0, seen, found);
    for (depth, name) in (1..).zip(&probe.path) {
        let Some((_, (_, _, block))) = blocks(schema).find(|(other, _)| *other == name) else { return false };
        (schema, seen) = (block, seen.map(|value| inside(value, name)));
        if !seen[1].is_object() {
            return false;
        }
        level(schema, probe, depth, seen, found);
    }
    true
}

/// [`measure`] of the block that is `depth` steps down the probe's path.
fn level(
    schema: &Value,
    probe: &Probe,
    depth: usize,
    [config, after, unknown]: [&Value; 3],
    found: &mut Found,
) {
    let mut note = |name: &str, seen: Seen| {
        let path: Vec<_> = probe.path.iter().take(depth).map(String::as_str).chain([name]).collect();
        found.entry((probe.type_name.clone(), path.join("."))).or_default().insert(seen);
    };
    let value = |value: &Value| Seen::Value(value.to_string());
    for (name, flags, _) in attributes(schema) {
        if config.get(name).is_some() || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let computed = flags.contains('c');
        let seen = match &after[name] {
            _ if unknown[name] == true && computed => Seen::AsExpected,
            _ if has_true(&unknown[name]) => Seen::Unknown,
            Value::Null if !computed => Seen::AsExpected,
            other => value(other),
        };
        note(name, seen);
    }
    for (name, _) in blocks(schema) {
        if config.get(name).is_some() || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let seen = match &after[name] {
            _ if has_true(&unknown[name]) => Seen::Unknown,
            Value::Null => Seen::AsExpected,
            Value::Array(items) if items.is_empty() => Seen::AsExpected,
            other => value(other),
        };
        note(name, seen);
    }
}

/// The one instance of the block `name`.
fn inside<'v>(value: &'v Value, name: &str) -> &'v Value {
    let value = &value[name];
    value.get(0).unwrap_or(value)
}

fn has_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Array(items) => items.iter().any(has_true),
        Value::Object(entries) => entries.values().any(has_true),
        _ => false,
    }
}

/// The attributes of a schema in the short form: name, flags, type.
fn attributes(schema: &Value) -> impl Iterator<Item = (&String, &str, &Value)> {
    schema.as_object().into_iter().flatten().filter_map(|(name, entry)| match entry {
        Value::String(short) => {
            let (flags, ty) = short.split_once(' ')?;
            Some((name, flags, primitive(ty)))
        }
        Value::Array(pair) => Some((name, pair[0].as_str()?, &pair[1])),
        _ => None,
    })
}

fn primitive(ty: &str) -> &'static Value {
    static TYPES: std::sync::LazyLock<[Value; 4]> =
        std::sync::LazyLock::new(|| ["bool", "number", "dynamic", "string"].map(Value::from));
    TYPES.iter().find(|value| *value == ty).unwrap_or(&TYPES[3])
}

/// The nested blocks of a schema in the short form: name, nesting, min, block.
fn blocks(schema: &Value) -> impl Iterator<Item = (&String, (&str, u64, &Value))> {
    schema.as_object().into_iter().flatten().filter_map(|(name, entry)| {
        let (nesting, content) = entry.as_object()?.iter().next()?;
        Some((name, (nesting.as_str(), content[0].as_u64()?, &content[2])))
    })
}
