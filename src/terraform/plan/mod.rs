//! `terraform show -json PLAN` (Terraform and OpenTofu): a [`Program`] with both sides of each change.
//!
//! The bulk of a plan is the values of resources. They are skipped as raw text first, and decoded only for the types that
//! somebody wants. `planned_values` repeats the changes and is not looked at unless there are none.

mod attach;
mod config;
mod expression;
mod providers;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::input::json::{Document, Marks, or_default};
use crate::program::{Action, InputKind, Key, Mode, Program, Resource};
use crate::source::FileId;
use crate::value::{Cause, Value};

use super::address::{self, Address};
use super::state::ModuleValues;

#[derive(Deserialize)]
struct Plan<'a> {
    terraform_version: Option<SmolStr>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_changes: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    deferred_changes: Vec<Deferred<'a>>,
    #[serde(borrow)]
    planned_values: Option<&'a RawValue>,
    #[serde(borrow)]
    prior_state: Option<&'a RawValue>,
    #[serde(borrow)]
    configuration: Option<&'a RawValue>,
    errored: Option<bool>,
    complete: Option<bool>,
}

#[derive(Deserialize)]
struct Deferred<'a> {
    #[serde(borrow)]
    resource_change: Option<&'a RawValue>,
}

/// `prior_state` and `planned_values` (which has no `values` around it).
#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    values: Option<RootModule<'a>>,
    #[serde(borrow)]
    root_module: Option<ModuleValues<'a>>,
}

#[derive(Deserialize)]
struct RootModule<'a> {
    #[serde(borrow)]
    root_module: Option<ModuleValues<'a>>,
}

/// An entry of `resource_changes`.
#[derive(Deserialize)]
struct Entry<'a> {
    address: SmolStr,
    module_address: Option<SmolStr>,
    mode: Option<SmolStr>,
    #[serde(rename = "type")]
    type_name: SmolStr,
    name: SmolStr,
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    #[serde(default)]
    index_unknown: bool,
    deposed: Option<IgnoredAny>,
    #[serde(borrow)]
    change: Change<'a>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(default, deserialize_with = "or_default")]
    actions: Vec<SmolStr>,
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    #[serde(borrow)]
    after: Option<&'a RawValue>,
    #[serde(borrow)]
    after_unknown: Option<&'a RawValue>,
    #[serde(borrow)]
    before_sensitive: Option<&'a RawValue>,
    #[serde(borrow)]
    after_sensitive: Option<&'a RawValue>,
}

/// Reads the plan `text` of `file`. Only types that are `wanted` get their values; all resources are listed.
pub fn read(text: &str, file: FileId, wanted: &dyn Fn(&str) -> bool) -> Program {
    let document = Document::new(text, file);
    let mut program = Program { kind: InputKind::TerraformPlan, ..Program::default() };
    let plan: Plan<'_> = match serde_json::from_str(text) {
        Ok(plan) => plan,
        Err(error) => {
            program.diagnostics.push(document.not_understood("the plan", text, &error));
            return program;
        }
    };
    program.written_by = plan.terraform_version.as_ref().map(|version| format!("Terraform {version}"));
    program.incomplete = incomplete(&plan).map(str::to_owned);

    let changes = plan.resource_changes.as_deref().unwrap_or_default();
    let deferred = plan.deferred_changes.iter().filter_map(|deferred| deferred.resource_change);
    for raw in changes.iter().copied().chain(deferred) {
        match serde_json::from_str::<Entry<'_>>(raw.get()) {
            Ok(entry) if entry.deposed.is_some() => {}
            Ok(entry) => {
                let resource = resource(document, raw.get(), entry, wanted, &mut program.diagnostics);
                program.resources.push(resource);
            }
            Err(error) => {
                let what = "an entry of `resource_changes`";
                program.diagnostics.push(document.not_understood(what, raw.get(), &error));
            }
        }
    }
    if plan.resource_changes.is_none() {
        let planned = values(document, plan.planned_values, &mut program.diagnostics);
        if let Some(planned) = planned {
            planned.read(document, wanted, &mut program, &mut |_| true);
        }
    }
    // What is known of data sources is read while planning, and then it is nowhere else.
    if let Some(prior) = values(document, plan.prior_state, &mut program.diagnostics) {
        let changed: HashSet<SmolStr> = program.resources.iter().map(|r| r.address.clone()).collect();
        prior.read(document, wanted, &mut program, &mut |resource| {
            resource.mode == Mode::Data && !changed.contains(&resource.address)
        });
    }
    if let Some(raw) = plan.configuration {
        match config::Configuration::parse(raw) {
            Ok(configuration) => {
                let index = config::Index::new(&configuration);
                providers::read(document, &configuration, &index, plan.variables, &mut program);
                attach::attach(document, &index, wanted, &mut program);
            }
            Err(error) => {
                let what = "the plan's `configuration`";
                program.diagnostics.push(document.not_understood(what, raw.get(), &error));
            }
        }
    }
    program
}

fn incomplete(plan: &Plan<'_>) -> Option<&'static str> {
    if plan.errored == Some(true) {
        Some("the plan was saved after an error: resources are missing")
    } else if !plan.deferred_changes.is_empty() {
        Some("the plan defers some changes to a later run")
    } else if plan.complete == Some(false) {
        Some("the plan says that it does not cover the whole configuration (-target, or deferred changes)")
    } else {
        None
    }
}

fn values<'a>(
    document: Document<'a>,
    raw: Option<&'a RawValue>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<ModuleValues<'a>> {
    let raw = raw?;
    match serde_json::from_str::<Values<'a>>(raw.get()) {
        Ok(values) => values.values.and_then(|values| values.root_module).or(values.root_module),
        Err(error) => {
            diagnostics.push(document.not_understood("the plan's values", raw.get(), &error));
            None
        }
    }
}

fn resource<'a>(
    document: Document<'a>,
    raw: &str,
    entry: Entry<'a>,
    wanted: &dyn Fn(&str) -> bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Resource {
    let mode = if entry.mode.as_deref() == Some("data") { Mode::Data } else { Mode::Managed };
    let change = &entry.change;
    let (before, after) = if wanted(&entry.type_name) {
        let mut decode = |raw: Option<&'a RawValue>, unknown: &Marks, sensitive: Option<&RawValue>| {
            let sensitive = Marks::parse(sensitive);
            Some(document.decode(raw?, unknown, &sensitive).unwrap_or_else(|error| {
                diagnostics.push(document.not_understood(
                    &entry.address,
                    raw.map_or("", RawValue::get),
                    &error,
                ));
                Value::unknown(Cause::Limit("the value is nested too deep".into()))
            }))
        };
        let unknown = Marks::parse(change.after_unknown);
        let after = match change.after {
            None if unknown == Marks::All => Some(crate::input::json::known_after_apply()),
            after => decode(after, &unknown, change.after_sensitive),
        };
        let before = if unknown.is_none() && change.is_same() {
            after.clone()
        } else {
            decode(change.before, &Marks::None, change.before_sensitive)
        };
        (before, after)
    } else {
        (change.before.map(|_| Value::object([])), change.after.map(|_| Value::object([])))
    };
    Resource {
        block: block(&entry, mode),
        address: entry.address,
        mode,
        type_name: entry.type_name,
        native_type: None,
        name: entry.name,
        module: entry.module_address.unwrap_or_default(),
        key: if entry.index_unknown { Some(Key::Any) } else { entry.index.and_then(key) },
        provider: None,
        before,
        after,
        action: action(&change.actions),
        site: document.site(raw),
        places: BTreeMap::new(),
        configured: None,
        references: Vec::new(),
    }
}

impl Change<'_> {
    /// Whether both sides are the same text with the same marks.
    fn is_same(&self) -> bool {
        self.before.map(RawValue::get) == self.after.map(RawValue::get)
            && self.before_sensitive.map(RawValue::get) == self.after_sensitive.map(RawValue::get)
    }
}

/// The address without keys. Most addresses have none.
fn block(entry: &Entry<'_>, mode: Mode) -> SmolStr {
    if !entry.address.contains('[') {
        return entry.address.clone();
    }
    if let Some(address) = Address::parse(&entry.address) {
        return address.block();
    }
    let module = entry.module_address.as_deref().and_then(address::parse_module);
    let address = Address {
        module: module.map(|(steps, _)| steps).unwrap_or_default(),
        mode,
        type_name: entry.type_name.clone(),
        name: entry.name.clone(),
        key: None,
    };
    address.block()
}

/// An instance key as JSON writes it.
pub(super) fn key(raw: &RawValue) -> Option<Key> {
    let text = raw.get();
    if text.starts_with('"') {
        return serde_json::from_str(text).ok().map(Key::String);
    }
    text.parse().ok().map(Key::Int)
}

fn action(actions: &[SmolStr]) -> Action {
    match actions {
        [one] => match one.as_str() {
            "no-op" => Action::NoOp,
            "create" => Action::Create,
            "read" => Action::Read,
            "update" => Action::Update,
            "delete" => Action::Delete,
            "forget" => Action::Forget,
            _ => Action::None,
        },
        // delete and create in either order, or create and forget the old one
        [_, _] => Action::Replace,
        _ => Action::None,
    }
}
