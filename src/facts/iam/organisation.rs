//! What the policies of an organisation take away in the accounts below their targets: what one denies, and what none of
//! those of a target allows.
//!
//! AWS attaches `FullAWSAccess` to every target, and a list of what is allowed takes nothing away beside it. That it was taken
//! off is told by a change that deletes its attachment, else by nothing: then a list leaves open what it does not allow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::Direction;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::document::List;
use crate::iam::effective::Kind;
use crate::iam::{Document, Effect, Policy, Statement};
use crate::program::{Mode, Resource};
use crate::value::{Cause, Value};

use super::super::{Facts, presence};
use super::principals::{Holding, MAX_SHARED};

pub(super) const POLICY: &str = "aws_organizations_policy";
pub(super) const ATTACHMENT: &str = "aws_organizations_policy_attachment";
/// The id of the policy that AWS attaches to every target.
const FULL_ACCESS: &str = "p-FullAWSAccess";
/// More attachments of one organisation are not looked at.
const MAX_ATTACHMENTS: usize = 1000;

/// What bears on every role and user.
pub(super) fn holdings(facts: &Facts<'_>) -> Vec<Holding> {
    let controls = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"];
    let mut out = denying(facts, |ty| ty.is_none_or(|ty| controls.contains(&ty)));
    out.extend(lists(facts));
    out
}

/// What bears on whoever comes to a resource of the account.
pub(super) fn of_resources(facts: &Facts<'_>) -> Vec<Holding> {
    denying(facts, |ty| ty == Some("RESOURCE_CONTROL_POLICY"))
}

/// The policies of these types that are attached to something.
fn denying(facts: &Facts<'_>, is_of: impl Fn(Option<&str>) -> bool) -> Vec<Holding> {
    let graph = facts.graph;
    let mut out = Vec::new();
    for &node in graph.by_type(POLICY).iter().take(MAX_SHARED) {
        let Some(resource) = graph.resource(node).filter(|it| !it.is_deleted()) else { continue };
        if !is_of(type_of(resource)) || graph.attachments(node, ATTACHMENT).next().is_none() {
            continue;
        }
        for read in facts.policies(node).iter().flat_map(|it| &it.others) {
            out.push(Holding::of(Kind::Organisation, read, node, resource, None));
        }
    }
    out
}

pub(super) fn type_of(policy: &Resource) -> Option<&str> {
    policy.after.as_ref()?.get("type")?.as_str()
}

/// What is attached to one target.
#[derive(Default)]
struct Target {
    /// The statements that allow.
    allows: Vec<Statement>,
    /// The policies that have them.
    names: BTreeSet<SmolStr>,
    /// One of them says what is allowed, and does not allow everything.
    is_list: bool,
    /// One of them allows everything.
    is_full: bool,
    /// The change takes `FullAWSAccess` off.
    is_detached: bool,
    /// A text of them is sensitive.
    sensitive: bool,
}

/// For every target with a list of what is allowed, all that its policies allow.
fn lists(facts: &Facts<'_>) -> Vec<Holding> {
    let graph = facts.graph;
    let mut targets: BTreeMap<SmolStr, Target> = BTreeMap::new();
    for &node in graph.by_type(ATTACHMENT).iter().take(MAX_ATTACHMENTS) {
        let Some(attachment) = graph.resource(node).filter(|it| it.mode == Mode::Managed) else { continue };
        let Some(values) = attachment.after.as_ref().or_else(|| attachment.earlier()) else { continue };
        let target = targets.entry(target(graph, node, values)).or_default();
        let names_full = values.get("policy_id").and_then(Value::as_str) == Some(FULL_ACCESS);
        match (attachment.is_deleted(), names_full) {
            (true, is_full) => target.is_detached |= is_full,
            (false, true) => target.is_full = true,
            (false, false) => target.add(facts, node, attachment),
        }
    }
    let limiting = targets.into_values().filter(|it| !it.is_full && (it.is_list || it.is_detached));
    limiting.take(MAX_SHARED).map(Target::holding).collect()
}

/// What the attachment is to, so that two of one target meet.
fn target(graph: &ResourceGraph, attachment: NodeId, values: &Value) -> SmolStr {
    let value = values.get("target_id");
    let known = value.and_then(Value::as_str).map(SmolStr::from);
    let named = || {
        let mut edges = graph.edges(attachment, Direction::Outgoing);
        let (_, node) = edges.find(|(edge, _)| edge.path == "target_id")?;
        graph.resource(node).map(|it| it.address.clone())
    };
    let described = || value.and_then(Value::first_cause).map(ToSmolStr::to_smolstr);
    known.or_else(named).or_else(described).unwrap_or_default()
}

impl Target {
    /// Notes what an attached policy allows.
    fn add(&mut self, facts: &Facts<'_>, node: NodeId, attachment: &Resource) {
        let graph = facts.graph;
        let unknown = |why: String| Statement {
            effect: Ok(Effect::Allow),
            ..Statement::unknown(Cause::Other(why.into()))
        };
        let mut edges = graph.edges(node, Direction::Outgoing);
        let policy = edges.find(|(edge, _)| edge.path == "policy_id").map(|(_, policy)| policy);
        let here = policy.and_then(|node| Some((node, graph.resource(node)?)));
        let Some((node, policy)) = here.filter(|(_, it)| it.type_name == POLICY && it.mode == Mode::Managed)
        else {
            // It may be of any type, and allow anything.
            let why = format!("what `{}` attaches is not in the configuration", attachment.address);
            self.allows.push(unknown(why));
            return;
        };
        if type_of(policy) != Some("SERVICE_CONTROL_POLICY") {
            return;
        }
        for read in facts.policies(node).iter().flat_map(|it| &it.others) {
            self.sensitive |= read.policy.sensitive;
            let doubt = presence::repeated(graph, attachment).next().is_some();
            let [document] = read.policy.alternatives.as_slice() else {
                self.allows.push(unknown(format!("what `{}` allows is not known", policy.address)));
                continue;
            };
            if doubt {
                self.allows.push(unknown(format!("`{}` may not be there", attachment.address)));
                continue;
            }
            let allows = document.statements.iter().filter(|it| it.effect != Ok(Effect::Deny));
            for statement in allows {
                let is_full = is_everything(statement);
                self.is_full |= is_full;
                self.is_list |= !is_full && statement.effect == Ok(Effect::Allow);
                self.allows.push(statement.clone());
            }
            self.names.insert(policy.address.clone());
        }
    }

    fn holding(self) -> Holding {
        let names: Vec<String> = self.names.iter().map(|it| format!("`{it}`")).collect();
        let doubt = (!self.is_detached).then(|| {
            let names = names.join(" and ");
            let why = format!("whether {FULL_ACCESS} is attached beside {names} is not known");
            Cause::Other(why.into())
        });
        let document = Document { statements: self.allows, has_variables: true, ..Document::default() };
        let policy = Policy { alternatives: vec![document], choice: None, sensitive: self.sensitive };
        let name =
            self.names.first().map_or_else(|| SmolStr::new_static(FULL_ACCESS), |it| format_smolstr!("{it}"));
        let policy = Arc::new(policy);
        Holding { kind: Kind::AllowList, policy, name, by: None, site: None, node: None, doubt }
    }
}

/// Whether a statement allows everything, always.
fn is_everything(statement: &Statement) -> bool {
    let has_star = |list: &List| list.any(|text| text.is("*")).0 == Ok(true);
    statement.effect == Ok(Effect::Allow)
        && has_star(&statement.action)
        && has_star(&statement.resource)
        && statement.condition.is_empty() == Ok(true)
}
