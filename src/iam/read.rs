//! A value to a policy: the JSON text, or what is known of it where it is not wholly known.
//!
//! What cannot be read at all is a document of one statement of which nothing is known, with the cause: where in the
//! document what is no policy stands, as statement and element (``statement 2: `Condition.StringEquals.aws:SourceArn` ``) or as
//! line and column.

use smol_str::{SmolStr, ToSmolStr};

use crate::value::json::{self, Dialect, NotJson};
use crate::value::{Cause, Kind, Map, Partial, Piece, Times, Type, Unknown, Value};

use super::condition::{Condition, Test};
use super::document::{Document, Effect, List, Policy, Principal, Statement};
use super::picks::Picks;
use super::quick;
use super::text::{self, Text, cause_of};

impl Policy {
    /// Reads the value of an attribute that holds a policy.
    pub fn read(value: &Value) -> Self {
        let mut reader = Reader {
            picks: Picks::default(),
            sensitive: false,
            statement: 0,
            element: String::new(),
            faults: Vec::new(),
        };
        let mut alternatives = Vec::with_capacity(1);
        loop {
            alternatives.push(reader.document(value).unwrap_or_else(Document::unknown));
            if !reader.picks.advance() {
                break;
            }
        }
        Self { alternatives, choice: reader.picks.into_cause(), sensitive: reader.sensitive }
    }
}

/// Texts in texts are looked into so far.
const MAX_DEPTH: usize = 8;

struct Reader {
    picks: Picks,
    sensitive: bool,
    /// The number of the statement that is read, from 1; 0 outside of them.
    statement: usize,
    /// The element that is read: `Condition.StringEquals.aws:SourceAccount`.
    element: String,
    faults: Vec<SmolStr>,
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
            (Kind::String(text), _) => match quick::document(text) {
                Some(document) => return Ok(document),
                None => json::read(text, Dialect::Policy),
            },
            (_, Some(Partial::Template(pieces))) => json::read_pieces(&self.flat(pieces), Dialect::Policy),
            (_, Some(Partial::Json(inside))) => return self.statements(inside),
            (Kind::Unknown(unknown), _) => return Err(unknown.cause.clone()),
            _ => return Err(Cause::Other("the document is not a string".into())),
        };
        self.statements(&inside.map_err(not_json)?)
    }

    fn statements(&mut self, value: &Value) -> Result<Document, Cause> {
        (self.statement, self.faults) = (0, Vec::new());
        self.element.clear();
        let members = self.members(value, "it is no object")?;
        self.know("the document", members, &["Version", "Id", "Statement"]);
        let has_variables = match self.member(members, "Version")? {
            None => false,
            Some(version) => match self.text(version)? {
                Text::Known(version) if version == "2008-10-17" => false,
                Text::Known(version) if version != "2012-10-17" => {
                    self.fault(format_args!("`Version` is neither \"2012-10-17\" nor \"2008-10-17\""));
                    true
                }
                _ => true,
            },
        };
        let Some(value) = self.member(members, "Statement")? else {
            self.fault(format_args!("the document has no `Statement`"));
            let faults = std::mem::take(&mut self.faults);
            return Ok(Document { has_variables, faults, ..Document::default() });
        };
        let value = self.pick(value);
        let one = |item: &Value| {
            self.statement += 1;
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
            (None, _) => {
                self.statement = 1;
                vec![self.statement(value)?]
            }
        };
        let faults = std::mem::take(&mut self.faults);
        Ok(Document { statements, has_variables, faults, ..Document::default() })
    }

    fn statement(&mut self, value: &Value) -> Result<Statement, Cause> {
        let members = self.members(value, "it is no object")?;
        self.know("a statement", members, &ELEMENTS);
        let effect = self.member(members, "Effect")?.ok_or_else(|| self.wrong("it has no `Effect`"))?;
        let effect = match self.text(effect)? {
            Text::Known(text) if text == "Allow" => Ok(Effect::Allow),
            Text::Known(text) if text == "Deny" => Ok(Effect::Deny),
            Text::Known(_) => return Err(self.wrong("its `Effect` is neither `Allow` nor `Deny`")),
            text @ Text::Holed(_) => Err(text.cause()),
        };
        for (element, negated) in
            [("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")]
        {
            if self.member(members, element)?.is_some() && self.member(members, negated)?.is_some() {
                self.fault(format_args!("`{element}` and `{negated}` exclude each other"));
            }
        }
        let sid = self.member(members, "Sid")?.map(|sid| self.text(sid)).transpose()?;
        Ok(Statement {
            sid: sid.and_then(|sid| sid.as_str().filter(|sid| !sid.is_empty()).map(SmolStr::from)),
            effect,
            action: self.list_of(members, "Action")?,
            not_action: self.list_of(members, "NotAction")?,
            resource: self.list_of(members, "Resource")?.completed(),
            not_resource: self.list_of(members, "NotResource")?.completed(),
            principal: self.principal(members, "Principal")?,
            not_principal: self.principal(members, "NotPrincipal")?,
            condition: self.condition(members)?,
            site: value.origin,
        })
    }

    fn list_of(&mut self, members: &Map, name: &str) -> Result<List, Cause> {
        let Some(value) = self.member(members, name)? else { return Ok(List::default()) };
        self.of_element(&[name]);
        let list = self.list(value)?;
        self.element.clear();
        Ok(list)
    }

    fn list(&mut self, value: &Value) -> Result<List, Cause> {
        let (mut known, mut more) = (Vec::new(), None);
        self.texts(value, &mut known, &mut more)?;
        Ok(List { items: known.into(), more: more.map(Box::new) })
    }

    /// The texts of a list, and of the lists in it; why there may be more.
    fn texts(&mut self, value: &Value, known: &mut Vec<Text>, more: &mut Option<Cause>) -> Result<(), Cause> {
        let value = self.pick(value);
        for item in value.items().into_iter().flatten().chain(certain(value)) {
            // Within a list an unknown is a text, unless it is known to be more.
            let item = self.pick(item);
            let is_text = |unknown: &Unknown| {
                !matches!(unknown.ty, Type::List(_) | Type::Set(_) | Type::Tuple(_))
                    && item.elements().is_none()
            };
            if item.as_unknown().is_some_and(is_text) {
                known.push(self.text(item)?);
            } else {
                self.texts(item, known, more)?;
            }
        }
        match value.as_unknown() {
            _ if value.items().is_some() => {}
            Some(unknown)
                if value.elements().is_some()
                    || unknown.partial.is_none()
                        && !matches!(unknown.ty, Type::String)
                        && !text::is_arn(value) =>
            {
                more.get_or_insert_with(|| unknown.cause.clone());
            }
            _ => known.push(self.text(value)?),
        }
        Ok(())
    }

    fn principal(&mut self, members: &Map, element: &str) -> Result<Principal, Cause> {
        let Some(value) = self.member(members, element)? else { return Ok(Principal::None) };
        self.of_element(&[element]);
        let value = self.pick(value);
        if let Some(kinds) = value.map() {
            let kinds = kinds.iter().map(|(kind, principals)| Ok((kind.clone(), self.list(principals)?)));
            return Ok(Principal::Map(kinds.collect::<Result<_, Cause>>()?));
        }
        Ok(match value.as_unknown() {
            Some(unknown) => Principal::Unknown(unknown.cause.clone()),
            None => Principal::Text(self.text(value)?),
        })
    }

    fn condition(&mut self, members: &Map) -> Result<Condition, Cause> {
        self.element.clear();
        let mut condition = Condition::default();
        let Some(value) = self.member(members, "Condition")? else { return Ok(condition) };
        let value = self.pick(value);
        if let Some(unknown) = value.as_unknown() {
            condition.more = Some(Box::new(unknown.cause.clone()));
            return Ok(condition);
        }
        for (operator, keys) in self.members(value, "its `Condition` is no object")?.iter() {
            let keys = self.pick(keys);
            if let Some(unknown) = keys.as_unknown() {
                condition.more.get_or_insert_with(|| Box::new(unknown.cause.clone()));
                continue;
            }
            for (key, values) in self.members(keys, "an operator of its `Condition` has no keys")?.iter() {
                self.of_element(&["Condition", operator, key]);
                let test = Test::new(operator.clone(), key.clone(), self.list(values)?);
                if test.means.is_none() {
                    self.fault(format_args!("`{}` is no operator of a `Condition`", shown(operator)));
                }
                condition.tests.push(test);
            }
        }
        self.element.clear();
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
            _ => Text::Known(plain(value).ok_or_else(|| self.wrong("there is no text where one must be"))?),
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
            (None, None) => Err(self.wrong(what)),
        }
    }

    /// The member of that name, in any case; null is as if it were absent. More than one is not understood.
    fn member<'v>(&self, members: &'v Map, name: &str) -> Result<Option<&'v Value>, Cause> {
        let is_it = |key: &str, value: &Value| key.eq_ignore_ascii_case(name) && !value.is_null();
        let mut found = members.iter().filter(|(key, value)| is_it(key, value));
        let (first, second) = (found.next(), found.next());
        if second.is_some() {
            return Err(self.wrong(&format!("it has more than one `{name}`")));
        }
        Ok(first.map(|(_, value)| value))
    }

    /// Begins to read an element of the statement.
    fn of_element(&mut self, path: &[&str]) {
        self.element.clear();
        for (at, name) in path.iter().enumerate() {
            self.element.push_str(if at == 0 { "" } else { "." });
            self.element.extend(name.chars().take(MAX_SHOWN));
        }
    }

    /// What makes the document no policy, and where in it.
    fn wrong(&self, what: &str) -> Cause {
        let element = self.element.as_str();
        Cause::Other(match self.statement {
            0 => format!("the document is not a policy: {what}").into(),
            // The names of what is sensitive are too.
            number if element.is_empty() || self.sensitive => {
                format!("the document is not a policy: statement {number}: {what}").into()
            }
            number => format!("the document is not a policy: statement {number}: `{element}`: {what}").into(),
        })
    }

    /// What AWS refuses, though it can be read.
    fn fault(&mut self, what: std::fmt::Arguments<'_>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(match self.statement {
                0 => what.to_smolstr(),
                number => format_args!("statement {number}: {what}").to_smolstr(),
            });
        }
    }

    /// Notes members that are not of the language.
    fn know(&mut self, of: &str, members: &Map, names: &[&str]) {
        for (key, _) in members.iter() {
            if !names.iter().any(|name| name.eq_ignore_ascii_case(key)) {
                self.fault(format_args!("`{}` is no element of {of}", shown(key)));
            }
        }
    }
}

impl List {
    /// ARNs of fewer than six parts with a `*` for each that they lack: so AWS reads them.
    pub(super) fn completed(mut self) -> Self {
        for item in self.items.iter_mut() {
            let missing = match item.as_str().filter(|text| text.starts_with("arn:")) {
                Some(text) => 5_usize.saturating_sub(text.bytes().filter(|&byte| byte == b':').count()),
                None => 0,
            };
            if let Text::Known(text) = item
                && missing > 0
            {
                *text = format!("{text}{}", ":*".repeat(missing)).into();
            }
        }
        self
    }
}

/// The elements of a statement.
const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];

/// More faults of one document are not told.
const MAX_FAULTS: usize = 20;

/// A longer name of the document is not told whole.
const MAX_SHOWN: usize = 60;

/// A name of the document as it is told: not at any length.
fn shown(name: &str) -> String {
    name.chars().take(MAX_SHOWN).collect()
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
        NotJson::TooDeep(line, column) => {
            format!("line {line}, column {column} of the document: not a policy, it is too deep").into()
        }
        NotJson::TooLarge => "the document is not a policy: it is in too many pieces".into(),
    })
}

/// The elements that are certainly there, of a list of which only some are known.
fn certain(value: &Value) -> impl Iterator<Item = &Value> {
    let elements = value.elements().into_iter().flatten();
    elements.filter(|element| element.times == Times::Once).map(|element| &element.value)
}
