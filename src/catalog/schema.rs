//! Provider schemas: which attributes and nested blocks a resource type has, from `rules/catalog/schema/`, a file a provider.
//!
//! `cargo xtask schema` writes these files and says how their lines are to be read. A line is parsed when its type is first
//! asked for. Those of `azapi_resource` and `helm_release` are written by hand: what is in a `body` or
//! in `values` no schema says. So are those of the Cloud Control provider's types that are none of `aws`.
//!
//! `aws-6.txt` has what version 6 of the provider has beyond it, in the same form and with its source behind another tab:
//! whole types, and attributes and blocks of types that were there before. Of those nothing was measured. So has
//! `google-7.txt`, with the types of the beta provider. Where a block was
//! one object and is a list now (`logging_config`), both are the one object.

use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;
use smol_str::SmolStr;

use super::table::{self, ByName};
use crate::value::{Cause, Field, Map, Type, Unknown};

const PROVIDERS: [&str; 7] = [
    include_str!("../../rules/catalog/schema/aws.txt"),
    include_str!("../../rules/catalog/schema/awscc.txt"),
    include_str!("../../rules/catalog/schema/azapi.txt"),
    include_str!("../../rules/catalog/schema/azurerm.txt"),
    include_str!("../../rules/catalog/schema/google.txt"),
    include_str!("../../rules/catalog/schema/helm.txt"),
    include_str!("../../rules/catalog/schema/kubernetes.txt"),
];
const LATER: [&str; 2] = [
    include_str!("../../rules/catalog/schema/aws-6.txt"),
    include_str!("../../rules/catalog/schema/google-7.txt"),
];

/// What a block has in it. The top of a resource type is one.
#[derive(Clone, Debug, Default)]
pub struct BlockSchema {
    /// Its attributes and nested blocks, in the order of their names, of which each is there once.
    members: Vec<(SmolStr, Member)>,
    /// What a configuration that sets nothing in it has, a value of each member; made once.
    pub(super) unset: OnceLock<Map>,
    /// Of the top of a type, what an object has of which nothing is told; made once.
    pub(super) untold: OnceLock<Arc<Map>>,
}

/// What a block has under one name.
#[derive(Clone, Debug)]
pub(super) enum Member {
    Attribute(AttributeSchema),
    Block(NestedBlock),
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub struct AttributeSchema {
    /// Its type.
    pub ty: Type,
    /// The configuration must set it.
    pub required: bool,
    /// The configuration may set it.
    pub optional: bool,
    /// The provider decides where the configuration does not.
    pub computed: bool,
    /// It must not be shown.
    pub sensitive: bool,
    /// What it is in a plan where it is known after apply: most unknown values are this one.
    unknown: OnceLock<Arc<Unknown>>,
    /// Unknown because the provider decides, made once.
    provided: OnceLock<Arc<Unknown>>,
}

/// A nested block.
#[derive(Clone, Debug)]
pub struct NestedBlock {
    /// What its instances make together.
    pub nesting: Nesting,
    /// What is in each.
    pub block: BlockSchema,
    /// The configuration must have at least so many.
    pub min: u32,
    /// The configuration may have at most so many.
    pub max: Option<u32>,
    /// The type of its instances together, made when it is first asked for.
    ty: OnceLock<Type>,
}

/// What the instances of a nested block make together.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object, or null.
    Single,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// A map of objects by label.
    Map,
}

impl BlockSchema {
    /// Its attributes, in the order of their names.
    pub fn attributes(&self) -> impl Iterator<Item = (&SmolStr, &AttributeSchema)> {
        self.members.iter().filter_map(|(name, member)| match member {
            Member::Attribute(attribute) => Some((name, attribute)),
            Member::Block(_) => None,
        })
    }

    /// Its nested blocks, in the order of their names.
    pub fn blocks(&self) -> impl Iterator<Item = (&SmolStr, &NestedBlock)> {
        self.members.iter().filter_map(|(name, member)| match member {
            Member::Block(nested) => Some((name, nested)),
            Member::Attribute(_) => None,
        })
    }

    /// How many names it has.
    pub fn width(&self) -> usize {
        self.members.len()
    }

    /// All of both.
    pub(super) fn members(&self) -> &[(SmolStr, Member)] {
        &self.members
    }

    /// What it has under a name, and where among its members that stands.
    pub(super) fn member(&self, name: &str) -> Option<(usize, &Member)> {
        let at = self.members.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        Some((at, &self.members.get(at)?.1))
    }

    /// The nested block of that name.
    pub fn nested(&self, name: &str) -> Option<&NestedBlock> {
        match self.member(name)? {
            (_, Member::Block(nested)) => Some(nested),
            (_, Member::Attribute(_)) => None,
        }
    }

    /// The attribute at a dotted path through nested blocks.
    pub fn attribute(&self, path: &str) -> Option<&AttributeSchema> {
        if let Some((block, rest)) = path.split_once('.') {
            return self.nested(block)?.block.attribute(rest);
        }
        match self.member(path)? {
            (_, Member::Attribute(attribute)) => Some(attribute),
            (_, Member::Block(_)) => None,
        }
    }

    /// The nested block at a dotted path.
    pub fn block(&self, path: &str) -> Option<&NestedBlock> {
        match path.split_once('.') {
            Some((block, rest)) => self.nested(block)?.block.block(rest),
            None => self.nested(path),
        }
    }

    /// Whether the dotted path leads to an attribute or a block, or into an attribute that is an object or map.
    pub fn has(&self, path: &str) -> bool {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        match self.member(first) {
            Some((_, Member::Block(nested))) => rest.is_empty() || nested.block.has(rest),
            Some((_, Member::Attribute(attribute))) => type_has(&attribute.ty, rest),
            None => false,
        }
    }

    /// The type of an object of this block.
    pub fn ty(&self) -> Type {
        let ty = |member: &Member| match member {
            Member::Attribute(attribute) => attribute.ty.clone(),
            Member::Block(nested) => nested.ty().clone(),
        };
        Type::Object(self.members.iter().map(|(name, member)| field(name.clone(), ty(member))).collect())
    }

    /// Adds what `later` has and this has not.
    fn extend(&mut self, later: Self) {
        for (name, member) in later.members {
            match (self.members.binary_search_by(|(known, _)| known.cmp(&name)), member) {
                (Err(at), member) => self.members.insert(at, (name, member)),
                (Ok(at), Member::Block(later)) => {
                    if let Some((_, Member::Block(known))) = self.members.get_mut(at) {
                        known.block.extend(later.block);
                    }
                }
                (Ok(_), Member::Attribute(_)) => {}
            }
        }
    }

    fn parse(json: &Json) -> Option<Self> {
        let mut members = Vec::new();
        for (name, entry) in json.as_object()? {
            let member = match entry {
                Json::String(short) => {
                    let (flags, ty) = short.split_once(' ')?;
                    Member::Attribute(AttributeSchema::new(flags, primitive(ty)?))
                }
                Json::Array(pair) => {
                    let [Json::String(flags), ty] = pair.as_slice() else { return None };
                    Member::Attribute(AttributeSchema::new(flags, parse_type(ty)?))
                }
                entry => Member::Block(NestedBlock::parse(entry)?),
            };
            members.push((SmolStr::from(name), member));
        }
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        Some(Self { members, ..Self::default() })
    }
}

impl AttributeSchema {
    fn new(flags: &str, ty: Type) -> Self {
        let has = |flag| flags.contains(flag);
        Self {
            ty,
            required: has('r'),
            optional: has('o'),
            computed: has('c'),
            sensitive: has('s'),
            unknown: OnceLock::new(),
            provided: OnceLock::new(),
        }
    }

    /// Unknown of its type, because the provider decides.
    pub(super) fn provided(&self) -> Arc<Unknown> {
        let new = || Arc::new(Unknown { ty: self.ty.clone(), ..Unknown::new(Cause::Provider) });
        Arc::clone(self.provided.get_or_init(new))
    }

    /// Unknown of its type, because the plan says so.
    pub(super) fn unknown(&self) -> Arc<Unknown> {
        let new = || Arc::new(Unknown { ty: self.ty.clone(), ..Unknown::new(Cause::Plan) });
        Arc::clone(self.unknown.get_or_init(new))
    }
}

impl NestedBlock {
    /// The type of its instances together.
    pub fn ty(&self) -> &Type {
        self.ty.get_or_init(|| {
            let object = self.block.ty();
            match self.nesting {
                Nesting::Single => object,
                Nesting::List => Type::List(Arc::new(object)),
                Nesting::Set => Type::Set(Arc::new(object)),
                Nesting::Map => Type::Map(Arc::new(object)),
            }
        })
    }

    fn parse(json: &Json) -> Option<Self> {
        let (nesting, content) = json.as_object()?.iter().next()?;
        let [min, max, block] = content.as_array()?.as_slice() else { return None };
        let bound = |json: &Json| u32::try_from(json.as_u64()?).ok();
        Some(Self {
            nesting: match nesting.as_str() {
                "single" => Nesting::Single,
                "list" => Nesting::List,
                "set" => Nesting::Set,
                "map" => Nesting::Map,
                _ => return None,
            },
            block: BlockSchema::parse(block)?,
            min: bound(min)?,
            max: bound(max).filter(|max| *max > 0),
            ty: OnceLock::new(),
        })
    }
}

/// The schemas of all providers by type: where each stands, and what was parsed already.
#[derive(Debug)]
pub(super) struct Schemas {
    lines: ByName<Line>,
}

#[derive(Debug)]
struct Line {
    json: &'static str,
    /// What a later version of the provider has beyond it.
    later: Option<&'static str>,
    parsed: OnceLock<Option<BlockSchema>>,
}

impl Line {
    /// Of which type a line is, and what it says.
    fn new(line: &'static str) -> Option<(&'static str, Self)> {
        let (name, json) = line.split_once('\t')?;
        Some((name, Self { json, later: None, parsed: OnceLock::new() }))
    }

    fn parse(&self) -> Option<BlockSchema> {
        let parse = |json| BlockSchema::parse(&serde_json::from_str(json).ok()?);
        let mut block = parse(self.json)?;
        if let Some(later) = self.later {
            block.extend(parse(later)?);
        }
        Some(block)
    }
}

impl Schemas {
    /// Those that are embedded.
    pub(super) fn embedded() -> Self {
        let mut lines: ByName<Line> =
            PROVIDERS.into_iter().flat_map(table::lines).filter_map(Line::new).collect();
        for line in LATER.into_iter().flat_map(table::lines) {
            let Some((name, line)) = line.rsplit_once('\t').and_then(|(line, _source)| Line::new(line))
            else {
                continue;
            };
            match lines.entry(name) {
                Entry::Occupied(mut known) => known.get_mut().later = Some(line.json),
                Entry::Vacant(place) => {
                    place.insert(line);
                }
            }
        }
        Self { lines }
    }

    /// That of `name`.
    pub(super) fn get(&self, name: &str) -> Option<&BlockSchema> {
        let line = self.lines.get(name)?;
        line.parsed.get_or_init(|| line.parse()).as_ref()
    }

    /// The types that there are, sorted.
    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &'static str> {
        let mut names: Vec<_> = self.lines.keys().copied().collect();
        names.sort_unstable();
        names.into_iter()
    }
}

/// A type as cty writes it: `"string"`, `["list","string"]`, `["object",{…}]`.
fn parse_type(json: &Json) -> Option<Type> {
    match json {
        Json::String(name) => primitive(name),
        Json::Array(pair) => {
            let [Json::String(kind), of] = pair.as_slice() else { return None };
            let element = || parse_type(of).map(Arc::new);
            Some(match kind.as_str() {
                "list" => Type::List(element()?),
                "set" => Type::Set(element()?),
                "map" => Type::Map(element()?),
                "tuple" => Type::Tuple(of.as_array()?.iter().map(parse_type).collect::<Option<_>>()?),
                "object" => {
                    let fields = of.as_object()?.iter();
                    let mut fields: Vec<_> = fields
                        .map(|(name, ty)| Some(field(name.into(), parse_type(ty)?)))
                        .collect::<Option<_>>()?;
                    fields.sort_by(|a, b| a.name.cmp(&b.name));
                    Type::Object(fields.into())
                }
                _ => return None,
            })
        }
        _ => None,
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "number" => Type::Number,
        "string" => Type::String,
        "dynamic" => Type::Any,
        _ => return None,
    })
}

/// A field that a schema's object has. A configuration may leave it out: the provider is given null.
fn field(name: SmolStr, ty: Type) -> Field {
    Field { name, ty, optional: true, default: None }
}

fn type_has(ty: &Type, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match ty {
        _ if path.is_empty() => true,
        Type::List(of) | Type::Set(of) => type_has(of, path),
        Type::Map(of) => type_has(of, rest),
        Type::Object(fields) => fields.iter().any(|f| f.name == first && type_has(&f.ty, rest)),
        Type::Any => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_line_is_understood() {
        let catalog = Catalog::get();
        let names = |text: &'static str| text.lines().filter_map(|line| Some(line.split_once('\t')?.0));
        let all: std::collections::BTreeSet<_> =
            PROVIDERS.into_iter().flat_map(names).chain(LATER.into_iter().flat_map(names)).collect();
        assert!(catalog.schema_types().eq(all));
        for line in LATER.into_iter().flat_map(str::lines) {
            let [name, json, source] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            assert!(BlockSchema::parse(&serde_json::from_str(json).unwrap()).is_some(), "{name}");
            assert!(!source.is_empty(), "{name}");
        }
        for name in catalog.schema_types() {
            assert!(catalog.schema(name).is_some_and(|block| block.attributes().next().is_some()), "{name}");
        }
    }

    #[test]
    fn flags_types_and_nesting_are_told() {
        let notebook = Catalog::get().schema("aws_sagemaker_notebook_instance").unwrap();
        let role = notebook.attribute("role_arn").unwrap();
        assert!(role.required && !role.computed && matches!(role.ty, Type::String));
        let groups = notebook.attribute("security_groups").unwrap();
        assert!(groups.optional && groups.computed && matches!(groups.ty, Type::Set(_)));
        let imds = notebook.block("instance_metadata_service_configuration").unwrap();
        assert_eq!((imds.nesting, imds.min, imds.max), (Nesting::List, 0, Some(1)));

        let logging = Catalog::get().schema("aws_bedrock_model_invocation_logging_configuration").unwrap();
        assert_eq!(logging.block("logging_config.s3_config").unwrap().nesting, Nesting::Single);
    }

    #[test]
    fn a_later_version_adds_to_what_was_there() {
        let has = |name, path| Catalog::get().schema(name).unwrap().has(path);
        assert!(has("aws_s3vectors_vector_bucket", "encryption_configuration.kms_key_arn"), "a whole type");
        assert!(has("aws_sagemaker_endpoint_configuration", "execution_role_arn"), "an attribute");
        assert!(
            has("aws_bedrock_guardrail", "content_policy_config.filters_config.input_enabled"),
            "in a block"
        );
        let logging = Catalog::get().schema("aws_bedrock_model_invocation_logging_configuration").unwrap();
        assert_eq!(logging.block("logging_config").unwrap().nesting, Nesting::Single);
    }

    #[test]
    fn paths_lead_into_blocks_and_attributes_that_are_objects() {
        let function = Catalog::get().schema("aws_lambda_function").unwrap();
        assert!(function.has("vpc_config.subnet_ids"));
        assert!(function.has("environment.variables.ANY_NAME"));
        assert!(!function.has("vpc_config.nothing"));
        assert!(!function.has("role.arn"));
        assert!(!function.has(""));
    }
}
