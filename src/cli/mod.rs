//! The command line: one file a subcommand. Each is a function of its arguments, the engine and a console.

mod check;
mod framework;
mod graph;
mod iam;
mod inputs;
mod output;
mod residency;
mod rule;
mod rules;
#[cfg(test)]
mod tests;
mod values;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use airgate::config::{Config, Options};
use airgate::facts::iam::access::{Answered, Question};
use airgate::finding::{Report, RuleInfo};
use airgate::iam::context::Context;
use airgate::picture::Picture;
use airgate::source::Sources;
use clap::{Parser, Subcommand, ValueEnum};

/// A static analyzer for the infrastructure of AI systems: the gate between a change and the cloud.
///
/// Every flag can also be set by the environment: `AIRGATE_` and its name, such as AIRGATE_FAIL_ON.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to colour the output. `auto` asks the terminal and NO_COLOR.
    #[arg(long, global = true, value_enum, default_value_t, env = "AIRGATE_COLOR", hide_env = true)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Analyse directories of Terraform source, plans, states and Pulumi previews.
    Check(Box<check::Args>),
    /// Report where data is, where it goes and whether it may, resource by resource.
    Residency(residency::Args),
    /// Print the graph of resources: what joins them, and which of them are AI or reached by AI.
    Graph(graph::Args),
    /// List the rules.
    Rules(rules::Args),
    /// Show the page of one rule.
    Rule(rule::Args),
    /// List the frameworks that rules support, or the clauses of one.
    Framework(framework::Args),
    /// Answer who may do what: over all policies of a configuration, before anything exists.
    Iam(iam::Args),
}

/// When to colour.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What the command line calls. Given to it, so that it can be tested with reports made by hand.
pub(crate) struct Engine {
    /// Analyses inputs.
    pub(crate) analyze: fn(&[PathBuf], &Options) -> Result<Report, Failure>,
    /// Says where the data of inputs is and goes.
    pub(crate) residency: fn(&[PathBuf], &Options) -> Result<airgate::facts::residency::Report, Failure>,
    /// The graphs of inputs; if told so only what is in AI scope.
    pub(crate) graphs: Graphs,
    /// The rules that the options select, sorted by id.
    pub(crate) rules: fn(&Options) -> Result<Vec<RuleInfo>, Failure>,
    /// Answers who may do what.
    pub(crate) access: Access,
}

/// The graphs of inputs; if told so only what is in AI scope.
type Graphs = fn(&[PathBuf], bool, &Options) -> Result<Vec<Picture>, Failure>;

/// Answers a question of inputs; the places of the answers are in the sources.
pub(crate) type Access =
    fn(&[PathBuf], &Options, &Question, &Context) -> Result<(Sources, Vec<Answered>), Failure>;

/// Why there is nothing to print.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The [`Failure`] of inputs in which there is nothing to analyse, which has its own exit code.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NothingToAnalyse(pub(crate) String);

/// Where the program prints.
pub(crate) struct Console<'a> {
    pub(crate) out: &'a mut dyn io::Write,
    pub(crate) err: &'a mut dyn io::Write,
    pub(crate) color: bool,
    pub(crate) width: usize,
}

/// The meanings of the program's exit code, the same for every format.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing at or above the threshold.
    Clean = 0,
    /// Findings at or above the threshold.
    Findings = 1,
    /// Usage, configuration or internal error, or an input that could not be analysed: nobody can be sure.
    Failure = 2,
    /// Nothing to analyse.
    Nothing = 3,
}

/// Runs the command.
pub(crate) fn run(cli: &Cli, engine: &Engine, console: &mut Console<'_>) -> Exit {
    let result = match &cli.command {
        Command::Check(args) => check::run(args, engine.analyze, console),
        Command::Residency(args) => residency::run(args, engine.residency, console),
        Command::Graph(args) => graph::run(args, engine.graphs, console),
        Command::Rules(args) => rules::run(args, engine.rules, console),
        Command::Rule(args) => rule::run(args, engine.rules, console),
        Command::Framework(args) => framework::run(args, engine.rules, console),
        Command::Iam(args) => iam::run(args, engine.access, console),
    };
    result.unwrap_or_else(|failure| {
        // Where even this cannot be written there is nobody to tell; the exit code still does.
        let _unheard = writeln!(console.err, "error: {}", explain(failure.as_ref()));
        if failure.is::<NothingToAnalyse>() { Exit::Nothing } else { Exit::Failure }
    })
}

/// The failure and what caused it, on one line.
fn explain(failure: &(dyn Error + 'static)) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    for _ in 0..8 {
        let Some(inner) = cause else { break };
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    airgate::report::scrub(&text).into_owned()
}

/// Who closes the pipe has read enough.
fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The configuration that the flags name, or the one that belongs to `start`.
fn config(file: Option<&Path>, none: bool, start: &Path) -> Result<Config, Failure> {
    if none {
        return Ok(Config::default());
    }
    let start = if start == Path::new("-") { Path::new(".") } else { start };
    match file.map(Path::to_owned).or_else(|| Config::discover(start)) {
        Some(file) => {
            // As short as the user would write it.
            let here = std::env::current_dir().unwrap_or_default();
            Ok(Config::load(file.strip_prefix(here).unwrap_or(&file))?)
        }
        None => Ok(Config::default()),
    }
}
