//! The table of all rules in `rules/README.md`.

use std::fmt::Write as _;

use super::RuleSet;

/// The whole text of `rules/README.md` for `rules`.
pub fn readme(rules: &RuleSet) -> String {
    let mut out = String::from(
        "# The rules\n\n\
         One file a rule. `cargo xtask docs` writes this page; CONTRIBUTING.md tells the life of a rule, and\n\
         docs/rule-language.md what a condition sees. Controls and their clauses are in [controls.toml](controls.toml).\n\n\
         | id | severity | title | control |\n|---|---|---|---|\n",
    );
    for rule in rules.iter() {
        let front = rule.front();
        let path = rule.path();
        let link = path.strip_prefix("rules/").unwrap_or(path);
        let title = rule.title().replace('|', "\\|");
        // Writing to a string cannot fail.
        let _ =
            writeln!(out, "| [{}]({link}) | {} | {title} | {} |", front.id, front.severity, front.control);
    }
    out
}
