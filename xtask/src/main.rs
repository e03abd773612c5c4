//! Developer tasks: `cargo xtask TASK`.

#[path = "../../tests/common/compare/mod.rs"]
mod compare;
mod compare_plan;
mod defaults;
mod docs;
mod documents;
mod escalations;
mod generate;
#[path = "../../benches/common/grow.rs"]
#[expect(dead_code, reason = "others join plans")]
mod grow;
mod grow_plan;
mod new_rule;
mod peers;
mod schema;
mod truth;

const USAGE: &str = "\
usage: cargo xtask TASK
  compare-plan SOURCE PLAN [OPTIONS]       hold the evaluation of source against Terraform's plan of it
  grow-plan PLAN N OUT                     grow a real plan to N instances, for measuring
  docs [--check]                           write what docs are generated, or say if one is stale
  new-rule PROVIDER SERVICE FAMILY NAME    begin a rule: new-rule aws sagemaker ENC notebook-without-cmk
  schema [SCHEMA.json]                     write the schemas of the catalog
  schema PROVIDER VERSION DIR              the same for another provider: schema google 6.50.0 CHECKOUT
  defaults                                 measure what the provider fills in
  documents                                ask the AWS provider what it renders policy documents to
  truth [FILE.txt...]                      ask Terraform what it makes of expressions";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = args.split_first().map_or(("", &[][..]), |(task, rest)| (task.as_str(), rest));
    match task {
        "compare-plan" => compare_plan::run(rest),
        "grow-plan" => grow_plan::run(rest),
        "docs" => docs::run(rest),
        "new-rule" => new_rule::run(rest),
        "schema" => schema::run(rest),
        "defaults" => defaults::run(rest),
        "truth" => truth::run(rest),
        "documents" => documents::run(),
        _ => anyhow::bail!(USAGE),
    }
}
