//! What `airgate iam` answers, as a test writes it.

#[path = "dir.rs"]
mod dir;

use std::path::Path;

use airgate::config::Options;
use airgate::facts::iam::access::{Access, Answered, Question};
use airgate::iam::context::Context;
use airgate::iam::effective::Verdict;
use airgate::source::Sources;

pub(crate) use dir::Dir;

/// The answer about one input, and its sources.
pub(crate) fn asked_at(path: &Path, question: &Question, context: &Context) -> (Sources, Answered) {
    let paths = [path.to_owned()];
    let (sources, mut all) = airgate::access(&paths, &Options::default(), question, context).unwrap();
    (sources, all.pop().unwrap())
}

/// The answer about a configuration.
pub(crate) fn asked(text: &str, question: &Question) -> Answered {
    asked_at(Dir::of(text).path(), question, &Context::default()).1
}

/// How sure an answer is, in a word.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Yes => "yes",
        Verdict::No => "no",
        Verdict::OnlyIf(_) => "only-if",
        Verdict::Undetermined(_) => "undetermined",
    }
}

/// `yes a`, `only-if b`: the principals, sorted by how sure the answer is.
pub(crate) fn short(rows: &[Access]) -> Vec<String> {
    rows.iter().map(|row| format!("{} {}", word(&row.verdict), row.principal)).collect()
}
