//! The statements of a document by the services of their actions, so that a question about one service looks only at those
//! that can speak of it.
//!
//! What a question passes over differs from it before the first colon, with no wildcard and nothing unknown there: such a
//! pattern and what is asked have no action in common, whatever fills the rest.

use std::sync::OnceLock;

use super::cover::{self, Of};
use super::document::{Document, Effect, List, Statement};
use super::escalation::Actions;
use super::text::Text;
use super::told::{Told, any};
use super::work;

/// The statements of a document that may allow, and those that may deny.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) allows: Statements,
    pub(super) denies: Statements,
    escalating: OnceLock<Actions>,
}

/// Statements by service. A statement stands in each service that one of its actions is of.
#[derive(Clone, Debug, Default)]
pub(super) struct Statements {
    services: Services,
    /// Actions of one service, sorted.
    named: Box<[(Service, Entry)]>,
    /// Those that may be of any, sorted.
    open: Box<[Entry]>,
    /// One of them may be of more than one action.
    any_wide: bool,
}

/// A service by the hash of its name in small letters: two that share one are looked at together.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Service(u32);

/// Which services there are at most: a bit stands for some of them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Services(u128);

/// An action of a statement, each by its number from 0; or all that the statement says of actions.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) statement: u32,
    /// [`WHOLE`] where more than the listed actions decides.
    item: u32,
}

const WHOLE: u32 = u32::MAX;

impl Service {
    /// The service that all actions of the pattern are of; [`None`] if they may be of several.
    pub(super) fn of(action: &Text) -> Option<Self> {
        Self::of_prefix(action.prefix())
    }

    /// The service of all that begins with this: what stands before a colon, and before any wildcard or variable.
    pub(super) fn of_prefix(known: &str) -> Option<Self> {
        let mut hash = Self::EMPTY;
        for byte in known.bytes() {
            match byte {
                b':' => return Some(Self(hash)),
                b'*' | b'?' | b'$' => return None,
                _ => hash = Self::with(hash, byte),
            }
        }
        None
    }

    pub(super) fn named(name: &str) -> Self {
        Self(name.bytes().fold(Self::EMPTY, Self::with))
    }

    /// FNV-1a.
    const EMPTY: u32 = 0x811c_9dc5;

    fn with(hash: u32, byte: u8) -> u32 {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    }

    const fn bit(self) -> Services {
        Services(1 << (self.0.wrapping_mul(0x9e37_79b1) >> 25))
    }
}

impl Services {
    pub(super) const ALL: Self = Self(u128::MAX);

    /// Whether one of them may be the one that the action, a pattern, is of.
    pub fn may_hold(self, action: &str) -> bool {
        self.hold(Service::of_prefix(action))
    }

    /// Whether one of them may be this one, or one that is not told.
    pub(super) fn hold(self, asked: Option<Service>) -> bool {
        self.share(asked.map_or(Self::ALL, Service::bit))
    }

    /// The services of these names.
    pub fn named(names: &[&str]) -> Self {
        names.iter().map(|name| Service::named(name).bit()).fold(Self::default(), Self::and)
    }

    /// The services of the actions, each a pattern.
    pub fn of(actions: &[&str]) -> Self {
        let one = |action: &&str| Service::of_prefix(action).map_or(Self::ALL, Service::bit);
        actions.iter().map(one).fold(Self::default(), Self::and)
    }

    /// Whether one of these may be one of those.
    pub const fn share(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// Which statements of a document may allow an action: a bit for each of the first, and all that come after those.
#[derive(Copy, Clone, Debug)]
pub(super) struct Speakers(u64);

impl Speakers {
    pub(super) const ALL: Self = Self(u64::MAX);

    /// Whether the statement of this number, from 0, is one.
    pub(super) fn may_be(self, statement: usize) -> bool {
        statement >= 64 || self.0 >> statement & 1 == 1
    }
}

/// An index that is made when it is first asked for. A copy of a document has none yet: its statements may become others.
#[derive(Debug, Default)]
pub(crate) struct Lazy(OnceLock<Box<Index>>);

impl Clone for Lazy {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Document {
    pub(super) fn index(&self) -> &Index {
        self.index.0.get_or_init(|| Box::new(Index::of(self)))
    }

    /// The statements that may allow an action of the service, if there is one.
    pub(super) fn allowing(&self, service: Option<Service>) -> Option<Speakers> {
        let allows = &self.index().allows;
        allows
            .services
            .hold(service)
            .then(|| service.map_or(Speakers::ALL, |service| allows.speakers(service)))
    }

    /// Whether a statement may allow more than the actions that it names one by one.
    pub(super) fn allows_widely(&self) -> bool {
        self.index().allows.any_wide
    }

    /// Whether a statement may deny an action of the service.
    pub(super) fn may_deny(&self, service: Option<Service>) -> bool {
        self.index().denies.services.hold(service)
    }

    /// The services of the actions that it may allow.
    pub fn services(&self) -> Services {
        self.index().allows.services
    }

    /// The actions of ways of escalation that it may allow some of: what is left out it surely does not allow.
    pub fn escalating(&self) -> Actions {
        let index = self.index();
        *index.escalating.get_or_init(|| self.escalating_by(&index.allows))
    }

    fn escalating_by(&self, allows: &Statements) -> Actions {
        let _question = work::Question::begin();
        let item = |entry: &Entry| {
            self.statements.get(entry.statement as usize)?.action.items.get(entry.item as usize)
        };
        let mut found = Actions::default();
        for (service, entry) in &allows.named {
            found = found.and(Actions::met_by(item(entry), Some(*service)));
        }
        for entry in &allows.open {
            // What is more than a list of actions is not looked into.
            found = found.and(Actions::met_by(item(entry), None));
        }
        found
    }
}

impl Index {
    fn of(document: &Document) -> Self {
        let of = |effect: Effect| {
            let may = |(_, statement): &(u32, &Statement)| {
                statement.effect.as_ref().map_or(true, |its| *its == effect)
            };
            Statements::of((0..).zip(&document.statements).filter(may))
        };
        Self { allows: of(Effect::Allow), denies: of(Effect::Deny), escalating: OnceLock::new() }
    }
}

impl Statements {
    fn of<'d>(statements: impl Iterator<Item = (u32, &'d Statement)> + Clone) -> Self {
        let actions = statements.clone().map(|(_, it)| it.action.items.len()).sum();
        let (mut named, mut open) = (Vec::with_capacity(actions), Vec::new());
        let mut services = Services::default();
        let mut any_wide = false;
        for (number, it) in statements {
            let List { items, more } = &it.action;
            if more.is_some() || !it.not_action.is_empty() {
                open.push(Entry { statement: number, item: WHOLE });
                continue;
            }
            for (item, action) in (0..).zip(items) {
                let entry = Entry { statement: number, item };
                any_wide |= action.as_literal().is_none();
                match Service::of(action) {
                    Some(service) => named.push((service, entry)),
                    None => open.push(entry),
                }
            }
        }
        for (service, _) in &named {
            services = services.and(service.bit());
        }
        if !open.is_empty() {
            (services, any_wide) = (Services::ALL, true);
        }
        named.sort_unstable();
        Self { services, named: named.into(), open: open.into(), any_wide }
    }

    fn speakers(&self, service: Service) -> Speakers {
        let first = self.named.partition_point(|(its, _)| *its < service);
        let named = self.named.iter().skip(first).take_while(|(its, _)| *its == service);
        let entries = named.map(|(_, entry)| entry).chain(&self.open);
        Speakers(entries.fold(0, |all, entry| all | 1_u64.checked_shl(entry.statement).unwrap_or(0)))
    }

    /// What may speak of an action of the service, in the order of the statements; of the statement `only` alone if that is
    /// asked for.
    pub(super) fn about(&self, asked: Option<Service>, only: Option<u32>) -> Vec<Entry> {
        if !self.services.hold(asked) {
            return Vec::new();
        }
        let first = Entry { statement: only.unwrap_or(0), item: 0 };
        let last = Entry { statement: only.unwrap_or(u32::MAX), item: WHOLE };
        let (low, high) = (asked.unwrap_or(Service(0)), asked.unwrap_or(Service(u32::MAX)));
        let start = self.named.partition_point(|it| *it < (low, first));
        let named = self.named.iter().skip(start).take_while(|it| **it <= (high, last));
        let mut entries: Vec<Entry> = named.map(|(_, entry)| *entry).collect();
        if asked.is_none() && only.is_some() {
            entries.retain(|entry| only == Some(entry.statement));
        }
        let start = self.open.partition_point(|it| *it < first);
        entries.extend(self.open.iter().skip(start).take_while(|it| **it <= last));
        entries.sort_unstable();
        entries
    }
}

impl Statement {
    /// [`Statement::some_action`], where only these of its actions can be of the service.
    pub(super) fn some_action_of(&self, entries: &[Entry], action: &Text) -> Told {
        work::count_covering();
        if entries.iter().any(|entry| entry.item == WHOLE) {
            return self.some_action(action);
        }
        let items = entries.iter().filter_map(|entry| self.action.items.get(entry.item as usize));
        any(items.map(|item| cover::intersects(item, action, Of::Actions)))
    }

    /// [`Statement::every_action`], where only these of its actions can be of the service.
    pub(super) fn every_action_of(&self, entries: &[Entry], action: &Text) -> Told {
        if entries.iter().any(|entry| entry.item == WHOLE) {
            return self.every_action(action);
        }
        let items = entries.iter().filter_map(|entry| self.action.items.get(entry.item as usize));
        any(items.map(|item| cover::contains(item, action, Of::Actions)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Policy;
    use crate::value::Value;

    fn document(statements: &str) -> Document {
        let policy = Policy::read(&Value::string(&*format!("{{\"Statement\":[{statements}]}}")));
        policy.alternatives.into_iter().next().unwrap()
    }

    fn known(text: &str) -> Text {
        Text::Known(text.into())
    }

    /// The statements, from 1, that a question looks at.
    fn looked_at(document: &Document, action: &str) -> Vec<u32> {
        let mut all: Vec<u32> = document
            .index()
            .allows
            .about(Service::of(&known(action)), None)
            .iter()
            .map(|entry| entry.statement + 1)
            .collect();
        all.dedup();
        all
    }

    const DOCUMENT: &str = r#"
        {"Effect":"Allow","Action":["s3:Get*","SQS:SendMessage"],"Resource":"*"},
        {"Effect":"Allow","Action":"bedrock:*","Resource":"*"},
        {"Effect":"Allow","NotAction":"iam:*","Resource":"*"},
        {"Effect":"Deny","Action":"bedrock:*","Resource":"*"},
        {"Effect":"Allow","Action":["b*:Invoke*","kms:Decrypt"],"Resource":"*"}"#;

    #[test]
    fn a_question_looks_only_at_statements_that_can_speak_of_its_service() {
        let document = document(DOCUMENT);
        assert_eq!(looked_at(&document, "S3:GetObject"), [1, 3, 5]);
        assert_eq!(looked_at(&document, "sqs:SendMessage"), [1, 3, 5]);
        assert_eq!(looked_at(&document, "bedrock:InvokeModel"), [2, 3, 5]);
        assert_eq!(looked_at(&document, "*"), [1, 2, 3, 5], "what may be any service asks them all");
        assert_eq!(document.index().denies.about(Service::of(&known("s3:GetObject")), None), []);
        let only: Vec<Entry> = document.index().allows.about(Service::of(&known("kms:Decrypt")), Some(4));
        assert!(only.iter().all(|entry| entry.statement == 4) && only.len() == 2, "{only:?}");
    }

    #[test]
    fn what_is_passed_over_is_what_a_statement_does_not_speak_of() {
        let document = document(DOCUMENT);
        for action in
            ["s3:GetObject", "bedrock:InvokeModel", "iam:PassRole", "kms:*", "b*", "*", "x", "ec2:?*"]
        {
            let action = known(action);
            let entries = document.index().allows.about(Service::of(&action), None);
            for (number, statement) in (0..).zip(&document.statements) {
                if statement.effect != Ok(Effect::Allow) {
                    continue;
                }
                let own: Vec<Entry> = entries.iter().filter(|it| it.statement == number).copied().collect();
                let speakers = document.allowing(Service::of(&action));
                let may_allow = speakers.is_some_and(|speakers| speakers.may_be(number as usize));
                assert_eq!(may_allow, !own.is_empty(), "{action}");
                assert_eq!(
                    statement.some_action_of(&own, &action),
                    statement.some_action(&action),
                    "{action}"
                );
                assert_eq!(
                    statement.every_action_of(&own, &action),
                    statement.every_action(&action),
                    "{action}"
                );
            }
        }
    }

    #[test]
    fn services_that_look_alike_are_two() {
        let of = |text: &str| Service::of_prefix(text);
        assert_eq!(of("Bedrock:x"), of("bedrock:InvokeModel"));
        assert_ne!(of("bedrock:x"), of("bedrock-agentcore:x"));
        for open in ["*", "bed*:x", "b?drock:x", "${x}:y", "bedrock", ""] {
            assert_eq!(of(open), None, "{open}");
        }
    }
}
