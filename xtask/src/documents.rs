//! `cargo xtask documents`: writes `fixtures/data/documents.jsonl`, policy documents made by chance (the same each time) and
//! what the AWS provider renders them to. A line is `{"body", "minified", "id"}` or `{"body", "error"}`; the id is the
//! checksum of the indented text.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::generate::Chance;
use crate::schema::{Workspace, root};

const COUNT: usize = 200;

pub(crate) fn run() -> Result<()> {
    let mut chance = Chance::new(0x2545_f491_4f6c_dd1d);
    let bodies: Vec<String> = (0..COUNT).map(|_| document(&mut chance)).collect();
    let Some(workspace) = Workspace::new("documents")? else { return Ok(()) };
    let mut refused = BTreeSet::new();
    let planned = loop {
        for (index, body) in bodies.iter().enumerate() {
            let block = format!("data \"aws_iam_policy_document\" \"d\" {{\n{body}}}\n");
            let block = block.replace("\"d\"", &format!("\"d{index}\""));
            let outputs = format!(
                "resource \"terraform_data\" \"d{index}\" {{\n  input = {{ minified = data.aws_iam_policy_document.d{index}.minified_json, id = data.aws_iam_policy_document.d{index}.id }}\n}}\n"
            );
            let text = if refused.contains(&index) { String::new() } else { block + &outputs };
            workspace.write(&format!("d{index}.tf"), &text)?;
        }
        let output =
            workspace.try_terraform(&["plan", "-json", "-input=false", "-lock=false", "-out=plan"])?;
        if output.status.success() {
            let shown = workspace.terraform(&["show", "-json", "plan"])?;
            break serde_json::from_slice::<Value>(&shown.stdout)?;
        }
        let text = String::from_utf8(output.stdout)?;
        let before = refused.len();
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let file = line["diagnostic"]["range"]["filename"].as_str().unwrap_or_default();
            let index =
                file.strip_prefix('d').and_then(|rest| rest.strip_suffix(".tf")?.parse::<usize>().ok());
            if line["diagnostic"]["severity"] == "error" {
                refused.extend(index);
            }
        }
        if refused.len() == before {
            bail!("{text}{}", String::from_utf8_lossy(&output.stderr));
        }
    };
    let input = |index: usize| {
        let name = format!("d{index}");
        let mut changes = planned["resource_changes"].as_array().into_iter().flatten();
        changes
            .find(|change| change["name"] == name.as_str())
            .map(|change| &change["change"]["after"]["input"])
    };
    let mut out = String::new();
    for (index, body) in bodies.iter().enumerate() {
        let line = match input(index) {
            Some(input) => json!({ "body": body, "minified": input["minified"], "id": input["id"] }),
            None => json!({ "body": body, "error": true }),
        };
        out.push_str(&serde_json::to_string(&line)?);
        out.push('\n');
    }
    std::fs::write(root().join("fixtures/data/documents.jsonl"), out)?;
    eprintln!("{COUNT} documents, {} refused", refused.len());
    Ok(())
}

const ACTIONS: &[&str] = &[
    "s3:*",
    "s3:GetObject",
    "*",
    "sagemaker:CreateModel",
    "bedrock:InvokeModel",
    "kms:Decrypt",
    "iam:PassRole",
];
const RESOURCES: &[&str] =
    &["*", "arn:aws:s3:::b", "arn:aws:s3:::b/*", "arn:aws:s3:::&{aws:username}/*", "arn:aws:iam::1:role/<&>"];
const PRINCIPALS: &[&str] =
    &["*", "arn:aws:iam::111122223333:root", "111122223333", "s3.amazonaws.com", "ml.&{x}"];
const KINDS: &[&str] = &["AWS", "AWS", "Service", "Federated", "*", "CanonicalUser"];
const TESTS: &[&str] =
    &["StringEquals", "StringLike", "Bool", "ForAnyValue:StringLike", "ArnLike", "NumericLessThan"];
const VARIABLES: &[&str] = &["aws:SourceAccount", "aws:PrincipalTag/team", "s3:prefix", "aws:SourceArn"];
const VALUES: &[&str] = &["true", "a", "b", "", "&{aws:username}", "home/*", "10"];
const SIDS: &[&str] = &["A", "B", "C", "", "D"];

fn document(chance: &mut Chance) -> String {
    let mut out = String::new();
    let mut push = |line: String| {
        out.push_str("  ");
        out.push_str(&line);
        out.push('\n');
    };
    if chance.one_in(4) {
        push(format!("policy_id = \"{}\"", chance.pick(&["id", "x y", ""])));
    }
    if chance.one_in(6) {
        push(format!("version = \"{}\"", chance.pick(&["2012-10-17", "2008-10-17", "2012-10-17"])));
    }
    for argument in ["source_policy_documents", "override_policy_documents"] {
        if chance.one_in(3) {
            let documents: Vec<String> = (0..=chance.next(2)).map(|_| written(chance)).collect();
            push(format!("{argument} = [{}]", documents.join(", ")));
        }
    }
    for _ in 0..chance.next(5) {
        push(format!("statement {{\n{}  }}", statement(chance)));
    }
    out
}

fn texts(chance: &mut Chance, of: &[&str], least: usize) -> String {
    let count = least + chance.next(3);
    let items: Vec<String> = (0..count).map(|_| format!("\"{}\"", chance.pick(of))).collect();
    format!("[{}]", items.join(", "))
}

fn statement(chance: &mut Chance) -> String {
    let mut lines = Vec::new();
    if chance.one_in(2) {
        lines.push(format!("sid = \"{}\"", chance.pick(SIDS)));
    }
    if chance.one_in(2) {
        lines.push(format!("effect = \"{}\"", chance.pick(&["Allow", "Deny"])));
    }
    let list = |chance: &mut Chance, name: &str, of: &[&str]| format!("{name} = {}", texts(chance, of, 0));
    match chance.next(4) {
        0 => lines.push(list(chance, "not_actions", ACTIONS)),
        _ => lines.push(list(chance, "actions", ACTIONS)),
    }
    match chance.next(5) {
        0 => lines.push(list(chance, "not_resources", RESOURCES)),
        1 => {}
        _ => lines.push(list(chance, "resources", RESOURCES)),
    }
    for name in ["principals", "not_principals"] {
        if chance.one_in(if name == "principals" { 2 } else { 5 }) {
            for _ in 0..=chance.next(3) {
                let (kind, identifiers) = (chance.pick(KINDS), texts(chance, PRINCIPALS, 1));
                lines.push(format!(
                    "{name} {{\n      type        = \"{kind}\"\n      identifiers = {identifiers}\n    }}"
                ));
            }
        }
    }
    if chance.one_in(2) {
        for _ in 0..=chance.next(3) {
            let (test, variable) = (chance.pick(TESTS), chance.pick(VARIABLES));
            let values = texts(chance, VALUES, 1);
            lines.push(format!(
                "condition {{\n      test     = \"{test}\"\n      variable = \"{variable}\"\n      values   = {values}\n    }}"
            ));
        }
    }
    lines.into_iter().map(|line| format!("    {line}\n")).collect()
}

/// A document as somebody else wrote it: single texts where lists may be, numbers, other versions.
fn written(chance: &mut Chance) -> String {
    let mut entries = Vec::new();
    if !chance.one_in(5) {
        entries.push(format!("Version = \"{}\"", chance.pick(&["2012-10-17", "2008-10-17", "2012-10-17"])));
    }
    if chance.one_in(5) {
        entries.push("Id = \"theirs\"".to_owned());
    }
    let statements: Vec<String> = (0..chance.next(4)).map(|_| written_statement(chance)).collect();
    entries.push(format!("Statement = [{}]", statements.join(", ")));
    format!("jsonencode({{ {} }})", entries.join(", "))
}

fn one_or_more(chance: &mut Chance, of: &[&str]) -> String {
    if chance.one_in(2) { format!("\"{}\"", chance.pick(of)) } else { texts(chance, of, 0) }
}

fn written_statement(chance: &mut Chance) -> String {
    let mut entries = Vec::new();
    if chance.one_in(2) {
        entries.push(format!("Sid = \"{}\"", chance.pick(SIDS)));
    }
    if !chance.one_in(8) {
        entries.push(format!("Effect = \"{}\"", chance.pick(&["Allow", "Deny"])));
    }
    let (action, resource) = (one_or_more(chance, ACTIONS), one_or_more(chance, RESOURCES));
    entries.push(format!("{} = {action}", chance.pick(&["Action", "Action", "NotAction"])));
    entries.push(format!("{} = {resource}", chance.pick(&["Resource", "Resource", "NotResource"])));
    match chance.next(5) {
        0 => entries.push("Principal = \"*\"".to_owned()),
        1 => {
            let (one, two) = (one_or_more(chance, PRINCIPALS), one_or_more(chance, PRINCIPALS));
            entries.push(format!("Principal = {{ AWS = {one}, Service = {two} }}"));
        }
        2 => entries.push(format!("NotPrincipal = {{ AWS = {} }}", one_or_more(chance, PRINCIPALS))),
        _ => {}
    }
    if chance.one_in(3) {
        let (test, variable) = (chance.pick(TESTS), chance.pick(VARIABLES));
        let value = match chance.next(5) {
            0 => "true".to_owned(),
            1 => "[\"a\", \"b\", \"a\"]".to_owned(),
            _ => one_or_more(chance, VALUES),
        };
        entries.push(format!("Condition = {{ {} = {{ \"{variable}\" = {value} }} }}", quoted(test)));
    }
    format!("{{ {} }}", entries.join(", "))
}

fn quoted(test: &str) -> String {
    format!("\"{test}\"")
}
