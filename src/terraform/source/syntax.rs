//! A file to its syntax tree, in native syntax or in JSON's, as its name says.

use bumpalo::Bump;

use crate::diagnostic::Diagnostic;
use crate::hcl;
use crate::source::{FileId, Sources};

use super::Parsed;
use super::files;
use super::json::Schema;
use super::variables;

/// Parses a file of configuration.
pub(super) fn configuration<'a>(
    sources: &'a Sources,
    file: FileId,
    arena: &'a Bump,
) -> (Parsed<'a>, Vec<Diagnostic>) {
    let path = sources.get(file).map_or("", |file| file.path());
    let text = sources.text(file);
    let (body, diagnostics) = if files::is_json(path) {
        hcl::json::parse(text, file, arena, Schema::File)
    } else if let Some(diagnostic) = misnamed(path, text, file) {
        (hcl::ast::Body::default(), vec![diagnostic])
    } else {
        hcl::parse(text, file, arena)
    };
    (Parsed { file, body, is_override: files::is_override(path) }, diagnostics)
}

/// Parses a file of values of variables. What is said of it has none of its text in it.
pub fn values<'a>(sources: &'a Sources, file: FileId, arena: &'a Bump) -> (Parsed<'a>, Vec<Diagnostic>) {
    let path = sources.get(file).map_or("", |file| file.path());
    let text = sources.text(file);
    let (body, diagnostics) = if files::is_json(path) {
        hcl::json::parse(text, file, arena, Schema::Values)
    } else {
        hcl::parse(text, file, arena)
    };
    let diagnostics = diagnostics.into_iter().map(variables::quiet).collect();
    (Parsed { file, body, is_override: false }, diagnostics)
}

/// What is said of JSON in a file whose name says that it is none: Terraform reads it as native syntax, and of that no
/// line begins so.
fn misnamed(path: &str, text: &str, file: FileId) -> Option<Diagnostic> {
    let start = text.trim_start_matches('\u{feff}').trim_ascii_start();
    if !start.starts_with(['{', '[']) {
        return None;
    }
    let at = u32::try_from(text.len() - start.len()).unwrap_or(u32::MAX);
    let site = crate::source::Span::new(at, at.saturating_add(1)).at(file);
    let name = path.rsplit('/').next().unwrap_or(path);
    Some(
        Diagnostic::error(format!("`{path}` is JSON, but its name says that it is HCL"))
            .at(site)
            .help(format!("rename it to `{name}.json`")),
    )
}
