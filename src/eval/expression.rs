//! Each kind of expression to its evaluation; literals, constructors and calls.

use smol_str::SmolStr;

use super::evaluator::{Eval, Evaluator, MAX_ITEMS, Names, Stop, error, static_error};
use super::size::size;
use super::stack::Level;
use super::{functions, provenance};
use crate::hcl::ast::{Call, Expr, ExprKind, ObjectItem};
use crate::source::Span;
use crate::value::{Cause, Kind, Map, Number, Type, Unknown, Value, convert, normalize};

impl Evaluator<'_> {
    /// The value of `expr`.
    pub(super) fn eval(&self, expr: &Expr<'_>, names: Option<&Names<'_>>) -> Eval {
        let _level = Level::enter()?;
        self.charge(1)?;
        let value = match expr.kind {
            ExprKind::Null => Value::NULL,
            ExprKind::Bool(value) => Value::bool(value),
            ExprKind::Number(text) => self.number(text, expr.span)?,
            ExprKind::String(text) => Value::string(normalize(text)),
            ExprKind::Template(parts) => self.template(parts, names)?,
            ExprKind::Tuple(items) => self.tuple(items, names)?,
            ExprKind::Object(items) => self.object(items, names)?,
            ExprKind::Variable(_) | ExprKind::Access { .. } => self.access(expr, names)?,
            ExprKind::Call(call) => self.call(call, expr.span, names)?,
            ExprKind::Unary(op, operand) => self.unary(op, operand, names)?,
            ExprKind::Binary(..) => self.binary(expr, names)?,
            ExprKind::Conditional(conditional) => self.conditional(conditional, names)?,
            ExprKind::For(each) => self.for_expression(each, names)?,
            ExprKind::Paren(inner) => self.eval(inner, names)?,
            ExprKind::Invalid => Value::unknown(Cause::Error("it could not be parsed".into())),
        };
        self.note(&value);
        if matches!(
            expr.kind,
            ExprKind::Unary(..)
                | ExprKind::Binary(..)
                | ExprKind::Call(_)
                | ExprKind::For(_)
                | ExprKind::Object(_)
        ) {
            self.note_fallible(value.is_unknown());
        }
        if !matches!(expr.kind, ExprKind::Variable(_) | ExprKind::Paren(_)) {
            self.bound(&value)?;
        }
        Ok(self.place(value, expr.span))
    }

    /// Ends the evaluation if the value is so large that nobody can walk it.
    fn bound(&self, value: &Value) -> Eval<()> {
        let is_partial = value.as_unknown().is_some_and(|unknown| unknown.partial.is_some());
        if value.items().is_none() && value.map().is_none() && !is_partial {
            return Ok(());
        }
        match size(value, MAX_ITEMS) {
            // Looking at a value is cheap beside evaluating one, and not free.
            Some(size) => self.charge(size / 64),
            None => Err(Stop::Limit("a value is too large or too deep")),
        }
    }

    fn number(&self, text: &str, span: Span) -> Eval {
        self.charge(text.len())?;
        match Number::parse(text) {
            Some(number) => Ok(Value::number(number)),
            None => static_error("this is no number", span),
        }
    }

    fn tuple(&self, items: &[Expr<'_>], names: Option<&Names<'_>>) -> Eval {
        let items = items.iter().map(|item| self.eval(item, names));
        Ok(Kind::Tuple(items.collect::<Eval<Vec<_>>>()?.into()).into())
    }

    fn object(&self, items: &[ObjectItem<'_>], names: Option<&Names<'_>>) -> Eval {
        let mut entries = Vec::with_capacity(items.len());
        let mut unknown = Vec::new();
        let mut sensitive = false;
        for item in items {
            let name = match item.key.kind {
                ExprKind::Variable(name) => Some(normalize(name)),
                // Not the values: `{ null = 1 }` has the key "null".
                ExprKind::Null => Some(SmolStr::new_static("null")),
                ExprKind::Bool(value) => Some(SmolStr::new_static(if value { "true" } else { "false" })),
                _ => None,
            };
            if let Some(name) = name {
                entries.push((name, self.eval(&item.value, names)?));
                continue;
            }
            let key = self.eval(&item.key, names)?;
            sensitive |= key.sensitive;
            let value = self.eval(&item.value, names)?;
            let key = match convert(&key, &Type::String) {
                Ok(key) if key.is_null() => return error("a key cannot be null", item.key.span),
                Ok(key) => key,
                Err(why) => return error(format!("this value cannot be a key: {why}"), item.key.span),
            };
            match key.as_str() {
                Some(text) => entries.push((SmolStr::from(text), value)),
                None => unknown.extend([key, value]),
            }
        }
        if unknown.is_empty() {
            return Ok(Value::object(entries).mark(sensitive));
        }
        // Nothing can be told of an object whose keys are not known, and its values are still part of it.
        let operands: Vec<&Value> = unknown.iter().chain(entries.iter().map(|(_, value)| value)).collect();
        Ok(Value::unknown_from(&operands, Type::Any).mark(sensitive))
    }

    fn call(&self, call: &Call<'_>, span: Span, names: Option<&Names<'_>>) -> Eval {
        let name = call.name.text.strip_prefix("core::").unwrap_or(call.name.text);
        match name {
            "try" => return self.try_call(call, span, names),
            "can" => return self.can_call(call, span, names),
            "convert" => return self.convert_call(call, span, names),
            "templatestring" => {
                // Terraform refuses what could as well be written as a template in place.
                let by_reference =
                    |arg: &Expr<'_>| matches!(arg.kind, ExprKind::Variable(_) | ExprKind::Access { .. });
                if let Some(first) = call.args.first().filter(|first| !by_reference(first)) {
                    return error("the template must be a reference, not an expression", first.span);
                }
            }
            _ => {}
        }
        let mut args = Vec::with_capacity(call.args.len());
        for (at, arg) in call.args.iter().enumerate() {
            let value = self.eval(arg, names)?;
            if !call.expand || at + 1 < call.args.len() {
                args.push(value);
                continue;
            }
            match &value.kind {
                Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                    self.charge(items.len())?;
                    let part = |item: &Value| value.handing_on(item.clone()).mark(value.sensitive);
                    args.extend(items.iter().map(part));
                }
                Kind::Unknown(unknown)
                    if !unknown.ty.is_primitive()
                        && !matches!(unknown.ty, Type::Map(_) | Type::Object(_)) =>
                {
                    let operands: Vec<&Value> = args.iter().chain([&value]).collect();
                    let unknown = Unknown::of_operands(&operands);
                    let sensitive = operands.iter().any(|operand| operand.holds_sensitive());
                    return Ok(Value::from_unknown(unknown).mark(sensitive).computed_from(operands));
                }
                Kind::Null => return error("the argument before `...` must not be null", arg.span),
                _ => return error("the argument before `...` must be a list, set or tuple", arg.span),
            }
        }
        self.charge(args.iter().map(weight).sum())?;
        let args = provenance::arguments(name, &args);
        // The scope goes first: inside of a template there are no templates.
        let result = self.scope.call(name, &args).or_else(|| match name {
            "templatestring" => Some(self.template_string(&args)),
            "templatefile" => Some(self.template_file(&args)),
            "slice" if self.extended() => self.slice_of_unknown(&args).map(Ok),
            _ => None,
        });
        match result.or_else(|| self.function(name, &args)) {
            Some(Ok(value)) => {
                // An argument that is not known for a limit was told of where that was passed.
                if let Some(which) = limit(&value).filter(|_| args.iter().all(|arg| limit(arg).is_none())) {
                    self.pass(which.clone(), span);
                }
                Ok(provenance::result(name, value, &args))
            }
            Some(Err(why)) => error(why, span),
            None => {
                let meant = functions::similar(name).map(|other| format!("; did you mean `{other}`?"));
                let message = format!("there is no function named `{name}`{}", meant.unwrap_or_default());
                static_error(message, call.name.span)
            }
        }
    }

    /// `convert(a, list(string))`, which OpenTofu and later versions of Terraform have: its second argument is a type.
    fn convert_call(&self, call: &Call<'_>, span: Span, names: Option<&Names<'_>>) -> Eval {
        let [value, ty] = call.args else {
            return static_error("`convert` takes a value and a type", span);
        };
        let ty = match Type::from_expr(ty, self.file) {
            Ok(ty) => ty,
            Err(why) => return static_error(why, ty.span),
        };
        convert(&self.eval(value, names)?, &ty).or_else(|why| error(format!("convert: {why}"), value.span))
    }
}

/// The limit for which a value is not known.
fn limit(value: &Value) -> Option<&SmolStr> {
    match &value.as_unknown()?.cause {
        Cause::Limit(which) => Some(which),
        _ => None,
    }
}

/// How many elements a value has at its top.
fn weight(value: &Value) -> usize {
    value.items().map_or_else(|| value.map().map_or(1, Map::len), <[Value]>::len)
}
