//! What rules ask of identities: policy documents of a resource, and the analyses over them.

pub mod access;
pub mod accounts;
mod analyses;
pub mod azure;
pub(crate) mod callers;
mod duties;
pub mod google;
pub(super) mod grant;
pub mod kubernetes;
mod made;
mod models;
pub(super) mod objects;
mod organisation;
pub mod place;
mod policies;
pub mod principals;
mod regions;
mod routes;
pub mod sessions;
mod stop;

use crate::graph::NodeId;
use crate::iam::Policy;
use crate::iam::questions::{self, Answer};
use crate::source::Site;
use crate::value::Truth;

pub use policies::{Policies, Read};
pub(super) use regions::is_about_regions;

use super::Facts;

/// What is asked of an analysis.
#[derive(Copy, Clone, Debug)]
pub struct Query<'q> {
    /// What the rule gives it.
    pub args: &'q [String],
    /// What was found is to be told in words too: of resources that fare alike that is asked of the first only.
    pub words: bool,
}

/// What an analysis says of one resource; [`None`] where it does not apply.
pub type Analysis = fn(&Facts<'_>, NodeId, Query<'_>) -> Option<Outcome>;

/// The analysis of a name.
pub fn analysis(name: &str) -> Option<Analysis> {
    let at = ANALYSES.binary_search_by_key(&name, |(known, _)| known).ok()?;
    ANALYSES.get(at).map(|(_, analysis)| *analysis)
}

/// The result of an analysis.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Does the resource hold the rule?
    pub holds: Truth,
    /// Why it cannot be told.
    pub causes: Vec<String>,
    /// Where, if it is more exact than the rule's `at`.
    pub site: Option<Site>,
    /// What was found, for people: like all below, it may be left out where no words are asked for.
    pub actual: Option<String>,
    /// Where the statement is written that decides, if that can be told.
    pub statement: Option<Site>,
    /// The smallest grant that suffices, of what fails, where the configuration tells it.
    pub grant: Option<String>,
}

impl Outcome {
    /// That it is so, and no more.
    const fn of(holds: Truth) -> Self {
        Self { holds, causes: Vec::new(), site: None, actual: None, statement: None, grant: None }
    }

    /// With the grant that suffices, if it fails.
    fn with_grant(mut self, query: Query<'_>, grant: impl FnOnce() -> Option<String>) -> Self {
        if query.words && self.holds == Truth::No {
            self.grant = grant();
        }
        self
    }
}

/// The analyses that rules can name, sorted by name.
pub const ANALYSES: [(&str, Analysis); 28] = [
    ("azure.assignment_allows", azure::allows),
    ("azure.assignment_allows_everywhere", azure::allows_everywhere),
    ("google.account_may", google::analyses::account_may),
    ("google.acts_as_is_narrow", google::analyses::acts_as_is_narrow),
    ("google.public_grant", google::analyses::public_grant),
    ("iam.allows_on_every_resource", allows_on_every_resource),
    ("iam.escalates", analyses::escalates),
    ("iam.invokes_and_governs", duties::invokes_and_governs),
    ("iam.invokes_without_guardrail", analyses::invokes_without_guardrail),
    ("iam.method_may", routes::method_may),
    ("iam.organisation_limits_models", models::limited),
    ("iam.pass_role_to_ai_service", pass_role_to_ai_service),
    ("iam.public_policy", analyses::public_policy),
    ("iam.reads_beyond_sources", analyses::reads_beyond_sources),
    ("iam.regions_confine_models", regions::confine_models),
    ("iam.role_may", analyses::role_may),
    ("iam.role_may_everywhere", analyses::role_may_everywhere),
    ("iam.service_without_source", analyses::service_without_source),
    ("iam.shared_by_workloads", analyses::shared_by_workloads),
    ("iam.stopped_by_events", stop::by_events),
    ("iam.tool_is_broad", analyses::tool_is_broad),
    ("iam.trust_everybody", duties::trust_everybody),
    ("iam.trust_without_source", trust_without_source),
    ("iam.trust_without_subject", trust_without_subject),
    ("iam.trusts_others", accounts::trusts_others),
    ("iam.unauthenticated_may", duties::unauthenticated_may),
    ("iam.wildcard_service_access", wildcard_service_access),
    ("kubernetes.workload_may", kubernetes::workload_may),
];

/// Their names.
#[expect(
    clippy::indexing_slicing,
    reason = "both are of the same length, and a constant that panics does not compile"
)]
pub const ANALYSIS_NAMES: [&str; ANALYSES.len()] = {
    let mut names = [""; ANALYSES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = ANALYSES[at].0;
        at += 1;
    }
    names
};

fn allows_on_every_resource(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    ask_policies(facts, node, query, |policy| questions::allows_on_every_resource(policy, query.args, &[]))
        .map(|outcome| outcome.with_grant(query, || grant::of_workloads(facts, node, query.args)))
}

fn pass_role_to_ai_service(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    ask_policies(facts, node, query, |policy| {
        questions::allows_on_every_resource(policy, &["iam:PassRole"], &["iam:PassedToService"])
    })
    .map(|outcome| outcome.with_grant(query, || grant::pass(facts, node, None)))
}

fn wildcard_service_access(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    ask_policies(facts, node, query, |policy| questions::allows_whole_service(policy, query.args))
        .map(|outcome| outcome.with_grant(query, || grant::of_workloads(facts, node, &["*".to_owned()])))
}

fn trust_without_source(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let trust = facts.policies(node)?.trust.as_ref()?;
    let answer = questions::trusts_without_source(&trust.policy, query.args)?;
    Some(outcome(facts, query, &answer, trust).with_grant(query, || grant::source(facts, node)))
}

fn trust_without_subject(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let trust = facts.policies(node)?.trust.as_ref()?;
    let answer = questions::trusts_cluster_without_subject(&trust.policy)?;
    Some(outcome(facts, query, &answer, trust))
}

/// Asks every policy of the resource: one yes breaks the rule, else one maybe leaves it open.
fn ask_policies<'f>(
    facts: &'f Facts<'_>,
    node: NodeId,
    query: Query<'_>,
    ask: impl Fn(&'f Policy) -> Answer<'f>,
) -> Option<Outcome> {
    let reads = facts.policies(node)?.grants.iter();
    worst(reads.map(|read| {
        let answer = ask(&read.policy);
        outcome_as(facts, query, &answer, read, |what, on| match on {
            Some(on) if answer.told != Ok(false) => path(facts, node, &answer, what, on),
            _ => in_statement(&answer, what, on),
        })
    }))
}

/// `role → policy → statement →` and what it allows on what: the role where it is one.
fn path(facts: &Facts<'_>, node: NodeId, answer: &Answer<'_>, what: &str, on: &str) -> String {
    let address = |node: NodeId| facts.graph.resource(node).map_or("", |it| it.address.as_str());
    let [before, role, after] = match grant::holders(facts, node).as_deref() {
        Some([role]) if *role != node => ["`", address(*role), "` → "],
        _ => [""; 3],
    };
    let (policy, statement) = (address(node), answer.statement());
    [before, role, after, "`", policy, "` → `", &statement, "` → `", what, "` on `", on, "`"].concat()
}

/// The worst outcome decides: a no, then a maybe.
fn worst(outcomes: impl Iterator<Item = Outcome>) -> Option<Outcome> {
    outcomes.min_by_key(|outcome| match outcome.holds {
        Truth::No => 0,
        Truth::Maybe => 1,
        Truth::Yes => 2,
    })
}

/// "Is it allowed?" turned into "does it hold the rule?".
fn outcome(facts: &Facts<'_>, query: Query<'_>, answer: &Answer<'_>, read: &Read) -> Outcome {
    outcome_as(facts, query, answer, read, |what, on| in_statement(answer, what, on))
}

/// What is found, and in which statement.
fn in_statement(answer: &Answer<'_>, what: &str, on: Option<&str>) -> String {
    let statement = answer.statement();
    match on {
        Some(on) => ["`", what, "` on `", on, "` in `", &statement, "`"].concat(),
        None => ["`", what, "` in `", &statement, "`"].concat(),
    }
}

/// [`outcome`] with other words for what is found on what.
fn outcome_as(
    facts: &Facts<'_>,
    query: Query<'_>,
    answer: &Answer<'_>,
    read: &Read,
    tell: impl Fn(&str, Option<&str>) -> String,
) -> Outcome {
    let (holds, causes) = match &answer.told {
        Ok(is) => (Truth::from(!is), Vec::new()),
        Err(cause) => (Truth::Maybe, vec![cause.to_string()]),
    };
    let outcome = Outcome { causes, site: read.site, ..Outcome::of(holds) };
    if !query.words {
        return outcome;
    }
    let number = answer.number();
    let what = answer.what.as_deref().filter(|_| !read.policy.sensitive);
    let decides = read.policy.statement(number).filter(|_| holds == Truth::No);
    let statement = decides
        .and_then(|statement| place::of_statement(facts.graph, facts.sources, read, statement, number));
    let actual = what.map(|what| tell(what, answer.on.as_deref()));
    Outcome { actual, statement, ..outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_analysis_is_found_by_its_name() {
        for (name, known) in ANALYSES {
            assert_eq!(analysis(name).map(|it| it as usize), Some(known as usize), "{name}");
        }
        assert!(analysis("iam.nothing").is_none());
    }
}
