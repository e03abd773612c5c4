//! What each resource type is: its role in an AI system, how its attributes link it to others, and its schema.
//!
//! All of it is data in `rules/catalog/`, embedded, and read on first use. `types.csv` says what a type is, `links.csv`
//! what an attribute refers to, `schema/aws.txt` what the provider's schema says, `defaults.csv` what the provider fills
//! in where nobody sets an attribute, `rewritten.tsv` what it writes in another way, and `controls.csv` at which attributes
//! a type keeps its key, its logs, its role, its network. `awscc.csv` says what the types of another provider are called here.
//!
//! **AI scope** is found by walking from the types that are AI themselves: forward over data, identity, key, network and
//! containment links, and backward over attachments. The kinds in `links.csv` are chosen so that this walk gives what one
//! expects: a bucket that a data source reads is in scope, and so are its policy and its public access block, which attach
//! to it; the other roles that the policy names, and the bucket its access logs go to, are not: those are references.

mod accelerators;
mod complete;
mod controls;
mod defaults;
mod documented;
mod links;
mod protections;
mod reach;
mod rewritten;
mod schema;
mod spelling;
mod table;

pub use accelerators::accelerator;
pub use complete::{complete, complete_attribute, unset};
pub use controls::Control;
pub use documented::{DocumentedDefault, documented, fill};
pub use links::{LinkKind, LinkRule};
pub use protections::Protection;
pub use reach::Reach;
pub use schema::{AttributeSchema, BlockSchema, NestedBlock, Nesting};
pub use spelling::{Spelling, spelling, spellings};

use std::sync::LazyLock;

use crate::value::Value;
use defaults::Filled;
use table::ByName;

const TYPES: &str = include_str!("../../rules/catalog/types.csv");

/// All that airgate knows of resource types. Each table is read when it is first asked.
#[derive(Debug)]
pub struct Catalog {
    types: LazyLock<Vec<TypeInfo>>,
    by_name: LazyLock<ByName<&'static TypeInfo>>,
    links: LazyLock<Vec<LinkRule>>,
    by_source: LazyLock<ByName<&'static [LinkRule]>>,
    controls: LazyLock<Vec<Control>>,
    controls_by_type: LazyLock<ByName<&'static [Control]>>,
    schemas: LazyLock<schema::Schemas>,
}

/// What a resource type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    /// Terraform's name. Where one Terraform type stands for many (`azapi_resource`), the kind follows in brackets:
    /// `azapi_resource[Microsoft.Search/searchServices]`.
    pub name: &'static str,
    /// What it does in a system: `vector-store`, `identity`, `log-sink`.
    pub role: &'static str,
    /// Whether it is AI.
    pub ai: Ai,
    /// The kind of a link to it that `links.csv` does not name.
    pub edge: LinkKind,
}

/// What a type has to do with AI.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ai {
    /// It is AI: a model, an agent, a notebook.
    Direct,
    /// It serves AI where something AI reaches it: a bucket, a role, a key.
    Supporting,
    /// It is only around: a route table.
    None,
}

/// Whether Terraform keeps the argument nowhere: it is null in every plan, and for whoever refers to it. The providers of
/// HashiCorp name all theirs so, beside a `…_wo_version` that says when it changes.
pub fn is_write_only(argument: &str) -> bool {
    argument.ends_with("_wo")
}

impl Catalog {
    /// The catalog.
    pub fn get() -> &'static Self {
        static CATALOG: Catalog = Catalog {
            types: LazyLock::new(|| table::lines(TYPES).skip(1).filter_map(TypeInfo::parse).collect()),
            by_name: LazyLock::new(|| Catalog::get().types.iter().map(|info| (info.name, info)).collect()),
            links: LazyLock::new(links::embedded),
            by_source: LazyLock::new(|| table::grouped(&Catalog::get().links, |it| it.source_type)),
            controls: LazyLock::new(controls::embedded),
            controls_by_type: LazyLock::new(|| table::grouped(&Catalog::get().controls, |it| it.type_name)),
            schemas: LazyLock::new(schema::Schemas::embedded),
        };
        &CATALOG
    }

    /// What `type_name` is; [`None`] if the catalog does not know the type.
    pub fn kind(&self, type_name: &str) -> Option<&TypeInfo> {
        self.by_name.get(type_name).copied()
    }

    /// All types, sorted by name.
    pub fn types(&self) -> &[TypeInfo] {
        &self.types
    }

    /// What the catalog tells apart within a type by what its attributes say: `qdrant` of `helm_release[qdrant]`.
    pub fn kinds_of(&self, type_name: &str) -> impl Iterator<Item = (&str, &TypeInfo)> {
        let first = self.types.partition_point(|info| info.name < type_name);
        let rest = self
            .types
            .iter()
            .skip(first)
            .map_while(move |info| Some((info.name.strip_prefix(type_name)?, info)));
        rest.filter_map(|(rest, info)| Some((rest.strip_prefix('[')?.strip_suffix(']')?, info)))
    }

    /// The links that attributes of `source_type` make, sorted by attribute.
    pub fn links(&self, source_type: &str) -> &[LinkRule] {
        self.by_source.get(source_type).copied().unwrap_or_default()
    }

    /// All links, sorted by source type and attribute.
    pub fn all_links(&self) -> &[LinkRule] {
        &self.links
    }

    /// The attributes that decide the controls of `type_name`, sorted by control.
    pub fn controls(&self, type_name: &str) -> &[Control] {
        self.controls_by_type.get(type_name).copied().unwrap_or_default()
    }

    /// The controls of all types, sorted by type.
    pub fn all_controls(&self) -> &[Control] {
        &self.controls
    }

    /// The kind of link that a reference to a `target_type` makes where it stands at `path` (dotted, without indexes) of a
    /// `source_type`: what `links.csv` says, else what is usual for the target.
    pub fn link_kind(&self, source_type: &str, path: &str, target_type: &str) -> LinkKind {
        self.stated_kind(source_type, path, target_type)
            .or_else(|| self.kind(target_type).map(|info| info.edge))
            .unwrap_or(LinkKind::Reference)
    }

    /// How far a control of an account reaches; [`None`] where it is of one region.
    pub fn reach(&self, type_name: &str) -> Option<Reach> {
        reach::of(type_name)
    }

    /// What `type_name` protects; [`None`] if nothing that it would be judged for.
    pub fn protection(&self, type_name: &str) -> Option<Protection> {
        protections::of(type_name)
    }

    /// What `links.csv` says of it, if anything.
    pub fn stated_kind(&self, source_type: &str, path: &str, target_type: &str) -> Option<LinkKind> {
        links::kind(self.links(source_type), path, target_type)
    }

    /// The schema of `type_name`; [`None`] if the catalog has none. It is parsed on the first call for the type.
    pub fn schema(&self, type_name: &str) -> Option<&BlockSchema> {
        self.schemas.get(type_name)
    }

    /// All values that the provider was measured to fill in: type, dotted path, and the value, [`None`] where it decides
    /// when it creates the resource.
    pub fn defaults(&self) -> impl Iterator<Item = (&'static str, &'static str, Option<&'static Value>)> {
        let of = |filled: &'static Filled| match filled {
            Filled::Value(value) => Some(value),
            Filled::Computed => None,
        };
        let types = defaults::all();
        types.flat_map(move |(name, of_type)| {
            of_type.filled.iter().map(move |(path, filled)| (name, *path, of(filled)))
        })
    }

    /// The blocks whose defaults could not be measured: type and dotted path, empty for the whole resource.
    pub fn unmeasured(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let types = defaults::all();
        types.flat_map(|(name, of_type)| of_type.unmeasured.iter().map(move |path| (name, *path)))
    }

    /// The types that have a schema, sorted.
    pub fn schema_types(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.schemas.names()
    }
}

impl TypeInfo {
    /// A line of `types.csv`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = table::fields(line);
        let info = Self {
            name: fields.next()?,
            role: fields.next()?,
            ai: match fields.next()? {
                "direct" => Ai::Direct,
                "supporting" => Ai::Supporting,
                "none" => Ai::None,
                _ => return None,
            },
            edge: LinkKind::parse(fields.next()?)?,
        };
        fields.next().is_none().then_some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_types_is_understood() {
        assert_eq!(Catalog::get().types().len(), TYPES.lines().count() - 1);
    }

    #[test]
    fn types_are_found_by_name() {
        let catalog = Catalog::get();
        let bucket = catalog.kind("aws_s3_bucket").unwrap();
        assert_eq!((bucket.ai, bucket.edge), (Ai::Supporting, LinkKind::Data));
        assert_eq!(catalog.kind("aws_sagemaker_model").unwrap().ai, Ai::Direct);
        assert_eq!(catalog.kind("aws_iam_role").unwrap().edge, LinkKind::Identity);
        assert_eq!(catalog.kind("aws_kms_key").unwrap().edge, LinkKind::Key);
        assert_eq!(catalog.kind("aws_nothing"), None);
    }

    #[test]
    fn links_of_a_type_are_its_own() {
        let links = Catalog::get().links("aws_s3_bucket_logging");
        let found: Vec<_> = links.iter().map(|rule| (rule.attribute, rule.kind)).collect();
        assert_eq!(found, [("bucket", LinkKind::Attachment), ("target_bucket", LinkKind::Reference)]);
        assert_eq!(Catalog::get().links("aws_nothing"), []);
    }

    #[test]
    fn the_kind_of_a_link_is_what_links_say_else_what_is_usual() {
        let kind = |source, path, target| Catalog::get().link_kind(source, path, target);
        assert_eq!(kind("aws_s3_bucket_policy", "bucket", "aws_s3_bucket"), LinkKind::Attachment);
        // A policy names principals; it does not run as them.
        assert_eq!(kind("aws_s3_bucket_policy", "policy", "aws_iam_role"), LinkKind::Reference);
        assert_eq!(kind("aws_lambda_function", "environment.variables.B", "aws_s3_bucket"), LinkKind::Data);
        assert_eq!(kind("aws_lambda_function", "tags.bucket", "aws_s3_bucket"), LinkKind::Reference);
        assert_eq!(kind("aws_lambda_function", "role", "aws_nothing"), LinkKind::Reference);
    }
}
