//! What hcl-edit makes of a text, as the same lines.

use std::fmt::Write as _;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::Structure;
use hcl_edit::template::{Directive, Element, Template};

use super::Verdict;

/// The lines of a text, or the error.
pub(crate) fn verdict(text: &str) -> Verdict {
    let body = hcl_edit::parser::parse_body(text).map_err(|error| error.to_string())?;
    let mut lines = Vec::new();
    their_body(&body, &mut lines);
    Ok(lines)
}

fn their_at(span: Option<Range<usize>>) -> String {
    span.map_or_else(|| "nowhere".to_owned(), |span| format!("{}..{}", span.start, span.end))
}

fn their_body(body: &hcl_edit::structure::Body, out: &mut Vec<String>) {
    for item in body {
        match item {
            Structure::Attribute(attribute) => {
                let key = &attribute.key;
                out.push(format!(
                    "attribute {} {} {}",
                    key.as_str(),
                    their_at(key.span()),
                    their_at(attribute.span())
                ));
                their_expr(&attribute.value, out);
            }
            Structure::Block(block) => {
                let ident = &block.ident;
                let mut line =
                    format!("block {} {} {}", ident.as_str(), their_at(ident.span()), their_at(block.span()));
                for label in &block.labels {
                    write!(line, " {:?} {}", label.as_str(), their_at(label.span())).unwrap();
                }
                out.push(line);
                their_body(&block.body, out);
            }
        }
    }
    out.push("end".to_owned());
}

fn their_expr(expr: &Expression, out: &mut Vec<String>) {
    let mut node = |kind: &str| out.push(format!("{kind} {}", their_at(expr.span())));
    match expr {
        Expression::Null(_) => node("null"),
        Expression::Bool(value) => node(if **value { "true" } else { "false" }),
        Expression::Number(_) => node("number"),
        Expression::String(text) => node(&format!("string {:?}", text.as_str())),
        Expression::Variable(name) => node(&format!("variable {}", name.as_str())),
        Expression::StringTemplate(template) => {
            node("template");
            their_parts(template, out);
        }
        Expression::HeredocTemplate(heredoc) => {
            let literals: Option<String> =
                heredoc.template.iter().map(|e| e.as_literal().map(|l| l.as_str())).collect();
            if let Some(text) = literals {
                node(&format!("string {text:?}"));
            } else {
                node("template");
                their_parts(&heredoc.template, out);
            }
        }
        Expression::Array(items) => {
            node(&format!("tuple {}", items.len()));
            items.iter().for_each(|item| their_expr(item, out));
        }
        Expression::Object(items) => {
            node(&format!("object {}", items.len()));
            for (key, value) in items {
                match key {
                    ObjectKey::Ident(name) => {
                        out.push(format!("variable {} {}", name.as_str(), their_at(name.span())));
                    }
                    ObjectKey::Expression(key) => their_expr(key, out),
                }
                their_expr(value.expr(), out);
            }
        }
        Expression::Traversal(traversal) => {
            node("access");
            their_expr(&traversal.expr, out);
            traversal.operators.iter().for_each(|step| their_step(step.value(), out));
        }
        Expression::FuncCall(call) => {
            let name: Vec<&str> =
                call.name.namespace.iter().chain([&call.name.name]).map(|n| n.as_str()).collect();
            let expand = if call.args.expand_final() { "..." } else { "" };
            node(&format!("call {} {}{expand}", name.join("::"), call.args.len()));
            call.args.iter().for_each(|argument| their_expr(argument, out));
        }
        Expression::UnaryOp(unary) => {
            node(match unary.operator.value() {
                hcl_edit::expr::UnaryOperator::Not => "Not",
                hcl_edit::expr::UnaryOperator::Neg => "Negate",
            });
            their_expr(&unary.expr, out);
        }
        Expression::BinaryOp(binary) => {
            node(operator(binary.operator.value().as_str()));
            their_expr(&binary.lhs_expr, out);
            their_expr(&binary.rhs_expr, out);
        }
        Expression::Conditional(conditional) => {
            node("conditional");
            their_expr(&conditional.cond_expr, out);
            their_expr(&conditional.true_expr, out);
            their_expr(&conditional.false_expr, out);
        }
        Expression::ForExpr(f) => {
            let key = f.intro.key_var.as_ref().map_or("", |key| key.as_str());
            node(&format!(
                "for {key},{} {}",
                f.intro.value_var.as_str(),
                if f.grouping { "..." } else { "" }
            ));
            their_expr(&f.intro.collection_expr, out);
            f.key_expr.iter().for_each(|key| their_expr(key, out));
            their_expr(&f.value_expr, out);
            f.cond.iter().for_each(|condition| their_expr(&condition.expr, out));
        }
        Expression::Parenthesis(inner) => {
            node("parentheses");
            their_expr(inner.inner(), out);
        }
    }
}

fn their_step(step: &TraversalOperator, out: &mut Vec<String>) {
    match step {
        TraversalOperator::GetAttr(name) => out.push(format!(".{} {}", name.as_str(), their_at(name.span()))),
        TraversalOperator::LegacyIndex(index) => {
            out.push(format!(".{} {}", index.value(), their_at(index.span())));
        }
        TraversalOperator::Index(key) => {
            out.push("index".to_owned());
            their_expr(key, out);
        }
        TraversalOperator::FullSplat(_) => out.push("[*]".to_owned()),
        TraversalOperator::AttrSplat(_) => out.push(".*".to_owned()),
    }
}

fn their_parts(template: &Template, out: &mut Vec<String>) {
    for element in template {
        match element {
            Element::Literal(_) => {}
            Element::Interpolation(interpolation) => {
                out.push("interpolation".to_owned());
                their_expr(&interpolation.expr, out);
            }
            Element::Directive(directive) => match &**directive {
                Directive::If(directive) => {
                    out.push("if".to_owned());
                    their_expr(&directive.if_expr.cond_expr, out);
                    their_parts(&directive.if_expr.template, out);
                    out.push("else".to_owned());
                    directive.else_expr.iter().for_each(|part| their_parts(&part.template, out));
                    out.push("endif".to_owned());
                }
                Directive::For(directive) => {
                    let head = &directive.for_expr;
                    let key = head.key_var.as_ref().map_or("", |key| key.as_str());
                    out.push(format!("for {key},{}", head.value_var.as_str()));
                    their_expr(&head.collection_expr, out);
                    their_parts(&head.template, out);
                    out.push("endfor".to_owned());
                }
            },
        }
    }
}

/// Our name of an operator.
fn operator(symbol: &str) -> &'static str {
    match symbol {
        "||" => "Or",
        "&&" => "And",
        "==" => "Equal",
        "!=" => "NotEqual",
        "<" => "Less",
        "<=" => "LessOrEqual",
        ">" => "Greater",
        ">=" => "GreaterOrEqual",
        "+" => "Add",
        "-" => "Subtract",
        "*" => "Multiply",
        "/" => "Divide",
        "%" => "Modulo",
        _ => "unknown operator",
    }
}
