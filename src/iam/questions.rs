//! Questions to one policy: the answer is yes, no, or why it cannot be told, because a part that matters is not known or a
//! condition may limit the statement.

use smol_str::SmolStr;

use crate::value::Cause;

use super::arn::is_every_resource;
use super::condition::{Compare, Condition};
use super::cover;
use super::document::{Document, Effect, Policy, Principal, Statement};
use super::text::Text;
use super::told::{Told, any, both, either, not};

/// An answer and the statement that decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Yes, no, or why it cannot be told.
    pub told: Told,
    /// The statement: its `Sid`, or its number from 1. Empty where none decides.
    pub statement: String,
    /// The action or principal in it that decides, as far as it is known.
    pub what: Option<String>,
    /// The resource in it that decides, as far as it is known.
    pub on: Option<String>,
    /// Where the statement stands.
    number: usize,
}

/// What a statement grants.
pub(super) struct Grant {
    pub(super) told: Told,
    pub(super) what: Option<String>,
    pub(super) on: Option<String>,
}

/// Is one of `actions` allowed on every resource? A resource pattern that ends a kind (`…::foundation-model/*`) is every
/// resource too. `limiting` are the condition keys that take the width away (`iam:PassedToService`).
pub fn allows_on_every_resource(policy: &Policy, actions: &[&str], limiting: &[&str]) -> Answer {
    let grant = |statement: &Statement, number: usize, action: &str| {
        let (covered, pattern) = covers(statement, action);
        let what =
            if covered == Ok(true) { Some(action.to_owned()) } else { pattern.map(ToString::to_string) };
        wide(statement, number, covered, what, limiting)
    };
    ask_policy(policy, |document| {
        worst(actions.iter().map(|action| {
            if !document.services().may_hold(action) {
                return passed_over(document);
            }
            ask(document, |statement, number| grant(statement, number, action), |deny| covers(deny, action).0)
        }))
    })
}

/// Are all actions of one of `services` allowed on every resource?
pub fn allows_whole_service(policy: &Policy, services: &[&str]) -> Answer {
    let grant = |statement: &Statement, number: usize, service: &Whole<'_>| {
        let (whole, what) = service.is_covered(statement);
        wide(statement, number, whole, what, &[])
    };
    ask_policy(policy, |document| {
        worst(services.iter().map(|service| {
            if !document.services().may_be(service) {
                return passed_over(document);
            }
            let service = Whole::of(service);
            ask(
                document,
                |statement, number| grant(statement, number, &service),
                |deny| service.is_covered(deny).0,
            )
        }))
    })
}

/// May one of the service principals `services` assume the role without a condition on the source?
/// [`None`] if none of them may assume it at all.
pub fn trusts_without_source(policy: &Policy, services: &[&str]) -> Option<Answer> {
    const SOURCES: [&str; 4] =
        ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"];
    if trusts(policy, services) == Ok(false) {
        return None;
    }
    let grant = |statement: &Statement| {
        let (trusted, what) = trusted(statement, services);
        let told = both(trusted, || not(statement.condition.narrows_one_of(&SOURCES)));
        Grant { told, what, on: None }
    };
    Some(ask_policy(policy, |document| ask(document, |statement, _| grant(statement), |_| Ok(false))))
}

/// May every service account of a Kubernetes cluster assume the role, since no condition names one? [`None`] if the policy
/// trusts the tokens of no cluster of EKS, as far as its issuers are known.
pub fn trusts_cluster_without_subject(policy: &Policy) -> Option<Answer> {
    const ISSUER: &str = "*:oidc-provider/oidc.eks.*";
    let issuer = Text::Known(ISSUER.into());
    let of_cluster = |statement: &Statement| {
        // Of one who is not known at all nothing is said.
        let Principal::Map(kinds) = &statement.principal else { return Ok(false) };
        if !kinds.iter().any(|(kind, _)| kind == "Federated") {
            return Ok(false);
        }
        let federated = statement.is_about("Federated", |text| {
            cover::intersects(&issuer, text, cover::Of::Resources).map_err(|_| text.cause())
        });
        both(has_effect(statement, Effect::Allow), || federated)
    };
    let grant = |statement: &Statement| {
        let named = named_subject(&statement.condition);
        let what = named.as_ref().ok().and_then(Option::clone).unwrap_or_else(|| "no subject".into());
        let told = both(of_cluster(statement), || match &named {
            Ok(None) => Ok(true),
            Ok(Some(text)) => Ok(text.contains(['*', '?'])),
            Err(cause) => Err(cause.clone()),
        });
        Grant { told, what: Some(what.to_string()), on: None }
    };
    let statements = policy.alternatives.iter().flat_map(|document| &document.statements);
    if any(statements.map(of_cluster)) == Ok(false) {
        return None;
    }
    Some(ask_policy(policy, |document| ask(document, |statement, _| grant(statement), |_| Ok(false))))
}

/// The subject that a condition holds a token to: [`None`] if it does not.
fn named_subject(condition: &Condition) -> Result<Option<SmolStr>, Cause> {
    let mut open = condition.more.as_deref();
    for test in condition.tests.iter().filter(|test| test.key.to_ascii_lowercase().ends_with(":sub")) {
        if test.narrows()? {
            let values = test.values.items.iter();
            // In `StringEquals` a star is a star.
            let is_pattern = test.means.is_some_and(|means| means.compare == Compare::Like);
            let shown = |text: &Text| {
                let text = text.with_holes('_');
                SmolStr::from(if is_pattern { text } else { text.replace(['*', '?'], "_") })
            };
            // The widest says most.
            let texts: Vec<SmolStr> = values.map(shown).collect();
            let wide = texts.iter().find(|text| text.contains(['*', '?'])).or_else(|| texts.first());
            if let Some(text) = wide {
                return Ok(Some(text.clone()));
            }
            open = test.values.more.as_deref().or(open);
        }
    }
    open.map_or(Ok(None), |cause| Err(cause.clone()))
}

/// May one of the service principals `services` assume the role?
pub fn trusts(policy: &Policy, services: &[&str]) -> Told {
    let statements = policy.alternatives.iter().flat_map(|document| &document.statements);
    any(statements
        .map(|statement| both(has_effect(statement, Effect::Allow), || trusted(statement, services).0)))
}

/// The action prefixes that the policy's allow statements name, as far as they are known.
pub fn service_prefixes(policy: &Policy) -> impl Iterator<Item = &str> {
    policy
        .alternatives
        .iter()
        .flat_map(|document| &document.statements)
        .filter(|statement| statement.effect == Ok(Effect::Allow))
        .flat_map(|statement| &statement.action.items)
        .filter_map(|action| action.prefix().split_once(':').map(|(service, _)| service))
}

/// Whether a statement names one of the services in what it speaks of, or in what it leaves out.
pub fn names(statement: &Statement, services: &[&str]) -> bool {
    let mut actions = statement.action.items.iter().chain(&statement.not_action.items);
    actions.any(|action| {
        let service = action.prefix().split_once(':').map(|(service, _)| service);
        service.is_some_and(|its| services.iter().any(|service| service.eq_ignore_ascii_case(its)))
    })
}

/// Asks each document that the policy may be: they must agree.
pub(super) fn ask_policy(policy: &Policy, ask: impl Fn(&Document) -> Answer) -> Answer {
    let answers: Vec<Answer> = policy.alternatives.iter().map(ask).collect();
    let agree = answers.iter().all(|answer| Some(&answer.told) == answers.first().map(|first| &first.told));
    let mut worst = worst(answers.into_iter());
    if let (false, Ok(true)) = (agree, &worst.told) {
        worst.told = Err(policy.choice.clone().unwrap_or_else(|| Cause::Other("not known".into())));
    }
    worst
}

/// The worst of several answers: a yes, else one that cannot be told; of the first statement.
fn worst(answers: impl Iterator<Item = Answer>) -> Answer {
    let rank = |answer: &Answer| match answer.told {
        Ok(true) => 0,
        Err(_) => 1,
        Ok(false) => 2,
    };
    answers.min_by_key(|answer| (rank(answer), answer.number)).unwrap_or_else(Answer::no)
}

/// Asks each allow statement what it grants. A deny without conditions on everything that is `denied` takes it away.
pub(super) fn ask(
    document: &Document,
    grant: impl Fn(&Statement, usize) -> Grant,
    denied: impl Fn(&Statement) -> Told,
) -> Answer {
    let statements = || document.statements.iter();
    let denies = any(statements().map(|statement| {
        let everywhere = || statement.resource.any(|resource| resource.is("*")).0;
        let always = || both(statement.condition.is_empty(), everywhere);
        both(has_effect(statement, Effect::Deny), || both(always(), || denied(statement)))
    }));
    if denies == Ok(true) {
        return Answer::no();
    }
    let answers = (1..).zip(statements()).map(|(number, statement)| {
        let allows = has_effect(statement, Effect::Allow);
        if allows == Ok(false) {
            return Answer::no();
        }
        let Grant { told, what, on } = grant(statement, number);
        Answer { told: both(allows, || told), statement: String::new(), what, on, number }
    });
    let mut answer = worst(answers);
    let decides = answer.number.checked_sub(1).and_then(|at| document.statements.get(at));
    answer.statement = decides.map(|statement| name(statement, answer.number)).unwrap_or_default();
    if let (Ok(true), Err(cause)) = (&answer.told, denies) {
        answer.told = Err(cause);
    }
    answer
}

/// The answer of a document none of whose statements that allow is of the service: that of the first of them.
fn passed_over(document: &Document) -> Answer {
    let is_allow = |statement: &Statement| statement.effect != Ok(Effect::Deny);
    let number = document.statements.iter().position(is_allow).map_or(usize::MAX, |at| at + 1);
    Answer { number, ..Answer::no() }
}

impl Answer {
    /// The number of the statement, from 1, if one decides.
    pub fn number(&self) -> usize {
        self.number
    }

    fn no() -> Self {
        Self { told: Ok(false), statement: String::new(), what: None, on: None, number: usize::MAX }
    }
}

/// Whether its effect is that one.
pub fn has_effect(statement: &Statement, effect: Effect) -> Told {
    statement.effect.clone().map(|its| its == effect)
}

/// Whether the statement speaks of the action, and by which pattern.
fn covers<'s>(statement: &'s Statement, action: &str) -> (Told, Option<&'s Text>) {
    let (named, pattern) = statement.action.any(|pattern| pattern.covers(action));
    let others = || {
        if statement.not_action.is_empty() {
            Ok(false)
        } else {
            not(statement.not_action.any(|pattern| pattern.covers(action)).0)
        }
    };
    (either(named, others), pattern)
}

/// Every action of a service.
pub(super) struct Whole<'s> {
    service: &'s str,
    /// No service has it, so only a pattern that covers all of them covers it too.
    any_action: String,
}

impl<'s> Whole<'s> {
    pub(super) fn of(service: &'s str) -> Self {
        Self { service, any_action: format!("{service}:{}", "~".repeat(40)) }
    }

    /// Whether the statement speaks of all of them, and by which words.
    pub(super) fn is_covered(&self, statement: &Statement) -> (Told, Option<String>) {
        let (named, pattern) = statement.action.any(|pattern| pattern.covers(&self.any_action));
        if statement.not_action.is_empty() {
            return (named, pattern.map(ToString::to_string));
        }
        let prefix = format!("{}:", self.service);
        let others = || not(statement.not_action.any(|pattern| pattern.touches(&prefix)).0);
        let names: Vec<String> = statement.not_action.items.iter().map(ToString::to_string).collect();
        (either(named, others), Some(format!("everything but {}", names.join(", "))))
    }
}

/// Whether the statement speaks of every resource, or of every resource of a kind, and in which words.
fn every_resource(statement: &Statement) -> (Told, Option<String>) {
    let (named, text) = statement.resource.any(is_every_resource);
    let others = || match (statement.not_resource.more.as_deref(), statement.not_resource.items.is_empty()) {
        (_, false) => Ok(true),
        (Some(cause), true) => Err(cause.clone()),
        (None, true) => Ok(false),
    };
    let names =
        || statement.not_resource.items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let excepted =
        || (!statement.not_resource.items.is_empty()).then(|| format!("everything but {}", names()));
    let shown = text.map(ToString::to_string).or_else(excepted);
    (either(named, others), shown)
}

/// What a statement that is `covered` by a question grants on every resource.
fn wide(
    statement: &Statement,
    number: usize,
    covered: Told,
    what: Option<String>,
    limiting: &[&str],
) -> Grant {
    // Most statements are about something else, and then nobody asks for their resources.
    if covered == Ok(false) && what.is_none() {
        return Grant { told: covered, what, on: None };
    }
    let (everywhere, on) = every_resource(statement);
    let wide = || both(everywhere, || unlimited(statement, number, limiting));
    Grant { told: both(covered, wide), what, on }
}

/// What people call the statement.
pub(super) fn name(statement: &Statement, number: usize) -> String {
    statement.sid.as_ref().map_or_else(|| format!("statement {number}"), ToString::to_string)
}

/// Whether no condition takes the width of the statement away: surely not one on a key of `limiting`.
fn unlimited(statement: &Statement, number: usize, limiting: &[&str]) -> Told {
    if statement.condition.narrows_one_of(limiting) == Ok(true) {
        return Ok(false);
    }
    match statement.condition.is_empty() {
        Ok(false) => Err(Cause::Other(format!("a condition may limit `{}`", name(statement, number)).into())),
        told => told,
    }
}

/// Whether the statement speaks of one of the service principals, and of which.
fn trusted(statement: &Statement, services: &[&str]) -> (Told, Option<String>) {
    let is_one = |principal: &Text| any(services.iter().map(|service| principal.is(service)));
    let (told, text) = statement.principal.any("Service", is_one);
    (told, text.map(ToString::to_string))
}
