//! The files of one module directory: which of them Terraform reads, and their text.

use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources};

/// Files larger than this are not configuration that somebody wrote.
const MAX_FILE: u64 = 64 << 20;

/// What was read of one directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// `*.tf` and `*.tofu`, sorted by name.
    pub(super) config: Vec<FileId>,
    /// `terraform.tfvars`, then `*.auto.tfvars` sorted by name.
    pub(super) tfvars: Vec<FileId>,
    /// Files that were found and are not read, and why.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Listing {
    /// Reads the files in `directory`, which people see as `shown`. Values of variables belong to a root module only.
    pub(super) fn read(
        directory: &Path,
        shown: &Path,
        is_root: bool,
        sources: &mut Sources,
    ) -> std::io::Result<Self> {
        let mut names: Vec<String> = std::fs::read_dir(directory)?
            .filter_map(Result::ok)
            // Not `is_file`: that a link leads nowhere is told when it is read.
            .filter(|entry| !entry.path().is_dir())
            // A name that is not UTF-8 names no file that can be read, and so is told of too.
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !is_ignored(name))
            .collect();
        names.sort_unstable();
        let mut this = Self::default();
        for name in &names {
            let shown = display_path(&shown.join(name));
            let mut read = || match read_shown(&directory.join(name), &shown) {
                Ok(text) => Some(sources.add(shown.clone(), text)),
                Err(diagnostic) => {
                    this.diagnostics.push(diagnostic);
                    None
                }
            };
            match kind_of(name, &names) {
                FileKind::Config => {
                    let file = read();
                    this.config.extend(file);
                }
                FileKind::Tfvars if is_root => {
                    let file = read();
                    this.tfvars.extend(file);
                }
                FileKind::NotYet(_) if !is_root && name.ends_with(".tfvars.json") => {}
                FileKind::NotYet(what) => this.diagnostics.push(
                    Diagnostic::warning(format!("`{shown}` is not read: {what}"))
                        .help("check a plan instead: `terraform show -json PLAN > plan.json`"),
                ),
                FileKind::Tfvars | FileKind::Other => {}
            }
        }
        // terraform.tfvars comes before the automatic ones, whatever their names.
        this.tfvars.sort_by_key(|&file| {
            let path = sources.get(file).map_or("", |file| file.path());
            (!path.ends_with("terraform.tfvars"), path.to_owned())
        });
        Ok(this)
    }
}

enum FileKind {
    Config,
    Tfvars,
    /// Terraform reads it, airgate not yet.
    NotYet(&'static str),
    Other,
}

/// What a file of a module directory is, by its name.
fn kind_of(name: &str, siblings: &[String]) -> FileKind {
    let has = |other: String| siblings.contains(&other);
    if let Some(stem) = name.strip_suffix(".tf.json").or_else(|| name.strip_suffix(".tofu.json")) {
        let _ = stem;
        return FileKind::NotYet("JSON configuration syntax is not supported yet");
    }
    if name.ends_with(".tfvars.json")
        && (name == "terraform.tfvars.json" || name.ends_with(".auto.tfvars.json"))
    {
        return FileKind::NotYet("JSON variable files are not supported yet");
    }
    if let Some(stem) = name.strip_suffix(".tf").or_else(|| name.strip_suffix(".tofu")) {
        if stem == "override" || stem.ends_with("_override") {
            return FileKind::NotYet("override files are not merged yet");
        }
        // OpenTofu: `x.tofu` hides `x.tf`.
        let hidden = !name.ends_with("tofu") && has(format!("{stem}.tofu"));
        return if hidden { FileKind::Other } else { FileKind::Config };
    }
    if name == "terraform.tfvars" || name.ends_with(".auto.tfvars") {
        return FileKind::Tfvars;
    }
    FileKind::Other
}

/// Terraform ignores hidden files and editors' leftovers.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

/// Reads a text file whole.
pub fn read_text(path: &Path) -> Result<String, Diagnostic> {
    read_shown(path, &display_path(path))
}

/// Reads a text file that people see as `shown`.
fn read_shown(path: &Path, shown: &str) -> Result<String, Diagnostic> {
    let meta = std::fs::metadata(path);
    if meta.as_ref().is_ok_and(|meta| !meta.is_file()) {
        return Err(Diagnostic::error(format!("`{shown}` is not a file")));
    }
    let size = meta.map_or(0, |meta| meta.len());
    if size > MAX_FILE {
        return Err(Diagnostic::error(format!(
            "`{shown}` has {size} bytes, more than the {MAX_FILE} allowed"
        )));
    }
    let bytes =
        std::fs::read(path).map_err(|error| Diagnostic::error(format!("cannot read `{shown}`: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Diagnostic::error(format!("`{shown}` is not UTF-8: byte {at} is not valid"))
            .help("save the file as UTF-8")
    })
}

/// A path as people see it: `/` between parts, without a leading `./`.
pub fn display_path(path: &Path) -> String {
    let shown = path.to_string_lossy().replace('\\', "/");
    match shown.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => shown,
    }
}
