//! The way a value came: from the attribute that has it, through locals, module arguments and variables, to where it is
//! written.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::source::Site;

/// A name that a value went through, and those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What handed the value on: `local.region`, `var.region`, `module.a.region` (an output).
    pub what: SmolStr,
    /// Where that gets its value: the local's expression, the module argument, the line in a variable file, the default.
    pub site: Site,
    /// Where that had it from; [`None`] if it is written at `site`.
    pub next: Option<Arc<Step>>,
}

impl Step {
    /// This step and all that it had the value from, in that order: nearest to the attribute first.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |step| step.next.as_deref())
    }
}
