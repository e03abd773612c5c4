//! Members that stand for others: `projectEditor:p` is whoever has the basic role *Editor* on the project.
//! <https://cloud.google.com/storage/docs/access-control/iam#convenience-values>

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::authority::key;
use super::{Grant, Place, Role};
use crate::iam::google::member::Member;
use crate::value::Cause;

/// Members of a kind, and the basic role that they have.
const KINDS: [(&str, &str); 3] =
    [("projectEditor", "roles/editor"), ("projectOwner", "roles/owner"), ("projectViewer", "roles/viewer")];

/// More of them are not made.
const MAX: usize = 10_000;

/// What grants to holders of a basic role give those whom the configuration grants that role.
pub(super) fn held_through(all: &[Grant]) -> Vec<Grant> {
    let mut basic: BTreeMap<(&str, SmolStr), Vec<&Grant>> = BTreeMap::new();
    for grant in all {
        if let (Place::Project(project), Role::Named(role)) = (&grant.place, &grant.role)
            && KINDS.iter().any(|(_, basic)| basic == role)
            && let Some(project) = key(project)
        {
            basic.entry((role.as_str(), project)).or_default().push(grant);
        }
    }
    let mut out = Vec::new();
    for grant in all.iter().filter(|_| !basic.is_empty()) {
        for holder in &grant.holders {
            let Member::Convenience(member) = holder.member() else { continue };
            let Some((kind, project)) = member.split_once(':') else { continue };
            let Some((_, role)) = KINDS.iter().find(|(name, _)| *name == kind) else { continue };
            for by in basic.get(&(*role, project.into())).into_iter().flatten() {
                if out.len() == MAX {
                    // Somebody else has it too.
                    let cause = Cause::Limit("members that stand for others".into());
                    out.push(Grant { holders: Vec::new(), more: Some(cause), ..grant.clone() });
                    return out;
                }
                out.push(Grant {
                    holders: by.holders.clone(),
                    more: by.more.clone(),
                    condition: both(grant.condition.as_deref(), by.condition.as_deref()),
                    doubt: grant.doubt.clone().or_else(|| by.doubt.clone()),
                    through: Some((by.address.clone(), SmolStr::new_static(role), by.site)),
                    ..grant.clone()
                });
            }
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
