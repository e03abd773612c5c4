//! Azure role definitions, built in and custom, and what one allows.
//!
//! A definition allows what its `actions` cover and its `notActions` do not, and the same for actions on data, apart from
//! them: the `*` of *Owner* covers no call of a model. What one definition leaves out another may allow, so nothing is
//! subtracted across definitions. <https://learn.microsoft.com/azure/role-based-access-control/role-definitions>

use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::Value as Json;
use smol_str::SmolStr;

use super::cover::{self, Of};
use super::document::List;
use super::pattern;
use super::text::Text;
use super::told::{Told, any, both, either, not};
use crate::value::Cause;

/// The table; `rules/iam/README.md` says what its columns are.
const TABLE: &str = include_str!("../../rules/iam/azure-roles.tsv");

/// What actions on data begin with; all others of these providers are not on data.
/// Source: the data actions of all built-in roles, and of Key Vault those of
/// <https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault>.
const DATA: [&str; 60] = [
    "microsoft.cognitiveservices/accounts/aiservices/",
    "microsoft.cognitiveservices/accounts/audiocontentcreation/",
    "microsoft.cognitiveservices/accounts/batchavatar/",
    "microsoft.cognitiveservices/accounts/batchtexttospeech/",
    "microsoft.cognitiveservices/accounts/contentsafety/",
    "microsoft.cognitiveservices/accounts/conversationallanguageunderstanding/",
    "microsoft.cognitiveservices/accounts/customavatar/",
    "microsoft.cognitiveservices/accounts/customvision/",
    "microsoft.cognitiveservices/accounts/customvoice/",
    "microsoft.cognitiveservices/accounts/face/",
    "microsoft.cognitiveservices/accounts/immersivereader/",
    "microsoft.cognitiveservices/accounts/language/",
    "microsoft.cognitiveservices/accounts/languageauthoring/",
    "microsoft.cognitiveservices/accounts/luis/",
    "microsoft.cognitiveservices/accounts/maas/",
    "microsoft.cognitiveservices/accounts/metricsadvisor/",
    "microsoft.cognitiveservices/accounts/multimodalintelligence/",
    "microsoft.cognitiveservices/accounts/openai/",
    "microsoft.cognitiveservices/accounts/qnamaker/",
    "microsoft.cognitiveservices/accounts/qnamaker.v2/",
    "microsoft.cognitiveservices/accounts/speechservices/",
    "microsoft.cognitiveservices/accounts/textanalytics/",
    "microsoft.cognitiveservices/accounts/ttsplayer/",
    "microsoft.cognitiveservices/accounts/videotranslation/",
    "microsoft.search/searchservices/indexes/contentsecurity/",
    "microsoft.search/searchservices/indexes/documents/",
    "microsoft.storage/storageaccounts/blobservices/containers/blobs/",
    "microsoft.storage/storageaccounts/fileservices/fileshares/",
    "microsoft.storage/storageaccounts/fileservices/readfilebackupsemantics/",
    "microsoft.storage/storageaccounts/fileservices/runasbuiltinfileadministrator/",
    "microsoft.storage/storageaccounts/fileservices/takeownership/",
    "microsoft.storage/storageaccounts/fileservices/writefilebackupsemantics/",
    "microsoft.storage/storageaccounts/queueservices/queues/messages/",
    "microsoft.storage/storageaccounts/tableservices/tables/entities/",
    "microsoft.keyvault/vaults/certificatecas/",
    "microsoft.keyvault/vaults/certificatecontacts/",
    "microsoft.keyvault/vaults/certificates/",
    "microsoft.keyvault/vaults/keyrotationpolicies/",
    "microsoft.keyvault/vaults/keys/backup/",
    "microsoft.keyvault/vaults/keys/create/",
    "microsoft.keyvault/vaults/keys/decrypt/",
    "microsoft.keyvault/vaults/keys/encrypt/",
    "microsoft.keyvault/vaults/keys/import/",
    "microsoft.keyvault/vaults/keys/purge/",
    "microsoft.keyvault/vaults/keys/recover/",
    "microsoft.keyvault/vaults/keys/release/",
    "microsoft.keyvault/vaults/keys/restore/",
    "microsoft.keyvault/vaults/keys/rotate/",
    "microsoft.keyvault/vaults/keys/sign/",
    "microsoft.keyvault/vaults/keys/unwrap/",
    "microsoft.keyvault/vaults/keys/update/",
    "microsoft.keyvault/vaults/keys/verify/",
    "microsoft.keyvault/vaults/keys/wrap/",
    "microsoft.keyvault/vaults/secrets/backup/",
    "microsoft.keyvault/vaults/secrets/getsecret/",
    "microsoft.keyvault/vaults/secrets/purge/",
    "microsoft.keyvault/vaults/secrets/readmetadata/",
    "microsoft.keyvault/vaults/secrets/recover/",
    "microsoft.keyvault/vaults/secrets/restore/",
    "microsoft.keyvault/vaults/secrets/setsecret/",
];

/// Those on the data of Cosmos DB, which has roles of its own for them.
/// <https://learn.microsoft.com/azure/cosmos-db/reference-data-plane-actions>
const COSMOS: [&str; 4] = [
    "microsoft.documentdb/databaseaccounts/readmetadata",
    "microsoft.documentdb/databaseaccounts/sqldatabases/containers/executequery",
    "microsoft.documentdb/databaseaccounts/sqldatabases/containers/items/",
    "microsoft.documentdb/databaseaccounts/sqldatabases/containers/readchangefeed",
];

/// Providers whose other actions are none on data.
const MANAGEMENT: [&str; 8] = [
    "microsoft.authorization/",
    "microsoft.cognitiveservices/",
    "microsoft.machinelearningservices/",
    "microsoft.managedidentity/",
    "microsoft.network/",
    "microsoft.resources/",
    "microsoft.search/",
    "microsoft.storage/",
];

/// A role definition.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// What it is called: `Cognitive Services OpenAI User`.
    pub name: SmolStr,
    /// What it allows; several sets add up.
    pub permissions: Vec<Permission>,
    /// Why more may be allowed than is said here.
    pub more: Option<Cause>,
}

/// One set of permissions of a definition.
#[derive(Clone, Debug, Default)]
pub struct Permission {
    /// What may be done to resources.
    pub actions: List,
    /// What is taken from `actions`.
    pub not_actions: List,
    /// What may be done to the data in them.
    pub data_actions: List,
    /// What is taken from `data_actions`.
    pub not_data_actions: List,
    /// What a built-in role limits itself to.
    pub condition: Option<SmolStr>,
}

/// Whether a role allows an action, and by what.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// Whether it does.
    pub told: Told,
    /// The pattern that covers it.
    pub by: SmolStr,
    /// What the definition itself limits it to.
    pub condition: Option<SmolStr>,
}

/// What an action is done to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Plane {
    /// Resources.
    Management,
    /// The data in them.
    Data,
}

/// A role that Azure has by itself.
struct BuiltIn {
    name: &'static str,
    /// What it was called before.
    formerly: &'static str,
    id: &'static str,
    text: &'static str,
    role: OnceLock<Arc<Role>>,
}

static ALL: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let one = |line: &'static str| {
        let mut columns = line.split('\t');
        Some(BuiltIn {
            name: columns.next()?,
            formerly: columns.next()?,
            id: columns.next()?,
            text: columns.next()?,
            role: OnceLock::new(),
        })
    };
    TABLE.lines().filter_map(one).collect()
});

/// The built-in role of that name, now or before; names ignore case.
pub fn named(name: &str) -> Option<Arc<Role>> {
    let is = |it: &&BuiltIn| it.name.eq_ignore_ascii_case(name) || it.formerly.eq_ignore_ascii_case(name);
    ALL.iter().filter(|_| !name.is_empty()).find(is).map(BuiltIn::role)
}

/// The built-in role of that id: a GUID, or what ends with one.
pub fn of_id(id: &str) -> Option<Arc<Role>> {
    let guid = id.rsplit('/').next().unwrap_or_default();
    ALL.iter().find(|it| it.id.eq_ignore_ascii_case(guid)).map(BuiltIn::role)
}

impl BuiltIn {
    fn role(&self) -> Arc<Role> {
        let read = || {
            let sets: Vec<Json> = serde_json::from_str(self.text).unwrap_or_default();
            let permissions = sets.iter().map(Permission::read).collect();
            Arc::new(Role { name: self.name.into(), permissions, more: None })
        };
        self.role.get_or_init(read).clone()
    }
}

impl Permission {
    fn read(set: &Json) -> Self {
        let list = |name: &str| List {
            items: set
                .get(name)
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .map(|text| Text::Known(text.into()))
                .collect(),
            more: None,
        };
        Self {
            actions: list("actions"),
            not_actions: list("notActions"),
            data_actions: list("dataActions"),
            not_data_actions: list("notDataActions"),
            condition: set.get("condition").and_then(Json::as_str).map(SmolStr::from),
        }
    }

    const fn of(&self, plane: Plane) -> (&List, &List) {
        match plane {
            Plane::Management => (&self.actions, &self.not_actions),
            Plane::Data => (&self.data_actions, &self.not_data_actions),
        }
    }

    /// Whether the set allows some of what `action` covers, and the pattern that does.
    fn allows(&self, action: &str, plane: Plane) -> (Told, SmolStr) {
        let (allowed, taken) = self.of(plane);
        let asked = Text::Known(action.into());
        let mut open: Option<(Cause, SmolStr)> = None;
        for pattern in &allowed.items {
            let told =
                both(cover::intersects(pattern, &asked, Of::Actions), || is_left(pattern, &asked, taken));
            match told {
                Ok(true) => return (Ok(true), pattern.to_string().into()),
                Ok(false) => {}
                Err(cause) => open = open.or_else(|| Some((cause, pattern.to_string().into()))),
            }
        }
        match (open, allowed.more.as_deref()) {
            (Some((cause, by)), _) => (Err(cause), by),
            (None, Some(cause)) => (Err(cause.clone()), SmolStr::new_static("?")),
            (None, None) => (Ok(false), SmolStr::default()),
        }
    }
}

/// Whether `taken` leaves some of what both `pattern` and `asked` cover.
fn is_left(pattern: &Text, asked: &Text, taken: &List) -> Told {
    let texts: Option<Vec<String>> =
        taken.items.iter().map(|it| it.as_str().map(str::to_ascii_lowercase)).collect();
    let told = match (pattern.as_str(), asked.as_str(), &texts) {
        (Some(pattern), Some(asked), Some(taken)) => {
            let taken: Vec<&str> = taken.iter().map(String::as_str).collect();
            let both = pattern::intersection(&pattern.to_ascii_lowercase(), &asked.to_ascii_lowercase());
            let is_left = |part: &String| pattern::left_over(part, &taken).map(|left| left.is_some());
            let parts: Option<Vec<bool>> = both.and_then(|parts| parts.iter().map(is_left).collect());
            parts.map(|parts| parts.contains(&true)).ok_or_else(|| Cause::Limit("size of patterns".into()))
        }
        _ => not(any(taken.items.iter().map(|it| cover::contains(it, asked, Of::Actions)))),
    };
    match (taken.more.as_deref(), told) {
        (Some(cause), Ok(true)) => Err(cause.clone()),
        (_, told) => told,
    }
}

impl Role {
    /// A role of which nothing is known.
    pub fn unknown(name: impl Into<SmolStr>, cause: Cause) -> Self {
        Self { name: name.into(), permissions: Vec::new(), more: Some(cause) }
    }

    /// Whether it allows some of what the action, or the pattern of actions, covers.
    pub fn allows(&self, action: &str) -> Allowed {
        let on = |plane| self.on(action, plane);
        if let Some(plane) = plane_of(action) {
            return on(plane);
        }
        let (management, data) = (on(Plane::Management), on(Plane::Data));
        let is_pattern = action.contains('*');
        match (&management.told, &data.told) {
            (Ok(a), Ok(b)) if a != b && !is_pattern => {
                let cause = format!("whether `{action}` is an action on data is not known");
                let by = if *a { management.by } else { data.by };
                Allowed { told: Err(Cause::Other(cause.into())), by, condition: None }
            }
            _ => {
                let told = either(management.told.clone(), || data.told.clone());
                let one = if management.told == Ok(false) { data } else { management };
                Allowed { told, ..one }
            }
        }
    }

    fn on(&self, action: &str, plane: Plane) -> Allowed {
        let none = Allowed { told: Ok(false), by: SmolStr::default(), condition: None };
        let more = self.more.clone().map(|cause| Allowed { told: Err(cause), ..none.clone() });
        let sets = self.permissions.iter().map(|set| {
            let (told, by) = set.allows(action, plane);
            Allowed { told, by, condition: set.condition.clone() }
        });
        // What is sure and has no condition says most.
        let rank = |it: &Allowed| match it.told {
            Ok(true) => usize::from(it.condition.is_some()),
            Err(_) => 2,
            Ok(false) => 3,
        };
        sets.chain(more).min_by_key(rank).unwrap_or(none)
    }

    /// What is taken from what a pattern of it covers.
    pub fn taken_from<'r>(&'r self, pattern: &'r Text, plane: Plane) -> impl Iterator<Item = &'r Text> {
        let sets = self.permissions.iter().filter(move |set| {
            let (allowed, _) = set.of(plane);
            allowed.items.iter().any(|it| std::ptr::eq(it, pattern))
        });
        let taken = sets.flat_map(move |set| &set.of(plane).1.items);
        taken.filter(move |it| cover::intersects(it, pattern, Of::Actions) != Ok(false))
    }

    /// What it allows, pattern by pattern as the definition has them.
    pub fn patterns(&self) -> impl Iterator<Item = (&Text, Plane)> {
        self.permissions.iter().flat_map(|set| {
            let actions = set.actions.items.iter().map(|it| (it, Plane::Management));
            actions.chain(set.data_actions.items.iter().map(|it| (it, Plane::Data)))
        })
    }
}

/// What the action is done to, if that is known.
fn plane_of(action: &str) -> Option<Plane> {
    let action = action.to_ascii_lowercase();
    let begins = |with: &&str| action.starts_with(*with);
    if DATA.iter().chain(&COSMOS).any(begins) {
        return Some(Plane::Data);
    }
    // A pattern may be of both.
    (!action.contains('*') && MANAGEMENT.iter().any(begins)).then_some(Plane::Management)
}

/// Whether an action is surely one on data.
pub fn is_on_data(action: &str) -> bool {
    plane_of(action) == Some(Plane::Data)
}

/// Whether an action has the form of Azure's: `Microsoft.Search/searchServices/write`.
pub fn is_action(text: &str) -> bool {
    text.contains('/') && !text.contains(':') && !text.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
    const KEYS: &str = "Microsoft.CognitiveServices/accounts/listKeys/action";

    fn told(role: &str, action: &str) -> Told {
        named(role).unwrap().allows(action).told
    }

    #[test]
    fn every_built_in_role_is_read_and_found_by_name_and_id() {
        for it in ALL.iter() {
            let role = named(it.name).unwrap();
            assert!(
                role.permissions.iter().any(|set| !set.actions.is_empty() || !set.data_actions.is_empty())
            );
            assert_eq!(
                of_id(&format!("/providers/Microsoft.Authorization/roleDefinitions/{}", it.id)).unwrap().name,
                it.name
            );
        }
        assert_eq!(named("azure ai user").unwrap().name, "Foundry User");
        assert!(named("").is_none() && of_id("").is_none());
    }

    #[test]
    fn what_roles_do_to_data_and_to_resources_is_told_apart() {
        for it in ALL.iter() {
            for set in &it.role().permissions {
                for text in &set.data_actions.items {
                    let text = text.to_string();
                    assert_ne!(plane_of(&text), Some(Plane::Management), "{text}");
                }
                for text in &set.actions.items {
                    let text = text.to_string();
                    assert_ne!(plane_of(&text), Some(Plane::Data), "{text}");
                }
            }
        }
    }

    #[test]
    fn who_owns_an_account_cannot_call_its_models_but_can_read_its_keys() {
        for role in ["Owner", "Contributor"] {
            assert_eq!(told(role, CHAT), Ok(false), "{role}");
            assert_eq!(told(role, KEYS), Ok(true), "{role}");
        }
        assert_eq!(told("Reader", KEYS), Ok(false));
        assert_eq!(told("Cognitive Services OpenAI User", CHAT), Ok(true));
        assert_eq!(told("cognitive services openai user", KEYS), Ok(false));
        assert_eq!(told("Cognitive Services User", KEYS), Ok(true));
    }

    #[test]
    fn what_is_not_granted_is_subtracted_within_one_definition() {
        assert_eq!(told("Contributor", "Microsoft.Authorization/roleAssignments/write"), Ok(false));
        assert_eq!(told("Owner", "microsoft.authorization/ROLEASSIGNMENTS/write"), Ok(true));
        assert_eq!(told("Contributor", "Microsoft.Authorization/*/read"), Ok(true));
        assert_eq!(
            told("Contributor", "Microsoft.Authorization/roleAssignments/*"),
            Ok(true),
            "it may read them"
        );
        assert_eq!(told("Contributor", "Microsoft.Authorization/*/Write"), Ok(false));
    }

    #[test]
    fn an_action_of_which_the_plane_is_not_known_is_asked_of_both() {
        assert_eq!(
            told("Owner", "Contoso.Widgets/things/read").map_err(|it| it.to_string()),
            Err("whether `Contoso.Widgets/things/read` is an action on data is not known".to_owned())
        );
        assert_eq!(told("Owner", "Microsoft.CognitiveServices/*"), Ok(true));
        assert_eq!(told("AcrPull", "Contoso.Widgets/things/read"), Ok(false));
    }

    #[test]
    fn a_condition_of_a_built_in_role_is_kept() {
        let allowed = named("Key Vault Data Access Administrator").unwrap();
        let allowed = allowed.allows("Microsoft.Authorization/roleAssignments/write");
        assert!(allowed.told == Ok(true) && allowed.condition.is_some());
    }

    #[test]
    fn what_is_not_known_of_a_role_is_no_answer() {
        let role = Role::unknown("mine", Cause::Plan);
        assert!(role.allows(CHAT).told.is_err());
        let holed = List { more: Some(Box::new(Cause::Plan)), ..List::default() };
        let known = List { items: vec![Text::Known("*".into())].into(), more: None };
        let set = Permission { data_actions: known, not_data_actions: holed, ..Permission::default() };
        let role = Role { permissions: vec![set], ..Role::default() };
        assert!(role.allows(CHAT).told.is_err());
        assert_eq!(role.allows(KEYS).told, Ok(false));
    }
}
