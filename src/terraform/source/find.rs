//! Where module calls lead on the disk: local directories, and those that `terraform init` installed.
//!
//! A local source may leave the root module, but not the tree that is analysed: the Git repository around the root module,
//! or, where there is none, the directory above its parent.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Component, Path, PathBuf};

use bumpalo::Bump;
use serde::Deserialize;

use crate::diagnostic::Diagnostic;
use crate::hcl::ast::ExprKind;
use crate::source::{FileId, Sources};

use super::calls::{MAX_DEPTH, not_installed};
use super::files::{Listing, display_path, read_text};
use super::{RootModule, Target, syntax};

/// A module that is called, read but not parsed.
#[derive(Debug, Default)]
pub struct ModuleDir {
    /// `path.module`: the directory from the root module's, `modules/store`.
    pub path: String,
    /// Its files of configuration, as those of [`RootModule::config`].
    pub config: Vec<FileId>,
    /// Where its calls lead, as those of [`RootModule::calls`].
    pub calls: BTreeMap<String, Target>,
}

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

/// A directory whose calls are looked at.
struct Place {
    /// Where it is, without links.
    real: PathBuf,
    /// From the root module.
    path: PathBuf,
    /// The names of the calls that lead here, of those that were found first.
    key: String,
    depth: usize,
}

struct Finder {
    /// The root module, without links.
    root: PathBuf,
    /// What must hold every module.
    tree: PathBuf,
    /// The root module as people see it.
    shown: PathBuf,
    /// Installed directories by key.
    installed: BTreeMap<String, String>,
    /// Indexes of what was found, the root module first.
    known: BTreeMap<PathBuf, usize>,
    places: Vec<Place>,
    modules: Vec<ModuleDir>,
    diagnostics: Vec<Diagnostic>,
}

/// Reads the modules that `root` in `directory` calls, and those that they call.
pub(super) fn follow(root: &mut RootModule, directory: &Path, sources: &mut Sources) {
    let Ok(real) = directory.canonicalize() else { return };
    let mut finder = Finder {
        tree: tree_of(&real),
        shown: directory.to_path_buf(),
        installed: BTreeMap::new(),
        known: BTreeMap::from([(real.clone(), 0)]),
        places: vec![Place { real: real.clone(), path: PathBuf::new(), key: String::new(), depth: 0 }],
        root: real,
        modules: Vec::new(),
        diagnostics: Vec::new(),
    };
    finder.read_manifest();
    let mut next = 0;
    while next < finder.places.len() {
        let files = match next.checked_sub(1) {
            None => &root.config,
            Some(index) => finder.modules.get(index).map_or(&root.config, |module| &module.config),
        };
        let calls = calls(files, sources);
        let calls = calls
            .into_iter()
            .map(|(name, source)| {
                let target = finder.target(next, &name, source.as_deref(), sources);
                (name, target)
            })
            .collect();
        match next.checked_sub(1).and_then(|index| finder.modules.get_mut(index)) {
            Some(module) => module.calls = calls,
            None => root.calls = calls,
        }
        next += 1;
    }
    finder.known.remove(&finder.root);
    let tree = finder.known.keys().fold(finder.root, |tree, directory| common(&tree, directory));
    root.tree = Some(tree);
    root.directories = finder.known.into_keys().collect();
    root.modules = finder.modules;
    root.diagnostics.append(&mut finder.diagnostics);
}

impl Finder {
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
                self.installed =
                    manifest.modules.into_iter().map(|module| (module.key, module.dir)).collect();
            }
            Err(diagnostic) => self.diagnostics.push(diagnostic),
        }
    }

    /// Where the call `name` in place `at` leads.
    fn target(&mut self, at: usize, name: &str, source: Option<&str>, sources: &mut Sources) -> Target {
        let Some(place) = self.places.get(at) else { return Err(not_installed(name)) };
        let Some(source) = source else {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: its source is not a plain string"
            )));
        };
        let key = if place.key.is_empty() { name.to_owned() } else { format!("{}.{name}", place.key) };
        let depth = place.depth + 1;
        let is_local = source.starts_with("./") || source.starts_with("../") || matches!(source, "." | "..");
        let (directory, path) = if is_local {
            (place.real.join(source), normal(&place.path.join(source)))
        } else {
            let installed = self.installed.get(&key).ok_or_else(|| not_installed(name))?;
            (self.root.join(installed), normal(Path::new(installed)))
        };
        let shown = display_path(&normal(&self.shown.join(&path)));
        let real = directory.canonicalize().ok().filter(|real| real.is_dir()).ok_or_else(|| {
            let help = if is_local { "correct its `source`" } else { "run `terraform init`" };
            Diagnostic::warning(format!("`module.{name}` is not followed: there is no directory `{shown}`"))
                .help(help)
        })?;
        if !real.starts_with(&self.tree) {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: `{shown}` lies outside the analysed tree"
            ))
            .help(
                "the tree is the Git repository around the root module, or the directory above its parent",
            ));
        }
        if let Some(&known) = self.known.get(&real) {
            return Ok(known);
        }
        if depth > MAX_DEPTH || self.modules.len() >= MAX_DIRECTORIES {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: there are too many modules"
            )));
        }
        let listing = Listing::read(&real, Path::new(&shown), false, sources).map_err(|error| {
            Diagnostic::warning(format!("`module.{name}` is not followed: cannot read `{shown}`: {error}"))
        })?;
        if listing.config.is_empty() && listing.diagnostics.is_empty() {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: `{shown}` holds no Terraform files"
            )));
        }
        self.diagnostics.extend(listing.diagnostics);
        let index = self.places.len();
        self.modules.push(ModuleDir {
            path: display_path(&path),
            config: listing.config,
            calls: BTreeMap::new(),
        });
        self.known.insert(real.clone(), index);
        self.places.push(Place { real, path, key, depth });
        Ok(index)
    }
}

/// What modules must lie in: the nearest directory that Git keeps, or the one above the parent of `root`.
fn tree_of(root: &Path) -> PathBuf {
    let above = || root.parent().map(|parent| parent.parent().unwrap_or(parent));
    let repository = root.ancestors().find(|directory| directory.join(".git").exists());
    repository.or_else(above).unwrap_or(root).to_path_buf()
}

/// The longest path that both begin with.
fn common(a: &Path, b: &Path) -> PathBuf {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).map(|(part, _)| part).collect()
}

/// The `module` blocks of the files: their names and sources. The trees that this takes are thrown away: which files there
/// are is known only when all calls are.
fn calls(files: &[FileId], sources: &Sources) -> BTreeMap<String, Option<String>> {
    let mut out = BTreeMap::new();
    for &file in files {
        let text = sources.text(file);
        if memchr::memmem::find(text.as_bytes(), b"module").is_none() {
            continue;
        }
        let arena = Bump::new();
        let (parsed, _) = syntax::configuration(sources, file, &arena);
        for block in parsed.body.blocks().filter(|block| block.ident.text == "module") {
            let [label] = block.labels else { continue };
            let source = match block.body.attribute("source").map(|attribute| attribute.value.kind) {
                Some(ExprKind::String(text)) => Some(text.to_owned()),
                _ => None,
            };
            match out.entry(label.text.to_owned()) {
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
    }
    out
}

/// The path with `.` and `name/..` taken out.
fn normal(path: &Path) -> PathBuf {
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
