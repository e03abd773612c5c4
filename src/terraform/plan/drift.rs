//! What refreshing the state found changed or gone (`resource_drift`): the resources as the state had them before.

use foldhash::HashMap;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::input::json::Document;
use crate::program::{Mode, Program, Resource};

use super::{Change, Entry, resource};

/// Reads the entries. What is not in the configuration any more has a provider still: adds its address to `providers`.
pub(super) fn read<'a>(
    document: Document<'a>,
    entries: &[&'a RawValue],
    wanted: &dyn Fn(&str) -> bool,
    providers: &mut HashMap<SmolStr, SmolStr>,
    program: &mut Program,
) {
    for raw in entries {
        let what = "an entry of `resource_drift`";
        let entry = document.parse(what, raw.get(), &mut program.diagnostics);
        let Some::<Entry<'a>>(entry) = entry else { continue };
        if let (Some(address), true) = (&entry.provider_name, entry.change.after.is_none()) {
            providers.insert(entry.address.clone(), address.clone());
        }
        let is_wanted = wanted(&entry.type_name);
        let Some(entry) = as_stored(entry) else { continue };
        let (stored, diagnostic) = resource(document, raw.get(), entry, is_wanted);
        program.diagnostics.extend(diagnostic);
        program.stored.extend((stored.mode == Mode::Managed).then_some(stored));
    }
}

/// The entry of the object as stored; [`None`] if it is what refreshing found, or not the one that counts.
fn as_stored(mut entry: Entry<'_>) -> Option<Entry<'_>> {
    // What moved, and is the same, is told too.
    let is_same = entry.change.actions.first().is_none_or(|action| action == "no-op");
    if is_same || entry.deposed.is_some() {
        return None;
    }
    let Change { before, before_sensitive, after_sensitive, .. } = entry.change;
    entry.change = Change {
        actions: Vec::new(),
        after: Some(before?),
        // What was found out to be sensitive was worth hiding before.
        before_sensitive: after_sensitive,
        after_sensitive: before_sensitive,
        importing: None,
        before: None,
        after_unknown: None,
    };
    Some(entry)
}

/// A plan of `-refresh-only` changes nothing and lists nothing: what there is is the state as refreshed.
pub(super) fn is_refresh_only(program: &Program, changes: usize) -> bool {
    changes == 0 && program.resources.is_empty() && program.incomplete.is_none()
}

/// Says of what was read from the prior state that nothing changes.
pub(super) fn settle(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|resource| resource.mode == Mode::Managed) {
        resource.action = crate::program::Action::NoOp;
    }
}
