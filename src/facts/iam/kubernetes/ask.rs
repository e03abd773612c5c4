//! `airgate iam` of Kubernetes: who may do something in a namespace, and what a service account may do.

use smol_str::SmolStr;

use crate::graph::NodeId;
use crate::iam::effective::Verdict;
use crate::iam::kubernetes::{Allowed, Request};
use crate::iam::told::Told;
use crate::value::Cause;

use super::super::super::Facts;
use super::super::access::{Access, Step, Surest};
use super::objects::{self, Object, text};
use super::{Binding, Place, Subject, account_name};

/// Resources that are in no namespace: a role that is held in one says nothing of them.
const CLUSTERED: [&str; 9] = [
    "certificatesigningrequests",
    "clusterrolebindings",
    "clusterroles",
    "namespaces",
    "nodes",
    "persistentvolumes",
    "storageclasses",
    "subjectaccessreviews",
    "tokenreviews",
];

/// Everybody who may do what is asked in a namespace: its name, `*`, or the address of it or of something in it.
pub(in super::super) fn who_can(
    facts: &Facts<'_>,
    request: &Request,
    asked: &str,
    resource: &str,
) -> Vec<Access> {
    let place = place_of(facts, resource);
    let is_clustered = CLUSTERED.contains(&request.resource.split('/').next().unwrap_or_default());
    let accounts = objects::of_kinds(facts.graph, &["ServiceAccount"]);
    let mut surest = Surest::default();
    for one in facts.bindings() {
        let inside: Told = match (&one.place, &place) {
            (Place::Cluster, _) => Ok(true),
            (Place::Namespace(_), _) if is_clustered => Ok(false),
            (Place::Namespace(_), None) => Ok(true),
            (Place::Namespace(Ok(name)), Some(Ok(asked))) => Ok(name == asked),
            (Place::Namespace(Err(cause)), _) | (_, Some(Err(cause))) => Err(cause.clone()),
        };
        let allowed = one.role.allows(request);
        let subjects = one.subjects.iter().map(|subject| (who(facts, &accounts, one, subject), None));
        let more = one.more.iter().map(|cause| (("?".to_owned(), None), Some(cause.clone())));
        for ((principal, account), cause) in subjects.chain(more) {
            let Some(mut found) = access(facts, one, asked, &allowed, &inside, account, cause.as_ref())
            else {
                continue;
            };
            found.principal = principal;
            if place.is_none() {
                found.on = vec![one.place.shown()];
            }
            surest.add(found);
        }
    }
    surest.into_rows()
}

/// What a service account may do, a row for every rule of every role that it has.
pub(in super::super) fn what_can(facts: &Facts<'_>, node: NodeId) -> Option<Vec<Access>> {
    let accounts = objects::of_kinds(facts.graph, &["ServiceAccount"]);
    let account = accounts.iter().find(|it| it.node == node)?;
    let (name, namespace) = match (account.name(), account.namespace()) {
        (Ok(name), Ok(namespace)) => (name, namespace),
        (Err(cause), _) | (_, Err(cause)) => return Some(vec![unknown(facts, node, &cause)]),
    };
    let mut out = Vec::new();
    for one in facts.bindings() {
        let cause = match (one.is_for(&namespace, &name), &one.more) {
            (true, _) => None,
            (false, Some(cause)) => Some(cause.clone()),
            (false, None) => continue,
        };
        for (number, rule) in (1..).zip(&one.role.rules) {
            let names = rule.names.items.iter().map(ToString::to_string).collect();
            let allowed = Allowed { told: Ok(true), rule: number, names };
            let shown = |list: &crate::iam::document::List| {
                let mut texts: Vec<String> = list.items.iter().map(ToString::to_string).collect();
                texts.extend(list.more.iter().map(|_| "?".to_owned()));
                texts.join(",")
            };
            let groups = shown(&rule.groups);
            let of = if groups.is_empty() { groups } else { format!(".{groups}") };
            let action = format!("{}:{}{of}", shown(&rule.verbs), shown(&rule.resources));
            if let Some(mut found) =
                access(facts, one, &action, &allowed, &Ok(true), Some(node), cause.as_ref())
            {
                found.on = vec![one.place.shown()];
                out.push(found);
            }
        }
        if let Some(more) = &one.role.more {
            let allowed = Allowed { told: Err(more.clone()), rule: 0, names: Vec::new() };
            if let Some(mut found) = access(facts, one, "?", &allowed, &Ok(true), Some(node), cause.as_ref())
            {
                found.on = vec![one.place.shown()];
                out.push(found);
            }
        }
    }
    Some(out)
}

/// The answer for an account of which the name is not known.
fn unknown(facts: &Facts<'_>, node: NodeId, cause: &Cause) -> Access {
    let resource = facts.graph.resource(node);
    Access {
        principal: resource.map(|it| it.address.to_string()).unwrap_or_default(),
        site: resource.and_then(|it| it.site),
        action: "?".to_owned(),
        verdict: Verdict::Undetermined(vec![format!("which account it is: {cause}")]),
        on: Vec::new(),
        by: Vec::new(),
        less: Vec::new(),
    }
}

/// The namespace that is asked about: [`None`] is any.
fn place_of(facts: &Facts<'_>, resource: &str) -> Option<Result<SmolStr, Cause>> {
    if resource == "*" {
        return None;
    }
    let graph = facts.graph;
    let Some(found) = graph.named(resource) else { return Some(Ok(resource.into())) };
    let after = found.after.as_ref();
    let object = after.and_then(|it| it.get("manifest")).or(after);
    let metadata = object.and_then(|it| it.get("metadata")).and_then(objects::first);
    let is_namespace = found.type_name.starts_with("kubernetes_namespace");
    let name = metadata.map(|it| text(it, if is_namespace { "name" } else { "namespace" }));
    Some(match name {
        Some(Ok(Some(name))) => Ok(name),
        Some(Err(cause)) => Err(cause),
        _ => Ok(SmolStr::new_static("default")),
    })
}

/// What a subject is called, and its resource.
fn who(
    facts: &Facts<'_>,
    accounts: &[Object<'_>],
    one: &Binding,
    subject: &Subject,
) -> (String, Option<NodeId>) {
    match subject {
        Subject::Account(namespace, name) => match account(facts, accounts, one, namespace, name) {
            Some(node) => {
                let address = facts.graph.resource(node).map(|it| it.address.to_string());
                (address.unwrap_or_default(), Some(node))
            }
            None => (account_name(namespace, name).to_string(), None),
        },
        Subject::User(name) => (format!("user {name}"), None),
        Subject::Group(name) => (format!("group {name}"), None),
    }
}

/// The service account of that name, in the cluster of a binding.
fn account(
    facts: &Facts<'_>,
    accounts: &[Object<'_>],
    one: &Binding,
    namespace: &str,
    name: &str,
) -> Option<NodeId> {
    let is_it = |it: &&Object<'_>| {
        it.name().is_ok_and(|own| own == name)
            && it.namespace().is_ok_and(|own| own == namespace)
            && objects::is_one_cluster(facts.graph, it.node, one.node)
    };
    accounts.iter().find(is_it).map(|it| it.node)
}

/// What a binding gives; [`None`] if that is nothing of what is asked.
fn access(
    facts: &Facts<'_>,
    one: &Binding,
    action: &str,
    allowed: &Allowed,
    inside: &Told,
    account: Option<NodeId>,
    cause: Option<&Cause>,
) -> Option<Access> {
    if allowed.told == Ok(false) || *inside == Ok(false) {
        return None;
    }
    let mut causes: Vec<String> = [&allowed.told, inside]
        .into_iter()
        .filter_map(|it| it.as_ref().err())
        .map(ToString::to_string)
        .collect();
    causes.extend(cause.into_iter().chain(&one.doubt(facts.graph, account)).map(ToString::to_string));
    let verdict = match (causes.is_empty(), allowed.names.is_empty()) {
        (false, _) => Verdict::Undetermined(causes),
        (true, false) => Verdict::OnlyIf(vec![format!("its name is {}", allowed.names.join(" or "))]),
        (true, true) => Verdict::Yes,
    };
    let resource = facts.graph.resource(one.node);
    let statement = if allowed.rule == 0 { "?".to_owned() } else { format!("rule {}", allowed.rule) };
    Some(Access {
        principal: account
            .and_then(|it| facts.graph.resource(it))
            .map(|it| it.address.to_string())
            .unwrap_or_default(),
        site: account.and_then(|it| facts.graph.resource(it)).and_then(|it| it.site),
        action: action.to_owned(),
        verdict,
        on: Vec::new(),
        by: vec![Step {
            policy: one.role.name.to_string(),
            attached_by: resource.map(|it| it.address.to_string()),
            statement,
            site: resource.and_then(|it| it.site),
        }],
        less: Vec::new(),
    })
}
