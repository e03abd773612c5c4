//! Type constraints: the `type` argument of a variable.

use crate::eval::Scope;
use crate::hcl::ast::{Call, Expr, ExprKind};
use crate::source::FileId;
use crate::value::{Field, Type, Value, convert};

use super::{Mode, evaluator};

/// Constraints nest no deeper than expressions.
const MAX_DEPTH: usize = 100;

impl Type {
    /// The constraint that `expr` writes, in `file` if it is in one: `list(object({ a = optional(string, "x") }))`, `any`.
    pub fn from_expr(expr: &Expr<'_>, file: Option<FileId>) -> Result<Self, String> {
        constraint(expr, file, 0)
    }
}

fn constraint(expr: &Expr<'_>, file: Option<FileId>, depth: usize) -> Result<Type, String> {
    if depth > MAX_DEPTH {
        return Err("types nest too deeply".to_owned());
    }
    match expr.kind {
        ExprKind::Paren(inner) => constraint(inner, file, depth + 1),
        ExprKind::Variable(name) | ExprKind::String(name) => simple(name),
        ExprKind::Call(call) => complex(call, file, depth),
        _ => Err("a type is a name such as `string` or a call such as `list(string)`".to_owned()),
    }
}

/// A bare name; the collections without an element type, and quoted names, are of Terraform before 0.12.
fn simple(name: &str) -> Result<Type, String> {
    Ok(match name {
        "any" => Type::Any,
        "bool" => Type::Bool,
        "number" => Type::Number,
        "string" => Type::String,
        "list" => Type::list(Type::Any),
        "set" => Type::set(Type::Any),
        "map" => Type::map(Type::Any),
        "object" | "tuple" => return Err(format!("`{name}` needs an argument")),
        "optional" => return Err("`optional` is only for attributes of an object".to_owned()),
        _ => return Err(format!("there is no type named `{name}`")),
    })
}

fn complex(call: &Call<'_>, file: Option<FileId>, depth: usize) -> Result<Type, String> {
    let name = call.name.text;
    let [arg] = call.args else { return Err(format!("`{name}` takes one argument")) };
    match (name, arg.kind) {
        ("list", _) => constraint(arg, file, depth + 1).map(Type::list),
        ("set", _) => constraint(arg, file, depth + 1).map(Type::set),
        ("map", _) => constraint(arg, file, depth + 1).map(Type::map),
        ("tuple", ExprKind::Tuple(items)) => {
            let items = items.iter().map(|item| constraint(item, file, depth + 1));
            Ok(Type::Tuple(items.collect::<Result<_, _>>()?))
        }
        ("tuple", _) => Err("`tuple` takes a list of types".to_owned()),
        ("object", ExprKind::Object(items)) => {
            let mut fields = Vec::with_capacity(items.len());
            for item in items {
                let (ExprKind::Variable(name) | ExprKind::String(name)) = item.key.kind else {
                    return Err("the name of an attribute is an identifier".to_owned());
                };
                fields.push(field(name, &item.value, file, depth + 1)?);
            }
            fields.sort_by(|a, b| a.name.cmp(&b.name));
            fields.dedup_by(|a, b| a.name == b.name);
            Ok(Type::Object(fields.into()))
        }
        ("object", _) => Err("`object` takes attributes in braces".to_owned()),
        _ => simple(name).and(Err(format!("`{name}` takes no argument"))),
    }
}

fn field(name: &str, expr: &Expr<'_>, file: Option<FileId>, depth: usize) -> Result<Field, String> {
    let (ty, optional, default) = match expr.kind {
        ExprKind::Call(call) if call.name.text == "optional" => match call.args {
            [ty] => (constraint(ty, file, depth)?, true, None),
            [ty, default] => {
                let ty = constraint(ty, file, depth)?;
                let mut value = constant(default)?;
                if let Some(site) = file.map(|file| default.span.at(file)) {
                    value = value.or_origin(site).through(format!("default of {name}"), site);
                }
                let value = convert(&value, &ty)
                    .map_err(|why| format!("the default of `{name}` does not fit: {why}"))?;
                (ty, true, Some(value))
            }
            _ => return Err("`optional` takes a type and a default".to_owned()),
        },
        _ => (constraint(expr, file, depth)?, false, None),
    };
    Ok(Field { name: name.into(), ty, optional, default })
}

/// A default is written without names or functions.
fn constant(expr: &Expr<'_>) -> Result<Value, String> {
    evaluator::run(expr, None, &Nothing, Mode::Strict).0.map_err(|why| why.message)
}

struct Nothing;

impl Scope for Nothing {
    fn lookup(&self, root: &str, _attrs: &[&str]) -> Result<(Value, usize), String> {
        Err(format!("a default cannot refer to `{root}`"))
    }
}
