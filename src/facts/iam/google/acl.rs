//! Access lists of buckets: the way before IAM, which counts as long as a bucket has no uniform access.
//! <https://cloud.google.com/storage/docs/access-control/lists>

use petgraph::Direction;
use smol_str::SmolStr;

use super::{Grant, Holder, Kind, Place, Reader, Role, granted};
use crate::graph::NodeId;
use crate::program::{Mode, Resource};
use crate::value::{Cause, Value};

/// The types that have entries: of a bucket, and of the objects that will be made in it.
const LISTS: [&str; 4] = [
    "google_storage_bucket_access_control",
    "google_storage_bucket_acl",
    "google_storage_default_object_access_control",
    "google_storage_default_object_acl",
];

/// Lists that have a name, and what of them is for others than those of the project.
const NAMED: [(&str, &str); 6] = [
    ("authenticatedRead", "READER:allAuthenticatedUsers"),
    ("publicRead", "READER:allUsers"),
    ("publicReadWrite", "WRITER:allUsers"),
    ("authenticated-read", "READER:allAuthenticatedUsers"),
    ("public-read", "READER:allUsers"),
    ("public-read-write", "WRITER:allUsers"),
];

/// Whether resources of the type are such a list.
pub(super) fn is_list(type_name: &str) -> bool {
    LISTS.contains(&type_name)
}

impl Reader<'_> {
    /// What an access list grants.
    pub(super) fn listed(&self, node: NodeId, resource: &Resource) -> Vec<Grant> {
        let (Some(after), Mode::Managed) = (&resource.after, resource.mode) else { return Vec::new() };
        let is_of_objects = resource.type_name.starts_with("google_storage_default");
        let mut edges = self.graph.edges(node, Direction::Outgoing);
        let bucket = edges.find(|(edge, _)| edge.path == "bucket").map(|(_, bucket)| bucket);
        let made = bucket.and_then(|it| self.graph.resource(it)?.after.as_ref());
        let uniform = made.and_then(|it| it.get("uniform_bucket_level_access"));
        if uniform.and_then(Value::as_bool) == Some(true) {
            return Vec::new();
        }
        let is_fine = uniform.is_some_and(|it| it.as_bool() == Some(false));
        let doubt = (!is_fine).then(|| {
            let why = format!(
                "whether `{}` counts is not known: its bucket may have uniform access",
                resource.address
            );
            Cause::Other(why.into())
        });
        let name = after.get("bucket").and_then(Value::as_str).map(SmolStr::from);
        let place = Place::Resource(bucket.into_iter().collect(), name.into_iter().collect());
        let grant = |role: Role, holders: Vec<Holder>, more: Option<Cause>| Grant {
            doubt: doubt.clone(),
            ..granted(node, resource, &place, Kind::List, role, (holders, more))
        };
        let mut out = Vec::new();
        let mut add = |entry: &str| {
            let Some((role, entity)) = entry.split_once(':') else { return };
            let (Some(role), Some(member)) = (role_of(role, is_of_objects), member(entity)) else { return };
            out.push(grant(Role::Named(role.into()), vec![self.known(&member)], None));
        };
        let text = |name: &str| after.get(name).and_then(Value::as_str);
        if let (Some(role), Some(entity)) = (text("role"), text("entity")) {
            add(&format!("{role}:{entity}"));
        }
        for named in ["predefined_acl", "default_acl"].into_iter().filter_map(text) {
            NAMED.iter().filter(|(name, _)| *name == named).for_each(|(_, entry)| add(entry));
        }
        let entries = after.get("role_entity").filter(|it| !it.sensitive);
        let items = entries.and_then(Value::items).unwrap_or_default();
        items.iter().filter_map(Value::as_str).for_each(&mut add);
        let open = items.iter().find(|it| it.as_str().is_none()).and_then(Value::first_cause);
        if let Some(cause) = open.cloned() {
            out.push(grant(Role::Unknown(cause.clone()), Vec::new(), Some(cause)));
        }
        out
    }
}

/// The role that gives what an entry gives.
fn role_of(role: &str, is_of_objects: bool) -> Option<&'static str> {
    Some(match (role, is_of_objects) {
        ("READER", false) => "roles/storage.legacyBucketReader",
        ("WRITER", false) => "roles/storage.legacyBucketWriter",
        ("OWNER", false) => "roles/storage.legacyBucketOwner",
        ("READER", true) => "roles/storage.legacyObjectReader",
        ("OWNER", true) => "roles/storage.legacyObjectOwner",
        _ => return None,
    })
}

/// Whom an entry names, as grants do: `user-a@example.com`.
fn member(entity: &str) -> Option<String> {
    if matches!(entity, "allUsers" | "allAuthenticatedUsers") {
        return Some(entity.to_owned());
    }
    let (kind, name) = entity.split_once('-')?;
    Some(match kind {
        "user" if name.ends_with("gserviceaccount.com") => format!("serviceAccount:{name}"),
        "user" | "group" | "domain" => format!("{kind}:{name}"),
        "project" => {
            let (team, project) = name.split_once('-')?;
            match team {
                "owners" => format!("projectOwner:{project}"),
                "editors" => format!("projectEditor:{project}"),
                "viewers" => format!("projectViewer:{project}"),
                _ => return None,
            }
        }
        _ => return None,
    })
}
