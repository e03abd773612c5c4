//! What all module instances of one evaluation share: what was named, what was reported, and how many there are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::eval::{Directory, Mode};
use crate::source::Site;
use crate::value::Reference;

use super::module::Definition;
use super::providers::Configurations;
use super::scope::NOT_DECLARED;

/// More resources than this are not kept as named by one expression.
const MAX_TOUCHED: usize = 256;

/// More module instances than this are not evaluated.
const MAX_MODULES: usize = 10_000;

/// The parts of all values together: some hundred megabytes.
const MAX_TOTAL: usize = 4_000_000;

/// The pieces and alternatives of all that is partly known together. Values after that are as Terraform knows them.
const MAX_PARTIAL: usize = 2_000_000;

/// One evaluation.
pub struct Run<'a> {
    /// The root module's definition, then those of the modules that are called.
    pub(super) definitions: &'a [Definition<'a>],
    /// The root module's directory, and what holds all modules.
    pub(super) directory: Option<Directory<'a>>,
    /// `terraform.workspace`, if it can be told.
    pub(super) workspace: Option<SmolStr>,
    /// How expressions are evaluated.
    pub(super) mode: Mode,
    /// Resources named since the last recording began.
    touched: RefCell<BTreeSet<Reference>>,
    /// What evaluation has to say.
    pub(super) diagnostics: RefCell<Vec<Diagnostic>>,
    /// Where a diagnostic was reported: of an expression that many instances evaluate one is enough.
    reported: RefCell<BTreeSet<Site>>,
    modules: Cell<usize>,
    /// Provider configurations.
    pub(super) providers: Configurations<'a>,
    /// How many expressions were evaluated.
    expressions: Cell<usize>,
    /// What is left of [`MAX_TOTAL`].
    left: Cell<usize>,
    /// What is left of [`MAX_PARTIAL`].
    partial: Cell<usize>,
    /// What was said of names that are not declared: one mistake, however often the name stands there.
    undeclared: RefCell<BTreeSet<String>>,
}

impl<'a> Run<'a> {
    /// Nothing is evaluated yet.
    pub fn new(
        definitions: &'a [Definition<'a>],
        directory: Option<Directory<'a>>,
        workspace: Option<&str>,
        mode: Mode,
    ) -> Self {
        Self {
            definitions,
            directory,
            workspace: workspace.map(SmolStr::from),
            mode,
            touched: RefCell::default(),
            diagnostics: RefCell::default(),
            reported: RefCell::default(),
            modules: Cell::default(),
            providers: Configurations::default(),
            expressions: Cell::default(),
            left: Cell::new(MAX_TOTAL),
            partial: Cell::new(MAX_PARTIAL),
            undeclared: RefCell::default(),
        }
    }

    /// Adds a diagnostic, the first one of its place, and of a name that is not declared the first one of all.
    pub(super) fn report(&self, diagnostic: Diagnostic) {
        let is_new = !diagnostic.message.ends_with(NOT_DECLARED)
            || self.undeclared.borrow_mut().insert(diagnostic.message.clone());
        if is_new && diagnostic.site.is_none_or(|site| self.reported.borrow_mut().insert(site)) {
            self.diagnostics.borrow_mut().push(diagnostic);
        }
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

    /// Notes that resources were named.
    pub(super) fn touch_all(&self, references: &BTreeSet<Reference>) {
        for reference in references {
            self.touch(reference);
        }
    }

    /// Counts an expression that is evaluated.
    pub(super) fn count_expression(&self) {
        self.expressions.set(self.expressions.get() + 1);
    }

    /// How many expressions were evaluated.
    pub(super) fn expressions(&self) -> usize {
        self.expressions.get()
    }

    /// Takes `parts` off of what all values may have together; false if no more is left.
    pub(super) fn spend(&self, parts: usize) -> bool {
        let left = self.left.get().checked_sub(parts);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// As [`Run::spend`], for what is partly known.
    pub(super) fn spend_partial(&self, pieces: usize) -> bool {
        let left = self.partial.get().checked_sub(pieces);
        self.partial.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Counts `more` module instances; false if they are too many.
    pub(super) fn admit(&self, more: usize) -> bool {
        let modules = self.modules.get().saturating_add(more);
        let fits = modules <= MAX_MODULES;
        if fits {
            self.modules.set(modules);
        }
        fits
    }
}
