//! Grows a plan: its root module becomes a module with a `for_each`, called by several calls, with as many instances as
//! are asked for. It stays one that Terraform could have written: addresses, keys, names and what is made of names (ARNs,
//! policies) differ from instance to instance, and where a name was a constant of the configuration it comes from
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
    let changes = list(&plan["resource_changes"]);
    let managed = managed(plan);
    if managed == 0 || plan.get("deferred_changes").is_some() {
        return Err(io::Error::other("a plan that changes resources, and defers none, can be grown"));
    }
    let copies: Vec<Copy> = (0..instances.div_ceil(managed)).map(Copy::new).collect();
    let names = names(changes);
    let repeat = |out: &mut dyn Write, items: &[Value]| {
        each(out, copies.iter().flat_map(|copy| items.iter().map(|item| copy.change(item, &names))))
    };
    for (i, (key, value)) in plan.as_object().into_iter().flatten().enumerate() {
        write!(out, "{}{}:", if i == 0 { '{' } else { ',' }, json!(key))?;
        match key.as_str() {
            "resource_changes" | "resource_drift" => repeat(out, list(value))?,
            "planned_values" => root_module(out, &value["root_module"], &copies, &names)?,
            "prior_state" => {
                let versions = ["format_version", "terraform_version"];
                let versions: Map<_, _> =
                    versions.map(|key| (key.to_owned(), value[key].clone())).into_iter().collect();
                let versions = Value::from(versions).to_string();
                write!(out, "{},\"values\":", versions.trim_end_matches('}'))?;
                root_module(out, &value["values"]["root_module"], &copies, &names)?;
                write!(out, "}}")?;
            }
            "configuration" => write!(out, "{}", configuration(value, &copies, &names))?,
            // They are those of the root module, which is none any more.
            "output_changes" => write!(out, "{{}}")?,
            "relevant_attributes" | "checks" => write!(out, "[]")?,
            _ => write!(out, "{value}")?,
        }
    }
    writeln!(out, "}}")?;
    Ok(copies.len() * managed)
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
    fn new(index: usize) -> Self {
        let call = format!("units_{:03}", index / INSTANCES_OF_CALL);
        let key = format!("unit-{index:05}");
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
fn root_module(
    out: &mut dyn Write,
    root: &Value,
    copies: &[Copy],
    names: &BTreeSet<String>,
) -> io::Result<()> {
    write!(out, "{{\"root_module\":{{\"child_modules\":")?;
    each(out, copies.iter().map(|copy| copy.planned(root, names)))?;
    write!(out, "}}}}")
}

/// The configuration: one call for as many instances as a call has.
fn configuration(configuration: &Value, copies: &[Copy], names: &BTreeSet<String>) -> Value {
    let mut configuration = configuration.clone();
    let mut module = configuration["root_module"].take();
    module["variables"]["unit"] = json!({});
    from_unit(&mut module, names);
    let calls: BTreeSet<&str> = copies.iter().map(|copy| copy.call.as_str()).collect();
    let call = json!({
        "source": "./unit",
        "expressions": { "unit": { "references": ["each.key"] } },
        "for_each_expression": {},
        "module": module,
    });
    let calls: Map<String, Value> = calls.into_iter().map(|name| (name.to_owned(), call.clone())).collect();
    configuration["root_module"] = json!({ "module_calls": calls });
    configuration
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
