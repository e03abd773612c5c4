//! The residency report, for people and as JSON (`airgate.residency/v1`).

use serde::Serialize;
use serde_json::{Value, json as object};

use super::scrub;
use super::scrub::SafeJson;
use crate::facts::residency::{Leaving, Report, Row};
use crate::value::Truth;

/// The groups of the text, the worst first.
const GROUPS: [(Option<Truth>, &str); 4] = [
    (Some(Truth::No), "outside of where data may be"),
    (Some(Truth::Maybe), "cannot be told"),
    (Some(Truth::Yes), "inside"),
    (None, "nothing is promised"),
];

/// The report for people.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for input in &report.inputs {
        if report.inputs.len() > 1 {
            out.push_str(&format!("{}\n\n", input.path));
        }
        for (verdict, title) in GROUPS {
            let rows: Vec<&Row> = input.rows.iter().filter(|row| row.verdict() == verdict).collect();
            if rows.is_empty() {
                continue;
            }
            out.push_str(&format!("{title}:\n"));
            for row in rows {
                lines(row, &mut out);
            }
            out.push('\n');
        }
    }
    let rows = || report.inputs.iter().flat_map(|input| &input.rows);
    let count = |verdict| rows().filter(|row| row.verdict() == verdict).count();
    let all = rows().count();
    out.push_str(&format!(
        "{all} {} data: {} outside, {} cannot be told, {} inside",
        if all == 1 { "resource holds or processes" } else { "resources hold or process" },
        count(Some(Truth::No)),
        count(Some(Truth::Maybe)),
        count(Some(Truth::Yes)),
    ));
    match count(None) {
        0 => {}
        free => out.push_str(&format!(", {free} without a promise")),
    }
    out.push('\n');
    out.lines().map(|line| scrub(line) + "\n").collect()
}

/// A resource, where it is, and what leaves it.
fn lines(row: &Row, out: &mut String) {
    let place = match (&row.region, row.jurisdiction) {
        (Some(region), Some(jurisdiction)) => format!("{region} ({jurisdiction})"),
        (Some(region), None) => region.clone(),
        (None, _) if row.global => "a global service".to_owned(),
        (None, _) => "a region that cannot be told".to_owned(),
    };
    out.push_str(&format!("  {}\n", row.address));
    let mark = mark(row.at_rest, row.cause.as_deref());
    out.push_str(&format!("      at rest: {place}{mark}\n"));
    for leaving in &row.leaves {
        let mark = self::mark(leaving.stays, leaving.cause.as_deref());
        out.push_str(&format!("      {}: {}{mark}\n", leaving.what, leaving.ways.join(" or ")));
    }
    if let Some(allowed) = &row.allowed {
        out.push_str(&format!("      allowed: {} ({})\n", allowed.join(", "), row.allowed_by));
    }
}

fn mark(truth: Truth, cause: Option<&str>) -> String {
    match (truth, cause) {
        (Truth::Yes, _) => String::new(),
        (Truth::No, _) => ", OUTSIDE".to_owned(),
        (Truth::Maybe, Some(cause)) => format!(", not known: {cause}"),
        (Truth::Maybe, None) => ", not known".to_owned(),
    }
}

/// The report for programs.
pub fn json(report: &Report) -> String {
    let inputs: Vec<Value> = report
        .inputs
        .iter()
        .map(|input| object!({ "path": input.path, "resources": input.rows.iter().map(row).collect::<Vec<_>>() }))
        .collect();
    let all = object!({
        "schema": "airgate.residency/v1",
        "version": env!("CARGO_PKG_VERSION"),
        "inputs": inputs,
        "incomplete": report.unsure,
    });
    let mut out = Vec::new();
    // A buffer takes everything, and such a value can always be written.
    let _infallible = all.serialize(&mut serde_json::Serializer::with_formatter(&mut out, SafeJson));
    String::from_utf8(out).unwrap_or_default() + "\n"
}

fn row(row: &Row) -> Value {
    object!({
        "address": row.address,
        "type": row.type_name,
        "allowed": row.allowed,
        "allowed_by": row.allowed_by,
        "at_rest": {
            "region": row.region,
            "jurisdiction": row.jurisdiction,
            "global": row.global,
            "verdict": verdict(Some(row.at_rest)),
            "cause": row.cause,
        },
        "leaves": row.leaves.iter().map(leaving).collect::<Vec<_>>(),
        "verdict": verdict(row.verdict()),
    })
}

fn leaving(leaving: &Leaving) -> Value {
    object!({
        "kind": leaving.kind.name(),
        "what": leaving.what,
        "attribute": leaving.attribute,
        "ways": leaving.ways,
        "regions": leaving.regions,
        "verdict": verdict(Some(leaving.stays)),
        "cause": leaving.cause,
    })
}

fn verdict(truth: Option<Truth>) -> Option<&'static str> {
    truth.map(|truth| match truth {
        Truth::Yes => "inside",
        Truth::No => "outside",
        Truth::Maybe => "undetermined",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::residency::InputRows;

    #[test]
    fn what_is_outside_comes_first_and_is_counted() {
        let row = |address: &str, at_rest| Row {
            address: address.to_owned(),
            type_name: "aws_s3_bucket".to_owned(),
            allowed: Some(vec!["EU".to_owned()]),
            allowed_by: "configuration".to_owned(),
            region: Some("us-east-1".to_owned()),
            jurisdiction: Some("US"),
            global: false,
            at_rest,
            cause: None,
            leaves: Vec::new(),
        };
        let rows = vec![row("a", Truth::Yes), row("b\u{1b}[31m", Truth::No)];
        let report = Report { inputs: vec![InputRows { path: "p".to_owned(), rows }], unsure: Vec::new() };
        let text = text(&report);
        assert!(text.find("  b").unwrap() < text.find("inside:").unwrap(), "{text}");
        assert!(text.ends_with("2 resources hold or process data: 1 outside, 0 cannot be told, 1 inside\n"));
        assert!(!text.contains('\u{1b}'));
        let rows = vec![row("a", Truth::Yes)];
        let one = Report { inputs: vec![InputRows { path: "p".to_owned(), rows }], unsure: Vec::new() };
        let ends = "\n1 resource holds or processes data: 0 outside, 0 cannot be told, 1 inside\n";
        assert!(super::text(&one).ends_with(ends));
        let json: Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(json["inputs"][0]["resources"][1]["verdict"], "outside");
    }
}
