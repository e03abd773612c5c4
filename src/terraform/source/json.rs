//! What is an argument and what a block in `.tf.json`: the schema of Terraform's own blocks, and the provider's below them.
//!
//! Of a type whose schema is not known every property is an argument. Its value is what it would be anyway, for blocks of a
//! type are a list of objects.

use crate::catalog::{BlockSchema, Catalog};
use crate::hcl::json::{self, Property, Reading};

use super::module::LABELS;

/// What a body is.
#[derive(Copy, Clone, Debug)]
pub(super) enum Schema {
    /// A file of configuration.
    File,
    /// A file of values of variables.
    Values,
    /// Arguments alone, that are expressions.
    Arguments,
    /// A block of Terraform's own, by its type.
    Own(&'static str),
    /// `resource`, `data`, `ephemeral`.
    Resource(Shape),
    /// A block that the provider defines, in a resource or its own.
    Provided(Shape),
    /// `dynamic`, and what its blocks are.
    Dynamic(Shape),
}

/// Which nested blocks a block has, as far as that is known.
#[derive(Copy, Clone, Debug)]
pub(super) enum Shape {
    /// It is not known.
    Open,
    /// As the catalog has it.
    Catalog(&'static BlockSchema),
    /// These.
    Blocks(&'static [Blocks]),
}

/// A nested block, and those in it.
#[derive(Debug)]
pub(super) struct Blocks(&'static str, &'static [Blocks]);

const POLICY_DOCUMENT: &[Blocks] = &[Blocks(
    "statement",
    &[Blocks("condition", &[]), Blocks("not_principals", &[]), Blocks("principals", &[])],
)];

const AWS_PROVIDER: &[Blocks] = &[
    Blocks("assume_role", &[]),
    Blocks("assume_role_with_web_identity", &[]),
    Blocks("default_tags", &[]),
    Blocks("endpoints", &[]),
    Blocks("ignore_tags", &[]),
];

impl Shape {
    fn of_resource(kind: &str) -> Self {
        Catalog::get().schema(kind).map_or(Self::Open, Self::Catalog)
    }

    fn of_data(kind: &str) -> Self {
        if kind == "aws_iam_policy_document" { Self::Blocks(POLICY_DOCUMENT) } else { Self::Open }
    }

    fn of_provider(name: &str) -> Self {
        if name == "aws" { Self::Blocks(AWS_PROVIDER) } else { Self::Open }
    }

    /// The shape of the nested block `name`; [`None`] if there is no such block, or none is known.
    fn block(self, name: &str) -> Option<Self> {
        match self {
            Self::Open => None,
            Self::Catalog(schema) => schema.nested(name).map(|nested| Self::Catalog(&nested.block)),
            Self::Blocks(blocks) => {
                blocks.iter().find(|block| block.0 == name).map(|block| Self::Blocks(block.1))
            }
        }
    }
}

impl json::Schema for Schema {
    fn property(self, name: &str) -> Property {
        use Property::{Argument, Block};
        use Reading::{Expression, Literal, Template};
        match (self, name) {
            (Self::File, _) => {
                // What Terraform does not know is told of later, as a block.
                Block(LABELS.iter().find(|(known, _)| *known == name).map_or(0, |(_, labels)| *labels))
            }
            (Self::Values, _) => Argument(Literal),
            (Self::Arguments, _) => Argument(Template),
            (Self::Own(block), name) => own(block, name),
            (Self::Resource(_), "count" | "for_each") => Argument(Template),
            (Self::Resource(_), "provider" | "depends_on") => Argument(Expression),
            (Self::Resource(_), "lifecycle" | "connection") => Block(0),
            (Self::Resource(_), "provisioner") | (Self::Resource(_) | Self::Provided(_), "dynamic") => {
                Block(1)
            }
            (Self::Resource(shape) | Self::Provided(shape), _) => match shape.block(name) {
                Some(_) => Block(0),
                None => Argument(Template),
            },
            (Self::Dynamic(_), "content") => Block(0),
            (Self::Dynamic(_), "iterator") => Argument(Expression),
            (Self::Dynamic(_), _) => Argument(Template),
        }
    }

    fn block(self, name: &str, labels: &[&str]) -> Self {
        let kind = labels.first().copied().unwrap_or_default();
        match (self, name) {
            (Self::File, "resource") => Self::Resource(Shape::of_resource(kind)),
            (Self::File, "ephemeral") => Self::Resource(Shape::Open),
            (Self::File | Self::Own("check"), "data") => Self::Resource(Shape::of_data(kind)),
            (Self::File, "provider") => Self::Provided(Shape::of_provider(kind)),
            (Self::Resource(shape) | Self::Provided(shape), "dynamic") => {
                Self::Dynamic(shape.block(kind).unwrap_or(Shape::Open))
            }
            (Self::Dynamic(shape), "content") => Self::Provided(shape),
            (Self::File | Self::Own(_) | Self::Resource(_), name) if OWN.contains(&name) => {
                Self::Own(OWN.iter().find(|own| **own == name).copied().unwrap_or_default())
            }
            (Self::Resource(shape) | Self::Provided(shape), name) => {
                Self::Provided(shape.block(name).unwrap_or(Shape::Open))
            }
            _ => Self::Arguments,
        }
    }
}

/// Blocks of Terraform's own that hold more than expressions.
const OWN: &[&str] = &[
    "check",
    "import",
    "lifecycle",
    "module",
    "moved",
    "output",
    "provisioner",
    "removed",
    "terraform",
    "variable",
];

/// What `name` is in a block of Terraform's own.
fn own(block: &str, name: &str) -> Property {
    use Property::{Argument, Block};
    use Reading::{Expression, Literal, Template};
    match (block, name) {
        ("check", "data") => Block(2),
        ("terraform", "backend" | "provider_meta") => Block(1),
        ("check", "assert")
        | ("lifecycle", "precondition" | "postcondition")
        | ("output", "precondition")
        | ("provisioner" | "removed", "connection")
        | ("removed", "lifecycle")
        | ("terraform", "cloud" | "encryption" | "required_providers")
        | ("variable", "validation") => Block(0),
        ("removed", "provisioner") => Block(1),
        ("import", "to" | "provider")
        | ("lifecycle", "ignore_changes" | "replace_triggered_by")
        | ("module", "depends_on" | "providers")
        | ("moved" | "removed", "from" | "to")
        | ("output", "depends_on")
        | ("provisioner", "when" | "on_failure")
        | ("variable", "type") => Argument(Expression),
        ("module", "source" | "version")
        | ("output", "description" | "sensitive" | "ephemeral")
        | ("lifecycle" | "terraform" | "variable", _) => Argument(Literal),
        _ => Argument(Template),
    }
}
