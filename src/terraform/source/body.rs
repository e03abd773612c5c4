//! A block's body to a value: attributes, nested blocks and `dynamic` ones, with where each is written and what it names.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

use crate::diagnostic::Diagnostic;
use crate::eval::elements::{self, Entry};
use crate::eval::{Nested, Scope};
use crate::hcl::ast::{Block, Body, Expr, ExprKind, Item};
use crate::program::Link;
use crate::source::{FileId, Site};
use crate::value::{Cause, Element, Kind, Times, Unknown, Value};

use super::names::IteratorScope;
use super::scope::{ModuleScope, TOO_MUCH};

/// More blocks than this are not made from one `dynamic`.
const MAX_BLOCKS: usize = 10_000;

/// What a block costs beside the values in it.
const BLOCK: usize = 8;

/// Evaluates a body, and keeps what a [`Value`] does not.
pub(super) struct BodyReader<'m, 'a> {
    /// The file of what is being read: override files are merged into the items of a body.
    file: FileId,
    module: &'m ModuleScope<'a>,
    /// More than one instance of the block is read.
    pub(super) repeated: bool,
    /// Names that are no attributes.
    skip: &'static [&'static str],
    /// Resources that attributes name.
    pub(super) links: BTreeSet<Link>,
    /// Where attributes and blocks are written, by path.
    pub(super) places: BTreeMap<SmolStr, Site>,
    /// Paths of what is set. A `dynamic` block that makes nothing is written and sets nothing.
    pub(super) configured: BTreeSet<SmolStr>,
}

impl<'m, 'a> BodyReader<'m, 'a> {
    /// A reader of one body of `file`; at its top the names in `skip` are left out.
    pub(super) fn new(file: FileId, module: &'m ModuleScope<'a>, skip: &'static [&'static str]) -> Self {
        let (links, places, configured) = Default::default();
        Self { file, module, repeated: false, skip, links, places, configured }
    }

    /// A body as an object: attributes by name, nested blocks as tuples of objects by type.
    pub(super) fn object(&mut self, body: Body<'_>, scope: &dyn Scope, path: &str) -> Value {
        let Some(_level) = Nested::enter() else { return Nested::too_deep() };
        if !self.module.spend(BLOCK) {
            return Value::unknown(Cause::Limit(TOO_MUCH.into()));
        }
        let mut names: Vec<&str> = body.items.iter().filter_map(entry_name).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| !(path.is_empty() && self.skip.contains(name)));
        let entries = names.into_iter();
        let entries = entries.filter_map(|name| Some((name.into(), self.entry(body, name, scope, path)?)));
        Value::object(entries.collect::<Vec<_>>())
    }

    /// The attribute `name`, or the tuple of the blocks of that type; [`None`] if neither is set.
    pub(super) fn entry(
        &mut self,
        body: Body<'_>,
        name: &str,
        scope: &dyn Scope,
        path: &str,
    ) -> Option<Value> {
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if let Some(attribute) = body.attribute(name) {
            self.file = attribute.file;
            let site = attribute.span.at(self.file);
            self.places.entry(path.as_str().into()).or_insert(site);
            self.configured.insert(path.as_str().into());
            return Some(self.expression(&attribute.value, scope, &path).or_origin(site));
        }
        let mut items = Vec::new();
        // What a `dynamic` block repeats that cannot be told how often.
        let mut unknown = Vec::new();
        for block in body.blocks().filter(|block| block_name(block) == Some(name)) {
            self.file = block.file;
            self.places.entry(path.as_str().into()).or_insert(block.header.at(block.file));
            if block.ident.text == "dynamic" {
                let (blocks, collection) = self.dynamic(block, scope, &path);
                items.extend(blocks);
                unknown.extend(collection);
            } else {
                let object = self.object(block.body, scope, &path);
                let value = Value { origin: Some(block.header.at(block.file)), ..object };
                items.push(Element { value, times: Times::Once });
            }
        }
        if items.is_empty() && unknown.is_empty() {
            return None;
        }
        self.configured.insert(path.into());
        if unknown.is_empty() {
            return Some(Value::tuple(items.into_iter().map(|element| element.value)));
        }
        let of = Unknown { not_null: true, ..Unknown::of_operands(&unknown.iter().collect::<Vec<_>>()) };
        Some(elements::collected(items, Value::from_unknown(of).computed_from(&unknown)))
    }

    /// The value of an expression; the resources that it names are noted for `path`.
    pub(super) fn expression(&mut self, expr: &Expr<'_>, scope: &dyn Scope, path: &str) -> Value {
        let (value, touched) = if self.repeated {
            self.module.evaluate_shared(expr, self.file, scope)
        } else {
            self.module.evaluate(expr, self.file, scope)
        };
        self.links.extend(touched.into_iter().map(|target| Link { path: path.into(), target }));
        value
    }

    /// The blocks that a `dynamic` block makes; with them its `for_each` if it cannot be told how often each is there.
    fn dynamic(&mut self, block: &Block<'_>, scope: &dyn Scope, path: &str) -> (Vec<Element>, Option<Value>) {
        let header = block.header.at(self.file);
        let lacks = |what: &str| format!("the `dynamic` block has no {what}");
        let Some(label) = block.labels.first().map(|label| label.text) else {
            return self.any_block(lacks("label"), header);
        };
        let Some(over) = block.body.attribute("for_each") else {
            return self.any_block(lacks("`for_each`"), header);
        };
        let Some(content) = block.body.blocks().find(|b| b.ident.text == "content") else {
            return self.any_block(lacks("`content`"), header);
        };
        let iterator = match block.body.attribute("iterator").map(|attribute| attribute.value.kind) {
            Some(ExprKind::Variable(name)) => name,
            _ => label,
        };
        let collection = self.expression(&over.value, scope, path);
        let site = over.value.span.at(over.file);
        let entries = match entries(&collection, iterator, site) {
            Ok(entries) => entries,
            Err(message) => return self.any_block(message.to_owned(), site),
        };
        let too_many = if entries.len() > MAX_BLOCKS {
            Some("blocks of one `dynamic`")
        } else {
            (!self.module.spend(entries.len() * BLOCK)).then_some(TOO_MUCH)
        };
        if let Some(which) = too_many {
            let message = format!("limit passed: {which}; the blocks count as not known");
            self.module.report(Diagnostic::warning(message).at(header));
            return any_block(Value::unknown(Cause::Limit(which.into())));
        }
        let blocks = entries.into_iter().map(|Entry { key, value, times }| {
            let entry = [("key", key), ("value", value)];
            let entry = entry.map(|(name, value)| (name.into(), value.mark(collection.sensitive)));
            let names = IteratorScope { parent: scope, name: iterator, value: Value::object(entry) };
            let object = self.object(content.body, &names, path);
            Element { value: Value { origin: Some(header), ..object }, times }
        });
        let blocks: Vec<Element> = blocks.collect();
        (blocks, Some(collection).filter(Value::is_unknown))
    }

    /// What stands for the blocks of a `dynamic` block that is wrong.
    fn any_block(&self, message: String, site: Site) -> (Vec<Element>, Option<Value>) {
        self.module.report(Diagnostic::warning(message.clone()).at(site));
        any_block(Value::unknown(Cause::Error(message.into())))
    }
}

/// Any number of blocks of which nothing is known.
fn any_block(unknown: Value) -> (Vec<Element>, Option<Value>) {
    (vec![Element { value: unknown.clone(), times: Times::Any }], Some(unknown))
}

/// What a `dynamic` block repeats, handed on by `iterator`, which has it from `site`.
fn entries(collection: &Value, iterator: &str, site: Site) -> Result<Vec<Entry>, &'static str> {
    let named = |item: Value, which: &str| item.through(format_smolstr!("{iterator}.{which}"), site);
    let part = |item: &Value, which: &str| named(collection.handing_on(item.clone()), which);
    let once = |key: Value, item: &Value| Entry { key, value: part(item, "value"), times: Times::Once };
    Ok(match &collection.kind {
        Kind::Map(map) | Kind::Object(map) => {
            map.iter().map(|(key, item)| once(Value::string(key.clone()), item)).collect()
        }
        Kind::Set(items) => items.iter().map(|item| once(part(item, "key"), item)).collect(),
        Kind::List(items) | Kind::Tuple(items) => {
            (0i64..).zip(items.iter()).map(|(i, item)| once(Value::int(i), item)).collect()
        }
        // Each came its own way.
        Kind::Unknown(_) => elements::entries(collection)
            .ok_or(NO_COLLECTION)?
            .into_iter()
            .map(|Entry { key, value, times }| Entry { key, value: named(value, "value"), times })
            .collect(),
        _ => return Err(NO_COLLECTION),
    })
}

const NO_COLLECTION: &str = "`for_each` of a `dynamic` block takes a collection";

/// The attribute or block type that an item contributes to; of a `dynamic` block its label.
fn entry_name<'a>(item: &Item<'a>) -> Option<&'a str> {
    match item {
        Item::Attribute(attribute) => Some(attribute.name.text),
        Item::Block(block) => block_name(block),
    }
}

fn block_name<'a>(block: &Block<'a>) -> Option<&'a str> {
    match block.ident.text {
        "dynamic" => block.labels.first().map(|label| label.text),
        name => Some(name),
    }
}
