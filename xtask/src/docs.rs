//! `cargo xtask docs`: writes what is generated from the rules.

use std::path::Path;

use airgate::rules::{RuleSet, index};
use anyhow::Context as _;

/// Writes `rules/README.md`; with `--check` only compares.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => anyhow::bail!("usage: cargo xtask docs [--check]"),
    };
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/README.md");
    let fresh = index::readme(&RuleSet::builtin()?);
    if check {
        let found = std::fs::read_to_string(&readme).context("rules/README.md")?;
        anyhow::ensure!(found == fresh, "rules/README.md is stale: run `cargo xtask docs`");
        return Ok(());
    }
    std::fs::write(&readme, fresh).context("rules/README.md")
}
