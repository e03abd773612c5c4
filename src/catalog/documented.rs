//! Defaults that no plan tells, since the service decides them, but that are documented: `rules/catalog/documented.tsv`.
//!
//! They decide verdicts. Expressions do not see them: to Terraform such an attribute is known after apply.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;
use smol_str::SmolStr;

use super::defaults::value_of;
use crate::value::{Cause, Kind, Truth, Value, convert, equal};

const DOCUMENTED: &str = include_str!("../../rules/catalog/documented.tsv");

/// A line: what the service puts at `path` where nobody sets it.
#[derive(Debug)]
pub struct DocumentedDefault {
    /// The resource type.
    pub type_name: &'static str,
    /// The attribute's dotted path.
    pub path: &'static str,
    /// The value.
    pub value: Value,
    /// Only where these attributes of the resource have these values.
    pub when: Vec<(&'static str, Value)>,
    /// The page that says so.
    pub source: &'static str,
}

/// All of them, in the order of the file; read on the first call.
pub fn documented() -> &'static [DocumentedDefault] {
    static ALL: OnceLock<Vec<DocumentedDefault>> = OnceLock::new();
    ALL.get_or_init(|| DOCUMENTED.lines().skip(1).filter_map(parse).collect())
}

/// A line: type, path, source, value, and conditions `path=value`, with tabs between them and values in JSON.
fn parse(line: &'static str) -> Option<DocumentedDefault> {
    let mut fields = line.split('\t');
    let (type_name, path, source) = (fields.next()?, fields.next()?, fields.next()?);
    let json = |text: &str| value_of(&serde_json::from_str::<Json>(text).ok()?);
    let value = json(fields.next()?)?;
    let when = fields.map(|field| field.split_once('=').and_then(|(path, value)| Some((path, json(value)?))));
    Some(DocumentedDefault { type_name, path, value, when: when.collect::<Option<_>>()?, source })
}

/// Puts documented defaults into the completed object of a managed resource, where the provider decides and nobody set it:
/// `configured` are the paths that are written, also those that are written as null.
pub fn fill(type_name: &str, object: &mut Value, configured: &BTreeSet<SmolStr>) {
    for default in by_type().get(type_name).into_iter().flatten() {
        let is_set = is_below(configured, default.path) || configured.contains(default.path);
        // A plan does not tell what a `dynamic` block sets, nor an input what is in an object that is set as a whole.
        let is_told = default.path.rsplit_once('.').is_none_or(|(block, _)| is_below(configured, block));
        if default.when.iter().all(|(path, wanted)| is(object, path, wanted)) {
            put(object, default.path, &default.value, !is_set && is_told);
        }
    }
}

/// Whether a part of what is at `path` is set.
fn is_below(configured: &BTreeSet<SmolStr>, path: &str) -> bool {
    configured.iter().any(|other| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Whether the attribute at `path` is surely `wanted`. Null and the empty list are one.
fn is(object: &Value, path: &str, wanted: &Value) -> bool {
    let found = object.at_path(path).unwrap_or(&Value::NULL);
    if wanted.is_absent() { found.is_absent() } else { equal(found, wanted) == Truth::Yes }
}

fn by_type() -> &'static BTreeMap<&'static str, Vec<&'static DocumentedDefault>> {
    static BY_TYPE: OnceLock<BTreeMap<&str, Vec<&DocumentedDefault>>> = OnceLock::new();
    BY_TYPE.get_or_init(|| {
        let mut by_type: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for default in documented() {
            by_type.entry(default.type_name).or_default().push(default);
        }
        by_type
    })
}

/// Puts `default` in place of what the provider decides at `path`, in every block on the way; and, if it `is_unset`, in place of
/// what a plan does not know, which may be so because of what is written.
fn put(value: &mut Value, path: &str, default: &Value, is_unset: bool) {
    if path.is_empty() {
        let Some(unknown) = value.as_unknown().filter(|_| value.reference.is_none()) else { return };
        let by_provider = unknown.cause == Cause::Provider || is_unset && unknown.cause == Cause::Plan;
        let is_decided = by_provider && unknown.sources.is_empty();
        if let (true, Ok(fitting)) = (is_decided, convert(default, &unknown.ty)) {
            value.kind = fitting.kind;
        }
        return;
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    match &mut value.kind {
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) if !items.is_empty() => {
            for item in Arc::make_mut(items) {
                put(item, path, default, is_unset);
            }
        }
        Kind::Object(map) if map.get(name).is_some() => {
            if let Some(item) = Arc::make_mut(map).get_mut(name) {
                put(item, rest, default, is_unset);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::complete;

    fn filled(type_name: &str, given: &[(&str, Value)]) -> Value {
        let given = given.iter().map(|(name, value)| (SmolStr::from(*name), value.clone()));
        let given: Vec<_> = given.collect();
        let configured = given.iter().map(|(name, _)| name.clone()).collect();
        let mut object = complete(type_name, Value::object(given), true);
        fill(type_name, &mut object, &configured);
        object
    }

    #[test]
    fn what_the_service_decides_is_what_its_documentation_says() {
        let key = filled("aws_kms_key", &[]);
        assert_eq!(key.get("multi_region").unwrap().as_bool(), Some(false));
        assert!(key.get("arn").unwrap().is_unknown());
    }

    #[test]
    fn what_is_set_stays_unknown() {
        let key = filled("aws_kms_key", &[("multi_region", Value::unknown(Cause::Plan))]);
        assert!(key.get("multi_region").unwrap().is_unknown());
    }

    #[test]
    fn what_is_written_as_null_is_not_set() {
        let key = filled("aws_kms_key", &[("multi_region", Value::NULL)]);
        assert_eq!(key.get("multi_region").unwrap().as_bool(), Some(false));
    }

    #[test]
    fn a_condition_must_surely_hold() {
        let encrypted =
            |given: &[(&str, Value)]| filled("aws_rds_cluster", given).get("storage_encrypted").cloned();
        assert_eq!(encrypted(&[]).unwrap().as_bool(), Some(false));
        assert!(encrypted(&[("engine_mode", Value::string("serverless"))]).unwrap().is_unknown());
        assert!(encrypted(&[("snapshot_identifier", Value::string("s"))]).unwrap().is_unknown());
        assert!(encrypted(&[("snapshot_identifier", Value::unknown(Cause::Plan))]).unwrap().is_unknown());
    }

    #[test]
    fn a_block_that_a_plan_does_not_tell_is_left_alone() {
        let vpc = [("subnet_ids", Value::tuple([])), ("public_access_cidrs", Value::unknown(Cause::Plan))];
        let vpc = Value::tuple([Value::object(vpc.map(|(name, value)| (name.into(), value)))]);
        let object =
            || complete("aws_eks_cluster", Value::object([("vpc_config".into(), vpc.clone())]), false);
        let cidrs = |configured: &[&str]| {
            let mut object = object();
            let configured = configured.iter().map(|path| SmolStr::from(*path)).collect();
            fill("aws_eks_cluster", &mut object, &configured);
            object.at_path("vpc_config.public_access_cidrs").unwrap().clone()
        };
        assert_eq!(cidrs(&["vpc_config", "vpc_config.subnet_ids"]).items().unwrap().len(), 1);
        assert!(cidrs(&["vpc_config"]).is_unknown());
        assert!(cidrs(&[]).is_unknown());
    }
}
