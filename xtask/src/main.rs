//! Developer tasks.

mod defaults;
mod schema;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = args.split_first().map_or(("", &[][..]), |(task, rest)| (task.as_str(), rest));
    match task {
        "schema" => schema::run(rest),
        "defaults" => defaults::run(rest),
        _ => anyhow::bail!("usage: cargo xtask schema [SCHEMA.json] | defaults"),
    }
}
