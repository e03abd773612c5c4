//! `airgate rule ID`: the page of one rule.

use std::path::PathBuf;

use airgate::config::Options;
use airgate::finding::RuleInfo;
use airgate::report::{self, scrub};
use airgate::rules::{did_you_mean, select::nearest};

use super::rules::all_rules;
use super::{Console, Exit, Failure, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Id or name of the rule.
    #[arg(value_name = "ID")]
    id: String,
    /// Format of the page.
    #[arg(long, value_enum, default_value_t)]
    format: PageFormat,
    /// Directory of your own rules.
    #[arg(long, value_name = "DIR", env = "AIRGATE_RULES", hide_env = true)]
    rules: Option<PathBuf>,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PageFormat {
    /// What the rule is, then its page.
    #[default]
    Text,
    /// The page alone.
    Markdown,
    /// Both, for machines.
    Json,
}

/// Runs it.
pub(super) fn run(
    args: &Args,
    rules: fn(&Options) -> Result<Vec<RuleInfo>, Failure>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let rules = rules(&all_rules(args.rules.as_deref()))?;
    let named = |rule: &&RuleInfo| rule.id.eq_ignore_ascii_case(&args.id) || rule.name == args.id;
    let unknown = || {
        let names = rules.iter().flat_map(|rule| [rule.id.as_str(), &rule.name]);
        let near = nearest(&args.id, names);
        let advice =
            if near.is_empty() { "; `airgate rules` lists them all".to_owned() } else { did_you_mean(&near) };
        format!("there is no rule `{}`{advice}", args.id)
    };
    let rule = rules.iter().find(named).ok_or_else(unknown)?;
    let text = match args.format {
        PageFormat::Text => format!("{}\n{}", head(rule), page(rule)),
        PageFormat::Markdown => page(rule),
        PageFormat::Json => report::rule_json(rule),
    };
    unless_closed(console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush()))?;
    Ok(Exit::Clean)
}

fn head(rule: &RuleInfo) -> String {
    let clauses = if rule.clauses.is_empty() { "none".to_owned() } else { rule.clauses.join(", ") };
    let lines = [
        format!("{} {}", rule.id, rule.name),
        format!("severity  {}", rule.severity),
        format!("family    {}", rule.family),
        format!("control   {} {}", rule.control, rule.control_title),
        format!("supports  {clauses}"),
        format!("revision  {}", rule.revision),
    ];
    lines.iter().map(|line| format!("{}\n", scrub(line.trim_end()))).collect::<Vec<_>>().concat()
}

fn page(rule: &RuleInfo) -> String {
    rule.page.lines().map(|line| format!("{}\n", scrub(line))).collect::<Vec<_>>().concat()
}
