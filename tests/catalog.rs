//! The data of `rules/catalog/` holds together: what one file says of a type is in the others.

use std::collections::BTreeSet;

use airgate::catalog::{self, Catalog, LinkKind};
use airgate::residency;
use airgate::value::{Kind, Map, Type, Value, convert};

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
        for attribute in rule.target_attributes() {
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
fn the_paths_of_controls_are_in_a_schema() {
    let catalog = Catalog::get();
    let mut wrong = Vec::new();
    for control in catalog.all_controls() {
        if !catalog.schema(control.type_name).is_some_and(|schema| schema.has(control.attribute)) {
            wrong.push(format!("{} {}", control.type_name, control.attribute));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(catalog.all_controls().len() > 900);
}

/// What another provider's attribute is renamed to is an attribute of the type.
#[test]
fn other_spellings_are_of_types_and_attributes_that_there_are() {
    let catalog = Catalog::get();
    let mut wrong = Vec::new();
    for (other, spelling) in catalog::spellings() {
        let Some(schema) = catalog.schema(spelling.type_name) else {
            wrong.push(format!("{other}: {}", spelling.type_name));
            continue;
        };
        for (path, name) in spelling.names().filter(|(_, name)| !name.is_empty()) {
            if !spelling.path(path).is_some_and(|path| schema.has(&path)) {
                wrong.push(format!("{other} {path} = {name}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What the catalog calls a key is an edge to a key, wherever a key can be named there.
#[test]
fn keys_are_links() {
    let catalog = Catalog::get();
    // Not names of keys: flags beside one, and the text of a job.
    let no_name = ["aws_bedrockagentcore_token_vault_cmk kms_configuration.key_type"];
    let mut wrong = Vec::new();
    for control in catalog.all_controls().iter().filter(|control| control.name == "customer-managed-key") {
        let mut links = catalog.links(control.type_name).iter();
        let is_link = links.any(|link| link.attribute == control.attribute && link.kind == LinkKind::Key);
        let name = format!("{} {}", control.type_name, control.attribute);
        if !is_link && !no_name.contains(&name.as_str()) {
            wrong.push(name);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn types_of_aws_have_a_schema() {
    let catalog = Catalog::get();
    let without: Vec<_> = catalog
        .types()
        .iter()
        .map(|info| info.name)
        .filter(|name| name.starts_with("aws_") && catalog.schema(name).is_none())
        .collect();
    assert_eq!(without, ["aws_lexv2models_intent"], "it is left out for its size");
}

/// What a rule is about is in the graph, and what it reads is held to a schema.
#[test]
fn types_of_rules_and_flows_are_in_the_catalog() {
    let catalog = Catalog::get();
    let rules = airgate::rules::RuleSet::builtin().unwrap();
    let of_rules = rules.iter().flat_map(|rule| rule.front().types.iter()).map(AsRef::as_ref);
    let of_flows = residency::all_flows().iter().map(|flow| flow.type_name);
    let wrong: BTreeSet<&str> = of_rules
        .chain(of_flows)
        .filter(|name| catalog.kind(name).is_none() || catalog.schema(name).is_none())
        .collect();
    assert_eq!(wrong, BTreeSet::new());
}

/// A rule of Google, Azure or Kubernetes is held to the schema as one of AWS is.
#[test]
fn most_types_of_other_providers_have_a_schema() {
    let catalog = Catalog::get();
    for (prefix, most) in [("azurerm_", 6), ("google_", 12), ("kubernetes_", 0)] {
        // The kind of a manifest is in brackets: it has the schema of its type.
        let types = catalog.types().iter().filter(|info| !info.name.contains('['));
        let without =
            types.filter(|info| info.name.starts_with(prefix) && catalog.schema(info.name).is_none());
        let without: Vec<_> = without.map(|info| info.name).collect();
        assert!(without.len() <= most, "{without:?}");
    }
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

#[test]
fn defaults_are_of_attributes_and_blocks_that_there_are_and_fit_them() {
    let catalog = Catalog::get();
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, path, value) in catalog.defaults() {
        count += 1;
        let schema = catalog.schema(name);
        let ty = schema.and_then(|schema| {
            let attribute = schema.attribute(path).map(|attribute| attribute.ty.clone());
            attribute.or_else(|| schema.block(path).map(catalog::NestedBlock::ty).cloned())
        });
        let fits = |ty: &Type| value.is_none_or(|value| convert(value, ty).is_ok());
        if !ty.as_ref().is_some_and(fits) {
            wrong.push(format!("{name}.{path}"));
        }
    }
    for (name, path) in catalog.unmeasured() {
        count += 1;
        let schema = catalog.schema(name);
        if !schema.is_some_and(|schema| path.is_empty() || schema.block(path).is_some()) {
            wrong.push(format!("{name}.{path}.*"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let lines = include_str!("../rules/catalog/defaults.csv").lines().count();
    assert_eq!(count, lines - 1, "a line is not understood, or said twice");
}

/// What everyone knows of the provider is what was measured.
#[test]
fn well_known_defaults_were_measured() {
    let find = |name, path| {
        let mut all = Catalog::get().defaults();
        all.find(|(n, p, _)| (*n, *p) == (name, path)).and_then(|(_, _, value)| value)
    };
    let notebook = |path| find("aws_sagemaker_notebook_instance", path);
    assert_eq!(notebook("direct_internet_access").and_then(|value| value.as_str()), Some("Enabled"));
    assert!(matches!(&notebook("volume_size").unwrap().kind, Kind::Number(size) if *size == 5_i64.into()));
    let rotation = find("aws_kms_key", "enable_key_rotation").unwrap();
    assert_eq!(rotation.as_bool(), Some(false));
    let blocked = find("aws_s3_bucket_public_access_block", "block_public_acls").unwrap();
    assert_eq!(blocked.as_bool(), Some(false));
}

/// A documented default is of an attribute that the plan leaves unknown, has its type, and names the page that says so.
#[test]
fn documented_defaults_fill_only_what_was_measured_to_be_unknown() {
    let catalog = Catalog::get();
    let measured: std::collections::BTreeMap<_, _> =
        catalog.defaults().map(|(name, path, value)| ((name, path), value)).collect();
    let documented = catalog::documented();
    assert_eq!(documented.len(), include_str!("../rules/catalog/documented.tsv").lines().count() - 1);
    for default in documented {
        let (name, path) = (default.type_name, default.path);
        let schema = catalog.schema(name).unwrap();
        assert!(default.source.starts_with("https://"), "{name}.{path}");
        let is_open = if let Some(attribute) = schema.attribute(path) {
            assert!(convert(&default.value, &attribute.ty).is_ok(), "{name}.{path}");
            // Of another provider nothing was measured.
            attribute.computed || !name.starts_with("aws_") && attribute.ty.is_primitive()
        } else {
            let blocks = default.value.items().unwrap();
            for (attribute, _) in blocks.iter().filter_map(Value::map).flat_map(Map::iter) {
                assert!(schema.has(&format!("{path}.{attribute}")), "{name}.{path}.{attribute}");
            }
            false
        };
        let is_unknown = measured.get(&(name, path)).map_or(is_open, Option::is_none);
        assert!(is_unknown, "{name}.{path} was measured, or is null");
        for (other, _) in &default.when {
            let schema = catalog.schema(name).unwrap();
            assert!(schema.has(other), "{name}.{other}");
        }
    }
}

#[test]
fn regions_have_iso_countries_and_a_jurisdiction_that_a_policy_can_name() {
    for region in residency::regions() {
        assert!(residency::is_place(region.jurisdiction), "{region:?}");
        for country in &region.countries {
            let iso = country.len() == 2 && country.chars().all(|c| c.is_ascii_uppercase());
            assert!(iso, "{region:?}");
        }
        // A single jurisdiction is where its countries are: what allows all of them allows the region.
        if !region.countries.is_empty() {
            assert!(region.within(&region.countries), "{region:?}");
        }
    }
}
