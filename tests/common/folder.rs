//! A tree of directories of a test's own, and what a program made of it holds.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use airgate::input::Inputs;
use airgate::program::{Program, Resource};
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use airgate::value::Value;

/// A directory of a test's own with a Git repository in `tree`, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("airgate-modules-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("tree/.git")).unwrap();
        for (path, text) in files {
            let path = folder.join("tree").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }

    /// The program of the root module at `path`, and what was said.
    pub(crate) fn program(&self, path: &str) -> (Program, Vec<String>) {
        let mut sources = Sources::default();
        let inputs = Inputs::read(&[self.tree().join(path)], &RunOptions::default(), &mut sources).unwrap();
        let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
        let shown = format!("{}/", self.tree().display());
        let said = program.diagnostics.iter().map(|d| d.message.replace(&shown, "")).collect();
        (program, said)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn addresses(program: &Program) -> Vec<&str> {
    program.resources.iter().map(|resource| resource.address.as_str()).collect()
}

pub(crate) fn resource<'p>(program: &'p Program, address: &str) -> &'p Resource {
    let found = program.resources.iter().find(|resource| resource.address == address);
    found.unwrap_or_else(|| panic!("{address} is none of {:?}", addresses(program)))
}

pub(crate) fn value<'p>(program: &'p Program, address: &str, path: &str) -> &'p Value {
    resource(program, address).after.as_ref().unwrap().at_path(path).unwrap()
}
