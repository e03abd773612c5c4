//! `!`, `-`, and the infix operators.

use super::evaluator::{Eval, Evaluator, Names, error, optional};
use super::lift::{one, two};
use crate::hcl::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::source::Span;
use crate::value::{Kind, Number, Reference, Truth, Type, Unknown, Value, convert, equal};

impl Evaluator<'_> {
    pub(super) fn unary(&self, op: UnaryOp, operand: &Expr<'_>, names: Option<&Names<'_>>) -> Eval {
        let value = self.eval(operand, names)?;
        let plain = negate(op, &value, operand.span)?;
        Ok(self.lift(&[&value], plain, |of| negate(op, one(of), operand.span)))
    }

    /// `expr` is an infix operator. Chains (`a && b && c …`) lean to the left and may be long, so the left side is walked,
    /// not recursed into.
    pub(super) fn binary(&self, expr: &Expr<'_>, names: Option<&Names<'_>>) -> Eval {
        let mut chain = Vec::new();
        let mut first = expr;
        while let ExprKind::Binary(op, left, right) = first.kind {
            chain.push((op, left, right));
            first = left;
        }
        let mut value = self.eval(first, names)?;
        while let Some((op, left, right)) = chain.pop() {
            self.charge(1)?;
            value = self.operate(op, &value, left, right, names)?;
            value = self.place(value, left.span.to(right.span));
        }
        Ok(value)
    }

    fn operate(
        &self,
        op: BinaryOp,
        left: &Value,
        left_expr: &Expr<'_>,
        right_expr: &Expr<'_>,
        names: Option<&Names<'_>>,
    ) -> Eval {
        if let (BinaryOp::And | BinaryOp::Or, true) = (op, self.extended()) {
            return self.short_circuit(op, left, left_expr, right_expr, names);
        }
        let right = self.eval(right_expr, names)?;
        let sensitive = left.holds_sensitive() || right.holds_sensitive();
        let result = match op {
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let truth = if self.extended() { same_or_equal(left, &right) } else { equal(left, &right) };
                let truth = if op == BinaryOp::Equal { truth } else { !truth };
                match truth.into() {
                    Some(known) => Value::bool(known),
                    None => Value::unknown_from(&[left, &right], Type::Bool),
                }
            }
            BinaryOp::And | BinaryOp::Or => {
                let a = to_operand(left, &Type::Bool, left_expr.span)?;
                let b = to_operand(&right, &Type::Bool, right_expr.span)?;
                match (a.as_bool(), b.as_bool()) {
                    (Some(a), Some(b)) => Value::bool(if op == BinaryOp::And { a && b } else { a || b }),
                    _ => Value::unknown_from(&[left, &right], Type::Bool),
                }
            }
            _ => {
                let span = left_expr.span.to(right_expr.span);
                let spans = [left_expr.span, right_expr.span, span];
                let plain = calculation(op, left, &right, spans)?;
                self.lift(&[left, &right], plain, |of| {
                    let (left, right) = two(of);
                    calculation(op, left, right, spans)
                })
            }
        };
        Ok(result.mark(sensitive))
    }

    /// `&&` and `||` that know the answer when one side decides, and do not look at the right side when the left one does.
    fn short_circuit(
        &self,
        op: BinaryOp,
        left: &Value,
        left_expr: &Expr<'_>,
        right_expr: &Expr<'_>,
        names: Option<&Names<'_>>,
    ) -> Eval {
        let decisive = op == BinaryOp::Or;
        let a = to_operand(left, &Type::Bool, left_expr.span)?;
        if a.as_bool() == Some(decisive) {
            return Ok(Value::bool(decisive).mark(left.sensitive));
        }
        let right = optional(self.eval(right_expr, names).and_then(|right| {
            to_operand(&right, &Type::Bool, right_expr.span)?;
            Ok(right)
        }))?;
        let right = match right {
            Ok(right) => right,
            // Whether the right side matters is not known, so neither is whether its error does.
            Err(_) if a.is_unknown() => return Ok(Value::unknown_from(&[left], Type::Bool)),
            Err(why) => return Err(super::evaluator::Stop::Error(why)),
        };
        let b = to_operand(&right, &Type::Bool, right_expr.span)?;
        let result = match (a.as_bool(), b.as_bool()) {
            (_, Some(b)) if b == decisive => Value::bool(decisive),
            (Some(_), Some(b)) => Value::bool(b),
            (Some(_), None) => Value::unknown_from(&[&right], Type::Bool),
            (None, Some(_)) => Value::unknown_from(&[left], Type::Bool),
            (None, None) => Value::unknown_from(&[left, &right], Type::Bool),
        };
        Ok(result.mark(left.sensitive || right.sensitive))
    }
}

/// `!` or `-` of a value.
fn negate(op: UnaryOp, value: &Value, span: Span) -> Eval {
    let wanted = if op == UnaryOp::Not { Type::Bool } else { Type::Number };
    let converted = to_operand(value, &wanted, span)?;
    let result = match converted.kind {
        Kind::Bool(value) => Value::bool(!value),
        Kind::Number(number) => Value::number(-number),
        _ => Value::unknown_from(&[value], wanted),
    };
    Ok(result.mark(value.sensitive))
}

/// Equality that also knows that an attribute, known or not, equals itself, and that one which is only not created yet is
/// not null.
fn same_or_equal(a: &Value, b: &Value) -> Truth {
    if a.is_null() && is_reference(b) || b.is_null() && is_reference(a) {
        return Truth::No;
    }
    // An element that is not told apart (`[?]`) may be another one.
    let exact =
        |reference: &Reference| !reference.attribute.contains('?') && !reference.resource.contains('?');
    match (equal(a, b), &a.reference, &b.reference) {
        (Truth::Maybe, Some(one), Some(other)) if one == other && exact(one) => Truth::Yes,
        (truth, ..) => truth,
    }
}

/// Whether it is an attribute that is not known, and not one that may be left out.
fn is_reference(value: &Value) -> bool {
    let left_out = |unknown: &Unknown| unknown.alternatives().into_iter().flatten().any(Value::is_null);
    value.reference.is_some() && value.as_unknown().is_some_and(|unknown| !left_out(unknown))
}

/// `value` as an operand, known and not null or unknown.
fn to_operand(value: &Value, wanted: &Type, span: Span) -> Eval {
    match convert(value, wanted) {
        Ok(value) if value.is_null() => error("an operand must not be null", span),
        Ok(value) => Ok(value),
        Err(why) => error(format!("this operand does not fit: {why}"), span),
    }
}

fn result_type(op: BinaryOp) -> Type {
    match op {
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => {
            Type::Number
        }
        _ => Type::Bool,
    }
}

/// Arithmetic or a comparison of order; `spans` are of both sides and the whole.
fn calculation(op: BinaryOp, left: &Value, right: &Value, [from, to, whole]: [Span; 3]) -> Eval {
    let a = to_operand(left, &Type::Number, from)?;
    let b = to_operand(right, &Type::Number, to)?;
    match (&a.kind, &b.kind) {
        (Kind::Number(a), Kind::Number(b)) => calculate(op, a, b).or_else(|why| error(why, whole)),
        _ => Ok(Value::unknown_from(&[left, right], result_type(op))),
    }
}

fn calculate(op: BinaryOp, a: &Number, b: &Number) -> Result<Value, &'static str> {
    Ok(match op {
        BinaryOp::Less => Value::bool(a < b),
        BinaryOp::LessOrEqual => Value::bool(a <= b),
        BinaryOp::Greater => Value::bool(a > b),
        BinaryOp::GreaterOrEqual => Value::bool(a >= b),
        BinaryOp::Add => Value::number(a.add(b)?),
        BinaryOp::Subtract => Value::number(a.sub(b)?),
        BinaryOp::Multiply => Value::number(a.mul(b)?),
        BinaryOp::Divide => Value::number(a.div(b)?),
        BinaryOp::Modulo => Value::number(a.modulo(b)?),
        BinaryOp::Or | BinaryOp::And | BinaryOp::Equal | BinaryOp::NotEqual => return Err("no arithmetic"),
    })
}
