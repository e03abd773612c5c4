//! `pulumi preview --json`: what an update would do, step by step.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::input::json::{Document, or_default};
use crate::program::{Action, InputKind, Program};
use crate::source::FileId;
use crate::value::Value;

use super::{Reader, State, value};

#[derive(Deserialize)]
struct Digest<'a> {
    #[serde(default, deserialize_with = "or_default")]
    config: BTreeMap<SmolStr, SmolStr>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    steps: Vec<&'a RawValue>,
    #[serde(default, deserialize_with = "or_default")]
    diagnostics: Vec<Message>,
    #[serde(rename = "changeSummary", default, deserialize_with = "or_default")]
    change_summary: BTreeMap<SmolStr, usize>,
    #[serde(rename = "maybeCorrupt", default)]
    maybe_corrupt: bool,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    severity: SmolStr,
}

#[derive(Deserialize)]
struct Step<'a> {
    op: SmolStr,
    #[serde(borrow, rename = "oldState")]
    old: Option<State<'a>>,
    #[serde(borrow, rename = "newState")]
    new: Option<State<'a>>,
}

/// Reads the preview `text` of `file`. Only types that are `wanted` get their values; all resources are listed.
pub fn read(text: &str, file: FileId, wanted: &dyn Fn(&str) -> bool) -> Program {
    let document = Document::new(text, file);
    let program =
        Program { kind: InputKind::PulumiPreview, written_by: Some("Pulumi".into()), ..Program::default() };
    let mut reader = Reader::new(document, wanted, program);
    let digest = document.parse("the preview", text, &mut reader.program.diagnostics);
    let Some::<Digest<'_>>(digest) = digest else { return reader.program };
    reader.config = digest
        .config
        .iter()
        .map(|(key, text)| (key.clone(), value::plain(Value::string(text.clone()))))
        .collect();
    let mut listed = 0;
    for raw in &digest.steps {
        let step = document.parse("a step", raw.get(), &mut reader.program.diagnostics);
        let Some::<Step<'_>>(step) = step else { continue };
        listed += usize::from(step.op == "same");
        let Some(action) = action(&step.op) else { continue };
        reader.add(raw.get(), step.old.as_ref(), step.new.as_ref(), action);
    }
    let mut program = reader.finish();
    let unlisted = digest.change_summary.get("same").copied().unwrap_or_default().saturating_sub(listed);
    if unlisted > 0 {
        let message = format!("{unlisted} unchanged resources are not in the preview and were not looked at");
        program
            .diagnostics
            .push(Diagnostic::notice(message).help("run `pulumi preview --json --show-sames`"));
    }
    program.incomplete = if digest.diagnostics.iter().any(|message| message.severity == "error") {
        Some("the preview ended with errors: resources may be missing".into())
    } else if digest.maybe_corrupt {
        Some("the preview says that it may be corrupt".into())
    } else {
        None
    };
    program
}

/// What a step does; [`None`] for the halves of a replacement that are not what there is afterwards.
fn action(op: &str) -> Option<Action> {
    Some(match op {
        "same" | "refresh" => Action::NoOp,
        "import" => Action::Import,
        "create" => Action::Create,
        "update" => Action::Update,
        "delete" => Action::Delete,
        "replace" | "create-replacement" | "import-replacement" => Action::Replace,
        "read" | "read-replacement" => Action::Read,
        "delete-replaced" | "discard" | "discard-replaced" | "remove-pending-replace" => return None,
        _ => Action::None,
    })
}
