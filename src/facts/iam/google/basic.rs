//! Members that stand for others: `projectEditor:p` is whoever has the basic role *Editor* on the project.
//! <https://cloud.google.com/storage/docs/access-control/iam#convenience-values>

use smol_str::{SmolStr, format_smolstr};

use super::authority::key;
use super::{Grant, Place, Role};
use crate::iam::google::member::Member;

/// Members of a kind, and the basic role that they have.
const KINDS: [(&str, &str); 3] =
    [("projectEditor", "roles/editor"), ("projectOwner", "roles/owner"), ("projectViewer", "roles/viewer")];

/// What grants to holders of a basic role give those whom the configuration grants that role.
pub(super) fn held_through(all: &[Grant]) -> Vec<Grant> {
    let basic: Vec<(&Grant, &str, SmolStr)> = all
        .iter()
        .filter_map(|grant| match (&grant.place, &grant.role) {
            (Place::Project(project), Role::Named(role)) => Some((grant, role.as_str(), key(project)?)),
            _ => None,
        })
        .filter(|(_, role, _)| KINDS.iter().any(|(_, basic)| basic == role))
        .collect();
    if basic.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for grant in all {
        for holder in &grant.holders {
            let Member::Convenience(member) = holder.member() else { continue };
            let Some((kind, project)) = member.split_once(':') else { continue };
            let role = KINDS.iter().find(|(name, _)| *name == kind).map(|(_, role)| *role);
            let those = basic.iter().filter(|(_, basic, of)| Some(*basic) == role && of == project);
            out.extend(those.map(|(by, basic, _)| Grant {
                holders: by.holders.clone(),
                more: by.more.clone(),
                condition: both(grant.condition.as_deref(), by.condition.as_deref()),
                doubt: grant.doubt.clone().or_else(|| by.doubt.clone()),
                through: Some((by.address.clone(), format_smolstr!("{basic}"), by.site)),
                ..grant.clone()
            }));
        }
    }
    out
}

/// Two conditions that must hold.
fn both(one: Option<&str>, other: Option<&str>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("({one}) && ({other})")),
        (one, other) => one.or(other).map(ToOwned::to_owned),
    }
}
