//! Brings a resource's object to the provider's schema, so that rules see the same shape from every input.

use std::sync::Arc;

use smol_str::SmolStr;

use super::Catalog;
use super::defaults::{Defaults, Filled};
use super::schema::{BlockSchema, NestedBlock, Nesting};
use crate::value::{Cause, Kind, Type, Unknown, Value};

/// `value`, the object of a managed resource of `type_name`, as the provider's schema says: attributes have their types,
/// nested blocks are lists, sets or single objects, and what is absent is there.
///
/// With `partial`, the object is what a configuration says: an absent attribute or block has the default that the provider
/// was measured to give it; else it is unknown where the provider computes it; else null, or an empty list or set. Without,
/// the object is whole already (of a plan or a state): what is absent is null or empty.
///
/// What the schema does not know stays as it is: the input may be of a newer provider. So does a value that cannot have
/// its type.
pub fn complete(type_name: &str, value: &Value, partial: bool) -> Value {
    let Some(schema) = Catalog::get().schema(type_name) else { return value.clone() };
    let defaults = if partial { Defaults::of(type_name) } else { Defaults::default() };
    Completion { defaults, partial }.block(schema, value, "")
}

struct Completion {
    defaults: Defaults,
    partial: bool,
}

impl Completion {
    /// An object of a block whose dotted path is `path`.
    fn block(&self, schema: &BlockSchema, value: &Value, path: &str) -> Value {
        let Some(given) = value.map() else { return value.clone() };
        let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let unknown_to_schema = given
            .iter()
            .filter(|(name, _)| !schema.attributes.contains_key(*name) && !schema.blocks.contains_key(*name));
        let mut entries: Vec<(SmolStr, Value)> =
            unknown_to_schema.map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, attribute) in &schema.attributes {
            let value = match given.get(name) {
                // A configuration that sets null leaves the attribute to the provider, as if it were absent.
                Some(value) if !(self.partial && value.is_null()) => fit(value, &attribute.ty),
                _ => self.absent(&at(name), attribute.computed, &attribute.ty, Kind::Null),
            };
            let sensitive = attribute.sensitive && !value.is_null();
            entries.push((name.clone(), value.mark(sensitive)));
        }
        for (name, nested) in &schema.blocks {
            let path = at(name);
            let value = match given.get(name) {
                Some(value) if !is_absent(value) => self.instances(nested, value, &path),
                _ => self.absent(&path, false, &nested.ty(), nested.nesting.empty()),
            };
            entries.push((name.clone(), value));
        }
        with_kind(value, Kind::Object(Arc::new(entries.into_iter().collect())))
    }

    /// The instances of a nested block.
    fn instances(&self, nested: &NestedBlock, value: &Value, path: &str) -> Value {
        if value.is_unknown() {
            return fit(value, &nested.ty());
        }
        let one = |item: &Value| match item.as_unknown() {
            Some(_) => fit(item, &nested.block.ty()),
            None => self.block(&nested.block, item, path),
        };
        let kind = match (nested.nesting, value.items()) {
            (Nesting::List, Some(items)) => Kind::List(items.iter().map(one).collect()),
            (Nesting::Set, Some(items)) => Kind::Set(items.iter().map(one).collect()),
            (Nesting::List, None) => Kind::List([one(value)].into()),
            (Nesting::Set, None) => Kind::Set([one(value)].into()),
            (Nesting::Single, None) => return one(value),
            // A source gives every block as a tuple, and another version of the provider a single one as a list.
            (Nesting::Single, Some([only])) => return one(only),
            (Nesting::Map, None) => {
                let Some(map) = value.map() else { return value.clone() };
                let entries = map.iter().map(|(label, item)| (label.clone(), one(item)));
                Kind::Map(Arc::new(entries.collect()))
            }
            (Nesting::Single | Nesting::Map, Some(_)) => return value.clone(),
        };
        with_kind(value, kind)
    }

    /// What stands at `path` where nothing is set.
    fn absent(&self, path: &str, computed: bool, ty: &Type, empty: Kind) -> Value {
        match self.defaults.get(path) {
            Some(Filled::Value(value)) => fit(value, ty),
            Some(Filled::Computed) => provided(ty),
            None if self.partial && computed => provided(ty),
            None => empty.into(),
        }
    }
}

impl Nesting {
    /// No instance.
    fn empty(self) -> Kind {
        match self {
            Self::Single => Kind::Null,
            Self::List => Kind::List(Arc::new([])),
            Self::Set => Kind::Set(Arc::new([])),
            Self::Map => Kind::Map(Arc::default()),
        }
    }
}

/// Whether a nested block has no instance.
fn is_absent(value: &Value) -> bool {
    value.is_null() || value.items().is_some_and(<[Value]>::is_empty)
}

/// The value that the provider will decide.
fn provided(ty: &Type) -> Value {
    Value::from_unknown(Unknown { ty: ty.clone(), ..Unknown::new(Cause::Provider) })
}

/// `value` with another content and all its marks.
fn with_kind(value: &Value, kind: Kind) -> Value {
    Value { kind, ..value.clone() }
}

/// `value` with the type `ty` where it can have it: tuples become lists and sets, objects maps, and attributes that an
/// object lacks null.
fn fit(value: &Value, ty: &Type) -> Value {
    let each = |items: &[Value], of: &Type| items.iter().map(|item| fit(item, of)).collect();
    let kind = match (&value.kind, ty) {
        (Kind::Unknown(unknown), ty) if matches!(unknown.ty, Type::Any) => {
            Kind::Unknown(Arc::new(Unknown { ty: ty.clone(), ..Unknown::clone(unknown) }))
        }
        (Kind::Tuple(items) | Kind::List(items) | Kind::Set(items), Type::List(of)) => {
            Kind::List(each(items, of))
        }
        (Kind::Tuple(items) | Kind::List(items) | Kind::Set(items), Type::Set(of)) => {
            Kind::Set(each(items, of))
        }
        (Kind::Object(map) | Kind::Map(map), Type::Map(of)) => {
            Kind::Map(Arc::new(map.iter().map(|(key, item)| (key.clone(), fit(item, of))).collect()))
        }
        (Kind::Object(map) | Kind::Map(map), Type::Object(fields)) => {
            let given = map.iter().map(|(key, item)| {
                let field = fields.iter().find(|field| field.name == *key);
                (key.clone(), field.map_or_else(|| item.clone(), |field| fit(item, &field.ty)))
            });
            let lacking = fields.iter().filter(|field| map.get(&field.name).is_none());
            let lacking = lacking.map(|field| (field.name.clone(), Value::NULL));
            Kind::Object(Arc::new(given.chain(lacking).collect()))
        }
        _ => return value.clone(),
    };
    with_kind(value, kind)
}
