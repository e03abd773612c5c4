//! What deny policies take away: of whom, which permissions, below what.
//!
//! A deny policy has principals and permissions in a form of its own, with exceptions to both. What a group holds, or who is of
//! an organisation, is in no configuration: then it is a condition that the policy does not deny it.
//! <https://cloud.google.com/iam/docs/deny-overview>

use smol_str::SmolStr;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::google::meets;
use crate::iam::google::member::Member;
use crate::iam::{Text, told, told::Told};
use crate::value::{Cause, Unknown, Value};

use super::{Holder, Place, Role, condition, shown};

/// The type of deny policies.
const TYPE: &str = "google_iam_deny_policy";
/// What stands before the address of a service account.
const ACCOUNTS: &str = "principal://iam.googleapis.com/projects/-/serviceAccounts/";
/// The set of everybody.
const EVERYBODY: &str = "principalSet://goog/public:all";

/// A rule of a deny policy.
#[derive(Clone, Debug)]
pub(super) struct Deny {
    /// The address of the policy.
    address: SmolStr,
    /// Below what it holds.
    above: Place,
    principals: Names,
    permissions: Names,
    excepted: Names,
    spared: Names,
    condition: Option<String>,
}

/// A list of texts.
#[derive(Clone, Debug, Default)]
struct Names {
    /// Those that are there, as far as they are known, each with the resources that it is computed from.
    items: Vec<(Text, Vec<SmolStr>)>,
    /// Why there may be more.
    more: Option<Cause>,
}

/// What a rule takes away of a grant.
pub(super) enum Taken {
    /// Nothing.
    Nothing,
    /// All of it.
    All,
    /// All of it, if this does not hold.
    Unless(String),
}

/// The rules of all deny policies.
pub(super) fn of_graph(graph: &ResourceGraph) -> Vec<Deny> {
    let mut out = Vec::new();
    for &node in graph.by_type(TYPE) {
        let Some(policy) = graph.resource(node).filter(|it| it.is_ours()) else {
            continue;
        };
        let Some(after) = &policy.after else { continue };
        let above = above(after.get("parent").unwrap_or(&Value::NULL));
        let deny = |rule: Option<&Value>, more: Option<Cause>| {
            let names = |name: &str| Names::of(rule.and_then(|rule| rule.get(name)), more.as_ref());
            Deny {
                address: policy.address.clone(),
                above: above.clone(),
                principals: names("denied_principals"),
                permissions: names("denied_permissions"),
                excepted: names("exception_principals"),
                spared: names("exception_permissions"),
                condition: rule.and_then(|rule| condition(rule.get("denial_condition"))),
            }
        };
        let rules = after.get("rules");
        match rules.and_then(Value::items) {
            Some(rules) => out.extend(rules.iter().map(|rule| {
                let block = rule.get("deny_rule");
                let block = block.map(|it| it.items().and_then(<[Value]>::first).unwrap_or(it));
                let open = block.filter(|it| it.is_unknown()).and_then(Value::first_cause).cloned();
                deny(block, open)
            })),
            None => out.push(deny(None, rules.and_then(Value::first_cause).cloned().or(Some(Cause::Plan)))),
        }
    }
    out
}

/// What a policy is attached to: `cloudresourcemanager.googleapis.com%2Fprojects%2Fp`.
fn above(parent: &Value) -> Place {
    let text = parent.as_str().map(|text| text.replace("%2F", "/").replace("%2f", "/"));
    let last = text.as_deref().and_then(|text| text.rsplit_once('/'));
    match last {
        Some((kind, name)) if kind.ends_with("projects") => Place::Project(Value::string(name)),
        Some((kind, name)) if kind.ends_with("folders") => Place::Above(format!("folder {name}")),
        Some((kind, name)) if kind.ends_with("organizations") => Place::Above(format!("organization {name}")),
        _ => Place::Above(shown(parent)),
    }
}

impl Names {
    fn of(value: Option<&Value>, more: Option<&Cause>) -> Self {
        let mut out = Self { items: Vec::new(), more: more.cloned() };
        let Some(value) = value.filter(|value| !value.is_null()) else { return out };
        for item in value.items().unwrap_or(std::slice::from_ref(value)) {
            match Text::of_value(item).filter(|_| !item.sensitive && !value.sensitive) {
                Some(text) => {
                    let from = item.as_unknown().into_iter().flat_map(Unknown::references);
                    out.items.push((text, from.map(|it| it.resource.clone()).collect()));
                }
                None => out.more = item.first_cause().cloned().or(Some(Cause::Plan)),
            }
        }
        out
    }

    fn any(&self, is_it: impl Fn(&Text, &[SmolStr]) -> Told) -> Told {
        let more = self.more.iter().map(|cause| Err(cause.clone()));
        told::any(self.items.iter().map(|(text, from)| is_it(text, from)).chain(more))
    }
}

impl Deny {
    /// What it takes of a permission that somebody has on something in `project`, or below what `place` says.
    pub(super) fn takes(
        &self,
        graph: &ResourceGraph,
        holder: &Holder,
        permission: &str,
        place: &Place,
    ) -> Taken {
        let all = told::both(self.denies(permission), || {
            told::both(self.names(graph, holder), || self.holds(graph, place))
        });
        match (all, &self.condition) {
            (Ok(false), _) => Taken::Nothing,
            (Ok(true), None) => Taken::All,
            (Ok(true), Some(condition)) => Taken::Unless(format!("not: {condition}")),
            (Err(cause), _) if matches!(self.above, Place::Above(_)) && cause == below() => {
                Taken::Unless(format!("its project is not below {}", self.above.name(graph)))
            }
            (Err(_), _) => Taken::Unless(format!("`{}` does not deny it", self.address)),
        }
    }

    /// Whether it may deny something of what the role grants.
    pub(super) fn concerns(&self, role: &Role) -> bool {
        let is_granted = |text: &Text, _: &[SmolStr]| match text.as_str() {
            Some(denied) => role.grants(&of_permission(denied)),
            None => Err(text.cause()),
        };
        self.permissions.any(is_granted) != Ok(false)
    }

    /// Whether it denies the permission.
    fn denies(&self, permission: &str) -> Told {
        let exact = !permission.contains('*');
        let is_it = |text: &Text, _: &[SmolStr]| match text.as_str().map(of_permission) {
            Some(denied) if !meets(&denied, permission) => Ok(false),
            Some(_) if exact => Ok(true),
            Some(_) => Err(Cause::Other("it denies some of them".into())),
            None => Err(text.cause()),
        };
        told::both(self.permissions.any(is_it), || match self.spared.any(is_it) {
            Ok(spared) => Ok(!spared),
            Err(cause) => Err(cause),
        })
    }

    /// Whether it is about somebody.
    fn names(&self, graph: &ResourceGraph, holder: &Holder) -> Told {
        if holder.is_doubtful {
            return Err(Cause::Other("who it is is not known".into()));
        }
        let is_it = |text: &Text, from: &[SmolStr]| is_named(graph, holder, text, from);
        told::both(self.principals.any(is_it), || match self.excepted.any(is_it) {
            Ok(excepted) => Ok(!excepted),
            Err(cause) => Err(cause),
        })
    }

    /// Whether it holds of all that is in a place.
    fn holds(&self, graph: &ResourceGraph, place: &Place) -> Told {
        let project = |place: &Place| match place {
            Place::Project(project) => Some(project.clone()),
            Place::Resource(nodes, _) => project_of(graph, *nodes.first()?),
            Place::Above(_) => None,
        };
        match (&self.above, place) {
            (Place::Project(own), _) => match project(place) {
                Some(other) => match (own.as_str(), other.as_str()) {
                    (Some(own), Some(other)) => Ok(own == other),
                    _ => Err(Cause::Other("its project is not known".into())),
                },
                // It takes away a part of what is granted on more.
                None if matches!(place, Place::Above(_)) => Ok(false),
                None => Err(Cause::Other("its project is not known".into())),
            },
            (Place::Above(own), Place::Above(other)) if own == other => Ok(true),
            _ => Err(below()),
        }
    }
}

fn below() -> Cause {
    Cause::Other("what is below it is not known".into())
}

fn project_of(graph: &ResourceGraph, node: NodeId) -> Option<Value> {
    graph.resource(node)?.after.as_ref()?.get("project").cloned()
}

/// `aiplatform.googleapis.com/endpoints.predict` as roles have it.
fn of_permission(text: &str) -> String {
    let (service, rest) = text.split_once('/').unwrap_or(("", text));
    let service = service.strip_suffix(".googleapis.com").unwrap_or(service);
    let service = if service == "cloudresourcemanager" { "resourcemanager" } else { service };
    if service.is_empty() { rest.to_owned() } else { format!("{service}.{rest}") }
}

/// Whether a principal of a deny policy is somebody.
fn is_named(graph: &ResourceGraph, holder: &Holder, text: &Text, from: &[SmolStr]) -> Told {
    if text.as_str() == Some(EVERYBODY) {
        return Ok(true);
    }
    let open = || Err(Cause::Other(format!("whether `{text}` is `{}` is not known", holder.name).into()));
    let member = holder.member();
    // Everybody but a few are left.
    if member.is_public() {
        return Ok(false);
    }
    if text.prefix().starts_with(ACCOUNTS) {
        if holder.account.is_some() && from.contains(&holder.name) {
            return Ok(true);
        }
        let Some(email) = text.as_str().and_then(|text| text.strip_prefix(ACCOUNTS)) else {
            // Computed from another account, or from what is not known.
            let is_other =
                from.iter().any(|it| graph.named(it).is_some_and(|it| it.type_name == super::ACCOUNT));
            let is_person = matches!(member, Member::People(_) | Member::PrincipalSet(_));
            return if is_other || is_person && holder.account.is_none() { Ok(false) } else { open() };
        };
        return match (&member, holder.account) {
            (Member::ServiceAccount(own, _), _) => Ok(own == email),
            (_, Some(node)) => match super::email_of(graph, node) {
                Some(own) => Ok(own == email),
                None if email.split('@').next() == super::account_id(graph, node).as_deref() => open(),
                None => Ok(false),
            },
            _ => Ok(false),
        };
    }
    let Some(text) = text.as_str() else { return open() };
    if let Some(email) = text.strip_prefix("principal://goog/subject/") {
        return match &member {
            Member::People(own) => Ok(own.strip_prefix("user:") == Some(email)),
            _ => Ok(false),
        };
    }
    if let Some(group) = text.strip_prefix("principalSet://goog/group/") {
        return match &member {
            Member::People(own) if own.strip_prefix("group:") == Some(group) => Ok(true),
            _ => open(),
        };
    }
    match &member {
        Member::Principal(own) | Member::PrincipalSet(own) if own == text => Ok(true),
        // One by one they are others, and in no set of Google's own.
        Member::Principal(_) if text.starts_with("principal://") => Ok(false),
        _ if text.starts_with("principal://") => Ok(false),
        _ => open(),
    }
}
