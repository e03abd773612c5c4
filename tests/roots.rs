//! Which directories are root modules: named ones, those below a directory, and those that others call.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test"
)]

#[path = "common/folder.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod folder;

use std::fs;
use std::path::{Path, PathBuf};

use airgate::config::{Config, Options, Scope};
use airgate::diagnostic::Level;
use airgate::finding::Report;

use folder::Folder;

impl Folder {
    fn path(&self, path: &str) -> PathBuf {
        self.tree().join(path)
    }

    fn check(&self, paths: &[&str], recursive: bool) -> Report {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.path(path)).collect();
        let config = Config { scope: Scope::All, ..Config::default() };
        let options = Options { config, recursive, ..Options::default() };
        airgate::analyze(&paths, &options).unwrap()
    }

    /// The paths of the inputs, from the tree.
    fn inputs(&self, paths: &[&str], recursive: bool) -> Vec<String> {
        let report = self.check(paths, recursive);
        report.inputs.iter().map(|input| self.within(&input.path)).collect()
    }

    fn within(&self, path: &str) -> String {
        let path = Path::new(path).strip_prefix(self.path("")).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn said(&self, report: &Report) -> Vec<String> {
        let tree = format!("{}/", self.path("").display()).replace("//", "/");
        report.diagnostics.iter().map(|d| d.message.replace(&tree, "")).collect()
    }
}

const BUCKET: &str = "resource \"aws_s3_bucket\" \"b\" {}\n";

fn calls(names: &[&str]) -> String {
    let call = |name: &&str| {
        let label = name.replace(['.', '/'], "_");
        format!("module \"m{label}\" {{\n  source = \"{name}\"\n}}\n")
    };
    names.iter().map(call).collect::<String>() + BUCKET
}

#[test]
fn a_tree_without_terraform_at_its_top_is_searched() {
    let (prod, lake) = (calls(&["../../modules/lake"]), calls(&["../key"]));
    let folder = Folder::new(&[
        ("readme.md", ""),
        ("live/prod/main.tf", &prod),
        ("live/dev/main.tf", &prod),
        ("modules/lake/main.tf", &lake),
        ("modules/key/main.tf", BUCKET),
        ("modules/unused/main.tf", BUCKET),
        ("json/main.tf.json", "{}"),
        ("values/terraform.tfvars", ""),
        ("live/prod/.terraform/modules/x/main.tf", BUCKET),
        ("node_modules/x/main.tf", BUCKET),
        ("plans/plan.json", "{}"),
    ]);
    assert_eq!(folder.inputs(&[""], false), ["json", "live/dev", "live/prod", "modules/unused"]);
    assert_eq!(folder.inputs(&["live"], false), ["live/dev", "live/prod"]);
    fs::write(folder.path("live/versions.tf"), "terraform {\n  required_version = \">= 1.5\"\n}\n").unwrap();
    assert_eq!(folder.inputs(&["live"], false), ["live", "live/dev", "live/prod"], "settings are no root");
    fs::remove_file(folder.path("live/versions.tf")).unwrap();
    // Of what both roots call the findings are told for each, the files are read once.
    let report = folder.check(&["live"], false);
    let files = report.sources.iter().filter(|(_, file)| file.path().ends_with("modules/key/main.tf"));
    assert_eq!(files.count(), 1);
    assert_eq!(report.summary.managed, 6);
}

#[test]
fn what_is_named_is_analysed_and_the_rest_below_it_told() {
    let (top, example) = (calls(&["./modules/a"]), calls(&["../.."]));
    let folder = Folder::new(&[
        ("main.tf", &top),
        ("modules/a/main.tf", BUCKET),
        ("modules/b/main.tf", BUCKET),
        ("examples/x/main.tf", &example),
    ]);
    let report = folder.check(&[""], false);
    assert_eq!(report.inputs.len(), 1);
    let [said] = folder.said(&report).try_into().unwrap();
    assert!(said.ends_with("does not call what is in them: `examples/x`, `modules/b`"), "{said}");
    assert!(report.diagnostics.iter().all(|d| d.level == Level::Notice), "{:?}", report.diagnostics);
    assert_eq!(folder.inputs(&[""], true), ["", "examples/x", "modules/b"]);
    assert_eq!(folder.inputs(&["modules/a", ""], false), ["modules/a", ""], "named, so a root too");
    assert_eq!(folder.inputs(&["", "modules/a/main.tf"], false), [""], "a file is no root that was named");
    let report = folder.check(&["modules/a/main.tf", ""], false);
    let said = folder.said(&report);
    assert!(
        said.iter().any(|message| message.contains("`modules/a` is analysed as a module of")),
        "{said:?}"
    );
}

#[test]
fn a_module_that_its_examples_call_is_no_root_and_one_that_is_deployed_is() {
    let example = calls(&["../.."]);
    let backend = format!("terraform {{\n  backend \"s3\" {{}}\n}}\n{BUCKET}");
    let folder = Folder::new(&[
        ("module/main.tf", BUCKET),
        ("module/examples/x/main.tf", &example),
        ("service/main.tf", &backend),
        ("service/tests/x/main.tf", &example),
        ("values/main.tf", BUCKET),
        ("values/prod.auto.tfvars", ""),
        ("values/tests/x/main.tf", &example),
    ]);
    let expected = ["module/examples/x", "service", "service/tests/x", "values", "values/tests/x"];
    assert_eq!(folder.inputs(&[""], false), expected);
}

#[cfg(unix)]
#[test]
fn sources_that_lead_back_by_links_and_dots_end() {
    let folder = Folder::new(&[("a/main.tf", &calls(&["./", "./b/loop", "./b/.."])), ("a/b/x", "")]);
    std::os::unix::fs::symlink("..", folder.path("a/b/loop")).unwrap();
    let report = folder.check(&["a"], false);
    let said = folder.said(&report);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.iter().all(|message| message.ends_with("calls the module that it is part of")), "{said:?}");
    assert_eq!(report.summary.managed, 1);
}

#[test]
fn calls_that_go_round_lose_nobody() {
    let folder = Folder::new(&[
        ("circle/b/main.tf", &calls(&["../c", "../a"])),
        ("circle/c/main.tf", &calls(&["../b"])),
        ("circle/a/main.tf", BUCKET),
        ("itself/main.tf", &calls(&["./"])),
    ]);
    assert_eq!(folder.inputs(&[""], false), ["circle/b", "itself"]);
    let report = folder.check(&[""], false);
    let said = folder.said(&report);
    assert!(said.iter().any(|message| message.contains("calls the module that it is part of")), "{said:?}");
    assert_eq!(report.summary.managed, 4);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_closed_directories_make_the_run_unsure() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new(&[("a/main.tf", BUCKET), ("../outside/main.tf", BUCKET), ("closed/x", "")]);
    symlink("..", folder.path("a/up")).unwrap();
    symlink(folder.0.join("outside"), folder.path("out")).unwrap();
    symlink("a", folder.path("twin")).unwrap();
    assert_eq!(folder.inputs(&[""], false), ["a"]);
    fs::set_permissions(folder.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    // Nothing is closed to root.
    if fs::read_dir(folder.path("closed")).is_err() {
        let report = folder.check(&[""], false);
        assert_eq!(report.diagnostics.iter().filter(|d| d.level == Level::Error).count(), 1);
    }
    fs::set_permissions(folder.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_is_wrong_in_a_module_that_two_roots_call_is_one_finding() {
    let folder = Folder::new(&[
        ("live/a/main.tf", "module \"one\" {\n  source = \"../../m\"\n}\n"),
        ("live/b/main.tf", "module \"two\" {\n  source = \"../../m\"\n  name   = \"x\"\n}\n"),
        (
            "m/main.tf",
            "variable \"name\" { default = \"n\" }\nresource \"aws_sagemaker_notebook_instance\" \"n\" {\n  name = var.name\n}\n",
        ),
    ]);
    let report = folder.check(&["live"], false);
    let is_it = |finding: &&airgate::finding::Finding| report.rules[finding.rule].id == "AWS-SM-NET-001";
    let found: Vec<_> = report.findings.iter().filter(is_it).collect();
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    let addresses: Vec<_> = finding.resources.iter().map(|subject| subject.address.as_str()).collect();
    let notebook = "aws_sagemaker_notebook_instance.n";
    assert_eq!(addresses, [format!("module.one.{notebook}"), format!("module.two.{notebook}")]);
    let called: Vec<_> = finding.related.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(called, ["`module.one` is called here", "`module.two` is called here"]);
    assert_eq!(report.inputs.len(), 2);
}

#[test]
fn what_is_wrong_by_the_address_of_another_resource_of_a_module_is_one_finding_too() {
    let module = r#"
        resource "aws_iam_role" "r" { assume_role_policy = "{}" }
        resource "aws_iam_role_policy" "p" {
          role   = aws_iam_role.r.id
          policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "bedrock:InvokeModel", Resource = "*" }] })
        }
    "#;
    let folder = Folder::new(&[
        ("live/a/main.tf", "module \"one\" {\n  source = \"../../m\"\n}\n"),
        ("live/b/main.tf", "module \"two\" {\n  source = \"../../m\"\n}\n"),
        ("m/main.tf", module),
    ]);
    let report = folder.check(&["live"], false);
    let is_it = |finding: &&airgate::finding::Finding| report.rules[finding.rule].id == "AWS-BED-IAM-001";
    let found: Vec<_> = report.findings.iter().filter(is_it).collect();
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(finding.resources.len(), 2);
    assert!(finding.actual.as_ref().is_some_and(|actual| actual.starts_with("`module.one.aws_iam_role.r`")));
}

#[test]
fn units_of_terragrunt_are_said_not_to_be_evaluated() {
    let folder = Folder::new(&[
        ("modules/kb/main.tf", "resource \"aws_s3_bucket\" \"docs\" {}"),
        ("live/prod/kb/terragrunt.hcl", "terraform { source = \"../../../modules/kb\" }"),
        ("live/test/kb/terragrunt.hcl", "terraform { source = \"../../../modules/kb\" }"),
    ]);
    let report = folder.check(&["."], false);
    let notices: Vec<_> = report.diagnostics.iter().filter(|it| it.level == Level::Notice).collect();
    let [notice] = notices.as_slice() else { panic!("{notices:?}") };
    assert!(notice.message.contains("holds 2 units of Terragrunt"), "{}", notice.message);
    assert!(notice.help.as_ref().is_some_and(|help| help.contains("--out-dir")), "{notice:?}");

    let error = airgate::analyze(&[folder.path("live")], &Options::default()).unwrap_err().to_string();
    assert!(error.contains("2 units of Terragrunt: plan them"), "{error}");
}
