//! `airgate graph`: prints the graph that `airgate check` judges.

use std::path::{Path, PathBuf};

use airgate::config::Options;
use airgate::report::{self, GraphFormat};
use clap::ArgAction;
use clap::builder::{FalseyValueParser, PossibleValuesParser, TypedValueParser};

use super::check::environment;
use super::values::Values;
use super::{Console, Exit, Failure, Graphs, config, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directories of Terraform or OpenTofu files, plans and states as JSON, Pulumi previews and stacks; `-` is standard input.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    values: Values,
    /// Format of the graph.
    #[arg(long, default_value = "dot", value_parser = format())]
    format: GraphFormat,
    /// Leave out what AI does not reach.
    #[arg(long)]
    only_ai: bool,
    /// Take every root module below a directory.
    #[arg(long, short, env = "AIRGATE_RECURSIVE", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    recursive: bool,
    /// Configuration file, instead of the `airgate.toml` that is nearest to the first PATH.
    #[arg(long, value_name = "FILE", env = "AIRGATE_CONFIG", hide_env = true)]
    config: Option<PathBuf>,
    /// Read no configuration file.
    #[arg(long, env = "AIRGATE_NO_CONFIG", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    no_config: bool,
}

/// Runs it. The exit code is 0, or 2 where something could not be read: a part of the graph may be missing.
pub(super) fn run(args: &Args, graphs: Graphs, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let start = args.paths.first().map_or_else(|| Path::new("."), PathBuf::as_path);
    let options = Options {
        config: config(args.config.as_deref(), args.no_config, start)?,
        run: args.values.options(environment()),
        recursive: args.recursive,
        ..Options::default()
    };
    let pictures = graphs(&args.paths, args.only_ai, &options)?;
    let printed = report::write_graph(&pictures, args.format, console.out).and_then(|()| console.out.flush());
    unless_closed(printed).map_err(|error| format!("standard output: {error}"))?;
    let errors: Vec<&String> = pictures.iter().flat_map(|picture| &picture.errors).collect();
    for error in &errors {
        writeln!(console.err, "error: {}", report::scrub(error))?;
    }
    Ok(if errors.is_empty() { Exit::Clean } else { Exit::Failure })
}

fn format() -> impl TypedValueParser<Value = GraphFormat> {
    PossibleValuesParser::new(GraphFormat::ALL.map(GraphFormat::as_str))
        .try_map(|text| text.parse::<GraphFormat>())
}
