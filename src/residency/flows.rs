//! Which attributes make data leave the region of their resource: `rules/flows.csv`.

use std::sync::OnceLock;

const FLOWS: &str = include_str!("../../rules/flows.csv");

/// An attribute that says where data of its resource goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRule {
    /// The resource type.
    pub type_name: &'static str,
    /// The attribute or block, as a dotted path without indexes; `*` is every entry of a map.
    pub path: &'static str,
    /// The steps of the path.
    pub steps: Box<[&'static str]>,
    /// How its value names the place.
    pub names: Names,
    /// What kind of flow it is: rules ask for one kind.
    pub kind: FlowKind,
    /// What goes there, in words, as the subject of a sentence.
    pub what: &'static str,
    /// The value that makes no flow; empty if there is none.
    pub except: &'static str,
}

/// How a value names a place.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// An id or ARN of a model, an inference profile or a guardrail profile.
    Model,
    /// The same, where a value may be anything: only what certainly is one counts.
    ModelIfClear,
    /// The name of a region.
    Region,
    /// The name of an availability zone.
    Zone,
    /// An ARN with a region.
    Arn,
    /// A bucket: its ARN, its name, or an `s3://` URI.
    Bucket,
    /// Not at all: the resource itself is what is elsewhere than its origin.
    Itself,
    /// The kind of a store or source that a third party runs: `PINECONE`.
    PartyByType,
    /// A third party, named by the table; the block need only be there.
    Party(&'static str),
    /// A service of AWS that routes requests on its own, named by the table; the value need only be there.
    Service(&'static str),
}

/// The kinds of flows.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowKind {
    /// What a model processes.
    Model,
    /// What a guardrail processes.
    Guardrail,
    /// What a service processes that routes on its own.
    Service,
    /// A copy that is kept.
    Copy,
    /// Data of a workload in a bucket.
    Data,
    /// Logs and events.
    Log,
    /// What a third party stores or processes.
    Party,
    /// What is read from where it is kept: a bucket, a third party.
    Source,
}

/// The flows of a type.
pub fn flows(type_name: &str) -> &'static [FlowRule] {
    let all = all_flows();
    let start = all.partition_point(|rule| rule.type_name < type_name);
    let rest = all.get(start..).unwrap_or_default();
    rest.get(..rest.partition_point(|rule| rule.type_name == type_name)).unwrap_or_default()
}

/// All flows, sorted by type and path.
pub fn all_flows() -> &'static [FlowRule] {
    static ALL: OnceLock<Vec<FlowRule>> = OnceLock::new();
    ALL.get_or_init(|| FLOWS.lines().skip(1).filter_map(FlowRule::parse).collect())
}

impl FlowKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Model,
        Self::Guardrail,
        Self::Service,
        Self::Copy,
        Self::Data,
        Self::Log,
        Self::Party,
        Self::Source,
    ];

    /// Its name in the table, in conditions and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Guardrail => "guardrail",
            Self::Service => "service",
            Self::Copy => "copy",
            Self::Data => "data",
            Self::Log => "log",
            Self::Party => "party",
            Self::Source => "source",
        }
    }

    /// The kind called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl FlowRule {
    /// A line of `flows.csv`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split(',');
        let (type_name, path) = (fields.next()?, fields.next()?);
        let this = Self {
            type_name,
            path,
            steps: path.split('.').collect(),
            names: match fields.next()? {
                "model" => Names::Model,
                "model-if-clear" => Names::ModelIfClear,
                "region" => Names::Region,
                "zone" => Names::Zone,
                "arn" => Names::Arn,
                "bucket" => Names::Bucket,
                "self" => Names::Itself,
                "party" => Names::PartyByType,
                other => match other.strip_prefix("party:") {
                    Some(party) => Names::Party(party),
                    None => Names::Service(super::inference::service(other)?),
                },
            },
            kind: FlowKind::parse(fields.next()?)?,
            what: fields.next()?,
            except: fields.next()?,
        };
        fields.next().is_none().then_some(this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_line_is_understood_and_in_order() {
        assert!(FLOWS.starts_with("type,path,names,kind,what,not\n"), "the first line is no flow");
        assert_eq!(all_flows().len(), FLOWS.lines().count() - 1);
        assert!(all_flows().is_sorted_by(|a, b| (a.type_name, a.path) < (b.type_name, b.path)));
        for kind in FlowKind::ALL {
            assert!(all_flows().iter().any(|rule| rule.kind == kind), "{}", kind.name());
        }
    }

    #[test]
    fn every_path_is_in_the_schema() {
        for rule in all_flows() {
            let path = rule.path.strip_suffix(".*").unwrap_or(rule.path);
            let schema = Catalog::get().schema(rule.type_name);
            assert!(schema.is_some_and(|schema| schema.has(path)), "{}.{path}", rule.type_name);
        }
    }

    #[test]
    fn flows_of_a_type_are_its_own() {
        let names: Vec<_> = flows("aws_dynamodb_table").iter().map(|rule| (rule.path, rule.kind)).collect();
        assert_eq!(names, [("replica.region_name", FlowKind::Copy)]);
        assert_eq!(flows("aws_nothing"), []);
    }
}
