//! Ways to a role that leave less of it: resources with a policy for the sessions that begin through them.
//!
//! A session may do what the role may and its policy allows too. The role itself, which others may come to, loses nothing.

use petgraph::Direction;

use crate::graph::NodeId;
use crate::iam::effective::Kind;
use crate::value::Cause;

use super::super::Facts;
use super::access::{Access, identity_can};
use super::principals::{Holding, Identity, named};

/// A type with a policy for sessions.
struct Way {
    type_name: &'static str,
    /// The attribute of the policy.
    policy: &'static str,
    /// The attribute of further policies, by their ARNs: what one of all allows is allowed.
    managed: Option<&'static str>,
    /// The attribute of the role, or of several.
    role: &'static str,
    /// The attribute of a role that the session goes on to: which of the two its policy limits is not said.
    next: Option<&'static str>,
}

const WAYS: [Way; 4] = [
    Way {
        type_name: "aws_eks_pod_identity_association",
        policy: "policy",
        managed: None,
        role: "role_arn",
        next: Some("target_role_arn"),
    },
    Way {
        type_name: "aws_rolesanywhere_profile",
        policy: "session_policy",
        managed: Some("managed_policy_arns"),
        role: "role_arns",
        next: None,
    },
    Way { type_name: "aws_transfer_access", policy: "policy", managed: None, role: "role", next: None },
    Way { type_name: "aws_transfer_user", policy: "policy", managed: None, role: "role", next: None },
];

/// The attribute in which a type has the policy.
pub(super) fn policy_of(type_name: &str) -> Option<&'static str> {
    WAYS.iter().find(|way| way.type_name == type_name).map(|way| way.policy)
}

/// What sessions of a role may do that begin through a resource.
#[derive(Debug)]
pub struct Session {
    /// The resource.
    pub node: NodeId,
    /// The role, as far as the session has it.
    pub identity: Identity,
}

/// All that have a policy and a role that the configuration makes.
pub fn of_graph(facts: &Facts<'_>) -> Vec<Session> {
    let nodes = WAYS.iter().flat_map(|way| facts.graph.by_type(way.type_name));
    nodes.flat_map(|&node| of(facts, node)).collect()
}

/// Those that begin through a resource: one for each role.
pub fn of(facts: &Facts<'_>, node: NodeId) -> Vec<Session> {
    let graph = facts.graph;
    let Some(resource) = graph.resource(node).filter(|it| it.is_ours()) else {
        return Vec::new();
    };
    let Some(way) = WAYS.iter().find(|way| way.type_name == resource.type_name) else { return Vec::new() };
    let mut limits = limits(facts, node, way);
    if limits.is_empty() {
        return Vec::new();
    }
    let after = resource.after.as_ref();
    let next = way.next.filter(|next| after.and_then(|it| it.get(next)).is_some_and(|it| !it.is_null()));
    if let Some(next) = next {
        let why = format!("whether the policy of `{}` limits `{next}` too is not known", resource.address);
        for limit in &mut limits {
            limit.doubt = Some(Cause::Other(why.as_str().into()));
        }
    }
    let is_role = |path: &str| path == way.role || next == Some(path);
    let edges = graph.edges(node, Direction::Outgoing).filter(|(edge, _)| is_role(&edge.path));
    let mut roles: Vec<NodeId> = edges.map(|(_, role)| role).collect();
    roles.sort_unstable();
    roles.dedup();
    let roles = roles.iter().filter_map(|role| facts.identities().get(role));
    roles.map(|role| Session { node, identity: role.limited(limits.iter().cloned()) }).collect()
}

impl Session {
    /// An answer about the role as one about the session.
    pub(super) fn row(&self, facts: &Facts<'_>, row: Access) -> Access {
        let Some(resource) = facts.graph.resource(self.node) else { return row };
        Access { principal: resource.address.to_string(), site: resource.site, ..row }
    }
}

/// What sessions that begin through the resource may do; [`None`] if none has a policy.
pub(super) fn what_can(facts: &Facts<'_>, node: NodeId) -> Option<Vec<Access>> {
    let sessions = of(facts, node);
    let mut rows = Vec::new();
    for session in &sessions {
        rows.extend(identity_can(facts, &session.identity).into_iter().map(|row| session.row(facts, row)));
    }
    (!sessions.is_empty()).then_some(rows)
}

/// What limits the sessions.
fn limits(facts: &Facts<'_>, node: NodeId, way: &Way) -> Vec<Holding> {
    let Some(resource) = facts.graph.resource(node) else { return Vec::new() };
    let own = facts.policies(node).and_then(|it| it.session.as_ref());
    let mut limits: Vec<Holding> = own
        .map(|read| Holding::of(Kind::Session, read, node, resource, None))
        .into_iter()
        .chain(way.managed.into_iter().flat_map(|managed| named(facts, node, managed, Kind::Session)))
        .collect();
    if limits.len() > 1 {
        // What one of several allows is allowed: each by itself says only what may be missing.
        let why = format!("`{}` has several policies for its sessions", resource.address);
        for limit in &mut limits {
            limit.doubt = Some(Cause::Other(why.as_str().into()));
        }
    }
    limits
}
