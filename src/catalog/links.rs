//! What the attributes of resource types refer to: `rules/catalog/links.csv`.

use super::table::{fields, lines};

const LINKS: &str = include_str!("../../rules/catalog/links.csv");

/// A target type that stands for all.
const ANY: &str = "*";

/// Attributes that say something about a resource and do not make it use what they name, whatever its type.
const DESCRIPTIVE: [&str; 7] =
    ["count", "depends_on", "description", "for_each", "lifecycle", "tags", "tags_all"];

/// The kinds of links between resources. A link goes from the resource that holds the attribute (the source) to the one
/// that it names (the target).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// The source configures or is a part of the target: a bucket's policy, a role's policy, an agent's action group.
    Attachment,
    /// The source acts as the target, or the target says what it may do: workload → role → policy.
    Identity,
    /// The source reads from or writes to the target.
    Data,
    /// The source is encrypted with the target.
    Key,
    /// The source is in, or is guarded by, the target: subnet, security group.
    Network,
    /// The source lives in the target: an object in a bucket.
    Containment,
    /// The source names the target, and no more is said.
    Reference,
}

/// An attribute that refers to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRule {
    /// The type that has the attribute.
    pub source_type: &'static str,
    /// The attribute, as a dotted path without indexes.
    pub attribute: &'static str,
    /// The type that it refers to; `*` for any.
    pub target_type: &'static str,
    /// Those of [`LinkRule::target_attributes`], between bars.
    pub(super) holds: &'static str,
    /// What the link means.
    pub kind: LinkKind,
}

/// All links, sorted by source type and attribute.
pub(super) fn embedded() -> Vec<LinkRule> {
    let mut links: Vec<_> = lines(LINKS).skip(1).filter_map(LinkRule::parse).collect();
    links.sort_by_key(|rule| (rule.source_type, rule.attribute, rule.target_type));
    links
}

/// What `rules`, those of one source type, sorted by attribute, say of a reference to `target_type` at `path`. An exact target
/// is stronger than `*`. Where a reader could not follow an expression to the attribute, `path` is that of a block: a rule
/// inside it that has the target is meant.
pub(super) fn kind(rules: &[LinkRule], path: &str, target_type: &str) -> Option<LinkKind> {
    let from = |attribute: &str| {
        let start = rules.partition_point(|rule| rule.attribute < attribute);
        rules.get(start..).unwrap_or_default().iter()
    };
    let is_target = |rule: &&LinkRule| rule.target_type == target_type;
    let here = from(path);
    let exact = || here.clone().take_while(|rule| rule.attribute == path);
    let is_inside = |rule: &&LinkRule| {
        let rest = rule.attribute.strip_prefix(path);
        is_target(rule) && rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let inside = || here.clone().take_while(|rule| rule.attribute.starts_with(path)).find(is_inside);
    // An element of a map that has a rule.
    let around = || {
        path.match_indices('.').find_map(|(end, _)| {
            let outer = path.get(..end)?;
            from(outer).take_while(|rule| rule.attribute == outer).find(is_target)
        })
    };
    exact()
        .find(is_target)
        .or_else(|| exact().find(|rule| rule.target_type == ANY))
        .or_else(inside)
        .or_else(around)
        .map(|rule| rule.kind)
        .or_else(|| {
            let first = path.split('.').next().unwrap_or_default();
            DESCRIPTIVE.contains(&first).then_some(LinkKind::Reference)
        })
}

impl LinkKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Attachment,
        Self::Identity,
        Self::Data,
        Self::Key,
        Self::Network,
        Self::Containment,
        Self::Reference,
    ];

    /// The kind that data files call `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "attachment" => Self::Attachment,
            "identity" => Self::Identity,
            "data" => Self::Data,
            "key" => Self::Key,
            "network" => Self::Network,
            "containment" => Self::Containment,
            "reference" => Self::Reference,
            _ => return None,
        })
    }

    /// Its name in data files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::Identity => "identity",
            Self::Data => "data",
            Self::Key => "key",
            Self::Network => "network",
            Self::Containment => "containment",
            Self::Reference => "reference",
        }
    }
}

impl std::fmt::Display for LinkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl LinkRule {
    /// The attributes of the target whose value it holds, by which a literal finds the target; none where only a reference
    /// proves the link. A `name` may also be part of the literal (`s3://name/…`, `arn:…:name`).
    pub fn target_attributes(&self) -> impl Iterator<Item = &'static str> {
        self.holds.split('|').filter(|name| !name.is_empty())
    }

    /// A line of `links.csv`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = fields(line);
        let rule = Self {
            source_type: fields.next()?,
            attribute: fields.next()?,
            target_type: fields.next()?,
            holds: fields.next()?,
            kind: LinkKind::parse(fields.next()?)?,
        };
        fields.next().is_none().then_some(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_links_is_understood() {
        assert_eq!(embedded().len(), LINKS.lines().count() - 1);
    }

    #[test]
    fn kinds_are_called_by_their_names() {
        for rule in embedded() {
            assert_eq!(LinkKind::parse(rule.kind.name()), Some(rule.kind));
        }
    }

    #[test]
    fn an_exact_target_is_stronger_than_any_and_a_block_stands_for_what_is_in_it() {
        let rule = |attribute, target_type, kind| LinkRule {
            source_type: "t",
            attribute,
            target_type,
            holds: "",
            kind,
        };
        let rules = [
            rule("a.b", "aws_x", LinkKind::Data),
            rule("p", "*", LinkKind::Reference),
            rule("p", "aws_x", LinkKind::Attachment),
        ];
        assert_eq!(kind(&rules, "p", "aws_x"), Some(LinkKind::Attachment));
        assert_eq!(kind(&rules, "p", "aws_y"), Some(LinkKind::Reference));
        assert_eq!(kind(&rules, "a", "aws_x"), Some(LinkKind::Data));
        assert_eq!(kind(&rules, "a", "aws_y"), None);
        assert_eq!(kind(&rules, "a.bc", "aws_x"), None);
        assert_eq!(kind(&rules, "tags.k", "aws_x"), Some(LinkKind::Reference));
    }
}
