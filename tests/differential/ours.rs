//! What our parser makes of a text, as lines.

use std::fmt::Write as _;

use airgate::hcl::ast::{Body, Expr, ExprKind, Item, Part, Step, UnaryOp};
use airgate::source::Span;
use bumpalo::Bump;

use super::{Verdict, file_id};

/// The lines of a text, or the first message.
pub(crate) fn verdict(text: &str) -> Verdict {
    let arena = Bump::new();
    let (body, diagnostics) = airgate::hcl::parse(text, file_id(), &arena);
    let mut lines = Vec::new();
    our_body(&body, &mut lines);
    diagnostics.first().map_or(Ok(lines), |first| Err(first.message.clone()))
}

fn at(span: Span) -> String {
    format!("{}..{}", span.start, span.end)
}

fn our_body(body: &Body<'_>, out: &mut Vec<String>) {
    for item in body.items {
        match item {
            Item::Attribute(attribute) => {
                let (name, value) = (attribute.name, attribute.value);
                out.push(format!("attribute {} {} {}", name.text, at(name.span), at(attribute.span)));
                our_expr(&value, out);
            }
            Item::Block(block) => {
                let mut line =
                    format!("block {} {} {}", block.ident.text, at(block.ident.span), at(block.span));
                for label in block.labels {
                    write!(line, " {:?} {}", label.text, at(label.span)).unwrap();
                }
                out.push(line);
                our_body(&block.body, out);
            }
        }
    }
    out.push("end".to_owned());
}

fn our_expr(expr: &Expr<'_>, out: &mut Vec<String>) {
    let mut node = |kind: &str| out.push(format!("{kind} {}", at(expr.span)));
    match expr.kind {
        ExprKind::Null => node("null"),
        ExprKind::Bool(value) => node(if value { "true" } else { "false" }),
        ExprKind::Number(_) => node("number"),
        ExprKind::String(text) => node(&format!("string {text:?}")),
        ExprKind::Variable(name) => node(&format!("variable {name}")),
        ExprKind::Template(parts) => {
            node("template");
            our_parts(parts, out);
        }
        ExprKind::Tuple(items) => {
            node(&format!("tuple {}", items.len()));
            for item in items {
                our_expr(item, out);
            }
        }
        ExprKind::Object(items) => {
            node(&format!("object {}", items.len()));
            for item in items {
                our_expr(&item.key, out);
                our_expr(&item.value, out);
            }
        }
        ExprKind::Access { base, steps } => {
            node("access");
            our_expr(base, out);
            our_steps(steps, out);
        }
        ExprKind::Call(call) => {
            let (name, args) = (call.name.text, call.args);
            node(&format!("call {name} {}{}", args.len(), if call.expand { "..." } else { "" }));
            for argument in args {
                our_expr(argument, out);
            }
        }
        // hcl-edit makes one number of both.
        ExprKind::Unary(UnaryOp::Negate, Expr { kind: ExprKind::Number(_), .. }) => node("number"),
        ExprKind::Unary(op, operand) => {
            node(&format!("{op:?}"));
            our_expr(operand, out);
        }
        ExprKind::Binary(op, left, right) => {
            node(&format!("{op:?}"));
            our_expr(left, out);
            our_expr(right, out);
        }
        ExprKind::Conditional(conditional) => {
            node("conditional");
            our_expr(&conditional.condition, out);
            our_expr(&conditional.then, out);
            our_expr(&conditional.otherwise, out);
        }
        ExprKind::For(f) => {
            let key = f.key_var.map_or("", |key| key.text);
            node(&format!("for {key},{} {}", f.value_var.text, if f.group { "..." } else { "" }));
            our_expr(&f.collection, out);
            f.key.iter().for_each(|key| our_expr(key, out));
            our_expr(&f.value, out);
            f.condition.iter().for_each(|condition| our_expr(condition, out));
        }
        ExprKind::Paren(inner) => {
            node("parentheses");
            our_expr(inner, out);
        }
        ExprKind::Invalid => node("invalid"),
    }
}

fn our_steps(steps: &[Step<'_>], out: &mut Vec<String>) {
    for step in steps {
        match step {
            Step::Attr(name) => out.push(format!(".{} {}", name.text, at(name.span))),
            Step::LegacyIndex(digits) => out.push(format!(".{} {}", digits.text, at(digits.span))),
            Step::Index(key, _) => {
                out.push("index".to_owned());
                our_expr(key, out);
            }
            Step::Splat { each, full, .. } => {
                out.push(if *full { "[*]" } else { ".*" }.to_owned());
                our_steps(each, out);
            }
        }
    }
}

fn our_parts(parts: &[Part<'_>], out: &mut Vec<String>) {
    for part in parts {
        match *part {
            Part::Literal(..) => {}
            Part::Interpolation(expr) => {
                out.push("interpolation".to_owned());
                our_expr(expr, out);
            }
            Part::If { condition, then, otherwise } => {
                out.push("if".to_owned());
                our_expr(condition, out);
                our_parts(then, out);
                out.push("else".to_owned());
                our_parts(otherwise, out);
                out.push("endif".to_owned());
            }
            Part::For { key_var, value_var, collection, body } => {
                out.push(format!("for {},{}", key_var.map_or("", |key| key.text), value_var.text));
                our_expr(collection, out);
                our_parts(body, out);
                out.push("endfor".to_owned());
            }
        }
    }
}
