//! Plans and states that are damaged, of another kind or of another version: each is named for what it is, with what to do,
//! and none passes for less than it says. `tests/limits.rs` has what is too large or too deep.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use program::{Dir, Run};
use serde_json::{Value, json};

const PLAN: &str = include_str!("../fixtures/bedrock-agent/plan.json");
const BINARY: &[u8] = include_bytes!("../fixtures/binary/changes.tfplan");

fn run(content: impl AsRef<[u8]>) -> Run {
    let dir = Dir::new();
    dir.write("input", content);
    dir.run(&["check", "input", "--show", "undetermined"])
}

/// A plan that creates one notebook, as text: a test breaks it.
fn notebook(after: &str) -> String {
    format!(
        r#"{{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [{{"address":
        "aws_sagemaker_notebook_instance.lab", "mode": "managed", "type": "aws_sagemaker_notebook_instance", "name": "lab",
        "change": {{"actions": ["create"], "before": null, "after": {after}, "after_unknown": {{}}}}}}]}}"#
    )
}

const GOOD: &str = r#"{"name": "lab", "root_access": "Disabled"}"#;

/// The broken files that are stored, with the exit code and what is said.
#[test]
fn each_broken_file_is_named_for_what_it_is() {
    let dir = Dir::new();
    for (name, code, said) in [
        ("duplicate-key.json", 2, "an object has a key twice"),
        ("duplicate-change.json", 2, "duplicate field `after`"),
        ("no-object.json", 2, "what it is or will be is no object"),
        (
            "newer-format.json",
            2,
            "is Terraform JSON of version 2.0; airgate reads 0.1 to 1.x: airgate is older",
        ),
        ("encrypted.tfstate", 2, "OpenTofu has encrypted: use `tofu show -json`"),
        ("state-v3.tfstate", 2, "state of version 3; airgate reads version 4: `terraform state pull`"),
        ("run-task.json", 2, "run task: check what its `plan_json_api_url` gives"),
        ("log-before.json", 2, "with other text before it, such as lines of a log"),
        ("for-people.txt", 2, "as text for people: use `terraform show -json PLAN`"),
        ("cut-off.tfplan", 2, "is cut off or damaged"),
        ("contradicts-schema.json", 1, "the value in the plan or state contradicts the provider's schema"),
        ("errored-plan.json", 2, "is not complete: the plan was saved after an error"),
    ] {
        let path = format!("{}/fixtures/broken/{name}", env!("CARGO_MANIFEST_DIR"));
        let run = dir.run(&["check", "--no-config", "--show", "undetermined", &path]);
        assert_eq!(run.code, Some(code), "{name}: {run:?}");
        assert!(run.out.contains(said) || run.err.contains(said), "{name}: {run:?}");
    }
}

#[test]
fn formats_of_every_version_of_terraform_are_read_or_refused() {
    let with = |version: &str| {
        PLAN.replacen("\"format_version\":\"1.2\"", &format!("\"format_version\":\"{version}\""), 1)
    };
    let whole = run(with("1.2")).out;
    assert!(whole.contains("20 managed resources"));
    for version in ["0.1", "0.2", "1.0", "1.1", "1.9"] {
        assert_eq!(run(with(version)).out, whole, "{version}");
    }
    for version in ["2.0", "10.0", "x"] {
        run(with(version)).refuses(2, &[&format!("is Terraform JSON of version {version}")]);
    }
    let more = format!("{},\"new_in_1_9\":{{\"x\":[1]}}}}", PLAN.trim_end().strip_suffix('}').unwrap());
    assert_eq!(run(more).out, whole, "what a newer minor version adds is passed over");
    // OpenTofu says less of itself.
    let mut tofu: Value = serde_json::from_str(PLAN).unwrap();
    for key in ["applyable", "complete"] {
        tofu.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(run(tofu.to_string()).code, Some(1));
    for (version, said) in [(1, "terraform state pull"), (2, "terraform state pull"), (5, "airgate is older")]
    {
        let state = json!({ "version": version, "serial": 1, "lineage": "x", "modules": [] });
        run(state.to_string()).refuses(2, &[&format!("a Terraform state of version {version}"), said]);
    }
    let state = json!({ "version": 4, "serial": 1, "lineage": "x", "resources": [], "check_results": null, "new": {} });
    assert_eq!(run(state.to_string()).code, Some(0));
}

#[test]
fn every_way_in_which_a_shell_writes_the_plan_is_read() {
    let whole = run(PLAN).out;
    let units: Vec<u16> = PLAN.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    // The places are in the text, so they are the same too.
    for bytes in [
        [b"\xef\xbb\xbf", PLAN.as_bytes()].concat(),
        [b"\xff\xfe", little.as_slice()].concat(),
        [b"\xfe\xff", big.as_slice()].concat(),
        little.clone(),
    ] {
        assert_eq!(run(&bytes).out, whole, "{:?}", &bytes[..4]);
    }
    run(&little[..little.len() - 1]).refuses(2, &["is not UTF-8 text"]);
}

#[test]
fn text_for_people_and_logs_are_named() {
    for text in [
        "\u{1b}[0m\u{1b}[1maws_s3_bucket.b: Refreshing state... [id=b]\u{1b}[0m\n",
        "aws_s3_bucket.b: Refreshing state... [id=b]\n",
        "\nTerraform will perform the following actions:\n",
        "# aws_s3_bucket.b:\nresource \"aws_s3_bucket\" \"b\" {\n}\n",
        "\u{1b}[0m\u{1b}[1m\u{1b}[32mNo changes.\u{1b}[0m",
    ] {
        run(text).refuses(2, &["as text for people", "terraform show -json"]);
    }
    for before in
        ["12:00:00.000 STDOUT [vpc] terraform: ", "time=2026-01-01 level=info msg=x\n", "Acquiring lock\n"]
    {
        run(format!("{before}{PLAN}")).refuses(2, &["with other text before it", "standard output"]);
    }
}

#[test]
fn what_is_there_twice_is_no_plan() {
    run(notebook(GOOD)).reports(1, &["AWS-SM-NET-001"]);
    let twice = notebook(r#"{"name": "lab", "root_access": "Enabled", "root_access": "Disabled"}"#);
    let run_of = run(twice);
    run_of.reports(2, &["cannot understand aws_sagemaker_notebook_instance.lab: an object has a key twice"]);
    assert!(!run_of.out.contains("error[AWS-SM-IAM-001]"), "neither of the two counts");
    let action = notebook(GOOD).replacen("\"before\"", "\"actions\": [\"delete\"], \"before\"", 1);
    run(action).refuses(2, &["duplicate field `actions`"]);
    let changes =
        notebook(GOOD).replacen("{\"format_version\"", "{\"resource_changes\": [], \"format_version\"", 1);
    run(changes).refuses(2, &["duplicate field `resource_changes`"]);
}

#[test]
fn what_is_no_object_or_of_no_such_type_is_unknown() {
    for after in ["5", "\"text\"", "[]", "true"] {
        run(notebook(after)).reports(2, &["what it is or will be is no object"]);
    }
    let wrong = r#"{"name": ["lab"], "root_access": {"x": 1}, "security_groups": "sg-1", "tags": "none",
        "instance_metadata_service_configuration": "v2", "volume_size": "large"}"#;
    let run = run(notebook(wrong));
    assert!(
        run.out.contains("= not known: the value in the plan or state contradicts the provider's schema")
    );
    assert!(!run.out.contains("[AWS-SM-IAM-001]: users"), "{run:?}");
    assert!(run.out.contains("[AWS-SM-IAM-001]: cannot tell whether"), "{run:?}");
}

#[test]
fn keys_with_dots_quotes_and_brackets_are_addresses() {
    for key in ["a.b", "a\"b", "a\\b", "x].y[", "${x}", "ü €"] {
        let address =
            format!("aws_sagemaker_notebook_instance.lab{}", airgate::program::Key::String(key.into()));
        let mut plan: Value = serde_json::from_str(&notebook(GOOD)).unwrap();
        plan["resource_changes"][0]["address"] = json!(address);
        plan["resource_changes"][0]["index"] = json!(key);
        let dir = Dir::new();
        dir.write("plan.json", plan.to_string());
        let run = dir.run(&["check", "plan.json", "--format", "json"]);
        let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"));
        let findings = report["findings"].as_array().unwrap();
        assert!(!findings.is_empty());
        assert!(findings.iter().all(|finding| finding["resources"][0]["address"] == json!(address)), "{key}");
        // All instances of a block have one identity.
        plan["resource_changes"][0]["address"] = json!("aws_sagemaker_notebook_instance.lab[0]");
        plan["resource_changes"][0]["index"] = json!(0);
        dir.write("plan.json", plan.to_string());
        let other = dir.run(&["check", "plan.json", "--format", "json"]);
        let other: Value = serde_json::from_str(&other.out).unwrap();
        assert_eq!(other["findings"][0]["fingerprint"], findings[0]["fingerprint"], "{key}");
    }
}

#[test]
fn a_plan_that_is_cut_anywhere_is_refused_or_unsure() {
    for end in (1..PLAN.len()).step_by(PLAN.len() / 40) {
        let run = run(&PLAN[..PLAN.floor_char_boundary(end)]);
        assert_eq!(run.code, Some(2), "{end}: {run:?}");
    }
    for end in (4..BINARY.len()).step_by(BINARY.len() / 20) {
        run(&BINARY[..end]).refuses(2, &["is a zip archive like a binary plan, but"]);
    }
}

#[test]
fn what_moves_keeps_its_identity() {
    let dir = Dir::new();
    let plan = |address: &str, from: Option<&str>| {
        let mut plan: Value = serde_json::from_str(&notebook(GOOD)).unwrap();
        let entry = &mut plan["resource_changes"][0];
        entry["address"] = json!(address);
        entry["name"] = json!(address.rsplit('.').next().unwrap());
        entry["previous_address"] = json!(from);
        entry["change"]["actions"] = json!(["no-op"]);
        entry["change"]["before"] = entry["change"]["after"].clone();
        dir.write("plan.json", plan.to_string());
        let run = dir.run(&["check", "plan.json", "--format", "json"]);
        serde_json::from_str::<Value>(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    };
    let type_name = "aws_sagemaker_notebook_instance";
    let before = plan(&format!("{type_name}.old"), None);
    let moved = plan(&format!("{type_name}.lab"), Some(&format!("{type_name}.old")));
    let after = plan(&format!("{type_name}.lab"), None);
    let pairs = before["findings"].as_array().unwrap().iter().zip(moved["findings"].as_array().unwrap());
    assert!(pairs.len() > 0);
    for ((was, is), will) in pairs.zip(after["findings"].as_array().unwrap()) {
        assert_eq!(
            (&is["state"], &is["resources"][0]["moved_from"]),
            (&json!("unchanged"), &json!(format!("{type_name}.old")))
        );
        assert_eq!(is["previous_fingerprint"], was["fingerprint"]);
        assert_eq!(is["fingerprint"], will["fingerprint"]);
        assert_eq!(will["previous_fingerprint"], Value::Null);
    }
}

#[test]
fn what_is_forgotten_is_said() {
    let plan = include_str!("../fixtures/change/plan.json");
    run(plan)
        .reports(1, &["leaves the state and stays in the cloud: what it protects cannot be told any more"]);
}

#[test]
fn an_action_of_a_later_terraform_makes_the_run_unsure() {
    let plan = notebook(GOOD).replacen("\"create\"", "\"transmute\"", 1);
    run(plan).reports(2, &["cannot understand what the plan does to aws_sagemaker_notebook_instance.lab"]);
}

#[test]
fn what_is_deferred_is_analysed_and_the_plan_not_whole() {
    let mut plan: Value = serde_json::from_str(&notebook(GOOD)).unwrap();
    let change = plan["resource_changes"][0].take();
    plan["resource_changes"] = json!([]);
    plan["deferred_changes"] = json!([{ "reason": "provider_config_unknown", "resource_change": change }]);
    plan["complete"] = json!(false);
    run(plan.to_string()).reports(2, &["AWS-SM-NET-001", "the plan defers some changes to a later run"]);
}
