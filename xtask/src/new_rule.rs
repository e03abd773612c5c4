//! `cargo xtask new-rule`: one file that loads, from here to a rule in one edit.

use std::path::Path;

use airgate::rules::{Rule, RuleSet, file::FAMILIES};
use anyhow::{Context as _, ensure};

/// Makes a rule of a family (its code: `ENC`) for a service; its name is that of the service and the defect.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let [provider, service, family, defect] = args else {
        anyhow::bail!("usage: cargo xtask new-rule PROVIDER SERVICE FAMILY NAME");
    };
    let rules = RuleSet::builtin()?;
    let (_, family_name) = FAMILIES.iter().find(|(code, _)| *code == family).with_context(|| {
        let known: Vec<&str> = FAMILIES.iter().map(|(code, _)| *code).collect();
        format!("`{family}` is not a family; use one of {}", known.join(", "))
    })?;
    let id = next_id(&rules, provider, service, family)?;
    // Rules of any provider lie together, and their names say what they are about.
    let (dir, prefix) = match provider.as_str() {
        "any" => ("rules/any".to_owned(), String::new()),
        _ => (format!("rules/{provider}/{service}"), format!("{service}-")),
    };
    let name = if defect.starts_with(&prefix) { defect.clone() } else { format!("{prefix}{defect}") };
    ensure!(rules.get(&name).is_none(), "there is a rule `{name}` already");

    let path = format!("{dir}/{id}-{name}.md");
    let text = template(&rules, &id, &name, family, family_name);
    Rule::parse(&path, text.clone().into()).context("the template of a rule is not one")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::create_dir_all(root.join(&dir))?;
    std::fs::write(root.join(&path), text)?;
    println!("{path}\nfill it in, then run: cargo xtask docs && cargo test --test rules");
    Ok(())
}

/// The id after the highest of its kind. The code of a service is that of its other rules, or its first letters.
fn next_id(rules: &RuleSet, provider: &str, service: &str, family: &str) -> anyhow::Result<String> {
    let code = rules
        .iter()
        .find(|rule| rule.path().starts_with(&format!("rules/{provider}/{service}/")))
        .and_then(|rule| rule.id().split('-').nth(1))
        .map_or_else(|| service.chars().take(3).collect::<String>().to_uppercase(), str::to_owned);
    let provider = match provider {
        "azure" => "AZ".to_owned(),
        "google" => "GCP".to_owned(),
        "kubernetes" => "K8S".to_owned(),
        provider => provider.to_uppercase(),
    };
    let prefix = format!("{provider}-{code}-{family}-");
    let numbers = rules
        .iter()
        .flat_map(|rule| std::iter::once(&rule.front().id).chain(rule.front().aliases.iter()))
        .filter_map(|id| id.strip_prefix(&prefix)?.parse::<u32>().ok());
    let next = numbers.max().unwrap_or(0) + 1;
    ensure!(next < 1000, "all numbers of {prefix} are taken");
    Ok(format!("{prefix}{next:03}"))
}

fn template(rules: &RuleSet, id: &str, name: &str, family: &str, family_name: &str) -> String {
    let of_family = format!("C-{family}-");
    let control = rules.controls().keys().find(|control| control.starts_with(&of_family));
    let control = control.map_or("C-GOV-01", AsRef::as_ref);
    format!(
        r#"+++
id = "{id}"
name = "{name}"
family = "{family_name}"
severity = "medium"
control = "{control}"
since = "{}"
revision = 1
types = ["aws_s3_bucket"]
require = "self.bucket != null"
at = "bucket"
message = "FILL: what is wrong, in one sentence without a full stop"
+++

# FILL: the defect as a title

## Why

FILL: what can happen and to whom, in two or three sentences.

## Fix

FILL: what to do, as an order. Show the changed lines where that helps.

## Examples

```hcl fail
# FILL
```

```hcl pass
# FILL
```

```hcl undetermined
# FILL, or take it out where the deciding attribute is never computed
```
"#,
        airgate::rules::VERSION
    )
}
