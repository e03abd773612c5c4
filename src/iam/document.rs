//! Policy documents: statements of the AWS policy language, and what one alone says.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::borrow::Cow;

use smol_str::SmolStr;

use super::condition::Condition;
use super::index::Lazy;
use super::text::Text;
use super::texts::Texts;
use super::told::Told;
use crate::source::Site;
use crate::value::Cause;

/// What a policy may be, as far as it is known: one document or one of a few.
#[derive(Clone, Debug)]
pub struct Policy {
    /// At least one.
    pub alternatives: Vec<Document>,
    /// Why it is not known which of several it is.
    pub choice: Option<Cause>,
    /// A part of it is sensitive.
    pub sensitive: bool,
}

impl Policy {
    /// The statement of that number, counted from one, of the first of its alternatives.
    pub fn statement(&self, number: usize) -> Option<&Statement> {
        self.alternatives.first()?.statements.get(number.checked_sub(1)?)
    }

    /// A policy of which nothing is known, but perhaps what its statements do.
    pub fn unknown(cause: Cause, effect: Option<Effect>) -> Self {
        let mut document = Document::unknown(cause);
        if let Some(effect) = effect {
            document.statements.iter_mut().for_each(|statement| statement.effect = Ok(effect));
        }
        Self { alternatives: vec![document], choice: None, sensitive: false }
    }

    /// Of a policy of which nothing else is known, what its statements do, if that is; [`None`] of any other.
    pub fn effect_if_unknown(&self) -> Option<Option<Effect>> {
        let [Document { statements, unread: Some(_), .. }] = self.alternatives.as_slice() else {
            return None;
        };
        let [Statement { effect, action, .. }] = statements.as_slice() else { return None };
        (self.choice.is_none() && action.items.is_empty() && action.more.is_some())
            .then(|| effect.clone().ok())
    }
}

/// A policy document.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Its statements, in order; one statement may stand without a list.
    pub statements: Vec<Statement>,
    /// `${aws:username}` stands for a value of the request: since version 2012-10-17, before it is plain text.
    pub has_variables: bool,
    /// What AWS would refuse, though it can be read, each with the number of its statement.
    pub faults: Vec<SmolStr>,
    /// Why it is no policy, or nothing of it is known: then its one statement may say anything.
    pub unread: Option<Cause>,
    /// Made when it is first asked something.
    pub(crate) index: Lazy,
}

/// A statement. An element that is absent is an empty list.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its id, if it has one that is known.
    pub sid: Option<SmolStr>,
    /// `Allow` or `Deny`, or why that is not known.
    pub effect: Result<Effect, Cause>,
    /// `Action`
    pub action: List,
    /// `NotAction`
    pub not_action: List,
    /// `Resource`
    pub resource: List,
    /// `NotResource`
    pub not_resource: List,
    /// `Principal`
    pub principal: Principal,
    /// `NotPrincipal`: everybody but these.
    pub not_principal: Principal,
    /// `Condition`
    pub condition: Condition,
    /// Where it was written, if the value tells.
    pub site: Option<Site>,
}

/// `Allow` or `Deny`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It takes away, whatever else grants.
    Deny,
}

/// One text or several.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Those that are known to be there, each with what is known of it.
    pub items: Texts,
    /// Why there may be more. Statements are many and this is rare: it is small where it is not.
    pub more: Option<Box<Cause>>,
}

/// Who a statement of a resource policy or trust policy speaks of.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody is named.
    None,
    /// `"*"`
    Text(Text),
    /// `{ "Service": … }`: kind → principals.
    Map(Vec<(SmolStr, List)>),
    /// Not known, and why.
    Unknown(Cause),
}

impl Document {
    /// A document of which nothing is known.
    pub(super) fn unknown(cause: Cause) -> Self {
        Self {
            statements: vec![Statement::unknown(cause.clone())],
            has_variables: true,
            unread: Some(cause),
            ..Self::default()
        }
    }
}

impl Statement {
    /// What people call it: its id, or its number from 1.
    pub fn name(&self, number: usize) -> Cow<'_, str> {
        self.sid.as_deref().map_or_else(|| Self::number(number), Cow::Borrowed)
    }

    /// What a statement without an id is called. Most documents have few.
    pub fn number(number: usize) -> Cow<'static, str> {
        match number {
            1 => Cow::Borrowed("statement 1"),
            2 => Cow::Borrowed("statement 2"),
            _ => Cow::Owned(format!("statement {number}")),
        }
    }

    /// A statement of which nothing is known, or any number of them.
    pub fn unknown(cause: Cause) -> Self {
        Self {
            sid: None,
            effect: Err(cause.clone()),
            action: List::unknown(cause.clone()),
            not_action: List::default(),
            resource: List::unknown(cause.clone()),
            not_resource: List::default(),
            principal: Principal::Unknown(cause.clone()),
            not_principal: Principal::None,
            condition: Condition { tests: Vec::new(), more: Some(Box::new(cause)) },
            site: None,
        }
    }
}

impl List {
    fn unknown(cause: Cause) -> Self {
        Self { items: Texts::default(), more: Some(Box::new(cause)) }
    }

    /// Whether it is certainly as if it were not there.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.more.is_none()
    }

    /// Whether one of the texts is as `ask` asks, and which: the one that surely is, else one that may be.
    pub fn any(&self, ask: impl Fn(&Text) -> Told) -> (Told, Option<&Text>) {
        let mut result = (self.more.as_deref().cloned().map_or(Ok(false), Err), None);
        for text in &self.items {
            match ask(text) {
                Ok(true) => return (Ok(true), Some(text)),
                Err(cause) if result.0.is_ok() => result = (Err(cause), Some(text)),
                Ok(false) | Err(_) => {}
            }
        }
        result
    }
}

impl Principal {
    /// Whether one of the principals of `kind` is as `ask` asks, and which.
    pub fn any(&self, kind: &str, ask: impl Fn(&Text) -> Told) -> (Told, Option<&Text>) {
        match self {
            Self::None | Self::Text(_) => (Ok(false), None),
            Self::Map(kinds) => match kinds.iter().find(|(name, _)| name == kind) {
                Some((_, principals)) => principals.any(ask),
                None => (Ok(false), None),
            },
            Self::Unknown(cause) => (Err(cause.clone()), None),
        }
    }
}

impl Statement {
    /// Whether it speaks of everybody.
    pub fn is_about_everybody(&self) -> Told {
        match &self.principal {
            _ if !matches!(self.not_principal, Principal::None) => Ok(true),
            Principal::Text(text) => text.is("*"),
            principal => principal.any("AWS", |text| text.is("*")).0,
        }
    }
}
