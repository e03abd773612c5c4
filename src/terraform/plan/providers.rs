//! The provider configurations of a plan, and which resource uses which.

use foldhash::HashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::input::json::{Document, Entries, Text};
use crate::program::{Program, ProviderConfig};
use crate::value::{Cause, Value};

use super::config::{Configuration, Index, ModuleId, ProviderBlock, ROOT};
use super::expression::{Leaf, Node};

/// A variable that is handed down through more modules than this is not followed.
const MAX_DEPTH: usize = 32;

/// Reads the provider configurations into `program`, and ties its resources to them.
pub(super) fn read<'a>(
    document: Document<'a>,
    configuration: &Configuration<'a>,
    index: &Index<'_, 'a>,
    variables: Option<&'a RawValue>,
    program: &mut Program,
) {
    let variables = variables.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let reader = Reader { document, index, variables };
    let mut by_key: HashMap<&str, usize> = HashMap::default();
    for (key, block) in &configuration.provider_config {
        by_key.insert(key, program.providers.len());
        program.providers.push(reader.provider(key, block));
    }
    // A module that only says which provider it requires has an entry without expressions: it uses its parent's.
    let find = |key: &str| {
        let mut key = key.to_owned();
        loop {
            let block = configuration.provider_config.get(key.as_str());
            let own = by_key.get(key.as_str()).copied();
            if own.is_some() && block.is_some_and(|block| block.expressions.is_some()) {
                return own;
            }
            let Some((module, name)) = key.rsplit_once(':') else { return own };
            let parent = match module.rsplit_once(".module.") {
                Some((parent, _)) => format!("{parent}:{name}"),
                None => name.to_owned(),
            };
            if !by_key.contains_key(parent.as_str()) {
                return own;
            }
            key = parent;
        }
    };
    let mut found: HashMap<SmolStr, Option<usize>> = HashMap::default();
    for resource in program.resources.iter_mut().chain(&mut program.stored) {
        let Some((_, block)) = index.block(&resource.block) else { continue };
        let Some(key) = &block.provider_config_key else { continue };
        resource.provider = match found.get(key) {
            Some(provider) => *provider,
            None => *found.entry(key.clone()).or_insert_with(|| find(key)),
        };
    }
}

/// Ties what is deleted, and is not in the configuration any more, to the one provider configuration that it can be of:
/// `providers` are the addresses of providers by those of resources. Of several in different regions it may be any.
pub(super) fn of_deleted(
    configuration: &Configuration<'_>,
    providers: &HashMap<SmolStr, SmolStr>,
    program: &mut Program,
) {
    let Program { resources, stored, providers: known, .. } = program;
    // In the order in which they were read.
    let own = configuration.provider_config.values().enumerate();
    let own: Vec<_> = own
        .filter(|(_, block)| block.expressions.is_some() || block.module_address.is_none())
        .filter_map(|(at, block)| Some((at, block.full_name.as_deref()?)))
        .collect();
    let mut found: HashMap<&str, Option<usize>> = HashMap::default();
    let resources = resources.iter_mut().chain(stored);
    for resource in resources.filter(|resource| resource.provider.is_none()) {
        let Some(provider) = providers.get(&resource.address) else { continue };
        resource.provider = *found.entry(provider).or_insert_with(|| {
            let mut all = own.iter().filter(|(_, name)| *name == provider.as_str()).map(|(at, _)| *at);
            let first = all.next()?;
            let region = |at: usize| known.get(at).and_then(|config| config.region.as_str());
            all.all(|other| region(other).is_some() && region(other) == region(first)).then_some(first)
        });
    }
}

/// The values of root variables, sensitive where they are declared so.
pub(super) fn variables<'a>(
    document: Document<'a>,
    configuration: &Configuration<'a>,
    variables: Option<&'a RawValue>,
) -> Vec<(SmolStr, Value)> {
    let values: Entries<'a> =
        variables.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let value = |(name, raw): &(Text<'a>, &'a RawValue)| {
        let name = SmolStr::new(&name.0);
        let told: VariableValue<'a> = serde_json::from_str(raw.get()).ok()?;
        let value = match told.value {
            Some(raw) => document.decode_plain(raw).ok()?,
            None => Value::NULL,
        };
        let declared = configuration.root_module.variables.get(&name);
        let value = value.mark(declared.is_some_and(|variable| variable.sensitive));
        Some((name, Value { origin: document.site(raw.get()), ..value }))
    };
    values.0.iter().filter_map(value).collect()
}

struct Reader<'x, 'c, 'a> {
    document: Document<'a>,
    index: &'x Index<'c, 'a>,
    variables: Entries<'a>,
}

#[derive(Deserialize)]
struct VariableValue<'a> {
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl<'a> Reader<'_, '_, 'a> {
    fn provider(&self, key: &str, block: &ProviderBlock<'a>) -> ProviderConfig {
        let module = block.module_address.as_deref().map_or(Some(ROOT), |path| self.module(path));
        let body = block.expressions.map(Node::parse_body).unwrap_or_default();
        let mut region = Value::NULL;
        let mut default_tags = Value::object([]);
        for (name, node) in &body {
            match (name.as_str(), node) {
                ("region", Node::Leaf(leaf)) => region = self.region(leaf, module),
                ("default_tags" | "default_labels", node) => default_tags = self.tags(node),
                _ => {}
            }
        }
        let name = key.rsplit_once(':').map_or(key, |(_, name)| name);
        let name = block.name.clone().unwrap_or_else(|| name.split('.').next().unwrap_or(name).into());
        let site = block.expressions.and_then(|raw| self.document.site(raw.get()));
        ProviderConfig { name, alias: block.alias.clone(), region, default_tags, site }
    }

    fn module(&self, path: &str) -> Option<ModuleId> {
        let (steps, _) = crate::terraform::address::parse_module(path)?;
        steps.iter().try_fold(ROOT, |id, step| self.index.child(id, &step.name))
    }

    /// The region: a literal, or a variable alone. The plan does not tell `var.region` from `f(var.region)`, so what comes out
    /// must look like a region.
    fn region(&self, leaf: &Leaf<'a>, module: Option<ModuleId>) -> Value {
        let mut names = leaf.longest();
        let name = names.next().unwrap_or_default().to_owned();
        let is_alone = names.next().is_none();
        match self.value(leaf, module, 0) {
            Some(value) if leaf.constant.is_some() => value,
            Some(value) if is_alone && value.as_str().is_some_and(looks_like_region) => value,
            _ => Value::unknown(Cause::Other(if name.is_empty() {
                "the provider's region is computed".into()
            } else {
                smol_str::format_smolstr!("the provider's region is computed from `{name}`")
            })),
        }
    }

    fn value(&self, leaf: &Leaf<'a>, module: Option<ModuleId>, depth: usize) -> Option<Value> {
        if let Some(raw) = leaf.constant {
            return self.document.decode_plain(raw).ok();
        }
        let module = module.filter(|_| depth < MAX_DEPTH)?;
        let name = leaf.longest().next()?.strip_prefix("var.")?;
        if module == ROOT {
            let (_, raw) = self.variables.0.iter().find(|(key, _)| key.0 == name)?;
            let variable: VariableValue<'a> = serde_json::from_str(raw.get()).ok()?;
            let sensitive = self.index.root_variable(name).is_some_and(|variable| variable.sensitive);
            return self.document.decode_plain(variable.value?).ok().map(|value| value.mark(sensitive));
        }
        let (parent, raw) = self.index.argument(module, name)?;
        self.value(&Leaf::parse(raw)?, Some(parent), depth + 1)
    }

    fn tags(&self, node: &Node<'a>) -> Value {
        match node {
            Node::Leaf(Leaf { constant: Some(raw), .. }) => {
                self.document.decode_plain(raw).unwrap_or_else(|_| Value::object([]))
            }
            Node::Leaf(_) => Value::unknown(Cause::Other("the provider's default tags are computed".into())),
            Node::Body(body) => body
                .iter()
                .find(|(name, _)| name == "tags")
                .map_or_else(|| Value::object([]), |(_, node)| self.tags(node)),
            Node::Blocks(blocks) => {
                blocks.first().map_or_else(|| Value::object([]), |block| self.tags(block))
            }
        }
    }
}

/// `eu-west-1`, `us-gov-east-1`, `europe-west4`: AWS and Google name regions so.
fn looks_like_region(text: &str) -> bool {
    text.contains('-')
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.len() <= 32
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
