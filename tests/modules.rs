//! Modules from source: what a plan of the same configuration says (the values: `tests/source.rs`), and what no plan shows:
//! modules that are missing, that leave the tree, that call themselves, and instances that nobody can count.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use airgate::config::{Config, Options, Scope};
use airgate::diagnostic::Level;
use airgate::finding::Verdict;
use airgate::input::Inputs;
use airgate::program::{Program, Resource};
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use airgate::value::Value;

/// A directory of a test's own with a Git repository in `tree`, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("airgate-modules-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("tree/.git")).unwrap();
        for (path, text) in files {
            let path = folder.join("tree").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }

    /// The program of the root module at `path`, and what was said.
    fn program(&self, path: &str) -> (Program, Vec<String>) {
        let mut sources = Sources::default();
        let inputs = Inputs::read(&[self.tree().join(path)], &RunOptions::default(), &mut sources).unwrap();
        let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
        let shown = format!("{}/", self.tree().display());
        let said = program.diagnostics.iter().map(|d| d.message.replace(&shown, "")).collect();
        (program, said)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn addresses(program: &Program) -> Vec<&str> {
    program.resources.iter().map(|resource| resource.address.as_str()).collect()
}

fn resource<'p>(program: &'p Program, address: &str) -> &'p Resource {
    let found = program.resources.iter().find(|resource| resource.address == address);
    found.unwrap_or_else(|| panic!("{address} is none of {:?}", addresses(program)))
}

fn value<'p>(program: &'p Program, address: &str, path: &str) -> &'p Value {
    resource(program, address).after.as_ref().unwrap().at_path(path).unwrap()
}

fn reference(program: &Program, address: &str, path: &str) -> String {
    value(program, address, path).reference.as_ref().unwrap().to_string()
}

/// Rule, verdict and resource of every finding, with everything in scope.
fn findings(path: &Path) -> BTreeSet<(String, bool, String)> {
    let config = Config { scope: Scope::All, ..Config::default() };
    let options = Options { config, keep_pass: true, ..Options::default() };
    let report = airgate::analyze(&[path.to_path_buf()], &options).unwrap();
    let mut out = BTreeSet::new();
    for finding in &report.findings {
        assert_ne!(finding.verdict, Verdict::Undetermined, "{}: {:?}", finding.message, finding.causes);
        for subject in &finding.resources {
            let rule = report.rules[finding.rule].id.clone();
            out.insert((rule, finding.verdict == Verdict::Fail, subject.address.to_string()));
        }
    }
    out
}

#[test]
fn source_and_plan_give_the_same_findings() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules");
    for (name, least) in [("local", 8), ("environments/prod", 8)] {
        let (source, plan) =
            (findings(&fixtures.join(name)), findings(&fixtures.join(name).join("plan.json")));
        assert_eq!(source, plan, "{name}");
        assert!(source.len() >= least, "{name} has only {source:?}");
        assert!(source.iter().any(|(_, fails, address)| *fails && address.starts_with("module.")), "{name}");
    }
}

const STORE: &str = r#"
variable "name" { type = string }
variable "key" { default = null }
resource "aws_kms_key" "k" {}
resource "aws_sagemaker_notebook_instance" "n" {
  count      = 2
  name       = "${var.name}-${count.index}"
  kms_key_id = var.key == null ? aws_kms_key.k.arn : var.key
}
output "key" { value = aws_kms_key.k.arn }
output "names" { value = aws_sagemaker_notebook_instance.n[*].name }
output "arns" { value = aws_sagemaker_notebook_instance.n[*].arn }
"#;

#[test]
fn references_into_modules_and_out_of_them_name_the_instance() {
    let folder = Folder::new(&[
        (
            "main.tf",
            r#"
            module "a" {
              source   = "./store"
              for_each = toset(["x", "y"])
              name     = each.key
            }
            module "b" {
              source = "./store"
              name   = "b"
              key    = module.a["y"].key
            }
            resource "aws_s3_bucket_policy" "p" {
              bucket = module.b.arns[1]
              policy = values(module.a)[0].key
            }
            resource "aws_s3_object" "o" {
              bucket  = "b"
              key     = join(",", module.a["x"].names)
              content = "of ${module.b.key}"
            }
            "#,
        ),
        ("store/main.tf", STORE),
    ]);
    let (program, said) = folder.program(".");
    assert_eq!(said, [""; 0]);
    let x = r#"module.a["x"].aws_sagemaker_notebook_instance.n[1]"#;
    assert_eq!(reference(&program, x, "kms_key_id"), r#"module.a["x"].aws_kms_key.k.arn"#);
    assert_eq!(resource(&program, x).module, r#"module.a["x"]"#);
    assert_eq!(resource(&program, x).block, "module.a.aws_sagemaker_notebook_instance.n");
    let b = "module.b.aws_sagemaker_notebook_instance.n[0]";
    assert_eq!(reference(&program, b, "kms_key_id"), r#"module.a["y"].aws_kms_key.k.arn"#);
    let policy = "aws_s3_bucket_policy.p";
    assert_eq!(reference(&program, policy, "bucket"), "module.b.aws_sagemaker_notebook_instance.n[1].arn");
    assert_eq!(reference(&program, policy, "policy"), r#"module.a["x"].aws_kms_key.k.arn"#);
    assert_eq!(value(&program, "aws_s3_object.o", "key").as_str(), Some("x-0,x-1"));
    let links = &resource(&program, "aws_s3_object.o").references;
    assert!(
        links
            .iter()
            .any(|link| link.path == "content" && link.target.to_string() == "module.b.aws_kms_key.k.arn")
    );
    let origin = value(&program, b, "name").origin.unwrap();
    assert_ne!(Some(origin.file), program.resources[0].site.map(|site| site.file), "both in one file");
}

#[test]
fn a_call_that_nobody_can_count_is_one_instance_that_stands_for_any() {
    let folder = Folder::new(&[
        (
            "main.tf",
            r#"
            variable "teams" { type = set(string) }
            module "a" {
              source   = "./store"
              for_each = var.teams
              name     = "t-${each.key}"
            }
            resource "aws_s3_bucket_policy" "p" {
              bucket = module.a["ml"].key
              policy = jsonencode([for a in module.a : a.key])
            }
            "#,
        ),
        ("store/main.tf", STORE),
    ]);
    let (program, said) = folder.program(".");
    assert_eq!(said, [""; 0]);
    let n = "module.a[?].aws_sagemaker_notebook_instance.n[1]";
    let name = value(&program, n, "name").as_unknown().unwrap();
    assert_eq!(name.cause.to_string(), "variable `teams` has no default and no value");
    assert_eq!(reference(&program, n, "kms_key_id"), "module.a[?].aws_kms_key.k.arn");
    assert_eq!(reference(&program, "aws_s3_bucket_policy.p", "bucket"), "module.a[?].aws_kms_key.k.arn");
    assert!(value(&program, "aws_s3_bucket_policy.p", "policy").is_unknown());
}

#[test]
fn installed_modules_are_read_and_others_are_told_once() {
    let call = r#"
        module "vpc" {
          source = "terraform-aws-modules/vpc/aws"
          name   = aws_kms_key.k.arn
        }
        module "off" {
          source = "terraform-aws-modules/eks/aws"
          count  = 0
        }
        resource "aws_kms_key" "k" {}
    "#;
    let inner = r#"
        variable "name" {}
        module "deeper" { source = "git::https://example.com/deeper.git" }
        module "here" { source = "./part" }
        resource "aws_kms_alias" "a" { target_key_id = var.name }
    "#;
    let part = r#"resource "aws_s3_bucket" "b" { bucket = path.module }"#;
    let folder = Folder::new(&[("main.tf", call)]);
    let (program, said) = folder.program(".");
    assert_eq!(said, ["`module.vpc` is not followed: what it declares is not analysed"]);
    assert!(program.diagnostics[0].help.as_deref().unwrap().starts_with("run `terraform init`"));
    assert_eq!(program.diagnostics[0].level, Level::Notice);
    assert_eq!(program.unfollowed.len(), 1, "that of no instance needs nothing");
    assert_eq!(program.unfollowed[0].references[0].target.to_string(), "aws_kms_key.k.arn");

    let manifest = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},
        {"Key":"vpc","Source":"registry.terraform.io/terraform-aws-modules/vpc/aws","Version":"5.0.0",
         "Dir":".terraform/modules/vpc"}]}"#;
    let folder = Folder::new(&[
        ("main.tf", call),
        (".terraform/modules/modules.json", manifest),
        (".terraform/modules/vpc/main.tf", inner),
        (".terraform/modules/vpc/part/main.tf", part),
    ]);
    let (program, said) = folder.program(".");
    assert_eq!(said, ["`module.deeper` is not followed: what it declares is not analysed"]);
    assert_eq!(program.unfollowed[0].address, "module.vpc.module.deeper");
    assert_eq!(reference(&program, "module.vpc.aws_kms_alias.a", "target_key_id"), "aws_kms_key.k.arn");
    let name = value(&program, "module.vpc.module.here.aws_s3_bucket.b", "bucket");
    assert_eq!(name.as_str(), Some(".terraform/modules/vpc/part"));
}

#[test]
fn what_leads_nowhere_or_round_is_told_and_costs_only_the_call() {
    let folder = Folder::new(&[
        (
            "root/main.tf",
            r#"
            module "gone" { source = "./gone" }
            module "out" { source = "../../outside" }
            module "link" { source = "./link" }
            module "said" { source = "./${path.module}" }
            module "loop" { source = "../loop" }
            module "empty" { source = "./empty" }
            module "args" {
              source = "./args"
              wrong  = 1
            }
            resource "aws_s3_bucket" "b" {
              bucket = module.loop.name
              tags   = { a = module.args.a, b = module.args.b }
            }
            "#,
        ),
        (
            "loop/main.tf",
            r#"
            module "again" { source = "../loop" }
            output "name" { value = local.x }
            locals { x = "loop" }
            resource "aws_s3_bucket" "b" { bucket = path.module }
            "#,
        ),
        ("root/empty/notes.txt", ""),
        (
            "root/args/main.tf",
            r#"
            variable "needed" { type = string }
            output "a" { value = var.needed }
            output "b" { value = module.self.name }
            module "self" {
              source = "../named"
              name   = module.self.name
            }
            "#,
        ),
        (
            "root/named/main.tf",
            r#"
            variable "name" {}
            output "name" { value = var.name }
            "#,
        ),
        ("../outside/main.tf", r#"resource "aws_s3_bucket" "secret" {}"#),
    ]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.0.join("outside"), folder.tree().join("root/link")).unwrap();
    let (program, mut said) = folder.program("root");
    said.sort();
    let not = |name: &str, why: &str| format!("`module.{name}` is not followed: {why}");
    let mut expected = vec![
        "`module.again` calls the module that it is part of".to_owned(),
        "`module.args` has no variable `wrong`".to_owned(),
        "`module.args` needs a value for `needed`".to_owned(),
        "`output.name` refers to itself".to_owned(),
        not("empty", "`root/empty` holds no Terraform files"),
        not("gone", "there is no directory `root/gone`"),
        not("said", "its source is not a plain string"),
    ];
    let outside = format!("`{}/outside` lies outside the analysed tree", folder.0.display());
    expected.push(not("out", &outside));
    expected.push(if cfg!(unix) {
        not("link", "`root/link` lies outside the analysed tree")
    } else {
        not("link", "there is no directory `root/link`")
    });
    expected.sort();
    assert_eq!(said, expected);
    assert_eq!(addresses(&program), ["aws_s3_bucket.b", "module.loop.aws_s3_bucket.b"]);
    assert_eq!(value(&program, "aws_s3_bucket.b", "bucket").as_str(), Some("loop"));
    let why = |path| value(&program, "aws_s3_bucket.b", path).as_unknown().unwrap().cause.to_string();
    assert!(
        why("tags.a").contains("`module.args` gives no value for variable `needed`"),
        "{}",
        why("tags.a")
    );
    assert!(why("tags.b").contains("refers to itself"), "{}", why("tags.b"));
}

#[test]
fn many_instances_of_many_levels_are_limited() {
    let mut files = Vec::new();
    for level in 0..25 {
        let next = level + 1;
        let text = format!(
            "module \"m\" {{\n  source = \"../m{next}\"\n  count = 3\n}}\nresource \"aws_s3_bucket\" \"b\" {{}}\n"
        );
        files.push((format!("m{level}/main.tf"), text));
    }
    files.push(("m25/main.tf".to_owned(), "resource \"aws_s3_bucket\" \"b\" {}\n".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = Folder::new(&files);
    let (program, said) = folder.program("m0");
    assert!(program.resources.len() <= 10_001, "{} instances", program.resources.len());
    assert!(said.iter().any(|message| message.contains("too many module")), "{said:?}");
}

#[test]
fn a_directory_that_another_root_calls_is_no_root_of_its_own() {
    let folder = Folder::new(&[
        ("live/main.tf", "module \"a\" {\n  source = \"../a\"\n}\n"),
        ("a/main.tf", "resource \"aws_s3_bucket\" \"b\" {}\n"),
    ]);
    let mut sources = Sources::default();
    let paths = [folder.tree().join("a"), folder.tree().join("live")];
    let inputs = Inputs::read(&paths, &RunOptions::default(), &mut sources).unwrap();
    assert_eq!(inputs.items.len(), 1);
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    assert_eq!(addresses(&program), ["module.a.aws_s3_bucket.b"]);
    assert!(program.diagnostics[0].message.contains("is analysed as a module of"));
}

#[test]
fn provider_configurations_are_those_that_the_call_hands_down() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules/environments/prod");
    let mut sources = Sources::default();
    let inputs = Inputs::read(&[fixture], &RunOptions::default(), &mut sources).unwrap();
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    let region = |address: &str| {
        let provider = &program.providers[resource(&program, address).provider.unwrap()];
        provider.region.as_str().map(str::to_owned)
    };
    assert_eq!(region(r#"module.copies["old"].aws_s3_bucket.target"#).as_deref(), Some("eu-west-1"));
    assert_eq!(
        region(r#"module.copies["old"].aws_s3_bucket_versioning.source"#).as_deref(),
        Some("eu-central-1")
    );
    assert_eq!(region(r#"module.lake.aws_s3_bucket.this["raw"]"#).as_deref(), Some("eu-central-1"));
}

#[test]
fn data_sources_read_the_provider_configuration_that_the_module_has() {
    let inner = r#"
        data "aws_region" "here" {}
        resource "aws_s3_bucket" "b" { bucket = data.aws_region.here.name }
    "#;
    let folder = Folder::new(&[
        (
            "main.tf",
            r#"
            provider "aws" { region = var.region }
            provider "aws" {
              alias  = "west"
              region = "us-west-2"
            }
            variable "region" { default = "eu-central-1" }
            module "same" { source = "./m" }
            module "west" {
              source    = "./m"
              providers = { aws = aws.west }
            }
            "#,
        ),
        ("m/main.tf", inner),
    ]);
    let (program, said) = folder.program(".");
    assert_eq!(said, [""; 0]);
    assert_eq!(value(&program, "module.same.aws_s3_bucket.b", "bucket").as_str(), Some("eu-central-1"));
    // What is handed down by name is not looked up yet: not known, and never the wrong region.
    assert!(value(&program, "module.west.aws_s3_bucket.b", "bucket").is_unknown());
}
