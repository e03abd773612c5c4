//! Pulumi's inputs. Types and properties get Terraform's names where the table knows them; the rest keeps its own.

mod map;
pub mod preview;
pub mod stack;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::input::json::{Document, known_after_apply, or_default};
use crate::input::wiring;
use crate::program::{Action, Link, Mode, Program, ProviderConfig, Resource};
use crate::value::{Cause, Kind, Reference, Value};

use map::Mapping;

/// A resource of a stack, or one side of a step.
#[derive(Deserialize)]
struct State<'a> {
    urn: SmolStr,
    #[serde(rename = "type")]
    token: SmolStr,
    id: Option<SmolStr>,
    /// A provider manages it; otherwise it is a component, which is nothing in the cloud.
    #[serde(default)]
    custom: bool,
    /// It is only read.
    #[serde(default)]
    external: bool,
    /// It waits for its deletion after a replacement.
    #[serde(default)]
    delete: bool,
    provider: Option<SmolStr>,
    #[serde(borrow)]
    inputs: Option<&'a RawValue>,
    #[serde(borrow)]
    outputs: Option<&'a RawValue>,
    #[serde(rename = "propertyDependencies", default, deserialize_with = "or_default")]
    property_dependencies: BTreeMap<SmolStr, Option<Vec<SmolStr>>>,
}

/// Collects what the steps of a preview or the resources of a stack say.
struct Reader<'a, 'w> {
    document: Document<'a>,
    wanted: &'w dyn Fn(&str) -> bool,
    /// `aws:region` and the like.
    config: BTreeMap<SmolStr, Value>,
    program: Program,
    mappings: HashMap<SmolStr, Option<Mapping>>,
    /// Provider configurations by URN.
    providers: HashMap<SmolStr, usize>,
    /// Resources by URN.
    by_urn: HashMap<SmolStr, usize>,
    /// Of each resource: which property comes from which others, with Terraform's name of the property.
    dependencies: Vec<Vec<(SmolStr, Vec<SmolStr>)>>,
}

/// The configuration of a provider plugin.
const PROVIDER: &str = "pulumi:providers:";

impl<'a, 'w> Reader<'a, 'w> {
    fn new(document: Document<'a>, wanted: &'w dyn Fn(&str) -> bool, program: Program) -> Self {
        Self {
            document,
            wanted,
            config: BTreeMap::new(),
            program,
            mappings: HashMap::default(),
            providers: HashMap::default(),
            by_urn: HashMap::default(),
            dependencies: Vec::new(),
        }
    }

    /// Takes in a resource with the state before and after. Components, stacks and providers are none.
    fn add(&mut self, raw: &str, before: Option<&State<'a>>, after: Option<&State<'a>>, action: Action) {
        let Some(state) = after.or(before) else { return };
        if state.token.starts_with(PROVIDER) {
            self.add_provider(state);
            return;
        }
        if !state.custom || state.token.starts_with("pulumi:pulumi:") || self.by_urn.contains_key(&state.urn)
        {
            return;
        }
        let mapping =
            self.mappings.entry(state.token.clone()).or_insert_with(|| Mapping::of(&state.token)).take();
        let type_name =
            mapping.as_ref().map_or_else(|| state.token.clone(), |mapping| mapping.type_name.clone());
        let is_wanted = (self.wanted)(&type_name);
        self.program.unmapped += usize::from(mapping.is_none());
        let mut side = |state: Option<&State<'a>>, is_after| {
            let state = state?;
            Some(if is_wanted { self.object(state, mapping.as_ref(), is_after) } else { Value::object([]) })
        };
        let (before, after_value) = (side(before, false), side(after, true));
        let is_after = after.is_some();
        let dependencies = state.property_dependencies.iter().filter(|_| is_wanted && is_after);
        let dependencies = dependencies.filter_map(|(property, urns)| {
            let urns = urns.as_ref().filter(|urns| !urns.is_empty())?;
            Some((value::name(property, mapping.as_ref()), urns.clone()))
        });
        self.dependencies.push(dependencies.collect());
        let configured = if is_wanted { self.configured(state, mapping.as_ref()) } else { None };
        let provider = self.provider(state);
        self.by_urn.insert(state.urn.clone(), self.program.resources.len());
        self.program.resources.push(Resource {
            address: state.urn.clone(),
            block: state.urn.clone(),
            mode: if state.external || action == Action::Read { Mode::Data } else { Mode::Managed },
            type_name,
            native_type: Some(state.token.clone()),
            name: name_of(&state.urn).into(),
            module: SmolStr::default(),
            key: None,
            provider,
            before,
            after: after_value,
            action,
            site: self.document.site(raw),
            places: Arc::default(),
            untold: None,
            configured: configured.map(Arc::new),
            references: Vec::new(),
        });
        self.mappings.insert(state.token.clone(), mapping);
    }

    /// Inputs, and outputs for what is no input.
    fn object(&mut self, state: &State<'a>, mapping: Option<&Mapping>, is_after: bool) -> Value {
        let mut entries = Vec::new();
        // Of equal names the last one stays: the cloud's id is the weakest, then outputs.
        match state.id.as_deref() {
            Some(id) if !id.is_empty() => entries.push(("id".into(), Value::string(id))),
            _ if is_after => entries.push(("id".into(), known_after_apply())),
            _ => {}
        }
        for raw in [state.outputs, state.inputs].into_iter().flatten() {
            match self.document.decode_plain(raw) {
                Ok(value) => {
                    let value = value::properties(value, mapping);
                    let map = value.map().into_iter().flat_map(crate::value::Map::iter);
                    // Previews have the outputs of what does not exist yet as empty strings.
                    let map = map.filter(|(name, value)| *name != "id" || value.as_str() != Some(""));
                    entries.extend(map.map(|(name, value)| (name.clone(), value.clone())));
                }
                Err(error) => {
                    let diagnostic = self.document.not_understood(&state.urn, raw.get(), &error);
                    self.program.diagnostics.push(diagnostic);
                }
            }
        }
        Value::object(entries)
    }

    /// The inputs that the program gives: those of its provider's defaults are listed beside them.
    fn configured(&self, state: &State<'a>, mapping: Option<&Mapping>) -> Option<BTreeSet<SmolStr>> {
        let inputs = self.document.decode_plain(state.inputs?).ok()?;
        let defaults = inputs.get("__defaults").and_then(Value::items).unwrap_or_default();
        let is_given = |key: &SmolStr| {
            !key.starts_with("__") && !defaults.iter().any(|default| default.as_str() == Some(key))
        };
        let keys = inputs.map()?.keys().filter(|key| is_given(key));
        Some(keys.map(|key| value::name(key, mapping)).collect())
    }

    fn add_provider(&mut self, state: &State<'a>) {
        let inputs = state.inputs.and_then(|raw| self.document.decode_plain(raw).ok()).map(value::plain);
        let input = |name: &str| inputs.as_ref().and_then(|inputs| inputs.get(name)).cloned();
        let package = state.token.trim_start_matches(PROVIDER);
        let name = name_of(&state.urn);
        let provider = ProviderConfig {
            name: package.into(),
            alias: (!name.starts_with("default")).then(|| name.into()),
            region: input("region").unwrap_or(Value::NULL),
            default_tags: input("defaultTags")
                .map(value::unwrap_json)
                .and_then(|tags| tags.get("tags").cloned().or_else(|| tags.is_unknown().then_some(tags)))
                .unwrap_or_else(|| Value::object([])),
            site: state.inputs.and_then(|raw| self.document.site(raw.get())),
        };
        // A resource that stands before its provider has put a default in its place.
        let known = self.providers.get(&state.urn).and_then(|&at| self.program.providers.get_mut(at));
        if let Some(known) = known {
            *known = provider;
        } else {
            self.providers.insert(state.urn.clone(), self.program.providers.len());
            self.program.providers.push(provider);
        }
    }

    /// The provider of a resource. Previews do not list default providers: those are what the configuration says.
    fn provider(&mut self, state: &State<'a>) -> Option<usize> {
        let (urn, _) = state.provider.as_deref()?.rsplit_once("::")?;
        if let Some(known) = self.providers.get(urn) {
            return Some(*known);
        }
        let package = state.token.split(':').next().unwrap_or_default();
        let name = name_of(urn);
        let configured = self.config.get(format!("{package}:region").as_str()).cloned();
        self.program.providers.push(ProviderConfig {
            name: package.into(),
            alias: (!name.starts_with("default")).then(|| name.into()),
            region: configured.unwrap_or(Value::NULL),
            default_tags: Value::object([]),
            site: None,
        });
        self.providers.insert(urn.into(), self.program.providers.len() - 1);
        Some(self.program.providers.len() - 1)
    }

    /// Ties values to the resources that their properties come from, and ends.
    fn finish(mut self) -> Program {
        for (i, dependencies) in self.dependencies.iter().enumerate() {
            let Some(mut after) =
                self.program.resources.get_mut(i).and_then(|resource| resource.after.take())
            else {
                continue;
            };
            let mut links = Vec::new();
            for (name, urns) in dependencies {
                let targets: Vec<Target<'_>> = urns.iter().map(|urn| self.target(urn)).collect();
                links.extend(
                    targets
                        .iter()
                        .map(|target| Link { path: name.clone(), target: Arc::clone(&target.reference) }),
                );
                if let Some(value) = wiring::entry_mut(&mut after, name) {
                    tie(value, &targets, name);
                }
            }
            if let Some(resource) = self.program.resources.get_mut(i) {
                resource.after = Some(after);
                resource.references = links;
            }
        }
        self.program
    }

    fn target(&self, urn: &SmolStr) -> Target<'_> {
        let resource = self.by_urn.get(urn).and_then(|&at| self.program.resources.get(at));
        Target {
            reference: Arc::new(Reference { resource: urn.clone(), attribute: SmolStr::default() }),
            mode: resource.map_or(Mode::Managed, |resource| resource.mode),
            after: resource.and_then(|resource| resource.after.as_ref()),
        }
    }
}

/// A resource that a property comes from. Pulumi does not keep from which of its outputs.
struct Target<'p> {
    reference: Arc<Reference>,
    mode: Mode,
    after: Option<&'p Value>,
}

impl Target<'_> {
    /// The attribute that is the string `text`, in the order of what resources are mostly referred to by.
    fn attribute(&self, text: &str) -> Option<SmolStr> {
        let after = self.after?;
        let is_it = |value: &Value| value.as_str() == Some(text);
        let usual = ["arn", "id", "name"].into_iter().find(|name| after.get(name).is_some_and(is_it));
        let any = || after.map()?.iter().find(|(_, value)| is_it(value)).map(|(name, _)| name.clone());
        usual.map(SmolStr::new_static).or_else(any)
    }
}

fn tie(value: &mut Value, targets: &[Target<'_>], name: &str) {
    match &mut value.kind {
        Kind::Unknown(unknown) if unknown.cause == Cause::Plan => match targets {
            [only] if !wiring::is_document_around(name, "") => {
                wiring::set_reference(value, only.mode, &only.reference);
            }
            _ => wiring::set_sources(value, targets.iter().map(|target| &target.reference)),
        },
        Kind::String(text) if !text.is_empty() => {
            let mut same = targets.iter().filter_map(|target| {
                let attribute = target.attribute(text)?;
                Some(Reference { resource: target.reference.resource.clone(), attribute })
            });
            if let (Some(only), None) = (same.next(), same.next()) {
                value.reference = Some(Arc::new(only));
            }
        }
        Kind::Object(map) => {
            let map = Arc::make_mut(map);
            let names: Vec<SmolStr> = map.keys().cloned().collect();
            names.iter().zip(map.values_mut()).for_each(|(name, value)| tie(value, targets, name));
        }
        Kind::Tuple(items) => Arc::make_mut(items).iter_mut().for_each(|item| tie(item, targets, name)),
        _ => {}
    }
}

/// The name in `urn:pulumi:stack::project::parent$type::name`; it may hold anything.
fn name_of(urn: &str) -> &str {
    urn.splitn(4, "::").nth(3).unwrap_or(urn)
}
