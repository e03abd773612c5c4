//! What is looked at, and under which configuration: the flags of the commands that report without a gate.

use std::path::{Path, PathBuf};

use airgate::config::Options;
use clap::ArgAction;
use clap::builder::FalseyValueParser;

use super::check::environment;
use super::values::Values;
use super::{Failure, config};

#[derive(Debug, clap::Args)]
pub(super) struct Inputs {
    /// Directories of Terraform or OpenTofu files, plans and states as JSON, Pulumi previews and stacks; `-` is standard input.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
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
}

impl Inputs {
    /// What they tell the engine.
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let start = self.paths.first().map_or_else(|| Path::new("."), PathBuf::as_path);
        Ok(Options {
            config: config(self.config.as_deref(), self.no_config, start)?,
            run: self.values.options(environment()),
            recursive: self.recursive,
            ..Options::default()
        })
    }
}
