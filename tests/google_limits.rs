//! What takes away of Google's grants: deny policies, bindings and policies that say all there is, and the way that access
//! lists of buckets add to them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "common/answers.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod answers;

use airgate::facts::iam::access::Question;
use airgate::iam::effective::Verdict;

fn asked(text: &str, question: &Question) -> Vec<String> {
    let word = |verdict: &Verdict| match verdict {
        Verdict::OnlyIf(conditions) => format!("only if {}:", conditions.join(" and ")),
        other => answers::word(other).to_owned(),
    };
    let rows = answers::asked(text, question).rows.unwrap();
    rows.iter().map(|row| format!("{} {}", word(&row.verdict), row.principal)).collect()
}

fn who(text: &str, permission: &str, resource: &str) -> Vec<String> {
    asked(text, &Question::WhoCan(permission.into(), resource.into()))
}

/// An account, a person and a group that may call an endpoint, and a deny policy with this rule.
fn denied(parent: &str, rule: &str) -> String {
    let deny = format!(
        r#"
resource "google_iam_deny_policy" "d" {{
  parent = urlencode("cloudresourcemanager.googleapis.com/{parent}")
  name   = "d"
  rules {{
    deny_rule {{
      {rule}
    }}
  }}
}}"#
    );
    format!(
        r#"
resource "google_service_account" "agent" {{
  account_id = "agent"
  project    = "acme"
}}
resource "google_vertex_ai_endpoint" "chat" {{
  name         = "chat"
  display_name = "chat"
  location     = "europe-west4"
  project      = "acme"
}}
resource "google_project_iam_member" "agent" {{
  project = "acme"
  role    = "roles/aiplatform.user"
  member  = google_service_account.agent.member
}}
resource "google_project_iam_member" "people" {{
  for_each = toset(["user:ann@example.com", "group:devs@example.com"])
  project  = "acme"
  role     = "roles/aiplatform.user"
  member   = each.value
}}
{}"#,
        if rule.is_empty() { "" } else { &deny }
    )
}

const AGENT: &str = "google_service_account.agent";
const PREDICT: &str = "aiplatform.endpoints.predict";
const CHAT: &str = "google_vertex_ai_endpoint.chat";

#[test]
fn a_deny_policy_takes_from_those_whom_it_names() {
    let permission = r#"denied_permissions = ["aiplatform.googleapis.com/endpoints.predict"]"#;
    let ask = |principals: &str| {
        who(
            &denied("projects/acme", &format!("denied_principals = [{principals}]\n{permission}")),
            PREDICT,
            CHAT,
        )
    };
    let all = [&format!("yes {AGENT}"), "yes group:devs@example.com", "yes user:ann@example.com"];
    assert_eq!(who(&denied("projects/acme", ""), PREDICT, CHAT), all);
    assert_eq!(ask(r#""principalSet://goog/public:all""#), Vec::<String>::new());
    // A person and a group are left, who are no account.
    let account = r#""principal://iam.googleapis.com/projects/-/serviceAccounts/${google_service_account.agent.email}""#;
    assert_eq!(ask(account), all[1..]);
    let by_name =
        r#""principal://iam.googleapis.com/projects/-/serviceAccounts/agent@acme.iam.gserviceaccount.com""#;
    assert_eq!(ask(by_name), all[1..]);
    let other =
        r#""principal://iam.googleapis.com/projects/-/serviceAccounts/ci@acme.iam.gserviceaccount.com""#;
    assert_eq!(ask(other), all);
    assert_eq!(ask(r#""principal://goog/subject/ann@example.com""#), all[..2]);
    // Who is in a group is in no configuration.
    assert_eq!(
        ask(r#""principalSet://goog/group/devs@example.com""#),
        [
            format!("only if `google_iam_deny_policy.d` does not deny it: {AGENT}"),
            "only if `google_iam_deny_policy.d` does not deny it: user:ann@example.com".to_owned(),
        ]
    );
}

#[test]
fn exceptions_conditions_and_other_permissions_are_left() {
    let everybody = r#"denied_principals = ["principalSet://goog/public:all"]"#;
    let predict = r#"denied_permissions = ["aiplatform.googleapis.com/endpoints.predict"]"#;
    let excepted = format!(
        "{everybody}\n{predict}\nexception_principals = [\"principal://goog/subject/ann@example.com\"]"
    );
    assert_eq!(who(&denied("projects/acme", &excepted), PREDICT, CHAT), ["yes user:ann@example.com"]);
    let other = format!("{everybody}\ndenied_permissions = [\"aiplatform.googleapis.com/models.delete\"]");
    assert_eq!(who(&denied("projects/acme", &other), PREDICT, CHAT).len(), 3);
    let spared = format!(
        "{everybody}\ndenied_permissions = [\"aiplatform.googleapis.com/*.*\"]\nexception_permissions = [\"aiplatform.googleapis.com/endpoints.predict\"]"
    );
    assert_eq!(who(&denied("projects/acme", &spared), PREDICT, CHAT).len(), 3);
    assert!(who(&denied("projects/acme", &spared), "aiplatform.models.get", CHAT).is_empty());
    let condition = format!(
        "{everybody}\n{predict}\ndenial_condition {{\n expression = \"!resource.matchTag('1/env', 'test')\"\n}}"
    );
    let rows = who(&denied("projects/acme", &condition), PREDICT, CHAT);
    assert_eq!(rows.first().unwrap(), &format!("only if not: !resource.matchTag('1/env', 'test'): {AGENT}"));
}

#[test]
fn a_deny_policy_holds_below_what_it_is_attached_to() {
    let rule = r#"
      denied_principals  = ["principalSet://goog/public:all"]
      denied_permissions = ["aiplatform.googleapis.com/endpoints.predict"]"#;
    assert_eq!(who(&denied("projects/other", rule), PREDICT, CHAT).len(), 3);
    let rows = who(&denied("organizations/123", rule), PREDICT, CHAT);
    assert_eq!(rows.first().unwrap(), &format!("only if its project is not below organization 123: {AGENT}"));
    // The role has more than that.
    let rows = asked(&denied("projects/acme", rule), &Question::WhatCan(AGENT.into()));
    assert_eq!(rows, [format!("only if `google_iam_deny_policy.d` does not deny it: {AGENT}")]);
}

#[test]
fn what_a_binding_or_a_policy_leaves_out_may_not_stay() {
    let member = r#"
resource "google_project_iam_member" "m" {
  project = "acme"
  role    = "roles/aiplatform.user"
  member  = "user:ann@example.com"
}"#;
    let binding = |role: &str, members: &str| {
        format!(
            r#"{member}
resource "google_project_iam_binding" "b" {{
  project = "acme"
  role    = "{role}"
  members = [{members}]
}}"#
        )
    };
    let ask = |text: &str| who(text, PREDICT, "*");
    assert_eq!(
        ask(&binding("roles/aiplatform.user", r#""user:bob@example.com""#)),
        ["yes user:bob@example.com", "undetermined user:ann@example.com"]
    );
    assert_eq!(
        ask(&binding("roles/aiplatform.user", r#""user:ann@example.com", "user:bob@example.com""#)),
        ["yes user:ann@example.com", "yes user:bob@example.com"]
    );
    // Of another role it says nothing.
    assert_eq!(
        ask(&binding("roles/aiplatform.admin", r#""user:bob@example.com""#)),
        ["yes user:ann@example.com", "yes user:bob@example.com"]
    );
    let policy = format!(
        r#"{member}
resource "google_project_iam_policy" "p" {{
  project     = "acme"
  policy_data = jsonencode({{ bindings = [{{ role = "roles/aiplatform.admin", members = ["user:bob@example.com"] }}] }})
}}"#
    );
    assert_eq!(ask(&policy), ["yes user:bob@example.com", "undetermined user:ann@example.com"]);
}

/// A bucket with these settings, and entries of its access list.
fn bucket(settings: &str, more: &str) -> String {
    format!(
        r#"
resource "google_storage_bucket" "data" {{
  name     = "acme-data"
  location = "EU"
  {settings}
}}
{more}"#
    )
}

#[test]
fn access_lists_count_without_uniform_access() {
    let list = r#"
resource "google_storage_bucket_acl" "data" {
  bucket      = google_storage_bucket.data.name
  role_entity = ["READER:allUsers", "OWNER:user-ann@example.com", "WRITER:project-editors-123"]
}"#;
    let ask = |settings: &str, list: &str, permission: &str| {
        who(&bucket(settings, list), permission, "google_storage_bucket.data")
    };
    let open = "uniform_bucket_level_access = false";
    assert_eq!(
        ask(open, list, "storage.objects.list"),
        ["yes allUsers", "yes projectEditor:123", "yes user:ann@example.com"]
    );
    assert_eq!(
        ask(open, list, "storage.objects.delete"),
        ["yes projectEditor:123", "yes user:ann@example.com"]
    );
    assert!(ask("uniform_bucket_level_access = true", list, "storage.objects.list").is_empty());
    // Nobody sets it, and an organisation may.
    assert_eq!(ask("", list, "storage.objects.delete").first().unwrap(), "undetermined projectEditor:123");
    // Nobody who is not known gets in, whatever the list says.
    let closed = "uniform_bucket_level_access = false\n  public_access_prevention = \"enforced\"";
    assert_eq!(
        ask(closed, list, "storage.objects.list"),
        ["yes projectEditor:123", "yes user:ann@example.com"]
    );
    let named = r#"
resource "google_storage_bucket_acl" "data" {
  bucket         = google_storage_bucket.data.name
  predefined_acl = "publicReadWrite"
}
resource "google_storage_default_object_access_control" "data" {
  bucket = google_storage_bucket.data.name
  role   = "READER"
  entity = "group-devs@example.com"
}"#;
    assert_eq!(ask(open, named, "storage.objects.create"), ["yes allUsers"]);
    assert_eq!(ask(open, named, "storage.objects.get"), ["yes group:devs@example.com"]);
}
