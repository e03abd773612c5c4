//! What a principal may do, over all the policies that speak of it.
//!
//! An identity's policies, or a resource's, must allow it; a permissions boundary must allow it too; no policy may deny it.
//! What a condition or an unknown part leaves open is told: *only if*, or *undetermined*. A yes or a no holds for whatever
//! fills the unknown parts, of what the configuration says: what others attach later is in no document here.

use std::cell::LazyCell;

use super::cover::{self, Of};
use super::document::{Document, Effect, List, Policy, Principal, Statement};
use super::index::{Entry, Service};
use super::limits::Limits;
use super::pattern;
use super::text::Text;
use super::told::{Told, any, both, not};
use super::work;
use crate::value::Cause;

/// A policy, as it bears on a principal.
#[derive(Clone, Debug)]
pub struct Held<'p> {
    /// Its documents.
    pub policy: &'p Policy,
    /// How it bears on the principal.
    pub kind: Kind,
    /// Why it may not be there.
    pub doubt: Option<Cause>,
}

/// How a policy bears on a principal.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It grants: inline, attached, of a group, managed by AWS.
    Identity,
    /// It limits what the others grant.
    Boundary,
    /// [`Kind::Boundary`] of a user: what the policy of a resource grants to a user by name it does not limit.
    UserBoundary,
    /// It limits what one way to a role gives: a session's own policy.
    Session,
    /// A boundary past which something is granted: only what it denies counts.
    Guard,
    /// It belongs to the resource: it grants to whom it names.
    Resource,
    /// [`Kind::Resource`] of one of several resources that are asked for: it may grant, and takes nothing away from the others.
    ResourceInPart,
    /// [`Kind::Resource`] of a key: without it nothing grants.
    Key,
    /// Of an organisation: what it denies is denied in the accounts below its target.
    Organisation,
    /// Of an organisation: what none of the policies of a target allows is denied in the accounts below it.
    AllowList,
}

/// What is asked: an action on a resource, each also as a pattern.
#[derive(Clone, Debug)]
pub struct Request {
    /// `bedrock:InvokeModel`
    pub action: Text,
    /// An ARN; `*` is any resource.
    pub resource: Text,
}

/// Whether a principal may do what is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Yes,
    /// It may where these conditions hold: of each the text.
    OnlyIf(Vec<String>),
    /// It cannot be told, and why.
    Undetermined(Vec<String>),
    /// It may not.
    No,
}

/// The answer, and what decides it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The answer.
    pub verdict: Verdict,
    /// The statements that decide: of a no, those that deny.
    pub by: Vec<By>,
    /// On which resources, where it is not all that was asked for.
    pub on: Vec<Text>,
    /// The statements that deny a part of what is allowed.
    pub less: Vec<By>,
}

/// One statement that allows some of what is asked, when the others have taken away what they do.
#[derive(Clone, Debug)]
pub struct Way {
    /// The statement.
    pub by: By,
    /// What it allows: yes, or only if, or undetermined.
    pub verdict: Verdict,
    /// On what: what is asked for, or a part of it.
    pub on: Text,
}

/// A statement that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Index into the policies that were given.
    pub policy: usize,
    /// The number of the statement in its document, from 1.
    pub statement: usize,
    /// What it does.
    pub denies: bool,
}

/// Whether a statement of a resource's policy names the principal; of the key's, whether it leaves the matter to the
/// policies of its account's identities.
pub struct Who<'w> {
    /// It names the principal.
    pub names: &'w dyn Fn(&Statement) -> Told,
    /// It names the account.
    pub delegates: &'w dyn Fn(&Statement) -> Told,
}

/// One statement that allows some of what is asked.
struct Allow<'p> {
    by: By,
    /// What of the request it covers.
    on: Vec<&'p Text>,
    /// What it is subject to.
    terms: Terms,
    /// A boundary takes nothing of it away but what it denies: the policy of a resource grants it to everybody, which is to
    /// the session itself, or to a user.
    past: bool,
}

/// Why what is said is not so for certain.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub(super) conditions: Vec<String>,
    pub(super) causes: Vec<String>,
}

impl Verdict {
    /// How sure it is, the surest first; a yes before a no.
    pub fn rank(&self) -> usize {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::OnlyIf(_) => 2,
            Self::Undetermined(_) => 3,
        }
    }
}

impl Terms {
    pub(super) fn rank(&self) -> usize {
        if self.causes.is_empty() { usize::from(!self.conditions.is_empty()) } else { 2 }
    }

    pub(super) fn because(&mut self, cause: &Cause) {
        self.because_of(cause.to_string());
    }

    fn because_of(&mut self, cause: String) {
        if !self.causes.contains(&cause) {
            self.also_because(cause);
        }
    }

    pub(super) fn also_because(&mut self, cause: String) {
        if self.causes.len() < MAX_TERMS {
            self.causes.push(cause);
        }
    }

    pub(super) fn only_if(&mut self, condition: String) {
        if !self.conditions.contains(&condition) {
            self.also_if(condition);
        }
    }

    pub(super) fn also_if(&mut self, condition: String) {
        match self.conditions.len() {
            0..MAX_TERMS => self.conditions.push(condition),
            // Whoever reads the conditions must know that these are not all.
            MAX_TERMS => self.conditions.push("more conditions, which are not told, hold too".to_owned()),
            _ => {}
        }
    }

    fn verdict(self) -> Verdict {
        match self.rank() {
            0 => Verdict::Yes,
            1 => Verdict::OnlyIf(self.conditions),
            _ => Verdict::Undetermined(self.causes),
        }
    }
}

/// More conditions or causes of one answer are not told.
const MAX_TERMS: usize = 200;

/// More statements and parts of one answer are not told.
const MAX_PARTS: usize = 20;

/// Whether the principal may do what is asked.
pub fn may(held: &[Held<'_>], request: &Request, who: &Who<'_>) -> Decision {
    decide(held, request, who, None)
}

/// What one statement allows of what is asked, when the others have taken away what they do.
pub fn granted(held: &[Held<'_>], request: &Request, who: &Who<'_>, by: &By) -> Decision {
    decide(held, request, who, Some(by))
}

/// Every way in which what is asked is allowed, in the order of the statements.
pub fn ways(held: &[Held<'_>], request: &Request, who: &Who<'_>) -> Vec<Way> {
    let found = find(held, request, who, None);
    found.allowed.into_iter().map(|(by, terms, on)| Way { by, verdict: terms.verdict(), on }).collect()
}

/// What [`find`] finds.
#[derive(Default)]
struct Found {
    allowed: Vec<(By, Terms, Text)>,
    denied: Vec<By>,
    less: Vec<By>,
}

/// More ways are not looked for once there is one to all that is asked for that is sure.
const MAX_WAYS: usize = 1000;

fn find(held: &[Held<'_>], request: &Request, who: &Who<'_>, only: Option<&By>) -> Found {
    let _question = work::Question::begin();
    let mut found = Found::default();
    let past = LazyCell::new(|| guarded(held));
    let (mut limits, mut past_limits) = (None, None);
    let mut is_sure = false;
    for allow in allows(held, request, who, only) {
        let limits = if allow.past {
            past_limits.get_or_insert_with(|| Limits::of(&past, request, who))
        } else {
            limits.get_or_insert_with(|| Limits::of(held, request, who))
        };
        for &part in &allow.on {
            if found.allowed.len() >= MAX_WAYS && is_sure {
                return found;
            }
            let mut terms = allow.terms.clone();
            work::spend(terms.conditions.len() as u64);
            if let Some(cause) = work::Question::is_cut_off() {
                // What is not looked at may allow all that is asked for.
                terms.because(&cause);
                found.allowed.push((allow.by, terms, request.resource.clone()));
                return found;
            }
            match limits.take(part, &mut terms, &mut found.less) {
                Ok(()) => {
                    is_sure |= terms.rank() == 0 && std::ptr::eq(part, &raw const request.resource);
                    found.allowed.push((allow.by.clone(), terms, part.clone()));
                }
                Err(Some(by)) if !found.denied.contains(&by) && found.denied.len() < MAX_PARTS => {
                    found.denied.push(by);
                }
                Err(_) => {}
            }
        }
    }
    found
}

/// The policies with boundaries that only deny.
fn guarded<'p>(held: &[Held<'p>]) -> Vec<Held<'p>> {
    let is_boundary = |kind| matches!(kind, Kind::Boundary | Kind::UserBoundary | Kind::Session);
    let each = held.iter().cloned();
    each.map(|it| Held { kind: if is_boundary(it.kind) { Kind::Guard } else { it.kind }, ..it }).collect()
}

fn decide(held: &[Held<'_>], request: &Request, who: &Who<'_>, only: Option<&By>) -> Decision {
    let Found { allowed, denied, less } = find(held, request, who, only);
    let Some(best) = allowed.iter().map(|(_, terms, _)| terms.rank()).min() else {
        return Decision { verdict: Verdict::No, by: denied, on: Vec::new(), less: Vec::new() };
    };
    let (mut all, mut by, mut on) = (Terms::default(), Vec::new(), Vec::new());
    for (statement, terms, part) in allowed.into_iter().filter(|(_, terms, _)| terms.rank() == best) {
        // One of several is enough.
        terms.conditions.into_iter().for_each(|it| all.only_if(it));
        terms.causes.into_iter().for_each(|it| all.because_of(it));
        if !by.contains(&statement) && by.len() < MAX_PARTS {
            by.push(statement);
        }
        on.push(part);
    }
    let is_all = |part: &Text| cover::contains(part, &request.resource, Of::Resources) == Ok(true);
    if on.iter().any(is_all) {
        on.clear();
    }
    on.sort_by_cached_key(ToString::to_string);
    on.dedup_by_key(|text| text.to_string());
    on.truncate(MAX_PARTS);
    Decision { verdict: all.verdict(), by, on, less }
}

/// The statements that allow some of the request, with the parts of it that each covers.
fn allows<'p>(held: &[Held<'p>], request: &'p Request, who: &Who<'_>, only: Option<&By>) -> Vec<Allow<'p>> {
    let mut allows = Vec::new();
    // Where a key has a policy, that must grant, or leave it to the identities.
    let delegated = LazyCell::new(|| delegated(held, request, who));
    let service = Service::of(&request.action);
    let asked = only.map(|by| u32::try_from(by.statement.saturating_sub(1)).unwrap_or(u32::MAX));
    for (policy, it) in held.iter().enumerate().filter(|(at, _)| only.is_none_or(|by| by.policy == *at)) {
        let named: &dyn Fn(&Statement) -> Told = match it.kind {
            Kind::Identity => &|_| Ok(true),
            Kind::Resource | Kind::ResourceInPart | Kind::Key => who.names,
            Kind::Boundary
            | Kind::UserBoundary
            | Kind::Session
            | Kind::Guard
            | Kind::Organisation
            | Kind::AllowList => continue,
        };
        let of_user = it.kind != Kind::Identity && held.iter().any(|it| it.kind == Kind::UserBoundary);
        let is_choice = it.policy.alternatives.len() > 1;
        for document in &it.policy.alternatives {
            let entries = document.index().allows.about(service, asked);
            for (number, statement, entries) in of_statements(document, &entries) {
                let by = By { policy, statement: number, denies: false };
                let mut terms = Terms::default();
                if let Some(cause) = work::Question::is_cut_off() {
                    terms.because(&cause);
                    allows.push(Allow { by, on: vec![&request.resource], terms, past: false });
                    return allows;
                }
                let allows_it = super::questions::has_effect(statement, Effect::Allow);
                let some = statement.some_action_of(entries, &request.action);
                let told = both(allows_it, || both(some, || named(statement)));
                if told == Ok(false) {
                    continue;
                }
                let (told_on, on) = statement.parts(&request.resource);
                let told = both(told, || told_on);
                match told {
                    Ok(false) => continue,
                    Ok(true) => {}
                    Err(cause) => terms.because(&cause),
                }
                terms.subject_to(statement, "", it.policy.sensitive);
                it.doubt.iter().for_each(|doubt| terms.because(doubt));
                if is_choice {
                    terms.because(it.policy.choice.as_ref().unwrap_or(&Cause::Other("not known".into())));
                }
                if it.kind == Kind::Identity
                    && let Some(delegated) = &*delegated
                {
                    match delegated {
                        Ok(false) => continue,
                        Ok(true) => {}
                        Err(cause) => terms.because(cause),
                    }
                }
                let past = of_user || it.kind != Kind::Identity && statement.is_about_everybody() == Ok(true);
                allows.push(Allow { by, on, terms, past });
            }
        }
    }
    allows
}

/// The statements of these entries, each with its number from 1 and its own entries.
pub(super) fn of_statements<'d, 'e>(
    document: &'d Document,
    entries: &'e [Entry],
) -> impl Iterator<Item = (usize, &'d Statement, &'e [Entry])> {
    entries.chunk_by(|a, b| a.statement == b.statement).filter_map(|entries| {
        let at = entries.first()?.statement as usize;
        Some((at + 1, document.statements.get(at)?, entries))
    })
}

/// Whether the key's policy leaves what is asked to the policies of identities; [`None`] if no key is asked for.
fn delegated(held: &[Held<'_>], request: &Request, who: &Who<'_>) -> Option<Told> {
    let mut keys = held.iter().filter(|it| it.kind == Kind::Key).peekable();
    keys.peek()?;
    let service = Service::of(&request.action);
    let mut all = Vec::new();
    for document in keys.flat_map(|it| &it.policy.alternatives) {
        let entries = document.index().allows.about(service, None);
        for (_, statement, entries) in of_statements(document, &entries) {
            let told = both(super::questions::has_effect(statement, Effect::Allow), || {
                both(statement.some_action_of(entries, &request.action), || (who.delegates)(statement))
            });
            if told == Ok(true) {
                return Some(told);
            }
            all.push(told);
        }
    }
    Some(any(all.into_iter()))
}

impl Terms {
    pub(super) fn subject_to(&mut self, statement: &Statement, not: &str, sensitive: bool) {
        let condition = &statement.condition;
        for test in &condition.tests {
            if self.conditions.len() > MAX_TERMS {
                break;
            }
            if test.takes_nothing() != Ok(true) || !not.is_empty() {
                // Nothing of a document that is sensitive is told.
                if sensitive {
                    self.only_if(format!("{not}a condition that is sensitive"));
                    continue;
                }
                self.only_if(format!("{not}{test}"));
            }
        }
        condition.more.iter().for_each(|cause| self.because(cause));
    }
}

impl Statement {
    /// Whether it speaks of some of what the action pattern covers.
    pub fn some_action(&self, action: &Text) -> Told {
        let named = self.action.any(|item| cover::intersects(item, action, Of::Actions)).0;
        super::told::either(named, || some_other(&self.not_action, action, Of::Actions))
    }

    /// Whether it speaks of all that the action pattern covers.
    pub fn every_action(&self, action: &Text) -> Told {
        let named = self.action.any(|item| cover::contains(item, action, Of::Actions)).0;
        super::told::either(named, || every_other(&self.not_action, action, Of::Actions))
    }

    /// Whether it speaks of all that the resource pattern covers.
    pub fn every_resource(&self, resource: &Text) -> Told {
        if self.resource.is_empty() && self.not_resource.is_empty() {
            return Ok(true);
        }
        let named = self.resource.any(|item| cover::contains(item, resource, Of::Resources)).0;
        super::told::either(named, || every_other(&self.not_resource, resource, Of::Resources))
    }

    /// Whether it speaks of some of what the resource pattern covers, and of what: each the narrower of its own pattern and
    /// what is asked for.
    pub fn parts<'t>(&'t self, resource: &'t Text) -> (Told, Vec<&'t Text>) {
        if self.resource.is_empty() && self.not_resource.is_empty() {
            return (Ok(true), vec![resource]);
        }
        let mut sure = Vec::new();
        let mut perhaps = Vec::new();
        let mut cause = self.resource.more.as_deref().cloned();
        for item in &self.resource.items {
            let narrower = || match cover::contains(resource, item, Of::Resources) {
                Ok(true) => item,
                _ => resource,
            };
            match cover::intersects(item, resource, Of::Resources) {
                Ok(true) if cover::contains(item, resource, Of::Resources) == Ok(true) => {
                    return (Ok(true), vec![resource]);
                }
                Ok(true) => sure.push(narrower()),
                Err(why) => {
                    cause.get_or_insert(why);
                    perhaps.push(narrower());
                }
                Ok(false) => {}
            }
        }
        match some_other(&self.not_resource, resource, Of::Resources) {
            Ok(true) => sure.push(resource),
            Err(why) => {
                cause.get_or_insert(why);
            }
            Ok(false) => {}
        }
        match (sure.is_empty(), cause) {
            (false, _) => (Ok(true), sure),
            (true, Some(cause)) => (Err(cause), if perhaps.is_empty() { vec![resource] } else { perhaps }),
            (true, None) => (Ok(false), Vec::new()),
        }
    }

    /// Whether its `Principal` is as `ask` asks of one of the kind, or everybody.
    pub fn is_about(&self, kind: &str, ask: impl Fn(&Text) -> Told) -> Told {
        match (&self.principal, &self.not_principal) {
            // Everybody but a few, of whom it may be one.
            (_, named @ (Principal::Map(_) | Principal::Text(_))) => not(named.any(kind, &ask).0),
            (_, Principal::Unknown(cause)) => Err(cause.clone()),
            (Principal::Text(text), Principal::None) => text.is("*"),
            (principal, Principal::None) => super::told::either(principal.any(kind, &ask).0, || {
                principal.any("AWS", |text| text.is("*")).0
            }),
        }
    }
}

/// Whether something that the pattern covers is none of the list, which is of a `Not…` element.
fn some_other(list: &List, pattern: &Text, of: Of) -> Told {
    if list.is_empty() {
        return Ok(false);
    }
    if list.any(|item| cover::contains(item, pattern, of)).0 == Ok(true) {
        return Ok(false);
    }
    let known: Option<Vec<String>> =
        list.items.iter().chain([pattern]).map(|item| Some(folded(item.as_str()?, of))).collect();
    match (known, list.more.as_deref()) {
        (Some(known), None) => {
            let (last, others) =
                known.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
            let others: Vec<&str> = others.iter().map(String::as_str).collect();
            match pattern::left_over(last, &others) {
                Some(left) => Ok(left.is_some()),
                None => Err(Cause::Limit("size of patterns".into())),
            }
        }
        (_, Some(cause)) => Err(cause.clone()),
        // What surely is none of them is enough.
        (None, None) => match any(list.items.iter().map(|item| cover::intersects(item, pattern, of))) {
            Ok(false) => Ok(true),
            Ok(true) => Err(Cause::Other("a part of a list of exceptions is not known".into())),
            Err(cause) => Err(cause),
        },
    }
}

/// Whether all that the pattern covers is none of the list, which is of a `Not…` element.
fn every_other(list: &List, pattern: &Text, of: Of) -> Told {
    if list.is_empty() {
        return Ok(false);
    }
    not(list.any(|item| cover::intersects(item, pattern, of)).0)
}

fn folded(text: &str, of: Of) -> String {
    match of {
        Of::Actions => text.to_ascii_lowercase(),
        Of::Resources => text.to_owned(),
    }
}
