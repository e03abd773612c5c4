//! Analyses of what identities may do in effect, over all policies that bear on them.

use std::sync::Arc;

use petgraph::Direction;

use crate::catalog::{Ai, Catalog, LinkKind};
use crate::graph::NodeId;
use crate::iam::effective::{Verdict, Way};
use crate::iam::escalation::{self, Actions, Escalation};
use crate::iam::{Policy, arn, buckets, questions};
use crate::source::Site;
use crate::value::Truth;

use super::super::Facts;
use super::access::statement;
use super::principals::Identity;
use super::{Outcome, Query};

/// In which ways an identity may do what was asked.
pub(super) struct Answer<'i> {
    identity: &'i Identity,
    action: &'i str,
    ways: Arc<[Way]>,
    /// Which of the ways is told.
    told: usize,
}

pub(super) fn ask<'i>(identity: &'i Identity, action: &'i str) -> Answer<'i> {
    Answer { identity, action, ways: identity.ways(action), told: 0 }
}

/// Whether a way is one: for certain or perhaps, and where `everywhere` on every resource or every one of a kind.
fn truth_of(way: &Way, everywhere: bool) -> Truth {
    truth_if(&way.verdict, way, everywhere)
}

/// [`truth_of`] of the way if this were its verdict.
fn truth_if(verdict: &Verdict, way: &Way, everywhere: bool) -> Truth {
    let wide = if everywhere {
        arn::is_every_resource(&way.on).map_or(Truth::Maybe, Truth::from)
    } else {
        Truth::Yes
    };
    match (verdict, wide) {
        (Verdict::No, _) | (_, Truth::No) => Truth::No,
        (Verdict::Yes, Truth::Yes) => Truth::Yes,
        _ => Truth::Maybe,
    }
}

impl Answer<'_> {
    /// Whether it is allowed; where `everywhere`, on every resource or every one of a kind.
    pub(super) fn truth(&self, everywhere: bool) -> Truth {
        let truths = self.ways.iter().map(|way| truth_of(way, everywhere));
        truths.max_by_key(|truth| rank(*truth)).unwrap_or(Truth::No)
    }

    /// Tells the first of the ways that are the surest there are.
    pub(super) fn tell(&mut self, truth: impl Fn(&Way) -> Truth) -> Truth {
        let mut surest = Truth::No;
        for (at, way) in self.ways.iter().enumerate() {
            let truth = truth(way);
            if rank(truth) > rank(surest) {
                (surest, self.told) = (truth, at);
            }
            if surest == Truth::Yes {
                break;
            }
        }
        surest
    }

    fn way(&self) -> Option<&Way> {
        self.ways.get(self.told)
    }

    fn causes(&self) -> Vec<String> {
        match self.way().map(|way| &way.verdict) {
            Some(Verdict::OnlyIf(conditions)) => {
                conditions.iter().map(|it| ["only if ", it].concat()).collect()
            }
            Some(Verdict::Undetermined(causes)) => self.identity.causes(causes),
            _ => Vec::new(),
        }
    }

    /// `role → policy → statement → action`, and where the statement is.
    fn path(&self, facts: &Facts<'_>) -> (String, Option<Site>) {
        let role = facts.graph.resource(self.identity.node).map_or("", |it| it.address.as_str());
        let step = self.way().and_then(|way| Some((way, self.identity.holdings.get(way.by.policy)?)));
        let Some((way, holding)) = step else {
            return (["`", role, "` → `", self.action, "`"].concat(), None);
        };
        let (name, site) = statement(facts, holding, way.by.statement);
        let mut path =
            ["`", role, "` → `", &holding.name, "` → `", &name, "` → `", self.action, "`"].concat();
        // Nothing of a document that is sensitive is told.
        if !holding.policy.sensitive {
            path.extend([" on `", &way.on.shown(), "`"]);
        }
        (path, site)
    }
}

/// The outcome of a rule that the answers break: all of them where they hold.
pub(super) fn broken(
    facts: &Facts<'_>,
    query: Query<'_>,
    holds: Truth,
    answers: &[&Answer<'_>],
    what: Option<&str>,
) -> Outcome {
    let mut outcome = Outcome::of(holds);
    if holds == Truth::Maybe {
        outcome.causes = answers.iter().flat_map(|it| it.causes()).collect();
        outcome.causes.dedup();
        if outcome.causes.is_empty() {
            outcome.causes.push("whether it is every resource is not known".to_owned());
        }
        outcome.causes.truncate(3);
    }
    if holds == Truth::Yes || !query.words {
        return outcome;
    }
    let mut paths: Vec<String> = Vec::new();
    let mut site = None;
    for answer in answers.iter().take(3) {
        let (path, at) = answer.path(facts);
        site = site.or(at);
        paths.push(path);
    }
    if answers.len() > paths.len() {
        paths.push(format!("and {} more", answers.len() - paths.len()));
    }
    let [what, colon] = what.map_or([""; 2], |what| [what, ": "]);
    let actual = Some([what, colon, &paths.join(", ")].concat());
    Outcome { actual, statement: site, ..outcome }
}

/// The identities that a resource is or runs as.
pub(super) fn identities<'f>(facts: &'f Facts<'_>, node: NodeId) -> Vec<&'f Identity> {
    let all = facts.identities();
    if let Some(identity) = all.get(&node) {
        return vec![identity];
    }
    // A key is its user's.
    let users = facts.graph.edges(node, Direction::Outgoing).map(|(_, target)| target);
    let is_user = |&it: &NodeId| facts.graph.resource(it).is_some_and(|it| it.type_name == "aws_iam_user");
    let mut nodes: Vec<NodeId> = roles_of(facts, node).chain(users.filter(is_user)).collect();
    // What stands before a function runs as it does, and so does the route before that.
    if nodes.is_empty() {
        let of_type = |node: NodeId, type_name: &'static str| {
            let targets = facts.graph.edges(node, Direction::Outgoing).map(|(_, target)| target);
            targets.filter(move |&it| facts.graph.resource(it).is_some_and(|it| it.type_name == type_name))
        };
        let fronts = of_type(node, "aws_apigatewayv2_integration").chain([node]);
        let functions = fronts.flat_map(|front| of_type(front, "aws_lambda_function"));
        nodes = functions.flat_map(|function| roles_of(facts, function)).collect();
    }
    nodes.sort_unstable();
    nodes.dedup();
    nodes.iter().filter_map(|node| all.get(node)).collect()
}

fn roles_of(facts: &Facts<'_>, node: NodeId) -> impl Iterator<Item = NodeId> {
    facts
        .graph
        .edges(node, Direction::Outgoing)
        .filter(|(edge, _)| edge.kind == LinkKind::Identity)
        .map(|(_, target)| target)
        .filter(|&target| facts.graph.resource(target).is_some_and(|it| it.type_name == "aws_iam_role"))
}

/// An action that only whoever may do everything may do.
const ADMINISTRATION: &str = "organizations:LeaveOrganization";

/// Whether it may do everything: then what it may do in particular says nothing more.
pub(super) fn is_administrator(identity: &Identity) -> bool {
    identity.administers(|| {
        ask(identity, ADMINISTRATION).truth(true) == Truth::Yes
            && ask(identity, "iam:CreateUser").truth(true) == Truth::Yes
    })
}

/// Whether a service runs as the role: what people and pipelines do is another matter.
pub(super) fn is_workload(facts: &Facts<'_>, identity: &Identity) -> bool {
    let trust = facts.policies(identity.node).and_then(|it| it.trust.as_ref());
    trust.is_some_and(|read| questions::trusts(&read.policy, &WORKLOADS) == Ok(true))
}

/// Services that run workloads, sorted.
const WORKLOADS: [&str; 12] = [
    "batch.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "bedrock.amazonaws.com",
    "comprehend.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "kendra.amazonaws.com",
    "lambda.amazonaws.com",
    "pods.eks.amazonaws.com",
    "qbusiness.amazonaws.com",
    "sagemaker.amazonaws.com",
    "states.amazonaws.com",
];

/// May an identity that the resource is, or runs as, do one of the actions?
pub(super) fn role_may(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    any_of(facts, node, query, false)
}

/// May it do one of them on every resource?
pub(super) fn role_may_everywhere(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    any_of(facts, node, query, true)
}

fn any_of(facts: &Facts<'_>, node: NodeId, query: Query<'_>, everywhere: bool) -> Option<Outcome> {
    any_of_these(facts, identities(facts, node), query, everywhere)
}

/// May one of the identities do one of the actions? [`None`] if there is none.
pub(super) fn any_of_identities(
    facts: &Facts<'_>,
    identities: Vec<&Identity>,
    query: Query<'_>,
) -> Option<Outcome> {
    any_of_these(facts, identities, query, false)
}

fn any_of_these(
    facts: &Facts<'_>,
    identities: Vec<&Identity>,
    query: Query<'_>,
    everywhere: bool,
) -> Option<Outcome> {
    if identities.is_empty() {
        return None;
    }
    let answers: Vec<Answer<'_>> = identities
        .into_iter()
        .flat_map(|identity| query.args.iter().map(|action| ask(identity, action)))
        .collect();
    Some(of_answers(facts, query, answers, |way| truth_of(way, everywhere)))
}

/// May the identity do one of the actions?
pub(super) fn any_of_identity(facts: &Facts<'_>, identity: &Identity, query: Query<'_>) -> Outcome {
    let answers = query.args.iter().map(|action| ask(identity, action)).collect();
    of_answers(facts, query, answers, |way| truth_of(way, false))
}

/// Whether the identity may do one of the actions, of the one that is surest.
pub(super) fn ask_best<'i>(identity: &'i Identity, actions: &[&'i str]) -> Option<(Truth, Answer<'i>)> {
    let each = actions.iter().map(|action| {
        let mut answer = ask(identity, action);
        (answer.tell(|way| truth_of(way, false)), answer)
    });
    // The first of those that are as sure.
    each.rev().max_by_key(|(truth, _)| rank(*truth))
}

fn of_answers(
    facts: &Facts<'_>,
    query: Query<'_>,
    mut answers: Vec<Answer<'_>>,
    truth: impl Fn(&Way) -> Truth,
) -> Outcome {
    let truths: Vec<Truth> = answers.iter_mut().map(|answer| answer.tell(&truth)).collect();
    let those = |wanted| -> Vec<&Answer<'_>> {
        answers.iter().zip(&truths).filter(|(_, truth)| **truth == wanted).map(|(answer, _)| answer).collect()
    };
    let (yes, maybe) = (those(Truth::Yes), those(Truth::Maybe));
    match (yes.is_empty(), maybe.is_empty()) {
        (false, _) => broken(facts, query, Truth::No, &yes, None),
        (true, false) => broken(facts, query, Truth::Maybe, &maybe, None),
        (true, true) => Outcome::of(Truth::Yes),
    }
}

/// The first of the ways of a category that are the surest there are.
#[derive(Clone, Debug)]
pub(super) struct Surest {
    way: &'static Escalation,
    /// Whether it is one for certain or perhaps.
    truth: Truth,
    /// Of each of its actions the surest alternative.
    actions: Arc<[&'static str]>,
}

fn surest_way(identity: &Identity, category: &str, actions: Actions) -> Option<Surest> {
    let mut open = None;
    for way in escalation::within(actions, category) {
        match by_way(identity, way) {
            Some(sure) if sure.truth == Truth::Yes => return Some(sure),
            perhaps => open = open.or(perhaps),
        }
    }
    open
}

/// Is there a way from what a role or user may do to what it may not? The query's are categories of the table.
pub(super) fn escalates(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let identity = facts.identities().get(&node)?;
    // A pipeline or an administrator who changes guardrails and logs does what is asked of it.
    if query.args == ["tampering"] && !is_workload(facts, identity) || is_administrator(identity) {
        return None;
    }
    let found = query.args.iter().filter_map(|category| {
        let number = escalation::CATEGORIES.iter().position(|it| it == category)?;
        Some((number, identity.escalation(number, |actions| surest_way(identity, category, actions))?))
    });
    Some(match found.min_by_key(|(number, surest)| (u8::MAX - rank(surest.truth), *number)) {
        Some((_, surest)) => told_way(facts, query, identity, &surest),
        None => Outcome::of(Truth::Yes),
    })
}

/// The surest answer is the highest.
pub(super) const fn rank(truth: Truth) -> u8 {
    match truth {
        Truth::No => 0,
        Truth::Maybe => 1,
        Truth::Yes => 2,
    }
}

/// What an identity may do of an action of a way.
fn by_action<'i>(identity: &'i Identity, way: &Escalation, action: &'i str) -> (Truth, Answer<'i>) {
    let mut answer = ask(identity, action);
    // Only on whatever there is does it reach what belongs to others; what it makes itself may be narrow.
    let truth = match action {
        "iam:PassRole" => answer.tell(|it| passes(it, way)),
        _ => answer.tell(|it| truth_of(it, way.category == "take-over")),
    };
    (truth, answer)
}

/// Whether all actions of a way are allowed, each in one of its alternatives; [`None`] if one surely is not.
fn by_way(identity: &Identity, way: &'static Escalation) -> Option<Surest> {
    let (mut truth, mut actions) = (Truth::Yes, Vec::with_capacity(way.actions.len()));
    for group in &way.actions {
        let each = group.iter().map(|action| (by_action(identity, way, action).0, *action));
        // The first of those that are as sure.
        let Some((sure, action)) = each.rev().max_by_key(|(truth, _)| rank(*truth)) else { continue };
        match sure {
            Truth::No => return None,
            Truth::Maybe => truth = Truth::Maybe,
            Truth::Yes => {}
        }
        actions.push(action);
    }
    Some(Surest { way, truth, actions: actions.into() })
}

/// The outcome of a way that is one for certain, or perhaps.
fn told_way(facts: &Facts<'_>, query: Query<'_>, identity: &Identity, surest: &Surest) -> Outcome {
    let Surest { way, truth, actions } = surest;
    let holds = if *truth == Truth::Yes { Truth::No } else { Truth::Maybe };
    if holds == Truth::No && !query.words {
        return Outcome::of(holds);
    }
    let used: Vec<Answer<'_>> = actions.iter().map(|action| by_action(identity, way, action).1).collect();
    let used: Vec<&Answer<'_>> = used.iter().collect();
    broken(facts, query, holds, &used, Some(way.what)).with_grant(query, || {
        let service = Some(way.passed_to).filter(|it| !it.is_empty())?;
        super::grant::pass(facts, identity.node, Some(service))
    })
}

/// Whether any role can be passed to the way's service. A condition on the service that names it takes nothing away.
fn passes(allowed: &Way, way: &Escalation) -> Truth {
    let Verdict::OnlyIf(conditions) = &allowed.verdict else { return truth_of(allowed, true) };
    let is_of_service = |it: &&String| it.to_ascii_lowercase().contains(" iam:passedtoservice = ");
    let names = |it: &String| {
        it.rsplit_once(" = ")
            .is_some_and(|(_, services)| services.split(" or ").any(|one| one == way.passed_to))
    };
    let of_service: Vec<&String> = conditions.iter().filter(is_of_service).collect();
    if of_service.iter().any(|it| !names(it)) {
        // What is not known, or is a pattern, may be it.
        let is_open = of_service
            .iter()
            .all(|it| names(it) || it.contains(['*', '?', '$', '…']) || it.starts_with("not "));
        // Under conditions nothing is sure.
        return if is_open { truth_of(allowed, true) } else { Truth::No };
    }
    let truth = truth_if(&Verdict::Yes, allowed, true);
    if of_service.len() == conditions.len() || truth == Truth::No { truth } else { Truth::Maybe }
}

/// May a role that agents use as a tool do what the purpose of no tool needs, on every resource?
pub(super) fn tool_is_broad(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let graph = facts.graph;
    let is_tool = graph.edges(node, Direction::Incoming).any(|(_, source)| {
        graph.resource(source).is_some_and(|it| it.type_name == "aws_bedrockagent_agent_action_group")
    });
    is_tool.then(|| role_may_everywhere(facts, node, query)).flatten()
}

/// May a role call models without a guardrail?
pub(super) fn invokes_without_guardrail(
    facts: &Facts<'_>,
    node: NodeId,
    query: Query<'_>,
) -> Option<Outcome> {
    const KEY: &str = "bedrock:guardrailidentifier";
    let identity = facts.identities().get(&node)?;
    let guarded = |source: NodeId| {
        let agent = facts.graph.resource(source).filter(|it| it.type_name == "aws_bedrockagent_agent");
        let own = agent.and_then(|it| it.after.as_ref()?.get("guardrail_configuration"));
        own.is_some_and(|it| !it.is_absent())
    };
    // What an agent calls goes through the guardrail of the agent.
    if facts.graph.edges(node, Direction::Incoming).any(|(_, source)| guarded(source)) {
        return None;
    }
    let answers: Vec<Answer<'_>> = query.args.iter().map(|action| ask(identity, action)).collect();
    if answers.iter().all(|it| it.ways.is_empty()) {
        return None;
    }
    let truth = |way: &Way| match &way.verdict {
        Verdict::OnlyIf(conditions) if conditions.iter().any(|it| it.to_ascii_lowercase().contains(KEY)) => {
            Truth::No
        }
        _ => truth_of(way, false),
    };
    let outcome = of_answers(facts, query, answers, truth);
    Some(outcome.with_grant(query, || super::grant::guarded(facts, node, query.args)))
}

/// Do several AI workloads run as one role?
pub(super) fn shared_by_workloads(facts: &Facts<'_>, node: NodeId, _query: Query<'_>) -> Option<Outcome> {
    let graph = facts.graph;
    let mut users: Vec<&str> = graph
        .edges(node, Direction::Incoming)
        .filter(|(edge, _)| edge.kind == LinkKind::Identity)
        .filter_map(|(_, source)| graph.resource(source))
        .filter(|it| Catalog::get().kind(&it.type_name).is_some_and(|info| info.ai == Ai::Direct))
        .map(|it| it.block.as_str())
        .collect();
    users.sort_unstable();
    users.dedup();
    if users.is_empty() {
        return None;
    }
    let actual = (users.len() > 1).then(|| users.join(", "));
    Some(Outcome { actual, ..Outcome::of(Truth::from(users.len() < 2)) })
}

/// May everybody do something by the policy of the resource?
pub(super) fn public_policy(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    of_reads(facts, node, query, |policy| Some(buckets::allows_everybody(policy)))
}

/// May one of the services use the resource for whoever asks it to?
pub(super) fn service_without_source(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    of_reads(facts, node, query, |policy| questions::trusts_without_source(policy, query.args))
        .map(|outcome| outcome.with_grant(query, || super::grant::source(facts, node)))
}

fn of_reads<'f>(
    facts: &'f Facts<'_>,
    node: NodeId,
    query: Query<'_>,
    ask: impl Fn(&'f Policy) -> Option<questions::Answer<'f>>,
) -> Option<Outcome> {
    let type_name = &facts.graph.resource(node)?.type_name;
    let reads = facts.policies(node)?.of_resource(type_name);
    super::worst(
        reads.iter().filter_map(|read| Some(super::outcome(facts, query, &ask(&read.policy)?, read))),
    )
}

/// May the role of a knowledge base read buckets that are none of its data sources?
pub(super) fn reads_beyond_sources(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let graph = facts.graph;
    let attached = graph
        .edges(node, Direction::Incoming)
        .filter(|(edge, _)| edge.kind == LinkKind::Attachment)
        .map(|(_, source)| source);
    let own: Vec<NodeId> = attached
        .chain([node])
        .flat_map(|source| graph.edges(source, Direction::Outgoing))
        .map(|(_, target)| target)
        .filter(|&target| graph.resource(target).is_some_and(|it| it.type_name == "aws_s3_bucket"))
        .collect();
    let identities = identities(facts, node);
    if identities.is_empty() {
        return None;
    }
    let answers = identities
        .into_iter()
        .flat_map(|identity| query.args.iter().map(move |action| ask(identity, action)));
    let truth = |way: &Way| {
        let every = arn::is_every_resource(&way.on).map_or(Truth::Maybe, Truth::from);
        // Another bucket of this configuration, or all of them. Of a knowledge base whose sources are set up elsewhere nobody
        // can tell which are others.
        let is_other = !own.is_empty()
            && every != Truth::Yes
            && !matches!(way.verdict, Verdict::Undetermined(_))
            && facts.bucket_objects.has_other(graph, &way.on, &own);
        // Of which bucket it is cannot be told where the name is not known; that is not held against anybody.
        match (&way.verdict, every == Truth::Yes || is_other) {
            (Verdict::Yes, true) => Truth::Yes,
            (Verdict::OnlyIf(_), true) => Truth::Maybe,
            (Verdict::Undetermined(_), _) => Truth::Maybe,
            _ => Truth::No,
        }
    };
    let outcome = of_answers(facts, query, answers.collect(), truth);
    Some(outcome.with_grant(query, || super::grant::own_sources(facts, node)))
}
