//! What rules ask of Google's IAM.

use petgraph::Direction;

use super::super::super::Facts;
use super::super::{Outcome, Query};
use super::access::{Target, left, who_acts_as};
use super::{Grant, Holder, Place};
use crate::catalog::{Ai, Catalog, LinkKind};
use crate::graph::NodeId;
use crate::iam::effective::Verdict;
use crate::iam::google::roles;
use crate::value::Truth;

/// `role → member`, as findings show it.
fn way(grant: &Grant, holder: &Holder) -> String {
    format!("`{}` → `{}` → `{}`", grant.address, grant.role.name(), holder.name)
}

/// Is nobody granted a role on the resource who is not known at all: `allUsers`, `allAuthenticatedUsers`?
pub(in super::super) fn public_grant(facts: &Facts<'_>, node: NodeId, _query: Query<'_>) -> Option<Outcome> {
    let mut open = None;
    let mut any = false;
    for grant in facts.google_grants().of(node) {
        any = true;
        let public = grant.holders.iter().find(|it| it.member().is_public());
        if let Some(holder) = public {
            let (holds, causes) = match (&grant.condition, &grant.doubt) {
                (None, None) => (Truth::No, Vec::new()),
                (_, Some(doubt)) => (Truth::Maybe, vec![doubt.to_string()]),
                (Some(condition), None) => (Truth::Maybe, vec![format!("only if {condition}")]),
            };
            let actual = Some(way(grant, holder));
            return Some(Outcome { causes, actual, ..Outcome::of(holds) });
        }
        if let Some(cause) = &grant.more {
            open = Some(Outcome { causes: vec![cause.to_string()], ..Outcome::of(Truth::Maybe) });
        }
    }
    any.then(|| open.unwrap_or(Outcome::of(Truth::Yes)))
}

/// Whether a workload of AI runs as the service account.
fn runs_ai(facts: &Facts<'_>, account: NodeId) -> bool {
    let users = facts.graph.edges(account, Direction::Incoming);
    let mut users = users.filter(|(edge, _)| edge.kind == LinkKind::Identity);
    users.any(|(_, user)| {
        facts.scope().is_direct(user)
            && facts.graph.resource(user).is_some_and(|it| {
                !super::is_grant(&it.type_name)
                    && Catalog::get().kind(&it.type_name).is_none_or(|info| info.ai != Ai::None)
            })
    })
}

/// Does a workload of AI run as the service account without one of the query's permissions on a whole project or more?
pub(in super::super) fn account_may(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    if !runs_ai(facts, node) {
        return None;
    }
    let mut open = None;
    for (grant, holder) in facts.google_grants().to(node) {
        if matches!(grant.place, Place::Resource(..)) {
            continue;
        }
        let mut causes: Vec<String> = Vec::new();
        let mut open_terms: Vec<String> = Vec::new();
        let (mut is_sure, mut has) = (false, false);
        for permission in query.args {
            match grant.role.grants(permission) {
                Ok(true) => match left(facts, grant, holder, permission, &Target::Any, Verdict::Yes) {
                    Some(Verdict::OnlyIf(open)) => {
                        has = true;
                        open_terms.extend(open.iter().map(|it| format!("only if {it}")));
                    }
                    Some(_) => (has, is_sure) = (true, true),
                    None => {}
                },
                Ok(false) => {}
                Err(cause) => causes.push(cause.to_string()),
            }
        }
        causes.dedup();
        let limits = grant.condition.iter().map(|it| format!("only if {it}"));
        let limits: Vec<String> = limits.chain(grant.doubt.iter().map(ToString::to_string)).collect();
        if is_sure && limits.is_empty() && !holder.is_doubtful {
            let actual = Some(way(grant, holder));
            return Some(Outcome { actual, statement: grant.site, ..Outcome::of(Truth::No) });
        }
        if has {
            causes = if limits.is_empty() { open_terms } else { limits };
            causes.dedup();
        }
        if has || !causes.is_empty() {
            causes.truncate(3);
            let actual = Some(way(grant, holder));
            open = open.or(Some(Outcome { causes, actual, ..Outcome::of(Truth::Maybe) }));
        }
    }
    Some(open.unwrap_or(Outcome::of(Truth::Yes)))
}

/// May nobody act as the service account of a workload of AI by what is granted on more than the account?
pub(in super::super) fn acts_as_is_narrow(
    facts: &Facts<'_>,
    node: NodeId,
    _query: Query<'_>,
) -> Option<Outcome> {
    if !runs_ai(facts, node) {
        return None;
    }
    let mut open = None;
    for (grant, holder, verdict) in who_acts_as(facts, node) {
        let member = holder.member();
        let is_wide =
            !matches!(grant.place, Place::Resource(..)) || member.is_public() || member.is_whole_pool();
        // Basic roles are a matter of their own, and a service of Google acts in the name of its user.
        let is_other = roles::is_basic(grant.role.name()) || holder.is_service_agent();
        if !is_wide || is_other || holder.account == Some(node) {
            continue;
        }
        let actual = Some(way(grant, holder));
        let causes = match verdict {
            Verdict::Yes if !holder.is_doubtful => {
                return Some(Outcome { actual, statement: grant.site, ..Outcome::of(Truth::No) });
            }
            Verdict::OnlyIf(conditions) => conditions.iter().map(|it| format!("only if {it}")).collect(),
            Verdict::Undetermined(causes) => causes,
            _ => vec![format!("whether `{}` names it is not known", grant.address)],
        };
        open = open.or(Some(Outcome { causes, actual, ..Outcome::of(Truth::Maybe) }));
    }
    Some(open.unwrap_or(Outcome::of(Truth::Yes)))
}
