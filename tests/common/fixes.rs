//! The snippets of `## Fix`: what people are told to write must be Terraform, and mend what fails.

use std::collections::BTreeSet;

use airgate::config::Config;
use airgate::diagnostic::Level;
use airgate::finding::{Finding, Verdict};
use airgate::rules::{Example, Expectation, Rule, RuleSet};

/// Rules whose fix takes something away, which no snippet can show: a key in clear, an access key, a second user of a role.
const TAKES_AWAY: [&str; 3] = ["AWS-AGC-SEC-001", "AWS-IAM-IAM-003", "AWS-IAM-IAM-005"];

/// What is wrong with the snippets of `## Fix`: each is Terraform, and one of them mends an example that fails.
pub(crate) fn faults(
    rule: &Rule,
    examples: &[Example<'_>],
    only_this: &RuleSet,
    config: &Config,
) -> Vec<String> {
    let snippets: Vec<&str> =
        rule.fix().split("```hcl\n").skip(1).filter_map(|it| it.split("```").next()).collect();
    let mut faults: Vec<String> = snippets
        .iter()
        .filter(|snippet| !parses(snippet))
        .map(|snippet| format!("{}: the fix is not understood: {snippet}", rule.path()))
        .collect();
    let fails = || examples.iter().filter(|it| it.expect == Expectation::Fail && it.before.is_none());
    let bodies: Vec<&str> = snippets.iter().copied().filter(|snippet| is_body(snippet)).collect();
    let inner: Vec<String> = bodies.iter().filter_map(|snippet| in_block(snippet)).collect();
    let bodies: Vec<&str> = bodies.into_iter().chain(inner.iter().map(String::as_str)).collect();
    let mends = |example: &Example<'_>, files: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> = [("main.tf", example.text)].iter().chain(files).copied().collect();
        let Ok(report) = airgate::analyze_text(&all, only_this, config) else { return false };
        let is_failure = |finding: &Finding| finding.verdict == Verdict::Fail;
        // What is mended may be none of those that the rule is about any more.
        let is_understood = report.diagnostics.iter().all(|it| it.level < Level::Error);
        is_understood && !report.findings.iter().any(is_failure)
    };
    let is_mended = |example: &Example<'_>| {
        bodies.iter().any(|snippet| {
            ["fix.tf", "fix_override.tf"].iter().any(|name| mends(example, &[(name, snippet)]))
                || overrides(example, snippet).iter().any(|it| mends(example, &[("fix_override.tf", it)]))
                || insertions(example, snippet)
                    .iter()
                    .any(|it| mends(&Example { text: it, ..example.clone() }, &[]))
        })
    };
    let is_shown = !bodies.is_empty() && !TAKES_AWAY.contains(&rule.id());
    if is_shown && fails().next().is_some() && !fails().any(is_mended) {
        faults.push(format!("{}: no example that fails passes with the fix", rule.path()));
    }
    faults
}

fn parses(snippet: &str) -> bool {
    let arena = bumpalo::Bump::new();
    let file = airgate::source::Sources::default().add("fix", snippet);
    is_body(snippet) || airgate::hcl::parse_expression(snippet.trim(), file, &arena).1.is_empty()
}

fn is_body(snippet: &str) -> bool {
    let arena = bumpalo::Bump::new();
    let file = airgate::source::Sources::default().add("fix", snippet);
    airgate::hcl::parse(snippet, file, &arena).1.is_empty()
}

/// What is in the block that a snippet is, beside `# ...`.
fn in_block(snippet: &str) -> Option<String> {
    let lines: Vec<&str> = snippet.trim_end().lines().collect();
    let [first, inner @ .., "}"] = &lines[..] else { return None };
    let is_one = first.ends_with('{') && inner.iter().all(|line| line.is_empty() || line.starts_with("  "));
    let text: Vec<&str> = inner.iter().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    is_one.then(|| text.join("\n") + "\n")
}

/// The override files that put a snippet into a resource of the example: what is in a resource into any, a resource into each
/// of its type.
fn overrides(example: &Example<'_>, snippet: &str) -> Vec<String> {
    let head = |line: &str| -> Option<(String, String)> {
        let mut words = line.strip_prefix("resource ")?.split('"').filter(|it| !it.trim().is_empty());
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    let resources: Vec<_> = example.text.lines().filter_map(head).collect();
    let own: Vec<_> = snippet.lines().filter_map(head).collect();
    if own.is_empty() {
        return resources
            .iter()
            .map(|(ty, name)| format!("resource \"{ty}\" \"{name}\" {{\n{snippet}\n}}\n"))
            .collect();
    }
    let of_type = |ty: &str, name: &str| {
        let others = resources.iter().filter(move |(other, _)| other == ty);
        let renamed = others.map(|(_, other)| {
            snippet.replace(&format!("\"{ty}\" \"{name}\""), &format!("\"{ty}\" \"{other}\""))
        });
        renamed.collect::<Vec<_>>()
    };
    own.iter().flat_map(|(ty, name)| of_type(ty, name)).collect()
}

/// The example with a snippet at the beginning of each of its blocks, in place of what is called alike there.
fn insertions(example: &Example<'_>, snippet: &str) -> Vec<String> {
    // Examples and snippets are formatted: what is in a block is indented by more than the block.
    let depth = |line: &str| line.len() - line.trim_start().len();
    let name = |line: &str| line.split(['=', '{', ':']).next().unwrap_or_default().trim().to_owned();
    let begins = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    let names: BTreeSet<String> = snippet.lines().filter(begins).map(name).collect();
    let lines: Vec<&str> = example.text.lines().collect();
    let insert = |at: usize| {
        let (before, after) = lines.split_at_checked(at + 1)?;
        let mut text: Vec<&str> = before.iter().copied().chain(snippet.lines()).collect();
        let (mut is_inside, mut skipped) = (true, None);
        let inner = after.iter().find(|line| !line.is_empty()).map_or(0, |line| depth(line));
        before.last().filter(|line| line.ends_with('{'))?;
        for line in after {
            is_inside &= line.is_empty() || depth(line) >= inner;
            if let Some(close) = skipped {
                skipped = Some(close).filter(|_| depth(line) > inner || !line.trim().starts_with(close));
                continue;
            }
            if is_inside && depth(line) == inner && names.contains(&name(line)) {
                let last = line.chars().last().unwrap_or_default();
                skipped =
                    [('{', '}'), ('[', ']'), ('(', ')')].into_iter().find(|it| it.0 == last).map(|it| it.1);
                continue;
            }
            text.push(line);
        }
        Some(text.join("\n"))
    };
    (0..lines.len()).filter_map(insert).collect()
}
