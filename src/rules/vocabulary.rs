//! What a condition may name: roots, facts, functions and attributes of its types.

use std::borrow::Cow;

use petgraph::Direction;

use crate::facts::related::route;
use crate::facts::residency;
use crate::hcl::ast::{Call, Expr, ExprKind, For, Part, Step};
use crate::source::Span;

use super::Scope;

/// What the rest of airgate offers to conditions.
#[derive(Copy, Clone)]
pub struct Vocabulary<'v> {
    /// Whether a type has an attribute or block at a path without indexes; a path into a map is there. [`None`] if the
    /// type's schema is not known: nothing is checked then.
    pub schema: &'v dyn Fn(&str, &[&str]) -> Option<bool>,
    /// Whether attributes of the first type may name resources of the second.
    pub links: &'v dyn Fn(&str, &str) -> bool,
    /// Whether Terraform has a function of this name.
    pub is_function: &'v dyn Fn(&str) -> bool,
    /// The names of the analyses.
    pub analyses: &'v [&'v str],
}

/// The functions that only conditions have, with the number of their arguments: `docs/rule-language.md`.
pub const DOMAIN_FUNCTIONS: [(&str, usize); 15] = [
    ("is_set", 1),
    ("is_aws_policy", 2),
    ("is_customer_managed_key", 1),
    ("tag", 1),
    ("model_geography", 1),
    ("geography_within", 2),
    ("refers_to", 2),
    ("declared", 1),
    ("stays", 1),
    ("leaves", 1),
    ("beside", 1),
    ("related", 1),
    ("holds_secret", 1),
    ("secret_entries", 1),
    ("told", 1),
];

const FACTS: [&[&str]; 14] = [
    &["ai"],
    &["reached_by"],
    &["region"],
    &["residency"],
    &["production"],
    &["environments"],
    &["role_tags"],
    &["tag_faults"],
    &["bucket", "customer_managed_key"],
    &["bucket", "public_access_blocked"],
    &["bucket", "versioned"],
    &["bucket", "access_logged"],
    &["bucket", "tls_only"],
    &["bucket", "public_policy"],
];

const POLICY: [&[&str]; 2] = [&["residency", "allowed"], &["tags", "required"]];

/// What is wrong in a condition, and where.
pub(super) struct Fault {
    pub(super) span: Span,
    pub(super) message: String,
}

/// An attribute, as a path without indexes.
#[derive(Clone)]
struct Source<'a> {
    /// The type that has it; [`None`] of `self`.
    type_name: Option<&'a str>,
    path: Vec<&'a str>,
}

/// Checks the expressions of one rule.
pub(super) struct Checker<'c, 'a> {
    vocabulary: Vocabulary<'c>,
    types: &'c [Cow<'static, str>],
    scope: Scope,
    /// Names of `for`, innermost last, each with where its values come from.
    locals: Vec<(&'a str, Vec<Source<'a>>)>,
    /// Inside `try`, `can` and `is_set` an attribute need not be in every type, only in one.
    lenient: bool,
}

impl<'c, 'a> Checker<'c, 'a> {
    pub(super) fn new(vocabulary: Vocabulary<'c>, types: &'c [Cow<'static, str>], scope: Scope) -> Self {
        Self { vocabulary, types, scope, locals: Vec::new(), lenient: false }
    }

    /// Checks an expression and all in it.
    pub(super) fn expr(&mut self, expr: &Expr<'a>) -> Result<(), Fault> {
        match expr.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_) => Ok(()),
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Tuple(items) => items.iter().try_for_each(|item| self.expr(item)),
            ExprKind::Object(items) => items.iter().try_for_each(|item| {
                if !matches!(item.key.kind, ExprKind::Variable(_)) {
                    self.expr(&item.key)?;
                }
                self.expr(&item.value)
            }),
            ExprKind::Variable(name) => self.name(name, &[], expr.span),
            ExprKind::Access { base, steps } => {
                self.indexes(steps)?;
                if let ExprKind::Variable(name) = base.kind {
                    return self.name(name, &attributes(steps), expr.span);
                }
                self.expr(base)?;
                self.sources(expr).iter().try_for_each(|source| match source.type_name {
                    Some(name) => self.attribute_of(&[name], &source.path, false, expr.span),
                    None => Ok(()),
                })
            }
            ExprKind::Call(call) => self.call(call),
            ExprKind::Unary(_, operand) | ExprKind::Paren(operand) => self.expr(operand),
            ExprKind::Binary(_, left, right) => {
                self.expr(left)?;
                self.expr(right)
            }
            ExprKind::Conditional(conditional) => {
                self.expr(&conditional.condition)?;
                self.expr(&conditional.then)?;
                self.expr(&conditional.otherwise)
            }
            ExprKind::For(it) => self.for_expr(it),
            ExprKind::Invalid => {
                Err(Fault { span: expr.span, message: "this is not an expression".to_owned() })
            }
        }
    }

    /// Checks a path of `self` that stands in a string: one of the types must have it.
    pub(super) fn path(&self, path: &str, span: Span) -> Result<(), Fault> {
        let parts: Vec<&str> = path.split('.').collect();
        self.attribute(&parts, true, span)
    }

    fn parts(&mut self, parts: &'a [Part<'a>]) -> Result<(), Fault> {
        for part in parts {
            match *part {
                Part::Literal(..) => {}
                Part::Interpolation(expr) => self.expr(expr)?,
                Part::If { condition, then, otherwise } => {
                    self.expr(condition)?;
                    self.parts(then)?;
                    self.parts(otherwise)?;
                }
                Part::For { key_var, value_var, collection, body } => {
                    self.expr(collection)?;
                    let depth = self.bind(key_var.map(|name| name.text), value_var.text, collection);
                    self.parts(body)?;
                    self.locals.truncate(depth);
                }
            }
        }
        Ok(())
    }

    fn for_expr(&mut self, it: &For<'a>) -> Result<(), Fault> {
        self.expr(&it.collection)?;
        let depth = self.bind(it.key_var.map(|name| name.text), it.value_var.text, &it.collection);
        for expr in [it.key.as_ref(), Some(&it.value), it.condition.as_ref()].into_iter().flatten() {
            self.expr(expr)?;
        }
        self.locals.truncate(depth);
        Ok(())
    }

    /// Brings the names of a `for` into scope; gives the depth to go back to.
    fn bind(&mut self, key: Option<&'a str>, value: &'a str, collection: &Expr<'a>) -> usize {
        let depth = self.locals.len();
        let sources = self.sources(collection);
        self.locals.extend(key.map(|key| (key, Vec::new())));
        self.locals.push((value, sources));
        depth
    }

    fn call(&mut self, call: &Call<'a>) -> Result<(), Fault> {
        let name = call.name.text;
        let span = call.name.span;
        if let Some((_, arity)) = DOMAIN_FUNCTIONS.iter().find(|(known, _)| *known == name) {
            if call.args.len() != *arity || call.expand {
                let message =
                    format!("`{name}` takes {arity} argument{}", if *arity == 1 { "" } else { "s" });
                return Err(Fault { span, message });
            }
            if matches!(name, "declared" | "beside") && self.scope != Scope::ProviderRegion {
                let message = format!("`{name}` needs scope = \"provider-region\"");
                return Err(Fault { span, message });
            }
            if name == "related" {
                self.route(call)?;
            }
            match (name, call.args) {
                ("is_set", [Expr { kind: ExprKind::String(path), span }]) => self.path(path, *span)?,
                ("stays" | "leaves", [Expr { kind: ExprKind::String(kind), span }])
                    if !residency::is_asked(kind) =>
                {
                    return Err(Fault { span: *span, message: format!("there is no flow `{kind}`") });
                }
                _ => {}
            }
        } else if !(self.vocabulary.is_function)(name) {
            return Err(Fault { span, message: format!("there is no function `{name}`") });
        }
        let was_lenient = self.lenient;
        self.lenient |= matches!(name, "try" | "can");
        let result = call.args.iter().try_for_each(|arg| self.expr(arg));
        self.lenient = was_lenient;
        result
    }

    /// A route must be told, and each of its steps must be one that some attribute makes.
    fn route(&self, call: &Call<'a>) -> Result<(), Fault> {
        let [Expr { kind: ExprKind::String(text), span }] = call.args else {
            let message = "`related` takes a route in quotes, without interpolation".to_owned();
            return Err(Fault { span: call.name.span, message });
        };
        let fault = |message| Fault { span: *span, message };
        let mut from: Vec<&str> = self.types.iter().map(AsRef::as_ref).collect();
        for step in route(text).map_err(fault)? {
            let links = |from: &str| match step.direction {
                Direction::Outgoing => (self.vocabulary.links)(from, step.type_name),
                Direction::Incoming => (self.vocabulary.links)(step.type_name, from),
            };
            if let Some(from) = from.iter().find(|from| !links(from)) {
                let arrow = if step.direction == Direction::Outgoing { "->" } else { "<-" };
                return Err(fault(format!("links.csv has no link for `{from} {arrow} {}`", step.type_name)));
            }
            from = vec![step.type_name];
        }
        Ok(())
    }

    fn indexes(&mut self, steps: &'a [Step<'a>]) -> Result<(), Fault> {
        steps.iter().try_for_each(|step| match step {
            Step::Index(key, _) => self.expr(key),
            Step::Splat { each, .. } => self.indexes(each),
            Step::Attr(_) | Step::LegacyIndex(_) => Ok(()),
        })
    }

    fn name(&self, name: &str, path: &[&'a str], span: Span) -> Result<(), Fault> {
        if let Some((_, sources)) = self.locals.iter().rev().find(|(local, _)| *local == name) {
            return sources.iter().try_for_each(|source| {
                let whole = source.then(path);
                // The collection itself was checked; it may have come through a `try`.
                match source.type_name {
                    None => self.attribute(&whole.path, true, span),
                    Some(type_name) => self.attribute_of(&[type_name], &whole.path, false, span),
                }
            });
        }
        let wrong = |message| Err(Fault { span, message });
        match name {
            "self" => self.attribute(path, self.lenient, span),
            "facts" if !FACTS.contains(&path) => {
                wrong(format!("there is no fact `facts.{}`", path.join(".")))
            }
            "facts" if path.first() == Some(&"bucket") && self.types != ["aws_s3_bucket"] => {
                wrong("`facts.bucket` is only of `aws_s3_bucket`".to_owned())
            }
            "policy" if !POLICY.contains(&path) => {
                wrong(format!("there is no setting `policy.{}`", path.join(".")))
            }
            "facts" | "policy" => Ok(()),
            _ => wrong(format!("`{name}` is not declared: a condition sees `self`, `facts` and `policy`")),
        }
    }

    fn attribute(&self, path: &[&str], lenient: bool, span: Span) -> Result<(), Fault> {
        let types: Vec<&str> = self.types.iter().map(AsRef::as_ref).collect();
        self.attribute_of(&types, path, lenient, span)
    }

    fn attribute_of(&self, types: &[&str], path: &[&str], lenient: bool, span: Span) -> Result<(), Fault> {
        if path.is_empty() {
            return Ok(());
        }
        let lacks = |type_name: &&&str| (self.vocabulary.schema)(type_name, path) == Some(false);
        let missing: Vec<&&str> = types.iter().filter(lacks).collect();
        match missing.first() {
            Some(type_name) if !lenient || missing.len() == types.len() => {
                let message = format!("`{type_name}` has no attribute `{}`", path.join("."));
                Err(Fault { span, message })
            }
            _ => Ok(()),
        }
    }

    /// Where the elements of a collection come from, as far as it can be told.
    fn sources(&self, expr: &Expr<'a>) -> Vec<Source<'a>> {
        let of_name =
            |name: &str, path: &[&'a str]| match self.locals.iter().rev().find(|(local, _)| *local == name) {
                Some((_, sources)) => sources.iter().map(|source| source.then(path)).collect(),
                None if name == "self" => vec![Source { type_name: None, path: path.to_vec() }],
                None => Vec::new(),
            };
        match expr.kind {
            ExprKind::Variable(name) => of_name(name, &[]),
            ExprKind::Access { base, steps } => match base.kind {
                ExprKind::Variable(name) => of_name(name, &attributes(steps)),
                ExprKind::Call(call) => {
                    resources_of(call).iter().map(|source| source.then(&attributes(steps))).collect()
                }
                _ => Vec::new(),
            },
            ExprKind::Tuple(items) => items.iter().flat_map(|item| self.sources(item)).collect(),
            ExprKind::Call(call)
                if matches!(call.name.text, "flatten" | "concat" | "tolist" | "toset" | "try") =>
            {
                call.args.iter().flat_map(|arg| self.sources(arg)).collect()
            }
            ExprKind::Call(call) => resources_of(call).into_iter().collect(),
            ExprKind::For(inner) if inner.key.is_none() => self.values_of(inner),
            ExprKind::Paren(inner) => self.sources(inner),
            _ => Vec::new(),
        }
    }

    /// Where the values of `[for x in xs : x.a]` come from.
    fn values_of(&self, it: &For<'a>) -> Vec<Source<'a>> {
        let (base, path) = match it.value.kind {
            ExprKind::Variable(name) => (name, Vec::new()),
            ExprKind::Access { base: Expr { kind: ExprKind::Variable(name), .. }, steps } => {
                (*name, attributes(steps))
            }
            _ => return Vec::new(),
        };
        if base != it.value_var.text {
            return Vec::new();
        }
        self.sources(&it.collection).iter().map(|source| source.then(&path)).collect()
    }
}

impl<'a> Source<'a> {
    fn then(&self, path: &[&'a str]) -> Self {
        Self { type_name: self.type_name, path: self.path.iter().chain(path).copied().collect() }
    }
}

/// The type of the resources that a function gives.
fn resources_of<'a>(call: &Call<'a>) -> Option<Source<'a>> {
    let [Expr { kind: ExprKind::String(text), .. }] = call.args else { return None };
    let type_name = match call.name.text {
        "beside" => text,
        "related" => text.split_whitespace().last()?,
        _ => return None,
    };
    Some(Source { type_name: Some(type_name), path: Vec::new() })
}

/// The attributes that steps walk through, without indexes; a key in quotes ends them, since it may be one of a map.
fn attributes<'a>(steps: &'a [Step<'a>]) -> Vec<&'a str> {
    let mut path = Vec::new();
    for step in steps {
        match step {
            Step::Attr(name) => path.push(name.text),
            Step::Index(Expr { kind: ExprKind::String(_) | ExprKind::Template(_), .. }, _) => break,
            Step::Index(..) | Step::LegacyIndex(_) => {}
            Step::Splat { each, .. } => path.extend(attributes(each)),
        }
    }
    path
}
