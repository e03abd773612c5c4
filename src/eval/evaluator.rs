//! What every part of the evaluator shares: names of `for`, marks of places, errors, and limits.

use std::cell::{Cell, RefCell};

use smol_str::SmolStr;

use super::{EvalError, Mode, Scope};
use crate::hcl::ast::Expr;
use crate::source::{FileId, Site, Span};
use crate::value::{Cause, Value};

/// Steps of one evaluation: about a second.
const MAX_STEPS: u64 = 5_000_000;

/// The longest string, in bytes.
pub(super) const MAX_STRING: usize = 16 << 20;

/// The most elements of a collection that an expression builds.
pub(super) const MAX_ITEMS: usize = 1_000_000;

/// The parts of all that is partly known in one evaluation. Where this is used up nothing more is partly known, and the
/// values are those of Terraform.
const MAX_PARTIAL: usize = 200_000;

/// Why evaluation ends without a value.
#[derive(Debug)]
pub(super) enum Stop {
    /// The expression is wrong. `try` goes on to its next argument unless the error is static.
    Error(EvalError),
    /// Which limit was passed. Nothing catches it: the whole expression is unknown.
    Limit(&'static str),
}

/// The result of evaluating a part of an expression.
pub(super) type Eval<T = Value> = Result<T, Stop>;

/// One evaluation of one expression.
pub(super) struct Evaluator<'s> {
    pub(super) scope: &'s dyn Scope,
    mode: Cell<Mode>,
    /// Whether a value was unknown since somebody last asked.
    unknown: Cell<bool>,
    /// Whether something was left open that may still be an error.
    fallible: Cell<bool>,
    /// Where the expression stands; none if that is no input file.
    pub(super) file: Option<FileId>,
    steps: Cell<u64>,
    /// What is left of [`MAX_PARTIAL`].
    room: Cell<usize>,
    /// The first limit that was passed, and where.
    passed: RefCell<Option<(SmolStr, Span)>>,
}

/// The names that a `for` brings, inside those around it.
#[derive(Copy, Clone)]
pub(super) struct Names<'n> {
    name: &'n str,
    value: &'n Value,
    outer: Option<&'n Names<'n>>,
}

/// Evaluates a whole expression, and tells the first limit that it passed, and where.
pub(super) fn run(
    expr: &Expr<'_>,
    file: Option<FileId>,
    scope: &dyn Scope,
    mode: Mode,
) -> (Result<Value, EvalError>, Option<(SmolStr, Span)>) {
    let evaluator = Evaluator {
        scope,
        mode: Cell::new(mode),
        unknown: Cell::new(false),
        fallible: Cell::new(false),
        file,
        steps: Cell::new(0),
        room: Cell::new(MAX_PARTIAL),
        passed: RefCell::default(),
    };
    let value = match evaluator.eval(expr, None) {
        Ok(value) => Ok(value),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Limit(which)) => {
            evaluator.pass(which.into(), expr.span);
            Ok(evaluator.place(Value::unknown(Cause::Limit(which.into())), expr.span))
        }
    };
    (value, evaluator.passed.into_inner())
}

impl Evaluator<'_> {
    /// Evaluates an expression that stands in no file with other names, as a part of this evaluation: what it takes counts here.
    pub(super) fn run_inside(&self, expr: &Expr<'_>, scope: &dyn Scope) -> Result<Value, EvalError> {
        let inner = Evaluator {
            scope,
            mode: self.mode.clone(),
            unknown: self.unknown.clone(),
            fallible: self.fallible.clone(),
            file: None,
            steps: self.steps.clone(),
            room: self.room.clone(),
            passed: RefCell::default(),
        };
        let result = inner.eval(expr, None);
        self.unknown.set(inner.unknown.get());
        self.fallible.set(inner.fallible.get());
        self.steps.set(inner.steps.get());
        self.room.set(inner.room.get());
        match result {
            Ok(value) => Ok(value),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Limit(which)) => Ok(Value::unknown(Cause::Limit(which.into()))),
        }
    }

    /// Accounts for work on `count` things.
    pub(super) fn charge(&self, count: usize) -> Eval<()> {
        let steps = self.steps.get().saturating_add(count as u64);
        self.steps.set(steps);
        if steps > MAX_STEPS { Err(Stop::Limit("evaluation takes too many steps")) } else { Ok(()) }
    }

    /// Takes `parts` off of the room for what is partly known; false if there is none.
    pub(super) fn afford(&self, parts: usize) -> bool {
        let left = self.room.get().checked_sub(parts);
        self.room.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Takes down that a limit was passed.
    pub(super) fn pass(&self, which: SmolStr, span: Span) {
        self.passed.borrow_mut().get_or_insert((which, span));
    }

    /// The value, written at `span` if it does not know better.
    pub(super) fn place(&self, value: Value, span: Span) -> Value {
        match self.file {
            Some(file) => value.or_origin(Site { file, span }),
            None => value,
        }
    }

    /// Whether more than Terraform knows may be told.
    pub(super) fn extended(&self) -> bool {
        self.mode.get() == Mode::Extended
    }

    /// Takes note of an unknown value.
    pub(super) fn note(&self, value: &Value) {
        if value.is_unknown() {
            self.unknown.set(true);
        }
    }

    /// Takes note of whether something may still be an error.
    pub(super) fn note_fallible(&self, is_fallible: bool) {
        self.fallible.set(self.fallible.get() || is_fallible);
    }

    /// Evaluates what `try` or `can` is asked of.
    pub(super) fn attempt(&self, expr: &Expr<'_>, names: Option<&Names<'_>>) -> Eval<Attempt> {
        let unknown = self.unknown.replace(false);
        let fallible = self.fallible.replace(false);
        let value = self.eval(expr, names);
        let strict = if value.is_ok() && self.unknown.get() && self.extended() {
            self.mode.set(Mode::Strict);
            let strict = self.eval(expr, names);
            self.mode.set(Mode::Extended);
            Some(strict)
        } else {
            None
        };
        self.unknown.set(unknown || self.unknown.get());
        let is_fallible = self.fallible.get();
        self.fallible.set(fallible || is_fallible);
        Ok(Attempt { value: value?, strict: strict.transpose()?, is_fallible })
    }
}

/// What came of an expression that may be in error.
pub(super) struct Attempt {
    /// Its value.
    pub(super) value: Value,
    /// What Terraform knows of it, if it may know less: where a value does not exist extended mode need not know that, but
    /// `try` and `can` must.
    pub(super) strict: Option<Value>,
    /// Whether an unknown in it may still be an error.
    pub(super) is_fallible: bool,
}

impl Attempt {
    /// What Terraform knows.
    pub(super) fn strict(&self) -> &Value {
        self.strict.as_ref().unwrap_or(&self.value)
    }
}

impl<'n> Names<'n> {
    /// `name` in addition to `outer`.
    pub(super) fn with(name: &'n str, value: &'n Value, outer: Option<&'n Names<'n>>) -> Self {
        Self { name, value, outer }
    }

    /// What `name` means here.
    pub(super) fn get(names: Option<&Self>, name: &str) -> Option<&'n Value> {
        let mut next = names;
        while let Some(names) = next {
            if names.name == name {
                return Some(names.value);
            }
            next = names.outer;
        }
        None
    }
}

/// The expression is wrong at `span`.
pub(super) fn error<T>(message: impl Into<String>, span: Span) -> Eval<T> {
    Err(Stop::Error(EvalError { message: message.into(), span, is_static: false }))
}

/// The expression is wrong whatever its values are.
pub(super) fn static_error<T>(message: impl Into<String>, span: Span) -> Eval<T> {
    Err(Stop::Error(EvalError { message: message.into(), span, is_static: true }))
}

/// The outcome of evaluating what may not be needed: the error if it is one, unless it must end the evaluation.
pub(super) fn optional(result: Eval) -> Eval<Result<Value, EvalError>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Error(error)) if !error.is_static => Ok(Err(error)),
        Err(stop) => Err(stop),
    }
}

/// The value of what may not be needed; unknown if it is wrong.
pub(super) fn unless_wrong(result: Result<Value, EvalError>) -> Value {
    result.unwrap_or_else(|error| Value::unknown(Cause::Error(error.message.into())))
}
