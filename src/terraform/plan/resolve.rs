//! Which resource attributes an expression of the configuration is computed from, through variables and outputs of modules.

use smol_str::{SmolStr, SmolStrBuilder, format_smolstr};

use crate::program::{Key, Mode};
use crate::value::{Reference, Unknown};

use super::config::{Index, ModuleId};
use super::expression::Leaf;
use crate::terraform::address::{self, Address, ModuleStep};

/// Variables and outputs that lead on to others are followed so often for one expression.
const MAX_STEPS: usize = 256;
/// And so deep.
const MAX_DEPTH: usize = 32;

/// What an expression is computed from.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Attributes of resources, without repetition.
    pub(super) targets: Vec<Target>,
    /// It also names something that cannot be followed: a local value, a module that is not there.
    pub(super) opaque: bool,
    /// It names `each.key`, `each.value` or `count.index`: instances may refer to the instance of the same key.
    pub(super) by_key: bool,
}

/// An attribute of a resource block, seen from the module of the block that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The module of the target, by absolute path. Keys are those that the reference tells.
    module: Vec<ModuleStep>,
    /// `aws_kms_key.k`, `data.t.n`
    local: SmolStr,
    pub(super) mode: Mode,
    /// The instance key that the reference tells.
    key: Option<Key>,
    /// The attribute; empty for the whole resource.
    pub(super) attribute: SmolStr,
}

/// The block that an expression stands in.
#[derive(Copy, Clone)]
pub(super) struct Place<'x> {
    pub(super) module: ModuleId,
    /// What `each.value` is computed from.
    pub(super) for_each: Option<&'x Sources>,
}

struct Resolver<'x, 'c, 'a> {
    index: &'x Index<'c, 'a>,
    steps: usize,
    sources: Sources,
}

/// What `leaf`, which stands at `place`, is computed from.
pub(super) fn resolve(index: &Index<'_, '_>, leaf: &Leaf<'_>, place: Place<'_>) -> Sources {
    let mut resolver = Resolver { index, steps: 0, sources: Sources::default() };
    resolver.leaf(leaf, place.module, place.for_each, "", 0);
    resolver.sources
}

impl Resolver<'_, '_, '_> {
    /// Follows all references of `leaf` in `module`. `rest` is the path into the result that is asked for.
    fn leaf(
        &mut self,
        leaf: &Leaf<'_>,
        module: ModuleId,
        for_each: Option<&Sources>,
        rest: &str,
        depth: usize,
    ) {
        // The path goes on into the thing that is named only if it is all that is named.
        let rest = if leaf.longest().nth(1).is_none() { rest } else { "" };
        for reference in leaf.longest() {
            self.steps += 1;
            if self.steps > MAX_STEPS || depth > MAX_DEPTH {
                self.sources.opaque = true;
                return;
            }
            self.reference(reference, module, for_each, rest, depth);
        }
    }

    fn reference(
        &mut self,
        reference: &str,
        module: ModuleId,
        for_each: Option<&Sources>,
        rest: &str,
        depth: usize,
    ) {
        let (root, path) = reference.split_once('.').unwrap_or((reference, ""));
        match root {
            "var" => self.variable(path, module, rest, depth),
            "module" => self.output(path, module, rest, depth),
            "local" => self.sources.opaque = true,
            "each" => {
                self.sources.by_key = true;
                if path.starts_with("value") {
                    match for_each {
                        Some(sources) => {
                            for target in &sources.targets {
                                self.push(target.clone());
                            }
                            self.sources.opaque |= sources.opaque;
                        }
                        None => self.sources.opaque = true,
                    }
                }
            }
            "count" => self.sources.by_key = true,
            "path" | "terraform" | "self" => {}
            _ => self.resource(reference, module, rest),
        }
    }

    fn variable(&mut self, path: &str, module: ModuleId, rest: &str, depth: usize) {
        let Some((name, path)) = address::name(path) else { return };
        // Variables of the root are known in a plan, and one that the call leaves out has its default.
        if let Some((parent, raw)) = self.index.argument(module, name) {
            let Some(leaf) = Leaf::parse(raw) else { return };
            let rest = [path, rest].concat();
            // `each.value` in a module call is computed from the call's own `for_each`.
            let leaf_of_call = self.index.call_for_each(module).and_then(|(_, raw)| Leaf::parse(raw));
            let for_each = leaf_of_call.filter(|_| depth < MAX_DEPTH).map(|for_each| {
                let mut inner =
                    Resolver { index: self.index, steps: self.steps, sources: Sources::default() };
                inner.leaf(&for_each, parent, None, "", depth + 1);
                self.steps = inner.steps;
                inner.sources
            });
            self.leaf(&leaf, parent, for_each.as_ref(), &rest, depth + 1);
        }
    }

    fn output(&mut self, path: &str, module: ModuleId, rest: &str, depth: usize) {
        let found = (|| {
            let (call, path) = address::name(path)?;
            let (key, path) = match address::key(path) {
                Some((key, path)) => (Some(key), path),
                None => (None, path),
            };
            let (output, path) = address::name(path.strip_prefix('.')?)?;
            let child = self.index.child(module, call)?;
            let leaf = Leaf::parse(self.index.output(child, output)?)?;
            Some((child, key, leaf, path))
        })();
        let Some((child, key, leaf, path)) = found else {
            self.sources.opaque = true;
            return;
        };
        let before = self.sources.targets.len();
        self.leaf(&leaf, child, None, &[path, rest].concat(), depth + 1);
        // The key belongs to the call's step of whatever was found in there.
        if let Some(key) = key {
            let path = self.index.module(child).map(|child| child.path.as_slice()).unwrap_or_default();
            for target in self.sources.targets.iter_mut().skip(before) {
                let is_inside = path.len() <= target.module.len()
                    && target.module.iter().zip(path).all(|(a, b)| a.name == *b);
                if let Some(step) = target.module.get_mut(path.len().saturating_sub(1)).filter(|_| is_inside)
                {
                    step.key.get_or_insert_with(|| key.clone());
                }
            }
        }
    }

    fn resource(&mut self, reference: &str, module: ModuleId, rest: &str) {
        let Some((address, attribute)) = Address::parse_prefix(reference) else {
            self.sources.opaque = true;
            return;
        };
        let path = self.index.module(module).map(|module| module.path.as_slice()).unwrap_or_default();
        let attribute = if attribute.is_empty() { rest } else { attribute };
        let attribute = attribute.strip_prefix('.').unwrap_or(attribute);
        self.push(Target {
            module: path.iter().map(|name| ModuleStep { name: name.clone(), key: None }).collect(),
            local: Address { key: None, ..address.clone() }.block(),
            mode: address.mode,
            key: address.key.filter(|key| *key != Key::Any),
            // An attribute that begins with a key is one of an unknown instance.
            attribute: if attribute.starts_with('[') { SmolStr::default() } else { attribute.into() },
        });
    }

    fn push(&mut self, target: Target) {
        if !self.sources.targets.contains(&target) {
            if self.sources.targets.len() < Unknown::MAX_SOURCES {
                self.sources.targets.push(target);
            } else {
                self.sources.opaque = true;
            }
        }
    }
}

impl Target {
    /// The target seen from an instance in the module instance `from`, whose address is `path`: where both are in the same
    /// module, so are the keys. The second address is without the resource's own key.
    pub(super) fn at(&self, from: &[ModuleStep], path: &str) -> (Reference, SmolStr) {
        let block = self.block_at(from, path);
        let resource = match &self.key {
            Some(key) => format_smolstr!("{block}{key}"),
            None => block.clone(),
        };
        (Reference { resource, attribute: self.attribute.clone() }, block)
    }

    fn block_at(&self, from: &[ModuleStep], path: &str) -> SmolStr {
        let is_beside = self.module.len() == from.len()
            && self.module.iter().zip(from).all(|(step, here)| step.key.is_none() && step.name == here.name);
        if is_beside {
            let dot = if path.is_empty() { "" } else { "." };
            return format_smolstr!("{path}{dot}{}", self.local);
        }
        let mut block = SmolStrBuilder::new();
        let mut is_same = true;
        for (i, step) in self.module.iter().enumerate() {
            let here = from.get(i).filter(|here| is_same && here.name == step.name);
            is_same = here.is_some();
            block.push_str("module.");
            block.push_str(&step.name);
            if let Some(key) = step.key.as_ref().or_else(|| here.and_then(|here| here.key.as_ref())) {
                block.push_str(&key.to_string());
            }
            block.push('.');
        }
        block.push_str(&self.local);
        block.finish()
    }

    /// The type of the resource or data source.
    pub(super) fn type_name(&self) -> &str {
        let local = self.local.strip_prefix("data.").filter(|_| self.mode == Mode::Data);
        local.unwrap_or(&self.local).split('.').next().unwrap_or_default()
    }

    /// The block's address without any key.
    pub(super) fn bare(&self) -> SmolStr {
        let mut out = SmolStrBuilder::new();
        for step in &self.module {
            out.push_str("module.");
            out.push_str(&step.name);
            out.push('.');
        }
        out.push_str(&self.local);
        out.finish()
    }
}
