//! `cargo xtask truth [FILE.txt…]`: what Terraform makes of expressions.
//!
//! Without files it writes `fixtures/truth/generated.txt` anew (the same each time: see `generate.rs`) and answers it. Each
//! line of FILE.txt is an expression, `unk` an unknown string; the answers go to FILE.jsonl beside it, as tests/truth.rs
//! reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::generate;
use crate::schema::{Workspace, root};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut files: Vec<PathBuf> = args.iter().map(PathBuf::from).collect();
    if files.is_empty() {
        let path = root().join("fixtures/truth/generated.txt");
        std::fs::write(&path, generate::all())?;
        files.push(path);
    }
    let Some(workspace) = Workspace::bare("truth")? else { return Ok(()) };
    for file in &files {
        answer(&workspace, file)?;
    }
    Ok(())
}

/// Writes the answers to the expressions of one file. What Terraform cannot write as JSON is taken out of the file.
fn answer(workspace: &Workspace, file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let is_comment = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let expressions: Vec<&str> = text.lines().filter(|line| !is_comment(line)).collect();
    let mut answers = BTreeMap::new();
    let mut open: BTreeSet<usize> = (0..expressions.len()).collect();
    // Evaluation stops at the first kind of errors, so there may be several rounds.
    while let Some(errors) = refused(workspace, &expressions, &open)? {
        for (index, message) in errors {
            open.remove(&index);
            let Some(message) = message else {
                eprintln!("left out: {}", expressions[index]);
                continue;
            };
            let message: String = message.chars().take(200).collect();
            answers.insert(index, json!({ "expr": expressions[index], "error": message }));
        }
    }
    solve(workspace, &expressions, &open.iter().copied().collect::<Vec<_>>(), &mut answers)?;
    let mut out = String::new();
    for answer in answers.values() {
        out.push_str(&serde_json::to_string(answer)?);
        out.push('\n');
    }
    std::fs::write(file.with_extension("jsonl"), out)?;
    let answered: BTreeSet<&str> = answers.values().filter_map(|answer| answer["expr"].as_str()).collect();
    let kept = text.lines().filter(|line| is_comment(line) || answered.contains(line));
    std::fs::write(file, kept.map(|line| format!("{line}\n")).collect::<String>())?;
    let errors = answers.values().filter(|answer| answer.get("error").is_some()).count();
    eprintln!("{}: {} answers, {errors} of them errors", file.display(), answers.len());
    Ok(())
}

/// The file that plans each expression, one a line.
fn configuration(expressions: &[&str], open: impl IntoIterator<Item = usize>) -> String {
    let mut lines = vec![String::new(); expressions.len()];
    for index in open {
        let body = with_unknown(expressions[index]);
        lines[index] = format!("resource \"terraform_data\" \"e{index}\" {{ input = {{ v = {body} }} }}");
    }
    format!("{}\nresource \"terraform_data\" \"unk\" {{}}\n", lines.join("\n"))
}

/// The expression with the unknown in the place of the word `unk`.
fn with_unknown(expression: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut out = String::new();
    let mut rest = expression;
    while let Some(at) = rest.find("unk") {
        let (before, after) = (&rest[..at], &rest[at + 3..]);
        let alone = !before.ends_with(is_word) && !after.starts_with(is_word);
        out.push_str(before);
        out.push_str(if alone { "terraform_data.unk.id" } else { "unk" });
        rest = after;
    }
    out + rest
}

/// The expressions that Terraform refuses, with what it says, or nothing if it only cannot write the value as JSON; [`None`]
/// if there are none.
fn refused(
    workspace: &Workspace,
    expressions: &[&str],
    open: &BTreeSet<usize>,
) -> Result<Option<BTreeMap<usize, Option<String>>>> {
    workspace.write("main.tf", &configuration(expressions, open.iter().copied()))?;
    let output = workspace.try_terraform(&["plan", "-json", "-input=false", "-lock=false", "-out=plan"])?;
    if output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8(output.stdout)?;
    let mut errors = BTreeMap::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let diagnostic = &line["diagnostic"];
        let at = diagnostic["range"]["start"]["line"].as_u64().and_then(|line| usize::try_from(line).ok());
        if diagnostic["severity"] != "error" {
            continue;
        }
        let said = |key: &str| diagnostic[key].as_str().unwrap_or_default().replace('\n', " ");
        let (summary, detail) = (said("summary"), said("detail"));
        let named =
            || summary.strip_prefix("failed to encode terraform_data.e")?.split(' ').next()?.parse().ok();
        match at.and_then(|line| line.checked_sub(1)) {
            Some(index) => drop(errors.insert(index, Some(format!("{summary}: {detail}")))),
            None => drop(named().and_then(|index| errors.insert(index, None))),
        }
    }
    if errors.is_empty() {
        bail!("{text}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Some(errors))
}

/// Asks for the values of expressions without error, in halves where the plan as a whole cannot be shown.
fn solve(
    workspace: &Workspace,
    expressions: &[&str],
    open: &[usize],
    answers: &mut BTreeMap<usize, Value>,
) -> Result<()> {
    if open.is_empty() {
        return Ok(());
    }
    workspace.write("main.tf", &configuration(expressions, open.iter().copied()))?;
    let plan = workspace.try_terraform(&["plan", "-input=false", "-lock=false", "-out=plan"])?;
    let shown = workspace.try_terraform(&["show", "-json", "plan"])?;
    if !plan.status.success() || !shown.status.success() {
        if let [only] = open {
            eprintln!("left out: {}", expressions[*only]);
            return Ok(());
        }
        let (first, second) = open.split_at(open.len() / 2);
        solve(workspace, expressions, first, answers)?;
        return solve(workspace, expressions, second, answers);
    }
    let shown: Value = serde_json::from_slice(&shown.stdout)?;
    for change in shown["resource_changes"].as_array().into_iter().flatten() {
        let name = change["name"].as_str().unwrap_or_default();
        let Some(index) = name.strip_prefix('e').and_then(|digits| digits.parse::<usize>().ok()) else {
            continue;
        };
        let (after, unknown) =
            (&change["change"]["after"]["input"], &change["change"]["after_unknown"]["input"]);
        let unknown = if *unknown == true { unknown } else { &unknown["v"] };
        let mut answer = json!({ "expr": expressions[index], "known": !holds_true(unknown) });
        if *unknown != true {
            answer["value"] = after["v"].clone();
        }
        if holds_true(unknown) {
            answer["unknown"] = unknown.clone();
        }
        answers.insert(index, answer);
    }
    Ok(())
}

fn holds_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Array(items) => items.iter().any(holds_true),
        Value::Object(entries) => entries.values().any(holds_true),
        _ => false,
    }
}
