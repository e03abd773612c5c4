//! `cargo xtask docs`: writes what is generated from the rules.

use std::path::Path;

use airgate::config::Options;
use airgate::report::{GraphFormat, write_graph};
use airgate::rules::{RuleSet, index};
use anyhow::Context as _;

/// Writes `rules/README.md`, `docs/peers.md`, `docs/escalations.md` and `docs/rag-bedrock.svg`; with `--check` only compares.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => anyhow::bail!("usage: cargo xtask docs [--check]"),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let rules = RuleSet::builtin()?;
    for (name, fresh) in [
        ("rules/README.md", index::readme(&rules)),
        ("docs/peers.md", crate::peers::fresh(&rules)?),
        ("docs/escalations.md", crate::escalations::fresh()),
        ("docs/rag-bedrock.svg", picture(&root.join("fixtures/rag-bedrock"))?),
    ] {
        let page = root.join(name);
        if check {
            let found = std::fs::read_to_string(&page).context(name)?;
            anyhow::ensure!(found == fresh, "{name} is stale: run `cargo xtask docs`");
        } else {
            std::fs::write(&page, fresh).context(name)?;
        }
    }
    Ok(())
}

/// What `airgate graph --only-ai --format svg` draws of the configuration.
fn picture(path: &Path) -> anyhow::Result<String> {
    let pictures = airgate::graphs(&[path.to_owned()], true, &Options::default())?;
    let mut out = Vec::new();
    write_graph(&pictures, GraphFormat::Svg, &mut out)?;
    Ok(String::from_utf8(out)?)
}
