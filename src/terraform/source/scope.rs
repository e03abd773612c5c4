//! What names mean in a module: variables, locals, resources, data, and `each`, `count`, `path`, `terraform`.
//!
//! Evaluation is demand driven: a local or a resource attribute is evaluated when something asks for it, and once.
//! A resource attribute is always a reference, known or not: [`Value::reference`].

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use smol_str::format_smolstr;

use crate::diagnostic::Diagnostic;
use crate::eval::{self, Mode as EvalMode, Nested, Scope};
use crate::hcl::ast::Expr;
use crate::program::Mode;
use crate::source::{FileId, Site};
use crate::value::{Cause, Reference, Value};

use super::module::Module;
use super::resources::Resources;

/// The names of one module instance.
pub struct ModuleScope<'a> {
    pub(super) module: &'a Module<'a>,
    variables: BTreeMap<&'a str, Value>,
    directory: Option<PathBuf>,
    locals: RefCell<BTreeMap<&'a str, Local>>,
    /// What was evaluated of resources and data.
    pub(super) resources: Resources<'a>,
    /// Resources named since the last [`ModuleScope::evaluate`] began.
    touched: RefCell<BTreeSet<Reference>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    /// Where a diagnostic was reported: of an expression that many instances evaluate one is enough.
    reported: RefCell<BTreeSet<Site>>,
    /// What is left of [`MAX_TOTAL`].
    left: Cell<usize>,
    /// What was said of names that are not declared: one mistake, however often the name stands there.
    undeclared: RefCell<BTreeSet<String>>,
}

/// A local value, which is evaluated once.
enum Local {
    /// Being evaluated: whoever asks now is part of a cycle.
    Busy,
    /// The value, and the resources that evaluating it named.
    Done(Value, BTreeSet<Reference>),
}

/// What is said of a name that is not declared, at the end.
pub(super) const NOT_DECLARED: &str = "is not declared";

/// More resources than this are not kept as named by one expression.
const MAX_TOUCHED: usize = 256;

/// A value has no more parts than this.
const MAX_PARTS: usize = 100_000;

/// What is said where [`MAX_TOTAL`] is passed.
pub(super) const TOO_MUCH: &str = "the module has too many values";

/// The parts of all values of a module together: some hundred megabytes.
const MAX_TOTAL: usize = 4_000_000;

/// A value nests no deeper.
const MAX_NESTING: usize = 250;

impl<'a> ModuleScope<'a> {
    /// The scope of a root module.
    pub fn new(
        module: &'a Module<'a>,
        variables: BTreeMap<&'a str, Value>,
        directory: Option<&Path>,
    ) -> Self {
        Self {
            module,
            variables,
            directory: directory.map(Path::to_path_buf),
            locals: RefCell::default(),
            resources: Resources::default(),
            touched: RefCell::default(),
            diagnostics: RefCell::default(),
            reported: RefCell::default(),
            left: Cell::new(MAX_TOTAL),
            undeclared: RefCell::default(),
        }
    }

    /// What evaluation had to say.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics.into_inner()
    }

    /// Adds a diagnostic, the first one of its place, and of a name that is not declared the first one of all.
    pub fn report(&self, diagnostic: Diagnostic) {
        let is_new = !diagnostic.message.ends_with(NOT_DECLARED)
            || self.undeclared.borrow_mut().insert(diagnostic.message.clone());
        if is_new && diagnostic.site.is_none_or(|site| self.reported.borrow_mut().insert(site)) {
            self.diagnostics.borrow_mut().push(diagnostic);
        }
    }

    /// Evaluates `expr` with `scope`, which is this one or one inside it, and returns the resources it names.
    pub fn evaluate(&self, expr: &Expr<'_>, file: FileId, scope: &dyn Scope) -> (Value, BTreeSet<Reference>) {
        let mut diagnostics = Vec::new();
        let (value, touched) =
            self.recording(|| eval::evaluate(expr, file, scope, EvalMode::Extended, &mut diagnostics));
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
            match (value.items(), value.map()) {
                (Some(items), _) => items.iter().all(|item| fits(item, left, depth - 1)),
                (None, Some(map)) => map.values().all(|item| fits(item, left, depth - 1)),
                (None, None) => true,
            }
        }
        let mut left = MAX_PARTS;
        let which = if !fits(&value, &mut left, MAX_NESTING) {
            "a value is too large or too deep"
        } else if !self.spend(MAX_PARTS - left) {
            TOO_MUCH
        } else {
            return value;
        };
        self.report(
            Diagnostic::warning(format!("limit passed: {which}; the value counts as not known")).at(site),
        );
        let too_large = Value::unknown(Cause::Limit(which.into()));
        Value { origin: value.origin, ..too_large }.mark(value.sensitive)
    }

    /// Takes `parts` off of what all values of the module may have together; false if no more is left.
    pub(super) fn spend(&self, parts: usize) -> bool {
        let left = self.left.get().checked_sub(parts);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// What `evaluate` gives, and the resources that it names.
    pub(super) fn recording<T>(&self, evaluate: impl FnOnce() -> T) -> (T, BTreeSet<Reference>) {
        let before = self.touched.take();
        let result = evaluate();
        (result, self.touched.replace(before))
    }

    /// Notes that a resource was named.
    pub(super) fn touch(&self, reference: &Reference) {
        let mut touched = self.touched.borrow_mut();
        if touched.len() < MAX_TOUCHED {
            touched.insert(reference.clone());
        }
    }

    fn touch_all(&self, references: &BTreeSet<Reference>) {
        for reference in references {
            self.touch(reference);
        }
    }

    fn local(&self, name: &str) -> Result<Value, String> {
        let Some((&name, &(file, attribute))) = self.module.locals.get_key_value(name) else {
            return Err(format!("local value `{name}` {NOT_DECLARED}"));
        };
        match self.locals.borrow().get(name) {
            Some(Local::Done(value, touched)) => {
                self.touch_all(touched);
                return Ok(value.clone());
            }
            Some(Local::Busy) => {
                return Ok(self.cycle(&format!("local.{name}"), attribute.name.span.at(file)));
            }
            None => {}
        }
        let Some(_level) = Nested::enter() else {
            let message = "limit passed: expressions nest too deeply; the value counts as not known";
            self.report(Diagnostic::warning(message).at(attribute.name.span.at(file)));
            return Ok(Nested::too_deep());
        };
        self.locals.borrow_mut().insert(name, Local::Busy);
        let (value, touched) = self.evaluate(&attribute.value, file, self);
        self.touch_all(&touched);
        self.locals.borrow_mut().insert(name, Local::Done(value.clone(), touched));
        Ok(value)
    }

    /// The value of what needs itself to be evaluated.
    pub(super) fn cycle(&self, what: &str, site: Site) -> Value {
        let message = format!("`{what}` refers to itself");
        self.report(Diagnostic::warning(message.clone()).at(site));
        Value::unknown(Cause::Error(message.into()))
    }
}

impl Scope for ModuleScope<'_> {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        match (root, attrs) {
            ("var", [name, ..]) => match self.variables.get(name) {
                Some(value) => Ok((value.clone(), 1)),
                None => Err(format!("variable `{name}` {NOT_DECLARED}")),
            },
            ("local", [name, ..]) => Ok((self.local(name)?, 1)),
            ("module", [name, ..]) => match self.call(name) {
                Some(value) => Ok((value, 1)),
                None => Err(format!("module `{name}` {NOT_DECLARED}")),
            },
            ("path", ["module" | "root", ..]) => Ok((Value::string("."), 1)),
            ("path", ["cwd", ..]) => {
                Ok((Value::unknown(Cause::Other("`path.cwd` depends on the run".into())), 1))
            }
            // Without a CLI the workspace is the default one, as in a fresh checkout.
            ("terraform" | "tofu", ["workspace", ..]) => Ok((Value::string("default"), 1)),
            ("ephemeral", [kind, name, ..]) => {
                let cause = format_smolstr!("`ephemeral.{kind}.{name}` is read at apply");
                Ok((Value::unknown(Cause::Other(cause)), 2))
            }
            ("data", [kind, name, rest @ ..]) => {
                let (value, used) = self.resource(Mode::Data, kind, name, rest)?;
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
            ("var" | "local" | "module" | "path" | "terraform" | "tofu" | "ephemeral", _) => None,
            (kind, [name]) => self.element(Mode::Managed, kind, name, key, then),
            _ => None,
        }
    }

    fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }
}
