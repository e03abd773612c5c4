//! What a reader makes of an input, the same for every tool: resources, provider configurations, and what was not read.
//!
//! Terraform source, plan and state and Pulumi previews and stacks all become a [`Program`]. Nothing behind the readers
//! knows which tool the input came from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Site};
use crate::value::{Cause, Reference, Value};

/// One analysed input: a root module, a plan, a state, a preview or a stack.
#[derive(Debug, Default)]
pub struct Program {
    /// What kind of input it is.
    pub kind: InputKind,
    /// The path it was read from, as the user gave it.
    pub path: String,
    /// What it is called among others: [`None`] if that is its path.
    pub unit: Option<String>,
    /// The tool and version that wrote it, if it says so: `Terraform 1.11.4`.
    pub written_by: Option<String>,
    /// Resource and data instances, in the order of the input.
    pub resources: Vec<Resource>,
    /// Provider configurations.
    pub providers: Vec<ProviderConfig>,
    /// Module calls whose contents were not read.
    pub unfollowed: Vec<ModuleCall>,
    /// Module calls that were followed, by the path of the module without instance keys: `module.a.module.b`.
    pub calls: BTreeMap<SmolStr, FollowedCall>,
    /// Of each resource or module instance that stands for any (`module.a[?]`): by its address, what makes it.
    pub repeated: BTreeMap<SmolStr, Repeated>,
    /// How many resource instances the input has of types that were not mapped to a Terraform type.
    pub unmapped: usize,
    /// How many expressions of the source were evaluated, each once for all instances of a module that it is the same in.
    pub expressions: usize,
    /// Addresses before the change of what it moves, by those after it.
    pub moved: BTreeMap<SmolStr, SmolStr>,
    /// Resources as the state had them before it was refreshed, where that found them changed or gone: `after` is the object
    /// as stored.
    pub stored: Vec<Resource>,
    /// The source that gives places to a plan.
    pub source: Option<PlanSource>,
    /// The JSON of a plan that has a source: a value that is only there has no place that says more than its block.
    pub document: Option<FileId>,
    /// The input says of itself that it is not whole (`errored`, a failed preview): why.
    pub incomplete: Option<String>,
    /// What could not be read or understood.
    pub diagnostics: Vec<Diagnostic>,
}

/// The kinds of input.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum InputKind {
    /// A directory of `.tf` files.
    #[default]
    TerraformSource,
    /// `terraform show -json` of a plan.
    TerraformPlan,
    /// `terraform show -json` of a state.
    TerraformState,
    /// `pulumi preview --json`.
    PulumiPreview,
    /// `pulumi stack export`.
    PulumiStack,
}

/// A resource instance or a data instance.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The full address with instance keys: `module.a["x"].aws_s3_bucket.raw[0]`; of Pulumi the URN.
    pub address: SmolStr,
    /// The address of the block, without any instance key: `module.a.aws_s3_bucket.raw`. Instances of one block share it.
    pub block: SmolStr,
    /// `resource` or `data`.
    pub mode: Mode,
    /// Terraform's type name: `aws_s3_bucket`.
    pub type_name: SmolStr,
    /// The type as the user wrote it, where that is not `type_name`: `aws:s3/bucket:Bucket`.
    pub native_type: Option<SmolStr>,
    /// The name label.
    pub name: SmolStr,
    /// The path of the module instance, with keys: `module.a["x"]`; empty for the root.
    pub module: SmolStr,
    /// The instance key of the resource itself.
    pub key: Option<Key>,
    /// Index into [`Program::providers`].
    pub provider: Option<usize>,
    /// The object before the change, [`None`] if there was none, or if it is `after`: see [`Resource::earlier`].
    pub before: Option<Value>,
    /// The object after the change, [`None`] if it is deleted. Attributes that nobody set may be missing until the catalog
    /// completes them (see `graph`); nested blocks are lists, sets or objects as the provider schema says.
    pub after: Option<Value>,
    /// What the change does.
    pub action: Action,
    /// What a finding on the resource points at: the block's header, or the entry in the JSON.
    pub site: Option<Site>,
    /// Where attributes and blocks are written: dotted path without indexes → the first place. May be empty.
    pub places: Arc<BTreeMap<SmolStr, Site>>,
    /// Dotted paths, without indexes, of the attributes and blocks that the configuration sets; [`None`] where the input
    /// does not tell. Of an object that is set as a whole there may be only its own path. Instances of one block share it.
    pub configured: Option<Arc<BTreeSet<SmolStr>>>,
    /// Other resources that its configuration names, beside those that its values carry.
    pub references: Vec<Link>,
    /// `after` as the plan alone tells it, where the source told some of it that the plan knows only after apply.
    pub untold: Option<Box<Value>>,
}

/// A reference that is told apart from the value: an attribute path and the resource it is computed from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The attribute path without indexes: `data_source_configuration.s3_configuration.bucket_arn`.
    pub path: SmolStr,
    /// What it names.
    pub target: Arc<Reference>,
}

/// `resource` or `data`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `resource`: the tool creates and owns it.
    Managed,
    /// `data`: it is only read.
    Data,
}

/// An instance key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Of `count`.
    Int(i64),
    /// Of `for_each`.
    String(SmolStr),
    /// The count or the keys are unknown: this one instance stands for any. It is written `[?]`.
    Any,
}

/// What a change does to a resource.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is declared or exists; the input does not speak of change (source, state).
    #[default]
    None,
    /// Nothing changes.
    NoOp,
    /// It is created.
    Create,
    /// A data source is read at apply.
    Read,
    /// It is changed in place.
    Update,
    /// It is deleted.
    Delete,
    /// It is deleted and created again, in either order.
    Replace,
    /// It leaves the state and stays in the cloud.
    Forget,
    /// It is in the cloud and comes into the state; nothing else changes.
    Import,
}

/// What makes the instances of a block that cannot be told: there may be none.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// The expression of its `count` or `for_each`: the same one in the same module makes as many instances.
    pub site: Site,
    /// What is written at `site`.
    pub by: SmolStr,
    /// There is no more than one.
    pub at_most_once: bool,
    /// Why it cannot be told.
    pub cause: Cause,
}

/// The source of a plan, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSource {
    /// The directory of the root module, or the binary plan that holds it, as the user would write it.
    pub path: String,
    /// Whether nothing of it is known to differ from what was planned.
    pub exact: bool,
}

/// A provider configuration: one account and region, as far as the configuration tells.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// The provider's local name or type: `aws`.
    pub name: SmolStr,
    /// Its alias.
    pub alias: Option<SmolStr>,
    /// Its region (`region` of aws), null if it is not configured (it then comes from the environment).
    pub region: Value,
    /// Its `default_tags`, an empty object if it has none.
    pub default_tags: Value,
    /// The `provider` block.
    pub site: Option<Site>,
}

/// A module call that was followed.
#[derive(Copy, Clone, Debug)]
pub struct FollowedCall {
    /// The call's header.
    pub site: Site,
    /// What it calls was installed from elsewhere: its files are not the user's, and in no repository of theirs.
    pub installed: bool,
}

/// A module call that was not followed.
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// `module.x`
    pub address: SmolStr,
    /// The `source` argument.
    pub source: SmolStr,
    /// The call's header.
    pub site: Site,
    /// Resources that its arguments name.
    pub references: Vec<Link>,
}

impl Program {
    /// The change that makes of `before` what this is, told as a plan does. Resources of one address are one.
    #[must_use]
    pub fn after(mut self, before: Self) -> Self {
        let mut left: BTreeMap<SmolStr, Resource> =
            before.resources.into_iter().map(|resource| (resource.address.clone(), resource)).collect();
        for resource in self.resources.iter_mut().filter(|resource| resource.mode == Mode::Managed) {
            let earlier = left.remove(&resource.address).and_then(|earlier| earlier.after);
            resource.action = if earlier.is_some() { Action::Update } else { Action::Create };
            resource.before = earlier;
        }
        let gone = left.into_values().filter(|resource| resource.mode == Mode::Managed);
        self.resources.extend(gone.map(|resource| {
            let provider = resource.provider.filter(|&at| at < self.providers.len());
            let before = resource.after;
            Resource { before, after: None, action: Action::Delete, provider, ..resource }
        }));
        self
    }
}

impl Resource {
    /// The object before the change. What does not change is told once, by `after`.
    pub fn earlier(&self) -> Option<&Value> {
        if self.action.is_change_of_values() { self.before.as_ref() } else { self.after.as_ref() }
    }
}

impl Action {
    /// Whether the object afterwards may be another one than before.
    pub const fn is_change_of_values(self) -> bool {
        !matches!(self, Self::None | Self::NoOp | Self::Import)
    }

    /// Whether somebody who approves the change approves something of this resource.
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::None | Self::NoOp | Self::Read)
    }
}

impl std::fmt::Display for InputKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TerraformSource => "Terraform source",
            Self::TerraformPlan => "Terraform plan",
            Self::TerraformState => "Terraform state",
            Self::PulumiPreview => "Pulumi preview",
            Self::PulumiStack => "Pulumi stack",
        })
    }
}

impl std::fmt::Display for Key {
    /// As in an address: `[0]`, `["a"]` with HCL escapes, `[?]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(n) => write!(f, "[{n}]"),
            Self::String(text) => {
                f.write_str("[\"")?;
                for (i, c) in text.char_indices() {
                    match c {
                        // A literal `${` is doubled, as in any quoted string of HCL.
                        '$' | '%' if text.as_bytes().get(i + 1) == Some(&b'{') => write!(f, "{c}{c}")?,
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
            Self::Any => f.write_str("[?]"),
        }
    }
}
