//! What names mean in a module: variables, locals, resources, data, `path`, `terraform`.
//!
//! Evaluation is demand driven: a local or a resource attribute is evaluated when something asks for it, and once.
//! A resource attribute is always a reference, known or not: [`Value::reference`].

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

use smol_str::{SmolStr, format_smolstr};

use crate::diagnostic::Diagnostic;
use crate::eval::{self, Directory, Nested, Scope, functions};
use crate::hcl::ast::Expr;
use crate::program::Mode;
use crate::source::{FileId, Site};
use crate::value::{Cause, Kind, Reference, Value};

use super::calls::{Arguments, Calls};
use super::module::{Definition, Module};
use super::providers;
use super::providers::Environment;
use super::resources::Resources;
use super::run::Run;
use super::shared::Shared;

/// The names of one module instance.
pub struct ModuleScope<'a> {
    /// Itself, for the modules that it calls.
    pub(super) this: Weak<Self>,
    pub(super) run: Rc<Run<'a>>,
    pub(super) definition: &'a Definition<'a>,
    pub(super) module: &'a Module<'a>,
    /// `module.a["x"]`, empty for the root.
    pub(super) path: SmolStr,
    /// `module.a`: its path without instance keys.
    pub(super) block_path: SmolStr,
    pub(super) variables: Variables<'a>,
    /// What it shares with the other instances of its call.
    pub(super) shared: Rc<Shared<'a>>,
    locals: Memo<'a>,
    /// What was evaluated of resources and data.
    pub(super) resources: Resources<'a>,
    /// What was evaluated of module calls and outputs.
    pub(super) calls: Calls<'a>,
    /// What provider names mean in it.
    environment: OnceCell<Rc<Environment>>,
}

/// Where variables have their values from.
pub(super) enum Variables<'a> {
    /// Those of a root module are given from outside.
    Given(BTreeMap<&'a str, Value>),
    /// Those of a module that is called are arguments of the call.
    Arguments(Arguments<'a>),
}

/// Values by name, evaluated once. [`None`] is being evaluated: whoever asks now is part of a cycle. With each value the
/// resources that evaluating it named.
pub(super) type Memo<'a> = RefCell<BTreeMap<&'a str, Option<(Value, BTreeSet<Reference>)>>>;

/// What is said of a name that is not declared, at the end.
pub(super) const NOT_DECLARED: &str = "is not declared";

/// A value has no more parts than this.
const MAX_PARTS: usize = 100_000;

/// What is said where [`ModuleScope::spend`] is passed.
pub(super) const TOO_MUCH: &str = "the module has too many values";

/// A value nests no deeper.
const MAX_NESTING: usize = 250;

impl<'a> ModuleScope<'a> {
    /// The scope of a root module.
    pub fn root(
        run: Rc<Run<'a>>,
        definition: &'a Definition<'a>,
        variables: BTreeMap<&'a str, Value>,
    ) -> Rc<Self> {
        let path = SmolStr::default();
        let shared = Shared::root(definition.module);
        Self::new(run, definition, (path.clone(), path), Variables::Given(variables), shared)
    }

    pub(super) fn new(
        run: Rc<Run<'a>>,
        definition: &'a Definition<'a>,
        (path, block_path): (SmolStr, SmolStr),
        variables: Variables<'a>,
        shared: Rc<Shared<'a>>,
    ) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            run,
            definition,
            module: definition.module,
            path,
            block_path,
            variables,
            shared,
            locals: RefCell::default(),
            resources: Resources::default(),
            calls: Calls::default(),
            environment: OnceCell::new(),
        })
    }

    /// What provider names mean in the module.
    pub(super) fn environment(&self) -> Rc<Environment> {
        Rc::clone(self.environment.get_or_init(|| Rc::new(Environment::of(self))))
    }

    /// Adds a diagnostic, the first one of its place, and of a name that is not declared the first one of all.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.run.report(diagnostic);
    }

    /// Evaluates `expr` with `scope`, which is this one or one inside it, and returns the resources it names.
    pub fn evaluate(&self, expr: &Expr<'_>, file: FileId, scope: &dyn Scope) -> (Value, BTreeSet<Reference>) {
        if self.shared.is_many() {
            self.evaluate_shared(expr, file, scope)
        } else {
            self.evaluate_here(expr, file, scope)
        }
    }

    /// As [`ModuleScope::evaluate`], of an expression that more than one instance evaluates: once if it is the same in all.
    pub(super) fn evaluate_shared(
        &self,
        expr: &Expr<'_>,
        file: FileId,
        scope: &dyn Scope,
    ) -> (Value, BTreeSet<Reference>) {
        let site = Site { file, span: expr.span };
        self.shared.value(expr, site, || self.evaluate_here(expr, file, scope))
    }

    fn evaluate_here(
        &self,
        expr: &Expr<'_>,
        file: FileId,
        scope: &dyn Scope,
    ) -> (Value, BTreeSet<Reference>) {
        self.run.count_expression();
        let mut diagnostics = Vec::new();
        let (value, touched) =
            self.recording(|| eval::evaluate(expr, file, scope, self.run.mode, &mut diagnostics));
        for diagnostic in diagnostics {
            self.report(diagnostic);
        }
        let site = Site { file, span: expr.span };
        (self.bounded(value, site), touched)
    }

    /// The value, or what stands for one that is too large. Values share their parts: a local that names another one twice,
    /// and so on, is soon larger than any memory for those who walk through it.
    fn bounded(&self, value: Value, site: Site) -> Value {
        /// Whether the value has no more parts than `left`, which are taken off, and nests no deeper than `depth`.
        fn fits(value: &Value, left: &mut usize, depth: usize) -> bool {
            if depth == 0 || *left == 0 {
                return false;
            }
            *left -= 1;
            match &value.kind {
                Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                    items.iter().all(|item| fits(item, left, depth - 1))
                }
                Kind::Map(map) | Kind::Object(map) => map.values().all(|item| fits(item, left, depth - 1)),
                // It is bounded on its own.
                Kind::Unknown(unknown) => unknown.partial.as_ref().is_none_or(|partial| {
                    *left = left.saturating_sub(partial.parts());
                    *left > 0
                }),
                _ => true,
            }
        }
        let mut left = MAX_PARTS;
        let which = if !fits(&value, &mut left, MAX_NESTING) {
            "a value is too large or too deep"
        } else if !self.spend(MAX_PARTS - left) {
            TOO_MUCH
        } else {
            return self.with_room(value);
        };
        self.report(
            Diagnostic::warning(format!("limit passed: {which}; the value counts as not known")).at(site),
        );
        let too_large = Value::unknown(Cause::Limit(which.into()));
        Value { origin: value.origin, via: value.via, ..too_large }.mark(value.sensitive)
    }

    /// The value, with what is partly known of it if there is room for that.
    fn with_room(&self, value: Value) -> Value {
        fn pieces(value: &Value) -> usize {
            match &value.kind {
                Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => items.iter().map(pieces).sum(),
                Kind::Map(map) | Kind::Object(map) => map.values().map(pieces).sum(),
                Kind::Unknown(_) => value.partial_len(),
                _ => 0,
            }
        }
        if self.run.spend_partial(pieces(&value)) { value } else { value.without_partial() }
    }

    /// Takes `parts` off of what all values may have together; false if no more is left.
    pub(super) fn spend(&self, parts: usize) -> bool {
        self.run.spend(parts)
    }

    /// What `evaluate` gives, and the resources that it names.
    pub(super) fn recording<T>(&self, evaluate: impl FnOnce() -> T) -> (T, BTreeSet<Reference>) {
        self.run.recording(evaluate)
    }

    /// Notes that a resource was named.
    pub(super) fn touch(&self, reference: &Reference) {
        self.run.touch(reference);
    }

    /// The value that `memo` has for `name`, if it was evaluated.
    pub(super) fn done(&self, memo: &Memo<'a>, name: &str) -> Option<Value> {
        let memo = memo.borrow();
        let (value, touched) = memo.get(name)?.as_ref()?;
        self.run.touch_all(touched);
        Some(value.clone())
    }

    /// The value that `memo` has for `name`, or that `evaluate` gives it; `what` is `name` for people, written at `site`.
    pub(super) fn once(
        &self,
        memo: &Memo<'a>,
        name: &'a str,
        (what, site): (&str, Site),
        evaluate: impl FnOnce() -> (Value, BTreeSet<Reference>),
    ) -> Value {
        if let Some(value) = self.done(memo, name) {
            return value;
        }
        if memo.borrow().contains_key(name) {
            return self.cycle(what, site);
        }
        let Some(_level) = Nested::enter() else {
            let message = "limit passed: expressions nest too deeply; the value counts as not known";
            self.report(Diagnostic::warning(message).at(site));
            return self.too_deep();
        };
        memo.borrow_mut().insert(name, None);
        let (value, touched) = evaluate();
        self.run.touch_all(&touched);
        memo.borrow_mut().insert(name, Some((value.clone(), touched)));
        value
    }

    fn local(&self, name: &str) -> Result<Value, String> {
        if let Some(value) = self.done(&self.locals, name) {
            return Ok(value);
        }
        let Some((&name, &(file, attribute))) = self.module.locals.get_key_value(name) else {
            return Err(format!("local value `{name}` {NOT_DECLARED}"));
        };
        let what = format!("local.{name}");
        let site = attribute.name.span.at(file);
        Ok(self.once(&self.locals, name, (&what, site), || {
            let (value, touched) = self.evaluate(&attribute.value, file, self);
            (value.through(what.as_str(), attribute.value.span.at(file)), touched)
        }))
    }

    fn variable(&self, name: &str) -> Result<Value, String> {
        let value = match &self.variables {
            Variables::Given(values) => values.get(name).cloned(),
            Variables::Arguments(arguments) => self.argument(arguments, name),
        };
        value.ok_or_else(|| format!("variable `{name}` {NOT_DECLARED}"))
    }

    fn workspace(&self) -> Value {
        match &self.run.workspace {
            Some(name) => Value::string(name.clone()),
            None => Value::unknown(Cause::Other("plan JSON does not tell the workspace".into())),
        }
    }

    /// What stands for a value that is nested too deeply.
    pub(super) fn too_deep(&self) -> Value {
        self.run.depend_on_order();
        Nested::too_deep()
    }

    /// The value of what needs itself to be evaluated.
    pub(super) fn cycle(&self, what: &str, site: Site) -> Value {
        self.run.depend_on_order();
        let message = format!("`{what}` refers to itself");
        self.report(Diagnostic::warning(message.clone()).at(site));
        Value::unknown(Cause::Error(message.into()))
    }
}

impl Scope for ModuleScope<'_> {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        match (root, attrs) {
            ("var", [name, ..]) => Ok((self.variable(name)?, 1)),
            ("local", [name, ..]) => Ok((self.local(name)?, 1)),
            ("module", [name, rest @ ..]) => {
                let (value, used) = self.call(name, rest)?;
                Ok((value, used + 1))
            }
            ("path", ["module", ..]) => Ok((Value::string(self.definition.path), 1)),
            ("path", ["root", ..]) => Ok((Value::string("."), 1)),
            ("path", ["cwd", ..]) => {
                Ok((Value::unknown(Cause::Other("`path.cwd` depends on the run".into())), 1))
            }
            ("terraform" | "tofu", ["workspace", ..]) => Ok((self.workspace(), 1)),
            ("ephemeral", [kind, name, ..]) => {
                let cause = format_smolstr!("`ephemeral.{kind}.{name}` is read at apply");
                Ok((Value::unknown(Cause::Other(cause)), 2))
            }
            ("data", [kind, name, rest @ ..]) => {
                let (value, used) = self.resource(Mode::Data, kind, name, rest)?;
                Ok((value, used + 2))
            }
            // `resource.aws_s3_bucket.b` is `aws_s3_bucket.b`.
            ("resource", [kind, name, rest @ ..]) => {
                let (value, used) = self.resource(Mode::Managed, kind, name, rest)?;
                Ok((value, used + 2))
            }
            ("each" | "count" | "self", _) => Err(format!("`{root}` has no meaning here")),
            (kind, [name, rest @ ..]) => {
                let (value, used) = self.resource(Mode::Managed, kind, name, rest)?;
                Ok((value, used + 1))
            }
            (name, []) => Err(format!("`{name}` {NOT_DECLARED}")),
        }
    }

    fn lookup_element(
        &self,
        root: &str,
        attrs: &[&str],
        key: &Value,
        then: &[&str],
    ) -> Option<(Value, usize)> {
        match (root, attrs) {
            ("data", [kind, name]) => self.element(Mode::Data, kind, name, key, then),
            ("resource", [kind, name]) => self.element(Mode::Managed, kind, name, key, then),
            ("module", [name]) => self.called_element(name, key, then),
            ("var" | "local" | "module" | "path" | "terraform" | "tofu" | "ephemeral" | "resource", _) => {
                None
            }
            (kind, [name]) => self.element(Mode::Managed, kind, name, key, then),
            _ => None,
        }
    }

    /// Calls a provider's function by the name that the provider has here.
    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let (local, function) = name.strip_prefix("provider::")?.split_once("::")?;
        let source = providers::source_of(self.module, local)?;
        let usual = match source.as_str() {
            "hashicorp/aws" => "aws",
            "terraform.io/builtin/terraform" => "terraform",
            // Its functions are not known, also if its name is that of another one.
            other => return functions::call(&format!("provider::{other}::{function}"), args, None),
        };
        functions::call(&format!("provider::{usual}::{function}"), args, None)
    }

    fn directory(&self) -> Option<Directory<'_>> {
        self.run.directory
    }
}
