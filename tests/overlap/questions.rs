//! What a rule asks: the attributes, facts, tags, companions and actions that decide its verdict, read from its condition.

use std::collections::BTreeSet;

use airgate::hcl::ast::{Expr, ExprKind, Part, Step};
use airgate::rules::{CompiledRule, Test};

/// The questions of a rule, each as text: `kms_key_id`, `facts.region`, `tag owner`, `aws_cloudtrail`, `action bedrock:*`.
pub(crate) fn questions(rule: &CompiledRule<'_>) -> BTreeSet<String> {
    let mut asked = Asked::default();
    match &rule.test {
        Test::Require(require) => asked.expr(require),
        Test::Analysis { name, args } if args.is_empty() => asked.add((*name).to_owned()),
        Test::Analysis { args, .. } => args.iter().for_each(|arg| asked.add(format!("action {arg}"))),
        // It is about the deletion of the resource itself.
        Test::Removal => {}
    }
    // What is only walked through decides nothing by itself.
    let is_way = |one: &String| {
        let inside = format!("{one}.");
        asked.found.iter().any(|other| other.starts_with(&inside))
    };
    asked.found.iter().filter(|one| !is_way(one)).cloned().collect()
}

/// Whether two questions are one: the same, the whole and a part of it, a service and an action of it.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let holds = |whole: &str, part: &str| {
        part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
    };
    holds(one, other) || holds(other, one)
}

#[derive(Default)]
struct Asked<'a> {
    found: BTreeSet<String>,
    /// Names of `for`, innermost last, each with what its values are parts of.
    locals: Vec<(&'a str, Vec<String>)>,
}

impl<'a> Asked<'a> {
    fn add(&mut self, question: String) {
        self.found.insert(question);
    }

    fn expr(&mut self, expr: &Expr<'a>) {
        for place in self.places(expr) {
            self.add(place);
        }
        match expr.kind {
            ExprKind::Template(parts) => parts.iter().for_each(|part| {
                if let Part::Interpolation(inner) = part {
                    self.expr(inner);
                }
            }),
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Object(items) => items.iter().for_each(|item| self.expr(&item.value)),
            ExprKind::Access { base, .. } if !matches!(base.kind, ExprKind::Variable(_)) => self.expr(base),
            ExprKind::Call(call) => call.args.iter().for_each(|arg| self.expr(arg)),
            ExprKind::Unary(_, operand) | ExprKind::Paren(operand) => self.expr(operand),
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Conditional(it) => {
                for part in [&it.condition, &it.then, &it.otherwise] {
                    self.expr(part);
                }
            }
            ExprKind::For(it) => {
                self.expr(&it.collection);
                let depth = self.locals.len();
                let from = self.places(&it.collection);
                self.locals.extend(it.key_var.map(|key| (key.text, Vec::new())));
                self.locals.push((it.value_var.text, from));
                let parts = [it.key.as_ref(), Some(&it.value), it.condition.as_ref()];
                parts.into_iter().flatten().for_each(|part| self.expr(part));
                self.locals.truncate(depth);
            }
            _ => {}
        }
    }

    /// What an expression is, or is elements of.
    fn places(&self, expr: &Expr<'a>) -> Vec<String> {
        match expr.kind {
            ExprKind::Variable(name) => self.named(name, &[]),
            ExprKind::Access { base, steps } => {
                let path = attributes(steps);
                match base.kind {
                    ExprKind::Variable(name) => self.named(name, &path),
                    _ => self.places(base).iter().map(|place| joined(place, &path)).collect(),
                }
            }
            ExprKind::Paren(inner) => self.places(inner),
            ExprKind::Tuple(items) => items.iter().flat_map(|item| self.places(item)).collect(),
            ExprKind::Call(call) => match (call.name.text, call.args) {
                ("tag" | "stays", [Expr { kind: ExprKind::String(name), .. }]) => {
                    vec![format!("{} {name}", call.name.text)]
                }
                ("is_set", [Expr { kind: ExprKind::String(path), .. }]) => vec![(*path).to_owned()],
                ("related" | "beside" | "declared", [Expr { kind: ExprKind::String(route), .. }]) => {
                    route.split_whitespace().last().map(str::to_owned).into_iter().collect()
                }
                ("concat" | "flatten" | "try" | "values" | "compact" | "toset", args) => {
                    args.iter().flat_map(|arg| self.places(arg)).collect()
                }
                _ => Vec::new(),
            },
            ExprKind::For(it) => self.places(&it.collection),
            _ => Vec::new(),
        }
    }

    fn named(&self, name: &str, path: &[&str]) -> Vec<String> {
        if let Some((_, from)) = self.locals.iter().rev().find(|(local, _)| *local == name) {
            return from.iter().map(|place| joined(place, path)).collect();
        }
        match name {
            "self" if path.is_empty() => Vec::new(),
            "self" => vec![path.join(".")],
            _ => vec![joined(name, path)],
        }
    }
}

fn joined(place: &str, path: &[&str]) -> String {
    [place].into_iter().chain(path.iter().copied()).collect::<Vec<_>>().join(".")
}

/// The names of the steps, without indexes.
fn attributes<'a>(steps: &[Step<'a>]) -> Vec<&'a str> {
    steps
        .iter()
        .flat_map(|step| match step {
            Step::Attr(name) => vec![name.text],
            Step::Splat { each, .. } => attributes(each),
            Step::Index(..) | Step::LegacyIndex(_) => Vec::new(),
        })
        .collect()
}
