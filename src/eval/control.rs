//! What decides which expressions count: conditionals, `try` and `can`.

use std::sync::Arc;

use super::EvalError;
use super::evaluator::{Attempt, Eval, Evaluator, Names, Stop, error, optional};
use crate::hcl::ast::{Call, Conditional, Expr};
use crate::source::Span;
use crate::value::{Kind, Reference, Type, Unknown, Value, convert, unify};

impl Evaluator<'_> {
    pub(super) fn conditional(&self, conditional: &Conditional<'_>, names: Option<&Names<'_>>) -> Eval {
        let then = optional(self.eval(&conditional.then, names))?;
        let otherwise = optional(self.eval(&conditional.otherwise, names))?;
        // A branch in error has any type; only the one that is taken must be right.
        let type_of = |branch: &Result<Value, _>| branch.as_ref().map_or(Type::Any, Type::of);
        let types = [type_of(&then), type_of(&otherwise)];
        let span = conditional.then.span.to(conditional.otherwise.span);
        let Some(ty) = unify(&types) else {
            let [a, b] = types;
            return error(format!("the branches have no common type: {} and {}", a.word(), b.word()), span);
        };
        // Unlike null, what is of a type that is not known gives the result no type but its own.
        let untyped = |branch: &Result<Value, _>| {
            branch.as_ref().ok().and_then(Value::as_unknown).is_some_and(|unknown| unknown.ty == Type::Any)
        };
        let ty = if untyped(&then) || untyped(&otherwise) { Type::Any } else { ty };
        let condition = self.eval(&conditional.condition, names)?;
        let taken = match condition_of(&condition, conditional.condition.span)? {
            Some(true) => then,
            Some(false) => otherwise,
            None => return Ok(self.undecided(&condition, then.ok(), otherwise.ok(), &ty)),
        };
        let value = taken.map_err(Stop::Error)?;
        let fits = types.iter().all(|branch| *branch == ty);
        let value = if fits { Ok(value) } else { convert(&value, &ty) };
        match value {
            Ok(value) => Ok(value.mark(condition.sensitive)),
            Err(why) => error(why, span),
        }
    }

    fn undecided(
        &self,
        condition: &Value,
        then: Option<Value>,
        otherwise: Option<Value>,
        ty: &Type,
    ) -> Value {
        // Where the type of a part is not known, that of both branches is not known yet, nor what they convert to.
        let loose = then.iter().chain(&otherwise).fold(ty.clone(), Type::loosened);
        let is_sure = loose == *ty;
        let convert = |branch: Option<Value>| branch.and_then(|value| convert(&value, ty).ok());
        let branches = (convert(then), convert(otherwise));
        if branches.0.is_none() || branches.1.is_none() {
            self.note_fallible(true);
        }
        let mut operands = vec![condition];
        operands.extend(&branches.0);
        operands.extend(&branches.1);
        let mut result = Value::unknown_from(&operands, loose);
        let not_null = |value: &Option<Value>| match value {
            Some(value) => value.as_unknown().map_or(!value.is_null(), |unknown| unknown.not_null),
            // Terraform does not look at the branch that is left.
            None => self.extended(),
        };
        if let Kind::Unknown(unknown) = &mut result.kind {
            let any = branches.0.is_some() || branches.1.is_some();
            Arc::make_mut(unknown).not_null = any && not_null(&branches.0) && not_null(&branches.1);
        }
        match (&branches.0, &branches.1) {
            (Some(a), Some(b)) if self.extended() && is_sure => self.one_of(&[a, b], &result),
            // Terraform keeps the bounds of both numbers; where they meet the number is known.
            (Some(a), Some(b)) => match (&a.kind, &b.kind) {
                (Kind::Number(x), Kind::Number(y)) if x == y => {
                    Value::number(x.clone()).mark(result.sensitive)
                }
                _ => result,
            },
            _ => result,
        }
    }

    /// `try(a, b, …)`: the first that is no error. What is unknown may still become an error, so the answer is unknown.
    pub(super) fn try_call(&self, call: &Call<'_>, span: Span, names: Option<&Names<'_>>) -> Eval {
        let mut last = None;
        for (at, arg) in call.args.iter().enumerate() {
            let attempt = match self.attempted(arg, names)? {
                Ok(attempt) => attempt,
                Err(why) => {
                    last = Some(why);
                    continue;
                }
            };
            if self.is_certain(&attempt) {
                return Ok(attempt.value);
            }
            let plain = untyped(attempt.strict());
            let others = call.args.get(at + 1..).unwrap_or_default();
            return Ok(if self.extended() { self.tried(attempt.value, others, plain, names) } else { plain });
        }
        match last {
            Some(why) => error(format!("no argument of `try` is without error: {}", why.message), span),
            None => error("`try` needs at least one argument", span),
        }
    }

    /// As [`optional`].
    fn attempted(&self, arg: &Expr<'_>, names: Option<&Names<'_>>) -> Eval<Result<Attempt, EvalError>> {
        match self.attempt(arg, names) {
            Ok(attempt) => Ok(Ok(attempt)),
            Err(Stop::Error(error)) if !error.is_static => Ok(Err(error)),
            Err(stop) => Err(stop),
        }
    }

    /// Whether a value can be no error later. Extended mode knows that of an attribute of a resource that there is (one of an
    /// instance that stands for any, `[?]`, may not be there), and of parts that nothing was computed from.
    fn is_certain(&self, attempt: &Attempt) -> bool {
        let value = attempt.strict();
        let is_there = |reference: &Arc<Reference>| !reference.resource.contains("[?]");
        value.is_wholly_known()
            || self.extended()
                && if value.is_unknown() {
                    value.reference.as_ref().is_some_and(is_there)
                } else {
                    !attempt.is_fallible
                }
    }

    /// `value`, which may still become an error, and then is one of the others. `plain` is what Terraform knows.
    fn tried(&self, value: Value, others: &[Expr<'_>], plain: Value, names: Option<&Names<'_>>) -> Value {
        let mut options = vec![value];
        for other in others {
            match self.attempted(other, names) {
                Ok(Ok(attempt)) => {
                    let ends = self.is_certain(&attempt);
                    options.push(attempt.value);
                    if ends {
                        break;
                    }
                }
                Ok(Err(_)) => {}
                Err(_) => return plain,
            }
        }
        match options.as_slice() {
            [only] => match only.as_unknown() {
                Some(unknown) => self.partly(plain, unknown.partial.clone()),
                None => only.clone(),
            },
            options => self.join(&options.iter().collect::<Vec<_>>(), &plain),
        }
    }

    /// `can(a)`: whether it is no error.
    pub(super) fn can_call(&self, call: &Call<'_>, span: Span, names: Option<&Names<'_>>) -> Eval {
        let [arg] = call.args else {
            return super::evaluator::static_error("`can` needs one argument", span);
        };
        Ok(match self.attempted(arg, names)? {
            Ok(attempt) if attempt.strict().is_wholly_known() => Value::bool(true),
            Ok(attempt) => {
                let unknown = Unknown::of_operands(&[attempt.strict()]);
                let unknown = Unknown { ty: Type::Bool, ..unknown };
                Value::from_unknown(unknown).computed_from([attempt.strict()])
            }
            Err(_) => Value::bool(false),
        })
    }
}

/// The value of a condition, [`None`] if it is unknown.
pub(super) fn condition_of(value: &Value, span: Span) -> Eval<Option<bool>> {
    match convert(value, &Type::Bool) {
        Ok(value) if value.is_null() => error("the condition is null", span),
        Ok(value) => Ok(value.as_bool()),
        Err(_) => error(format!("the condition must be a bool, not a {}", Type::of(value).word()), span),
    }
}

/// Unknown of any type because of `value`; it stays the same attribute, unless it is one of an instance that may not be there.
fn untyped(value: &Value) -> Value {
    let is_certain = |reference: &Arc<Reference>| !reference.resource.contains("[?]");
    let mut unknown = match value.as_unknown() {
        Some(unknown) => Unknown {
            ty: Type::Any,
            not_null: false,
            prefix: smol_str::SmolStr::default(),
            partial: None,
            ..unknown.clone()
        },
        None => Unknown::of_operands(&[value]),
    };
    if let Some(reference) = value.reference.as_ref().filter(|reference| !is_certain(reference)) {
        unknown.sources = Arc::new([Arc::clone(reference)]);
    }
    Value {
        kind: Kind::Unknown(Arc::new(unknown)),
        sensitive: value.holds_sensitive(),
        origin: value.origin,
        reference: value.reference.clone().filter(is_certain),
        via: value.via.clone(),
    }
}
