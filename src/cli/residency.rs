//! `airgate residency`: where the data of each resource is, where it goes, and whether it may.

use std::path::PathBuf;

use airgate::config::Options;
use airgate::facts::residency::Report;
use airgate::report;

use super::inputs::Inputs;
use super::{Console, Exit, Failure, NothingToAnalyse, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: Inputs,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ListFormat {
    #[default]
    Text,
    Json,
}

/// Runs it. It is a report and no gate: what it finds does not fail the run.
pub(super) fn run(
    args: &Args,
    residency: fn(&[PathBuf], &Options) -> Result<Report, Failure>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let options = args.inputs.options()?;
    let found = residency(&args.inputs.paths, &options)?;
    if found.inputs.is_empty() {
        return Err(NothingToAnalyse("there is nothing to analyse".to_owned()).into());
    }
    let text = match args.format {
        ListFormat::Text => report::residency_text(&found),
        ListFormat::Json => report::residency_json(&found),
    };
    unless_closed(console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush()))?;
    for line in &found.unsure {
        writeln!(console.err, "error: {}", report::scrub(line))?;
    }
    Ok(if found.unsure.is_empty() { Exit::Clean } else { Exit::Failure })
}
