//! Loads the built-in rules and controls, so that no run has to, and writes them as Rust; and the table of the framework files.
//!
//! Rules are every `rules/<provider>/**/*.md`, frameworks `rules/frameworks/*.toml`. The files that read rules are the
//! library's own. A rule that does not load fails the build.

#![expect(unreachable_pub, reason = "the library shows what the build script has for itself")]

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "src/rules/controls.rs"]
mod controls;
#[path = "src/rules/digest.rs"]
mod digest;
#[path = "src/rules/error.rs"]
#[expect(dead_code, reason = "the library has more errors")]
mod error;
#[path = "src/rules/file.rs"]
#[expect(dead_code, reason = "the library asks rules more")]
mod file;
#[path = "src/finding/severity.rs"]
mod severity;

/// Where the library has it.
mod finding {
    pub use crate::severity::Severity;
}

use error::RuleError;
use file::{FrontMatter, Rule, Text};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let rules = root.join("rules");
    println!("cargo::rerun-if-changed={}", rules.display());
    let mut files = Vec::new();
    for provider in entries(&rules)? {
        if provider.is_dir() {
            collect(&provider, &mut files)?;
        }
    }
    fs::write(out.join("rules.rs"), loaded(&root, &files)?)?;
    let mut frameworks = entries(&rules.join("frameworks"))?;
    frameworks.retain(|path| path.extension().is_some_and(|ext| ext == "toml"));
    fs::write(out.join("frameworks.rs"), table(&root, &frameworks))?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", rules.join("controls.toml").display());
    for code in
        ["rules/controls.rs", "rules/digest.rs", "rules/error.rs", "rules/file.rs", "finding/severity.rs"]
    {
        println!("cargo::rerun-if-changed=src/{code}");
    }
    Ok(())
}

/// Paths and texts as a Rust expression.
fn table(root: &Path, files: &[PathBuf]) -> String {
    let mut table = String::from("&[\n");
    for file in files {
        let _ = writeln!(
            table,
            "    ({:?}, include_str!({:?})),",
            relative(root, file),
            file.display().to_string()
        );
    }
    table.push_str("]\n");
    table
}

/// The rules, the controls and the digest of both, as Rust that `src/rules/builtin.rs` includes.
fn loaded(root: &Path, files: &[PathBuf]) -> Result<String, Box<dyn std::error::Error>> {
    let mut rules = Vec::new();
    for path in files {
        println!("cargo::rerun-if-changed={}", path.display());
        rules.push((Rule::parse(&relative(root, path), Cow::Owned(fs::read_to_string(path)?))?, path));
    }
    rules.sort_by(|(a, _), (b, _)| a.id().cmp(b.id()));
    let name = "rules/controls.toml";
    let text = fs::read_to_string(root.join(name))?.replace("\r\n", "\n");
    let controls = controls::parse(name, &text)?;
    let files = rules.iter().map(|(rule, _)| (rule.path(), rule.text())).chain([(name, text.as_str())]);

    let mut out =
        format!("pub(super) const DIGEST: &str = {:?};\n", digest::digest(env!("CARGO_PKG_VERSION"), files));
    out.push_str("static CONTROLS: &[(&str, Control)] = &[\n");
    for (name, control) in &controls {
        let clauses = texts(&control.clauses);
        let _ = writeln!(
            out,
            "({name:?}, Control {{ title: {}, clauses: {clauses} }}),",
            borrowed(&control.title)
        );
    }
    out.push_str("];\npub(super) static RULES: &[Rule] = &[\n");
    for (rule, path) in &rules {
        let _ = writeln!(out, "{},", as_rust(rule, path)?);
    }
    out.push_str("];\n");
    Ok(out)
}

fn as_rust(rule: &Rule, file: &Path) -> io::Result<String> {
    let Rule { path, text, front, front_start, title, why, fix, because, remedy, examples, page } = rule;
    let text = if fs::read_to_string(file)? == *text {
        format!("B(include_str!({:?}))", file.display().to_string())
    } else {
        borrowed(text)
    };
    let [title, why, fix, examples] = [title, why, fix, examples].map(range);
    Ok(format!(
        "Rule {{ path: {}, text: {text}, front: {}, front_start: {front_start}, title: {title}, why: {why}, fix: {fix}, \
         because: {}, remedy: {}, examples: {examples}, page: {page} }}",
        borrowed(path),
        front_as_rust(front),
        borrowed(because),
        borrowed(remedy),
    ))
}

fn front_as_rust(front: &FrontMatter) -> String {
    let FrontMatter {
        id,
        name,
        family,
        severity,
        control,
        since,
        revision,
        types,
        require,
        analysis,
        args,
        when,
        scope,
        provided,
        elsewhere,
        callers,
        at,
        message,
        aliases,
        status,
    } = front;
    let [id, name, family, control, since] = [id, name, family, control, since].map(|text| borrowed(text));
    let [types, args, callers, aliases] = [types, args, callers, aliases].map(|list| texts(list));
    let maybe = |text: &Option<Text>| {
        text.as_ref().map_or("None".to_owned(), |text| format!("Some({})", spanned(text)))
    };
    let [require, analysis, when, at] = [require, analysis, when, at].map(maybe);
    let provided = provided.as_ref().map_or("None".to_owned(), |text| format!("Some({})", borrowed(text)));
    format!(
        "FrontMatter {{ id: {id}, name: {name}, family: {family}, severity: Severity::{severity:?}, control: {control}, \
         since: {since}, revision: {revision}, types: {types}, require: {require}, analysis: {analysis}, args: {args}, \
         when: {when}, scope: Scope::{scope:?}, provided: {provided}, elsewhere: {elsewhere}, callers: {callers}, at: {at}, message: {}, aliases: {aliases}, status: Status::{status:?} }}",
        spanned(message),
    )
}

fn spanned(text: &Text) -> String {
    format!("Text {{ text: {}, span: {} }}", borrowed(&text.text), range(&text.span))
}

fn borrowed(text: &str) -> String {
    format!("B({text:?})")
}

fn texts(list: &[Cow<'static, str>]) -> String {
    let items: Vec<String> = list.iter().map(|text| borrowed(text)).collect();
    format!("B(&[{}])", items.join(", "))
}

fn range(range: &Range<usize>) -> String {
    format!("{}..{}", range.start, range.end)
}

/// The path from the root, `/` between its parts.
fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/")
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
