//! `airgate rules`: the list of rules.

use std::path::{Path, PathBuf};

use airgate::config::Options;
use airgate::finding::RuleInfo;
use airgate::report::{self, scrub};

use super::{Console, Exit, Failure, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Format of the list.
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
    /// Directory of your own rules, which are listed beside the built-in ones.
    #[arg(long, value_name = "DIR", env = "AIRGATE_RULES", hide_env = true)]
    rules: Option<PathBuf>,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ListFormat {
    #[default]
    Text,
    Json,
}

/// Runs it.
pub(super) fn run(
    args: &Args,
    rules: fn(&Options) -> Result<Vec<RuleInfo>, Failure>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let rules = rules(&all_rules(args.rules.as_deref()))?;
    let text = match args.format {
        ListFormat::Text => table(&rules),
        ListFormat::Json => report::rules_json(&rules),
    };
    unless_closed(console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush()))?;
    Ok(Exit::Clean)
}

/// Options that leave out no rule.
pub(super) fn all_rules(directory: Option<&Path>) -> Options {
    Options { rules_dir: directory.map(Path::to_owned), ..Options::default() }
}

fn table(rules: &[RuleInfo]) -> String {
    let width =
        |of: fn(&RuleInfo) -> &str| rules.iter().map(|rule| of(rule).chars().count()).max().unwrap_or(0);
    let (id, family) = (width(|rule| &rule.id), width(|rule| &rule.family));
    let line = |rule: &RuleInfo| {
        let line =
            format!("{:id$}  {:8}  {:family$}  {}", rule.id, rule.severity.as_str(), rule.family, rule.title);
        format!("{}\n", scrub(line.trim_end()))
    };
    rules.iter().map(line).collect::<Vec<_>>().concat()
}
