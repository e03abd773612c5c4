//! A block's body to a value: attributes, nested blocks and `dynamic` ones, with where each is written and what it names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use crate::catalog;
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

/// No provider nests objects as deep.
const MAX_OBJECTS: usize = 32;

/// What a block costs beside the values in it.
const BLOCK: usize = 8;

/// Where the attributes and blocks of a block are written, and which are set: dotted paths without indexes.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// The first place of each.
    pub(super) places: Arc<BTreeMap<SmolStr, Site>>,
    /// A `dynamic` block that makes nothing is written and sets nothing.
    pub(super) configured: Arc<BTreeSet<SmolStr>>,
    /// What both were made from, where it is not so in all instances whatever their values are.
    read: Option<Arc<Read>>,
}

/// Places and what is set, in the order of reading and with repetitions.
type Read = (Vec<(SmolStr, Site)>, Vec<SmolStr>);

/// Evaluates a body, and keeps what a [`Value`] does not.
pub(super) struct BodyReader<'m, 'a> {
    /// The file of what is being read: override files are merged into the items of a body.
    file: FileId,
    module: &'m ModuleScope<'a>,
    /// More than one instance of the block is read.
    pub(super) repeated: bool,
    /// Names that are no attributes.
    skip: &'static [&'static str],
    /// It is a resource: its write-only arguments are null.
    of_resource: bool,
    /// The path of what is being read.
    path: String,
    /// Resources that attributes name.
    pub(super) links: BTreeSet<Link>,
    /// What [`Written`] is made from.
    read: Read,
    /// What another instance of the block has told of that.
    earlier: Option<Written>,
    /// It is still to be told.
    tells_written: bool,
    /// What is set depends on values.
    has_dynamic: bool,
}

/// An item of a body and the name that it contributes to.
type Named<'i, 'b> = (&'b str, &'i Item<'b>);

impl<'m, 'a> BodyReader<'m, 'a> {
    /// A reader of one body of `file`; at its top the names in `skip` are left out.
    pub(super) fn new(file: FileId, module: &'m ModuleScope<'a>, skip: &'static [&'static str]) -> Self {
        let (path, links, read) = Default::default();
        Self {
            file,
            module,
            repeated: false,
            skip,
            of_resource: false,
            path,
            links,
            read,
            earlier: None,
            tells_written: false,
            has_dynamic: false,
        }
    }

    /// This reader, for the body of a resource.
    pub(super) fn of_resource(self) -> Self {
        Self { of_resource: true, ..self }
    }

    /// This reader, which tells what is written. `earlier` is what another instance of the block told.
    pub(super) fn after(self, earlier: Option<Written>) -> Self {
        let tells_written = earlier.as_ref().is_none_or(|earlier| earlier.read.is_some());
        Self { earlier, tells_written, ..self }
    }

    /// What is written in the block that was read, and the resources that it names. What the instance before told is
    /// shared.
    pub(super) fn told(self) -> (Written, BTreeSet<Link>) {
        fn shared<T: PartialEq>(new: T, earlier: Option<&Arc<T>>) -> Arc<T> {
            match earlier {
                Some(earlier) if **earlier == new => Arc::clone(earlier),
                _ => Arc::new(new),
            }
        }
        let written = match self.earlier {
            Some(earlier) if !self.tells_written || earlier.read.as_deref() == Some(&self.read) => earlier,
            earlier => {
                let read = self.has_dynamic.then(|| Arc::new(self.read.clone()));
                let (mut places, configured) = self.read;
                // Of one path the first place stays. They are read almost in the order of their paths.
                places.sort_by(|(a, _), (b, _)| a.cmp(b));
                places.dedup_by(|(later, _), (first, _)| later == first);
                Written {
                    places: shared(
                        places.into_iter().collect(),
                        earlier.as_ref().map(|earlier| &earlier.places),
                    ),
                    configured: shared(
                        configured.into_iter().collect(),
                        earlier.as_ref().map(|earlier| &earlier.configured),
                    ),
                    read,
                }
            }
        };
        (written, self.links)
    }

    /// A body as an object: attributes by name, nested blocks as tuples of objects by type.
    pub(super) fn object(&mut self, body: Body<'_>, scope: &dyn Scope) -> Value {
        let Some(_level) = Nested::enter() else { return self.module.too_deep() };
        if !self.module.spend(BLOCK) {
            return Value::unknown(Cause::Limit(TOO_MUCH.into()));
        }
        let mut items: Vec<Named<'_, '_>> = body.items.iter().filter_map(named).collect();
        items.sort_by_key(|(name, _)| *name);
        let mut entries = Vec::with_capacity(items.len());
        for items in items.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((name, _)) = items.first() else { continue };
            if !(self.path.is_empty() && self.skip.contains(name))
                && let Some(value) = self.member(name, items, scope)
            {
                entries.push(((*name).into(), value));
            }
        }
        Value::object(entries)
    }

    /// The attribute `name`, or the tuple of the blocks of that type; [`None`] if neither is set.
    pub(super) fn entry(&mut self, body: Body<'_>, name: &str, scope: &dyn Scope) -> Option<Value> {
        let items: Vec<_> = body.items.iter().filter_map(named).filter(|(other, _)| *other == name).collect();
        self.member(name, &items, scope)
    }

    /// What `items` give, all those of a body that contribute to `name`.
    fn member(&mut self, name: &str, items: &[Named<'_, '_>], scope: &dyn Scope) -> Option<Value> {
        let around = self.path.len();
        if around > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let attribute = items.iter().find_map(|(_, item)| match item {
            Item::Attribute(attribute) => Some(*attribute),
            Item::Block(_) => None,
        });
        let value = match attribute {
            Some(attribute) => {
                self.file = attribute.file;
                let site = attribute.span.at(self.file);
                self.note_place(site);
                self.note_configured();
                self.note_members(&attribute.value, MAX_OBJECTS);
                let value = self.expression(&attribute.value, scope).or_origin(site);
                let is_kept = !(self.of_resource && catalog::is_write_only(name));
                Some(if is_kept { value } else { Value { kind: Kind::Null, ..value } })
            }
            None => self.blocks(items, scope),
        };
        self.path.truncate(around);
        value
    }

    /// The tuple of blocks of one type.
    fn blocks(&mut self, items: &[Named<'_, '_>], scope: &dyn Scope) -> Option<Value> {
        let mut elements = Vec::new();
        // What a `dynamic` block repeats that cannot be told how often.
        let mut unknown = Vec::new();
        for (_, item) in items {
            let Item::Block(block) = item else { continue };
            self.file = block.file;
            self.note_place(block.header.at(block.file));
            if block.ident.text == "dynamic" {
                self.has_dynamic = true;
                let (blocks, collection) = self.dynamic(block, scope);
                elements.extend(blocks);
                unknown.extend(collection);
            } else {
                let object = self.object(block.body, scope);
                let value = Value { origin: Some(block.header.at(block.file)), ..object };
                elements.push(Element { value, times: Times::Once });
            }
        }
        if elements.is_empty() && unknown.is_empty() {
            return None;
        }
        self.note_configured();
        if unknown.is_empty() {
            return Some(Value::tuple(elements.into_iter().map(|element| element.value)));
        }
        let of = Unknown { not_null: true, ..Unknown::of_operands(&unknown.iter().collect::<Vec<_>>()) };
        Some(elements::collected(elements, Value::from_unknown(of).computed_from(&unknown)))
    }

    /// Notes where what is being read is written.
    fn note_place(&mut self, site: Site) {
        if self.tells_written {
            self.read.0.push((self.path.as_str().into(), site));
        }
    }

    /// Notes that what is being read is set.
    fn note_configured(&mut self) {
        if self.tells_written {
            self.read.1.push(self.path.as_str().into());
        }
    }

    /// Notes what the objects that are written there set: of a provider that has attributes where others have blocks.
    fn note_members(&mut self, expr: &Expr<'_>, depth: usize) {
        let Some(depth) = depth.checked_sub(1).filter(|_| self.tells_written) else { return };
        match expr.kind {
            ExprKind::Paren(inner) => self.note_members(inner, depth),
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.note_members(item, depth)),
            ExprKind::Object(items) => {
                for item in items {
                    let (ExprKind::Variable(name) | ExprKind::String(name)) = item.key.kind else { continue };
                    let around = self.path.len();
                    self.path.push('.');
                    self.path.push_str(name);
                    self.note_configured();
                    self.note_members(&item.value, depth);
                    self.path.truncate(around);
                }
            }
            _ => {}
        }
    }

    /// The value of an expression; the resources that it names are noted.
    fn expression(&mut self, expr: &Expr<'_>, scope: &dyn Scope) -> Value {
        let (value, touched) = if self.repeated {
            self.module.evaluate_shared(expr, self.file, scope)
        } else {
            self.module.evaluate(expr, self.file, scope)
        };
        let path = self.path.as_str();
        self.links
            .extend(touched.into_iter().map(|target| Link { path: path.into(), target: Arc::new(target) }));
        value
    }

    /// The blocks that a `dynamic` block makes; with them its `for_each` if it cannot be told how often each is there.
    fn dynamic(&mut self, block: &Block<'_>, scope: &dyn Scope) -> (Vec<Element>, Option<Value>) {
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
        let collection = self.expression(&over.value, scope);
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
            let object = self.object(content.body, &names);
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

/// The item with the attribute or block type that it contributes to; of a `dynamic` block that is its label.
fn named<'i, 'b>(item: &'i Item<'b>) -> Option<Named<'i, 'b>> {
    let name = match item {
        Item::Attribute(attribute) => attribute.name.text,
        Item::Block(block) if block.ident.text == "dynamic" => block.labels.first()?.text,
        Item::Block(block) => block.ident.text,
    };
    Some((name, item))
}
