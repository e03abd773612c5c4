//! The file that `terraform plan -out` writes (Terraform 1.x and OpenTofu): a [`Program`] with the values that the plan says
//! and the places and references of the configuration that it holds.
//!
//! It says what plan JSON says, and more: what is known of an unknown value, and the source. As `terraform show` adds what
//! the provider's schema calls sensitive, and this does not, the catalog marks that when it completes the values.

mod msgpack;
mod wire;

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use rayon::prelude::*;
use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::input::json::{Marks, PathStep};
use crate::program::{Action, InputKind, Mode, Program, Resource};
use crate::source::FileId;
use crate::terraform::address::Address;
use crate::terraform::state;
use crate::value::{Cause, Value};

use super::{Written, drift, incomplete, join};
use wire::Change;
pub use wire::{Broken, Plan, VERSION, without_changes};

/// The value of a root variable; [`None`] if it is not understood.
pub fn variable(bytes: &[u8]) -> Option<Value> {
    msgpack::decode(bytes, &Marks::None).ok()
}

/// Reads the plan: its changes, data sources from the prior `state` in `file`, and all else from what is
/// `written`, the configuration in the plan. Only types that are `wanted` get their values; all resources are listed.
pub fn read(
    plan: &Plan<'_>,
    written: Written<'_>,
    (state, file): (&str, FileId),
    wanted: &dyn Fn(&str) -> bool,
) -> Program {
    let mut program = Program {
        kind: InputKind::TerraformPlan,
        written_by: Some(format!("Terraform {}", plan.terraform_version)),
        incomplete: incomplete(plan.errored, !plan.deferred.is_empty(), completeness(plan))
            .map(str::to_owned),
        ..Program::default()
    };
    let mut used = read_changes(plan, wanted, &mut program);
    let all = drift::is_refresh_only(&program, plan.changes.len());
    // What is known of data sources is read while planning, and then it is nowhere else.
    let prior = state::read_raw(state, file, wanted);
    let changed: HashSet<SmolStr> = program.resources.iter().map(|r| r.address.clone()).collect();
    let read = prior.resources.into_iter();
    for mut resource in read.filter(|r| all || r.mode == Mode::Data && !changed.contains(&r.address)) {
        resource.provider = None;
        used.push(SmolStr::default());
        program.resources.push(resource);
    }
    if all {
        drift::settle(&mut program.resources);
    }
    program.diagnostics.extend(prior.diagnostics);
    used.extend(read_drift(plan, wanted, &mut program));
    join::join(&mut program, written, join::Trust::Held(&used));
    program
}

/// Whether the plan covers the configuration, if it says so.
fn completeness(plan: &Plan<'_>) -> Option<bool> {
    match (plan.complete, plan.applyable || plan.targeted) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

fn parse(bytes: &[u8]) -> Option<(Change<'_>, Address)> {
    let change = Change::parse(bytes).ok()?;
    Address::parse(change.address).map(|address| (change, address))
}

/// Reads the changes; the provider configuration of each, as the plan writes it.
fn read_changes(plan: &Plan<'_>, wanted: &dyn Fn(&str) -> bool, program: &mut Program) -> Vec<SmolStr> {
    let all: Vec<&[u8]> = plan.changes.iter().chain(&plan.deferred).copied().collect();
    let parsed: Vec<_> = all.into_par_iter().map(parse).collect();
    let mut types: HashMap<SmolStr, bool> = HashMap::default();
    for (_, address) in parsed.iter().flatten() {
        if !types.contains_key(&address.type_name) {
            types.insert(address.type_name.clone(), wanted(&address.type_name));
        }
    }
    let read = |parsed: Option<(Change<'_>, Address)>| {
        let Some((change, address)) = parsed else {
            let message = "cannot understand a change in the plan: its address is none";
            return (None, Some(Diagnostic::error(message)));
        };
        let (what, is_wanted) = (action(change.action), types.get(&address.type_name) == Some(&true));
        // Terraform forgets what a data source once read, and tells nobody.
        let is_forgotten = address.mode == Mode::Data && what == Some(Action::Delete);
        if change.deposed || is_forgotten {
            return (None, None);
        }
        let is_moved = !change.previous.is_empty() && change.previous != change.address;
        let moved = is_moved.then(|| SmolStr::from(change.previous));
        let (resource, diagnostic) = resource(&change, address, is_wanted);
        (Some((resource, SmolStr::from(change.provider), moved)), diagnostic)
    };
    let read: Vec<_> = parsed.into_par_iter().map(read).collect();
    let mut providers = Vec::with_capacity(read.len());
    for (resource, diagnostic) in read {
        if let Some((resource, provider, moved)) = resource {
            if let Some(from) = moved {
                program.moved.insert(resource.address.clone(), from);
            }
            program.resources.push(resource);
            providers.push(provider);
        }
        program.diagnostics.extend(diagnostic);
    }
    providers
}

/// Reads what refreshing the state found: the resources as stored, and the provider configuration of each.
fn read_drift(plan: &Plan<'_>, wanted: &dyn Fn(&str) -> bool, program: &mut Program) -> Vec<SmolStr> {
    let mut providers = Vec::new();
    for bytes in &plan.drift {
        let Some((change, address)) = parse(bytes) else {
            let message = "cannot understand what the plan says of drift: an address is none";
            program.diagnostics.push(Diagnostic::error(message));
            continue;
        };
        let is_told =
            matches!(action(change.action), Some(Action::Update | Action::Delete | Action::Replace));
        if !is_told || change.deposed || address.mode == Mode::Data {
            continue;
        }
        let is_wanted = wanted(&address.type_name);
        let (mut stored, diagnostic) = resource(&change, address, is_wanted);
        stored.after = stored.before.take();
        program.diagnostics.extend(diagnostic);
        program.stored.push(stored);
        providers.push(change.provider.into());
    }
    providers
}

fn resource(change: &Change<'_>, address: Address, is_wanted: bool) -> (Resource, Option<Diagnostic>) {
    let mut diagnostic = None;
    let action = match action(change.action) {
        Some(Action::NoOp) if change.importing => Some(Action::Import),
        action => action,
    };
    let mut object = |bytes: Result<Option<&[u8]>, Broken>, marked: &[Vec<PathStep>]| match (bytes, is_wanted)
    {
        (Ok(None | Some([0xc0])), _) => None,
        (Ok(Some(bytes)), true) => {
            let mut sensitive = Marks::None;
            for path in marked {
                sensitive.add(path);
            }
            let value = msgpack::decode(bytes, &sensitive);
            Some(value.unwrap_or_else(|_| not_understood(&address, &mut diagnostic)))
        }
        (Ok(Some(_)), false) => Some(Value::object([])),
        (Err(Broken), _) => Some(not_understood(&address, &mut diagnostic)),
    };
    let after = object(after(change, action), &change.after_sensitive);
    let before = object(Ok(before(change, action)), &change.before_sensitive);
    let resource = Resource {
        block: address.block(),
        address: change.address.into(),
        mode: address.mode,
        module: address.module_path(),
        type_name: address.type_name,
        native_type: None,
        name: address.name,
        key: address.key,
        provider: None,
        before,
        after,
        action: action.unwrap_or_default(),
        site: None,
        places: Arc::default(),
        configured: None,
        references: Vec::new(),
        untold: None,
    };
    (resource, diagnostic)
}

/// A value that cannot be read is not known, and that is an error.
fn not_understood(address: &Address, diagnostic: &mut Option<Diagnostic>) -> Value {
    *diagnostic = Some(Diagnostic::error(format!("cannot understand what the plan says of `{address}`")));
    Value::unknown(Cause::Limit("the plan's value is damaged, too large or nested too deep".into()))
}

/// The bytes of the object after the change: which of the values that is depends on what is done.
fn after<'a>(change: &Change<'a>, action: Option<Action>) -> Result<Option<&'a [u8]>, Broken> {
    let index = match action.ok_or(Broken)? {
        Action::NoOp | Action::Import | Action::Create => 0,
        Action::Read | Action::Update | Action::Replace => 1,
        Action::Delete | Action::Forget | Action::None => return Ok(None),
    };
    change.values.get(index).copied().map(Some).ok_or(Broken)
}

/// The bytes of the object before the change, where that is told apart from the one after it.
fn before<'a>(change: &Change<'a>, action: Option<Action>) -> Option<&'a [u8]> {
    let is_told =
        matches!(action?, Action::Read | Action::Update | Action::Replace | Action::Delete | Action::Forget);
    is_told.then(|| change.values.first().copied()).flatten()
}

/// What the number of an action means.
fn action(number: u64) -> Option<Action> {
    Some(match number {
        0 => Action::NoOp,
        1 => Action::Create,
        2 => Action::Read,
        3 => Action::Update,
        5 => Action::Delete,
        // Delete and create in either order, or create and forget the old one.
        6 | 7 | 9 => Action::Replace,
        8 => Action::Forget,
        _ => return None,
    })
}
