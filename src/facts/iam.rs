//! What rules ask of identities: policy documents of a resource, and the analyses over them.

use crate::iam::questions::{self, Answer};
use crate::iam::{AI_ACTION_PREFIXES, AI_SERVICE_PRINCIPALS, Document};
use crate::program::Resource;
use crate::source::Site;
use crate::value::{Cause, Truth, Value};

use super::Facts;
use crate::graph::NodeId;

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

/// The documents that a resource holds: attribute paths by type.
fn policies(resource: &Resource) -> impl Iterator<Item = &Value> {
    let paths: &[&str] = match resource.type_name.as_str() {
        "aws_iam_policy" | "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => {
            &["policy"]
        }
        "aws_iam_role" => &["inline_policy"],
        _ => &[],
    };
    paths
        .iter()
        .filter_map(|path| resource.after.as_ref()?.get(path))
        .flat_map(|value| match value.items() {
            Some(items) => items.iter().filter_map(|item| item.get("policy")).collect(),
            None => vec![value],
        })
        .filter(|value| !value.is_null())
}

/// Whether the documents of an identity name AI services: a policy with actions of one, a role that one may assume.
pub fn names_ai(resource: &Resource) -> bool {
    let documents = policies(resource).filter_map(|value| Document::parse(value.as_str()?).ok());
    let acts = documents.into_iter().any(|document| {
        questions::service_prefixes(&document)
            .any(|prefix| AI_ACTION_PREFIXES.iter().any(|ai| ai.eq_ignore_ascii_case(prefix)))
    });
    acts || trust(resource)
        .and_then(|value| Document::parse(value.as_str()?).ok())
        .is_some_and(|document| questions::trusts_without_source(&document, &AI_SERVICE_PRINCIPALS).is_some())
}

fn trust(resource: &Resource) -> Option<&Value> {
    match resource.type_name.as_str() {
        "aws_iam_role" => resource.after.as_ref()?.get("assume_role_policy"),
        _ => None,
    }
}

fn allows_on_every_resource(facts: &Facts<'_>, node: NodeId, args: &[String]) -> Option<Outcome> {
    let actions: Vec<&str> = args.iter().map(String::as_str).collect();
    ask_policies(facts, node, |document| questions::allows_on_every_resource(document, &actions, &[]))
}

fn pass_role_to_ai_service(facts: &Facts<'_>, node: NodeId, _args: &[String]) -> Option<Outcome> {
    ask_policies(facts, node, |document| {
        questions::allows_on_every_resource(document, &["iam:PassRole"], &["iam:PassedToService"])
    })
}

fn wildcard_service_access(facts: &Facts<'_>, node: NodeId, args: &[String]) -> Option<Outcome> {
    let services: Vec<&str> = args.iter().map(String::as_str).collect();
    ask_policies(facts, node, |document| questions::allows_whole_service(document, &services))
}

fn trust_without_source(facts: &Facts<'_>, node: NodeId, args: &[String]) -> Option<Outcome> {
    let services: Vec<&str> = args.iter().map(String::as_str).collect();
    let value = trust(facts.graph.resource(node)?)?;
    match read(value) {
        Ok(document) => {
            questions::trusts_without_source(&document, &services).map(|answer| outcome(answer, value))
        }
        Err(outcome) => Some(outcome),
    }
}

/// Asks every document of the resource: one yes breaks the rule, else one maybe leaves it open.
fn ask_policies(facts: &Facts<'_>, node: NodeId, ask: impl Fn(&Document) -> Answer) -> Option<Outcome> {
    let resource = facts.graph.resource(node)?;
    let outcomes = policies(resource).map(|value| match read(value) {
        Ok(document) => outcome(ask(&document), value),
        Err(outcome) => outcome,
    });
    // The worst answer decides: a yes, then a maybe.
    outcomes.min_by_key(|outcome| match outcome.holds {
        Truth::No => 0,
        Truth::Maybe => 1,
        Truth::Yes => 2,
    })
}

/// A value as a document, or why it cannot be told what it says.
fn read(value: &Value) -> Result<Document, Outcome> {
    let causes = match (value.as_str(), value.as_unknown()) {
        (Some(text), _) => match Document::parse(text) {
            Ok(document) => return Ok(document),
            Err(error) => vec![error],
        },
        (None, Some(unknown)) => vec![unknown.cause.to_string()],
        (None, None) => vec![Cause::Other("the document is not a string".into()).to_string()],
    };
    Err(Outcome { holds: Truth::Maybe, actual: None, causes, site: value.origin })
}

/// "Is it allowed?" turned into "does it hold the rule?".
fn outcome(answer: Answer, value: &Value) -> Outcome {
    let holds = match answer.truth {
        Truth::Yes => Truth::No,
        Truth::No => Truth::Yes,
        Truth::Maybe => Truth::Maybe,
    };
    let shown = !value.sensitive && !answer.statement.is_empty();
    Outcome {
        holds,
        actual: shown.then(|| format!("`{}` in `{}`", answer.what, answer.statement)),
        causes: (holds == Truth::Maybe).then_some(answer.why).into_iter().collect(),
        site: value.origin,
    }
}
