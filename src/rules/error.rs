//! Why rules cannot be used.

use std::path::PathBuf;

/// Why the rules cannot be used. A rule that does not load is a hard error: a gate must not lose a rule silently.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A rule file is not what it must be.
    #[error("{path}{}: {message}", place(*.line, *.column))]
    Invalid {
        /// The rule file.
        path: String,
        /// 1-based line, if the fault has one.
        line: Option<usize>,
        /// 1-based column, if the fault has one.
        column: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// A selector names no rule.
    #[error("no rule, family or name matches `{selector}`{}", did_you_mean(.suggestions))]
    UnknownSelector {
        /// As the user wrote it.
        selector: String,
        /// The nearest that exist, nearest first.
        suggestions: Vec<String>,
    },
    /// `[provided]` names a control that no rule asks for.
    #[error("`[provided]` in the configuration: no rule asks for `{name}`{}", did_you_mean(.suggestions))]
    UnknownControl {
        /// As the user wrote it.
        name: String,
        /// The nearest that exist, nearest first.
        suggestions: Vec<String>,
    },
    /// A framework that there is not.
    #[error("no framework is called `{name}`{}", did_you_mean(.suggestions))]
    UnknownFramework {
        /// As the user wrote it.
        name: String,
        /// The nearest that exist, nearest first.
        suggestions: Vec<String>,
    },
    /// A rule directory or file cannot be read.
    #[error("{}: rules cannot be read there: {source}; name a directory of rule files (`*.md`)", path.display())]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl RuleError {
    /// A fault of a whole file.
    pub(super) fn file(path: &str, message: impl Into<String>) -> Self {
        Self::Invalid { path: path.to_owned(), line: None, column: None, message: message.into() }
    }

    /// A fault at a byte offset of the file's text.
    pub(super) fn at(path: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..text.floor_char_boundary(offset)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::Invalid {
            path: path.to_owned(),
            line: Some(line),
            column: Some(column),
            message: message.into(),
        }
    }
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        _ => String::new(),
    }
}

/// The end of a message on a name that does not exist: the names that come near, if any.
pub fn did_you_mean(suggestions: &[String]) -> String {
    if suggestions.is_empty() {
        return String::new();
    }
    format!("; did you mean `{}`?", suggestions.join("`, `"))
}
