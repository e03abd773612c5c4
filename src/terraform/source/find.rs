//! Where module calls lead on the disk: local directories, and those that `terraform init` installed.
//!
//! A local source may leave the root module, but not the tree that is analysed: the directory that was named to search for
//! root modules, or the Git repository around the root module, or, where there is none, the directory above its parent.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use bumpalo::Bump;
use serde::Deserialize;

use crate::diagnostic::Diagnostic;
use crate::hcl::ast::ExprKind;
use crate::source::{FileId, Sources};

use super::calls::{INSTALL, MAX_DEPTH, not_installed};
use super::files::{Listing, display_path, is_json, read_text};
use super::{RootModule, Target, syntax};

/// A directory that is called as a module, read but not parsed.
#[derive(Debug, Default)]
pub struct ModuleDir {
    /// `path.module`: the directory from the root module's, `modules/store`.
    pub path: String,
    /// Its files of configuration, as those of [`RootModule::config`].
    pub config: Vec<FileId>,
}

/// A directory as the calls on one way see it. What `terraform init` installs is listed by the names of all calls from the
/// root module on, so one directory may lead to other ones on each way.
#[derive(Debug, Default)]
pub struct ModulePlace {
    /// Index into [`RootModule::modules`].
    pub module: usize,
    /// Where its calls lead, as those of [`RootModule::calls`].
    pub calls: BTreeMap<String, Target>,
    /// It was installed: its files are somebody else's.
    pub installed: bool,
}

/// What the analysed tree is, for people.
pub(super) const TREE: &str = "the tree is the directory that was named, the Git repository around the root module, or the directory above its parent";

/// More directories than this are not read.
const MAX_DIRECTORIES: usize = 1_000;

/// Terraform's list of what it installed.
#[derive(Debug, Default, Deserialize)]
struct Manifest {
    #[serde(rename = "Modules", default)]
    modules: Vec<Installed>,
}

#[derive(Debug, Deserialize)]
struct Installed {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Dir")]
    dir: String,
}

/// What was read of directories, for all root modules of a run: what several of them call is read once.
#[derive(Debug, Default)]
pub struct Shelf {
    read: BTreeMap<PathBuf, Rc<Shelved>>,
    /// Whether Git keeps a directory, of those that were looked at: all root modules of a tree lie below the same ones.
    repositories: BTreeMap<PathBuf, bool>,
}

/// A directory that was read.
#[derive(Debug)]
pub(super) struct Shelved {
    pub(super) listing: Listing,
    /// The `module` blocks: their names and sources.
    calls: BTreeMap<String, Option<String>>,
    /// It keeps a state or values of its own: nobody does that for a module.
    is_deployed: bool,
}

impl Shelf {
    /// The files in `directory`, which people see as `shown`, as far as they lie in `tree`.
    pub(super) fn read(
        &mut self,
        directory: &Path,
        shown: &Path,
        tree: &Path,
        is_root: bool,
        sources: &mut Sources,
    ) -> std::io::Result<Rc<Shelved>> {
        if let Some(done) = self.read.get(directory) {
            return Ok(Rc::clone(done));
        }
        let listing = Listing::read(directory, shown, tree, is_root, sources)?;
        let (calls, has_backend) = survey(&listing.config, sources);
        let is_deployed = has_backend || !listing.tfvars.is_empty();
        let read = Rc::new(Shelved { listing, calls, is_deployed });
        self.read.insert(directory.to_owned(), Rc::clone(&read));
        Ok(read)
    }

    /// Whether somebody deploys the directory as it is: it names a backend, or has values for its variables. Of one that
    /// was not read nothing is known.
    pub fn is_deployed(&self, directory: &Path) -> bool {
        self.read.get(directory).is_some_and(|read| read.is_deployed)
    }

    /// Whether the directory that was read declares anything: settings and variables alone are no root module.
    pub fn declares(&self, directory: &Path, sources: &Sources) -> bool {
        let files = self.read.get(directory).into_iter().flat_map(|read| &read.listing.config);
        files.into_iter().any(|&file| {
            let arena = Bump::new();
            let (parsed, _) = syntax::configuration(sources, file, &arena);
            parsed
                .body
                .blocks()
                .any(|block| matches!(block.ident.text, "resource" | "data" | "module" | "output"))
        })
    }

    /// The directories that the one that was read calls by a path, without links.
    pub fn called_by(&self, directory: &Path) -> Vec<PathBuf> {
        let calls = self.read.get(directory).into_iter().flat_map(|read| read.calls.values());
        let local = calls.flatten().filter(|source| is_local(source));
        local.filter_map(|source| directory.join(source).canonicalize().ok()).collect()
    }

    /// Reads a directory that may be a root module and was found in `within`, before any other is followed into it.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn add_root(
        &mut self,
        directory: &Path,
        shown: &Path,
        within: &Path,
        sources: &mut Sources,
    ) -> std::io::Result<()> {
        let tree = self.tree(directory, &within.canonicalize()?);
        self.read(directory, shown, &tree.modules, true, sources).map(|_| ())
    }

    /// What the root module in `root` may reach, which was found in `within`.
    pub(super) fn tree(&mut self, root: &Path, within: &Path) -> Tree {
        Tree::of(root, within, |directory| {
            if let Some(&known) = self.repositories.get(directory) {
                return known;
            }
            let is_one = directory.join(".git").exists();
            self.repositories.insert(directory.to_owned(), is_one);
            is_one
        })
    }
}

/// A directory whose calls are looked at.
struct Place {
    /// Where it is, without links.
    real: PathBuf,
    /// From the root module.
    path: PathBuf,
    /// The names of the calls that lead here, if something below them was installed.
    key: Option<String>,
    depth: usize,
    read: Rc<Shelved>,
}

struct Finder<'s> {
    /// The root module, without links.
    root: PathBuf,
    /// What must hold every module.
    tree: Tree,
    /// The root module as people see it.
    shown: PathBuf,
    /// Installed directories by key.
    installed: BTreeMap<String, String>,
    /// Indexes of places, the root module first.
    known: BTreeMap<(PathBuf, Option<String>), usize>,
    /// Indexes of modules.
    directories: BTreeMap<PathBuf, usize>,
    /// All that was found, the root module first.
    open: Vec<Place>,
    places: Vec<ModulePlace>,
    modules: Vec<ModuleDir>,
    diagnostics: Vec<Diagnostic>,
    shelf: &'s mut Shelf,
}

/// Reads the modules that `root` in `directory` calls, and those that they call.
pub(super) fn follow(
    root: &mut RootModule,
    directory: &Path,
    within: &Path,
    read: Rc<Shelved>,
    shelf: &mut Shelf,
    sources: &mut Sources,
) {
    let Ok(real) = directory.canonicalize() else { return };
    let first = Place { real: real.clone(), path: PathBuf::new(), key: Some(String::new()), depth: 0, read };
    let mut finder = Finder {
        tree: shelf.tree(&real, within),
        shown: directory.to_path_buf(),
        installed: BTreeMap::new(),
        known: BTreeMap::new(),
        directories: BTreeMap::new(),
        open: vec![first],
        root: real,
        places: Vec::new(),
        modules: Vec::new(),
        diagnostics: Vec::new(),
        shelf,
    };
    finder.read_manifest();
    let mut next = 0;
    while let Some(place) = finder.open.get(next) {
        let read = Rc::clone(&place.read);
        let calls = read.calls.iter().map(|(name, source)| {
            let target = finder.target(next, name, source.as_deref(), sources);
            (name.clone(), target)
        });
        let calls = calls.collect();
        match next.checked_sub(1).and_then(|index| finder.places.get_mut(index)) {
            Some(place) => place.calls = calls,
            None => root.calls = calls,
        }
        next += 1;
    }
    let tree = finder.directories.keys().fold(finder.tree.files, |tree, directory| common(&tree, directory));
    root.tree = Some(tree);
    root.directories = finder.directories.into_keys().collect();
    root.modules = finder.modules;
    root.places = finder.places;
    root.diagnostics.append(&mut finder.diagnostics);
}

impl Finder<'_> {
    /// Reads what Terraform says that it installed, if it did.
    fn read_manifest(&mut self) {
        let path = self.shown.join(".terraform/modules/modules.json");
        if !path.exists() {
            return;
        }
        let manifest = read_text(&path).and_then(|text| {
            serde_json::from_str::<Manifest>(&text).map_err(|_| {
                Diagnostic::warning(format!("`{}` is not a list of modules", display_path(&path)))
                    .help("run `terraform init`")
            })
        });
        match manifest {
            Ok(manifest) => {
                // On Windows, old versions wrote paths as the system does.
                let entries = manifest.modules.into_iter();
                self.installed = entries.map(|module| (module.key, module.dir.replace('\\', "/"))).collect();
            }
            Err(diagnostic) => self.diagnostics.push(diagnostic),
        }
    }

    /// Whether anything below the calls `key` was installed.
    fn has_below(&self, key: &str) -> bool {
        let prefix = format!("{key}.");
        let mut after = self.installed.range(prefix.clone()..);
        after.next().is_some_and(|(found, _)| found.starts_with(&prefix))
    }

    /// Where the call `name` in place `at` leads.
    fn target(&mut self, at: usize, name: &str, source: Option<&str>, sources: &mut Sources) -> Target {
        let Some(place) = self.open.get(at) else { return Err(not_installed(name)) };
        let Some(source) = source else {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: its source is not a plain string"
            ))
            .help("check a plan instead: `terraform show -json PLAN > plan.json`"));
        };
        let key = place
            .key
            .as_ref()
            .map(|key| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") });
        let depth = place.depth + 1;
        let is_local = is_local(source);
        let (directory, path) = if is_local {
            (place.real.join(source), normal(&place.path.join(source)))
        } else {
            let installed = key.as_ref().and_then(|key| self.installed.get(key));
            let installed = installed.ok_or_else(|| not_installed(name))?;
            (self.root.join(installed), normal(Path::new(installed)))
        };
        let installed =
            !is_local || at.checked_sub(1).and_then(|at| self.places.get(at)).is_some_and(|p| p.installed);
        let key = key.filter(|key| self.has_below(key));
        let shown = display_path(&normal(&self.shown.join(&path)));
        let real = directory.canonicalize().ok().filter(|real| real.is_dir()).ok_or_else(|| {
            let help = if is_local { "correct its `source`" } else { INSTALL };
            Diagnostic::warning(format!("`module.{name}` is not followed: there is no directory `{shown}`"))
                .help(help)
        })?;
        if !real.starts_with(&self.tree.modules) {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: `{shown}` lies outside the analysed tree"
            ))
            .help(TREE));
        }
        if real == self.root {
            return Ok(0);
        }
        let id = (real, key);
        if let Some(&known) = self.known.get(&id) {
            return Ok(known);
        }
        let (real, key) = id;
        if depth > MAX_DEPTH || self.places.len() >= MAX_DIRECTORIES {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: there are too many modules"
            )));
        }
        let read = self.shelf.read(&real, Path::new(&shown), &self.tree.modules, false, sources).map_err(
            |error| {
                Diagnostic::warning(format!(
                    "`module.{name}` is not followed: cannot read `{shown}`: {error}"
                ))
            },
        )?;
        let listing = &read.listing;
        if listing.config.is_empty() && listing.diagnostics.is_empty() {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: `{shown}` holds no Terraform files"
            )));
        }
        let module = if let Some(&module) = self.directories.get(&real) {
            module
        } else {
            self.diagnostics.extend(listing.diagnostics.iter().cloned());
            let config = listing.config.clone();
            self.modules.push(ModuleDir { path: display_path(&path), config });
            self.directories.insert(real.clone(), self.modules.len() - 1);
            self.modules.len() - 1
        };
        let index = self.open.len();
        self.places.push(ModulePlace { module, calls: BTreeMap::new(), installed });
        self.known.insert((real.clone(), key.clone()), index);
        self.open.push(Place { real, path, key, depth, read });
        Ok(index)
    }
}

/// Whether a source is a path: all others are installed.
pub(super) fn is_local(source: &str) -> bool {
    let source = source.strip_prefix('.').map(|rest| rest.strip_prefix('.').unwrap_or(rest));
    source.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']))
}

/// What a root module may reach.
#[derive(Debug)]
pub(super) struct Tree {
    /// Its modules, and where links of its files may lead.
    pub(super) modules: PathBuf,
    /// Functions for files, beside the directories of its modules.
    files: PathBuf,
}

impl Tree {
    /// That of `root`, which was found in `within`: one of the two or the nearest directory that Git keeps, if that is
    /// larger. Where there is none of Git, modules may lie as far as above the parent of `root`, but no file is read there.
    fn of(root: &Path, within: &Path, mut is_repository: impl FnMut(&Path) -> bool) -> Self {
        let larger = |tree: &Path| if tree.starts_with(within) { within.to_owned() } else { tree.to_owned() };
        // Not the whole disk.
        let above = || root.ancestors().take(3).filter(|above| above.parent().is_some()).last();
        let repository = root.ancestors().find(|directory| is_repository(directory));
        Self {
            modules: larger(repository.or_else(above).unwrap_or(root)),
            files: larger(repository.unwrap_or(root)),
        }
    }
}

/// The longest path that both begin with.
fn common(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(part, _)| part).collect()
}

/// The `module` blocks of the files: their names and sources; and whether a `terraform` block says where the state is kept.
/// The trees that this takes are thrown away: which files there are is known only when all calls are.
pub(super) fn survey(files: &[FileId], sources: &Sources) -> (BTreeMap<String, Option<String>>, bool) {
    let (mut calls, mut has_backend) = (BTreeMap::new(), false);
    for &file in files {
        let text = sources.text(file);
        let path = sources.get(file).map_or("", |file| file.path());
        let has = |word: &str| if is_json(path) { text.contains(word) } else { may_begin(text, word) };
        if !has("module") && !has("backend") && !has("cloud") {
            continue;
        }
        let arena = Bump::new();
        let (parsed, _) = syntax::configuration(sources, file, &arena);
        for block in parsed.body.blocks() {
            match (block.ident.text, block.labels) {
                ("module", [label]) => {
                    let source = match block.body.attribute("source").map(|attribute| attribute.value.kind) {
                        Some(ExprKind::String(text)) => Some(text.to_owned()),
                        _ => None,
                    };
                    match calls.entry(label.text.to_owned()) {
                        Entry::Occupied(mut base) if parsed.is_override && source.is_some() => {
                            base.insert(source);
                        }
                        // Of two blocks of one name the first is analysed.
                        Entry::Occupied(_) => {}
                        Entry::Vacant(place) => {
                            place.insert(source);
                        }
                    }
                }
                ("terraform", _) => {
                    has_backend |= block.body.blocks().any(|b| matches!(b.ident.text, "backend" | "cloud"));
                }
                _ => {}
            }
        }
    }
    (calls, has_backend)
}

/// Whether a block of the type `word` may begin in the text: the word stands where its line, or something else, ended before
/// it. Not so `path.module` and `aws_cloudwatch_log_group`, which most files have.
fn may_begin(text: &str, word: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), word).any(|at| {
        let before = text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t']);
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        (before.is_empty() || before.ends_with(['\n', '}', '/', '\u{feff}']))
            && !text.get(at + word.len()..).unwrap_or_default().starts_with(goes_on)
    })
}

/// The path with `.` and `name/..` taken out.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_begins_where_something_ended() {
        let begins = [
            "module \"a\" {",
            "a = 1\n\tmodule \"a\" {",
            "/* b */ module \"a\" {}",
            "locals {} module\"a\"{}",
        ];
        let others = [
            "a = path.module",
            "modules \"a\" {",
            "# module",
            "a = module.b.c",
            "module_a {",
            "x = { module = 1 }",
        ];
        for text in begins {
            assert!(may_begin(text, "module"), "{text}");
        }
        for text in others {
            assert!(!may_begin(text, "module"), "{text}");
        }
    }
}
