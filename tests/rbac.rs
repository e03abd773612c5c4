//! What role assignments of Azure and role bindings of Kubernetes let whom do, asked of whole configurations.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "common/answers.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod answers;

use airgate::facts::iam::access::{Access, Question};
use answers::asked;

fn who(text: &str, action: &str, resource: &str) -> String {
    short(&asked(text, &Question::WhoCan(action.into(), resource.into())).rows.unwrap(), |it| &it.principal)
}

fn what(text: &str, address: &str) -> Vec<Access> {
    asked(text, &Question::WhatCan(address.into())).rows.unwrap()
}

/// `yes a, only-if b`
fn short(rows: &[Access], of: impl Fn(&Access) -> &str) -> String {
    let all: Vec<String> =
        rows.iter().map(|row| format!("{} {}", answers::word(&row.verdict), of(row))).collect();
    all.join(", ")
}

const CHAT: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
const KEYS: &str = "Microsoft.CognitiveServices/accounts/listKeys/action";
const ACCOUNT: &str = "azurerm_cognitive_account.openai";

/// An account with a deployment in a resource group, an identity, and a role `role` for that on `scope`.
fn azure(role: &str, scope: &str, more: &str) -> String {
    format!(
        r#"
data "azurerm_subscription" "current" {{}}
resource "azurerm_resource_group" "ai" {{
  name     = "ai"
  location = "westeurope"
}}
resource "azurerm_cognitive_account" "openai" {{
  name                = "openai"
  location            = "westeurope"
  resource_group_name = azurerm_resource_group.ai.name
  kind                = "OpenAI"
  sku_name            = "S0"
}}
resource "azurerm_cognitive_deployment" "gpt" {{
  name                 = "gpt"
  cognitive_account_id = azurerm_cognitive_account.openai.id
}}
resource "azurerm_user_assigned_identity" "app" {{
  name                = "app"
  location            = "westeurope"
  resource_group_name = "ai"
}}
resource "azurerm_role_assignment" "app" {{
  scope                = {scope}
  role_definition_name = {role}
  principal_id         = azurerm_user_assigned_identity.app.principal_id
}}
{more}
"#
    )
}

const APP: &str = "yes azurerm_user_assigned_identity.app";
const OPEN: &str = "undetermined azurerm_user_assigned_identity.app";

#[test]
fn a_role_holds_for_its_scope_and_what_is_in_it() {
    let user = "\"Cognitive Services OpenAI User\"";
    for scope in [
        "azurerm_cognitive_account.openai.id",
        "azurerm_resource_group.ai.id",
        "data.azurerm_subscription.current.id",
        "\"${data.azurerm_subscription.current.id}/resourceGroups/ai\"",
    ] {
        let text = azure(user, scope, "");
        assert_eq!(who(&text, CHAT, ACCOUNT), APP, "{scope}");
        assert_eq!(who(&text, CHAT, "azurerm_cognitive_deployment.gpt"), APP, "{scope}");
        assert_eq!(who(&text, CHAT, "*"), APP, "{scope}");
    }
    for scope in [
        "azurerm_cognitive_deployment.gpt.id",
        "\"${data.azurerm_subscription.current.id}/resourceGroups/web\"",
        "azurerm_user_assigned_identity.app.id",
    ] {
        assert_eq!(who(&azure(user, scope, ""), CHAT, ACCOUNT), "", "{scope}");
    }
    let group = "\"/providers/Microsoft.Management/managementGroups/all\"";
    let below = "only-if azurerm_user_assigned_identity.app";
    assert_eq!(who(&azure(user, group, ""), CHAT, ACCOUNT), below, "if its subscription is in it");
    let unknown = azure(user, "var.scope", "variable \"scope\" {}");
    assert_eq!(who(&unknown, CHAT, ACCOUNT), OPEN);
}

#[test]
fn who_administers_an_account_may_not_call_it() {
    let owner = azure("\"Owner\"", "azurerm_cognitive_account.openai.id", "");
    assert_eq!(who(&owner, CHAT, ACCOUNT), "");
    assert_eq!(who(&owner, KEYS, ACCOUNT), APP);
    assert_eq!(who(&owner, "microsoft.cognitiveservices/ACCOUNTS/listkeys/action", ACCOUNT), APP);
    let unknown = azure("\"Model Caller\"", "azurerm_cognitive_account.openai.id", "");
    assert_eq!(who(&unknown, CHAT, ACCOUNT), OPEN, "the role is in no table");
}

#[test]
fn custom_roles_subtract_only_from_themselves() {
    let custom = r#"
resource "azurerm_role_definition" "c" {
  name  = "caller"
  scope = data.azurerm_subscription.current.id
  permissions {
    actions          = ["*"]
    not_actions      = ["Microsoft.CognitiveServices/accounts/listKeys/*"]
    data_actions     = ["Microsoft.CognitiveServices/*"]
    not_data_actions = ["Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes/*"]
  }
}"#;
    let of = |role: &str, more: &str| {
        azure(role, "azurerm_cognitive_account.openai.id", &format!("{custom}\n{more}"))
    };
    for role in ["azurerm_role_definition.c.name", "\"Caller\""] {
        assert_eq!(who(&of(role, ""), CHAT, ACCOUNT), APP, "{role}");
        assert_eq!(who(&of(role, ""), KEYS, ACCOUNT), "", "{role}");
    }
    let other = r#"
resource "azurerm_role_assignment" "other" {
  scope              = azurerm_resource_group.ai.id
  role_definition_id = "${data.azurerm_subscription.current.id}/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
  principal_id       = azurerm_user_assigned_identity.app.principal_id
}"#;
    assert_eq!(who(&of("azurerm_role_definition.c.name", other), KEYS, ACCOUNT), APP, "by Contributor");
}

#[test]
fn an_assignment_with_a_condition_or_to_be_activated_is_one_only_if() {
    let more = r#"
resource "azurerm_role_assignment" "group" {
  scope                = azurerm_cognitive_account.openai.id
  role_definition_name = "Cognitive Services OpenAI User"
  principal_id         = "11111111-2222-3333-4444-555555555555"
  condition_version    = "2.0"
  condition            = "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team] StringEquals 'ml'"
}
resource "azurerm_pim_eligible_role_assignment" "me" {
  scope              = azurerm_resource_group.ai.id
  role_definition_id = "/providers/Microsoft.Authorization/roleDefinitions/5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
  principal_id       = "99999999-2222-3333-4444-555555555555"
}"#;
    let text = azure("\"Reader\"", "azurerm_cognitive_account.openai.id", more);
    assert_eq!(
        who(&text, CHAT, ACCOUNT),
        "only-if 11111111-2222-3333-4444-555555555555, only-if 99999999-2222-3333-4444-555555555555"
    );
}

#[test]
fn what_an_identity_may_do_is_told_pattern_by_pattern() {
    let rows = what(
        &azure("\"Contributor\"", "azurerm_resource_group.ai.id", ""),
        "azurerm_user_assigned_identity.app",
    );
    assert_eq!(short(&rows, |it| &it.action), "yes *");
    assert_eq!(
        (rows[0].on.as_slice(), rows[0].less.len()),
        (["azurerm_resource_group.ai".to_owned()].as_slice(), 11)
    );
    let path = &rows[0].by[0];
    assert_eq!((path.policy.as_str(), path.statement.as_str()), ("Contributor", "actions"));
}

/// A service account `train` in the namespace `ml` that `binding` names.
fn cluster(binding: &str, role: &str, more: &str) -> String {
    let namespace = if binding.contains("cluster") { "" } else { "namespace = \"ml\"" };
    format!(
        r#"
resource "kubernetes_namespace_v1" "ml" {{
  metadata {{
    name = "ml"
  }}
}}
resource "kubernetes_service_account_v1" "train" {{
  metadata {{
    name      = "train"
    namespace = kubernetes_namespace_v1.ml.metadata[0].name
  }}
}}
resource "{binding}" "b" {{
  metadata {{
    name = "b"
    {namespace}
  }}
  role_ref {{
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = {role}
  }}
  subject {{
    kind      = "ServiceAccount"
    name      = kubernetes_service_account_v1.train.metadata[0].name
    namespace = kubernetes_namespace_v1.ml.metadata[0].name
  }}
}}
{more}
"#
    )
}

const TRAIN: &str = "yes kubernetes_service_account_v1.train";

#[test]
fn a_role_binding_holds_in_its_namespace_and_a_cluster_role_binding_in_all() {
    let here = cluster("kubernetes_role_binding_v1", "\"edit\"", "");
    assert_eq!(who(&here, "get:secrets", "ml"), TRAIN);
    assert_eq!(who(&here, "get:secrets", "kubernetes_namespace_v1.ml"), TRAIN);
    assert_eq!(who(&here, "get:secrets", "other"), "");
    assert_eq!(who(&here, "get:secrets", "*"), TRAIN);
    let wide = cluster("kubernetes_cluster_role_binding", "\"cluster-admin\"", "");
    assert_eq!(who(&wide, "get:secrets", "other"), TRAIN);
    assert_eq!(who(&wide, "delete:nodes", "*"), TRAIN);
    let nodes = cluster("kubernetes_role_binding", "\"cluster-admin\"", "");
    assert_eq!(who(&nodes, "delete:nodes", "*"), "", "nodes are in no namespace");
}

#[test]
fn what_others_may_add_to_a_role_leaves_it_open() {
    let open = "undetermined kubernetes_service_account_v1.train";
    let view = cluster("kubernetes_role_binding_v1", "\"view\"", "");
    assert_eq!(who(&view, "get:pods", "ml"), TRAIN);
    assert_eq!(who(&view, "get:secrets", "ml"), open);
    let sum = r#"
resource "kubernetes_cluster_role_v1" "sum" {
  metadata {
    name = "sum"
  }
  aggregation_rule {
    cluster_role_selectors {
      match_labels = { to = "sum" }
    }
  }
}"#;
    let sum = cluster("kubernetes_role_binding_v1", "kubernetes_cluster_role_v1.sum.metadata[0].name", sum);
    assert_eq!(who(&sum, "get:secrets", "ml"), open);
    assert_eq!(who(&cluster("kubernetes_role_binding_v1", "\"elsewhere\"", ""), "get:secrets", "ml"), open);
}

#[test]
fn manifests_are_objects_like_others() {
    let more = r#"
resource "kubernetes_manifest" "role" {
  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "Role"
    metadata   = { name = "r", namespace = "ml" }
    rules      = [{ apiGroups = [""], resources = ["secrets"], resourceNames = ["hf"], verbs = ["get"] }]
  }
}
resource "kubernetes_manifest" "binding" {
  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "b2", namespace = "ml" }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "Role", name = "r" }
    subjects   = [{ kind = "ServiceAccount", name = "serve" }, { kind = "Group", name = "devs" }]
  }
}"#;
    let text = cluster("kubernetes_role_binding_v1", "\"view\"", more);
    assert_eq!(
        who(&text, "get:secrets", "ml"),
        "only-if group devs, only-if system:serviceaccount:ml:serve, undetermined kubernetes_service_account_v1.train"
    );
    assert_eq!(who(&text, "list:secrets", "ml"), "undetermined kubernetes_service_account_v1.train");
}

#[test]
fn what_a_service_account_may_do_is_told_rule_by_rule() {
    let groups = r#"
resource "kubernetes_cluster_role_binding_v1" "all" {
  metadata {
    name = "all"
  }
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "system:auth-delegator"
  }
  subject {
    kind      = "Group"
    name      = "system:serviceaccounts:ml"
    api_group = "rbac.authorization.k8s.io"
  }
}"#;
    let text = cluster("kubernetes_cluster_role_binding_v1", "\"cluster-admin\"", groups);
    let rows = what(&text, "kubernetes_service_account_v1.train");
    assert_eq!(
        short(&rows, |it| &it.action),
        "yes *:*.*, yes create:tokenreviews.authentication.k8s.io, yes create:subjectaccessreviews.authorization.k8s.io"
    );
    assert_eq!(rows[0].on, ["every namespace"]);
}

#[test]
fn manifests_that_are_text_and_accounts_that_only_a_manifest_makes_count() {
    let text = r#"
resource "kubernetes_manifest" "account" {
  manifest = {
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata   = { name = "train", namespace = "ml" }
  }
}
resource "kubectl_manifest" "binding" {
  yaml_body = <<-YAML
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata:
      name: train
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: ClusterRole
      name: cluster-admin
    subjects:
      - kind: ServiceAccount
        name: train
        namespace: ml
  YAML
}
resource "kubectl_manifest" "serve" {
  override_namespace = "serving"
  yaml_body = yamlencode({
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "RoleBinding"
    metadata   = { name = "serve", namespace = "ml" }
    roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = "edit" }
    subjects   = [{ kind = "Group", name = "devs" }]
  })
}"#;
    assert_eq!(who(text, "get:secrets", "ml"), "yes kubernetes_manifest.account");
    assert_eq!(who(text, "get:secrets", "serving"), "yes group devs, yes kubernetes_manifest.account");
    let rows = what(text, "kubernetes_manifest.account");
    assert_eq!(short(&rows, |it| &it.action), "yes *:*.*");
    // Of several clusters nobody knows which one it is.
    let two = format!(
        "{text}\nprovider \"kubernetes\" {{\n  alias = \"a\"\n}}\nprovider \"kubernetes\" {{\n  alias = \"b\"\n}}\n"
    );
    assert_eq!(who(&two, "get:secrets", "ml"), "yes system:serviceaccount:ml:train");
}
