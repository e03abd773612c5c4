//! What could not be read or understood: diagnostics about the input, never about its policy.
//!
//! A diagnostic costs its file, block or expression and no more; it is always reported.

use crate::source::Site;

/// How bad a diagnostic is for the run.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something was not looked at by design (a module that is not installed).
    Notice,
    /// Part of the input is not understood; the rest is analysed.
    Warning,
    /// A whole input or file could not be analysed: a gate cannot be sure.
    Error,
}

/// One thing that could not be read or understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub level: Level,
    /// What is wrong, in one sentence without a final full stop.
    pub message: String,
    /// Where, if it is in a file that was read.
    pub site: Option<Site>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic of `level` without place or advice.
    pub fn new(level: Level, message: impl Into<String>) -> Self {
        Self { level, message: message.into(), site: None, help: None }
    }

    /// [`Level::Error`].
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Level::Error, message)
    }

    /// [`Level::Warning`].
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Level::Warning, message)
    }

    /// [`Level::Notice`].
    pub fn notice(message: impl Into<String>) -> Self {
        Self::new(Level::Notice, message)
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, site: Site) -> Self {
        self.site = Some(site);
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
