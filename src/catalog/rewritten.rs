//! What the provider writes in another way than a configuration does: `rules/catalog/rewritten.tsv`.
//!
//! A plan says `tcp` where the configuration says `6`, and so must the evaluation of source.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::value::{Kind, Value};

const REWRITTEN: &str = include_str!("../../rules/catalog/rewritten.tsv");

/// What stands for what, in small letters.
type Spellings = BTreeMap<String, String>;

/// Dotted paths of a type, and what is rewritten there.
type OfType = Vec<(&'static str, Spellings)>;

/// By type, read on the first call.
fn all() -> &'static BTreeMap<&'static str, OfType> {
    static ALL: OnceLock<BTreeMap<&'static str, OfType>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: BTreeMap<_, OfType> = BTreeMap::new();
        for line in REWRITTEN.lines().skip(1) {
            let mut fields = line.split('\t');
            let (Some(type_name), Some(path), Some(json)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if let Ok(spellings) = serde_json::from_str(json) {
                all.entry(type_name).or_default().push((path, spellings));
            }
        }
        all
    })
}

/// Rewrites what the provider does in `value`, which is what a resource of `type_name` has at `at`; empty for all of it.
pub(super) fn rewrite(type_name: &str, at: &str, value: &mut Value) {
    for (path, spellings) in all().get(type_name).into_iter().flatten() {
        let below = match path.strip_prefix(at) {
            Some(rest) if at.is_empty() => rest,
            Some("") => "",
            Some(rest) => match rest.strip_prefix('.') {
                Some(rest) => rest,
                None => continue,
            },
            None => continue,
        };
        if is_rewritten(value, below, spellings) {
            inside(value, below, spellings);
        }
    }
}

/// Whether the provider writes something at `path` in another way. Most is written so already.
fn is_rewritten(value: &Value, path: &str, spellings: &Spellings) -> bool {
    match &value.kind {
        Kind::Set(all) | Kind::List(all) | Kind::Tuple(all) => {
            all.iter().any(|item| is_rewritten(item, path, spellings))
        }
        Kind::Object(map) if !path.is_empty() => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            map.get(name).is_some_and(|inner| is_rewritten(inner, rest, spellings))
        }
        Kind::String(text) if path.is_empty() => {
            spellings.get(&text.to_ascii_lowercase()).is_some_and(|other| *other != **text)
        }
        _ => false,
    }
}

fn inside(value: &mut Value, path: &str, spellings: &Spellings) {
    let items = |items: &[Value]| {
        let items = items.iter().cloned().map(|mut item| {
            inside(&mut item, path, spellings);
            item
        });
        items.collect::<Vec<_>>()
    };
    match &mut value.kind {
        Kind::Set(all) => value.kind = Value::set(items(all)).kind,
        Kind::List(all) | Kind::Tuple(all) => *all = items(all).into(),
        Kind::Object(map) if !path.is_empty() => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            if map.get(name).is_some()
                && let Some(inner) = Arc::make_mut(map).get_mut(name)
            {
                inside(inner, rest, spellings);
            }
        }
        Kind::String(text) if path.is_empty() => {
            if let Some(other) = spellings.get(&text.to_ascii_lowercase()) {
                *text = other.into();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{complete, complete_attribute};

    fn object(entries: &[(&str, Value)]) -> Value {
        Value::object(entries.iter().map(|(name, value)| ((*name).into(), value.clone())))
    }

    fn protocol(text: &str) -> Value {
        object(&[("protocol", Value::string(text))])
    }

    #[test]
    fn a_protocol_is_written_as_the_provider_does() {
        for (given, planned) in
            [("6", "tcp"), ("TCP", "tcp"), ("all", "-1"), ("17", "udp"), ("47", "47"), ("-1", "-1")]
        {
            let rule = complete("aws_security_group_rule", protocol(given), true);
            assert_eq!(rule.at_path("protocol").unwrap().as_str(), Some(planned), "{given}");
            let alone = Value::string(given);
            let alone = complete_attribute("aws_security_group_rule", "protocol", Some(&alone)).unwrap();
            assert_eq!(alone.as_str(), Some(planned), "{given}");
        }
    }

    #[test]
    fn rules_in_a_group_are_rewritten_in_their_set() {
        let rules = Value::tuple([protocol("6"), protocol("ALL")]);
        let protocols = |rules: &Value| -> Vec<String> {
            let all =
                rules.items().unwrap().iter().map(|rule| rule.get("protocol").unwrap().as_str().unwrap());
            all.map(str::to_owned).collect()
        };
        let group = complete("aws_security_group", object(&[("ingress", rules.clone())]), true);
        assert_eq!(protocols(group.get("ingress").unwrap()), ["-1", "tcp"]);
        let alone = complete_attribute("aws_security_group", "ingress", Some(&rules)).unwrap();
        assert_eq!(protocols(&alone), ["-1", "tcp"]);
    }

    #[test]
    fn a_plan_and_other_attributes_are_left_as_they_are() {
        let plan = complete("aws_security_group_rule", protocol("6"), false);
        assert_eq!(plan.get("protocol").unwrap().as_str(), Some("6"));
        let acl = complete("aws_network_acl_rule", protocol("6"), true);
        assert_eq!(acl.get("protocol").unwrap().as_str(), Some("6"));
        let rule = object(&[("description", Value::string("6"))]);
        let rule = complete("aws_security_group_rule", rule, true);
        assert_eq!(rule.get("description").unwrap().as_str(), Some("6"));
    }

    #[test]
    fn every_line_is_understood_and_names_what_there_is() {
        let lines = REWRITTEN.lines().skip(1).count();
        assert_eq!(all().values().map(Vec::len).sum::<usize>(), lines);
        for (name, paths) in all() {
            let schema = crate::catalog::Catalog::get().schema(name).unwrap();
            for (path, _) in paths {
                let top = path.split('.').next().unwrap();
                assert!(schema.has(top), "{name}.{path}");
            }
        }
    }
}
