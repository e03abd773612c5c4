//! The AWS policy language: a value to statements.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>
//!
//! The value is the JSON text, or what is known of it where it is not wholly known. What cannot be read at all is a document
//! of one statement of which nothing is known.

use crate::value::json::{self, Dialect, NotJson};
use crate::value::{Cause, Kind, Map, Partial, Piece, Times, Type, Unknown, Value};

use smol_str::{SmolStr, ToSmolStr};

use super::picks::Picks;
use super::text::{Text, cause_of};
use super::told::{Told, both};

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

/// A policy document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its statements, in order; one statement may stand without a list.
    pub statements: Vec<Statement>,
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
    /// Whether there is a `NotPrincipal`: everybody but a few.
    pub not_principal: bool,
    /// `Condition`
    pub condition: Condition,
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
    pub items: Vec<Text>,
    /// Why there may be more.
    pub more: Option<Cause>,
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

/// The tests of a statement.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Those that are known to be there.
    pub tests: Vec<Test>,
    /// Why there may be more.
    pub more: Option<Cause>,
}

/// A test of one key.
#[derive(Clone, Debug)]
pub struct Test {
    /// `StringEquals`
    pub operator: SmolStr,
    /// `aws:SourceAccount`
    pub key: SmolStr,
    /// What it is compared with.
    pub values: List,
}

impl Policy {
    /// Reads the value of an attribute that holds a policy.
    pub fn read(value: &Value) -> Self {
        let mut reader = Reader { picks: Picks::default(), sensitive: false };
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(reader.document(value).unwrap_or_else(Document::unknown));
            if !reader.picks.advance() {
                break;
            }
        }
        Self { alternatives, choice: reader.picks.into_cause(), sensitive: reader.sensitive }
    }
}

impl Document {
    /// A document of which nothing is known.
    fn unknown(cause: Cause) -> Self {
        Self { statements: vec![Statement::unknown(cause)] }
    }
}

impl Statement {
    /// A statement of which nothing is known, or any number of them.
    fn unknown(cause: Cause) -> Self {
        Self {
            sid: None,
            effect: Err(cause.clone()),
            action: List::unknown(cause.clone()),
            not_action: List::default(),
            resource: List::unknown(cause.clone()),
            not_resource: List::default(),
            principal: Principal::Unknown(cause.clone()),
            not_principal: false,
            condition: Condition { tests: Vec::new(), more: Some(cause) },
        }
    }
}

impl List {
    fn unknown(cause: Cause) -> Self {
        Self { items: Vec::new(), more: Some(cause) }
    }

    /// Whether it is certainly as if it were not there.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.more.is_none()
    }

    /// Whether one of the texts is as `ask` asks, and which: the one that surely is, else one that may be.
    pub fn any(&self, ask: impl Fn(&Text) -> Told) -> (Told, Option<&Text>) {
        let mut result = (self.more.clone().map_or(Ok(false), Err), None);
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
            _ if self.not_principal => Ok(true),
            Principal::Text(text) => text.is("*"),
            principal => principal.any("AWS", |text| text.is("*")).0,
        }
    }
}

impl Condition {
    /// Whether it is one test alone, and that one is of one of `operators`, of `key`, for `value`.
    pub fn is_only(&self, operators: &[&str], key: &str, value: &str) -> Told {
        let is_it = |test: &Test| {
            let named = operators.iter().any(|operator| operator.eq_ignore_ascii_case(&test.operator))
                && test.key.eq_ignore_ascii_case(key);
            both(Ok(named), || test.values.any(|text| text.is(value)).0)
        };
        match (self.tests.as_slice(), &self.more) {
            ([], None) => Ok(false),
            ([], Some(cause)) => Err(cause.clone()),
            ([only], None) => is_it(only),
            // With one more it takes away less.
            ([only], Some(cause)) => both(is_it(only), || Err(cause.clone())),
            _ => Ok(false),
        }
    }

    /// Whether it tests one of `keys`, in any case.
    pub fn tests_one_of(&self, keys: &[&str]) -> Told {
        let tested = |test: &Test| keys.iter().any(|key| key.eq_ignore_ascii_case(&test.key));
        match &self.more {
            _ if self.tests.iter().any(tested) => Ok(true),
            Some(cause) => Err(cause.clone()),
            None => Ok(false),
        }
    }

    /// Whether it tests nothing.
    pub fn is_empty(&self) -> Told {
        match &self.more {
            _ if !self.tests.is_empty() => Ok(false),
            Some(cause) => Err(cause.clone()),
            None => Ok(true),
        }
    }
}

/// Texts in texts are looked into so far.
const MAX_DEPTH: usize = 8;

struct Reader {
    picks: Picks,
    sensitive: bool,
}

impl Reader {
    /// What is picked of a value. A part that is sensitive makes the whole so.
    fn pick<'v>(&mut self, value: &'v Value) -> &'v Value {
        self.sensitive |= value.sensitive;
        let picked = self.picks.pick(value);
        self.sensitive |= picked.sensitive;
        picked
    }

    fn document(&mut self, value: &Value) -> Result<Document, Cause> {
        let value = self.pick(value);
        let inside = match (&value.kind, value.as_unknown().and_then(|unknown| unknown.partial.as_ref())) {
            (Kind::String(text), _) => json::read(text, Dialect::Policy),
            (_, Some(Partial::Template(pieces))) => json::read_pieces(&self.flat(pieces), Dialect::Policy),
            (_, Some(Partial::Json(inside))) => return self.statements(inside),
            (Kind::Unknown(unknown), _) => return Err(unknown.cause.clone()),
            _ => return Err(Cause::Other("the document is not a string".into())),
        };
        self.statements(&inside.map_err(not_json)?)
    }

    fn statements(&mut self, value: &Value) -> Result<Document, Cause> {
        let members = self.members(value, "it is no object")?;
        let Some(value) = member(members, "Statement")? else {
            return Ok(Document { statements: Vec::new() });
        };
        let value = self.pick(value);
        let one = |item: &Value| {
            let item = self.pick(item);
            match item.as_unknown() {
                Some(unknown) => Ok(Statement::unknown(unknown.cause.clone())),
                None => self.statement(item),
            }
        };
        let statements = match (value.items(), &value.kind) {
            (Some(items), _) => items.iter().map(one).collect::<Result<_, _>>()?,
            (None, Kind::Unknown(unknown)) => {
                // What stands for one that is not known stands for none as well, and for several.
                let mut statements = certain(value).map(one).collect::<Result<Vec<_>, _>>()?;
                statements.push(Statement::unknown(unknown.cause.clone()));
                statements
            }
            (None, _) => vec![self.statement(value)?],
        };
        Ok(Document { statements })
    }

    fn statement(&mut self, value: &Value) -> Result<Statement, Cause> {
        let members = self.members(value, "a statement is no object")?;
        let effect = member(members, "Effect")?.ok_or_else(|| wrong("a statement has no `Effect`"))?;
        let effect = match self.text(effect)? {
            Text::Known(text) if text == "Allow" => Ok(Effect::Allow),
            Text::Known(text) if text == "Deny" => Ok(Effect::Deny),
            Text::Known(_) => return Err(wrong("an `Effect` is neither `Allow` nor `Deny`")),
            text @ Text::Holed(_) => Err(text.cause()),
        };
        let sid = member(members, "Sid")?.map(|sid| self.text(sid)).transpose()?;
        Ok(Statement {
            sid: sid.and_then(|sid| sid.as_str().filter(|sid| !sid.is_empty()).map(SmolStr::from)),
            effect,
            action: self.list_of(members, "Action")?,
            not_action: self.list_of(members, "NotAction")?,
            resource: self.list_of(members, "Resource")?,
            not_resource: self.list_of(members, "NotResource")?,
            principal: self.principal(members)?,
            not_principal: member(members, "NotPrincipal")?.is_some(),
            condition: self.condition(members)?,
        })
    }

    fn list_of(&mut self, members: &Map, name: &str) -> Result<List, Cause> {
        let mut list = List::default();
        if let Some(value) = member(members, name)? {
            self.list(value, &mut list)?;
        }
        Ok(list)
    }

    fn list(&mut self, value: &Value, list: &mut List) -> Result<(), Cause> {
        let value = self.pick(value);
        for item in value.items().into_iter().flatten().chain(certain(value)) {
            // Within a list an unknown is a text, unless it is known to be more.
            let item = self.pick(item);
            let is_text = |unknown: &Unknown| {
                !matches!(unknown.ty, Type::List(_) | Type::Set(_) | Type::Tuple(_))
                    && item.elements().is_none()
            };
            if item.as_unknown().is_some_and(is_text) {
                list.items.push(self.text(item)?);
            } else {
                self.list(item, list)?;
            }
        }
        match value.as_unknown() {
            _ if value.items().is_some() => {}
            Some(unknown)
                if value.elements().is_some()
                    || unknown.partial.is_none() && !matches!(unknown.ty, Type::String) =>
            {
                list.more.get_or_insert_with(|| unknown.cause.clone());
            }
            _ => list.items.push(self.text(value)?),
        }
        Ok(())
    }

    fn principal(&mut self, members: &Map) -> Result<Principal, Cause> {
        let Some(value) = member(members, "Principal")? else { return Ok(Principal::None) };
        let value = self.pick(value);
        if let Some(kinds) = value.map() {
            let kinds = kinds.iter().map(|(kind, principals)| {
                let mut list = List::default();
                self.list(principals, &mut list)?;
                Ok((kind.clone(), list))
            });
            return Ok(Principal::Map(kinds.collect::<Result<_, Cause>>()?));
        }
        Ok(match value.as_unknown() {
            Some(unknown) => Principal::Unknown(unknown.cause.clone()),
            None => Principal::Text(self.text(value)?),
        })
    }

    fn condition(&mut self, members: &Map) -> Result<Condition, Cause> {
        let mut condition = Condition::default();
        let Some(value) = member(members, "Condition")? else { return Ok(condition) };
        let value = self.pick(value);
        if let Some(unknown) = value.as_unknown() {
            condition.more = Some(unknown.cause.clone());
            return Ok(condition);
        }
        for (operator, keys) in self.members(value, "a `Condition` is no object")?.iter() {
            let keys = self.pick(keys);
            if let Some(unknown) = keys.as_unknown() {
                condition.more.get_or_insert_with(|| unknown.cause.clone());
                continue;
            }
            for (key, values) in self.members(keys, "a `Condition` has no keys")?.iter() {
                let mut list = List::default();
                self.list(values, &mut list)?;
                condition.tests.push(Test { operator: operator.clone(), key: key.clone(), values: list });
            }
        }
        Ok(condition)
    }

    /// A text, or a number or boolean as text.
    fn text(&mut self, value: &Value) -> Result<Text, Cause> {
        let value = self.pick(value);
        Ok(match &value.kind {
            Kind::Unknown(unknown) => match &unknown.partial {
                Some(Partial::Template(pieces)) => Text::of_pieces(self.flat(pieces)),
                _ => {
                    Text::of_value(value).unwrap_or_else(|| Text::of_pieces(vec![Piece::Hole(value.clone())]))
                }
            },
            _ => Text::Known(plain(value).ok_or_else(|| wrong("there is no text where one must be"))?),
        })
    }

    /// Pieces without holes of which something is known.
    fn flat(&mut self, pieces: &[Piece]) -> Vec<Piece> {
        let mut flat = Vec::with_capacity(pieces.len());
        self.flatten(pieces, 0, &mut flat);
        flat
    }

    fn flatten(&mut self, pieces: &[Piece], depth: usize, flat: &mut Vec<Piece>) {
        for piece in pieces {
            let Piece::Hole(value) = piece else {
                flat.push(piece.clone());
                continue;
            };
            let value = self.pick(value);
            let partial = value.as_unknown().and_then(|unknown| unknown.partial.as_ref());
            match (plain(value), partial) {
                (Some(text), _) if text.is_empty() => {}
                (Some(text), _) => flat.push(Piece::Text(text)),
                (None, Some(Partial::Template(inner))) if depth < MAX_DEPTH => {
                    self.flatten(inner, depth + 1, flat);
                }
                (None, _) => flat.push(Piece::Hole(value.clone())),
            }
        }
    }

    /// The members of an object; a choice was picked before.
    fn members<'v>(&mut self, value: &'v Value, what: &str) -> Result<&'v Map, Cause> {
        let value = self.pick(value);
        match (value.map(), value.as_unknown()) {
            (Some(members), _) => Ok(members),
            (None, Some(_)) => Err(cause_of(value)),
            (None, None) => Err(wrong(what)),
        }
    }
}

/// The member of that name, in any case; null is as if it were absent. More than one is not understood.
fn member<'v>(members: &'v Map, name: &str) -> Result<Option<&'v Value>, Cause> {
    let is_it = |key: &str, value: &Value| key.eq_ignore_ascii_case(name) && !value.is_null();
    let mut found = members.iter().filter(|(key, value)| is_it(key, value));
    let (first, second) = (found.next(), found.next());
    if second.is_some() {
        return Err(wrong(&format!("it has more than one `{name}`")));
    }
    Ok(first.map(|(_, value)| value))
}

/// A known text, number or boolean as text.
fn plain(value: &Value) -> Option<SmolStr> {
    match &value.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Number(number) => Some(number.to_smolstr()),
        Kind::Bool(value) => Some(value.to_smolstr()),
        _ => None,
    }
}

/// Why a text is not read: its place, never its content.
fn not_json(why: NotJson) -> Cause {
    Cause::Other(match why {
        NotJson::At(line, column) => {
            format!("line {line}, column {column} of the document: not a policy").into()
        }
        NotJson::TooLarge => "the document is not a policy: it is too large or too deep".into(),
    })
}

/// What makes the document no policy.
fn wrong(what: &str) -> Cause {
    Cause::Other(format!("the document is not a policy: {what}").into())
}

/// The elements that are certainly there, of a list of which only some are known.
fn certain(value: &Value) -> impl Iterator<Item = &Value> {
    let elements = value.elements().into_iter().flatten();
    elements.filter(|element| element.times == Times::Once).map(|element| &element.value)
}
