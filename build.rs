//! Writes the tables of files that the binary embeds, sorted by path: the rules, every `rules/<provider>/**/*.md`, and the
//! frameworks, `rules/frameworks/*.toml`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let rules = root.join("rules");
    let mut files = Vec::new();
    for provider in entries(&rules)? {
        if provider.is_dir() {
            collect(&provider, &mut files)?;
        }
    }

    fs::write(out.join("rules.rs"), table(&root, &files))?;
    let mut frameworks = entries(&rules.join("frameworks"))?;
    frameworks.retain(|path| path.extension().is_some_and(|ext| ext == "toml"));
    fs::write(out.join("frameworks.rs"), table(&root, &frameworks))?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// Paths and texts as a Rust expression.
fn table(root: &Path, files: &[PathBuf]) -> String {
    let mut table = String::from("&[\n");
    for file in files {
        let relative = file.strip_prefix(root).unwrap_or(file);
        let shown = relative.to_string_lossy().replace('\\', "/");
        let _ = writeln!(table, "    ({shown:?}, include_str!({:?})),", file.display().to_string());
    }
    table.push_str("]\n");
    table
}

/// Adds the rule files below `dir`; directories are watched, so that a new file is seen.
fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", dir.display());
    for path in entries(dir)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ext| ext == "md")
            && path.file_name().is_some_and(|name| name != "README.md")
        {
            files.push(path);
        }
    }
    Ok(())
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
