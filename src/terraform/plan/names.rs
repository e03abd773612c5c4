//! What an expression of a source names, as the configuration in a plan tells it.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::hcl::ast::{Expr, ExprKind, Part, Step};

/// What an expression is made of.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// What it names, without attributes and keys: `data.aws_s3_bucket.b`, `var.x`.
    pub(super) things: BTreeSet<SmolStr>,
    /// It calls a function.
    pub(super) calls: bool,
    /// Names that a `for` around gives.
    bound: Vec<&'a str>,
}

/// The thing that a reference names.
pub(super) fn base(reference: &str) -> SmolStr {
    let end = reference.find('[').unwrap_or(reference.len());
    let path = reference.get(..end).unwrap_or_default();
    let path = path.strip_prefix("resource.").unwrap_or(path);
    let parts = if path.starts_with("data.") || path.starts_with("ephemeral.") { 3 } else { 2 };
    match path.match_indices('.').nth(parts - 1) {
        Some((end, _)) => path.get(..end).unwrap_or_default().into(),
        None => path.into(),
    }
}

impl<'a> Names<'a> {
    pub(super) fn of(expr: &Expr<'a>) -> Self {
        let mut this = Self::default();
        this.expr(expr);
        this
    }

    fn expr(&mut self, expr: &Expr<'a>) {
        match expr.kind {
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Invalid => {}
            ExprKind::Variable(name) => self.name(name, &[]),
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Object(items) => {
                for item in items {
                    // A bare name is a key.
                    if !matches!(item.key.kind, ExprKind::Variable(_)) {
                        self.expr(&item.key);
                    }
                    self.expr(&item.value);
                }
            }
            ExprKind::Access { base, steps } => {
                match base.kind {
                    ExprKind::Variable(name) => self.name(name, steps),
                    _ => self.expr(base),
                }
                self.steps(steps);
            }
            ExprKind::Call(call) => {
                self.calls = true;
                call.args.iter().for_each(|arg| self.expr(arg));
            }
            ExprKind::Unary(_, operand) => self.expr(operand),
            ExprKind::Binary(_, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Conditional(conditional) => {
                self.expr(&conditional.condition);
                self.expr(&conditional.then);
                self.expr(&conditional.otherwise);
            }
            ExprKind::For(of) => {
                self.expr(&of.collection);
                self.binding(of.key_var.map(|name| name.text), of.value_var.text, |this| {
                    let inner = [of.key.as_ref(), Some(&of.value), of.condition.as_ref()];
                    inner.into_iter().flatten().for_each(|inner| this.expr(inner));
                });
            }
            ExprKind::Paren(inner) => self.expr(inner),
        }
    }

    /// Looks at what is in a `for`.
    fn binding(&mut self, key: Option<&'a str>, value: &'a str, look: impl FnOnce(&mut Self)) {
        let before = self.bound.len();
        self.bound.extend(key);
        self.bound.push(value);
        look(self);
        self.bound.truncate(before);
    }

    fn parts(&mut self, parts: &[Part<'a>]) {
        for part in parts {
            match *part {
                Part::Literal(..) => {}
                Part::Interpolation(expr) => self.expr(expr),
                Part::If { condition, then, otherwise } => {
                    self.expr(condition);
                    self.parts(then);
                    self.parts(otherwise);
                }
                Part::For { key_var, value_var, collection, body } => {
                    self.expr(collection);
                    self.binding(key_var.map(|name| name.text), value_var.text, |this| this.parts(body));
                }
            }
        }
    }

    fn steps(&mut self, steps: &[Step<'a>]) {
        for step in steps {
            match step {
                Step::Index(key, _) => self.expr(key),
                Step::Splat { each, .. } => self.steps(each),
                Step::Attr(_) | Step::LegacyIndex(_) => {}
            }
        }
    }

    fn name(&mut self, root: &str, steps: &[Step<'_>]) {
        if self.bound.contains(&root) {
            return;
        }
        let attrs = steps.iter().map_while(|step| match step {
            Step::Attr(ident) => Some(ident.text),
            _ => None,
        });
        let path = attrs.take(3).fold(root.to_owned(), |path, name| path + "." + name);
        self.things.insert(base(&path));
    }
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;

    use super::*;
    use crate::source::Sources;

    fn names(text: &str) -> (Vec<String>, bool) {
        let arena = Bump::new();
        let file = Sources::default().add("x", text);
        let (expr, _) = crate::hcl::parse_expression(text, file, &arena);
        let names = Names::of(&expr);
        (names.things.iter().map(ToString::to_string).collect(), names.calls)
    }

    #[test]
    fn names_are_those_that_a_plan_tells() {
        for (text, things, calls) in [
            ("[1, \"a\", { b = true }]", &[][..], false),
            ("var.x.y[0].z", &["var.x"], false),
            ("data.aws_s3_bucket.b[var.i].arn", &["data.aws_s3_bucket.b", "var.i"], false),
            ("[for k, v in local.m : v.a if k != each.key]", &["each.key", "local.m"], false),
            (
                "\"%{ for x in module.m.out }${x}${aws_kms_key.k.arn}%{ endfor }\"",
                &["aws_kms_key.k", "module.m"],
                false,
            ),
            ("{ (var.k) = 1, plain = f(path.module) }", &["path.module", "var.k"], true),
            ("aws_subnet.s[*].id", &["aws_subnet.s"], false),
        ] {
            assert_eq!(names(text), (things.iter().map(ToString::to_string).collect(), calls), "{text}");
        }
        assert_eq!(base("module.m[\"a.b\"].out"), "module.m");
        assert_eq!(base("data.aws_s3_bucket.b[0].arn"), "data.aws_s3_bucket.b");
    }
}
