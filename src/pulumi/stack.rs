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
    let deployment = match serde_json::from_str::<File<'_>>(text) {
        Ok(file) => file.deployment.or(file.checkpoint.and_then(|it| it.latest)).unwrap_or_default(),
        Err(error) => {
            reader.program.diagnostics.push(document.not_understood("the stack", text, &error));
            return reader.program;
        }
    };
    let version = deployment.manifest.version.filter(|version| !version.is_empty());
    reader.program.written_by =
        Some(version.map_or_else(|| "Pulumi".to_owned(), |version| format!("Pulumi {version}")));
    if !deployment.pending_operations.is_empty() {
        reader.program.incomplete = Some("operations were pending when the stack was written".into());
    }
    for raw in deployment.resources {
        match serde_json::from_str::<State<'_>>(raw.get()) {
            Ok(state) if state.delete => {}
            Ok(state) => reader.add(raw.get(), None, Some(&state), Action::None),
            Err(error) => {
                reader.program.diagnostics.push(document.not_understood("a resource", raw.get(), &error));
            }
        }
    }
    reader.finish()
}
