//! Who may do something, and what somebody may do: the answers of `airgate iam`, each with its path principal → policy →
//! statement.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashSet;
use petgraph::Direction;
use rayon::prelude::*;

use crate::catalog::LinkKind;
use crate::graph::NodeId;
use crate::iam::document::{Principal, Statement};
use crate::iam::effective::{By, Decision, Held, Kind, Request, Verdict, Who, granted, may};
use crate::iam::google::is_permission;
use crate::iam::kubernetes as rbac;
use crate::iam::{Effect, Text, azure::is_action as is_azure_action, cover, told::Told, work};
use crate::program::Resource;
use crate::source::Site;
use crate::value::{Cause, Piece, Reference, Value};

use super::super::Facts;
use super::principals::{Holding, Identity};
use super::{Read, accounts, azure, google, kubernetes, organisation, place, policies, sessions};

/// What is asked of an input.
#[derive(Clone, Debug)]
pub enum Question {
    /// Who may do the action on the resource: an ARN, a pattern of ARNs, or an address.
    WhoCan(String, String),
    /// What the role or user of an address may do.
    WhatCan(String),
}

/// The answers of one input.
#[derive(Debug)]
pub struct Answered {
    /// Its path.
    pub input: String,
    /// The answers; [`None`] if there is no role or user of that address.
    pub rows: Option<Vec<Access>>,
    /// The addresses of the roles and users that there are.
    pub identities: Vec<String>,
    /// Documents that are not wholly understood: address, place, and what is wrong.
    pub faults: Vec<(String, Option<Site>, String)>,
}

impl Answered {
    /// Asks.
    pub fn of(facts: &Facts<'_>, input: String, question: &Question) -> Self {
        let graph = facts.graph;
        let address = |&node: &NodeId| graph.resource(node).map(|it| it.address.to_string());
        let rows = match question {
            Question::WhoCan(action, resource) => Some(match rbac::Request::parse(action) {
                Some(request) => kubernetes::who_can(facts, &request, action, resource),
                None if is_azure_action(action) => azure::who_can(facts, action, resource),
                None if is_permission(action) => google::access::who_can(facts, action, resource),
                None => who_can(facts, action, resource),
            }),
            Question::WhatCan(address) => {
                let one =
                    graph.by_address(address).into_iter().chain(graph.by_block(address).iter().copied());
                let mut nodes: Vec<NodeId> = one.collect();
                nodes.sort_unstable();
                nodes.dedup();
                let rows = nodes.into_iter().filter_map(|node| {
                    what_can(facts, node)
                        .or_else(|| sessions::what_can(facts, node))
                        .or_else(|| azure::what_can(facts, node))
                        .or_else(|| kubernetes::what_can(facts, node))
                });
                let rows: Vec<Vec<Access>> = rows.collect();
                (!rows.is_empty()).then(|| rows.concat())
            }
        };
        let types = [
            "azurerm_user_assigned_identity",
            google::ACCOUNT,
            "kubernetes_service_account",
            "kubernetes_service_account_v1",
        ];
        let others = types.iter().flat_map(|name| graph.by_type(name));
        let sessions = sessions::of_graph(facts);
        let all = facts.identities().keys().chain(sessions.iter().map(|it| &it.node)).chain(others);
        let identities = all.filter_map(address).collect();
        Self { input, rows, identities, faults: policies::faults(facts) }
    }
}

/// Somebody who may do what was asked for, or of whom that cannot be told.
#[derive(Clone, Debug)]
pub struct Access {
    /// The address of a role or user, or what a policy calls somebody else: `*`, an account, a service.
    pub principal: String,
    /// Where it is written.
    pub site: Option<Site>,
    /// The action as far as a statement says which: `bedrock:*`.
    pub action: String,
    /// Whether it may.
    pub verdict: Verdict,
    /// On what, where it is not all that was asked for.
    pub on: Vec<String>,
    /// The statements that decide.
    pub by: Vec<Step>,
    /// Those that deny a part of it.
    pub less: Vec<Step>,
}

/// A statement on the way from a principal to what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The policy: an address, or the name of one that AWS manages.
    pub policy: String,
    /// What joins it to the principal, if that is another resource.
    pub attached_by: Option<String>,
    /// The `Sid` of the statement, or `statement 2`.
    pub statement: String,
    /// Where that is written.
    pub site: Option<Site>,
}

/// Everybody who may do `action` on `resource`: an ARN, a pattern of ARNs, or the address of a resource. Those who may not
/// are not told.
pub fn who_can(facts: &Facts<'_>, action: &str, resource: &str) -> Vec<Access> {
    let requests = requests(facts, action, resource);
    let policies: Vec<_> = requests.iter().map(|request| resource_policies(facts, request)).collect();
    let nodes: Vec<NodeId> = facts.identities().keys().copied().collect();
    let of_identity = |identity: &Identity| {
        if policies.iter().all(Vec::is_empty) && !identity.services().may_hold(action) {
            return None;
        }
        let answers = requests.iter().zip(&policies).map(|(request, others)| {
            let holdings: Vec<&Holding> = identity.holdings.iter().chain(others).collect();
            let held: Vec<Held<'_>> = holdings.iter().map(|it| it.held()).collect();
            let names = |statement: &Statement| names(facts, statement, identity);
            let decision = may(&held, request, &Who { names: &names, delegates: &delegates });
            (decision, holdings)
        });
        // Each way to say what is asked bounds the answer.
        let (decision, holdings) = answers.min_by_key(|(decision, _)| decision.verdict.rank())?;
        if decision.verdict == Verdict::No {
            return None;
        }
        access(facts, identity, action.to_owned(), decision, &holdings)
    };
    let of_node = |node: &NodeId| of_identity(facts.identities().get(node)?);
    let mut out: Vec<Access> = nodes.par_iter().filter_map(of_node).collect();
    let sessions = sessions::of_graph(facts);
    out.extend(sessions.iter().filter_map(|it| Some(it.row(facts, of_identity(&it.identity)?))));
    let mut others: Vec<Access> = requests
        .iter()
        .zip(&policies)
        .flat_map(|(request, others)| strangers(facts, request, others))
        .collect();
    others.sort_by(|a, b| (&a.principal, a.verdict.rank()).cmp(&(&b.principal, b.verdict.rank())));
    others.dedup_by(|a, b| a.principal == b.principal);
    out.extend(others);
    sort(&mut out);
    out
}

/// The surest first, then by name.
pub(super) fn sort(rows: &mut [Access]) {
    rows.sort_by(|a, b| (a.verdict.rank(), &a.principal).cmp(&(b.verdict.rank(), &b.principal)));
}

/// The surest answer of each principal. What is answered alike more than once is one answer, with all that it is on and by.
#[derive(Default)]
pub(super) struct Surest(BTreeMap<String, Access>);

impl Surest {
    pub(super) fn add(&mut self, mut found: Access) {
        match self.0.get_mut(&found.principal) {
            Some(known) if known.verdict.rank() < found.verdict.rank() => {}
            Some(known) if known.verdict == found.verdict => {
                known.on.append(&mut found.on);
                known.by.append(&mut found.by);
            }
            _ => {
                self.0.insert(found.principal.clone(), found);
            }
        }
    }

    pub(super) fn into_rows(self) -> Vec<Access> {
        let mut rows: Vec<Access> = self.0.into_values().collect();
        for row in &mut rows {
            row.on.sort();
            row.on.dedup();
        }
        sort(&mut rows);
        rows
    }
}

/// What the role or user may do, a row for every action of every statement that allows something.
pub fn what_can(facts: &Facts<'_>, node: NodeId) -> Option<Vec<Access>> {
    let Some(identity) = facts.identities().get(&node) else {
        return google::access::what_can(facts, node);
    };
    Some(identity_can(facts, identity))
}

/// What an identity may do.
pub(super) fn identity_can(facts: &Facts<'_>, identity: &Identity) -> Vec<Access> {
    let holdings: Vec<&Holding> = identity.holdings.iter().collect();
    let held = identity.held();
    let nobody: &dyn Fn(&Statement) -> Told = &|_| Ok(false);
    let who = Who { names: nobody, delegates: nobody };
    let _question = work::Question::begin();
    let mut out = Vec::new();
    for (policy, holding) in holdings.iter().enumerate().filter(|(_, it)| it.kind == Kind::Identity) {
        let statements = holding.policy.alternatives.iter().flat_map(|it| (1..).zip(&it.statements));
        for (number, statement) in statements {
            if statement.effect == Ok(Effect::Deny) {
                continue;
            }
            let by = By { policy, statement: number, denies: false };
            let mut ask = |action: Text, shown: String| {
                let shown = if holding.policy.sensitive { "(sensitive)".to_owned() } else { shown };
                let request = Request { action, resource: Text::Known("*".into()) };
                let decision = granted(&held, &request, &who, &by);
                let is_new = decision.verdict != Verdict::No;
                out.extend(access(facts, identity, shown, decision, &holdings).filter(|_| is_new));
            };
            for action in &statement.action.items {
                ask(action.clone(), action.to_string());
            }
            if !statement.not_action.is_empty() {
                let names: Vec<String> = statement.not_action.items.iter().map(ToString::to_string).collect();
                ask(Text::Known("*".into()), format!("everything but {}", names.join(", ")));
            }
            if let (Some(_), true) = (&statement.action.more, statement.action.items.is_empty()) {
                ask(Text::Known("*".into()), "?".to_owned());
            }
        }
    }
    out
}

fn access(
    facts: &Facts<'_>,
    identity: &Identity,
    action: String,
    decision: Decision,
    holdings: &[&Holding],
) -> Option<Access> {
    let resource = facts.graph.resource(identity.node)?;
    Some(Access {
        principal: resource.address.to_string(),
        site: resource.site,
        action,
        by: steps(facts, &decision.by, holdings),
        less: steps(facts, &decision.less, holdings),
        on: shown(&decision, holdings),
        verdict: decision.verdict,
    })
}

/// On what, but for the words of documents that are sensitive.
fn shown(decision: &Decision, holdings: &[&Holding]) -> Vec<String> {
    let is_sensitive = |by: &By| holdings.get(by.policy).is_some_and(|it| it.policy.sensitive);
    if decision.by.iter().any(is_sensitive) {
        return decision.on.iter().take(1).map(|_| "(sensitive)".to_owned()).collect();
    }
    decision.on.iter().map(ToString::to_string).collect()
}

/// The statements as people find them.
pub(super) fn steps(facts: &Facts<'_>, by: &[By], holdings: &[&Holding]) -> Vec<Step> {
    by.iter().filter_map(|by| Some(step(facts, holdings.get(by.policy)?, by.statement))).collect()
}

fn step(facts: &Facts<'_>, holding: &Holding, number: usize) -> Step {
    let (statement, site) = statement(facts, holding, number);
    Step {
        policy: holding.name.to_string(),
        attached_by: holding.by.as_ref().map(ToString::to_string),
        statement: statement.into_owned(),
        site,
    }
}

/// The name of a statement, and where it is written.
pub(super) fn statement<'h>(
    facts: &Facts<'_>,
    holding: &'h Holding,
    number: usize,
) -> (Cow<'h, str>, Option<Site>) {
    let statement = holding.policy.statement(number);
    let shown = statement.filter(|_| !holding.policy.sensitive);
    let name = shown.map_or_else(|| Statement::number(number), |it| it.name(number));
    let read = holding.node.and_then(|node| read_of(facts, node, holding));
    let site = match (read, statement) {
        (Some(read), Some(statement)) => {
            place::of_statement(facts.graph, facts.sources, read, statement, number).or(holding.site)
        }
        _ => holding.site,
    };
    (name, site)
}

fn read_of<'f>(facts: &'f Facts<'_>, node: NodeId, holding: &Holding) -> Option<&'f Read> {
    let policies = facts.policies(node)?;
    let is_it = |read: &&Read| Arc::ptr_eq(&read.policy, &holding.policy);
    let mut reads = policies.all().filter(is_it);
    // Those of one text are one policy.
    let first = reads.next()?;
    if holding.site == first.site {
        Some(first)
    } else {
        reads.find(|read| read.site == holding.site).or(Some(first))
    }
}

/// What is asked, in each way that it can be said: by the ARN, and by the resource whose ARN that is.
fn requests(facts: &Facts<'_>, action: &str, resource: &str) -> Vec<Request> {
    let graph = facts.graph;
    let request = |resource: Text| Request { action: Text::Known(action.into()), resource };
    let node = graph.by_address(resource).or_else(|| graph.by_block(resource).first().copied());
    if let Some(node) = node {
        // What is done to a bucket's objects is done to what is below its ARN.
        let is_bucket = graph.resource(node).is_some_and(|it| it.type_name == "aws_s3_bucket");
        let below = if is_bucket && action.to_ascii_lowercase().contains("object") { "/*" } else { "" };
        return arns(graph.resource(node)).into_iter().map(|arn| request(with(arn, below))).collect();
    }
    let mut all = vec![request(Text::Known(resource.into()))];
    for &node in graph.by_type("aws_s3_bucket") {
        for arn in arns(graph.resource(node)) {
            let Some(below) = arn.as_str().and_then(|arn| resource.strip_prefix(arn)) else { continue };
            if below.is_empty() || below.starts_with('/') {
                let arns = arns(graph.resource(node)).into_iter().filter(|arn| arn.as_str().is_none());
                all.extend(arns.map(|arn| request(with(arn, below))));
            }
        }
    }
    all
}

/// What is below an ARN.
pub(super) fn with(arn: Text, below: &str) -> Text {
    let mut pieces = match arn {
        Text::Known(known) => return Text::Known([&known, below].concat().into()),
        Text::Holed(pieces) => pieces.to_vec(),
    };
    if !below.is_empty() {
        pieces.push(Piece::Text(below.into()));
    }
    Text::of_pieces_merged(pieces)
}

/// The ARN of a resource, in each way that policies may have it.
pub(super) fn arns(resource: Option<&Resource>) -> Vec<Text> {
    let Some(resource) = resource else { return Vec::new() };
    std::iter::once(referred_arn(resource, "")).chain(known_arn(resource, "")).collect()
}

/// What is below the ARN of a resource, as a reference to it.
pub(super) fn referred_arn(resource: &Resource, below: &str) -> Text {
    let reference = Arc::new(Reference { resource: resource.address.clone(), attribute: "arn".into() });
    let hole = Value::unknown(Cause::Resource(reference.clone()));
    let hole = Piece::Hole(Value { reference: Some(reference), ..hole });
    with(Text::Holed([hole].into()), below)
}

/// What is below the ARN of a resource where that is known, or its name tells it.
pub(super) fn known_arn(resource: &Resource, below: &str) -> Option<Text> {
    known_name(resource).map(|[before, name]| Text::Known([before, name, below].concat().into()))
}

/// What is before the name of a bucket in its ARN.
pub(super) const BUCKET: &str = "arn:aws:s3:::";

/// The ARN of a resource where it is known, or its name tells it: what is before the name, and that.
pub(super) fn known_name(resource: &Resource) -> Option<[&str; 2]> {
    let after = resource.after.as_ref()?;
    let name = || after.get("bucket").filter(|_| resource.type_name == "aws_s3_bucket")?.as_str();
    let known = after.get("arn").and_then(Value::as_str).map(|known| ["", known]);
    known.or_else(|| Some([BUCKET, name()?]))
}

/// The policies of the resources that the request may be about.
fn resource_policies(facts: &Facts<'_>, request: &Request) -> Vec<Holding> {
    let graph = facts.graph;
    let mut out = Vec::new();
    for node in graph.graph.node_indices() {
        let Some(resource) = graph.resource(node).filter(|it| !it.is_deleted()) else { continue };
        let Some(policies) = facts.policies(node) else { continue };
        if matches!(resource.type_name.as_str(), "aws_organizations_policy" | "aws_vpc_endpoint") {
            continue;
        }
        let reads = policies.of_resource(&resource.type_name);
        if reads.is_empty() {
            continue;
        }
        let of = graph
            .edges(node, Direction::Outgoing)
            .find(|(edge, _)| edge.kind == LinkKind::Attachment)
            .map_or(node, |(_, target)| target);
        let about = is_about(&arns(graph.resource(of)), request);
        let doubt = match about {
            Ok(false) => continue,
            Ok(true) => None,
            Err(cause) => Some(cause),
        };
        let service = cover::service_of(&resource.type_name);
        let is_other = |service: &str| {
            let asked = request.action.prefix().split_once(':').map_or("*", |(asked, _)| asked);
            !asked.contains(['*', '?']) && !asked.eq_ignore_ascii_case(service)
        };
        if service.is_some_and(is_other) {
            continue;
        }
        let within = arns(graph.resource(of)).iter().any(|arn| {
            let holds =
                |below| cover::contains(&with(arn.clone(), below), &request.resource, cover::Of::Resources);
            holds("") == Ok(true) || holds("/*") == Ok(true)
        });
        // A grant adds to the key's policy, and stands for none.
        let is_key = resource.type_name.starts_with("aws_kms_") && resource.type_name != "aws_kms_grant";
        let kind = match (within, is_key) {
            (false, _) => Kind::ResourceInPart,
            (true, true) => Kind::Key,
            (true, false) => Kind::Resource,
        };
        for read in reads {
            out.push(Holding {
                kind,
                policy: read.policy.clone(),
                name: resource.address.clone(),
                by: None,
                site: read.site.or(resource.site),
                node: Some(node),
                doubt: doubt.clone(),
            });
        }
    }
    out
}

/// Whether what is asked is about the resource of these ARNs, or what is in it. All are of one resource, so what is sure of
/// one of them is.
fn is_about(arns: &[Text], request: &Request) -> Told {
    let of = |arn: &Text| {
        let meets =
            |below| cover::intersects(&request.resource, &with(arn.clone(), below), cover::Of::Resources);
        match (meets(""), meets("/*")) {
            (Ok(true), _) | (_, Ok(true)) => Ok(true),
            (Err(cause), _) | (_, Err(cause)) => Err(cause),
            (Ok(false), Ok(false)) => Ok(false),
        }
    };
    let mut told = Ok(false);
    for answer in arns.iter().map(of) {
        told = answer;
        if told.is_ok() {
            break;
        }
    }
    told
}

/// Whether a statement of a resource's policy names the identity.
fn names(facts: &Facts<'_>, statement: &Statement, identity: &Identity) -> Told {
    let resource = facts.graph.resource(identity.node);
    let arns = arns(resource);
    let name = resource.and_then(|it| it.after.as_ref()?.get("name")?.as_str());
    let excepts = !matches!(statement.not_principal, Principal::None);
    let denies = statement.effect == Ok(Effect::Deny);
    // Whoever has a boundary is never excepted, says the manual.
    let has_boundary =
        identity.holdings.iter().any(|it| matches!(it.kind, Kind::Boundary | Kind::UserBoundary));
    if excepts && denies && has_boundary {
        return Ok(true);
    }
    let told = statement.is_about("AWS", |text| {
        let mut open = None;
        for arn in &arns {
            match (cover::intersects(text, arn, cover::Of::Resources), text.as_str()) {
                (Ok(true), _) => return Ok(true),
                // Whoever denies it to an account denies it to all in it; whoever excepts an account excepts nobody in it.
                _ if is_account(text) && denies && !excepts => {
                    open = Some(Cause::Other(format!("whether `{text}` is its account is not known").into()));
                }
                _ if is_account(text) => {}
                // A role of another name is another, whatever is not known.
                (_, Some(known)) => match (known.rsplit_once([':', '/']), name) {
                    (Some((before, last)), Some(name)) if before.contains(":iam:") && last != name => {}
                    _ => open = Some(Cause::Other(format!("whether `{known}` is it is not known").into())),
                },
                (Ok(false), None) => {}
                (Err(cause), None) => open = Some(cause),
            }
        }
        open.map_or(Ok(false), Err)
    });
    let names_account = || statement.not_principal.any("AWS", |text| Ok(is_account(text))).0 == Ok(true);
    if excepts && denies && told == Ok(false) && !names_account() {
        let cause = "`NotPrincipal` names it without its account, which may deny it to the whole account";
        return Err(Cause::Other(cause.into()));
    }
    told
}

/// Whether a principal is an account: by its root, or its number.
fn is_account(text: &Text) -> bool {
    text.suffix().ends_with(":root") || text.as_str().is_some_and(accounts::is_account)
}

/// Whether a statement names an account: then the policies of its identities decide.
fn delegates(statement: &Statement) -> Told {
    statement.is_about("AWS", |text| if is_account(text) { Ok(true) } else { text.is("*") })
}

/// Who else the policies of resources name: everybody, accounts, services, roles of others.
fn strangers(facts: &Facts<'_>, request: &Request, others: &[Holding]) -> Vec<Access> {
    let ours: BTreeSet<String> = facts
        .identities()
        .keys()
        .flat_map(|&node| arns(facts.graph.resource(node)))
        .map(|arn| arn.to_string())
        .collect();
    // Whoever comes, controls of the organisation over its resources hold.
    let controls = if others.is_empty() { Vec::new() } else { organisation::of_resources(facts) };
    let holdings: Vec<&Holding> = others.iter().chain(&controls).collect();
    let held: Vec<Held<'_>> = holdings.iter().map(|it| it.held()).collect();
    let _question = work::Question::begin();
    let mut out: Vec<Access> = Vec::new();
    let mut told = HashSet::default();
    for (policy, holding) in others.iter().enumerate() {
        let statements = holding.policy.alternatives.iter().flat_map(|it| (1..).zip(&it.statements));
        for (number, statement) in statements {
            if statement.effect != Ok(Effect::Allow) {
                continue;
            }
            for named in named(statement) {
                if ours.contains(&named) || told.contains(&named) {
                    continue;
                }
                let is_it = |other: &Statement| Ok(other_names(other, &named));
                let nobody: &dyn Fn(&Statement) -> Told = &|_| Ok(false);
                let by = By { policy, statement: number, denies: false };
                let decision = granted(&held, request, &Who { names: &is_it, delegates: nobody }, &by);
                if decision.verdict == Verdict::No {
                    continue;
                }
                told.insert(named.clone());
                out.push(Access {
                    principal: named,
                    site: None,
                    action: request.action.to_string(),
                    by: steps(facts, &decision.by, &holdings),
                    less: steps(facts, &decision.less, &holdings),
                    on: shown(&decision, &holdings),
                    verdict: decision.verdict,
                });
            }
        }
    }
    out
}

/// Whom the statement names, as it does.
fn named(statement: &Statement) -> Vec<String> {
    match (&statement.principal, &statement.not_principal) {
        (_, Principal::Map(_) | Principal::Text(_)) => vec!["*".to_owned()],
        (Principal::Text(text), _) => vec![text.to_string()],
        (Principal::Map(kinds), _) => {
            kinds.iter().flat_map(|(_, list)| list.items.iter().map(ToString::to_string)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a statement speaks of whom a name means: it has the name, or speaks of everybody.
fn other_names(statement: &Statement, name: &str) -> bool {
    named(statement).iter().any(|other| other == name || other == "*")
}
