//! The files of one module directory: which of them Terraform reads, and their text.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources};

/// Files larger than this are not configuration that somebody wrote.
const MAX_FILE: u64 = 64 << 20;

/// What was read of one directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// `*.tf`, `*.tf.json`, `*.tofu` and `*.tofu.json`, sorted by name, those that override others last.
    pub(super) config: Vec<FileId>,
    /// `terraform.tfvars`, `terraform.tfvars.json`, then `*.auto.tfvars` and `*.auto.tfvars.json` sorted by name.
    pub(super) tfvars: Vec<FileId>,
    /// Files that were found and are not read, and why.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Listing {
    /// Reads the files in `directory`, which people see as `shown`. Values of variables belong to a root module only. A link
    /// is read where it leads to a file of `tree`.
    pub(super) fn read(
        directory: &Path,
        shown: &Path,
        tree: &Path,
        is_root: bool,
        sources: &mut Sources,
    ) -> std::io::Result<Self> {
        // The directory tells of most that they are plain files; only the others are looked at.
        let mut names: Vec<(String, bool)> = std::fs::read_dir(directory)?
            .filter_map(Result::ok)
            .map(|entry| (entry.file_type().is_ok_and(|kind| kind.is_file()), entry))
            // That a link leads nowhere is told when it is read.
            .filter(|(is_plain, entry)| *is_plain || !entry.path().is_dir())
            // A name that is not UTF-8 names no file that can be read, and so is told of too.
            .map(|(is_plain, entry)| (entry.file_name().to_string_lossy().into_owned(), is_plain))
            .filter(|(name, _)| !is_ignored(name))
            .collect();
        // Terraform reads overriding files last, and `terraform.tfvars` before the automatic ones.
        names.sort_unstable_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
        let siblings: BTreeSet<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let mut this = Self::default();
        for (name, is_plain) in &names {
            let mut read = || {
                let (path, shown) = (directory.join(name), display_path(&shown.join(name)));
                let text = if *is_plain {
                    read_plain(&path, &shown)
                } else {
                    follow_link(&path, &shown, tree).and_then(|()| read_shown(&path, &shown))
                };
                match text {
                    Ok(text) => Some(sources.add(shown, text)),
                    Err(diagnostic) => {
                        this.diagnostics.push(diagnostic);
                        None
                    }
                }
            };
            match kind_of(name, &siblings) {
                FileKind::Config => {
                    let file = read();
                    this.config.extend(file);
                }
                FileKind::Tfvars if is_root => {
                    let file = read();
                    this.tfvars.extend(file);
                }
                FileKind::Tfvars | FileKind::Other => {}
            }
        }
        Ok(this)
    }
}

/// What a file of a module directory is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum FileKind {
    Config,
    Tfvars,
    Other,
}

/// The endings of configuration files. OpenTofu's hide Terraform's of the same name and syntax.
const CONFIG: [(&str, Option<&str>); 4] =
    [(".tf", Some(".tofu")), (".tf.json", Some(".tofu.json")), (".tofu", None), (".tofu.json", None)];

/// A configuration file's name without its ending, and the ending that hides it.
fn config(name: &str) -> Option<(&str, Option<&'static str>)> {
    CONFIG.iter().find_map(|(ending, hidden_by)| Some((name.strip_suffix(ending)?, *hidden_by)))
}

/// Whether Terraform or OpenTofu reads a file of this name as configuration.
pub fn is_configuration(path: &str) -> bool {
    config(path).is_some()
}

/// What a file of a module directory is, by its name.
fn kind_of(name: &str, siblings: &BTreeSet<&str>) -> FileKind {
    if let Some((stem, hidden_by)) = config(name) {
        let twin = hidden_by.map(|ending| format!("{stem}{ending}"));
        let is_hidden = twin.is_some_and(|twin| siblings.contains(twin.as_str()));
        return if is_hidden { FileKind::Other } else { FileKind::Config };
    }
    let values = name.strip_suffix(".json").unwrap_or(name);
    if values == "terraform.tfvars" || values.ends_with(".auto.tfvars") {
        return FileKind::Tfvars;
    }
    FileKind::Other
}

/// Sorts the files of a directory as Terraform reads them.
fn order(name: &str) -> (bool, bool, &str) {
    let is_automatic = !matches!(name, "terraform.tfvars" | "terraform.tfvars.json");
    (is_override(name), is_automatic, name)
}

/// Whether a file is in JSON syntax, by its name.
pub(super) fn is_json(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "json")
}

/// Whether a configuration file is merged into the others, by its name.
pub(super) fn is_override(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    config(name).is_some_and(|(stem, _)| stem == "override" || stem.ends_with("_override"))
}

/// Sorts files that are in memory as those of a directory: configuration, values of variables. What Terraform would not
/// read is left out, but for values: those are named by whoever gives them.
pub fn sort<'n>(names: &[&'n str]) -> (Vec<&'n str>, Vec<&'n str>) {
    let is_values = |name: &str| name.ends_with(".tfvars") || name.ends_with(".tfvars.json");
    let base = |path: &'n str| path.rsplit('/').next().unwrap_or(path);
    let siblings = names.iter().copied().collect();
    let mut names = names.to_vec();
    names.sort_by_cached_key(|name| order(base(name)));
    let (values, rest): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| is_values(name));
    let config = rest.into_iter().filter(|name| kind_of(name, &siblings) == FileKind::Config);
    (config.filter(|name| !is_ignored(base(name))).collect(), values)
}

/// Terraform ignores hidden files and editors' leftovers.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

/// The workspace that was last selected in a directory, which Terraform keeps there.
pub(super) fn workspace(directory: &Path) -> Option<String> {
    let path = directory.join(".terraform/environment");
    let text = path.is_file().then(|| read_text(&path).ok())??;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Refuses a link out of `tree`: its lines would be shown. One that leads nowhere is told of when it is read.
fn follow_link(path: &Path, shown: &str, tree: &Path) -> Result<(), Diagnostic> {
    let is_outside = || path.canonicalize().is_ok_and(|real| !real.starts_with(tree));
    if path.is_symlink() && is_outside() {
        return Err(Diagnostic::error(format!(
            "`{shown}` is a link out of the analysed tree; it is not read"
        ))
        .help(super::find::TREE));
    }
    Ok(())
}

/// Reads a text file whole.
pub fn read_text(path: &Path) -> Result<String, Diagnostic> {
    read_shown(path, &display_path(path))
}

/// Reads a text file that people see as `shown`.
fn read_shown(path: &Path, shown: &str) -> Result<String, Diagnostic> {
    // Not opened: whoever opens a pipe waits.
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return Err(Diagnostic::error(format!("`{shown}` is not a file")));
    }
    read_plain(path, shown)
}

/// [`read_shown`] of what is known to be a file.
fn read_plain(path: &Path, shown: &str) -> Result<String, Diagnostic> {
    let unread = |error| Diagnostic::error(format!("cannot read `{shown}`: {error}"));
    let file = File::open(path).map_err(unread)?;
    let size = file.metadata().map_err(unread)?.len();
    if size > MAX_FILE {
        return Err(Diagnostic::error(format!(
            "`{shown}` has {size} bytes, more than the {MAX_FILE} allowed"
        )));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default().saturating_add(1));
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unread)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Diagnostic::error(format!("`{shown}` is not UTF-8: byte {at} is not valid"))
            .help("save the file as UTF-8")
    })?;
    // No editor shows it or counts it as a column.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A path as people see it: `/` between parts, without a leading `./`.
pub fn display_path(path: &Path) -> String {
    let shown = path.to_string_lossy().replace('\\', "/");
    match shown.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => shown,
    }
}
