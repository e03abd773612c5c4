//! A block's body to a value: attributes, nested blocks and `dynamic` ones, with where each is written and what it names.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::eval::{Nested, Scope};
use crate::hcl::ast::{Block, Body, Expr, ExprKind, Item};
use crate::program::Link;
use crate::source::{FileId, Site};
use crate::value::{Cause, Kind, Unknown, Value};

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
        Self { file, module, skip, links, places, configured }
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
        let mut unknown = None;
        for block in body.blocks().filter(|block| block_name(block) == Some(name)) {
            self.file = block.file;
            self.places.entry(path.as_str().into()).or_insert(block.header.at(block.file));
            if block.ident.text == "dynamic" {
                match self.dynamic(block, scope, &path) {
                    Ok(more) => items.extend(more),
                    Err(cause) => unknown = Some(cause),
                }
            } else {
                let object = self.object(block.body, scope, &path);
                items.push(Value { origin: Some(block.header.at(block.file)), ..object });
            }
        }
        if items.is_empty() && unknown.is_none() {
            return None;
        }
        self.configured.insert(path.into());
        match unknown {
            // The block may be absent or be there any number of times.
            Some(cause) => Some(Value::from_unknown(Unknown { not_null: true, ..Unknown::new(cause) })),
            None => Some(Value::tuple(items)),
        }
    }

    /// The value of an expression; the resources that it names are noted for `path`.
    pub(super) fn expression(&mut self, expr: &Expr<'_>, scope: &dyn Scope, path: &str) -> Value {
        let (value, touched) = self.module.evaluate(expr, self.file, scope);
        self.links.extend(touched.into_iter().map(|target| Link { path: path.into(), target }));
        value
    }

    /// The blocks that a `dynamic` block makes; the cause if they cannot be told.
    fn dynamic(&mut self, block: &Block<'_>, scope: &dyn Scope, path: &str) -> Result<Vec<Value>, Cause> {
        let wrong = |message: String, site: Site| {
            self.module.report(Diagnostic::warning(message.clone()).at(site));
            Cause::Error(message.into())
        };
        let header = block.header.at(self.file);
        let lacks = |what: &str| wrong(format!("the `dynamic` block has no {what}"), header);
        let label = block.labels.first().map(|label| label.text).ok_or_else(|| lacks("label"))?;
        let over = block.body.attribute("for_each").ok_or_else(|| lacks("`for_each`"))?;
        let content = block.body.blocks().find(|b| b.ident.text == "content");
        let content = content.ok_or_else(|| lacks("`content`"))?;
        let iterator = match block.body.attribute("iterator").map(|attribute| attribute.value.kind) {
            Some(ExprKind::Variable(name)) => name,
            _ => label,
        };
        let collection = self.expression(&over.value, scope, path);
        let sensitive = collection.sensitive;
        let entries: Vec<(Value, Value)> = match &collection.kind {
            Kind::Map(map) | Kind::Object(map) => {
                map.iter().map(|(key, value)| (Value::string(key.clone()), value.clone())).collect()
            }
            Kind::Set(items) => items.iter().map(|item| (item.clone(), item.clone())).collect(),
            Kind::List(items) | Kind::Tuple(items) => {
                (0i64..).zip(items.iter()).map(|(i, item)| (Value::int(i), item.clone())).collect()
            }
            Kind::Unknown(unknown) => return Err(unknown.cause.clone()),
            _ => {
                let message = "`for_each` of a `dynamic` block takes a collection".to_owned();
                let site = over.value.span.at(self.file);
                self.module.report(Diagnostic::warning(message.clone()).at(site));
                return Err(Cause::Error(message.into()));
            }
        };
        let too_many = if entries.len() > MAX_BLOCKS {
            Some("blocks of one `dynamic`")
        } else {
            (!self.module.spend(entries.len() * BLOCK)).then_some(TOO_MUCH)
        };
        if let Some(which) = too_many {
            let message = format!("limit passed: {which}; the blocks count as not known");
            self.module.report(Diagnostic::warning(message).at(header));
            return Err(Cause::Limit(which.into()));
        }
        let blocks = entries.into_iter().map(|(key, value)| {
            let entry = [("key".into(), key), ("value".into(), value)];
            let value = Value::object(entries_marked(entry, sensitive));
            let names = IteratorScope { parent: scope, name: iterator, value };
            Value { origin: Some(header), ..self.object(content.body, &names, path) }
        });
        Ok(blocks.collect())
    }
}

/// The entries of an iterator, sensitive if the collection is.
fn entries_marked(entries: [(SmolStr, Value); 2], sensitive: bool) -> [(SmolStr, Value); 2] {
    entries.map(|(name, value)| (name, value.mark(sensitive)))
}

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
