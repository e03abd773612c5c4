//! What the user named, read: directories of Terraform source, JSON documents and binary plans. After it only functions such
//! as `file()` touch the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use smol_str::SmolStr;

use crate::diagnostic::{Diagnostic, Level};
use crate::eval::Mode;
use crate::program::Program;
use crate::source::{FileId, Position, Sources, Text};
use crate::terraform::plan::{self, Told};
use crate::terraform::source::variables::{Given, GivenItem, GivenVar, RunOptions, ValueOption};
use crate::terraform::source::{self, RootModule, display_path, read_text, syntax};

use super::binary::{BinaryPlan, is_archive};
use super::json::Document;
use super::look;
use super::origin::{Origins, Run, SourceOptions};
use super::roots::{self, Candidates, Held};
use super::units::{self, Units};
use super::{Found, InputError, InputFile};

/// Everything that was named.
#[derive(Debug, Default)]
pub struct Inputs {
    /// One for each path, in order.
    pub items: Vec<Input>,
    /// What was before the change that each item is; none where an item tells that itself, or there is no change.
    pub before: Vec<Input>,
    /// What the command line gives for root variables, in its order.
    values: Vec<GivenFile>,
    /// What the environment gives for them.
    environment: Vec<(SmolStr, FileId)>,
    workspace: Option<String>,
    /// How expressions are evaluated.
    mode: Mode,
    /// The names of those that were found in a folder of plans, by their paths.
    units: BTreeMap<String, String>,
    /// What is said of such folders.
    pub diagnostics: Vec<Diagnostic>,
    /// What may be the source of plans.
    origins: Origins,
}

/// A file with values of root variables.
#[derive(Debug)]
enum GivenFile {
    /// `--var-file`
    File(FileId),
    /// `--var`: name, and the file that holds the text.
    Var(SmolStr, FileId),
}

/// One input.
#[derive(Debug)]
pub enum Input {
    /// A root module.
    Source(Box<RootModule>),
    /// A plan as `terraform plan -out` writes it.
    Binary(Box<BinaryPlan>),
    /// A JSON document.
    Document {
        /// What it is.
        kind: InputFile,
        /// The path as the user gave it.
        path: String,
        /// Its text.
        file: FileId,
        /// Where it is on the disk; [`None`] of standard input.
        on_disk: Option<PathBuf>,
    },
}

/// Why an input that was named cannot be analysed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file or directory cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// As the user gave it.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what airgate reads.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The document is what it should be, and nothing of it is understood.
    #[error("{path}:{}:{}: {message}; write the file anew", position.line, position.column)]
    Document {
        /// As the user gave it.
        path: String,
        /// Where.
        position: Position,
        /// What is wrong.
        message: String,
    },
    /// A file of variables cannot be read.
    #[error("{0}")]
    Variables(String),
    /// What was named as the source of a plan is none.
    #[error("{0}")]
    Source(String),
    /// There is nothing to analyse in a directory.
    #[error(
        "no Terraform files, plans or states in {path}{}",
        instead.as_ref().map_or_else(String::new, |instead| format!(", but {instead}"))
    )]
    Nothing {
        /// As the user gave it.
        path: String,
        /// What else it holds, and what to do about that.
        instead: Option<String>,
    },
}

impl Inputs {
    /// Reads every path: a directory as a root module, or as many as it holds; a file as a document, `-` as a document on
    /// standard input.
    pub fn read(paths: &[PathBuf], options: &RunOptions, sources: &mut Sources) -> Result<Self, ReadError> {
        Self::read_below(paths, false, options, sources)
    }

    /// [`Inputs::read`]; if `recursive`, with all root modules below directories that are one themselves.
    pub fn read_below(
        paths: &[PathBuf],
        recursive: bool,
        options: &RunOptions,
        sources: &mut Sources,
    ) -> Result<Self, ReadError> {
        let mut this = Self::default();
        let mut roots = Candidates::default();
        let (mut items, mut documents) = (Vec::new(), BTreeSet::new());
        for (at, path) in paths.iter().enumerate() {
            if path.is_dir() {
                let io = |source| ReadError::Io { path: display_path(path), source };
                let held = roots.add_directory(path, recursive, at, sources).map_err(io)?;
                match held {
                    Held::Root => {}
                    Held::Source if !recursive => this.diagnostics.extend(units::beside_source(path)),
                    Held::Source | Held::Nothing => {
                        let found = units::search(path, sources);
                        if held == Held::Nothing && found.is_empty() {
                            return Err(nothing(path));
                        }
                        this.add_units(found, at, &mut documents, &mut items);
                    }
                }
            } else if let Some(module) = module_of(path) {
                // `*.tf` of a shell names a module once a file.
                roots.add_module_of_file(module, at);
            } else if documents.insert(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())) {
                items.push((at, read(path, sources).map_err(|error| by_name(path, error))?));
            }
        }
        let roots = roots.read(sources).map_err(|(path, source)| {
            let path = display_path(&path);
            ReadError::Io { path, source }
        })?;
        items.extend(roots.into_iter().map(|(at, root)| (at, Input::Source(Box::new(root)))));
        items.sort_by_key(|(at, _)| *at);
        this.items = items.into_iter().map(|(_, item)| item).collect();
        this.tell_units_apart();
        this.check_declared(options, sources)?;
        this.workspace.clone_from(&options.workspace);
        this.mode = options.mode;
        for option in &options.values {
            this.values.push(match option {
                ValueOption::Var(name, text) => {
                    GivenFile::Var(name.into(), sources.add_given(format!("--var {name}"), text.clone()))
                }
                ValueOption::File(path) => {
                    let text =
                        read_text(path).map_err(|diagnostic| ReadError::Variables(diagnostic.message))?;
                    GivenFile::File(sources.add(display_path(path), text))
                }
            });
        }
        let environment = options.environment.iter();
        this.environment = environment
            .map(|(name, text)| (name.into(), sources.add_given(format!("TF_VAR_{name}"), text.clone())))
            .collect();
        Ok(this)
    }

    /// Units of several folders may have one name: then their paths tell them apart.
    fn tell_units_apart(&mut self) {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for input in &self.items {
            let name = self.units.get(input.path()).map_or_else(|| input.path(), String::as_str);
            *count.entry(name.to_owned()).or_default() += 1;
        }
        for (path, name) in &mut self.units {
            if count.get(name).is_some_and(|&count| count > 1) {
                name.clone_from(path);
            }
        }
    }

    /// Takes in the inputs of a folder, without those that were named too.
    fn add_units(
        &mut self,
        found: Units,
        at: usize,
        documents: &mut BTreeSet<PathBuf>,
        items: &mut Vec<(usize, Input)>,
    ) {
        self.diagnostics.extend(found.diagnostics);
        for (unit, input) in found.items {
            let path = input.path().to_owned();
            if documents.insert(std::fs::canonicalize(&path).unwrap_or_else(|_| PathBuf::from(&path))) {
                self.units.insert(path, unit);
                items.push((at, input));
            }
        }
    }

    /// Looks for the source of plans: what is said of those is told where it is written.
    ///
    /// # Errors
    /// What was named cannot be read.
    pub fn find_sources(&mut self, options: &SourceOptions, sources: &mut Sources) -> Result<(), ReadError> {
        let mut plans = Vec::new();
        for item in &mut self.items {
            match item {
                Input::Document { kind: InputFile::Plan, file, on_disk, .. } => {
                    plans.push((*file, on_disk.clone()));
                }
                Input::Binary(plan) if options.find || !options.roots.is_empty() => {
                    plan.settle(&options.roots, sources);
                }
                Input::Source(_) | Input::Binary(_) | Input::Document { .. } => {}
            }
        }
        self.origins = Origins::find(&plans, options, sources)?;
        Ok(())
    }

    /// Refuses a `--var` that no root module declares, as Terraform does: most likely it is misspelled.
    fn check_declared(&self, options: &RunOptions, sources: &Sources) -> Result<(), ReadError> {
        let vars = options.values.iter().filter_map(|option| match option {
            ValueOption::Var(name, _) => Some(name),
            ValueOption::File(_) => None,
        });
        let mut vars = vars.peekable();
        let roots = || {
            self.items.iter().filter_map(|input| match input {
                Input::Source(root) => Some(root),
                Input::Binary(_) | Input::Document { .. } => None,
            })
        };
        if vars.peek().is_none() || roots().next().is_none() {
            return Ok(());
        }
        let declared: BTreeSet<String> = roots().flat_map(|root| root.variable_names(sources)).collect();
        match vars.find(|name| !declared.contains(*name)) {
            Some(name) => Err(ReadError::Variables(format!(
                "`--var {name}` is not a variable of this module: declare it, or leave the option out"
            ))),
            None => Ok(()),
        }
    }

    /// One root module of files that are already in memory. Their names say what they are, as those on a disk.
    pub fn text(files: &[(&str, &str)], sources: &mut Sources) -> Self {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let (config, tfvars) = source::sort(&names);
        let mut add = |names: Vec<&str>| {
            let texts = names.into_iter().filter_map(|name| files.iter().find(|file| file.0 == name));
            texts.map(|(name, text)| sources.add(*name, *text)).collect()
        };
        let root = RootModule {
            path: ".".to_owned(),
            config: add(config),
            tfvars: add(tfvars),
            ..RootModule::default()
        };
        Self { items: vec![Input::Source(Box::new(root))], ..Self::default() }
    }
}

impl Input {
    /// The resources of the input. Only of `wanted` types does a document give the values.
    ///
    /// # Errors
    /// A document that is not understood at all: it was named, and nothing of it can be analysed.
    pub fn program(
        &self,
        inputs: &Inputs,
        sources: &Sources,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Program, ReadError> {
        let unit = inputs.units.get(self.path()).cloned();
        let named = |program: Program| Program { unit: unit.clone(), ..program };
        let (kind, path, file) = match self {
            Self::Source(root) => return Ok(evaluate(root, inputs, sources)),
            Self::Binary(plan) => return Ok(named(plan.program(sources, wanted))),
            Self::Document { kind, path, file, .. } => (*kind, path, *file),
        };
        let text = sources.document(file);
        let run = Run { workspace: inputs.workspace.as_deref(), sources };
        let mut joined = Ok(());
        let program = if kind == InputFile::Plan {
            let document = Document::new(&text, file).with_gap(text.gap());
            let look = |told: &Told<'_, '_>| inputs.origins.look(file, told, run);
            let mut join = |told: &Told<'_, '_>, looked, program: &mut Program| {
                path.clone_into(&mut program.path);
                joined = inputs.origins.join(file, told, looked, run, program);
            };
            plan::read_with(document, wanted, &look, &mut join)
        } else {
            super::read(kind, path, &text, file, wanted)
        };
        drop(text);
        let program = Program { path: path.clone(), ..named(program) };
        joined?;
        let fault = program.diagnostics.iter().find(|diagnostic| diagnostic.level == Level::Error);
        // One of many is told as all else that is wrong with them.
        match fault.filter(|_| program.resources.is_empty() && unit.is_none()) {
            Some(fault) => {
                let start = fault.site.map_or(0, |site| site.span.start);
                let position = sources.get(file).map(|source| source.position(start)).unwrap_or_default();
                Err(ReadError::Document { path: path.clone(), position, message: fault.message.clone() })
            }
            None => Ok(program),
        }
    }

    /// Gives back the memory of what [`Input::program`] has read: it is not read again.
    pub fn release(&self, sources: &Sources) {
        if let Self::Document { file, .. } = self {
            sources.release(*file);
        }
    }

    /// As the user would write it.
    pub fn path(&self) -> &str {
        match self {
            Self::Source(root) => &root.path,
            Self::Binary(plan) => plan.path(),
            Self::Document { path, .. } => path,
        }
    }
}

/// Parses and evaluates a root module. The syntax trees do not outlive it.
fn evaluate(root: &RootModule, inputs: &Inputs, sources: &Sources) -> Program {
    let mut arenas = root.arenas();
    let (parsed, mut diagnostics) = root.parse(sources, &mut arenas);
    let arena = Bump::new();
    let var = |name, file| GivenVar { name, text: sources.text(file), file };
    let mut given = Given { workspace: inputs.workspace.as_deref(), mode: inputs.mode, ..Given::default() };
    given.environment.extend(inputs.environment.iter().map(|(name, file)| var(name, *file)));
    for value in &inputs.values {
        given.items.push(match value {
            GivenFile::Var(name, file) => GivenItem::Var(var(name, *file)),
            GivenFile::File(file) => {
                let (parsed, more) = syntax::values(sources, *file, &arena);
                diagnostics.extend(more);
                GivenItem::File(parsed)
            }
        });
    }
    let mut program = root.evaluate(&parsed, &given);
    for repeated in program.repeated.values_mut() {
        repeated.by =
            sources.get(repeated.site.file).map_or("", |file| file.slice(repeated.site.span)).into();
    }
    diagnostics.extend(root.diagnostics.iter().cloned());
    diagnostics.append(&mut program.diagnostics);
    program.diagnostics = diagnostics;
    program
}

/// The directory that a file of Terraform source stands for: Terraform knows no single files.
fn module_of(path: &Path) -> Option<&Path> {
    let is_source = path.to_str().is_some_and(source::is_configuration);
    let parent = || path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (is_source && path.is_file()).then(parent)
}

/// Why a file is no input: where its name tells what it is, that is told instead of what is wrong with it as JSON.
fn by_name(path: &Path, error: ReadError) -> ReadError {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    match (error, Found::by_name(name)) {
        (
            ReadError::Input(InputError::Invalid { path, .. } | InputError::Unknown { path, .. }),
            Some(found),
        ) => InputError::Other { path, found, advice: found.advice() }.into(),
        (error, _) => error,
    }
}

/// No input is larger: places in it are of 32 bits.
const MAX_BYTES: u64 = u32::MAX as u64;
/// Files from this size on are worth memory of their own.
const LARGE: usize = 1 << 20;

fn read(path: &Path, sources: &mut Sources) -> Result<Input, ReadError> {
    let is_stdin = path == Path::new("-");
    let shown = if is_stdin { "<stdin>".to_owned() } else { display_path(path) };
    let io = |source| ReadError::Io { path: shown.clone(), source };
    let mut bytes = Vec::new();
    if is_stdin {
        read_bounded(std::io::stdin().lock(), &mut bytes).map_err(io)?;
    } else {
        let file = std::fs::File::open(path).map_err(io)?;
        let size = file.metadata().map_or(0, |known| known.len());
        let size = usize::try_from(size.min(MAX_BYTES)).unwrap_or_default();
        if size >= LARGE {
            match Text::read(file, size, MAX_BYTES + 1, super::is_decoded).map_err(io)? {
                Ok(text) => return document(shown, Some(path), text, sources),
                Err(other) => bytes = other,
            }
        } else {
            bytes.reserve_exact(size.saturating_add(1));
            read_bounded(file, &mut bytes).map_err(io)?;
        }
    }
    from_bytes(shown, (!is_stdin).then_some(path), bytes, sources)
}

/// Reads on to the end, or until there is more than any input has.
pub(super) fn read_bounded(from: impl Read, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let limit = MAX_BYTES.saturating_sub(bytes.len() as u64) + 1;
    from.take(limit).read_to_end(bytes).map(|_| ())
}

/// The document or binary plan in `bytes`, which is `shown` to the user.
pub(super) fn from_bytes(
    shown: String,
    on_disk: Option<&Path>,
    bytes: Vec<u8>,
    sources: &mut Sources,
) -> Result<Input, ReadError> {
    if is_archive(&bytes) {
        return Ok(Input::Binary(Box::new(BinaryPlan::read(&shown, &bytes, sources)?)));
    }
    let text = super::decode(&shown, bytes)?;
    document(shown, on_disk, text.into(), sources)
}

/// The document with this text.
fn document(
    shown: String,
    on_disk: Option<&Path>,
    text: Text,
    sources: &mut Sources,
) -> Result<Input, ReadError> {
    // Taken once: each time that a large one is taken all of it is looked at.
    let whole: &str = &text;
    let kind = super::detect(&shown, whole)?;
    let is_worth = kind == InputFile::Plan && matches!(text, Text::Apart(_));
    let repeated = is_worth.then(|| look::planned_values(whole)).flatten();
    let file = sources.add_document(shown.clone(), text);
    if let Some(value) = repeated {
        sources.leave_out(file, value);
    }
    Ok(Input::Document { kind, path: shown, file, on_disk: on_disk.map(Path::to_owned) })
}

/// What is said of a directory with nothing to analyse.
fn nothing(directory: &Path) -> ReadError {
    ReadError::Nothing { path: display_path(directory), instead: roots::instead(directory) }
}
