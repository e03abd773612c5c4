//! Expressions of unknowns, evaluated and shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use airgate::eval::{Mode, Scope, try_evaluate};
use airgate::hcl::parse_expression;
use airgate::source::Sources;
use airgate::value::{Cause, Element, Field, Kind, Partial, Piece, Reference, Times, Type, Unknown, Value};

/// The names of an expression.
pub(crate) struct Names(pub(crate) BTreeMap<&'static str, Value>);

impl Scope for Names {
    fn lookup(&self, root: &str, _: &[&str]) -> Result<(Value, usize), String> {
        match self.0.get(root) {
            Some(value) => Ok((value.clone(), 0)),
            None => Err(format!("`{root}` is not declared")),
        }
    }
}

fn object_type() -> Type {
    let field = |name: &str, ty| Field { name: name.into(), ty, optional: false, default: None };
    Type::Object([field("a", Type::String), field("b", Type::Number)].into())
}

/// The unknowns and their types.
fn types() -> Vec<(&'static str, Type)> {
    vec![
        ("u1", Type::String),
        ("u2", Type::String),
        ("u3", Type::String),
        ("n1", Type::Number),
        ("b1", Type::Bool),
        ("b2", Type::Bool),
        ("l1", Type::list(Type::String)),
        ("o1", object_type()),
        ("any", Type::Any),
    ]
}

/// `u1` is an attribute, all else are variables; only `any` may be null, for a null here has no type.
pub(crate) fn unknowns() -> Names {
    let value = |name: &'static str, ty: Type| {
        let reference = Arc::new(Reference { resource: "t.u".into(), attribute: name.into() });
        let is_attribute = name == "u1";
        let cause =
            if is_attribute { Cause::Resource(Arc::clone(&reference)) } else { Cause::Variable(name.into()) };
        let unknown = Unknown { ty, not_null: name != "any", ..Unknown::new(cause) };
        Value { reference: is_attribute.then_some(reference), ..Value::from_unknown(unknown) }
    };
    Names(types().into_iter().map(|(name, ty)| (name, value(name, ty))).collect())
}

pub(crate) fn evaluate(text: &str, names: &Names, mode: Mode) -> Result<Value, String> {
    let mut sources = Sources::default();
    let file = sources.add("x.tf", text);
    let arena = bumpalo::Bump::new();
    let (expr, diagnostics) = parse_expression(text, file, &arena);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    try_evaluate(&expr, file, names, mode).map_err(|error| error.message)
}

/// In few signs: an attribute that is not known is its name, all else that is not known a question mark.
pub(crate) fn show(value: &Value) -> String {
    let list = |items: &[Value]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(truth) => truth.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => format!("'{text}'"),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => format!("[{}]", list(items)),
        Kind::Map(map) | Kind::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Kind::Unknown(unknown) => match &unknown.partial {
            Some(Partial::Template(pieces)) => {
                let piece = |piece: &Piece| match piece {
                    Piece::Text(text) => text.to_string(),
                    Piece::Hole(hole) => format!("${{{}}}", show(hole)),
                };
                format!("'{}'", pieces.iter().map(piece).collect::<String>())
            }
            Some(Partial::Json(value)) => format!("json {}", show(value)),
            Some(Partial::Choice(all)) => {
                format!("({})", all.iter().map(show).collect::<Vec<_>>().join(" | "))
            }
            Some(Partial::Elements(all)) => {
                let element = |element: &Element| match element.times {
                    Times::Once => show(&element.value),
                    Times::Perhaps => format!("perhaps {}", show(&element.value)),
                    Times::Any => format!("any {}", show(&element.value)),
                };
                format!("[{}]", all.iter().map(element).collect::<Vec<_>>().join(", "))
            }
            None => match &value.reference {
                Some(reference) => reference.attribute.to_string(),
                None => "?".to_owned(),
            },
        },
    }
}
