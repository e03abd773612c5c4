//! Policy documents with holes: what is not known goes through as a mark that nobody writes, and comes out as what it was.
//!
//! So a document that is partly known is made by the same steps as one that is known. Where what is not known could change
//! more than its own place in the document, there is no document.

use serde_json::{Map as Members, Value as Json};

use super::document::{Document, Statement};
use crate::eval::elements;
use crate::value::json::{self, Dialect};
use crate::value::{Kind, Number, Piece, Times, Type, Unknown, Value, convert};

/// What a mark begins and ends with; a text that has it is not followed.
const OPEN: char = '\u{fdd0}';
const CLOSE: char = '\u{fdd1}';

/// Documents with more are not followed.
const MAX_HOLES: usize = 2_000;

/// The values that marks stand for.
#[derive(Default)]
pub(super) struct Holes {
    values: Vec<Value>,
}

/// Whether a text has a mark.
pub(super) fn is_marked(text: &str) -> bool {
    text.contains(OPEN)
}

impl Holes {
    /// The mark of a value.
    fn mark(&mut self, value: Value) -> Option<String> {
        let at = self.values.len();
        self.values.push(value);
        (at < MAX_HOLES).then(|| format!("{OPEN}{at}{CLOSE}"))
    }

    /// The mark of what is not known, and may as well not be there.
    fn mark_any(&mut self, because: &Value) -> Option<String> {
        self.mark(Value::from_unknown(Unknown::of_operands(&[because])))
    }

    /// A value of the type `ty` with marks for all that is not known; [`None`] if it is not followed.
    pub(super) fn hide(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        match (ty, &value.kind) {
            (_, Kind::Null) => Some(Value::NULL),
            (Type::String, _) => self.text(&convert(value, ty).ok()?).map(Value::string),
            (Type::Set(of) | Type::List(of), Kind::Unknown(_)) => {
                // Those that are there, and one that stands for all others.
                let entries = elements::entries(value)?;
                let certain = entries.iter().filter(|entry| entry.times == Times::Once);
                let mut items: Vec<Value> =
                    certain.map(|entry| self.element(&entry.value, of)).collect::<Option<_>>()?;
                if items.len() < entries.len() {
                    items.push(self.any(value, of)?);
                }
                Some(Value::tuple(items))
            }
            (Type::Set(of) | Type::List(of), _) => {
                let items = value.items()?.iter().map(|item| self.element(item, of));
                Some(Value::tuple(items.collect::<Option<Vec<_>>>()?))
            }
            (Type::Object(fields), _) => {
                let entries = value.map()?.iter().map(|(name, item)| {
                    let field = fields.iter().find(|field| field.name == *name)?;
                    Some((name.clone(), self.hide(item, &field.ty)?))
                });
                Some(Value::object(entries.collect::<Option<Vec<_>>>()?))
            }
            _ => None,
        }
    }

    fn element(&mut self, item: &Value, ty: &Type) -> Option<Value> {
        match (&item.kind, ty) {
            (Kind::Unknown(_), Type::Object(_)) => self.any(item, ty),
            _ => self.hide(item, ty),
        }
    }

    /// An element of type `ty` that stands for any number of them.
    fn any(&mut self, because: &Value, ty: &Type) -> Option<Value> {
        match ty {
            Type::Object(fields) => {
                let fields =
                    fields.iter().map(|field| Some((field.name.clone(), self.any(because, &field.ty)?)));
                Some(Value::object(fields.collect::<Option<Vec<_>>>()?))
            }
            Type::Set(of) | Type::List(of) => Some(Value::tuple([self.any(because, of)?])),
            _ => self.mark_any(because).map(Value::string),
        }
    }

    /// A string with marks for its holes.
    fn text(&mut self, value: &Value) -> Option<String> {
        let value = &value.clone().or_unknown();
        if let Some(text) = value.as_str() {
            return (!text.contains([OPEN, CLOSE])).then(|| text.to_owned());
        }
        let unknown = value.as_unknown()?;
        let Some(pieces) = value.pieces() else {
            let has_variable = |value: &Value| value.as_str().is_none_or(|text| text.contains('&'));
            let changes = unknown.alternatives().into_iter().flatten().any(has_variable);
            return self.mark(if changes { value.clone().with_partial(None) } else { value.clone() });
        };
        // `&{` becomes `${`, also where a part of it is in a hole.
        let begins = pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.ends_with('&')));
        if begins
            || pieces.iter().skip(1).any(|piece| matches!(piece, Piece::Text(text) if text.starts_with('{')))
        {
            return self.mark(value.clone().with_partial(None));
        }
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) if text.contains([OPEN, CLOSE]) => return None,
                Piece::Text(text) => out.push_str(text),
                Piece::Hole(hole) => out.push_str(&self.mark(hole.clone())?),
            }
        }
        Some(out)
    }

    /// The documents of a list of texts. One that is not known may say anything.
    pub(super) fn documents(&mut self, list: &Value) -> Option<Vec<Document>> {
        let list = convert(list, &Type::list(Type::String)).ok()?;
        if list.is_unknown() {
            return Some(vec![self.any_document(&list)?]);
        }
        let mut documents = Vec::new();
        for text in list.items().unwrap_or_default().iter().filter(|text| text.as_str() != Some("")) {
            let document = if let Some(known) = text.as_str() {
                Document::parse(&self.text(&Value::string(known))?).ok()
            } else {
                let read = json::told(text, Dialect::Policy).and_then(|value| {
                    let json = self.json(&value)?;
                    Document::from_json(&self.blocks(json, text)?).ok()
                });
                read.or_else(|| self.any_document(text))
            };
            let document = document?;
            documents.push(document);
        }
        Some(documents)
    }

    /// A document that is not known at all.
    fn any_document(&mut self, because: &Value) -> Option<Document> {
        let any = Statement { sid: self.mark_any(because)?, ..Statement::default() };
        let (version, id) = (self.mark_any(because)?, self.mark_any(because)?);
        Some(Document { version, id, statements: vec![any] })
    }

    /// A value as JSON with marks.
    fn json(&mut self, value: &Value) -> Option<Json> {
        Some(match &value.kind {
            Kind::Null => Json::Null,
            Kind::Bool(truth) => Json::Bool(*truth),
            Kind::Number(number) => serde_json::from_str(&number.to_string()).ok()?,
            Kind::String(_) => Json::String(self.text(value)?),
            Kind::Unknown(unknown) if matches!(unknown.ty, Type::String) => Json::String(self.text(value)?),
            Kind::Unknown(_) => Json::String(self.mark(value.clone())?),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                Json::Array(items.iter().map(|item| self.json(item)).collect::<Option<_>>()?)
            }
            Kind::Map(map) | Kind::Object(map) => {
                let entries = map.iter().map(|(key, item)| Some((key.to_string(), self.json(item)?)));
                Json::Object(entries.collect::<Option<_>>()?)
            }
        })
    }

    /// The document, where each part that is a structure and is not known is one with marks.
    fn blocks(&mut self, document: Json, because: &Value) -> Option<Json> {
        let Json::Object(members) = document else { return None };
        let mut out = Members::new();
        for (name, member) in members {
            let member = match member {
                Json::Array(statements) if name.eq_ignore_ascii_case("Statement") => {
                    let statements =
                        statements.into_iter().map(|statement| self.statement(statement, because));
                    Json::Array(statements.collect::<Option<_>>()?)
                }
                other => other,
            };
            out.insert(name, member);
        }
        Some(Json::Object(out))
    }

    fn statement(&mut self, statement: Json, because: &Value) -> Option<Json> {
        let one = |key: String, value: Json| Json::Object(Members::from_iter([(key, value)]));
        let members = match statement {
            Json::Object(members) => members,
            // Another one, or several, or none.
            Json::String(_) => return Some(one("Sid".to_owned(), self.mark_any(because)?.into())),
            _ => return None,
        };
        let mut out = Members::new();
        for (name, member) in members {
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            let hidden = member.as_str().is_some_and(is_marked);
            let member = if hidden && (is("Principal") || is("NotPrincipal")) {
                one(self.mark_any(because)?, "".into())
            } else if hidden && is("Condition") {
                one(self.mark_any(because)?, one(String::new(), "".into()))
            } else {
                member
            };
            out.insert(name, member);
        }
        Some(Json::Object(out))
    }

    /// What a document says, with its holes as they are.
    pub(super) fn show(&self, document: &Document) -> Option<Value> {
        let is_any = |statement: &Statement| is_marked(&statement.sid) && statement.effect.is_empty();
        let has_any = document.statements.iter().any(is_any);
        if has_any && document.statements.len() < 2 {
            return None;
        }
        let Json::Object(members) = serde_json::to_value(document).ok()? else { return None };
        let mut out = Vec::with_capacity(members.len());
        for (name, member) in &members {
            let value = match (name.as_str(), member) {
                ("Statement", Json::Array(statements)) => {
                    let shown = document.statements.iter().zip(statements).map(|(statement, json)| {
                        if is_any(statement) { self.leaf(&statement.sid) } else { self.value(json) }
                    });
                    let shown: Vec<Value> = shown.collect::<Option<_>>()?;
                    if has_any { Kind::Set(shown.into()).into() } else { Value::tuple(shown) }
                }
                // The version and the id of one document or another.
                (_, Json::String(text)) if is_marked(text) => self.leaf(text)?,
                (_, member) => self.value(member)?,
            };
            out.push((name.as_str().into(), value));
        }
        Some(Value::object(out))
    }

    /// What is in a text with marks is not known, and what is around it does not matter.
    fn leaf(&self, text: &str) -> Option<Value> {
        let holes = self.pieces(text)?;
        let holes: Vec<&Value> = holes.iter().filter_map(Piece::hole).collect();
        Some(Value::from_unknown(Unknown::of_operands(&holes)))
    }

    fn value(&self, json: &Json) -> Option<Value> {
        Some(match json {
            Json::Null => Value::NULL,
            Json::Bool(truth) => Value::bool(*truth),
            Json::Number(number) => Value::number(Number::parse(&number.to_string())?),
            Json::String(text) if is_marked(text) => {
                let pieces = self.pieces(text)?;
                match pieces.as_slice() {
                    [Piece::Hole(only)] => only.clone(),
                    _ => Value::spelled(pieces),
                }
            }
            Json::String(text) => Value::string(text.as_str()),
            Json::Array(items) => {
                let values: Vec<Value> = items.iter().map(|item| self.value(item)).collect::<Option<_>>()?;
                // They are sorted, and what is not known may come anywhere.
                let sorted = items.iter().any(|item| item.as_str().is_some_and(is_marked));
                if sorted { Kind::Set(values.into()).into() } else { Value::tuple(values) }
            }
            Json::Object(members) => {
                if let Some(key) = members.keys().find(|key| is_marked(key)) {
                    return self.leaf(key);
                }
                // `{ "*" = "*" }` is written as `"*"`.
                if let Some(text) = members.get("*").map(ToString::to_string).filter(|text| is_marked(text)) {
                    return self.leaf(&text);
                }
                let entries =
                    members.iter().map(|(key, item)| Some((key.as_str().into(), self.value(item)?)));
                Value::object(entries.collect::<Option<Vec<_>>>()?)
            }
        })
    }

    /// The pieces of a text with marks.
    fn pieces(&self, text: &str) -> Option<Vec<Piece>> {
        let mut parts = text.split(OPEN);
        let mut pieces = vec![Piece::Text(parts.next()?.into())];
        for part in parts {
            let (at, after) = part.split_once(CLOSE)?;
            pieces.push(Piece::Hole(self.values.get(at.parse::<usize>().ok()?)?.clone()));
            pieces.push(Piece::Text(after.into()));
        }
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Some(pieces)
    }
}

/// Whether statements of one document may replace those of another in a way that is not known.
pub(super) fn may_replace(documents: &[Document]) -> bool {
    let named = |document: &Document| document.statements.iter().any(|statement| !statement.sid.is_empty());
    documents.iter().enumerate().any(|(at, document)| {
        let hidden = document.statements.iter().filter(|statement| is_marked(&statement.sid));
        // One that stands for any is not missed if it is replaced.
        let (any, certain): (Vec<_>, Vec<_>) = hidden.partition(|statement| statement.effect.is_empty());
        let before = documents.iter().take(at).any(named);
        let after = documents.iter().skip(at + 1).any(named);
        let beside =
            at > 0 && document.statements.iter().filter(|statement| !statement.sid.is_empty()).count() > 1;
        !any.is_empty() && (before || beside) || !certain.is_empty() && (before || after || beside)
    })
}
