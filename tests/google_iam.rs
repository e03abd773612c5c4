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
            // A service names no account.
            "undetermined default service account of project acme-ai",
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

fn who_of(text: &str, permission: &str, resource: &str) -> Vec<String> {
    let dir = Dir::of(text);
    let rows = who(dir.path(), permission, resource);
    let told = |row: &Access| {
        let by: Vec<&str> = row.by.iter().map(|it| it.statement.as_str()).collect();
        format!("{} by {}", short(std::slice::from_ref(row)).concat(), by.join(", "))
    };
    rows.iter().map(told).collect()
}

const READ: &str = "bigquery.tables.getData";

#[test]
fn access_entries_of_a_data_set_grant_the_roles_that_they_are() {
    let text = r#"
resource "google_service_account" "agent" {
  account_id = "agent"
  project    = "p"
}
resource "google_bigquery_dataset" "docs" {
  dataset_id = "docs"
  project    = "p"
  access {
    role          = "OWNER"
    special_group = "projectOwners"
  }
  access {
    role          = "READER"
    special_group = "allAuthenticatedUsers"
  }
  access {
    role           = "roles/bigquery.dataEditor"
    group_by_email = "ml@example.com"
  }
  access {
    role          = "READER"
    user_by_email = google_service_account.agent.email
  }
  access {
    view {
      project_id = "p"
      dataset_id = "views"
      table_id   = "seen"
    }
  }
}
resource "google_bigquery_dataset_access" "more" {
  dataset_id    = google_bigquery_dataset.docs.dataset_id
  role          = "WRITER"
  user_by_email = "eve@example.com"
}
resource "google_project_iam_member" "owner" {
  project = "p"
  role    = "roles/owner"
  member  = "user:boss@example.com"
}
"#;
    assert_eq!(
        who_of(text, READ, "google_bigquery_dataset.docs"),
        [
            "yes allAuthenticatedUsers by roles/bigquery.dataViewer",
            "yes google_service_account.agent by roles/bigquery.dataViewer",
            "yes group:ml@example.com by roles/bigquery.dataEditor",
            "yes projectOwner:p by roles/bigquery.dataOwner",
            // The data is the owner's through the list, not by the basic role.
            "yes user:boss@example.com by roles/owner, roles/bigquery.dataOwner",
            "yes user:eve@example.com by roles/bigquery.dataEditor",
        ]
    );
}

#[test]
fn a_data_set_without_a_list_is_open_to_the_basic_roles_of_its_project() {
    let text = r#"
resource "google_bigquery_dataset" "docs" {
  dataset_id = "docs"
  project    = "p"
}
resource "google_bigquery_dataset_iam_binding" "editors" {
  dataset_id = google_bigquery_dataset.docs.dataset_id
  role       = "roles/bigquery.dataEditor"
  members    = ["group:ml@example.com"]
}
resource "google_project_iam_member" "viewer" {
  project = "p"
  role    = "roles/viewer"
  member  = "user:eve@example.com"
}
"#;
    assert_eq!(
        who_of(text, READ, "google_bigquery_dataset.docs"),
        [
            "yes group:ml@example.com by roles/bigquery.dataEditor",
            "yes projectOwner:p by roles/bigquery.dataOwner",
            "yes projectViewer:p by roles/bigquery.dataViewer",
            "yes user:eve@example.com by roles/viewer, roles/bigquery.dataViewer",
            // The binding says all who have that role.
            "undetermined projectEditor:p by roles/bigquery.dataEditor",
        ]
    );
    let open = text.replace("project    = \"p\"\n", "project    = \"p\"\n  dynamic \"access\" {\n    for_each = var.access\n    content {\n      role = access.value\n    }\n  }\n");
    let rows = who_of(&format!("variable \"access\" {{}}\n{open}"), READ, "google_bigquery_dataset.docs");
    assert!(rows.contains(&"undetermined ? by ?".to_owned()), "{rows:?}");
}

#[test]
fn who_has_a_basic_role_is_one_of_those_that_a_member_of_a_bucket_stands_for() {
    let text = r#"
variable "project" {}
resource "google_project" "ai" {
  project_id = var.project
  name       = "ai"
}
resource "google_storage_bucket_iam_member" "editors" {
  bucket = "acme-docs"
  role   = "roles/storage.legacyBucketReader"
  member = "projectEditor:${google_project.ai.project_id}"
}
resource "google_project_iam_member" "ours" {
  project = google_project.ai.project_id
  role    = "roles/editor"
  member  = "group:ml@example.com"
}
resource "google_project_iam_member" "others" {
  project = "another"
  role    = "roles/editor"
  member  = "group:others@example.com"
}
"#;
    let rows = who_of(text, "storage.objects.list", "acme-docs");
    assert!(
        rows.iter()
            .any(|it| it == "yes group:ml@example.com by roles/editor, roles/storage.legacyBucketReader"),
        "{rows:?}"
    );
    assert!(!rows.iter().any(|it| it.contains("others@")), "{rows:?}");
}

/// A service that names no account, beside what else is there.
fn service(more: &str) -> String {
    format!(
        r#"
resource "google_cloud_run_v2_service" "chat" {{
  name     = "chat"
  location = "europe-west4"
  project  = "p"
  template {{
    containers {{
      image = "europe-docker.pkg.dev/p/chat/chat:1.0"
    }}
  }}
}}
{more}"#
    )
}

#[test]
fn a_default_account_may_be_editor_unless_the_configuration_says_otherwise() {
    let asked = |more: &str| {
        who_of(&service(more), "aiplatform.endpoints.predict", "projects/p/locations/l/endpoints/e")
    };
    let open = ["undetermined default service account of project p by roles/editor"];
    assert_eq!(asked(""), open);
    let enforced = r#"
resource "google_org_policy_policy" "grants" {
  name   = "organizations/1/policies/iam.automaticIamGrantsForDefaultServiceAccounts"
  parent = "organizations/1"
  spec {
    rules {
      enforce = "TRUE"
    }
  }
}"#;
    // The policy takes nothing from accounts that were there before.
    assert_eq!(asked(enforced), open);
    let taken = r#"
resource "google_project_default_service_accounts" "none" {
  project = "p"
  action  = "DEPRIVILEGE"
}"#;
    assert_eq!(asked(taken), [""; 0]);
    let editors = r#"
resource "google_project_iam_binding" "editors" {
  project = "p"
  role    = "roles/editor"
  members = ["group:ml@example.com"]
}"#;
    assert_eq!(asked(editors), ["yes group:ml@example.com by roles/editor"]);
}
