//! Terraform's functions, one file a family.
//!
//! [`call()`] counts and converts the arguments, answers for unknown and null ones, and passes on what is sensitive; what a
//! function does with proper arguments is then a few lines in its file. `table.rs` says which function wants what.

#![expect(clippy::unnecessary_wraps, reason = "the table wants one signature of all functions")]

mod call;
mod cidr;
mod collections;
mod conversion;
mod date;
mod encoding;
mod filesystem;
mod format;
mod glob;
mod hash;
mod hclwrite;
mod json;
mod maps;
mod numeric;
mod opentofu;
mod paths;
mod provider;
mod re2;
mod regex;
mod sets;
mod strings;
mod table;
mod text;
mod verb;
mod yaml;

pub(super) use format::{Formatted, parts as format_pieces};
pub(super) use json::decode as decode_json;

use crate::eval::Directory;

use crate::value::{Cause, Type, Unknown, Value, convert};
use call::Call;
use table::{FUNCTIONS, Function, Marks, OPENTOFU, Param, Promise, Unknowns};

/// Calls Terraform's or OpenTofu's function `name` (`upper`, `core::upper`), or one of a provider by the name that the
/// provider usually has (`provider::aws::arn_parse`). None if there is no such function; a function that exists but is not
/// evaluated, as most of providers, gives an unknown and never an error, so that `try` cannot fall back. Relative paths of the functions for files start in `directory` and do not leave its tree.
pub fn call(name: &str, args: &[Value], directory: Option<Directory<'_>>) -> Option<Result<Value, String>> {
    if name.starts_with("provider::") {
        if let Some(function) = provider::find(name) {
            return Some(function.call(args, directory));
        }
        let operands: Vec<&Value> = args.iter().collect();
        let unknown = Unknown { cause: Cause::Function(name.into()), ..Unknown::of_operands(&operands) };
        return Some(Ok(Value::from_unknown(unknown).mark(args.iter().any(Value::holds_sensitive))));
    }
    Some(find(name)?.call(args, directory))
}

/// Whether Terraform or OpenTofu has the function `name`.
pub fn exists(name: &str) -> bool {
    name.starts_with("provider::") || name == "convert" || find(name).is_some()
}

/// The names of all functions of Terraform, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// The function whose name is at most two letters away from `name`, which is none.
pub fn similar(name: &str) -> Option<&'static str> {
    let all = FUNCTIONS.iter().chain(OPENTOFU).map(|function| function.name);
    let near = all.filter_map(|other| Some((distance(name, other)?, other)));
    near.min().map(|(_, other)| other)
}

/// How many letters to add, drop or change; [`None`] if they are more than two.
fn distance(a: &str, b: &str) -> Option<usize> {
    if a.len().abs_diff(b.len()) > 2 {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut left = i + 1;
        let mut diagonal = std::mem::replace(row.first_mut()?, left);
        for (above, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = (diagonal + usize::from(x != y)).min(left + 1).min(*above + 1);
            diagonal = std::mem::replace(above, cost);
            left = cost;
        }
    }
    row.last().copied().filter(|distance| *distance <= 2)
}

fn find(name: &str) -> Option<&'static Function> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    [FUNCTIONS, OPENTOFU].into_iter().find_map(|table| {
        let at = table.binary_search_by(|function| function.name.cmp(name)).ok()?;
        table.get(at)
    })
}

impl Function {
    fn param(&self, index: usize) -> Option<&Param> {
        self.params.get(index).or(self.rest.as_ref())
    }

    fn call(&self, args: &[Value], directory: Option<Directory<'_>>) -> Result<Value, String> {
        let wanted = self.params.len();
        if args.len() < wanted || args.len() > wanted && self.rest.is_none() {
            let more = if self.rest.is_some() { "at least " } else { "" };
            return Err(format!("{} takes {more}{wanted} arguments, not {}", self.name, args.len()));
        }
        let sensitive = match self.marks {
            Marks::Deep => args.iter().any(Value::holds_sensitive),
            Marks::Top => args.iter().any(|arg| arg.sensitive),
            Marks::Own => false,
        };
        match self.evaluate(args, directory) {
            Ok(value) => Ok(value.mark(sensitive)),
            // The message may show an argument.
            Err(_) if args.iter().any(Value::holds_sensitive) => {
                Err(format!("{}: an argument is wrong, and sensitive", self.name))
            }
            Err(message) => Err(format!("{}: {message}", self.name)),
        }
    }

    fn evaluate(&self, args: &[Value], directory: Option<Directory<'_>>) -> Result<Value, String> {
        let mut converted = Vec::with_capacity(args.len());
        for (i, arg) in args.iter().enumerate() {
            let Some(param) = self.param(i) else { break };
            if arg.is_null() && !param.nullable {
                return Err(format!("argument `{}` must not be null", param.name));
            }
            let ty = param.ty.to_type();
            let value = convert(arg, &ty).map_err(|why| format!("argument `{}`: {why}", param.name))?;
            // How long a list of a set's elements is, is not known where these are not.
            let unsettled = matches!(ty, Type::List(_)) && !sets::is_settled(arg);
            converted.push(if unsettled {
                Value::from_unknown(call::unknown([arg], ty, true))
            } else {
                value
            });
        }
        let call = Call { args: &converted, directory, name: self.name };
        let unknown = match self.unknowns {
            Unknowns::Top => converted.iter().any(Value::is_unknown),
            Unknowns::Deep => !converted.iter().all(Value::is_wholly_known),
            Unknowns::Own => false,
        };
        match self.run {
            _ if unknown => Ok(self.unknown(&converted)),
            Some(run) => run(&call),
            None => {
                let result = self.unknown(&converted);
                let cause = Cause::Function(self.name.into());
                Ok(result.as_unknown().map_or(result.clone(), |unknown| {
                    Value::from_unknown(Unknown { cause, ..unknown.clone() })
                }))
            }
        }
    }

    /// The result where arguments are unknown.
    fn unknown(&self, args: &[Value]) -> Value {
        let typed = !args.iter().any(|arg| arg.as_unknown().is_some_and(|unknown| unknown.ty == Type::Any));
        let (ty, not_null) = match self.promise {
            Promise::NotNull(ty) if typed => (ty.to_type(), true),
            Promise::Nothing => (self.result.to_type(), false),
            _ => (self.result.to_type(), !matches!(self.result, table::Ty::Any)),
        };
        Value::from_unknown(call::unknown(args, ty, not_null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        assert!(OPENTOFU.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn the_table_says_what_terraform_says() {
        let ours: Vec<String> = FUNCTIONS.iter().map(ToString::to_string).collect();
        let terraforms = include_str!("../../../fixtures/truth/signatures.txt");
        assert_eq!(ours, terraforms.lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_function_that_is_not_evaluated_is_unknown_and_no_error() {
        for name in ["base64gzip", "core::base64gzip", "provider::aws::other", "provider::x::arn_parse"] {
            let value = call(name, &[Value::string("a: 1")], None).unwrap().unwrap();
            let short = name.trim_start_matches("core::");
            assert_eq!(value.as_unknown().unwrap().cause, Cause::Function(short.into()), "{name}");
        }
        assert!(call("no_such_function", &[], None).is_none());
        assert!(call("core::no_such_function", &[], None).is_none());
    }

    #[test]
    fn a_message_does_not_show_what_is_sensitive() {
        let secret = Value::string("10.0.0.hunter2").mark(true);
        let message = call("cidrnetmask", &[secret], None).unwrap().unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn results_keep_where_they_come_from() {
        use crate::value::{Reference, Type};
        use std::sync::Arc;
        let reference = Arc::new(Reference { resource: "aws_kms_key.k".into(), attribute: "arn".into() });
        let mut arn = Value::from_unknown(Unknown {
            ty: Type::String,
            not_null: true,
            ..Unknown::new(Cause::Resource(reference.clone()))
        });
        arn.reference = Some(reference.clone());
        for (name, args) in [
            ("coalesce", vec![Value::NULL, arn.clone()]),
            ("tostring", vec![arn.clone()]),
            ("element", vec![Value::tuple([arn.clone()]), Value::int(0)]),
            ("lookup", vec![Value::object([("a".into(), arn.clone())]), Value::string("a")]),
            ("one", vec![Value::tuple([arn.clone()])]),
        ] {
            let value = call(name, &args, None).unwrap().unwrap();
            assert_eq!(value.reference.as_ref(), Some(&reference), "{name}");
        }
        let joined = call("join", &[Value::string(","), Value::tuple([arn])], None).unwrap().unwrap();
        assert_eq!(joined.reference, None);
        assert_eq!(*joined.as_unknown().unwrap().sources, [reference]);
    }
}
