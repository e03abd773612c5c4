//! Provider configurations: those of the root module, those of modules, and which one a name means where.
//!
//! A name means a provider by its source address, which `required_providers` gives it, and an alias. A module has the
//! configurations that its call's `providers` hand to it, those that it declares, and of each provider the default one of
//! the module that calls it, also where `providers` names others (Terraform 1.11 does so). An empty block stands for what
//! is handed to it, and is a configuration of its own where nothing is.
//!
//! Which configuration a name means is told without evaluating anything; what a configuration says is evaluated when a
//! resource or a data source asks for it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use smol_str::{SmolStr, format_smolstr};

use crate::diagnostic::Diagnostic;
use crate::hcl::ast::{Expr, ExprKind, Item, Step};
use crate::program::ProviderConfig;
use crate::source::Site;
use crate::value::{Cause, Value};

use super::body::BodyReader;
use super::instance;
use super::module::{Declared, Module};
use super::scope::ModuleScope;

/// A provider, by its source address or its local name in a module, and the alias.
type Name = (SmolStr, Option<SmolStr>);

/// A configuration that a caller must hand to a module: local name, alias, and where the module asks for it.
type Handed = (SmolStr, SmolStr, Site);

/// All configurations of a run, by the indexes of [`crate::program::Program::providers`].
#[derive(Default)]
pub(super) struct Configurations<'a> {
    list: RefCell<Vec<Configuration<'a>>>,
    /// Those without a block.
    blockless: RefCell<BTreeMap<Name, usize>>,
    /// What was evaluated of them.
    values: RefCell<BTreeMap<(usize, &'static str), Option<Value>>>,
}

/// Tells a configuration from all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    name: Name,
    /// Its block, and the module instance that it is in.
    site: Option<Site>,
    module: Option<SmolStr>,
    /// Why it cannot be told.
    cause: Option<Cause>,
}

/// A configuration, not evaluated.
#[derive(Clone)]
struct Configuration<'a> {
    name: Name,
    /// The provider's type: `aws`.
    provider: SmolStr,
    origin: Origin<'a>,
}

/// Where a configuration comes from.
#[derive(Clone)]
enum Origin<'a> {
    /// A block, and the module that it is in.
    Block(Declared<'a>, Weak<ModuleScope<'a>>),
    /// It has no block: the environment configures it.
    Environment,
    /// It cannot be told.
    Unknown(Cause, Option<Site>),
}

/// What provider names mean in one module instance.
#[derive(Debug, Default)]
pub(super) struct Environment {
    names: BTreeMap<Name, usize>,
    /// Source addresses by local name.
    sources: BTreeMap<SmolStr, SmolStr>,
}

impl Environment {
    /// The names in a module: nothing is evaluated.
    pub(super) fn of(scope: &ModuleScope<'_>) -> Self {
        let (sources, aliases) = requirements(scope.module);
        let mut this = Self { names: BTreeMap::new(), sources };
        let handed = if let (Some(parent), Some(call)) = (scope.parent(), scope.call_block()) {
            this.inherit(&parent, call, aliases, scope)
        } else {
            for (local, alias, site) in aliases {
                let cause = format_smolstr!("`{local}.{alias}` is what a caller of the module hands to it");
                let name = (this.source(&local), Some(alias));
                let index = scope.run.providers.add(&name, Origin::Unknown(Cause::Other(cause), Some(site)));
                this.names.insert(name, index);
            }
            BTreeMap::new()
        };
        for &declared in &scope.module.providers {
            let Some(label) = declared.block.labels.first() else { continue };
            let alias = match declared.body().attribute("alias").map(|attribute| attribute.value.kind) {
                Some(ExprKind::String(alias)) => Some(alias.into()),
                _ => None,
            };
            let name = (this.source(label.text), alias);
            let is_empty = declared.body().blocks().next().is_none()
                && declared.body().attributes().all(|a| matches!(a.name.text, "alias" | "version"));
            if is_empty && handed.contains_key(&name) {
                continue;
            }
            let origin = match declared.body().attribute("for_each") {
                None => Origin::Block(declared, Weak::clone(&scope.this)),
                // OpenTofu has it.
                Some(_) => Origin::Unknown(several(label.text, name.1.as_ref()), Some(declared.site())),
            };
            let index = scope.run.providers.add(&name, origin);
            this.names.insert(name, index);
        }
        this
    }

    /// Takes over what the call hands down; returns what it names.
    fn inherit<'a>(
        &mut self,
        parent: &ModuleScope<'a>,
        call: Declared<'a>,
        aliases: Vec<Handed>,
        scope: &ModuleScope<'a>,
    ) -> BTreeMap<Name, usize> {
        let around = parent.environment();
        let defaults = around.names.iter().filter(|((_, alias), _)| alias.is_none());
        self.names.extend(defaults.map(|(name, &index)| (name.clone(), index)));
        let items = match call.body().attribute("providers").map(|attribute| attribute.value.kind) {
            Some(ExprKind::Object(items)) => items,
            _ => &[],
        };
        let mut handed = BTreeMap::new();
        for item in items {
            if let (Some((local, alias)), Some(outer)) = (name(&item.key), name(&item.value)) {
                let site = item.value.span.at(call.file);
                handed.insert((self.source(&local), alias), around.find(outer, site, parent));
            }
        }
        for (local, alias, site) in aliases {
            let name = (self.source(&local), Some(alias.clone()));
            if handed.contains_key(&name) || is_declared(scope.module, &local, &alias) {
                continue;
            }
            let message =
                format!("`{}` is not given the provider configuration `{local}.{alias}`", scope.block_path);
            let what = Diagnostic::warning(message.clone()).at(call.site());
            scope.report(
                what.help(format!("add it to the `providers` of the call: `{local}.{alias} = {local}`")),
            );
            let origin = Origin::Unknown(Cause::Error(message.into()), Some(site));
            let index = scope.run.providers.add(&name, origin);
            self.names.insert(name, index);
        }
        self.names.extend(handed.iter().map(|(name, &index)| (name.clone(), index)));
        handed
    }

    /// The source address that a local name means.
    fn source(&self, local: &str) -> SmolStr {
        self.sources.get(local).cloned().unwrap_or_else(|| format_smolstr!("hashicorp/{local}"))
    }

    /// The configuration of a resource: its `provider` argument, or the default one of its type's prefix. [`None`] if the
    /// argument is not understood.
    pub(super) fn of_resource(
        &self,
        declared: Declared<'_>,
        kind: &str,
        scope: &ModuleScope<'_>,
    ) -> Option<usize> {
        let (name, site) = if let Some(attribute) = declared.body().attribute("provider") {
            (name(&attribute.value)?, attribute.value.span.at(declared.file))
        } else {
            ((kind.split('_').next().unwrap_or(kind).into(), None), declared.site())
        };
        Some(self.find(name, site, scope))
    }

    /// The configuration that a name in `scope` means. A default one without a block comes from the environment; one with
    /// an alias must be declared.
    fn find(&self, (local, alias): Name, site: Site, scope: &ModuleScope<'_>) -> usize {
        let name = (self.source(&local), alias);
        if let Some(&index) = self.names.get(&name) {
            return index;
        }
        let configurations = &scope.run.providers;
        if let Some(&index) = configurations.blockless.borrow().get(&name) {
            return index;
        }
        let origin = match &name.1 {
            None => Origin::Environment,
            Some(alias) => {
                let message = format!("provider configuration `{local}.{alias}` is not declared");
                scope.report(Diagnostic::warning(message.clone()).at(site));
                Origin::Unknown(Cause::Error(message.into()), None)
            }
        };
        let index = configurations.add(&name, origin);
        configurations.blockless.borrow_mut().insert(name, index);
        index
    }
}

impl<'a> Configurations<'a> {
    fn add(&self, name: &Name, origin: Origin<'a>) -> usize {
        let provider = name.0.rsplit('/').next().unwrap_or(&name.0).into();
        let mut list = self.list.borrow_mut();
        list.push(Configuration { name: name.clone(), provider, origin });
        list.len() - 1
    }

    fn get(&self, index: usize) -> Option<Configuration<'a>> {
        self.list.borrow().get(index).cloned()
    }

    /// What the configuration says of `field`, evaluated once: an attribute, or the blocks of a type. [`None`] if nothing.
    pub(super) fn field(&self, index: usize, field: &'static str) -> Option<Value> {
        if let Some(done) = self.values.borrow().get(&(index, field)) {
            return done.clone();
        }
        let value = match self.get(index)?.origin {
            Origin::Block(declared, scope) => {
                let scope = scope.upgrade()?;
                scope.recording(|| instance::attribute(declared, field, &scope, &*scope)).0
            }
            Origin::Environment => None,
            Origin::Unknown(cause, site) => {
                let unknown = Value::unknown(cause);
                Some(Value { origin: site, ..unknown })
            }
        };
        let value = value.filter(|value| !value.is_null());
        self.values.borrow_mut().insert((index, field), value.clone());
        value
    }

    /// The `tags` of the configuration's `default_tags`.
    pub(super) fn default_tags(&self, index: usize) -> Option<Value> {
        let blocks = self.field(index, "default_tags")?;
        blocks.at_path("tags").filter(|tags| !tags.is_null()).cloned()
    }

    /// What tells each of them from the others in whatever order they were asked for.
    pub(super) fn identities(&self) -> Vec<Identity> {
        let list = self.list.borrow();
        let identity = |configuration: &Configuration<'a>| {
            let (site, module, cause) = match &configuration.origin {
                Origin::Block(declared, scope) => {
                    (Some(declared.site()), scope.upgrade().map(|scope| scope.path.clone()), None)
                }
                Origin::Environment => (None, None, None),
                Origin::Unknown(cause, site) => (*site, None, Some(cause.clone())),
            };
            Identity { name: configuration.name.clone(), site, module, cause }
        };
        list.iter().map(identity).collect()
    }

    /// All of them, evaluated. What is wrong in a block is reported.
    pub(super) fn evaluated(&self) -> Vec<ProviderConfig> {
        let count = self.list.borrow().len();
        let configurations = (0..count).filter_map(|index| Some((index, self.get(index)?)));
        let all = configurations.map(|(index, configuration)| {
            let site = match &configuration.origin {
                Origin::Block(declared, scope) => {
                    if let Some(scope) = scope.upgrade() {
                        let _ = BodyReader::new(declared.file, &scope, &[]).object(declared.body(), &*scope);
                    }
                    Some(declared.site())
                }
                Origin::Unknown(_, site) => *site,
                Origin::Environment => None,
            };
            ProviderConfig {
                name: configuration.provider,
                alias: configuration.name.1,
                region: self.field(index, "region").unwrap_or(Value::NULL),
                default_tags: self.default_tags(index).unwrap_or_else(|| Value::object([])),
                site,
            }
        });
        all.collect()
    }
}

impl<'a> ModuleScope<'a> {
    /// The block of the provider configuration that a resource or data source of type `kind` has here, and the module that
    /// it is in. [`None`] if it has none, or if that cannot be told.
    pub(super) fn provider_block(
        &self,
        declared: Declared<'_>,
        kind: &str,
    ) -> Option<(Declared<'a>, Rc<ModuleScope<'a>>)> {
        let index = self.environment().of_resource(declared, kind, self)?;
        match self.run.providers.get(index)?.origin {
            Origin::Block(block, scope) => Some((block, scope.upgrade()?)),
            Origin::Environment | Origin::Unknown(..) => None,
        }
    }
}

/// The source address that a module's `required_providers` give a local name.
pub(super) fn source_of(module: &Module<'_>, local: &str) -> Option<SmolStr> {
    requirements(module).0.remove(local)
}

/// The `required_providers` of a module: source addresses by local name, and the aliases that a caller must hand to it, with
/// where each is asked for.
fn requirements(module: &Module<'_>) -> (BTreeMap<SmolStr, SmolStr>, Vec<Handed>) {
    let (mut sources, mut aliases) = (BTreeMap::new(), Vec::new());
    let blocks = module.settings.iter().flat_map(|settings| {
        let body = settings.body();
        body.items.iter().filter_map(|item| match item {
            Item::Block(block) if block.ident.text == "required_providers" => Some((settings.file, block)),
            _ => None,
        })
    });
    for (file, block) in blocks {
        for attribute in block.body.attributes() {
            let ExprKind::Object(items) = attribute.value.kind else { continue };
            for item in items {
                match (item.key.kind, item.value.kind) {
                    (ExprKind::Variable("source") | ExprKind::String("source"), ExprKind::String(source)) => {
                        sources.insert(attribute.name.text.into(), address(source));
                    }
                    (ExprKind::Variable("configuration_aliases"), ExprKind::Tuple(list)) => {
                        aliases.extend(list.iter().filter_map(|expr| {
                            let (local, alias) = name(expr)?;
                            Some((local, alias?, expr.span.at(file)))
                        }));
                    }
                    _ => {}
                }
            }
        }
    }
    (sources, aliases)
}

/// A source address without what is understood: the public registries and the namespace `hashicorp`.
fn address(source: &str) -> SmolStr {
    let source = source.to_ascii_lowercase();
    let hosts = ["registry.terraform.io/", "registry.opentofu.org/"];
    let short = hosts.iter().find_map(|host| source.strip_prefix(host)).unwrap_or(&source);
    if short.contains('/') { short.into() } else { format_smolstr!("hashicorp/{short}") }
}

fn is_declared(module: &Module<'_>, local: &str, alias: &str) -> bool {
    module.providers.iter().any(|declared| {
        let its = declared.body().attribute("alias").map(|attribute| attribute.value.kind);
        let its = match its {
            Some(ExprKind::String(text)) => Some(text),
            _ => None,
        };
        declared.block.labels.first().is_some_and(|label| label.text == local) && its == Some(alias)
    })
}

/// Why a configuration with `for_each` is not told.
fn several(local: &str, alias: Option<&SmolStr>) -> Cause {
    let alias = alias.map_or("", SmolStr::as_str);
    Cause::Other(format_smolstr!(
        "`{local}.{alias}` has `for_each`: which configuration is meant is not told"
    ))
}

/// `aws`, `aws.west`, `aws.by_region["x"]`, or the first two in quotes as it was written before Terraform 0.12.
fn name(expr: &Expr<'_>) -> Option<Name> {
    match expr.kind {
        ExprKind::Variable(name) => Some((name.into(), None)),
        ExprKind::Access { base, steps: [Step::Attr(alias)] | [Step::Attr(alias), Step::Index(..)] } => {
            match base.kind {
                ExprKind::Variable(name) => Some((name.into(), Some(alias.text.into()))),
                _ => None,
            }
        }
        ExprKind::String(text) => Some(match text.split_once('.') {
            Some((name, alias)) => (name.into(), Some(alias.into())),
            None => (text.into(), None),
        }),
        ExprKind::Paren(inner) => name(inner),
        _ => None,
    }
}
