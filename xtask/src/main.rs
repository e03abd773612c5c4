//! Developer tasks: `cargo xtask TASK`.

mod docs;
mod new_rule;

const USAGE: &str = "\
cargo xtask docs [--check]                           write rules/README.md, or say if it is stale
cargo xtask new-rule PROVIDER SERVICE FAMILY NAME    begin a rule: cargo xtask new-rule aws sagemaker ENC notebook-without-cmk";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["docs"] => docs::run(false),
        ["docs", "--check"] => docs::run(true),
        ["new-rule", provider, service, family, name] => new_rule::run(provider, service, family, name),
        _ => anyhow::bail!("usage:\n{USAGE}"),
    }
}
