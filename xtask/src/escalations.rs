//! `docs/escalations.md`: the ways of `rules/iam/escalations.csv`, each with a policy that fails and one that passes, as
//! tests/iam.rs runs them.

use std::fmt::Write as _;

use airgate::iam::escalation::{self, Escalation};

/// The category, its title, and the rule that asks for it.
const CATEGORIES: [(&str, &str, &str); 4] = [
    ("pass-role", "Run something with any role", "AWS-IAM-IAM-001"),
    ("take-over", "Use what runs with a role already", "AWS-IAM-IAM-002"),
    ("credentials", "Take credentials", "AWS-IAM-IAM-002"),
    ("tampering", "Switch off what governs", "ANY-IAM-IAM-001"),
];

/// The page.
pub(crate) fn fresh() -> String {
    let mut out = String::from(
        "# Ways of escalation\n\nGenerated from [`rules/iam/escalations.csv`](../rules/iam/escalations.csv) by `cargo xtask docs`. \
         A role or user that acts for AI, with the statement that *fails*, in whatever\npolicies it is spread, has a finding; with the one that *passes* it has none of \
         this way. `tests/iam.rs` runs every row.\n",
    );
    for (category, title, rule) in CATEGORIES {
        let _ = write!(
            out,
            "\n## {title}\n\nRule `{rule}`, category `{category}`.\n\n| way | what can be done | needs | fails | passes |\n|---|---|---|---|---|\n"
        );
        for way in escalation::of(&[category]) {
            let needs: Vec<String> = way
                .actions
                .iter()
                .map(|group| group.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(" or "))
                .collect();
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | `{}` | `{}` |",
                way.id,
                way.what,
                needs.join(" and "),
                fails(way),
                passes(way)
            );
        }
    }
    out
}

fn allow(actions: &[&str], resource: &str) -> String {
    let actions: Vec<String> = actions.iter().map(|it| format!("\"{it}\"")).collect();
    format!("{{ Effect = \"Allow\", Action = [{}], Resource = \"{resource}\" }}", actions.join(", "))
}

fn firsts(way: &Escalation) -> Vec<&'static str> {
    way.actions.iter().filter_map(|group| group.first().copied()).collect()
}

fn fails(way: &Escalation) -> String {
    allow(&firsts(way), "*")
}

/// One role by name, or what decides denied beside it.
fn passes(way: &Escalation) -> String {
    let actions = firsts(way);
    match actions.split_first() {
        Some((&"iam:PassRole", rest)) => {
            format!(
                "{}, {}",
                allow(&["iam:PassRole"], "arn:aws:iam::111122223333:role/one"),
                allow(rest, "*")
            )
        }
        _ => {
            let last = actions.last().copied().unwrap_or_default();
            format!("{}, {{ Effect = \"Deny\", Action = \"{last}\", Resource = \"*\" }}", fails(way))
        }
    }
}
