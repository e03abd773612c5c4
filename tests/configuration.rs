//! What a root module is made of: files by their names, override files, and where values of variables come from. What
//! Terraform makes of whole configurations is held in `tests/source.rs`; here is what no plan shows.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use std::fs;

use airgate::diagnostic::Level;
use airgate::input::Inputs;
use airgate::program::Program;
use airgate::source::{Site, Sources};
use airgate::value::Value;

use program::Dir;

/// A root module in memory.
struct Root {
    program: Program,
    sources: Sources,
}

impl Root {
    fn of(files: &[(&str, &str)]) -> Self {
        let mut sources = Sources::default();
        let inputs = Inputs::text(files, &mut sources);
        let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
        Self { program, sources }
    }

    /// The value of an attribute as text.
    fn text(&self, address: &str, path: &str) -> String {
        match self.value(address, path).as_str() {
            Some(text) => text.to_owned(),
            None => format!("{:?}", self.value(address, path).kind),
        }
    }

    fn value(&self, address: &str, path: &str) -> &Value {
        let found = self.program.resources.iter().find(|resource| resource.address == address);
        let after = found.and_then(|resource| resource.after.as_ref());
        after.and_then(|after| after.at_path(path)).unwrap_or_else(|| panic!("{address} has no {path}"))
    }

    fn addresses(&self) -> Vec<&str> {
        self.program.resources.iter().map(|resource| resource.address.as_str()).collect()
    }

    /// `file:line: text` of a place.
    fn place(&self, site: Option<Site>) -> String {
        let site = site.expect("it has a place");
        let file = self.sources.get(site.file).unwrap();
        format!("{}:{}: {}", file.path(), file.position(site.span.start).line, file.slice(site.span))
    }

    /// Messages with their places.
    fn found(&self) -> Vec<String> {
        let diagnostics = self.program.diagnostics.iter();
        diagnostics.map(|d| format!("{} @ {}", d.message, self.place(d.site))).collect()
    }
}

const BUCKET: &str = "resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"base\"\n}\n";

#[test]
fn files_are_told_by_their_names() {
    let root = Root::of(&[
        ("b.tofu", "resource \"terraform_data\" \"b_tofu\" {}"),
        ("b.tf", "resource \"terraform_data\" \"hidden\" {}"),
        ("b.tf.json", "{\"resource\": {\"terraform_data\": {\"b_json\": {}}}}"),
        ("c.tofu.json", "{\"resource\": {\"terraform_data\": {\"c_json\": {\"input\": \"${var.v}\"}}}}"),
        ("c.tf.json", "{\"resource\": {\"terraform_data\": {\"hidden\": {}}}}"),
        (".hidden.tf", "resource \"terraform_data\" \"hidden\" {}"),
        ("backup.tf~", "resource \"terraform_data\" \"hidden\" {}"),
        ("#lock.tf#", "resource \"terraform_data\" \"hidden\" {}"),
        ("notes.txt", "not HCL"),
        ("a.auto.tfvars.json", "{\"v\": \"auto\"}"),
        ("terraform.tfvars", "v = \"first\""),
        ("v.tf", "variable \"v\" {}"),
    ]);
    let expected = ["terraform_data.b_json", "terraform_data.b_tofu", "terraform_data.c_json"];
    assert_eq!(root.addresses(), expected);
    assert_eq!(root.found(), [""; 0]);
    assert_eq!(root.text("terraform_data.c_json", "input"), "auto");
}

#[test]
fn values_point_into_the_file_that_they_are_written_in() {
    let root = Root::of(&[
        (
            "main.tf",
            "resource \"aws_instance\" \"i\" {\n  ami = local.ami\n  metadata_options {\n    http_tokens = \"optional\"\n  }\n}\nlocals {\n  ami = \"base\"\n}\n",
        ),
        (
            "override.tf",
            "\n\nresource \"aws_instance\" \"i\" {\n  metadata_options {\n    http_tokens = \"required\"\n  }\n}\n",
        ),
        ("z_override.tf.json", "{\n  \"locals\": {\n    \"ami\": \"over-${1 + 1}\"\n  }\n}"),
    ]);
    assert_eq!(root.found(), [""; 0]);
    let place = |path: &str| root.place(root.value("aws_instance.i", path).origin);
    assert_eq!(root.text("aws_instance.i", "metadata_options.http_tokens"), "required");
    assert_eq!(place("metadata_options.http_tokens"), "override.tf:5: \"required\"");
    assert_eq!(root.text("aws_instance.i", "ami"), "over-2");
    assert_eq!(place("ami"), "z_override.tf.json:3: \"over-${1 + 1}\"");
    let resource = &root.program.resources[0];
    assert_eq!(root.place(resource.site), "main.tf:1: resource \"aws_instance\" \"i\"");
    let written = resource.places.get("metadata_options").copied();
    assert_eq!(root.place(written), "override.tf:4: metadata_options");
}

#[test]
fn what_cannot_be_overridden_is_told() {
    let root = Root::of(&[
        ("main.tf", BUCKET),
        (
            "override.tf",
            "resource \"aws_s3_bucket\" \"c\" {}\nvariable \"v\" {}\nlocals {\n  l = 1\n}\noutput \"o\" {}\n\
             module \"m\" {}\nprovider \"aws\" {\n  alias = \"x\"\n}\nmoved {}\ncheck \"k\" {}\ndata \"t\" \"n\" {}\n\
             resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"over\"\n  depends_on = [aws_s3_bucket.c]\n}\n\
             provider \"aws\" {\n  region = \"eu-west-1\"\n}\nterraform {}\nresource \"aws_s3_bucket\" {}\n",
        ),
    ]);
    let nothing = |what: &str| format!("there is no `{what}` to override; it is not analysed @ override.tf");
    let found = root.found();
    for (message, at) in found.iter().zip([
        nothing("resource.aws_s3_bucket.c") + ":1",
        nothing("variable.v") + ":2",
        nothing("local.l") + ":4",
        nothing("output.o") + ":6",
        nothing("module.m") + ":7",
        nothing("provider.aws") + ":8",
        "a `moved` block cannot stand in an override file; it is not analysed @ override.tf:11".to_owned(),
        "a `check` block cannot stand in an override file; it is not analysed @ override.tf:12".to_owned(),
        nothing("data.t.n") + ":13",
        "a `resource` block takes two labels, its type and its name; this one is not analysed @ override.tf:22".to_owned(),
    ]) {
        assert!(message.starts_with(&at), "{message} is not {at}");
    }
    assert_eq!(found.len(), 10, "{found:?}");
    assert_eq!(root.addresses(), ["aws_s3_bucket.b"]);
    assert_eq!(root.text("aws_s3_bucket.b", "bucket"), "over");
    assert_eq!(
        root.program.providers[0].region.as_str(),
        Some("eu-west-1"),
        "an absent configuration is an empty one"
    );
}

#[test]
fn blocks_of_a_type_are_overridden_together_however_they_are_written() {
    let plain = "ebs_block_device {\n    device_name = \"PLAIN\"\n  }";
    let dynamic = "dynamic \"ebs_block_device\" {\n    for_each = [\"DYNAMIC\"]\n    content {\n      device_name = ebs_block_device.value\n    }\n  }";
    let attribute = "ebs_block_device = [{ device_name = \"ATTRIBUTE\" }]";
    let file = |body: &str| format!("resource \"aws_instance\" \"i\" {{\n  {body}\n}}\n");
    for base in [plain, dynamic, attribute] {
        for (over, name) in [(plain, "PLAIN"), (dynamic, "DYNAMIC"), (attribute, "ATTRIBUTE")] {
            let root = Root::of(&[("main.tf", &file(base)), ("override.tf", &file(over))]);
            assert_eq!(root.text("aws_instance.i", "ebs_block_device.device_name"), name, "{base} {over}");
        }
    }
}

#[test]
fn top_level_blocks_are_those_that_terraform_knows() {
    let root = Root::of(&[
        (
            "main.tf",
            "removed {\n  from = aws_s3_bucket.b\n}\nimport {\n  for_each = toset([\"x\"])\n  to = aws_s3_bucket.b\n  id = each.key\n}\n\
             moved {\n  from = aws_s3_bucket.a\n  to = aws_s3_bucket.b\n}\nterraform {\n  required_version = \">= 1\"\n}\n\
             ephemeral \"random_password\" \"p\" {\n  length = 8\n}\naction \"aws_lambda_invoke\" \"a\" {}\n\
             check \"c\" {\n  data \"aws_partition\" \"p\" {}\n  assert {\n    condition = data.aws_partition.p.id == \"aws\"\n    error_message = \"no\"\n  }\n}\n\
             resuorce \"aws_s3_bucket\" \"x\" {}\nmoved \"x\" {}\nx = 1\n",
        ),
        ("a.tf", BUCKET),
        ("b.tf.json", "{\n  \"resuorce\": {\"aws_s3_bucket\": {}},\n  \"x\": 1\n}"),
    ]);
    assert_eq!(root.addresses(), ["aws_s3_bucket.b", "data.aws_partition.p"]);
    assert_eq!(
        root.found(),
        [
            "expected a JSON object @ b.tf.json:3: 1",
            "Terraform has no block type `resuorce`; this block is not analysed @ b.tf.json:2: \"resuorce\"",
            "Terraform has no block type `resuorce`; this block is not analysed @ main.tf:27: resuorce \"aws_s3_bucket\" \"x\"",
            "a `moved` block takes no labels; this one is not analysed @ main.tf:28: moved \"x\"",
            "`x` is not in a block @ main.tf:29: x",
        ]
    );
}

#[test]
fn a_null_that_a_variable_does_not_allow_is_not_taken_for_one() {
    let root = Root::of(&[
        (
            "main.tf",
            "variable \"v\" {\n  nullable = false\n}\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = var.v\n}\n",
        ),
        ("terraform.tfvars", "v = null\n"),
    ]);
    let message = "variable `v` is null, and its declaration does not allow that";
    assert_eq!(root.found(), [format!("{message} @ terraform.tfvars:1: null")]);
    let cause = &root.value("aws_s3_bucket.b", "bucket").as_unknown().unwrap().cause;
    assert_eq!(cause.to_string(), format!("the expression is in error: {message}"));
}

#[test]
fn json_under_the_name_of_hcl_is_told() {
    let root = Root::of(&[("main.tf", "\n  { \"resource\": {} }"), ("a.tf", BUCKET)]);
    let [diagnostic] = root.program.diagnostics.as_slice() else { panic!("{:?}", root.found()) };
    assert_eq!(diagnostic.level, Level::Error);
    assert_eq!(root.found(), ["`main.tf` is JSON, but its name says that it is HCL @ main.tf:2: {"]);
    assert_eq!(diagnostic.help.as_deref(), Some("rename it to `main.tf.json`"));
    assert_eq!(root.addresses(), ["aws_s3_bucket.b"]);
}

#[test]
fn of_a_type_without_a_schema_json_is_taken_as_values() {
    let root = Root::of(&[(
        "main.tf.json",
        r#"{"resource": {"foo_thing": {"t": {
            "block": [{"size": "${1 + 1}"}], "object": {"a": "x"}, "count": 1,
            "dynamic": {"made": {"for_each": ["p", "q"], "content": {"name": "${made.value}"}}},
            "lifecycle": {"ignore_changes": ["block"]}, "depends_on": ["foo_thing.u"]
        }, "u": {}}}}"#,
    )]);
    assert_eq!(root.found(), [""; 0]);
    assert_eq!(root.text("foo_thing.t[0]", "block.size"), "Number(Int(2))");
    assert_eq!(root.text("foo_thing.t[0]", "object.a"), "x");
    assert_eq!(root.text("foo_thing.t[0]", "made.1.name"), "q");
    assert!(root.value("foo_thing.t[0]", "").get("lifecycle").is_none());
}

#[test]
fn what_is_wrong_in_json_is_told_at_its_line() {
    let root = Root::of(&[(
        "main.tf.json",
        "{\n \"resource\": {\n  \"aws_s3_bucket\": {\n   \"a\": {\n    \"bucket\": \"\\u0061 ${var.none}\"\n   },\n   \"b\": {\n    \"bucket\": \"b\",\n   }\n  }\n }\n}",
    )]);
    assert_eq!(
        root.found(),
        [
            "expected an item after the comma @ main.tf.json:9: }",
            "variable `none` is not declared @ main.tf.json:5: var.none",
        ]
    );
    assert_eq!(root.text("aws_s3_bucket.b", "bucket"), "b");
}

/// The values of `v` and of the workspace, that are keys of resources with findings.
fn shown(dir: &Dir, arguments: &[&str], environment: &[(&str, &str)]) -> (String, String) {
    let mut command =
        dir.command(&[&["check", "--format", "json", "--select", "AWS-SM-IAM-001"], arguments].concat());
    let run = program::Run::of(&command.envs(environment.iter().copied()).output().unwrap());
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = report["findings"].as_array().unwrap();
    let resources = findings.iter().flat_map(|finding| finding["resources"].as_array().unwrap());
    let addresses: Vec<&str> = resources.map(|resource| resource["address"].as_str().unwrap()).collect();
    let key = |of: &str| {
        let address = addresses.iter().find(|a| a.contains(of)).unwrap_or_else(|| panic!("{run:?}"));
        address.split('"').nth(1).unwrap_or(address).to_owned()
    };
    (key(".value"), key(".workspace"))
}

#[test]
fn the_environment_counts_only_when_it_is_asked_for() {
    let notebook = |name: &str, key: &str| {
        format!(
            "resource \"aws_sagemaker_notebook_instance\" \"{name}\" {{\n  for_each = toset([{key}])\n  name = each.key\n}}\n"
        )
    };
    let dir = Dir::of(&format!(
        "variable \"v\" {{\n  default = \"default\"\n}}\n{}{}",
        notebook("value", "var.v"),
        notebook("workspace", "terraform.workspace")
    ));
    let told = |arguments: &[&str], environment: &[(&str, &str)]| shown(&dir, arguments, environment);
    let is = |value: &str, workspace: &str| (value.to_owned(), workspace.to_owned());
    let env = [("TF_VAR_v", "environment"), ("TF_VAR_other", "x"), ("TF_WORKSPACE", "prod")];
    assert_eq!(told(&[], &env), is("default", "default"));
    assert_eq!(told(&["--env"], &env), is("environment", "prod"));
    assert_eq!(told(&["--env", "--var", "v=x", "--workspace", "w"], &env), is("x", "w"));
    assert_eq!(told(&[], &[("AIRGATE_ENV", "1"), env[0]]), is("environment", "default"));
    assert_eq!(told(&["--env"], &[("TF_WORKSPACE", "")]), is("default", "default"));
    dir.write(".terraform/environment", "selected\n");
    assert_eq!(told(&[], &[]), is("default", "selected"));
    assert_eq!(told(&["--env"], &env[2..]), is("default", "prod"));
    dir.write("terraform.tfvars.json", "{\"v\": \"file\"}");
    assert_eq!(told(&["--env"], &env), is("file", "prod"));
    fs::write(dir.path().join("given.tfvars"), "v = \"given\"\n").unwrap();
    let given = ["--var-file", "given.tfvars"];
    assert_eq!(told(&given, &[]).0, "given");
    assert_eq!(told(&[&given[..], &["--var", "v=last"]].concat(), &[]).0, "last");
    assert_eq!(told(&[&["--var", "v=first"], &given[..]].concat(), &[]).0, "given");
    assert_eq!(told(&["--var", "v=x"], &[("AIRGATE_VAR_FILE", "given.tfvars")]).0, "x");
}

#[test]
fn a_conditional_that_gives_no_element_makes_no_instance() {
    let dir = Dir::of(
        "variable \"none\" {\n  type = list(string)\n  default = null\n}\n\
         variable \"some\" {\n  type = list(string)\n  default = [\"a\", \"b\"]\n}\n\
         resource \"aws_sns_topic\" \"none\" {\n  for_each = var.none != null ? toset(var.none) : []\n}\n\
         resource \"aws_sns_topic\" \"some\" {\n  for_each = var.some != null ? toset(var.some) : []\n}\n",
    );
    let run = dir.run(&["check"]);
    run.reports(0, &[" 2 managed resources "]);
    assert!(!run.out.contains("warning: "), "{}", run.out);
}

#[test]
fn a_value_that_is_typed_wrongly_is_an_error_of_use() {
    let dir = Dir::of(
        "output \"o\" {\n  value = var.n\n}\nvariable \"n\" {\n  type = number\n}\nvariable \"l\" {\n  type = list(string)\n}\n",
    );
    dir.write("other/main.tf", "variable \"only_here\" {}\n");
    for (given, message) in
        [("n=x", "error: the value of variable `n` is wrong"), ("l=[a", "error: "), ("l=a", "error: ")]
    {
        dir.run(&["check", "--var", given]).reports(2, &[message]);
    }
    let message = "`--var only_here` is not a variable of this module";
    dir.run(&["check", "--var", "only_here=1"]).refuses(2, &[message]);
    dir.run(&["check", ".", "other", "--var", "only_here=1"]).reports(0, &["0 failures"]);
    // The same in a file is what Terraform refuses too, but nobody mistyped it just now.
    dir.write("x.tfvars", "n = \"x\"\nonly_here = 1\n");
    dir.run(&["check", "--var-file", "x.tfvars"]).reports(
        0,
        &[
            "warning: the value of variable `n` is wrong",
            "note: variable `only_here` is not declared by the root module",
        ],
    );
    dir.write("x.tfvars", "a = 1\nb = 1\nc = 1\nd = 1\nn {\n}\n");
    dir.run(&["check", "--var-file", "x.tfvars"]).reports(
        2,
        &[
            "note: variables `a`, `b`, `c` and 1 more are not declared by the root module",
            "error: a file of values has no blocks; a value is set with `=`\n--> x.tfvars:5:1",
        ],
    );
    dir.write("x.tf.json", "{\"variable\": {\"json\": {}}}");
    dir.run(&["check", "x.tf.json", "--var", "json=1"]).reports(0, &["0 failures"]);
}
