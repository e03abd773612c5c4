//! Terraform source: a root module's files to a [`Program`].
//!
//! 1. [`RootModule::read`] finds the files (the only step that touches the disk).
//! 2. [`RootModule::parse`] makes one syntax tree a file, in parallel.
//! 3. [`module::Module::new`] sorts the blocks into variables, locals, resources, calls, providers.
//! 4. [`instance::expand`] evaluates `count`, `for_each` and every attribute to resource instances.
//!
//! Not there yet: module calls are reported as not followed; `.tf.json` and override files are reported as not read;
//! data sources other than those of [`data`] are unknown.

mod body;
pub mod data;
pub mod instance;
pub mod module;
pub mod names;
pub mod resources;
pub mod scope;
#[cfg(test)]
mod tests;
pub mod variables;

use std::path::{Path, PathBuf};

use bumpalo::Bump;
use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::eval;
use crate::hcl::{self, ast::Body};
use crate::program::{InputKind, Program};
use crate::source::{FileId, Sources};

use variables::Given;

/// The files of a root module, read but not parsed.
#[derive(Debug, Default)]
pub struct RootModule {
    /// The directory on disk, that filesystem functions are confined to; [`None`] for text that never was on a disk.
    pub directory: Option<PathBuf>,
    /// The path as the user gave it.
    pub path: String,
    /// `*.tf` and `*.tofu`, sorted by name.
    pub config: Vec<FileId>,
    /// `terraform.tfvars`, then `*.auto.tfvars` sorted by name.
    pub tfvars: Vec<FileId>,
    /// Files that were found and are not read, and why.
    pub diagnostics: Vec<Diagnostic>,
}

/// Files larger than this are not configuration that somebody wrote.
const MAX_FILE: u64 = 64 << 20;

impl RootModule {
    /// Finds and reads the files of the root module in `directory`. Files that cannot be read are diagnostics; an error only
    /// if the directory cannot be listed.
    pub fn read(directory: &Path, sources: &mut Sources) -> std::io::Result<Self> {
        let mut names: Vec<String> = std::fs::read_dir(directory)?
            .filter_map(Result::ok)
            // Not `is_file`: that a link leads nowhere is told when it is read.
            .filter(|entry| !entry.path().is_dir())
            // A name that is not UTF-8 names no file that can be read, and so is told of too.
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !is_ignored(name))
            .collect();
        names.sort_unstable();
        let mut root = Self {
            directory: Some(directory.to_path_buf()),
            path: display_path(directory),
            ..Self::default()
        };
        for name in &names {
            match kind_of(name, &names) {
                FileKind::Config => {
                    let file = root.read_file(&directory.join(name), sources);
                    root.config.extend(file);
                }
                FileKind::Tfvars => {
                    let file = root.read_file(&directory.join(name), sources);
                    root.tfvars.extend(file);
                }
                FileKind::NotYet(what) => root.diagnostics.push(
                    Diagnostic::warning(format!(
                        "`{}` is not read: {what}",
                        display_path(&directory.join(name))
                    ))
                    .help("check a plan instead: `terraform show -json PLAN > plan.json`"),
                ),
                FileKind::Other => {}
            }
        }
        // terraform.tfvars comes before the automatic ones, whatever their names.
        root.tfvars.sort_by_key(|&file| {
            let path = sources.get(file).map_or("", |file| file.path());
            (!path.ends_with("terraform.tfvars"), path.to_owned())
        });
        Ok(root)
    }

    /// Whether there is Terraform here at all.
    pub fn is_empty(&self) -> bool {
        self.config.is_empty() && self.diagnostics.is_empty()
    }

    /// Reads one file; what is wrong becomes a diagnostic.
    fn read_file(&mut self, path: &Path, sources: &mut Sources) -> Option<FileId> {
        match read_text(path) {
            Ok(text) => Some(sources.add(display_path(path), text)),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// Parses the files, each into its own arena: `arenas` must be as many as `config` and `tfvars` together.
    pub fn parse<'a>(
        &self,
        sources: &'a Sources,
        arenas: &'a mut [Bump],
    ) -> (Vec<Parsed<'a>>, Vec<Diagnostic>) {
        let files: Vec<FileId> = self.config.iter().chain(&self.tfvars).copied().collect();
        let results: Vec<_> = files
            .into_par_iter()
            .zip(arenas.par_iter_mut())
            .map(|(file, arena)| {
                let (body, mut diagnostics) = hcl::parse(sources.text(file), file, arena);
                if self.tfvars.contains(&file) {
                    diagnostics = diagnostics.into_iter().map(variables::quiet).collect();
                }
                (Parsed { file, body }, diagnostics)
            })
            .collect();
        let mut diagnostics = Vec::new();
        let parsed = results
            .into_iter()
            .map(|(parsed, more)| {
                diagnostics.extend(more);
                parsed
            })
            .collect();
        (parsed, diagnostics)
    }

    /// How many arenas [`RootModule::parse`] takes.
    pub fn arenas(&self) -> Vec<Bump> {
        (0..self.config.len() + self.tfvars.len()).map(|_| Bump::new()).collect()
    }

    /// Evaluates the module to its resource instances.
    pub fn evaluate(&self, parsed: &[Parsed<'_>], given: &Given<'_>) -> Program {
        eval::on_deep_stack(|| self.program(parsed, given))
    }

    fn program(&self, parsed: &[Parsed<'_>], given: &Given<'_>) -> Program {
        let (config, tfvars) = parsed.split_at(self.config.len().min(parsed.len()));
        let (module, mut diagnostics) = module::Module::new(config);
        let (values, more) = variables::values(&module, tfvars, given);
        diagnostics.extend(more);
        let scope = scope::ModuleScope::new(&module, values, self.directory.as_deref());
        let mut program = instance::expand(&module, &scope);
        program.kind = InputKind::TerraformSource;
        program.path.clone_from(&self.path);
        diagnostics.append(&mut program.diagnostics);
        diagnostics.extend(scope.into_diagnostics());
        program.diagnostics = diagnostics;
        program
    }
}

/// A parsed file.
#[derive(Copy, Clone, Debug)]
pub struct Parsed<'a> {
    /// Which.
    pub file: FileId,
    /// Its items.
    pub body: Body<'a>,
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
    let shown = display_path(path);
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
