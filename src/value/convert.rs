//! Conversion of a value to a type, implicit or by a constraint.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{Field, Kind, Map, Number, Type, Unknown, Value, set_items, unify};

/// What a value that does not convert gets: a sentence part such as `a number is required`. It has no content of the
/// value in it.
type Mismatch = String;

/// `value` as a `ty`. Marks, origin and reference stay; an unknown stays unknown, of the new type.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, Mismatch> {
    if matches!(ty, Type::Any) {
        return Ok(value.clone());
    }
    let converted: Value = match &value.kind {
        Kind::Null => return Ok(value.clone()),
        Kind::Unknown(unknown) => match empty(unknown, ty) {
            Some(empty) => empty.into(),
            None => Kind::Unknown(convert_unknown(unknown, ty)?).into(),
        },
        kind => convert_known(kind, ty)?,
    };
    Ok(Value {
        kind: converted.kind,
        sensitive: value.sensitive || converted.sensitive,
        origin: value.origin,
        reference: value.reference.clone(),
        via: value.via.clone(),
    })
}

/// As [`convert`], for a known value that is no null; only the kind and the mark of the result matter.
fn convert_known(kind: &Kind, ty: &Type) -> Result<Value, Mismatch> {
    Ok(match (ty, kind) {
        (Type::Bool, kind @ Kind::Bool(_))
        | (Type::Number, kind @ Kind::Number(_))
        | (Type::String, kind @ Kind::String(_)) => kind.clone().into(),
        (Type::Bool, Kind::String(text)) => match text.as_str() {
            "true" | "1" => Value::bool(true),
            "false" | "0" => Value::bool(false),
            _ => return Err("a bool is required".to_owned()),
        },
        (Type::Number, Kind::String(text)) => {
            Kind::Number(Number::parse(text).ok_or("a number is required")?).into()
        }
        (Type::String, Kind::Bool(value)) => Value::string(if *value { "true" } else { "false" }),
        (Type::String, Kind::Number(value)) => Value::string(smol_str::format_smolstr!("{value}")),
        (Type::List(element), Kind::Set(items))
            if items.len() > 1 && !items.iter().all(Value::is_wholly_known) =>
        {
            // What is unknown may come anywhere, and may be equal to another element.
            let operands: Vec<&Value> = items.iter().collect();
            let elements = items.iter().map(|item| convert_type(&Type::of(item), element));
            let element = unify(&elements.collect::<Result<Vec<_>, _>>()?).unwrap_or_default();
            Value::unknown_from(&operands, Type::list(element))
        }
        (Type::List(element), Kind::List(items) | Kind::Tuple(items)) if all_have(items.iter(), element) => {
            Kind::List(Arc::clone(items)).into()
        }
        (Type::List(element), Kind::List(items) | Kind::Set(items) | Kind::Tuple(items)) => {
            Kind::List(convert_elements(items, element, "list")?.into()).into()
        }
        (Type::Set(element), Kind::List(items) | Kind::Set(items) | Kind::Tuple(items)) => {
            let (items, sensitive) = set_items(convert_elements(items, element, "set")?);
            Value::from(Kind::Set(items)).mark(sensitive)
        }
        (Type::Map(element), Kind::Map(map) | Kind::Object(map)) if all_have(map.values(), element) => {
            Kind::Map(Arc::clone(map)).into()
        }
        (Type::Map(element), Kind::Map(map) | Kind::Object(map)) => {
            Kind::Map(Arc::new(map.try_map(|values| convert_elements(values, element, "map"))?)).into()
        }
        (Type::Tuple(types), Kind::List(items) | Kind::Tuple(items)) if types.len() == items.len() => {
            let items = items.iter().zip(types.iter()).map(|(item, ty)| convert(item, ty));
            Kind::Tuple(items.collect::<Result<_, _>>()?).into()
        }
        (Type::Object(_), kind @ Kind::Object(map)) if has_type(kind, ty) => {
            Kind::Object(Arc::clone(map)).into()
        }
        (Type::Object(fields), Kind::Map(map) | Kind::Object(map)) => {
            Kind::Object(Arc::new(convert_object(map, fields)?)).into()
        }
        (ty, _) => return Err(format!("{} required", ty.word())),
    })
}

/// Whether conversion to `ty` leaves the value as it is: parts that have their type already are shared, not made again. It
/// says no where that takes more to tell.
fn has_type(kind: &Kind, ty: &Type) -> bool {
    match (ty, kind) {
        (Type::Any, _)
        | (_, Kind::Null)
        | (Type::Bool, Kind::Bool(_))
        | (Type::Number, Kind::Number(_))
        | (Type::String, Kind::String(_)) => true,
        (Type::Bool | Type::Number | Type::String, Kind::Unknown(unknown)) => {
            unknown.ty == *ty && unknown.alternatives().is_none()
        }
        (Type::List(element), Kind::List(items)) => all_have(items.iter(), element),
        (Type::Map(element), Kind::Map(map)) => all_have(map.values(), element),
        (Type::Object(fields), Kind::Object(map)) => {
            fields.len() == map.len()
                && fields.iter().zip(map.iter()).all(|(field, (name, value))| {
                    field.name == *name
                        // What may be null may stand for the default.
                        && (field.default.is_none() || !value.is_null() && !value.is_unknown())
                        && has_type(&value.kind, &field.ty)
                })
        }
        _ => false,
    }
}

/// As [`has_type`], of all elements. What type `any` is the elements tell together.
fn all_have<'v>(elements: impl IntoIterator<Item = &'v Value>, ty: &Type) -> bool {
    !ty.has_any() && elements.into_iter().all(|element| has_type(&element.kind, ty))
}

/// Elements to one type, found from them where `ty` leaves it open.
fn convert_elements(items: &[Value], ty: &Type, collection: &str) -> Result<Vec<Value>, Mismatch> {
    let to = |items: &[Value], ty: &Type| -> Result<Vec<Value>, Mismatch> {
        items.iter().map(|item| convert(item, ty)).collect()
    };
    let items = to(items, ty)?;
    if !ty.has_any() {
        return Ok(items);
    }
    let types: Vec<Type> = items.iter().map(Type::of).collect();
    let common = unify(&types).ok_or_else(|| format!("all {collection} elements must have the same type"))?;
    if common.has_any() && types.iter().all(|ty| *ty == common) { Ok(items) } else { to(&items, &common) }
}

/// Drops what is no attribute of the type, and sets what is optional and absent or null.
fn convert_object(map: &Map, fields: &[Field]) -> Result<Map, Mismatch> {
    let convert_field = |field: &Field| -> Result<Value, Mismatch> {
        let given = map.get(&field.name);
        let value = match (given, &field.default) {
            (None, _) if !field.optional => return Err(format!("attribute `{}` is required", field.name)),
            // Whoever wrote the null caused the default; it is shown where the default stands.
            (Some(value), Some(default)) => &value.or_default(default),
            (Some(value), _) => value,
            (None, Some(default)) => default,
            (None, None) => &Value::NULL,
        };
        convert(value, &field.ty).map_err(|why| format!("attribute `{}`: {why}", field.name))
    };
    let values = fields.iter().map(convert_field).collect::<Result<_, _>>()?;
    Ok(Map::of(fields.iter().map(|field| field.name.as_str()), values))
}

/// The collection that a tuple or an object without elements becomes, though it is not known itself: there is only one.
fn empty(unknown: &Unknown, ty: &Type) -> Option<Kind> {
    Some(match (&unknown.ty, ty) {
        _ if !unknown.not_null => return None,
        (Type::Tuple(none), Type::List(_)) if none.is_empty() => Kind::List([].into()),
        (Type::Tuple(none), Type::Set(_)) if none.is_empty() => Kind::Set([].into()),
        (Type::Object(none), Type::Map(_)) if none.is_empty() => Kind::Map(Arc::default()),
        _ => return None,
    })
}

/// The unknown of the new type, if a value of its type could convert.
fn convert_unknown(unknown: &Arc<Unknown>, ty: &Type) -> Result<Arc<Unknown>, Mismatch> {
    let target = convert_type(&unknown.ty, ty)?;
    // Types that are equal may still have other defaults, which alternatives take.
    if target == unknown.ty && unknown.alternatives().is_none() {
        return Ok(Arc::clone(unknown));
    }
    let partial = unknown.partial.as_ref().and_then(|partial| partial.convert(ty));
    let prefix = match (&unknown.ty, ty) {
        (Type::String | Type::Any, Type::String) => unknown.prefix.clone(),
        _ => SmolStr::default(),
    };
    Ok(Arc::new(Unknown { ty: target, prefix, partial, ..(**unknown).clone() }))
}

/// The type that values of type `from` have after conversion to `to`.
fn convert_type(from: &Type, to: &Type) -> Result<Type, Mismatch> {
    let elements = |types: &[Type], to: &Type| -> Result<Type, Mismatch> {
        let types = types.iter().map(|ty| convert_type(ty, to)).collect::<Result<Vec<_>, _>>()?;
        unify(&types).ok_or_else(|| "all elements must have the same type".to_owned())
    };
    let mismatch = || Err(format!("{} required", to.word()));
    Ok(match (to, from) {
        (Type::Any, _) => from.clone(),
        (_, Type::Any) => to.clone(),
        (Type::Bool, Type::Bool | Type::String)
        | (Type::Number, Type::Number | Type::String)
        | (Type::String, Type::Bool | Type::Number | Type::String) => to.clone(),
        (Type::List(to), Type::List(from) | Type::Set(from)) => Type::list(convert_type(from, to)?),
        (Type::Set(to), Type::List(from) | Type::Set(from)) => Type::set(convert_type(from, to)?),
        (Type::Map(to), Type::Map(from)) => Type::map(convert_type(from, to)?),
        (Type::List(to), Type::Tuple(from)) => Type::list(elements(from, to)?),
        (Type::Set(to), Type::Tuple(from)) => Type::set(elements(from, to)?),
        (Type::Map(to), Type::Object(from)) => {
            let types: Vec<Type> = from.iter().map(|field| field.ty.clone()).collect();
            Type::map(elements(&types, to)?)
        }
        (Type::Tuple(to), Type::Tuple(from)) if to.len() == from.len() => {
            let types = to.iter().zip(from.iter()).map(|(to, from)| convert_type(from, to));
            Type::Tuple(types.collect::<Result<_, _>>()?)
        }
        (Type::Object(_), Type::Map(_)) => to.clone(),
        (Type::Object(fields), Type::Object(from)) => {
            let convert_field = |field: &Field| -> Result<Field, Mismatch> {
                let ty = match from.iter().find(|other| other.name == field.name) {
                    Some(other) => convert_type(&other.ty, &field.ty)?,
                    None if field.optional => field.ty.clone(),
                    None => return Err(format!("attribute `{}` is required", field.name)),
                };
                Ok(Field { ty, ..field.clone() })
            };
            Type::Object(fields.iter().map(convert_field).collect::<Result<_, _>>()?)
        }
        _ => return mismatch(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::value::{Cause, Reference, Truth, equal};

    fn same(a: &Value, b: &Value) -> bool {
        equal(a, b) == Truth::Yes
    }

    fn field(name: &str, ty: Type, default: Option<Value>) -> Field {
        Field { name: name.into(), ty, optional: true, default }
    }

    #[test]
    fn primitives_convert_where_nothing_is_lost() {
        assert!(same(&convert(&Value::string("1"), &Type::Bool).unwrap(), &Value::bool(true)));
        assert!(same(&convert(&Value::string("1e3"), &Type::Number).unwrap(), &Value::int(1000)));
        assert!(same(&convert(&Value::bool(true), &Type::String).unwrap(), &Value::string("true")));
        assert_eq!(convert(&Value::string("x"), &Type::Number).unwrap_err(), "a number is required");
        assert_eq!(convert(&Value::int(1), &Type::Bool).unwrap_err(), "bool required");
    }

    #[test]
    fn sets_are_ordered_and_without_duplicates() {
        let set = convert(
            &Value::tuple([Value::string("b"), Value::int(1), Value::string("b"), Value::NULL]),
            &Type::set(Type::Any),
        );
        let items: Vec<_> =
            set.unwrap().items().unwrap().iter().map(|v| v.as_str().map(str::to_owned)).collect();
        assert_eq!(items, [Some("1".to_owned()), Some("b".to_owned()), None]);
    }

    #[test]
    fn objects_take_defaults_for_what_is_absent_or_null_and_drop_the_rest() {
        let ty = Type::Object(
            [
                field("a", Type::String, Some(Value::int(7))),
                field("b", Type::Bool, Some(Value::bool(true))),
                field("c", Type::Any, None),
            ]
            .into(),
        );
        let given = Value::object([("b".into(), Value::NULL), ("x".into(), Value::int(1))]);
        let object = convert(&given, &ty).unwrap();
        let expected = Value::object([
            ("a".into(), Value::string("7")),
            ("b".into(), Value::bool(true)),
            ("c".into(), Value::NULL),
        ]);
        assert!(same(&object, &expected), "{object:?}");
        let required = Type::object([("a".into(), Type::String)]);
        assert_eq!(convert(&Value::object([]), &required).unwrap_err(), "attribute `a` is required");
    }

    #[test]
    fn marks_references_and_causes_survive() {
        let reference = Arc::new(Reference { resource: "aws_x.y".into(), attribute: "n".into() });
        let mut value = Value::unknown(Cause::Resource(reference.clone())).mark(true);
        value.reference = Some(reference.clone());
        let list = convert(&Value::tuple([value, Value::int(1)]), &Type::list(Type::String)).unwrap();
        let [first, second] = list.items().unwrap() else { panic!("two elements") };
        assert!(first.sensitive && !second.sensitive);
        assert_eq!(first.reference.as_ref(), Some(&reference));
        assert_eq!(first.as_unknown().unwrap().ty, Type::String);
        assert_eq!(first.as_unknown().unwrap().cause, Cause::Resource(reference));
    }

    #[test]
    fn unknowns_of_a_type_that_does_not_convert_are_refused() {
        let number = Value::from_unknown(Unknown { ty: Type::Number, ..Unknown::new(Cause::Plan) });
        assert!(convert(&number, &Type::Bool).is_err());
        assert!(convert(&number, &Type::list(Type::Any)).is_err());
    }
}
