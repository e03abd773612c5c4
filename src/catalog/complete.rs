//! Brings a resource's object to the provider's schema, so that rules see the same shape from every input.

use std::sync::Arc;

use smol_str::SmolStr;

use super::Catalog;
use super::defaults::{Defaults, Filled};
use super::schema::{AttributeSchema, BlockSchema, NestedBlock, Nesting};
use crate::value::{Cause, Kind, Type, Unknown, Value, convert};

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

/// The attribute or nested block `name` of [`complete`]'s result for a configuration that sets it to `value`, or does not
/// set it; [`None`] if the schema does not know it, and then the value stays as it is.
pub fn complete_attribute(type_name: &str, name: &str, value: Option<&Value>) -> Option<Value> {
    let schema = Catalog::get().schema(type_name)?;
    let completion = Completion { defaults: Defaults::of(type_name), partial: true };
    match (schema.attributes.get(name), schema.blocks.get(name)) {
        (Some(attribute), _) => Some(completion.attribute(attribute, value, name)),
        (None, Some(nested)) => Some(completion.nested(nested, value, name)),
        (None, None) => None,
    }
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
            entries.push((name.clone(), self.attribute(attribute, given.get(name), &at(name))));
        }
        for (name, nested) in &schema.blocks {
            entries.push((name.clone(), self.nested(nested, given.get(name), &at(name))));
        }
        with_kind(value, Kind::Object(Arc::new(entries.into_iter().collect())))
    }

    /// An attribute that is given or not.
    fn attribute(&self, attribute: &AttributeSchema, given: Option<&Value>, path: &str) -> Value {
        let value = match given {
            // A configuration that sets null leaves the attribute to the provider, as if it were absent.
            Some(value) if !(self.partial && value.is_null()) => fit(value, &attribute.ty),
            _ => self.absent(path, attribute.computed, || attribute.ty.clone(), Kind::Null),
        };
        let sensitive = attribute.sensitive && !value.is_null();
        value.mark(sensitive)
    }

    /// A nested block that is given or not.
    fn nested(&self, nested: &NestedBlock, given: Option<&Value>, path: &str) -> Value {
        match given {
            Some(value) if !is_absent(value) => self.instances(nested, value, path),
            _ => self.absent(path, false, || nested.ty(), nested.nesting.empty()),
        }
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
    fn absent(&self, path: &str, computed: bool, ty: impl FnOnce() -> Type, empty: Kind) -> Value {
        match self.defaults.get(path) {
            Some(Filled::Value(value)) => fit(value, &ty()),
            Some(Filled::Computed) => provided(ty()),
            None if self.partial && computed => provided(ty()),
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
fn provided(ty: Type) -> Value {
    Value::from_unknown(Unknown { ty, ..Unknown::new(Cause::Provider) })
}

/// `value` with another content and all its marks.
fn with_kind(value: &Value, kind: Kind) -> Value {
    Value { kind, ..value.clone() }
}

/// `value` with the type `ty`, or as it is if it cannot have it.
fn fit(value: &Value, ty: &Type) -> Value {
    convert(value, ty).unwrap_or_else(|_| value.clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::value::Reference;

    fn object(entries: &[(&str, Value)]) -> Value {
        Value::object(entries.iter().map(|(name, value)| ((*name).into(), value.clone())))
    }

    fn names(value: &Value) -> BTreeSet<&str> {
        value.map().unwrap().keys().map(SmolStr::as_str).collect()
    }

    #[test]
    fn what_a_configuration_leaves_out_is_default_or_unknown_or_null() {
        let given = object(&[("name", Value::string("n")), ("role_arn", Value::NULL)]);
        let notebook = complete("aws_sagemaker_notebook_instance", &given, true);
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
    fn what_a_plan_leaves_out_is_null() {
        let notebook = complete("aws_sagemaker_notebook_instance", &object(&[]), false);
        assert!(notebook.get("direct_internet_access").unwrap().is_null());
        assert!(notebook.get("arn").unwrap().is_null());
    }

    #[test]
    fn a_null_in_a_configuration_leaves_the_default_but_a_plan_means_it() {
        let given = object(&[("root_access", Value::NULL)]);
        let of = |partial| {
            complete("aws_sagemaker_notebook_instance", &given, partial).get("root_access").unwrap().clone()
        };
        assert_eq!(of(true).as_str(), Some("Enabled"));
        assert!(of(false).is_null());
    }

    #[test]
    fn blocks_nest_as_the_schema_says() {
        let inner = object(&[("kms_key_id", Value::string("k")), ("enable_capture", Value::string("true"))]);
        let given = object(&[("data_capture_config", inner.clone())]);
        let config = complete("aws_sagemaker_endpoint_configuration", &given, true);
        let Kind::List(captures) = &config.get("data_capture_config").unwrap().kind else {
            panic!("no list")
        };
        assert_eq!(captures[0].get("enable_capture").unwrap().as_bool(), Some(true));
        assert!(captures[0].get("destination_s3_uri").unwrap().is_null());

        let s3 = Value::tuple([object(&[("bucket_name", Value::string("b"))])]);
        let given = object(&[("logging_config", Value::tuple([object(&[("s3_config", s3)])]))]);
        let logging = complete("aws_bedrock_model_invocation_logging_configuration", &given, true);
        let config = logging.get("logging_config").unwrap();
        assert_eq!(config.get("s3_config").unwrap().get("bucket_name").unwrap().as_str(), Some("b"));
        assert!(config.get("cloudwatch_config").unwrap().is_null());
        assert!(config.get("text_data_delivery_enabled").unwrap().is_unknown());

        let empty = complete("aws_bedrock_model_invocation_logging_configuration", &object(&[]), true);
        assert!(empty.get("logging_config").unwrap().is_null());
    }

    #[test]
    fn a_block_that_the_provider_fills_in_is_unknown() {
        let bucket = complete("aws_s3_bucket", &object(&[]), true);
        let encryption = bucket.get("server_side_encryption_configuration").unwrap().as_unknown().unwrap();
        assert_eq!(encryption.cause, Cause::Provider);
        assert!(matches!(encryption.ty, Type::List(_)));
    }

    #[test]
    fn marks_of_values_stay_and_secrets_get_theirs() {
        let key = Arc::new(Reference { resource: "aws_kms_key.k".into(), attribute: "arn".into() });
        let mut arn = Value::unknown(Cause::Resource(key.clone()));
        arn.reference = Some(key.clone());
        let given = object(&[("kms_key_id", arn), ("master_password", Value::string("secret"))]);
        let cluster = complete("aws_rds_cluster", &given, true);
        assert_eq!(cluster.get("kms_key_id").unwrap().reference, Some(key));
        assert!(cluster.get("master_password").unwrap().sensitive);
        assert!(!cluster.get("snapshot_identifier").unwrap().sensitive);
    }

    #[test]
    fn what_the_schema_does_not_know_stays() {
        let given = object(&[("region", Value::string("eu-west-1"))]);
        let bucket = complete("aws_s3_bucket", &given, true);
        assert_eq!(bucket.get("region").unwrap().as_str(), Some("eu-west-1"));
        assert_eq!(names(&complete("aws_nothing", &given, true)), BTreeSet::from(["region"]));
        let unknown = Value::unknown(Cause::Plan);
        assert!(complete("aws_s3_bucket", &unknown, true).is_unknown());
    }

    #[test]
    fn an_unknown_block_stays_unknown_of_its_type() {
        let given = object(&[("vpc_config", Value::unknown(Cause::Variable("v".into())))]);
        let model = complete("aws_sagemaker_model", &given, true);
        let unknown = model.get("vpc_config").unwrap().as_unknown().unwrap();
        assert!(matches!(unknown.ty, Type::List(_)));
        assert_eq!(unknown.cause, Cause::Variable("v".into()));
    }
}
