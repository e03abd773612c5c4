//! Terraform states: `terraform show -json` without a plan, and raw `terraform.tfstate` files of version 4.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::{SmolStr, format_smolstr};

use crate::input::json::{Document, Marks, PathStep, or_default};
use crate::program::{Action, InputKind, Key, Link, Mode, Program, ProviderConfig, Resource};
use crate::source::FileId;
use crate::value::{Cause, Reference, Value};

use super::address::Address;
use super::plan::key;

/// A module in `values`, `prior_state` and `planned_values`.
#[derive(Deserialize)]
pub(super) struct ModuleValues<'a> {
    #[serde(default)]
    address: SmolStr,
    #[serde(borrow, default, deserialize_with = "or_default")]
    resources: Vec<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    child_modules: Vec<ModuleValues<'a>>,
}

/// A resource instance in a [`ModuleValues`].
#[derive(Deserialize)]
struct Instance<'a> {
    address: SmolStr,
    mode: Option<SmolStr>,
    #[serde(rename = "type")]
    type_name: SmolStr,
    name: SmolStr,
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    #[serde(borrow)]
    values: Option<&'a RawValue>,
    #[serde(borrow)]
    sensitive_values: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "or_default")]
    depends_on: Vec<SmolStr>,
}

#[derive(Deserialize)]
struct Shown<'a> {
    terraform_version: Option<SmolStr>,
    #[serde(borrow)]
    values: Option<ShownValues<'a>>,
}

#[derive(Deserialize)]
struct ShownValues<'a> {
    #[serde(borrow)]
    root_module: Option<ModuleValues<'a>>,
}

/// `terraform.tfstate`
#[derive(Deserialize)]
struct RawState<'a> {
    terraform_version: Option<SmolStr>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    resources: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawBlock<'a> {
    module: Option<SmolStr>,
    mode: Option<SmolStr>,
    #[serde(rename = "type")]
    type_name: SmolStr,
    name: SmolStr,
    provider: Option<SmolStr>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    instances: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawInstance<'a> {
    #[serde(borrow)]
    index_key: Option<&'a RawValue>,
    deposed: Option<SmolStr>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    /// Before Terraform 0.12 had schemas at hand: dotted paths to strings.
    #[serde(borrow)]
    attributes_flat: Option<&'a RawValue>,
    /// Lists of steps since 0.15; other shapes before are ignored.
    #[serde(borrow)]
    sensitive_attributes: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "or_default")]
    dependencies: Vec<SmolStr>,
}

#[derive(Deserialize)]
struct RawStep<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// A step of a sensitive path with a typed value.
#[derive(Deserialize)]
struct RawStepKey<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// Reads `terraform show -json` of a state.
pub fn read(text: &str, file: FileId, wanted: &dyn Fn(&str) -> bool) -> Program {
    let document = Document::new(text, file);
    let mut program = Program { kind: InputKind::TerraformState, ..Program::default() };
    match serde_json::from_str::<Shown<'_>>(text) {
        Ok(shown) => {
            program.written_by = shown.terraform_version.map(|version| format!("Terraform {version}"));
            if let Some(root) = shown.values.and_then(|values| values.root_module) {
                root.read(document, wanted, &mut program, &mut |_| true);
            }
        }
        Err(error) => program.diagnostics.push(document.not_understood("the state", text, &error)),
    }
    program
}

/// Reads a raw state of version 4.
pub fn read_raw(text: &str, file: FileId, wanted: &dyn Fn(&str) -> bool) -> Program {
    let document = Document::new(text, file);
    let mut program = Program { kind: InputKind::TerraformState, ..Program::default() };
    let Some(state) = document.parse::<RawState<'_>>("the state", text, &mut program.diagnostics) else {
        return program;
    };
    program.written_by = state.terraform_version.map(|version| format!("Terraform {version}"));
    for raw in state.resources {
        let what = "an entry of `resources`";
        let block: Option<RawBlock<'_>> = document.parse(what, raw.get(), &mut program.diagnostics);
        if let Some(block) = block {
            read_block(document, &block, wanted, &mut program);
        }
    }
    program
}

fn read_block<'a>(
    document: Document<'a>,
    block: &RawBlock<'a>,
    wanted: &dyn Fn(&str) -> bool,
    program: &mut Program,
) {
    let mode = mode(block.mode.as_deref());
    let module = block.module.clone().unwrap_or_default();
    let provider = block.provider.as_deref().and_then(|text| provider(program, text));
    for raw in &block.instances {
        let what = "an entry of `instances`";
        let instance = document.parse(what, raw.get(), &mut program.diagnostics);
        let Some::<RawInstance<'_>>(instance) = instance else { continue };
        if instance.deposed.is_some() {
            continue;
        }
        let key = instance.index_key.and_then(key);
        let prefix = if module.is_empty() { "" } else { "." };
        let data = if mode == Mode::Data { "data." } else { "" };
        let index = key.as_ref().map(Key::to_string).unwrap_or_default();
        let address = format_smolstr!("{module}{prefix}{data}{}.{}{index}", block.type_name, block.name);
        let attributes = instance.attributes.or(instance.attributes_flat);
        let after = if wanted(&block.type_name) {
            let mut sensitive = Marks::None;
            for path in sensitive_paths(instance.sensitive_attributes) {
                sensitive.add(&path);
            }
            decode(document, attributes, &sensitive, &address, program)
        } else {
            Value::object([])
        };
        program.resources.push(Resource {
            block: Address::parse(&address).map_or_else(|| address.clone(), |address| address.block()),
            address,
            mode,
            type_name: block.type_name.clone(),
            native_type: None,
            name: block.name.clone(),
            module: module.clone(),
            key,
            provider,
            before: None,
            after: Some(after),
            action: Action::None,
            site: document.site(raw.get()),
            places: Arc::default(),
            untold: None,
            configured: None,
            references: links(&instance.dependencies),
        });
    }
}

/// The provider configuration of `module.m.provider["registry.terraform.io/hashicorp/aws"].alias`.
pub(super) fn provider(program: &mut Program, text: &str) -> Option<usize> {
    let (_, rest) = text.split_once("provider")?;
    let (source, alias) = if let Some(rest) = rest.strip_prefix("[\"") {
        rest.split_once("\"]")?
    } else {
        let rest = rest.strip_prefix('.')?;
        rest.find('.').map_or((rest, ""), |dot| rest.split_at(dot))
    };
    let name = source.rsplit('/').next().unwrap_or(source);
    let alias = alias.strip_prefix('.').map(SmolStr::new);
    let is_it = |known: &ProviderConfig| known.name == name && known.alias == alias;
    if let Some(known) = program.providers.iter().position(is_it) {
        return Some(known);
    }
    program.providers.push(ProviderConfig {
        name: name.into(),
        alias,
        region: Value::unknown(Cause::Other("a state does not tell the provider's region".into())),
        default_tags: Value::object([]),
        site: None,
    });
    Some(program.providers.len() - 1)
}

/// Sensitive paths are followed so far; what lies deeper is hidden with what is there.
const MAX_PATH: usize = 64;

/// `[[{"type": "get_attr", "value": "password"}, {"type": "index", "value": {"value": 0, "type": "number"}}]]`
fn sensitive_paths(raw: Option<&RawValue>) -> Vec<Vec<PathStep>> {
    let paths: Vec<Vec<RawStep<'_>>> =
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let step = |step: &RawStep<'_>| -> Option<PathStep> {
        let raw = step.value?;
        let typed: Option<RawStepKey<'_>> = serde_json::from_str(raw.get()).ok();
        Some(match key(typed.and_then(|typed| typed.value).unwrap_or(raw))? {
            Key::String(name) => PathStep::Field(name),
            Key::Int(index) => PathStep::Item(usize::try_from(index).ok()?),
            Key::Any => return None,
        })
    };
    // A step that is not understood ends its path there: what is above it is hidden whole.
    paths.iter().map(|path| path.iter().take(MAX_PATH).map_while(step).collect()).collect()
}

impl<'a> ModuleValues<'a> {
    /// Adds the resources of the module and its children that `keep` keeps.
    pub(super) fn read(
        &self,
        document: Document<'a>,
        wanted: &dyn Fn(&str) -> bool,
        program: &mut Program,
        keep: &mut dyn FnMut(&Resource) -> bool,
    ) {
        for raw in &self.resources {
            let what = "an entry of `resources`";
            let instance = document.parse(what, raw.get(), &mut program.diagnostics);
            let Some::<Instance<'a>>(instance) = instance else { continue };
            let address = Address::parse(&instance.address);
            let mut resource = Resource {
                block: address.map_or_else(|| instance.address.clone(), |address| address.block()),
                address: instance.address,
                mode: mode(instance.mode.as_deref()),
                type_name: instance.type_name,
                native_type: None,
                name: instance.name,
                module: self.address.clone(),
                key: instance.index.and_then(key),
                provider: None,
                before: None,
                after: Some(Value::object([])),
                action: Action::None,
                site: document.site(raw.get()),
                places: Arc::default(),
                untold: None,
                configured: None,
                references: Vec::new(),
            };
            if !keep(&resource) {
                continue;
            }
            if wanted(&resource.type_name) {
                let sensitive = Marks::parse(instance.sensitive_values);
                let after = decode(document, instance.values, &sensitive, &resource.address, program);
                resource.after = Some(after);
            }
            resource.references = links(&instance.depends_on);
            program.resources.push(resource);
        }
        for child in &self.child_modules {
            child.read(document, wanted, program, keep);
        }
    }
}

fn decode<'a>(
    document: Document<'a>,
    raw: Option<&'a RawValue>,
    sensitive: &Marks,
    address: &str,
    program: &mut Program,
) -> Value {
    let Some(raw) = raw else { return Value::object([]) };
    document.decode(raw, &Marks::None, sensitive).unwrap_or_else(|error| {
        program.diagnostics.push(document.not_understood(address, raw.get(), &error));
        Value::unknown(Cause::Limit("the value is nested too deep".into()))
    })
}

fn mode(mode: Option<&str>) -> Mode {
    if mode == Some("data") { Mode::Data } else { Mode::Managed }
}

/// A state keeps what a resource depends on, not through which attribute.
fn links(dependencies: &[SmolStr]) -> Vec<Link> {
    let link = |resource: &SmolStr| Link {
        path: SmolStr::default(),
        target: Arc::new(Reference { resource: resource.clone(), attribute: SmolStr::default() }),
    };
    dependencies.iter().map(link).collect()
}
