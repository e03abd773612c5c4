//! Access entries of BigQuery's data sets: those in the data set's own list, and those that are added one by one.
//!
//! `READER`, `WRITER` and `OWNER` are the names from before IAM of three of its roles, and the special groups are who has a
//! basic role on the data set's project. <https://cloud.google.com/bigquery/docs/access-control-basic-roles>

use petgraph::Direction;
use smol_str::{SmolStr, format_smolstr};

use super::{Grant, Holder, Kind, Place, Reader, Role, condition, from, granted, shown};
use crate::facts::is_unset;
use crate::graph::NodeId;
use crate::program::{Mode, Resource};
use crate::value::{Cause, Value};

/// The type of data sets, which have a list.
const DATASET: &str = "google_bigquery_dataset";
/// The type of one entry.
const ENTRY: &str = "google_bigquery_dataset_access";

/// Roles from before IAM, and those that they are.
const ROLES: [(&str, &str); 3] = [
    ("OWNER", "roles/bigquery.dataOwner"),
    ("READER", "roles/bigquery.dataViewer"),
    ("WRITER", "roles/bigquery.dataEditor"),
];

/// Groups that are those of a basic role, and what stands before the project in the member that is the same.
const GROUPS: [(&str, &str); 3] = [
    ("projectOwners", "projectOwner"),
    ("projectReaders", "projectViewer"),
    ("projectWriters", "projectEditor"),
];

/// What a data set gives them that is made without a list.
/// <https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset.FIELDS.access>
const DEFAULTS: [(&str, &str); 3] =
    [("projectOwners", "OWNER"), ("projectReaders", "READER"), ("projectWriters", "WRITER")];

/// Attributes that say to whom, and what stands before a member of that kind.
const WHOM: [(&str, &str); 4] =
    [("domain", "domain:"), ("group_by_email", "group:"), ("iam_member", ""), ("user_by_email", "user:")];

/// Whether resources of the type have access entries.
pub(super) fn has_entries(type_name: &str) -> bool {
    matches!(type_name, DATASET | ENTRY)
}

impl Reader<'_> {
    /// What the access entries of a data set grant.
    pub(super) fn entries(&self, node: NodeId, resource: &Resource) -> Vec<Grant> {
        let (Some(after), Mode::Managed) = (&resource.after, resource.mode) else { return Vec::new() };
        let is_entry = resource.type_name == ENTRY;
        let made = self.graph.edges(node, Direction::Outgoing).find(|(edge, _)| edge.path == "dataset_id");
        let dataset = if is_entry { made.map(|(_, dataset)| dataset) } else { Some(node) };
        let name = after.get("dataset_id").and_then(Value::as_str).map(SmolStr::from);
        let place = Place::Resource(dataset.into_iter().collect(), name.into_iter().collect());
        let project = after.get("project").unwrap_or(&Value::NULL);
        let grant = |entry: &Value, at: &str| {
            let held = self.whom(node, entry, at, project)?;
            let role = named(self.role(node, &format!("{at}role"), entry.get("role")));
            let condition = condition(entry.get("condition"));
            Some(Grant { condition, ..granted(node, resource, &place, Kind::List, role, held) })
        };
        if is_entry {
            return grant(after, "").into_iter().collect();
        }
        let list = after.get("access").filter(|it| !it.is_absent() && !is_unset(resource, "access", it));
        match list.map(|list| (list, list.items())) {
            Some((_, Some(items))) if !items.is_empty() => {
                items.iter().filter_map(|entry| grant(entry, "access.")).collect()
            }
            Some((list, None)) => {
                let cause = list.first_cause().cloned().unwrap_or(Cause::Plan);
                let role = Role::Unknown(cause.clone());
                vec![granted(node, resource, &place, Kind::List, role, (Vec::new(), Some(cause)))]
            }
            // Nobody writes one: then it is that of the basic roles, beside which others may be granted.
            _ => {
                let of_group = |(group, kind): &(&str, &str)| {
                    let (_, old) = DEFAULTS.iter().find(|(name, _)| name == group)?;
                    let holder = self.known(&format!("{kind}:{}", shown(project)));
                    let role = named(Role::Named(SmolStr::new_static(old)));
                    Some(granted(node, resource, &place, Kind::Member, role, (vec![holder], None)))
                };
                GROUPS.iter().filter_map(of_group).collect()
            }
        }
    }

    /// To whom an entry gives its role, and why there may be more; [`None`] of one for a view or routine, which has none.
    fn whom(
        &self,
        node: NodeId,
        entry: &Value,
        at: &str,
        project: &Value,
    ) -> Option<(Vec<Holder>, Option<Cause>)> {
        if let Some(group) = entry.get("special_group").filter(|it| is_set(it)) {
            let Some(group) = group.as_str() else {
                return Some((Vec::new(), Some(group.first_cause().cloned().unwrap_or(Cause::Plan))));
            };
            let basic = GROUPS.iter().find(|(name, _)| *name == group);
            let member =
                basic.map_or_else(|| group.into(), |(_, kind)| format_smolstr!("{kind}:{}", shown(project)));
            return Some((vec![self.known(&member)], None));
        }
        let (name, before) = WHOM.iter().find(|(name, _)| entry.get(name).is_some_and(is_set))?;
        let value = entry.get(name)?;
        match value.as_str().filter(|_| !value.sensitive) {
            Some(email) if email.ends_with("gserviceaccount.com") && *name == "user_by_email" => {
                Some((vec![self.known(&format!("serviceAccount:{email}"))], None))
            }
            Some(text) => Some((vec![self.known(&format!("{before}{text}"))], None)),
            None => Some(self.holders(node, &format!("{at}{name}"), Some(value))),
        }
    }
}

/// Whether somebody says it, known or not.
fn is_set(value: &Value) -> bool {
    match value.as_unknown() {
        Some(unknown) => unknown.cause != Cause::Provider || from(value).is_some(),
        None => !value.is_absent() && value.as_str() != Some(""),
    }
}

/// The role by its name of today.
fn named(role: Role) -> Role {
    match role {
        Role::Named(name) => match ROLES.iter().find(|(old, _)| *old == name) {
            Some((_, new)) => Role::Named(SmolStr::new_static(new)),
            None => Role::Named(name),
        },
        role => role,
    }
}
