//! The JSON readers over small files: what is in them is what a [`Program`] says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use airgate::input;
use airgate::program::{Action, Key, Mode, Program, Resource};
use airgate::source::Sources;
use airgate::value::{Kind, Value};

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
    assert_eq!(bucket.configured.as_deref().into_iter().flatten().collect::<Vec<_>>(), ["bucket"]);

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

const URN: &str = "urn:pulumi:dev::ml::";

fn urn(rest: &str) -> String {
    format!("{URN}{rest}")
}

#[test]
fn a_pulumi_preview_speaks_terraform() {
    let text = text("pulumi/preview.json");
    let mut sources = Sources::default();
    let file = sources.add("preview.json", text.as_str());
    let program = airgate::pulumi::preview::read(&text, file, &|_| true);

    let types: Vec<_> = program.resources.iter().map(|r| (r.type_name.as_str(), r.action)).collect();
    assert_eq!(
        types,
        [
            ("aws_kms_key", Action::Create),
            ("aws_iam_role", Action::NoOp),
            ("aws_s3_bucket", Action::Create),
            ("aws_sagemaker_notebook_instance", Action::Create),
            ("aws_s3_bucket_server_side_encryption_configuration", Action::Create),
            ("aws_lambda_function", Action::Update),
            ("aws_cloudwatch_log_group", Action::Delete),
            ("random:index/randomPet:RandomPet", Action::Create),
            ("aws_sagemaker_model", Action::Replace),
        ]
    );
    assert_eq!(program.unmapped, 1);
    let [notice] = program.diagnostics.as_slice() else { panic!("{:?}", program.diagnostics) };
    assert!(notice.message.starts_with("7 unchanged resources"), "{}", notice.message);

    let notebook = urn("aws:sagemaker/notebookInstance:NotebookInstance::nb");
    let key = urn("aws:kms/key:Key::key");
    let known = |path| after(&program, &notebook, path).as_str();
    assert_eq!(
        known("instance_metadata_service_configuration.minimum_instance_metadata_service_version"),
        Some("2")
    );
    assert!(after(&program, &notebook, "kms_key_id").is_unknown());
    assert_eq!(reference(&program, &notebook, "kms_key_id"), Some(key.clone()));
    assert_eq!(reference(&program, &notebook, "role_arn"), Some(urn("aws:iam/role:Role::nb.arn")));
    let links: Vec<_> =
        resource(&program, &notebook).references.iter().map(|link| link.path.as_str()).collect();
    assert_eq!(links, ["kms_key_id", "role_arn"]);

    let sse =
        urn("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration::sse");
    let path = "rule.apply_server_side_encryption_by_default.kms_master_key_id";
    assert_eq!(reference(&program, &sse, path), Some(key.clone()));
    assert_eq!(
        resource(&program, &key).configured.as_deref().into_iter().flatten().collect::<Vec<_>>(),
        ["enable_key_rotation"]
    );

    let bucket = urn("acme:ml:Store$aws:s3/bucket:Bucket::raw");
    assert_eq!(after(&program, &bucket, "tags").map().unwrap().keys().collect::<Vec<_>>(), ["dataClass"]);
    assert!(after(&program, &bucket, "id").is_unknown(), "a preview has an empty string there");

    let function = urn("aws:lambda/function:Function::fn");
    let secret = after(&program, &function, "environment.variables.apiKey");
    assert!(secret.sensitive && secret.is_unknown());
    let before = resource(&program, &function).before.as_ref().unwrap();
    assert_eq!(before.at_path("environment.variables.logLevel").and_then(Value::as_str), Some("info"));
    assert!(resource(&program, &urn("aws:cloudwatch/logGroup:LogGroup::old")).after.is_none());

    let provider = |address: &str| &program.providers[resource(&program, address).provider.unwrap()];
    assert_eq!(provider(&notebook).region.as_str(), Some("us-west-2"));
    assert_eq!(provider(&notebook).default_tags.get("owner").and_then(Value::as_str), Some("ml"));
    assert_eq!((provider(&sse).alias.as_ref(), provider(&sse).region.as_str()), (None, Some("eu-west-1")));
}

#[test]
fn a_pulumi_stack_is_what_exists() {
    let (program, _) = read("pulumi/stack.json");
    assert_eq!(program.written_by.as_deref(), Some("Pulumi v3.270.0"));
    assert_eq!(program.resources.len(), 6, "components, providers and what waits for deletion are none");
    let notebook = urn("aws:sagemaker/notebookInstance:NotebookInstance::nb");
    assert_eq!(reference(&program, &notebook, "kms_key_id"), Some(urn("aws:kms/key:Key::key.arn")));
    assert_eq!(
        after(&program, &notebook, "direct_internet_access").as_str(),
        Some("Enabled"),
        "from the outputs"
    );
    let secret = after(&program, &urn("aws:secretsmanager/secretVersion:SecretVersion::s"), "secret_string");
    assert!(secret.sensitive && secret.is_unknown());
    let plain = after(&program, &urn("aws:rds/instance:Instance::unmapped-by-name"), "password");
    assert!(plain.sensitive && plain.as_str() == Some("not-to-be-seen"));
    assert_eq!(
        after(&program, &urn("aws:lambda/function:Function::fn"), "filename").as_str(),
        Some("./fn.zip")
    );
    assert_eq!(resource(&program, &urn("aws:s3/bucket:Bucket::known")).mode, Mode::Data);
    assert_eq!(program.providers[0].region.as_str(), Some("eu-central-1"));
}

#[test]
fn a_shown_state_and_the_raw_state_say_the_same() {
    let (shown, _) = read("state/shown.json");
    let (raw, _) = read("state/terraform.tfstate");
    for program in [&shown, &raw] {
        let addresses: Vec<_> = program.resources.iter().map(|r| r.address.as_str()).collect();
        assert_eq!(
            addresses,
            ["aws_s3_bucket.raw", "data.aws_region.here", r#"module.db["a.b"].aws_db_instance.x[0]"#]
        );
        let instance = resource(program, r#"module.db["a.b"].aws_db_instance.x[0]"#);
        assert_eq!(instance.block, "module.db.aws_db_instance.x");
        assert_eq!((instance.module.as_str(), &instance.key), (r#"module.db["a.b"]"#, &Some(Key::Int(0))));
        assert_eq!(instance.action, Action::None);
        let after = instance.after.as_ref().unwrap();
        assert!(after.get("password").unwrap().sensitive && !after.get("name").unwrap().sensitive);
        assert!(after.at_path("options.value").unwrap().sensitive);
        assert!(!after.at_path("options.key").unwrap().sensitive);
        assert_eq!(instance.references.len(), 1);
    }
}

#[test]
fn a_plan_that_is_not_whole_says_so() {
    let plan = |rest: &str| {
        let text = format!(r#"{{"format_version": "1.2", "resource_changes": []{rest}}}"#);
        read_text("plan.json", text).0.incomplete.unwrap_or_default()
    };
    assert_eq!(plan(""), "", "OpenTofu and old versions do not say");
    assert_eq!(plan(r#", "errored": false, "complete": true"#), "");
    assert!(plan(r#", "errored": true, "complete": false"#).contains("after an error"));
    assert!(plan(r#", "complete": false"#).contains("-target"));
}

#[test]
fn the_shape_of_unknown_and_sensitive_is_that_of_the_value() {
    let text = r#"{"format_version": "1.2", "resource_changes": [
        {"address": "t.n", "mode": "managed", "type": "t", "name": "n", "deposed": "a1", "change": {"actions": ["delete"]}},
        {"address": "t.n", "mode": "managed", "type": "t", "name": "n", "change": {
            "actions": ["delete", "create"],
            "before": {"flag": true, "secret": "not-to-be-seen"}, "before_sensitive": {"secret": true},
            "after": {"list": ["a", null], "block": [{"known": 1}, {}], "whole": 2, "half": 2.5},
            "after_unknown": {"flag": true, "list": [false, true], "block": [{}, {"omitted": true}], "more": {"in": true}},
            "after_sensitive": {"list": [true, false], "block": [], "whole": {}}}},
        {"address": "t.gone", "mode": "managed", "type": "t", "name": "gone",
            "change": {"actions": ["delete"], "before": {"a": 1}, "after": null, "after_unknown": {}}}
    ]}"#;
    let (program, _) = read_text("plan.json", text.to_owned());
    assert_eq!(program.resources.len(), 2, "deposed objects are left out");
    let at = |path| after(&program, "t.n", path);
    assert!(at("flag").is_unknown(), "`true` means unknown, not true");
    assert!(at("list.1").is_unknown() && at("list.0").as_str() == Some("a"));
    assert!(
        at("list.0").sensitive && !at("list.1").sensitive && !at("block").sensitive && !at("whole").sensitive
    );
    assert!(at("block.1.omitted").is_unknown() && at("more.in").is_unknown());
    let Kind::Number(half) = &at("half").kind else { panic!("2.5 is a number") };
    assert_eq!(half.to_string(), "2.5");
    let replaced = resource(&program, "t.n");
    assert_eq!(replaced.action, Action::Replace);
    let before = replaced.before.as_ref().unwrap();
    assert!(before.get("secret").unwrap().sensitive && !before.get("flag").unwrap().sensitive);
    assert!(!before.get("flag").unwrap().is_unknown(), "what is unknown is so after the change");
    let gone = resource(&program, "t.gone");
    assert!(gone.after.is_none() && gone.earlier().unwrap().get("a").is_some());
}

/// What [`input::detect`] says of a text, with the file's name left out.
fn refusal(text: &str) -> String {
    let error =
        input::detect("x.json", text).map_or_else(|error| error.to_string(), |kind| format!("{kind:?}"));
    error.strip_prefix("x.json ").unwrap_or(&error).to_owned()
}

#[test]
fn what_is_no_input_is_named() {
    let cases = [
        ("", "is empty"),
        (" \n", "is empty"),
        ("[1]", "is a JSON array"),
        ("3", "is a single JSON value"),
        ("{}", "is an empty JSON object"),
        (
            "{\"@level\":\"info\",\"@message\":\"Terraform 1.11.4\"}\n{\"@level\":\"info\"}",
            "is the streaming output of `terraform plan -json`",
        ),
        (
            r#"{"format_version":"1.0","provider_schemas":{}}"#,
            "is the output of `terraform providers schema -json`",
        ),
        (
            r#"{"arn":{"sensitive":false,"type":"string","value":"not-to-be-seen"}}"#,
            "is the output of `terraform output -json`",
        ),
        (
            r#"{"format_version":"1.0","valid":true,"error_count":0}"#,
            "is the output of `terraform validate -json`",
        ),
        (r#"{"resource":{"aws_s3_bucket":{}},"//":"x"}"#, "is Terraform source in JSON syntax"),
        (
            "{\"sequence\":1,\"timestamp\":2,\"preludeEvent\":{}}\n{\"sequence\":2}",
            "is a log of Pulumi engine events",
        ),
        (
            r#"{"result":"succeeded","duration":1,"summary":{}}"#,
            "is the summary that `pulumi preview --output json` prints",
        ),
        (r#"{"manifest":{},"resourcePlans":{}}"#, "is a plan of `pulumi preview --save-plan`"),
        (r#"{"Resources":{}}"#, "is a CloudFormation template"),
        ("Terraform will perform the following actions:\n", "is a plan or state as text for people"),
        (r#"{"a":1,"b":{}}"#, r#"is a JSON object of no known kind (its first keys are "a", "b")"#),
        ("{\"format_version\":\"1.2\",\n \"terraform_", "ends in the middle of its JSON, at line 2"),
        ("{\"a\":1,\n  b}", "is not valid JSON at line 2, column 3: key must be a string"),
        (r#"{"format_version":"2.0","planned_values":{}}"#, "is Terraform JSON of version 2.0"),
        (r#"{"version":3,"serial":1,"modules":[]}"#, "is a Terraform state of version 3"),
        (r#"{"version":9,"deployment":{}}"#, "is a Pulumi stack of version 9"),
    ];
    for (text, expected) in cases {
        let refusal = refusal(text);
        assert!(refusal.starts_with(expected), "{text}\n{refusal}");
        assert!(!refusal.contains("not-to-be-seen"));
    }
}

#[test]
fn the_kinds_are_told_apart_whatever_the_order_of_keys() {
    use input::InputFile::{Plan, PulumiPreview, PulumiStack, RawTfstate, State};
    let cases = [
        (r#"{"format_version":"0.1","resource_changes":[]}"#, Plan),
        (r#"{"configuration":{},"format_version":"1.2"}"#, Plan),
        (r#"{"planned_values":{},"format_version":"1.2"}"#, Plan),
        (r#"{"format_version":"1.0"}"#, State),
        (r#"{"values":{},"terraform_version":"1.1.0","format_version":"1.0"}"#, State),
        (r#"{"lineage":"x","resources":[],"serial":1,"version":4}"#, RawTfstate),
        (r#"{"config":{},"steps":[]}"#, PulumiPreview),
        (r#"{"diagnostics":[{"message":"x","severity":"error"}],"duration":1}"#, PulumiPreview),
        (r#"{"version":3,"deployment":{}}"#, PulumiStack),
        (r#"{"checkpoint":{},"version":4}"#, PulumiStack),
    ];
    for (text, expected) in cases {
        assert_eq!(input::detect("x", text), Ok(expected), "{text}");
    }
}

#[test]
fn bytes_become_text_or_say_why_not() {
    let decode = |bytes: &[u8]| input::decode("x", bytes.to_vec()).map_err(|error| error.to_string());
    assert_eq!(decode(b"\xef\xbb\xbf{}").as_deref(), Ok("{}"));
    assert_eq!(decode(b"\xff\xfe{\0}\0").as_deref(), Ok("{}"), "PowerShell writes UTF-16");
    assert_eq!(decode(b"\xfe\xff\0{\0}").as_deref(), Ok("{}"));
    assert!(decode(b"PK\x03\x04rest").is_err_and(|error| error.contains("terraform show -json x")));
    assert!(decode(b"\x1f\x8b\x08").is_err_and(|error| error.contains("gzip")));
    assert!(decode(b"{\xff}").is_err_and(|error| error.contains("UTF-8")));
}

#[test]
fn an_entry_of_the_wrong_shape_costs_only_itself_and_is_not_quoted() {
    let text = r#"{"format_version": "1.2", "resource_changes": [
        {"address": "t.a", "type": "t", "name": "a", "change": {"actions": "not-to-be-seen"}},
        {"address": "t.b", "type": "t", "name": "b", "change": {"actions": ["create"], "after": {}}}
    ]}"#;
    let mut sources = Sources::default();
    let file = sources.add("plan.json", text);
    let program = airgate::terraform::plan::read(text, file, &|_| true);
    assert_eq!(program.resources.len(), 1);
    let [diagnostic] = program.diagnostics.as_slice() else { panic!("{:?}", program.diagnostics) };
    assert!(!diagnostic.message.contains("not-to-be-seen"), "{}", diagnostic.message);
    let position = sources.get(file).unwrap().position(diagnostic.site.unwrap().span.start);
    assert_eq!(position.line, 2);
}
