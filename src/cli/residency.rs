//! `airgate residency`: where the data of each resource is, where it goes, and whether it may.

use std::path::{Path, PathBuf};

use airgate::config::Options;
use airgate::facts::residency::Report;
use airgate::report;
use clap::ArgAction;
use clap::builder::FalseyValueParser;

use super::check::environment;
use super::values::Values;
use super::{Console, Exit, Failure, NothingToAnalyse, config, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directories of Terraform or OpenTofu files, plans and states as JSON, Pulumi previews and stacks; `-` is standard input.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    values: Values,
    /// Analyse every root module below a directory. A directory without resources of its own is always searched.
    #[arg(long, short, env = "AIRGATE_RECURSIVE", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    recursive: bool,
    /// Configuration file, instead of the `airgate.toml` that is nearest to the first PATH.
    #[arg(long, value_name = "FILE", env = "AIRGATE_CONFIG", hide_env = true)]
    config: Option<PathBuf>,
    /// Read no configuration file.
    #[arg(long, env = "AIRGATE_NO_CONFIG", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    no_config: bool,
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
    let start = args.paths.first().map_or_else(|| Path::new("."), PathBuf::as_path);
    let options = Options {
        config: config(args.config.as_deref(), args.no_config, start)?,
        run: args.values.options(environment()),
        recursive: args.recursive,
        ..Options::default()
    };
    let found = residency(&args.paths, &options)?;
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
