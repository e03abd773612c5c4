//! Ties the values of a plan to the resources that they come from: what a plan knows only after apply is a reference where
//! the configuration says so, and so is a known string that equals the one attribute that it can come from.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use crate::catalog::Catalog;
use crate::input::json::Document;
use crate::input::wiring::{
    entry_mut, is_document_around, is_same_text, items_mut, set_reference, set_sources,
};
use crate::program::{Action, Key, Link, Mode, Program, Resource};
use crate::terraform::address::{self, ModuleStep};
use crate::value::{Kind, Reference, Value};

use super::config::{BlockConfig, Index, ModuleId};
use super::expression::{Leaf, Node};
use super::resolve::{self, Place, Sources, Target};

/// More pairs of a block and an element that it may have become are not compared.
const MAX_PAIRS: usize = 1 << 16;

/// What a block gives to an attribute or nested block, with its references resolved.
enum Wire {
    Leaf { sources: Sources, constant: Option<Value> },
    Body(Vec<(SmolStr, Wire)>),
    Blocks(Vec<Wire>),
}

/// What all instances of a block share.
struct Block {
    /// Dotted paths of what is set, see [`Resource::configured`].
    configured: BTreeSet<SmolStr>,
    body: Vec<(SmolStr, Wire)>,
}

/// What there is after the change, by address.
struct Existing {
    /// Instances.
    instances: HashMap<SmolStr, usize>,
    /// Blocks in their module instance: addresses without the resource's own key.
    blocks: HashSet<SmolStr>,
    /// Blocks: addresses without any key.
    bare: HashSet<SmolStr>,
    /// All that exists is listed.
    is_complete: bool,
}

/// The instance whose values are tied.
struct Instance<'x> {
    resources: &'x [Resource],
    existing: &'x Existing,
    type_name: &'x str,
    module: &'x [ModuleStep],
    key: Option<&'x Key>,
}

/// An attribute's expression, as one instance sees it.
struct Expression<'x> {
    candidates: &'x [Candidate],
    opaque: bool,
    /// The attribute's name.
    name: &'x str,
}

/// A target that exists.
struct Candidate {
    reference: Arc<Reference>,
    type_name: SmolStr,
    mode: Mode,
    /// Index of the instance, if the reference tells it.
    instance: Option<usize>,
}

/// Ties the values of all resources whose types are wanted.
pub(super) fn attach<'a>(
    document: Document<'a>,
    index: &Index<'_, 'a>,
    wanted: &dyn Fn(&str) -> bool,
    program: &mut Program,
) {
    let existing = Existing::new(program);
    let mut blocks: HashMap<SmolStr, Option<Block>> = HashMap::new();
    for i in 0..program.resources.len() {
        let Some(resource) = program.resources.get_mut(i).filter(|resource| wanted(&resource.type_name))
        else {
            continue;
        };
        let block = blocks.entry(resource.block.clone()).or_insert_with(|| {
            let (module, config) = index.block(&resource.block)?;
            Some(Block::new(document, index, module, config))
        });
        let Some(block) = block else { continue };
        let (mut before, mut after) = (resource.before.take(), resource.after.take());
        let type_name = resource.type_name.clone();
        let module = address::parse_module(&resource.module).map(|(steps, _)| steps).unwrap_or_default();
        let key = resource.key.clone();
        let is_unchanged = resource.action == Action::NoOp;
        let instance = Instance {
            resources: &program.resources,
            existing: &existing,
            type_name: &type_name,
            module: &module,
            key: key.as_ref(),
        };
        let mut references = Vec::new();
        for (name, wire) in &block.body {
            instance.links(wire, name, &mut references);
            if let Some(value) = after.as_mut().and_then(|after| entry_mut(after, name)) {
                instance.tie(value, wire, name);
            }
            if is_unchanged && let Some(value) = before.as_mut().and_then(|before| entry_mut(before, name)) {
                instance.tie(value, wire, name);
            }
        }
        references.sort();
        references.dedup();
        if let Some(resource) = program.resources.get_mut(i) {
            resource.before = before;
            resource.after = after;
            resource.references = references;
            resource.configured = Some(block.configured.clone());
        }
    }
}

impl Block {
    fn new<'a>(
        document: Document<'a>,
        index: &Index<'_, 'a>,
        module: ModuleId,
        config: &BlockConfig<'a>,
    ) -> Self {
        let place = Place { module, for_each: None };
        let for_each = config
            .for_each_expression
            .and_then(Leaf::parse)
            .map(|leaf| resolve::resolve(index, &leaf, place));
        let place = Place { module, for_each: for_each.as_ref() };
        let body = config.expressions.map(Node::parse_body).unwrap_or_default();
        let mut configured = BTreeSet::new();
        note_configured(&body, "", &mut configured);
        Self { configured, body: wires(document, index, place, body) }
    }
}

/// Collects the paths of all attributes and blocks of a body.
fn note_configured(body: &[(SmolStr, Node<'_>)], around: &str, out: &mut BTreeSet<SmolStr>) {
    for (name, node) in body {
        let path = join(around, name);
        match node {
            Node::Leaf(_) => {}
            Node::Body(body) => note_configured(body, &path, out),
            Node::Blocks(blocks) => {
                for block in blocks {
                    if let Node::Body(body) = block {
                        note_configured(body, &path, out);
                    }
                }
            }
        }
        out.insert(path);
    }
}

/// The dotted path of `name` in `around`.
fn join(around: &str, name: &str) -> SmolStr {
    if around.is_empty() { name.into() } else { format_smolstr!("{around}.{name}") }
}

fn wires<'a>(
    document: Document<'a>,
    index: &Index<'_, 'a>,
    place: Place<'_>,
    body: Vec<(SmolStr, Node<'a>)>,
) -> Vec<(SmolStr, Wire)> {
    body.into_iter().map(|(name, node)| (name, wire(document, index, place, node))).collect()
}

fn wire<'a>(document: Document<'a>, index: &Index<'_, 'a>, place: Place<'_>, node: Node<'a>) -> Wire {
    match node {
        Node::Leaf(leaf) => Wire::Leaf {
            sources: resolve::resolve(index, &leaf, place),
            constant: leaf.constant.and_then(|raw| document.decode_plain(raw).ok()),
        },
        Node::Body(body) => Wire::Body(wires(document, index, place, body)),
        Node::Blocks(blocks) => {
            Wire::Blocks(blocks.into_iter().map(|block| wire(document, index, place, block)).collect())
        }
    }
}

impl Existing {
    fn new(program: &Program) -> Self {
        let mut this = Self {
            instances: HashMap::with_capacity(program.resources.len()),
            blocks: HashSet::new(),
            bare: HashSet::new(),
            is_complete: program.incomplete.is_none(),
        };
        for (i, resource) in program.resources.iter().enumerate().filter(|(_, r)| r.after.is_some()) {
            this.instances.insert(resource.address.clone(), i);
            let key = resource.key.as_ref().map(Key::to_string).unwrap_or_default();
            let block = resource.address.strip_suffix(key.as_str()).unwrap_or(&resource.address);
            if !this.blocks.contains(block) {
                this.blocks.insert(block.into());
            }
            if !this.bare.contains(&resource.block) {
                this.bare.insert(resource.block.clone());
            }
        }
        this
    }
}

impl Instance<'_> {
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
        let (mut reference, block) = target.at(self.module);
        if by_key
            && reference.resource == block
            && let Some(key) = self.key
        {
            let same_key = format_smolstr!("{block}{key}");
            if self.existing.instances.contains_key(&same_key) {
                reference.resource = same_key;
            }
        }
        let instance = self.existing.instances.get(&reference.resource).copied();
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

    /// The value of the attribute that `candidate` names, where it is known.
    fn known<'v>(&'v self, candidate: &Candidate) -> Option<&'v Value> {
        let after = self.resources.get(candidate.instance?)?.after.as_ref()?;
        let attribute = &candidate.reference.attribute;
        // A list of one block is looked through; of a longer one the index counts.
        let value = after
            .at_path(&attribute.replace("[0]", ""))
            .or_else(|| after.at_path(&attribute.replace('[', ".").replace([']', '"'], "")));
        value.filter(|value| !value.is_unknown() && !attribute.is_empty())
    }

    fn links(&self, wire: &Wire, path: &str, out: &mut Vec<Link>) {
        match wire {
            Wire::Leaf { sources, .. } => {
                out.extend(self.candidates(sources).into_iter().map(|candidate| Link {
                    path: path.into(),
                    target: Arc::unwrap_or_clone(candidate.reference),
                }));
            }
            Wire::Body(body) => {
                for (name, wire) in body {
                    self.links(wire, &join(path, name), out);
                }
            }
            Wire::Blocks(blocks) => blocks.iter().for_each(|block| self.links(block, path, out)),
        }
    }

    /// Ties the value at the dotted `path` to what its expression names.
    fn tie(&self, value: &mut Value, wire: &Wire, path: &str) {
        match wire {
            Wire::Leaf { sources, .. } if sources.targets.is_empty() => {}
            Wire::Leaf { sources, .. } => {
                let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
                let expression =
                    Expression { candidates: &self.candidates(sources), opaque: sources.opaque, name };
                self.tie_leaf(value, &expression, path);
            }
            Wire::Body(_) | Wire::Blocks(_) if value.is_unknown() => {
                let mut candidates = Vec::new();
                self.all_candidates(wire, &mut candidates);
                set_sources(value, candidates.iter().map(|candidate| &candidate.reference));
            }
            Wire::Body(body) => {
                if let Some([only]) = items_mut(value) {
                    self.tie(only, wire, path);
                } else {
                    for (name, wire) in body {
                        if let Some(value) = entry_mut(value, name) {
                            self.tie(value, wire, &join(path, name));
                        }
                    }
                }
            }
            Wire::Blocks(blocks) => self.tie_blocks(value, blocks, path),
        }
    }

    /// Blocks stand in the order of the source where the schema has a list, and in another where it has a set.
    fn tie_blocks(&self, value: &mut Value, blocks: &[Wire], path: &str) {
        let Some(items) = items_mut(value) else {
            if let [only] = blocks {
                self.tie(value, only, path);
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
                self.tie(item, block, path);
            }
        }
    }

    /// Ties what an attribute's expression gives, or a part of it, which is at `path`.
    fn tie_leaf(&self, value: &mut Value, expression: &Expression<'_>, path: &str) {
        match &mut value.kind {
            Kind::Unknown(_) => {
                // What a data source read while planning is known, so it does not make anything unknown.
                let unknown: Vec<&Candidate> =
                    expression.candidates.iter().filter(|candidate| !self.is_read(candidate)).collect();
                let only = match unknown.as_slice() {
                    [only] => Some(*only),
                    several => self.linked(several, path),
                };
                match only {
                    Some(only)
                        if !expression.opaque
                            && self.known(only).is_none()
                            && !is_document_around(expression.name, &only.reference.attribute) =>
                    {
                        set_reference(value, only.mode, &only.reference);
                    }
                    _ => set_sources(value, unknown.iter().map(|candidate| &candidate.reference)),
                }
            }
            Kind::String(text) if !text.is_empty() => {
                let is_same = |candidate: &&Candidate| {
                    self.known(candidate)
                        .and_then(Value::as_str)
                        .is_some_and(|known| is_same_text(known, text))
                };
                let mut same = expression.candidates.iter().filter(is_same);
                if let (Some(only), None) = (same.next(), same.next()) {
                    value.reference = Some(Arc::clone(&only.reference));
                }
            }
            Kind::Object(map) | Kind::Map(map) => {
                for (key, value) in Arc::make_mut(map).iter_mut() {
                    self.tie_leaf(value, expression, &join(path, key));
                }
            }
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                for value in Arc::make_mut(items) {
                    self.tie_leaf(value, expression, path);
                }
            }
            _ => {}
        }
    }

    /// The one of several candidates that has the type which the attribute at `path` is known to name. A plan tells the
    /// references of an attribute that holds objects together, whichever of their attributes each stands at.
    fn linked<'c>(&self, candidates: &[&'c Candidate], path: &str) -> Option<&'c Candidate> {
        let links = Catalog::get().links(self.type_name).iter().filter(|link| link.attribute == path);
        let types: Vec<&str> = links.map(|link| link.target_type).collect();
        let mut linked = candidates.iter().filter(|candidate| types.contains(&candidate.type_name.as_str()));
        linked.next().filter(|_| linked.next().is_none()).copied()
    }

    fn is_read(&self, candidate: &Candidate) -> bool {
        let resource = candidate.instance.and_then(|instance| self.resources.get(instance));
        resource.is_some_and(|resource| resource.mode == Mode::Data && resource.action != Action::Read)
    }

    fn all_candidates(&self, wire: &Wire, out: &mut Vec<Candidate>) {
        match wire {
            Wire::Leaf { sources, .. } => out.extend(self.candidates(sources)),
            Wire::Body(body) => body.iter().for_each(|(_, wire)| self.all_candidates(wire, out)),
            Wire::Blocks(blocks) => blocks.iter().for_each(|wire| self.all_candidates(wire, out)),
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
