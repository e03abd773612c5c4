//! Ties the values of a plan to the resources that they come from: what a plan knows only after apply is a reference where
//! the configuration says so, and so is a known string that equals the one attribute that it can come from.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _, HashSet};
use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};

use crate::catalog::Catalog;
use crate::input::json::Document;
use crate::input::wiring::{
    entry_mut, is_document_around, is_same_text, items_mut, set_reference, set_sources,
};
use crate::program::{Action, Key, Link, Mode, Program, Resource};
use crate::terraform::address::{self, ModuleStep};
use crate::value::{Kind, Reference, Value};

use super::config::Index;
use super::resolve::{Sources, Target};
use super::wire::{Argument, Block, Wire, join};

/// More pairs of a block and an element that it may have become are not compared.
const MAX_PAIRS: usize = 1 << 16;

/// The object of a resource on one side of the change.
type Side = fn(&Resource) -> Option<&Value>;

/// What there is on one side of the change, by address.
struct Existing {
    instances: HashMap<SmolStr, Node>,
    /// Blocks in their module instance: addresses without the resource's own key.
    blocks: HashSet<SmolStr>,
    /// Blocks: addresses without any key.
    bare: HashSet<SmolStr>,
    /// All that exists is listed.
    is_complete: bool,
    /// Of the attributes that some expression names, those that are known: by attribute and instance.
    known: HashMap<SmolStr, HashMap<usize, Known>>,
}

/// What is known of an attribute.
enum Known {
    Text(SmolStr),
    /// It is no text.
    Other,
}

/// An instance that exists.
#[derive(Copy, Clone)]
struct Node {
    index: usize,
    /// A data source that was read while planning.
    is_read: bool,
}

/// The instance whose values are tied.
struct Instance<'x> {
    existing: &'x Existing,
    type_name: &'x str,
    module: &'x [ModuleStep],
    /// The address of that module.
    path: &'x str,
    key: Option<&'x Key>,
}

/// The values of an instance while they are tied.
struct Tie<'x> {
    instance: &'x Instance<'x>,
    arguments: &'x [Argument],
    /// The targets that exist, for each argument.
    candidates: &'x [Vec<Candidate>],
}

/// A target that exists.
struct Candidate {
    reference: Arc<Reference>,
    type_name: SmolStr,
    mode: Mode,
    /// The instance, if the reference tells it.
    instance: Option<Node>,
}

/// Ties the values of all resources whose types are wanted.
pub(super) fn attach<'a>(
    document: Document<'a>,
    index: &Index<'_, 'a>,
    wanted: &dyn Fn(&str) -> bool,
    program: &mut Program,
) {
    let mut blocks: HashMap<SmolStr, Option<Block>> = HashMap::default();
    for resource in program.resources.iter().chain(&program.stored) {
        if !blocks.contains_key(&resource.block) {
            let config = index.block(&resource.block).filter(|_| wanted(&resource.type_name));
            let block = config.map(|(module, config)| Block::new(document, index, module, config));
            blocks.insert(resource.block.clone(), block);
        }
    }
    let existing = Existing::new(program, &blocks, |resource| resource.after.as_ref());
    // What is told of before is what is not the same after.
    let is_told = program.resources.iter().any(|resource| resource.before.is_some());
    let earlier = is_told.then(|| Existing::new(program, &blocks, Resource::earlier));
    program.resources.par_iter_mut().for_each(|resource| {
        if let Some(Some(block)) = blocks.get(&resource.block) {
            attach_one(resource, block, &existing, earlier.as_ref());
        }
    });
    // What the state was before it was refreshed is tied to what that found.
    let refreshed = earlier.as_ref().unwrap_or(&existing);
    program.stored.par_iter_mut().for_each(|resource| {
        if let Some(Some(block)) = blocks.get(&resource.block) {
            attach_one(resource, block, refreshed, None);
        }
    });
}

/// Ties the values of one resource.
fn attach_one(resource: &mut Resource, block: &Block, existing: &Existing, earlier: Option<&Existing>) {
    resource.references = Vec::new();
    resource.configured = Some(Arc::clone(&block.configured));
    if block.arguments.iter().all(|argument| argument.sources.targets.is_empty()) {
        return;
    }
    let module = address::parse_module(&resource.module).map(|(steps, _)| steps).unwrap_or_default();
    let instance = Instance {
        existing,
        type_name: &resource.type_name,
        module: &module,
        path: &address::module_path(&module),
        key: resource.key.as_ref(),
    };
    let candidates = instance.all_candidates(block);
    let links = block.arguments.iter().zip(&candidates).flat_map(|(argument, candidates)| {
        candidates
            .iter()
            .map(|candidate| Link { path: argument.path.clone(), target: Arc::clone(&candidate.reference) })
    });
    let mut references: Vec<Link> = links.collect();
    references.sort();
    references.dedup();
    references.shrink_to_fit();
    let tie = Tie { instance: &instance, arguments: &block.arguments, candidates: &candidates };
    tie.object(resource.after.as_mut(), block);
    if let (Some(before), Some(earlier)) = (&mut resource.before, earlier) {
        // The configuration is that of after the change; all is known of before, so only what equals is tied.
        let instance = Instance { existing: earlier, ..instance };
        let candidates = instance.all_candidates(block);
        Tie { instance: &instance, arguments: &block.arguments, candidates: &candidates }
            .object(Some(before), block);
    }
    resource.references = references;
}

impl Existing {
    fn new(program: &Program, blocks: &HashMap<SmolStr, Option<Block>>, side: Side) -> Self {
        let mut this = Self {
            instances: HashMap::with_capacity(program.resources.len()),
            blocks: HashSet::default(),
            bare: HashSet::default(),
            is_complete: program.incomplete.is_none(),
            known: HashMap::default(),
        };
        let mut named: HashMap<SmolStr, BTreeSet<SmolStr>> = HashMap::default();
        let arguments = blocks.values().flatten().flat_map(|block| &block.arguments);
        for target in arguments.flat_map(|argument| &argument.sources.targets) {
            if !target.attribute.is_empty() {
                named.entry(target.bare()).or_default().insert(target.attribute.clone());
            }
        }
        for (index, resource) in program.resources.iter().enumerate() {
            let Some(object) = side(resource) else { continue };
            let is_read = resource.mode == Mode::Data && resource.action != Action::Read;
            this.instances.insert(resource.address.clone(), Node { index, is_read });
            let key = resource.key.as_ref().map(Key::to_string).unwrap_or_default();
            match resource.address.strip_suffix(key.as_str()).filter(|_| !key.is_empty()) {
                Some(block) if this.blocks.contains(block) => {}
                Some(block) => drop(this.blocks.insert(block.into())),
                // They share the address.
                None => drop(this.blocks.insert(resource.address.clone())),
            }
            if !this.bare.contains(&resource.block) {
                this.bare.insert(resource.block.clone());
            }
            for attribute in named.get(&resource.block).into_iter().flatten() {
                if let Some(value) = known(object, attribute) {
                    this.known.entry(attribute.clone()).or_default().insert(index, Known::new(value));
                }
            }
        }
        this
    }
}

impl Known {
    fn new(value: &Value) -> Self {
        match &value.kind {
            Kind::String(text) => Self::Text(text.clone()),
            _ => Self::Other,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other => None,
        }
    }
}

/// The value of the attribute as a reference names it, where it is known.
fn known<'v>(object: &'v Value, attribute: &str) -> Option<&'v Value> {
    // A list of one block is looked through; of a longer one the index counts.
    let value = if attribute.contains('[') {
        object
            .at_path(&attribute.replace("[0]", ""))
            .or_else(|| object.at_path(&attribute.replace('[', ".").replace([']', '"'], "")))
    } else {
        object.at_path(attribute)
    };
    value.filter(|value| !value.is_unknown())
}

impl Instance<'_> {
    /// The targets of each argument of `block` that exist.
    fn all_candidates(&self, block: &Block) -> Vec<Vec<Candidate>> {
        block.arguments.iter().map(|argument| self.candidates(&argument.sources)).collect()
    }

    /// The targets that exist, as this instance sees them.
    fn candidates(&self, sources: &Sources) -> Vec<Candidate> {
        let mut out: Vec<Candidate> = Vec::with_capacity(sources.targets.len());
        for target in &sources.targets {
            let Some(candidate) = self.candidate(target, sources.by_key) else { continue };
            if !out.iter().any(|known| known.reference == candidate.reference) {
                out.push(candidate);
            }
        }
        out
    }

    fn candidate(&self, target: &Target, by_key: bool) -> Option<Candidate> {
        let (mut reference, block) = target.at(self.module, self.path);
        if by_key
            && reference.resource == block
            && let Some(key) = self.key
        {
            let same_key = format_smolstr!("{block}{key}");
            if self.existing.instances.contains_key(&same_key) {
                reference.resource = same_key;
            }
        }
        let instance = self.existing.instances.get_key_value(&reference.resource).map(|(address, node)| {
            // All references to an instance share its address.
            reference.resource = address.clone();
            *node
        });
        let exists = instance.is_some()
            || (reference.resource == block
                && (self.existing.blocks.contains(&block) || self.existing.bare.contains(&target.bare())));
        (exists || !self.existing.is_complete).then(|| Candidate {
            reference: Arc::new(reference),
            type_name: target.type_name().into(),
            mode: target.mode,
            instance,
        })
    }

    /// The attribute that `candidate` names, where it is known.
    fn known(&self, candidate: &Candidate) -> Option<&Known> {
        self.existing.known.get(&candidate.reference.attribute)?.get(&candidate.instance?.index)
    }

    /// The one of several candidates that has the type which the attribute at `path` is known to name. A plan tells the
    /// references of an attribute that holds objects together, whichever of their attributes each stands at.
    fn linked<'c>(&self, candidates: &[&'c Candidate], path: &str) -> Option<&'c Candidate> {
        let links = Catalog::get().links(self.type_name).iter().filter(|link| link.attribute == path);
        let types: Vec<&str> = links.map(|link| link.target_type).collect();
        let mut linked = candidates.iter().filter(|candidate| types.contains(&candidate.type_name.as_str()));
        linked.next().filter(|_| linked.next().is_none()).copied()
    }
}

impl Tie<'_> {
    fn object(&self, object: Option<&mut Value>, block: &Block) {
        if let Some(object) = object {
            self.body(object, &block.body);
        }
    }

    fn body(&self, object: &mut Value, body: &[(SmolStr, Wire)]) {
        for (name, wire) in body {
            if self.may_tie(wire)
                && let Some(value) = entry_mut(object, name)
            {
                self.value(value, wire);
            }
        }
    }

    /// Whether what an argument gives has somewhere to come from.
    fn may_tie(&self, wire: &Wire) -> bool {
        match wire {
            Wire::Leaf { argument, .. } => {
                self.candidates.get(*argument).is_some_and(|candidates| !candidates.is_empty())
            }
            Wire::Body(_) | Wire::Blocks(_) => true,
        }
    }

    fn value(&self, value: &mut Value, wire: &Wire) {
        match wire {
            Wire::Leaf { argument, .. } => {
                let (Some(argument), Some(candidates)) =
                    (self.arguments.get(*argument), self.candidates.get(*argument))
                else {
                    return;
                };
                if !candidates.is_empty() {
                    self.leaf(value, argument, candidates, &argument.path);
                }
            }
            Wire::Body(_) | Wire::Blocks(_) if value.is_unknown() => {
                let mut candidates = Vec::new();
                self.all(wire, &mut candidates);
                set_sources(value, candidates.iter().map(|candidate| &candidate.reference));
            }
            Wire::Body(body) => {
                if let Some([only]) = items_mut(value) {
                    self.value(only, wire);
                } else {
                    self.body(value, body);
                }
            }
            Wire::Blocks(blocks) => self.blocks(value, blocks),
        }
    }

    /// Blocks stand in the order of the source where the schema has a list, and in another where it has a set.
    fn blocks(&self, value: &mut Value, blocks: &[Wire]) {
        let Some(items) = items_mut(value) else {
            if let [only] = blocks {
                self.value(value, only);
            }
            return;
        };
        let is_aligned = items.len() == blocks.len()
            && items.iter().zip(blocks).all(|(item, block)| constants(block, item).is_some());
        // More elements than blocks: some come from dynamic blocks, which are not in the configuration.
        let must = usize::from(items.len() > blocks.len());
        if !is_aligned && items.len() * blocks.len() > MAX_PAIRS {
            return;
        }
        for (i, item) in items.iter_mut().enumerate() {
            let block = if is_aligned {
                blocks.get(i)
            } else {
                let mut fits =
                    blocks.iter().filter(|block| constants(block, item).is_some_and(|n| n >= must));
                fits.next().filter(|_| fits.next().is_none())
            };
            if let Some(block) = block {
                self.value(item, block);
            }
        }
    }

    /// Ties what an argument gives, or a part of it, which is at `path`.
    fn leaf(&self, value: &mut Value, argument: &Argument, candidates: &[Candidate], path: &str) {
        match &mut value.kind {
            Kind::Unknown(_) => {
                // What a data source read while planning is known, so it does not make anything unknown.
                let is_read =
                    |candidate: &Candidate| candidate.instance.is_some_and(|instance| instance.is_read);
                let unknown: Vec<&Candidate> =
                    candidates.iter().filter(|candidate| !is_read(candidate)).collect();
                let only = match unknown.as_slice() {
                    [only] => Some(*only),
                    several => self.instance.linked(several, path),
                };
                let name = argument.path.rsplit('.').next().unwrap_or_default();
                match only {
                    Some(only)
                        if !argument.sources.opaque
                            && self.instance.known(only).is_none()
                            && !is_document_around(name, &only.reference.attribute) =>
                    {
                        set_reference(value, only.mode, &only.reference);
                    }
                    _ => set_sources(value, unknown.iter().map(|candidate| &candidate.reference)),
                }
            }
            Kind::String(text) if !text.is_empty() => {
                let is_same = |candidate: &&Candidate| {
                    let known = self.instance.known(candidate).and_then(Known::text);
                    known.is_some_and(|known| is_same_text(known, text))
                };
                let mut same = candidates.iter().filter(is_same);
                if let (Some(only), None) = (same.next(), same.next()) {
                    value.reference = Some(Arc::clone(&only.reference));
                }
            }
            Kind::Object(map) | Kind::Map(map) if !map.is_empty() => {
                for (key, value) in Arc::make_mut(map).iter_mut() {
                    self.leaf(value, argument, candidates, &join(path, key));
                }
            }
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) if !items.is_empty() => {
                for value in Arc::make_mut(items) {
                    self.leaf(value, argument, candidates, path);
                }
            }
            _ => {}
        }
    }

    /// All that the arguments in a block are computed from.
    fn all<'t>(&'t self, wire: &Wire, out: &mut Vec<&'t Candidate>) {
        match wire {
            Wire::Leaf { argument, .. } => {
                out.extend(self.candidates.get(*argument).into_iter().flatten());
            }
            Wire::Body(body) => body.iter().for_each(|(_, wire)| self.all(wire, out)),
            Wire::Blocks(blocks) => blocks.iter().for_each(|wire| self.all(wire, out)),
        }
    }
}

/// How many constants of a block's configuration an element has; [`None`] if it contradicts one.
fn constants(block: &Wire, item: &Value) -> Option<usize> {
    let Wire::Body(body) = block else { return Some(0) };
    let mut count = 0;
    for (name, wire) in body {
        let Wire::Leaf { constant: Some(constant), .. } = wire else { continue };
        match (&constant.kind, item.get(name).map(|value| &value.kind)) {
            (Kind::String(a), Some(Kind::String(b))) if a != b => return None,
            (Kind::Bool(a), Some(Kind::Bool(b))) if a != b => return None,
            (Kind::Number(a), Some(Kind::Number(b))) if a != b => return None,
            (Kind::String(_) | Kind::Bool(_) | Kind::Number(_), Some(Kind::Null) | None) => return None,
            (Kind::String(_) | Kind::Bool(_) | Kind::Number(_), Some(_)) => count += 1,
            _ => {}
        }
    }
    Some(count)
}
