//! What extended mode knows more of the results of functions than Terraform: functions of one of a few values, of strings
//! with holes, and of an unknown key.
//!
//! The functions themselves know nothing of it: each is called as Terraform calls it, and where its answer is an unknown,
//! what is still known of that is found here.

use super::EvalError;
use super::evaluator::{Eval, Evaluator, Stop};
use super::functions::{self, Formatted};
use super::pieces::{self, End};
use crate::source::Span;
use crate::value::{Kind, Partial, Piece, Type, Value, convert, ends, unify};

/// Functions of marks, and those that give their argument back: it keeps what is known of it.
const AS_IS: &[&str] = &["can", "ephemeralasnull", "issensitive", "nonsensitive", "sensitive", "try"];

impl Evaluator<'_> {
    /// Calls Terraform's function `name`; [`None`] if there is none.
    pub(super) fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let plain = match functions::call(name, args, self.scope.directory())? {
            Ok(plain) => plain,
            Err(why) => return Some(Err(why)),
        };
        // They convert elements, and an element that is not known may yet not fit.
        if matches!(name, "formatlist" | "tolist" | "tomap" | "toset" | "sort") && !plain.is_wholly_known() {
            self.note_fallible(true);
        }
        if !self.extended() || AS_IS.contains(&name) {
            return Some(Ok(plain));
        }
        if name == "formatlist" {
            return Some(Ok(self.format_rows(args, plain)));
        }
        if plain.as_unknown().is_none_or(|unknown| unknown.partial.is_some()) {
            return Some(Ok(plain));
        }
        let operands: Vec<&Value> = args.iter().collect();
        let value = self.lift(&operands, plain, |args| match self.function(name, args) {
            Some(Ok(value)) => Ok(value),
            failed => failure(failed.and_then(Result::err)),
        });
        if value.as_unknown().is_none_or(|unknown| unknown.partial.is_some()) {
            return Some(Ok(value));
        }
        Some(Ok(self.more(name, args, value)))
    }

    /// `plain`, which is unknown, with what more can be told of it.
    fn more(&self, name: &str, args: &[Value], plain: Value) -> Value {
        let known = |truth: Option<bool>| match truth {
            Some(truth) => Value::bool(truth).mark(plain.sensitive),
            None => plain.clone(),
        };
        let text = |at: usize| args.get(at).and_then(Value::as_str);
        let holed = || args.first().and_then(Value::pieces);
        let edited = |pieces: Option<Vec<Piece>>| match pieces {
            Some(pieces) => self.in_pieces(pieces, plain.clone()),
            None => plain.clone(),
        };
        match (name, args) {
            ("jsonencode", [value]) => self.partly(plain.clone(), Partial::json(value.clone())),
            ("jsondecode", [value]) => match functions::decode_json(value) {
                Some(decoded) => decoded.mark(plain.sensitive),
                None => plain,
            },
            ("join", [separator, lists @ ..]) => edited(pieces::join(separator, lists)),
            ("format", [format, args @ ..]) => {
                edited(format.as_str().and_then(|format| formatted(format, args)))
            }
            ("lower" | "upper" | "title", [_]) => edited(holed().map(|pieces| {
                pieces::recase(pieces, name == "title", |text| {
                    let mapped = functions::call(name, &[Value::string(text)], None);
                    mapped
                        .and_then(Result::ok)
                        .and_then(|text| text.as_str().map(Into::into))
                        .unwrap_or_default()
                })
            })),
            ("trimspace", [_]) => {
                edited(holed().map(|all| pieces::trim(all, &[End::Start, End::Last], char::is_whitespace)))
            }
            ("chomp", [_]) => {
                edited(holed().map(|all| pieces::trim(all, &[End::Last], |c| matches!(c, '\r' | '\n'))))
            }
            ("trim", [_, cut]) => edited(
                holed()
                    .zip(cut.as_str())
                    .map(|(all, cut)| pieces::trim(all, &[End::Start, End::Last], |c| cut.contains(c))),
            ),
            ("trimprefix", _) => {
                edited(holed().zip(text(1)).and_then(|(all, cut)| pieces::cut(all, cut, End::Start)))
            }
            ("trimsuffix", _) => {
                edited(holed().zip(text(1)).and_then(|(all, cut)| pieces::cut(all, cut, End::Last)))
            }
            ("replace", [_, _, _]) => match (holed(), text(1), text(2)) {
                (Some(all), Some(from), Some(to)) => edited(pieces::replace(all, from, to)),
                _ => plain,
            },
            ("startswith", _) => {
                known(holed().zip(text(1)).and_then(|(all, wanted)| begins(ends(all).0, wanted)))
            }
            ("endswith", _) => {
                known(holed().zip(text(1)).and_then(|(all, wanted)| ends_so(ends(all).1, wanted)))
            }
            ("strcontains", _) => {
                known(holed().zip(text(1)).and_then(|(all, wanted)| pieces::contains(all, wanted)))
            }
            ("coalesce", all) => self.coalesced(all, plain),
            ("alltrue" | "anytrue" | "concat" | "distinct" | "flatten" | "length", _) => {
                self.of_elements(name, args).unwrap_or(plain)
            }
            ("lookup", [map, key, default @ ..]) if key.is_unknown() => {
                self.looked_up(map, default.first(), plain)
            }
            ("element", [list, index]) if index.is_unknown() => {
                let items: Vec<&Value> = list.items().unwrap_or_default().iter().collect();
                if matches!(list.kind, Kind::Set(_)) { plain } else { self.join(&items, &plain) }
            }
            _ => plain,
        }
    }

    /// The first that is neither null nor empty. What is unknown may be that, or not.
    fn coalesced(&self, args: &[Value], plain: Value) -> Value {
        let types: Vec<Type> = args.iter().map(Type::of).collect();
        let Some(ty) = unify(&types).filter(|_| types_are_known(args)) else { return plain };
        let mut options = Vec::new();
        for arg in args {
            let Ok(value) = convert(arg, &ty) else { return plain };
            if value.is_null() || value.as_str() == Some("") {
                continue;
            }
            let is_sure = value.pieces().is_some_and(|all| all.iter().any(|piece| piece.hole().is_none()));
            let ends = !value.is_unknown() || is_sure;
            options.push(value);
            if ends {
                break;
            }
        }
        match options.as_slice() {
            // The only one there is: if it were empty there would be no value at all.
            [only] => match only.as_unknown() {
                Some(unknown) => self.partly(plain, unknown.partial.clone()),
                None => plain,
            },
            options => self.join(&options.iter().collect::<Vec<_>>(), &plain),
        }
    }

    /// Some entry of a map, or the default.
    fn looked_up(&self, map: &Value, default: Option<&Value>, plain: Value) -> Value {
        let Some(entries) = map.map() else { return plain };
        let default = match default {
            Some(default) if matches!(map.kind, Kind::Map(_)) => {
                match convert(default, &Type::of(map).element()) {
                    Ok(default) => Some(default),
                    Err(_) => return plain,
                }
            }
            default => default.cloned(),
        };
        let all: Vec<&Value> = entries.values().chain(&default).collect();
        self.join(&all, &plain)
    }

    /// `formatlist`: as `format`, for each row.
    fn format_rows(&self, args: &[Value], plain: Value) -> Value {
        let (Kind::List(rows), Some((format, args))) = (&plain.kind, args.split_first()) else {
            return plain;
        };
        let Some(format) = format.as_str() else { return plain };
        if rows.iter().all(|row| !row.is_unknown()) {
            return plain;
        }
        let rows = rows.iter().enumerate().map(|(at, row)| {
            let item = |arg: &Value| match arg.items() {
                Some(items) => items.get(at).cloned(),
                None => Some(arg.clone()),
            };
            let args: Option<Vec<Value>> = args.iter().map(item).collect();
            match args.and_then(|args| formatted(format, &args)).filter(|_| row.is_unknown()) {
                Some(pieces) => self.in_pieces(pieces, row.clone()),
                None => row.clone(),
            }
        });
        Value { kind: Kind::List(rows.collect()), ..plain.clone() }
    }
}

/// Whether no value is unknown in its type.
fn types_are_known(values: &[Value]) -> bool {
    !values.iter().any(|value| value.as_unknown().is_some_and(|unknown| unknown.ty == Type::Any))
}

/// The pieces that `format` makes; [`None`] if it is wrong, or cannot be told.
fn formatted(format: &str, args: &[Value]) -> Option<Vec<Piece>> {
    if args.iter().any(Value::is_null) {
        return None;
    }
    let made = functions::format_pieces(format, &args.iter().collect::<Vec<_>>()).ok()?;
    let piece = |part: Formatted<'_>| match part {
        Formatted::Text(text) => Some(Piece::Text(text.into())),
        // Any other verb makes another text of it.
        Formatted::Unknown(value, true) => pieces::piece_of(value).or_else(|| Some(pieces::fresh(value))),
        Formatted::Unknown(value, false) => Some(pieces::fresh(value)),
    };
    made.into_iter().map(piece).collect()
}

/// Whether a text that certainly begins with `begin` begins with `wanted`.
fn begins(begin: &str, wanted: &str) -> Option<bool> {
    if begin.starts_with(wanted) {
        return Some(true);
    }
    (!wanted.starts_with(begin)).then_some(false)
}

fn ends_so(end: &str, wanted: &str) -> Option<bool> {
    if end.ends_with(wanted) {
        return Some(true);
    }
    (!wanted.ends_with(end)).then_some(false)
}

/// That a call has no value; nobody sees the message.
fn failure(why: Option<String>) -> Eval {
    let message = why.unwrap_or_default();
    Err(Stop::Error(EvalError { message, span: Span::default(), is_static: false }))
}
