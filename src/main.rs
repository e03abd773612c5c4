//! The `airgate` program: arguments, analysis, report, exit code.

mod cli;

use std::io;
use std::process::ExitCode;

use airgate::input::ReadError;
use anstream::{AutoStream, ColorChoice};
use clap::Parser;

use crate::cli::{Cli, Color, Console, Engine, NothingToAnalyse};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Columns of a line where the terminal does not say.
const WIDTH: usize = 120;

/// Bytes that are written at once. A report has megabytes.
const BUFFER: usize = 1 << 16;

/// What the command line calls.
const ENGINE: Engine = Engine {
    analyze: |paths, options| match airgate::analyze(paths, options) {
        // Beside other inputs one that is empty is a wrong name: nobody should take the run for one without work.
        Err(airgate::Error::Input(error @ ReadError::Nothing { .. })) if paths.len() == 1 => {
            Err(NothingToAnalyse(error.to_string()).into())
        }
        result => Ok(result?),
    },
    residency: |paths, options| match airgate::residency(paths, options) {
        Err(airgate::Error::Input(error @ ReadError::Nothing { .. })) if paths.len() == 1 => {
            Err(NothingToAnalyse(error.to_string()).into())
        }
        result => Ok(result?),
    },
    graphs: |paths, only_ai, options| match airgate::graphs(paths, only_ai, options) {
        Err(airgate::Error::Input(error @ ReadError::Nothing { .. })) => {
            Err(NothingToAnalyse(error.to_string()).into())
        }
        result => Ok(result?),
    },
    rules: |options| {
        let rules = airgate::rule_set(options)?;
        Ok(rules.iter().map(|rule| rules.info(rule)).collect())
    },
    access: |paths, options, question, context| match airgate::access(paths, options, question, context) {
        Err(airgate::Error::Input(error @ ReadError::Nothing { .. })) => {
            Err(NothingToAnalyse(error.to_string()).into())
        }
        result => Ok(result?),
    },
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let stdout = io::stdout().lock();
    let color = match cli.color {
        Color::Auto => AutoStream::choice(&stdout) != ColorChoice::Never,
        Color::Always => true,
        Color::Never => false,
    };
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(WIDTH);
    let mut console = Console {
        // Old Windows consoles have escapes translated; without colour there are none to translate.
        out: &mut io::BufWriter::with_capacity(BUFFER, AutoStream::always(stdout)),
        err: &mut io::stderr().lock(),
        color,
        width: width.clamp(60, 400),
    };
    ExitCode::from(cli::run(&cli, &ENGINE, &mut console) as u8)
}
