//! From blocks to resource instances: `count`, `for_each`, `dynamic`, and the value of every attribute.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::eval::Scope;
use crate::hcl::ast::{Block, Body, Expr, ExprKind, Item, Step};
use crate::program::{Action, Key, Link, Mode, ModuleCall, Program, ProviderConfig, Resource};
use crate::source::{FileId, Site};
use crate::value::{Cause, Kind, Type, Unknown, Value, convert};

use super::module::{Declared, Module};
use super::scope::{
    BlockId, Each, InstanceScope, IteratorScope, ModuleScope, block_address, instance_address,
};

/// More instances of one block than this are analysed as one that stands for any.
const MAX_INSTANCES: usize = 10_000;

/// The instances of a block.
#[derive(Debug)]
pub enum Expansion {
    /// Neither `count` nor `for_each`.
    Single,
    /// `count`
    Count(i64),
    /// `for_each`: keys and values.
    ForEach(Vec<(SmolStr, Value)>),
    /// Not known: one instance stands for any.
    Unknown(Cause),
}

/// Arguments of a `resource` or `data` block that Terraform keeps for itself.
const META: [&str; 8] =
    ["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection", "enabled"];

/// Evaluates every resource and data block of the module.
pub fn expand<'a>(module: &'a Module<'a>, scope: &ModuleScope<'a>) -> Program {
    let mut program = Program { providers: providers(module, scope), ..Program::default() };
    let blocks = module.resources.iter().map(|(id, declared)| (Mode::Managed, id, declared));
    let data = module.data.iter().map(|(id, declared)| (Mode::Data, id, declared));
    for (mode, &(kind, name), &declared) in blocks.chain(data) {
        let provider = provider_of(declared, kind, &mut program.providers);
        instances((mode, kind, name), declared, provider, scope, &mut program.resources);
    }
    // Findings and instances are told in source order.
    program.resources.sort_by(|a, b| (a.site, &a.key).cmp(&(b.site, &b.key)));
    for (name, declared) in &module.calls {
        program.unfollowed.push(call(name, *declared, scope));
    }
    program
}

/// The value of `attr` in the block's body: an attribute, or the list of its nested blocks. [`None`] if it is not set.
pub fn attribute(
    declared: Declared<'_>,
    attr: &str,
    module: &ModuleScope<'_>,
    scope: &dyn Scope,
) -> Option<Value> {
    let mut body = BodyReader { file: declared.file, module, links: Vec::new(), places: BTreeMap::new() };
    body.entry(declared.body(), attr, scope, "")
}

/// Evaluates `count` or `for_each`.
pub fn expansion(declared: Declared<'_>, module: &ModuleScope<'_>) -> Expansion {
    let body = declared.body();
    if let Some(attribute) = body.attribute("count") {
        let (value, _) = module.evaluate(&attribute.value, declared.file, module);
        return count(&value, || module.report(too_many(declared)));
    }
    if let Some(attribute) = body.attribute("for_each") {
        let (value, _) = module.evaluate(&attribute.value, declared.file, module);
        return match for_each(&value) {
            Ok(entries) if entries.len() > MAX_INSTANCES => {
                module.report(too_many(declared));
                Expansion::Unknown(Cause::Limit("instances of one block".into()))
            }
            Ok(entries) => Expansion::ForEach(entries),
            Err(cause) => {
                if let Cause::Error(message) = &cause {
                    module.report(
                        Diagnostic::warning(message.as_str()).at(attribute.value.span.at(declared.file)),
                    );
                }
                Expansion::Unknown(cause)
            }
        };
    }
    Expansion::Single
}

fn too_many(declared: Declared<'_>) -> Diagnostic {
    Diagnostic::notice(format!("more than {MAX_INSTANCES} instances are analysed as one")).at(declared.site())
}

fn count(value: &Value, too_many: impl Fn()) -> Expansion {
    match convert(value, &Type::Number).map(|value| value.kind) {
        Ok(Kind::Number(number)) => match number.to_i64() {
            Some(n) if n < 0 => Expansion::Unknown(Cause::Error("`count` is negative".into())),
            Some(n) if usize::try_from(n).is_ok_and(|n| n <= MAX_INSTANCES) => Expansion::Count(n),
            _ => {
                too_many();
                Expansion::Unknown(Cause::Limit("instances of one block".into()))
            }
        },
        Ok(Kind::Unknown(unknown)) => Expansion::Unknown(unknown.cause.clone()),
        Ok(_) => Expansion::Unknown(Cause::Error("`count` is not a number".into())),
        Err(message) => Expansion::Unknown(Cause::Error(message.into())),
    }
}

/// The keys and values of a `for_each`. A tuple is refused, as Terraform does.
fn for_each(value: &Value) -> Result<Vec<(SmolStr, Value)>, Cause> {
    match &value.kind {
        Kind::Map(map) | Kind::Object(map) => {
            Ok(map.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        Kind::Set(items) => items
            .iter()
            .map(|item| match &item.kind {
                Kind::String(key) => Ok((key.clone(), item.clone())),
                Kind::Unknown(unknown) => Err(unknown.cause.clone()),
                _ => Err(Cause::Error("a set for `for_each` must hold strings".into())),
            })
            .collect(),
        Kind::Unknown(unknown) => Err(unknown.cause.clone()),
        Kind::List(_) | Kind::Tuple(_) => {
            Err(Cause::Error("`for_each` takes a map or a set; use `toset(…)`".into()))
        }
        _ => Err(Cause::Error("`for_each` takes a map or a set of strings".into())),
    }
}

fn instances<'a>(
    id: BlockId<'a>,
    declared: Declared<'a>,
    provider: Option<usize>,
    scope: &ModuleScope<'a>,
    out: &mut Vec<Resource>,
) {
    let unknown = |cause: &Cause| Value::unknown(cause.clone());
    let all: Vec<(Option<Key>, Each)> = match &*scope.expansion(id, declared) {
        Expansion::Single => vec![(None, Each::None)],
        Expansion::Count(n) => (0..*n).map(|i| (Some(Key::Int(i)), Each::Count(Value::int(i)))).collect(),
        Expansion::ForEach(entries) => entries
            .iter()
            .map(|(key, value)| {
                (Some(Key::String(key.clone())), Each::Entry(Value::string(key.clone()), value.clone()))
            })
            .collect(),
        Expansion::Unknown(cause) => {
            let each = match declared.body().attribute("count") {
                Some(_) => Each::Count(unknown(cause)),
                None => Each::Entry(unknown(cause), unknown(cause)),
            };
            vec![(Some(Key::Any), each)]
        }
    };
    let (mode, kind, name) = id;
    let block = block_address(mode, kind, name);
    for (key, each) in all {
        let names = InstanceScope { module: scope, each };
        let mut reader =
            BodyReader { file: declared.file, module: scope, links: Vec::new(), places: BTreeMap::new() };
        let object = reader.object(declared.body(), &names, "", true);
        let configured: BTreeSet<SmolStr> = reader.places.keys().cloned().collect();
        out.push(Resource {
            address: instance_address(&block, key.as_ref()),
            block: block.clone(),
            mode,
            type_name: kind.into(),
            native_type: None,
            name: name.into(),
            module: SmolStr::default(),
            key,
            provider,
            before: None,
            after: Some(Value { origin: Some(declared.site()), ..object }),
            action: Action::None,
            site: Some(declared.site()),
            places: reader.places,
            configured: Some(Arc::new(configured)),
            references: reader.links,
        });
    }
}

/// Evaluates bodies, and keeps which resource each attribute names.
struct BodyReader<'m, 'a> {
    file: FileId,
    module: &'m ModuleScope<'a>,
    links: Vec<Link>,
    /// Where attributes and blocks are written, by path.
    places: BTreeMap<SmolStr, Site>,
}

impl BodyReader<'_, '_> {
    /// A body as an object: attributes by name, nested blocks as tuples of objects by type.
    fn object(&mut self, body: Body<'_>, scope: &dyn Scope, path: &str, top: bool) -> Value {
        let mut names: Vec<&str> = body.items.iter().filter_map(entry_name).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| !(top && META.contains(name)));
        Value::object(
            names
                .into_iter()
                .filter_map(|name| Some((name.into(), self.entry(body, name, scope, path)?)))
                .collect::<Vec<_>>(),
        )
    }

    /// The attribute `name`, or the tuple of the blocks of that type.
    fn entry(&mut self, body: Body<'_>, name: &str, scope: &dyn Scope, path: &str) -> Option<Value> {
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if let Some(attribute) = body.attribute(name) {
            let site = attribute.span.at(self.file);
            self.places.entry(path.as_str().into()).or_insert(site);
            return Some(self.expression(&attribute.value, scope, &path).or_origin(site));
        }
        let mut items = Vec::new();
        let mut unknown = None;
        let mut any = false;
        for block in body.blocks().filter(|block| block_name(block) == Some(name)) {
            any = true;
            self.places.entry(path.as_str().into()).or_insert(block.header.at(self.file));
            if block.ident.text == "dynamic" {
                match self.dynamic(block, scope, &path) {
                    Ok(more) => items.extend(more),
                    Err(cause) => unknown = Some(cause),
                }
            } else {
                let object = self.object(block.body, scope, &path, false);
                items.push(Value { origin: Some(block.header.at(self.file)), ..object });
            }
        }
        match unknown {
            // The block may be absent or be there any number of times.
            Some(cause) => Some(Value::from_unknown(Unknown { not_null: true, ..Unknown::new(cause) })),
            None => any.then(|| Value::tuple(items)),
        }
    }

    fn expression(&mut self, expr: &Expr<'_>, scope: &dyn Scope, path: &str) -> Value {
        let (value, touched) = self.module.evaluate(expr, self.file, scope);
        for target in touched {
            let link = Link { path: path.into(), target };
            if !self.links.contains(&link) {
                self.links.push(link);
            }
        }
        value
    }

    /// The blocks that a `dynamic` block makes; the cause if they cannot be told.
    fn dynamic(&mut self, block: &Block<'_>, scope: &dyn Scope, path: &str) -> Result<Vec<Value>, Cause> {
        let wrong = |what: &str| Cause::Error(format!("the `dynamic` block has no `{what}`").into());
        let label = block.labels.first().map(|label| label.text).ok_or_else(|| wrong("label"))?;
        let over = block.body.attribute("for_each").ok_or_else(|| wrong("for_each"))?;
        let content =
            block.body.blocks().find(|b| b.ident.text == "content").ok_or_else(|| wrong("content"))?;
        let iterator = match block.body.attribute("iterator").map(|attribute| attribute.value.kind) {
            Some(ExprKind::Variable(name)) => name,
            _ => label,
        };
        let collection = self.expression(&over.value, scope, path);
        let entries: Vec<(Value, Value)> = match &collection.kind {
            Kind::Map(map) | Kind::Object(map) => {
                map.iter().map(|(key, value)| (Value::string(key.clone()), value.clone())).collect()
            }
            Kind::Set(items) => items.iter().map(|item| (item.clone(), item.clone())).collect(),
            Kind::List(items) | Kind::Tuple(items) => {
                (0i64..).zip(items.iter()).map(|(i, item)| (Value::int(i), item.clone())).collect()
            }
            Kind::Unknown(unknown) => return Err(unknown.cause.clone()),
            _ => return Err(Cause::Error("`for_each` of a `dynamic` block takes a collection".into())),
        };
        if entries.len() > MAX_INSTANCES {
            return Err(Cause::Limit("blocks of one `dynamic`".into()));
        }
        let site = block.header.at(self.file);
        Ok(entries
            .into_iter()
            .map(|(key, value)| {
                let value = Value::object([("key".into(), key), ("value".into(), value)]);
                let names = IteratorScope { parent: scope, name: iterator, value };
                Value { origin: Some(site), ..self.object(content.body, &names, path, false) }
            })
            .collect())
    }
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

fn providers<'a>(module: &Module<'a>, scope: &ModuleScope<'a>) -> Vec<ProviderConfig> {
    let mut out = Vec::new();
    for declared in &module.providers {
        let mut reader =
            BodyReader { file: declared.file, module: scope, links: Vec::new(), places: BTreeMap::new() };
        let object = reader.object(declared.body(), scope, "", false);
        let get = |path: &str| object.at_path(path).cloned();
        out.push(ProviderConfig {
            name: declared.block.labels.first().map(|label| label.text.into()).unwrap_or_default(),
            alias: get("alias").and_then(|alias| alias.as_str().map(SmolStr::from)),
            region: get("region").unwrap_or(Value::NULL),
            default_tags: get("default_tags.tags").unwrap_or_else(|| Value::object([])),
            site: Some(declared.site()),
        });
    }
    out
}

/// The provider configuration of a resource: its `provider` argument, or the default one of its type's prefix.
fn provider_of(declared: Declared<'_>, kind: &str, providers: &mut Vec<ProviderConfig>) -> Option<usize> {
    let (name, alias) = match declared.body().attribute("provider").map(|attribute| attribute.value.kind) {
        Some(ExprKind::Variable(name)) => (name, None),
        Some(ExprKind::Access { base, steps: [Step::Attr(alias)] }) => match base.kind {
            ExprKind::Variable(name) => (name, Some(alias.text)),
            _ => return None,
        },
        Some(_) => return None,
        None => (kind.split('_').next().unwrap_or(kind), None),
    };
    if let Some(at) = providers.iter().position(|p| p.name == name && p.alias.as_deref() == alias) {
        return Some(at);
    }
    providers.push(ProviderConfig {
        name: name.into(),
        alias: alias.map(SmolStr::from),
        region: Value::NULL,
        default_tags: Value::object([]),
        site: None,
    });
    Some(providers.len() - 1)
}

fn call<'a>(name: &str, declared: Declared<'a>, scope: &ModuleScope<'a>) -> ModuleCall {
    let address = SmolStr::from(format!("module.{name}"));
    let source = match declared.body().attribute("source").map(|attribute| attribute.value.kind) {
        Some(ExprKind::String(text)) => text.into(),
        _ => SmolStr::default(),
    };
    // `each` and `count` of a call are unknown here; what its arguments name is not.
    let any = || Value::unknown(Cause::Module(address.clone()));
    let each = match declared.body().attribute("count") {
        Some(_) => Each::Count(any()),
        None => Each::Entry(any(), any()),
    };
    let names = InstanceScope { module: scope, each };
    let mut reader =
        BodyReader { file: declared.file, module: scope, links: Vec::new(), places: BTreeMap::new() };
    let _ = reader.object(declared.body(), &names, "", true);
    scope.report(
        Diagnostic::notice(format!("`{address}` is not followed: what it declares is not analysed"))
            .at(declared.site())
            .help("check a plan instead: `terraform show -json PLAN > plan.json`"),
    );
    ModuleCall { address, source, site: declared.site(), references: reader.links }
}
