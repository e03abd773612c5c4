//! The source of a plan: where it is looked for, and whether it is the plan's own.
//!
//! Reading collects what it may be, in the order of trust: the binary form of the same plan, then directories. Which of it
//! the plan is of is told when the plan is read, since the plan tells that itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::program::{PlanSource, Program};
use crate::source::{FileId, Sources};
use crate::terraform::plan::{self, Fit, Told, Written};
use crate::terraform::source::variables::{Given, GivenItem};
use crate::terraform::source::{Parsed, RootModule, Shelf, display_path, is_configuration};

use super::binary::{BinaryPlan, is_archive};
use super::files::ReadError;

/// Where the source of a plan is looked for. By default nowhere: nothing is read that was not named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceOptions {
    /// Beside the plan and in the current directory.
    pub find: bool,
    /// `--source-root`: root modules.
    pub roots: Vec<PathBuf>,
    /// `--plan-binary`: the binary forms of plans.
    pub plans: Vec<PathBuf>,
}

/// More files beside a plan are not tried.
const MAX_BESIDE: usize = 8;

/// A larger file is not tried as a binary plan unless it is named.
const MAX_FILE: u64 = 256 << 20;

/// Addresses that a message lists.
const MAX_LISTED: usize = 3;

/// Something that may hold the source of a plan.
#[derive(Debug)]
struct Candidate {
    /// As the user would write it.
    path: String,
    what: What,
    how: How,
}

#[derive(Debug)]
enum What {
    Plan(Arc<BinaryPlan>),
    Root(Arc<RootModule>),
}

/// How a candidate came to be one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum How {
    /// It was named, and for one plan alone: then it is that plan's, or a mistake.
    NamedForOne,
    /// It was named, and there are several plans.
    Named,
    /// It was found.
    Found,
}

/// What may be the source of each plan.
#[derive(Debug, Default)]
pub(super) struct Origins(BTreeMap<FileId, Vec<Candidate>>);

impl Origins {
    /// Looks for the source of each plan: `plans` are the files of JSON, and their paths on the disk if they are there.
    pub(super) fn find(
        plans: &[(FileId, Option<PathBuf>)],
        options: &SourceOptions,
        sources: &mut Sources,
    ) -> Result<Self, ReadError> {
        let how = if plans.len() == 1 { How::NamedForOne } else { How::Named };
        let (binaries, roots) = (BTreeMap::new(), BTreeMap::new());
        let mut finder = Finder { options, how, sources, shelf: Shelf::default(), binaries, roots };
        let found = plans.iter().map(|(file, path)| Ok((*file, finder.candidates(path.as_deref())?)));
        found.collect::<Result<_, _>>().map(Self)
    }

    /// Looks at the candidates for the plan in `file`, up to the one that is its source or can only be told to be when all
    /// of the plan is read.
    pub(super) fn look(&self, file: FileId, told: &Told<'_, '_>, run: Run<'_>) -> Option<Vec<Looked>> {
        let mut all = Vec::new();
        for candidate in self.0.get(&file)? {
            let Some(looked) = candidate.look(told, run, |binary| is_of_time(binary, told)) else { break };
            let is_own = matches!(looked, Looked::Own(..));
            all.push(looked);
            if is_own || candidate.how == How::NamedForOne {
                break;
            }
        }
        Some(all)
    }

    /// Joins the source of the plan in `file` to `program`, if there is one. The first candidates were `looked` at.
    ///
    /// # Errors
    /// What was named for this plan alone is not its source.
    pub(super) fn join(
        &self,
        file: FileId,
        told: &Told<'_, '_>,
        looked: Option<Vec<Looked>>,
        run: Run<'_>,
        program: &mut Program,
    ) -> Result<(), ReadError> {
        let mut looked = looked.into_iter().flatten();
        let mut other: Option<(&Candidate, Fit)> = None;
        for candidate in self.0.get(&file).into_iter().flatten() {
            let now = || candidate.look(told, run, |binary| Some(is_of(binary, told, program)));
            let fit = match looked.next().or_else(now) {
                Some(Looked::Own(fit, source)) => {
                    candidate.join(fit.as_ref(), *source, told, run, program);
                    program.document = Some(file);
                    return Ok(());
                }
                Some(Looked::Other(fit)) => fit,
                None => Fit::default(),
            };
            if candidate.how == How::NamedForOne {
                return Err(ReadError::Source(not_the_source(candidate, &program.path, &fit)));
            }
            if other.is_none() && (candidate.how == How::Named || fit.same_blocks > 0) {
                other = Some((candidate, fit));
            }
        }
        if let Some((candidate, fit)) = other {
            let message = not_the_source(candidate, &program.path, &fit);
            let diagnostic = Diagnostic::warning(format!("{message}: its findings point into the plan"));
            program.diagnostics.push(diagnostic.help(NAME_IT));
        }
        Ok(())
    }
}

/// What an evaluation needs beside its source.
#[derive(Copy, Clone)]
pub(super) struct Run<'r> {
    pub(super) workspace: Option<&'r str>,
    pub(super) sources: &'r Sources,
}

/// What a look at a candidate has shown.
pub(super) enum Looked {
    /// It is that of another plan, and so far the same.
    Other(Fit),
    /// It is the plan's own, as far as it was compared, and evaluates to this.
    Own(Option<Fit>, Box<Program>),
}

impl Candidate {
    /// Finds out whether it is the source of the plan, and what it evaluates to if it is. `is_own` says that of a binary
    /// plan, if it can be told.
    fn look(
        &self,
        told: &Told<'_, '_>,
        run: Run<'_>,
        is_own: impl FnOnce(&BinaryPlan) -> Option<bool>,
    ) -> Option<Looked> {
        let root = match &self.what {
            What::Plan(binary) if is_own(binary)? => {
                return Some(Looked::Own(None, Box::new(binary.source(true, run.sources))));
            }
            What::Plan(_) => return Some(Looked::Other(Fit::default())),
            What::Root(root) => root,
        };
        let mut arenas = root.arenas();
        let (parsed, diagnostics) = root.parse(run.sources, &mut arenas);
        let fit = root.definitions(&parsed, |definitions| told.compare(definitions));
        // What is named is that of the plan as far as anything fits; what is found must not be so by chance.
        let is_named = self.how != How::Found && fit.same_blocks > 0;
        if !is_named && !fit.belongs() {
            return Some(Looked::Other(fit));
        }
        let source = evaluate(root, &parsed, diagnostics, told, run, true);
        Some(Looked::Own(Some(fit), Box::new(source)))
    }

    /// Joins `source`, which it evaluates to.
    fn join(
        &self,
        fit: Option<&Fit>,
        source: Program,
        told: &Told<'_, '_>,
        run: Run<'_>,
        program: &mut Program,
    ) {
        let exact = fit.is_none_or(Fit::is_exact);
        program.source = Some(PlanSource { path: self.path.clone(), exact });
        if let Some(fit) = fit.filter(|_| !exact) {
            let message = format!(
                "`{}` is the source of {} in another revision: {}",
                self.path,
                program.path,
                differences(fit)
            );
            let help = "findings on these point into the plan, and the source decides nothing; plan the source again";
            program.diagnostics.push(Diagnostic::warning(message).help(help));
        }
        let written = match &self.what {
            What::Plan(binary) => binary.written_as(source, run.sources),
            What::Root(root) => {
                let without = || {
                    let mut arenas = root.arenas();
                    let (parsed, diagnostics) = root.parse(run.sources, &mut arenas);
                    evaluate(root, &parsed, diagnostics, told, run, false)
                };
                let reads = root.may_read_files(run.sources);
                Written { program: source, without_files: reads.then(|| Box::new(without) as Box<_>) }
            }
        };
        plan::join(program, written, fit);
    }
}

/// What a root module that was parsed evaluates to, with the variables of the plan.
fn evaluate(
    root: &RootModule,
    parsed: &[Parsed<'_>],
    mut diagnostics: Vec<Diagnostic>,
    told: &Told<'_, '_>,
    run: Run<'_>,
    files: bool,
) -> Program {
    let variables = told.variables();
    let items =
        variables.iter().map(|(name, value)| GivenItem::Value(name.as_str(), value.clone())).collect();
    let workspace = run.workspace;
    let given = Given { items, workspace, of_plan: true, without_files: !files, ..Given::default() };
    let mut source = root.evaluate(parsed, &given);
    source.diagnostics.append(&mut diagnostics);
    source
}

/// What is said where the source of a plan is not there.
const NAME_IT: &str =
    "name the source of the plan with `--source-root`, or its binary form with `--plan-binary`";

/// Whether the two forms are of one time, where that is told.
fn is_of_time(binary: &BinaryPlan, told: &Told<'_, '_>) -> Option<bool> {
    Some(told.timestamp? == binary.plan().timestamp?)
}

/// Whether the two forms are of one plan: of one time, or, where that is not told, of the same resources.
fn is_of(binary: &BinaryPlan, told: &Told<'_, '_>, program: &Program) -> bool {
    if let Some(is_of_time) = is_of_time(binary, told) {
        return is_of_time;
    }
    let plan = binary.plan();
    let known: BTreeSet<&str> = program.resources.iter().map(|resource| resource.address.as_str()).collect();
    let version = program.written_by.as_deref().and_then(|tool| tool.rsplit_once(' '));
    let addresses = binary.addresses();
    version.is_some_and(|(_, version)| version == plan.terraform_version)
        && !addresses.is_empty()
        && addresses.iter().all(|address| known.contains(address.as_str()))
}

/// That a candidate is not the source of the plan at `plan`, and why.
fn not_the_source(candidate: &Candidate, plan: &str, fit: &Fit) -> String {
    let path = &candidate.path;
    match candidate.what {
        What::Plan(_) => format!("`{path}` is the binary form of another plan than {plan}"),
        What::Root(_) => format!("`{path}` is not the source of {plan}: {}", differences(fit)),
    }
}

/// What differs between a plan and a source, in short.
fn differences(fit: &Fit) -> String {
    let (of, other) = (fit.blocks, fit.other.len());
    let listed = fit.other.iter().take(MAX_LISTED).map(|(address, why)| format!("`{address}` ({why})"));
    let listed = listed.collect::<Vec<_>>().join(", ");
    let more = if other > MAX_LISTED { format!(" and {} more", other - MAX_LISTED) } else { String::new() };
    let same = fit.same_blocks;
    format!("{same} of the plan's {of} blocks are the same; not {listed}{more}")
}

/// What was read while looking, each once.
struct Finder<'o> {
    options: &'o SourceOptions,
    /// How what is named is.
    how: How,
    sources: &'o mut Sources,
    shelf: Shelf,
    binaries: BTreeMap<PathBuf, Option<Arc<BinaryPlan>>>,
    roots: BTreeMap<PathBuf, Option<Arc<RootModule>>>,
}

impl Finder<'_> {
    /// What may hold the source of the plan at `path`, the surest first.
    fn candidates(&mut self, path: Option<&Path>) -> Result<Vec<Candidate>, ReadError> {
        let options = self.options;
        let mut all = Vec::new();
        for path in &options.plans {
            let plan = if let Some(Some(known)) = self.binaries.get(path) {
                Arc::clone(known)
            } else {
                let io = |source| ReadError::Io { path: display_path(path), source };
                let bytes = std::fs::read(path).map_err(io)?;
                if !is_archive(&bytes) {
                    let path = display_path(path);
                    return Err(ReadError::Source(format!(
                        "`{path}` is not what `terraform plan -out` writes"
                    )));
                }
                let mut plan = BinaryPlan::read_source(&display_path(path), &bytes, self.sources)?;
                plan.settle(&self.options.roots, self.sources);
                let plan = Arc::new(plan);
                self.binaries.insert(path.clone(), Some(Arc::clone(&plan)));
                plan
            };
            all.push(Candidate { path: display_path(path), what: What::Plan(plan), how: self.how });
        }
        for path in &options.roots {
            let io = |source| ReadError::Io { path: display_path(path), source };
            let root = self.root(path).map_err(io)?;
            let root = root.ok_or_else(|| {
                ReadError::Source(format!(
                    "`{}` holds no Terraform files: it is the source of no plan",
                    display_path(path)
                ))
            })?;
            all.push(Candidate { path: display_path(path), what: What::Root(root), how: self.how });
        }
        if options.find {
            let beside = path.map(directory_of);
            for path in path.map(binaries_beside).unwrap_or_default() {
                if let Some(plan) = self.binary(&path) {
                    let (path, what) = (display_path(&path), What::Plan(plan));
                    all.push(Candidate { path, what, how: How::Found });
                }
            }
            for directory in beside.into_iter().chain([PathBuf::from(".")]) {
                // What is found but cannot be read was not asked for.
                if let Ok(Some(root)) = self.root(&directory) {
                    let is_known =
                        |it: &Candidate| matches!(&it.what, What::Root(known) if Arc::ptr_eq(known, &root));
                    if !all.iter().any(is_known) {
                        let (path, what) = (display_path(&directory), What::Root(root));
                        all.push(Candidate { path, what, how: How::Found });
                    }
                }
            }
        }
        Ok(all)
    }

    /// The root module in a directory, if there is one.
    fn root(&mut self, directory: &Path) -> std::io::Result<Option<Arc<RootModule>>> {
        let real = directory.canonicalize()?;
        if let Some(known) = self.roots.get(&real) {
            return Ok(known.clone());
        }
        let names =
            std::fs::read_dir(directory)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let has_source = names.into_iter().any(|name| !name.starts_with('.') && is_configuration(&name));
        let root = if has_source {
            let root = RootModule::read(directory, directory, &mut self.shelf, self.sources)?;
            Some(Arc::new(root))
        } else {
            None
        };
        self.roots.insert(real, root.clone());
        Ok(root)
    }

    /// The binary plan at a path, if there is one.
    fn binary(&mut self, path: &Path) -> Option<Arc<BinaryPlan>> {
        if let Some(known) = self.binaries.get(path) {
            return known.clone();
        }
        let bytes = std::fs::read(path).ok().filter(|bytes| is_archive(bytes));
        let plan =
            bytes.and_then(|bytes| BinaryPlan::read_source(&display_path(path), &bytes, self.sources).ok());
        let plan = plan.map(|mut plan| {
            plan.settle(&self.options.roots, self.sources);
            Arc::new(plan)
        });
        self.binaries.insert(path.to_owned(), plan.clone());
        plan
    }
}

/// The directory that a file is in.
pub(super) fn directory_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Files beside a plan that begin as binary plans do: those with its name first.
fn binaries_beside(plan: &Path) -> Vec<PathBuf> {
    let directory = directory_of(plan);
    let stem = plan.file_stem().unwrap_or_default();
    let is_own = |path: &PathBuf| path.file_stem() == Some(stem) || path.file_name() == Some(stem);
    let entries = std::fs::read_dir(&directory).into_iter().flatten().filter_map(Result::ok);
    let is_file = |entry: &std::fs::DirEntry| {
        entry.metadata().is_ok_and(|meta| meta.is_file() && (4..=MAX_FILE).contains(&meta.len()))
    };
    let is_here = directory.as_os_str() == ".";
    let name = |entry: std::fs::DirEntry| {
        if is_here { PathBuf::from(entry.file_name()) } else { entry.path() }
    };
    let names = entries.filter(is_file).map(name);
    let mut all: Vec<PathBuf> = names.filter(|path| begins_as_archive(path)).collect();
    all.sort_unstable();
    if let Some(own) = all.iter().position(is_own) {
        return vec![all.swap_remove(own)];
    }
    all.truncate(MAX_BESIDE);
    all
}

fn begins_as_archive(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && is_archive(&start)
}
