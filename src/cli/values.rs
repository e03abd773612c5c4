//! The flags that say what values root variables have, in the order in which they were typed: as for Terraform, later ones
//! win.

use std::collections::BTreeMap;
use std::path::PathBuf;

use airgate::terraform::source::variables::{RunOptions, ValueOption};
use clap::builder::FalseyValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

/// Values of root variables, and the workspace.
#[derive(Debug)]
pub(super) struct Values {
    given: Vec<ValueOption>,
    env: bool,
    workspace: Option<String>,
}

impl Values {
    /// What the engine is told. With `--env` only, `environment` is looked at: otherwise a report depends on nothing that
    /// the command line does not show.
    pub(super) fn options(&self, environment: impl Iterator<Item = (String, String)>) -> RunOptions {
        let environment: BTreeMap<String, String> =
            if self.env { environment.collect() } else { BTreeMap::new() };
        let workspace = environment.get("TF_WORKSPACE").filter(|name| !name.is_empty());
        let variables = environment
            .iter()
            .filter_map(|(name, text)| Some((name.strip_prefix("TF_VAR_")?.to_owned(), text.clone())));
        RunOptions {
            values: self.given.clone(),
            environment: variables.collect(),
            workspace: self.workspace.as_ref().or(workspace).cloned(),
            ..RunOptions::default()
        }
    }
}

impl clap::Args for Values {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new("var")
                    .long("var")
                    .value_name("NAME=VALUE")
                    .action(ArgAction::Append)
                    .value_parser(variable)
                    .help("Value of a root variable. Later ones win, also over files. May be repeated"),
            )
            .arg(
                Arg::new("var_file")
                    .long("var-file")
                    .value_name("FILE")
                    .env("AIRGATE_VAR_FILE")
                    .hide_env(true)
                    .action(ArgAction::Append)
                    .value_parser(value_parser!(PathBuf))
                    .help("File with values of root variables, .tfvars or .tfvars.json. May be repeated"),
            )
            .arg(
                Arg::new("env")
                    .long("env")
                    .env("AIRGATE_ENV")
                    .hide_env(true)
                    .action(ArgAction::SetTrue)
                    .value_parser(FalseyValueParser::new())
                    .help("Take TF_VAR_... and TF_WORKSPACE from the environment, as Terraform does"),
            )
            .arg(
                Arg::new("workspace")
                    .long("workspace")
                    .value_name("NAME")
                    .env("AIRGATE_WORKSPACE")
                    .hide_env(true)
                    .help("`terraform.workspace` [default: the one selected in the root module, or default]"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Values {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let vars = placed(matches, "var", |(name, text): (String, String)| ValueOption::Var(name, text));
        let files = placed(matches, "var_file", ValueOption::File);
        let mut all: Vec<(usize, ValueOption)> = vars.chain(files).collect();
        all.sort_by_key(|(place, _)| *place);
        Ok(Self {
            given: all.into_iter().map(|(_, value)| value).collect(),
            env: matches.get_flag("env"),
            workspace: matches.get_one("workspace").cloned(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The values of a flag and where on the command line they stand. What the environment gives comes before all.
fn placed<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    flag: &str,
    option: fn(T) -> ValueOption,
) -> impl Iterator<Item = (usize, ValueOption)> {
    let is_typed = matches.value_source(flag) == Some(ValueSource::CommandLine);
    let places = matches.indices_of(flag).into_iter().flatten();
    let values = matches.get_many::<T>(flag).into_iter().flatten().cloned();
    places.zip(values).map(move |(place, value)| (if is_typed { place } else { 0 }, option(value)))
}

/// `name=value`, as Terraform reads it: the value is all behind the first `=`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not NAME=VALUE")),
    }
}
