//! What Google's IAM grants, asked of source and of a plan: `airgate iam` and the rules.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "common/answers.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod answers;

use std::path::{Path, PathBuf};

use airgate::facts::iam::access::{Access, Answered, Question};
use airgate::iam::context::Context;
use airgate::iam::effective::Verdict;
use answers::{Dir, short};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/google-agent")
}

fn asked(path: &Path, question: &Question) -> Answered {
    answers::asked_at(path, question, &Context::default()).1
}

fn who(path: &Path, permission: &str, resource: &str) -> Vec<Access> {
    asked(path, &Question::WhoCan(permission.into(), resource.into())).rows.unwrap()
}

#[test]
fn grants_on_the_resource_its_project_and_what_is_above_count() {
    let rows = who(&fixture(), "aiplatform.endpoints.predict", "google_vertex_ai_endpoint.chat");
    assert_eq!(
        short(&rows),
        [
            "yes allUsers",
            "yes google_service_account.agent",
            "yes google_service_account.ci",
            "only-if group:developers@example.com",
            "only-if user:owner@example.com",
        ]
    );
    let find = |name: &str| rows.iter().find(|row| row.principal == name).unwrap();
    let Verdict::OnlyIf(conditions) = &find("user:owner@example.com").verdict else { panic!() };
    assert_eq!(conditions, &["its project is below organization 123456789012"]);
    // As the agent's account, through two grants.
    let by: Vec<&str> = find("group:developers@example.com").by.iter().map(|it| it.policy.as_str()).collect();
    assert!(by.starts_with(&["google_project_iam_member.developers"]) && by.len() == 2, "{by:?}");
    let Verdict::OnlyIf(conditions) = &find("group:developers@example.com").verdict else { panic!() };
    assert_eq!(conditions, &["request.time < timestamp(\"2027-01-01T00:00:00Z\")"]);
}

#[test]
fn a_grant_on_another_project_does_not_count() {
    let rows = who(&fixture(), "aiplatform.endpoints.predict", "projects/acme-other/locations/l/endpoints/e");
    assert_eq!(short(&rows), ["yes user:else@example.com", "only-if user:owner@example.com"]);
}

#[test]
fn a_role_that_is_not_known_is_unknown_content() {
    let dir = Dir::of(
        r#"
resource "google_project_iam_member" "a" {
  project = "p"
  role    = "roles/no.suchRole"
  member  = "user:a@example.com"
}
resource "google_project_iam_member" "b" {
  project = "p"
  role    = "roles/logging.logWriter"
  member  = "user:b@example.com"
}
"#,
    );
    let rows = who(dir.path(), "aiplatform.endpoints.predict", "*");
    assert_eq!(short(&rows), ["undetermined user:a@example.com"]);
    let Verdict::Undetermined(causes) = &rows[0].verdict else { panic!() };
    assert_eq!(causes, &["what the role `roles/no.suchRole` grants is unknown content"]);
}

#[test]
fn what_an_account_may_do_is_a_row_for_each_role_and_each_permission_of_ones_own() {
    let rows = |address: &str| {
        let rows = asked(&fixture(), &Question::WhatCan(address.into())).rows.unwrap();
        rows.into_iter().map(|row| (row.action, row.on.concat())).collect::<Vec<_>>()
    };
    assert_eq!(
        rows("google_service_account.agent"),
        [("roles/aiplatform.user".to_owned(), "project acme-ai".to_owned())]
    );
    let on = "google_vertex_ai_endpoint.chat".to_owned();
    assert_eq!(rows("google_service_account.ci"), [("aiplatform.endpoints.predict".to_owned(), on)]);
}

#[test]
fn an_address_that_is_none_is_answered_with_those_that_there_are() {
    let answered = asked(&fixture(), &Question::WhatCan("google_service_account.no".into()));
    assert!(answered.rows.is_none());
    assert_eq!(answered.identities, ["google_service_account.agent", "google_service_account.ci"]);
}

/// As Terraform writes it: what the provider computes is unknown, and what it is computed from is in the configuration.
#[test]
fn in_a_plan_a_member_that_is_not_known_is_the_account_it_is_computed_from() {
    let plan = serde_json::json!({
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": [
            change("google_service_account", "agent",
                &serde_json::json!({ "account_id": "agent", "project": "p" }),
                &serde_json::json!({ "email": true, "id": true, "member": true, "name": true })),
            change("google_project_iam_member", "agent",
                &serde_json::json!({ "project": "p", "role": "roles/aiplatform.user", "condition": [] }),
                &serde_json::json!({ "member": true, "etag": true, "id": true, "condition": [] })),
        ],
        "configuration": { "root_module": { "resources": [
            { "address": "google_service_account.agent", "mode": "managed", "type": "google_service_account",
              "name": "agent", "expressions": { "account_id": { "constant_value": "agent" } } },
            { "address": "google_project_iam_member.agent", "mode": "managed",
              "type": "google_project_iam_member", "name": "agent",
              "expressions": { "member": { "references": [
                  "google_service_account.agent.member", "google_service_account.agent" ] } } },
        ] } },
    });
    let dir = Dir::new();
    dir.write("plan.json", plan.to_string());
    let rows = who(
        &dir.path().join("plan.json"),
        "aiplatform.endpoints.predict",
        "projects/p/locations/l/endpoints/e",
    );
    assert_eq!(short(&rows), ["yes google_service_account.agent"]);
}

fn change(
    type_name: &str,
    name: &str,
    after: &serde_json::Value,
    unknown: &serde_json::Value,
) -> serde_json::Value {
    serde_json::json!({
        "address": format!("{type_name}.{name}"), "mode": "managed", "type": type_name, "name": name,
        "provider_name": "registry.terraform.io/hashicorp/google",
        "change": { "actions": ["create"], "before": null, "after": after, "after_unknown": unknown,
                    "before_sensitive": false, "after_sensitive": {} },
    })
}
