//! Questions to one policy: the answer is yes, no, or why it cannot be told, because a part that matters is not known or a
//! condition may limit the statement.

use std::borrow::Cow;
use std::cell::OnceCell;

use smol_str::SmolStr;

use crate::value::Cause;

use super::arn::is_every_resource;
use super::condition::{Compare, Condition};
use super::cover;
use super::document::{Document, Effect, List, Policy, Principal, Statement};
use super::index::{Service, Speakers};
use super::text::Text;
use super::told::{Told, any, both, either, not};

/// An answer and the statement that decides it. Most are a no: nothing is copied of the policy.
#[derive(Clone, Debug)]
pub struct Answer<'p> {
    /// Yes, no, or why it cannot be told.
    pub told: Told,
    /// The action or principal in it that decides, as far as it is known.
    pub what: Option<Cow<'p, str>>,
    /// The resource in it that decides, as far as it is known.
    pub on: Option<Cow<'p, str>>,
    /// The statement, if one decides.
    by: Option<&'p Statement>,
    /// Where the statement stands.
    number: usize,
}

/// What a statement grants.
pub(super) struct Grant<'p> {
    pub(super) told: Told,
    pub(super) what: Option<Cow<'p, str>>,
    pub(super) on: Option<Cow<'p, str>>,
}

/// Is one of `actions` allowed on every resource? A resource pattern that ends a kind (`…::foundation-model/*`) is every
/// resource too. `limiting` are the condition keys that take the width away (`iam:PassedToService`).
pub fn allows_on_every_resource<'p>(
    policy: &'p Policy,
    actions: &'p [impl AsRef<str>],
    limiting: &[&str],
) -> Answer<'p> {
    let grant = |statement: &'p Statement, number: usize, action: &'p str| {
        let (covered, pattern) = covers(statement, action);
        let what = if covered == Ok(true) { Some(Cow::Borrowed(action)) } else { pattern.map(Text::shown) };
        wide(statement, number, covered, what, limiting)
    };
    ask_policy(policy, |document| {
        worst(actions.iter().map(|action| {
            let action = action.as_ref();
            let grant = |statement, number| grant(statement, number, action);
            ask_of(document, Service::of_prefix(action), grant, |deny| covers(deny, action).0)
        }))
    })
}

/// Are all actions of one of `services` allowed on every resource?
pub fn allows_whole_service<'p>(policy: &'p Policy, services: &[impl AsRef<str>]) -> Answer<'p> {
    let grant = |statement: &'p Statement, number: usize, service: &Whole<'_>| {
        let (whole, what) = service.is_covered(statement);
        wide(statement, number, whole, what, &[])
    };
    ask_policy(policy, |document| {
        if !document.allows_widely() {
            return passed_over(document);
        }
        worst(services.iter().map(|service| {
            let whole = Whole::of(service.as_ref());
            let grant = |statement, number| grant(statement, number, &whole);
            ask_of(document, Some(Service::named(whole.service)), grant, |deny| whole.is_covered(deny).0)
        }))
    })
}

/// May one of the service principals `services` assume the role without a condition on the source?
/// [`None`] if none of them may assume it at all.
pub fn trusts_without_source<'p>(policy: &'p Policy, services: &[impl AsRef<str>]) -> Option<Answer<'p>> {
    const SOURCES: [&str; 4] =
        ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"];
    if trusts(policy, services) == Ok(false) {
        return None;
    }
    let grant = |statement: &'p Statement, _| {
        let (trusted, what) = trusted(statement, services);
        let told = both(trusted, || not(statement.condition.narrows_one_of(&SOURCES)));
        Grant { told, what: what.map(Text::shown), on: None }
    };
    Some(ask_policy(policy, |document| ask(document, grant)))
}

/// May every service account of a Kubernetes cluster assume the role, since no condition names one? [`None`] if the policy
/// trusts the tokens of no cluster of EKS, as far as its issuers are known.
pub fn trusts_cluster_without_subject(policy: &Policy) -> Option<Answer<'_>> {
    const ISSUER: &str = "*:oidc-provider/oidc.eks.*";
    let issuer = Text::Known(SmolStr::new_static(ISSUER));
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
    let grant = |statement: &Statement, _| {
        let named = named_subject(&statement.condition);
        let what = named.as_ref().ok().and_then(Option::clone).unwrap_or_else(|| "no subject".into());
        let told = both(of_cluster(statement), || match &named {
            Ok(None) => Ok(true),
            Ok(Some(text)) => Ok(text.contains(['*', '?'])),
            Err(cause) => Err(cause.clone()),
        });
        Grant { told, what: Some(Cow::Owned(what.into())), on: None }
    };
    let statements = policy.alternatives.iter().flat_map(|document| &document.statements);
    if any(statements.map(of_cluster)) == Ok(false) {
        return None;
    }
    Some(ask_policy(policy, |document| ask(document, grant)))
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
pub fn trusts(policy: &Policy, services: &[impl AsRef<str>]) -> Told {
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
pub(super) fn ask_policy<'p>(policy: &'p Policy, ask: impl Fn(&'p Document) -> Answer<'p>) -> Answer<'p> {
    if let [only] = policy.alternatives.as_slice() {
        return ask(only);
    }
    let answers: Vec<Answer<'_>> = policy.alternatives.iter().map(ask).collect();
    let agree = answers.iter().all(|answer| Some(&answer.told) == answers.first().map(|first| &first.told));
    let mut worst = worst(answers.into_iter());
    if let (false, Ok(true)) = (agree, &worst.told) {
        worst.told = Err(policy.choice.clone().unwrap_or_else(|| Cause::Other("not known".into())));
    }
    worst
}

/// The worst of several answers: a yes, else one that cannot be told; of the first statement.
fn worst<'p>(answers: impl Iterator<Item = Answer<'p>>) -> Answer<'p> {
    answers.min_by_key(|answer| (rank(&answer.told), answer.number)).unwrap_or_else(Answer::no)
}

/// The worst is the lowest.
fn rank(told: &Told) -> u8 {
    match told {
        Ok(true) => 0,
        Err(_) => 1,
        Ok(false) => 2,
    }
}

/// Asks each allow statement what it grants.
pub(super) fn ask<'p>(
    document: &'p Document,
    grant: impl Fn(&'p Statement, usize) -> Grant<'p>,
) -> Answer<'p> {
    ask_these(document, Speakers::ALL, grant)
}

/// Asks each allow statement that may speak of the service what it grants. A deny without conditions on everything that is
/// `denied` takes it away.
fn ask_of<'p>(
    document: &'p Document,
    service: Option<Service>,
    grant: impl Fn(&'p Statement, usize) -> Grant<'p>,
    denied: impl Fn(&Statement) -> Told,
) -> Answer<'p> {
    let Some(speakers) = document.allowing(service) else { return passed_over(document) };
    if !document.may_deny(service) {
        return ask_these(document, speakers, grant);
    }
    let may_deny = |statement: &&Statement| !matches!(statement.effect, Ok(Effect::Allow));
    let denies = any(document.statements.iter().filter(may_deny).map(|statement| {
        let everywhere = || statement.resource.any(|resource| resource.is("*")).0;
        let always = || both(statement.condition.is_empty(), everywhere);
        both(has_effect(statement, Effect::Deny), || both(always(), || denied(statement)))
    }));
    if denies == Ok(true) {
        return Answer::no();
    }
    let mut worst = ask_these(document, speakers, grant);
    if let (Ok(true), Err(cause)) = (&worst.told, denies) {
        worst.told = Err(cause);
    }
    worst
}

/// The worst that a statement grants; what none of these statements says is not granted.
fn ask_these<'p>(
    document: &'p Document,
    speakers: Speakers,
    grant: impl Fn(&'p Statement, usize) -> Grant<'p>,
) -> Answer<'p> {
    let mut worst = Answer::no();
    for (at, statement) in document.statements.iter().enumerate() {
        if matches!(statement.effect, Ok(Effect::Deny)) {
            continue;
        }
        let number = at + 1;
        if !speakers.may_be(at) {
            if worst.by.is_none() {
                worst = Answer { by: Some(statement), number, ..worst };
            }
            continue;
        }
        let Grant { told, what, on } = grant(statement, number);
        let told = both(has_effect(statement, Effect::Allow), || told);
        if worst.by.is_none() || rank(&told) < rank(&worst.told) {
            worst = Answer { told, what, on, by: Some(statement), number };
        }
        if worst.told == Ok(true) {
            break;
        }
    }
    worst
}

/// The answer of a document none of whose statements that allow is of the service: that of the first of them.
fn passed_over<'p>(document: &Document) -> Answer<'p> {
    let may_allow = |statement: &Statement| !matches!(statement.effect, Ok(Effect::Deny));
    let number = document.statements.iter().position(may_allow).map_or(usize::MAX, |at| at + 1);
    Answer { number, ..Answer::no() }
}

impl Answer<'_> {
    /// The number of the statement, from 1, if one decides.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The statement: its `Sid`, or its number from 1. Empty where none decides.
    pub fn statement(&self) -> Cow<'_, str> {
        self.by.map_or(Cow::Borrowed(""), |statement| statement.name(self.number))
    }

    fn no() -> Self {
        Self { told: Ok(false), what: None, on: None, by: None, number: usize::MAX }
    }
}

/// Whether its effect is that one.
pub fn has_effect(statement: &Statement, effect: Effect) -> Told {
    statement.effect.as_ref().map(|its| *its == effect).map_err(Cause::clone)
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
    /// No service has it, so only a pattern that covers all of them covers it too. Most patterns do not end so.
    any_action: OnceCell<String>,
}

impl<'s> Whole<'s> {
    pub(super) fn of(service: &'s str) -> Self {
        Self { service, any_action: OnceCell::new() }
    }

    /// Whether the pattern covers all of them.
    fn is_all(&self, pattern: &Text) -> Told {
        if matches!(pattern.suffix().bytes().last(), Some(last) if !matches!(last, b'*' | b'?' | b'~')) {
            return Ok(false);
        }
        pattern.covers(self.any_action.get_or_init(|| format!("{}:{}", self.service, "~".repeat(40))))
    }

    /// Whether the statement speaks of all of them, and by which words.
    pub(super) fn is_covered<'p>(&self, statement: &'p Statement) -> (Told, Option<Cow<'p, str>>) {
        let (named, pattern) = statement.action.any(|pattern| self.is_all(pattern));
        if statement.not_action.is_empty() {
            return (named, pattern.map(Text::shown));
        }
        let prefix = format!("{}:", self.service);
        let others = || not(statement.not_action.any(|pattern| pattern.touches(&prefix)).0);
        (either(named, others), Some(everything_but(&statement.not_action)))
    }
}

fn everything_but(list: &List) -> Cow<'static, str> {
    let names: Vec<String> = list.items.iter().map(ToString::to_string).collect();
    Cow::Owned(format!("everything but {}", names.join(", ")))
}

/// Whether the statement speaks of every resource, or of every resource of a kind, and in which words.
fn every_resource(statement: &Statement) -> (Told, Option<Cow<'_, str>>) {
    let (named, text) = statement.resource.any(is_every_resource);
    let others = || match (statement.not_resource.more.as_deref(), statement.not_resource.items.is_empty()) {
        (_, false) => Ok(true),
        (Some(cause), true) => Err(cause.clone()),
        (None, true) => Ok(false),
    };
    let excepted =
        || (!statement.not_resource.items.is_empty()).then(|| everything_but(&statement.not_resource));
    let shown = text.map(Text::shown).or_else(excepted);
    (either(named, others), shown)
}

/// What a statement that is `covered` by a question grants on every resource.
fn wide<'p>(
    statement: &'p Statement,
    number: usize,
    covered: Told,
    what: Option<Cow<'p, str>>,
    limiting: &[&str],
) -> Grant<'p> {
    // Most statements are about something else, and then nobody asks for their resources.
    if covered == Ok(false) && what.is_none() {
        return Grant { told: covered, what, on: None };
    }
    let (everywhere, on) = every_resource(statement);
    let wide = || both(everywhere, || unlimited(statement, number, limiting));
    Grant { told: both(covered, wide), what, on }
}

/// Whether no condition takes the width of the statement away: surely not one on a key of `limiting`.
fn unlimited(statement: &Statement, number: usize, limiting: &[&str]) -> Told {
    if statement.condition.narrows_one_of(limiting) == Ok(true) {
        return Ok(false);
    }
    match statement.condition.is_empty() {
        Ok(false) => Err(Cause::Other(format!("a condition may limit `{}`", statement.name(number)).into())),
        told => told,
    }
}

/// Whether the statement speaks of one of the service principals, and of which.
fn trusted<'s>(statement: &'s Statement, services: &[impl AsRef<str>]) -> (Told, Option<&'s Text>) {
    let is_one = |principal: &Text| any(services.iter().map(|service| principal.is(service.as_ref())));
    statement.principal.any("Service", is_one)
}
