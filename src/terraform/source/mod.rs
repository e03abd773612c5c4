//! Terraform source: a root module's files to a [`Program`].
//!
//! 1. [`RootModule::read`] finds the files. Beside it only functions for files touch the disk.
//! 2. [`RootModule::parse`] makes one syntax tree a file, in parallel.
//! 3. [`module::Module::new`] sorts the blocks into variables, locals, resources, calls, providers.
//! 4. [`instance`] evaluates `count`, `for_each` and every attribute to resource instances.
//!
//! Modules that are called are read and parsed once a directory ([`ModuleDir`]) and evaluated once an instance.
//!
//! Not there yet: data sources other than those of [`data`] are unknown.

mod body;
mod calls;
pub mod data;
mod embedded;
mod files;
mod find;
pub mod instance;
mod json;
pub mod module;
pub mod names;
mod overrides;
mod parallel;
mod providers;
pub mod resources;
mod run;
pub mod scope;
mod shared;
pub mod syntax;
mod tags;
#[cfg(test)]
mod tests;
pub mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::eval;
use crate::hcl::ast::Body;
use crate::program::{InputKind, Program};
use crate::source::{FileId, Sources};

pub use embedded::EmbeddedModule;
pub use files::{display_path, is_configuration, read_text, sort};
pub use find::{ModuleDir, ModulePlace, Shelf};

pub use module::Definition;
use module::Module;
use parallel::Start;
use variables::Given;

/// The files of a root module, read but not parsed.
#[derive(Debug, Default)]
pub struct RootModule {
    /// The directory on disk; [`None`] for text that never was on a disk.
    pub directory: Option<PathBuf>,
    /// The path as the user gave it.
    pub path: String,
    /// Its files of configuration, sorted by name, those that override others last.
    pub config: Vec<FileId>,
    /// Its files of values of variables; later ones win.
    pub tfvars: Vec<FileId>,
    /// Where the root module's calls lead: index into `places` plus one, or why nowhere.
    pub calls: BTreeMap<String, Target>,
    /// The directories of the modules that are called, each once.
    pub modules: Vec<ModuleDir>,
    /// The ways that lead to them.
    pub places: Vec<ModulePlace>,
    /// The directories of all of them, without links.
    pub directories: Vec<PathBuf>,
    /// What filesystem functions are confined to: the directory that was named or the Git repository around the root module,
    /// and the modules.
    pub tree: Option<PathBuf>,
    /// The workspace that was last selected here; [`None`] if none was.
    pub workspace: Option<String>,
    /// Files that were found and are not read, and why.
    pub diagnostics: Vec<Diagnostic>,
}

/// Where a module call leads: to a definition, zero for the root module itself, or why it is not followed.
pub type Target = Result<usize, Diagnostic>;

impl RootModule {
    /// Finds and reads the files of the root module in `directory`, which was looked for in `within`. Files that cannot be
    /// read are diagnostics.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn read(
        directory: &Path,
        within: &Path,
        shelf: &mut Shelf,
        sources: &mut Sources,
    ) -> std::io::Result<Self> {
        let within = within.canonicalize()?;
        let real = directory.canonicalize()?;
        let tree = shelf.tree(&real, &within);
        let read = shelf.read(&real, directory, &tree.modules, true, sources)?;
        let listing = &read.listing;
        let mut root = Self {
            directory: Some(directory.to_path_buf()),
            path: display_path(directory),
            config: listing.config.clone(),
            tfvars: listing.tfvars.clone(),
            workspace: files::workspace(directory),
            diagnostics: listing.diagnostics.clone(),
            ..Self::default()
        };
        find::follow(&mut root, directory, &within, read, shelf, sources);
        Ok(root)
    }

    /// The variables that it declares. The trees that this takes are thrown away.
    pub fn variable_names(&self, sources: &Sources) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for &file in &self.config {
            let arena = Bump::new();
            let (parsed, _) = syntax::configuration(sources, file, &arena);
            let variables = parsed.body.blocks().filter(|block| block.ident.text == "variable");
            names.extend(
                variables.filter_map(|block| block.labels.first()).map(|label| label.text.to_owned()),
            );
        }
        names
    }

    /// Whether there is Terraform here at all.
    pub fn is_empty(&self) -> bool {
        self.config.is_empty() && self.diagnostics.is_empty()
    }

    /// Parses the files, each into its own arena: `arenas` must be as many as [`RootModule::arenas`] gives.
    pub fn parse<'a>(
        &self,
        sources: &'a Sources,
        arenas: &'a mut [Bump],
    ) -> (Vec<Parsed<'a>>, Vec<Diagnostic>) {
        let files: Vec<FileId> = self.files().collect();
        let results: Vec<_> = files
            .into_par_iter()
            .zip(arenas.par_iter_mut())
            .map(|(file, arena)| {
                if self.tfvars.contains(&file) {
                    syntax::values(sources, file, arena)
                } else {
                    syntax::configuration(sources, file, arena)
                }
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

    /// All files, in the order of their syntax trees.
    fn files(&self) -> impl Iterator<Item = FileId> {
        let modules = self.modules.iter().flat_map(|module| &module.config);
        self.config.iter().chain(&self.tfvars).chain(modules).copied()
    }

    /// Whether functions may read files: all that do are called so.
    pub fn may_read_files(&self, sources: &Sources) -> bool {
        self.directory.is_some() && self.files().any(|file| sources.text(file).contains("file"))
    }

    /// How many arenas [`RootModule::parse`] takes.
    pub fn arenas(&self) -> Vec<Bump> {
        self.files().map(|_| Bump::new()).collect()
    }

    /// Evaluates the module to its resource instances.
    pub fn evaluate(&self, parsed: &[Parsed<'_>], given: &Given<'_>) -> Program {
        eval::on_deep_stack(|| self.program(parsed, given))
    }

    fn program(&self, parsed: &[Parsed<'_>], given: &Given<'_>) -> Program {
        self.defined(parsed, |definitions, diagnostics| self.expand(definitions, diagnostics, parsed, given))
    }

    /// What `look` sees in the definitions of the root module, which is the first, and of those that it calls.
    pub fn definitions<R: Send>(
        &self,
        parsed: &[Parsed<'_>],
        look: impl Fn(&[Definition<'_>]) -> R + Sync,
    ) -> R {
        eval::on_deep_stack(|| self.defined(parsed, |definitions, _| look(definitions)))
    }

    fn defined<R>(
        &self,
        parsed: &[Parsed<'_>],
        then: impl FnOnce(&[Definition<'_>], Vec<Diagnostic>) -> R,
    ) -> R {
        let split = |files: &[Parsed<'_>], at: usize| at.min(files.len());
        let (config, rest) = parsed.split_at(split(parsed, self.config.len()));
        let (_, mut rest) = rest.split_at(split(rest, self.tfvars.len()));
        let arena = Bump::new();
        let (module, mut diagnostics) = Module::new(config, &arena);
        let mut modules = Vec::with_capacity(self.modules.len());
        for dir in &self.modules {
            let (config, others) = rest.split_at(split(rest, dir.config.len()));
            rest = others;
            let (module, more) = Module::new(config, &arena);
            diagnostics.extend(more);
            modules.push((module, dir.path.as_str()));
        }
        let mut definitions =
            vec![Definition { module: &module, path: ".", calls: &self.calls, installed: false }];
        definitions.extend(self.places.iter().filter_map(|place| {
            let (module, path) = modules.get(place.module)?;
            Some(Definition { module, path, calls: &place.calls, installed: place.installed })
        }));
        then(&definitions, diagnostics)
    }

    fn expand(
        &self,
        definitions: &[Definition<'_>],
        mut diagnostics: Vec<Diagnostic>,
        parsed: &[Parsed<'_>],
        given: &Given<'_>,
    ) -> Program {
        let Some(root) = definitions.first() else { return Program::default() };
        let tfvars = parsed.get(self.config.len()..).unwrap_or_default();
        let tfvars = tfvars.get(..self.tfvars.len()).filter(|_| !given.of_plan).unwrap_or_default();
        let (values, more) = variables::values(root.module, tfvars, given);
        diagnostics.extend(more);
        let directory = self
            .directory
            .as_deref()
            .filter(|_| !given.without_files)
            .map(|path| eval::Directory { path, tree: self.tree.as_deref().unwrap_or(path) });
        let last = self.workspace.as_deref().unwrap_or("default");
        let workspace = given.workspace.or((!given.of_plan).then_some(last));
        let start = Start { definitions, directory, workspace, mode: given.mode, variables: values };
        let mut program = start.expand();
        program.kind = InputKind::TerraformSource;
        program.path.clone_from(&self.path);
        diagnostics.append(&mut program.diagnostics);
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
    /// What it declares changes what other files declare.
    pub is_override: bool,
}
