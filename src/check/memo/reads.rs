//! What a condition reads of what it asks, told from how it is written: of a block often one attribute, while others, which are
//! names and ids, differ in every resource.
//!
//! Only steps, `for`, `flatten` and `concat` hand on parts and look at no others; whatever else takes a value reads the whole.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::question::Asked;
use crate::hcl::ast::{Call, Expr, ExprKind, For, Part, Step};
use crate::value::{Kind, Value};

/// Functions whose answers are objects of other resources.
const OBJECTS: [&str; 2] = ["beside", "related"];

/// What is read of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reads {
    Whole,
    /// These attributes of an object.
    Attributes(BTreeMap<SmolStr, Reads>),
    /// So much of each element of a list.
    Each(Box<Reads>),
    /// So much of each element of a list, and of lists in it.
    Nested(Box<Reads>),
}

/// What a condition reads of its questions, by their topics ([`Asked::topic`]); the whole of all others.
#[derive(Debug, Default)]
pub(super) struct Demands(Vec<((SmolStr, SmolStr), Reads)>);

impl Demands {
    pub(super) fn of(condition: &Expr<'_>) -> Self {
        let mut reader = Reader { names: Vec::new(), demands: Self::default() };
        reader.expression(condition, Reads::Whole);
        reader.demands.0.retain(|(_, reads)| *reads != Reads::Whole);
        reader.demands
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn reads(&self, asked: &Asked) -> &Reads {
        let (name, about) = asked.topic();
        let found = self.0.iter().find(|((known, topic), _)| known == name && topic == about);
        found.map_or(&Reads::Whole, |(_, reads)| reads)
    }

    fn add(&mut self, name: &str, about: &str, reads: Reads) {
        match self.0.iter_mut().find(|((known, topic), _)| known == name && topic == about) {
            Some((_, known)) => known.add(reads),
            None => self.0.push(((name.into(), about.into()), reads)),
        }
    }
}

impl Reads {
    /// Whether nothing that is read could tell two values apart, but for places.
    pub(super) fn alike(&self, a: &Value, b: &Value) -> bool {
        match (self, &a.kind, &b.kind) {
            (Self::Attributes(read), Kind::Object(x), Kind::Object(y)) => {
                let alike = |(name, reads): (&SmolStr, &Self)| match (x.get(name), y.get(name)) {
                    (Some(a), Some(b)) => reads.alike(a, b),
                    (None, None) => true,
                    _ => false,
                };
                a.is_marked_as(b) && read.iter().all(alike)
            }
            // Whether the elements of a set are known tells how many it has, so all of them is read.
            (
                Self::Each(_) | Self::Nested(_),
                Kind::List(x) | Kind::Tuple(x),
                Kind::List(y) | Kind::Tuple(y),
            ) => {
                let of_element = if let Self::Each(each) = self { each } else { self };
                let is_same_kind = matches!(a.kind, Kind::List(_)) == matches!(b.kind, Kind::List(_));
                is_same_kind
                    && a.is_marked_as(b)
                    && x.len() == y.len()
                    && x.iter().zip(y.iter()).all(|(a, b)| of_element.alike(a, b))
            }
            (Self::Nested(inner), _, _) => inner.alike(a, b),
            _ => a.is_identical(b),
        }
    }

    /// This is read too.
    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Attributes(known), Self::Attributes(others)) => {
                for (name, reads) in others {
                    match known.get_mut(&name) {
                        Some(known) => known.add(reads),
                        None => drop(known.insert(name, reads)),
                    }
                }
            }
            (Self::Each(known), Self::Each(other)) | (Self::Nested(known), Self::Nested(other)) => {
                known.add(*other);
            }
            (known, _) => *known = Self::Whole,
        }
    }

    /// What is read of the elements that a list is made of.
    fn of_elements(self) -> Self {
        match self {
            Self::Each(inner) => *inner,
            Self::Nested(_) => self,
            Self::Whole | Self::Attributes(_) => Self::Whole,
        }
    }

    /// What is read of a value by steps, of the end of which this is read.
    fn before(self, steps: &[Step<'_>]) -> Self {
        steps.iter().rfold(self, |reads, step| match step {
            Step::Attr(name) => Self::Attributes(BTreeMap::from([(name.text.into(), reads)])),
            Step::Index(..) | Step::LegacyIndex(_) => Self::Each(Box::new(reads)),
            Step::Splat { each, .. } => Self::Each(Box::new(reads.of_elements().before(each))),
        })
    }
}

/// Goes through a condition.
struct Reader<'e> {
    /// Those that `for` brings, the innermost last, and what is read of them.
    names: Vec<(&'e str, Option<Reads>)>,
    demands: Demands,
}

impl<'e> Reader<'e> {
    /// Of what the expression gives so much is read.
    fn expression(&mut self, expr: &Expr<'e>, reads: Reads) {
        match expr.kind {
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Invalid => {}
            ExprKind::Paren(inner) => self.expression(inner, reads),
            ExprKind::Variable(name) => self.name(name, &[], reads),
            ExprKind::Access { base, steps } => {
                self.indexes(steps);
                match base.kind {
                    ExprKind::Variable(name) => self.name(name, steps, reads),
                    _ => self.expression(base, reads.before(steps)),
                }
            }
            ExprKind::Call(call) => self.call(call, reads),
            ExprKind::For(each) => self.each(each, reads),
            ExprKind::Tuple(items) => {
                let reads = reads.of_elements();
                for item in items {
                    self.expression(item, reads.clone());
                }
            }
            ExprKind::Object(items) => {
                for item in items {
                    self.expression(&item.key, Reads::Whole);
                    self.expression(&item.value, Reads::Whole);
                }
            }
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Unary(_, operand) => self.expression(operand, Reads::Whole),
            ExprKind::Binary(_, a, b) => {
                self.expression(a, Reads::Whole);
                self.expression(b, Reads::Whole);
            }
            ExprKind::Conditional(it) => {
                for part in [&it.condition, &it.then, &it.otherwise] {
                    self.expression(part, Reads::Whole);
                }
            }
        }
    }

    fn name(&mut self, name: &'e str, steps: &[Step<'e>], reads: Reads) {
        if let Some((_, known)) = self.names.iter_mut().rev().find(|(bound, _)| *bound == name) {
            let reads = reads.before(steps);
            match known {
                Some(known) => known.add(reads),
                None => *known = Some(reads),
            }
        } else if let ("self", [Step::Attr(attribute), rest @ ..]) = (name, steps) {
            self.demands.add(name, attribute.text, reads.before(rest));
        }
    }

    fn call(&mut self, call: &Call<'e>, reads: Reads) {
        let name = call.name.text.strip_prefix("core::").unwrap_or(call.name.text);
        let is_objects =
            |arg: &Expr<'e>| matches!(arg.kind, ExprKind::Call(inner) if OBJECTS.contains(&inner.name.text));
        match (name, call.args) {
            (name, [Expr { kind: ExprKind::String(about), .. }]) if OBJECTS.contains(&name) => {
                self.demands.add(name, about, reads);
            }
            ("flatten", [list]) if !call.expand => {
                let nested = match reads {
                    Reads::Each(inner) | Reads::Nested(inner) => Reads::Nested(inner),
                    Reads::Whole | Reads::Attributes(_) => Reads::Whole,
                };
                self.expression(list, nested);
            }
            // Of lists of one type it makes one, which asks for the types of all that is in them; these are tuples.
            ("concat", lists) if !call.expand && lists.iter().all(is_objects) => {
                for list in lists {
                    self.expression(list, reads.clone());
                }
            }
            (_, args) => {
                for arg in args {
                    self.expression(arg, Reads::Whole);
                }
            }
        }
    }

    fn each(&mut self, each: &For<'e>, reads: Reads) {
        let outer = self.names.len();
        self.names.extend(each.key_var.map(|name| (name.text, None)));
        self.names.push((each.value_var.text, None));
        let of_value = if each.key.is_some() { Reads::Whole } else { reads.of_elements() };
        self.expression(&each.value, of_value);
        for part in each.key.iter().chain(&each.condition) {
            self.expression(part, Reads::Whole);
        }
        let read = self.names.pop().and_then(|(_, read)| read);
        self.names.truncate(outer);
        let read = read.unwrap_or_else(|| Reads::Attributes(BTreeMap::new()));
        self.expression(&each.collection, Reads::Each(Box::new(read)));
    }

    fn indexes(&mut self, steps: &[Step<'e>]) {
        for step in steps {
            match step {
                Step::Index(key, _) => self.expression(key, Reads::Whole),
                Step::Splat { each, .. } => self.indexes(each),
                Step::Attr(_) | Step::LegacyIndex(_) => {}
            }
        }
    }

    fn parts(&mut self, parts: &[Part<'e>]) {
        for part in parts {
            match part {
                Part::Literal(..) => {}
                Part::Interpolation(expr) => self.expression(expr, Reads::Whole),
                Part::If { condition, then, otherwise } => {
                    self.expression(condition, Reads::Whole);
                    self.parts(then);
                    self.parts(otherwise);
                }
                Part::For { key_var, value_var, collection, body } => {
                    self.expression(collection, Reads::Whole);
                    let outer = self.names.len();
                    self.names.extend(key_var.iter().chain([value_var]).map(|name| (name.text, None)));
                    self.parts(body);
                    self.names.truncate(outer);
                }
            }
        }
    }
}
