//! The data of `rules/catalog/` holds together: what one file says of a type is in the others.

use airgate::catalog::{Catalog, LinkKind};

#[test]
fn types_are_sorted_and_unique() {
    let types = Catalog::get().types();
    assert!(types.len() > 1000, "{}", types.len());
    for pair in types.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
    }
}

#[test]
fn schemas_are_sorted_and_of_known_types() {
    let names: Vec<_> = Catalog::get().schema_types().collect();
    assert!(names.len() > 300, "{}", names.len());
    assert!(names.is_sorted_by(|a, b| a < b));
    for name in names {
        assert!(Catalog::get().kind(name).is_some(), "{name}");
    }
}

#[test]
fn the_paths_of_links_are_in_the_schemas() {
    let catalog = Catalog::get();
    let mut wrong = Vec::new();
    for rule in catalog.all_links() {
        let has = |name: &str, path: &str| catalog.schema(name).is_none_or(|schema| schema.has(path));
        if catalog.kind(rule.source_type).is_none() || !has(rule.source_type, rule.attribute) {
            wrong.push(format!("{}.{}", rule.source_type, rule.attribute));
        }
        let any = rule.target_type == "*";
        if !any && catalog.kind(rule.target_type).is_none() {
            wrong.push(format!("{}.{} → {}", rule.source_type, rule.attribute, rule.target_type));
        }
        for attribute in &rule.target_attributes {
            if !any && !has(rule.target_type, attribute) {
                wrong.push(format!(
                    "{}.{} → {}.{attribute}",
                    rule.source_type, rule.attribute, rule.target_type
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_link_is_said_twice() {
    for pair in Catalog::get().all_links().windows(2) {
        let key = |at: usize| (pair[at].source_type, pair[at].attribute, pair[at].target_type);
        assert!(key(0) < key(1), "{:?}", key(1));
    }
}

/// A policy names those whom it speaks of; only its attachment brings it into the scope of AI.
#[test]
fn policies_only_refer() {
    for rule in Catalog::get().all_links() {
        if rule.target_type == "*" && rule.attribute.ends_with("policy") {
            assert_eq!(rule.kind, LinkKind::Reference, "{}.{}", rule.source_type, rule.attribute);
        }
    }
}
