//! How much work questions are, counted where it is done, and where it ends.
//!
//! Statements that allow and statements that deny are compared with each other, and patterns are computed with; input that
//! makes this long is not waited for. Whoever is cut off says so: the answer is undetermined.

use std::cell::Cell;

use crate::value::Cause;

thread_local! {
    /// Statements that were compared with a question, by this thread.
    static COVERINGS: Cell<u64> = const { Cell::new(0) };
    /// Steps, of about a byte each.
    static STEPS: Cell<u64> = const { Cell::new(0) };
    /// The step at which those that are measured end.
    static END: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Steps that one question may be: about a tenth of a second. Documents that AWS takes come nowhere near.
const MAX_STEPS: u64 = 40_000_000;

/// What comparing a statement costs at least.
const COVERING: u64 = 32;

/// How many times this thread has compared a statement's actions with what was asked.
pub fn coverings() -> u64 {
    COVERINGS.get()
}

/// How many steps this thread has made, of about a byte each.
pub fn steps() -> u64 {
    STEPS.get()
}

pub(super) fn count_covering() {
    COVERINGS.set(COVERINGS.get() + 1);
    spend(COVERING);
}

/// Says that so many steps were made.
pub(super) fn spend(steps: u64) {
    STEPS.set(STEPS.get().saturating_add(steps));
}

/// One question, or several that belong together: from its beginning to when it is dropped.
#[derive(Debug)]
pub struct Question {
    /// When what this is a part of ends.
    outer: u64,
}

impl Question {
    /// Begins a question. Within another it is a part of that.
    pub fn begin() -> Self {
        let outer = END.get();
        END.set(outer.min(STEPS.get().saturating_add(MAX_STEPS)));
        Self { outer }
    }

    /// Why it is not asked any further, if it has come to its end.
    pub fn is_cut_off() -> Option<Cause> {
        (STEPS.get() >= END.get()).then(|| Cause::Limit("number of statements and patterns".into()))
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        END.set(self.outer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_within_another_ends_with_it() {
        assert_eq!(Question::is_cut_off(), None, "nothing is measured outside of a question");
        let outer = Question::begin();
        spend(MAX_STEPS - 1);
        assert_eq!(Question::is_cut_off(), None);
        let inner = Question::begin();
        spend(1);
        assert!(Question::is_cut_off().is_some());
        drop(inner);
        assert!(Question::is_cut_off().is_some());
        drop(outer);
        let _next = Question::begin();
        assert_eq!(Question::is_cut_off(), None);
    }
}
