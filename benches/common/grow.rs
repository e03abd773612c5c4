//! Grows plans to one: the root module of each becomes a module with a `for_each`, called by several calls, with as many
//! instances as are asked for. It stays one that Terraform could have written: addresses, keys, names and what is made of
//! names (ARNs, policies) differ from instance to instance, and where a name was a constant of the configuration it comes from
//! `var.unit`, which the call gives. Values that are no names, and what the configuration says, repeat.
//!
//! Written as it is made, because a plan of 100,000 instances as a tree takes more memory than most machines have.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

/// Instances of one call.
const INSTANCES_OF_CALL: usize = 50;

/// A shorter text may be a word that means something to AWS.
const SHORTEST_NAME: usize = 8;

/// Writes `plan`, grown to at least `instances` managed instances, and returns how many it has.
pub(crate) fn grow(plan: &Value, instances: usize, out: &mut impl Write) -> io::Result<usize> {
    grow_all(&[Grown::new(plan, "unit", instances)?], out)
}

/// Writes one plan of plans that nothing joins, each grown to as many managed instances, and returns how many it has.
pub(crate) fn join(plans: &[Value], instances: usize, out: &mut impl Write) -> io::Result<usize> {
    let of_each = instances.div_ceil(plans.len().max(1));
    let prefixes = (0..plans.len()).map(|i| format!("p{i:02}"));
    let apart: Vec<(Value, String)> =
        prefixes.zip(plans).map(|(prefix, plan)| (apart(plan, &prefix), prefix)).collect();
    let grown: io::Result<Vec<Grown<'_>>> =
        apart.iter().map(|(plan, prefix)| Grown::new(plan, prefix, of_each)).collect();
    grow_all(&grown?, out)
}

/// A plan with its instances.
struct Grown<'a> {
    plan: &'a Value,
    copies: Vec<Copy>,
    names: BTreeSet<String>,
}

impl<'a> Grown<'a> {
    fn new(plan: &'a Value, prefix: &str, instances: usize) -> io::Result<Self> {
        let managed = managed(plan);
        if managed == 0 || plan.get("deferred_changes").is_some() {
            return Err(io::Error::other("a plan that changes resources, and defers none, can be grown"));
        }
        let copies = (0..instances.div_ceil(managed)).map(|index| Copy::new(prefix, index)).collect();
        Ok(Self { plan, copies, names: names(list(&plan["resource_changes"])) })
    }

    /// The entries of a list of changes, of all instances.
    fn changes(&self, key: &str) -> impl Iterator<Item = Value> {
        let of_copy = move |copy| list(&self.plan[key]).iter().map(move |change| (copy, change));
        let all = self.copies.iter().flat_map(of_copy);
        all.map(|(copy, change): (&Copy, _)| copy.change(change, &self.names))
    }
}

fn grow_all(grown: &[Grown<'_>], out: &mut impl Write) -> io::Result<usize> {
    let sections = merged(grown, |plan| plan);
    for (i, (key, value)) in sections.as_object().into_iter().flatten().enumerate() {
        write!(out, "{}{}:", if i == 0 { '{' } else { ',' }, json!(key))?;
        match key.as_str() {
            "resource_changes" | "resource_drift" => each(out, grown.iter().flat_map(|it| it.changes(key)))?,
            "planned_values" => root_module(out, grown, |plan| &plan["planned_values"])?,
            "prior_state" => {
                let versions = ["format_version", "terraform_version"];
                let versions: Map<_, _> =
                    versions.map(|key| (key.to_owned(), value[key].clone())).into_iter().collect();
                let versions = Value::from(versions).to_string();
                write!(out, "{},\"values\":", versions.trim_end_matches('}'))?;
                root_module(out, grown, |plan| &plan["prior_state"]["values"])?;
                write!(out, "}}")?;
            }
            "configuration" => write!(out, "{}", configuration(grown))?,
            "variables" => write!(out, "{}", merged(grown, |plan| &plan["variables"]))?,
            // They are those of the root module, which is none any more.
            "output_changes" => write!(out, "{{}}")?,
            "relevant_attributes" | "checks" => write!(out, "[]")?,
            _ => write!(out, "{value}")?,
        }
    }
    writeln!(out, "}}")?;
    Ok(grown.iter().map(|it| it.copies.len() * managed(it.plan)).sum())
}

/// The entries of the objects that `of_plan` tells, of the first plan that has each.
fn merged(grown: &[Grown<'_>], of_plan: impl Fn(&Value) -> &Value) -> Value {
    let mut all = Map::new();
    for (key, value) in grown.iter().filter_map(|it| of_plan(it.plan).as_object()).flatten() {
        all.entry(key).or_insert_with(|| value.clone());
    }
    Value::Object(all)
}

/// A plan whose provider configurations and root variables are called like those of no other: the providers get another alias.
fn apart(plan: &Value, prefix: &str) -> Value {
    let mut plan = plan.clone();
    let renamed = |map: &Value, name: &dyn Fn(&str) -> String| {
        let entries = map.as_object().into_iter().flatten();
        Value::Object(entries.map(|(key, value)| (name(key), value.clone())).collect())
    };
    plan["variables"] = renamed(&plan["variables"], &|name| format!("{prefix}_{name}"));
    // `aws`, `aws.west`, `module.a:aws`: an alias begins at the first dot behind the colon.
    let of_key = |key: &str| {
        let name = key.rsplit(':').next().unwrap_or(key);
        format!("{key}{}{prefix}", if name.contains('.') { '_' } else { '.' })
    };
    let configuration = &mut plan["configuration"];
    let mut providers = renamed(&configuration["provider_config"], &of_key);
    edit(&mut providers, &|_, text| text.strip_prefix("var.").map(|name| format!("var.{prefix}_{name}")));
    for (key, provider) in providers.as_object_mut().into_iter().flatten() {
        provider["alias"] = key.rsplit(['.', ':']).next().into();
    }
    edit(&mut configuration["root_module"], &|key, text| {
        (key == "provider_config_key").then(|| of_key(text))
    });
    configuration["provider_config"] = providers;
    plan
}

/// Changes the texts of a value of which `edited` says how, by the key that they are in.
fn edit(value: &mut Value, edited: &dyn Fn(&str, &str) -> Option<String>) {
    fn walk(key: &str, value: &mut Value, edited: &dyn Fn(&str, &str) -> Option<String>) {
        match value {
            Value::String(text) => *text = edited(key, text).unwrap_or_else(|| std::mem::take(text)),
            Value::Array(items) => items.iter_mut().for_each(|item| walk(key, item, edited)),
            Value::Object(map) => map.iter_mut().for_each(|(key, item)| walk(key, item, edited)),
            _ => {}
        }
    }
    walk("", value, edited);
}

/// How many managed instances a plan changes.
pub(crate) fn managed(plan: &Value) -> usize {
    list(&plan["resource_changes"]).iter().filter(|change| change["mode"] == "managed").count()
}

/// One instance of the module that the root module became.
struct Copy {
    /// `module.units_003["unit-0154"]`
    module: String,
    /// `unit-0154`
    key: String,
    /// `units_003`
    call: String,
}

impl Copy {
    fn new(prefix: &str, index: usize) -> Self {
        let call = format!("{prefix}s_{:03}", index / INSTANCES_OF_CALL);
        let key = format!("{prefix}-{index:05}");
        Self { module: format!("module.{call}[\"{key}\"]"), key, call }
    }

    /// An entry of `resource_changes` as it is of this instance.
    fn change(&self, change: &Value, names: &BTreeSet<String>) -> Value {
        let mut change = change.clone();
        let around = change["module_address"].as_str().map(|inner| format!("{}.{inner}", self.module));
        change["module_address"] = around.unwrap_or_else(|| self.module.clone()).into();
        for key in ["address", "previous_address"] {
            if let Some(address) = change[key].as_str() {
                change[key] = format!("{}.{address}", self.module).into();
            }
        }
        for side in ["before", "after"] {
            self.rename(&mut change["change"][side], names);
        }
        change
    }

    /// A module of `planned_values` or `prior_state` as it is in this instance.
    fn planned(&self, module: &Value, names: &BTreeSet<String>) -> Value {
        let mut module = module.clone();
        module["address"] = match module["address"].as_str() {
            Some(address) => format!("{}.{address}", self.module).into(),
            None => self.module.clone().into(),
        };
        for resource in module["resources"].as_array_mut().into_iter().flatten() {
            resource["address"] =
                format!("{}.{}", self.module, resource["address"].as_str().unwrap_or_default()).into();
            self.rename(&mut resource["values"], names);
        }
        for child in module["child_modules"].as_array_mut().into_iter().flatten() {
            *child = self.planned(child, names);
        }
        module
    }

    /// Gives every name in `value` the key of this instance.
    fn rename(&self, value: &mut Value, names: &BTreeSet<String>) {
        match value {
            Value::String(text) => {
                for name in names {
                    if text.contains(name.as_str()) {
                        *text = replace_whole(text, name, &format!("{name}-{}", self.key));
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item, names)),
            Value::Object(map) => map.values_mut().for_each(|item| self.rename(item, names)),
            _ => {}
        }
    }
}

/// `text` with `name` replaced where no letter, digit, `-` or `_` stands beside it.
fn replace_whole(text: &str, name: &str, by: &str) -> String {
    let continues = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let (mut out, mut rest) = (String::new(), text);
    while let Some((head, tail)) = rest.split_once(name) {
        out.push_str(head);
        let is_whole = !continues(out.chars().next_back()) && !continues(tail.chars().next());
        out.push_str(if is_whole { by } else { name });
        rest = tail;
    }
    out + rest
}

/// What the resources are called: each must be another in each instance.
fn names(changes: &[Value]) -> BTreeSet<String> {
    let objects = changes.iter().flat_map(|change| ["before", "after"].map(|side| &change["change"][side]));
    let attributes = objects.filter_map(Value::as_object).flatten();
    attributes
        .filter(|(key, _)| *key == "name" || *key == "bucket" || key.ends_with("_name"))
        .filter_map(|(_, value)| value.as_str())
        .filter(|name| name.len() >= SHORTEST_NAME && name.contains('-'))
        .map(str::to_owned)
        .collect()
}

/// A `root_module` of values whose children are the instances.
fn root_module<'a>(
    out: &mut dyn Write,
    grown: &'a [Grown<'_>],
    values: impl Fn(&'a Value) -> &'a Value,
) -> io::Result<()> {
    write!(out, "{{\"root_module\":{{\"child_modules\":")?;
    let of_plan = |it: &'a Grown<'_>| {
        let root = &values(it.plan)["root_module"];
        it.copies.iter().map(move |copy| copy.planned(root, &it.names))
    };
    each(out, grown.iter().flat_map(of_plan))?;
    write!(out, "}}}}")
}

/// The configuration: one call for as many instances as a call has.
fn configuration(grown: &[Grown<'_>]) -> Value {
    let mut calls = Map::new();
    for Grown { plan, copies, names } in grown {
        let mut module = plan["configuration"]["root_module"].clone();
        module["variables"]["unit"] = json!({});
        from_unit(&mut module, names);
        let call = json!({
            "source": "./unit",
            "expressions": { "unit": { "references": ["each.key"] } },
            "for_each_expression": {},
            "module": module,
        });
        calls.extend(copies.iter().map(|copy| (copy.call.clone(), call.clone())));
    }
    let providers = merged(grown, |plan| &plan["configuration"]["provider_config"]);
    json!({ "provider_config": providers, "root_module": { "module_calls": calls } })
}

/// Makes every constant that is a name an expression with `var.unit` in it.
fn from_unit(value: &mut Value, names: &BTreeSet<String>) {
    let constant = value.get("constant_value").and_then(Value::as_str);
    if constant.is_some_and(|constant| names.contains(constant)) {
        *value = json!({ "references": ["var.unit"] });
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| from_unit(item, names)),
        Value::Object(map) => map.values_mut().for_each(|item| from_unit(item, names)),
        _ => {}
    }
}

fn each(out: &mut dyn Write, items: impl Iterator<Item = Value>) -> io::Result<()> {
    write!(out, "[")?;
    for (i, item) in items.enumerate() {
        write!(out, "{}{item}", if i == 0 { "" } else { "," })?;
    }
    write!(out, "]")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
