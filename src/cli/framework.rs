//! `airgate framework [NAME]`: the frameworks, or the clauses of one and the rules that support each.

use std::path::PathBuf;

use airgate::config::Options;
use airgate::finding::{ClauseInfo, FrameworkInfo, RuleInfo};
use airgate::report::scrub;
use airgate::rules::Framework;

use super::rules::all_rules;
use super::{Console, Exit, Failure, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Id, name or prefix of the framework: `eu-ai-act`. All of them are listed without it.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Directory of your own rules and frameworks.
    #[arg(long, value_name = "DIR", env = "AIRGATE_RULES", hide_env = true)]
    rules: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(
    args: &Args,
    rules: fn(&Options) -> Result<Vec<RuleInfo>, Failure>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let rules = rules(&all_rules(args.rules.as_deref()))?;
    let text = match &args.name {
        Some(name) => Framework::named(std::slice::from_ref(name), args.rules.as_deref())?
            .iter()
            .map(|framework| page(&framework.info(&rules), &rules))
            .collect(),
        None => list(&Framework::all(args.rules.as_deref())?, &rules),
    };
    unless_closed(console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush()))?;
    Ok(Exit::Clean)
}

fn list(frameworks: &[Framework], rules: &[RuleInfo]) -> String {
    let width = frameworks.iter().map(|framework| framework.id.chars().count()).max().unwrap_or(0);
    let line = |framework: &Framework| {
        let info = framework.info(rules);
        let checked = info.clauses.iter().filter(|clause| !clause.rules.is_empty()).count();
        let title = format!("{}, {}", info.name, info.title);
        format!(
            "{:width$}  {:8}  {:>3} of {:>3} clauses have rules  {}\n",
            scrub(&info.id),
            framework.kind.as_str(),
            checked,
            info.clauses.len(),
            scrub(&title)
        )
    };
    frameworks.iter().map(line).collect()
}

fn page(framework: &FrameworkInfo, rules: &[RuleInfo]) -> String {
    let width = framework.clauses.iter().map(|clause| clause.clause.chars().count()).max().unwrap_or(0);
    let clause = |clause: &ClauseInfo| {
        let ids = clause.rules.iter().filter_map(|&rule| Some(rules.get(rule)?.id.as_str()));
        let ids: Vec<&str> = ids.collect();
        let ids = if ids.is_empty() { "no rule".to_owned() } else { ids.join(", ") };
        let (id, meaning) = (scrub(&clause.clause), scrub(&clause.meaning));
        format!("{id:width$}  {meaning}\n{:width$}  {}\n", "", scrub(&ids))
    };
    let clauses: String = framework.clauses.iter().map(clause).collect();
    let beyond: String =
        framework.beyond.iter().map(|beyond| ["- ", &scrub(beyond), "\n"].concat()).collect();
    format!(
        "{}, {}\n{}\n\nRules support these clauses. Passing them does not show compliance.\n\n{clauses}\nNo code can \
         show:\n{beyond}",
        scrub(&framework.name),
        scrub(&framework.title),
        scrub(&framework.source)
    )
}
