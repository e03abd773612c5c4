//! A root module with all that it calls, as a binary plan holds it: one entry for each call, named by the calls on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::source::{FileId, SourceFile, Sources};

use super::calls::{MAX_DEPTH, not_installed};
use super::find::{is_local, normal, survey};
use super::{ModuleDir, ModulePlace, RootModule, Target, display_path, sort};

/// Names and texts of files.
type Files = Vec<(String, String)>;

/// A module of a plan.
#[derive(Debug, Default)]
pub struct EmbeddedModule {
    /// The directory from where Terraform ran: `.`, `modules/store`, `.terraform/modules/store`.
    pub directory: String,
    /// Names and texts of its files.
    pub files: Files,
}

/// A module that was taken in.
struct Taken {
    calls: BTreeMap<String, Option<String>>,
    config: Vec<FileId>,
    path: String,
}

impl RootModule {
    /// The root module at the key `""` of `modules`; what the call `b` in the module that `a` calls leads to is at `a.b`.
    pub fn embedded(modules: BTreeMap<String, EmbeddedModule>, sources: &mut Sources) -> Self {
        let mut root = Self { path: ".".to_owned(), ..Self::default() };
        // Many calls lead to one directory: its files are taken in once.
        let mut known: BTreeMap<(String, Files), Vec<FileId>> = BTreeMap::new();
        let mut taken: BTreeMap<String, Taken> = BTreeMap::new();
        let depth = |key: &str| if key.is_empty() { 0 } else { key.split('.').count() };
        for (key, module) in modules.into_iter().filter(|(key, _)| depth(key) <= MAX_DEPTH) {
            let path = display_path(&normal(Path::new(&module.directory)));
            let path = if path.is_empty() { ".".to_owned() } else { path };
            let files = known.entry((path.clone(), module.files));
            let config = files.or_insert_with_key(|(path, files)| add(path, files, sources)).clone();
            let (calls, _) = survey(&config, sources);
            taken.insert(key, Taken { calls, config, path });
        }
        // Places are numbered from one in the order of keys, and the root module's key is the first.
        let keys: BTreeMap<&str, usize> =
            taken.keys().enumerate().map(|(at, key)| (key.as_str(), at)).collect();
        let mut installed: BTreeMap<&str, bool> = BTreeMap::new();
        let mut directories: BTreeMap<&[FileId], usize> = BTreeMap::new();
        for (key, module) in &taken {
            let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
            let calls: BTreeMap<String, Target> = module
                .calls
                .keys()
                .map(|name| {
                    let target = keys.get(below(name).as_str()).copied();
                    (name.clone(), target.ok_or_else(|| not_installed(name)))
                })
                .collect();
            if key.is_empty() {
                (root.config, root.calls) = (module.config.clone(), calls);
                continue;
            }
            // A caller's key is a part of the key, so it was here before.
            let (caller, name) = key.rsplit_once('.').unwrap_or(("", key));
            let source =
                taken.get(caller).and_then(|caller| caller.calls.get(name)).and_then(Option::as_deref);
            let is_installed = installed.get(caller).copied().unwrap_or_default()
                || source.map_or(module.path.contains(".terraform/"), |source| !is_local(source));
            installed.insert(key, is_installed);
            let next = root.modules.len();
            let at = *directories.entry(&module.config).or_insert(next);
            if at == next {
                root.modules.push(ModuleDir { path: module.path.clone(), config: module.config.clone() });
            }
            root.places.push(ModulePlace { module: at, calls, installed: is_installed });
        }
        root
    }
}

impl RootModule {
    /// Whether the user's files of a root module that a plan holds lie in `directory` as they are here.
    pub fn is_in(&self, directory: &Path, sources: &Sources) -> bool {
        let own = self.places.iter().filter(|place| !place.installed);
        let own = own.filter_map(|place| self.modules.get(place.module)).flat_map(|module| &module.config);
        let mut files = self.config.iter().chain(own).filter_map(|&file| sources.get(file)).peekable();
        let is_same = |file: &SourceFile| {
            std::fs::read(directory.join(file.path())).is_ok_and(|bytes| bytes == file.text().as_bytes())
        };
        files.peek().is_some() && files.all(is_same)
    }

    /// Takes the files of a root module that a plan holds for those in `directory`.
    pub fn settle(&mut self, directory: PathBuf, sources: &mut Sources) {
        let modules = self.modules.iter().flat_map(|module| &module.config);
        let files: BTreeSet<FileId> = self.config.iter().chain(modules).copied().collect();
        for file in files {
            if let Some(path) = sources.get(file).map(|source| normal(&directory.join(source.path()))) {
                sources.set_path(file, display_path(&path));
            }
        }
        self.directory = Some(directory);
    }
}

/// Takes in the files of a directory that are configuration.
fn add(directory: &str, files: &[(String, String)], sources: &mut Sources) -> Vec<FileId> {
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let (config, _) = sort(&names);
    let texts = config.into_iter().filter_map(|name| files.iter().find(|(known, _)| known == name));
    texts
        .map(|(name, text)| {
            let path = if directory == "." { name.clone() } else { format!("{directory}/{name}") };
            sources.add(path, text.as_str())
        })
        .collect()
}
