//! What GitHub code scanning asks of a SARIF file, and what it would refuse.
#![cfg(test)]

#[path = "common/reports.rs"]
mod reports;

use std::collections::BTreeSet;

use airgate::report::{Format, Options, write};
use reports::{SAMPLES, sample};
use serde_json::Value;

fn sarif(name: &str) -> Value {
    let mut out = Vec::new();
    write(&sample(name), Format::Sarif, &Options::default(), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// The only run of the file, and its results.
fn run(name: &str) -> (Value, Vec<Value>) {
    let run = sarif(name)["runs"][0].take();
    let results = run["results"].as_array().unwrap().clone();
    (run, results)
}

#[test]
fn every_result_has_what_github_requires() {
    for (name, _) in SAMPLES {
        let (run, results) = run(name);
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in results {
            let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[rule]["id"], result["ruleId"], "{name}");
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert_eq!(result["kind"], "fail");
            let location = &result["locations"][0]["physicalLocation"];
            let uri = location["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%".contains(&b)), "{uri}");
            assert!(!uri.starts_with('/') && !uri.is_empty());
            let at = |key: &str| location["region"][key].as_u64().unwrap();
            assert!(at("startLine") >= 1 && at("startColumn") >= 1);
            let (start, end) = ((at("startLine"), at("startColumn")), (at("endLine"), at("endColumn")));
            assert!(start < end, "{name}: the region is not empty: {start:?} {end:?}");
            assert_eq!(result["partialFingerprints"]["airgateResource/v1"].as_str().unwrap().len(), 64);
            assert!(!result["locations"][0]["logicalLocations"].as_array().unwrap().is_empty());
        }
    }
}

#[test]
fn every_rule_has_what_github_requires() {
    let (run, results) = run("clean");
    assert!(results.is_empty());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 4, "all rules that ran are listed, not only those that found something");
    let mut severities = BTreeSet::new();
    for rule in rules {
        for key in ["shortDescription", "fullDescription", "help"] {
            let text = rule[key]["text"].as_str().unwrap();
            assert!(!text.is_empty() && text.chars().count() <= 1024, "{key}");
        }
        assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# "));
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"));
        let tags = rule["properties"]["tags"].as_array().unwrap();
        assert!(tags.len() <= 10 && tags.contains(&"security".into()) && tags.contains(&"C-ENC-01".into()));
        let score: f64 = rule["properties"]["security-severity"].as_str().unwrap().parse().unwrap();
        severities.insert(match score {
            s if s > 9.0 => "critical",
            s if s >= 7.0 => "high",
            s if s >= 4.0 => "medium",
            _ => "low",
        });
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning", "note"].contains(&level));
    }
    assert_eq!(severities.len(), 4, "GitHub tells our four severities apart");
}

#[test]
fn a_result_points_at_its_lines() {
    let (_, results) = run("typical");
    assert_eq!(results.len(), 3, "only failures");
    let result = &results[0];
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "infra/main.tf");
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region, &serde_json::json!({"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 31}));
    assert_eq!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "aws_s3_bucket.raw");
    assert_eq!(result["relatedLocations"].as_array().unwrap().len(), 2);
    assert_eq!(
        result["message"]["text"],
        "training data can be read by anyone: aws_s3_bucket.raw. See [read by the training job](1), [owner is set here](2)."
    );
    let hash = result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap();
    assert!(hash.ends_with(":1"), "{hash}");
}

#[test]
fn the_way_of_a_value_is_linked_and_is_a_path() {
    let (_, results) = run("typical");
    let result = &results[1];
    let text = result["message"]["text"].as_str().unwrap();
    assert!(text.ends_with(" The value came through [local.key](1), [var.key](2)."), "{text}");
    let place = |location: &Value| {
        let physical = &location["physicalLocation"];
        let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
        format!("{} {uri}:{}", location["message"]["text"].as_str().unwrap(), physical["region"]["startLine"])
    };
    let related: Vec<_> = result["relatedLocations"].as_array().unwrap().iter().map(place).collect();
    assert_eq!(related, ["local.key infra/main.tf:2", "var.key infra/prod.tfvars:2"]);
    let path = |flow: &Value| -> Vec<String> {
        let [thread] = flow["threadFlows"].as_array().unwrap().as_slice() else { panic!("one thread") };
        thread["locations"].as_array().unwrap().iter().map(|step| place(&step["location"])).collect()
    };
    let paths: Vec<_> = result["codeFlows"].as_array().unwrap().iter().map(path).collect();
    let end = ["local.key infra/main.tf:2", "it decides here infra/main.tf:7"];
    assert_eq!(paths.len(), 2, "one for each way");
    assert_eq!(paths[0], ["var.key infra/prod.tfvars:2", end[0], end[1]]);
    assert_eq!(paths[1], end, "an option is in no file");
    assert!(results[2].get("codeFlows").is_none());
}

#[test]
fn what_the_input_wrote_does_not_become_a_link() {
    let (_, results) = run("hostile");
    let text = results[0]["message"]["text"].as_str().unwrap();
    let links: Vec<_> = text.match_indices("](").map(|(at, _)| &text[at..]).collect();
    assert!(links.len() == 2 && links[0].starts_with("](1). ") && links[1] == "](2).", "{text}");
}

#[test]
fn findings_of_one_place_are_one_result() {
    let mut report = sample("typical");
    let mut twin = report.findings[1].clone();
    twin.resources.truncate(1);
    twin.resources[0].address = "module.b.aws_sagemaker_notebook_instance.lab".into();
    report.findings.insert(2, twin);
    let mut out = Vec::new();
    write(&report, Format::Sarif, &Options::default(), &mut out).unwrap();
    let run = serde_json::from_slice::<Value>(&out).unwrap()["runs"][0].take();
    assert_eq!(run["results"].as_array().unwrap().len(), 3);
    assert_eq!(run["results"][1]["properties"]["resources"].as_array().unwrap().len(), 8);
}

#[test]
fn too_many_results_lose_the_least_severe() {
    let (run, results) = run("many");
    assert_eq!(results.len(), 5_000);
    assert_eq!(results.iter().filter(|result| result["level"] == "error").count(), 10);
    assert_eq!(results[0]["level"], "error", "the worst comes first");
    let said = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(said.starts_with("1000 results"), "{said}");
}

#[test]
fn a_run_that_is_not_sure_says_so() {
    let (run, _) = run("broken");
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().unwrap().len(), 2);
    assert_eq!(self::run("clean").0["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn one_root_has_one_category() {
    assert_eq!(run("clean").0["automationDetails"]["id"], "airgate/infra/");
}

#[test]
fn results_say_what_a_change_does_and_what_it_resolves_is_no_result() {
    let (run, results) = run("changed");
    let states: Vec<(&str, &str)> = results
        .iter()
        .map(|r| (r["baselineState"].as_str().unwrap(), r["properties"]["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("new", "regression"), ("new", "new"), ("unchanged", "unchanged")]);
    assert_eq!(run["properties"]["change"]["resolved"], 2);
    let (run, results) = self::run("typical");
    assert!(results.iter().all(|result| result.get("baselineState").is_none()));
    assert!(run["properties"].get("change").is_none());
}
