//! Nothing secret is printed, wherever it was planted, in any format or stream; and nothing printed commands a terminal.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use std::fs;

use program::Dir;

/// What every planted secret holds.
const CANARY: &str = "hunter2canary";

/// Runs the check in every format; no canary may be in what it prints. Returns the report for people.
#[track_caller]
fn keeps_secret(dir: &Dir, arguments: &[&str]) -> String {
    keeps_secret_of(dir, arguments, &[1, 2])
}

/// The same where the exit code may be one of `codes`.
#[track_caller]
fn keeps_secret_of(dir: &Dir, arguments: &[&str], codes: &[i32]) -> String {
    let mut human = String::new();
    for format in ["human", "json", "sarif", "markdown"] {
        let file = format!("{format}=out.{format}");
        let all = ["check", "--show", "all", "--format", format, "--output", &file, "--fail-on", "low"];
        let run = dir.run(&[&all, arguments].concat());
        assert!(run.code.is_some_and(|code| codes.contains(&code)), "{run:?}");
        let written = fs::read_to_string(dir.path().join(format!("out.{format}"))).unwrap_or_default();
        for text in [&run.out, &run.err, &written] {
            if let Some(at) = text.find(CANARY) {
                panic!("{format}: …{}", &text[text.floor_char_boundary(at.saturating_sub(300))..][..400]);
            }
        }
        if format == "human" {
            human = run.out;
        }
    }
    human
}

/// A root module whose sensitive variable `s` is used in `text`.
fn module(text: &str) -> Dir {
    Dir::of(&format!(
        "variable \"s\" {{\n  type      = string\n  sensitive = true\n}}\n\
         variable \"plain\" {{\n  default = \"x\"\n}}\n{text}"
    ))
}

const GIVEN: [&str; 2] = ["--var", "s=hunter2canary"];

#[test]
fn sensitive_variables_stay_hidden_however_they_are_given() {
    let text = "resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  kms_key_id = var.s\n  \
                root_access = var.s\n  subnet_id = var.s\n  tags = { owner = var.s, ai-risk-tier = var.s }\n}\n";
    let dir = module(text);
    let human = keeps_secret(&dir, &GIVEN);
    assert!(human.contains("(sensitive)") && human.contains("main.tf:9:3"), "{human}");

    for name in ["terraform.tfvars", "x.auto.tfvars"] {
        let dir = module(text);
        dir.write(name, format!("s = \"{CANARY}\"\n"));
        keeps_secret(&dir, &[]);
        // What is broken may be the secret itself.
        dir.write(name, format!("s = \"{CANARY}\n"));
        keeps_secret(&dir, &[]);
        for text in [
            format!("s = {CANARY}\n"),
            format!("s = {CANARY}()\n"),
            format!("s = 12{CANARY}\n"),
            format!("s = 0x{CANARY} + 1\n"),
            format!("s = a {CANARY}\n"),
            format!("s = a.{CANARY}[0]\n"),
            format!("s = [\"a\" {CANARY}]\n"),
            format!("s = {CANARY} {{\n"),
            format!("{CANARY}\n"),
            format!("s: {CANARY}\n"),
        ] {
            dir.write(name, text);
            keeps_secret(&dir, &[]);
        }
    }
    for broken in [
        format!("{{\"s\": \"{CANARY}\"}}"),
        format!("{{\"s\": \"{CANARY}"),
        format!("{{\"s\": {CANARY}}}"),
        format!("{{\"s\": '{CANARY}'}}"),
        format!("{{\"s\": \"\\{CANARY}\"}}"),
        format!("{{\"s\": 0{CANARY}}}"),
        format!("{{\"s\": 1 \"{CANARY}\"}}"),
        format!("{{\"s\": \"${{{CANARY}}}\"}}"),
        format!("{{\"plain\": {{\"{CANARY}\": 1, \"{CANARY}\": 2}}}}"),
        format!("[\"{CANARY}\"]"),
        format!("\"{CANARY}\""),
    ] {
        let dir = module(text);
        dir.write("terraform.tfvars.json", broken);
        keeps_secret(&dir, &[]);
    }
    let dir = module(text);
    dir.write("prod.tfvars", format!("s = \"{CANARY}\"\nundeclared = \"{CANARY}\"\n"));
    keeps_secret(&dir, &["--var-file", "prod.tfvars"]);
    let dir = Dir::of(&format!("variable \"n\" {{\n  type = number\n  sensitive = true\n}}\n{text}"));
    dir.write("s.tf", format!("variable \"s\" {{\n  sensitive = true\n  default = \"{CANARY}\"\n}}\n"));
    keeps_secret(&dir, &["--var", "n=hunter2canary", "--var", "m=hunter2canary"]);
}

#[test]
fn sensitive_values_stay_hidden_in_wrong_expressions() {
    for expression in [
        "tonumber(var.s)",
        "var.s + 1",
        "var.s[0]",
        "var.s.a",
        "!var.s",
        "-var.s",
        "var.s ? 1 : 2",
        "regex(\"x\", var.s)",
        "regex(var.s, \"x\")",
        "file(var.s)",
        "fileexists(var.s)",
        "templatefile(var.s, {})",
        "templatestring(var.s, {})",
        "jsondecode(var.s)",
        "csvdecode(var.s)",
        "yamldecode(var.s)",
        "base64decode(var.s)",
        "base64gzip(var.s)",
        "parseint(var.s, 10)",
        "formatdate(var.s, timestamp())",
        "formatdate(\"YYYY\", var.s)",
        "timeadd(var.s, \"1h\")",
        "timecmp(var.s, var.s)",
        "cidrsubnet(var.s, 1, 1)",
        "cidrhost(var.s, 1)",
        "format(var.s, 1)",
        "format(\"%d\", var.s)",
        "{ a = 1 }[var.s]",
        "lookup({ a = 1 }, var.s)",
        "[for x in var.s : x]",
        "{ for x in [1, 2] : var.s => x }",
        "tomap({ (var.s) = 1 }).a",
        "\"${var.s}${null}\"",
        "concat(var.s)",
        "merge(var.s)",
        "element([], var.s)",
        "tobool(var.s)",
        "toset(var.s)",
        "uuidv5(var.s, var.s)",
        "rsadecrypt(var.s, var.s)",
        "one([var.s, var.s])",
        "textdecodebase64(var.s, var.s)",
        "range(var.s)",
        "substr(\"a\", var.s, 1)",
        "max(var.s)",
        "provider::a::b(var.s)",
        "no_such(var.s)",
        "try(tonumber(var.s))",
        "coalesce(tonumber(var.s))",
        "setproduct(var.s)",
        "strrev([var.s])",
        "issensitive(var.s) + var.s",
        "zipmap([var.s, var.s], [1])",
        "chunklist([1], var.s)",
        "regexall(\"(\", var.s)",
        "replace(var.s, \"/(/\", \"\")",
    ] {
        let text = format!(
            "resource \"aws_sagemaker_notebook_instance\" \"lab\" {{\n  name = {expression}\n  \
             kms_key_id = {expression}\n  tags = {{ owner = {expression} }}\n}}\n"
        );
        keeps_secret(&module(&text), &GIVEN);
    }
}

#[test]
fn sensitive_values_stay_hidden_in_keys_and_documents() {
    let notebook =
        |meta: &str| format!("resource \"aws_sagemaker_notebook_instance\" \"lab\" {{\n  {meta}\n}}\n");
    for meta in [
        "for_each = toset([var.s])\n  name = each.key",
        "for_each = { (var.s) = 1 }\n  kms_key_id = each.key",
        "for_each = { a = var.s }\n  kms_key_id = each.value",
        "for_each = var.s",
        "count = var.s",
        "count = length(var.s)\n  name = \"${count.index}-${var.s}\"",
        "tags = { (var.s) = \"a\" }",
        "dynamic \"instance_metadata_service_configuration\" {\n  for_each = toset([var.s])\n  content {\n    \
         minimum_instance_metadata_service_version = instance_metadata_service_configuration.key\n  }\n  }",
    ] {
        keeps_secret(&module(&notebook(meta)), &GIVEN);
    }
    let policy = "resource \"aws_iam_role\" \"r\" {\n  name = \"r\"\n  assume_role_policy = jsonencode({\n    Statement = [{ \
                  Sid = var.s, Effect = \"Allow\", Action = \"sts:AssumeRole\", \
                  Principal = { Service = \"bedrock.amazonaws.com\", AWS = var.s } }]\n  })\n}\n\
                  resource \"aws_iam_role_policy\" \"p\" {\n  role = aws_iam_role.r.id\n  policy = jsonencode({\n    \
                  Statement = [{ Sid = var.s, Effect = \"Allow\", Action = [\"bedrock:*\", var.s], Resource = [\"*\", var.s] }]\n  })\n}\n\
                  resource \"aws_bedrockagent_agent\" \"a\" {\n  agent_name = var.s\n  foundation_model = var.s\n  \
                  instruction = var.s\n  agent_resource_role_arn = aws_iam_role.r.arn\n}\n\
                  resource \"aws_s3_bucket\" \"b\" {\n  bucket = var.s\n  tags = { data-classification = var.s, data-residency = var.s }\n}\n\
                  provider \"aws\" {\n  region = var.s\n  default_tags {\n    tags = { owner = var.s }\n  }\n}\n";
    let human = keeps_secret(&module(policy), &GIVEN);
    assert!(human.contains("aws_iam_role.r"), "{human}");
}

/// A plan of one notebook with this change.
fn plan(change: &str) -> String {
    format!(
        r#"{{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{{"root_module":{{}}}},
        "variables":{{"s":{{"value":"{CANARY}"}}}},"resource_changes":[
        {{"address":"aws_sagemaker_notebook_instance.lab","mode":"managed","name":"lab",
        "type":"aws_sagemaker_notebook_instance","change":{change}}}]}}"#
    )
}

#[test]
fn sensitive_values_of_plans_stay_hidden() {
    let dir = Dir::new();
    let values = format!(
        r#"{{"name":"{CANARY}","kms_key_id":"{CANARY}","root_access":"{CANARY}","subnet_id":"{CANARY}",
        "tags":{{"owner":"{CANARY}","ai-risk-tier":"{CANARY}"}},"security_groups":["{CANARY}"]}}"#
    );
    let marks = r#"{"name":true,"kms_key_id":true,"root_access":true,"subnet_id":true,
        "tags":{"owner":true,"ai-risk-tier":true},"security_groups":[true]}"#;
    for marks in [marks, "true"] {
        dir.write(
            "plan.json",
            plan(&format!(
                r#"{{"actions":["update"],"before":{values},"after":{values},"after_unknown":{{}},
                "before_sensitive":{marks},"after_sensitive":{marks}}}"#
            )),
        );
        let human = keeps_secret(&dir, &["plan.json"]);
        assert!(human.contains("aws_sagemaker_notebook_instance.lab"), "{human}");
    }
    // Nor is anything of what was before, whichever side is marked: it fails before, and is resolved, or is what is worse now.
    let good = r#"{"root_access":"Disabled","kms_key_id":"arn:aws:kms:eu-west-1:111122223333:key/1"}"#;
    for (before, after) in [(values.as_str(), good), (good, values.as_str()), (values.as_str(), "null")] {
        for (was, is) in [(marks, marks), (marks, "{}"), ("{}", marks)] {
            // What nobody marks is no secret that can be told: the side that holds it, or the one after it.
            if (after == values && is == "{}") || (after == "null" && was == "{}") {
                continue;
            }
            let actions = if after == "null" { r#"["delete"]"# } else { r#"["update"]"# };
            dir.write(
                "plan.json",
                plan(&format!(
                    r#"{{"actions":{actions},"before":{before},"after":{after},"after_unknown":{{}},
                    "before_sensitive":{was},"after_sensitive":{is}}}"#
                )),
            );
            let human = keeps_secret_of(&dir, &["plan.json"], &[0, 1, 2]);
            assert!(human.contains("change: "), "{human}");
        }
    }
    // Nothing beside the value that decides is quoted: a secret that the provider does not mark is on the same line.
    let beside = format!(
        r#"{{"actions":["create"],"before":null,"after":{{"root_access":"Enabled","name":"{CANARY}",
        "lifecycle_config_name":"{CANARY}"}},"after_unknown":{{}},"before_sensitive":false,"after_sensitive":{{}}}}"#
    );
    dir.write("plan.json", plan(&beside));
    let human = keeps_secret(&dir, &["plan.json", "--select", "AWS-SM-IAM-001"]);
    assert!(human.contains("\"Enabled\"") && human.contains("plan.json:4:"), "{human}");
    // Nor around what cannot be understood.
    dir.write("plan.json", plan(&beside).replace("\"Enabled\"", &format!("\"{CANARY}")));
    keeps_secret(&dir, &["plan.json"]);
    dir.write("plan.json", plan(&beside.replace("[\"create\"]", &format!("\"{CANARY}\""))));
    keeps_secret(&dir, &["plan.json"]);
    dir.write("plan.json", format!("{{\"{CANARY}x\": \"{CANARY}\"").replace(&format!("{CANARY}x"), "a"));
    keeps_secret(&dir, &["plan.json"]);
}

#[test]
fn sensitive_values_of_states_and_stacks_stay_hidden() {
    let dir = Dir::new();
    dir.write(
        "terraform.tfstate",
        format!(
            r#"{{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"a",
            "outputs":{{"o":{{"value":"{CANARY}","type":"string","sensitive":true}}}},"resources":[{{"mode":"managed",
            "type":"aws_sagemaker_notebook_instance","name":"lab","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances":[{{"schema_version":0,"attributes":{{"root_access":"{CANARY}","kms_key_id":"{CANARY}","tags":{{"owner":"{CANARY}"}}}},
            "sensitive_attributes":[[{{"type":"get_attr","value":"root_access"}}],[{{"type":"get_attr","value":"kms_key_id"}}],
            [{{"type":"get_attr","value":"tags"}},{{"type":"index","value":{{"value":"owner","type":"string"}}}}]]}}]}}]}}"#
        ),
    );
    let human = keeps_secret(&dir, &["terraform.tfstate"]);
    assert!(human.contains("aws_sagemaker_notebook_instance.lab"), "{human}");

    let secret = format!(
        r#"{{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","plaintext":"\"{CANARY}\""}}"#
    );
    let urn = "urn:pulumi:prod::app::aws:sagemaker/notebookInstance:NotebookInstance::lab";
    let state = format!(
        r#"{{"urn":"{urn}","type":"aws:sagemaker/notebookInstance:NotebookInstance","custom":true,
        "inputs":{{"rootAccess":{secret},"kmsKeyId":{secret},"tags":{{"owner":{secret}}},"subnetId":"[secret]"}}}}"#
    );
    dir.write("stack.json", format!(r#"{{"version":3,"deployment":{{"resources":[{state}]}}}}"#));
    let human = keeps_secret(&dir, &["stack.json"]);
    assert!(human.contains(urn), "{human}");
    dir.write("preview.json", format!(r#"{{"config":{{"app:key":"{CANARY}"}},"steps":[{{"op":"create","urn":"{urn}","newState":{state}}}]}}"#));
    let human = keeps_secret(&dir, &["preview.json"]);
    assert!(human.contains(urn), "{human}");
}

#[test]
fn nothing_printed_commands_the_terminal() {
    // An escape, the same in eight bits, a turn of the writing direction, a carriage return, a runner's command.
    const HOSTILE: &str = "\u{1b}[31m\u{9b}2J\u{202e}\u{200b}##vso[task.complete]";
    let dir = Dir::of(&format!(
        "# {HOSTILE}\nvariable \"v\" {{\n  default = \"{HOSTILE}\\r\\u001b[1m\"\n}}\n\
         resource \"aws_sagemaker_notebook_instance\" \"lab\" {{\n  for_each = toset([var.v])\n  name = var.v\n  \
         root_access = var.v\n  tags = {{ owner = \"{HOSTILE}\", (var.v) = var.v }}\n}}\nlocals {{ x = {HOSTILE} }}\n\
         resource \"{HOSTILE}\" \"{HOSTILE}\" {{\n  x = no_such(1)\n}}\n"
    ));
    dir.write(
        "plan.json",
        plan(r#"{"actions":["create"],"before":null,"after":{"root_access":"\u001b[31m\u009b\u202e"},"after_unknown":{}}"#)
            .replace("notebook_instance.lab", r#"notebook_instance.lab[\"\u001b[31m\u009b\r\u202e\"]"#),
    );
    dir.write("\u{1b}[31m\u{202e}.tf", "resource \"aws_sagemaker_notebook_instance\" \"two\" {}\nx = \n");
    let hidden = |c: char| {
        c.is_control() && c != '\n' || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    };
    for format in ["human", "json", "sarif", "markdown"] {
        let run = dir.run(&["check", ".", "plan.json", "--show", "all", "--format", format]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.out.len() > 1000, "{format}: {run:?}");
        for text in [&run.out, &run.err] {
            assert!(!text.contains(hidden), "{format}: {:?}", text.chars().find(|&c| hidden(c)));
            assert!(!text.to_lowercase().contains("##vso["), "{format}");
        }
    }
    for arguments in [
        &["check", "no\u{1b}[31mpe"][..],
        &["check", "--select", "a\u{1b}[31m"],
        &["check", "--config", "a\u{1b}[31m"],
        &["check", "--var-file", "a\u{1b}[31m"],
        &["check", "--var", "\u{1b}[31m=\u{1b}[32m"],
        &["check", "--output", "json=a\u{1b}[31m/b"],
        &["rule", "a\u{1b}[31m"],
    ] {
        let run = dir.run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}");
        assert!(!run.err.contains(hidden) && run.err.contains("␛[31m"), "{arguments:?}: {:?}", run.err);
    }
}
