//! Folders of plans: the tree that Terragrunt writes with `--out-dir` and `--json-out-dir`, or any folder of plans, states,
//! previews and stacks. Each is a unit with a name of its own.
//!
//! What a file is is told by its content. What is no input at all (a `package.json`) is left out and said; what was meant as
//! one and cannot be read makes the run unsure, as it would if it was named. Directories with Terraform source are not looked
//! into: a root module is analysed as source, and the plan or state beside it only if it is named.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;

use crate::diagnostic::Diagnostic;
use crate::source::Sources;
use crate::terraform::source::display_path;

use super::binary::is_archive;
use super::files::{Input, ReadError, from_bytes, read_bounded};
use super::roots::{MAX_DIRECTORIES, Walk, walk};
use super::{InputError, InputFile, speaks_of_plans};

/// More files than this are not looked at.
const MAX_FILES: usize = 200_000;

/// What tells by its first bytes that it is no input is not read further.
const GLANCE: u64 = 4096;

/// Files that a message lists.
const MAX_LISTED: usize = 3;

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// The inputs, each with the name of its unit, in the order of their paths.
    pub(super) items: Vec<(String, Input)>,
    /// What is said of the rest.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Units {
    /// Whether there is nothing at all to say.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.diagnostics.is_empty()
    }
}

/// A file that is, or was meant as, an input.
struct Candidate {
    path: PathBuf,
    looked: Result<Content, ReadError>,
}

/// The bytes of an input.
struct Content {
    bytes: Vec<u8>,
    /// [`None`] of an archive.
    kind: Option<InputFile>,
    /// When the plan was made, if it says so.
    timestamp: Option<String>,
}

/// Reads all inputs at and below `top`.
pub(super) fn search(top: &Path, sources: &mut Sources) -> Units {
    let Walk { bare, closed, cut, .. } = walk(top, MAX_DIRECTORIES);
    let mut units = Units::default();
    let mut paths: Vec<PathBuf> = bare.iter().flat_map(|directory| files(directory)).collect();
    if cut || paths.len() > MAX_FILES {
        let message =
            format!("`{}` holds too many directories or files: not all are looked at", display_path(top));
        units.diagnostics.push(Diagnostic::error(message).help("name the plans instead"));
        paths.truncate(MAX_FILES);
    }
    let closed = closed
        .iter()
        .map(|(path, error)| Diagnostic::error(format!("cannot list `{}`: {error}", display_path(path))));
    units.diagnostics.extend(closed);
    let looked: Vec<_> = paths.into_par_iter().map(|path| (look(&path), path)).collect();
    let (mut candidates, mut left_out) = (Vec::new(), Vec::new());
    for (looked, path) in looked {
        match looked {
            Looked::Nothing => {}
            Looked::Other => left_out.push(path),
            Looked::Input(looked) => candidates.push(Candidate { path, looked }),
        }
    }
    let twins = twins(&candidates);
    let is_twin = |at: usize| twins.iter().any(|(_, document)| *document == at);
    let kept = candidates.iter().enumerate().filter(|(at, _)| !is_twin(*at));
    let mut names = names(top, kept.map(|(_, candidate)| candidate.path.as_path())).into_iter();
    let mut documents: BTreeMap<usize, Candidate> = BTreeMap::new();
    let mut read = Vec::new();
    for (at, candidate) in candidates.into_iter().enumerate() {
        if is_twin(at) {
            documents.insert(at, candidate);
        } else {
            read.push((at, names.next().unwrap_or_default(), candidate));
        }
    }
    for (at, mut name, candidate) in read {
        let twin = twins.iter().find(|(binary, _)| *binary == at).and_then(|(_, at)| documents.remove(at));
        let own = |path: &Path| display_path(path.strip_prefix(top).unwrap_or(path));
        let is_own = name == own(&candidate.path);
        let mut input = candidate.read(sources);
        if let (Err(_), Some(twin)) = (&input, twin) {
            if is_own {
                name = own(&twin.path);
            }
            input = twin.read(sources);
        }
        match input {
            Ok(input) => units.items.push((name, input)),
            Err(error) => units.diagnostics.push(Diagnostic::error(error.to_string())),
        }
    }
    if !twins.is_empty() {
        let plans = if twins.len() == 1 { "plan is" } else { "plans are" };
        let message = format!("{} {plans} there as binary and as JSON: each is one unit", twins.len());
        units.diagnostics.push(Diagnostic::notice(message));
    }
    if !units.items.is_empty() && !left_out.is_empty() {
        let message = format!("neither plans nor states, and left out: {}", list(&left_out));
        units.diagnostics.push(Diagnostic::notice(message));
    }
    units
}

impl Candidate {
    fn read(self, sources: &mut Sources) -> Result<Input, ReadError> {
        from_bytes(display_path(&self.path), Some(&self.path), self.looked?.bytes, sources)
    }
}

/// What is said of a folder in which source was found: that what else it holds was not looked at.
pub(super) fn beside_source(top: &Path) -> Option<Diagnostic> {
    let files = walk(top, MAX_DIRECTORIES).bare.into_iter().flat_map(|directory| files(&directory));
    let is_input = |path: &PathBuf| {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(GLANCE).read_to_end(&mut head));
        read.is_ok() && (is_plan_archive(&head) || speaks_of_plans(&head))
    };
    let found: Vec<PathBuf> = files.take(MAX_FILES).filter(is_input).collect();
    (!found.is_empty()).then(|| {
        Diagnostic::notice(format!("not analysed, as there is Terraform source: {}", list(&found)))
            .help("name them, or look for source and plans with `--recursive`")
    })
}

/// The files in a directory, sorted, without hidden ones and links.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    let is_file = |entry: &std::fs::DirEntry| {
        !entry.file_name().to_string_lossy().starts_with('.')
            && entry.file_type().is_ok_and(|kind| kind.is_file())
    };
    let path = |name: PathBuf| {
        if directory == Path::new(".") { name.file_name().map(Into::into) } else { Some(name) }
    };
    let mut files: Vec<PathBuf> = entries.filter(is_file).filter_map(|entry| path(entry.path())).collect();
    files.sort_unstable();
    files
}

/// What a file is.
enum Looked {
    /// Nothing that anybody would take for an input.
    Nothing,
    /// JSON of another kind.
    Other,
    Input(Result<Content, ReadError>),
}

fn look(path: &Path) -> Looked {
    let shown = display_path(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    // Terraform keeps the state before the last one beside it.
    if name.ends_with(".backup") {
        return Looked::Nothing;
    }
    let is_named = is_named_as_input(&name);
    let glance = || {
        let (mut file, mut bytes) = (File::open(path)?, Vec::new());
        (&mut file).take(GLANCE).read_to_end(&mut bytes)?;
        let is_plan = is_named || is_plan_archive(&bytes) || speaks_of_plans(&bytes);
        if !is_plan && (is_archive(&bytes) || !starts_as_json(&bytes)) {
            return Ok(None);
        }
        read_bounded(file, &mut bytes)?;
        Ok(Some(bytes))
    };
    let bytes = match glance() {
        Ok(Some(bytes)) => bytes,
        Err(source) if is_named => return Looked::Input(Err(ReadError::Io { path: shown, source })),
        Ok(None) | Err(_) => return Looked::Nothing,
    };
    if is_archive(&bytes) {
        let timestamp = super::binary::timestamp(&bytes);
        return Looked::Input(Ok(Content { bytes, kind: None, timestamp }));
    }
    let text = match super::decode(&shown, bytes) {
        Ok(text) => text,
        Err(error) if is_named => return Looked::Input(Err(error.into())),
        Err(_) => return Looked::Nothing,
    };
    let error = match super::detect(&shown, &text) {
        Ok(kind) => {
            let timestamp = (kind == InputFile::Plan).then(|| timestamp(&text)).flatten();
            return Looked::Input(Ok(Content { bytes: text.into_bytes(), kind: Some(kind), timestamp }));
        }
        Err(error) => error,
    };
    let is_meant = match &error {
        InputError::Version { .. } => true,
        InputError::Other { found, .. } => found.is_of_plan() || is_named,
        _ => is_named || speaks_of_plans(text.as_bytes()),
    };
    match is_meant {
        true => Looked::Input(Err(error.into())),
        false if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) => {
            Looked::Other
        }
        false => Looked::Nothing,
    }
}

/// When the plan was made, as it says.
fn timestamp(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Plan {
        timestamp: Option<String>,
    }
    serde_json::from_str::<Plan>(text).ok()?.timestamp
}

/// Whether the name, in small letters, is one that people give to inputs.
fn is_named_as_input(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let is_plan = |stem: &str| stem == "plan" || stem.ends_with("tfplan") || stem.ends_with("plan");
    let is_data = [".json", ".out", ".bin", ".ndjson", ".jsonl", ".gz"].iter().any(|end| name.ends_with(end));
    name.ends_with(".tfplan")
        || name.ends_with(".tfstate")
        || name.contains(".tfplan.")
        || name.contains(".tfstate.")
        || ((is_data || !name.contains('.')) && is_plan(stem))
        || (is_data && matches!(stem, "state" | "tfstate" | "preview" | "stack"))
}

/// Whether the bytes are those of an archive that `terraform plan -out` begins with the plan.
fn is_plan_archive(bytes: &[u8]) -> bool {
    is_archive(bytes) && bytes.get(30..36) == Some(b"tfplan") && bytes.get(26..28) == Some(&[6, 0])
}

fn starts_as_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    is_utf16 || bytes.trim_ascii_start().first() == Some(&b'{')
}

/// Which candidates are one plan, as a binary and as JSON: the binary one is read, for it holds the source. They lie in one
/// directory, do not say that they were made at different times, and have one name up to the first dot, or are the only
/// plans there and say that they were made at the same time.
fn twins(candidates: &[Candidate]) -> Vec<(usize, usize)> {
    let mut directories: BTreeMap<Option<&Path>, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let Ok(Content { kind, .. }) = &candidate.looked else { continue };
        let (binaries, documents) = directories.entry(candidate.path.parent()).or_default();
        match kind {
            None => binaries.push(at),
            Some(InputFile::Plan) => documents.push(at),
            Some(_) => {}
        }
    }
    let stem = |at: usize| candidates.get(at).map(|candidate| stem(&candidate.path));
    let made = |at: usize| candidates.get(at)?.looked.as_ref().ok()?.timestamp.as_deref();
    let mut twins = Vec::new();
    for (binaries, documents) in directories.values() {
        let are_alone = binaries.len() == 1 && documents.len() == 1;
        for &document in documents {
            let is_it = |binary: usize| match (made(binary), made(document)) {
                (Some(a), Some(b)) if a != b => false,
                (Some(_), Some(_)) => are_alone || stem(binary) == stem(document),
                _ => stem(binary) == stem(document),
            };
            if let Some(binary) = binaries.iter().copied().find(|&binary| is_it(binary)) {
                twins.push((binary, document));
            }
        }
    }
    twins
}

/// The name of a file before its first dot.
fn stem(path: &Path) -> &str {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.split('.').next().unwrap_or(name)
}

/// What the units are called: the directory below `top` that a unit is alone in, else its file there.
fn names<'p>(top: &Path, paths: impl Iterator<Item = &'p Path> + Clone) -> Vec<String> {
    let mut in_directory: BTreeMap<Option<&Path>, usize> = BTreeMap::new();
    for path in paths.clone() {
        *in_directory.entry(path.parent()).or_default() += 1;
    }
    let name = |path: &Path| {
        let is_alone = in_directory.get(&path.parent()) == Some(&1);
        let below = path.strip_prefix(top).unwrap_or(path);
        match below.parent().filter(|parent| is_alone && !parent.as_os_str().is_empty()) {
            Some(directory) => display_path(directory),
            None => display_path(below),
        }
    };
    paths.map(name).collect()
}

/// `a`, `b` and 3 more
fn list(paths: &[PathBuf]) -> String {
    let (listed, more) = paths.split_at(MAX_LISTED.min(paths.len()));
    let listed: Vec<String> = listed.iter().map(|path| format!("`{}`", display_path(path))).collect();
    match more.len() {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}
