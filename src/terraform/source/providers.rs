//! Provider configurations: those of the root module, those of modules, and which one a name means where.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::hcl::ast::{Expr, ExprKind, Step};
use crate::program::ProviderConfig;
use crate::value::Value;

use super::body::BodyReader;
use super::module::Declared;
use super::scope::ModuleScope;

/// A provider's local name and alias.
type Name = (SmolStr, Option<SmolStr>);

/// What provider names mean in one module instance: indexes into [`crate::program::Program::providers`].
#[derive(Debug, Default)]
pub(super) struct Environment {
    names: BTreeMap<Name, usize>,
}

impl Environment {
    /// The names in the module `scope`, with what was handed to it: its own blocks are added to `providers`.
    pub(super) fn inside(&self, scope: &ModuleScope<'_>, providers: &mut Vec<ProviderConfig>) -> Self {
        let mut names = self.names.clone();
        for declared in &scope.module.providers {
            let config = configuration(*declared, scope);
            let name = (config.name.clone(), config.alias.clone());
            names.insert(name, providers.len());
            providers.push(config);
        }
        Self { names }
    }

    /// What a call hands to the module: the default configurations, and what its `providers` say.
    pub(super) fn of_call(&self, call: Declared<'_>, providers: &mut Vec<ProviderConfig>) -> Self {
        let defaults = self.names.iter().filter(|((_, alias), _)| alias.is_none());
        let mut names: BTreeMap<Name, usize> = defaults.map(|(name, &index)| (name.clone(), index)).collect();
        let items = match call.body().attribute("providers").map(|attribute| attribute.value.kind) {
            Some(ExprKind::Object(items)) => items,
            _ => &[],
        };
        for item in items {
            if let (Some(inner), Some(outer)) = (name(&item.key), name(&item.value)) {
                names.insert(inner, self.find(outer, providers));
            }
        }
        Self { names }
    }

    /// The configuration of a resource: its `provider` argument, or the default one of its type's prefix.
    pub(super) fn of_resource(
        &self,
        declared: Declared<'_>,
        kind: &str,
        providers: &mut Vec<ProviderConfig>,
    ) -> Option<usize> {
        let name = match declared.body().attribute("provider") {
            Some(attribute) => name(&attribute.value)?,
            None => (kind.split('_').next().unwrap_or(kind).into(), None),
        };
        Some(self.find(name, providers))
    }

    /// The configuration that a name means; one without a block is added, as it comes from the environment.
    fn find(&self, (name, alias): Name, providers: &mut Vec<ProviderConfig>) -> usize {
        let name = (name, alias);
        if let Some(&index) = self.names.get(&name) {
            return index;
        }
        let (name, alias) = name;
        let is_same = |p: &ProviderConfig| p.site.is_none() && p.name == name && p.alias == alias;
        if let Some(index) = providers.iter().position(is_same) {
            return index;
        }
        let region = Value::NULL;
        providers.push(ProviderConfig { name, alias, region, default_tags: Value::object([]), site: None });
        providers.len() - 1
    }
}

fn configuration(declared: Declared<'_>, scope: &ModuleScope<'_>) -> ProviderConfig {
    let object = BodyReader::new(declared.file, scope, &[]).object(declared.body(), scope, "");
    let get = |path: &str| object.at_path(path).cloned();
    ProviderConfig {
        name: declared.block.labels.first().map(|label| label.text.into()).unwrap_or_default(),
        alias: get("alias").and_then(|alias| alias.as_str().map(SmolStr::from)),
        region: get("region").unwrap_or(Value::NULL),
        default_tags: get("default_tags.tags").unwrap_or_else(|| Value::object([])),
        site: Some(declared.site()),
    }
}

/// `aws`, `aws.west`, or the same in quotes as it was written before Terraform 0.12.
fn name(expr: &Expr<'_>) -> Option<Name> {
    match expr.kind {
        ExprKind::Variable(name) => Some((name.into(), None)),
        ExprKind::Access { base, steps: [Step::Attr(alias)] } => match base.kind {
            ExprKind::Variable(name) => Some((name.into(), Some(alias.text.into()))),
            _ => None,
        },
        ExprKind::String(text) => Some(match text.split_once('.') {
            Some((name, alias)) => (name.into(), Some(alias.into())),
            None => (text.into(), None),
        }),
        _ => None,
    }
}
