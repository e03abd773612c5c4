//! Brings together what a plan says and what its source evaluates to: the values are the plan's; the source gives places and
//! references, and says more of what the plan does not know.
//!
//! What the source tells where the plan knows nothing is kept apart: [`Resource::untold`] has the object without it, so that
//! a finding that hangs on it can say so.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use foldhash::HashMap;
use rayon::prelude::*;
use smol_str::SmolStr;

use crate::catalog;
use crate::diagnostic::Level;
use crate::input::wiring::{entry_mut, is_same_text, items_mut};
use crate::program::{FollowedCall, Key, Mode, Program, ProviderConfig, Resource};
use crate::terraform::address::{self, ModuleStep, module_path};
use crate::terraform::state;
use crate::value::{Cause, Element, Kind, Map, Type, Unknown, Value};

use super::belong::Fit;

/// Values are followed so deep.
const MAX_DEPTH: usize = 64;

/// More pairs of elements of one collection are not compared.
const MAX_PAIRS: usize = 1 << 12;

/// What the source of a plan evaluates to.
pub struct Written<'w> {
    /// With the files that its functions read.
    pub program: Program,
    /// Evaluates it without, if it reads any.
    pub without_files: Option<Box<dyn FnOnce() -> Program + 'w>>,
}

/// How the source is known to be that of the plan.
#[derive(Copy, Clone)]
pub(super) enum Trust<'f> {
    /// The plan holds it, and says what it calls the provider of each resource, or nothing.
    Held(&'f [SmolStr]),
    /// The binary form of the same plan holds it.
    Beside,
    /// It was compared with what the plan tells of it.
    Compared(&'f Fit),
}

impl Trust<'_> {
    /// Whether the block or call at an address without keys is the one that was planned.
    fn has(self, address: &str) -> bool {
        match self {
            Self::Held(_) | Self::Beside => true,
            Self::Compared(fit) => fit.same.contains(address),
        }
    }

    /// Whether the source may say what the plan does not know: of a block alone it cannot be told what is behind its names.
    fn tells(self) -> bool {
        match self {
            Self::Held(_) | Self::Beside => true,
            Self::Compared(fit) => fit.is_exact(),
        }
    }
}

/// Joins `source` to `program`. No plan holds the files that functions read, and those on the disk may be of another day: if
/// the source contradicts the plan with them, it is asked for without.
pub(super) fn join(program: &mut Program, written: Written<'_>, trust: Trust<'_>) {
    let source = match written.without_files {
        Some(evaluate) if is_contradicted(program, &written.program) => evaluate(),
        _ => written.program,
    };
    join_source(program, source, trust);
}

/// Whether a value that the plan knows cannot have come from the source.
fn is_contradicted(program: &Program, source: &Program) -> bool {
    let objects = source.resources.iter().filter_map(|it| Some((it.address.as_str(), it.after.as_ref()?)));
    let known: HashMap<&str, &Value> = objects.collect();
    program.resources.par_iter().any(|resource| {
        let written = known.get(resource.address.as_str());
        let pair = resource.after.as_ref().zip(written);
        pair.is_some_and(|(after, written)| contradicts(after, written, MAX_DEPTH))
    })
}

fn join_source(program: &mut Program, mut source: Program, trust: Trust<'_>) {
    program.expressions = source.expressions;
    program.calls = std::mem::take(&mut source.calls);
    // What is in a module that is not installed is told at its call.
    for call in source.unfollowed.drain(..) {
        let Some((steps, _)) = address::parse_module(&call.address) else { continue };
        let keyless = steps.into_iter().map(|step| ModuleStep { key: None, ..step }).collect::<Vec<_>>();
        let followed = FollowedCall { site: call.site, installed: true };
        program.calls.entry(module_path(&keyless)).or_insert(followed);
    }
    program.calls.retain(|path, _| trust.has(path));
    // Terraform has evaluated this configuration: what we could not is no news, as the values are here. Of what somebody
    // else gave us the verdicts do not need it.
    for mut diagnostic in source.diagnostics.drain(..).filter(|it| it.level == Level::Error) {
        if !matches!(trust, Trust::Held(_)) {
            diagnostic.level = Level::Warning;
        }
        program.diagnostics.push(diagnostic);
    }
    if matches!(trust, Trust::Held(_)) {
        program.providers = std::mem::take(&mut source.providers);
    } else {
        join_providers(&mut program.providers, &source.providers, trust);
    }
    let by_address: HashMap<&str, &Resource> = first(&source, |resource| &resource.address);
    let by_block = LazyLock::new(|| first(&source, |resource| &resource.block));
    let mut resources = std::mem::take(&mut program.resources);
    let mut stored = std::mem::take(&mut program.stored);
    resources.par_iter_mut().chain(&mut stored).for_each(|resource| {
        let same = by_address.get(resource.address.as_str());
        let found = same.or_else(|| by_block.get(resource.block.as_str()));
        if let Some(&from) = found.filter(|from| trust.has(&from.block)) {
            // Of a block whose instances we could not tell apart, one stands for all.
            let is_it = same.is_some() || from.key == Some(Key::Any);
            attach(resource, from, is_it, trust);
        }
    });
    if let Trust::Held(providers) = trust {
        for (resource, text) in resources.iter_mut().chain(&mut stored).zip(providers) {
            if resource.provider.is_none() {
                resource.provider = state::provider(program, text);
            }
        }
    }
    program.resources = resources;
    program.stored = stored;
}

/// The first of the resources of each name.
fn first(source: &Program, name: fn(&Resource) -> &SmolStr) -> HashMap<&str, &Resource> {
    source.resources.iter().rev().map(|resource| (name(resource).as_str(), resource)).collect()
}

/// Gives the provider configurations of a plan what the source says of those of the same name.
fn join_providers(providers: &mut [ProviderConfig], source: &[ProviderConfig], trust: Trust<'_>) {
    for provider in providers {
        let mut all = source.iter().filter(|it| (&it.name, &it.alias) == (&provider.name, &provider.alias));
        if let (Some(from), None) = (all.next(), all.next()) {
            let mut fusing = Fusing { tells: trust.tells(), told: false };
            if !contradicts(&provider.region, &from.region, MAX_DEPTH) {
                fusing.fuse(&mut provider.region, &from.region, MAX_DEPTH);
                fusing.fuse(&mut provider.default_tags, &from.default_tags, MAX_DEPTH);
                provider.site = from.site.or(provider.site);
            }
        }
    }
}

/// Gives a resource of the plan what its block in the source has.
fn attach(resource: &mut Resource, from: &Resource, is_it: bool, trust: Trust<'_>) {
    resource.site = from.site;
    resource.places.clone_from(&from.places);
    if let Trust::Held(_) = trust {
        resource.provider = from.provider;
    }
    if !is_it {
        return;
    }
    if resource.configured.is_none() {
        resource.configured.clone_from(&from.configured);
    } else if let (Some(told), Some(written)) = (&mut resource.configured, &from.configured) {
        // Plan JSON does not tell `dynamic` blocks.
        if !written.is_subset(told) {
            *told = Arc::new(told.union(written).cloned().collect::<BTreeSet<_>>());
        }
    }
    if resource.references.is_empty() {
        resource.references.clone_from(&from.references);
    } else {
        resource.references.extend(from.references.iter().cloned());
        resource.references.sort();
        resource.references.dedup();
    }
    let Some(written) = &from.after else { return };
    if let Some(after) = &mut resource.after {
        // One contradiction makes the rest doubtful, unless the source is certain.
        let is_doubtful = matches!(trust, Trust::Compared(_)) && contradicts(after, written, MAX_DEPTH);
        let tells = trust.tells() && !is_doubtful;
        let may_tell = tells && may_tell(after, written, MAX_DEPTH);
        // Not kept without need: what has a second owner is copied before it is written to.
        let before = may_tell.then(|| after.clone());
        let mut fusing = Fusing { tells, told: false };
        if may_tell && resource.mode == Mode::Managed {
            fusing.told = take_blocks(&resource.type_name, "", after, written, MAX_DEPTH);
        }
        fusing.fuse(after, written, MAX_DEPTH);
        after.spread_sensitive();
        if let Some(mut before) = before.filter(|_| fusing.told) {
            Fusing { tells: false, told: false }.fuse(&mut before, written, MAX_DEPTH);
            before.spread_sensitive();
            resource.untold = Some(Box::new(before));
        }
    }
}

/// Whether the source may tell something that the plan does not know; if not, it does not.
fn may_tell(value: &Value, written: &Value, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match (&value.kind, &written.kind) {
        (Kind::Unknown(unknown), Kind::Unknown(known)) => {
            unknown.partial.is_some() || known.partial.is_some() || !known.prefix.is_empty()
        }
        (Kind::Unknown(_), Kind::Null) => false,
        (Kind::Unknown(_), _) => true,
        (Kind::Object(map) | Kind::Map(map), Kind::Object(all) | Kind::Map(all)) => all
            .iter()
            .any(|(name, written)| map.get(name).is_some_and(|value| may_tell(value, written, depth - 1))),
        (
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items),
            Kind::List(all) | Kind::Set(all) | Kind::Tuple(all),
        ) => items
            .iter()
            .filter(|item| !item.is_wholly_known())
            .any(|item| all.iter().any(|written| may_tell(item, written, depth - 1))),
        _ => false,
    }
}

/// Takes blocks from the source that the plan does not know at all, each with what the provider adds to it. `value` is the
/// object of a resource of the type, or of its nested block at the dotted path `around`.
fn take_blocks(type_name: &str, around: &str, value: &mut Value, written: &Value, depth: usize) -> bool {
    let mut taken = false;
    for (name, written) in written.map().into_iter().flat_map(Map::iter).filter(|(_, it)| is_block(it)) {
        let Some(block) = entry_mut(value, name).filter(|_| depth > 0) else { continue };
        let path = if around.is_empty() { name.to_string() } else { format!("{around}.{name}") };
        if block.is_unknown() {
            if let Some(whole) = catalog::complete_attribute(type_name, &path, Some(written)) {
                *block = whole.mark(block.sensitive);
                taken = true;
            }
        } else if let (false, Some(items), Some(all)) =
            (block.is_wholly_known(), block.items(), written.items())
        {
            let pairs = pairs(items, all, depth);
            for (item, written) in items_mut(block).unwrap_or_default().iter_mut().zip(pairs) {
                taken |= written.is_some_and(|it| take_blocks(type_name, &path, item, it, depth - 1));
            }
        }
    }
    taken
}

/// Whether what is written under a name are blocks.
fn is_block(written: &Value) -> bool {
    let any = |values: &[Element]| values.iter().any(|element| element.value.map().is_some());
    written.items().is_some_and(|items| items.iter().any(|item| item.map().is_some()))
        || written.elements().is_some_and(any)
}

/// How values are brought together.
struct Fusing {
    /// The source says what the plan does not know.
    tells: bool,
    /// It has.
    told: bool,
}

impl Fusing {
    /// Says of a value of the plan what the source, where it is `written`, knows of it.
    fn fuse(&mut self, value: &mut Value, written: &Value, depth: usize) {
        let is_object = value.map().is_some();
        if depth == 0 || (!is_object && contradicts(value, written, depth)) {
            return;
        }
        match (&mut value.kind, &written.kind) {
            (Kind::Unknown(unknown), Kind::Unknown(known)) => {
                let both = both(unknown, known, self.tells);
                self.told |= both.partial.is_some() || both.prefix.len() > unknown.prefix.len();
                *unknown = Arc::new(both);
                value.sensitive |= written.sensitive;
            }
            // Nobody set it, and then the plan does not know it because the provider decides.
            (Kind::Unknown(unknown), Kind::Null) if self.tells && unknown.partial.is_none() => {
                Arc::make_mut(unknown).cause = Cause::Provider;
            }
            (Kind::Unknown(_), _) => {
                // A provider makes a whole map or text unknown for one part that is.
                if self.tells && decides(written) {
                    value.kind = written.kind.clone();
                    self.told = true;
                } else if written.reference.is_none() {
                    return;
                }
                value.sensitive |= written.sensitive;
            }
            (Kind::Object(_) | Kind::Map(_), Kind::Object(map) | Kind::Map(map)) => {
                for (name, written) in map.iter() {
                    if let Some(part) = entry_mut(value, name) {
                        self.fuse(part, written, depth - 1);
                    }
                }
            }
            (
                Kind::List(items) | Kind::Set(items) | Kind::Tuple(items),
                Kind::List(all) | Kind::Set(all) | Kind::Tuple(all),
            ) => {
                let pairs = pairs(items, all, depth - 1);
                for (item, written) in items_mut(value).unwrap_or_default().iter_mut().zip(pairs) {
                    if let Some(written) = written {
                        self.fuse(item, written, depth - 1);
                    }
                }
            }
            _ => {}
        }
        // What is in plan JSON has its place there: where it is written says more.
        value.origin = written.origin.or(value.origin);
        if value.via.is_none() {
            value.via.clone_from(&written.via);
        }
        if value.reference.is_none() {
            value.reference.clone_from(&written.reference);
        }
    }
}

/// What is known of an unknown value by the plan and, if it `tells`, by the source.
fn both(plan: &Unknown, source: &Unknown, tells: bool) -> Unknown {
    let mut all = if tells {
        // Blocks that were taken have what the provider adds.
        let partial = plan.partial.clone().or_else(|| source.partial.clone());
        Unknown { partial, ..source.clone() }
    } else {
        // What it is computed from is a fact of the configuration, not of its value.
        let cause = source.cause.clone();
        Unknown { cause, sources: Arc::clone(&source.sources), ..plan.clone() }
    };
    all.not_null |= plan.not_null;
    if all.prefix.len() < plan.prefix.len() {
        all.prefix.clone_from(&plan.prefix);
        all.ty = Type::String;
    }
    // What only we do not know is not why the plan does not know it.
    if !matches!(all.cause, Cause::Resource(_) | Cause::Data(_)) {
        all.cause = Cause::Plan;
    }
    if all.sources.is_empty() {
        all.sources = Arc::clone(&plan.sources);
    }
    all
}

/// Whether what is written decides where the plan knows nothing: a text, number or truth, or a map or list of such. What is
/// null or empty leaves it to the provider, and of nested blocks only the provider knows the whole.
fn decides(written: &Value) -> bool {
    let is_scalar = |value: &Value| value.items().is_none() && value.map().is_none();
    match (&written.kind, written.items(), written.map()) {
        (Kind::Null, ..) => false,
        (Kind::String(text), ..) => !text.is_empty(),
        (_, Some(items), _) => !items.is_empty() && items.iter().all(is_scalar),
        (_, _, Some(map)) => !map.is_empty() && map.values().all(is_scalar),
        _ => true,
    }
}

/// For each element of a collection in the plan the one in the source that became it: at the same place if they all fit
/// there or are alone, for a set the only one that fits.
fn pairs<'w>(items: &[Value], written: &'w [Value], depth: usize) -> Vec<Option<&'w Value>> {
    if items.len() != written.len() || items.len().saturating_mul(items.len()) > MAX_PAIRS {
        return Vec::new();
    }
    let is_aligned = |item, written| !contradicts(item, written, depth);
    if items.len() == 1 || items.iter().zip(written).all(|(item, written)| is_aligned(item, written)) {
        return written.iter().map(Some).collect();
    }
    let only = |item: &Value| {
        let mut fits = written.iter().filter(|written| !contradicts(item, written, depth));
        fits.next().filter(|_| fits.next().is_none())
    };
    items.iter().map(only).collect()
}

/// Whether the value cannot have come from what is written.
fn contradicts(value: &Value, written: &Value, depth: usize) -> bool {
    let text = |value: &Value| match &value.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Number(number) => Some(number.to_string().into()),
        Kind::Bool(truth) => Some(truth.to_string().into()),
        _ => None,
    };
    let differ = |value: &SmolStr, written: &SmolStr| !is_same_text(value, written);
    match (text(value), text(written)) {
        (Some(value), Some(written)) => return differ(&value, &written),
        (Some(value), None) if written.is_unknown() => {
            let prefix = written.as_unknown().map(|unknown| unknown.prefix.as_str()).unwrap_or_default();
            return !value.starts_with(prefix);
        }
        _ => {}
    }
    match (value.map(), written.map()) {
        (Some(map), Some(all)) if depth > 0 => all
            .iter()
            .any(|(name, written)| map.get(name).is_some_and(|value| contradicts(value, written, depth - 1))),
        _ => false,
    }
}
