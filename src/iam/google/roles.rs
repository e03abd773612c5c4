//! Roles that Google defines: what `rules/iam/google-roles.tsv` holds of them.

use std::sync::LazyLock;

use super::meets;
use crate::iam::told::Told;
use crate::value::Cause;

/// The table; `rules/iam/README.md` says what is in it.
const TABLE: &str = include_str!("../../../rules/iam/google-roles.tsv");

/// Role without `roles/`, and patterns of its permissions with blanks between them; sorted by role.
static ROLES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let mut roles: Vec<_> = TABLE.lines().skip(2).filter_map(|line| line.split_once('\t')).collect();
    roles.sort_unstable();
    roles
});

/// A line of the head: `covers`, `but`.
fn head(name: &str) -> impl Iterator<Item = &'static str> {
    let line = TABLE.lines().take(2).filter_map(|line| line.split_once('\t')).find(|(key, _)| *key == name);
    line.map_or("", |(_, patterns)| patterns).split(' ')
}

/// Whether the table tells of every role if it has the permission.
fn covers(permission: &str) -> bool {
    head("covers").any(|one| meets(one, permission)) && !head("but").any(|one| meets(one, permission))
}

/// Whether the role (`roles/aiplatform.user`) has the permission, or one that the pattern meets.
pub fn grants(role: &str, permission: &str) -> Told {
    let unknown = || Cause::Other(format!("what the role `{role}` grants is unknown content").into());
    let name = role.strip_prefix("roles/").unwrap_or(role);
    let at = ROLES.binary_search_by(|(known, _)| (*known).cmp(name)).map_err(|_| unknown())?;
    let permissions = ROLES.get(at).map_or("", |(_, permissions)| permissions);
    if permissions.split(' ').any(|one| !one.is_empty() && meets(one, permission)) {
        return Ok(true);
    }
    if covers(permission) { Ok(false) } else { Err(unknown()) }
}

/// Whether it is one that every project begins with: owner, editor, viewer.
pub fn is_basic(role: &str) -> bool {
    matches!(role, "roles/owner" | "roles/editor" | "roles/viewer")
}

/// The services of Google that are AI, as their permissions and roles begin.
const AI_SERVICES: [&str; 9] = [
    "aiplatform",
    "ces",
    "cloudaicompanion",
    "dialogflow",
    "discoveryengine",
    "documentai",
    "ml",
    "modelarmor",
    "notebooks",
];

/// Whether the role is one of an AI service: `roles/aiplatform.user`.
pub fn is_of_ai(role: &str) -> bool {
    let service = role.strip_prefix("roles/").and_then(|name| name.split_once('.'));
    service.is_some_and(|(service, _)| AI_SERVICES.contains(&service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_grant_what_google_says() {
        assert!(ROLES.len() > 2000);
        let predict = "aiplatform.endpoints.predict";
        // The basic Viewer may call models, though the Viewer of Vertex AI may not.
        for role in ["roles/aiplatform.user", "roles/aiplatform.admin", "roles/owner", "roles/viewer"] {
            assert_eq!(grants(role, predict), Ok(true), "{role}");
        }
        for role in ["roles/aiplatform.viewer", "roles/logging.logWriter", "roles/run.invoker"] {
            assert_eq!(grants(role, predict), Ok(false), "{role}");
        }
        assert_eq!(grants("roles/iam.serviceAccountUser", "iam.serviceAccounts.actAs"), Ok(true));
        assert_eq!(grants("roles/iam.serviceAccountUser", "iam.serviceAccounts.getAccessToken"), Ok(false));
        assert_eq!(
            grants("roles/iam.serviceAccountTokenCreator", "iam.serviceAccounts.getAccessToken"),
            Ok(true)
        );
    }

    #[test]
    fn what_the_table_does_not_tell_is_unknown_content() {
        assert!(grants("roles/no.suchRole", "aiplatform.endpoints.predict").is_err());
        assert!(grants("roles/aiplatform.user", "compute.instances.create").is_err());
        assert!(grants("roles/aiplatform.user", "resourcemanager.projects.get").is_err());
    }

    #[test]
    fn services_of_ai_are_told_by_the_role() {
        assert!(
            is_of_ai("roles/aiplatform.user") && !is_of_ai("roles/storage.admin") && !is_of_ai("aiplatform")
        );
    }
}
