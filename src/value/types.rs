//! Terraform's types: of values, of constraints, and the one that several have in common.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use super::{Kind, Unknown, Value};

/// A type, or a type constraint where it comes from a `type =` argument.
#[derive(Clone, Debug, Default)]
pub enum Type {
    /// Not known, or `any`.
    #[default]
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Type>),
    /// `set(T)`
    Set(Arc<Type>),
    /// `map(T)`
    Map(Arc<Type>),
    /// `tuple([T, …])`
    Tuple(Arc<[Type]>),
    /// `object({ … })`, sorted by name.
    Object(Arc<[Field]>),
}

/// An attribute of an object type.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: SmolStr,
    /// Its type.
    pub ty: Type,
    /// `optional(T)`: it may be left out.
    pub optional: bool,
    /// `optional(T, default)`: what it is when left out.
    pub default: Option<Value>,
}

impl Type {
    /// `list(T)`
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// `set(T)`
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// `map(T)`
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// `object({ … })` of required attributes.
    pub fn object(fields: impl IntoIterator<Item = (SmolStr, Self)>) -> Self {
        let mut fields: Vec<_> =
            fields.into_iter().map(|(name, ty)| Field { name, ty, optional: false, default: None }).collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Self::Object(fields.into())
    }

    /// The type of `value`. Values do not keep the type of a null or of an empty collection's elements: those are
    /// [`Type::Any`].
    pub fn of(value: &Value) -> Self {
        let element = |items: &[Value]| {
            // Elements have one type; they differ only in what their nulls and unknowns do not tell.
            let mut ty = Self::Any;
            for item in items {
                ty = ty.refine(Self::of(item));
                if !ty.has_any() {
                    break;
                }
            }
            ty
        };
        match &value.kind {
            Kind::Null => Self::Any,
            Kind::Bool(_) => Self::Bool,
            Kind::Number(_) => Self::Number,
            Kind::String(_) => Self::String,
            Kind::List(items) => Self::list(element(items)),
            Kind::Set(items) => Self::set(element(items)),
            Kind::Tuple(items) => Self::Tuple(items.iter().map(Self::of).collect()),
            Kind::Map(map) => {
                let mut ty = Self::Any;
                for value in map.values() {
                    ty = ty.refine(Self::of(value));
                    if !ty.has_any() {
                        break;
                    }
                }
                Self::map(ty)
            }
            Kind::Object(map) => {
                Self::object(map.iter().map(|(name, value)| (name.clone(), Self::of(value))))
            }
            Kind::Unknown(unknown) => unknown.ty.clone(),
        }
    }

    /// This type, to which `value` is to be converted and which was found by the types of its parts. A part whose type is not
    /// known may yet change it, wherever it is no string: all else converts to that, or is an error.
    #[must_use]
    pub fn loosened(self, value: &Value) -> Self {
        let each = |element: Arc<Self>| {
            let element = (*element).clone();
            Arc::new(parts_of(value).iter().fold(element, Type::loosened))
        };
        match (self, &value.kind) {
            (this @ (Self::Any | Self::String), _) | (this, Kind::Null) => this,
            (_, Kind::Unknown(unknown)) if unknown.ty == Self::Any => Self::Any,
            (Self::List(element), _) => Self::List(each(element)),
            (Self::Set(element), _) => Self::Set(each(element)),
            (Self::Map(element), _) => Self::Map(each(element)),
            // They are found of tuples of one length and of objects of the same attributes.
            (Self::Tuple(types), _) => {
                let parts = parts_of(value);
                let loosen = |(at, ty): (usize, &Self)| match parts.get(at) {
                    Some(part) => ty.clone().loosened(part),
                    None => ty.clone(),
                };
                Self::Tuple(types.iter().enumerate().map(loosen).collect())
            }
            (Self::Object(fields), _) => {
                let parts = parts_of(value);
                let loosen = |(at, field): (usize, &Field)| match parts.get(at) {
                    Some(part) => Field { ty: field.ty.clone().loosened(part), ..field.clone() },
                    None => field.clone(),
                };
                Self::Object(fields.iter().enumerate().map(loosen).collect())
            }
            (this, _) => this,
        }
    }

    /// The one word for what it is: `tuple`, `object`, `string`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Map(_) => "map",
            Self::Tuple(_) => "tuple",
            Self::Object(_) => "object",
        }
    }

    /// Whether it is `bool`, `number` or `string`.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// Whether some part of it is not known.
    pub fn has_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_any(),
            Self::Tuple(items) => items.iter().any(Self::has_any),
            Self::Object(fields) => fields.iter().any(|field| field.ty.has_any()),
        }
    }

    /// The type of what is reached by an index or a name that is not known.
    #[must_use]
    pub fn element(&self) -> Self {
        match self {
            Self::List(element) | Self::Set(element) | Self::Map(element) => (**element).clone(),
            _ => Self::Any,
        }
    }

    /// The type of the attribute `name`; [`None`] if it certainly has none of this name.
    pub fn attribute(&self, name: &str) -> Option<Self> {
        match self {
            Self::Any => Some(Self::Any),
            Self::Map(element) => Some((**element).clone()),
            Self::Object(fields) => fields.iter().find(|f| f.name == name).map(|f| f.ty.clone()),
            _ => None,
        }
    }

    /// Whether no value can have both types.
    pub fn conflicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => false,
            (Self::List(a), Self::List(b)) | (Self::Set(a), Self::Set(b)) | (Self::Map(a), Self::Map(b)) => {
                a.conflicts(b)
            }
            (Self::Tuple(a), Self::Tuple(b)) => {
                a.len() != b.len() || a.iter().zip(b.iter()).any(|(a, b)| a.conflicts(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                a.len() != b.len()
                    || a.iter().zip(b.iter()).any(|(a, b)| a.name != b.name || a.ty.conflicts(&b.ty))
            }
            _ => std::mem::discriminant(self) != std::mem::discriminant(other),
        }
    }

    /// This type with what is not known of it taken from `other`.
    #[must_use]
    pub fn refine(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, other) => other,
            (Self::List(a), Self::List(b)) if a.has_any() => Self::list((*a).clone().refine((*b).clone())),
            (Self::Set(a), Self::Set(b)) if a.has_any() => Self::set((*a).clone().refine((*b).clone())),
            (Self::Map(a), Self::Map(b)) if a.has_any() => Self::map((*a).clone().refine((*b).clone())),
            (Self::Tuple(a), Self::Tuple(b)) if a.len() == b.len() => {
                Self::Tuple(a.iter().zip(b.iter()).map(|(a, b)| a.clone().refine(b.clone())).collect())
            }
            (Self::Object(a), Self::Object(b)) if a.len() == b.len() => Self::Object(
                a.iter()
                    .zip(b.iter())
                    .map(|(a, b)| {
                        let ty =
                            if a.name == b.name { a.ty.clone().refine(b.ty.clone()) } else { a.ty.clone() };
                        Field { ty, ..a.clone() }
                    })
                    .collect(),
            ),
            (this, _) => this,
        }
    }
}

/// The type that values of all these types convert to, as for the branches of a conditional or the elements of a list.
/// [`Type::Any`], which is also the type of `null`, fits to any.
pub fn unify(types: &[Type]) -> Option<Type> {
    let known: Vec<&Type> = types.iter().filter(|ty| !matches!(ty, Type::Any)).collect();
    let Some((&first, rest)) = known.split_first() else {
        return Some(Type::Any);
    };
    if rest.iter().all(|&ty| ty == first) && !first.has_any() {
        return Some(first.clone());
    }
    if known.iter().all(|ty| ty.is_primitive()) {
        let text = known.iter().any(|ty| matches!(ty, Type::String));
        return (text || rest.iter().all(|&ty| ty == first))
            .then(|| if text { Type::String } else { first.clone() });
    }
    let all = |accepts: fn(&Type) -> bool| known.iter().all(|ty| accepts(ty));
    let any = |accepts: fn(&Type) -> bool| known.iter().any(|ty| accepts(ty));
    if all(|ty| matches!(ty, Type::Object(_))) {
        unify_objects(&known)
    } else if all(|ty| matches!(ty, Type::Map(_) | Type::Object(_))) {
        unify(&parts(&known)).map(Type::map)
    } else if all(|ty| matches!(ty, Type::Tuple(_))) {
        unify_tuples(&known)
    } else if all(|ty| matches!(ty, Type::List(_) | Type::Set(_) | Type::Tuple(_))) {
        let element = unify(&parts(&known))?;
        Some(if any(|ty| matches!(ty, Type::List(_))) { Type::list(element) } else { Type::set(element) })
    } else {
        None
    }
}

/// All that `value` holds; of one that is not known, unknowns of the types that it holds.
fn parts_of(value: &Value) -> Vec<Value> {
    match (&value.kind, value.items(), value.map()) {
        (_, Some(items), _) => items.to_vec(),
        (_, _, Some(map)) => map.values().cloned().collect(),
        (Kind::Unknown(unknown), ..) => parts(&[&unknown.ty])
            .into_iter()
            .map(|ty| Value::from_unknown(Unknown { ty, ..Unknown::new(unknown.cause.clone()) }))
            .collect(),
        _ => Vec::new(),
    }
}

/// The types of all that values of `types` hold.
fn parts(types: &[&Type]) -> Vec<Type> {
    let mut out = Vec::new();
    for ty in types {
        match ty {
            Type::List(element) | Type::Set(element) | Type::Map(element) => out.push((**element).clone()),
            Type::Tuple(items) => out.extend(items.iter().cloned()),
            Type::Object(fields) => out.extend(fields.iter().map(|field| field.ty.clone())),
            _ => {}
        }
    }
    out
}

fn unify_objects(types: &[&Type]) -> Option<Type> {
    let objects: Vec<&[Field]> = types
        .iter()
        .filter_map(|ty| if let Type::Object(fields) = ty { Some(&**fields) } else { None })
        .collect();
    let (first, rest) = objects.split_first()?;
    let same = |other: &&[Field]| {
        other.len() == first.len() && other.iter().zip(first.iter()).all(|(a, b)| a.name == b.name)
    };
    if !rest.iter().all(same) {
        return unify(&parts(types)).map(Type::map);
    }
    let fields = first.iter().enumerate().map(|(at, field)| {
        let column: Vec<Type> = objects.iter().filter_map(|o| o.get(at)).map(|f| f.ty.clone()).collect();
        unify(&column).map(|ty| (field.name.clone(), ty))
    });
    fields.collect::<Option<Vec<_>>>().map(Type::object)
}

fn unify_tuples(types: &[&Type]) -> Option<Type> {
    let tuples: Vec<&[Type]> = types
        .iter()
        .filter_map(|ty| if let Type::Tuple(items) = ty { Some(&**items) } else { None })
        .collect();
    let (first, rest) = tuples.split_first()?;
    if !rest.iter().all(|other| other.len() == first.len()) {
        return unify(&parts(types)).map(Type::list);
    }
    let items = (0..first.len()).map(|at| {
        let column: Vec<Type> = tuples.iter().filter_map(|tuple| tuple.get(at)).cloned().collect();
        unify(&column)
    });
    items.collect::<Option<Vec<_>>>().map(|items| Type::Tuple(items.into()))
}

impl PartialEq for Type {
    /// Whether they are the same type; which attributes of an object may be left out is no part of a type.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) | (Self::Set(a), Self::Set(b)) | (Self::Map(a), Self::Map(b)) => {
                a == b
            }
            (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.name == b.name && a.ty == b.ty)
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for Type {
    /// As a type constraint is written: `map(object({ a = optional(string) }))`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(element) | Self::Set(element) | Self::Map(element) => {
                write!(f, "{}({element})", self.word())
            }
            Self::Tuple(items) => {
                f.write_str("tuple([")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Self::Object(fields) if fields.is_empty() => f.write_str("object({})"),
            Self::Object(fields) => {
                f.write_str("object({ ")?;
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    if field.optional {
                        write!(f, "{comma}{} = optional({})", field.name, field.ty)?;
                    } else {
                        write!(f, "{comma}{} = {}", field.name, field.ty)?;
                    }
                }
                f.write_str(" })")
            }
            _ => f.write_str(self.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(items: &[Type]) -> Type {
        Type::Tuple(items.into())
    }

    fn object(fields: &[(&str, Type)]) -> Type {
        Type::object(fields.iter().map(|(name, ty)| ((*name).into(), ty.clone())))
    }

    #[test]
    fn primitives_meet_in_string() {
        assert_eq!(unify(&[Type::Number, Type::Bool, Type::String]), Some(Type::String));
        assert_eq!(unify(&[Type::Number, Type::Bool]), None);
        assert_eq!(unify(&[Type::Any, Type::Bool]), Some(Type::Bool));
        assert_eq!(unify(&[]), Some(Type::Any));
    }

    #[test]
    fn structures_meet_as_in_a_conditional() {
        use Type::{Any, Number, String};
        assert_eq!(unify(&[tuple(&[Number]), tuple(&[String])]), Some(tuple(&[String])));
        assert_eq!(unify(&[tuple(&[Number]), tuple(&[])]), Some(Type::list(Number)));
        assert_eq!(unify(&[tuple(&[Number]), Type::set(String)]), Some(Type::set(String)));
        assert_eq!(unify(&[Type::list(Number), Type::set(String)]), Some(Type::list(String)));
        assert_eq!(unify(&[object(&[("a", Number)]), object(&[("b", String)])]), Some(Type::map(String)));
        assert_eq!(unify(&[object(&[("a", Number)]), object(&[("a", Any)])]), Some(object(&[("a", Number)])));
        assert_eq!(unify(&[object(&[("a", Number)]), tuple(&[Number])]), None);
        assert_eq!(unify(&[object(&[("a", tuple(&[Number]))]), object(&[("b", Number)])]), None);
        assert_eq!(unify(&[Type::list(Any), Type::list(Number)]), Some(Type::list(Number)));
    }

    #[test]
    fn what_has_no_known_type_loosens_all_but_strings() {
        use Type::{Any, Number, String};
        let open = || Value::unknown(crate::value::Cause::Plan);
        let loosened = |ty: Type, value: &Value| ty.loosened(value);
        let pair = Value::tuple([open(), Value::int(1)]);
        assert_eq!(loosened(Type::list(Number), &pair), Type::list(Any));
        assert_eq!(loosened(Type::list(String), &pair), Type::list(String));
        assert_eq!(loosened(tuple(&[Number, Number]), &pair), tuple(&[Any, Number]));
        assert_eq!(loosened(Type::list(Number), &Value::tuple([Value::NULL])), Type::list(Number));
        let inner = Value::object([("a".into(), pair), ("b".into(), Value::int(2))]);
        let ty = object(&[("a", Type::list(Number)), ("b", Number)]);
        assert_eq!(loosened(ty.clone(), &inner), object(&[("a", Type::list(Any)), ("b", Number)]));
        let unknown = Value::from_unknown(Unknown { ty, ..Unknown::new(crate::value::Cause::Plan) });
        assert_eq!(loosened(Type::map(Number), &unknown), Type::map(Number));
    }

    #[test]
    fn types_are_written_as_constraints() {
        let ty =
            Type::map(object(&[("b", Type::list(Type::String)), ("a", tuple(&[Type::Any, Type::Bool]))]));
        assert_eq!(ty.to_string(), "map(object({ a = tuple([any, bool]), b = list(string) }))");
    }

    #[test]
    fn the_type_of_elements_is_what_any_of_them_tells() {
        let value = Value::from(Kind::List([Value::NULL, Value::int(1)].into()));
        assert_eq!(Type::of(&value), Type::list(Type::Number));
    }
}
