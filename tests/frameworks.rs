//! Reports by framework, from the command line: which rules run, what is said of each clause, and that it is the same in
//! every format.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "tests that share it need different parts")]
mod program;

use std::collections::BTreeMap;

use program::Dir;
use serde_json::Value;

fn report(arguments: &[&str], format: &str) -> String {
    let fixture = format!("{}/fixtures/rag-bedrock", env!("CARGO_MANIFEST_DIR"));
    let run = Dir::new().run(&[&["check", &fixture, "--no-config", "--format", format], arguments].concat());
    assert_eq!(run.code, Some(1), "{}", run.err);
    run.out
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&report(arguments, "json")).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn only_rules_that_support_the_framework_run_and_they_say_the_same() {
    let (all, some) = (json(&[]), json(&["--framework", "EU-AI-ACT"]));
    let rules = |report: &Value| -> BTreeMap<String, Value> {
        let rules = report["rules"].as_array().unwrap();
        rules.iter().map(|rule| (rule["id"].as_str().unwrap().to_owned(), rule.clone())).collect()
    };
    let (all, some) = (rules(&all), rules(&some));
    let supports =
        |rule: &Value| texts(&rule["clauses"]).iter().any(|clause| clause.starts_with("EU-AI-ACT:"));
    let expected: BTreeMap<_, _> = all.iter().filter(|(_, rule)| supports(rule)).collect();
    assert!(!expected.is_empty() && expected.len() < all.len());
    assert_eq!(some.iter().collect::<BTreeMap<_, _>>(), expected, "and their checks are counted alike");
}

#[test]
fn a_clause_adds_up_what_its_rules_say() {
    let report = json(&["--framework", "eu-ai-act,gdpr"]);
    let checks = |rule: &str| {
        let rules = report["rules"].as_array().unwrap();
        rules.iter().find(|of| of["id"] == rule).unwrap()["checks"].clone()
    };
    let ids: Vec<&str> =
        report["frameworks"].as_array().unwrap().iter().map(|of| of["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["eu-ai-act", "gdpr"]);
    let mut standings = BTreeMap::new();
    for clause in
        report["frameworks"].as_array().unwrap().iter().flat_map(|of| of["clauses"].as_array().unwrap())
    {
        let rules = texts(&clause["rules"]);
        let sum = |what: &str| -> u64 { rules.iter().map(|rule| checks(rule)[what].as_u64().unwrap()).sum() };
        let sums = [sum("failed"), sum("undetermined"), sum("passed")];
        let told = ["failed", "undetermined", "passed"].map(|what| clause["checks"][what].as_u64().unwrap());
        assert_eq!(told, sums, "{clause}");
        let standing = match sums {
            _ if rules.is_empty() => "no-rule",
            [0, 0, 0] => "nothing-to-check",
            [0, 0, _] => "passed",
            [0, ..] => "undetermined",
            _ => "failed",
        };
        assert_eq!(clause["standing"], standing, "{clause}");
        *standings.entry(standing).or_insert(0) += 1;
    }
    assert!(standings.len() >= 4, "the fixture shows nearly all of them: {standings:?}");
    let failures: u64 =
        report["rules"].as_array().unwrap().iter().map(|r| r["checks"]["failed"].as_u64().unwrap()).sum();
    let found = report["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == "fail");
    let found: usize = found.map(|finding| finding["resources"].as_array().unwrap().len()).sum();
    assert_eq!(usize::try_from(failures).unwrap(), found);
}

#[test]
fn people_read_the_word_supports_and_what_no_code_can_show() {
    for format in ["human", "markdown"] {
        let page = report(&["--framework", "eu-ai-act"], format);
        for text in ["EU AI Act", "support these clauses", "12(1)", "AWS-BED-LOG-001", "fundamental rights"] {
            assert!(page.contains(text), "{format}: no {text} in\n{page}");
        }
        assert!(!page.contains("complies") && !page.contains("compliant"), "{format}");
        assert!(!report(&[], format).contains("EU AI Act"), "{format}: nobody asked");
    }
}

#[test]
fn sarif_names_clauses_that_are_there() {
    let log: Value = serde_json::from_str(&report(&["--framework", "eu-ai-act,gdpr"], "sarif")).unwrap();
    let run = &log["runs"][0];
    let mut related = 0;
    for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
        for relationship in rule["relationships"].as_array().unwrap() {
            let target = &relationship["target"];
            let component =
                target["toolComponent"]["index"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap();
            let taxonomy = &run["taxonomies"][component];
            assert_eq!(taxonomy["name"], target["toolComponent"]["name"]);
            assert_eq!(run["tool"]["driver"]["supportedTaxonomies"][component]["name"], taxonomy["name"]);
            assert_eq!(
                taxonomy["taxa"][target["index"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap()]["id"],
                target["id"]
            );
            related += 1;
        }
    }
    assert!(related > 20, "{related}");
    let plain: Value = serde_json::from_str(&report(&[], "sarif")).unwrap();
    assert!(plain["runs"][0].get("taxonomies").is_none());
}

#[test]
fn a_house_has_frameworks_of_its_own() {
    let dir = Dir::new();
    dir.write("policy/frameworks/house.toml", concat!(
        "prefix = 'HOUSE'\nname = 'House rules'\ntitle = '2026'\nkind = 'standard'\n",
        "source = 'https://example.com'\nbeyond = ['the rest']\n[clauses]\n'3.1' = 'prompts are logged'\n'4' = 'nothing'\n"
    ));
    dir.write("policy/controls.toml", "[C-LOG-01]\ntitle = 'Prompts are logged'\nclauses = ['HOUSE:3.1']\n");
    dir.write("main.tf", "resource \"aws_bedrockagent_agent\" \"a\" {}\n");
    let run = dir.run(&["check", "--rules", "policy", "--framework", "house", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let clauses = report["frameworks"][0]["clauses"].as_array().unwrap();
    assert_eq!(
        (clauses[0]["standing"].as_str(), clauses[1]["standing"].as_str()),
        (Some("failed"), Some("no-rule"))
    );
    let unknown = dir.run(&["check", "--rules", "policy", "--framework", "hose"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("no framework is called `hose`; did you mean `house`?"), "{}", unknown.err);
    let broken = "prefix = 1\n";
    dir.write("policy/frameworks/house.toml", broken);
    let run = dir.run(&["check", "--rules", "policy", "--framework", "house"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("house.toml:1:10"), "{}", run.err);
}

#[test]
fn frameworks_are_listed_with_their_rules() {
    let list = Dir::new().run(&["framework"]);
    assert_eq!((list.code, list.out.lines().count()), (Some(0), 24), "{}", list.err);
    let page = Dir::new().run(&["framework", "owasp-llm"]).out;
    assert!(page.contains("LLM01") && page.contains("AWS-BED-GRD-001"), "{page}");
    let page = Dir::new().run(&["framework", "eu-ai-act"]).out;
    assert!(page.contains("no rule"), "{page}");
}
