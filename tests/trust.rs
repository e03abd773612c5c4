//! Whose the accounts are that a role of AI trusts, as a plan tells them: `AWS-IAM-IAM-007`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

#[path = "common/dir.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod dir;

use airgate::config::Options;
use airgate::finding::Verdict;
use dir::Dir;
use serde_json::{Value, json};

/// A plan of a role that may call a model, and that this principal may assume. It reads these data sources.
fn verdict(principal: &Value, condition: &Value, read: &[Value]) -> Option<Verdict> {
    let mut statement =
        json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": principal } });
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    let document =
        |statement: &Value| json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let call = json!({ "Effect": "Allow", "Action": "bedrock:InvokeModel",
        "Resource": "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0" });
    let change = |type_name: &str, after: &Value| {
        json!({
            "address": format!("{type_name}.ai"), "mode": "managed", "type": type_name, "name": "ai",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": { "actions": ["create"], "before": null, "after": after,
                        "after_unknown": { "arn": true, "id": true }, "before_sensitive": false, "after_sensitive": {} },
        })
    };
    let plan = json!({
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "prior_state": { "format_version": "1.0", "terraform_version": "1.11.4",
                         "values": { "root_module": { "resources": read } } },
        "resource_changes": [
            change("aws_iam_role", &json!({ "name": "ai", "assume_role_policy": document(&statement) })),
            change("aws_iam_role_policy", &json!({ "name": "ai", "role": "ai", "policy": document(&call) })),
        ],
        "configuration": { "root_module": {} },
    });
    let dir = Dir::new();
    dir.write("plan.json", plan.to_string());
    let paths = [dir.path().join("plan.json")];
    let options = Options { keep_pass: true, ..Options::default() };
    let report = airgate::analyze(&paths, &options).unwrap();
    let found = report.findings.iter().find(|it| report.rules[it.rule].id == "AWS-IAM-IAM-007");
    found.map(|it| it.verdict)
}

fn data(type_name: &str, values: &Value) -> Value {
    json!({ "address": format!("data.{type_name}.now"), "mode": "data", "type": type_name, "name": "now",
            "provider_name": "registry.terraform.io/hashicorp/aws", "schema_version": 0, "values": values })
}

const STRANGER: &str = "arn:aws:iam::210987654321:root";

#[test]
fn an_account_that_is_not_of_the_organization_that_is_read_is_anothers() {
    let accounts = json!([{ "id": "111122223333" }, { "id": "444455556666" }]);
    let read = [data("aws_organizations_organization", &json!({ "accounts": accounts }))];
    let of = |account: &str| verdict(&json!(account), &Value::Null, &read);
    assert_eq!(of(STRANGER), Some(Verdict::Fail));
    assert_eq!(of("444455556666"), Some(Verdict::Pass));
    let held = json!({ "StringEquals": { "sts:ExternalId": "f3a1" } });
    assert_eq!(verdict(&json!(STRANGER), &held, &read), Some(Verdict::Pass));
}

#[test]
fn without_its_accounts_only_the_caller_is_known() {
    let read = [data("aws_caller_identity", &json!({ "account_id": "111122223333" }))];
    let of = |principal: &Value| verdict(principal, &Value::Null, &read);
    assert_eq!(of(&json!("arn:aws:iam::111122223333:role/ci")), Some(Verdict::Pass));
    assert_eq!(of(&json!(STRANGER)), Some(Verdict::Undetermined));
    // One of several is enough.
    assert_eq!(of(&json!(["111122223333", "464622532012"])), Some(Verdict::Fail));
}
