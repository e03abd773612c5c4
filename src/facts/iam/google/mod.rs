//! What Google's IAM resources grant: `google_…_iam_member`, `_binding` and `_policy`, and data sources that make policies.
//!
//! A binding says who holds a role all by itself, a member adds one: either grants. What a binding or a policy here takes away
//! of what others here grant is in `authority`, what deny policies take away in `deny`, access lists of buckets in `acl` and of
//! data sets in `dataset`, members that stand for holders of a basic role in `basic`, what default accounts may have in `defaults`.

pub mod access;
mod acl;
pub(super) mod analyses;
mod authority;
mod basic;
mod dataset;
mod defaults;
mod deny;

use std::collections::BTreeMap;

use petgraph::Direction;
use serde_json::Value as Json;
use smol_str::SmolStr;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::google::member::Member;
use crate::iam::google::{meets, roles};
use crate::iam::{Text, told::Told};
use crate::program::{Mode, Resource};
use crate::source::Site;
use crate::value::{Cause, Map, Reference, Unknown, Value};

/// The type of service accounts.
pub(super) const ACCOUNT: &str = "google_service_account";
/// The types that are one: users make the first, Google those that its services act as.
const ACCOUNTS: [&str; 2] = [ACCOUNT, "google_project_service_identity"];
/// The types of roles that users define.
const CUSTOM_ROLES: [&str; 2] = ["google_organization_iam_custom_role", "google_project_iam_custom_role"];
/// Attributes of a grant that do not name what it is on.
const NO_TARGET: [&str; 13] = [
    "binding",
    "condition",
    "effective_annotations",
    "etag",
    "id",
    "location",
    "member",
    "members",
    "policy_data",
    "project",
    "region",
    "role",
    "zone",
];

/// A role that somebody is granted.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The resource that grants it.
    pub node: NodeId,
    /// Its address.
    pub address: SmolStr,
    /// Where it is written.
    pub site: Option<Site>,
    /// On what.
    pub place: Place,
    /// What is granted.
    pub role: Role,
    /// To whom.
    pub holders: Vec<Holder>,
    /// Why there may be more of them.
    pub more: Option<Cause>,
    /// The text of its condition.
    pub condition: Option<String>,
    /// How it grants.
    kind: Kind,
    /// Why it may not stand.
    pub doubt: Option<Cause>,
    /// What makes them one of whom it names: the grant of a basic role, the role, and where it is written.
    through: Option<(SmolStr, SmolStr, Option<Site>)>,
}

/// How a resource grants: beside others, or in their place.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// To one more.
    Member,
    /// To these and nobody else.
    Binding,
    /// These roles and no other.
    Policy,
    /// By the access list of a bucket, which is beside all roles.
    List,
}

/// All that says who has which role.
#[derive(Debug)]
pub struct Grants {
    /// What is granted, in the order of the nodes that do.
    pub all: Vec<Grant>,
    /// The grants to each service account that the configuration makes, by their place among all.
    by_account: BTreeMap<NodeId, Vec<usize>>,
    /// What is taken away.
    denies: Vec<deny::Deny>,
}

/// On what a grant is.
#[derive(Clone, Debug)]
pub enum Place {
    /// Everything in a project.
    Project(Value),
    /// Everything below a folder or an organisation, as people write it: `folders/123`.
    Above(String),
    /// A resource: the nodes that it names, and the names.
    Resource(Vec<NodeId>, Vec<SmolStr>),
}

/// A role.
#[derive(Clone, Debug)]
pub enum Role {
    /// By its name: `roles/aiplatform.user`.
    Named(SmolStr),
    /// One that the configuration defines: its address and permissions, and why there may be more.
    Custom(SmolStr, Vec<SmolStr>, Option<Cause>),
    /// It is not known.
    Unknown(Cause),
}

/// Somebody who holds a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The member as it is written, or the address of a resource.
    pub name: SmolStr,
    /// The service account, if the configuration makes it.
    pub account: Option<NodeId>,
    /// Whether it may not be so.
    pub is_doubtful: bool,
}

impl Grants {
    /// What the node grants.
    fn of(&self, node: NodeId) -> &[Grant] {
        let first = self.all.partition_point(|grant| grant.node < node);
        let rest = self.all.get(first..).unwrap_or_default();
        rest.get(..rest.partition_point(|grant| grant.node == node)).unwrap_or_default()
    }

    /// What the service account is granted, and as whom.
    fn to(&self, account: NodeId) -> impl Iterator<Item = (&Grant, &Holder)> {
        let grants = self.by_account.get(&account).into_iter().flatten();
        grants.filter_map(move |&at| {
            let grant = self.all.get(at)?;
            Some((grant, grant.holders.iter().find(|it| it.account == Some(account))?))
        })
    }
}

impl Role {
    /// Whether it has the permission, or one that the pattern meets.
    pub fn grants(&self, permission: &str) -> Told {
        match self {
            Self::Named(name) if name.starts_with("roles/") => roles::grants(name, permission),
            Self::Named(name) => {
                Err(Cause::Other(format!("the role `{name}` is not in the configuration").into()))
            }
            Self::Custom(_, permissions, more) => {
                match (permissions.iter().any(|one| meets(one, permission)), more) {
                    (true, _) => Ok(true),
                    (false, Some(cause)) => Err(cause.clone()),
                    (false, None) => Ok(false),
                }
            }
            Self::Unknown(cause) => Err(cause.clone()),
        }
    }

    /// As people call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Custom(name, ..) => name,
            Self::Unknown(_) => "?",
        }
    }
}

impl Holder {
    /// Whom it is written as.
    pub fn member(&self) -> Member {
        Member::parse(&self.name)
    }

    /// Whether it is a service of Google.
    pub fn is_service_agent(&self) -> bool {
        let last = self.name.rsplit("module.").next().unwrap_or_default();
        self.member().is_service_agent() || last.contains("google_project_service_identity.")
    }
}

impl Place {
    /// As people call it.
    pub fn name(&self, graph: &ResourceGraph) -> String {
        match self {
            Self::Project(project) => format!("project {}", shown(project)),
            Self::Above(name) => name.clone(),
            Self::Resource(nodes, names) => {
                let address = nodes.first().and_then(|&node| graph.resource(node)).map(|it| &it.address);
                address.or(names.first()).map_or_else(|| "?".to_owned(), ToString::to_string)
            }
        }
    }
}

/// A value as people know it: its text, or what it is computed from.
fn shown(value: &Value) -> String {
    if value.sensitive {
        return "(sensitive)".to_owned();
    }
    let named = || from(value).map(|it| it.resource.to_string());
    value.as_str().map(ToOwned::to_owned).or_else(named).unwrap_or_else(|| "?".to_owned())
}

/// The attribute that a value is, or is computed from.
fn from(value: &Value) -> Option<&Reference> {
    value.reference.as_deref().or_else(|| Some(value.as_unknown()?.references().next()?.as_ref()))
}

/// What is before `_iam_member`, and whether that, a binding or a policy follows.
fn kind_of(type_name: &str) -> Option<(&str, &str)> {
    let (base, kind) = type_name.strip_prefix("google_")?.rsplit_once("_iam_")?;
    matches!(kind, "member" | "binding" | "policy").then_some((base, kind))
}

/// Whether resources of the type grant a role.
pub(in super::super) fn is_grant(type_name: &str) -> bool {
    kind_of(type_name).is_some()
}

/// Whether it grants a role of an AI service.
pub(in super::super) fn names_ai(resource: &Resource) -> bool {
    let role = || resource.after.as_ref()?.get("role")?.as_str();
    is_grant(&resource.type_name) && role().is_some_and(roles::is_of_ai)
}

/// Every grant of the configuration.
pub(in super::super) fn of_graph(graph: &ResourceGraph) -> Grants {
    let reader = Reader { graph, accounts: accounts(graph) };
    let nodes = graph.graph.node_indices();
    let found = nodes.map(|node| graph.resource(node).map(|it| reader.of(node, it)).unwrap_or_default());
    let mut all: Vec<Grant> = found.flatten().collect();
    authority::settle(&mut all);
    all.extend(defaults::held(graph, &all));
    all.extend(basic::held_through(&all));
    all.sort_by_key(|grant| grant.node);
    let mut by_account: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (at, grant) in all.iter().enumerate() {
        for account in grant.holders.iter().filter_map(|it| it.account) {
            by_account.entry(account).or_default().push(at);
        }
    }
    by_account.values_mut().for_each(Vec::dedup);
    Grants { all, by_account, denies: deny::of_graph(graph) }
}

/// The address of a service account that the configuration makes, as far as it is known.
fn email_of(graph: &ResourceGraph, node: NodeId) -> Option<String> {
    let after = graph.resource(node)?.after.as_ref()?;
    let text = |name: &str| after.get(name).and_then(Value::as_str);
    let made = || Some(format!("{}@{}.iam.gserviceaccount.com", text("account_id")?, text("project")?));
    text("email").map(ToOwned::to_owned).or_else(made)
}

/// What is before the `@` of it.
fn account_id(graph: &ResourceGraph, node: NodeId) -> Option<String> {
    Some(graph.resource(node)?.after.as_ref()?.get("account_id")?.as_str()?.to_owned())
}

/// The service accounts that the configuration makes, by their addresses as far as these are known.
fn accounts(graph: &ResourceGraph) -> BTreeMap<String, NodeId> {
    let mut out = BTreeMap::new();
    for &node in graph.by_type(ACCOUNT) {
        if let Some(email) = email_of(graph, node) {
            out.insert(email, node);
        }
    }
    out
}

/// What a resource grants there, without a condition or a doubt.
fn granted(
    node: NodeId,
    resource: &Resource,
    place: &Place,
    kind: Kind,
    role: Role,
    (holders, more): (Vec<Holder>, Option<Cause>),
) -> Grant {
    Grant {
        node,
        address: resource.address.clone(),
        site: resource.site,
        place: place.clone(),
        role,
        holders,
        more,
        condition: None,
        kind,
        doubt: None,
        through: None,
    }
}

struct Reader<'g> {
    graph: &'g ResourceGraph,
    accounts: BTreeMap<String, NodeId>,
}

impl Reader<'_> {
    fn of(&self, node: NodeId, resource: &Resource) -> Vec<Grant> {
        if acl::is_list(&resource.type_name) {
            return self.listed(node, resource);
        }
        if dataset::has_entries(&resource.type_name) {
            return self.entries(node, resource);
        }
        let Some((base, kind)) = kind_of(&resource.type_name) else { return Vec::new() };
        let (Some(after), Mode::Managed) = (&resource.after, resource.mode) else { return Vec::new() };
        let place = self.place(node, base, after);
        let what = match kind {
            "member" => Kind::Member,
            "binding" => Kind::Binding,
            _ => Kind::Policy,
        };
        let grant = |role: Role, held: (Vec<Holder>, Option<Cause>), condition| Grant {
            condition,
            ..granted(node, resource, &place, what, role, held)
        };
        if kind != "policy" {
            let path = if kind == "member" { "member" } else { "members" };
            let role = self.role(node, "role", after.get("role"));
            let holders = self.holders(node, path, after.get(path));
            return vec![grant(role, holders, condition(after.get("condition")))];
        }
        let data = after.get("policy_data");
        let referenced = data.and_then(|data| data.as_unknown()?.references().next());
        let document = referenced.and_then(|it| self.graph.by_address(&it.resource));
        // What a sensitive document says must not be shown.
        let text = data.filter(|data| !data.sensitive).and_then(Value::as_str);
        if let Some(Ok(json)) = text.map(serde_json::from_str::<Json>) {
            let bindings = json.get("bindings").and_then(Json::as_array);
            let read = bindings.into_iter().flatten().map(|binding| {
                let text = |name: &str| binding.get(name).and_then(Json::as_str);
                let members = binding.get("members").and_then(Json::as_array).into_iter().flatten();
                let members = members.filter_map(Json::as_str).map(|it| self.known(it)).collect();
                let condition = binding.get("condition").and_then(|it| it.get("expression")?.as_str());
                let role = Role::Named(text("role").unwrap_or("?").into());
                grant(role, (members, None), condition.map(ToOwned::to_owned))
            });
            return read.collect();
        }
        let bindings = document.and_then(|at| Some((at, self.graph.resource(at)?.after.as_ref()?)));
        if let Some((at, items)) = bindings.and_then(|(at, after)| Some((at, after.get("binding")?.items()?)))
        {
            let read = items.iter().map(|binding| {
                let role = self.role(at, "binding.role", binding.get("role"));
                let holders = self.holders(at, "binding.members", binding.get("members"));
                grant(role, holders, condition(binding.get("condition")))
            });
            return read.collect();
        }
        let cause = data.and_then(|it| it.first_cause().cloned()).unwrap_or(Cause::Plan);
        vec![grant(Role::Unknown(cause.clone()), (Vec::new(), Some(cause)), None)]
    }

    fn place(&self, node: NodeId, base: &str, after: &Value) -> Place {
        let value = |name: &str| after.get(name).cloned().unwrap_or(Value::NULL);
        match base {
            "project" => Place::Project(value("project")),
            "folder" => Place::Above(format!("folder {}", shown(&value("folder")))),
            "organization" => Place::Above(format!("organization {}", shown(&value("org_id")))),
            _ => {
                let targets = self.graph.edges(node, Direction::Outgoing);
                let targets = targets.filter(|(edge, _)| {
                    let top = edge.path.split('.').next().unwrap_or_default();
                    !NO_TARGET.contains(&top)
                });
                let mut nodes: Vec<NodeId> = targets.map(|(_, target)| target).collect();
                nodes.sort_unstable();
                nodes.dedup();
                let names = after.map().into_iter().flat_map(Map::iter);
                let names =
                    names.filter(|(name, value)| !NO_TARGET.contains(&name.as_str()) && !value.sensitive);
                Place::Resource(nodes, names.filter_map(|(_, it)| it.as_str()).map(SmolStr::from).collect())
            }
        }
    }

    fn role(&self, node: NodeId, path: &str, value: Option<&Value>) -> Role {
        let value = value.unwrap_or(&Value::NULL);
        let references = value.as_unknown().into_iter().flat_map(|it| it.references().cloned());
        let of_value = references.filter_map(|it| self.graph.by_address(&it.resource));
        let of_edges = self.graph.edges(node, Direction::Outgoing).filter(|(edge, _)| edge.path == path);
        let custom = of_value.chain(of_edges.map(|(_, target)| target)).find_map(|node| {
            self.graph.resource(node).filter(|it| CUSTOM_ROLES.contains(&it.type_name.as_str()))
        });
        if let Some(custom) = custom {
            let listed = custom.after.as_ref().and_then(|after| after.get("permissions"));
            let items = listed.and_then(Value::items).unwrap_or_default();
            let known = items.iter().filter_map(Value::as_str).map(SmolStr::from).collect();
            let open = listed.filter(|it| !it.is_wholly_known()).and_then(Value::first_cause).cloned();
            return Role::Custom(custom.address.clone(), known, open);
        }
        match value.as_str() {
            Some(_) if value.sensitive => Role::Unknown(Cause::Other("the role is sensitive".into())),
            Some(name) => Role::Named(name.into()),
            None => Role::Unknown(value.first_cause().cloned().unwrap_or(Cause::Plan)),
        }
    }

    /// Those whom an attribute lists, and why there may be others.
    fn holders(&self, node: NodeId, path: &str, value: Option<&Value>) -> (Vec<Holder>, Option<Cause>) {
        let Some(value) = value else { return (Vec::new(), Some(Cause::Plan)) };
        let mut out: Vec<Holder> = Vec::new();
        let (mut open, mut cause) = (0_usize, None);
        for one in value.items().unwrap_or(std::slice::from_ref(value)) {
            if let Some(text) = one.as_str() {
                let hidden = || Holder { name: "(sensitive)".into(), account: None, is_doubtful: true };
                out.push(if one.sensitive || value.sensitive { hidden() } else { self.known(text) });
                continue;
            }
            let references = one.as_unknown().into_iter().flat_map(Unknown::references);
            let names: Vec<Holder> = references.filter_map(|it| self.referenced(&it.resource)).collect();
            let written = Text::of_value(one).filter(|text| text.prefix().contains(':'));
            match (<[Holder; 1]>::try_from(names), written) {
                (Ok([holder]), _) => out.push(holder),
                // Of whom only a part is known: what kind of member it is.
                (Err(_), Some(text)) => {
                    let name = text.with_holes('…');
                    // Whose project it is can be told by what it is computed from.
                    let name = match (name.strip_suffix('…'), from(one)) {
                        (Some(kind), Some(from)) if kind.starts_with("project") && !kind.contains('…') => {
                            format!("{kind}{}", from.resource)
                        }
                        _ => name,
                    };
                    out.push(Holder { name: name.into(), account: None, is_doubtful: false });
                }
                (Err(_), None) => {
                    open += 1;
                    cause = cause.or_else(|| one.first_cause().cloned());
                }
            }
        }
        if open == 0 {
            return (out, None);
        }
        // A plan's values tell no references, its edges do.
        let mut targets: Vec<NodeId> = self
            .graph
            .edges(node, Direction::Outgoing)
            .filter(|(edge, _)| edge.path == path)
            .map(|(_, target)| target)
            .filter(|target| !out.iter().any(|it| it.account == Some(*target)))
            .filter(|&target| {
                self.graph
                    .resource(target)
                    .is_some_and(|it| it.mode == Mode::Managed && ACCOUNTS.contains(&it.type_name.as_str()))
            })
            .collect();
        targets.sort_unstable();
        targets.dedup();
        let is_each = targets.len() == open && !value.is_unknown() || targets.len() == 1 && open == 1;
        for account in targets {
            let Some(resource) = self.graph.resource(account) else { continue };
            let name = resource.address.clone();
            let own = resource.type_name == ACCOUNT;
            out.push(Holder { name, account: own.then_some(account), is_doubtful: !is_each });
        }
        (out, if is_each { None } else { cause.or(Some(Cause::Plan)) })
    }

    fn known(&self, text: &str) -> Holder {
        let account =
            text.strip_prefix("serviceAccount:").and_then(|email| self.accounts.get(email)).copied();
        let address = account.and_then(|node| self.graph.resource(node)).map(|it| it.address.clone());
        Holder { name: address.unwrap_or_else(|| text.into()), account, is_doubtful: false }
    }

    fn referenced(&self, address: &str) -> Option<Holder> {
        let node = self.graph.by_address(address);
        let resource =
            node.and_then(|node| self.graph.resource(node)).or_else(|| self.graph.named(address))?;
        let account = node.filter(|_| resource.type_name == ACCOUNT && resource.mode == Mode::Managed);
        // Of a data source it is told which one it is; what else a member is computed from is not the member.
        let is_account = match resource.mode {
            Mode::Managed => ACCOUNTS.contains(&resource.type_name.as_str()),
            Mode::Data => resource.type_name.contains("service_account"),
        };
        is_account.then(|| Holder { name: resource.address.clone(), account, is_doubtful: false })
    }
}

/// The text of a condition's expression, if there is a condition.
fn condition(value: Option<&Value>) -> Option<String> {
    let value = value.filter(|value| !value.is_absent())?;
    let block = value.items().map_or(Some(value), <[Value]>::first);
    let expression = block.and_then(|block| block.get("expression")).filter(|it| !it.sensitive);
    Some(expression.and_then(Value::as_str).unwrap_or("a condition that is not known").to_owned())
}
