//! What a function sees of its call, and what it answers with when it cannot tell.

use std::path::Path;
use std::sync::Arc;

use smol_str::SmolStr;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;

use crate::value::{Cause, Number, Reference, Type, Unknown, Value};

/// A call whose arguments were counted and converted.
pub(super) struct Call<'a> {
    /// The arguments, of the types that the parameters ask for.
    pub(super) args: &'a [Value],
    /// The root that the functions for files are confined to.
    pub(super) directory: Option<&'a Path>,
    /// The name, without a namespace.
    pub(super) name: &'static str,
}

/// What a function gives: a value, or in one sentence why there is none.
pub(super) type Outcome = Result<Value, String>;

static NULL: Value = Value::NULL;

impl<'a> Call<'a> {
    /// The argument at `index`; null if it was left out.
    pub(super) fn value(&self, index: usize) -> &'a Value {
        self.args.get(index).unwrap_or(&NULL)
    }

    /// The string at `index`.
    pub(super) fn text(&self, index: usize) -> &'a str {
        self.value(index).as_str().unwrap_or_default()
    }

    /// The number at `index`.
    pub(super) fn number(&self, index: usize) -> Number {
        number(self.value(index)).unwrap_or(Number::ZERO)
    }

    /// The number at `index`, which must be whole and fit in 64 bits.
    pub(super) fn whole(&self, index: usize) -> Result<i64, String> {
        self.number(index).to_i64().ok_or_else(|| "a whole number is required".to_owned())
    }

    /// The elements at `index`.
    pub(super) fn items(&self, index: usize) -> &'a [Value] {
        self.value(index).items().unwrap_or_default()
    }

    /// A result of type `ty`, not null, that is unknown because arguments are.
    pub(super) fn unknown(&self, ty: Type) -> Value {
        unknown(self.args, self.name, ty, true)
    }

    /// A result that Terraform knows and airgate does not work out.
    pub(super) fn not_evaluated(&self, ty: Type) -> Value {
        let mut unknown = derive(self.args, self.name, ty, true);
        unknown.cause = Cause::Function(self.name.into());
        Value::from_unknown(unknown)
    }

    /// A result that would pass a limit of airgate.
    pub(super) fn limited(&self, which: &str, ty: Type) -> Value {
        let mut unknown = derive(self.args, self.name, ty, true);
        unknown.cause = Cause::Limit(format!("{}: {which}", self.name).into());
        Value::from_unknown(unknown)
    }
}

/// Unknown of type `ty`, for the reasons for which `args` are.
pub(super) fn unknown(args: &[Value], name: &str, ty: Type, not_null: bool) -> Value {
    Value::from_unknown(derive(args, name, ty, not_null))
}

fn derive(args: &[Value], name: &str, ty: Type, not_null: bool) -> Unknown {
    let mut found = (None, Vec::new());
    args.iter().for_each(|arg| collect(arg, &mut found));
    let cause = found.0.unwrap_or_else(|| Cause::Function(name.into()));
    Unknown { ty, not_null, prefix: SmolStr::default(), cause, sources: found.1.into() }
}

/// The first cause and all references in `value`.
fn collect(value: &Value, found: &mut (Option<Cause>, Vec<Arc<Reference>>)) {
    let mut add = |reference: &Arc<Reference>| {
        if found.1.len() < Unknown::MAX_SOURCES && !found.1.contains(reference) {
            found.1.push(Arc::clone(reference));
        }
    };
    value.reference.iter().for_each(&mut add);
    if let Some(unknown) = value.as_unknown() {
        unknown.references().for_each(add);
        found.0.get_or_insert_with(|| unknown.cause.clone());
    }
    if let Some(items) = value.items() {
        items.iter().for_each(|item| collect(item, found));
    }
    if let Some(map) = value.map() {
        map.values().for_each(|item| collect(item, found));
    }
}

/// The number, if it is a known one.
pub(super) fn number(value: &Value) -> Option<Number> {
    match &value.kind {
        crate::value::Kind::Number(number) => Some(number.clone()),
        _ => None,
    }
}

/// A string, normalised as all strings of Terraform are: joining normal strings may give one that is not.
pub(super) fn string(text: impl Into<SmolStr>) -> Value {
    let text = text.into();
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Value::string(text),
        _ => Value::string(text.nfc().collect::<String>()),
    }
}

/// What of `text` stays as it is whatever follows: a character that follows may combine with the last one.
pub(super) fn safe_prefix(text: &str) -> SmolStr {
    if text.ends_with(|c: char| c == ' ' || c.is_ascii_punctuation()) {
        return text.into();
    }
    let last = text.graphemes(true).next_back().map_or(0, str::len);
    text.get(..text.len() - last).unwrap_or_default().into()
}
