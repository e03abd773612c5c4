//! The one value of airgate: what an expression, a plan, a state or a preview says an attribute is.
//!
//! A value is Terraform's (null, bool, number, string, collection) or *unknown*, and an unknown says what is still known of
//! it and why. Three things travel with every value: whether it is sensitive, where it was written, and, if it is another
//! resource's attribute, which one (references stay references, also when the value is known).
//!
//! Cloning is cheap: strings and collections are shared.

mod convert;
mod hashed;
mod identical;
pub mod json;
mod map;
mod number;
mod ops;
mod partial;
mod provenance;
mod sensitive;
mod shown;
mod types;

pub use convert::convert;
pub(crate) use hashed::ByHash;
pub use map::Map;
pub use number::{Big, Number};
use ops::set_items;
pub use ops::{equal, normalize, order};
pub use partial::{Element, Partial, Piece, Times, ends, safe_prefix};
pub use provenance::{Step, Ways};
pub use types::{Field, Type, unify};

use std::sync::Arc;

use smol_str::SmolStr;

use crate::source::Site;

/// A value with its marks.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Its content must not be shown. A collection's mark covers all it holds.
    pub sensitive: bool,
    /// Where it was written: the expression in HCL, the entry in JSON.
    pub origin: Option<Site>,
    /// The resource attribute that this value *is*, known or not: `aws_kms_key.k.arn`, through locals, variables and outputs.
    pub reference: Option<Arc<Reference>>,
    /// The names that it came through, nearest first; [`None`] if it is written where it is used.
    pub via: Option<Arc<Step>>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `null`, of any type.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, NFC-normalised when it comes from HCL.
    String(SmolStr),
    /// `list(…)`: elements of one type.
    List(Arc<[Value]>),
    /// `set(…)`: elements of one type, without duplicates, in Terraform's order.
    Set(Arc<[Value]>),
    /// `[a, b]`: each element has its own type.
    Tuple(Arc<[Value]>),
    /// `map(…)`: values of one type.
    Map(Arc<Map>),
    /// `{ k = v }`: each value has its own type.
    Object(Arc<Map>),
    /// Not known before apply, or not known to us.
    Unknown(Arc<Unknown>),
}

/// What is still known of an unknown value, and why it is unknown.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// Its type, [`Type::Any`] if even that is unknown.
    pub ty: Type,
    /// It is certainly not null.
    pub not_null: bool,
    /// A string that it certainly begins with; empty if none.
    pub prefix: SmolStr,
    /// Why.
    pub cause: Cause,
    /// The resource attributes that it is computed from (`"s3://${aws_s3_bucket.b.id}/x"`), at most
    /// [`Unknown::MAX_SOURCES`].
    pub sources: Arc<[Arc<Reference>]>,
    /// What airgate knows of it and Terraform does not: only in values of extended mode.
    pub partial: Option<Partial>,
}

/// Why a value is unknown. The text of a cause is shown to users: [`std::fmt::Display`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A root variable without default or given value: its name.
    Variable(SmolStr),
    /// An attribute of a resource, known after apply.
    Resource(Arc<Reference>),
    /// A data source, read during plan or apply: its address and attribute.
    Data(Arc<Reference>),
    /// A module call that is not followed: `module.x`.
    Module(SmolStr),
    /// A function that airgate does not evaluate, or that Terraform evaluates at apply: its name.
    Function(SmolStr),
    /// The expression is in error: the message.
    Error(SmolStr),
    /// The plan says that it is known after apply.
    Plan,
    /// Nobody set it, and the provider decides.
    Provider,
    /// A limit of airgate was passed: which.
    Limit(SmolStr),
    /// Anything else, in words.
    Other(SmolStr),
}

/// An attribute of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The resource's address, with the instance key if it is told: `module.a.aws_s3_bucket.raw["x"]`, `data.t.n`.
    pub resource: SmolStr,
    /// The attribute's path: `arn`, `primary_container[0].image`; empty for the whole resource.
    pub attribute: SmolStr,
}

/// A yes, a no, or not to be told.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// It cannot be told.
    Maybe,
}

impl Unknown {
    /// More resources than this are not kept as sources of one value.
    pub const MAX_SOURCES: usize = 16;

    /// Unknown of any type for `cause`.
    pub fn new(cause: Cause) -> Self {
        Self {
            ty: Type::Any,
            not_null: false,
            prefix: SmolStr::default(),
            cause,
            sources: Arc::default(),
            partial: None,
        }
    }

    /// The references that the value is computed from: its sources, or the one in its cause.
    pub fn references(&self) -> impl Iterator<Item = &Arc<Reference>> {
        let cause = match &self.cause {
            Cause::Resource(reference) | Cause::Data(reference) if self.sources.is_empty() => Some(reference),
            _ => None,
        };
        self.sources.iter().chain(cause)
    }
}

/// A plan is millions of values: one that grows is seen.
const _: () = assert!(size_of::<Value>() <= 56 && size_of::<Kind>() <= 24);

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind, sensitive: false, origin: None, reference: None, via: None }
    }
}

impl Value {
    /// `null`
    pub const NULL: Self =
        Self { kind: Kind::Null, sensitive: false, origin: None, reference: None, via: None };

    /// A boolean.
    pub fn bool(value: bool) -> Self {
        Kind::Bool(value).into()
    }

    /// A string.
    pub fn string(value: impl Into<SmolStr>) -> Self {
        Kind::String(value.into()).into()
    }

    /// A whole number.
    pub fn int(value: i64) -> Self {
        Kind::Number(Number::from(value)).into()
    }

    /// A tuple.
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Kind::Tuple(items.into_iter().collect()).into()
    }

    /// An object.
    pub fn object(items: impl IntoIterator<Item = (SmolStr, Self)>) -> Self {
        Kind::Object(Arc::new(items.into_iter().collect())).into()
    }

    /// Unknown of any type, for `cause`.
    pub fn unknown(cause: Cause) -> Self {
        Self::from_unknown(Unknown::new(cause))
    }

    /// Unknown with what is still known of it.
    pub fn from_unknown(unknown: Unknown) -> Self {
        Kind::Unknown(Arc::new(unknown)).into()
    }

    /// This value, written at `site`, unless it has an origin already.
    #[must_use]
    pub fn or_origin(mut self, site: Site) -> Self {
        self.origin.get_or_insert(site);
        self
    }

    /// This value, sensitive if `sensitive` or if it was before.
    #[must_use]
    pub fn mark(mut self, sensitive: bool) -> Self {
        self.sensitive |= sensitive;
        self
    }

    /// The unknown, if it is one at the top.
    pub fn as_unknown(&self) -> Option<&Unknown> {
        match &self.kind {
            Kind::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// Whether it is `null`. An unknown that may be null is not.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Whether it is `null`, or a list, set or tuple without elements: what stands for a nested block that is not there.
    pub fn is_absent(&self) -> bool {
        self.is_null() || self.items().is_some_and(<[Self]>::is_empty)
    }

    /// Whether it is unknown at the top.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    /// Whether it and everything in it is known.
    pub fn is_wholly_known(&self) -> bool {
        match &self.kind {
            Kind::Unknown(_) => false,
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                items.iter().all(Self::is_wholly_known)
            }
            Kind::Map(map) | Kind::Object(map) => map.values().all(Self::is_wholly_known),
            _ => true,
        }
    }

    /// The string, if it is a known one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is a known one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The elements of a list, set or tuple.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map or object.
    pub fn map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) | Kind::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The entry `key` of a map or object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.get(key)
    }

    /// The value at a dotted path, where a list, set or tuple of one block is looked through: `logging_config.s3_config`.
    /// None where a step is missing; the unknown itself where a step is unknown.
    pub fn at_path(&self, path: &str) -> Option<&Self> {
        self.walk(path, |_| {})
    }

    /// Shows every value at a dotted path, through all elements of lists, sets and tuples, and what is unknown on the way.
    pub fn each_at<'v>(&'v self, path: &str, show: &mut dyn FnMut(&'v Self)) {
        if let Some(items) = self.items() {
            return items.iter().for_each(|item| item.each_at(path, show));
        }
        if path.is_empty() || self.is_unknown() {
            return show(self);
        }
        let (step, rest) = path.split_once('.').unwrap_or((path, ""));
        if let Some(value) = self.get(step) {
            value.each_at(rest, show);
        }
    }

    /// [`Value::at_path`], which shows `visit` every value on the way, itself the first and the result the last.
    fn walk<'v>(&'v self, path: &str, mut visit: impl FnMut(&'v Self)) -> Option<&'v Self> {
        let mut value = self;
        visit(value);
        for step in path.split('.').filter(|step| !step.is_empty()) {
            if let Some([only]) = value.items() {
                value = only;
                visit(value);
            }
            if value.is_unknown() {
                return Some(value);
            }
            value = match value.items() {
                Some(items) => items.get(step.parse::<usize>().ok()?)?,
                None => value.get(step)?,
            };
            visit(value);
        }
        Some(value)
    }

    /// The causes of all unknowns in it, in order, without repetition.
    pub fn causes(&self) -> Vec<&Cause> {
        fn walk<'v>(value: &'v Value, out: &mut Vec<&'v Cause>) {
            match &value.kind {
                Kind::Unknown(unknown) if !out.contains(&&unknown.cause) => out.push(&unknown.cause),
                Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                    items.iter().for_each(|item| walk(item, out));
                }
                Kind::Map(map) | Kind::Object(map) => map.values().for_each(|item| walk(item, out)),
                _ => {}
            }
        }
        let mut out = Vec::new();
        walk(self, &mut out);
        out
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable `{name}` has no default and no value"),
            Self::Resource(reference) => write!(f, "`{reference}` is known after apply"),
            Self::Data(reference) => {
                write!(f, "`{reference}` is of a data source, which airgate does not read")
            }
            Self::Module(call) => write!(f, "`{call}` is not followed"),
            Self::Function(name) => write!(f, "function `{name}` is not evaluated"),
            Self::Error(message) => write!(f, "the expression is in error: {message}"),
            Self::Plan => f.write_str("known after apply"),
            Self::Provider => f.write_str("not set; the provider decides"),
            Self::Limit(which) => write!(f, "limit passed: {which}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.resource)?;
        if !self.attribute.is_empty() {
            write!(f, ".{}", self.attribute)?;
        }
        Ok(())
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}
