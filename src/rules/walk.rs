//! The rule files of a user's directory, sorted by path.

use std::path::{Path, PathBuf};

use super::RuleError;

/// Directories deeper than this are an error: a link that leads back must not run forever.
const MAX_DEPTH: usize = 16;

/// All `*.md` below `dir` but `README.md`, each with its path relative to `dir`, `/` between its parts.
pub(super) fn rule_files(dir: &Path) -> Result<Vec<(String, PathBuf)>, RuleError> {
    let mut files = Vec::new();
    collect(dir, "", MAX_DEPTH, &mut files)?;
    files.sort();
    Ok(files)
}

/// The `*.toml` in `dir`, which need not exist, sorted.
pub(super) fn toml_files(dir: &Path) -> Result<Vec<PathBuf>, RuleError> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let fail = |source| RuleError::Read { path: dir.to_owned(), source };
    let paths = std::fs::read_dir(dir).map_err(fail)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(fail)?;
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "toml"));
    paths.sort();
    Ok(paths)
}

/// Reads a text file.
pub(super) fn read(path: &Path) -> Result<String, RuleError> {
    std::fs::read_to_string(path).map_err(|source| RuleError::Read { path: path.to_owned(), source })
}

fn collect(
    dir: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), RuleError> {
    let fail = |source| RuleError::Read { path: dir.to_owned(), source };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(fail(std::io::Error::other("too many directories inside each other")));
    };
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let relative = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        if path.is_dir() {
            collect(&path, &relative, depth, files)?;
        } else if path.extension().is_some_and(|ext| ext == "md") && name != "README.md" {
            files.push((relative, path));
        }
    }
    Ok(())
}
