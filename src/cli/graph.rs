//! `airgate graph`: prints the graph that `airgate check` judges.

use airgate::report::{self, GraphFormat};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::inputs::Inputs;
use super::{Console, Exit, Failure, Graphs, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: Inputs,
    /// Format of the graph.
    #[arg(long, default_value = "dot", value_parser = format())]
    format: GraphFormat,
    /// Leave out what AI does not reach.
    #[arg(long)]
    only_ai: bool,
}

/// Runs it. The exit code is 0, or 2 where something could not be read: a part of the graph may be missing.
pub(super) fn run(args: &Args, graphs: Graphs, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let options = args.inputs.options()?;
    let pictures = graphs(&args.inputs.paths, args.only_ai, &options)?;
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
