//! Which directories are root modules: those that were named, and those that are found below a directory.
//!
//! A directory that declares resources, data, module calls or outputs is one root module, as it is to Terraform. One that
//! does not is walked (settings at the top of a repository are nothing to analyse), and with `recursive` every one is: each
//! directory in it that holds Terraform is a candidate, and one that another candidate calls is a module of that one and no
//! root of its own. Three kinds stay roots though somebody calls them: those that were named, those that are deployed as they
//! are (a backend, values for the variables: then a test or an example calls them), and one of each circle of calls. So every
//! candidate is analysed, as a root or as a module of one.
//!
//! Hidden directories are not entered (`.terraform` holds copies), nor `node_modules`, nor symbolic links: what one leads to
//! in the tree is found where it is, and what lies outside was not asked for. Plans and states are what [`super::units`] finds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::source::Sources;
use crate::terraform::source::{RootModule, Shelf, display_path, is_configuration};

/// More directories than this are not walked through.
pub(super) const MAX_DIRECTORIES: usize = 100_000;

/// As many to see what else is there beside a root module that was named.
const MAX_GLANCE: usize = 5_000;

/// Directories that a message lists.
const MAX_LISTED: usize = 3;

/// What to do about units of Terragrunt.
pub(super) const PLAN_UNITS: &str =
    "plan them with `terragrunt run --all plan --out-dir PLANS`, and check PLANS";

/// A directory that may be a root module.
#[derive(Debug)]
pub(super) struct Candidate {
    /// As the user would write it.
    path: PathBuf,
    /// Without links.
    real: PathBuf,
    how: How,
    /// The directory that was named and led here.
    top: PathBuf,
    /// The place of the path that led here among those that were named.
    at: usize,
}

/// How a candidate came to be one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum How {
    /// The directory was named.
    Named,
    /// A file in it was named: a hook names each file that changed.
    File,
    /// It was found below a directory that was named.
    Found,
}

/// What walking through a directory has found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Directories that hold Terraform, sorted.
    found: Vec<PathBuf>,
    /// Directories that hold none, sorted.
    pub(super) bare: Vec<PathBuf>,
    /// How many hold a unit or a stack of Terragrunt, which only Terragrunt can evaluate.
    pub(super) terragrunt: usize,
    /// Directories that cannot be listed, and why.
    pub(super) closed: Vec<(PathBuf, std::io::Error)>,
    /// There are more directories than the limit.
    pub(super) cut: bool,
}

/// What a directory that was named holds of Terraform source.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It is a root module, and nothing else is asked for.
    Root,
    /// There is some, somewhere.
    Source,
    /// None.
    Nothing,
}

/// The candidates of a run, in the order of its paths.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    list: Vec<Candidate>,
    /// Their places in the list.
    known: BTreeMap<PathBuf, usize>,
    shelf: Shelf,
    diagnostics: Vec<Diagnostic>,
}

impl Candidates {
    /// Adds the directory of a file that was named.
    pub(super) fn add_module_of_file(&mut self, directory: &Path, at: usize) {
        self.add(directory, directory.to_owned(), How::File, at);
    }

    /// Adds a directory that was named, or what is found below it.
    pub(super) fn add_directory(
        &mut self,
        directory: &Path,
        recursive: bool,
        at: usize,
        sources: &mut Sources,
    ) -> std::io::Result<Held> {
        // That it cannot be listed is an error, of those below it a diagnostic.
        let is_root = holds_terraform(directory)?;
        if is_root {
            self.add(directory, directory.to_owned(), How::Named, at);
            let real = directory.canonicalize()?;
            self.shelf.add_root(&real, directory, directory, sources)?;
            if !recursive && self.shelf.declares(&real, sources) {
                return Ok(Held::Root);
            }
        }
        let walk = walk(directory, MAX_DIRECTORIES);
        let shown = display_path(directory);
        if walk.cut {
            self.diagnostics.push(
                Diagnostic::error(format!(
                    "`{shown}` holds more than {MAX_DIRECTORIES} directories: not all are looked at"
                ))
                .help("name the root modules instead"),
            );
        }
        self.diagnostics.extend(walk.closed.iter().map(|(path, error)| {
            Diagnostic::error(format!("cannot list `{}`: {error}", display_path(path)))
        }));
        let is_empty = walk.found.is_empty() && self.diagnostics.is_empty();
        if !is_empty && walk.terragrunt > 0 {
            let units = units_of_terragrunt(walk.terragrunt);
            let message = format!("`{shown}` holds {units}: what they give to modules is not known");
            self.diagnostics.push(Diagnostic::notice(message).help(PLAN_UNITS));
        }
        for path in walk.found {
            self.add(directory, path, How::Found, at);
        }
        Ok(if is_root || !is_empty { Held::Source } else { Held::Nothing })
    }

    fn add(&mut self, top: &Path, path: PathBuf, how: How, at: usize) {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let top = top.to_owned();
        match self.known.get(&real).and_then(|&index| self.list.get_mut(index)) {
            // Named beats found.
            Some(other) if how == How::Named => *other = Candidate { path, real, how, top, at: other.at },
            Some(_) => {}
            None => {
                self.known.insert(real.clone(), self.list.len());
                self.list.push(Candidate { path, real, how, top, at });
            }
        }
    }

    /// Reads those that are roots, each with the place of the path that led to it. One that cannot be read is an error if it
    /// was named.
    pub(super) fn read(
        self,
        sources: &mut Sources,
    ) -> Result<Vec<(usize, RootModule)>, (PathBuf, std::io::Error)> {
        let Self { list, mut shelf, mut diagnostics, .. } = self;
        let mut candidates = Vec::with_capacity(list.len());
        for candidate in list {
            match shelf.add_root(&candidate.real, &candidate.path, &candidate.top, sources) {
                Ok(()) => candidates.push(candidate),
                Err(error) if candidate.how == How::Found => diagnostics.push(Diagnostic::error(format!(
                    "cannot list `{}`: {error}",
                    display_path(&candidate.path)
                ))),
                Err(error) => return Err((candidate.path, error)),
            }
        }
        let mut roots: BTreeMap<usize, RootModule> = BTreeMap::new();
        let mut reached: BTreeSet<PathBuf> = BTreeSet::new();
        for index in order(&candidates, &shelf) {
            let Some(candidate) = candidates.get(index) else { continue };
            let is_own = candidate.how == How::Named || shelf.is_deployed(&candidate.real);
            if !is_own && reached.contains(&candidate.real) {
                if candidate.how == How::File {
                    diagnostics.extend(as_module(candidate, roots.values()));
                }
                continue;
            }
            let path = candidate.path.clone();
            let mut root = RootModule::read(&path, &candidate.top, &mut shelf, sources)
                .map_err(|error| (path.clone(), error))?;
            reached.extend(root.directories.iter().cloned());
            if candidate.how == How::Named {
                diagnostics.extend(not_called(candidate, &root, &candidates));
            }
            root.diagnostics.append(&mut diagnostics);
            roots.insert(index, root);
        }
        let place = |index: usize| candidates.get(index).map_or(index, |candidate| candidate.at);
        let mut roots: Vec<_> = roots.into_iter().map(|(index, root)| (place(index), root)).collect();
        if let Some((_, root)) = roots.first_mut() {
            root.diagnostics.append(&mut diagnostics);
        }
        Ok(roots)
    }
}

/// The candidates in the order in which they are tried: first those that nobody calls and those that are roots anyway; of
/// those that remain, all called in a circle or from one, such of the circle before such that it calls.
fn order(candidates: &[Candidate], shelf: &Shelf) -> Vec<usize> {
    let index_of: BTreeMap<&Path, usize> =
        candidates.iter().enumerate().map(|(index, candidate)| (candidate.real.as_path(), index)).collect();
    let mut caller: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        for called in shelf.called_by(&candidate.real) {
            if let Some(&called) = index_of.get(called.as_path()).filter(|&&called| called != index) {
                caller.entry(called).or_insert(index);
            }
        }
    }
    let is_own = |candidate: &Candidate| candidate.how == How::Named || shelf.is_deployed(&candidate.real);
    let (mut order, rest): (Vec<usize>, Vec<usize>) = (0..candidates.len())
        .partition(|index| !caller.contains_key(index) || candidates.get(*index).is_some_and(is_own));
    for &index in &rest {
        // Going from caller to caller ends where nobody calls, or goes round.
        let mut seen = BTreeSet::new();
        let mut at = index;
        while seen.insert(at) {
            match caller.get(&at) {
                Some(&next) => at = next,
                None => break,
            }
        }
        if !order.contains(&at) {
            order.push(at);
        }
    }
    order.extend(rest);
    let mut seen = BTreeSet::new();
    order.retain(|&index| seen.insert(index));
    order
}

/// What is said of a module whose file was named.
fn as_module<'r>(
    candidate: &Candidate,
    mut roots: impl Iterator<Item = &'r RootModule>,
) -> Option<Diagnostic> {
    let root = roots.find(|root| root.directories.contains(&candidate.real))?;
    let shown = display_path(&candidate.path);
    Some(
        Diagnostic::notice(format!("`{shown}` is analysed as a module of `{}`, not on its own", root.path))
            .help("name the directory to analyse it on its own too"),
    )
}

/// What is said of directories below a root module that was named, which nobody analyses.
fn not_called(candidate: &Candidate, root: &RootModule, candidates: &[Candidate]) -> Option<Diagnostic> {
    let walk = walk(&candidate.path, MAX_GLANCE);
    let is_other = |path: &PathBuf| {
        path.canonicalize().is_ok_and(|real| {
            real != candidate.real
                && !root.directories.contains(&real)
                && !candidates.iter().any(|other| other.real == real)
        })
    };
    let others: Vec<String> =
        walk.found.into_iter().filter(is_other).map(|path| format!("`{}`", display_path(&path))).collect();
    let (listed, more) = others.split_at(MAX_LISTED.min(others.len()));
    let listed = match (listed, more.len()) {
        ([], _) => return None,
        (listed, 0) => listed.join(", "),
        (listed, more) => format!("{} and {more} more", listed.join(", ")),
    };
    Some(
        Diagnostic::notice(format!(
            "not analysed, as `{}` does not call what is in them: {listed}",
            root.path
        ))
        .help("name them, or look for all root modules with `--recursive`"),
    )
}

/// Whether the directory holds files that Terraform or OpenTofu reads as configuration.
fn holds_terraform(directory: &Path) -> std::io::Result<bool> {
    Ok(std::fs::read_dir(directory)?.filter_map(Result::ok).any(|entry| is_config(&entry)))
}

fn is_config(entry: &std::fs::DirEntry) -> bool {
    let name = entry.file_name();
    let is_config = name.to_str().is_some_and(|name| !name.starts_with(['.', '#']) && is_configuration(name));
    is_config && entry.file_type().is_ok_and(|kind| !kind.is_dir())
}

/// So many units.
fn units_of_terragrunt(count: usize) -> String {
    format!("{count} unit{} of Terragrunt", if count == 1 { "" } else { "s" })
}

/// What is said of a directory with nothing to analyse beside the fact: what its content is to another tool.
pub(super) fn instead(directory: &Path) -> Option<String> {
    let units = walk(directory, MAX_DIRECTORIES).terragrunt;
    if units > 0 {
        return Some(format!("{}: {PLAN_UNITS}", units_of_terragrunt(units)));
    }
    let is_pulumi = ["Pulumi.yaml", "Pulumi.yml"].iter().any(|name| directory.join(name).is_file());
    is_pulumi.then(|| {
        "a Pulumi project: check what `pulumi preview --json --show-sames` or `pulumi stack export` prints".to_owned()
    })
}

/// Whether a file of that name makes its directory a unit or a stack of Terragrunt.
pub(super) fn is_of_terragrunt(name: &str) -> bool {
    ["terragrunt.hcl", "terragrunt.hcl.json", "terragrunt.stack.hcl"].contains(&name)
}

/// The directories at and below `top` that hold Terraform.
pub(super) fn walk(top: &Path, limit: usize) -> Walk {
    let mut walk = Walk::default();
    let mut open = vec![top.to_owned()];
    let mut count = 0;
    while let Some(directory) = open.pop() {
        count += 1;
        if count > limit {
            walk.cut = true;
            break;
        }
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                walk.closed.push((directory, error));
                continue;
            }
        };
        let (mut holds, mut is_unit) = (false, false);
        for entry in entries.filter_map(Result::ok) {
            holds |= is_config(&entry);
            let name = entry.file_name();
            is_unit |= name.to_str().is_some_and(is_of_terragrunt);
            // Of the last, Terraform keeps the states of workspaces there.
            let is_skipped = name == "node_modules"
                || name.to_string_lossy().starts_with('.')
                || name == "terraform.tfstate.d";
            // That of a link is a link's.
            if !is_skipped && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(if directory == Path::new(".") { name.into() } else { entry.path() });
            }
        }
        walk.terragrunt += usize::from(is_unit);
        (if holds { &mut walk.found } else { &mut walk.bare }).push(directory);
    }
    walk.found.sort_unstable();
    walk.bare.sort_unstable();
    walk
}
