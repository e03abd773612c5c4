//! From blocks to resource instances: `count`, `for_each`, `dynamic`, and the value of every attribute.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::eval::{self, Scope};
use crate::hcl::ast::{ExprKind, Step};
use crate::program::{Action, Key, Mode, ModuleCall, Program, ProviderConfig, Resource};
use crate::value::{Cause, Kind, Type, Unknown, Value, convert};

use super::body::BodyReader;
use super::module::{Declared, Module};
use super::names::{Each, InstanceScope};
use super::resources::{BlockId, block_address, instance_address};
use super::scope::{ModuleScope, TOO_MUCH};

/// More instances of one block than this are analysed as one that stands for any.
const MAX_INSTANCES: usize = 10_000;

/// What an instance costs beside the values that are written in it: the provider sets many more.
const INSTANCE: usize = 64;

/// The instances of a block.
#[derive(Debug)]
pub enum Expansion {
    /// Neither `count` nor `for_each`.
    Single,
    /// `count`
    Count(i64),
    /// `for_each`: keys and values.
    ForEach(Vec<(SmolStr, Value)>),
    /// Not known: one instance stands for any. What its `count` or `each` is.
    Unknown(Each),
}

/// Arguments of a `resource` or `data` block that Terraform keeps for itself.
const META: &[&str] =
    &["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"];

/// Those of a `module` block. What `count` and `for_each` name is used in it, so they are read.
const CALL_META: &[&str] = &["source", "version", "providers", "depends_on"];

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
        program.unfollowed.extend(call(name, *declared, scope));
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
    BodyReader::new(declared.file, module, META).entry(declared.body(), attr, scope, "")
}

/// Evaluates `count` or `for_each`.
pub fn expansion(declared: Declared<'_>, module: &ModuleScope<'_>) -> Expansion {
    let body = declared.body();
    let (attribute, counted) = match (body.attribute("count"), body.attribute("for_each")) {
        (Some(attribute), _) => (attribute, true),
        (None, Some(attribute)) => (attribute, false),
        (None, None) => return Expansion::Single,
    };
    let (value, _) = module.evaluate(&attribute.value, declared.file, module);
    let result = if counted { count(&value) } else { for_each(&value) };
    result.unwrap_or_else(|cause| {
        let site = attribute.value.span.at(declared.file);
        match &cause {
            // An expression in error is reported already.
            Cause::Error(message) if !value.is_unknown() => {
                module.report(Diagnostic::warning(message.as_str()).at(site));
            }
            Cause::Limit(_) if !value.is_unknown() => {
                let message = format!("more than {MAX_INSTANCES} instances are analysed as one");
                module.report(Diagnostic::notice(message).at(declared.site()));
            }
            _ => {}
        }
        let of = |ty| {
            let unknown = Unknown { ty, not_null: true, ..Unknown::new(cause.clone()) };
            Value::from_unknown(unknown).or_origin(site)
        };
        Expansion::Unknown(match &value.kind {
            _ if counted => Each::Count(of(Type::Number)),
            Kind::Unknown(_) => Each::Entry(of(Type::String), eval::any_element(&value)),
            _ => Each::Entry(of(Type::String), Value::unknown(cause).mark(value.sensitive)),
        })
    })
}

fn count(value: &Value) -> Result<Expansion, Cause> {
    match convert(value, &Type::Number).map(|value| value.kind) {
        Ok(Kind::Number(number)) => match number.to_i64() {
            Some(n) if n < 0 => Err(Cause::Error("`count` is negative".into())),
            Some(n) if usize::try_from(n).is_ok_and(|n| n <= MAX_INSTANCES) => Ok(Expansion::Count(n)),
            Some(_) => Err(too_many()),
            None => Err(Cause::Error("`count` is not a whole number".into())),
        },
        Ok(Kind::Unknown(unknown)) => Err(unknown.cause.clone()),
        Ok(_) => Err(Cause::Error("`count` is not a number".into())),
        Err(message) => Err(Cause::Error(message.into())),
    }
}

fn too_many() -> Cause {
    Cause::Limit("instances of one block".into())
}

/// The keys and values of a `for_each`. A tuple is refused, as Terraform does.
fn for_each(value: &Value) -> Result<Expansion, Cause> {
    // Addresses hold the keys, and are shown everywhere; Terraform refuses this too.
    if value.sensitive || value.items().unwrap_or_default().iter().any(|item| item.sensitive) {
        return Err(Cause::Error("a sensitive value cannot be used for `for_each`".into()));
    }
    let entries: Vec<(SmolStr, Value)> = match &value.kind {
        Kind::Map(map) | Kind::Object(map) => {
            let entries = map.iter();
            entries.map(|(key, item)| (key.clone(), item.clone().mark(value.sensitive))).collect()
        }
        Kind::Set(items) => {
            let entry = |item: &Value| match &item.kind {
                Kind::String(key) => Ok((key.clone(), item.clone())),
                Kind::Unknown(unknown) => Err(unknown.cause.clone()),
                _ => Err(Cause::Error("a set for `for_each` must hold strings".into())),
            };
            items.iter().map(entry).collect::<Result<_, _>>()?
        }
        Kind::Unknown(unknown) => return Err(unknown.cause.clone()),
        Kind::List(_) | Kind::Tuple(_) => {
            return Err(Cause::Error("`for_each` takes a map or a set; use `toset(…)`".into()));
        }
        _ => return Err(Cause::Error("`for_each` takes a map or a set of strings".into())),
    };
    if entries.len() > MAX_INSTANCES { Err(too_many()) } else { Ok(Expansion::ForEach(entries)) }
}

fn instances<'a>(
    id: BlockId<'a>,
    declared: Declared<'a>,
    provider: Option<usize>,
    scope: &ModuleScope<'a>,
    out: &mut Vec<Resource>,
) {
    let expansion = scope.expansion(id, declared);
    let count = match &*expansion {
        Expansion::Count(n) => usize::try_from(*n).unwrap_or_default(),
        Expansion::ForEach(entries) => entries.len(),
        Expansion::Single | Expansion::Unknown(_) => 0,
    };
    let all: Vec<(Option<Key>, Each)> = match &*expansion {
        // The instances before have used up the memory.
        many if count > 0 && !scope.spend(count * INSTANCE) => {
            let message = format!("limit passed: {TOO_MUCH}; the instances are analysed as one");
            scope.report(Diagnostic::warning(message).at(declared.site()));
            let any = Value::unknown(Cause::Limit(TOO_MUCH.into()));
            let counted = matches!(many, Expansion::Count(_));
            vec![(Some(Key::Any), if counted { Each::Count(any) } else { Each::Entry(any.clone(), any) })]
        }
        Expansion::Single => vec![(None, Each::None)],
        Expansion::Count(n) => (0..*n).map(|i| (Some(Key::Int(i)), Each::Count(Value::int(i)))).collect(),
        Expansion::ForEach(entries) => entries
            .iter()
            .map(|(key, value)| {
                (Some(Key::String(key.clone())), Each::Entry(Value::string(key.clone()), value.clone()))
            })
            .collect(),
        Expansion::Unknown(each) => vec![(Some(Key::Any), each.clone())],
    };
    let (mode, kind, name) = id;
    let block = block_address(id);
    for (key, each) in all {
        let names = InstanceScope { module: scope, each };
        let mut reader = BodyReader::new(declared.file, scope, META);
        let object = reader.object(declared.body(), &names, "");
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
            configured: Some(Arc::new(reader.configured)),
            references: reader.links.into_iter().collect(),
        });
    }
}

fn providers<'a>(module: &Module<'a>, scope: &ModuleScope<'a>) -> Vec<ProviderConfig> {
    let mut out = Vec::new();
    for declared in &module.providers {
        let object = BodyReader::new(declared.file, scope, &[]).object(declared.body(), scope, "");
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
        // As it was written before Terraform 0.12.
        Some(ExprKind::String(text)) => match text.split_once('.') {
            Some((name, alias)) => (name, Some(alias)),
            None => (text, None),
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

/// A module call, [`None`] if it has no instance.
fn call<'a>(name: &'a str, declared: Declared<'a>, scope: &ModuleScope<'a>) -> Option<ModuleCall> {
    let address = SmolStr::from(format!("module.{name}"));
    let source = match declared.body().attribute("source").map(|attribute| attribute.value.kind) {
        Some(ExprKind::String(text)) => text.into(),
        _ => SmolStr::default(),
    };
    let names = match &*scope.expansion((Mode::Managed, "module", name), declared) {
        Expansion::Count(0) => return None,
        Expansion::ForEach(entries) if entries.is_empty() => return None,
        Expansion::Single => Each::None,
        Expansion::Unknown(each) => each.clone(),
        // One for all: what `count` and `for_each` name is read with the arguments.
        Expansion::Count(_) => Each::Count(Value::unknown(Cause::Module(address.clone()))),
        Expansion::ForEach(_) => {
            let any = || Value::unknown(Cause::Module(address.clone()));
            Each::Entry(any(), any())
        }
    };
    let mut reader = BodyReader::new(declared.file, scope, CALL_META);
    let _ = reader.object(declared.body(), &InstanceScope { module: scope, each: names }, "");
    scope.report(
        Diagnostic::notice(format!("`{address}` is not followed: what it declares is not analysed"))
            .at(declared.site())
            .help("check a plan instead: `terraform show -json PLAN > plan.json`"),
    );
    let references = reader.links.into_iter().collect();
    Some(ModuleCall { address, source, site: declared.site(), references })
}
