//! The program as a process: what a user meets, above all where something is wrong. Exit codes, messages, streams.

#![cfg(test)]

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use program::Dir;

/// One resource of AI, with findings of every severity but critical.
const NOTEBOOK: &str = "resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  name = \"lab\"\n}\n";

fn fixture(name: &str) -> String {
    format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for arguments in [
        &["check", "--no-such-flag"][..],
        &["check", "--fail-on", "severe"],
        &["check", "--format", "xml"],
        &["check", "--output", "sarif"],
        &["check", "--var", "novalue"],
        &["check", "--show", "none"],
        &["rule"],
        &["no-such-command"],
        &[],
    ] {
        let run = Dir::new().run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}");
        assert!(run.out.is_empty() && !run.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_and_version_are_for_standard_output() {
    let version = Dir::new().run(&["--version"]);
    assert_eq!(version.out, concat!("airgate ", env!("CARGO_PKG_VERSION"), "\n"));
    let help = Dir::new().run(&["check", "--help"]);
    assert_eq!(help.code, Some(0));
    insta::assert_snapshot!(help.out);
}

#[test]
fn the_environment_sets_flags() {
    let output = Dir::new().command(&["check"]).env("AIRGATE_FAIL_ON", "severe").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("invalid value 'severe' for '--fail-on <SEVERITY>'"), "{err}");
}

#[test]
fn a_mistyped_flag_or_command_is_corrected() {
    let dir = Dir::new();
    dir.run(&["check", "--frmat", "json"]).refuses(2, &["'--frmat'", "'--format'"]);
    dir.run(&["chekc"]).refuses(2, &["'chekc'", "'check'"]);
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let dir = Dir::of(NOTEBOOK);
    dir.run(&["check", "nope"]).refuses(2, &["cannot read nope: "]);
    dir.run(&["check", ".", "nope"]).refuses(2, &["cannot read nope: "]);
}

#[test]
fn nothing_to_analyse_has_its_own_exit_code() {
    let dir = Dir::new();
    dir.run(&["check"]).refuses(3, &["no Terraform files, plans or states in ."]);
    dir.write("readme.txt", "x");
    dir.write("node_modules/a/main.tf", NOTEBOOK);
    dir.write(".terraform/modules/a/main.tf", NOTEBOOK);
    dir.run(&["check", "."]).refuses(3, &["no Terraform files, plans or states in .\n"]);
    dir.write("a/main.tf", NOTEBOOK);
    dir.write("plans/plan.json", "{}");
    // By its name it was meant as a plan.
    dir.run(&["check", "plans"]).reports(2, &["plans/plan.json is an empty JSON object"]);
    dir.write("other/package.json", "{\"name\": \"x\"}");
    dir.write("x.tf/readme", "a directory");
    dir.write("pulumi/Pulumi.yaml", "runtime: yaml");
    dir.run(&["check", "pulumi"])
        .refuses(3, &["in pulumi, but a Pulumi project: check what `pulumi preview"]);
    dir.run(&["check", "x.tf"]).refuses(3, &["no Terraform files, plans or states in x.tf"]);
    // One of several names is a mistake, not a run without work.
    dir.run(&["check", "a", "other"]).refuses(2, &["no Terraform files, plans or states in other"]);
}

#[test]
fn json_that_is_no_input_is_named_for_what_it_is() {
    let dir = Dir::new();
    for (text, parts) in [
        ("", ["is empty", "failed"]),
        ("[]", ["is a JSON array", "terraform show -json"]),
        ("3", ["is a single JSON value", "terraform show -json"]),
        ("{}", ["is an empty JSON object", "failed"]),
        ("{\"a\": 1", ["ends in the middle", "write the file anew"]),
        ("{\"a\": tru}", ["is not valid JSON at line 1, column", "expected"]),
        ("{\"a\": 1}", ["of no known kind (its first keys are \"a\")", "terraform show -json"]),
        ("{\"resource\": {}}", ["Terraform source in JSON syntax", "name its directory"]),
        ("{\"x\": {\"value\": 1, \"sensitive\": true}}", ["terraform output -json", "whole state"]),
        ("{\"format_version\": \"9.0\", \"planned_values\": {}}", ["version 9.0", "older"]),
        ("{\"Resources\": {}}", ["a CloudFormation template", "terraform show -json"]),
        ("{\"resourcePlans\": {}}", ["--save-plan", "pulumi preview --json"]),
        ("# aws_x.y will be created\n", ["a plan or state as text for people", "terraform show -json"]),
        ("PK\u{3}\u{4} archive", ["a binary plan", "terraform show -json in.json"]),
        ("\0\0", ["is not valid JSON", "line 1, column 1"]),
    ] {
        dir.write("in.json", text);
        let run = dir.run(&["check", "in.json"]);
        run.refuses(2, &parts);
        assert!(run.err.starts_with("error: in.json "), "{}", run.err);
    }
    for (name, text, parts) in [
        ("prod.tfvars", "region = \"eu-central-1\"", ["a file of values for variables", "--var-file"]),
        (
            "prod.tfvars.json",
            "{\"region\": \"eu-central-1\"}",
            ["a file of values for variables", "--var-file"],
        ),
        ("Pulumi.yaml", "runtime: yaml", ["a Pulumi project", "pulumi preview --json"]),
        ("terragrunt.hcl", "terraform {}", ["a unit or stack of Terragrunt", "--out-dir"]),
    ] {
        dir.write(name, text);
        dir.run(&["check", name]).refuses(2, &parts);
    }
    dir.run(&["check", &fixture("broken/streaming.ndjson")]).refuses(2, &["streaming output", "-out=PLAN"]);
    dir.run(&["check", &fixture("broken/schema.json")]).refuses(2, &["terraform providers schema -json"]);
    dir.run(&["check", &fixture("broken/truncated.json")]).refuses(2, &["ends in the middle"]);
    dir.write("in.json", b"{\"a\": \"\xff\"}");
    dir.run(&["check", "in.json"]).refuses(2, &["in.json is not UTF-8 text"]);
}

#[test]
fn a_plan_that_is_not_understood_is_never_clean() {
    let dir = Dir::new();
    for (text, place) in [
        (
            r#"{"format_version":"1.2","planned_values":3}"#,
            "in.json:1:42: cannot understand the plan's values",
        ),
        (
            r#"{"format_version":"1.2","planned_values":{},"resource_changes":[3]}"#,
            "in.json:1:65: cannot understand an entry of `resource_changes`",
        ),
        (r#"{"version":4,"serial":1,"resources":3}"#, "in.json:1:37: cannot understand the state"),
        (r#"{"version":3,"deployment":3}"#, "cannot understand the stack"),
        (r#"{"steps":[3]}"#, "cannot understand a step"),
    ] {
        dir.write("in.json", text);
        dir.run(&["check", "in.json"]).refuses(2, &[place, "write the file anew"]);
    }
}

#[test]
fn an_incomplete_plan_is_analysed_and_fails() {
    let dir = Dir::new();
    let plan = fixture("broken/errored-plan.json");
    let run = dir.run(&["check", &plan, "--exit-zero"]);
    run.reports(2, &["errored-plan.json is not complete: ", "aws_sagemaker_notebook_instance.lab"]);
    assert!(run.out.contains("1 failure to analyse"), "{}", run.out);
    for format in ["json", "sarif", "markdown"] {
        let run = dir.run(&["check", &plan, "--format", format]);
        assert_eq!(run.code, Some(2));
        assert!(run.err.contains("errored-plan.json is not complete: "), "{format}: {}", run.err);
        assert!(run.out.contains("saved after an error"), "{format}: {}", run.out);
    }
}

#[test]
fn a_broken_file_does_not_hide_its_neighbours() {
    let dir = Dir::of(NOTEBOOK);
    dir.write("latin.tf", b"# m\xfcll\n");
    dir.run(&["check"])
        .reports(2, &["error: `latin.tf` is not UTF-8", "AWS-SM-NET-001", "save the file as UTF-8"]);
    let run = dir.run(&["check", "--format", "sarif"]);
    assert!(run.err.contains("error: `latin.tf` is not UTF-8"), "who keeps the report is told: {}", run.err);
    dir.write("latin.tf", "a {\n");
    dir.run(&["check"]).reports(2, &["error: this block is never closed", "latin.tf:1:3", "AWS-SM-NET-001"]);
    dir.write("latin.tf", "{\"resource\": {}}");
    dir.run(&["check"]).reports(2, &["latin.tf:1:1", "rename it to `latin.tf.json`", "AWS-SM-NET-001"]);
    dir.write("latin.tf", "x = 1\n\0\n");
    dir.run(&["check"]).reports(2, &["latin.tf:2:1", "U+0000", "AWS-SM-NET-001"]);
}

#[cfg(unix)]
#[test]
fn strange_entries_of_a_directory_are_told_or_harmless() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    let dir = Dir::of(NOTEBOOK);
    fs::create_dir(dir.path().join("directory.tf")).unwrap();
    symlink(".", dir.path().join("loop")).unwrap();
    dir.write("with blank.tf", "");
    dir.run(&["check"]).reports(1, &["main.tf:1:1"]);
    symlink("self.tf", dir.path().join("self.tf")).unwrap();
    symlink("nowhere", dir.path().join("gone.tf")).unwrap();
    dir.run(&["check"]).reports(2, &["cannot read `self.tf`", "cannot read `gone.tf`", "AWS-SM-NET-001"]);

    let dir = Dir::new();
    dir.write("a\u{1b}[31m\nb.tf", NOTEBOOK);
    let run = dir.run(&["check"]);
    run.reports(1, &["a␛[31m␊b.tf:1:1"]);
    fs::write(dir.path().join(OsStr::from_bytes(b"\xff.tf")), NOTEBOOK).unwrap();
    dir.run(&["check"]).reports(2, &["cannot read `\u{fffd}.tf`"]);
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_do_not_hang() {
    let dir = Dir::of(NOTEBOOK);
    dir.run(&["check", "/dev/null"]).refuses(2, &["/dev/null is empty"]);
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe.tf")).status();
    if made.is_ok_and(|status| status.success()) {
        dir.run(&["check"]).reports(2, &["`pipe.tf` is not a file", "AWS-SM-NET-001"]);
    }
}

#[test]
fn standard_input_is_a_document() {
    let dir = Dir::new();
    let plan = fs::read_to_string(fixture("rag-bedrock/plan.json")).unwrap();
    dir.run_with(&["check", "-"], &plan).reports(1, &["--> <stdin>:1:", "AWS-BED-IAM-001"]);
    dir.run_with(&["check", "-"], "").refuses(2, &["<stdin> is empty"]);
    dir.run_with(&["check", "-"], NOTEBOOK).refuses(2, &["<stdin> is not valid JSON"]);
}

#[test]
fn inputs_of_many_kinds_are_one_report_and_none_counts_twice() {
    let dir = Dir::of(NOTEBOOK);
    let once = dir.run(&["check", "."]);
    for again in [&["check", ".", "."][..], &["check", "main.tf", "."], &["check", ".", "./main.tf"]] {
        assert_eq!(dir.run(again).out, once.out, "{again:?}");
    }
    let [plan, preview] = ["rag-bedrock/plan.json", "rag-bedrock/pulumi-preview.json"].map(fixture);
    let run = dir.run(&["check", ".", &plan, &preview, "--no-source"]);
    run.reports(1, &["main.tf:1:1", "plan.json:1:", "pulumi-preview.json:"]);
    let run = dir.run(&["check", ".", &plan, &preview]);
    run.reports(1, &["main.tf:1:1", "rag-bedrock/chat.tf:40:3", "pulumi-preview.json:"]);
}

#[test]
fn a_configuration_that_is_wrong_is_said_to_be_so_where() {
    let dir = Dir::of(NOTEBOOK);
    dir.run(&["check", "--config", "no/such.toml"]).refuses(2, &["error: no/such.toml: "]);
    for (text, place) in [
        ("fail-on = \"hi\"\n", "error: airgate.toml:1:11: `hi` is not a severity; use critical, high"),
        ("\n  x = 1\n", "error: airgate.toml:2:3: unknown field `x`, expected one of `fail-on`"),
        ("[rules]\nselect = 3\n", "error: airgate.toml:2:10: invalid type"),
        ("[a\n", "error: airgate.toml:1:3: "),
        ("[rules]\nselect = ['AWS-SM-ENK-001']\n", "did you mean `AWS-SM-ENC-001`"),
    ] {
        dir.write("airgate.toml", text);
        dir.run(&["check"]).refuses(2, &[place]);
        dir.run(&["check", "--no-config"]).reports(1, &["AWS-SM-NET-001"]);
    }
}

#[test]
fn selectors_that_name_no_rule_are_refused_with_suggestions() {
    let dir = Dir::of(NOTEBOOK);
    for flag in ["--select", "--ignore"] {
        let run = dir.run(&["check", flag, "AWS-SM-ENC-01"]);
        run.refuses(2, &["no rule, family or name matches `AWS-SM-ENC-01`", "did you mean `AWS-SM-ENC-001`"]);
        dir.run(&["check", flag, ""]).refuses(2, &["matches ``"]);
    }
    let only = dir.run(&["check", "--select", "AWS-SM-NET-001"]);
    only.reports(1, &["error[AWS-SM-NET-001]", "1 failure (1 high)"]);
    let without = dir.run(&["check", "--ignore", "AWS-SM-NET-001"]);
    assert!(!without.out.contains("AWS-SM-NET-001"), "{}", without.out);
    let none = dir.run(&["check", "--select", "AWS-SM-NET-001", "--ignore", "network"]);
    none.reports(0, &["0 failures, 0 undetermined, 0 passed; 1 managed resource (1 in AI scope)"]);
}

#[test]
fn severities_decide_the_exit_code_and_what_is_listed() {
    let dir = Dir::of(NOTEBOOK);
    let one = |more: &[&str]| dir.run(&[&["check", "--select", "AWS-SM-ENC-001"], more].concat());
    one(&[]).reports(0, &["warning[AWS-SM-ENC-001]", "1 failure (1 medium)"]);
    one(&["--fail-on", "medium"]).reports(1, &[]);
    one(&["--fail-on", "medium", "--exit-zero"]).reports(0, &["1 failure (1 medium)"]);
    let hidden = one(&["--fail-on", "medium", "--min-severity", "high"]);
    hidden.reports(1, &["0 failures, 1 below high not shown"]);
    assert!(!hidden.out.contains("AWS-SM-ENC-001"), "{}", hidden.out);
}

#[test]
fn verdicts_are_shown_when_asked_for() {
    let dir = Dir::of(
        "variable \"key\" {\n  type = string\n}\nresource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  \
         kms_key_id = var.key\n  root_access = \"Disabled\"\n}\n",
    );
    let rules = "AWS-SM-ENC-001,AWS-SM-IAM-001";
    let shown = |show: &[&str]| {
        let run = dir.run(&[&["check", "--select", rules], show].concat());
        run.reports(0, &["0 failures, 1 undetermined, 1 passed"]);
        (run.out.contains("note[AWS-SM-ENC-001]"), run.out.contains("pass[AWS-SM-IAM-001]"))
    };
    assert_eq!(shown(&[]), (false, false));
    assert_eq!(shown(&["--show", "undetermined"]), (true, false));
    assert_eq!(shown(&["--show", "pass"]), (false, true));
    assert_eq!(shown(&["--show", "all"]), (true, true));
    let run = dir.run(&["check", "--show", "undetermined", "--select", "AWS-SM-ENC-001"]);
    assert!(run.out.contains("not known: variable `key` has no default and no value"), "{}", run.out);
}

#[test]
fn variables_of_the_command_line_are_checked() {
    let dir = Dir::of("variable \"n\" {\n  type = number\n}\n");
    dir.run(&["check", "--var", "m=1"]).refuses(2, &["`--var m` is not a variable of this module"]);
    dir.run(&["check", "--var", "n=x"]).reports(2, &["error: the value of variable `n` is wrong: a number"]);
    dir.run(&["check", "--var", "n"]).refuses(2, &["`n` is not NAME=VALUE"]);
    dir.run(&["check", "--var-file", "no.tfvars"]).refuses(2, &["cannot read `no.tfvars`"]);
    dir.write("v.tfvars", "n = \n");
    dir.run(&["check", "--var-file", "v.tfvars"]).reports(2, &["v.tfvars:1:5"]);
    dir.write("v.tfvars.json", "{\n  \"n\": \n}");
    dir.run(&["check", "--var-file", "v.tfvars.json"]).reports(2, &["v.tfvars.json:3:1"]);
    dir.write("v.tfvars.json", "{ \"n\": 1, \"other\": 2 }");
    let run = dir.run(&["check", "--var-file", "v.tfvars.json"]);
    run.reports(0, &["note: variable `other` is not declared by the root module", "v.tfvars.json:1:11"]);
}

#[test]
fn output_files_are_whole_or_an_error() {
    let dir = Dir::of(NOTEBOOK);
    dir.run(&["check", "--output", "sarif=no/such/x"]).refuses(2, &["error: no/such/x: "]);
    dir.run(&["check", "--output", "xml=x"]).refuses(2, &["`xml` is not a format; use human, json"]);
    fs::create_dir(dir.path().join("d")).unwrap();
    dir.run(&["check", "--output", "sarif=d"]).refuses(2, &["error: d: "]);
    dir.write("x.sarif", "old");
    dir.run(&["check", "--output", "sarif=x.sarif"]).reports(1, &[]);
    let sarif: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("x.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    dir.run(&["check", "nope", "--output", "sarif=x.sarif"]).refuses(2, &["nope"]);
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&fs::read(dir.path().join("x.sarif")).unwrap()).unwrap(),
        sarif,
        "a run that fails leaves the last whole report"
    );
    let mut left: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["d", "main.tf", "x.sarif"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = Dir::new();
    for (arguments, code) in [
        (vec!["rules".to_owned(), "--format".to_owned(), "json".to_owned()], 0),
        (vec!["check".to_owned(), fixture("rag-bedrock"), "--format".to_owned(), "sarif".to_owned()], 1),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child =
            dir.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(code), ""), "{arguments:?}");
    }
}

#[test]
fn rules_are_found_by_id_and_name() {
    let dir = Dir::new();
    let page = dir.run(&["rule", "AWS-SM-ENC-001"]);
    assert_eq!(page.code, Some(0));
    assert!(page.out.starts_with("AWS-SM-ENC-001 ") && page.out.contains("\n## Why"), "{}", page.out);
    let list: serde_json::Value = serde_json::from_str(&dir.run(&["rules", "--format", "json"]).out).unwrap();
    let rule = list.as_array().unwrap().iter().find(|rule| rule["id"] == "AWS-SM-ENC-001").unwrap();
    assert_eq!(dir.run(&["rule", rule["name"].as_str().unwrap()]).out, page.out);
    assert_eq!(dir.run(&["rule", "aws-sm-enc-001"]).out, page.out);
    dir.run(&["rule", "AWS-SM-ENC-01"])
        .refuses(2, &["no rule `AWS-SM-ENC-01`; did you mean `AWS-SM-ENC-001`"]);
    dir.run(&["rule", "zzzz"]).refuses(2, &["no rule `zzzz`; `airgate rules` lists them all"]);
    dir.run(&["rules", "--rules", "nope"]).refuses(2, &["nope: "]);
    dir.write("mine/a.md", "hello\n");
    dir.run(&["check", "--rules", "mine"]).refuses(2, &["mine/a.md", "`+++`"]);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let dir = Dir::new();
    let inputs = ["rag-bedrock", "broken", "rag-bedrock/plan.json", "sagemaker-training"].map(fixture);
    for format in ["human", "json", "sarif", "markdown"] {
        let run = |threads: &str| {
            let mut arguments = vec!["check", "--show", "all", "--format", format];
            arguments.extend(inputs.iter().map(String::as_str));
            let output = dir.command(&arguments).env("RAYON_NUM_THREADS", threads).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
            (output.stdout, output.stderr)
        };
        let once = run("1");
        assert!(once.0.len() > 10_000, "{format}");
        assert!(once == run("1") && once == run("2"), "{format} differs from run to run");
    }
}
