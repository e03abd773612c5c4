//! Who has a permission, and what a service account has: the answers of `airgate iam` for Google.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::super::super::Facts;
use super::super::access::{Access, Step, sort};
use super::deny::Taken;
use super::{ACCOUNT, Grant, Holder, Place};
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::effective::Verdict;
use crate::value::Value;

/// With these one acts as a service account.
const AS_AN_ACCOUNT: [&str; 4] = [
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccountKeys.create",
];
/// Impersonation is followed so many times.
const MAX_STEPS: usize = 3;

/// On what a permission is asked for.
pub(super) enum Target<'a> {
    /// Anything.
    Any,
    /// Resources of the configuration.
    Nodes(Vec<NodeId>),
    /// By a name of Google: `projects/p/locations/l/endpoints/e`.
    Name(&'a str),
}

/// Everybody who has `permission` on `resource`: a name, the address of a resource, or `*`.
pub(in super::super) fn who_can(facts: &Facts<'_>, permission: &str, resource: &str) -> Vec<Access> {
    let graph = facts.graph;
    let target = if resource == "*" {
        Target::Any
    } else {
        let one = graph.by_address(resource).into_iter();
        let nodes: BTreeSet<NodeId> = one.chain(graph.by_block(resource).iter().copied()).collect();
        if nodes.is_empty() { Target::Name(resource) } else { Target::Nodes(nodes.into_iter().collect()) }
    };
    let mut found: BTreeMap<SmolStr, Access> = BTreeMap::new();
    let mut accounts: Vec<NodeId> = Vec::new();
    for (holder, access) in holding(facts, permission, &target) {
        accounts.extend(holder.account);
        better(&mut found, access, true);
    }
    // Who may act as one of them has it too.
    let mut seen: BTreeSet<NodeId> = accounts.iter().copied().collect();
    for _ in 0..MAX_STEPS {
        let mut next = Vec::new();
        for account in std::mem::take(&mut accounts) {
            let Some(name) = graph.resource(account).map(|it| it.address.clone()) else { continue };
            let Some(through) = found.get(&name).cloned() else { continue };
            let target = Target::Nodes(vec![account]);
            let ways = AS_AN_ACCOUNT.iter().flat_map(|way| holding(facts, way, &target));
            for (holder, mut access) in ways.collect::<Vec<_>>() {
                if access.principal == name.as_str() {
                    continue;
                }
                access.verdict = worse(access.verdict, through.verdict.clone());
                permission.clone_into(&mut access.action);
                access.by.extend(through.by.iter().cloned());
                access.on.clone_from(&through.on);
                next.extend(holder.account.filter(|node| seen.insert(*node)));
                better(&mut found, access, false);
            }
        }
        accounts = next;
    }
    let mut out: Vec<Access> = found.into_values().collect();
    sort(&mut out);
    out
}

/// Keeps the surest way that somebody has.
fn better(found: &mut BTreeMap<SmolStr, Access>, access: Access, is_direct: bool) {
    let name = SmolStr::from(&access.principal);
    match found.get_mut(&name) {
        None => {
            found.insert(name, access);
        }
        Some(known) if access.verdict.rank() < known.verdict.rank() => *known = access,
        // The steps of one who acts as another are a way, and are not mixed with others.
        Some(known) if is_direct && access.verdict.rank() == known.verdict.rank() => {
            for step in access.by {
                if !known.by.contains(&step) {
                    known.by.push(step);
                }
            }
            for on in access.on {
                if !known.on.contains(&on) {
                    known.on.push(on);
                }
            }
        }
        Some(_) => {}
    }
}

/// Both must hold.
fn worse(a: Verdict, b: Verdict) -> Verdict {
    match (a, b) {
        (Verdict::OnlyIf(mut a), Verdict::OnlyIf(b)) => {
            a.extend(b);
            Verdict::OnlyIf(a)
        }
        (a, b) if a.rank() < b.rank() => b,
        (a, _) => a,
    }
}

/// Whoever a grant gives the permission on the target to, with the answer.
fn holding<'f>(facts: &'f Facts<'_>, permission: &str, target: &Target<'_>) -> Vec<(&'f Holder, Access)> {
    let mut out = Vec::new();
    for grant in &facts.google_grants().all {
        let Some(verdict) = verdict(facts, grant, permission, target) else { continue };
        let on = grant.place.name(facts.graph);
        for holder in &grant.holders {
            let Some(mut verdict) = left(facts, grant, holder, permission, target, verdict.clone()) else {
                continue;
            };
            if holder.is_doubtful {
                verdict =
                    Verdict::Undetermined(vec![format!("whether `{}` names it is not known", grant.address)]);
            }
            out.push((
                holder,
                row(facts, grant, holder.name.to_string(), permission.to_owned(), verdict, &on),
            ));
        }
        if let Some(cause) = &grant.more {
            // Nobody is named, but somebody may be.
            static NOBODY: Holder =
                Holder { name: SmolStr::new_static("?"), account: None, is_doubtful: true };
            let verdict = Verdict::Undetermined(vec![cause.to_string()]);
            out.push((&NOBODY, row(facts, grant, "?".to_owned(), permission.to_owned(), verdict, &on)));
        }
    }
    out
}

fn row(
    facts: &Facts<'_>,
    grant: &Grant,
    principal: String,
    action: String,
    verdict: Verdict,
    on: &str,
) -> Access {
    let site = facts.graph.by_address(&principal).and_then(|node| facts.graph.resource(node)?.site);
    let step = Step {
        policy: grant.address.to_string(),
        attached_by: None,
        statement: grant.role.name().to_owned(),
        site: grant.site,
    };
    Access {
        principal,
        site: site.or(grant.site),
        action,
        verdict,
        on: vec![on.to_owned()],
        by: vec![step],
        less: Vec::new(),
    }
}

/// Whether a grant gives the permission on the target; [`None`] if it does not.
fn verdict(facts: &Facts<'_>, grant: &Grant, permission: &str, target: &Target<'_>) -> Option<Verdict> {
    let told = grant.role.grants(permission);
    if told == Ok(false) {
        return None;
    }
    let (mut conditions, mut causes) = (Vec::new(), Vec::new());
    causes.extend(told.err().map(|cause| cause.to_string()));
    match reaches(facts, grant, target) {
        Reach::No => return None,
        Reach::Yes => {}
        Reach::If(condition) => conditions.push(condition),
        Reach::Perhaps(cause) => causes.push(cause),
    }
    conditions.extend(grant.condition.clone());
    causes.extend(grant.doubt.as_ref().map(ToString::to_string));
    Some(match (causes.is_empty(), conditions.is_empty()) {
        (false, _) => Verdict::Undetermined(causes),
        (true, false) => Verdict::OnlyIf(conditions),
        (true, true) => Verdict::Yes,
    })
}

/// What is left of it for a holder: deny policies take away, and a bucket that is never public.
pub(super) fn left(
    facts: &Facts<'_>,
    grant: &Grant,
    holder: &Holder,
    permission: &str,
    target: &Target<'_>,
    verdict: Verdict,
) -> Option<Verdict> {
    let graph = facts.graph;
    let place = match (target, &grant.place) {
        (Target::Nodes(nodes), _) => &Place::Resource(nodes.clone(), Vec::new()),
        (Target::Name(_) | Target::Any, place) => place,
    };
    if holder.member().is_public() && is_never_public(graph, place) {
        return None;
    }
    let mut conditions = Vec::new();
    let denies = facts.google_grants().denies.iter();
    for deny in denies.filter(|it| permission != "*" || it.concerns(&grant.role)) {
        match deny.takes(graph, holder, permission, place) {
            Taken::Nothing => {}
            Taken::All => return None,
            Taken::Unless(condition) => conditions.push(condition),
        }
    }
    conditions.dedup();
    if conditions.is_empty() {
        return Some(verdict);
    }
    Some(worse(verdict, Verdict::OnlyIf(conditions)))
}

/// Whether it is a bucket whose prevention of public access is enforced.
fn is_never_public(graph: &ResourceGraph, place: &Place) -> bool {
    let Place::Resource(nodes, _) = place else { return false };
    let prevention = |node: &NodeId| {
        let after = graph.resource(*node)?.after.as_ref()?;
        after.get("public_access_prevention")?.as_str()
    };
    !nodes.is_empty() && nodes.iter().all(|node| prevention(node) == Some("enforced"))
}

enum Reach {
    Yes,
    No,
    If(String),
    Perhaps(String),
}

/// Whether a grant is on the target or on what is above it.
fn reaches(facts: &Facts<'_>, grant: &Grant, target: &Target<'_>) -> Reach {
    let below = |above: &str| Reach::If(format!("its project is below {above}"));
    match (&grant.place, target) {
        (_, Target::Any) => Reach::Yes,
        (Place::Above(above), _) => below(above),
        (Place::Project(project), Target::Nodes(nodes)) => {
            let of = |node: &NodeId| facts.graph.resource(*node)?.after.as_ref()?.get("project").cloned();
            nodes
                .iter()
                .map(|node| in_project(project, &of(node).unwrap_or(Value::NULL)))
                .next()
                .unwrap_or(Reach::No)
        }
        (Place::Project(project), Target::Name(name)) => {
            let own = name.split_once("projects/").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
            match (project.as_str(), own) {
                (Some(project), Some(own)) if project != own => Reach::No,
                (Some(_), Some(_)) => Reach::Yes,
                _ => {
                    Reach::Perhaps(format!("whether it is in {} is not known", grant.place.name(facts.graph)))
                }
            }
        }
        (Place::Resource(targets, _), Target::Nodes(nodes))
            if nodes.iter().any(|it| targets.contains(it)) =>
        {
            Reach::Yes
        }
        (Place::Resource(_, names), Target::Nodes(nodes)) => {
            let own = |node: &NodeId| {
                let after = facts.graph.resource(*node)?.after.as_ref()?;
                ["name", "id", "email"]
                    .into_iter()
                    .find_map(|name| after.get(name)?.as_str().map(SmolStr::from))
            };
            let same = nodes.iter().filter_map(own).any(|own| names.contains(&own));
            if same { Reach::Yes } else { Reach::No }
        }
        (Place::Resource(_, names), Target::Name(asked)) => {
            let is_it = |name: &SmolStr| *asked == name.as_str() || asked.ends_with(&format!("/{name}"));
            if names.iter().any(is_it) { Reach::Yes } else { Reach::No }
        }
    }
}

fn in_project(granted: &Value, own: &Value) -> Reach {
    let reference = |value: &Value| value.as_unknown().and_then(|it| it.references().next().cloned());
    match (granted.as_str(), own.as_str()) {
        (Some(a), Some(b)) if a == b => Reach::Yes,
        (Some(_), Some(_)) => Reach::No,
        _ if reference(granted).is_some() && reference(granted) == reference(own) => Reach::Yes,
        _ => Reach::Perhaps(format!("whether it is in project {} is not known", super::shown(granted))),
    }
}

/// The roles that a service account holds, a row for each grant; [`None`] if it is none.
pub(in super::super) fn what_can(facts: &Facts<'_>, node: NodeId) -> Option<Vec<Access>> {
    facts.graph.resource(node).filter(|it| it.type_name == ACCOUNT)?;
    let mut out = Vec::new();
    for (grant, holder) in facts.google_grants().to(node) {
        let mut causes: Vec<String> = grant.doubt.iter().map(ToString::to_string).collect();
        if holder.is_doubtful {
            causes.push(format!("whether `{}` names it is not known", grant.address));
        }
        // A role of which nothing is known may be none at all.
        if let super::Role::Unknown(cause) = &grant.role {
            causes.push(cause.to_string());
        }
        let verdict = match (&grant.condition, causes.is_empty()) {
            (_, false) => Verdict::Undetermined(causes),
            (Some(condition), true) => Verdict::OnlyIf(vec![condition.clone()]),
            (None, true) => Verdict::Yes,
        };
        let actions: Vec<String> = match &grant.role {
            super::Role::Custom(_, permissions, _) => permissions.iter().map(ToString::to_string).collect(),
            role => vec![role.name().to_owned()],
        };
        let on = grant.place.name(facts.graph);
        for action in actions {
            // Of a role a part may be taken away, of a permission all.
            let asked = if action.starts_with("roles/") { "*" } else { action.as_str() };
            let left = left(facts, grant, holder, asked, &Target::Any, verdict.clone());
            let Some(verdict) = left else { continue };
            out.push(row(facts, grant, holder.name.to_string(), action, verdict, &on));
        }
    }
    Some(out)
}

/// Who may act as the service account: the grant, the holder and whether.
pub(super) fn who_acts_as<'f>(
    facts: &'f Facts<'_>,
    account: NodeId,
) -> Vec<(&'f Grant, &'f Holder, Verdict)> {
    let target = Target::Nodes(vec![account]);
    let mut out: Vec<(&Grant, &Holder, Verdict)> = Vec::new();
    for grant in &facts.google_grants().all {
        let ways: Vec<(&str, Verdict)> = AS_AN_ACCOUNT
            .iter()
            .filter_map(|way| Some((*way, verdict(facts, grant, way, &target)?)))
            .collect();
        for holder in &grant.holders {
            let left = ways
                .iter()
                .filter_map(|(way, verdict)| left(facts, grant, holder, way, &target, verdict.clone()));
            out.extend(left.min_by_key(Verdict::rank).map(|best| (grant, holder, best)));
        }
    }
    out
}
