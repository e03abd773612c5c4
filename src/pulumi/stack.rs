//! `pulumi stack export`, and the checkpoint files of a file backend: what exists.

use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::input::json::{Document, or_default};
use crate::program::{Action, InputKind, Program};
use crate::source::FileId;

use super::{Reader, State};

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    deployment: Option<Deployment<'a>>,
    #[serde(borrow)]
    checkpoint: Option<Checkpoint<'a>>,
}

#[derive(Deserialize)]
struct Checkpoint<'a> {
    /// Absent while the stack is empty.
    #[serde(borrow)]
    latest: Option<Deployment<'a>>,
}

#[derive(Deserialize, Default)]
struct Deployment<'a> {
    #[serde(default)]
    manifest: Manifest,
    #[serde(borrow, default, deserialize_with = "or_default")]
    resources: Vec<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pending_operations: Vec<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Manifest {
    version: Option<SmolStr>,
}

/// Reads the stack `text` of `file`. Only types that are `wanted` get their values; all resources are listed.
pub fn read(text: &str, file: FileId, wanted: &dyn Fn(&str) -> bool) -> Program {
    let document = Document::new(text, file);
    let program = Program { kind: InputKind::PulumiStack, ..Program::default() };
    let mut reader = Reader::new(document, wanted, program);
    let file = document.parse("the stack", text, &mut reader.program.diagnostics);
    let Some::<File<'_>>(file) = file else { return reader.program };
    let deployment = file.deployment.or(file.checkpoint.and_then(|it| it.latest)).unwrap_or_default();
    let version = deployment.manifest.version.filter(|version| !version.is_empty());
    reader.program.written_by =
        Some(version.map_or_else(|| "Pulumi".to_owned(), |version| format!("Pulumi {version}")));
    if !deployment.pending_operations.is_empty() {
        reader.program.incomplete = Some("operations were pending when the stack was written".into());
    }
    for raw in deployment.resources {
        let state = document.parse("a resource", raw.get(), &mut reader.program.diagnostics);
        if let Some(state) = state.filter(|state: &State<'_>| !state.delete) {
            reader.add(raw.get(), None, Some(&state), Action::None);
        }
    }
    reader.finish()
}
