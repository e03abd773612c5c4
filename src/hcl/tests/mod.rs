//! Tests of the parser. Trees are compared as short texts: `(+ a (* b c))`.

mod bodies;
mod expressions;
mod json;
mod limits;
mod recovery;
mod spans;
mod templates;

use std::fmt::Write as _;

use bumpalo::Bump;

use super::ast::{Attribute, BinaryOp, Body, Expr, ExprKind, Ident, Item, Part, Step, UnaryOp};
use crate::source::{FileId, Sources};

fn file_id() -> FileId {
    Sources::default().add("test.tf", "")
}

/// The tree of a file and its messages.
fn file(text: &str) -> (String, Vec<String>) {
    let arena = Bump::new();
    let (body, diagnostics) = super::parse(text, file_id(), &arena);
    let mut out = String::new();
    write_body(&mut out, &body);
    (out, diagnostics.into_iter().map(|d| d.message).collect())
}

/// The tree of a file without errors.
fn good(text: &str) -> String {
    let (tree, messages) = file(text);
    assert_eq!(messages, Vec::<String>::new(), "{text}");
    tree
}

/// The messages for a file, each with the text it points at.
fn errors(text: &str) -> Vec<(String, String)> {
    let arena = Bump::new();
    let (_, diagnostics) = super::parse(text, file_id(), &arena);
    let place = |site: Option<crate::source::Site>| {
        let span = site.expect("a syntax error has a place").span;
        text.get(span.start as usize..span.end as usize).expect("a place is within the text").to_owned()
    };
    diagnostics.into_iter().map(|d| (d.message, place(d.site))).collect()
}

/// The only message for a file.
fn error(text: &str) -> (String, String) {
    let errors = errors(text);
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().expect("one")
}

/// The tree of an expression without errors.
fn expr(text: &str) -> String {
    let arena = Bump::new();
    let (expr, diagnostics) = super::parse_expression(text, file_id(), &arena);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    let mut out = String::new();
    write_expr(&mut out, &expr);
    out
}

/// The tree of a template without errors.
fn template(text: &str) -> String {
    let arena = Bump::new();
    let (expr, diagnostics) = super::parse_template(text, file_id(), &arena);
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    let mut out = String::new();
    write_expr(&mut out, &expr);
    out
}

/// The tree of the value of an attribute, written after `x = `.
fn value(text: &str) -> String {
    let tree = good(&format!("x = {text}"));
    tree.strip_prefix("x=").expect("one attribute").to_owned()
}

fn write_body(out: &mut String, body: &Body<'_>) {
    for (i, item) in body.items.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "; " });
        match item {
            Item::Attribute(Attribute { name, value, .. }) => {
                out.push_str(name.text);
                out.push('=');
                write_expr(out, value);
            }
            Item::Block(block) => {
                out.push_str(block.ident.text);
                block.labels.iter().for_each(|label| write!(out, " {:?}", label.text).expect("a string"));
                out.push_str(" {");
                write_body(out, &block.body);
                out.push('}');
            }
        }
    }
}

fn write_list<'a, 'b: 'a>(out: &mut String, head: &str, list: impl IntoIterator<Item = &'a Expr<'b>>) {
    out.push('(');
    out.push_str(head);
    for expr in list {
        out.push(' ');
        write_expr(out, expr);
    }
    out.push(')');
}

fn write_expr(out: &mut String, expr: &Expr<'_>) {
    match expr.kind {
        ExprKind::Null => out.push_str("null"),
        ExprKind::Bool(value) => write!(out, "{value}").expect("a string"),
        ExprKind::Number(text) | ExprKind::Variable(text) => out.push_str(text),
        ExprKind::String(text) => write!(out, "{text:?}").expect("a string"),
        ExprKind::Template(parts) => {
            out.push_str("(template");
            write_parts(out, parts);
            out.push(')');
        }
        ExprKind::Tuple(items) => write_list(out, "tuple", items),
        ExprKind::Object(items) => write_list(out, "object", items.iter().flat_map(|i| [&i.key, &i.value])),
        ExprKind::Access { base, steps } => {
            write_expr(out, base);
            write_steps(out, steps);
        }
        ExprKind::Call(call) => {
            write_list(out, &format!("call {}", call.name.text), call.args);
            out.push_str(if call.expand { "..." } else { "" });
        }
        ExprKind::Unary(op, operand) => {
            write_list(out, if op == UnaryOp::Not { "!" } else { "-" }, [operand]);
        }
        ExprKind::Binary(op, left, right) => write_list(out, symbol(op), [left, right]),
        ExprKind::Conditional(c) => write_list(out, "?", [&c.condition, &c.then, &c.otherwise]),
        ExprKind::For(f) => {
            let head = format!("for{} {}", names(f.key_var, f.value_var), if f.group { "group" } else { "" });
            let parts = [Some(&f.collection), f.key.as_ref(), Some(&f.value), f.condition.as_ref()];
            write_list(out, head.trim_end(), parts.into_iter().flatten());
        }
        ExprKind::Paren(inner) => write_list(out, "paren", [inner]),
        ExprKind::Invalid => out.push_str("INVALID"),
    }
}

fn names(key: Option<Ident<'_>>, value: Ident<'_>) -> String {
    key.map_or_else(|| format!(" {}", value.text), |key| format!(" {},{}", key.text, value.text))
}

fn write_steps(out: &mut String, steps: &[Step<'_>]) {
    for step in steps {
        match step {
            Step::Attr(name) => write!(out, ".{}", name.text).expect("a string"),
            Step::LegacyIndex(digits) => write!(out, ".{}", digits.text).expect("a string"),
            Step::Index(key, _) => {
                out.push('[');
                write_expr(out, key);
                out.push(']');
            }
            Step::Splat { each, full, .. } => {
                out.push_str(if *full { "[*]<" } else { ".*<" });
                write_steps(out, each);
                out.push('>');
            }
        }
    }
}

fn write_parts(out: &mut String, parts: &[Part<'_>]) {
    for part in parts {
        out.push(' ');
        match *part {
            Part::Literal(text, _) => write!(out, "{text:?}").expect("a string"),
            Part::Interpolation(expr) => write_expr(out, expr),
            Part::If { condition, then, otherwise } => {
                out.push_str("(if ");
                write_expr(out, condition);
                write_parts(out, then);
                out.push_str(" else");
                write_parts(out, otherwise);
                out.push(')');
            }
            Part::For { key_var, value_var, collection, body } => {
                write!(out, "(for{} ", names(key_var, value_var)).expect("a string");
                write_expr(out, collection);
                write_parts(out, body);
                out.push(')');
            }
        }
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Modulo => "%",
    }
}
