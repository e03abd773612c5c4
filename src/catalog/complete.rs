//! Brings a resource's object to the provider's schema, so that rules see the same shape from every input.

use std::cmp::Ordering;
use std::sync::Arc;

use super::defaults::{Defaults, Filled};
use super::schema::{AttributeSchema, BlockSchema, Member, NestedBlock, Nesting};
use super::{Catalog, rewritten};
use crate::value::{Cause, Element, Kind, Map, Partial, Times, Type, Unknown, Value, convert};

/// `value`, the object of a managed resource of `type_name`, as the provider's schema says: attributes have their types,
/// nested blocks are lists, sets or single objects, and what is absent is there.
///
/// With `partial`, the object is what a configuration says: an absent attribute or block has the default that the provider was
/// measured to give it; else it is unknown where the provider computes it; else null, or an empty list or set; and what the
/// provider writes in another way is as it writes it. Without, the object is whole already (of a plan or a state): what is
/// absent is null or empty.
///
/// What the schema does not know stays as it is: the input may be of a newer provider. So does a value that cannot have
/// its type, unless nobody can have written it: that is unknown.
pub fn complete(type_name: &str, value: Value, partial: bool) -> Value {
    let Some(schema) = Catalog::get().schema(type_name) else { return value };
    let completion = Completion { type_name, partial };
    if !partial {
        // Of types that nobody looks at no value is decoded: they have one object in common.
        if value.map().is_some_and(Map::is_empty) {
            let whole = || completion.block(schema, Value::object([]), "").map().cloned().unwrap_or_default();
            let kind = Kind::Object(Arc::clone(schema.untold.get_or_init(|| Arc::new(whole()))));
            return Value { kind, ..value };
        }
        return completion.block(schema, value, "");
    }
    let mut whole = completion.block(schema, value, "");
    rewritten::rewrite(type_name, "", &mut whole);
    whole
}

/// The attributes and nested blocks of [`complete`]'s result for a configuration that sets nothing; [`None`] if the schema
/// does not know the type.
pub fn unset(type_name: &str) -> Option<&'static Map> {
    let schema = Catalog::get().schema(type_name)?;
    Some(Completion { type_name, partial: true }.unset(schema, ""))
}

/// The attribute or nested block at the dotted `path` of [`complete`]'s result for a configuration that sets it to `value`, or
/// does not set it; [`None`] if the schema does not know it, and then the value stays as it is.
pub fn complete_attribute(type_name: &str, path: &str, value: Option<&Value>) -> Option<Value> {
    let (around, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut block = Catalog::get().schema(type_name)?;
    for step in around.split('.').filter(|step| !step.is_empty()) {
        block = &block.nested(step)?.block;
    }
    let completion = Completion { type_name, partial: true };
    let (_, member) = block.member(name)?;
    let mut whole = completion.member(member, value.cloned(), around, name);
    rewritten::rewrite(type_name, path, &mut whole);
    Some(whole)
}

struct Completion<'t> {
    type_name: &'t str,
    partial: bool,
}

impl Completion<'_> {
    /// What was measured of the type. It is asked for where something is made the first time, else seldom.
    fn defaults(&self) -> Defaults {
        if self.partial { Defaults::of(self.type_name) } else { Defaults::default() }
    }

    /// An object of a block whose dotted path is `path`.
    fn block(&self, schema: &BlockSchema, mut value: Value, path: &str) -> Value {
        let (Kind::Object(mut given) | Kind::Map(mut given)) = value.kind else {
            return if self.partial || value.is_null() || value.is_unknown() { value } else { misfit(value) };
        };
        if self.partial {
            given = Arc::new(self.configured(schema, &mut Arc::unwrap_or_clone(given), path));
        } else {
            // Most objects are nobody else's, and those of plans and states have all their names: they are changed in place.
            self.whole(schema, Arc::make_mut(&mut given));
        }
        value.kind = Kind::Object(given);
        value
    }

    /// What a configuration that sets `given` in the block at `path` has there.
    fn configured(&self, schema: &BlockSchema, given: &mut Map, path: &str) -> Map {
        let mut whole = self.unset(schema, path).clone();
        let mut unknown = Vec::new();
        for (name, value) in given.iter_mut() {
            let value = std::mem::replace(value, Value::NULL);
            let Some((at, member)) = schema.member(name) else {
                unknown.push((name, value));
                continue;
            };
            let is_unset = match member {
                Member::Attribute(attribute) => is_unset(&value, attribute),
                Member::Block(_) => value.is_absent(),
            };
            if !is_unset && let Some(slot) = whole.values_mut().nth(at) {
                *slot = self.member(member, Some(value), path, name);
            }
        }
        if !unknown.is_empty() {
            whole.add_absent(&mut unknown);
        }
        whole
    }

    /// What a configuration that sets nothing in the block at `path` has there.
    fn unset<'s>(&self, schema: &'s BlockSchema, path: &str) -> &'s Map {
        schema.unset.get_or_init(|| {
            let members = schema.members().iter();
            members.map(|(name, member)| (name.clone(), self.member(member, None, path, name))).collect()
        })
    }

    /// Makes whole what a plan or a state says of a block.
    fn whole(&self, schema: &BlockSchema, map: &mut Map) {
        let mut absent: Vec<(&str, Value)> = Vec::new();
        let mut present = map.iter_mut().peekable();
        // Both are sorted: this is one walk over the two.
        for (name, member) in schema.members() {
            let slot = loop {
                match present.peek().map(|(key, _)| (*key).cmp(name)) {
                    Some(Ordering::Less) => drop(present.next()),
                    Some(Ordering::Equal) => break present.next().map(|(_, value)| value),
                    Some(Ordering::Greater) | None => break None,
                }
            };
            match (slot, member) {
                // Most are as they should be.
                (Some(value), Member::Attribute(attribute))
                    if has_type(value, &attribute.ty) && !attribute.sensitive => {}
                (Some(slot), member) => {
                    let value = std::mem::replace(slot, Value::NULL);
                    *slot = self.member(member, Some(value), "", name);
                }
                (None, member) => absent.push((name, self.member(member, None, "", name))),
            }
        }
        drop(present);
        if !absent.is_empty() {
            map.add_absent(&mut absent);
        }
    }

    fn member(&self, member: &Member, value: Option<Value>, around: &str, name: &str) -> Value {
        match member {
            Member::Attribute(attribute) => self.attribute(attribute, value, around, name),
            Member::Block(nested) => self.nested(nested, value, around, name),
        }
    }

    fn attribute(
        &self,
        attribute: &AttributeSchema,
        value: Option<Value>,
        around: &str,
        name: &str,
    ) -> Value {
        let value = match value {
            Some(value) if value.as_unknown().is_some_and(is_plain) => {
                Some(Value { kind: Kind::Unknown(attribute.unknown()), ..value })
            }
            Some(value) if self.partial && value.as_unknown().is_some_and(Unknown::may_be_left_out) => {
                let absent = self.absent(around, name, attribute);
                Some(fit(value.or_default(&absent.unwrap_or(Value::NULL)), &attribute.ty))
            }
            Some(value) if !self.partial && contradicts(&value, &attribute.ty) => Some(misfit(value)),
            Some(value) if !(self.partial && is_unset(&value, attribute)) => Some(fit(value, &attribute.ty)),
            _ if self.partial => self.absent(around, name, attribute),
            _ => None,
        }
        .unwrap_or(Value::NULL);
        if !attribute.sensitive || value.is_null() {
            return value;
        }
        let mut value = value.mark(true);
        value.spread_sensitive();
        value
    }

    fn nested(&self, nested: &NestedBlock, value: Option<Value>, around: &str, name: &str) -> Value {
        match value {
            Some(value) if !value.is_absent() => {
                // The path is only asked for where there are defaults.
                let path = if self.partial { join(around, name) } else { String::new() };
                self.instances(nested, value, &path)
            }
            _ => {
                let decided = || provided(nested.ty());
                let filled =
                    self.partial.then(|| self.measured(around, name, nested.ty(), decided)).flatten();
                filled.unwrap_or_else(|| nested.nesting.empty().into())
            }
        }
    }

    /// The instances of a nested block.
    fn instances(&self, nested: &NestedBlock, mut value: Value, path: &str) -> Value {
        let one = |item: Value| match item.as_unknown() {
            Some(_) => fit(item, &nested.block.ty()),
            None => self.block(&nested.block, item, path),
        };
        if value.is_unknown() {
            return some_instances(nested, value, one);
        }
        let all = |items: &mut Arc<[Value]>| {
            for item in Arc::make_mut(items) {
                *item = one(std::mem::replace(item, Value::NULL));
            }
            std::mem::take(items)
        };
        let kind = match (nested.nesting, &mut value.kind) {
            (Nesting::List, Kind::List(items) | Kind::Set(items) | Kind::Tuple(items)) => {
                Kind::List(all(items))
            }
            (Nesting::Set, Kind::List(items) | Kind::Set(items) | Kind::Tuple(items)) => {
                Kind::Set(all(items))
            }
            // A source gives every block as a tuple, and another version of the provider a single one as a list.
            (Nesting::Single, Kind::List(items) | Kind::Set(items) | Kind::Tuple(items)) => {
                return match &**items {
                    [only] => one(only.clone()),
                    _ => value,
                };
            }
            (Nesting::Map, Kind::List(_) | Kind::Set(_) | Kind::Tuple(_)) => return value,
            (Nesting::List, _) => Kind::List([one(value.clone())].into()),
            (Nesting::Set, _) => Kind::Set([one(value.clone())].into()),
            (Nesting::Single, _) => return one(value),
            (Nesting::Map, _) => {
                let Some(map) = value.map() else { return value };
                let entries = map.iter().map(|(label, item)| (label.clone(), one(item.clone())));
                Kind::Map(Arc::new(entries.collect()))
            }
        };
        Value { kind, ..value }
    }

    /// What a configuration that does not set the attribute has there, if it is not null. What is required is set in any
    /// configuration that Terraform takes.
    fn absent(&self, around: &str, name: &str, attribute: &AttributeSchema) -> Option<Value> {
        if !attribute.optional && !attribute.computed {
            return None;
        }
        let decided = || Kind::Unknown(attribute.provided()).into();
        let is_decided = attribute.computed || self.defaults().may_be_any(&attribute.ty);
        self.measured(around, name, &attribute.ty, decided).or_else(|| is_decided.then(decided))
    }

    /// What was measured to be `name` in the block at `around` where a configuration does not set it; `decided` if the
    /// provider decides, or if nobody has measured it.
    fn measured(
        &self,
        around: &str,
        name: &str,
        ty: &Type,
        decided: impl FnOnce() -> Value,
    ) -> Option<Value> {
        // Most types have no such values, and then no path is asked for.
        let defaults = self.defaults();
        if defaults.is_empty() {
            return None;
        }
        Some(match defaults.get(around, &join(around, name))? {
            Filled::Value(value) => fit(value.clone(), ty),
            Filled::Computed => decided(),
        })
    }
}

/// Instances of which some may not be there. Of a block that can be there once, one that is there any number of times is
/// there at most once.
fn some_instances(nested: &NestedBlock, mut value: Value, one: impl Fn(Value) -> Value) -> Value {
    let element = |element: &Element| Element {
        value: one(element.value.clone()),
        times: match element.times {
            Times::Any if nested.max == Some(1) => Times::Perhaps,
            times => times,
        },
    };
    let elements: Option<Vec<Element>> = value.elements().map(|all| all.iter().map(element).collect());
    if let Kind::Unknown(unknown) = &mut value.kind
        && elements.is_some()
    {
        Arc::make_mut(unknown).partial = None;
    }
    let mut value = fit(value, nested.ty());
    if let (Kind::Unknown(unknown), Some(elements)) = (&mut value.kind, elements) {
        Arc::make_mut(unknown).partial = match nested.nesting {
            Nesting::List | Nesting::Set => Some(Partial::Elements(elements.into())),
            Nesting::Single | Nesting::Map => None,
        };
    }
    value
}

impl Nesting {
    /// No instance.
    fn empty(self) -> Kind {
        match self {
            Self::Single => Kind::Null,
            Self::List => Kind::List(Arc::default()),
            Self::Set => Kind::Set(Arc::default()),
            Self::Map => Kind::Map(Arc::default()),
        }
    }
}

/// Whether a plan says that it is unknown, and nothing else is known of it.
fn is_plain(unknown: &Unknown) -> bool {
    unknown.cause == Cause::Plan
        && unknown.sources.is_empty()
        && unknown.prefix.is_empty()
        && unknown.partial.is_none()
        && !unknown.not_null
        && matches!(unknown.ty, Type::Any)
}

/// Whether a configuration that sets `value` leaves the attribute to the provider, as if it were absent: it does with null.
/// Of what the provider computes, most resources cannot tell an empty text, or a set or map of texts, from null.
fn is_unset(value: &Value, attribute: &AttributeSchema) -> bool {
    let is_empty = match &attribute.ty {
        Type::String => value.as_str() == Some(""),
        Type::Set(of) if of.is_primitive() => value.items().is_some_and(<[Value]>::is_empty),
        Type::Map(of) if of.is_primitive() => value.map().is_some_and(Map::is_empty),
        _ => false,
    };
    value.is_null() || is_empty && attribute.computed
}

/// The dotted path of `name` in `around`.
fn join(around: &str, name: &str) -> String {
    if around.is_empty() { name.to_owned() } else { format!("{around}.{name}") }
}

/// The value that the provider will decide.
fn provided(ty: &Type) -> Value {
    Value::from_unknown(Unknown { ty: ty.clone(), ..Unknown::new(Cause::Provider) })
}

/// `value` with the type `ty`, or as it is if it cannot have it.
fn fit(value: Value, ty: &Type) -> Value {
    // Most values of plans and states have their types already, but for the name of the collection.
    let kind = match (&value.kind, ty) {
        _ if has_type(&value, ty) => return value,
        (Kind::Object(map), Type::Map(of)) if map.values().all(|item| has_type(item, of)) => {
            Kind::Map(Arc::clone(map))
        }
        (Kind::Tuple(items), Type::List(of)) if items.iter().all(|item| has_type(item, of)) => {
            Kind::List(Arc::clone(items))
        }
        _ => return convert(&value, ty).unwrap_or(value),
    };
    Value { kind, ..value }
}

/// Whether a tool that knows the schema cannot have written the value: one where there are many, or many where there is one.
/// What differs in more than that may be of another version of the provider.
fn contradicts(value: &Value, ty: &Type) -> bool {
    let is_many = value.items().is_some() || value.map().is_some();
    let is_one = matches!(value.kind, Kind::Bool(_) | Kind::Number(_) | Kind::String(_));
    (is_many && ty.is_primitive())
        || (is_one
            && match ty {
                Type::Bool | Type::Number => !has_type(value, ty) && convert(value, ty).is_err(),
                Type::List(_) | Type::Set(_) | Type::Map(_) => true,
                _ => false,
            })
}

/// What contradicts the schema tells nothing.
fn misfit(value: Value) -> Value {
    let cause = Cause::Other("the value in the plan or state contradicts the provider's schema".into());
    Value { kind: Value::unknown(cause).kind, ..value }
}

/// Whether a value is a plain one of the type, or null.
fn has_type(value: &Value, ty: &Type) -> bool {
    matches!(
        (&value.kind, ty),
        (Kind::Null, _)
            | (Kind::Bool(_), Type::Bool)
            | (Kind::Number(_), Type::Number)
            | (Kind::String(_), Type::String)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use smol_str::SmolStr;

    use super::*;
    use crate::value::{Partial, Reference};

    fn object(entries: &[(&str, Value)]) -> Value {
        Value::object(entries.iter().map(|(name, value)| ((*name).into(), value.clone())))
    }

    fn names(value: &Value) -> BTreeSet<&str> {
        value.map().unwrap().keys().map(SmolStr::as_str).collect()
    }

    #[test]
    fn what_a_configuration_leaves_out_is_default_or_unknown_or_null() {
        let given = object(&[("name", Value::string("n")), ("role_arn", Value::NULL)]);
        let notebook = complete("aws_sagemaker_notebook_instance", given.clone(), true);
        assert_eq!(notebook.get("direct_internet_access").unwrap().as_str(), Some("Enabled"));
        assert_eq!(notebook.get("root_access").unwrap().as_str(), Some("Enabled"));
        assert!(matches!(&notebook.get("volume_size").unwrap().kind, Kind::Number(n) if *n == 5_i64.into()));
        assert!(notebook.get("kms_key_id").unwrap().is_null());
        let arn = notebook.get("arn").unwrap().as_unknown().unwrap();
        assert_eq!(arn.cause, Cause::Provider);
        assert!(matches!(arn.ty, Type::String));
        let imds = notebook.get("instance_metadata_service_configuration").unwrap();
        assert!(matches!(&imds.kind, Kind::List(items) if items.is_empty()));
    }

    #[test]
    fn what_another_provider_puts_where_nothing_is_set_was_not_measured() {
        let member = complete("google_project_iam_member", object(&[]), true);
        assert!(member.get("role").unwrap().is_null(), "it is required");
        assert!(member.get("condition").unwrap().items().unwrap().is_empty(), "no block has a default");
        let key = complete("google_kms_crypto_key", object(&[]), true);
        assert!(key.get("rotation_period").unwrap().is_unknown(), "a text may have one");
        assert!(key.get("labels").unwrap().is_null(), "a map has none");
    }

    #[test]
    fn what_may_be_left_out_may_be_the_default() {
        let choice = |a: &str| {
            let all = [Value::string(a), Value::NULL];
            Value::unknown(Cause::Plan).with_partial(Partial::choice(&all))
        };
        let access = |value: Value| {
            let given = object(&[("direct_internet_access", value.mark(false))]);
            let notebook = complete("aws_sagemaker_notebook_instance", given, true);
            notebook.get("direct_internet_access").unwrap().clone()
        };
        assert_eq!(access(choice("Enabled")).as_str(), Some("Enabled"));
        let either = access(choice("Disabled"));
        let all: Vec<_> = either.choices().iter().map(|value| value.as_str().map(str::to_owned)).collect();
        assert_eq!(all, [Some("Disabled".to_owned()), Some("Enabled".to_owned())]);
    }

    #[test]
    fn what_a_plan_leaves_out_is_null() {
        let notebook = complete("aws_sagemaker_notebook_instance", object(&[]), false);
        assert!(notebook.get("direct_internet_access").unwrap().is_null());
        assert!(notebook.get("arn").unwrap().is_null());
    }

    #[test]
    fn a_null_in_a_configuration_leaves_the_default_but_a_plan_means_it() {
        let given = object(&[("root_access", Value::NULL)]);
        let of = |partial| {
            complete("aws_sagemaker_notebook_instance", given.clone(), partial)
                .get("root_access")
                .unwrap()
                .clone()
        };
        assert_eq!(of(true).as_str(), Some("Enabled"));
        assert!(of(false).is_null());
    }

    #[test]
    fn what_is_empty_is_left_to_the_provider_that_computes_it() {
        let empty = Value::tuple([]);
        let given = object(&[("subnet_ids", empty.clone()), ("vpc_id", Value::string(""))]);
        let endpoint = complete("aws_vpc_endpoint", given.clone(), true);
        assert_eq!(endpoint.get("subnet_ids").unwrap().as_unknown().unwrap().cause, Cause::Provider);
        assert_eq!(endpoint.get("vpc_id").unwrap().as_str(), Some(""));
        let triggers = object(&[("triggers", Value::object([]))]);
        assert!(complete("aws_ecs_service", triggers, true).get("triggers").unwrap().is_unknown());
        assert!(complete("aws_vpc_endpoint", given, false).get("subnet_ids").unwrap().items().is_some());
    }

    #[test]
    fn blocks_nest_as_the_schema_says() {
        let inner = object(&[("kms_key_id", Value::string("k")), ("enable_capture", Value::string("true"))]);
        let given = object(&[("data_capture_config", inner.clone())]);
        let config = complete("aws_sagemaker_endpoint_configuration", given.clone(), true);
        let Kind::List(captures) = &config.get("data_capture_config").unwrap().kind else {
            panic!("no list")
        };
        assert_eq!(captures[0].get("enable_capture").unwrap().as_bool(), Some(true));
        assert!(captures[0].get("destination_s3_uri").unwrap().is_null());

        let s3 = Value::tuple([object(&[("bucket_name", Value::string("b"))])]);
        let given = object(&[("logging_config", Value::tuple([object(&[("s3_config", s3)])]))]);
        let logging = complete("aws_bedrock_model_invocation_logging_configuration", given.clone(), true);
        let config = logging.get("logging_config").unwrap();
        assert_eq!(config.get("s3_config").unwrap().get("bucket_name").unwrap().as_str(), Some("b"));
        assert!(config.get("cloudwatch_config").unwrap().is_null());
        assert_eq!(config.get("text_data_delivery_enabled").unwrap().as_bool(), Some(true));

        let empty = complete("aws_bedrock_model_invocation_logging_configuration", object(&[]), true);
        assert!(empty.get("logging_config").unwrap().is_null());
    }

    #[test]
    fn a_block_that_the_provider_fills_in_is_unknown() {
        let bucket = complete("aws_s3_bucket", object(&[]), true);
        let encryption = bucket.get("server_side_encryption_configuration").unwrap().as_unknown().unwrap();
        assert_eq!(encryption.cause, Cause::Provider);
        assert!(matches!(encryption.ty, Type::List(_)));
    }

    #[test]
    fn what_is_not_set_in_a_block_is_made_once_for_all_resources_of_a_type() {
        let environment = |name: &str| {
            let resources = Value::tuple([object(&[("type", Value::string(name))])]);
            let given = object(&[("compute_resources", resources)]);
            complete("aws_batch_compute_environment", given, true)
        };
        let template = |value: &Value| match &value.at_path("compute_resources.launch_template").unwrap().kind
        {
            Kind::Unknown(unknown) => Arc::clone(unknown),
            kind => panic!("{kind:?}"),
        };
        let (one, other) = (environment("EC2"), environment("FARGATE"));
        assert!(Arc::ptr_eq(&template(&one), &template(&other)));
        assert_eq!(other.at_path("compute_resources.type").unwrap().as_str(), Some("FARGATE"));
    }

    #[test]
    fn marks_of_values_stay_and_secrets_get_theirs() {
        let key = Arc::new(Reference { resource: "aws_kms_key.k".into(), attribute: "arn".into() });
        let mut arn = Value::unknown(Cause::Resource(key.clone()));
        arn.reference = Some(key.clone());
        let given = object(&[("kms_key_id", arn), ("master_password", Value::string("secret"))]);
        let cluster = complete("aws_rds_cluster", given.clone(), true);
        assert_eq!(cluster.get("kms_key_id").unwrap().reference, Some(key));
        assert!(cluster.get("master_password").unwrap().sensitive);
        assert!(!cluster.get("snapshot_identifier").unwrap().sensitive);
    }

    #[test]
    fn what_the_schema_does_not_know_stays() {
        let given = object(&[("region", Value::string("eu-west-1"))]);
        let bucket = complete("aws_s3_bucket", given.clone(), true);
        assert_eq!(bucket.get("region").unwrap().as_str(), Some("eu-west-1"));
        assert_eq!(names(&complete("aws_nothing", given.clone(), true)), BTreeSet::from(["region"]));
        let unknown = Value::unknown(Cause::Plan);
        assert!(complete("aws_s3_bucket", unknown, true).is_unknown());
    }

    #[test]
    fn an_unknown_block_stays_unknown_of_its_type() {
        let given = object(&[("vpc_config", Value::unknown(Cause::Variable("v".into())))]);
        let model = complete("aws_sagemaker_model", given.clone(), true);
        let unknown = model.get("vpc_config").unwrap().as_unknown().unwrap();
        assert!(matches!(unknown.ty, Type::List(_)));
        assert_eq!(unknown.cause, Cause::Variable("v".into()));
    }
}
