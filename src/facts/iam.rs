//! What rules ask of identities: policy documents of a resource, and the analyses over them.

use rayon::prelude::*;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::questions::{self, Answer};
use crate::iam::{AI_ACTION_PREFIXES, AI_SERVICE_PRINCIPALS, Policy};
use crate::program::Resource;
use crate::source::Site;
use crate::value::{Truth, Value};

use super::Facts;

/// What an analysis says of one resource; [`None`] where it does not apply.
pub type Analysis = fn(&Facts<'_>, NodeId, &[String]) -> Option<Outcome>;

/// The result of an analysis.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Does the resource hold the rule?
    pub holds: Truth,
    /// What was found, for people.
    pub actual: Option<String>,
    /// Why it cannot be told.
    pub causes: Vec<String>,
    /// Where, if it is more exact than the rule's `at`.
    pub site: Option<Site>,
}

/// The analyses that rules can name.
pub const ANALYSES: [(&str, Analysis); 4] = [
    ("iam.allows_on_every_resource", allows_on_every_resource),
    ("iam.pass_role_to_ai_service", pass_role_to_ai_service),
    ("iam.trust_without_source", trust_without_source),
    ("iam.wildcard_service_access", wildcard_service_access),
];

/// Their names.
pub const ANALYSIS_NAMES: [&str; 4] = {
    let [(a, _), (b, _), (c, _), (d, _)] = ANALYSES;
    [a, b, c, d]
};

/// The policies of a resource, each read once.
#[derive(Debug, Default)]
pub struct Policies {
    /// What it allows.
    grants: Vec<Read>,
    /// Who may assume it.
    trust: Option<Read>,
}

/// A policy and the place it was written at.
#[derive(Debug)]
struct Read {
    policy: Policy,
    site: Option<Site>,
}

impl Policies {
    /// Reads those of every resource, by node; [`None`] of one that holds none.
    pub(super) fn of_graph(graph: &ResourceGraph) -> Vec<Option<Box<Self>>> {
        let nodes: Vec<NodeId> = graph.graph.node_indices().collect();
        nodes.par_iter().map(|&node| Self::of(graph.resource(node)?).map(Box::new)).collect()
    }

    fn of(resource: &Resource) -> Option<Self> {
        let read = |value: &Value| Read { policy: Policy::read(value), site: value.origin };
        let after = resource.after.as_ref()?;
        let attribute = |name: &str| after.get(name).filter(|value| !value.is_null());
        match resource.type_name.as_str() {
            "aws_iam_policy" | "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => {
                Some(Self { grants: attribute("policy").map(read).into_iter().collect(), trust: None })
            }
            "aws_iam_role" => {
                let inline = attribute("inline_policy").map_or(Vec::new(), |value| match value.items() {
                    Some(items) => items.iter().filter_map(|item| item.get("policy")).collect(),
                    None => vec![value],
                });
                let grants = inline.into_iter().filter(|value| !value.is_null()).map(read).collect();
                Some(Self { grants, trust: attribute("assume_role_policy").map(read) })
            }
            _ => None,
        }
    }

    /// Whether they name AI services: a policy with actions of one, a role that one may assume.
    pub(super) fn name_ai(&self) -> bool {
        let is_ai = |prefix: &str| AI_ACTION_PREFIXES.iter().any(|ai| ai.eq_ignore_ascii_case(prefix));
        self.grants.iter().any(|read| questions::service_prefixes(&read.policy).any(is_ai))
            || self
                .trust
                .as_ref()
                .is_some_and(|read| questions::trusts(&read.policy, &AI_SERVICE_PRINCIPALS) == Ok(true))
    }
}

fn allows_on_every_resource(facts: &Facts<'_>, node: NodeId, args: &[String]) -> Option<Outcome> {
    let actions: Vec<&str> = args.iter().map(String::as_str).collect();
    ask_policies(facts, node, |policy| questions::allows_on_every_resource(policy, &actions, &[]))
}

fn pass_role_to_ai_service(facts: &Facts<'_>, node: NodeId, _args: &[String]) -> Option<Outcome> {
    ask_policies(facts, node, |policy| {
        questions::allows_on_every_resource(policy, &["iam:PassRole"], &["iam:PassedToService"])
    })
}

fn wildcard_service_access(facts: &Facts<'_>, node: NodeId, args: &[String]) -> Option<Outcome> {
    let services: Vec<&str> = args.iter().map(String::as_str).collect();
    ask_policies(facts, node, |policy| questions::allows_whole_service(policy, &services))
}

fn trust_without_source(facts: &Facts<'_>, node: NodeId, args: &[String]) -> Option<Outcome> {
    let services: Vec<&str> = args.iter().map(String::as_str).collect();
    let trust = facts.policies(node)?.trust.as_ref()?;
    questions::trusts_without_source(&trust.policy, &services).map(|answer| outcome(answer, trust))
}

/// Asks every policy of the resource: one yes breaks the rule, else one maybe leaves it open.
fn ask_policies(facts: &Facts<'_>, node: NodeId, ask: impl Fn(&Policy) -> Answer) -> Option<Outcome> {
    let outcomes = facts.policies(node)?.grants.iter().map(|read| outcome(ask(&read.policy), read));
    // The worst answer decides: a yes, then a maybe.
    outcomes.min_by_key(|outcome| match outcome.holds {
        Truth::No => 0,
        Truth::Maybe => 1,
        Truth::Yes => 2,
    })
}

/// "Is it allowed?" turned into "does it hold the rule?".
fn outcome(answer: Answer, read: &Read) -> Outcome {
    let Answer { told, statement, what, on, .. } = answer;
    let on = on.map(|on| format!(" on `{on}`")).unwrap_or_default();
    let actual = what.filter(|_| !read.policy.sensitive).map(|what| format!("`{what}`{on} in `{statement}`"));
    let (holds, causes) = match told {
        Ok(is) => (Truth::from(!is), Vec::new()),
        Err(cause) => (Truth::Maybe, vec![cause.to_string()]),
    };
    Outcome { holds, actual, causes, site: read.site }
}
