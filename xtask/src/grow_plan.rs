//! `cargo xtask grow-plan PLAN N OUT`: a plan of at least N instances, grown from a real one.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use anyhow::Context as _;

use crate::grow::grow;

const USAGE: &str = "usage: cargo xtask grow-plan PLAN.json INSTANCES OUT.json";

/// Writes the grown plan and says how large it is.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let [plan, instances, out] = args else { anyhow::bail!(USAGE) };
    let text = std::fs::read(plan).with_context(|| plan.clone())?;
    let plan = serde_json::from_slice(&text).with_context(|| plan.clone())?;
    let file = File::create(out).with_context(|| out.clone())?;
    let mut to = BufWriter::new(file);
    let made = grow(&plan, instances.parse().context(USAGE)?, &mut to)?;
    to.flush()?;
    println!("{out}: {made} managed instances, {} bytes", std::fs::metadata(out)?.len());
    Ok(())
}
