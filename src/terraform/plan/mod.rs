//! `terraform show -json PLAN` (Terraform and OpenTofu): a [`Program`] with what each change leads to.
//!
//! The bulk of a plan is the values of resources. They are skipped as raw text first, and decoded only for the types that
//! somebody wants, in parallel. `planned_values` repeats the changes and is not looked at unless there are none. `before` is
//! read of what changes only. It is the state as refreshed; `resource_drift` tells how that differs from the state as
//! stored. A resource that moved (`previous_address`) is the same one. What the source of the plan evaluates to does not depend on
//! the changes: one core does that while the other reads them.

mod attach;
mod belong;
pub mod binary;
mod config;
mod drift;
mod expression;
mod join;
mod names;
mod providers;
mod resolve;
#[cfg(test)]
mod tests;
mod wire;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use foldhash::{HashMap, HashSet};
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use smol_str::{SmolStr, format_smolstr};

use crate::diagnostic::Diagnostic;
use crate::input::json::{Document, MAX_SAID, Marks, or_default};
use crate::program::{Action, InputKind, Key, Mode, Program, Resource};
use crate::source::{FileId, Site};
use crate::value::{Cause, Value};

use super::address::{self, Address, ModuleStep};
use super::source::Definition;
use super::state::ModuleValues;

pub use belong::Fit;
pub use join::Written;

/// So many changes are read at once, by all cores.
const ENTRIES_AT_ONCE: usize = 2_048;

/// The places of attributes in a plan are those of their values.
static NO_PLACES: LazyLock<Arc<BTreeMap<SmolStr, Site>>> = LazyLock::new(Arc::default);

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
    #[serde(borrow, default, deserialize_with = "or_default")]
    resource_drift: Vec<&'a RawValue>,
    #[serde(borrow)]
    prior_state: Option<&'a RawValue>,
    #[serde(borrow)]
    configuration: Option<&'a RawValue>,
    errored: Option<bool>,
    complete: Option<bool>,
    timestamp: Option<SmolStr>,
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
    previous_address: Option<SmolStr>,
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
    provider_name: Option<SmolStr>,
    #[serde(borrow)]
    change: Change<'a>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(default, deserialize_with = "or_default")]
    actions: Vec<SmolStr>,
    importing: Option<IgnoredAny>,
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    #[serde(borrow)]
    before_sensitive: Option<&'a RawValue>,
    #[serde(borrow)]
    after: Option<&'a RawValue>,
    #[serde(borrow)]
    after_unknown: Option<&'a RawValue>,
    #[serde(borrow)]
    after_sensitive: Option<&'a RawValue>,
}

/// What a plan tells of the source that it is of.
pub struct Told<'p, 'a> {
    document: Document<'a>,
    configuration: &'p config::Configuration<'a>,
    variables: Option<&'a RawValue>,
    /// When it was made: Terraform 1.5 and later say so.
    pub timestamp: Option<&'p str>,
}

impl Told<'_, '_> {
    /// Holds the definitions of a source against the configuration.
    pub fn compare(&self, definitions: &[Definition<'_>]) -> Fit {
        belong::compare(self.document, self.configuration, definitions)
    }

    /// The values of root variables, each with its place in the plan.
    pub fn variables(&self) -> Vec<(SmolStr, Value)> {
        providers::variables(self.document, self.configuration, self.variables)
    }
}

/// Brings together what a plan says and what its source evaluates to. `fit` says how far they belong together; without it
/// the source is from the binary form of the same plan.
pub fn join(program: &mut Program, written: Written<'_>, fit: Option<&Fit>) {
    join::join(program, written, fit.map_or(join::Trust::Beside, join::Trust::Compared));
}

/// Reads the plan `text` of `file`. Only types that are `wanted` get their values; all resources are listed.
pub fn read(text: &str, file: FileId, wanted: &dyn Fn(&str) -> bool) -> Program {
    read_with(Document::new(text, file), wanted, &|_| None::<()>, &mut |_, _, _| {})
}

/// [`read`], with a source that says more of what was read. While the changes are read `prepare` does what can be done with
/// it by then, and `join` does the rest.
pub fn read_with<S: Send>(
    document: Document<'_>,
    wanted: &dyn Fn(&str) -> bool,
    prepare: &(dyn Fn(&Told<'_, '_>) -> Option<S> + Sync),
    join: &mut dyn FnMut(&Told<'_, '_>, Option<S>, &mut Program),
) -> Program {
    let mut program = Program { kind: InputKind::TerraformPlan, ..Program::default() };
    let Some(plan) = document.parse::<Plan<'_>>("the plan", document.text(), &mut program.diagnostics) else {
        return program;
    };
    program.written_by = plan.terraform_version.as_ref().map(|version| format!("Terraform {version}"));
    let errored = plan.errored == Some(true);
    program.incomplete =
        incomplete(errored, !plan.deferred_changes.is_empty(), plan.complete).map(str::to_owned);

    let configuration = plan.configuration.map(|raw| (raw, config::Configuration::parse(raw)));
    let configuration = match &configuration {
        Some((_, Ok(configuration))) => configuration,
        Some((raw, Err(error))) => {
            read_values(document, &plan, wanted, &mut program);
            let what = "the plan's `configuration`";
            program.diagnostics.push(document.not_understood(what, raw.get(), error));
            return program;
        }
        None => {
            read_values(document, &plan, wanted, &mut program);
            return program;
        }
    };
    let (variables, timestamp) = (plan.variables, plan.timestamp.as_deref());
    let told = Told { document, configuration, variables, timestamp };
    let mut prepared = None;
    rayon::in_place_scope(|scope| {
        scope.spawn(|_| prepared = prepare(&told));
        let deleted = read_values(document, &plan, wanted, &mut program);
        let index = config::Index::new(configuration);
        providers::read(document, configuration, &index, variables, &mut program);
        providers::of_deleted(configuration, &deleted, &mut program);
        attach::attach(document, &index, wanted, &mut program);
    });
    join(&told, prepared, &mut program);
    program
}

/// Reads the values of resources. Of what is deleted the configuration may tell nothing: returns the address of its provider.
fn read_values<'a>(
    document: Document<'a>,
    plan: &Plan<'a>,
    wanted: &dyn Fn(&str) -> bool,
    program: &mut Program,
) -> HashMap<SmolStr, SmolStr> {
    let mut deleted = read_changes(document, plan, wanted, program);
    if plan.resource_changes.is_none() {
        let planned = values(document, plan.planned_values, &mut program.diagnostics);
        if let Some(planned) = planned {
            planned.read(document, wanted, program, &mut |_| true);
        }
    }
    // What is known of data sources is read while planning, and then it is nowhere else.
    if let Some(prior) = values(document, plan.prior_state, &mut program.diagnostics) {
        let changed: HashSet<SmolStr> = program.resources.iter().map(|r| r.address.clone()).collect();
        let changes = plan.resource_changes.as_ref().map_or(0, Vec::len);
        let all = drift::is_refresh_only(program, changes);
        prior.read(document, wanted, program, &mut |resource| {
            all || resource.mode == Mode::Data && !changed.contains(&resource.address)
        });
        if all {
            drift::settle(&mut program.resources);
        }
    }
    drift::read(document, &plan.resource_drift, wanted, &mut deleted, program);
    deleted
}

/// Reads the changes; what is deleted with the address of its provider.
fn read_changes<'a>(
    document: Document<'a>,
    plan: &Plan<'a>,
    wanted: &dyn Fn(&str) -> bool,
    program: &mut Program,
) -> HashMap<SmolStr, SmolStr> {
    let changes = plan.resource_changes.as_deref().unwrap_or_default();
    let deferred = plan.deferred_changes.iter().filter_map(|deferred| deferred.resource_change);
    let deferred: Vec<&RawValue> = deferred.collect();
    let parse = |raw: &&'a RawValue| (*raw, serde_json::from_str::<Entry<'a>>(raw.get()));
    let mut types: HashMap<SmolStr, bool> = HashMap::default();
    let mut deleted = HashMap::default();
    let mut names = Names::default();
    program.resources.reserve_exact(changes.len() + deferred.len());
    // In pieces, so that what is read only on the way stays small.
    for piece in changes.chunks(ENTRIES_AT_ONCE).chain(deferred.chunks(ENTRIES_AT_ONCE)) {
        let entries: Vec<_> = piece.par_iter().map(parse).collect();
        for entry in entries.iter().filter_map(|(_, entry)| entry.as_ref().ok()) {
            if !types.contains_key(&entry.type_name) {
                types.insert(entry.type_name.clone(), wanted(&entry.type_name));
            }
            if let (None, Some(provider)) = (entry.change.after, &entry.provider_name) {
                deleted.insert(entry.address.clone(), provider.clone());
            }
            if let Some(from) = entry.previous_address.clone().filter(|from| *from != entry.address) {
                program.moved.insert(entry.address.clone(), from);
            }
        }
        let read = |(raw, entry): (&'a RawValue, Result<Entry<'a>, serde_json::Error>)| match entry {
            Ok(entry) if entry.deposed.is_some() => (None, None),
            Ok(entry) => {
                let is_wanted = types.get(&entry.type_name).copied().unwrap_or_default();
                let (resource, diagnostic) = resource(document, raw.get(), entry, is_wanted);
                (Some(resource), diagnostic)
            }
            Err(error) => {
                let what = "an entry of `resource_changes`";
                (None, Some(document.not_understood(what, raw.get(), &error)))
            }
        };
        for (mut resource, diagnostic) in entries.into_par_iter().map(read).collect::<Vec<_>>() {
            if let Some(resource) = &mut resource {
                names.share(resource);
            }
            program.resources.extend(resource);
            program.diagnostics.extend(diagnostic.filter(|_| program.diagnostics.len() < MAX_SAID));
        }
    }
    deleted
}

/// The names that many resources have in common, each in memory once.
#[derive(Default)]
struct Names(HashSet<SmolStr>);

impl Names {
    fn share(&mut self, resource: &mut Resource) {
        let Resource { block, type_name, name, module, .. } = resource;
        // Short ones are no memory of their own.
        for name in [block, type_name, name, module].into_iter().filter(|name| name.is_heap_allocated()) {
            match self.0.get(name) {
                Some(known) => name.clone_from(known),
                None => drop(self.0.insert(name.clone())),
            }
        }
    }
}

/// Why a plan is not whole, if it is not.
fn incomplete(errored: bool, deferred: bool, complete: Option<bool>) -> Option<&'static str> {
    if errored {
        Some("the plan was saved after an error: resources are missing")
    } else if deferred {
        Some("the plan defers some changes to a later run")
    } else if complete == Some(false) {
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
    let values: Values<'a> = document.parse("the plan's values", raw.get(), diagnostics)?;
    values.values.and_then(|values| values.root_module).or(values.root_module)
}

fn resource<'a>(
    document: Document<'a>,
    raw: &str,
    mut entry: Entry<'a>,
    is_wanted: bool,
) -> (Resource, Option<Diagnostic>) {
    let mode = if entry.mode.as_deref() == Some("data") { Mode::Data } else { Mode::Managed };
    let mut diagnostic = None;
    let sides = [entry.change.before, entry.change.after];
    if let Some(raw) = sides.into_iter().flatten().find(|raw| !raw.get().starts_with('{')) {
        let message = format!("cannot understand {}: what it is or will be is no object", entry.address);
        diagnostic = Some(Diagnostic { site: document.site(raw.get()), ..Diagnostic::error(message) });
        entry.change.before = None;
        entry.change.after = None;
        entry.change.after_unknown = Some(RawValue::TRUE);
    }
    let action = action(&entry.change);
    if action == Action::None && !entry.change.actions.is_empty() {
        let message = format!("cannot understand what the plan does to {}: airgate is older", entry.address);
        diagnostic = Some(Diagnostic { site: document.site(raw), ..Diagnostic::error(message) });
    }
    let mut or_unknown = |read: Result<Option<Value>, (&'a str, serde_json::Error)>| {
        read.unwrap_or_else(|(raw, error)| {
            diagnostic = Some(document.not_understood(&entry.address, raw, &error));
            Some(Value::unknown(Cause::Limit("the plan's value is not understood".into())))
        })
    };
    let told = entry.change.before.filter(|_| action.is_change_of_values());
    let (before, after) = if is_wanted {
        (or_unknown(before(document, told, &entry.change)), or_unknown(after(document, &entry.change)))
    } else {
        (told.map(|_| Value::object([])), entry.change.after.map(|_| Value::object([])))
    };
    let resource = Resource {
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
        action,
        site: document.site(raw),
        places: Arc::clone(&NO_PLACES),
        configured: None,
        references: Vec::new(),
        untold: None,
    };
    (resource, diagnostic)
}

/// The object after the change, or the text that is not understood.
fn after<'a>(
    document: Document<'a>,
    change: &Change<'a>,
) -> Result<Option<Value>, (&'a str, serde_json::Error)> {
    let unknown = Marks::shared(change.after_unknown);
    let unknown = unknown.as_deref().unwrap_or(&Marks::None);
    let Some(raw) = change.after else {
        return Ok((*unknown == Marks::All).then(crate::input::json::known_after_apply));
    };
    let sensitive = Marks::shared(change.after_sensitive);
    let sensitive = sensitive.as_deref().unwrap_or(&Marks::None);
    document.decode(raw, unknown, sensitive).map(Some).map_err(|error| (raw.get(), error))
}

/// The object before the change, or the text that is not understood.
fn before<'a>(
    document: Document<'a>,
    told: Option<&'a RawValue>,
    change: &Change<'a>,
) -> Result<Option<Value>, (&'a str, serde_json::Error)> {
    let Some(raw) = told else { return Ok(None) };
    // What the change makes sensitive was worth hiding before.
    let sensitive = Marks::parse(change.before_sensitive).or(Marks::parse(change.after_sensitive));
    document.decode(raw, &Marks::None, &sensitive).map(Some).map_err(|error| (raw.get(), error))
}

/// The address without keys. Most addresses have none.
fn block(entry: &Entry<'_>, mode: Mode) -> SmolStr {
    if !entry.address.contains('[') {
        return entry.address.clone();
    }
    if let Some(block) = block_of_parts(entry, mode) {
        return block;
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

thread_local! {
    /// The module instance of the entry before, and its address without keys.
    static MODULE: RefCell<(SmolStr, SmolStr)> = RefCell::default();
}

/// The address without keys, if the parts that the entry tells make the whole.
fn block_of_parts(entry: &Entry<'_>, mode: Mode) -> Option<SmolStr> {
    let module = entry.module_address.as_deref().unwrap_or_default();
    let rest = entry.address.strip_prefix(module)?;
    let rest = if module.is_empty() { rest } else { rest.strip_prefix('.')? };
    let (local, _) = rest.split_at_checked(rest.find('[').unwrap_or(rest.len()))?;
    let named = local.strip_prefix("data.").filter(|_| mode == Mode::Data).unwrap_or(local);
    let (type_name, name) = named.split_once('.')?;
    if type_name != entry.type_name || name != entry.name || name.contains('.') {
        return None;
    }
    if module.is_empty() {
        return Some(local.into());
    }
    MODULE.with_borrow_mut(|(known, block)| {
        if *known != module {
            let (steps, rest) = address::parse_module(module)?;
            let steps = steps.into_iter().map(|step| ModuleStep { key: None, ..step });
            let path = address::module_path(&steps.collect::<Vec<_>>());
            rest.is_empty().then_some(())?;
            (*known, *block) = (module.into(), path);
        }
        Some(format_smolstr!("{block}.{local}"))
    })
}

/// An instance key as JSON writes it.
pub(super) fn key(raw: &RawValue) -> Option<Key> {
    let text = raw.get();
    if text.starts_with('"') {
        return serde_json::from_str(text).ok().map(Key::String);
    }
    text.parse().ok().map(Key::Int)
}

fn action(change: &Change<'_>) -> Action {
    match change.actions.as_slice() {
        [one] => match one.as_str() {
            "no-op" if change.importing.is_some() => Action::Import,
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
