//! Developer tasks: `cargo xtask TASK`.

mod defaults;
mod docs;
mod new_rule;
mod schema;

const USAGE: &str = "\
cargo xtask docs [--check]                           write rules/README.md, or say if it is stale
cargo xtask new-rule PROVIDER SERVICE FAMILY NAME    begin a rule: cargo xtask new-rule aws sagemaker ENC notebook-without-cmk
cargo xtask schema [SCHEMA.json]                     write rules/catalog/schema from the AWS provider's own schema
cargo xtask defaults                                 measure rules/catalog/defaults.toml with the real provider";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["docs"] => docs::run(false),
        ["docs", "--check"] => docs::run(true),
        ["new-rule", provider, service, family, name] => new_rule::run(provider, service, family, name),
        ["schema", ..] => schema::run(args.get(1..).unwrap_or_default()),
        ["defaults", ..] => defaults::run(args.get(1..).unwrap_or_default()),
        _ => anyhow::bail!("usage:\n{USAGE}"),
    }
}
