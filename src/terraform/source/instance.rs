//! From blocks to resource instances: `count`, `for_each`, and the value of every attribute.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::eval::{self, Scope};
use crate::hcl::ast::{Expr, ExprKind};
use crate::program::{Action, FollowedCall, Key, Mode, Program, Repeated, Resource};
use crate::source::Site;
use crate::value::{Cause, Kind, Type, Unknown, Value, convert};

use super::body::BodyReader;
use super::calls::{Called, CalledInstance, unfollowed};
use super::module::Declared;
use super::names::{Each, InstanceScope};
use super::resources::{BlockId, instance_address};
use super::scope::{ModuleScope, TOO_MUCH};
use super::tags;

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
    /// `for_each`: keys, and what `each` is.
    ForEach(Vec<(SmolStr, Each)>),
    /// Not known: one instance stands for any. What its `count` or `each` is.
    Unknown(Each),
}

/// Arguments of a `resource` or `data` block that Terraform keeps for itself.
const META: &[&str] =
    &["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"];

/// More resource instances than this are not analysed.
pub(super) const MAX_RESOURCES: usize = 1_000_000;

/// Evaluates every resource and data block of the module, and of those that it calls.
pub(super) fn expand_module(scope: &ModuleScope<'_>, program: &mut Program) {
    if expand_blocks(scope, program).is_continue() {
        for (&name, &declared) in &scope.module.calls {
            expand_call(name, declared, scope, program);
        }
    }
}

/// Evaluates every resource and data block of the module; breaks where there are too many.
pub(super) fn expand_blocks(scope: &ModuleScope<'_>, program: &mut Program) -> ControlFlow<()> {
    let module = scope.module;
    let environment = scope.environment();
    let blocks = module.resources.iter().map(|(id, declared)| (Mode::Managed, id, declared));
    let data = module.data.iter().map(|(id, declared)| (Mode::Data, id, declared));
    for (mode, &(kind, name), &declared) in blocks.chain(data) {
        if program.resources.len() >= MAX_RESOURCES {
            let message = format!("more than {MAX_RESOURCES} resource instances: the rest is not analysed");
            scope.report(Diagnostic::error(message).at(declared.site()));
            return ControlFlow::Break(());
        }
        let provider = environment.of_resource(declared, kind, scope);
        instances((mode, kind, name), declared, provider, scope, program);
    }
    ControlFlow::Continue(())
}

/// Evaluates what a call leads to.
pub(super) fn expand_call<'a>(
    name: &'a str,
    declared: Declared<'a>,
    scope: &ModuleScope<'a>,
    program: &mut Program,
) {
    match &*scope.called(name, declared) {
        Called::Instances(expansion, instances) => {
            expand_instances(declared, expansion, instances, program);
        }
        Called::Unfollowed(expansion) => {
            program.unfollowed.push(unfollowed(name, declared, expansion, scope));
        }
        Called::Broken(_) => {}
    }
}

/// Evaluates some of the instances of a call.
pub(super) fn expand_instances(
    declared: Declared<'_>,
    expansion: &Expansion,
    instances: &[CalledInstance<'_>],
    program: &mut Program,
) {
    for (_, inner) in instances {
        let call = FollowedCall { site: declared.site(), installed: inner.definition.installed };
        program.calls.entry(inner.block_path.clone()).or_insert(call);
        note_repeated(&inner.path, declared, expansion, &mut program.repeated);
        expand_module(inner, program);
    }
}

/// The value of `attr` in the block's body: an attribute, or the list of its nested blocks. [`None`] if it is not set.
pub fn attribute(
    declared: Declared<'_>,
    attr: &str,
    module: &ModuleScope<'_>,
    scope: &dyn Scope,
) -> Option<Value> {
    BodyReader::new(declared.file, module, META).of_resource().entry(declared.body(), attr, scope)
}

/// Evaluates `count` or `for_each`.
pub fn expansion(declared: Declared<'_>, module: &ModuleScope<'_>) -> Expansion {
    let body = declared.body();
    let (attribute, counted) = match (body.attribute("count"), body.attribute("for_each")) {
        (Some(attribute), _) => (attribute, true),
        (None, Some(attribute)) => (attribute, false),
        (None, None) => return Expansion::Single,
    };
    let site = attribute.value.span.at(attribute.file);
    if !counted && let Some(entries) = module.instances_named(&attribute.value, site) {
        return Expansion::ForEach(entries);
    }
    let (value, _) = module.evaluate(&attribute.value, attribute.file, module);
    let result = if counted { count(&value) } else { for_each(&value, site) };
    result.unwrap_or_else(|cause| {
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
            Kind::Unknown(_) => {
                Each::Entry(of(Type::String), eval::any_element(&value).through("each.value", site))
            }
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
        Ok(_) => Err(Cause::Error("`count` is null".into())),
        Err(_) => Err(Cause::Error("`count` is not a number".into())),
    }
}

fn too_many() -> Cause {
    Cause::Limit("instances of one block".into())
}

/// The keys and values of a `for_each`, which is written at `site`. A tuple of anything is refused, as by Terraform.
fn for_each(value: &Value, site: Site) -> Result<Expansion, Cause> {
    // Addresses hold the keys, and are shown everywhere; Terraform refuses this too.
    if value.sensitive || value.items().unwrap_or_default().iter().any(|item| item.sensitive) {
        return Err(Cause::Error("a sensitive value cannot be used for `for_each`".into()));
    }
    let part = |item: &Value| value.handing_on(item.clone()).through("each.value", site);
    let entries: Vec<(SmolStr, Value)> = match &value.kind {
        Kind::Map(map) | Kind::Object(map) => {
            let entries = map.iter();
            entries.map(|(key, item)| (key.clone(), part(item).mark(value.sensitive))).collect()
        }
        Kind::Set(items) => {
            let entry = |item: &Value| match &item.kind {
                Kind::String(key) => Ok((key.clone(), part(item))),
                Kind::Unknown(unknown) => Err(unknown.cause.clone()),
                _ => Err(Cause::Error("a set for `for_each` must hold strings".into())),
            };
            items.iter().map(entry).collect::<Result<_, _>>()?
        }
        Kind::Unknown(unknown) => return Err(unknown.cause.clone()),
        // Nulls have no type here: `x != null ? toset(x) : []` is an empty set to Terraform, and an empty tuple to us.
        Kind::Tuple(items) if items.is_empty() => Vec::new(),
        Kind::List(_) | Kind::Tuple(_) => {
            return Err(Cause::Error("`for_each` takes a map or a set; use `toset(…)`".into()));
        }
        _ => return Err(Cause::Error("`for_each` takes a map or a set of strings".into())),
    };
    if entries.len() > MAX_INSTANCES {
        return Err(too_many());
    }
    let entry = |(key, value): (SmolStr, Value)| (key.clone(), Each::Entry(Value::string(key), value));
    Ok(Expansion::ForEach(entries.into_iter().map(entry).collect()))
}

impl Expansion {
    /// The key of every instance, and what `each` and `count` are in it.
    pub(super) fn each(&self) -> Vec<(Option<Key>, Each)> {
        match self {
            Self::Single => vec![(None, Each::None)],
            Self::Count(n) => (0..*n).map(|i| (Some(Key::Int(i)), Each::Count(Value::int(i)))).collect(),
            Self::ForEach(entries) => {
                entries.iter().map(|(key, each)| (Some(Key::String(key.clone())), each.clone())).collect()
            }
            Self::Unknown(each) => vec![(Some(Key::Any), each.clone())],
        }
    }
}

fn instances<'a>(
    id: BlockId<'a>,
    declared: Declared<'a>,
    provider: Option<usize>,
    scope: &ModuleScope<'a>,
    program: &mut Program,
) {
    let expansion = scope.expansion(id, declared);
    let count = match &*expansion {
        Expansion::Count(n) => usize::try_from(*n).unwrap_or_default(),
        Expansion::ForEach(entries) => entries.len(),
        Expansion::Single | Expansion::Unknown(_) => 0,
    };
    let all = if count > 0 && !scope.spend(count * INSTANCE) {
        // The instances before have used up the memory.
        let message = format!("limit passed: {TOO_MUCH}; the instances are analysed as one");
        scope.report(Diagnostic::warning(message).at(declared.site()));
        let any = Value::unknown(Cause::Limit(TOO_MUCH.into()));
        let counted = matches!(*expansion, Expansion::Count(_));
        vec![(Some(Key::Any), if counted { Each::Count(any) } else { Each::Entry(any.clone(), any) })]
    } else {
        expansion.each()
    };
    let (mode, kind, name) = id;
    let (block, address) = (scope.block(id), scope.address(id));
    if let Expansion::Unknown(_) = *expansion {
        let any = instance_address(&address, Some(&Key::Any));
        note_repeated(&any, declared, &expansion, &mut program.repeated);
    }
    let repeated = all.len() > 1;
    // What is set, and where, is most often the same in all instances, also those of other instances of the module.
    let mut written = scope.shared.written(declared.site());
    for (key, each) in all {
        let names = InstanceScope { module: scope, each };
        let mut reader = BodyReader::new(declared.file, scope, META).of_resource().after(written);
        reader.repeated = repeated;
        let mut object = reader.object(declared.body(), &names);
        let (told, links) = reader.told();
        if let (Mode::Managed, Kind::Object(map)) = (mode, &mut object.kind)
            && map.get(tags::TAGS_ALL).is_none()
            && let Some(all) = tags::all(declared, kind, map.get("tags"), map.get(tags::OVERRIDE), scope)
        {
            Arc::make_mut(map).insert(tags::TAGS_ALL.into(), all);
        }
        program.resources.push(Resource {
            address: instance_address(&address, key.as_ref()),
            block: block.clone(),
            mode,
            type_name: kind.into(),
            native_type: None,
            name: name.into(),
            module: scope.path.clone(),
            key,
            provider,
            before: None,
            after: Some(Value { origin: Some(declared.site()), ..object }),
            action: Action::None,
            site: Some(declared.site()),
            places: Arc::clone(&told.places),
            untold: None,
            configured: Some(Arc::clone(&told.configured)),
            references: links.into_iter().collect(),
        });
        written = Some(told);
    }
    if let Some(written) = written {
        scope.shared.keep_written(declared.site(), written);
    }
}

/// Notes what makes the instance at `address`, if it stands for any.
fn note_repeated(
    address: &SmolStr,
    declared: Declared<'_>,
    expansion: &Expansion,
    out: &mut BTreeMap<SmolStr, Repeated>,
) {
    let Expansion::Unknown(each) = expansion else { return };
    let body = declared.body();
    let Some(attribute) = body.attribute("count").or_else(|| body.attribute("for_each")) else { return };
    let cause = match each {
        Each::Count(key) | Each::Entry(key, _) => key.first_cause().cloned(),
        Each::None | Each::Instance(..) => None,
    };
    let repeated = Repeated {
        site: attribute.value.span.at(attribute.file),
        by: SmolStr::default(),
        at_most_once: attribute.name.text == "count" && is_at_most_one(&attribute.value),
        cause: cause.unwrap_or_else(|| Cause::Other("it is not known".into())),
    };
    out.insert(address.clone(), repeated);
}

/// Whether the number is 0 or 1 whatever its conditions are.
fn is_at_most_one(expr: &Expr<'_>) -> bool {
    match expr.kind {
        ExprKind::Number(text) => matches!(text, "0" | "1"),
        ExprKind::Paren(inner) => is_at_most_one(inner),
        ExprKind::Conditional(conditional) => {
            is_at_most_one(&conditional.then) && is_at_most_one(&conditional.otherwise)
        }
        _ => false,
    }
}
