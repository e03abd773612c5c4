//! What other expressions see of resources and data: instances, and their attributes as the provider's schema has them.
//!
//! A resource attribute is always a reference, known or not: [`Value::reference`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use smol_str::{SmolStr, SmolStrBuilder, format_smolstr};

use crate::catalog::{self, BlockSchema, Catalog};
use crate::eval::Nested;
use crate::hcl::ast::{Expr, ExprKind, Step};
use crate::program::{Key, Mode};
use crate::source::Site;
use crate::value::{Cause, Kind, Reference, Type, Unknown, Value, convert};

use super::data;
use super::instance::{self, Expansion};
use super::module::Declared;
use super::names::{Each, InstanceScope, Instances};
use super::scope::{ModuleScope, NOT_DECLARED};
use super::tags;

/// Names a `resource` or `data` block: mode, type, name.
pub type BlockId<'a> = (Mode, &'a str, &'a str);

/// Names an attribute of a resource instance.
type AttributeId<'a> = (BlockId<'a>, Option<Key>, SmolStr);

/// More attributes than this are not put into one value for all instances of a block.
const MAX_ATTRIBUTES: usize = 200_000;

/// The one resource type that is Terraform's own, and so in no provider's schema.
const TERRAFORM_DATA: &str = "terraform_data";

/// What it has.
const TERRAFORM_DATA_ATTRIBUTES: [&str; 4] = ["id", "input", "output", "triggers_replace"];

/// What was evaluated already.
#[derive(Default)]
pub(super) struct Resources<'a> {
    /// [`None`] while it is being evaluated: whoever asks then is part of a cycle.
    expansions: RefCell<BTreeMap<BlockId<'a>, Option<Rc<Expansion>>>>,
    /// [`None`] as above.
    attributes: RefCell<BTreeMap<AttributeId<'a>, Option<Value>>>,
    /// All instances of a block as one value.
    blocks: RefCell<BTreeMap<BlockId<'a>, Value>>,
}

impl<'a> ModuleScope<'a> {
    /// The instances of a block, evaluated once.
    pub fn expansion(&self, id: BlockId<'a>, declared: Declared<'a>) -> Rc<Expansion> {
        let unknown = |value: Value| Rc::new(Expansion::Unknown(Each::Entry(value.clone(), value)));
        match self.resources.expansions.borrow().get(&id) {
            Some(Some(done)) => return Rc::clone(done),
            Some(None) => return unknown(self.cycle(&block_address(id), declared.site())),
            None => {}
        }
        let Some(_level) = Nested::enter() else { return unknown(self.too_deep()) };
        self.resources.expansions.borrow_mut().insert(id, None);
        let expansion = Rc::new(instance::expansion(declared, self));
        self.resources.expansions.borrow_mut().insert(id, Some(Rc::clone(&expansion)));
        expansion
    }

    /// The block, with names that live as long as the module.
    fn declared(&self, mode: Mode, kind: &str, name: &str) -> Option<(BlockId<'a>, Declared<'a>)> {
        let blocks: &BTreeMap<(&str, &str), Declared<'a>> = match mode {
            Mode::Managed => &self.module.resources,
            Mode::Data => &self.module.data,
        };
        let declared = *blocks.get(&(kind, name))?;
        match declared.block.labels {
            [kind, name] => Some(((mode, kind.text, name.text), declared)),
            _ => None,
        }
    }

    /// The block's address in its module instance: `module.a["x"].aws_s3_bucket.raw`.
    pub(super) fn address(&self, id: BlockId<'_>) -> SmolStr {
        inside(&self.path, block_address(id))
    }

    /// The block's address without any instance key: `module.a.aws_s3_bucket.raw`.
    pub(super) fn block(&self, id: BlockId<'_>) -> SmolStr {
        inside(&self.block_path, block_address(id))
    }

    /// `kind.name` and, if `attrs` goes on, its attribute: the value and how many of `attrs` were used.
    pub(super) fn resource(
        &self,
        mode: Mode,
        kind: &str,
        name: &str,
        attrs: &[&str],
    ) -> Result<(Value, usize), String> {
        let Some((id, declared)) = self.declared(mode, kind, name) else {
            return Err(format!("`{}` {NOT_DECLARED}", block_address((mode, kind, name))));
        };
        let expansion = self.expansion(id, declared);
        if let (Expansion::Single, Some(attr)) = (&*expansion, attrs.first()) {
            return Ok((self.attribute(id, declared, None, attr, &Each::None), 1));
        }
        // Which instance is meant is told by the step that follows, and so by the reference of the value.
        self.touch(&Reference { resource: self.block(id), attribute: SmolStr::default() });
        if let Some(done) = self.resources.blocks.borrow().get(&id) {
            return Ok((done.clone(), 0));
        }
        let (value, _) = self.recording(|| self.all(id, declared, &expansion));
        self.resources.blocks.borrow_mut().insert(id, value.clone());
        Ok((value, 0))
    }

    /// `kind.name[key]` and, if `then` goes on, its attribute, without all the other instances.
    pub(super) fn element(
        &self,
        mode: Mode,
        kind: &str,
        name: &str,
        key: &Value,
        then: &[&str],
    ) -> Option<(Value, usize)> {
        let (id, declared) = self.declared(mode, kind, name)?;
        let (key, each) = match &*self.expansion(id, declared) {
            // One instance stands for any, and so for this one, if there is one.
            Expansion::Unknown(each) => return Some(self.any(id, declared, each, then)),
            Expansion::Count(count) => {
                let Kind::Number(number) = convert(key, &Type::Number).ok()?.kind else { return None };
                let index = number.to_i64().filter(|index| (0..*count).contains(index))?;
                (Key::Int(index), Each::Count(Value::int(index)))
            }
            Expansion::ForEach(entries) => {
                let key = convert(key, &Type::String).ok()?;
                let key = key.as_str()?;
                // Entries are sorted by key: they come from a map or a set.
                let at = entries.binary_search_by(|(other, _)| other.as_str().cmp(key)).ok()?;
                let (key, each) = entries.get(at)?;
                (Key::String(key.clone()), each.clone())
            }
            Expansion::Single => return None,
        };
        if let Some(attr) = then.first() {
            return Some((self.attribute(id, declared, Some(key), attr, &each), 1));
        }
        let resource = instance_address(&self.address(id), Some(&key));
        self.touch(&Reference { resource, attribute: SmolStr::default() });
        let (value, _) = self.recording(|| self.instance(id, declared, Some(&key), &each));
        Some((value, 0))
    }

    /// What a `for_each` at `site` goes through that is all instances of a block: `for_each = aws_s3_bucket.raw`. [`None`] if
    /// it is anything else, or cannot be told.
    pub(super) fn instances_named(&self, expr: &Expr<'_>, site: Site) -> Option<Vec<(SmolStr, Each)>> {
        let ExprKind::Access { base, steps } = expr.kind else { return None };
        let (mode, kind, name) = match (base.kind, steps) {
            (ExprKind::Variable("data"), [Step::Attr(kind), Step::Attr(name)]) => {
                (Mode::Data, kind.text, name.text)
            }
            (ExprKind::Variable(kind), [Step::Attr(name)]) => (Mode::Managed, kind, name.text),
            _ => return None,
        };
        let (id, declared) = self.declared(mode, kind, name)?;
        let width = attributes(mode, kind)?.len();
        let expansion = self.expansion(id, declared);
        let Expansion::ForEach(entries) = &*expansion else { return None };
        let of = Rc::new(Instances { mode, kind: kind.into(), name: name.into(), site });
        let each = |key: &SmolStr| (key.clone(), Each::Instance(Value::string(key.clone()), Rc::clone(&of)));
        let fits = entries.len().saturating_mul(width) <= MAX_ATTRIBUTES;
        fits.then(|| entries.iter().map(|(key, _)| each(key)).collect())
    }

    /// `each.value` where that is an instance of a block; if `attr` is one of its attributes, with that alone.
    pub(super) fn each_value(&self, of: &Instances, key: &Value, attr: Option<&str>) -> Value {
        let attr = attr.filter(|attr| attributes(of.mode, &of.kind).is_some_and(|all| all.contains(attr)));
        let element = || self.element(of.mode, &of.kind, &of.name, key, attr.as_slice());
        // What the instance names is told by its own values.
        let (found, _) = self.recording(element);
        let value = match (found, attr) {
            (Some((value, _)), Some(attr)) => Value::object([(attr.into(), value)]),
            (Some((value, _)), None) => value,
            (None, _) => Value::unknown(Cause::Error("there is no such instance".into())),
        };
        value.through("each.value", of.site)
    }

    /// Some instance of a block whose instances are not known, or its attribute. Nothing of it is known, not even what all
    /// instances share: there may be none, and `try` would tell.
    fn any(&self, id: BlockId<'a>, declared: Declared<'a>, each: &Each, then: &[&str]) -> (Value, usize) {
        let Some(attr) = then.first() else {
            let resource = instance_address(&self.address(id), Some(&Key::Any));
            let reference = Reference { resource, attribute: SmolStr::default() };
            self.touch(&reference);
            return (unknown_reference(id.0, reference, Type::Any, true), 0);
        };
        let value = self.attribute(id, declared, Some(Key::Any), attr, each);
        if value.is_unknown() {
            return (value, 1);
        }
        let (Each::Count(index) | Each::Entry(index, _)) = each else { return (value, 1) };
        let unknown = Unknown {
            ty: Type::of(&value),
            not_null: !value.is_null(),
            ..Unknown::new(index.first_cause().cloned().unwrap_or(Cause::Plan))
        };
        (Value { kind: Kind::Unknown(Arc::new(unknown)), ..value }, 1)
    }

    /// All instances of a block: an object, a tuple of objects, or an object of objects.
    fn all(&self, id: BlockId<'a>, declared: Declared<'a>, expansion: &Expansion) -> Value {
        let (mode, kind, _) = id;
        let width = Catalog::get().schema(kind).map_or(1, BlockSchema::width);
        let fits = |instances: usize| instances.saturating_mul(width) <= MAX_ATTRIBUTES;
        let too_many = || Value::unknown(Cause::Limit("attributes of all instances of one block".into()));
        match expansion {
            Expansion::Single => self.instance(id, declared, None, &Each::None),
            Expansion::Count(count) if fits(usize::try_from(*count).unwrap_or(usize::MAX)) => Value::tuple(
                (0..*count)
                    .map(|i| self.instance(id, declared, Some(&Key::Int(i)), &Each::Count(Value::int(i)))),
            ),
            Expansion::ForEach(entries) if fits(entries.len()) => {
                Value::object(entries.iter().map(|(key, each)| {
                    (key.clone(), self.instance(id, declared, Some(&Key::String(key.clone())), each))
                }))
            }
            Expansion::Count(_) | Expansion::ForEach(_) => too_many(),
            Expansion::Unknown(_) => {
                let block = Reference { resource: self.address(id), attribute: SmolStr::default() };
                unknown_reference(mode, block, Type::Any, false)
            }
        }
    }

    /// A whole resource instance as an object; unknown where the schema of its type is not known.
    fn instance(&self, id: BlockId<'a>, declared: Declared<'a>, key: Option<&Key>, each: &Each) -> Value {
        let (mode, kind, _) = id;
        let Some(names) = attributes(mode, kind) else {
            let resource = instance_address(&self.address(id), key);
            let reference = Reference { resource, attribute: SmolStr::default() };
            return unknown_reference(mode, reference, Type::Any, true);
        };
        let attribute = |attr| (SmolStr::from(attr), self.attribute(id, declared, key.cloned(), attr, each));
        Value::object(names.into_iter().map(attribute))
    }

    /// One attribute of a resource instance.
    fn attribute(
        &self,
        id: BlockId<'a>,
        declared: Declared<'a>,
        key: Option<Key>,
        attr: &str,
        each: &Each,
    ) -> Value {
        let (mode, kind, _) = id;
        let resource = instance_address(&self.address(id), key.as_ref());
        let reference = Reference { resource, attribute: attr.into() };
        self.touch(&reference);
        let cell = (id, key, SmolStr::from(attr));
        match self.resources.attributes.borrow().get(&cell) {
            Some(Some(value)) => return value.clone(),
            Some(None) => return self.cycle(&reference.to_string(), declared.site()),
            None => {}
        }
        let Some(_level) = Nested::enter() else { return self.too_deep() };
        self.resources.attributes.borrow_mut().insert(cell.clone(), None);
        let scope = InstanceScope { module: self, each: each.clone() };
        let (given, _) = self.recording(|| match instance::attribute(declared, attr, self, &scope) {
            Some(value) if !value.is_null() => Some(value),
            given if mode == Mode::Data => {
                data::computed(kind, attr, &data::Block { declared, scope: self, names: &scope }).or(given)
            }
            None if mode == Mode::Managed && attr == tags::TAGS_ALL => {
                let tags = instance::attribute(declared, "tags", self, &scope);
                let overriding = instance::attribute(declared, tags::OVERRIDE, self, &scope);
                tags::all(declared, kind, tags.as_ref(), overriding.as_ref(), self)
            }
            given => given,
        });
        let given = given.map(|value| {
            let written = declared.body().attribute(attr).map(|given| given.value.span.at(given.file));
            let what = format_smolstr!("{}.{attr}", block_address(id));
            value.through(what, written.unwrap_or_else(|| declared.site()))
        });
        let has_schema = match mode {
            Mode::Data => data::attributes(kind).is_some(),
            Mode::Managed => kind == TERRAFORM_DATA || Catalog::get().schema(kind).is_some(),
        };
        let value = match given {
            // What the provider adds to a block is told by the schema; without it, what the block lacks is not known.
            Some(_) if !has_schema && declared.body().attribute(attr).is_none() => {
                unknown_reference(mode, reference.clone(), Type::Any, true)
            }
            // What a data source was not asked for it tells.
            Some(value) if mode == Mode::Data && (has_schema || !value.is_null()) => value.or_unknown(),
            // The provider decides what is null as it does what is not there.
            Some(value) if mode == Mode::Managed && !value.is_null() => {
                let completed = catalog::complete_attribute(kind, attr, Some(&value));
                let mut value = completed.unwrap_or_else(|| value.or_unknown());
                let mut path = attr.to_owned();
                refer(&mut value, &reference.resource, &mut path);
                value
            }
            _ => unset(mode, kind, attr, &reference),
        };
        let value = Value { reference: Some(Arc::new(reference)), ..value };
        self.resources.attributes.borrow_mut().insert(cell, Some(value.clone()));
        value
    }
}

/// The attributes and blocks of a type; [`None`] where its schema is not known.
fn attributes(mode: Mode, kind: &str) -> Option<Vec<&'static str>> {
    match mode {
        Mode::Managed if kind == TERRAFORM_DATA => Some(TERRAFORM_DATA_ATTRIBUTES.to_vec()),
        Mode::Managed => Catalog::get().schema(kind).map(|schema| {
            let (attributes, blocks) = (schema.attributes(), schema.blocks());
            let names = attributes.map(|(name, _)| name).chain(blocks.map(|(name, _)| name));
            names.map(SmolStr::as_str).collect()
        }),
        Mode::Data => data::attributes(kind).map(<[&str]>::to_vec),
    }
}

/// An attribute that the configuration does not set: what the catalog says of an instance that sets nothing. What the
/// provider computes is known after apply.
fn unset(mode: Mode, kind: &str, attr: &str, reference: &Reference) -> Value {
    if (mode, kind) == (Mode::Managed, TERRAFORM_DATA) && matches!(attr, "input" | "triggers_replace") {
        return Value::NULL;
    }
    let schema = (mode == Mode::Managed).then(|| Catalog::get().schema(kind)).flatten();
    let Some(schema) = schema else {
        let (ty, not_null) = if mode == Mode::Data { data::promise(kind, attr) } else { (Type::Any, false) };
        return unknown_reference(mode, reference.clone(), ty, not_null);
    };
    let unset = catalog::unset(kind).and_then(|unset| unset.get(attr));
    match (unset, schema.attribute(attr)) {
        // What only the provider sets it always sets: it is not null.
        (Some(value), Some(a)) if value.is_unknown() => {
            unknown_reference(mode, reference.clone(), a.ty.clone(), !a.optional)
        }
        (Some(value), _) => value.clone(),
        (None, _) => unknown_reference(mode, reference.clone(), Type::Any, false),
    }
}

/// Says of every value in a block that the provider decides which attribute it is.
fn refer(value: &mut Value, resource: &SmolStr, path: &mut String) {
    let length = path.len();
    match &mut value.kind {
        Kind::Unknown(unknown) if unknown.cause == Cause::Provider => {
            let reference = Reference { resource: resource.clone(), attribute: path.as_str().into() };
            *value = Value {
                origin: value.origin,
                ..unknown_reference(Mode::Managed, reference, unknown.ty.clone(), unknown.not_null)
            };
        }
        Kind::List(items) if items.iter().any(has_provided) => {
            for (index, item) in Arc::make_mut(items).iter_mut().enumerate() {
                let _ = write!(path, "[{index}]");
                refer(item, resource, path);
                path.truncate(length);
            }
        }
        Kind::Object(map) if map.values().any(has_provided) => {
            let entries = map.iter().map(|(name, item)| {
                let mut item = item.clone();
                let _ = write!(path, ".{name}");
                refer(&mut item, resource, path);
                path.truncate(length);
                (name.clone(), item)
            });
            *map = Arc::new(entries.collect());
        }
        _ => {}
    }
}

fn has_provided(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(unknown) => unknown.cause == Cause::Provider,
        Kind::List(items) => items.iter().any(has_provided),
        Kind::Object(map) => map.values().any(has_provided),
        _ => false,
    }
}

fn unknown_reference(mode: Mode, reference: Reference, ty: Type, not_null: bool) -> Value {
    let reference = Arc::new(reference);
    let cause = match mode {
        Mode::Managed => Cause::Resource(Arc::clone(&reference)),
        Mode::Data => Cause::Data(Arc::clone(&reference)),
    };
    let unknown = Unknown { ty, not_null, ..Unknown::new(cause) };
    Value { reference: Some(reference), ..Value::from_unknown(unknown) }
}

/// `aws_s3_bucket.raw` or `data.t.n`
pub fn block_address((mode, kind, name): BlockId<'_>) -> SmolStr {
    match mode {
        Mode::Managed => joined(&[kind, ".", name]),
        Mode::Data => joined(&["data.", kind, ".", name]),
    }
}

/// What is called `name` in the module at `path`.
pub fn inside(path: &str, name: SmolStr) -> SmolStr {
    if path.is_empty() { name } else { joined(&[path, ".", &name]) }
}

/// Addresses are made for each instance and each use of one, so without the machinery of formats.
fn joined(parts: &[&str]) -> SmolStr {
    let mut out = SmolStrBuilder::new();
    for part in parts {
        out.push_str(part);
    }
    out.finish()
}

/// The block's address with its instance key.
pub fn instance_address(block: &SmolStr, key: Option<&Key>) -> SmolStr {
    match key {
        Some(key) => format_smolstr!("{block}{key}"),
        None => block.clone(),
    }
}
