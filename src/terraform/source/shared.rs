//! What all instances of a module call share: expressions that name nothing which differs from one instance to the next are
//! evaluated once for all of them.
//!
//! What differs is told by the names in an expression, before anything is evaluated: `each` and `count` differ; a variable
//! does if the argument of the call does; a local if its expression does; a resource and its address if the module has more
//! than one instance. So a thousand instances with equal inputs cost what the addresses in them cost.
//!
//! What is shared is therefore right in each: no provider configuration is asked for it (only resources and data sources
//! ask, and `tags_all`, which is added to each instance), and names and places in the way that it came
//! ([`crate::value::Step`]) have no instance keys.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::eval::Nested;
use crate::hcl::ast::{Expr, ExprKind, Part, Step};
use crate::source::Site;
use crate::value::{Reference, Value};

use super::body::Written;
use super::module::{Declared, Module};
use super::variables::Declaration;

/// The value of an expression, and the resources that it names.
type Evaluated = (Value, BTreeSet<Reference>);

/// All instances of one module call, and of the calls that it is part of.
pub(super) struct Shared<'a> {
    module: &'a Module<'a>,
    /// The call, and where it stands; [`None`] of the root module.
    call: Option<(Rc<Self>, Declared<'a>)>,
    /// There is more than one.
    many: bool,
    calls: RefCell<BTreeMap<&'a str, Rc<Self>>>,
    /// Whether names and expressions are the same in all instances; [`None`] while that is being looked at.
    names: RefCell<BTreeMap<Name<'a>, Option<bool>>>,
    expressions: RefCell<BTreeMap<Site, bool>>,
    values: RefCell<BTreeMap<Site, Evaluated>>,
    declarations: RefCell<BTreeMap<&'a str, Rc<Declaration>>>,
    variables: RefCell<BTreeMap<&'a str, Evaluated>>,
    written: RefCell<BTreeMap<Site, Written>>,
}

#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name<'a> {
    Variable(&'a str),
    Local(&'a str),
}

impl<'a> Shared<'a> {
    /// Of the root module.
    pub(super) fn root(module: &'a Module<'a>) -> Rc<Self> {
        Rc::new(Self::new(module, None, false))
    }

    fn new(module: &'a Module<'a>, call: Option<(Rc<Self>, Declared<'a>)>, many: bool) -> Self {
        Self {
            module,
            call,
            many,
            calls: RefCell::default(),
            names: RefCell::default(),
            expressions: RefCell::default(),
            values: RefCell::default(),
            declarations: RefCell::default(),
            variables: RefCell::default(),
            written: RefCell::default(),
        }
    }

    /// Of the call `name` in this module, which one instance of this module makes `instances` times.
    pub(super) fn called(
        self: &Rc<Self>,
        name: &'a str,
        call: Declared<'a>,
        module: &'a Module<'a>,
        instances: usize,
    ) -> Rc<Self> {
        // Instances of this module may make different numbers of it.
        let many = self.many || instances > 1;
        let new = || Rc::new(Self::new(module, Some((Rc::clone(self), call)), many));
        Rc::clone(self.calls.borrow_mut().entry(name).or_insert_with(new))
    }

    /// The value of `expr`, evaluated by the first who asks if it is the same in all instances.
    pub(super) fn value(
        &self,
        expr: &Expr<'_>,
        site: Site,
        evaluate: impl FnOnce() -> Evaluated,
    ) -> Evaluated {
        let is_literal = matches!(
            expr.kind,
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_)
        );
        if is_literal || !self.is_same(expr, site) {
            return evaluate();
        }
        if let Some(done) = self.values.borrow().get(&site) {
            return done.clone();
        }
        let value = evaluate();
        self.values.borrow_mut().insert(site, value.clone());
        value
    }

    /// What the block of the variable `name` says, read by the first who asks.
    pub(super) fn declaration(&self, name: &'a str, read: impl FnOnce() -> Declaration) -> Rc<Declaration> {
        Rc::clone(self.declarations.borrow_mut().entry(name).or_insert_with(|| Rc::new(read())))
    }

    /// As [`Shared::value`], of the variable `name` converted to its type.
    pub(super) fn variable(&self, name: &'a str, evaluate: impl FnOnce() -> Evaluated) -> Evaluated {
        if !self.many || !self.is_same_name(Name::Variable(name)) {
            return evaluate();
        }
        if let Some(done) = self.variables.borrow().get(name) {
            return done.clone();
        }
        let value = evaluate();
        self.variables.borrow_mut().insert(name, value.clone());
        value
    }

    /// What was written in the last instance of the block at `site`.
    pub(super) fn written(&self, site: Site) -> Option<Written> {
        self.written.borrow().get(&site).cloned()
    }

    /// Keeps it for the next instance.
    pub(super) fn keep_written(&self, site: Site, written: Written) {
        self.written.borrow_mut().insert(site, written);
    }

    /// Whether there is more than one instance.
    pub(super) fn is_many(&self) -> bool {
        self.many
    }

    fn is_same(&self, expr: &Expr<'_>, site: Site) -> bool {
        if let Some(&known) = self.expressions.borrow().get(&site) {
            return known;
        }
        let same = self.names_same(expr, &mut Vec::new());
        self.expressions.borrow_mut().insert(site, same);
        same
    }

    fn is_same_name(&self, name: Name<'a>) -> bool {
        match self.names.borrow().get(&name) {
            Some(Some(known)) => return *known,
            // A cycle: it is told where it is evaluated.
            Some(None) => return false,
            None => {}
        }
        let Some(_level) = Nested::enter() else { return false };
        self.names.borrow_mut().insert(name, None);
        let same = match (name, &self.call) {
            (Name::Local(name), _) => self.module.locals.get(name).is_some_and(|&(file, attribute)| {
                self.is_same(&attribute.value, Site { file, span: attribute.value.span })
            }),
            (Name::Variable(_), None) => true,
            (Name::Variable(name), Some((caller, call))) => {
                call.body().attribute(name).is_none_or(|argument| {
                    caller.is_same(&argument.value, Site { file: call.file, span: argument.value.span })
                })
            }
        };
        self.names.borrow_mut().insert(name, Some(same));
        same
    }

    /// Whether `root` and the names after it are the same in all instances.
    fn name_same(&self, root: &str, steps: &[Step<'_>]) -> bool {
        let name = |at: usize| match steps.get(at) {
            Some(Step::Attr(name)) => Some(name.text),
            _ => None,
        };
        let Some(first) = name(0) else { return false };
        let module = self.module;
        match root {
            "var" => module
                .variables
                .get_key_value(first)
                .is_some_and(|(name, _)| self.is_same_name(Name::Variable(name))),
            "local" => module
                .locals
                .get_key_value(first)
                .is_some_and(|(name, _)| self.is_same_name(Name::Local(name))),
            "path" | "terraform" => true,
            // Each instance has its own.
            _ if self.many => false,
            "module" => module.calls.contains_key(first),
            "resource" => name(1).is_some_and(|second| module.resources.contains_key(&(first, second))),
            "data" => name(1).is_some_and(|second| module.data.contains_key(&(first, second))),
            kind => module.resources.contains_key(&(kind, first)),
        }
    }

    /// Whether all that the expression names is the same in all instances. `bound` are the names of `for`s around it.
    fn names_same<'e>(&self, expr: &Expr<'e>, bound: &mut Vec<&'e str>) -> bool {
        match expr.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::String(_) => true,
            ExprKind::Invalid => false,
            ExprKind::Template(parts) => self.parts_same(parts, bound),
            ExprKind::Tuple(items) => items.iter().all(|item| self.names_same(item, bound)),
            ExprKind::Object(items) => items.iter().all(|item| {
                let is_name = matches!(item.key.kind, ExprKind::Variable(_));
                (is_name || self.names_same(&item.key, bound)) && self.names_same(&item.value, bound)
            }),
            ExprKind::Variable(name) => bound.contains(&name),
            ExprKind::Access { base, steps } => {
                let is_same = match base.kind {
                    ExprKind::Variable(name) => bound.contains(&name) || self.name_same(name, steps),
                    _ => self.names_same(base, bound),
                };
                is_same && self.steps_same(steps, bound)
            }
            ExprKind::Call(call) => call.args.iter().all(|arg| self.names_same(arg, bound)),
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => self.names_same(inner, bound),
            ExprKind::Binary(_, a, b) => [a, b].into_iter().all(|expr| self.names_same(expr, bound)),
            ExprKind::Conditional(c) => {
                [&c.condition, &c.then, &c.otherwise].into_iter().all(|expr| self.names_same(expr, bound))
            }
            ExprKind::For(each) => {
                if !self.names_same(&each.collection, bound) {
                    return false;
                }
                let before = bound.len();
                bound.push(each.value_var.text);
                bound.extend(each.key_var.map(|name| name.text));
                let inner = [each.key.as_ref(), Some(&each.value), each.condition.as_ref()];
                let same = inner.into_iter().flatten().all(|expr| self.names_same(expr, bound));
                bound.truncate(before);
                same
            }
        }
    }

    fn steps_same<'e>(&self, steps: &[Step<'e>], bound: &mut Vec<&'e str>) -> bool {
        steps.iter().all(|step| match step {
            Step::Attr(_) | Step::LegacyIndex(_) => true,
            Step::Index(key, _) => self.names_same(key, bound),
            Step::Splat { each, .. } => self.steps_same(each, bound),
        })
    }

    fn parts_same<'e>(&self, parts: &[Part<'e>], bound: &mut Vec<&'e str>) -> bool {
        parts.iter().all(|part| match *part {
            Part::Literal(..) => true,
            Part::Interpolation(expr) => self.names_same(expr, bound),
            Part::If { condition, then, otherwise } => {
                self.names_same(condition, bound)
                    && self.parts_same(then, bound)
                    && self.parts_same(otherwise, bound)
            }
            Part::For { key_var, value_var, collection, body } => {
                if !self.names_same(collection, bound) {
                    return false;
                }
                let before = bound.len();
                bound.push(value_var.text);
                bound.extend(key_var.map(|name| name.text));
                let same = self.parts_same(body, bound);
                bound.truncate(before);
                same
            }
        })
    }
}
