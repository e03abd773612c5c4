//! A plan as `terraform plan -out` writes it: a zip archive of the plan, the configuration that it is of, and the states.

use std::collections::BTreeMap;

use bumpalo::Bump;
use serde::Deserialize;

use crate::eval;
use crate::program::Program;
use crate::source::{FileId, Sources};
use crate::terraform::plan::binary::{self, Plan, VERSION};
use crate::terraform::source::variables::{Given, GivenItem};
use crate::terraform::source::{EmbeddedModule, RootModule, syntax};
use crate::value::Value;

use super::InputError;
use super::archive::Archive;

/// A binary plan whose archive was read. What it holds stays in memory.
#[derive(Debug)]
pub struct BinaryPlan {
    /// The path as the user gave it.
    path: String,
    /// The message of the plan.
    plan: Vec<u8>,
    /// The configuration that it is of.
    root: RootModule,
    /// The values of root variables, as a variable file.
    values: FileId,
    /// The state before.
    state: Option<FileId>,
}

/// An entry of Terraform's list of modules.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Dir")]
    directory: String,
}

/// Whether a file is a zip archive, by its first bytes.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'K', 3 | 5, _, ..])
}

impl BinaryPlan {
    /// Reads the archive in `bytes`, which the user named as `path`.
    pub fn read(path: &str, bytes: &[u8], sources: &mut Sources) -> Result<Self, InputError> {
        let refuse = |reason: &dyn ToString| InputError::BinaryPlan {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let archive = Archive::new(bytes).map_err(|error| refuse(&error))?;
        let file = |name: &str| archive.read(name).transpose().map_err(|error| refuse(&error));
        let message = file("tfplan")?.ok_or_else(|| refuse(&"it holds no `tfplan`"))?;
        let plan = Plan::parse(&message);
        let plan = plan.map_err(|_| refuse(&"its `tfplan` is damaged, or no message of Terraform's"))?;
        if plan.version != VERSION {
            return Err(InputError::Version {
                path: path.to_owned(),
                what: "a binary plan",
                version: plan.version.to_string(),
                known: "version 3: check what `terraform show -json` prints of it",
            });
        }
        let text = |name: &str| {
            let text = file(name)?.map(String::from_utf8).transpose();
            text.map_err(|_| refuse(&format_args!("`{name}` in it is not UTF-8 text")))
        };
        let modules = modules(&archive, &text)?;
        let modules = modules.ok_or_else(|| refuse(&"its list of modules is damaged"))?;
        let root = RootModule::embedded(modules, sources);
        let state = text("tfstate")?.map(|text| sources.add_confidential(format!("{path}/tfstate"), text));
        // Of a variable that is not understood the evaluator says what it says of one without a value.
        let values = plan.variables.iter();
        let values = values.filter_map(|(name, bytes)| Some(((*name).into(), binary::variable(bytes)?)));
        let values = sources.add_given(format!("{path} (variables)"), variable_file(Value::object(values)));
        Ok(Self { path: path.to_owned(), plan: message, root, values, state })
    }

    /// The resources of the plan. Only those of `wanted` types have values.
    pub(super) fn program(&self, sources: &Sources, wanted: &dyn Fn(&str) -> bool) -> Program {
        let plan = Plan::parse(&self.plan).unwrap_or_default();
        let mut arenas = self.root.arenas();
        let (parsed, mut diagnostics) = self.root.parse(sources, &mut arenas);
        let arena = Bump::new();
        let (values, _) = syntax::values(sources, self.values, &arena);
        let given =
            Given { items: vec![GivenItem::File(values)], workspace: plan.workspace, ..Given::default() };
        let mut source = self.root.evaluate(&parsed, &given);
        source.diagnostics.append(&mut diagnostics);
        let state = self.state.map(|file| (sources.text(file), file));
        let mut program = binary::read(&plan, source, state, wanted);
        program.path.clone_from(&self.path);
        program
    }
}

/// The modules in the archive by the calls that lead to them; [`None`] if there is no list of them.
fn modules(
    archive: &Archive<'_>,
    text: &dyn Fn(&str) -> Result<Option<String>, InputError>,
) -> Result<Option<BTreeMap<String, EmbeddedModule>>, InputError> {
    let list = text("tfconfig/modules.json")?.unwrap_or_default();
    let Ok(list) = serde_json::from_str::<Vec<Module>>(&list) else { return Ok(None) };
    let mut modules: BTreeMap<String, EmbeddedModule> = list
        .into_iter()
        .map(|module| (module.key, EmbeddedModule { directory: module.directory, files: Vec::new() }))
        .collect();
    for name in archive.names() {
        let Some((key, file)) = name.strip_prefix("tfconfig/m-").and_then(|name| name.rsplit_once('/'))
        else {
            continue;
        };
        if let (Some(module), Some(text)) = (modules.get_mut(key), text(name)?) {
            module.files.push((file.to_owned(), text));
        }
    }
    Ok(Some(modules))
}

/// Values as a variable file has them.
fn variable_file(values: Value) -> String {
    let text = eval::functions::call("provider::terraform::encode_tfvars", &[values], None);
    text.and_then(Result::ok).and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}
