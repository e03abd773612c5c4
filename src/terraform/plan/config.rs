//! The `configuration` of a plan: which block sets what from which references. Expressions stay raw until a block is asked for.

use std::collections::BTreeMap;

use foldhash::HashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::{SmolStr, SmolStrBuilder, format_smolstr};

use crate::input::json::{Entries, or_default};

/// Modules nested deeper are not looked at; Terraform has no limit, people do.
const MAX_DEPTH: usize = 64;

#[derive(Deserialize)]
pub(super) struct Configuration<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) provider_config: BTreeMap<SmolStr, ProviderBlock<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) root_module: ModuleConfig<'a>,
}

#[derive(Deserialize)]
pub(super) struct ProviderBlock<'a> {
    pub(super) name: Option<SmolStr>,
    pub(super) full_name: Option<SmolStr>,
    pub(super) alias: Option<SmolStr>,
    pub(super) module_address: Option<SmolStr>,
    #[serde(borrow)]
    pub(super) expressions: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
pub(super) struct ModuleConfig<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) resources: Vec<BlockConfig<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) module_calls: BTreeMap<SmolStr, Call<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    outputs: BTreeMap<SmolStr, Output<'a>>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) variables: BTreeMap<SmolStr, Variable<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Variable<'a> {
    #[serde(default)]
    pub(super) sensitive: bool,
    #[serde(borrow)]
    pub(super) default: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    expression: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Call<'a> {
    pub(super) source: Option<SmolStr>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) expressions: Entries<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) module: ModuleConfig<'a>,
    #[serde(borrow)]
    pub(super) for_each_expression: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) count_expression: Option<&'a RawValue>,
}

/// A `resource` or `data` block.
#[derive(Deserialize)]
pub(super) struct BlockConfig<'a> {
    pub(super) mode: Option<SmolStr>,
    #[serde(rename = "type")]
    pub(super) type_name: SmolStr,
    pub(super) name: SmolStr,
    pub(super) provider_config_key: Option<SmolStr>,
    #[serde(borrow)]
    pub(super) expressions: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) for_each_expression: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) count_expression: Option<&'a RawValue>,
}

/// Names a module of the configuration.
pub(super) type ModuleId = usize;

/// The root module.
pub(super) const ROOT: ModuleId = 0;

/// A module with its place in the tree.
pub(super) struct Module<'c, 'a> {
    config: &'c ModuleConfig<'a>,
    /// The names of the calls that lead to it.
    pub(super) path: Vec<SmolStr>,
    /// The parent, and the call there.
    parent: Option<(ModuleId, &'c Call<'a>)>,
    children: BTreeMap<&'c str, ModuleId>,
}

/// The configuration by address.
pub(super) struct Index<'c, 'a> {
    modules: Vec<Module<'c, 'a>>,
    blocks: HashMap<SmolStr, (ModuleId, &'c BlockConfig<'a>)>,
}

impl<'a> Configuration<'a> {
    pub(super) fn parse(raw: &'a RawValue) -> Result<Self, serde_json::Error> {
        serde_json::from_str(raw.get())
    }
}

impl<'c, 'a> Index<'c, 'a> {
    pub(super) fn new(configuration: &'c Configuration<'a>) -> Self {
        let root = Module {
            config: &configuration.root_module,
            path: Vec::new(),
            parent: None,
            children: BTreeMap::new(),
        };
        let mut index = Self { modules: vec![root], blocks: HashMap::default() };
        index.add(ROOT, &configuration.root_module, "");
        index
    }

    fn add(&mut self, id: ModuleId, config: &'c ModuleConfig<'a>, prefix: &str) {
        for block in &config.resources {
            let mut address = SmolStrBuilder::new();
            address.push_str(prefix);
            if block.mode.as_deref() == Some("data") {
                address.push_str("data.");
            }
            address.push_str(&block.type_name);
            address.push('.');
            address.push_str(&block.name);
            self.blocks.insert(address.finish(), (id, block));
        }
        let path = self.modules.get(id).map(|module| module.path.clone()).unwrap_or_default();
        if path.len() >= MAX_DEPTH {
            return;
        }
        for (name, call) in &config.module_calls {
            let child = self.modules.len();
            let mut path = path.clone();
            path.push(name.clone());
            self.modules.push(Module {
                config: &call.module,
                path,
                parent: Some((id, call)),
                children: BTreeMap::new(),
            });
            if let Some(module) = self.modules.get_mut(id) {
                module.children.insert(name, child);
            }
            self.add(child, &call.module, &format_smolstr!("{prefix}module.{name}."));
        }
    }

    /// The block at an address without keys, and its module.
    pub(super) fn block(&self, address: &str) -> Option<(ModuleId, &'c BlockConfig<'a>)> {
        self.blocks.get(address).copied()
    }

    pub(super) fn module(&self, id: ModuleId) -> Option<&Module<'c, 'a>> {
        self.modules.get(id)
    }

    /// The module that `name` calls in the module `id`.
    pub(super) fn child(&self, id: ModuleId, name: &str) -> Option<ModuleId> {
        self.modules.get(id)?.children.get(name).copied()
    }

    /// The expression of an output of the module `id`.
    pub(super) fn output(&self, id: ModuleId, name: &str) -> Option<&'a RawValue> {
        self.modules.get(id)?.config.outputs.get(name)?.expression
    }

    /// The expression that the call of the module `id` gives to a variable, with the module where it is evaluated.
    pub(super) fn argument(&self, id: ModuleId, variable: &str) -> Option<(ModuleId, &'a RawValue)> {
        let (parent, call) = self.modules.get(id)?.parent?;
        let (_, raw) = call.expressions.0.iter().find(|(name, _)| name.0 == variable)?;
        Some((parent, raw))
    }

    /// The `for_each` of the call of the module `id`, with the module where it is evaluated.
    pub(super) fn call_for_each(&self, id: ModuleId) -> Option<(ModuleId, &'a RawValue)> {
        let (parent, call) = self.modules.get(id)?.parent?;
        Some((parent, call.for_each_expression?))
    }

    /// What the root module declares of a variable.
    pub(super) fn root_variable(&self, name: &str) -> Option<&'c Variable<'a>> {
        self.modules.first()?.config.variables.get(name)
    }
}
