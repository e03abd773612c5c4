//! What a function sees of its call, and what it answers with when it cannot tell.

use crate::eval::Directory;
use crate::value::{Cause, Kind, Number, Type, Unknown, Value, normalize};

/// A call whose arguments were counted and converted.
pub(super) struct Call<'a> {
    /// The arguments, of the types that the parameters ask for.
    pub(super) args: &'a [Value],
    /// The root that the functions for files are confined to.
    pub(super) directory: Option<Directory<'a>>,
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

    /// A result of type `ty` that is unknown because arguments are. It is not null if the type is known: Terraform
    /// promises nothing of a value of any type.
    pub(super) fn unknown(&self, ty: Type) -> Value {
        let not_null = !matches!(ty, Type::Any);
        Value::from_unknown(unknown(self.args, ty, not_null))
    }

    /// A result that Terraform knows and airgate does not work out.
    pub(super) fn not_evaluated(&self, ty: Type) -> Value {
        let cause = Cause::Function(self.name.into());
        Value::from_unknown(Unknown { cause, ..unknown(self.args, ty, true) })
    }

    /// A result that would pass a limit of airgate.
    pub(super) fn limited(&self, which: &str, ty: Type) -> Value {
        let cause = Cause::Limit(format!("{} of {}", which, self.name).into());
        Value::from_unknown(Unknown { cause, ..unknown(self.args, ty, true) })
    }
}

/// Unknown of type `ty`, for the reasons for which `args` are.
pub(super) fn unknown<'v>(args: impl IntoIterator<Item = &'v Value>, ty: Type, not_null: bool) -> Unknown {
    let args: Vec<&Value> = args.into_iter().collect();
    Unknown { ty, not_null, ..Unknown::of_operands(&args) }
}

/// The number, if it is a known one.
pub(super) fn number(value: &Value) -> Option<Number> {
    match &value.kind {
        Kind::Number(number) => Some(number.clone()),
        _ => None,
    }
}

/// A string, normalised as all strings of Terraform are: joining normal strings may give one that is not.
pub(super) fn string(text: impl AsRef<str>) -> Value {
    Value::string(normalize(text.as_ref()))
}
