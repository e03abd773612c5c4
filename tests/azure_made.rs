//! Azure's roles on what other types than those of `azurerm` make, and those inside Cosmos DB.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "common/answers.rs"]
mod answers;

use airgate::config::Config;
use airgate::facts::iam::access::Question;
use airgate::finding::Verdict as Found;
use airgate::rules::RuleSet;
use answers::asked;

fn who(text: &str, action: &str, resource: &str) -> Vec<String> {
    answers::short(&asked(text, &Question::WhoCan(action.into(), resource.into())).rows.unwrap())
}

const IDENTITY: &str = r#"
resource "azurerm_resource_group" "ai" {
  name     = "ai"
  location = "westeurope"
}
resource "azurerm_user_assigned_identity" "chat" {
  name                = "chat"
  location            = azurerm_resource_group.ai.location
  resource_group_name = azurerm_resource_group.ai.name
}
"#;

/// An account that azapi makes, and an identity with this role on this.
fn account(role: &str, scope: &str) -> String {
    format!(
        r#"{IDENTITY}
resource "azapi_resource" "openai" {{
  type      = "Microsoft.CognitiveServices/accounts@2025-06-01"
  name      = "openai"
  parent_id = azurerm_resource_group.ai.id
  body      = {{ kind = "OpenAI", properties = {{ disableLocalAuth = true }} }}
}}
resource "azurerm_role_assignment" "chat" {{
  principal_id         = azurerm_user_assigned_identity.chat.principal_id
  role_definition_name = "{role}"
  scope                = {scope}
}}"#
    )
}

const CHAT: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
const YES: &str = "yes azurerm_user_assigned_identity.chat";

#[test]
fn an_account_of_azapi_is_in_its_scope() {
    let user = "Cognitive Services OpenAI User";
    for scope in ["azapi_resource.openai.id", "azurerm_resource_group.ai.id"] {
        assert_eq!(who(&account(user, scope), CHAT, "azapi_resource.openai"), [YES], "{scope}");
    }
    assert!(who(&account("Owner", "azapi_resource.openai.id"), CHAT, "azapi_resource.openai").is_empty());
}

#[test]
fn who_calls_an_account_of_azapi_and_administers_it_is_found() {
    let verdict = |role: &str| {
        let text = account(role, "azapi_resource.openai.id");
        let rules = RuleSet::builtin().unwrap();
        let report = airgate::analyze_text(&[("main.tf", &text)], &rules, &Config::default()).unwrap();
        let found = report.findings.iter().find(|it| report.rules[it.rule].id == "AZ-OAI-IAM-004");
        found.map(|it| it.verdict)
    };
    assert_eq!(verdict("Cognitive Services Contributor"), Some(Found::Fail));
    assert_eq!(verdict("Cognitive Services OpenAI User"), Some(Found::Pass));
}

/// A store of an agent, and an identity with this role inside it.
fn store(role: &str, scope: &str) -> String {
    format!(
        r#"{IDENTITY}
resource "azurerm_cosmosdb_account" "memory" {{
  name                = "memory"
  location            = azurerm_resource_group.ai.location
  resource_group_name = azurerm_resource_group.ai.name
  offer_type          = "Standard"
}}
resource "azurerm_cosmosdb_sql_role_definition" "append" {{
  name                = "append"
  resource_group_name = azurerm_resource_group.ai.name
  account_name        = azurerm_cosmosdb_account.memory.name
  assignable_scopes   = [azurerm_cosmosdb_account.memory.id]
  permissions {{
    data_actions = ["Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/create"]
  }}
}}
resource "azurerm_cosmosdb_sql_role_assignment" "chat" {{
  resource_group_name = azurerm_resource_group.ai.name
  account_name        = azurerm_cosmosdb_account.memory.name
  principal_id        = azurerm_user_assigned_identity.chat.principal_id
  role_definition_id  = {role}
  scope               = {scope}
}}"#
    )
}

#[test]
fn roles_inside_cosmos_db_are_read() {
    let item =
        |what: &str| format!("Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/{what}");
    let whole = "azurerm_cosmosdb_account.memory.id";
    let built_in = |number: u8| {
        format!(
            r#""${{azurerm_cosmosdb_account.memory.id}}/sqlRoleDefinitions/00000000-0000-0000-0000-00000000000{number}""#
        )
    };
    let ask =
        |role: &str, what: &str| who(&store(role, whole), &item(what), "azurerm_cosmosdb_account.memory");
    assert_eq!(ask(&built_in(1), "read"), [YES]);
    assert!(ask(&built_in(1), "create").is_empty());
    assert_eq!(ask(&built_in(2), "create"), [YES]);
    let own = "azurerm_cosmosdb_sql_role_definition.append.id";
    assert_eq!(ask(own, "create"), [YES]);
    assert!(ask(own, "read").is_empty());
    assert_eq!(ask(&built_in(9), "read"), ["undetermined azurerm_user_assigned_identity.chat"]);
    // Who owns the account may not read what is in it.
    let owner = store(&built_in(1), whole).replace(
        "resource \"azurerm_cosmosdb_sql_role_assignment\"",
        "resource \"azurerm_role_assignment\" \"owner\" {\n  principal_id = \"11111111-1111-1111-1111-111111111111\"\n  role_definition_name = \"Owner\"\n  scope = azurerm_cosmosdb_account.memory.id\n}\nresource \"azurerm_cosmosdb_sql_role_assignment\"",
    );
    assert_eq!(who(&owner, &item("read"), "azurerm_cosmosdb_account.memory"), [YES]);
}

#[test]
fn a_role_that_azapi_assigns_counts_with_its_condition() {
    let text = |role: &str, more: &str| {
        format!(
            r#"{IDENTITY}
resource "azapi_resource" "openai" {{
  type      = "Microsoft.CognitiveServices/accounts@2025-06-01"
  name      = "openai"
  parent_id = azurerm_resource_group.ai.id
  body      = {{ kind = "OpenAI", properties = {{}} }}
}}
resource "azapi_resource" "role" {{
  type      = "Microsoft.Authorization/roleDefinitions@2022-04-01"
  name      = "00000000-0000-0000-0000-000000000007"
  parent_id = azurerm_resource_group.ai.id
  body = {{ properties = {{ permissions = [{{
    actions        = ["Microsoft.CognitiveServices/*"]
    notActions     = ["Microsoft.CognitiveServices/accounts/listKeys/action"]
    dataActions    = ["Microsoft.CognitiveServices/accounts/OpenAI/*"]
  }}] }} }}
}}
resource "azapi_resource" "assigned" {{
  type      = "Microsoft.Authorization/roleAssignments@2022-04-01"
  name      = "00000000-0000-0000-0000-000000000008"
  parent_id = azapi_resource.openai.id
  body = {{ properties = {{
    principalId      = azurerm_user_assigned_identity.chat.principal_id
    roleDefinitionId = {role}
    {more}
  }} }}
}}"#
        )
    };
    // Cognitive Services OpenAI User
    let user = "\"/providers/Microsoft.Authorization/roleDefinitions/5e0bd9bd-7b93-4f28-af87-19fc36ad61bd\"";
    assert_eq!(who(&text(user, ""), CHAT, "azapi_resource.openai"), [YES]);
    let limited = text(user, "condition = \"@Resource[x] StringEquals 'y'\"");
    assert_eq!(who(&limited, CHAT, "azapi_resource.openai"), ["only-if azurerm_user_assigned_identity.chat"]);
    let own = text("azapi_resource.role.id", "");
    assert_eq!(who(&own, CHAT, "azapi_resource.openai"), [YES]);
    let keys = "Microsoft.CognitiveServices/accounts/listKeys/action";
    assert!(who(&own, keys, "azapi_resource.openai").is_empty());
}

/// A vault with an access policy for the identity, and a role on it.
fn vault(more: &str) -> String {
    format!(
        r#"{IDENTITY}
resource "azurerm_key_vault" "ai" {{
  name                = "ai"
  location            = azurerm_resource_group.ai.location
  resource_group_name = azurerm_resource_group.ai.name
  sku_name            = "standard"
  tenant_id           = "00000000-0000-0000-0000-000000000001"
  {more}
}}
resource "azurerm_key_vault_access_policy" "chat" {{
  key_vault_id       = azurerm_key_vault.ai.id
  tenant_id          = "00000000-0000-0000-0000-000000000001"
  object_id          = azurerm_user_assigned_identity.chat.principal_id
  secret_permissions = ["Get"]
  key_permissions    = ["WrapKey", "UnwrapKey"]
}}
resource "azurerm_role_assignment" "officer" {{
  principal_id         = "00000000-0000-0000-0000-000000000002"
  role_definition_name = "Key Vault Secrets Officer"
  scope                = azurerm_key_vault.ai.id
}}"#
    )
}

#[test]
fn a_vault_goes_by_its_access_policies_or_by_roles() {
    let officer = "yes 00000000-0000-0000-0000-000000000002";
    let get = "Microsoft.KeyVault/vaults/secrets/getSecret/action";
    let asked = |more: &str, action: &str| who(&vault(more), action, "azurerm_key_vault.ai");
    assert_eq!(asked("rbac_authorization_enabled = false", get), [YES]);
    assert_eq!(asked("enable_rbac_authorization = true", get), [officer]);
    let wrap = "Microsoft.KeyVault/vaults/keys/wrap/action";
    assert_eq!(asked("rbac_authorization_enabled = false", wrap), [YES]);
    let set = "Microsoft.KeyVault/vaults/secrets/setSecret/action";
    assert!(asked("rbac_authorization_enabled = false", set).is_empty());
    let unknown =
        format!("variable \"by_roles\" {{}}\n{}", vault("rbac_authorization_enabled = var.by_roles"));
    let rows = who(&unknown, get, "azurerm_key_vault.ai");
    assert_eq!(rows, [officer, "undetermined azurerm_user_assigned_identity.chat"]);
}

#[test]
fn policies_that_stand_in_the_vault_count_too() {
    let text = vault(
        r#"
  rbac_authorization_enabled = false
  access_policy {
    tenant_id          = "00000000-0000-0000-0000-000000000001"
    object_id          = "00000000-0000-0000-0000-000000000003"
    secret_permissions = ["All"]
  }"#,
    );
    let set = "Microsoft.KeyVault/vaults/secrets/setSecret/action";
    assert_eq!(who(&text, set, "azurerm_key_vault.ai"), ["yes 00000000-0000-0000-0000-000000000003"]);
}
