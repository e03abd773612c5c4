//! Who calls models by itself: workloads whose role is given that by name, and the region that they call.
//!
//! Only what a policy of the input says in so many words counts: an administrator may call models too, and most never do. A
//! workload calls the region that it runs in, unless the ARNs that it may call are all of another.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use rayon::prelude::*;
use smol_str::SmolStr;

use crate::catalog::LinkKind;
use crate::graph::NodeId;
use crate::iam::effective::{Verdict, Way};
use crate::iam::questions;
use crate::value::{Cause, Truth, Value};

use super::super::{Facts, residency};
use super::analyses::{ask, broken, rank};
use super::principals::Identity;
use super::{Outcome, Query, Read};

/// A provider configuration and a region.
pub(crate) type Place = (Option<usize>, Option<SmolStr>);

/// A role by which models are called in some place.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The role.
    pub node: NodeId,
    /// What runs as it there, the first by address.
    pub workload: Option<NodeId>,
    /// The region is that of the workload: the policy names none.
    pub is_any_region: bool,
    /// Where it is not sure that models are called there, why.
    pub doubt: Option<String>,
}

/// Services that run code of the account, which may call models. What Bedrock itself acts as is asked where that is.
const RUNS_CODE: [&str; 12] = [
    "airflow-env.amazonaws.com",
    "batch.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "codebuild.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "glue.amazonaws.com",
    "lambda.amazonaws.com",
    "pods.eks.amazonaws.com",
    "sagemaker.amazonaws.com",
    "states.amazonaws.com",
    "tasks.apprunner.amazonaws.com",
];

/// Of these roles those that call models by one of the actions, by the place that they call. Who does so for certain leaves
/// out who may.
pub(crate) fn by_place(facts: &Facts<'_>, roles: &[NodeId], actions: &[&str]) -> BTreeMap<Place, Vec<Call>> {
    let found: Vec<_> = roles.par_iter().flat_map_iter(|&role| calls(facts, role, actions)).collect();
    let mut all: BTreeMap<Place, Vec<Call>> = BTreeMap::new();
    for (place, call) in found {
        all.entry(place).or_default().push(call);
    }
    for calls in all.values_mut() {
        if calls.iter().any(|call| call.doubt.is_none()) {
            calls.retain(|call| call.doubt.is_none());
        }
    }
    all
}

/// The way from a role that calls to the action, the surest that there is.
pub(crate) fn way(facts: &Facts<'_>, role: NodeId, actions: &[&str]) -> Option<Outcome> {
    let identity = facts.identities().get(&role)?;
    let each = actions.iter().map(|action| {
        let mut answer = ask(identity, action);
        (answer.tell(|way| names(identity, way)), answer)
    });
    // The first of those that are as sure.
    let (_, answer) = each.rev().max_by_key(|(truth, _)| rank(*truth))?;
    Some(broken(facts, Query { args: &[], words: true }, Truth::No, &[&answer], None))
}

fn calls(facts: &Facts<'_>, role: NodeId, actions: &[&str]) -> Vec<(Place, Call)> {
    let Some(identity) = facts.identities().get(&role) else { return Vec::new() };
    if !actions.iter().any(|action| identity.services().may_hold(action)) {
        return Vec::new();
    }
    let workloads = workloads(facts, role);
    if workloads.is_empty() && !runs_code(facts, role) {
        return Vec::new();
    }
    let ways: Vec<_> = actions.iter().map(|action| identity.ways(action)).collect();
    let mut surest: Option<(Truth, &Way)> = None;
    let (mut named, mut profiles, mut is_open) = (BTreeSet::new(), BTreeSet::new(), false);
    for way in ways.iter().flat_map(|ways| ways.iter()) {
        let truth = names(identity, way);
        if truth == Truth::No {
            continue;
        }
        if surest.is_none_or(|(known, _)| rank(truth) > rank(known)) {
            surest = Some((truth, way));
        }
        match region_of(way) {
            Some((region, is_profile)) => {
                if is_profile {
                    profiles.insert(region.clone());
                }
                named.insert(region);
            }
            None => is_open = true,
        }
    }
    let Some((truth, way)) = surest else { return Vec::new() };
    let mut doubt = (truth == Truth::Maybe).then(|| match &way.verdict {
        Verdict::Undetermined(causes) => identity.causes(causes).into_iter().next().unwrap_or_default(),
        _ => "its policies name all of Bedrock, and not that it calls models".to_owned(),
    });
    let account = |node: NodeId| facts.graph.resource(node).and_then(|it| facts.graph.account(it));
    let mut places: BTreeMap<Place, Option<NodeId>> = BTreeMap::new();
    for &it in &workloads {
        let region = residency::region(facts, it).as_str().map(SmolStr::from);
        places.entry((account(it), region)).or_insert(Some(it));
    }
    let is_own = |(_, region): &Place| is_open || region.as_ref().is_none_or(|region| named.contains(region));
    if places.keys().any(is_own) {
        places.retain(|place, _| is_own(place));
    } else {
        let mut accounts: BTreeMap<_, _> = places.iter().map(|((it, _), by)| (*it, *by)).collect();
        if workloads.is_empty() {
            accounts.insert(account(role), None);
        }
        // Of several it is that of the profile: the others are those that it leads to from there.
        let mut regions = if profiles.is_empty() { named } else { profiles }.into_iter();
        let only = regions.next().filter(|_| !is_open && regions.next().is_none());
        if only.is_none() {
            doubt.get_or_insert_with(|| "in which region it calls models is not told".to_owned());
        }
        places = accounts.into_iter().map(|(account, by)| ((account, only.clone()), by)).collect();
    }
    let call = Call { node: role, workload: None, is_any_region: is_open, doubt };
    places.into_iter().map(|(place, workload)| (place, Call { workload, ..call.clone() })).collect()
}

/// Whether the statement behind the way names the action: `bedrock:Invoke*`, but not `bedrock:*`, which is to manage it too.
fn names(identity: &Identity, way: &Way) -> Truth {
    let Some(holding) = identity.holdings.get(way.by.policy) else { return Truth::No };
    let statement = holding.policy.statement(way.by.statement);
    let of_service = |begins: &str| {
        let mut actions = statement.into_iter().flat_map(|it| &it.action.items);
        actions.any(|action| {
            action.prefix().get(..begins.len()).is_some_and(|known| known.eq_ignore_ascii_case(begins))
        })
    };
    if !of_service("bedrock:") {
        return Truth::No;
    }
    // A policy of AWS gives more than anybody asked for.
    let is_explicit = holding.node.is_some() && of_service("bedrock:invoke");
    match way.verdict {
        Verdict::Yes | Verdict::OnlyIf(_) if is_explicit => Truth::Yes,
        Verdict::No => Truth::No,
        _ => Truth::Maybe,
    }
}

/// The region of the models that it is about, if it is one, and whether they are inference profiles.
fn region_of(way: &Way) -> Option<(SmolStr, bool)> {
    let on = way.on.with_holes('*');
    let region = on.split(':').nth(3)?;
    let is_one = !region.is_empty() && !region.contains(['*', '?']);
    is_one.then(|| (region.into(), on.contains("inference-profile/")))
}

/// What runs as the role, also by an instance profile; but not what only starts as it.
fn workloads(facts: &Facts<'_>, role: NodeId) -> Vec<NodeId> {
    const STARTS: (&str, &str) = ("aws_ecs_task_definition", "execution_role_arn");
    let graph = facts.graph;
    let users = |node: NodeId| {
        let edges =
            graph.edges(node, Direction::Incoming).filter(|(edge, _)| edge.kind == LinkKind::Identity);
        edges.filter_map(|(edge, source)| Some((edge, source, graph.resource(source)?)))
    };
    let (mut found, mut profiles) = (Vec::new(), Vec::new());
    for (edge, source, it) in users(role) {
        match it.type_name.as_str() {
            "aws_iam_instance_profile" => profiles.push(source),
            name if (name, edge.path.as_str()) == STARTS => {}
            name if is_code(name) => found.push(source),
            _ => {}
        }
    }
    let machines = profiles.into_iter().flat_map(users);
    found.extend(machines.filter(|(_, _, it)| is_code(&it.type_name)).map(|(_, source, _)| source));
    let address = |&node: &NodeId| graph.resource(node).map(|it| &it.address);
    found.sort_by(|a, b| address(a).cmp(&address(b)));
    found
}

/// Whether a resource of the type runs code in a region of AWS: not what Bedrock does itself, and no policy.
fn is_code(type_name: &str) -> bool {
    const OTHERS: [&str; 4] = ["aws_bedrock_", "aws_bedrockagent_", "aws_iam_", "aws_kms_"];
    type_name.starts_with("aws") && !OTHERS.iter().any(|other| type_name.starts_with(other))
}

/// Whether a service that runs code, or a service account of a cluster, may assume the role.
fn runs_code(facts: &Facts<'_>, role: NodeId) -> bool {
    const ACCOUNT: &str = "system:serviceaccount:";
    let Some(Read { policy, .. }) = facts.policies(role).and_then(|it| it.trust.as_ref()) else {
        return false;
    };
    let subject = || questions::trusts_cluster_without_subject(policy)?.what;
    questions::trusts(policy, &RUNS_CODE) == Ok(true) || subject().is_some_and(|it| it.starts_with(ACCOUNT))
}

/// The region of a place as conditions see it.
pub(crate) fn region(place: &Place) -> Value {
    let untold = || Value::unknown(Cause::Other("in which region models are called is not told".into()));
    place.1.as_ref().map_or_else(untold, |region| Value::string(region.clone()))
}
