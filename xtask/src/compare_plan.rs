//! `cargo xtask compare-plan SOURCE PLAN`: holds what airgate makes of Terraform source against Terraform's own plan of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use airgate::eval::Mode;
use airgate::input::Inputs;
use airgate::program::Program;
use airgate::source::Sources;
use airgate::terraform::source::variables::{RunOptions, ValueOption};
use anyhow::Context as _;
use serde_json::Value as Json;

use crate::compare::{Addresses, Comparison, Different, Leaves, Unknown, compare};

const USAGE: &str =
    "usage: cargo xtask compare-plan SOURCE PLAN [--var NAME=VALUE] [--var-file FILE] [--workspace NAME]";

/// Prints what is the same and what is not. Fails if an instance or a value is another one than in the plan.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let (mut paths, mut options) = (Vec::new(), RunOptions::default());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--var" => {
                let given = args.next().and_then(|given| given.split_once('=')).context(USAGE)?;
                options.values.push(ValueOption::Var(given.0.to_owned(), given.1.to_owned()));
            }
            "--var-file" => options.values.push(ValueOption::File(args.next().context(USAGE)?.into())),
            "--workspace" => options.workspace = Some(args.next().context(USAGE)?.clone()),
            flag if flag.starts_with("--") => anyhow::bail!(USAGE),
            path => paths.push(PathBuf::from(path)),
        }
    }
    let [source, plan] = paths.as_slice() else { anyhow::bail!(USAGE) };
    let mut sources = Sources::default();
    let ours = program(source, &options, &mut sources)?;
    let strict = program(source, &RunOptions { mode: Mode::Strict, ..options }, &mut Sources::default())?;
    let comparison = compare(&ours, &strict, &sources, &read(plan)?);
    print(&comparison);
    let other = |of: &Addresses| !of.missing.is_empty() || !of.extra.is_empty();
    let is_wrong =
        other(&comparison.managed) || other(&comparison.data) || !comparison.leaves.different.is_empty();
    anyhow::ensure!(!is_wrong, "{} is not what {} says", source.display(), plan.display());
    Ok(())
}

fn program(source: &Path, options: &RunOptions, sources: &mut Sources) -> anyhow::Result<Program> {
    let inputs = Inputs::read(&[source.to_owned()], options, sources)?;
    let input = inputs.items.first().context("there is no configuration")?;
    Ok(input.program(&inputs, sources, &|_| true)?)
}

fn read(plan: &Path) -> anyhow::Result<Json> {
    let text = std::fs::read(plan).with_context(|| plan.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| plan.display().to_string())
}

fn print(comparison: &Comparison) {
    let Comparison { managed, data, leaves, diagnostics } = comparison;
    print_addresses("resources", managed);
    print_addresses("data", data);
    println!(
        "leaves: {} that the configuration sets and the plan knows: {} equal, {} wrong, {} unknown to us ({:.2} % known)",
        leaves.known_to_plan(),
        leaves.equal,
        leaves.different.len(),
        leaves.unknown_leaves(),
        leaves.percent(),
    );
    let Leaves { neither, ahead, filled, provider, .. } = leaves;
    println!("        {neither} known to neither, {ahead} to us alone; {filled} that nobody set are equal");
    println!("        {provider} that the provider is known to plan in its own way");
    for Different { address, path, ours, plan } in &leaves.different {
        println!("  wrong: {address}: {path}: ours {ours}, the plan {plan}");
    }
    let mut causes: BTreeMap<&str, Vec<(usize, String)>> = BTreeMap::new();
    for Unknown { address, path, cause, leaves } in &leaves.unknown {
        causes.entry(cause).or_default().push((*leaves, format!("{address}: {path}")));
    }
    for (cause, places) in causes {
        let total: usize = places.iter().map(|(leaves, _)| leaves).sum();
        println!("  unknown: {total} × {cause}");
        for (leaves, place) in places {
            println!("    {place} ({leaves})");
        }
    }
    for diagnostic in diagnostics {
        println!("  diagnostic: {diagnostic}");
    }
}

fn print_addresses(what: &str, of: &Addresses) {
    let (symbolic, missing, extra) = (of.symbolic.len(), of.missing.len(), of.extra.len());
    let counts = format!("{} equal, {symbolic} symbolic, {missing} missing, {extra} extra", of.equal);
    println!("{what}: {} in the plan: {counts}", of.total());
    for (what, addresses) in [("symbolic", &of.symbolic), ("missing", &of.missing), ("extra", &of.extra)] {
        for address in addresses {
            println!("  {what}: {address}");
        }
    }
}
