//! Modules from source: what a plan of the same configuration says (the values: `tests/source.rs`), and what no plan shows:
//! modules that are missing, that leave the tree, that call themselves, and instances that nobody can count.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test"
)]

#[path = "common/folder.rs"]
mod folder;

use std::collections::BTreeSet;
use std::path::Path;

use airgate::config::{Config, Options, Scope};
use airgate::diagnostic::Level;
use airgate::finding::Verdict;
use airgate::program::Program;

use folder::{Folder, addresses, resource, value};

fn reference(program: &Program, address: &str, path: &str) -> String {
    value(program, address, path).reference.as_ref().unwrap().to_string()
}

/// Rule, verdict and resource of every finding, with everything in scope.
fn findings(path: &Path) -> BTreeSet<(String, Verdict, String)> {
    let config = Config { scope: Scope::All, ..Config::default() };
    let options = Options { config, keep_pass: true, ..Options::default() };
    let report = airgate::analyze(&[path.to_path_buf()], &options).unwrap();
    let mut out = BTreeSet::new();
    for finding in &report.findings {
        // What belongs to the account may be in another configuration. It is told once for each account and region, which a
        // plan does not tell apart where a module is given its providers crosswise.
        let is_of_account = finding.causes.iter().any(|cause| cause.contains("another may have it"));
        if is_of_account || report.rules[finding.rule].id == "ANY-TAG-GOV-005" {
            continue;
        }
        assert_ne!(finding.verdict, Verdict::Undetermined, "{}: {:?}", finding.message, finding.causes);
        for subject in &finding.resources {
            let rule = report.rules[finding.rule].id.clone();
            out.insert((rule, finding.verdict, subject.address.to_string()));
        }
    }
    out
}

#[test]
fn source_and_plan_give_the_same_findings() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules");
    for (name, least) in [("local", 8), ("environments/prod", 8), ("accounts", 8)] {
        let (source, plan) =
            (findings(&fixtures.join(name)), findings(&fixtures.join(name).join("plan.json")));
        let differ: Vec<_> = source.symmetric_difference(&plan).collect();
        assert!(differ.is_empty(), "{name}: {differ:#?}");
        assert!(source.len() >= least, "{name} has only {source:?}");
        let fails = |(_, verdict, address): &(String, Verdict, String)| {
            *verdict == Verdict::Fail && address.starts_with("module.")
        };
        assert!(source.iter().any(fails), "{name}");
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
    assert_eq!(
        said,
        ["`module.vpc` is not followed: it is not installed, and what it declares not analysed"]
    );
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
    assert_eq!(
        said,
        ["`module.deeper` is not followed: it is not installed, and what it declares not analysed"]
    );
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
fn a_finding_in_a_module_tells_the_calls_and_in_an_installed_one_points_at_them() {
    let notebook = r#"
        resource "aws_sagemaker_notebook_instance" "n" {
          name          = "n"
          role_arn      = "arn:aws:iam::123456789012:role/n"
          instance_type = "ml.t3.medium"
        }
    "#;
    let manifest = r#"{"Modules":[
        {"Key":"bought","Source":"registry.terraform.io/x/y/aws","Version":"1.0.0","Dir":".terraform\\modules\\bought"},
        {"Key":"bought.part","Source":"./part","Dir":".terraform/modules/bought/part"}]}"#;
    let folder = Folder::new(&[
        (
            "live/main.tf",
            "module \"own\" {\n  source = \"../own\"\n  for_each = toset([\"x\", \"y\"])\n}\nmodule \"bought\" {\n  source = \"x/y/aws\"\n}\n",
        ),
        ("own/main.tf", "module \"part\" {\n  source = \"./part\"\n}\n"),
        ("own/part/main.tf", notebook),
        ("live/.terraform/modules/modules.json", manifest),
        ("live/.terraform/modules/bought/main.tf", "module \"part\" {\n  source = \"./part\"\n}\n"),
        ("live/.terraform/modules/bought/part/main.tf", notebook),
    ]);
    let rules =
        airgate::config::Selection { select: vec!["AWS-SM-NET-001".to_owned()], ..Default::default() };
    let options =
        Options { config: Config { rules, ..Config::default() }, keep_pass: true, ..Options::default() };
    let report = airgate::analyze(&[folder.tree().join("live")], &options).unwrap();
    let place = |site: airgate::source::Site| {
        let file = report.sources.get(site.file).unwrap();
        let path = Path::new(file.path()).strip_prefix(folder.tree()).unwrap().display().to_string();
        format!("{path}:{}", file.position(site.span.start).line)
    };
    let mut told: Vec<String> = Vec::new();
    for finding in &report.findings {
        let resources: Vec<&str> = finding.resources.iter().map(|subject| subject.address.as_str()).collect();
        let related = finding.related.iter().map(|(site, label)| format!("\n  {} {label}", place(*site)));
        let related: String = related.collect();
        told.push(format!("{}: {}{related}", place(finding.site.unwrap()), resources.join(" ")));
    }
    told.sort();
    let expected = [
        "live/main.tf:5: module.bought.module.part.aws_sagemaker_notebook_instance.n\n  \
         live/.terraform/modules/bought/part/main.tf:2 in the module, which was installed\n  \
         live/.terraform/modules/bought/main.tf:1 `module.bought.module.part` is called here",
        "own/part/main.tf:2: module.own[\"x\"].module.part.aws_sagemaker_notebook_instance.n \
         module.own[\"y\"].module.part.aws_sagemaker_notebook_instance.n\n  \
         own/main.tf:1 `module.own.module.part` is called here\n  \
         live/main.tf:1 `module.own` is called here",
    ];
    assert_eq!(told, expected);
}

#[test]
fn instances_that_name_what_is_beside_each_are_one_finding() {
    let own = "data \"external\" \"e\" {\n  program = [\"x\"]\n}\n\
               resource \"aws_sagemaker_notebook_instance\" \"n\" {\n  name = \"n\"\n  \
               role_arn = \"arn:aws:iam::123456789012:role/n\"\n  instance_type = \"ml.t3.medium\"\n  \
               direct_internet_access = WHAT\n}\n";
    let groups = |what: &str| {
        let call = "module \"team\" {\n  source   = \"./team\"\n  for_each = toset([\"a\", \"b\", \"c\"])\n  key = each.key\n}\n";
        let own = format!("variable \"key\" {{}}\n{}", own.replace("WHAT", what));
        let folder = Folder::new(&[("main.tf", call), ("team/main.tf", &own)]);
        let rules =
            airgate::config::Selection { select: vec!["AWS-SM-NET-001".to_owned()], ..Default::default() };
        let options = Options { config: Config { rules, ..Config::default() }, ..Options::default() };
        let report = airgate::analyze(&[folder.tree()], &options).unwrap();
        let told = report.findings.iter().map(|it| (it.causes.concat(), it.resources.len()));
        told.collect::<Vec<_>>()
    };
    let [(cause, 3)] = &groups("data.external.e.result.internet")[..] else { panic!("one finding of three") };
    assert!(cause.contains("`module.team[\"a\"].data.external.e.result.internet`"), "{cause}");
    // What is beside one of them only is another reason to each of the others.
    let reasons = "var.key == \"a\" ? data.external.e.result.internet : data.external.e.result.other";
    assert_eq!(groups(reasons).iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn what_is_installed_below_a_module_is_found_by_the_way_that_leads_to_it() {
    let manifest = r#"{"Modules":[
        {"Key":"","Source":"","Dir":"."},
        {"Key":"a","Source":"./shared","Dir":"shared"},
        {"Key":"b","Source":"./shared","Dir":"shared"},
        {"Key":"a.label","Source":"registry.terraform.io/x/label/null","Version":"1.0.0","Dir":".terraform/modules/a.label"},
        {"Key":"b.label","Source":"registry.terraform.io/x/label/null","Version":"1.0.0","Dir":".terraform/modules/b.label"}]}"#;
    let bucket = |name: &str| format!("resource \"aws_s3_bucket\" \"{name}\" {{ bucket = path.module }}\n");
    let shared = "module \"label\" {\n  source = \"x/label/null\"\n}\n".to_owned() + &bucket("own");
    let call = |name: &str| format!("module \"{name}\" {{\n  source = \"./shared\"\n}}\n");
    let folder = Folder::new(&[
        ("main.tf", &["a", "b", "c"].map(call).concat()),
        ("shared/main.tf", &shared),
        (".terraform/modules/modules.json", manifest),
        (".terraform/modules/a.label/main.tf", &bucket("one")),
        (".terraform/modules/b.label/main.tf", &bucket("two")),
    ]);
    let (program, said) = folder.program(".");
    let mut all = addresses(&program);
    all.sort_unstable();
    let expected = [
        "module.a.aws_s3_bucket.own",
        "module.a.module.label.aws_s3_bucket.one",
        "module.b.aws_s3_bucket.own",
        "module.b.module.label.aws_s3_bucket.two",
        "module.c.aws_s3_bucket.own",
    ];
    assert_eq!(all, expected);
    let path = value(&program, "module.b.module.label.aws_s3_bucket.two", "bucket");
    assert_eq!(path.as_str(), Some(".terraform/modules/b.label"));
    assert_eq!(
        said,
        ["`module.label` is not followed: it is not installed, and what it declares not analysed"]
    );
    assert_eq!(program.unfollowed.len(), 1);
    assert_eq!(program.unfollowed[0].address, "module.c.module.label");
}

#[test]
fn blocks_of_types_without_a_schema_hold_more_than_is_written() {
    let folder = Folder::new(&[(
        "main.tf",
        r#"
        resource "google_cloudfunctions2_function" "f" {
          name = "f"
          service_config { max_instance_count = 1 }
        }
        resource "aws_s3_bucket" "b" {
          bucket = google_cloudfunctions2_function.f.service_config[0].uri
          tags   = { name = google_cloudfunctions2_function.f.name }
        }
        "#,
    )]);
    let (program, said) = folder.program(".");
    assert_eq!(said, [""; 0]);
    assert!(value(&program, "aws_s3_bucket.b", "bucket").is_unknown());
    assert_eq!(value(&program, "aws_s3_bucket.b", "tags.name").as_str(), Some("f"));
}
