//! What default service accounts may hold though nothing here grants it.
//!
//! When the API of Compute Engine or App Engine is enabled, Google makes an account that all use who name none, and makes it
//! Editor of the project, unless an organisation policy forbids that: which is so of itself in organisations made since
//! 2024-05-03. The policy takes nothing away that was granted before.
//! <https://cloud.google.com/iam/docs/service-account-types#default>
//! So it is undetermined, unless the configuration takes the role away, or says who all editors are.

use std::collections::BTreeSet;

use smol_str::{SmolStr, format_smolstr};

use super::authority::key;
use super::{Grant, Holder, Kind, Place, Role, granted, shown};
use crate::facts::is_left_to_the_provider;
use crate::graph::{NodeId, ResourceGraph};
use crate::program::{Mode, Resource};
use crate::value::{Cause, Value};

/// The role that Google grants.
const EDITOR: &str = "roles/editor";
/// The constraint of organisation policies.
const CONSTRAINT: &str = "iam.automaticIamGrantsForDefaultServiceAccounts";
/// What takes the roles of default accounts away.
const TAKES_AWAY: &str = "google_project_default_service_accounts";

/// Data sources that are one.
pub(super) const READ: [&str; 2] =
    ["google_app_engine_default_service_account", "google_compute_default_service_account"];

/// What runs as that of Compute Engine if it names no other, and where it names one.
const RUNS: [(&str, &str); 6] = [
    ("google_cloud_run_service", "template.spec.service_account_name"),
    ("google_cloud_run_v2_job", "template.template.service_account"),
    ("google_cloud_run_v2_service", "template.service_account"),
    ("google_cloudfunctions2_function", "service_config.service_account_email"),
    ("google_container_node_pool", "node_config.service_account"),
    ("google_workbench_instance", "gce_setup.service_accounts.email"),
];

/// Policies that may enforce the constraint.
const POLICIES: [&str; 4] = [
    "google_folder_organization_policy",
    "google_org_policy_policy",
    "google_organization_policy",
    "google_project_organization_policy",
];

/// The default accounts that the configuration reads or runs something as, each with the role that it may have.
pub(super) fn held(graph: &ResourceGraph, all: &[Grant]) -> Vec<Grant> {
    let taken = taken(graph, all);
    let doubt = doubt(graph);
    let mut out = Vec::new();
    let mut add = |node: NodeId, resource: &Resource, name: Option<SmolStr>| {
        let project = resource.after.as_ref().and_then(|it| it.get("project")).unwrap_or(&Value::NULL);
        if key(project).is_some_and(|project| taken.contains(&project)) {
            return;
        }
        let name =
            name.unwrap_or_else(|| format_smolstr!("default service account of project {}", shown(project)));
        let place = Place::Project(project.clone());
        let holder = Holder { name, account: None, is_doubtful: false };
        let role = Role::Named(SmolStr::new_static(EDITOR));
        let grant = granted(node, resource, &place, Kind::Member, role, (vec![holder], None));
        out.push(Grant { doubt: Some(doubt.clone()), ..grant });
    };
    for &node in READ.iter().flat_map(|name| graph.by_type(name)) {
        let Some(resource) = graph.resource(node).filter(|it| it.mode == Mode::Data) else { continue };
        add(node, resource, Some(resource.address.clone()));
    }
    for (name, path) in RUNS {
        for &node in graph.by_type(name) {
            let resource = graph.resource(node).filter(|it| it.is_ours());
            if let Some(resource) = resource.filter(|it| names_none(it, path)) {
                add(node, resource, None);
            }
        }
    }
    out
}

/// Whether it surely names no account.
fn names_none(resource: &Resource, path: &str) -> bool {
    let Some(after) = &resource.after else { return false };
    let mut named = false;
    after.each_at(path, &mut |value| {
        named |= !(value.is_null() || value.as_str() == Some("") || is_left_to_the_provider(value));
    });
    !named
}

/// The projects in which the configuration takes the role away from default accounts, or says all who are editors.
fn taken(graph: &ResourceGraph, all: &[Grant]) -> BTreeSet<SmolStr> {
    let takes = graph.by_type(TAKES_AWAY).iter().filter_map(|&node| {
        let resource = graph.resource(node).filter(|it| it.is_ours())?;
        key(resource.after.as_ref()?.get("project")?)
    });
    let rules = all.iter().filter(|it| match it.kind {
        Kind::Policy => true,
        Kind::Binding => it.role.name() == EDITOR,
        Kind::Member | Kind::List => false,
    });
    let ruled = rules.filter_map(|it| match &it.place {
        Place::Project(project) => key(project),
        _ => None,
    });
    takes.chain(ruled).collect()
}

/// Why it may not have the role.
fn doubt(graph: &ResourceGraph) -> Cause {
    let names_it = |resource: &&Resource| {
        let text = |name: &str| resource.after.as_ref()?.get(name)?.as_str();
        text("constraint").or_else(|| text("name")).is_some_and(|name| name.ends_with(CONSTRAINT))
    };
    let nodes = POLICIES.iter().flat_map(|name| graph.by_type(name));
    let policy =
        nodes.filter_map(|&node| graph.resource(node)).filter(|it| it.mode == Mode::Managed).find(names_it);
    let why = match policy {
        Some(policy) => {
            format!("whether Google made the default account Editor before `{}` is not known", policy.address)
        }
        None => format!(
            "whether Google made the default account Editor is not known: not where `{CONSTRAINT}` is enforced"
        ),
    };
    Cause::Other(why.into())
}
