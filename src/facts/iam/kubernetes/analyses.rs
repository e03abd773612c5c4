//! Analyses of role bindings for rules.

use petgraph::Direction;

use crate::catalog::LinkKind;
use crate::graph::NodeId;
use crate::iam::kubernetes::Request;
use crate::value::{Cause, Truth};

use super::super::super::Facts;
use super::super::{Outcome, Query};
use super::{Place, Subject, account_name, objects};

/// Does the binding let what runs pods of AI do one of the things? `cluster get:secrets` is asked only of bindings for the
/// whole cluster.
pub(in super::super) fn workload_may(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let all = facts.bindings();
    let one = all.get(all.binary_search_by_key(&node, |it| it.node).ok()?)?;
    let accounts = objects::of_kinds(facts.graph, &["ServiceAccount"]);
    let mut workloads: Vec<(String, NodeId)> = Vec::new();
    for subject in &one.subjects {
        let Subject::Account(namespace, name) = subject else { continue };
        let is_it = |it: &&objects::Object<'_>| {
            it.name().is_ok_and(|own| own == *name) && it.namespace().is_ok_and(|own| own == *namespace)
        };
        let Some(account) = accounts.iter().find(is_it) else { continue };
        if runs_ai(facts, account.node) {
            workloads.push((account_name(namespace, name).to_string(), account.node));
        }
    }
    let (name, account) = workloads.first()?;
    let outcome = |holds, actual, causes| Some(Outcome { causes, actual, ..Outcome::of(holds) });
    let mut open: Option<(Cause, String)> = None;
    for asked in query.args {
        let (only, text) = match asked.strip_prefix("cluster ") {
            Some(rest) => (true, rest),
            None => (false, asked.as_str()),
        };
        let Some(request) = Request::parse(text) else { continue };
        if only && !matches!(one.place, Place::Cluster) {
            continue;
        }
        let allowed = one.role.allows_all(&request);
        let path = || {
            let rule = if allowed.rule == 0 { String::new() } else { format!(" → rule {}", allowed.rule) };
            format!("{name} → `{}`{rule} allows `{text}` in {}", one.role.name, one.place.shown())
        };
        match (&allowed.told, one.doubt(facts.graph, Some(*account)).as_ref()) {
            (Ok(false), _) => {}
            // What is named was thought of.
            (Ok(true), _) if !allowed.names.is_empty() => {}
            (Ok(true), None) => return outcome(Truth::No, Some(path()), Vec::new()),
            (Ok(true), Some(cause)) | (Err(cause), _) => {
                open = open.or_else(|| Some((cause.clone(), path())));
            }
        }
    }
    match open {
        Some((cause, path)) => outcome(Truth::Maybe, Some(path), vec![cause.to_string()]),
        None => outcome(Truth::Yes, None, Vec::new()),
    }
}

/// Whether something that is AI runs as the service account.
fn runs_ai(facts: &Facts<'_>, account: NodeId) -> bool {
    let users = facts.graph.edges(account, Direction::Incoming);
    users.filter(|(edge, _)| edge.kind == LinkKind::Identity).any(|(_, user)| facts.scope().contains(user))
}
