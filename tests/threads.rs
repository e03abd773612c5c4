//! A root module with many instances of a module is the same to one thread and to many.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::path::Path;

use airgate::eval;
use airgate::input::Inputs;
use airgate::program::Program;
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;

#[path = "common/teams.rs"]
mod teams;

const THREADS: usize = 4;

/// What so many threads make of a root module that calls `./team`.
fn program(name: &str, root: &str, module: &str, threads: usize) -> Program {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(dir.join("team")).unwrap();
    std::fs::write(dir.join("main.tf"), root).unwrap();
    std::fs::write(dir.join("team/main.tf"), module).unwrap();
    let mut sources = Sources::default();
    let inputs = Inputs::read(&[dir], &RunOptions::default(), &mut sources).unwrap();
    let pool = eval::pool(threads).unwrap();
    pool.install(|| inputs.items[0].program(&inputs, &sources, &|_| true).unwrap())
}

/// All that a program says, by what it says it of; which provider configuration is which number it need not say.
fn told(mut program: Program) -> BTreeMap<String, String> {
    program.diagnostics.sort_by_key(|diagnostic| diagnostic.site);
    let mut told = BTreeMap::new();
    for (at, mut resource) in program.resources.into_iter().enumerate() {
        let provider = resource.provider.take().map(|at| &program.providers[at]);
        told.insert(format!("{at:05} {}", resource.address), format!("{resource:?} {provider:?}"));
    }
    told.insert("calls".into(), format!("{:?}", program.calls));
    told.insert("repeated".into(), format!("{:?}", program.repeated));
    told.insert("unfollowed".into(), format!("{:?}", program.unfollowed));
    told.insert("diagnostics".into(), format!("{:#?}", program.diagnostics));
    told
}

/// Holds what many threads make against what one makes, and returns that.
fn same(name: &str, root: &str, module: &str) -> Program {
    let one = told(program(name, root, module, 1));
    let many = told(program(name, root, module, THREADS));
    for (what, one) in &one {
        assert_eq!(many.get(what), Some(one), "{name}: {what}");
    }
    assert_eq!(one.len(), many.len(), "{name}");
    program(name, root, module, 1)
}

#[test]
fn many_threads_make_what_one_makes() {
    let program = same("threads-teams", &teams::root(300), teams::TEAM);
    assert_eq!(program.resources.len(), 300 * teams::RESOURCES + 4);
    assert!(program.diagnostics.is_empty(), "{:?}", program.diagnostics);
}

/// Two large calls and a small one; names that are not there; provider configurations of the root and of modules; values
/// that are wrong in some instances only; instances that are not known.
const ODD_ROOT: &str = r#"
variable "zones" {}
provider "aws" {
  alias  = "west"
  region = "eu-west-1"
  default_tags { tags = { from = "root" } }
}
module "many" {
  source    = "./team"
  count     = 200
  size      = count.index % 90 == 40 ? "large" : count.index
  providers = { aws = aws.west }
}
module "few" {
  source = "./team"
  count  = 2
  size   = 1
}
module "more" {
  source   = "./team"
  for_each = { for n in range(80) : "n${n}" => n }
  size     = each.value
  zones    = var.zones
}
module "gone" {
  source = "git::https://example.com/gone.git"
  size   = module.many[7].name
}
resource "aws_sns_topic" "last" {
  name = module.many[199].name
  tags = { sizes = join(",", [for one in module.more : one.name]), what = local.nothing }
}
resource "random_id" "suffix" { byte_length = 2 }
"#;

const ODD_MODULE: &str = r#"
variable "size" { type = number }
variable "zones" { default = ["a"] }
provider "aws" {
  alias  = "own"
  region = "eu-north-1"
}
locals { name = "t-${var.size}" }
resource "aws_sns_topic" "t" {
  name = local.name
  tags = { missing = var.missing }
}
resource "aws_sqs_queue" "q" {
  provider = aws.own
  count    = length(var.zones)
  name     = "${aws_sns_topic.t.name}-${count.index}"
}
resource "null_resource" "n" {}
output "name" { value = aws_sns_topic.t.name }
"#;

#[test]
fn many_threads_say_what_one_says_of_what_is_wrong() {
    let program = same("threads-odd", ODD_ROOT, ODD_MODULE);
    let said: Vec<&str> = program.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    for what in ["`nothing` is not declared", "`missing` is not declared", "`size` is wrong", "not installed"]
    {
        assert_eq!(said.iter().filter(|said| said.contains(what)).count(), 1, "{what}: {said:?}");
    }
    assert!(program.repeated.len() >= 80, "{:?}", program.repeated.len());
}

#[test]
fn what_depends_on_the_order_is_left_to_one_thread() {
    let cycle = ODD_MODULE.replace("\"t-${var.size}\"", "aws_sqs_queue.q[0].name");
    let program = same("threads-cycle", ODD_ROOT, &cycle);
    let said = |program: &Program| {
        program.diagnostics.iter().filter(|said| said.message.ends_with("refers to itself")).count()
    };
    assert!(said(&program) > 0, "{:?}", program.diagnostics);
}

#[test]
fn each_thread_evaluates_once_what_instances_share() {
    let of = |threads| program("threads-work", &teams::root(300), teams::TEAM, threads).expressions;
    let (one, many) = (of(1), of(THREADS));
    // A root module and a module of some 90 expressions.
    assert!(many <= one + (THREADS - 1) * 90, "{one} expressions, and {many} with {THREADS} threads");
}
