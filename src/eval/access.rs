//! Names, attributes, indexes and splats; how a reference grows with each step.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use super::evaluator::{Eval, Evaluator, Names, error, optional, static_error, unless_wrong};
use super::lift::{is_choice, one, two};
use crate::hcl::ast::{Expr, ExprKind, Step};
use crate::source::Span;
use crate::value::{Cause, Element, Kind, Reference, Times, Type, Unknown, Value, convert};

/// One step as references write it.
enum Path<'p> {
    Attribute(&'p str),
    Index(usize),
    Key(&'p str),
    /// An index that is not known, or an element of a set, which has none.
    Some,
}

impl Evaluator<'_> {
    /// The value of a name or of steps after an expression.
    pub(super) fn access(&self, expr: &Expr<'_>, names: Option<&Names<'_>>) -> Eval {
        let (base, steps) = match expr.kind {
            ExprKind::Access { base, steps } => (base, steps),
            _ => (expr, [].as_slice()),
        };
        let ExprKind::Variable(root) = base.kind else {
            return self.steps(self.eval(base, names)?, steps, names);
        };
        if let Some(value) = Names::get(names, root) {
            return self.steps(value.clone(), steps, names);
        }
        let mut room = [""; FEW_NAMES];
        let attrs = &*leading_names(steps, &mut room);
        if let Some(Step::Index(key, span)) = steps.get(attrs.len()) {
            return self.element(expr.span, root, steps, attrs, (key, *span), names);
        }
        match self.scope.lookup(root, attrs) {
            Ok((value, used)) => self.steps(value, steps.get(used..).unwrap_or_default(), names),
            Err(why) => static_error(why, expr.span),
        }
    }

    /// `root.attrs[key]` and what follows. A scope may know the element without all the others.
    fn element(
        &self,
        whole: Span,
        root: &str,
        steps: &[Step<'_>],
        attrs: &[&str],
        (key, span): (&Expr<'_>, Span),
        names: Option<&Names<'_>>,
    ) -> Eval {
        let key = self.eval(key, names);
        let after = attrs.len() + 1;
        let rest = steps.get(after..).unwrap_or_default();
        let mut room = [""; FEW_NAMES];
        if let Ok(key) = &key
            && let Some((value, used)) =
                self.scope.lookup_element(root, attrs, key, &leading_names(rest, &mut room))
        {
            return self.steps(value.mark(key.sensitive), rest.get(used..).unwrap_or_default(), names);
        }
        // That a name is not declared goes before what is wrong with the key.
        let (value, used) = match self.scope.lookup(root, attrs) {
            Ok(found) => found,
            Err(why) => return static_error(why, whole),
        };
        let value = self.steps(value, steps.get(used..attrs.len()).unwrap_or_default(), names)?;
        self.steps(self.index(&value, &key?, span)?, rest, names)
    }

    fn steps(&self, mut value: Value, steps: &[Step<'_>], names: Option<&Names<'_>>) -> Eval {
        for step in steps {
            self.charge(1)?;
            self.note_step(&value);
            value = match step {
                Step::Attr(name) => {
                    let plain = attribute(&value, name.text, name.span)?;
                    self.lift(&[&value], plain, |of| attribute(one(of), name.text, name.span))
                }
                Step::LegacyIndex(digits) => {
                    let key = digits.text.parse().map_or(Value::NULL, Value::int);
                    self.index(&value, &key, digits.span)?
                }
                Step::Index(key, span) => self.index(&value, &self.eval(key, names)?, *span)?,
                Step::Splat { each, span, .. } => {
                    let plain = self.splat(&value, each, *span, names)?;
                    self.lift(&[&value], plain, |of| self.splat(one(of), each, *span, names))
                }
            };
        }
        Ok(value)
    }

    /// Takes note of a step into a value: an unknown one may not have it, unless it is an attribute that there is.
    fn note_step(&self, value: &Value) {
        self.note(value);
        let is_there = |reference: &Arc<Reference>| !reference.resource.contains("[?]");
        self.note_fallible(value.is_unknown() && !value.reference.as_ref().is_some_and(is_there));
    }

    fn index(&self, value: &Value, key: &Value, span: Span) -> Eval {
        self.note_step(value);
        let plain = self.index_of(value, key, span)?;
        Ok(self.lift(&[value, key], plain, |of| {
            let (value, key) = two(of);
            self.index_of(value, key, span)
        }))
    }

    fn index_of(&self, value: &Value, key: &Value, span: Span) -> Eval {
        match &value.kind {
            Kind::Null => return error("this value is null, it has no elements", span),
            Kind::Set(_) => return error("elements of a set have no index", span),
            Kind::Unknown(unknown) if unknown.ty.is_primitive() || matches!(unknown.ty, Type::Set(_)) => {
                return error(format!("a {} has no elements by index", unknown.ty.word()), span);
            }
            Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {
                return error(format!("a {} has no elements", Type::of(value).word()), span);
            }
            _ => {}
        }
        if key.is_null() {
            return error("an index must not be null", span);
        }
        let sensitive = value.sensitive || key.sensitive;
        let by_number = match &value.kind {
            Kind::Unknown(unknown) => match unknown.ty {
                Type::List(_) | Type::Tuple(_) => true,
                Type::Map(_) | Type::Object(_) => false,
                _ => matches!(key.kind, Kind::Number(_)),
            },
            _ => value.items().is_some(),
        };
        let wanted = if by_number { Type::Number } else { Type::String };
        let key = match convert(key, &wanted) {
            Ok(key) => key,
            Err(why) => return error(format!("this index does not fit: {why}"), span),
        };
        let element = match (&key.kind, &value.kind) {
            (Kind::Unknown(_), Kind::Unknown(_)) => {
                step_into_unknown(value, &Path::Some, Type::of(value).element())
            }
            // Which element it is, is told of each key that it may be.
            (Kind::Unknown(_), _) => {
                self.note_fallible(key.is_unknown());
                self.unknown_index(value, &key)
            }
            (Kind::Number(number), kind) => {
                let index = match number.to_u64().and_then(|n| usize::try_from(n).ok()) {
                    Some(index) => index,
                    None if number.is_negative() => return error("an index must not be negative", span),
                    None => return error("an index must be a whole number", span),
                };
                let path = Path::Index(index);
                match kind {
                    Kind::Unknown(unknown) => {
                        step_into_unknown(value, &path, element_type(&unknown.ty, index))
                    }
                    _ => match value.items().and_then(|items| items.get(index)) {
                        Some(item) => step_into(value, item, &path),
                        None => return error("there is no element with this index", span),
                    },
                }
            }
            (Kind::String(text), Kind::Unknown(unknown)) => match unknown.ty.attribute(text) {
                Some(ty) => step_into_unknown(value, &Path::Key(text), ty),
                None => return error("there is no element with this key", span),
            },
            (Kind::String(text), _) => match value.get(text) {
                Some(item) => step_into(value, item, &Path::Key(text)),
                None => return error("there is no element with this key", span),
            },
            _ => return error("this index does not fit", span),
        };
        Ok(element.mark(sensitive))
    }

    /// Some element of a known collection: what all of them have in common.
    fn unknown_index(&self, value: &Value, key: &Value) -> Value {
        let element = Type::of(value).element();
        let mut result = Value::unknown_from(&[key, value], element);
        if let Kind::Unknown(unknown) = &mut result.kind {
            Arc::make_mut(unknown).not_null = false;
        }
        if self.extended() && !is_choice(key) {
            let elements: Vec<&Value> = match value.map() {
                Some(map) => map.values().collect(),
                None => value.items().unwrap_or_default().iter().collect(),
            };
            return self.join(&elements, &result);
        }
        result
    }

    /// The steps from an element that may not be there: what is wrong with it may never be asked.
    fn step_perhaps(
        &self,
        value: Value,
        times: Times,
        steps: &[Step<'_>],
        names: Option<&Names<'_>>,
    ) -> Eval {
        let result = self.steps(value, steps, names);
        if times == Times::Once { result } else { Ok(unless_wrong(optional(result)?)) }
    }

    /// `slice` of a list that is not known: how many elements it has is known, if it is no error. Many configurations take
    /// the first availability zones so, and make an instance for each.
    pub(super) fn slice_of_unknown(&self, args: &[Value]) -> Option<Value> {
        let [list, start, end] = args else { return None };
        let whole = |value: &Value| match &convert(value, &Type::Number).ok()?.kind {
            Kind::Number(number) => usize::try_from(number.to_u64()?).ok(),
            _ => None,
        };
        let (start, end) = (whole(start)?, whole(end)?);
        let ty = &list.as_unknown()?.ty;
        if !matches!(ty, Type::Any | Type::List(_)) || start > end || end - start > MAX_SLICE {
            return None;
        }
        self.note_fallible(true);
        let elements = (start..end).map(|index| step_into_unknown(list, &Path::Index(index), ty.element()));
        let part = if *ty == Type::Any { Value::tuple(elements) } else { Value::list(elements) };
        Some(part.mark(args.iter().any(|arg| arg.sensitive)))
    }

    fn splat(&self, value: &Value, each: &[Step<'_>], span: Span, names: Option<&Names<'_>>) -> Eval {
        let apply = |item: Value| self.steps(item, each, names);
        let result: Value = match &value.kind {
            Kind::Null => Value::tuple([]),
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                self.charge(items.len())?;
                let indexed = !matches!(value.kind, Kind::Set(_));
                let elements = items.iter().enumerate().map(|(at, item)| {
                    let path = if indexed { Path::Index(at) } else { Path::Some };
                    apply(step_into(value, item, &path)).map(|element| self.place(element, span))
                });
                let elements = elements.collect::<Eval<Vec<_>>>()?;
                if matches!(value.kind, Kind::Tuple(_)) {
                    Value::tuple(elements)
                } else {
                    Value::list(elements)
                }
            }
            Kind::Unknown(unknown) => match &unknown.ty {
                // One element stands for all: what is computed from it says what the list is computed from.
                _ if value.elements().is_some() => {
                    let elements = value.elements().unwrap_or_default().iter();
                    let apply = |element: &Element| -> Eval<Element> {
                        let value =
                            self.step_perhaps(some(value, &element.value), element.times, each, names)?;
                        Ok(Element { value, times: element.times })
                    };
                    let elements = elements.map(apply).collect::<Eval<Vec<_>>>()?;
                    self.charge(elements.len())?;
                    let result = Unknown { not_null: unknown.not_null, ..Unknown::of_operands(&[value]) };
                    self.collected(elements, Value::from_unknown(result).computed_from([value]))
                }
                ty @ (Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                    let element = apply(step_into_unknown(value, &Path::Some, ty.element()))?;
                    let list = match ty {
                        Type::List(_) | Type::Set(_) => Type::list(Type::of(&element)),
                        _ => Type::Any,
                    };
                    let result = Value::unknown_from(&[&element], list);
                    match ty {
                        Type::Any => nullable(result),
                        _ => result,
                    }
                }
                _ if unknown.not_null => Value::tuple([apply(value.clone())?]),
                _ => nullable(Value::unknown_from(&[value], Type::Any)),
            },
            _ => Value::tuple([apply(value.clone())?]),
        };
        Ok(result.mark(value.sensitive))
    }
}

/// Expressions seldom have more names in a row.
const FEW_NAMES: usize = 8;

/// The names of the `.name` steps before any other, in `room` if they are few.
fn leading_names<'r, 'a>(steps: &[Step<'a>], room: &'r mut [&'a str; FEW_NAMES]) -> Cow<'r, [&'a str]> {
    let names = steps.iter().map_while(|step| match step {
        Step::Attr(name) => Some(name.text),
        _ => None,
    });
    match room.get_mut(..names.clone().count()) {
        Some(few) => {
            few.iter_mut().zip(names).for_each(|(slot, name)| *slot = name);
            Cow::Borrowed(few)
        }
        None => Cow::Owned(names.collect()),
    }
}

/// `.name`
pub(super) fn attribute(value: &Value, name: &str, span: Span) -> Eval {
    let element = match &value.kind {
        Kind::Object(map) => match map.get(name) {
            Some(item) => step_into(value, item, &Path::Attribute(name)),
            None => return error(format!("no attribute `{name}`"), span),
        },
        Kind::Map(map) => match map.get(name) {
            Some(item) => step_into(value, item, &Path::Attribute(name)),
            None => return error(format!("no element with the key `{name}`"), span),
        },
        Kind::Unknown(unknown) => match unknown.ty.attribute(name) {
            Some(ty) => step_into_unknown(value, &Path::Attribute(name), ty),
            None => return error(format!("no attribute `{name}`: this is a {}", unknown.ty.word()), span),
        },
        Kind::Null => return error(format!("no attribute `{name}`: this value is null"), span),
        _ => return error(format!("no attribute `{name}`: this is a {}", Type::of(value).word()), span),
    };
    Ok(element.mark(value.sensitive))
}

/// Some element of an unknown collection: a reference stays one.
pub fn any_element(collection: &Value) -> Value {
    step_into_unknown(collection, &Path::Some, Type::of(collection).element())
}

/// A longer part of a list that is not known is not known either.
const MAX_SLICE: usize = 64;

/// An element by its index or key, as `for` and splats see it.
pub(super) fn nth(container: &Value, item: &Value, index: usize) -> Value {
    step_into(
        container,
        item,
        &if matches!(container.kind, Kind::Set(_)) { Path::Some } else { Path::Index(index) },
    )
}

/// An element whose place is not known.
pub(super) fn some(container: &Value, item: &Value) -> Value {
    step_into(container, item, &Path::Some)
}

/// An entry by its key, as `for` sees it.
pub(super) fn entry(container: &Value, item: &Value, key: &str) -> Value {
    step_into(container, item, &Path::Key(key))
}

/// A known container's element; it is a part of the attribute that the container is, unless it is another one itself.
fn step_into(container: &Value, item: &Value, path: &Path<'_>) -> Value {
    // What is not known as a whole came the way of what it is not known for, and its elements each its own.
    let mut item = if container.is_unknown() { item.clone() } else { container.handing_on(item.clone()) };
    if item.reference.is_none()
        && let Some(reference) = &container.reference
    {
        item.reference = Some(extend(reference, path));
    }
    item
}

/// What is not known of an element of what is not known.
fn step_into_unknown(value: &Value, path: &Path<'_>, ty: Type) -> Value {
    let Some(unknown) = value.as_unknown() else { return value.clone() };
    let reference = value.reference.as_ref().map(|reference| extend(reference, path));
    let cause = match &unknown.cause {
        // With sources it is computed from the attribute, and a step into it is none into the attribute.
        Cause::Resource(of) if unknown.sources.is_empty() => Cause::Resource(extend(of, path)),
        Cause::Data(of) if unknown.sources.is_empty() => Cause::Data(extend(of, path)),
        cause => cause.clone(),
    };
    let element = Unknown { ty, sources: unknown.sources.clone(), ..Unknown::new(cause) };
    Value {
        reference,
        origin: value.origin,
        via: value.via.clone(),
        ..Value::from_unknown(element).mark(value.sensitive)
    }
}

/// The reference after one more step.
fn extend(reference: &Arc<Reference>, path: &Path<'_>) -> Arc<Reference> {
    let step = match path {
        Path::Attribute(name) if reference.attribute.is_empty() => SmolStr::from(*name),
        Path::Attribute(name) => format_smolstr!(".{name}"),
        Path::Index(index) => format_smolstr!("[{index}]"),
        Path::Key(key) => quoted(key),
        Path::Some => SmolStr::new_static("[?]"),
    };
    let Reference { resource, attribute } = &**reference;
    // An index after a whole resource is one of its instances.
    let whole = attribute.is_empty() && !matches!(path, Path::Attribute(_));
    Arc::new(if whole {
        Reference { resource: format_smolstr!("{resource}{step}"), attribute: SmolStr::default() }
    } else {
        Reference { resource: resource.clone(), attribute: format_smolstr!("{attribute}{step}") }
    })
}

/// `["key"]` with the escapes of an address.
fn quoted(key: &str) -> SmolStr {
    let mut out = String::from("[\"");
    for c in key.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push_str("\"]");
    out.into()
}

/// The type of the element at `index`.
fn element_type(ty: &Type, index: usize) -> Type {
    match ty {
        Type::Tuple(items) => items.get(index).cloned().unwrap_or_default(),
        _ => ty.element(),
    }
}

/// The same unknown, which may be null.
fn nullable(mut value: Value) -> Value {
    if let Kind::Unknown(unknown) = &mut value.kind {
        Arc::make_mut(unknown).not_null = false;
    }
    value
}
