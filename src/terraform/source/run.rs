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

/// How what is said of a limit begins.
const LIMIT: &str = "limit passed";

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
    /// What keeps each thing from being said twice.
    said: RefCell<Said>,
    modules: Cell<usize>,
    /// Provider configurations.
    pub(super) providers: Configurations<'a>,
    /// How many expressions were evaluated.
    expressions: Cell<usize>,
    /// What is left of [`MAX_TOTAL`].
    left: Cell<usize>,
    /// What is left of [`MAX_PARTIAL`].
    partial: Cell<usize>,
    /// What came out depends on what was asked for first: a cycle is told where it was entered, and what a limit leaves to the
    /// first others do not have.
    in_order: Cell<bool>,
}

/// What was reported.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Where: of an expression that many instances evaluate one diagnostic is enough.
    places: BTreeSet<Site>,
    /// Of names that are not declared: one mistake, however often the name stands there.
    undeclared: BTreeSet<String>,
}

impl Said {
    /// Whether the diagnostic is the first one of its place, and of a name that is not declared the first one of all.
    pub(super) fn is_new(&mut self, diagnostic: &Diagnostic) -> bool {
        let is_new =
            !diagnostic.message.ends_with(NOT_DECLARED) || self.undeclared.insert(diagnostic.message.clone());
        is_new && diagnostic.site.is_none_or(|site| self.places.insert(site))
    }
}

/// What an evaluation took of what is limited.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Taken {
    /// Of [`MAX_TOTAL`].
    parts: usize,
    /// Of [`MAX_PARTIAL`].
    pieces: usize,
    /// Module instances, of [`MAX_MODULES`].
    pub(super) modules: usize,
}

impl Taken {
    /// This and what another evaluation took.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            parts: self.parts.saturating_add(other.parts),
            pieces: self.pieces.saturating_add(other.pieces),
            modules: self.modules.saturating_add(other.modules),
        }
    }

    /// Whether one evaluation may take as much.
    pub(super) fn is_allowed(self) -> bool {
        self.parts <= MAX_TOTAL && self.pieces <= MAX_PARTIAL && self.modules <= MAX_MODULES
    }
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
            said: RefCell::default(),
            modules: Cell::default(),
            providers: Configurations::default(),
            expressions: Cell::default(),
            left: Cell::new(MAX_TOTAL),
            partial: Cell::new(MAX_PARTIAL),
            in_order: Cell::new(false),
        }
    }

    /// Adds a diagnostic, the first one of its place, and of a name that is not declared the first one of all.
    pub(super) fn report(&self, diagnostic: Diagnostic) {
        if diagnostic.message.starts_with(LIMIT) {
            self.depend_on_order();
        }
        if self.said.borrow_mut().is_new(&diagnostic) {
            self.diagnostics.borrow_mut().push(diagnostic);
        }
    }

    /// Notes that what comes out depends on what was asked for first.
    pub(super) fn depend_on_order(&self) {
        self.in_order.set(true);
    }

    /// Whether it does.
    pub(super) fn depends_on_order(&self) -> bool {
        self.in_order.get()
    }

    /// What was taken of what is limited.
    pub(super) fn taken(&self) -> Taken {
        Taken {
            parts: MAX_TOTAL - self.left.get(),
            pieces: MAX_PARTIAL - self.partial.get(),
            modules: self.modules.get(),
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
        self.in_order.set(self.in_order.get() || left.is_none());
        left.is_some()
    }

    /// As [`Run::spend`], for what is partly known.
    pub(super) fn spend_partial(&self, pieces: usize) -> bool {
        let left = self.partial.get().checked_sub(pieces);
        self.partial.set(left.unwrap_or(0));
        self.in_order.set(self.in_order.get() || left.is_none());
        left.is_some()
    }

    /// Counts `more` module instances; false if they are too many.
    pub(super) fn admit(&self, more: usize) -> bool {
        let modules = self.modules.get().saturating_add(more);
        let fits = modules <= MAX_MODULES;
        if fits {
            self.modules.set(modules);
        } else {
            self.depend_on_order();
        }
        fits
    }
}
