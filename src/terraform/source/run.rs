//! What all module instances of one evaluation share: what was named, what was reported, and how many there are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::eval::Directory;
use crate::source::Site;
use crate::value::Reference;

use super::module::Definition;

/// More resources than this are not kept as named by one expression.
const MAX_TOUCHED: usize = 256;

/// More module instances than this are not evaluated.
const MAX_MODULES: usize = 10_000;

/// One evaluation.
pub struct Run<'a> {
    /// The root module's definition, then those of the modules that are called.
    pub(super) definitions: &'a [Definition<'a>],
    /// The root module's directory, and what holds all modules.
    pub(super) directory: Option<Directory<'a>>,
    /// Resources named since the last recording began.
    touched: RefCell<BTreeSet<Reference>>,
    /// What evaluation has to say.
    pub(super) diagnostics: RefCell<Vec<Diagnostic>>,
    /// Where a diagnostic was reported: of an expression that many instances evaluate one is enough.
    reported: RefCell<BTreeSet<Site>>,
    modules: Cell<usize>,
}

impl<'a> Run<'a> {
    /// Nothing is evaluated yet.
    pub fn new(definitions: &'a [Definition<'a>], directory: Option<Directory<'a>>) -> Self {
        Self {
            definitions,
            directory,
            touched: RefCell::default(),
            diagnostics: RefCell::default(),
            reported: RefCell::default(),
            modules: Cell::default(),
        }
    }

    /// Adds a diagnostic, the first one of its place.
    pub(super) fn report(&self, diagnostic: Diagnostic) {
        if diagnostic.site.is_none_or(|site| self.reported.borrow_mut().insert(site)) {
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
