//! The JSON readers over small files: what is in them is what a [`Program`] says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use airgate::input;
use airgate::program::{Action, Key, Mode, Program, Resource};
use airgate::source::Sources;
use airgate::value::Value;

fn text(name: &str) -> String {
    let path = format!("{}/fixtures/readers/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    input::decode(name, bytes).unwrap()
}

/// Reads a fixture with all of its values.
fn read(name: &str) -> (Program, Sources) {
    read_text(name, text(name))
}

fn read_text(name: &str, text: String) -> (Program, Sources) {
    let mut sources = Sources::default();
    let file = sources.add(name, text);
    let kind = input::detect(name, sources.text(file)).unwrap();
    let program = input::read(kind, name, sources.text(file), file, &|_| true);
    assert_eq!(program.diagnostics, [], "{name}");
    (program, sources)
}

fn resource<'p>(program: &'p Program, address: &str) -> &'p Resource {
    let found = program.resources.iter().find(|resource| resource.address == address);
    found.unwrap_or_else(|| panic!("{address} is in the program"))
}

fn after<'p>(program: &'p Program, address: &str, path: &str) -> &'p Value {
    let after = resource(program, address).after.as_ref().unwrap();
    after.at_path(path).unwrap_or_else(|| panic!("{address} has {path}"))
}

/// The reference of a value, as written in Terraform.
fn reference(program: &Program, address: &str, path: &str) -> Option<String> {
    after(program, address, path).reference.as_ref().map(ToString::to_string)
}

#[test]
fn an_unknown_attribute_is_a_reference_to_what_it_is_computed_from() {
    let (program, _) = read("wiring/plan.json");
    let cases = [
        ("aws_sagemaker_notebook_instance.direct", "kms_key_id", "aws_kms_key.direct.arn"),
        ("aws_sagemaker_notebook_instance.direct", "role_arn", "aws_iam_role.notebook.arn"),
        // `try` names two keys, and one of them does not exist
        ("aws_sagemaker_notebook_instance.chosen", "kms_key_id", "aws_kms_key.direct.arn"),
        // in the same module instance, with its key
        (
            r#"module.keyed["a.b"].aws_kms_alias.k"#,
            "target_key_id",
            r#"module.keyed["a.b"].aws_kms_key.k.key_id"#,
        ),
        // through a variable and the output of a keyed module, also in nested blocks
        (
            "module.plain.aws_sagemaker_endpoint_configuration.e",
            "kms_key_arn",
            r#"module.keyed["c"].aws_kms_key.k.arn"#,
        ),
        (
            "module.plain.aws_sagemaker_endpoint_configuration.e",
            "async_inference_config.output_config.kms_key_id",
            r#"module.keyed["c"].aws_kms_key.k.arn"#,
        ),
        // through a variable that holds the whole resource
        ("module.plain.aws_sagemaker_model.m", "execution_role_arn", "aws_iam_role.notebook.arn"),
        // `[each.key]` is the same key; the plan does not tell the attribute behind it
        (
            r#"aws_s3_bucket_server_side_encryption_configuration.each["raw"]"#,
            "bucket",
            r#"aws_s3_bucket.each["raw"]"#,
        ),
        (
            r#"aws_s3_bucket_server_side_encryption_configuration.each["raw"]"#,
            "rule.apply_server_side_encryption_by_default.kms_master_key_id",
            "aws_kms_key.direct.arn",
        ),
        // known, and equal to the attribute that it can only come from
        ("aws_s3_bucket_policy.raw", "bucket", r#"aws_s3_bucket.each["raw"].bucket"#),
        (
            "module.plain.aws_sagemaker_endpoint_configuration.e",
            "production_variants.model_name",
            "module.plain.aws_sagemaker_model.m.name",
        ),
        ("aws_iam_role.notebook", "assume_role_policy", "data.aws_iam_policy_document.assume.json"),
    ];
    for (address, path, expected) in cases {
        assert_eq!(reference(&program, address, path).as_deref(), Some(expected), "{address}.{path}");
    }
}

#[test]
fn a_document_around_a_reference_is_not_the_reference() {
    let (program, _) = read("wiring/plan.json");
    let policy = after(&program, "aws_s3_bucket_policy.raw", "policy");
    assert!(policy.is_unknown() && policy.reference.is_none());
    let sources: Vec<_> = policy.as_unknown().unwrap().references().map(ToString::to_string).collect();
    assert_eq!(sources, [r#"aws_s3_bucket.each["raw"].arn"#]);
}

#[test]
fn the_plan_tells_the_resources_and_how_they_are_configured() {
    let (program, sources) = read("wiring/plan.json");
    assert_eq!(program.written_by.as_deref(), Some("Terraform 1.11.4"));
    assert_eq!(program.incomplete, None);
    assert_eq!(program.resources.iter().filter(|r| r.mode == Mode::Managed).count(), 15);
    assert_eq!(program.resources.iter().filter(|r| r.mode == Mode::Data).count(), 1, "read while planning");

    let alias = resource(&program, r#"module.keyed["a.b"].aws_kms_alias.k"#);
    assert_eq!(alias.block, "module.keyed.aws_kms_alias.k");
    assert_eq!(
        (alias.module.as_str(), &alias.key, alias.action),
        (r#"module.keyed["a.b"]"#, &None, Action::Create)
    );
    assert!(alias.before.is_none());
    let bucket = resource(&program, r#"aws_s3_bucket.each["clean"]"#);
    assert_eq!(bucket.key, Some(Key::String("clean".into())));
    assert_eq!(bucket.configured.iter().flatten().collect::<Vec<_>>(), ["bucket"]);

    let links: Vec<_> =
        alias.references.iter().map(|link| format!("{} {}", link.path, link.target)).collect();
    assert_eq!(links, [r#"target_key_id module.keyed["a.b"].aws_kms_key.k.key_id"#]);

    let site = bucket.site.unwrap();
    let entry = sources.get(site.file).unwrap().slice(site.span);
    assert!(entry.starts_with('{') && entry.contains("airgate-clean") && entry.ends_with('}'));
    let origin = after(&program, &bucket.address, "bucket").origin.unwrap();
    assert_eq!(sources.get(origin.file).unwrap().slice(origin.span), "\"bucket\"");
}

#[test]
fn a_resource_has_the_provider_that_its_block_names() {
    let (program, _) = read("wiring/plan.json");
    let provider = |address| &program.providers[resource(&program, address).provider.unwrap()];
    let direct = provider("module.plain.aws_sagemaker_model.m");
    assert_eq!(
        (direct.name.as_str(), &direct.alias, direct.region.as_str()),
        ("aws", &None, Some("eu-west-1"))
    );
    assert_eq!(direct.default_tags.get("owner").and_then(Value::as_str), Some("ml-platform"));
    let other = provider("aws_sagemaker_notebook_instance.chosen");
    assert_eq!(other.alias.as_deref(), Some("other"));
    assert!(other.region.is_unknown(), "`prod` is what the expression names, not what it gives");
}

#[test]
fn sensitive_values_are_marked() {
    let (program, _) = read("wiring/plan.json");
    assert!(after(&program, "aws_sagemaker_notebook_instance.chosen", "tags.token").sensitive);
    assert!(!after(&program, "aws_sagemaker_notebook_instance.chosen", "name").sensitive);
}

#[test]
fn types_that_nobody_wants_are_listed_without_values() {
    let text = text("wiring/plan.json");
    let mut sources = Sources::default();
    let file = sources.add("plan.json", text.as_str());
    let program = airgate::terraform::plan::read(&text, file, &|name| name == "aws_s3_bucket");
    assert_eq!(program.resources.len(), 16);
    for resource in &program.resources {
        let is_empty = resource.after.as_ref().unwrap().map().unwrap().is_empty();
        assert_eq!(is_empty, resource.type_name != "aws_s3_bucket", "{}", resource.address);
    }
}
